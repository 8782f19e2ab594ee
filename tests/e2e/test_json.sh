#!/bin/sh
# SPDX-License-Identifier: MIT
# What commands print with --json, each of them, also where they fail: of the form that
# policy/output.schema.json has, in which a member has one meaning in all. Commands that need the
# module run in a guest.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
data=$PWD/tests/data
. tests/swtpm.sh
tpm_work assay-json
CHECK_OUT=$work
. tests/check.sh
cd "$work"
mkdir json

# keeps STATUS NAME COMMAND...
keeps() {
	wanted=$1 name=$2
	shift 2
	run "$@"
	cp stdout "json/$name"
	check "$name ends with $wanted" told "$wanted"
}

"$top/qemu/make-tpm" "$work/tpm" >&2
tpm_start "$work/tpm" >&2
export ASSAY_TCTI="swtpm:path=$work/tpm.sock"
mkdir tree records
echo a >tree/a
ln tree/a tree/b
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout k.pem -out c.pem -days 10 2>/dev/null
cp c.pem good.pem
maker='--roots tpm/ek-root.pem --intermediates tpm/ek-issuer.pem'
evidence="$data/evidence/evidence.json --nonce $(xxd -p "$data/evidence/nonce") --ak $data/evidence/ak.pub
	--manifest $data/evidence/manifest.jsonl --cert $data/evidence/cert.pem"

