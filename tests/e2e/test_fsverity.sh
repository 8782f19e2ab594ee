#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay fsverity`, and the same by the name fsverity, against Debian's fsverity: what is
# printed, written and returned, byte for byte; then both in a guest whose kernel has
# fs-verity, for what only a kernel can answer.
# shellcheck disable=SC2016,SC2317
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fsverity.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh
cd "$work"

# both WORD...: by fsverity (in theirs/) and by the link (in ours/)
both() {
	theirs=0 ours=0
	(cd theirs && exec fsverity "$@") >theirs.out 2>theirs.err </dev/null || theirs=$?
	(cd ours && exec "$work/fsverity" "$@") >ours.out 2>ours.err </dev/null || ours=$?
	status=
}

same() { # STATUS: both ended so, with the same output and the same files
	[ "$theirs" -eq "$1" ] && [ "$ours" -eq "$1" ] && cmp theirs.out ours.out &&
		diff -r theirs ours >/dev/null
}

same_error() { # STATUS: and with the same words on standard error
	same "$1" && cmp theirs.err ours.err
}

# alike TITLE STATUS COMMAND...; exactly: errors in the same words, too
alike() {
	title=$1 wanted=$2
	shift 2
	both "$@"
	check "$title" same "$wanted"
}

exactly() {
	title=$1 wanted=$2
	shift 2
	both "$@"
	check "$title" same_error "$wanted"
}

ln -s "$assay" fsverity
mkdir theirs
for size in 0 1 1023 1024 4095 4096 4097 8192 524288 524289 3000000; do
	head -c "$size" /dev/urandom >"theirs/f$size"
done
certificate() { # NAME ALGORITHM...
	name=$1
	shift
	openssl req -x509 -newkey "$@" -nodes -subj "/O=test/CN=$name" -keyout "theirs/$name.key" \
		-out "theirs/$name.crt" -days 10 2>/dev/null
}
certificate rsa rsa:2048
certificate rsa4 rsa:4096
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
openssl req -x509 -key theirs/rsa.key -subj /CN=noskid -days 10 -addext subjectKeyIdentifier=none \
	-out theirs/noskid.crt
cat theirs/rsa.key theirs/rsa.crt >theirs/both.pem
: >theirs/empty
head -c 1000001 /dev/zero >theirs/large
cp -r theirs ours

files='f0 f1 f1023 f1024 f4095 f4096 f4097 f8192 f524288 f524289 f3000000'
# ---------------------------------------------------------------- digest
# shellcheck disable=SC2086 # a list
for options in '' --compact --for-builtin-sig '--compact --for-builtin-sig' --hash-alg=sha512 \
	--hash-alg=2 --hash-alg=1 --block-size=1024 '--block-size 2048 --hash-alg sha512' \
	--block-size=65536 --salt=00 --salt=ABCDEF0123 --salt= --comp \
	--salt=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f \
	'--salt=01 --hash-alg=sha512 --block-size=1024'; do
	alike "digest $options" 0 digest $options $files
done
# shellcheck disable=SC2086 # a list
alike 'options behind the files' 0 digest $files --compact
alike 'a device without a size' 0 digest /dev/null
for file in $files; do
	alike "the Merkle tree and the descriptor of $file" 0 digest "$file" --out-merkle-tree=tree \
		--out-descriptor=descriptor
	alike "the same with SHA-512, salt and blocks of 1024 bytes" 0 digest "$file" \
		--out-merkle-tree=tree --out-descriptor=descriptor --hash-alg=sha512 --salt=0123 \
		--block-size=1024
done
alike 'descriptors of several files come one after the other, trees one over the other' 0 \
	digest f524289 f0 f4097 --out-merkle-tree=tree --out-descriptor=descriptor
