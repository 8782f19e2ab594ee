#!/bin/sh
# SPDX-License-Identifier: MIT
# Keys of every kind and place, against swtpm, openssl and tpm2-tools: made with passwords and
# bound to PCRs, opened by --key, certified, exported, and their certificates judged by lint.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
assay=${ASSAY:-$PWD/build/host/assay}
make_tpm=$PWD/qemu/make-tpm

. tests/swtpm.sh
tpm_work assay-keys
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1

if ! "$make_tpm" "$work/tpm" sha1,sha256 >&2 || ! tpm_start "$work/tpm" >&2; then
	echo 'Bail out! no TPM could be made'
	exit 1
fi
unset TPM2TOOLS_TCTI TSS2_LOG
export ASSAY_TCTI="swtpm:path=$work/tpm.sock"

refused() { # TITLE STATUS WORDS COMMAND...
	title=$1 wanted=$2 words=$3
	shift 3
	run "$@"
	check "$title" told "$wanted" "$words"
}

tpm2() { # COMMAND...: of tpm2-tools, which leave their objects in the TPM's slots
	tpm2_command=$1
	shift
	"tpm2_$tpm2_command" -T "$ASSAY_TCTI" "$@" >log 2>&1 || return
	tpm2_flushcontext -T "$ASSAY_TCTI" -t
}

slots_free() {
	[ -z "$(tpm2_getcap -T "$ASSAY_TCTI" handles-transient)" ] &&
		[ -z "$(tpm2_getcap -T "$ASSAY_TCTI" handles-loaded-session)" ]
}

# signs KEY CERTIFICATE [OPTION]...: openssl accepts what the key signs
signs() {
	signs_key=$1 signs_certificate=$2
	shift 2
	"$assay" sign --key "$signs_key" --cert "$signs_certificate" --root tree --manifest signed \
		"$@" >/dev/null &&
		{
			printf 'assay-manifest-1\001\000\040\000'
			fsverity digest --compact signed | tr -d '\n' | tr a-f A-F | basenc -d --base16
		} >content &&
		openssl cms -verify -binary -inform DER -in signed.p7s -content content -noverify \
			-nointern -certfile "$signs_certificate" -out /dev/null
}

certified() { # KEY [OPTION]...: a certificate is made, and signed by its own key
	rm -f made.pem
	"$assay" key cert --key "$@" --out made.pem >/dev/null &&
		openssl verify -check_ss_sig -CAfile made.pem made.pem
}

json() { # FILTER: jq's filter gives true for what was printed
	jq -e "$1" stdout >/dev/null
}

mkdir tree
seq 1000 >tree/a
echo secret >password
echo other >wrong
: >empty
head -c 40 /dev/zero | tr '\0' x >long

