#!/bin/sh
# SPDX-License-Identifier: MIT
# The fleet's page: what it is served with, and a real browser at the real service, with a device
# that attests by a TPM and becomes untrusted by a file whose name is HTML, among 100,000 others.
# With a directory as its argument, the pictures of docs/ are made there.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
pictures=${1:-}
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; end' EXIT
page=$top/userspace/fleet/page

push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 10
}

has_none() { # PATTERN: no file of the page has it
	! sed 's,http://www.w3.org/2000/svg,,' "$page"/* | grep "$1"
}

fleet_start || bail 'the service does not start'
as approver PUT '/v1/devices/d1?label=real' --data-binary @records/devices/d1.json
jq '.nonce_bytes = 24' v/policy.json >first.json
jq '.nonce_bytes = 16' v/policy.json >second.json
jq '.allow = [{"path": "/tmp/", "reason": "tried by the test"}]' v/policy.json >lax.json
upload policies policy.json lax.json
upload policies policy.json second.json
upload policies policy.json first.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 3}'
check 'a policy in three versions' said 200
push
check 'a device that is trusted' [ "$status" -eq 0 ]
measure '/tmp/<img/src=x/onerror=alert(1)>' "$(echo evil | sha256sum | cut -d ' ' -f 1)"
push
check 'and then is not' [ "$status" -eq 1 ]

as viewer GET '/v1/alarms?open=1'
check 'which is an alarm' said 200 '.open_count == 1 and .unacknowledged_count == 1 and .alarms[0].device == "d1" and .alarms[0].label == "real" and (.alarms[0].reason | startswith("ima-files-known"))'
alarm=$(jq .alarms[0].id answer)
as viewer GET "/v1/alarms/$alarm"
check 'by its number' said 200 ".alarm.id == $alarm and .alarm.closed == 0 and .alarm.verdict == \"not-trusted\""
refused() { # STATUS ROLE METHOD PATH [BODY]
	as "$2" "$3" "$4" ${5:+-d "$5"}
	check "$3 $4 as $2 is answered by $1" said "$1" '.error != ""'
}
refused 403 viewer POST "/v1/alarms/$alarm/acknowledge" '{"note": "seen"}'
refused 404 operator POST /v1/alarms/999999/acknowledge '{"note": "seen"}'
refused 400 operator POST /v1/alarms/first/acknowledge '{"note": "seen"}'
refused 400 operator POST "/v1/alarms/$alarm/acknowledge" '{"note": 1}'
refused 400 operator POST "/v1/alarms/$alarm/acknowledge" '{"words": "seen"}'
refused 400 operator POST "/v1/alarms/$alarm/acknowledge" "{\"note\": \"$(head -c 1001 /dev/zero | tr '\0' n)\"}"
refused 404 viewer GET /v1/alarms/999999
refused 400 viewer GET '/v1/alarms?state=trusted'
refused 400 viewer GET '/v1/alarms?open=3'
refused 400 viewer GET '/v1/summaries?by=week'
refused 400 viewer GET '/v1/summaries?limit=1001'
as viewer GET "/v1/alarms/$alarm"
check 'and by none of that it is acknowledged' said 200 '.alarm.acknowledged == 0'
as operator GET /v1/me
check 'who asks is told the role' said 200 '.role == "operator" and .who == "operator the-operator" and .two_persons == false'
# From here on what is decided needs a second person.
echo "approver the-second token:$(printf 'second-token' | sha256sum | cut -d ' ' -f 1)" >>operators
fleet_start --two-persons || bail 'the service does not start again'

ask GET / -D headers
check 'the page is for anybody' said 200
check 'with nothing but its own files' grep -qi "^Content-Security-Policy: default-src 'none'; script-src 'self';" headers
check 'and no word that lets scripts or styles in its text run' sh -c '! grep -i "^Content-Security-Policy" headers | grep -qi "unsafe\|data:\|http\|\*"'
for file in "$page"/*; do
	ask GET "/page/$(basename "$file")"
	check "$(basename "$file") is served as it is" cmp answer "$file"
done
ask GET /page/..%2fmain.c
check 'and nothing else' said 404
# What makes elements or code of text, and addresses of others; comments and the name of SVG are none.
check 'no text becomes elements' has_none 'innerHTML\|outerHTML\|insertAdjacentHTML\|document\.write\|eval(\|new Function\|setAttribute("style'
check 'no other address is in it' has_none '[a-z]*:\{0,1\}//[a-z]'

# Those of the browser are counted on.
run env HOME="$work/home" timeout 500 "$top/tests/e2e/fleet_page.py" "$url" "$work/fleet.db" ${pictures:+"$pictures"}
sed -n 's/^# /# browser: /p; s/^\(not ok\|ok\) [0-9]* - /\1 - /p' stdout >browser
while IFS= read -r line; do
	case $line in
	'ok - '*) check "browser: ${line#ok - }" true ;;
	'not ok - '*) status='' check "browser: ${line#not ok - }" false ;;
	*) echo "$line" ;;
	esac
done <browser
check 'the browser came to its end' grep -q '^1\.\.[1-9]' stdout

# Trusted again, by a policy that two have decided: its alarm is closed, and says who has seen it.
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
proposal=$(jq .proposal answer)
as second POST "/v1/proposals/$proposal/approve"
check 'a policy that allows the file is assigned by two' said 200
push
check 'by which the device is trusted again' [ "$status" -eq 0 ]
as viewer GET "/v1/alarms/$alarm"
check 'its alarm is closed by that' said 200 '.alarm.closed > 0 and .alarm.who == "operator the-operator"'
as viewer GET '/v1/devices/d1/changes?limit=1'
check 'and the change that has closed it says its number' said 200 ".changes[0].verdict == \"trusted\" and .changes[0].alarm == $alarm"
echo "1..$check_number"
exit "$check_failed"
