#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-arm64-sha: what hashing costs on arm64, in instructions, as this machine has no arm64 whose
# time would tell: `assay digest` of the arm64 build under QEMU, which counts each instruction of the
# program (tests/bench/host/instructions.c), with one stream of the SHA-2 instructions, with two side by
# side, and with OpenSSL's code for the same instructions. A file of BLOCKS blocks of 4 KiB, and one of
# twice that: the difference over its bytes, so that what does not grow with the file is none of it.
# Reading is the kernel's, and not counted. The two streams are not there to run fewer instructions, but
# so that those of one need not wait for each other. ours: instructions a byte with two streams, peer:
# OpenSSL's; ratio: peer over ours.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-arm64-sha.XXXXXX")
trap 'rm -rf "$work"' EXIT
blocks=${BLOCKS:-1024}

gcc -std=c11 -O2 -Wall -Wextra -fPIC -shared -o "$work/instructions.so" tests/bench/host/instructions.c
head -c $((blocks * 4096)) /dev/urandom >"$work/once"
head -c $((blocks * 8192)) /dev/urandom >"$work/twice"

# instructions ENGINE FILE: how many, and the digest is right
instructions() {
	INSTRUCTIONS_FILE="$work/count" qemu-aarch64 -plugin "$work/instructions.so" -L build/sysroot \
		build/arm64/assay digest --engine "$1" --jobs 1 "$work/$2" >"$work/said"
	fsverity digest "$work/$2" | cmp -s - "$work/said" || {
		echo "bench-arm64-sha: $1 has another digest than fsverity" >&2
		exit 1
	}
	cat "$work/count"
}
for engine in armv8 armv8-x2 openssl; do
	once=$(instructions $engine once)
	twice=$(instructions $engine twice)
	echo "$engine $once $twice" >>"$work/counts"
done
jq -R -s -c --argjson bytes $((blocks * 4096)) '
	[split("\n")[] | select(. != "") | split(" ") | {(.[0]): (((.[2] | tonumber) - (.[1] | tonumber)) / $bytes)}] | add
	| {name: "arm64-sha", ours: ."armv8-x2", peer: .openssl, ratio: (.openssl / ."armv8-x2"),
	   unit: "instructions a byte, two streams against OpenSSL", runs: 1, one_stream: .armv8}' "$work/counts" >"$work/result"
jq -r '"one stream: \(.one_stream * 100 | round / 100) instructions a byte, two: \(.ours * 100 | round / 100), OpenSSL: \(.peer * 100 | round / 100)"' "$work/result"
cat "$work/result"
