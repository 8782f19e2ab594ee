#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-verify: replaying a list of IMA of a million ima-ng entries to a PCR's value, `assay-verify
# replay ima` against `evmctl ima_measurement` on the same file in page cache: both compare each
# template digest with its data, and the PCR with what is expected. The ways take turns, and each
# way's time is the least of its runs, as all that disturbs a run adds to it. ours and peer are
# entries a second, of the list in SHA-1, replayed to the SHA-1 bank; sha1_to_sha256 is the same
# list replayed to the SHA-256 bank (peer_to_sha256 is evmctl's), sha256 that of a list whose
# template digests are in SHA-256, which evmctl cannot read. memory_kib is the most that a run had
# in memory, less the mapped file.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-verify.XXXXXX")
trap 'rm -rf "$work"' EXIT
assay=$PWD/build/host/assay-verify
rounds=${ROUNDS:-5}
entries=${ENTRIES:-1000000}

gcc -std=c11 -O2 -Wall -o "$work/ima_list" tests/bench/host/ima_list.c -lcrypto
"$work/ima_list" "$entries" sha1 >"$work/list.sha1"
"$work/ima_list" "$entries" sha256 >"$work/list.sha256"

value() { # LIST BANK: what PCR 10 comes to
	"$assay" replay ima "$work/$1" --bank "$2" --json | jq -r --arg bank "$2:" '.pcrs[] | select(.pcr == 10) | .digest | select(startswith($bank)) | sub(".*:"; "")'
}
sha1=$(value list.sha1 sha1)
sha256=$(value list.sha1 sha256)
pcrs() { # VALUE: all PCRs as evmctl reads them
	for pcr in $(seq -w 0 23); do
		if [ "$pcr" = 10 ]; then
			printf 'PCR-10: %s\n' "$1"
		else
			printf 'PCR-%s: %s\n' "$pcr" "$(printf '%s' "$1" | tr '0-9a-f' 0)"
		fi
	done
}
pcrs "$sha1" >"$work/pcrs.sha1"
pcrs "$sha256" >"$work/pcrs.sha256"

ours() { "$assay" replay ima "$work/list.sha1" --bank sha1 --expect "sha1:$sha1"; }
peer() { evmctl ima_measurement --pcrs "sha1,$work/pcrs.sha1" "$work/list.sha1"; }
ours_to_sha256() { "$assay" replay ima "$work/list.sha1" --bank sha256 --expect "sha256:$sha256"; }
peer_to_sha256() { evmctl ima_measurement --pcrs "sha256,$work/pcrs.sha256" "$work/list.sha1"; }
ours_sha256() { "$assay" replay ima "$work/list.sha256" --bank sha256 --expect "sha256:$sha256"; }

for _ in $(seq "$rounds"); do
	for way in ours peer ours_to_sha256 peer_to_sha256 ours_sha256; do
		from=$(date +%s%N)
		"$way" >"$work/said" 2>&1 || {
			cat "$work/said"
			echo "bench-verify: $way does not come to the expected value" >&2
			exit 1
		}
		echo "$way $(($(date +%s%N) - from))" >>"$work/runs"
	done
done

# memory LIST: KiB beside the mapped file
memory() {
	/usr/bin/time -f %M -o "$work/kib" "$assay" replay ima "$work/$1" >/dev/null
	echo $(($(cat "$work/kib") - $(stat -c %s "$work/$1") / 1024))
}

jq -R -s --argjson entries "$entries" --argjson runs "$rounds" \
	--argjson sha1_kib "$(memory list.sha1)" --argjson sha256_kib "$(memory list.sha256)" '
	[split("\n")[] | select(. != "") | split(" ") | {way: .[0], ns: (.[1] | tonumber)}] as $all
	| def rate($way): [$all[] | select(.way == $way).ns] | min | $entries * 1e9 / . | round;
	  {name: "verify", ours: rate("ours"), peer: rate("peer"),
	   ratio: (rate("ours") / rate("peer")), unit: "entries/s", runs: $runs, entries: $entries,
	   sha1_to_sha256: rate("ours_to_sha256"), peer_to_sha256: rate("peer_to_sha256"),
	   ratio_to_sha256: (rate("ours_to_sha256") / rate("peer_to_sha256")),
	   sha256: rate("ours_sha256"), memory_kib: ([$sha1_kib, $sha256_kib] | max)}' \
	"$work/runs" >"$work/result.json"
jq -r '"\(.entries) entries of ima-ng, entries a second:\n" +
	"                                 assay       evmctl      ratio\n" +
	"a list in SHA-1, PCR in SHA-1    \(.ours)     \(.peer)      \(.ratio * 10 | round / 10)\n" +
	"a list in SHA-1, PCR in SHA-256  \(.sha1_to_sha256)     \(.peer_to_sha256)      \(.ratio_to_sha256 * 10 | round / 10)\n" +
	"a list in SHA-256                \(.sha256)     (not read)\n" +
	"memory beside the mapped file: \(.memory_kib) KiB"' "$work/result.json"
jq -c . "$work/result.json"
