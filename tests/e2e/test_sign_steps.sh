#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign` in two steps, with keys that it never sees: in a file for openssl, in a token by
# PKCS#11, in a TPM for tpm2-tools. What they sign is checked as it is taken, changes between the
# steps are told, and what comes of it is as if the key had been at hand.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
. tests/swtpm.sh
tpm_work sign-steps
CHECK_OUT=$work
. tests/check.sh
cd "$work"

json() { # FILTER: true of what the command printed
	jq -e "$1" stdout >/dev/null
}

# ---------------------------------------------------------------- who signs

# Each: KEY, with what is to be signed in the files bytes and digest; the signature goes to signed.
by_dgst() {
	openssl dgst -sha256 -sign "$1.key" -out signed bytes
}

by_pkeyutl() { # as a cloud's key service does: from the digest alone
	openssl pkeyutl -sign -inkey "$1.key" -pkeyopt digest:sha256 -in digest -out signed
}

by_cms() {
	openssl cms -sign -binary -noattr -md sha256 -signer "$1.crt" -inkey "$1.key" -in bytes \
		-outform DER -out signed
}

by_cms_pem() {
	openssl cms -sign -binary -noattr -nocerts -keyid -md sha256 -signer "$1.crt" -inkey "$1.key" \
		-in bytes -outform PEM -out signed
}

by_cms_attributes() { # as its manual page has it: with certificates and S/MIME capabilities
	openssl cms -sign -binary -md sha256 -signer "$1.crt" -inkey "$1.key" -in bytes -outform DER \
		-out signed
}

by_cms_for_kernel() {
	openssl cms -sign -binary -md sha256 -nosmimecap -keyid -signer "$1.crt" -inkey "$1.key" -in bytes \
		-outform PEM -out signed
}

by_either() { # IMA's signatures have no room for attributes
	case $(head -c 8 bytes) in
	FSVerity) by_cms_for_kernel "$1" ;;
	*) by_dgst "$1" ;;
	esac
}

by_token() { # r and s side by side
	pkcs11-tool --module "$softhsm" --token-label here --pin 8765 --sign --label "$1" \
		--mechanism ECDSA --signature-format rs --input-file digest --output-file signed \
		>tool.log 2>&1
	[ "$(wc -c <signed)" -eq 64 ]
}

by_tpm() {
	tpm2_sign -Q -T "swtpm:path=$work/tpm.sock" -c "$1.ctx" -g sha256 -d -f plain -o signed digest
	tpm2_flushcontext -Q -T "swtpm:path=$work/tpm.sock" -t
}

# signs HOW KEY FILE: a line of signatures for each thing in FILE that is to be signed
signs() {
	signs_how=$1 signs_key=$2
	jq -r 'select(.sign) | .digest + " " + .bytes' "$3" >items
	while read -r item_digest item_bytes; do
		printf '%s' "$item_bytes" | base64 -d >bytes
		printf '%s' "${item_digest#sha256:}" | tr a-f A-F | basenc -d --base16 >digest
		openssl dgst -sha256 -binary bytes | cmp -s - digest || return 1
		rm -f signed
		"$signs_how" "$signs_key" || return 1
		printf '{"digest":"%s","signature":"%s"}\n' "$item_digest" "$(base64 -w 0 signed)"
	done <items
}

step() { # KEY OPTION...: one of the steps
	step_key=$1
	shift
	run "$assay" sign --prepare todo --cert "$step_key.crt" --root tree --manifest m "$@"
}

certificate() { # NAME OPTION...
	name=$1
	shift
	openssl req -x509 "$@" -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.crt" -days 10 \
		-addext keyUsage=digitalSignature 2>/dev/null
}

good() { # KEY: what was made is good by its certificate, and nothing of the steps is left
	"$assay" check --manifest m --root tree --ca "$1.crt" --quiet >check.log 2>&1 &&
		openssl x509 -in "$1.crt" -outform DER -out der && [ ! -e m.partial ]
}

items() { # KINDS: these are to be signed, by name, sorted
	[ "$(jq -r 'select(.sign) | .sign' todo | sort | tr '\n' ' ')" = "$1" ]
}

fresh() {
	rm -f m m.p7s m.partial todo sigs*
}

mkdir -p tree/bin
seq 5000 >tree/bin/five
echo same >tree/one
echo same >tree/two
ln tree/one tree/three
: >tree/empty
certificate ec -newkey ec -pkeyopt ec_paramgen_curve:P-256
certificate other -newkey ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa -newkey rsa:2048

# ---------------------------------------------------------------- both steps
step ec
check 'what is to be signed is listed, the same only once' \
	eval 'prints 0 "prepared 5 files.*6 signatures are to be made" && items "ima ima ima pkcs7 pkcs7 pkcs7 "'
