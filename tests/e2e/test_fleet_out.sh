#!/bin/sh
# SPDX-License-Identifier: MIT
# What others get of the fleet's verifier: signed results and their key, events, metrics, the audit;
# and what would be if the policy were another one.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
FLEET_VARIANT=asan
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
events=
# shellcheck disable=SC2086 # a list
trap '[ -z "$events" ] || kill $events 2>/dev/null; fleet_stop; end' EXIT

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out result.pem 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out other.pem 2>/dev/null
run "$fleet_program" serve --database sqlite:other.db --listen 127.0.0.1:0 --result-key other.pem
check 'a key on another curve is refused' eval '[ "$status" -eq 1 ] && grep -q "P-256" stderr'
run "$fleet_program" serve --database sqlite:other.db --listen 192.0.2.1:80
check 'an address of others without TLS is refused' eval '[ "$status" -eq 1 ] && grep -q "without a certificate" stderr'

fleet_start --result-key result.pem --interval 3600 || bail 'the service does not start'
as approver PUT '/v1/devices/d1?label=shop' --data-binary @records/devices/d1.json
check 'a device' said 200
upload policies policy.json v/policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
check 'and a policy' said 200
as viewer GET /v1/devices/d1/ear
check 'no result before there is a verdict' said 404

# From the first change on, whichever process makes it.
curl -sSN --cacert servers.pem -H 'Authorization: Bearer viewer-token' "$url/v1/events" >events.txt 2>/dev/null &
events=$!
check 'events are there to be listened to' eventually grep -q '^retry: ' events.txt
push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20
}
push
check 'the device is trusted' [ "$status" -eq 0 ]
check 'which is an event' eventually grep -q '^data: .*"device":"d1".*"verdict":"trusted"' events.txt

# ---------------------------------------------------------------- results
plain() { # base64url to bytes
	tr -- '-_' '+/' | sed 's/$/===/; s/^\(\(....\)*\)=*$/\1/; s/^\(\(....\)*..\)=*$/\1==/; s/^\(\(....\)*...\)=*$/\1=/' | base64 -d
}
# By nothing but openssl and what the service publishes.
checked() {
	ask GET /.well-known/jwks.json
	said 200 '.keys | length == 1 and .[0].alg == "ES256"' || return 1
	x=$(jq -r '.keys[0].x' answer | plain | xxd -p -c 64)
	y=$(jq -r '.keys[0].y' answer | plain | xxd -p -c 64)
	# SubjectPublicKeyInfo of a point on P-256 (RFC 5480).
	echo "3059301306072a8648ce3d020106082a8648ce3d03010703420004$x$y" | xxd -r -p >key.der
	[ "$(jq -r '.keys[0].kid' answer)" = "$(sha256sum <key.der | cut -d ' ' -f 1)" ] || return 1
	cut -d. -f3 ear | plain | xxd -p -c 64 >pair
	printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$(cut -c1-64 pair)" "$(cut -c65-128 pair)" >pair.conf
	openssl asn1parse -genconf pair.conf -noout -out signature.der >/dev/null &&
		printf '%s' "$(cut -d. -f1,2 ear)" >signed &&
		openssl dgst -sha256 -verify key.der -keyform DER -signature signature.der signed >verified 2>&1 &&
		cut -d. -f2 ear | plain >claims.json
}
claimed() {
	jq -e "$1" claims.json >/dev/null && return
	cat claims.json
	return 1
}
as viewer GET /v1/devices/d1/ear
cp answer ear
check 'a result is signed by the key that is published' checked
check 'it says what the device is held for' claimed '.submods.assay | .["ear.status"] == "affirming" and .assay_verdict.device == "d1" and .["ear.appraisal-policy-id"] == "policy.json@1" and .assay_verdict.not_passed == []'
as viewer GET '/v1/devices/d1/ear?profile=ietf'
cp answer ear
check 'the same by the later names' eval 'checked && jq -e ".submods.assay.ear_status == \"affirming\"" claims.json >/dev/null'
as viewer GET '/v1/devices/d1/ear?cmw=json'
check 'in a wrapper, as JSON, with what it is' said 200 'length == 3 and (.[0] | test("^application/eat\\+jwt; eat_profile=\"tag:")) and .[2] == 8'
jq -r '.[1]' answer | plain >ear
check 'the same result is in there' eval 'checked && claimed ".submods.assay[\"ear.status\"] == \"affirming\""'
as viewer GET '/v1/devices/d1/ear?cmw=cbor'
check 'as CBOR: an array of three, the first a text' eval 'said 200 && [ "$(head -c 1 answer | xxd -p)" = 83 ] && grep -qa "application/eat+jwt" answer'
as viewer GET '/v1/devices/d1/ear?cmw=xml'
check 'a wrapper that there is not' said 400
as viewer GET '/v1/devices/d1/ear?profile=x'
check 'a profile that there is not' said 400

