#!/bin/sh
# SPDX-License-Identifier: MIT
# Files that commands write: the umask counts, what is no regular file is written to as it is and
# never replaced (`-o /dev/null` as root), a link stays a link. Everything below a directory of
# the test's own, also the null device.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
data=$PWD/tests/data
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-outputs.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"
nonce=$(xxd -p "$data/evidence/nonce")
echo content >file
mkdir tree
echo x >tree/x

# Each writes a file of its own kind to $1.
log() { "$assay" log export -o "$1" "$data/fuzz_cel/sample"; }
descriptor() { "$assay" digest --out-descriptor "$1" file; }
html() { verify --html "$1"; }
junit() { verify --junit "$1"; }
verify() {
	"$assay" verify "$data/evidence/evidence.json" --nonce "$nonce" --ak "$data/evidence/ak.pub" \
		--manifest "$data/evidence/manifest.jsonl" --cert "$data/evidence/cert.pem" --waive boot-known --waive assay-log-chain "$@"
}
kinds='log descriptor html junit'

mode_with() { # UMASK KIND
	rm -f out
	(umask "$1" && "$2" out) && stat -c %a out
}

null_stays() { # KIND
	"$1" null && [ "$(stat -c '%F %t:%T %a' null)" = 'character special file 1:3 666' ]
}

fifo_stays() { # KIND: and it got what a file gets
	rm -f out
	cat fifo >through &
	"$1" fifo && wait $! && [ -p fifo ] && "$1" out && [ -s through ] &&
		[ "$(wc -c <through)" -eq "$(wc -c <out)" ]
}

link_stays() { # KIND
	echo old >named
	"$1" link && [ -L link ] && [ ! -L named ] && ! grep -qx old named
}

mkfifo fifo
ln -s named link
device=no
if mknod null c 1 3 2>/dev/null && chmod 666 null && : 2>/dev/null >null; then
	device=yes
fi
for kind in $kinds; do
	check "$kind: nobody else reads it with umask 077" \
		eval '[ "$(mode_with 077 $kind | tail -n 1)" = 600 ]'
	check "$kind: nobody else writes to it with umask 022" \
		eval 'case $(mode_with 022 $kind | tail -n 1) in 644 | 640) ;; *) false ;; esac'
	if [ "$device" = yes ]; then
		check "$kind: a device stays what it is" eval 'null_stays $kind >/dev/null'
	else
		skip "$kind: a device stays what it is" 'this user can make none'
	fi
	check "$kind: a FIFO is written to" eval 'fifo_stays $kind >/dev/null'
	check "$kind: a link is followed, and stays" eval 'link_stays $kind >/dev/null'
done

"$assay" log export "$data/fuzz_cel/sample" >plain
appends() { # NAME: behind what standard output has already
	echo first >got
	"$assay" log export -o "$1" "$data/fuzz_cel/sample" >>got
	{ echo first && cat plain; } | cmp - got
}
for name in - /dev/stdout /dev/fd/1; do
	check "standard output as $name" appends "$name"
done

# A manifest is read again to be signed: it cannot go to a device, which stays all the same.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout key.pem -out cert.pem -days 10 2>/dev/null
if [ "$device" = yes ]; then
	run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest null
	check 'a manifest to a device is refused' told 1 'regular file'
	check '  and the device is there' [ "$(stat -c %F null)" = 'character special file' ]
	check '  and nothing beside it' eval '[ -z "$(ls | grep "^null.")" ]'
fi
run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest .
check 'a directory is told' told 1 'is a directory'


# Nothing that a call reads, or writes already, is written over: by whatever name it goes.
ln -s key.pem key.link
mkdir below
cp "$data/evidence/evidence.json" evidence.json
sign() { "$assay" sign --key key.pem --cert cert.pem --root tree "$@"; }
sha256sum key.pem cert.pem file evidence.json >before
unharmed() { # MESSAGE COMMAND...: refused with it
	message=$1
	shift
	run "$@"
	told 2 "$message" && sha256sum --quiet -c before
}
check 'a manifest over the key' unharmed 'would write over key.pem, the file of --key' sign --manifest key.pem
check '  through a link' unharmed 'would write over key.pem' sign --manifest key.link
check '  by another path' unharmed 'would write over cert.pem' sign --manifest below/../cert.pem
cp cert.pem new.p7s
check '  and its signature over the certificate' unharmed 'would write over new.p7s, the file of --cert' \
	"$assay" sign --key key.pem --cert new.p7s --root tree --manifest new
check 'a delegate over the manifest' unharmed 'would write over new, the file of --manifest' \
	sign --manifest new --delegate --delegate-cert new
check 'a certificate over its key, even by force' unharmed 'would write over key.pem' \
	"$assay" key cert --force --key key.pem --out key.pem
check 'a tree over its file' unharmed 'would write over file' "$assay" digest --out-merkle-tree file file
check 'a page over the evidence' unharmed 'would write over .*evidence.json' \
	"$assay" verify evidence.json --nonce "$nonce" --ak "$data/evidence/ak.pub" \
	--manifest "$data/evidence/manifest.jsonl" --cert cert.pem --html "$PWD/evidence.json"
check '  over a certificate that is one of several' unharmed 'would write over cert.pem, the file of --cert' \
	verify --cert cert.pem --junit cert.pem
check 'two outputs in one file' unharmed 'would write over ./both, the file of --junit' \
	verify --html both --junit ./both
works 'the null device for both' verify --html /dev/null --junit /dev/null
works 'a manifest in the place of the one before' eval \
	'sign --manifest new.jsonl >/dev/null && sign --manifest new.jsonl --incremental new.jsonl >/dev/null'

# On standard output a result is alone.
verify --html page >/dev/null
verify --html - >got 2>told
check 'a page on standard output is the page' eval 'tail -c 8 got | grep -qx "</html>"'
check '  and the verdict is on standard error' grep -q '^trusted' told
check '  not with --json' unharmed 'cannot both go to standard output' verify --html - --json
check '  not with another' unharmed 'cannot both go to standard output' verify --html - --junit -
"$assay" digest --out-descriptor - file >got 2>told
check 'a descriptor there is the descriptor' [ "$(wc -c <got)" -eq 256 ]

for call in --help --version 'digest --help'; do
	# shellcheck disable=SC2086
	check "$call that cannot be written fails" eval '"$assay" $call >/dev/full 2>told; [ $? -eq 1 ] && grep -q "cannot write the output" told'
done

echo "1..$check_number"
exit "$check_failed"
