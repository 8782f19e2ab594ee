#!/bin/sh
# SPDX-License-Identifier: MIT
# What strangers, devices and operators may have of the fleet's verifier, which has two workers: see
# fleet-limits.py.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fleet-limits.XXXXXX")
fleet=
# shellcheck disable=SC2317 # called by the trap
end() {
	[ -z "$fleet" ] || kill "$fleet"
	wait
	rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 9 \
	-addext 'subjectAltName=DNS:localhost' -keyout key.pem -out cert.pem 2>/dev/null
for role in viewer operator approver; do
	echo "$role the-$role token:$(printf '%s-token' "$role" | sha256sum | cut -d ' ' -f 1)"
done >operators
"$top/build/asan/assay-fleet" serve --database "sqlite:$work/fleet.db" --listen 127.0.0.1:0 --listen "$work/sock" --proxy-certs \
	--cert cert.pem --key key.pem --operators operators --workers 2 --timeout 60 \
	--per-address 5 --proxy 127.0.0.3 --device-rate 2 --operator-rate 5 2>fleet.log &
fleet=$!
for _ in $(seq 1200); do
	! grep -q ': serving$' fleet.log || break
	kill -0 "$fleet" 2>/dev/null || { cat fleet.log; exit 1; }
	sleep 0.05
done
port=$(sed -n 's/.*listening at 127.0.0.1:0, port \([0-9]*\).*/\1/p' fleet.log)
"$top/tests/e2e/fleet-limits.py" "$port" cert.pem "$work/sock"
status=$?
kill "$fleet"
wait "$fleet" || status=1
fleet=
! grep 'ERROR: \|runtime error' fleet.log || status=1
exit "$status"
