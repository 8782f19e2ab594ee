#!/bin/sh
# SPDX-License-Identifier: MIT
# The fleet's verifier: a machine is enrolled, attests by `assay push` and is judged; what is known of
# it is there for who may look.
# shellcheck disable=SC2016,SC2119
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; end' EXIT

push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --ak "${ak:-ak.pem}" --name "${name:-d1}" \
		--no-assay-log --timeout 10
}
printed() { # STATUS WORDS...
	[ "$status" -eq "$1" ] || return 1
	shift
	for words; do
		cat stdout stderr | grep -q -e "$words" || return 1
	done
}

fleet_start || bail 'the service does not start'
ask GET /healthz
check 'it is there' said 200 '.state == "serving"'
push
check 'a device that nobody enrolled' printed 1 'answers 404' 'no device of that name is enrolled'
as approver PUT '/v1/devices/d1?label=shop' --data-binary @records/devices/d1.json
check 'an approver enrols it by its record' said 200 '.device == "d1" and .approved'
as approver PUT /v1/devices/d1 --data-binary @records/devices/d1.json
check 'once' said 409
push
check 'without a policy nothing is judged, and nothing lost' printed 1 'answers 503' 'no policy is assigned'
upload policies policy.json v/policy.json
check 'a policy' said 200 '.version == 1'
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
check 'for all devices' said 200
as viewer GET /v1/devices/d1
check 'nothing is known of it yet' said 200 '.device.verdict == "never" and .device.judged == 0'
push
check 'it is trusted' printed 0 '^d1: trusted; '
bytes() { # of the evidence that was pushed
	sed -n 's/.* \([0-9]*\) bytes of evidence.*/\1/p' stdout
}
whole=$(bytes)
as viewer GET /v1/devices/d1
check 'which is known then' said 200 '.device.verdict == "trusted" and .device.judged > 0 and .device.policy == "policy.json@1"'
as viewer GET /v1/devices/d1/verdict
check 'with every check' said 200 '.verdict.trusted and (.verdict.checks | length > 50)'
as viewer GET /v1/fleet
check 'and counted' said 200 '.devices.trusted == 1 and .devices["not-trusted"] == 0'
push
check 'once more' printed 0 '^d1: trusted; '
check 'without the log of the firmware, which does not change' [ "$whole" -gt $((2 * $(bytes))) ]
# Two agents of the device at the same moment: both go on from what was known, and one is first.
agent() { # NAME: asks for a nonce, and makes its evidence
	ask POST /v1/devices/d1/challenge -d "{\"assay\": 1, \"type\": \"push-challenge-request\", \"boot_id\": \"$(cat /proc/sys/kernel/random/boot_id)\"}"
	said 200 '.have.ima > 0' || return 1
	with_logs "$assay" quote --nonce "$(jq -r .nonce answer)" --since-ima "$(jq .have.ima answer)" --ak ak.pem \
		--no-assay-log --compress --out "$1.zst" ${agent_options:+"$agent_options"}
}
sends() { # NAME
	ask POST /v1/devices/d1/evidence -H 'Content-Encoding: zstd' --data-binary "@$1.zst"
}
measure /usr/bin/init "$(echo init | sha256sum | cut -d ' ' -f 1)"
agent one || bail 'no evidence of an agent'
agent other || bail 'no evidence of another one'
sends one
check 'of two agents of a device the first is judged' said 200 '.verdict == "trusted" and .acknowledged.ima == 3'
sends other
check 'and the other one told to ask anew' said 409 '.error | test("ask for another one")'
as viewer GET /v1/devices/d1
check 'for which the device is not blamed' said 200 '.device.verdict == "trusted"'
agent other || bail 'no evidence of the other agent'
sends other
check 'and so it goes on' said 200 '.verdict == "trusted"'
# What was told with a nonce does not hold either once another policy is assigned.
agent one || bail 'no evidence before a policy'
jq '.nonce_bytes = 16' v/policy.json >shorter.json
upload policies shorter.json shorter.json
as approver POST /v1/assignments -d '{"label": "shop", "policy": "shorter.json", "version": 1}'
sends one
check 'evidence that goes on by a former policy is asked for anew' said 409
push
check 'and whole it is trusted' printed 0 '^d1: trusted; '
# Who may only upload changes nothing of what devices are judged by.
jq '.certificates = ["signer.pem"]' v/policy.json >certified.json
upload certificates signer.pem servers.pem
upload policies certified.json certified.json
as approver POST /v1/assignments -d '{"label": "shop", "policy": "certified.json", "version": 0}'
check 'a policy that names a certificate' said 200
echo nonsense >nonsense
upload certificates signer.pem nonsense
check 'another one is uploaded' said 200 '.version == 2'
upload policies certified.json nonsense
check 'a policy that is none is refused' said 400
jq '.nonce_bytes = 64' certified.json >other.json
upload policies certified.json other.json
check 'another policy is uploaded' said 200 '.version == 2'
push
check 'and neither has an effect' printed 0 '^d1: trusted; '
as viewer GET /v1/devices/d1
check 'it is trusted by the policy that is assigned now' said 200 '.device.policy == "certified.json@1"'
as approver POST /v1/assignments -d '{"label": "shop", "policy": "certified.json", "version": 1}'
check 'before they are assigned, which what cannot be used is not' said 400
push
check 'and so the former assignment holds' printed 0 '^d1: trusted; '
as operator PUT '/v1/devices/d1/label?label=lax'
check 'nor does an operator move a device to another policy' said 403
as operator PUT '/v1/devices/d1?replace=yes' --data-binary @records/devices/d1.json
check 'or let one in' said 403
measure /usr/bin/evil "$(echo evil | sha256sum | cut -d ' ' -f 1)"
push
check 'a file that nobody knows' printed 1 '^d1: not-trusted: ima-files-known: .*/usr/bin/evil'
as viewer GET /v1/devices/d1/changes
check 'its changes, the newest first' said 200 '[.changes[] | [.verdict, .policy]] == [["not-trusted", "certified.json@1"], ["trusted", "certified.json@1"], ["trusted", "shorter.json@1"], ["trusted", "policy.json@1"]]'
as viewer GET '/v1/devices?state=not-trusted'
check 'it is in the list of those that are not trusted' said 200 '[.devices[].device] == ["d1"]'
as viewer GET '/v1/devices?state=trusted'
check 'and in no other' said 200 '.devices == []'
fleet_start || bail 'the service does not start again'
as viewer GET /v1/devices/d1
check 'all of that is there after a restart' said 200 '.device.verdict == "not-trusted" and (.device.reason | startswith("ima-files-known: "))'
# What the firmware's log was judged with has changed: no verdict of a log that is not there.
tpm2_pcrextend "12:sha256=$(printf %064d 8)" || bail 'tpm2_pcrextend fails'
run_agent=$(agent_options=--since-uefi=$(wc -c <"$firmware") agent one && sends one && jq -r .error answer)
check 'without that log other PCRs are not judged' [ "$run_agent" != "${run_agent#*"firmware's log is left out, and PCRs of the boot have changed"}" ]
push
check 'assay push sends it then, by itself' printed 1 '^d1: not-trusted: ' "$(bytes) bytes"
check 'all of it' [ "$(bytes)" -gt "$((whole / 2))" ]
as viewer GET /v1/devices/d1
check 'and the verdict is of that' said 200 '.device.reason | test("uefi-log-parsed") | not'
as operator DELETE /v1/devices/d1
check 'it is forgotten' said 200
push
check 'and not known any more' printed 1 'answers 404'
# ---------------------------------------------------------------- a TPM that is known without a certificate
"$assay" key create --restricted --out known.pem >/dev/null
tpm2_createek -G rsa -c ek.ctx -u ek.pem -f pem >/dev/null && tpm2_flushcontext -t
openssl pkey -pubin -in ek.pem -outform DER | sha256sum | cut -d ' ' -f 1 >ek.hash
asks_to_enrol() {
	run "$assay" enroll request --ak known.pem --machine-id d2 --ek rsa2048-low --no-ek-cert --out request.json
	[ "$status" -eq 0 ] || return 1
	ask POST /v1/enroll/request --data-binary @request.json
}
asks_to_enrol
check 'without a certificate a TPM does not enrol' said 403
sha256sum ek.hash >others.hash
fleet_start --ek-hashes others.hash || bail 'the service does not start with a list'
asks_to_enrol
check 'nor where others are listed' said 403
cp ek.hash others.hash
kill -HUP "$fleet"
listed() {
	asks_to_enrol && [ "$code" = 200 ]
}
waited=0
until listed || [ "$waited" -eq 600 ]; do
	waited=$((waited + 1))
	sleep 0.1
done
check 'listed, it is asked to prove itself' said 200
cp answer challenge.json
run "$assay" enroll answer --ak known.pem --ek rsa2048-low --out answer.json challenge.json
ask POST /v1/enroll/answer --data-binary @answer.json
check 'and enrols itself' said 200 '.device == "d2" and (.approved | not)'
ask POST /v1/enroll/answer --data-binary @answer.json
check 'once' said 404
ak=known.pem name=d2
push
check 'it does not attest yet' printed 1 'answers 403' 'not approved'
as operator POST /v1/devices/d2/approve
check 'an operator does not let it' said 403
as approver POST /v1/devices/d2/approve
check 'an approver does' said 200
push
check 'then it is judged' printed 1 '^d2: not-trusted: '
# Where the policy does not say what that PCR is, the device stays trusted; what comes next leaves the
# log out again, and all of it can be judged anew.
with_logs "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak known.pem --no-assay-log --out now.json
"$verifier" policy learn now.json --ima 2>/dev/null | jq 'del(.pcrs.values["sha256:12"])' >lax.json
upload policies lax.json lax.json
as approver POST /v1/assignments -d '{"label": "", "policy": "lax.json", "version": 1}'
push
check 'by another policy it is trusted' printed 0 '^d2: trusted'
tpm2_pcrextend "12:sha256=$(printf %064d 12)" || bail 'tpm2_pcrextend fails'
push
check 'with another PCR, too, and its log' printed 0 '^d2: trusted'
measure /usr/bin/init "$(echo init | sha256sum | cut -d ' ' -f 1)"
push
check 'and after it without' eval "printed 0 '^d2: trusted' && [ $(bytes) -lt $((whole / 2)) ]"
# As on a machine that is fast: all of it came in one second.
python3 -c 'import sqlite3
with sqlite3.connect("fleet.db", timeout=60) as database:
	database.execute("UPDATE evidence SET at = (SELECT max(at) FROM evidence WHERE name = ?) WHERE name = ?", ("d2", "d2"))' || bail 'no time can be set'
as operator POST /v1/what-if -d '{"policy": "lax.json", "version": 1}'
check 'what was sent is judged again as it was' said 200 '.changes == [] and .unchanged_count == 1'
echo nonsense >others.hash
kill -HUP "$fleet"
waited=0
until grep -q 'what was read before holds' fleet.log || [ "$waited" -eq 600 ]; do
	waited=$((waited + 1))
	sleep 0.1
done
asks_to_enrol
check 'a list that is none changes nothing' said 200
check 'it ends as it should' fleet_stop
echo "1..$check_number"
exit "$check_failed"
