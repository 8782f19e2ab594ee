#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine with Keylime's push agent, and none of assay's programs, is judged by the fleet's verifier:
# tests/e2e/keylime-agent.py speaks the agent's protocol, and a software TPM signs.
# shellcheck disable=SC2016,SC2119
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
firmware_log=keylime-secureboot.bin
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; end' EXIT

# ---------------------------------------------------------------- the agent's key, as Keylime makes it
agent=d432fbb3-d2f1-4a97-9ef7-75bd81c00000
{
	tpm2_createek -G rsa -c ek.ctx -u ek.pub && tpm2_flushcontext -t
	tpm2_createak -C ek.ctx -c agent.ctx -G rsa -g sha256 -s rsassa -u agent.pub -f tss -n agent.name
	tpm2_flushcontext -t
	tpm2_evictcontrol -C o -c agent.ctx 0x81010002 && tpm2_flushcontext -t
} >&2 || bail 'there is no key of an agent'
# Its record is another device's but for the key, and for the TPM that proved it.
jq --arg name "$agent" --arg key "$(base64 -w0 agent.pub)" --arg of "$(xxd -p -c 99 agent.name)" \
	'.machine_id = $name | .ak_public = $key | .ak_name = $of | del(.ak_qualified_name) | .ek_key_sha256 |= ("00" + .[2:])' \
	records/devices/d1.json >agent.json
cp "$firmware" firmware
push_agent() { # COMMAND [OPTION=VALUE]...
	"$top/tests/e2e/keylime-agent.py" "$url" servers.pem "$agent" "$@" >agent.out 2>agent.err || {
		sed 's/^/# /' agent.err
		code=none
		return 1
	}
	code=$(sed -n 1p agent.out)
	sed -n 2p agent.out >answer
}
fleet_start || bail 'the service does not start'
push_agent attest
check 'an agent that nobody enrolled' said 404 '.errors[0].status == "404"'
as approver PUT "/v1/devices/$agent?label=keylime" --data-binary @agent.json
check 'it is enrolled by its record' said 200
upload policies policy.json v/policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
check 'and has a policy' said 200
push_agent negotiate
check 'it is told what is wanted' said 201 '[.data.attributes.evidence_requested[].evidence_type] == ["tpm_quote", "uefi_log", "ima_log"]'
push_agent attest save=evidence.json
check 'its evidence is judged' said 202 '.data.attributes.evaluation == "pass" and .meta.seconds_to_next_attestation > 200 and (.meta | has("reason") | not)'
as viewer GET "/v1/devices/$agent"
check 'and it is trusted' said 200 '.device.verdict == "trusted" and .device.policy == "policy.json@1" and .device.judged > 0'
as viewer GET "/v1/devices/$agent/verdict"
check 'by every check of the policy' said 200 '.verdict.trusted and ([.verdict.checks[] | select(.name == "quote-nonce" or .name == "ima-log-replay" or .name == "uefi-log-replay") | .result] == ["pass", "pass", "pass"])'
as viewer GET "/v1/devices/$agent/changes"
as viewer GET "/v1/evidence/$(jq -r '.changes[0].evidence' answer)"
check 'whose evidence is kept as that of others' eval '[ "$code" = 200 ] && jq -e ".logs.ima and .logs.uefi and has(\"ak_public\")" answer >/dev/null'
push_agent send evidence.json
check 'the same evidence again has the same answer' said 202 '.data.attributes.evaluation == "pass"'
jq '.data.attributes.evidence_collected[2].data.entries = ""' evidence.json >less.json
push_agent send less.json
check 'but not another one by that quote' said 403
push_agent attest
check 'it attests again' said 202 '.data.attributes.evaluation == "pass"'
push_agent send evidence.json
check 'what is older than that is refused' said 403 '.errors[0].detail | test("not newer|not made")'
for proof in flipped signature empty quote old; do
	push_agent attest "proof=$proof"
	check "no session by a proof that is $proof" eval '[ "$code" = 401 ] || [ "$code" = 400 ]'
done
for token in wrong "$(printf %064d 0)"; do
	push_agent attest "token=$token"
	check 'nor without its token' said 401
done
as approver PUT "/v1/devices/d1?label=other" --data-binary @records/devices/d1.json
check 'another device is there' said 200
push_agent attest other=d1
check 'for which its token is not good' said 401
push_agent attest "token=$("$top/tests/e2e/keylime-agent.py" "$url" servers.pem "$agent" session)"
check 'while that is good for it more than once' said 202
push_agent attest pcrs=other
check 'other values of PCRs than were quoted make it not trusted' said 202 '.data.attributes.evaluation == "fail" and (.meta.reason | startswith("pcr-digest: "))'
as viewer GET "/v1/devices/$agent"
check 'which it is held for' said 200 '.device.verdict == "not-trusted" and (.device.reason | startswith("pcr-digest: "))'
push_agent attest
check 'until it sends the right ones' said 202 '.data.attributes.evaluation == "pass"'
# ---------------------------------------------------------------- another boot, with another firmware
as viewer GET "/v1/devices/$agent"
check 'the version of its firmware is known' said 200 '.device.firmware == "edk2-20240524-7.el9"'
tpm_stop
rm -f tpm.sock
tpm_start "$work/tpm" >&2 || bail 'swtpm does not start again'
firmware=$top/tests/data/uefi/tpm2tools-event-arch-linux.bin
cp "$firmware" firmware
boots
{ tpm2_createek -G rsa -c ek.ctx -u ek.pub && tpm2_flushcontext -t; } >&2 || bail 'no endorsement key again'
with_logs "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak ak.pem --no-assay-log --out second.json
"$verifier" policy learn second.json --ima >v/policy.json 2>/dev/null || bail 'no policy of the other firmware'
upload policies policy.json v/policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 2}'
check 'a policy that knows another firmware' said 200
push_agent attest
check 'of another boot, which it does not name, it is trusted' said 202 '.data.attributes.evaluation == "pass"'
as viewer GET "/v1/devices/$agent"
check 'and what it had before is not shown: this firmware does not say its version' said 200 '.device.verdict == "trusted" and .device.firmware == ""'
# ---------------------------------------------------------------- what is wrong with it is found
measure /usr/bin/evil "$(echo evil | sha256sum | cut -d ' ' -f 1)"
push_agent attest save=evil.json
check 'a program that nobody knows' said 202 '.data.attributes.evaluation == "fail" and (.meta.reason | test("^ima-files-known: .*/usr/bin/evil"))'
as viewer GET "/v1/devices/$agent"
check 'makes it not trusted' said 200 '.device.verdict == "not-trusted"'
as viewer GET /v1/devices/d1
check 'it, and no other device' said 200 '.device.verdict == "never"'
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 1}'
check 'its evidence is judged again as that of others' said 200
tpm2_evictcontrol -C o -c 0x81010002 >/dev/null 2>&1
tpm2_createak -C ek.ctx -c other.ctx -G rsa -g sha256 -s rsassa -u other.pub -n other.name >&2 && tpm2_flushcontext -t
tpm2_evictcontrol -C o -c other.ctx 0x81010002 >&2 && tpm2_flushcontext -t
push_agent attest
check 'by another key than the enrolled one there is no session' said 401
check 'it ends as it should' fleet_stop
echo "1..$check_number"
exit "$check_failed"
