#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay verify` and `assay-verify verify` as people call them, on evidence that is
# good (tests/data/evidence) and on what can be made of it: the verdict's words, the
# JSON, and the exit status above all.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016
set -eu
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
assay=${ASSAY:-$PWD/build/host/assay}
data=$PWD/tests/data/evidence
verifier_page=$PWD/man/assay-verify.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"
good_nonce=$(xxd -p "$data/nonce")
checks=$(sed -n '/^\.Sh CHECKS/,/^\.Sh JSON/p' "$verifier_page" | grep -c '^\.It Li ')

# judge EVIDENCE [OPTION]...: with all that is needed
judge() {
	judge_nonce "$good_nonce" "$@"
}

judge_nonce() { # NONCE EVIDENCE [OPTION]...
	nonce=$1
	evidence=$2
	shift 2
	run "$verifier" verify "$evidence" --nonce "$nonce" --ak "$data/ak.pub" \
		--manifest "$data/manifest.jsonl" --cert "$data/cert.pem" --waive boot-known --waive assay-log-chain "$@"
}

trusted() {
	[ "$status" -eq 0 ] && head -n 1 stdout | grep -q '^trusted' && [ ! -s stderr ]
}

# Not trusted, because of that check first of all; and no line says otherwise.
refused() { # CHECK
	[ "$status" -eq 1 ] && [ "$(head -n 1 stdout)" = 'NOT TRUSTED' ] &&
		sed -n 3p stdout | grep -q "^FAIL  *$1: " && ! grep -q ^trusted stdout
}

ended() { # STATUS WORDS: the exit status, words on standard error, no verdict
	told "$@" && ! grep -qi trusted stdout
}

# change FILTER: evidence.json, changed by jq
change() {
	jq "$@" "$data/evidence.json" >changed.json
}

plain_text() {
	! grep -q "$(printf '\033')" stdout
}

echo 1..68

judge "$data/evidence.json"
check 'good evidence is trusted' trusted
check 'no colours where there is no terminal' plain_text
check 'a line a group, and what is waived, and nothing else' [ "$(sed 's/ .*//' stdout | tail -n +2 | tr '\n' ' ')" = \
	' note  quote firmware log IMA files ' ]
judge "$data/evidence.json" --verbose
check '--verbose: every check has a line' \
	[ "$(grep -c -e '^  pass  ' -e '^  note  ' -e '^  not checked  ' stdout)" -eq "$checks" ]
check 'below the verdict' trusted
judge "$data/evidence.json" --ak-qualified-name "$(xxd -p -c 64 "$data/ak.qname")"
check 'and with the qualified name' trusted
verifier_only=$verifier
verifier=$assay
judge "$data/evidence.json"
check 'assay verify says the same' trusted
verifier=$verifier_only
run sh -c '"$0" verify - --nonce "$1" --ak "$2/ak.pub" --manifest "$2/manifest.jsonl" \
	--cert "$2/cert.pem" --waive boot-known --waive assay-log-chain <"$2/evidence.json"' "$verifier" "$good_nonce" "$data"
[ "$status" -ne 3 ] || cat stderr
check 'evidence from standard input' trusted
judge "$data/evidence.json" --json
check 'JSON: trusted' [ "$(jq -c '[.assay, .type, .trusted]' stdout)" = '[1,"verdict",true]' ]
check 'JSON: all required checks passed, none failed but what is waived' [ "$(jq -r '[.checks[] |
	select(.result == "fail" or (.required and .result != "pass")) | .name] | join(" ")' stdout)" = assay-log-chain ]
