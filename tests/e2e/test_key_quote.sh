#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay key` and `assay quote` as a user calls them, against swtpm: files and their
# modes, what is refused and with which exit status, and that tpm2-tools, openssl and
# (where it is installed) the tpm2 provider of OpenSSL agree.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
assay=$PWD/build/host/assay
make_tpm=$PWD/qemu/make-tpm
here=$PWD/tests/e2e

. tests/swtpm.sh
tpm_work assay-key
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1

if ! "$make_tpm" "$work/tpm" sha1,sha256 >&2; then
	echo 'Bail out! no TPM could be made'
	exit 1
fi
if ! tpm_start "$work/tpm" >&2; then
	echo 'Bail out! swtpm does not start'
	exit 1
fi
unset TPM2TOOLS_TCTI TSS2_LOG
export ASSAY_TCTI="swtpm:path=$work/tpm.sock"

# refused TITLE STATUS WORDS COMMAND...: with this exit status and one line (two for
# wrong usage) on standard error that says so
refused() {
	title=$1 wanted=$2 words=$3
	shift 3
	run "$@"
	check "$title" only_told "$wanted" "$words"
}

only_told() { # STATUS WORDS
	lines=1
	[ "$1" -ne 2 ] || lines=2
	told "$@" && [ ! -s stdout ] && [ "$(wc -l <stderr)" -eq "$lines" ]
}

has() { # has FILE FILTER: jq's filter gives true
	jq -e "$2" "$1" >/dev/null
}

works 'a signing key and its certificate are made' "$assay" key create --out key.pem \
	--cert cert.pem --public key.pub --subject 'test signer' --days 7
works 'the key file is private, what is public is not' \
	test "$(stat -c %a key.pem cert.pem key.pub | tr '\n' ' ')" = '600 644 644 '
works 'the certificate is signed by its own key' \
	openssl verify -check_ss_sig -CAfile cert.pem cert.pem
works 'it has the subject that was asked for' \
	sh -c 'openssl x509 -in cert.pem -noout -subject | grep -q "CN = test signer$"'
works 'nothing is left beside the files' sh -c '! ls ./*.pem.* 2>/dev/null'

cp key.pem before.pem
refused 'an existing key is not replaced' 1 'key.pem exists' \
	"$assay" key create --out key.pem
refused 'an existing certificate is not replaced' 1 'cert.pem exists' \
	"$assay" key create --out new.pem --cert cert.pem
works 'the refused calls changed nothing' sh -c 'cmp key.pem before.pem && test ! -e new.pem'
works 'unless --force says so' "$assay" key create --out before.pem --force
works 'then it is another key' sh -c '! cmp -s key.pem before.pem'
refused 'a directory that is not there is told, and nothing half-made stays' 1 \
	'cannot create a file beside no/key.pem' \
	"$assay" key create --cert new-cert.pem --out no/key.pem
works 'no certificate without its key' test ! -e new-cert.pem

refused 'a certificate of an attestation key is refused' 2 'cannot sign a certificate' \
	"$assay" key create --restricted --out ak.pem --cert ak-cert.pem
works 'an attestation key is made' sh -c '"$1" key create --restricted --out ak.pem \
	--public ak.pub --json >ak.json' sh "$assay"
works 'and told as JSON' has ak.json '.use == "attestation" and .algorithm == "P-256" and
	.made_here and .parent == "0x40000001" and .public == "ak.pub"'
works 'show tells the same' sh -c '"$1" key show --json ak.pem >show.json &&
	jq -e -s ".[0].name == .[1].name" ak.json show.json' sh "$assay"
tpm2_loadexternal -T "$ASSAY_TCTI" -u ak.pub -c ak.ctx -n ak.name >log 2>&1
works 'the TPM gives it the same name' \
	test "$(jq -r .name ak.json)" = "$(od -An -v -tx1 ak.name | tr -d ' \n')"
tpm2_flushcontext -T "$ASSAY_TCTI" -t

