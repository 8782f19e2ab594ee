#!/bin/sh
# SPDX-License-Identifier: MIT
# A fleet on this machine: assay-fleet on SQLite; 200 devices that are made up (each with a key of its
# own, which signs real quotes of real logs); and three guests, each with a TPM, the module and assayd, which pushes over
# TLS with the guest's certificate: in one of them a program is run that nobody has signed. `make demo-fleet` builds all it needs.
#
# Prints a line for each step, and exits with 0 only if every expectation held. On a terminal the service
# stays, to be looked at, until Enter is pressed.
# shellcheck disable=SC2015 # whichever of the two it is, it has failed
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

devices=${DEVICES:-200} guests_wanted=${GUESTS:-3} interval=${INTERVAL:-60} began=$(date +%s)
guest_numbers=$(seq "$guests_wanted")
all=$((devices + 1 + guests_wanted))
step() {
	printf '%3d s  %s\n' "$(($(date +%s) - began))" "$*"
}
fail() {
	step "NOT SO: $*"
	exit 1
}
expect() { # WHAT COMMAND...
	expected=$1
	shift
	"$@" || fail "$expected"
	step "$expected"
}
load() {
	"$top/build/host/fleet-load" --manifest manifest.jsonl --devices "$devices" --entries 20 --connections 32 --socket "$work/fleet.sock" "$@"
}
push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name "${name:-shop-1}" --no-assay-log --timeout 20
	[ "$status" -eq "$1" ]
}
count() { # VERDICT NUMBER
	as viewer GET /v1/fleet
	[ "$(jq -r --arg verdict "$1" '.devices[$verdict]' answer)" = "$2" ]
}

# ---------------------------------------------------------------- what is to be trusted
mkdir -p tree/usr/bin
for i in 1 2 3; do echo "$i" >"tree/usr/bin/file$i"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE \
	-keyout signer.key -out signer.pem -days 2 2>/dev/null
"$assay" sign --key signer.key --cert signer.pem --root tree --manifest manifest.jsonl --signatures pkcs7 >/dev/null || fail 'no manifest'
echo '{"assay": 1, "type": "policy", "waive": {"boot-known": "these devices are made up"},
	"certificates": ["signer.pem"], "manifests": ["manifest.jsonl"]}' >fleet.json

fleet_start --interval "$interval" --client-ca devices.pem || fail 'the service does not start'
step "assay-fleet serves at $url/, on SQLite"
upload certificates signer.pem signer.pem && said 200 || fail 'no certificate'
upload manifests manifest.jsonl manifest.jsonl manifest.jsonl.p7s && said 200 || fail 'no manifest'
upload policies fleet.json fleet.json && said 200 || fail 'no policy'
upload policies shop.json v/policy.json && said 200 || fail 'no policy'
as approver POST /v1/assignments -d '{"label": "", "policy": "fleet.json", "version": 1}' && said 200 || fail 'not assigned'
as approver POST /v1/assignments -d '{"label": "shop", "policy": "shop.json", "version": 1}' && said 200 || fail 'not assigned'
step 'two policies: one for all, one for the label shop'

# ---------------------------------------------------------------- devices
# They boot for a while, before the others attest and wait.
if [ "$guests_wanted" -gt 0 ]; then
	guest_policy tills.json || fail 'no manifest for the guests'
	upload manifests tills.jsonl tills.jsonl tills.jsonl.p7s && said 200 || fail 'no manifest'
	upload policies tills.json tills.json && said 200 || fail 'no policy'
	as approver POST /v1/assignments -d '{"label": "till", "policy": "tills.json", "version": 1}' && said 200 || fail 'not assigned'
	step 'and one for guests, with the label till'
	guest_signal
fi
for i in $guest_numbers; do
	guest_make "$i" || fail "till-$i is not made"
	as approver PUT "/v1/devices/till-$i?label=till" --data-binary "@records/devices/till-$i.json" && said 200 || fail "till-$i is not enrolled"
	guest_start "$i" "$([ "$i" -ne 1 ] || echo "tampered=$signal_port")"
done
[ "$guests_wanted" -eq 0 ] || expect "$guests_wanted guests boot, attest by assayd over TLS and are trusted" guest_waits 600 count trusted "$guests_wanted"
load --enrol approver-token >load.json || fail "$devices devices are not enrolled"
jq '.machine_id = "shop-1"' records/devices/d1.json >shop-1.json
as approver PUT '/v1/devices/shop-1?label=shop' --data-binary @shop-1.json && said 200 || fail 'shop-1 is not enrolled'
expect "$all devices are enrolled" count never $((devices + 1))
load --rounds 1 >load.json || fail 'the devices do not attest'
push 0 || fail 'shop-1 does not attest'
expect "all have attested and are trusted" count trusted "$all"
load --rounds 2 --grow 1 >load.json || fail 'the devices do not attest again'
step "all attest again, with logs that grow: p50 $(jq .p50_ms load.json) ms, p99 $(jq .p99_ms load.json) ms"

# ---------------------------------------------------------------- one of them
measure /usr/bin/evil "$(echo evil | sha256sum | cut -d ' ' -f 1)"
step 'shop-1 runs /usr/bin/evil'
expect 'shop-1 attests, as it must, and is told that it is not trusted' push 1
as viewer GET '/v1/devices?state=not-trusted'
expect "of $all devices one is not trusted, and why: $(jq -r '.devices[0].reason' answer)" said 200 '[.devices[].device] == ["shop-1"] and (.devices[0].reason | startswith("ima-files-known: "))'
as viewer GET /v1/devices/shop-1/changes
expect 'that is in its history' said 200 '[.changes[].verdict] == ["not-trusted", "trusted"]'
if [ "$guests_wanted" -gt 0 ]; then
	tampered=$(date +%s)
	signal_give
	step 'somebody runs a program in till-1 that nobody has signed'
	till_is_red() {
		as viewer GET /v1/devices/till-1
		said 200 '.device.verdict == "not-trusted"' >/dev/null
	}
	expect 'till-1 is not trusted any more' guest_waits 600 till_is_red
	step "seen after $(($(date +%s) - tampered)) s, with an interval of $interval s: $(jq -r .device.reason answer)"
	expect 'the reason names the program' said 200 '.device.reason | startswith("ima-files-known: /disk/evil")'
	as viewer GET '/v1/devices?state=not-trusted'
	expect 'it and shop-1 are the only ones' said 200 '[.devices[].device] | sort == ["shop-1", "till-1"]'
fi
if [ -t 0 ]; then
	printf 'Look at %s/ (its authority is %s/servers.pem) with the token viewer-token; Enter ends it. ' "$url" "$work"
	read -r _
fi
fleet_stop || fail 'the service does not end well'
step 'every expectation held'
