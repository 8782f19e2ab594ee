#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-quote: judging the evidence of a device with 780 entries in IMA's list, as a process:
# `assay-verify verify`, with all of its checks (the quote, both logs, the manifest), against
# `tpm2_checkquote`, which checks the same quote's signature, nonce and PCR values and no log. The
# quote is a software TPM's; assay's log, the manifest and the signer are those of
# tests/data/evidence, whose records have no keys yet (assay-log-chain is waived). ours and peer are runs a second, the ratio is how many of ours are made in
# the time of one of theirs.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
. tests/swtpm.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-quote.XXXXXX")
trap 'tpm_stop; rm -rf "$work"' EXIT
assay=$PWD/build/host/assay-verify
data=$PWD/tests/data/evidence
rounds=${ROUNDS:-5}
runs_a_round=${RUNS:-20}
entries=${ENTRIES:-780}
nonce=$(head -c 32 /dev/urandom | xxd -p -c 64)

mkdir "$work/tpm"
tpm_start "$work/tpm"
TPM2TOOLS_TCTI=swtpm:path=$work/tpm.sock
export TPM2TOOLS_TCTI

# The device's PCRs: what its two logs come to. A value is extended once: the list is new, and
# the log is short.
gcc -std=c11 -O2 -Wall -o "$work/ima_list" tests/bench/host/ima_list.c -lcrypto
"$work/ima_list" "$entries" sha256 >"$work/list"
digests() { # of the list's entries: sha256 digests behind the PCR index
	xxd -p "$work/list" | tr -d '\n' | grep -o '0a000000[0-9a-f]\{64\}06000000696d612d6e67' | cut -c9-72
}
[ "$(digests | wc -l)" -eq "$entries" ]
digests | sed 's/^/10:sha256=/' | xargs -n 8 tpm2_pcrextend
build/host/assay log show --evidence "$data/evidence.json" --json |
	jq -r '.records[] | .digests[] | select(startswith("sha256:")) | "14:sha256=\(.[7:])"' | xargs -n 8 tpm2_pcrextend

cd "$work"
tpm2_createek -Q -G ecc -c ek.ctx
tpm2_flushcontext -t
tpm2_createak -Q -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.tpm2b -f tss -n ak.name
tpm2_flushcontext -t
tpm2_readpublic -Q -c ak.ctx -f pem -o ak.pem
tpm2_flushcontext -t
tpm2_quote -Q -c ak.ctx -l sha256:10,14 -q "$nonce" -m attest -s signature -o pcrs -g sha256
tpm2_pcrread sha256:10,14 -o values >/dev/null

base64 -w0 list >list.b64
jq -c --arg nonce "$(printf %s "$nonce" | xxd -r -p | base64 -w0)" --arg ak "$(base64 -w0 ak.tpm2b)" \
	--arg attest "$(base64 -w0 attest)" --arg signature "$(base64 -w0 signature)" \
	--arg ten "$(head -c 32 values | xxd -p -c 64)" --arg fourteen "$(tail -c 32 values | xxd -p -c 64)" \
	--rawfile list list.b64 '
	.nonce = $nonce | .ak_public = $ak | .quote = { attest: $attest, signature: $signature }
	| .pcrs = { sha256: { "10": $ten, "14": $fourteen } }
	| .logs.ima = { template_bank: "sha256", data: $list }' "$data/evidence.json" >evidence.json

ours() {
	"$assay" verify evidence.json --nonce "$nonce" --ak ak.tpm2b --manifest "$data/manifest.jsonl" \
		--cert "$data/cert.pem" --waive boot-known --waive assay-log-chain --verbose
}
peer() {
	tpm2_checkquote -u ak.pem -m attest -s signature -f pcrs -q "$nonce" -g sha256
}

# Both accept it, and ours has read all of the list.
ours >said || {
	cat said
	exit 1
}
grep -q "ima-log-replay *$entries entries replay" said
peer >/dev/null
unset TPM2TOOLS_TCTI

for _ in $(seq "$rounds"); do
	for way in ours peer; do
		from=$(date +%s%N)
		for _ in $(seq "$runs_a_round"); do
			"$way" >/dev/null
		done
		echo "$way $((($(date +%s%N) - from) / runs_a_round))" >>runs
	done
done

jq -R -s --argjson runs $((rounds * runs_a_round)) --argjson entries "$entries" '
	[split("\n")[] | select(. != "") | split(" ") | {way: .[0], ns: (.[1] | tonumber)}] as $all
	| def rate($way): [$all[] | select(.way == $way).ns] | min | 1e9 / .;
	  {name: "quote", ours: rate("ours"), peer: rate("peer"), ratio: (rate("ours") / rate("peer")),
	   unit: "verdicts/s", runs: $runs, entries: $entries,
	   ours_ms: (1000 / rate("ours")), peer_ms: (1000 / rate("peer"))}' runs >result.json
jq -r '"assay verify, \(.entries) entries:  \(.ours_ms * 100 | round / 100) ms\n" +
	"tpm2_checkquote, the quote alone:  \(.peer_ms * 100 | round / 100) ms"' result.json
jq -c . result.json