refused 'no TPM at all' 1 'no TPM at /dev/no-tpm: load the TPM' \
	"$assay" key create --tcti device:/dev/no-tpm --out new.pem
refused 'no swtpm there' 1 'no TPM answers at swtpm:path=/no/socket: start swtpm' \
	"$assay" key create --tcti swtpm:path=/no/socket --out new.pem
refused 'no such kind of TPM' 1 'does not say where a TPM is' \
	"$assay" key create --tcti nonsense --out new.pem
refused 'days that are no number' 2 '\-\-days must be a number' \
	"$assay" key create --out new.pem --cert new-cert.pem --days 1x
refused 'one file for two things' 2 'would write over new.pem' \
	"$assay" key create --out new.pem --cert new.pem
refused 'no name for the key' 2 '\-\-out FILE is needed' "$assay" key create
refused 'no verb' 2 'create, cert, show, lint or export' "$assay" key
refused 'a verb that is not there' 2 "there is no 'key destroy'" "$assay" key destroy
openssl ecparam -name prime256v1 -genkey -noout -out plain.pem 2>/dev/null
refused 'show of a plain private key' 1 'BEGIN TSS2 PRIVATE KEY' "$assay" key show plain.pem
works 'help is there' sh -c 'for verb in "" create cert show lint export; do
	"$1" key $verb --help | grep -q "^Usage: assay key" || exit 1; done
	for verb in "" load lock list; do
		"$1" keyring $verb --help | grep -q "^Usage: assay keyring" || exit 1; done' sh "$assay"

refused 'no verb for keyrings' 2 'load, lock or list' "$assay" keyring
refused 'a verb of keyrings that is not there' 2 "there is no 'keyring drop'" "$assay" keyring drop
refused 'no certificate to load' 2 '\-\-cert FILE is needed' "$assay" keyring load
refused 'to lock a keyring that is not there' 1 'there is no keyring .assay-no-such-keyring' \
	"$assay" keyring lock --keyring .assay-no-such-keyring
refused 'a keyring that is not there' 1 'there is no keyring .assay-no-such-keyring' \
	"$assay" keyring load --cert cert.pem --keyring .assay-no-such-keyring
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.pem -out no-id.pem -subj /CN=none -days 2 \
	-addext subjectKeyIdentifier=none 2>/dev/null
refused 'a certificate without subject key id' 1 'no-id.pem: the certificate has no subject key id' \
	"$assay" keyring load --cert no-id.pem
refused 'a file that is no certificate' 1 'key.pub' "$assay" keyring load --cert key.pub
refused 'a certificate that is not there' 1 'cannot open' "$assay" keyring load --cert no.pem

nonce=$(openssl rand -hex 32)
tpm2_pcrextend -T "$ASSAY_TCTI" \
	"14:sha1=$(openssl rand -hex 20),sha256=$(openssl rand -hex 32)" >log 2>&1
quote() { # quote OUT OPTION...
	out=$1
	shift
	"$assay" quote --nonce "$nonce" --ak ak.pem --no-assay-log --no-ima-log --out "$out" "$@"
}
works 'PCRs are quoted' quote evidence.json --pcrs 10,14,16 --bank sha256,sha1 --export parts
works 'the evidence has the parts' has evidence.json '.assay == 1 and .type == "evidence" and
	(.pcrs | keys == ["sha1", "sha256"]) and (.pcrs.sha256 | keys == ["10", "14", "16"]) and
	(.quote | has("attest") and has("signature")) and (.boot_id | length == 36)'
works 'the exported files are the same parts' sh -c '
	for part in .nonce:nonce .ak_public:ak.pub .quote.attest:attest .quote.signature:sig; do
		jq -r "${part%%:*}" evidence.json | base64 -d | cmp - "parts/${part#*:}" || exit 1
	done'
works 'the public part is the one that key create wrote' cmp ak.pub parts/ak.pub
checkquote() {
	(cd parts && tpm2_checkquote -u ak.pub -m attest -s sig -f pcrs -g sha256 -q nonce)
}
works 'the quote is signed by the qualified name that key create told' sh -c 'tpm2_print -t TPMS_ATTEST parts/attest |
	grep -q "^qualifiedSigner: $(jq -r .qualified_name ak.json)\$"'
