#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign --dpkg` in a root that dpkg itself made: which files are signed, whose they are,
# and what is told of those that are elsewhere, changed or gone.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/sign-dpkg.XXXXXX")
CHECK_OUT=$work
. tests/check.sh
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

package() { # NAME VERSION FIELD: of the directory NAME, to NAME.deb
	mkdir -p "$1/DEBIAN"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n%sDescription: test\n' \
		"$1" "$2" "${3:+$3
}" >"$1/DEBIAN/control"
	(cd "$1" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0r md5sum) >"$1/DEBIAN/md5sums"
	[ ! -e "$1/DEBIAN/conffiles" ] || sed -i '/  etc\//d' "$1/DEBIAN/md5sums"
	dpkg-deb --root-owner-group -b "$1" "$1.deb" >/dev/null
}

# Neither root nor the machine's own database is needed.
dpkg_there() { # OPTION...
	dpkg --root="$work/root" --log=/dev/null --force-not-root --force-script-chrootless --force-bad-path "$@" >dpkg.log 2>&1 ||
		{ sed 's/^/# /' dpkg.log; return 1; }
}

sign() { # OPTION...
	run "$assay" sign --dpkg --root root --key key.pem --cert cert.pem --manifest m "$@"
}

# Path and package of each line.
lines() {
	tail -n +2 m | jq -r '"\(.path) \(.package)_\(.version)_\(.architecture)"'
}

listed() { # FILE: just what it says, by a command that worked
	[ "$status" -eq 0 ] && lines | diff "$1" - >&2
}

json() { # FILTER: true of what the command printed
	jq -e "$1" stdout >/dev/null
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout key.pem -out cert.pem -days 10 2>/dev/null
mkdir -p one/usr/bin one/lib one/etc one/usr/share/one two/usr/bin half/usr/bin root/var/lib/dpkg/info \
	root/var/lib/dpkg/updates root/usr/lib root/etc/alternatives
touch root/var/lib/dpkg/status
ln -s usr/lib root/lib
echo one >one/usr/bin/one
echo library >one/lib/one.so
echo blank >'one/usr/share/one/a b'
echo setting >one/etc/one.conf
mkdir one/DEBIAN
echo /etc/one.conf >one/DEBIAN/conffiles
ln -s one one/usr/bin/link
echo theirs >two/usr/bin/one
echo two >two/usr/bin/two
echo half >half/usr/bin/half
package one 1:2.0~rc1-1+b1 'Multi-Arch: foreign'
package two 3
package half 4
dpkg_there -i one.deb
dpkg-divert --admindir root/var/lib/dpkg --instdir root --package two --no-rename --divert /usr/bin/one.real --add /usr/bin/one >/dev/null
mv root/usr/bin/one root/usr/bin/one.real
dpkg_there -i two.deb
dpkg_there --unpack half.deb

cat >all <<'END'
/usr/bin/one two_3_all
/usr/bin/one.real one_1:2.0~rc1-1+b1_all
/usr/bin/two two_3_all
/usr/lib/one.so one_1:2.0~rc1-1+b1_all
/usr/share/one/a b one_1:2.0~rc1-1+b1_all
END
sign --all
check 'the files of all packages are signed, where they are and without links' listed all
check 'one that is not configured is told and left out' told 0 'the package half 4 is not configured'
check 'the sums are told' prints 0 '; 1 configuration files were left out; 1 paths are diverted: m'
digests() {
	tail -n +2 m | jq -r '"\(.digest) \(.path)"' | while read -r digest path; do
		[ "$digest" = "sha256:$(fsverity digest --compact "root$path")" ] || return 1
	done
}
check 'with the digest that fsverity has' digests
run "$assay" check --manifest m --ca cert.pem --root root
check 'and assay check finds all as signed' told 0
sign --all --json
check 'as JSON' json '.source == "dpkg" and .configuration_files == 1 and .diverted == 1 and .missing == 0 and .file_count == 5'

grep -v one_1 all >two.list
sign two:all
check 'of one package' listed two.list
sign two three
check 'what is not installed is told' told 1 'no package three is installed in root'
sign two:arm64
check 'nor is it of another architecture' told 1 'no package two:arm64 is installed'
{
	echo '/etc/one.conf one_1:2.0~rc1-1+b1_all'
	grep one_1 all
} >conf
sign --conffiles one
check 'configuration files, if they are asked for' listed conf
sign --all --exclude /usr/bin
grep -v '^/usr/bin' all >rest
check 'patterns choose' listed rest

ln -s /usr/bin/foreign root/etc/alternatives/pager
ln -s /usr/bin/two root/etc/alternatives/editor
echo foreign >root/usr/bin/foreign
sign --all
check 'an alternative that leads to a file of no package is told' \
	told 0 'the alternative /etc/alternatives/pager leads to /usr/bin/foreign, which is of no package'
check 'one that leads to a signed one is not' sh -c '! grep -q editor stderr'
rm root/etc/alternatives/pager

rm root/usr/bin/two
sign --all
check 'a file that is gone is told, with its package' told 0 '/usr/bin/two, of package two 3 (all), is not there any more'
grep -v /two all >rest
check 'and is in no manifest' listed rest
echo more >>root/usr/lib/one.so
sign --all
check 'one that was changed fails, with its package' \
	told 1 '/usr/lib/one.so, of package one 1:2.0~rc1-1+b1 (all): it was changed since it was installed: its MD5 is [0-9a-f]\{32\}, was'
check 'and no manifest is written' told 1 'what was done is in m.partial'
check 'as debsums has it, too' sh -c "dpkg --root=root --verify one | grep -q '^..5...... */usr/lib/one.so\$\|^..5...... */lib/one.so\$'"
sign --all --changed
check 'unless it is to be signed as it is' listed rest

touch root/var/lib/dpkg/updates/0000
sign --all
check 'while dpkg is at work nothing is signed' told 1 'dpkg is at work on /var/lib/dpkg, or was interrupted'
rm root/var/lib/dpkg/updates/0000
cp root/var/lib/dpkg/info/two.list two.list.good
echo usr/bin/relative >>root/var/lib/dpkg/info/two.list
sign --all
check 'a list that is damaged is told' told 1 'info/two.list: a line is not an absolute path'
rm root/var/lib/dpkg/info/two.list
sign --all
check 'and one that is not there' told 1 'there is no .*info/two.list, which is to say what two installed'
mv two.list.good root/var/lib/dpkg/info/two.list
ln -sfn /etc root/usr/lib/out
printf '/usr/lib/out/passwd\n/../../etc/passwd\n' >>root/var/lib/dpkg/info/two.list
sign --all --changed
check 'no path leads out of the root' sh -c '! grep -q passwd m && grep -q "/etc/passwd, of package two 3 (all), is not there" stderr'
sign
check 'packages are to be named' told 2 'which packages'
sign --all --detached --files-from x
check 'and files are not' told 2 'exclude each other'
run "$assay" sign --dpkg --all --root two --key key.pem --cert cert.pem --manifest m
check 'where dpkg never was is told' told 1 "cannot open dpkg's database two/var/lib/dpkg"
run "$assay" sign --key key.pem --cert cert.pem --manifest m
check 'without --dpkg a root is needed' told 2 '--root DIR is needed'
echo "1..$check_number"
exit "$check_failed"