exactly 'the first file that cannot be read ends it' 1 digest f1 missing f4096
alike 'a directory' 1 digest .
exactly 'a word that looks like an option behind --' 1 digest -- --help
exactly 'no file' 2 digest
exactly 'an unknown option' 2 digest --nope f1
exactly 'an unknown letter' 2 digest -x f1
exactly 'a hash by an unknown name' 2 digest --hash-alg=sha384 f1
exactly 'a hash by an unknown number' 1 digest --hash-alg=3 f1
exactly 'a hash twice' 2 digest --hash-alg=1 --hash-alg=1 f1
for size in 0 1000 -4096 4096x '' 2147483648; do
	exactly "a block size of '$size'" 2 digest "--block-size=$size" f1
done
# Smaller than any kernel enables, as the tests of fsverity-utils use them.
for size in 64 128 256 512; do
	# shellcheck disable=SC2086 # a list
	alike "a block size of $size" 0 digest "--block-size=$size" $files
	alike "trees and descriptors in blocks of $size bytes" 0 digest f524289 \
		"--block-size=$size" --salt=12345678 --out-merkle-tree=tree --out-descriptor=descriptor
done
# shellcheck disable=SC2086 # a list
alike 'a block size of 512 with SHA-512' 0 digest --hash-alg=sha512 --block-size=512 --salt=12345678 $files
for size in 1 2 32; do
	exactly "a block size of $size is too small" 1 digest "--block-size=$size" f1
done
exactly 'two digests must fit into a block' 1 digest --block-size=64 --hash-alg=sha512 f1
exactly 'a block size twice' 2 digest --block-size=4096 --block-size=4096 f1
exactly 'an odd salt' 2 digest --salt=abc f1
exactly 'a salt that is no number' 2 digest --salt=zz f1
exactly 'a long salt' 1 digest "--salt=$(printf %066d 0)" f1
exactly 'a salt twice' 2 digest --salt=00 --salt=00 f1
exactly 'no place for the tree' 2 digest --out-merkle-tree=no/tree f1
exactly 'two places for the tree' 2 digest --out-merkle-tree=a --out-merkle-tree=a f1
run ./fsverity digest theirs/f4097 --out-merkle-tree=/dev/null
check 'a Merkle tree may go to a device, where fsverity fails' \
	eval '[ "$status" -eq 0 ] && [ -c /dev/null ]'
run sh -c '"$1" digest "$2" >/dev/full' sh ./fsverity theirs/f1
check 'output that is lost is a failure' told 1 'No space left'

# ---------------------------------------------------------------- sign
for key in rsa rsa4; do
	alike "a signature by $key" 0 sign f524289 signature "--key=$key.key" "--cert=$key.crt"
	alike "a signature by $key with everything" 0 sign f3000000 signature "--key=$key.key" \
		"--cert=$key.crt" --hash-alg=sha512 --block-size=1024 --salt=0123 \
		--out-merkle-tree=tree --out-descriptor=descriptor
done
alike 'key and certificate in one file' 0 sign f1 signature --key=both.pem
alike 'a certificate without key id' 0 sign f1 signature --key=rsa.key --cert=noskid.crt
rm -f theirs/signature ours/signature
./fsverity sign theirs/f4097 ec.p7s --key=theirs/ec.key --cert=theirs/ec.crt >stdout
fsverity digest --compact --for-builtin-sig theirs/f4097 | tr a-f A-F | basenc -d --base16 >content
works 'openssl accepts an ECDSA signature' openssl cms -verify -binary -inform DER -in ec.p7s \
	-noverify -nointern -certfile theirs/ec.crt -content content -out /dev/null

# piped PROGRAM: a passphrase from standard input, without a terminal
piped() {
	rm -f piped.p7s
	run sh -c 'echo abc | setsid -w "$@"' sh "$1" sign theirs/f1 piped.p7s --key=enc.key \
		--cert=theirs/rsa.crt
}
openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:abc -in theirs/rsa.key -out enc.key
piped fsverity
mv piped.p7s theirs.p7s
cp stdout theirs.out
piped ./fsverity
check 'a passphrase is read from standard input where there is no terminal' \
	eval 'prints 0 "^Signed file" && cmp stdout theirs.out && cmp piped.p7s theirs.p7s'
