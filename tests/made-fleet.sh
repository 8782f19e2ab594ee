# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # $fleet is for who sources this
# What a verifier of devices that are made up (tests/bench/host/fleet_load.c) goes by. Sourced.

# made_references ASSAY: by that program the tree here is signed by key.pem for cert.pem, which is here too: manifest.jsonl,
# policy.json; and operators, who have the tokens operator-token and approver-token
made_references() {
	"$1" sign --key key.pem --cert cert.pem --root tree --manifest manifest.jsonl --signatures pkcs7 >/dev/null
	cat >policy.json <<'END'
{"assay": 1, "type": "policy", "waive": {"boot-known": "the devices are made up"},
 "certificates": ["cert.pem"], "manifests": ["manifest.jsonl"]}
END
	for made_role in operator approver; do
		echo "$made_role the-$made_role token:$(printf '%s-token' "$made_role" | sha256sum | cut -d ' ' -f 1)"
	done >operators
}

# made_serve PROGRAM [OPTION]...: the service on what is here, at fleet.sock, as $fleet; what it says is in fleet.log. 1 where
# it does not start
made_serve() {
	made_program=$1
	shift
	: >fleet.log
	"$made_program" serve --listen "$PWD/fleet.sock" --operators operators --device-rate 0 "$@" 2>fleet.log &
	fleet=$!
	for _ in $(seq 1200); do
		! grep -q ': serving$' fleet.log || return 0
		kill -0 "$fleet" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

made_say() { # METHOD PATH ROLE BODY
	curl -fsS --unix-socket fleet.sock -X "$1" -H "Authorization: Bearer $3-token" --data-binary "$4" "http://fleet$2" >/dev/null
}
made_content() { # FILE [SIGNATURE]
	jq -nc --arg content "$(base64 -w0 "$1")" --arg signature "${2:+$(base64 -w0 "$2")}" \
		'{content: $content} + if $signature == "" then {} else {signature: $signature} end'
}

# made_set_up: what made_references has made is what devices are judged by
made_set_up() {
	made_say PUT /v1/certificates/cert.pem operator "$(made_content cert.pem)" &&
		made_say PUT /v1/manifests/manifest.jsonl operator "$(made_content manifest.jsonl manifest.jsonl.p7s)" &&
		made_say PUT /v1/policies/policy.json operator "$(made_content policy.json)" &&
		made_say POST /v1/assignments approver '{"label": "", "policy": "policy.json", "version": 1}'
}
