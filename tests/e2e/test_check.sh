#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay check`: what others signed is good here, what assay signed is good there, and
# whatever is changed, missing or hostile is named, with everything else still checked.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh
cd "$work"

certificate() { # NAME ALGORITHM...: with openssl
	name=$1
	shift
	openssl req -x509 -newkey "$@" -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.crt" \
		-days 10 2>/dev/null
}

unhex() { # HEX: the bytes
	printf "%s" "$1" | tr a-f A-F | basenc -d --base16
}

key_id() { # CERTIFICATE: its subject key id in hex
	openssl x509 -in "$1" -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :\n' | tr A-F a-f
}

# ima DIGEST NAME: the value of security.ima for "sha256:HEX", made by openssl alone
ima() {
	{
		printf '\006\004'
		unhex "${1#sha256:}"
	} | openssl dgst -sha256 -binary >file_id
	openssl pkeyutl -sign -inkey "$2.key" -in file_id -pkeyopt digest:sha256 -out raw
	printf '\006\003\004'
	unhex "$(key_id "$2.crt" | tail -c 8)"
	unhex "$(printf %04x "$(stat -c %s raw)")"
	cat raw
}

check_tree() { # OPTION...
	run "$assay" check --cert key.crt --manifest m --root tree "$@"
}

json() { # FILTER: jq's filter gives true for what was printed
	jq -e "$1" stdout >/dev/null
}

certificate key ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa rsa:2048
certificate other ec -pkeyopt ec_paramgen_curve:P-384
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=leaf -keyout leaf.key \
	-out leaf.csr 2>/dev/null
printf '%s\n' subjectKeyIdentifier=hash authorityKeyIdentifier=keyid:always \
	keyUsage=critical,digitalSignature >leaf.ext
openssl x509 -req -in leaf.csr -CA key.crt -CAkey key.key -CAcreateserial -days 1 -extfile leaf.ext \
	-out leaf.crt 2>/dev/null
mkdir -p tree/bin loose
cp /bin/ls /bin/cat tree/bin/
: >tree/empty
seq 1 100000 >tree/numbers
"$assay" sign --key key.key --cert key.crt --root tree --manifest m >/dev/null
cp -r tree before

echo 1..51
check_tree
check 'a signed tree is good' eval 'prints 0 "4 of 4 files are good" \
	"good sha256:[0-9a-f]* /bin/ls: fs-verity digest, built-in signature by CN=key, IMA signature by CN=key" &&
	[ ! -s stderr ]'
check_tree --json
check 'and told as JSON' json '.ok and .file_count == 4 and .failed_count == 0 and
	.manifest_check.result == "pass" and ([.files[].checks[].result] | unique == ["pass"]) and
	(.files[0].checks[] | select(.name == "ima") | .signer) == "CN=key"'
check 'with the digests of fsverity' eval \
	'[ "$(jq -r ".files[] | .digest + \" tree\" + .path" stdout)" = \
		"$(fsverity digest tree/bin/cat tree/bin/ls tree/empty tree/numbers)" ]'
check_tree --quiet
check '--quiet names no good file' eval 'told 0 && [ "$(cat stdout)" = "4 of 4 files are good" ]'
check_tree /bin/
check 'a directory in it is enough' prints 0 '2 of 2 files'
check_tree bin/ls
check 'or a file' prints 0 '1 of 1 files'
check_tree bin/ls bi
check 'one that the manifest has not is told' \
	eval 'told 1 "bi is not in the manifest" && prints 1 "1 of 2 files"'
cd - >/dev/null
run build/host/assay-verify check --cert "$work/key.crt" --manifest "$work/m" --root "$work/tree"
cd "$work"
check 'the program without a TPM stack does the same' prints 0 '4 of 4 files'