run sh -c 'echo wrong | setsid -w "$@"' sh ./fsverity sign theirs/f1 piped.p7s --key=enc.key \
	--cert=theirs/rsa.crt
check 'a wrong one is refused' eval 'told 1 "enc.key" && ! grep -e --passphrase-file stderr'
run sh -c 'setsid -w "$@" </dev/null' sh ./fsverity sign theirs/f1 piped.p7s --key=enc.key \
	--cert=theirs/rsa.crt
check 'none at all is told, without options that fsverity has not' \
	eval 'told 1 "passphrase of enc.key was not entered" && ! grep -e --passphrase-file stderr'
certificate rsa2560 rsa:2560
cp theirs/rsa2560.* ours/
both sign f1 signature --key=rsa2560.key --cert=rsa2560.crt
check 'a key of a size that the kernel refuses is refused, where fsverity signs' \
	eval '[ "$theirs" -eq 0 ] && [ "$ours" -eq 1 ] && grep -q "RSA 2560" ours.err'
rm -f theirs/signature ours/signature
both sign f4097 signature --key=rsa.key --cert=rsa.crt --block-size=512
check 'a signature that no kernel takes is made all the same, and told' \
	eval 'same 0 && grep -q "no kernel enables fs-verity with blocks of 512 bytes" ours.err'
exactly 'sign without words' 2 sign
exactly 'sign with one word too many' 2 sign f1 signature more --key=rsa.key --cert=rsa.crt
exactly 'sign without key and certificate' 1 sign f1 signature
exactly 'sign without key' 1 sign f1 signature --cert=rsa.crt
alike 'sign without certificate' 1 sign f1 signature --key=rsa.key
alike 'a key of another certificate' 1 sign f1 signature --key=rsa.key --cert=ec.crt
alike 'a missing key' 1 sign f1 signature --key=missing --cert=rsa.crt
alike 'a missing certificate' 1 sign f1 signature --key=rsa.key --cert=missing
exactly 'a missing file' 1 sign missing signature --key=rsa.key --cert=rsa.crt
exactly 'no place for the signature' 1 sign f1 no/signature --key=rsa.key --cert=rsa.crt
exactly 'a key twice' 2 sign f1 signature --key=rsa.key --key=rsa.key
exactly 'a certificate twice' 2 sign f1 signature --cert=rsa.crt --cert=rsa.crt
alike 'an engine that is not there' 1 sign f1 signature --cert=rsa.crt --pkcs11-engine=no \
	--pkcs11-module=no --pkcs11-keyid=pkcs11:id=1

mkdir tokens
printf '%s\n' "directories.tokendir = $PWD/tokens" 'objectstore.backend = file' >softhsm2.conf
export SOFTHSM2_CONF="$PWD/softhsm2.conf"
softhsm2-util --init-token --free --label here --so-pin 12345678 --pin 8765 >/dev/null
softhsm2-util --import theirs/rsa.key --token here --label rsa --id a1 --pin 8765 >/dev/null
engine=$(openssl version -e | sed 's/.*"\(.*\)"/\1/')/pkcs11.so
module=$(find /usr/lib -name libsofthsm2.so | head -n 1)
uri='pkcs11:token=here;object=rsa;type=private?pin-value=8765'
exactly 'sign with a key of a token' 0 sign f4097 token.p7s --cert=rsa.crt --pkcs11-engine="$engine" \
	--pkcs11-module="$module" --pkcs11-keyid="$uri"
works 'an RSA signature is the same' cmp ours/token.p7s theirs/token.p7s
alike 'a key that is not in the token' 1 sign f1 signature --cert=rsa.crt --pkcs11-engine="$engine" \
	--pkcs11-module="$module" --pkcs11-keyid=pkcs11:token=here\;object=none\?pin-value=8765
alike 'no such module' 1 sign f1 signature --cert=rsa.crt --pkcs11-engine="$engine" \
	--pkcs11-module=no --pkcs11-keyid="$uri"
