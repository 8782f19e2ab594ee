#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay digest` and `assay sign` as people call them: what they print, what they leave
# behind when something is wrong, and whether others' programs accept what they made.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

refused() { # WORDS: failed with these words, and left nothing in out/
	told 1 "$1" && [ -z "$(ls -A out)" ]
}

kept() { # WORDS: failed with these words, and the manifest of before is untouched
	told 1 "$1" && [ "$(ls -A out)" = "m
m.p7s
m.partial" ] && [ "$(cat out/m)" = old ] && [ "$(cat out/m.p7s)" = older ]
}

sign() { # OPTION...
	run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest out/m "$@"
}

certificate() { # NAME OPTION...
	name=$1
	shift
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
		-keyout "$name.key" -out "$name.crt" -days 10 "$@" 2>/dev/null
}

field() { # LINE KEY: a member of the manifest's line
	printf '%s\n' "$1" | sed "s/.*\"$2\":\"\([^\"]*\)\".*/\1/"
}

unhex() { # HEX: the bytes
	printf "%s" "$1" | tr a-f A-F | basenc -d --base16
}

# formatted DIGEST: struct fsverity_formatted_digest of "sha256:HEX"
formatted() {
	printf 'FSVerity\001\000\040\000'
	unhex "${1#sha256:}"
}

# verified DIGEST SIGNATURE: does OpenSSL accept the built-in signature?
verified() {
	formatted "$1" >content
	openssl cms -verify -binary -inform DER -in "$2" -content content -noverify -nointern \
		-certfile cert.pem -out /dev/null 2>/dev/null
}

all_verified() { # every line of out/m, by OpenSSL, and its digest by fsverity
	lines=0
	tail -n +2 out/m >lines
	while IFS= read -r line; do
		lines=$((lines + 1))
		path=$(field "$line" path)
		digest=$(field "$line" digest)
		[ "$digest" = "sha256:$(fsverity digest --compact "tree$path")" ] || return 1
		field "$line" pkcs7 | base64 -d >signature
		verified "$digest" signature || return 1
		# security.ima: 9 bytes of header, then the signature of type, algorithm, digest
		field "$line" ima | base64 -d | tail -c +10 >signature
		{
			printf '\006\004'
			unhex "${digest#sha256:}"
		} >file_id
		openssl dgst -sha256 -verify public.pem -signature signature file_id >/dev/null || return 1
	done <lines
	[ "$lines" -eq "$1" ]
}

listed() { # every regular file of the tree and no other, in order
	(cd tree && find . -type f | sed 's/^.//' | sort) >expected
	tail -n +2 out/m | sed 's/^{"path":"\([^"]*\)".*/\1/' >found
	cmp -s expected found
}

clean() {
	rm -rf out
	mkdir out
}

LC_ALL=C
export LC_ALL
certificate key
mv key.key key.pem
mv key.crt cert.pem
openssl x509 -in cert.pem -noout -pubkey >public.pem
certificate other
certificate noskid -addext subjectKeyIdentifier=none
mkdir -p tree/usr/bin tree/usr/bin-x tree/etc out
cp /bin/ls /bin/cat /bin/sh tree/usr/bin
echo a >tree/usr/bin-x/a
echo conf >tree/etc/conf
: >tree/empty
ln -s usr/bin tree/bin
ln -s /etc/passwd tree/etc/passwd
mkfifo tree/fifo

echo 1..29
run "$assay" digest tree/usr/bin/ls tree/empty
check 'digest prints a line for each file' \
	[ "$(cat stdout)" = "$(fsverity digest tree/usr/bin/ls tree/empty)" ]
run "$assay" digest --hash sha512 --block-size 1024 --salt 0a tree/usr/bin/ls
check 'digest takes the parameters' \
	[ "$(cat stdout)" = "$(fsverity digest --hash-alg=sha512 --block-size=1024 --salt=0a tree/usr/bin/ls)" ]
run "$assay" digest tree missing tree/empty
check 'digest names each file that has none, and goes on' \
	eval 'told 1 "tree is a directory" && told 1 "cannot open missing: No such file" &&
		grep -q "^sha256:3d248ca5.* tree/empty$" stdout'
run "$assay" digest --json tree/empty missing
check 'digest --json is JSON, with the errors' \
	eval 'told 1 && jq -e ".files[0].size == 0 and (.files[1].error | contains(\"missing\"))" stdout >/dev/null'
run "$assay" digest
check 'digest without a file is wrong usage' told 2 'missing argument: FILE'
run "$assay" digest --block-size 1000 tree/empty
check 'digest with another block size is wrong usage' told 2 'power of two'

sign
check 'sign signs every regular file, in order, and nothing else' \
	eval 'told 0 "skipped /fifo" && listed && grep -q "^signed 6 files" stdout'
check 'fsverity and openssl accept every line' all_verified 6
manifest_verified() { # not as a file: what is signed begins with another word
	{
		printf 'assay-manifest-1\001\000\040\000'
		unhex "$(fsverity digest --compact out/m)"
	} >content
	openssl cms -verify -binary -inform DER -in out/m.p7s -content content -noverify -nointern \
		-certfile cert.pem -out /dev/null 2>/dev/null &&
		! verified "sha256:$(fsverity digest --compact out/m)" out/m.p7s
}
check "openssl accepts the manifest's own signature" manifest_verified
before=$(cat out/m)
sign
check 'sign replaces a manifest by one with another id' \
	eval 'told 0 && [ "$(cat out/m)" != "$before" ] && [ "$(ls -A out | wc -l)" -eq 2 ]'
clean
sign usr/bin-x /etc
check 'sign takes paths as seen with the root' \
	eval 'told 0 && [ "$(tail -n +2 out/m | cut -d, -f1 | tr "\n" " ")" = "{\"path\":\"/etc/conf\" {\"path\":\"/usr/bin-x/a\" " ]'
clean
sign --json
check 'sign --json is JSON' \
	eval 'told 0 && jq -e ".ok and .file_count == 6 and .skipped == 3" stdout >/dev/null'
mkdir tree/out
run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest tree/out/m
run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest tree/out/m
check 'the manifest does not name itself' \
	eval 'told 0 && grep -q "^signed 6 files" stdout && ! grep -q /out/m tree/out/m'
rm -r tree/out

clean
touch "tree/$(printf 'bad\377name')" "tree/etc/$(printf '\300\257')"
sign
check 'one name that no manifest can hold, and no manifest is written' \
	eval "told 1 '/bad\\\\xffname\" is not UTF-8' && [ \"\$(ls -A out)\" = m.partial ]"
check 'each such name is told' eval 'told 1 "/etc/.xc0.xaf" "2 of 8 files could not be signed" "not signed:"'
echo old >out/m
echo older >out/m.p7s
sign
check 'and an old manifest stays' kept 'is not UTF-8'
sign --json
check 'sign --json tells it' \
	eval 'told 1 && jq -e "(.ok | not) and (.failed | length) == 2" stdout >/dev/null'
find tree -name 'bad*' -delete
rm "tree/etc/$(printf '\300\257')"
# 1 block of 512 bytes: less than the manifest.
run sh -c 'trap "" XFSZ; ulimit -f 1; exec "$@"' sh "$assay" sign --key key.pem --cert cert.pem \
	--root tree --manifest out/m
check 'a manifest that finds no room leaves the old one' kept 'cannot write out/m: File too large'

clean
run "$assay" sign --key key.pem --cert other.crt --root tree --manifest out/m
check "a certificate of another key is refused" refused 'other.crt: the certificate is of another key'
run "$assay" sign --key noskid.key --cert noskid.crt --root tree --manifest out/m
check 'a certificate without subject key id is refused' refused 'no subject key id'
run "$assay" sign --key cert.pem --cert cert.pem --root tree --manifest out/m
check 'a certificate is no key' refused 'not a private key'
run "$assay" sign --key missing --cert cert.pem --root tree --manifest out/m
check 'a key that is not there is named' refused 'cannot open missing'
run "$assay" sign --key key.pem --cert cert.pem --root missing --manifest out/m
check 'a root that is not there is named' refused 'cannot open the directory missing'
run "$assay" sign --key key.pem --cert cert.pem --root tree --manifest missing/m
check 'a place that is not there for the manifest is named' refused 'missing/m: No such file'
sign bin/ls
check 'a path through a symbolic link is refused' refused 'symbolic link'
sign ../key.pem
check 'a path out of the root is refused' refused '\.\.'
mkdir tree/none
sign none
check 'no file at all is refused' refused 'no regular file'
run "$assay" sign --key key.pem
check 'sign without its options is wrong usage' told 2 'is needed'
run "$assay" sign --help
check 'sign has a help text' eval 'told 0 && grep -q "^Usage: assay sign" stdout'
