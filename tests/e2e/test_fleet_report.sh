#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine that sends signed reports of systemd, and has none of assay's programs, is judged by the
# fleet's verifier: tests/e2e/systemd-reporter.py makes them as systemd does, and a software TPM signs.
# shellcheck disable=SC2016,SC2119
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
firmware_log=aavmf-secureboot.bin
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; end' EXIT

sample=$top/tests/data/systemd_report/aavmf-nonce.report
machine=0123456789abcdef0123456789abcdef
{
	tpm2_createek -G ecc -c ek.ctx -u ek.pub && tpm2_flushcontext -t
	tpm2_createak -C ek.ctx -c report.ctx -G ecc -g sha256 -s ecdsa -u report.pub -f tss -n report.name
	tpm2_flushcontext -t
	tpm2_evictcontrol -C o -c report.ctx 0x81010002 && tpm2_flushcontext -t
	tpm2_nvdefine -C o -s 32 -a 'ownerread|ownerwrite|authread|authwrite' 0x1500016
	echo 'what is in the index 0x1500016..' | head -c 32 | tpm2_nvwrite -C o -i - 0x1500016
} >&2 || bail 'there is no key to sign reports'
# What systemd measured of that boot.
tr '\036' '\n' <"$sample" | jq -rs '.[1].data.eventLog[] | select(.content_type == "systemd" and .pcr) |
	"\(.pcr):sha256=\(.digests[0].digest)"' | xargs tpm2_pcrextend || bail 'tpm2_pcrextend fails'
jq --arg name "$machine" --arg key "$(base64 -w0 report.pub)" --arg of "$(xxd -p -c 99 report.name)" \
	'.machine_id = $name | .ak_public = $key | .ak_name = $of | del(.ak_qualified_name) | .ek_key_sha256 |= ("00" + .[2:])' \
	records/devices/d1.json >report-device.json

makes() { # NONCE OUT [OPTION]...
	"$top/tests/e2e/systemd-reporter.py" "$sample" "$@" || bail 'no report could be made'
}
challenge() {
	ask POST "/v1/devices/$machine/systemd-report/challenge"
	nonce=$(jq -r '.nonce // empty' answer)
}
sends() { # REPORT
	ask POST "/v1/devices/$machine/systemd-report" --data-binary "@$1"
}
# reports [OPTION]...: to a challenge
reports() {
	challenge
	makes "$nonce" report "$@"
	sends report
}

fleet_start || bail 'the service does not start'
makes 00112233445566778899aabbccddeeff first.report
works 'a report of the machine is imported' "$verifier" import systemd-report first.report --out first.json
works 'and a policy learned' sh -c '"$1" policy learn --firmware first.json >report-policy.json' sh "$verifier"
challenge
check 'a machine that nobody enrolled has no nonce' said 404 '.type == "push-error"'
as approver PUT "/v1/devices/$machine?label=systemd" --data-binary @report-device.json
check 'it is enrolled by its record' said 200
upload policies report-policy.json report-policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "report-policy.json", "version": 1}'
check 'and has a policy' said 200
challenge
check 'it is given a nonce, and leaves nothing out' said 200 '.type == "push-challenge" and (.nonce | length == 64) and .have == {log: 0, ima: 0, uefi: 0} and .expires_in > 0'
reports
check 'its report is judged' said 200 '.type == "push-verdict" and .verdict == "trusted" and .reason == "" and .next_in > 200'
cp report before.report
as viewer GET "/v1/devices/$machine"
check 'and it is trusted' said 200 '.device.verdict == "trusted" and .device.policy == "report-policy.json@1" and .device.judged > 0'
as viewer GET "/v1/devices/$machine/verdict"
check 'by every check of the policy' said 200 '.verdict.trusted and ([.verdict.checks[] | select(.name == "quote-session" or .name == "quote-nonce" or .name == "uefi-log-replay") | .result] == ["pass", "pass", "pass"])'
as viewer GET "/v1/devices/$machine/changes"
as viewer GET "/v1/evidence/$(jq -r '.changes[0].evidence' answer)"
check 'its evidence is kept, with the session' eval '[ "$code" = 200 ] && jq -e "(.session.certified | length) == 1 and has(\"nonce\")" answer >/dev/null'
sends before.report
check 'the same report again has the same answer' said 200 '.verdict == "trusted"'
reports
check 'it reports again, with the same boot known' said 200 '.verdict == "trusted"'
sends before.report
check 'what is older than that is refused' said 409 '.error | test("not newer")'
makes 00112233445566778899aabbccddeeff old.report
sends old.report
check 'and so is a nonce of somebody else' said 409 '.error | test("not made for this device")'
makes "$nonce" unsigned unsigned
sends unsigned
check 'a report that is not signed' said 400 '.error | test("not signed")'
jq -c '.metrics = []' unsigned >plain
sends plain
check 'nor one without a metric' said 400 '.error | test("not signed")'
sed 's/assay_nonce/other_nonce/g' before.report >changed.report
sends changed.report
check 'a report that is another one than was signed' said 400 '.error | test("nothing in the report proves how old")'
sends /dev/null
check 'no report at all' said 400 '.error | test("no signed report")'
head -c 3000 before.report >cut.report
sends cut.report
check 'half of one' said 400
as viewer GET "/v1/devices/$machine"
check 'none of which has changed anything' said 200 '.device.verdict == "trusted"'
tpm2_pcrextend "15:sha256=$(printf later | sha256sum | cut -d ' ' -f 1)" || bail 'tpm2_pcrextend fails'
reports later hides
check 'a report that hides the firmware behind what was extended since is a verdict' said 200 '.verdict == "not-trusted" and (.reason | startswith("uefi-log-parsed: "))'
as viewer GET "/v1/devices/$machine"
check 'by which it is not trusted' said 200 '.device.verdict == "not-trusted"'
reports later
check 'what systemd itself extends later is taken' said 200 '.verdict == "trusted"'
for option in reads quotes resets; do
	reports $option
	check "a session that is none, with $option, is no word of the device" said 200 '.verdict == "not-trusted" and (.reason | startswith("quote-session: "))'
	as viewer GET "/v1/devices/$machine"
	check 'and it stays trusted' said 200 '.device.verdict == "trusted"'
done
# The quote is good, and of before what the session did then.
reports extends
check 'nor is a PCR that was extended behind the quote' said 200 '.verdict == "not-trusted" and (.reason | startswith("quote-session: "))'
# What is quoted is not in the log, and the report has no other values of PCRs.
reports
check 'a log that has not what was extended is found out' said 200 '.verdict == "not-trusted" and (.reason | test("^pcr-digest: .*extended that is not in it"))'
cp report extended.report
as viewer GET "/v1/devices/$machine"
check 'and is a verdict: that quote is of the device' said 200 '.device.verdict == "not-trusted" and (.device.reason | startswith("pcr-digest: "))'
as viewer GET '/v1/alarms'
check 'with an alarm' said 200 '.open_count == 1 and .alarms[0].device == "'"$machine"'"'
sends extended.report
check 'which the same report again gets, too' said 200 '.verdict == "not-trusted" and (.reason | startswith("pcr-digest: "))'
echo "1..$check_number"
exit "$check_failed"