# ------------------------------------------------------------------ files that are bad
printf X | dd of=tree/numbers bs=1 seek=300000 conv=notrunc 2>/dev/null
echo x >tree/empty
rm tree/bin/cat
rm tree/bin/ls
ln -s /bin/ls tree/bin/ls
check_tree
check 'a flipped byte, another size, a missing file and a link are named' \
	told 1 '/numbers: it is not the file that was signed: its fs-verity digest is sha256:' \
	'/empty: it is not the file that was signed: it has 2 bytes, that had 0' \
	'cannot open /bin/cat: No such file' 'cannot open /bin/ls: .*symbolic link'
check_tree --json
check 'in JSON, too' json '(.ok | not) and .failed_count == 4 and
	([.files[].checks[] | select(.name == "digest") | .result] | unique == ["fail"]) and
	([.files[].checks[] | select(.name == "pkcs7") | .result] | unique == ["pass"]) and
	([.files[] | select(has("size")).path] == ["/empty", "/numbers"])'
rm -r tree
cp -r before tree
mkfifo fifo
mv fifo tree/bin/cat.fifo
rm tree/bin/cat
mv tree/bin/cat.fifo tree/bin/cat
rm tree/empty
mkdir tree/empty
check_tree
check 'a FIFO and a directory in their places are told, without waiting' \
	told 1 '/bin/cat is not a regular file' '/empty is a directory'
rm -r tree
cp -r before tree
mv tree/bin elsewhere
ln -s ../elsewhere tree/bin
check_tree
check 'a link to a directory is not followed' \
	eval 'told 1 "/bin/ls: .*symbolic link" && prints 1 "2 of 4 files"'
rm tree/bin
mv elsewhere tree/bin

# ------------------------------------------------------------------ many files, many threads
mkdir many
for i in $(seq -w 2000); do
	echo "$i" >"many/$i"
done
"$assay" sign --delegate --key key.key --cert key.crt --root many --manifest many.m >/dev/null
# few COMMAND...: with less descriptors than a pool has files
few() {
	# shellcheck disable=SC3045 # dash has it
	(ulimit -n 64 && "$@")
}
run few "$assay" check --ca key.crt --manifest many.m --root many --quiet
check 'a few descriptors are enough' prints 0 '2000 of 2000 files'
seq -f 'many/%04g' 2000 >names
# shellcheck disable=SC2046 # a word a name
run few "$assay" check --ca key.crt --jobs 64 $(cat names)
check 'for files by name, too' eval 'told 1 "many/2000: it is not signed" && ! grep -q "Too many" stderr'
for i in 0100 0333 1999; do
	echo x >>"many/$i"
done
rm many/0500 many/0777
ln -s 0001 many/0777
for jobs in 1 7 64; do
	run "$assay" check --ca key.crt --manifest many.m --root many --jobs $jobs / gone
	cat stdout stderr >"said.$jobs"
	echo "$status" >>"said.$jobs"
	run "$assay" check --ca key.crt --manifest many.m --root many --jobs $jobs --json
	cp stdout "json.$jobs"
done
check 'what is told, its order and the status are the same with 1, 7 and 64 threads' \
	eval 'cmp said.1 said.7 && cmp said.1 said.64 && cmp json.1 json.7 && cmp json.1 json.64'
check 'which is that of the manifest, with what is not in it last' eval \
	'[ "$(sed -n "s/.*: \(cannot open \)*.\([0-9]\{4\}\): .*/\2/p; s/.*: gone is not in the manifest/gone/p" \
		said.1 | tr "\n" " ")" = "0100 0333 0500 0777 1999 gone " ] &&
	[ "$(tail -n 1 said.1)" = 1 ] && [ "$(jq -r ".files[].path" json.1)" = "$(seq -f "/%04g" 2000)" ]'
run "$assay" check --cert key.crt --jobs 65 tree/numbers
check 'more threads than there may be are wrong usage' told 2 'from 1 to 64'

