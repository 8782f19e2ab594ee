#!/bin/sh
# SPDX-License-Identifier: MIT
# The fleet's verifier and those who mean harm, under ASAN and UBSAN: every route without, with wrong,
# with expired and with too small credentials and another device's; names, bodies and connections that
# are not what they should be; evidence that comes twice, too late, or all at once.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
FLEET_VARIANT=asan
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; end' EXIT

certify devices d2 'extendedKeyUsage=clientAuth'
fleet_start --timeout 3 --workers 2 || bail 'the service does not start'
jq '.machine_id = "d2" | .ek_key_sha256 = ("00" * 32) | del(.ek_certificate_sha256)' records/devices/d1.json >d2.json
as approver PUT /v1/devices/d1 --data-binary @records/devices/d1.json
check 'a device is there' said 200
as approver PUT /v1/devices/d2 --data-binary @d2.json
check 'and another one' said 200
upload policies policy.json v/policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
check 'with a policy' said 200

attest() { # FILE: evidence for a new nonce
	boot=$(cat /proc/sys/kernel/random/boot_id)
	ask POST /v1/devices/d1/challenge -d "{\"assay\": 1, \"type\": \"push-challenge-request\", \"boot_id\": \"$boot\"}"
	with_logs "$assay" quote --nonce "$(jq -r .nonce answer)" --ak ak.pem --no-assay-log --compress --out "$1"
	ask POST /v1/devices/d1/evidence -H 'Content-Encoding: zstd' --data-binary "@$1"
}
attest older.zst
check 'it attests' said 200 '.verdict == "trusted"'
attest evidence.zst
check 'twice' said 200 '.verdict == "trusted"'
"$fleet_program" routes --json >routes.json
"$top/tests/e2e/fleet-hostile.py" routes.json "$work/fleet.sock" "${url##*:}" evidence.zst older.zst "$check_number" || check_failed=1
check_number=$(cat hostile-number)
as viewer GET /v1/devices/d1
check 'what was known of the device is known' said 200 '.device.verdict == "trusted"'
check 'it ends well' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'

# ---------------------------------------------------------------- more connections than there may be
fleet_start --workers 1 --connections 20 --timeout 5 --keep 0 || bail 'the service does not start with few connections'
as viewer GET "/v1/evidence/$(sha256sum older.zst | cut -d ' ' -f 1)"
check 'evidence with news was kept' said 200
measure /usr/bin/init "$(echo init | sha256sum | cut -d ' ' -f 1)"
attest news.zst
check 'more than is kept in a day is judged' said 200 '.acknowledged.ima > 0'
as viewer GET "/v1/evidence/$(sha256sum news.zst | cut -d ' ' -f 1)"
check 'and not kept' said 404
as viewer GET /metrics
check 'which is counted' grep -qx 'assay_fleet_not_kept_total 1' answer
cp operators operators.old
"$top/tests/e2e/fleet-flood.py" "$work/fleet.sock" "${url##*:}" "$fleet" operators "$check_number" || check_failed=1
check_number=$(cat flood-number)
mv operators.old operators
check 'it ends well after that' fleet_stop
check 'and no sanitizer has a word for it' eval '! grep -q "ERROR: \|runtime error" fleet.log'

# ---------------------------------------------------------------- certificates of devices
fleet_start --client-ca devices.pem --device-certs --roots tpm/ek-root.pem --intermediates tpm/ek-issuer.pem || bail 'the service does not start with certificates'
device() { # NAME [OPTION]...: asks for a challenge of d1's
	name=$1
	shift
	ask POST "/v1/devices/$name/challenge" -d "{\"assay\": 1, \"type\": \"push-challenge-request\", \"boot_id\": \"$boot\"}" "$@"
}
device d1
check 'a device without a certificate' said 401
device d1 --cert d2.crt --key d2.key
check 'with that of another device' said 403
device d1 --cert stranger.crt --key stranger.key
check 'with one of another authority' [ "$code" = 000 ]
device d1 --cert d1.crt --key d1.key
check 'with its own' said 200
# Of every route whose path names the device.
jq -r '.routes[] | select((.role == "device" or .role == "agent") and (.path | test("/[{]}"))) | "\(.method) \(.path)"' routes.json >named
check 'there are routes of devices' [ "$(wc -l <named)" -ge 5 ]
while read -r method path; do
	path=$(echo "$path" | sed 's/{}/d1/')
	ask "$method" "$path" -d '{}'
	check "$method $path without a certificate" said 401
	ask "$method" "$path" -d '{}' --cert d2.crt --key d2.key
	check "$method $path with that of another device" said 403
done <named
answer_as() { # NAME: the certificate by which the answer is sent
	run "$assay" enroll request --ak new.pem --machine-id d3 --out request.json
	ask POST /v1/enroll/request --data-binary @request.json --cert d3.crt --key d3.key
	cp answer challenge.json
	# Anybody may ask with what a device has sent: its challenge stays.
	ask POST /v1/enroll/request --data-binary @request.json --cert d2.crt --key d2.key
	run "$assay" enroll answer --ak new.pem --out answer.json challenge.json
	ask POST /v1/enroll/answer --data-binary @answer.json --cert "$1.crt" --key "$1.key"
}
certify devices d3 'extendedKeyUsage=clientAuth'
"$assay" key create --restricted --out new.pem >/dev/null
as operator DELETE /v1/devices/d1 --cert d1.crt --key d1.key
answer_as d2
check 'it enrols itself only under the name of its certificate' said 403
answer_as d3
check 'and so it does' said 200 '.device == "d3"'
as operator DELETE /v1/devices/d3
as approver PUT /v1/devices/d1 --data-binary @records/devices/d1.json
check 'the former one is enrolled again' said 200
with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20 \
	--client-cert d1.crt --client-key d1.key
check 'so attests assay push' eval '[ "$status" -eq 0 ] && grep -q "^d1: trusted" stdout'
echo "operator by-certificate certificate:$(openssl x509 -in d2.crt -outform DER | sha256sum | cut -d ' ' -f 1)" >>operators
kill -HUP "$fleet"
let_in() {
	ask GET /v1/fleet --cert d2.crt --key d2.key
	said 200
}
check 'an operator is known by a certificate, once the file is read anew' eventually let_in
forget_nobody() { # [HEADER]: as a page does, by the operator's certificate
	ask DELETE /v1/devices/nobody --cert d2.crt --key d2.key ${1:+-H "$1"}
}
forget_nobody
check 'may act' said 404
for header in 'Sec-Fetch-Site: cross-site' 'Sec-Fetch-Site: same-site' 'Sec-Fetch-Site: x' \
	'Origin: https://other.example' 'Origin: null' "Origin: $url.other.example"; do
	forget_nobody "$header"
	check "but not for a page of another site: $header" said 403
done
for header in 'Sec-Fetch-Site: same-origin' 'Sec-Fetch-Site: none' "Origin: $url"; do
	forget_nobody "$header"
	check "and for its own: $header" said 404
done
ask GET /v1/fleet --cert d2.crt --key d2.key -H 'Sec-Fetch-Site: cross-site'
check 'a link of another site is followed' said 200
echo nonsense >>operators
kill -HUP "$fleet"
check 'what is wrong in the file is told' eventually grep -q 'operators line 6' fleet.log
check 'and what was read before holds' let_in
check 'it ends well again' fleet_stop
check 'and without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'
echo "1..$check_number"
exit "$check_failed"
