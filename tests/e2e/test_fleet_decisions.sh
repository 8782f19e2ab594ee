#!/bin/sh
# SPDX-License-Identifier: MIT
# What devices are judged by: two persons who decide, and a policy that is rolled out to a share of the
# devices, halted where they turn red, ended, and at last assigned.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
FLEET_VARIANT=asan
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; end' EXIT
await() { # CONDITION...: for a minute at most
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.1
	done
	return 1
}
echo "approver the-second token:$(printf 'second-token' | sha256sum | cut -d ' ' -f 1)" >>operators
push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20
}
judged_by() { # POLICY VERDICT
	push
	as viewer GET /v1/devices/d1
	said 200 ".device.policy == \"$1\" and .device.verdict == \"$2\""
}

fleet_start --interval 600 --two-persons || bail 'the service does not start'
as approver PUT '/v1/devices/d1?label=shop' --data-binary @records/devices/d1.json
upload policies policy.json v/policy.json
check 'a device and a policy' said 200

# ---------------------------------------------------------------- two persons
as approver POST /v1/assignments -d '{"label": "", "policy": "none.json", "version": 0}'
check 'what cannot be used is not proposed' said 404
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 0}'
check 'one proposes' said 202 '.type == "proposed" and .proposal == 1'
as viewer GET /v1/assignments
check 'which changes nothing' said 200 '.assignments == []'
as operator POST /v1/proposals/1/approve
check 'an operator cannot approve' said 403
as approver POST /v1/proposals/1/approve
check 'nor can who has proposed' said 403
as viewer GET /v1/proposals
check 'it is still there' said 200 '[.proposals[] | [.id, .who, .policy, .percent]] == [[1, "approver the-approver", "policy.json", 100]]'
# A file more, and a policy that knows it: uploaded after the proposal.
push
measure /usr/bin/tool "$(echo tool | sha256sum | cut -d ' ' -f 1)"
with_logs "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak ak.pem --no-assay-log --out second.json
"$verifier" policy learn second.json --ima >learned.json 2>/dev/null
upload policies policy.json learned.json
check 'a newer version' said 200 '.version == 2'
as second POST /v1/proposals/1/approve
check 'another approver can' said 200
as viewer GET /v1/audit
check 'both are noted' said 200 '[.audit[-1] | .act, .who] == ["assign", "approver the-approver, approver the-second"] and ([.audit[].act] | index("propose"))'
as second POST /v1/proposals/1/approve
check 'once' said 404
check 'what was proposed is what holds: the version of then' judged_by policy.json@1 not-trusted
as approver POST /v1/assignments -d '{"label": "shop", "policy": "policy.json", "version": 2}'
check 'another one is proposed' said 202
as operator DELETE /v1/proposals/2
check 'an operator cannot take it back' said 403
as approver DELETE /v1/proposals/2
check 'an approver can' said 200
as second POST /v1/proposals/2/approve
check 'then it is gone' said 404
for id in 0 -1 x 99999999999999999999; do
	as second POST "/v1/proposals/$id/approve"
	check "no proposal: $id" said 404
done
as approver POST /v1/assignments -d '{"label": "shop", "policy": "policy.json", "version": 2}'
as second POST /v1/proposals/3/approve
check 'the label has the newer one' said 200
check 'by which the device is trusted' judged_by policy.json@2 trusted

# ---------------------------------------------------------------- a share of the devices
fleet_start --interval 600 || bail 'the service does not start'
rollout() { # JSON
	as approver POST /v1/rollouts -d "$1"
}
for body in '{}' '{"label": "shop", "policy": "policy.json", "version": 1}' '{"label": "shop", "policy": "policy.json", "version": 1, "percent": 101}' \
	'{"label": "shop", "policy": "policy.json", "version": 1, "percent": -1}' '{"label": "x y", "policy": "policy.json", "version": 1, "percent": 1}' \
	'{"label": "shop", "policy": "policy.json", "version": 1, "percent": 1, "halt_percent": 200}' '{"label": "shop", "policy": "policy.json", "version": 1, "percent": 1, "x": 1}'; do
	rollout "$body"
	check "no roll-out: $body" said 400
done
rollout '{"label": "shop", "policy": "policy.json", "version": 7, "percent": 1}'
check 'of a version that there is not' said 404
# The number of d1, of 0 to 99, is 3.
rollout '{"label": "shop", "policy": "policy.json", "version": 1, "percent": 1}'
check 'the former version for a hundredth' said 200
check 'of which the device is none' judged_by policy.json@2 trusted
rollout '{"label": "", "policy": "policy.json", "version": 1, "percent": 99, "halt_percent": 100}'
check 'and for other labels' said 200
check 'which is not its matter' judged_by policy.json@2 trusted
rollout '{"label": "shop", "policy": "policy.json", "version": 1, "percent": 99, "halt_percent": 100}'
check 'for nearly all' said 200
check 'then it is, and red' judged_by policy.json@1 not-trusted
as viewer GET /v1/rollouts
check 'which is counted' said 200 '[.rollouts[] | select(.label == "shop") | .percent, .halted, .staged_count, .judged_count, .red_count] == [99, false, 1, 1, 1]'
rollout '{"label": "shop", "policy": "policy.json", "version": 1, "percent": 0}'
check 'it is ended' said 200
check 'and all is as before' judged_by policy.json@2 trusted

# ---------------------------------------------------------------- halted
fleet_start --interval 60 || bail 'the service does not start'
rollout '{"label": "shop", "policy": "policy.json", "version": 1, "percent": 99}'
push
check 'by it the device is red' [ "$status" -eq 1 ]
halted() {
	as viewer GET /v1/rollouts
	jq -e '.rollouts[] | select(.label == "shop") | .halted' answer >/dev/null
}
check 'which halts it' await halted
as viewer GET /v1/audit
check 'as is noted' said 200 '.audit[-1] | .act == "halt" and .who == "the verifier" and .what == "policy.json@1 of shop: 1 of about 1 turned not trusted"'
check 'the device is judged as before' judged_by policy.json@2 trusted
rollout '{"label": "shop", "policy": "policy.json", "version": 2, "percent": 100}'
check 'what is rolled out to all is assigned' said 200
as viewer GET /v1/rollouts
check 'and no roll-out any more' said 200 '[.rollouts[].label] == [""]'
as viewer GET /v1/assignments
check 'of that label' said 200 '[.assignments[] | [.label, .version]] == [["", 0], ["shop", 2]]'
run "$fleet_program" doctor --database "$fleet_database"
check 'the audit is a chain' grep -q '^good .*the audit is a chain' stdout
check 'it ends well' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'
echo "1..$check_number"
exit "$check_failed"