check 'JSON: what is not required needs something to compare with, or is common' \
	[ "$(jq -r '[.checks[] | select(.required | not) | .name] | join(" ")' stdout)" = \
	'ak-certificate quote-session quote-age quote-counters quote-firmware quote-clock pcr-values assay-log-tpm assay-log-chain assay-log-progress uefi-log-parsed uefi-log-replay uefi-log-events firmware-secure-boot firmware-keys firmware-dbx firmware-authorities firmware-platform firmware-drivers firmware-programs firmware-files firmware-sections firmware-mok firmware-command-line firmware-phases firmware-separator boot-known ima-log-violations ima-boot-aggregate manifest-current ima-signatures ima-files-match ima-files-known files-filesystem' ]
check 'JSON: exit status 0' [ "$status" -eq 0 ]

run script -qec "TERM=xterm '$verifier' verify '$data/evidence.json' --verbose --nonce $good_nonce \
	--ak '$data/ak.pub' --manifest '$data/manifest.jsonl' --cert '$data/cert.pem'" /dev/null
check 'colours on a terminal' [ "$(grep -c "$(printf '\033\\[32m')" stdout)" -gt 20 ]
run script -qec "NO_COLOR=1 TERM=xterm '$verifier' verify '$data/evidence.json' \
	--nonce $good_nonce --ak '$data/ak.pub' --manifest '$data/manifest.jsonl' \
	--cert '$data/cert.pem'" /dev/null
check 'none with NO_COLOR' plain_text

judge_nonce 00112233445566778899aabbccddeeff "$data/evidence.json"
check 'an old nonce is refused' refused quote-nonce
judge_nonce 00112233445566778899aabbccddeeff "$data/evidence.json" --json
check 'JSON: not trusted, and why' [ "$(jq -c '[.trusted, (.checks[] | select(.result == "fail") | .name)]' \
	stdout)" = '[false,"quote-nonce"]' ]
check 'JSON: exit status 1' [ "$status" -eq 1 ]
cel=$({ jq -r .logs.assay.cel "$data/evidence.json" | base64 -d | head -c -1; printf n; } | base64 -w 0)
change --arg cel "$cel" '.logs.assay.cel = $cel' # "two" is made "twn"
judge changed.json
check 'a byte of the log changed is refused' refused assay-log-digests
change '.logs.ima.data |= .[:-4]'
judge changed.json
check 'a list of IMA that is cut is refused' refused ima-log-parsed
change '.quote.signature |= sub(".{4}$"; "AAAA")'
judge changed.json
check 'a signature that is changed is refused' refused quote-signature
change '.pcrs.sha256["15"] = .pcrs.sha256["14"]'
judge changed.json
check 'a PCR more than quoted is refused' refused pcr-selection
change 'del(.logs.ima)'
judge changed.json
check 'evidence without IMA is refused' refused evidence-logs
judge changed.json --no-ima-log
check 'unless IMA is not asked for' trusted

cp "$data/manifest.jsonl" other.jsonl
cp "$data/manifest.jsonl.p7s" other.jsonl.p7s
echo '{"path":"/zzz","size":0,"digest":"sha256:00","pkcs7":"","ima":""}' >>other.jsonl
judge "$data/evidence.json" --manifest other.jsonl
check 'a manifest that was added to is refused' refused manifest-signature
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout other.key -out other.crt -days 10 2>/dev/null
run "$verifier" verify "$data/evidence.json" --nonce "$good_nonce" --ak "$data/ak.pub" \
	--manifest "$data/manifest.jsonl" --cert other.crt --waive boot-known --waive assay-log-chain
check 'a manifest of another signer is refused' refused manifest-signature
# Whoever has any file signed must not own a signed manifest by that.
sed "1s/\"created\":\"[^\"]*\"/\"created\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"/" "$data/manifest.jsonl" >as-file.jsonl
{
	printf 'FSVerity\001\000\040\000'
	"$verifier" digest as-file.jsonl | cut -c8-71 | tr a-f A-F | tr -d '\n' | basenc -d --base16
} >content
openssl cms -sign -binary -in content -signer other.crt -inkey other.key -outform DER -md sha256 \
	-nocerts -noattr -out as-file.jsonl.p7s