works 'tpm2_checkquote accepts it' checkquote
works 'tpm2_checkquote shows the same PCR 14' sh -c '(cd parts && tpm2_checkquote -u ak.pub \
	-m attest -s sig -f pcrs -g sha256 -q nonce) |
	grep -qi "14: 0x$(jq -r ".pcrs.sha256[\"14\"]" evidence.json)"'
openssl rand 32 >parts/nonce
refusal() { ! checkquote; }
works 'tpm2_checkquote refuses another nonce' refusal

# ---------------------------------------------------------------- for Keylime

keylime() { # OUT NONCE OPTION...: Keylime's nonces are text
	keylime_out=$1 keylime_nonce=$(printf %s "$2" | od -An -v -tx1 | tr -d ' \n')
	shift 2
	"$assay" quote --format keylime --nonce "$keylime_nonce" --ak ak.pem --no-assay-log \
		--no-ima-log --no-uefi-log --out "$keylime_out" "$@"
}
works "evidence in Keylime's form" keylime keylime.json 1a2b3c4d5e6f7g8h9i0j --pcrs 10,14
check 'what is left out is told' grep -q 'left out: policies: the verifier adds' stderr
works "is taken by Keylime's rules" python3 "$here/keylime.py" keylime.json
check 'it is of the PCRs that were asked for' has stdout '.pcrs == [10, 14]'
works 'tpm2_checkquote takes its parts' sh -c '
	jq -r .data.quote keylime.json | sed "s/^r//" | tr : "\n" >parts.b64 &&
	for part in 1 2 3; do sed -n ${part}p parts.b64 | base64 -d >part.$part || exit 1; done &&
	jq -r .data.tpm_ak keylime.json | base64 -d | cmp - ak.pub &&
	jq -j .data.nonce keylime.json >part.nonce &&
	tpm2_checkquote -u ak.pub -m part.1 -s part.2 -f part.3 -g sha256 -q part.nonce'
tpm2_readpublic -T "$ASSAY_TCTI" -c 0x81010001 -o ek.pub >log 2>&1
works 'the endorsement key is the one whose certificate the TPM holds' sh -c '
	jq -r .data.tpm_ek keylime.json | base64 -d | cmp - ek.pub'
works 'as JSON, what is left out is told there' sh -c '
	"$1" quote --format keylime --nonce 6162636465666768 --ak ak.pem --pcrs 10 --no-assay-log \
		--no-ima-log --no-uefi-log --json --out keylime.json 2>stderr.2 >told.json &&
	jq -e ".left_out | length == 1" told.json && ! test -s stderr.2' sh "$assay"
refused 'a nonce that is no text' 1 'compares the nonce as text' keylime new.json 'with a space' --pcrs 10
refused 'more banks than the one of the signature' 1 'of the bank sha256 only' \
	keylime new.json 0123456789abcdef --pcrs 10 --bank sha256,sha1
refused 'a form that is none' 2 '\-\-format must be one of' quote new.json --pcrs 10 --format json

# ---------------------------------------------------------------- by a policy

policy() { # JSON
	printf '%s\n' "$1" >policy.json
}
policy '{"assay": 1, "type": "policy", "pcrs": {"required": [7, 14], "values": {
	"sha1:4": ["0000000000000000000000000000000000000000"]}}}'
works 'the PCRs that a policy asks for are quoted' quote by-policy.json --policy policy.json
works 'in the banks that it has values of' has by-policy.json \
	'[.pcrs.sha256, .pcrs.sha1] | all(has("4") and has("7") and has("14"))'
refused 'a policy and PCRs' 2 'exclude each other' quote new.json --policy policy.json --pcrs 1
policy '{"assay": 1, "type": "policy", "pcrs": {"required": [24]}}'
refused 'a policy that is malformed' 1 'policy.json: .*pcrs' quote new.json --policy policy.json