# ------------------------------------------------------------------ signatures that are bad
run "$assay" check --cert other.crt --manifest m --root tree
check "another's certificate: each signature is told, and the manifest's" \
	told 1 'the signature of m: .*another certificate' '/empty: the built-in signature is by another' \
	"/empty: the IMA signature is by the key whose id ends in $(key_id key.crt | tail -c 8)"
run "$assay" check --cert other.crt --cert key.crt --manifest m --root tree
check 'several certificates may be given' prints 0 '4 of 4 files'
cp m m2
cp m.p7s m2.p7s
sed -i '2s/"pkcs7":"\(.\{40\}\)./"pkcs7":"\1Z/; 3s/"ima":"BgME/"ima":"BgMF/' m2
run "$assay" check --cert key.crt --manifest m2 --root tree
check 'a manifest that was changed is told, and what in it is not good' \
	told 1 "the signature of m2: the manifest's signature is wrong" '/bin/cat: ' \
	'/bin/ls: the IMA signature is of another hash algorithm'
sed '3s/"pkcs7":"[^"]*"/PKCS7/' m >m3
swap=$(sed -n '4s/.*\("pkcs7":"[^"]*"\).*/\1/p' m)
sed "3s#PKCS7#$swap#" m3 >m2
run "$assay" check --cert key.crt --manifest m2 --root tree --json
check "a good signature of another file is not this one's" \
	json '[.files[] | select(.ok | not) | .path, (.checks | map({(.name): .result}) | add)] ==
		["/bin/ls", {"digest": "pass", "pkcs7": "fail", "ima": "pass"}]'
rm m2.p7s
run "$assay" check --cert key.crt --manifest m2 --root tree
check 'a manifest without signature is not good' told 1 'cannot open m2.p7s'
cp m m2
cp m.p7s m2.p7s
echo >>m2.p7s
run "$assay" check --cert key.crt --manifest m2 --root tree
check 'bytes behind its signature are told' told 1 'm2: .*bytes follow'

# ------------------------------------------------------------------ what cannot be read
run "$assay" check --cert key.crt --manifest none --root tree
check 'a manifest that is not there: status 3' told 3 'cannot open none'
head -c 1000 m >m2
run "$assay" check --cert key.crt --manifest m2 --root tree
check 'one that is cut off: status 3, and no file was looked at' \
	eval 'told 3 "m2 line .* is cut off" && [ ! -s stdout ]'
run "$assay" check --cert key.crt --manifest m2 --root tree --json
check 'as JSON, too' eval 'told 3 && json "(.ok | not) and .files == [] and (.error | contains(\"cut off\"))"'
sed 's#"path":"/empty"#"path":"/../empty"#' m >m2
run "$assay" check --cert key.crt --manifest m2 --root tree
check 'a path out of the root: status 3' told 3 'component'
head -c 100000 /dev/urandom >m2
run "$assay" check --cert key.crt --manifest m2 --root tree
check 'noise: status 3' told 3 'm2 line 1'
run "$assay" check --cert m --manifest m --root tree
check 'a certificate that is none: status 3' told 3 'm holds no X.509 certificate'
run "$assay" check --cert none --manifest m --root tree
check 'one that is not there: status 3' told 3 'cannot open none'
run "$assay" check --cert key.crt --manifest m --root none
check 'a root that is not there: status 3' told 3 'cannot open the directory none'

# ------------------------------------------------------------------ files by name
cp tree/numbers loose/a
run "$assay" check --cert key.crt loose/a
check 'a file that nobody signed is not good' told 1 'loose/a: it is not signed: .*no security.ima'
fsverity sign loose/a loose/a.sig --key=key.key --cert=key.crt >/dev/null
run "$assay" check --cert key.crt loose/a
check "fsverity's signature beside it is good" prints 0 'loose/a: built-in signature by CN=key'
fsverity digest --for-builtin-sig --compact loose/a >formatted
unhex "$(cat formatted)" >content
openssl smime -sign -binary -in content -signer rsa.crt -inkey rsa.key -outform DER -noattr -nocerts \
	-md sha256 -out loose/a.p7s