keeps 0 key-create "$assay" key create --out key.pem --cert cert.pem --subject X --public pub.pem --json
keeps 0 key-create-persistent "$assay" key create --out kp.pem --persistent handle:0x81000010 --json
keeps 0 key-create-ak "$assay" key create --restricted --out ak.pem --json
keeps 0 key-show "$assay" key show key.pem --json
keeps 0 key-cert "$assay" key cert --key key.pem --subject Y --out cert2.pem --json
keeps 0 key-export "$assay" key export --key key.pem --out public.pem --json
keeps 0 key-lint "$assay" key lint c.pem --json
keeps 1 digest "$assay" digest --json tree/a /nonexistent
keeps 0 authenticode "$assay" digest --authenticode --json "$data/fuzz_pe/plus"
keeps 0 engines "$assay" digest --engines --json
keeps 0 sign "$assay" sign --key k.pem --cert c.pem --root tree --manifest m --json
keeps 0 sign-delegate "$assay" sign --key k.pem --cert c.pem --root tree --manifest md --delegate --json
keeps 0 sign-prepare "$assay" sign --prepare todo --cert c.pem --root tree --manifest mp --json
keeps 0 check "$assay" check --manifest m --root tree --cert c.pem --json
echo b >tree/a
keeps 1 check-bad "$assay" check --manifest m --root tree --cert c.pem --json
keeps 1 enable "$assay" enable --manifest m --root tree --cert c.pem --dry-run --json
keeps 0 log-show "$assay" log show --json "$data/fuzz_cel/sample"
keeps 0 log-show-kinds "$assay" log show --json "$data/fuzz_cel/kinds"
base64 -d "$data/cel/gotpmtools-cel.b64" >other
keeps 0 log-show-other "$assay" log show --json other
head -c 500 "$data/fuzz_cel/sample" >cut.cel
keeps 1 log-show-cut "$assay" log show --json cut.cel
keeps 0 log-verify-archive "$assay" log verify-archive --json "$data"/archive/*-*
cp -r "$data/archive" damaged
echo more >>damaged/6b1d3e20-0001-4002-8003-010203040506/000001.cel.zst
keeps 1 log-verify-archive-damaged "$assay" log verify-archive --json damaged/*-*
keeps 0 enroll-request "$assay" enroll request --ak ak.pem --machine-id m1 --out req.json --json
# shellcheck disable=SC2086
keeps 0 enroll-challenge "$assay" enroll challenge req.json --records records --out ch.json $maker --json
keeps 0 enroll-answer "$assay" enroll answer ch.json --ak ak.pem --out an.json --json
keeps 0 enroll-accept "$assay" enroll accept an.json --records records --json
# shellcheck disable=SC2086
keeps 0 enroll "$assay" enroll --ak ak.pem --machine-id m1 --records records --replace $maker --json
mkdir -p verifier/devices
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -keyout tls.key -out tls.pem -days 10 2>/dev/null
cat tls.pem tls.key >verifier/server.pem
cp records/devices/m1.json verifier/devices/
echo pending evidence >verifier/mode
"$top/build/host/push-verifier" "$top/build/host/assay-verify" verifier &
verifier_pid=$!
eventually test -s verifier/port
keeps 0 push "$assay" push --url "https://localhost:$(cat verifier/port)" --ca tls.pem --ak ak.pem --name m1 \
	--no-assay-log --no-ima-log --no-uefi-log --pcrs 0 --json
kill "$verifier_pid"
keeps 0 quote "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak ak.pem --no-assay-log \
	--no-ima-log --pcrs 10,14 --out ev.json --json
# Keylime's nonces are text.
"$assay" quote --nonce 6162636465666768696a --ak ak.pem --no-assay-log --no-ima-log --no-uefi-log --pcrs 10 \
	--out text.json >&2
keeps 0 export-keylime "$assay" export keylime text.json --ek "$data/evidence/ak.pub" --out exported.json --json
# shellcheck disable=SC2086
keeps 0 verdict "$assay" verify $evidence --waive boot-known --waive assay-log-chain --json
# shellcheck disable=SC2086
keeps 1 verdict-bad "$assay" verify $evidence --pcr-start "sha256:$(printf %064d 1)" --manifest m --json
echo '{' >broken
keeps 3 verdict-unreadable "$assay" verify broken --nonce 00112233445566778899aabbccddeeff --ak "$data/evidence/ak.pub" \
	--manifest m --cert c.pem --json
# Without values of PCRs the boot cannot be known: a warning.
echo '{"assay": 1, "type": "policy"}' >policy.json
keeps 1 policy-lint "$assay" policy lint policy.json --json
# The form of the answer; tests/e2e/test_enforce_ipe.sh has a kernel that takes policies.
mkdir -p securityfs/ipe/policies/assay
: >securityfs/ipe/policies/assay/update
echo 1 >securityfs/ipe/policies/assay/active
"$assay" policy sign "$top/policy/enforce/ipe-signed.policy" --key k.pem --cert c.pem --out ipe.p7b >&2
keeps 0 policy-load "$assay" policy load ipe.p7b --securityfs securityfs --json
keeps 0 policy-pcr11 "$assay" policy pcr11 --show --json "$data/fuzz_pe/uki-252" "$data/fuzz_pe/uki-profiles"
for log in "$data"/uefi/*.eventlog; do
	keeps 0 "replay-$(basename "$log")" "$assay" replay uefi --json "$log"
done
for log in "$data"/uefi/*moklisttrusted.bin "$data"/uefi/*crypto_agile_eventlog "$data"/uefi/*postcode.bin; do
	keeps 0 "replay-events-$(basename "$log")" "$assay" replay uefi --events --json "$log"
done
keeps 1 replay-ccel "$assay" replay ccel --json "$data/uefi/ccel-ovmf.bin" --expect "RTMR0:sha384:$(printf %096d 0)"
keeps 0 replay-ccel-events "$assay" replay ccel --events --json "$data/uefi/ccel-cos-113-tdx.bin"
keeps 0 replay-cel-rtmr "$assay" replay cel --json other
keeps 0 import-tpm2-tools "$assay" import tpm2-tools -m "$data/quote/keylime-test-data/quote.out" \
	-s "$data/quote/keylime-test-data/quotesig.out" -f "$data/quote/keylime-test-data/quotepcr.out" \
	-u "$data/quote/keylime-test-data/ak.pub" --out imported.json --json
keeps 0 import-keylime "$assay" import keylime "$data/fuzz_import_keylime/one-shot.json" --out imported.json --json
keeps 0 import-go-tpm-tools "$assay" import go-tpm-tools "$data/go_tpm_tools/gce-cos-85-nonce9009.pb" --out imported.json --json
keeps 0 import-systemd-report "$assay" import systemd-report "$data/systemd_report/aavmf-secureboot.report" \
	--out imported.json --json
printf '["application/vnd.assay.evidence+json", "%s"]\n' "$(base64 -w 0 imported.json | tr +/ -_ | tr -d =)" >imported.cmw
keeps 0 import-cmw "$assay" import cmw imported.cmw --out unwrapped.json --json
keeps 0 export-tpm2-tools "$assay" export tpm2-tools imported.json --out exported --json
keeps 0 import-ima "$assay" import ima "$data/ima_ascii/keylime-ima-log.txt" --out imported.bin --json
keeps 1 policy-diff "$assay" policy diff "$data"/uefi/tpm2tools-event-moklisttrusted.bin \
	"$data"/uefi/keylime-secureboot.bin --json
keeps 0 replay-ima "$assay" replay ima --json "$data/ima/ibmtss-imatest.log"
for log in "$data/ima/ibmtss-imatest.log" "$data/ima/ibmtss-sha256.log"; do
	keeps 0 "replay-ima-events-$(basename "$log")" "$assay" replay ima --events --json "$log"
done
keeps 1 replay-cel "$assay" replay cel --json "$data/fuzz_cel/sample" --expect "14:sha256:$(printf %064d 0)"
tpm_stop

# Where a call fails before it has a result: every command and verb.
is_error() { # STATUS: the kept output of the last command
	told "$1" && jq -e -s --argjson status "$1" 'length == 1 and (.[0] | .type == "error" and .assay == 1 and
		.status == $status and (.error | length) > 0)' stdout >/dev/null
}
fails() { # STATUS TITLE COMMAND...
	wanted=$1 title=$2
	shift 2
	run "$assay" "$@"
	check "$title prints an error object" is_error "$wanted"
	cp stdout "json/error-$check_number"
}
fails 2 'a command that is not there' nonsense --json
for command in $("$assay" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
	[ "$command" != fsverity ] || continue
	verbs=$("$assay" "$command" --help | sed -n "s/^\(Usage:\)\? *assay $command \([a-z][a-z0-9-]*\)\( .*\)\?$/\2/p" | sort -u)
	for verb in '' $verbs; do
		# shellcheck disable=SC2086
		fails 2 "assay $command $verb" "$command" $verb --json --no-such-option
	done
done
fails 1 'status without the module' status --json
keeps 3 check-unreadable "$assay" check --json --manifest /nonexistent --cert c.pem
fails 1 'a key file that is not there' key show --json none.pem
fails 1 'a key below a parent that is not there' key create --json --out new.pem --parent 0x81000099
fails 2 'a scheme of no attestation key' key create --json --out new.pem --scheme rsapss
fails 1 'a certificate over a file' key cert --json --key k.pem --out c.pem
fails 1 'an export over a file' key export --json --key k.pem --out c.pem
fails 1 'sign without its key' sign --json --key /nonexistent --cert c.pem --root tree --manifest m3
fails 3 'verify without its evidence' verify --json /nonexistent --nonce 00112233445566778899aabbccddeeff \
	--ak "$data/evidence/ak.pub" --manifest m --cert c.pem

guest_status=0
(cd "$top" && qemu/run-guest --flavour 4k --init tests/e2e/json-guest.sh --region auto --tpm new --banks sha256 \
	--file tests/check.sh=/bed/check.sh --file build/arm64/assay=/bed/bin/assay --file build/arm64/assay-initrd=/bed/bin/assay-initrd \
	--file build/kmod/4k/assay.ko=/bed/assay.ko --file "$work/good.pem=/bed/good.pem" \
	--out "$work/guest") || guest_status=$?
for name in guest/files/json/*; do
	cp "$name" "json/guest-${name##*/}"
done
works 'all of it is of the form that the schema has' \
	python3 "$top/tests/e2e/json-schema.py" "$top/policy/output.schema.json" json/*
sed -n 's/^# /# /p' stdout
echo "1..$check_number"
[ "$check_failed" -eq 0 ] || exit 1
exit "$guest_status"