check 'and nothing else is written' eval '[ ! -e m ] && [ ! -e m.partial ]'
signs by_dgst ec todo >sigs
cp todo todo.first
step ec --attach sigs --json
check 'the files are signed; next is the manifest' \
	eval 'told 3 "manifest itself is to be signed next" && json "(.ok | not) and .to_sign == 1" && [ ! -e m ]'
check 'which is now all that is listed' items 'manifest '
jq -r 'select(.sign) | .bytes' todo | base64 -d >bytes
by_dgst ec
rm -f m.partial # it is not needed: the list has the signatures
step ec --attach signed
check 'with its signature, as it is, it is done' eval 'prints 0 "signed 5 files" && good ec'
run "$assay" sign --key ec.key --cert ec.crt --root tree --manifest direct
check 'it has what a manifest has that was signed at once, but for times' \
	eval '[ "$(tail -n +2 m | jq -c "[.path, .size, .digest, (.ima | length > 0)]")" = \
		"$(tail -n +2 direct | jq -c "[.path, .size, .digest, (.ima | length > 0)]")" ]'

# ---------------------------------------------------------------- forms of signatures
for how in by_pkeyutl by_cms by_cms_pem; do
	fresh
	step ec
	signs "$how" ec todo >sigs
	step ec --attach sigs
	signs "$how" ec todo >sigs2
	step ec --attach sigs2
	check "signatures $how are taken" eval 'told 0 && good ec'
done
fresh
step rsa
signs by_dgst rsa todo >sigs
step rsa --attach sigs
signs by_cms rsa todo >sigs2
step rsa --attach sigs --attach sigs2
check 'and those of RSA keys' eval 'told 0 && good rsa'
fresh
step ec --signatures ima
signs by_cms_attributes ec todo >sigs
step ec --signatures ima --attach sigs
check "a CMS with signed attributes is refused as IMA's signature, with what to do" told 1 'signed attributes' noattr
fresh
step ec --signatures pkcs7
signs by_cms_attributes ec todo >sigs
step ec --signatures pkcs7 --attach sigs
check 'and as a built-in one where the kernel refuses them' told 1 'S/MIME capabilities' nosmimecap
for key in ec rsa; do
	fresh
	step $key
	signs by_either $key todo >sigs
	step $key --attach sigs
	signs by_cms_attributes $key todo >sigs2
	step $key --attach sigs2
	check "a CMS with signed attributes is taken where there is room for them: $key" eval 'told 0 && good $key'
	check 'and is what is in the manifest' eval 'openssl pkcs7 -inform DER -in m.p7s -print 2>/dev/null |
		grep -q "object: messageDigest" && jq -r ".pkcs7 // empty" m | head -n 1 | base64 -d |
		openssl pkcs7 -inform DER -print | grep -q "object: messageDigest"'
done
fresh
step ec --signatures pkcs7
signs by_cms_for_kernel ec todo >sigs
jq -s -c '[.[].signature] as $all | to_entries[] | .value + {signature: $all[(.key + 1) % ($all | length)]}' sigs >theirs
step ec --signatures pkcs7 --attach theirs
check 'one of other content is refused' told 1 'is of other data: messageDigest is another'

# ---------------------------------------------------------------- tokens and TPMs
mkdir tokens
printf '%s\n' "directories.tokendir = $work/tokens" 'objectstore.backend = file' >softhsm2.conf
export SOFTHSM2_CONF="$work/softhsm2.conf"
softhsm=$(find /usr/lib -name libsofthsm2.so | head -n 1)
softhsm2-util --init-token --free --label here --so-pin 12345678 --pin 8765 >tool.log
softhsm2-util --import ec.key --token here --label ec --id a1 --pin 8765 >tool.log
fresh
step ec
signs by_token ec todo >sigs
step ec --attach sigs
signs by_token ec todo >sigs2
step ec --attach sigs2
check 'a token signs, by PKCS#11' eval 'told 0 && good ec'

mkdir tpm
tpm_start "$work/tpm"
{
	tpm2_createprimary -Q -T "swtpm:path=$work/tpm.sock" -C o -G ecc256:ecdsa-sha256 -c tpm.ctx \
		-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
	tpm2_flushcontext -Q -T "swtpm:path=$work/tpm.sock" -t
	tpm2_readpublic -Q -T "swtpm:path=$work/tpm.sock" -c tpm.ctx -f pem -o tpm.pem
	openssl req -new -key ec.key -subj /CN=tpm -out tpm.csr
	printf 'subjectKeyIdentifier=hash\nkeyUsage=digitalSignature\n' >extensions
	openssl x509 -req -in tpm.csr -force_pubkey tpm.pem -CA other.crt -CAkey other.key \
		-extfile extensions -days 10 -out tpm.crt
} >tool.log 2>&1 || cat tool.log
fresh
step tpm
signs by_tpm tpm todo >sigs
step tpm --attach sigs
signs by_tpm tpm todo >sigs2
step tpm --attach sigs2
check 'a TPM signs, by tpm2-tools' eval 'told 0 && good tpm'

