#!/bin/sh
# SPDX-License-Identifier: MIT
# The samples of examples/fleet: nginx in front of the service, with certificates of clients; what a CI
# asks for and checks with its own libraries; a dashboard whose metrics are there.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
FLEET_VARIANT=asan
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
. "$top/tests/nginx.sh"
trap '[ -z "$nginx_pid" ] || kill "$nginx_pid" 2>/dev/null; fleet_stop; end' EXIT
samples=$top/examples/fleet

# ---------------------------------------------------------------- certificates of clients
for name in d1 d2 boss; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.pem" -subj "/CN=$name" -days 2 2>/dev/null
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout stranger.key -out stranger.pem -subj /CN=d1 -days 2 2>/dev/null
cat d1.pem d2.pem boss.pem >clients.pem
echo "viewer the-boss certificate:$(openssl x509 -in boss.pem -outform DER | sha256sum | cut -d ' ' -f 1)" >>operators
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out result.pem 2>/dev/null
run "$fleet_program" serve --database sqlite:x.db --listen 127.0.0.1:0 --device-certs
check 'certificates of devices need somebody who checks them' eval '[ "$status" -eq 2 ] && grep -q "needs --client-ca, or --proxy-certs" stderr'
fleet_start --proxy-certs --device-certs --result-key result.pem || bail 'the service does not start'
direct=$url

sed "s,/etc/assay/fleet-operators,$work/operators,; s,/var/lib/assay-fleet,$work," "$samples/assay-fleet.conf" >one.conf
run "$fleet_program" serve --check --config one.conf
check 'the configuration for one machine is taken' told 0

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
nginx_write "$samples/nginx.conf" localhost "s,listen 8443,listen 127.0.0.1:$port,"
check 'the file has all that was exchanged here' [ "$(grep -c "$work" nginx.conf)" -ge 5 ]
nginx_start
url=https://localhost:$port
reached() {
	ask GET /healthz
	[ "$code" = 200 ]
}
for _ in $(seq 600); do
	! reached || break
	kill -0 "$nginx_pid" 2>/dev/null || bail "nginx: $(cat nginx.err)"
	sleep 0.1
done
check 'nginx takes the file, and the service is behind it' reached

challenge() { # STATUS [OPTION of curl]...
	challenge_wanted=$1
	shift
	ask POST /v1/devices/d1/challenge -d '{"assay": 1, "type": "push-challenge-request", "boot_id": "0f4c1f1e-9a1c-4d3e-8a43-5d0a5f3a0001"}' "$@"
	said "$challenge_wanted"
}
as approver PUT /v1/devices/d1 --data-binary @records/devices/d1.json
check 'a token goes through' said 200
escaped=$(python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(open("d1.pem").read()))')
check 'a device with its certificate' challenge 200 --cert d1.pem --key d1.key
check 'without one' challenge 401
check 'with that of another' challenge 403 --cert d2.pem --key d2.key
check 'with one of its name that nobody signed' challenge 400 --cert stranger.pem --key stranger.key
check 'who says it itself' challenge 401 -H "X-Client-Certificate: $escaped"
check 'with that of another, who says so itself' challenge 403 --cert d2.pem --key d2.key -H "X-Client-Certificate: $escaped"
for address in $(seq 250); do
	ask POST /v1/enroll/request -d '{}' --cert d2.pem --key d2.key -H "X-Client-Address: 192.0.2.$address"
	[ "$code" != 429 ] || break
done
check 'nor is anybody believed who says where it is' said 429
ask GET /v1/fleet --cert boss.pem --key boss.key
check 'an operator by a certificate' said 200
ask GET /v1/fleet --cert d1.pem --key d1.key
check 'which a device is not' said 401
url=$direct
check 'past nginx, over TLS, nobody is believed who says it' challenge 401 -H "X-Client-Certificate: $escaped"
url=http://localhost
for header in x '%' '%zz' '-----BEGIN CERTIFICATE-----' '%2D%2D%2D%2D%2DBEGIN%20CERTIFICATE%2D%2D%2D%2D%2D%0AAAAA%0A%2D%2D%2D%2D%2DEND%20CERTIFICATE%2D%2D%2D%2D%2D%0A' "$(echo "$escaped" | tr A B)"; do
	check 'what is no certificate is none, at the socket itself' challenge 401 --unix-socket "$work/fleet.sock" -H "X-Client-Certificate: $header"
done
url=$direct

# ---------------------------------------------------------------- a CI that asks for a result
url=https://localhost:$port
upload policies policy.json v/policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
check 'a policy' said 200
push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --client-cert d1.pem --client-key d1.key --ak ak.pem --name d1 --no-assay-log --timeout 20
}
asks() { # by each library: STATUS WORDS DEVICE
	run env FLEET_TOKEN="${token:-viewer-token}" /usr/bin/python3 "$samples/ear.py" "$url" "$3" servers.pem
	[ "$status" -eq "$1" ] && cat stdout stderr | grep -q -e "$2" || return 1
	run env FLEET_TOKEN="${token:-viewer-token}" NODE_EXTRA_CA_CERTS=servers.pem NODE_PATH=/usr/share/nodejs node "$samples/ear.cjs" "$url" "$3"
	[ "$status" -eq "$1" ] && cat stdout stderr | grep -q -e "$2"
}
check 'a CI asks, and there is no result' asks 1 'no result that holds: .*404' d1
push
check 'the device attests through nginx' [ "$status" -eq 0 ]
check 'then there is one, and its signature holds' asks 0 '^d1: affirming by policy.json@1' d1
token=nobody
check 'a CI that may not look' asks 1 '401' d1
token=
measure /usr/bin/tool "$(echo tool | sha256sum | cut -d ' ' -f 1)"
push
check 'the device is not trusted any more' [ "$status" -eq 1 ]
check 'which the CI is told' asks 1 '^d1: contraindicated by policy.json@1' d1
# By a key that is not the one that is published.
mkdir site site/v1 site/v1/devices site/v1/devices/d1 site/.well-known
curl -sS --cacert servers.pem -H 'Authorization: Bearer viewer-token' "$url/v1/devices/d1/ear" >site/v1/devices/d1/ear
ask GET /.well-known/jwks.json
jq '.keys[0].x = .keys[0].y' answer >site/.well-known/jwks.json
"$top/tests/e2e/jwt.py" serve site localhost.pem localhost.key site.log &
site=$!
for _ in $(seq 600); do
	[ ! -s site.log ] || break
	sleep 0.1
done
url=https://localhost:$(head -n 1 site.log)
check 'a result that another key signed is none' asks 1 'no result that holds' d1
ask GET /.well-known/jwks.json
jq '.keys = []' answer >site/.well-known/jwks.json
check 'nor one that none signed' asks 1 'no result that holds' d1
kill "$site"
url=https://localhost:$port

# ---------------------------------------------------------------- a dashboard
as viewer GET /metrics
sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' answer | sort >metrics
jq -r '[.panels[].targets[].expr, .templating.list[].query.query?] | .[] | strings' "$samples/grafana.json" | grep -o 'assay_fleet_[a-z_]*' | sort -u >drawn
check 'the dashboard draws no metric that there is not' [ -z "$(comm -13 metrics drawn)" ]
check 'and each that there is' [ -z "$(comm -23 metrics drawn)" ]
check 'each of its panels has a place of its own' jq -e '[.panels[] | .id] | length == (unique | length) and length >= 8' "$samples/grafana.json"
check 'it ends well' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'
echo "1..$check_number"
exit "$check_failed"