# ---------------------------------------------------------------- keys of other kinds

other_key() { # ALGORITHM HASH [OPTION]...: made, kept in the TPM, and quotes
	other_algorithm=$1 other_hash=$2
	shift 2
	"$assay" key create --restricted --algorithm "$other_algorithm" "$@" --persistent handle:0x81000077 --force \
		--out other.pem --public other.pub &&
		"$assay" quote --nonce "$nonce" --ak handle:0x81000077 --pcrs 14 --no-assay-log \
			--no-ima-log --out other.json --export other-parts &&
		(cd other-parts && cmp ak.pub ../other.pub &&
			tpm2_checkquote -u ak.pub -m attest -s sig -f pcrs -g "$other_hash" -q nonce) &&
		tpm2_evictcontrol -T "$ASSAY_TCTI" -C o -c 0x81000077
}
works 'an RSA key, from its handle' other_key rsa2048 sha256
pss_key() { # the same for RSAPSS, which tpm2_checkquote does not know
	"$assay" key create --restricted --algorithm rsa2048 --scheme rsapss --force \
		--persistent handle:0x81000076 --out pss.pem --public pss.pub &&
		"$assay" quote --nonce "$nonce" --ak handle:0x81000076 --pcrs 14 --no-assay-log \
			--no-ima-log --out pss.json --export pss-parts &&
		cmp pss.pub pss-parts/ak.pub && "$assay" key export --key pss.pem --out pss.key --force &&
		tail -c 256 pss-parts/sig >pss.sig &&
		openssl dgst -sha256 -verify pss.key -sigopt rsa_padding_mode:pss -signature pss.sig \
			pss-parts/attest &&
		! openssl dgst -sha256 -verify pss.key -signature pss.sig pss-parts/attest &&
		tpm2_evictcontrol -T "$ASSAY_TCTI" -C o -c 0x81000076
}
works 'an RSA key with the scheme RSAPSS, from its handle' pss_key
works 'a P-384 key, from its handle' other_key p384 sha384
refused 'an attestation key that the verifier would not take' 2 'cannot be p521' \
	"$assay" key create --restricted --algorithm p521 --out second.pem
refused 'RSAPSS of what is no RSA key' 2 '\-\-scheme is of RSA keys' \
	"$assay" key create --restricted --scheme rsapss --out second.pem
refused 'a scheme of a key that signs files' 2 '\-\-scheme needs --restricted' \
	"$assay" key create --algorithm rsa2048 --scheme rsapss --out second.pem
# One that tpm2-tools made below the endorsement key.
tools_pss_key() {
	echo '{"assay": 1, "type": "policy"}' >pss-policy.json
	export TPM2TOOLS_TCTI="$ASSAY_TCTI"
	tpm2_createek -G rsa -c ek.ctx -u ek.pub && tpm2_flushcontext -t && tpm2_flushcontext -l &&
		tpm2_createak -C ek.ctx -G rsa -g sha256 -s rsapss -c pss.ctx -u tools.pub -f tss &&
		tpm2_flushcontext -t && tpm2_flushcontext -l &&
		tpm2_evictcontrol -C o -c pss.ctx 0x81000071 && tpm2_flushcontext -t &&
		"$assay" quote --nonce "$nonce" --ak handle:0x81000071 --pcrs 10,14 --no-assay-log --no-ima-log \
			-o pss.json &&
		{ "$assay" verify pss.json --nonce "$nonce" --ak tools.pub --policy pss-policy.json \
			--json >pss-verdict.json || [ $? -eq 1 ]; } &&
		jq -e '[.checks[] | select(.name | IN("ak-expected", "ak-attributes", "ak-algorithm",
			"quote-signature", "quote-nonce", "pcr-digest"))] | length == 6 and all(.result == "pass")' \
			pss-verdict.json
}
works 'a key of tpm2-tools with the scheme RSAPSS, and the verdict on it' tools_pss_key
"$assay" key create --restricted --persistent handle:0x81000078 --out first.pem >log 2>&1
refused 'a handle that is taken' 1 'something at the handle 0x81000078' \
	"$assay" key create --restricted --persistent handle:0x81000078 --out second.pem