exactly 'an engine without its module' 1 sign f1 signature --cert=rsa.crt --pkcs11-engine="$engine"
exactly 'a module without its engine' 1 sign f1 signature --cert=rsa.crt --pkcs11-module="$module"
exactly 'a token and a key file' 1 sign f1 signature --cert=rsa.crt --key=rsa.key --pkcs11-engine="$engine"

# ---------------------------------------------------------------- words
exactly 'no command' 2
exactly 'an unknown command' 2 nonsense
exactly 'version' 0 --version
exactly 'version of a command' 0 sign --version
exactly 'help' 0 --help
exactly 'help of an unknown command' 0 nonsense --help
for verb in digest sign enable measure dump_metadata; do
	exactly "help of $verb" 0 $verb --help
done
both digest f4096
run "$assay" fsverity digest theirs/f4096
check 'assay fsverity is the same program' \
	test "$(cat stdout)" = "$(sed 's# # theirs/#' theirs.out)"

# ------------------------------------------------------------ without a kernel that helps
exactly 'enable without a file' 2 enable
exactly 'enable of two files' 2 enable f1 f0
exactly 'enable of a missing file' 1 enable missing
exactly 'a missing signature' 1 enable f1 --signature=missing
exactly 'an empty signature' 1 enable f1 --signature=empty
exactly 'a large signature' 1 enable f1 --signature=large
exactly 'a signature twice' 2 enable f1 --signature=f1 --signature=f1
exactly 'a wrong block size' 2 enable f1 --block-size=7
exactly 'measure without a file' 2 measure
exactly 'measure of a missing file' 1 measure missing
exactly 'measure of a file without verity' 1 measure f1
# As fsverity-utils has it since 1.6; 1.5 takes these words for files.
run ./fsverity measure --compact theirs/f1
check 'measure takes no options' told 2 'unrecognized option .--compact'
run ./fsverity measure -- --compact
check 'but files whose names look like some' told 1 "open '--compact' for reading: No such file"
run ./fsverity measure --
check 'and at least one' told 2 'fsverity measure FILE...'
exactly 'dump_metadata without words' 2 dump_metadata
exactly 'dump_metadata of an unknown kind' 2 dump_metadata kind f1
exactly 'dump_metadata of a missing file' 1 dump_metadata merkle_tree missing
exactly 'an offset without a length' 2 dump_metadata merkle_tree f1 --offset=1
exactly 'a length without an offset' 2 dump_metadata merkle_tree f1 --length=1
exactly 'an offset that is no number' 2 dump_metadata merkle_tree f1 --offset=1x --length=1
exactly 'a length that is no number' 2 dump_metadata merkle_tree f1 --offset=1 --length=x
exactly 'nothing of a file without verity' 1 dump_metadata descriptor f1 --offset=0 --length=0
exactly 'an offset twice' 2 dump_metadata merkle_tree f1 --offset=1 --offset=1 --length=1
echo "1..$check_number"

# ---------------------------------------------------------------- the guest
cd "$top"
rm -rf "$work/tree"
mkdir "$work/tree"
seq 1 100000 >"$work/tree/a"
: >"$work/tree/e"
mkdir "$work/tree/d"
for copy in a d e; do
	cp -r "$work/tree/$copy" "$work/tree/$copy.theirs"
	mv "$work/tree/$copy" "$work/tree/$copy.ours"
done
truncate -s 32M "$work/disk"
/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O verity -d "$work/tree" "$work/disk"
openssl x509 -in "$work/theirs/rsa.crt" -outform DER -out "$work/rsa.der"
guest_status=0
qemu/run-guest --flavour 64k --init tests/e2e/fsverity-guest.sh --out build/guests/fsverity \
	--file tests/check.sh=/bed/check.sh --file build/arm64/assay=/usr/bin/assay \
	--program usr/bin/fsverity --program bin/keyctl --file "$work/rsa.der=/signed/rsa.der" \
	--file "$work/theirs/rsa.key=/signed/rsa.key" --file "$work/theirs/rsa.crt=/signed/rsa.crt" \
	--disk "$work/disk" || guest_status=$?
[ "$check_failed" -eq 0 ] || exit 1
exit "$guest_status"