run "$assay" check --cert rsa.crt loose/a
check "openssl's is, too, and .p7s comes before .sig" prints 0 'by CN=rsa'
openssl cms -sign -binary -in content -signer leaf.crt -inkey leaf.key -outform DER -noattr -out leaf.p7s
run "$assay" check --ca key.crt --signature leaf.p7s loose/a
check 'a certificate inside that the authority issued' prints 0 'by CN=leaf'
run "$assay" check --cert key.crt --signature leaf.p7s loose/a
check 'the same is not good by --cert' told 1 'none of the authorities given'
run "$assay" check --cert rsa.crt --signature none loose/a
check 'a signature that is not there' told 1 'cannot open the signature none'
run "$assay" check --cert rsa.crt --hash sha512 loose/a
check 'with another hash the digest is another' told 1 'loose/a: the built-in signature is wrong'
fsverity sign loose/a salted --key=rsa.key --cert=rsa.crt --hash-alg=sha512 --block-size=1024 \
	--salt=c0ffee >/dev/null
run "$assay" check --cert rsa.crt --hash sha512 --block-size 1024 --salt c0ffee --signature salted loose/a
check 'hash, block size and salt are taken' prints 0 'good sha512:'
cp loose/a loose/b
rm -f loose/b.p7s
mkfifo loose/b.p7s
run "$assay" check --cert rsa.crt loose/b loose/a
check 'a FIFO as signature is told, without waiting, and the next file is checked' \
	eval 'told 1 "b.p7s is not a regular file" && prints 1 "1 of 2 files"'
rm loose/b.p7s
head -c 20000 /dev/zero >loose/b.p7s
run "$assay" check --cert rsa.crt loose/b
check 'a signature that is too large is told' told 1 '16128'
rm loose/b.p7s
name=$(printf 'loose/new\nline\377')
cp loose/a "$name"
cp loose/a.p7s "$name.p7s"
run "$assay" check --cert rsa.crt "$name"
check 'a name with a newline and bad UTF-8 is printed safely' \
	eval 'prints 0 "loose/new.x0aline.xff: built-in" && [ "$(wc -l <stdout)" -eq 2 ]'

ima "sha256:$(fsverity digest --compact loose/b)" key >value
if setfattr -n security.ima -v "0x$(od -An -v -tx1 value | tr -d ' \n')" loose/b 2>/dev/null; then
	run "$assay" check --cert key.crt loose/b
	check "openssl's signature in security.ima is good" prints 0 'loose/b: IMA signature by CN=key'
	run "$assay" check --cert key.crt --require pkcs7 loose/b
	check '--require pkcs7 wants the other one' told 1 'no built-in signature'
	run "$assay" check --cert rsa.crt loose/b
	check "another's certificate is told" told 1 'the IMA signature is by the key whose id ends in'
	echo x >>loose/b
	run "$assay" check --cert key.crt loose/b
	check 'of a changed file it is not' told 1 'loose/b: the IMA signature is wrong'
	setfattr -n security.ima -v 0x0404aabb loose/a
	run "$assay" check --cert rsa.crt --json loose/a
	check 'a plain hash in security.ima is no signature, and no failure' \
		eval 'told 0 && json "(.files[0].checks[] | select(.name == \"ima\") | .result) == \"not-checked\""'
	run "$assay" check --cert rsa.crt --require ima loose/a
	check 'but with --require ima' told 1 'holds no signature of the fs-verity digest'
else
	for title in good wanted other changed hash required; do
		skip "security.ima: $title" 'it cannot be set here'
	done
fi

# ------------------------------------------------------------------ wrong usage
run "$assay" check --manifest m
check 'no certificate is wrong usage' told 2 'Give --cert or --ca'
run "$assay" check --cert key.crt
check 'no file is wrong usage' told 2 'which files'
run "$assay" check --cert key.crt --manifest m --hash sha256
check 'a hash beside a manifest is wrong usage' told 2 'a manifest has'