# ---------------------------------------------------------------- algorithms
for algorithm in p256:P-256:ecdsa-with-SHA256 p384:P-384:ecdsa-with-SHA384 \
	rsa2048:RSA-2048:sha256WithRSAEncryption; do
	name=${algorithm%%:*}
	told_name=${algorithm#*:}
	run "$assay" key create --algorithm "$name" --out "$name.pem" --cert "$name.crt"
	check "a key is made: $name" prints 0 "$name.pem: signing key, ${told_name%:*}\$"
	works "its certificate is signed as it should be: ${algorithm##*:}" \
		sh -c 'openssl x509 -in "$1" -noout -text | grep -q "Signature Algorithm: $2"' sh \
		"$name.crt" "${algorithm##*:}"
	works "openssl accepts what it signs" signs "$name.pem" "$name.crt"
	works "the public half is the certificate's" sh -c '"$1" key export --key "$2.pem" >out.pub &&
		openssl x509 -in "$2.crt" -noout -pubkey | cmp - out.pub' sh "$assay" "$name"
done
refused 'another algorithm' 2 'must be one of p256, p384, p521, rsa2048' \
	"$assay" key create --algorithm ed25519 --out new.pem

# ---------------------------------------------------------------- passwords
run "$assay" key create --out password.pem --cert password.crt --passphrase-file password
check 'a key with a password is made' prints 0 'with a password'
run "$assay" key show password.pem --json
check 'which its file says' json '.password and (.pcr_policy | not)'
works 'it signs with the password' certified password.pem --passphrase-file password
refused 'not with another' 1 'has a password, and it was not given, or another' \
	"$assay" key cert --key password.pem --passphrase-file wrong --out new.pem
refused 'not without' 1 'no terminal to ask for it: .* --passphrase-file' \
	setsid "$assay" key cert --key password.pem --out new.pem
refused 'an empty one is none' 1 'has 0 bytes' \
	"$assay" key create --out new.pem --passphrase-file empty
refused 'a TPM takes no longer ones' 1 '40 bytes is longer than the 32' \
	"$assay" key create --out new.pem --passphrase-file long
works 'it is asked for on the terminal, twice' sh -c '
	{ sleep 1; echo typed; sleep 1; echo typed; sleep 1; } |
		script -qec "\"$1\" key create --password --out typed.pem" /dev/null' sh "$assay"
printf typed >typed
works 'and is the one that was typed, which stands in no output' sh -c '
	! grep -q typed.typed stdout && "$1" key cert --key typed.pem --passphrase-file typed --out typed.crt' \
	sh "$assay"
printf other >other
refused 'an option twice' 2 'passphrase-file' "$assay" key create --out new.pem \
	--passphrase-file password --passphrase-file other
refused 'an option that is cut' 2 'passphrase-fil' \
	"$assay" key create --out new.pem --passphrase-fil password
attributes() { # FILE: the key's, as tpm2-tools tell them
	tpm2_loadexternal -T "$ASSAY_TCTI" -u "$1" -c external.ctx >/dev/null &&
		tpm2_readpublic -T "$ASSAY_TCTI" -c external.ctx | sed -n '/^attributes/,/raw/p'
	tpm2_flushcontext -T "$ASSAY_TCTI" -t
}
"$assay" key create --out da.pem --public da.pub --passphrase-file password >/dev/null
"$assay" key create --out noda.pem --public noda.pub >/dev/null
attributes da.pub >da.attributes
attributes noda.pub >noda.attributes
works 'wrong passwords count for the lockout' sh -c '
	grep -q "value.*userwithauth" da.attributes && ! grep -q "value.*noda" da.attributes &&
	grep -q "value.*noda" noda.attributes'

# ---------------------------------------------------------------- what the file says of it
mark() { # FILE TRUE|FALSE: what the key file says of "no password" (emptyAuth)
	mark_value=00
	[ "$2" = FALSE ] || mark_value=ff
	{
		grep Parent-Name: "$1"
		echo '-----BEGIN TSS2 PRIVATE KEY-----'
		grep -v -e - "$1" | grep -v : | base64 -d | od -An -v -tx1 | tr -d ' \n' |
			sed "s/a003010100/a0030101$mark_value/; s/a0030101ff/a0030101$mark_value/" |
			tr a-f A-F | basenc -d --base16 | base64 -w 64
		echo '-----END TSS2 PRIVATE KEY-----'
	} >marked.pem
}
mark password.pem TRUE
run "$assay" key show --json marked.pem
check 'a file may say of a key with a password that it has none' json '.password | not'
works 'a password that is given is used' certified marked.pem --passphrase-file password
refused 'without, the TPM refuses it' 1 'has a password, and it was not given' \
	"$assay" key cert --key marked.pem --out new.pem
works 'it is asked for where that is wanted' sh -c '
	{ sleep 1; echo secret; sleep 1; } |
		script -qec "\"$1\" key cert --passphrase --key marked.pem --out asked.crt" /dev/null &&
	test -s asked.crt' sh "$assay"
mark p256.pem FALSE
run "$assay" key show --json marked.pem
check 'a file may say of a key without a password that it has one' json .password
works 'an empty password can be given' certified marked.pem --passphrase-file empty
works 'or typed' sh -c '
	{ sleep 1; echo; sleep 1; } |
		script -qec "\"$1\" key cert --key marked.pem --out typed-none.crt" /dev/null &&
	test -s typed-none.crt' sh "$assay"

# ---------------------------------------------------------------- the parent's name
run "$assay" key show --json p256.pem
name=$(jq -r .parent_name stdout)
tpm2 createprimary -C o -G ecc256:aes128cfb -c primary.ctx -a \
	'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'
tpm2 readpublic -c primary.ctx -n primary.name
check 'a key file has the name of its parent, which is what tpm2-tools tell' \
	test "$name" = "$(od -An -v -tx1 primary.name | tr -d ' \n')"
grep -v Parent-Name: password.pem >unnamed.pem
run "$assay" key cert --key unnamed.pem --passphrase-file password --out unnamed.crt
check 'where it is missing, that is told when a password is used' told 0 'no name of its parent'
run "$assay" key show unnamed.pem
check 'and by show' prints 0 'its name: .* not noted'
sed 's/\(Parent-Name: 000b\)../\100/' password.pem >renamed.pem
refused 'a key with another parent than the TPM shows is refused' 1 \
	'is not the one that was noted' \
	"$assay" key cert --key renamed.pem --passphrase-file password --out new.pem
tpm2 dictionarylockout --clear-lockout

# ---------------------------------------------------------------- PCRs
run "$assay" key create --out pcr.pem --cert pcr.crt --pcrs 7,14
check 'a key that is bound to PCRs is made' prints 0 'bound to PCRs'
works 'it signs while they are so' certified pcr.pem
run "$assay" key create --out both.pem --pcrs sha1:16 --passphrase-file password --algorithm rsa2048
check 'one with a password, too' prints 0 'with a password, bound to PCRs'
works 'it signs with both' certified both.pem --passphrase-file password
refused 'and not with another password' 1 'has a password' \
	"$assay" key cert --key both.pem --passphrase-file wrong --out new.pem
tpm2 pcrextend "14:sha256=$(openssl rand -hex 32)"
refused 'not when they have changed' 1 'bound to have other values' \
	"$assay" key cert --key pcr.pem --out new.pem
works 'others do not mind' certified both.pem --passphrase-file password
tpm2 pcrextend "16:sha1=$(openssl rand -hex 20)"
refused 'nor the one with the password' 1 'bound to have other values' \
	"$assay" key cert --key both.pem --passphrase-file password --out new.pem
for list in 24 '7,' sha999:7 sha256: x; do
	refused "PCRs that are none: $list" 2 'must be PCRs of one bank' \
		"$assay" key create --out new.pem --pcrs "$list"
done
refused 'PCRs that the TPM has not' 1 'no PCR 7 in the bank sha384' \
	"$assay" key create --out new.pem --pcrs sha384:7
refused 'an attestation key has none of this' 2 'a restricted key is without password' \
	"$assay" key create --restricted --out new.pem --pcrs 7

# ---------------------------------------------------------------- handles
tpm2 createprimary -C o -c primary.ctx
tpm2 create -C primary.ctx -G rsa2048 -u k.pub -r k.priv -p secret \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
tpm2 load -C primary.ctx -u k.pub -r k.priv -c k.ctx
tpm2 evictcontrol -C o -c k.ctx 0x81000005
tpm2 readpublic -c 0x81000005 -f pem -o handle.pub
works 'a key by its handle, with a password' \
	certified handle:0x81000005 --passphrase-file password
works 'its public half is the one that tpm2-tools tell' sh -c '
	"$1" key export --key handle:0x81000005 | cmp - handle.pub' sh "$assay"
refused 'not without' 1 'has a password' "$assay" key cert --key handle:0x81000005 --out new.pem
works 'it is still there' tpm2 readpublic -c 0x81000005
works 'its session is salted with the primary that is named' \
	certified "handle:0x81000005,primary=$name" --passphrase-file password
refused 'and with no other' 1 'is not the one that was noted' "$assay" key cert --out new.pem \
	--key "handle:0x81000005,primary=000b$(printf '%064d' 0)" --passphrase-file password
refused 'a handle that is not there' 1 'no key with the handle 0x81000006' \
	"$assay" key cert --key handle:0x81000006 --out new.pem
for handle in 0x80000000 0x82000000 81000005 0x81000005x '0x81000005,' \
	0x81000005,primary= 0x81000005,primary=x 0x81000005,parent=00 ''; do
	refused "a handle that is none: '$handle'" 1 'names no key' \
		"$assay" key cert --key "handle:$handle" --out new.pem
done

tpm2 dictionarylockout --clear-lockout

# ---------------------------------------------------------------- parents
printf 'the parent' >parent-password
tpm2 createprimary -C o -G rsa2048:aes128cfb -p 'the parent' -c rsa.ctx
tpm2 evictcontrol -C o -c rsa.ctx 0x81000009
works 'a key below a persistent parent with a password' "$assay" key create --out below.pem \
	--parent handle:0x81000009 --parent-password-file parent-password --passphrase-file password
run "$assay" key show --json below.pem
check 'which its file names' json '.parent == "0x81000009" and (.parent_name | startswith("000b"))'
works 'it signs' certified below.pem --passphrase-file password --parent-password-file parent-password
refused "not without the parent's" 1 'has a password' \
	"$assay" key cert --key below.pem --passphrase-file password --out new.pem
refused 'nor with another' 1 'has a password, and it was not given, or another' "$assay" key cert \
	--key below.pem --passphrase-file password --parent-password-file wrong --out new.pem
refused 'a parent that is none' 2 'must be a persistent handle' \
	"$assay" key create --out new.pem --parent 0x80000009
tpm2 evictcontrol -C o -c 0x81000009
tpm2 dictionarylockout --clear-lockout
printf 'the owner' >owner-password
tpm2 changeauth -c owner 'the owner'
works "the owner hierarchy's password" "$assay" key create --out owned.pem --cert owned.crt \
	--owner-password-file owner-password --persistent handle:0x8100000a
works 'is taken where the key is used' certified owned.pem --owner-password-file owner-password
refused 'and needed' 1 'has a password' "$assay" key cert --key owned.pem --out new.pem
works 'a persistent key does without' certified handle:0x8100000a
works 'it is taken away again' tpm2 changeauth -c owner -p 'the owner' ''
tpm2 evictcontrol -C o -c 0x8100000a

# ---------------------------------------------------------------- keys of other programs
tpm2 createprimary -C o -G ecc -c primary.ctx
tpm2 evictcontrol -C o -c primary.ctx 0x81000009
for kind in ecc384:ecdsa-sha384:P-384:sha384 ecc521:null:P-521: rsa2048:rsassa-sha512:RSA-2048:sha512; do
	scheme=${kind#*:} told_kind=${kind#*:*:}
	tpm2_create -T "$ASSAY_TCTI" -C 0x81000009 -G "${kind%%:*}:${scheme%%:*}" -u k.pub -r k.priv \
		-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' >log 2>&1
	tpm2_encodeobject -T "$ASSAY_TCTI" -C 0x81000009 -u k.pub -r k.priv -o theirs.pem >log 2>&1
	tpm2_flushcontext -T "$ASSAY_TCTI" -l # of tpm2_encodeobject
	run "$assay" key show --json theirs.pem
	check "a key of tpm2-tools: ${kind%:*:*}" json \
		".algorithm == \"${told_kind%:*}\" and (.scheme_hash // \"\") == \"${kind##*:}\""
	rm -f theirs.crt
	works 'it signs, in the hash that it is fixed to' sh -c '
		"$1" key cert --key theirs.pem --passphrase-file empty --out theirs.crt &&
		openssl verify -check_ss_sig -CAfile theirs.crt theirs.crt' sh "$assay"
	works 'files, too' signs theirs.pem theirs.crt --signatures pkcs7 --passphrase-file empty
done
tpm2 evictcontrol -C o -c 0x81000009

# ---------------------------------------------------------------- files and tokens
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:secret \
	-out encrypted.pem 2>/dev/null
works 'an encrypted PEM file' certified encrypted.pem --passphrase-file password
refused 'with a wrong passphrase' 1 'the passphrase is wrong' \
	"$assay" key cert --key encrypted.pem --passphrase-file wrong --out new.pem
refused 'without, and no terminal' 1 'no terminal' \
	setsid "$assay" key cert --key encrypted.pem --out new.pem
refused 'a passphrase file that is not there' 1 'cannot open none' \
	"$assay" key cert --key encrypted.pem --passphrase-file none --out new.pem
openssl pkey -in encrypted.pem -passin pass:secret -out plain.pem
works 'a plain PEM file needs none' certified plain.pem

# ---------------------------------------------------------------- tokens
mkdir tokens
printf '%s\n' "directories.tokendir = $work/tokens" 'objectstore.backend = file' >softhsm2.conf
export SOFTHSM2_CONF="$work/softhsm2.conf"
softhsm2-util --init-token --free --label here --so-pin 12345678 --pin 8765 >log
for kind in EC:ec_paramgen_curve:P-256 RSA:rsa_keygen_bits:2048; do
	openssl genpkey -algorithm "${kind%%:*}" -pkeyopt "${kind#*:}" -out "token-${kind%%:*}.pem" 2>>log
	softhsm2-util --import "token-${kind%%:*}.pem" --token here --label "${kind%%:*}" \
		--id "$(printf '%s' "${kind%%:*}" | xxd -p)" --pin 8765 >>log
done
printf '8765\n' >pin
printf '1111\n' >wrong-pin
for kind in EC RSA; do
	rm -f new.pem
	works "a key of a token, $kind" \
		"$assay" key cert --key "pkcs11:token=here;object=$kind" --passphrase-file pin --out new.pem
	works 'its certificate is of the key that is in it' sh -c "openssl x509 -in new.pem -noout -pubkey >public &&
		openssl pkey -in token-$kind.pem -pubout | cmp - public"
	works "$kind: what it signs is good" signs "pkcs11:token=here;object=$kind;type=private?pin-value=8765" new.pem
	"$assay" sign --delegate --key "pkcs11:token=here;object=$kind?pin-value=8765" --cert new.pem \
		--root tree --manifest delegated >log 2>&1
	works "$kind: and what it delegates" \
		"$assay" check --manifest delegated --root tree --ca new.pem --quiet
done
rm -f new.pem
refused 'with a wrong PIN' 1 'or the token refused the PIN' \
	"$assay" key cert --key 'pkcs11:token=here;object=EC' --passphrase-file wrong-pin --out new.pem
refused 'without a PIN, and no terminal' 1 'the PIN of pkcs11:.*no terminal' \
	setsid "$assay" key cert --key 'pkcs11:token=here;object=EC' --out new.pem
refused 'a token that is not there' 1 'no private key is found' \
	"$assay" key cert --key pkcs11:token=none --out new.pem
refused 'PKCS#11 without provider and engine is told' 1 'neither of which is installed' \
	env OPENSSL_ENGINES="$work" OPENSSL_MODULES="$work" \
	"$assay" key cert --key pkcs11:token=here --out new.pem
check 'and no certificate is left' test ! -e new.pem

# ---------------------------------------------------------------- requests
run "$assay" key cert --key p384.pem --request --out request.pem --subject 'a signer'
check 'a request is made' prints 0 'request for a certificate of p384.pem'
works 'openssl verifies it' openssl req -in request.pem -noout -verify
works 'it asks for what the kernel needs' sh -c '
	openssl req -in request.pem -noout -text >text && grep -q "Subject: CN = a signer" text &&
	grep -q "Digital Signature" text && grep -q "CA:FALSE" text'
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 9 2>/dev/null
printf '%s\n' subjectKeyIdentifier=hash authorityKeyIdentifier=keyid:always >extensions
openssl x509 -req -in request.pem -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 \
	-copy_extensions copy -extfile extensions -out issued.crt 2>/dev/null
works 'what an authority makes of it is good for signing' signs p384.pem issued.crt
refused 'a request has no days' 2 'exclude each other' \
	"$assay" key cert --key plain.pem --request --days 5 --out new.pem
refused 'an existing file is not replaced' 1 'request.pem exists' \
	"$assay" key cert --key plain.pem --out request.pem
works 'none of what was refused left a file' test ! -e new.pem

# ---------------------------------------------------------------- lint
certificate() { # NAME OPTION...: self-signed, by openssl
	certificate_name=$1
	shift
	openssl req -x509 -subj "/CN=$certificate_name" -days 9 -out "$certificate_name.crt" "$@" 2>/dev/null
}
# judged TITLE CERTIFICATE CODE KEYRINGS...: lint finds this, and these keyrings refuse it
judged() {
	title=$1 certificate=$2 code=$3 keyrings=$4
	shift 4
	run "$assay" key lint --json "$@" "$certificate"
	check "$title" json ".findings | any(.code == \"$code\" and (.refused_by | join(\" \")) == \"$keyrings\")"
}
all='.fs-verity .ima _ima'
run "$assay" key lint p256.crt
check 'our certificates are good for .fs-verity and _ima' \
	prints 0 'p256.crt: accepted by .fs-verity _ima$' '^.ima: .*self-signed'
run "$assay" key lint --ca ca.crt issued.crt
check 'an issued one for .ima as well' prints 0 'accepted by .fs-verity .ima _ima$'
run "$assay" key lint --ca p256.crt --keyring .ima issued.crt
check 'but not of another authority' prints 1 '^.ima: none of the authorities' 'accepted by none'
judged 'without the authority it is only noted' issued.crt issuer ''
run "$assay" key lint --keyring .fs-verity --json p256.crt
check 'only what was asked for is judged' json '.ok and .accepted == {".fs-verity": true} and .findings == []'
certificate noid -key plain.pem -addext subjectKeyIdentifier=none
judged 'no subject key id' noid.crt no-key-id '.ima _ima'
run "$assay" key lint noid.crt
check 'which .fs-verity takes, and assay does not' \
	prints 0 '^.ima _ima assay: .*no subject key id' 'accepted by .fs-verity; assay is stricter'
run "$assay" key lint --keyring .ima noid.crt
check 'its exit status says it of the keyring that was asked for' prints 1 'accepted by none'
certificate ed -newkey ed25519 -nodes -keyout ed.key
judged 'a kind of key that the kernel has not' ed.crt key-type "$all"
judged 'and a signature algorithm' ed.crt signature-algorithm "$all"
certificate k1 -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -keyout k1.key
judged 'a curve that it has not' k1.crt curve "$all"
certificate p521 -newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -keyout p521.key
judged 'a curve that only new ones have' p521.crt curve-new ''
certificate short -newkey rsa:1024 -nodes -keyout short.key
judged 'a short RSA key' short.crt rsa-too-short ''
run "$assay" key lint --json short.crt
check 'which only assay refuses' json '.ok and .stricter and
	(.findings[] | select(.code == "rsa-too-short").stricter)'
certificate tiny -newkey rsa:1000 -nodes -keyout tiny.key
judged 'one of a size that the kernel does not know' tiny.crt rsa-size "$all"
certificate odd -newkey rsa:2560 -nodes -keyout odd.key
judged 'an RSA key of a size it has not' odd.crt rsa-size "$all"
refused 'which signs nothing' 1 'RSA 2560' \
	"$assay" sign --key odd.key --cert odd.crt --root tree --manifest odd
certificate sha1 -newkey rsa:2048 -sha1 -nodes -keyout sha1.key
judged 'SHA-1' sha1.crt sha1 ''
certificate sha224 -newkey rsa:2048 -sha224 -nodes -keyout sha224.key
judged 'SHA-224' sha224.crt signature-hash ''
certificate pss -newkey rsa:2048 -sigopt rsa_padding_mode:pss -nodes -keyout pss.key
judged 'PSS' pss.crt signature-algorithm "$all"
certificate usage -key plain.pem -addext keyUsage=keyEncipherment
judged 'a key usage that is another' usage.crt key-usage .ima
certificate nousage -key plain.pem
judged 'no key usage' nousage.crt no-key-usage .ima
judged 'an authority' ca.crt authority .ima
openssl x509 -new -key plain.pem -subj /CN=expired -days -1 -extfile extensions -out expired.crt 2>/dev/null ||
	openssl req -x509 -key plain.pem -subj /CN=expired -days -1 -out expired.crt 2>/dev/null
[ ! -s expired.crt ] || judged 'an expired one' expired.crt expired ''
openssl x509 -in p256.crt -outform DER -out broken.der
size=$(stat -c %s broken.der)
printf '\001' | dd of=broken.der bs=1 seek=$((size - 5)) conv=notrunc 2>/dev/null
judged 'a signature of its own that is broken' broken.der self-signature "$all"
refused 'no certificate at all' 1 'holds no X.509' "$assay" key lint plain.pem
refused 'no such keyring' 2 'must be .fs-verity, .ima or _ima' "$assay" key lint --keyring .x p256.crt
refused 'nothing to judge' 2 'missing argument' "$assay" key lint

# ---------------------------------------------------------------- slots
works 'no slot and no session of the TPM is left taken' slots_free
for number in $(seq 3000); do
	echo "$number" >"tree/$number"
done
for signal in INT:130 TERM:143 HUP:129; do
	name=${signal%:*}
	# A shell starts its background processes with SIGINT ignored; env sets it right.
	# Each signs all of it, and is not done within the time it is given.
	env --default-signal="$name" "$assay" sign --key p256.pem --cert p256.crt --root tree \
		--manifest signed --no-resume >signal.out 2>signal.err &
	pid=$!
	sleep 0.5
	kill "-$name" "$pid"
	status=0
	wait "$pid" || status=$?
	wanted=${signal#*:}
	check "SIG$name in mid-run ends it by the signal" test "$status" -eq "$wanted"
	status=
	works 'and gives its slots back' slots_free
done

# ---------------------------------------------------------------- wrong passwords
tries() { # that the TPM has counted
	tpm2_getcap -T "$ASSAY_TCTI" properties-variable | sed -n 's/^TPM2_PT_LOCKOUT_COUNTER: 0x//p'
}
tpm2 dictionarylockout --clear-lockout
for jobs in 1 32; do
	before=$((0x$(tries)))
	refused "a tree with a wrong password, by $jobs threads" 1 'has a password' "$assay" sign \
		--key password.pem --cert password.crt --passphrase-file wrong --root tree \
		--manifest refused.manifest --jobs "$jobs"
	check 'costs one try' test $((0x$(tries) - before)) -eq 1
done

# ---------------------------------------------------------------- lockout, at the end
for _ in $(seq 40); do
	run "$assay" key cert --key password.pem --passphrase-file wrong --out new.pem
	! grep -q lockout stderr || break
done
check 'the dictionary attack lockout is told in words' \
	told 1 'takes none for a while (dictionary attack lockout): wait, or'
works 'a key without password does not mind' certified p256.pem
tpm2 dictionarylockout --clear-lockout
works 'afterwards the right one is taken again' certified password.pem --passphrase-file password
echo "1..$check_number"
exit "$check_failed"
