#!/bin/sh
# SPDX-License-Identifier: MIT
# Operators of the fleet's verifier by tokens of an OpenID Connect provider, which openssl makes: each
# algorithm, each role, tokens that are not right, and keys that change, from a file and over HTTPS.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
FLEET_VARIANT=asan
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
provider=
trap '[ -z "$provider" ] || kill "$provider" 2>/dev/null; fleet_stop; end' EXIT
jwt=$top/tests/e2e/jwt.py
await() { # CONDITION...: for a minute at most
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
openssl genpkey -algorithm ED25519 -out ed.pem 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out new.pem 2>/dev/null
mkdir site
"$jwt" keys ec rsa ed >site/keys.json

# with TOKEN METHOD PATH [OPTION]...
with() {
	with_token=$1 with_method=$2 with_path=$3
	shift 3
	ask "$with_method" "$with_path" -H "Authorization: Bearer $with_token" "$@"
}
claims() { # ROLES: JSON
	printf '{"iss": "https://issuer.example", "aud": "fleet", "sub": "somebody", "realm_access": {"roles": %s}}' "$1"
}
oidc='[oidc]
issuer = https://issuer.example
audience = fleet
claim = realm_access.roles
viewer = everybody
operator = fleet-ops
approver = fleet-boss'

# ---------------------------------------------------------------- keys of a file
printf '%s\nkeys = %s/site/keys.json\n' "$oidc" "$work" >oidc.conf
fleet_start --config oidc.conf || bail 'the service does not start'
for pair in ES256:ec RS256:rsa PS256:rsa EdDSA:ed; do
	with "$("$jwt" token "${pair%:*}" "${pair#*:}" "$(claims '["other", "everybody"]')")" GET /v1/fleet
	check "a token by ${pair%:*}" said 200
done
viewer=$("$jwt" token ES256 ec "$(claims '["everybody"]')")
operator=$("$jwt" token ES256 ec "$(claims '["everybody", "fleet-ops"]')")
approver=$("$jwt" token ES256 ec "$(claims '["fleet-boss"]')")
with "$viewer" DELETE /v1/devices/d1
check 'a viewer may not act' said 403
with "$operator" DELETE /v1/devices/d1
check 'an operator may' said 404
with "$operator" PUT /v1/devices/d1 --data-binary @records/devices/d1.json
check 'but not approve' said 403
with "$approver" PUT /v1/devices/d1 --data-binary @records/devices/d1.json
check 'an approver may' said 200
with "$viewer" GET /v1/audit
check 'and who that was is noted' said 200 '.audit[-1].who == "approver oidc:somebody"'
as viewer GET /v1/fleet
check 'tokens of the file of operators are known as before' said 200
# ---------------------------------------------------------------- who has two credentials is one person
fleet_start --config oidc.conf --two-persons || bail 'the service does not start'
upload policies policy.json v/policy.json
propose() { # by the token of the file
	as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
	proposal=$(jq -r .proposal answer)
}
propose
check 'a policy is proposed' said 202 '.proposal > 0'
with "$approver" POST "/v1/proposals/$proposal/approve"
check 'somebody else approves it' said 200
echo 'operator the-approver oidc:somebody' >>operators
kill -HUP "$fleet"
is_known() { # as whom the bearer of the provider acts
	with "$operator" DELETE /v1/devices/nobody-at-all
	with "$operator" GET /v1/fleet
	with "$viewer" PUT /v1/devices/d9 --data-binary @records/devices/d1.json
	[ "$code" = 403 ] && with "$approver" PUT /v1/devices/d1 --data-binary @records/devices/d1.json && [ "$code" = 403 ]
}
check 'the file says who that is, and what at most' await is_known
sed -i 's/^operator the-approver oidc:/approver the-approver oidc:/' operators
kill -HUP "$fleet"
is_one() {
	propose
	with "$approver" POST "/v1/proposals/$proposal/approve"
	said 403 '.error | test("another one must")'
}
check 'who proposed it cannot approve it by another credential' await is_one
as viewer GET /v1/audit
check 'which the audit says, too' said 200 '.audit | map(.who) | index("approver the-approver") != null'
for line in 'viewer oidc:x token:0000000000000000000000000000000000000000000000000000000000000000' 'viewer x oidc:' \
	"viewer x oidc:$(printf %065d 0)"; do
	echo "$line" >bad.operators
	run "$fleet_program" serve --database sqlite:none.db --listen 127.0.0.1:0 --operators bad.operators --check
	check "an operator that is none: $(echo "$line" | cut -c 1-20)" eval '[ "$status" -eq 1 ] && grep -q "bad.operators line 1" stderr'
done
fleet_start --config oidc.conf || bail 'the service does not start'
tried() { # TITLE TOKEN
	with "$2" GET /v1/fleet
	check "refused: $1" said 401
}
tried 'nobody' "$("$jwt" token ES256 ec "$(claims '["guests"]')")"
tried 'expired' "$("$jwt" token ES256 ec "$(claims '["everybody"]' | jq -c '.exp = 1700000000')")"
tried 'of tomorrow' "$("$jwt" token ES256 ec "$(claims '["everybody"]' | jq -c '.nbf = 4000000000')")"
tried 'of another issuer' "$("$jwt" token ES256 ec "$(claims '["everybody"]' | jq -c '.iss = "https://other.example"')")"
tried 'for somebody else' "$("$jwt" token ES256 ec "$(claims '["everybody"]' | jq -c '.aud = "shop"')")"
tried 'without a name' "$("$jwt" token ES256 ec "$(claims '["everybody"]' | jq -c 'del(.sub)')")"
tried 'by a key that is not the issuer'"'"'s' "$("$jwt" token ES256 new "$(claims '["everybody"]')")"
tried 'with the claims of another' "$(echo "$viewer" | cut -d. -f1).$(echo "$approver" | cut -d. -f2).$(echo "$viewer" | cut -d. -f3)"
tried 'without a signature' "$(printf '{"alg":"none"}' | base64 -w0 | tr -d =).$(echo "$approver" | cut -d. -f2)."
tried 'nothing' x
tried 'a long one' "$(head -c 6000 /dev/zero | tr '\0' A)"
fleet_stop
{
	cat oidc.conf
	echo 'algorithm = EdDSA'
} >one.conf
fleet_start --config one.conf || bail 'the service does not start'
with "$viewer" GET /v1/fleet
check 'an algorithm that is not taken here' said 401
with "$("$jwt" token EdDSA ed "$(claims '["everybody"]')")" GET /v1/fleet
check 'and the one that is' said 200

# ---------------------------------------------------------------- keys of a URL
"$jwt" serve site localhost.pem localhost.key provider.log &
provider=$!
await test -s provider.log || bail 'no provider'
printf '%s\nkeys = https://localhost:%s/keys.json\nca = %s/servers.pem\n' "$oidc" "$(head -n 1 provider.log)" "$work" >oidc.conf
# Of one process: each has keys of its own.
fleet_start --config oidc.conf --workers 1 || bail 'the service does not start'
let_in() {
	with "$1" GET /v1/fleet
	[ "$code" = 200 ]
}
check 'the keys are fetched' await let_in "$viewer"
unknown=$("$jwt" token ES256 new "$(claims '["everybody"]')")
begun=$(date +%s)
for _ in $(seq 30); do
	with "$unknown" GET /v1/fleet
done
check 'and, for a key that nobody knows, twice a minute' [ "$(grep -c keys.json provider.log)" -le $((3 + ($(date +%s) - begun) / 30)) ]
kill "$provider"
wait "$provider" 2>/dev/null
provider=
with "$viewer" GET /v1/fleet
check 'they hold while the provider is away' said 200
fleet_start --config oidc.conf || bail 'the service does not start'
with "$viewer" GET /v1/fleet
check 'without keys nobody is let in' said 401
as viewer GET /v1/fleet
check 'but who is in the file' said 200
check 'which is noted' await grep -q 'the keys of https://localhost.* cannot be had' fleet.log
check 'it ends well' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'

for line in 'issuer = x' 'viewer = x' 'algorithm = HS256' 'keys = http://192.0.2.1/keys' 'keys = none.json'; do
	printf '[serve]\ndatabase = sqlite:x.db\nlisten = 127.0.0.1:0\n[oidc]\n%s\n' "$line" >bad.conf
	case $line in
	issuer*) ;;
	*) printf 'issuer = https://issuer.example\naudience = fleet\n' >>bad.conf ;;
	esac
	case $line in
	algorithm*) printf 'viewer = x\nkeys = site/keys.json\n' >>bad.conf ;;
	keys*) printf 'viewer = x\n' >>bad.conf ;;
	esac
	run "$fleet_program" serve --config bad.conf --check
	check "a configuration with $line that cannot be" [ "$status" -eq 1 ]
done
echo "1..$check_number"
exit "$check_failed"