# ---------------------------------------------------------------- what if
measure /usr/bin/tool "$(echo tool | sha256sum | cut -d ' ' -f 1)"
push
check 'a file more: not trusted' [ "$status" -eq 1 ]
check 'which is an event' eventually grep -q '^data: .*"verdict":"not-trusted".*ima-files-known' events.txt
with_logs "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak ak.pem --no-assay-log --out second.json
"$verifier" policy learn second.json --ima >learned.json 2>/dev/null
upload policies policy.json learned.json
check 'a policy that knows it' said 200 '.version == 2'
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 2}'
check 'by it the device would be trusted' said 200 '.policy == "policy.json@2" and .judged_count == 1 and ([.changes[] | [.device, .from, .to]] == [["d1", "not-trusted", "trusted"]])'
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 1}'
check 'by that of now nothing would change' said 200 '.judged_count == 1 and .unchanged_count == 1 and .changes == []'
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 2, "label": "office"}'
check 'of another label there is none' said 200 '.judged_count == 0'
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 2, "label": ""}'
check 'a policy for all others is for it' said 200 '.judged_count == 1'
as viewer GET /v1/devices/d1
check 'and nothing has changed' said 200 '.device.verdict == "not-trusted" and .device.policy == "policy.json@1"'
for body in '{}' '{"policy": "../x y"}' '{"policy": "policy.json", "version": -1}' '{"policy": "policy.json", "limit": 501}' '{"policy": "policy.json", "more": 1}'; do
	as operator POST /v1/what-if -d "$body"
	check "a question that is none: $body" said 400
done
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 9}'
check 'a version that there is not' said 404
as approver POST /v1/assignments -d '{"label": "shop", "policy": "policy.json", "version": 2}'
check 'the policy is rolled out to its label' said 200
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 1, "label": ""}'
check 'then one for all others is not' said 200 '.judged_count == 0'
as operator POST /v1/what-if -d '{"policy": "policy.json", "version": 1}'
check 'but is asked about without a label' said 200 '.judged_count == 1'
push
check 'and the device trusted' [ "$status" -eq 0 ]
as viewer GET /metrics
counted() { # METRIC NUMBER
	grep -q "^assay_fleet_$1 $2\$" answer
}
check 'metrics count verdicts' eval 'counted verdicts_total 3 && counted verdicts_not_trusted_total 1 && counted changes_total 3'
check 'and devices' eval 'counted "devices{verdict=\"trusted\"}" 1'
check 'each has its type' eval '[ "$(grep -c "^# TYPE" answer)" -eq "$(grep -c "^# HELP" answer)" ]'
told() { # FILE NUMBER...: each once, in order
	told_by=$1
	shift
	[ "$(sed -n 's/^id: //p' "$told_by" | xargs)" = "$*" ]
}
check 'each change was told once, in order' eventually told events.txt 1 2 3
curl -sSN --cacert servers.pem -H 'Authorization: Bearer viewer-token' -H 'Last-Event-ID: 2' "$url/v1/events" >again.txt 2>/dev/null &
events="$events $!"
check 'who comes again is told what was missed, and no more' eventually told again.txt 3
# Far more than may wait for one who listens, all at once.
python3 -c 'import sqlite3
database = sqlite3.connect("fleet.db", timeout=60)
database.executemany("INSERT INTO verdict_change (name, at, verdict, reason, policy, verdict_json) VALUES (?, 1, 3, ?, ?, ?)",
    [("many", "x" * 100000, "", "{}")] * 30)
database.commit()'
# shellcheck disable=SC2046 # a list
check 'none is left out where more come than can be sent' eventually told events.txt $(seq 33)
python3 -c 'import sqlite3
database = sqlite3.connect("fleet.db", timeout=60)
database.execute("DELETE FROM verdict_change WHERE name = ?", ("many",))
database.commit()'
check 'it ends, whoever listens' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'

# ---------------------------------------------------------------- silence
fleet_start --interval 1 || bail 'the service does not start'
push
silent() {
	as viewer GET /v1/devices/d1
	jq -e '.device.verdict == "silent"' answer >/dev/null
}
waited=0
until silent || [ "$waited" -eq 600 ]; do
	waited=$((waited + 1))
	sleep 0.1
done
check 'it says nothing, and is held for silent' said 200 '.device.verdict == "silent" and (.device.reason | startswith("nothing was judged since "))'
fleet_start --result-key result.pem --interval 3600 || bail 'the service does not start'
as viewer GET /v1/devices/d1/ear
check 'no result of it holds any more' said 404
push
check 'it comes back, and is trusted again' [ "$status" -eq 0 ]
as viewer GET /v1/devices/d1/changes
check 'all of that is in its history' said 200 '[.changes[].verdict] == ["trusted", "silent", "trusted", "not-trusted", "trusted"]'

# ---------------------------------------------------------------- audit
as viewer GET /v1/audit
check 'what operators did is noted' said 200 '[.audit[] | [.act, .what]] == [["enrol", "d1"], ["upload", "policy policy.json@1"], ["assign", "policy.json@1 to all others"], ["upload", "policy policy.json@2"], ["assign", "policy.json@2 to shop"]]'
check 'and who' said 200 '[.audit[].who] | unique == ["approver the-approver", "operator the-operator"]'
# ---------------------------------------------------------------- a token that is taken away
curl -sSN --cacert servers.pem -H 'Authorization: Bearer viewer-token' "$url/v1/events" >taken.txt 2>/dev/null &
taken=$!
curl -sSN --cacert servers.pem -H 'Authorization: Bearer operator-token' "$url/v1/events" >stays.txt 2>/dev/null &
stays=$!
events="$events $taken $stays"
check 'two listen' eventually grep -q '^retry: ' taken.txt stays.txt
cp operators operators.all
grep -v '^viewer ' operators.all >operators
kill -HUP "$fleet"
ended() {
	! kill -0 "$1" 2>/dev/null
}
check 'whose token is taken away is told nothing any more' eventually ended "$taken"
check 'and the other one listens' kill -0 "$stays"
cp operators.all operators
check 'it ends well' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'
echo "1..$check_number"
exit "$check_failed"
