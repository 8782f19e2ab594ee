#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-library: what one verdict of libassay-verify costs a program that judges many devices, in
# microseconds at the median: where it keeps the policy and the manifests that it verified and
# read once, and where it reads them for each device. The evidence is that of
# tests/data/evidence, with its own manifest of 3 files and another one of 10,000. ours and peer
# are verdicts a second, with what is kept and without.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-library.XXXXXX")
trap 'rm -rf "$work"' EXIT
data=$PWD/tests/data/evidence
files=10000 runs=${RUNS:-50}

make --no-print-directory -s install-library DESTDIR="$work" PREFIX=/usr >/dev/null
PKG_CONFIG_PATH=$work/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work LD_LIBRARY_PATH=$work/usr/lib
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
# shellcheck disable=SC2046 # flags, as words
gcc -std=c11 -O2 -Wall -o "$work/library" tests/bench/host/library.c $(pkg-config --cflags --libs libassay-verify)

mkdir "$work/tree"
(cd "$work/tree" && seq "$files" | split -l 1 -a 4 -d - file)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench \
	-addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE \
	-keyout "$work/key.pem" -out "$work/cert.pem" -days 2 2>/dev/null
build/host/assay sign --key "$work/key.pem" --cert "$work/cert.pem" --root "$work/tree" \
	--manifest "$work/manifest" --signatures pkcs7 >/dev/null
cat >"$work/policy.json" <<'END'
{"assay": 1, "type": "policy", "waive": {
 "boot-known": "there is no boot", "files-complete": "of the 10,000 files none is measured"}}
END

# measure: a line for people; sets $kept and $read
measure() { # NAME [MANIFEST CERT]...
	measured=$1
	shift
	"$work/library" "$runs" "$data/evidence.json" "$data/nonce" "$data/ak.pub" "$work/policy.json" \
		"$data/manifest.jsonl" "$data/cert.pem" "$@" >"$work/said"
	read -r kept read <"$work/said"
	printf 'a verdict, %-22s %9s us with what is kept, %9s us without\n' "$measured:" "$kept" "$read"
}
measure '3 files in manifests'
small_kept=$kept small_read=$read
measure "$((files + 3)) files in manifests" "$work/manifest" "$work/cert.pem"
jq -cn --argjson runs "$runs" --argjson files $((files + 3)) --argjson kept "$kept" --argjson read "$read" \
	--argjson small_kept "$small_kept" --argjson small_read "$small_read" '
	{name: "library", ours: (1e6 / $kept), peer: (1e6 / $read), ratio: ($read / $kept),
	 unit: "verdicts/s", runs: $runs, files: $files, kept_us: $kept, read_us: $read,
	 small_kept_us: $small_kept, small_read_us: $small_read}'
