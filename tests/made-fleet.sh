# SPDX-License-Identifier: MIT
# shellcheck shell=sh
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