works 'leaves no key file' test ! -e second.pem
refused 'a handle that is none' 2 '\-\-persistent: must be handle:' \
	"$assay" key create --restricted --persistent 0x81000079 --out second.pem
refused 'a handle without a key' 1 'no key with the handle' "$assay" quote --nonce "$nonce" \
	--ak handle:0x81000099 --pcrs 14 --no-assay-log --no-ima-log --out new.json

refused 'records without their log' 2 '\-\-since and --no-assay-log exclude' quote new.json --pcrs 10 --since 3
refused 'a record that has no number' 2 '\-\-since must be' quote new.json --pcrs 10 --since -1
refused 'a nonce too short' 2 '8 to 64 bytes' "$assay" quote --nonce 00112233 --ak ak.pem \
	--pcrs 14 --no-assay-log --no-ima-log --out new.json
refused 'a nonce that is not hexadecimal' 2 '8 to 64 bytes' "$assay" quote \
	--nonce 001122334455667g --ak ak.pem --pcrs 14 --no-assay-log --no-ima-log --out new.json
refused 'a PCR that no TPM has' 2 '\-\-pcrs: must be' quote new.json --pcrs 24
refused 'PCRs with a comma at the end' 2 '\-\-pcrs: must be' quote new.json --pcrs 10,
refused 'a bank that is none' 2 '\-\-bank: must be' quote new.json --pcrs 10 --bank md5
refused 'a bank twice' 2 '\-\-bank: must be' quote new.json --pcrs 10 --bank sha256,sha256
refused 'a bank that the TPM has not' 1 'no PCR 10 in the bank sha384' \
	quote new.json --pcrs 10 --bank sha384
refused 'no PCRs' 2 '\-\-pcrs is needed' quote new.json
refused 'a signing key as attestation key' 1 'key.pem is no attestation key' \
	"$assay" quote --nonce "$nonce" --ak key.pem --pcrs 14 --no-assay-log --no-ima-log \
	--out new.json
refused 'no place for the evidence' 1 'cannot create a file beside no/new.json' \
	quote no/new.json --pcrs 14
if [ ! -e /dev/assay ]; then
	refused 'no module' 1 '/dev/assay.*or leave this log out with --no-assay-log' \
		"$assay" quote --nonce "$nonce" --ak ak.pem --out new.json
fi
if [ ! -e /sys/kernel/security/ima/binary_runtime_measurements ]; then
	refused 'no IMA' 1 'CONFIG_IMA.*or leave this log out with --no-ima-log' \
		"$assay" quote --nonce "$nonce" --ak ak.pem --no-assay-log --out new.json
fi
works 'none of them left evidence' test ! -e new.json
works 'no slot of the TPM is left taken' \
	test -z "$(tpm2_getcap -T "$ASSAY_TCTI" handles-transient)"

if [ -e "$(openssl version -m | sed 's/.*"\(.*\)"/\1/')/tpm2.so" ]; then
	export TPM2OPENSSL_TCTI="$ASSAY_TCTI"
	provider='-provider tpm2 -provider default -propquery ?provider=tpm2'
	echo data >data
	openssl x509 -in cert.pem -pubkey -noout >cert.key
	# shellcheck disable=SC2086
	works 'the tpm2 provider signs with our key' openssl pkeyutl $provider -inkey key.pem -sign \
		-rawin -digest sha256 -in data -out data.sig
	works 'and the signature is good' openssl dgst -sha256 -verify cert.key -signature data.sig data
	# shellcheck disable=SC2086
	openssl genpkey $provider -algorithm EC -pkeyopt group:P-256 -out theirs.pem 2>log
	works 'its key is one that we read' "$assay" key show theirs.pem
fi
echo "1..$check_number"
exit "$check_failed"