as_file() { # [OPTION]...
	run "$verifier" verify "$data/evidence.json" --nonce "$good_nonce" --ak "$data/ak.pub" \
		--manifest as-file.jsonl --cert other.crt --waive boot-known --waive assay-log-chain "$@"
}
as_file
check 'a manifest with the signature of a file is refused' \
	eval 'refused manifest-signature && grep -q "it is the signature of a file" stdout'
as_file --accept-file-signature
check 'unless it is asked for' trusted
judge "$data/evidence.json" --strip-prefix /mnt
check 'paths outside the root are refused' refused files-known

cat >policy.json <<END
{"assay": 1, "type": "policy", "manifests": ["$data/manifest.jsonl"], "max_age": 60,
 "certificates": [{"pem": $(jq -Rs . "$data/cert.pem")}], "waive": {"files-complete": "a test", "boot-known": "a test", "assay-log-chain": "a test"}}
END
issued=$(date -u +%Y-%m-%dT%H:%M:%SZ)
with_policy() { # POLICY [OPTION]...
	policy=$1
	shift
	run "$verifier" verify "$data/evidence.json" --nonce "$good_nonce" --ak "$data/ak.pub" \
		--policy "$policy" "$@"
}
with_policy policy.json --issued "$issued" --verbose
check 'a policy says where all is' trusted
check 'and what is not required' grep -q '^  pass  *files-complete .*(not required)' stdout
with_policy policy.json --issued 2026-01-31T23:59:59Z
check 'a nonce that is too old is refused' refused quote-age
with_policy policy.json
check 'as is evidence that was collected long ago' refused quote-age
mkdir -p sub
jq '.manifests = ["../m.jsonl"] | del(.max_age)' policy.json >sub/relative.json
cp "$data/manifest.jsonl" m.jsonl
cp "$data/manifest.jsonl.p7s" m.jsonl.p7s
with_policy sub/relative.json
check "names are relative to the policy's directory" trusted
jq '.pcrs.values["sha256:14"] = [("00" * 32)]' sub/relative.json >sub/pcrs.json
with_policy sub/pcrs.json
check 'a PCR that is not as expected is refused' refused pcr-values
jq '.manifests = ["missing.jsonl"]' policy.json >no-manifest.json
with_policy no-manifest.json
check 'a manifest that is not there: exit status 1' ended 1 missing.jsonl
jq '.pcrs.vales = {}' policy.json >misspelt.json
with_policy misspelt.json
check 'a member that is misspelt: its path, exit status 1' ended 1 'misspelt.json: .*"pcrs.vales" is not known'
jq '.nonce_bytes = 32' policy.json >long-nonce.json
with_policy long-nonce.json
check "a nonce shorter than the policy's: exit status 2" ended 2 'no fewer than 32'
with_policy policy.json --issued yesterday
check 'a time that is none: exit status 2' ended 2 "not 'yesterday'"

with_policy sub/relative.json --html page.html --junit junit.xml
check 'a page says trusted' grep -q '<h1 class=[a-z]*>trusted' page.html
check 'JUnit has a test case a check' [ "$(grep -c '<testcase' junit.xml)" -eq "$checks" ]
check 'and no failure' [ "$(grep -c '<failure' junit.xml)" -eq 0 ]
with_policy sub/pcrs.json --html page.html --junit junit.xml
check 'a page says what is wrong' grep -q 'NOT TRUSTED.*' page.html
check 'JUnit has the failure' grep -q '<failure type="fail" message="sha256 PCR 14 is ' junit.xml
check 'advice is below what failed' [ "$(sed -n 4p stdout | cut -c 1-34)" = '             Find out what changed' ]
with_policy sub/relative.json --html missing/page.html
check 'a page that cannot be written: exit status 1, no verdict' ended 1 missing/page.html

