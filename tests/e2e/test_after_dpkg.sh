#!/bin/sh
# SPDX-License-Identifier: MIT
# What apt runs after dpkg (policy/apt), in roots that dpkg itself made: whatever names packages, files and certificates
# have, whatever an interrupted run left, with a full disk, and twice at a time. That files get fs-verity by it
# is tested where a kernel knows that: tests/system/after_dpkg.sh.
# shellcheck disable=SC2016,SC2317
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
. tests/own-mounts.sh
CHECK_OUT=$work
. tests/check.sh
top=$PWD
PATH=$PWD/build/host:$PATH
cd "$work"
root="$work/a root"

package() { # NAME VERSION: of the directory NAME, installed
	mkdir -p "$1/DEBIAN"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n' \
		"$1" "$2" >"$1/DEBIAN/control"
	(cd "$1" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0r md5sum) >"$1/DEBIAN/md5sums"
	dpkg-deb --root-owner-group -b "$1" "$1.deb" >/dev/null 2>package.log &&
		dpkg --root="$root" --log=/dev/null --force-not-root --force-script-chrootless --force-bad-path -i "$1.deb" >>package.log 2>&1
}
after_dpkg() {
	run "$top/policy/apt/after-dpkg" --root "$root"
}
configure() { # LINE...
	printf '%s\n' "$@" >"$root/etc/assay/after-dpkg.conf"
}
signer() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$1.pem" -out "$1.crt" -days 10 2>/dev/null
}
# This kernel may have no fs-verity: that it is not enabled is no matter here.
signed() { # NUMBER
	grep -q "^signed $1 files" "$work/stdout"
}
manifest=$root/var/lib/assay-dpkg/dpkg.jsonl
is_whole() {
	assay policy make --from "$manifest" --cert "$1.crt" --for verify >/dev/null
}

mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/etc/assay" "one/opt/a dir" two/opt
touch "$root/var/lib/dpkg/status"
signer first
signer second
echo one >'one/opt/a dir/#one & $(two) `three`; \1'
printf 'tab and escape\n' >"one/opt/a dir/$(printf 'tab\tescape\033[31m')"
package one 1
after_dpkg
check 'with nothing configured it does nothing' [ "$status$(cat stdout stderr)" = 0 ]

# ---------------------------------------------------------------- the configuration
configure "key = $work/first.pem" "certificate = $work/first.crt" '  # comments, ; and all' '; this too' '' 'exclude = *.none # of_none'
after_dpkg
check 'files with any names are signed' signed 2
check 'and all of them are in the manifest' \
	sh -c 'tail -n +2 "$1" | jq -r .path | grep -q -F "#one & \$(two) \`three\`; \\1"' sh "$manifest"
check 'no control character of a name gets to the terminal' \
	sh -c '! grep -q "$(printf "\\033")" stdout stderr'
configure "key = $work/first.pem"
after_dpkg
check 'a key without its certificate is told' told 1 'certificate= is needed'
configure "key = $work/first.pem" "certificate = $work/first.crt" 'chnaged = yes'
after_dpkg
check 'a word that it does not know' told 1 'not known: chnaged'
configure "key = $work/first.pem" "certificate = $work/first.crt" 'changed = perhaps'
after_dpkg
check 'a value that it does not know' told 1 'changed= is yes or no'
configure "key = $work/first.pem" "certificate = $work/first.crt" 'passphrase' 
after_dpkg
check 'a line without a value' told 1 'not known: passphrase'

# ---------------------------------------------------------------- keys that change, and runs that stopped
configure "key = $work/second.pem" "certificate = $work/second.crt"
after_dpkg
check 'with another key all is signed anew' signed 2
check 'and the manifest is that one'"'"'s' is_whole second
echo two >two/opt/two
package two 1
cp "$manifest" manifest.before
after_dpkg
check 'of a package that came the files are signed besides' signed 3
cp manifest.before "$manifest"
check 'a stop between the two renames of its files leaves what nobody believes' eval '! is_whole second 2>/dev/null'
after_dpkg
check 'and is signed again' signed 3
check 'whole' is_whole second
: >"$manifest"
after_dpkg
check 'so is one that a stop left empty' signed 3
echo more >>"$root/opt/two"
after_dpkg
check 'a file that was changed is told' told 1 '/opt/two, of package two 1 (all): it was changed' 'nothing new was enabled'
check 'and what was done is kept' [ -e "$manifest.partial" ]
check 'as is the manifest' is_whole second
touch -d '1 minute ago' "$manifest.partial"
configure "key = $work/first.pem" "certificate = $work/first.crt" 'changed = yes'
after_dpkg
check 'what one key has done is not gone on with by another' signed 3
check 'it is of that one alone' is_whole first

# ---------------------------------------------------------------- dpkg interrupted
touch "$root/var/lib/dpkg/updates/0000"
after_dpkg
check 'where dpkg was interrupted nothing is signed, and it is said' told 1 'dpkg is at work on .*, or was interrupted'
check 'the manifest stays' is_whole first
rm "$root/var/lib/dpkg/updates/0000"

# ---------------------------------------------------------------- two at a time
echo three >"$root/opt/three"
mkdir -p three/opt
seq 200 | while read -r number; do echo "$number" >"three/opt/$number"; done
package three 1
for number in 1 2 3; do
	"$top/policy/apt/after-dpkg" --root "$root" >"stdout.$number" 2>"stderr.$number" &
done
wait
for number in 1 2 3; do
	check "of three at a time number $number signs all of it" grep -q '^signed 203 files' "stdout.$number"
done
check 'and it is whole' is_whole first

# ---------------------------------------------------------------- manifests that packages bring
mkdir -p "$root/usr/lib/assay/manifests.d" "$root/etc/assay/certificates"
cp first.crt "$root/etc/assay/certificates/#1 & \\2.pem"
echo 'not a certificate' >"$root/etc/assay/certificates/README"
echo 'not a manifest' >"$root/usr/lib/assay/manifests.d/a b;\$(touch hacked).jsonl"
mkdir "$root/usr/lib/assay/manifests.d/directory.jsonl"
after_dpkg
check 'one that is none is told, with each certificate that was tried' \
	told 1 'manifests.d/a b;.*: not all of it could be enabled' 'after-dpkg: #1 & \\2.pem: ' 'after-dpkg: README: '
check 'and its name is a name' [ ! -e hacked ]
rm -r "$root/usr/lib/assay/manifests.d"

# ---------------------------------------------------------------- no room
full=$work/full
mkdir "$full"
mount -t tmpfs -o size=64k,nr_inodes=8 tmpfs "$full"
mount --bind "$full" "$root/var/lib/assay-dpkg"
touch "$full/1" "$full/2" "$full/3" "$full/4" "$full/5" "$full/6" "$full/filler" 2>/dev/null || :
dd if=/dev/zero of="$full/1" bs=1k 2>/dev/null || :
mkdir -p "$root/usr/lib/assay/manifests.d"
echo 'not a manifest' >"$root/usr/lib/assay/manifests.d/x.jsonl"
ls -A / >names.before
run env TMPDIR="$full" "$top/policy/apt/after-dpkg" --root "$root"
check 'on a full disk it fails, and says so' told 1 'No space left on device'
check 'the other part is done all the same' told 1 'x.jsonl: not all of it could be enabled'
ls -A / >names.after
check 'and nothing is written elsewhere' cmp names.before names.after
umount "$root/var/lib/assay-dpkg"
umount "$full"
rm -r "$root/usr/lib/assay" "$root/etc/assay/certificates"
after_dpkg
check 'with room it signs again' signed 203
echo "1..$check_number"
exit "$check_failed"
