# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# What the tests of the fleet's verifier share; sourced after tests/e2e/push.sh, which makes the
# machine, its key and its certificates. The service runs in $work with operators of each role, whose
# tokens are viewer-token, operator-token and approver-token.
fleet_program=$top/build/${FLEET_VARIANT:-host}/assay-fleet
fleet=

: "${fleet_database:=sqlite:$work/fleet.db}"
for fleet_role in viewer operator approver; do
	echo "$fleet_role the-$fleet_role token:$(printf '%s-token' "$fleet_role" | sha256sum | cut -d ' ' -f 1)"
done >operators
echo "operator the-late token:$(printf 'late-token' | sha256sum | cut -d ' ' -f 1) 2020-01-01T00:00:00Z" >>operators

# shellcheck disable=SC2120 # most have no options
fleet_start() { # [OPTION]...: over TLS at $url, and at the Unix socket $work/fleet.sock
	fleet_stop
	: >fleet.log # the former one's says where that one listened
	"$fleet_program" serve --database "$fleet_database" --listen 127.0.0.1:0 --listen "$work/fleet.sock" \
		--cert localhost.pem --key localhost.key --operators operators "$@" 2>fleet.log &
	fleet=$!
	for _ in $(seq 600); do
		! grep -q ': serving$' fleet.log || break
		kill -0 "$fleet" 2>/dev/null || { cat fleet.log; return 1; }
		sleep 0.05
	done
	url=https://localhost:$(sed -n 's/.*listening at 127.0.0.1:0, port \([0-9]*\).*/\1/p' fleet.log)
}

fleet_stop() {
	[ -n "$fleet" ] || return 0
	kill "$fleet" 2>/dev/null
	wait "$fleet"
	fleet_status=$?
	fleet=
	return "$fleet_status"
}

# ask METHOD PATH [OPTION of curl]...: what is said is in the file answer, the status in $code
ask() {
	ask_method=$1 ask_path=$2
	shift 2
	code=$(curl -sS --cacert servers.pem -X "$ask_method" -o answer -w '%{http_code}' "$@" "$url$ask_path" 2>curl.err)
}

# as ROLE METHOD PATH [OPTION]...
as() {
	as_role=$1 as_method=$2 as_path=$3
	shift 3
	ask "$as_method" "$as_path" -H "Authorization: Bearer $as_role-token" "$@"
}

# said STATUS [FILTER]: the last answer's; the filter of jq is true of it
said() {
	[ "$code" = "$1" ] && { [ $# -eq 1 ] || jq -e "$2" answer >/dev/null; } && return
	echo "# $code: $(head -c 1000 answer)"
	return 1
}

# upload KIND NAME FILE [SIGNATURE]: policies, manifests or certificates
upload() {
	jq -n --arg content "$(base64 -w0 "$3")" '{content: $content}' >upload.json
	[ $# -lt 4 ] || jq --arg signature "$(base64 -w0 "$4")" '.signature = $signature' upload.json >upload.new
	[ $# -lt 4 ] || mv upload.new upload.json
	as operator PUT "/v1/$1/$2" --data-binary @upload.json
}