# What the device's record keeps: the same evidence is not trusted twice.
jq -n --arg public "$(base64 -w 0 "$data/ak.pub")" --arg qname "$(xxd -p -c 80 "$data/ak.qname")" \
	--arg name "000b$(tail -c +3 "$data/ak.pub" | openssl dgst -sha256 -r | cut -d' ' -f1)" '{
	assay: 1, type: "device", machine_id: "test", enrolled: "2025-10-09T00:00:00Z",
	ak_public: $public, ak_name: $name, ak_qualified_name: $qname,
	ek_key_sha256: ("00" * 32), ek_certificate_sha256: ("00" * 32)}' >device.json
cp device.json fresh.json
with_device() { # [OPTION]...
	run "$verifier" verify "$data/evidence.json" --nonce "$good_nonce" --device device.json \
		--manifest "$data/manifest.jsonl" --cert "$data/cert.pem" --waive boot-known --waive assay-log-chain "$@"
}
with_device --no-update
check 'by a device record' trusted
check 'which stays as it is with --no-update' cmp device.json fresh.json
chmod 640 device.json
with_device
check 'and is written back otherwise' trusted
check 'with the state' [ "$(jq -c '[.machine_id, .state.records, .state.late_tpm]' device.json)" = '["test",5,false]' ]
check 'and its mode' [ "$(stat -c %a device.json)" = 640 ]
cp device.json kept.json
with_device
check 'the same evidence once more is refused' refused quote-counters
check 'and leaves no trace' cmp device.json kept.json
jq '.state.clock = "1"' kept.json >device.json
with_device --verbose
check 'newer evidence is compared with the state' trusted
check 'record by record' grep -q '^  pass *assay-log-progress .*0 records since the last' stdout
jq '.state.records = 6' device.json >other.json
jq '.state.clock = "1"' other.json >device.json
with_device
check 'a log that is shorter than it was is refused' refused assay-log-progress
jq '.state.pcr = 1' kept.json >device.json
with_device
check 'a state that is none: exit status 1' ended 1 'device.json: .*"pcr" is no digest'
jq '.state.clock = "1"' kept.json >device.json
chmod 555 .
with_device
chmod 755 .
check 'a state that cannot be kept: no verdict' [ "$(id -u)" -eq 0 -o "$status" -eq 1 ]

head -c 1000 "$data/evidence.json" >cut.json
judge cut.json
check 'evidence that is cut: exit status 3' [ "$status" -eq 3 ]
judge cut.json --json
check 'JSON of it: not trusted' [ "$(jq .trusted stdout)" = false ]
judge missing.json
check 'no evidence: exit status 3' ended 3 missing.json
judge "$data/evidence.json" --manifest missing.jsonl
check 'no manifest: exit status 1' ended 1 missing.jsonl
judge_nonce 0011 "$data/evidence.json"
check 'a short nonce: exit status 2' ended 2 'no fewer than 16'
judge "$data/evidence.json" --waive quote-signature
check 'the signature cannot be waived' ended 2 'cannot be waived'
judge "$data/evidence.json" --waive nothing
check 'nor can what there is not' ended 2 "no check 'nothing'"
run "$verifier" verify "$data/evidence.json" --ak "$data/ak.pub" --manifest "$data/manifest.jsonl" --cert "$data/cert.pem"
check 'without a nonce: exit status 2' ended 2 'missing option: --nonce'
run sh -c '"$0" verify "$2/evidence.json" --nonce "$1" --ak "$2/ak.pub" \
	--manifest "$2/manifest.jsonl" --cert "$2/cert.pem" >/dev/full' \
	"$verifier" "$good_nonce" "$data"
check 'a verdict that cannot be written: exit status 1' ended 1 'cannot write'
readelf -d "$verifier" >needed
check 'assay-verify links OpenSSL' grep -q 'NEEDED.*libcrypto' needed
check 'and neither the TPM stack nor keyutils' [ "$(grep -c -e tss2 -e keyutils needed)" -eq 0 ]
