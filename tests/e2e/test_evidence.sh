#!/bin/sh
# SPDX-License-Identifier: MIT
# The form of evidence, as policy/evidence.schema.json and assay-evidence(5) have it, is the one
# that the verifier reads.
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
data=tests/data/evidence
schema=policy/evidence.schema.json

works 'the schema takes what the verifier reads, and refuses what it refuses' \
	python3 tests/e2e/evidence-schema.py "$schema" "$data/evidence.json" build/host/assay-verify verify - \
	--nonce "$(xxd -p "$data/nonce")" --ak "$data/ak.pub" --manifest "$data/manifest.jsonl" --cert "$data/cert.pem"

# The page: each member of the schema is one of its items, in the same order.
jq -r 'def names: .properties // {} | to_entries[] | .key, (.value | names);
	del(.properties.pcrs.properties, .properties.logs.properties.assay.properties.start.properties) | names' \
	"$schema" >"$work/members"
sed -n '/^\.Ss Members/,/^\.Ss Limits/s/^\.It Li //p' man/assay-evidence.5 >"$work/items"
check 'the page has each member' [ "$(sort "$work/members")" = "$(sort "$work/items")" ]
check 'there are members' [ "$(wc -l <"$work/members")" -gt 15 ]
# Its limits are those of the reader.
limit() { # NAME
	sed -n "s/^#define $1 (\{0,1\}\([0-9]*\).*/\1/p" userspace/lib/verify/evidence.h userspace/lib/verify/evidence_session.h
}
check 'limits: nonce' grep -q "1 to $(limit EVIDENCE_MAX_NONCE) bytes" man/assay-evidence.5
check 'limits: structures' [ "$(grep -c "1 to $(limit EVIDENCE_MAX_STRUCTURE) bytes" man/assay-evidence.5)" -eq 6 ]
check 'limits: certificate' grep -q "1 to $(limit EVIDENCE_MAX_CERTIFICATE) bytes" man/assay-evidence.5
check 'limits: PCR values' grep -q "From 1 to $(limit EVIDENCE_MAX_PCRS) values" man/assay-evidence.5
check 'limits: text' grep -q "at most $(limit EVIDENCE_MAX_SIZE) MiB" man/assay-evidence.5
check 'limits: the text of a session' grep -q "1 to $(($(limit EVIDENCE_MAX_TEXT) << 20)) bytes" man/assay-evidence.5
check 'limits: what a session certified' grep -q "at most $(limit EVIDENCE_MAX_CERTIFIED):" man/assay-evidence.5
echo "1..$check_number"
exit "$check_failed"
