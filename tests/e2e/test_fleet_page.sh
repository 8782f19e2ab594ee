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
echo "1..$check_number"
exit "$check_failed"