# ---------------------------------------------------------------- delegates
fresh
step tpm --delegate --signatures both --json
check 'with a delegate one signature is to be made' eval 'told 0 && json ".to_sign == 1" && items "certificate "'
check 'and no private key is in what is handed over' \
	eval '! grep -q "PRIVATE" todo && [ ! -e m.partial ] && [ ! -e m ]'
signs by_tpm tpm todo >sigs
step tpm --delegate --signatures both --delegate-cert delegate.crt --attach sigs
check 'with it all is done at once' eval 'prints 0 "signed 5 files" && good tpm'
run "$assay" check --manifest m --root tree --ca ec.crt --quiet
check "but not by another's certificate" test "$status" -ne 0
run "$assay" enable --manifest m --cert tpm.crt --root tree --dry-run
check 'assay enable finds the delegate in the signature of the manifest, and its files' \
	eval '! grep -q signature stderr'
fresh
step ec --delegate
signs by_dgst ec todo >sigs
step ec --delegate --detached --attach sigs
printf 'FSVerity\001\000\040\000' >content
"$assay" digest tree/bin/five | sed 's/^sha256:\([0-9a-f]*\).*/\1/' | tr a-f A-F | tr -d '\n' |
	basenc -d --base16 >>content
check 'detached signatures have its certificate inside' eval 'openssl cms -verify -binary \
	-inform DER -in tree/bin/five.sig -content content -noverify -out out.log 2>/dev/null'
find tree -name '*.sig' -delete

# ---------------------------------------------------------------- what is refused
fresh
step ec
cp todo todo.first
signs by_dgst ec todo >kept
echo more >>tree/bin/five
rm tree/empty
echo new >tree/new
step ec --attach kept
check 'a file that changed, one that is gone and one that is new are told' told 1 \
	'/bin/five has changed since it was prepared' '/empty was prepared, and is not there' \
	'/new was not there when it was prepared' '3 of'
check 'and there is no manifest' test ! -e m
seq 5000 >tree/bin/five
: >tree/empty
rm tree/new
head -n 5 kept >fewer
fresh
cp todo.first todo
step ec --attach fewer
check 'a signature that is missing is told, of what' told 1 'there is no signature of sha256:'
fresh
cp todo.first todo
signs by_dgst other todo >theirs
step ec --attach theirs
check "another key's are refused" told 1 'made by another key, or of other data'
cat theirs kept >both
fresh
cp todo.first todo
step ec --attach both
check 'which do no harm beside good ones' told 3
fresh
cp todo.first todo
step other --attach kept
check 'the certificate must be the one that it was prepared for' told 1 'prepared for another signer'
step ec --attach kept --delegate
check 'and the options the same' told 1 'without --delegate: give the same options'
step ec --attach kept --block-size 1024
check 'those of digests too' told 1 'another hash algorithm, block size or salt'
step ec --attach signed
check 'a signature alone is none of several' told 1 'only one is missing'
printf '{"digest":"sha256:00","signature":"AA=="}\n' >wrong
step ec --attach wrong
check 'what is no signature is told by its line' told 1 'wrong line 1: "digest"'
run "$assay" sign --prepare todo --key ec.key --cert ec.crt --root tree --manifest m
check 'a key at hand needs no two steps' told 2 'exclude each other'
run "$assay" sign --cert ec.crt --root tree --manifest m
check 'and without them a key is needed' told 2 '--key KEY is needed'
run "$assay" sign --attach kept --key ec.key --cert ec.crt --root tree --manifest m
check 'what is attached was prepared' told 2 'needs --prepare'
fresh
step ec --delegate
jq -c 'if .assay then .manifest.id = "00000000000000000000000000000000" else . end' todo >changed
mv changed todo
signs by_dgst ec todo >sigs
step ec --delegate --attach sigs
check 'a delegate is for its manifest only' told 1 'for another manifest'

# ---------------------------------------------------------------- what was signed before
run "$assay" sign --key ec.key --cert ec.crt --root tree --manifest old
echo more >tree/more
fresh
step ec --incremental old
check 'what an older manifest has signed is not signed again' items 'ima pkcs7 '
signs by_dgst ec todo >sigs
step ec --incremental old --attach sigs
signs by_dgst ec todo >sigs2
step ec --incremental old --attach sigs2
check 'and both together are good' eval 'told 0 && good ec'
echo 1..$check_number
exit $check_failed
