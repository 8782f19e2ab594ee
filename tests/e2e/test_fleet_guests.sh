#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest in a fleet: assayd with the module and a TPM pushes to assay-fleet over TLS, each with a certificate; it is
# trusted, a program is run in it that nobody has signed, and within its interval it is red, with the reason.
# make demo-fleet has three, among 200 devices that are made up.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
. "$top/tests/e2e/fleet-guests.sh"
trap 'guests_end; fleet_stop; end' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
interval=10

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE \
	-keyout signer.key -out signer.pem -days 2 2>/dev/null
guest_policy tills.json || bail 'no manifest'
fleet_start --interval "$interval" --client-ca devices.pem --device-certs || bail 'the service does not start'
guest_make 1 || bail 'no machine'
upload certificates signer.pem signer.pem && upload manifests tills.jsonl tills.jsonl tills.jsonl.p7s &&
	upload policies tills.json tills.json
check 'the policy for the guest is uploaded' said 200
as approver POST /v1/assignments -d '{"label": "till", "policy": "tills.json", "version": 1}'
check 'and assigned' said 200
as approver PUT '/v1/devices/till-1?label=till' --data-binary @records/devices/till-1.json
check 'the guest is enrolled' said 200

device_is() { # STATE
	as viewer GET /v1/devices/till-1
	[ "$code" = 200 ] && [ "$(jq -r .device.verdict answer)" = "$1" ]
}
guest_signal
guest_start 1 "tampered=$signal_port"
check 'it attests and is trusted' guest_waits 300 device_is trusted
[ "$check_failed" -eq 0 ] || bail 'there is nothing to tamper with'
began=$(date +%s)
signal_give
check 'somebody runs a program in it that nobody has signed: it is not trusted any more' guest_waits 300 device_is not-trusted
echo "# seen after $(($(date +%s) - began)) s, with an interval of $interval s"
check 'and the reason names the program' said 200 '.device.reason | startswith("ima-files-known: /disk/evil")'
wait "$guest"
guest_status=$?
guests=
sed 's/^/# /' till-1/said
check 'its own service has been told' [ "$guest_status" -eq 0 ]
ask GET /v1/devices/till-1 --cert d1.crt --key d1.key
check 'with a certificate of another device nothing is told' [ "$code" != 200 ]
check 'the service ends well' fleet_stop
echo "1..$check_number"
exit "$check_failed"
