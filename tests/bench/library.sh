#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-library: what one verdict of libassay-verify costs a program that judges many devices, in
# microseconds at the median: where it reads the policy, the manifests and the key for each device;
# where it keeps policy and manifests; and where it keeps the key too, and the evidence goes on from
# the device's state, with a record and an entry more or with nothing new. What verifying a signature
# of P-256 takes by itself is told beside. The evidence is of fleet-load, 3 KB whole, with a manifest of
# 3 files and another one of 10,000. ours and peer are verdicts a second, going on and with all read.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-library.XXXXXX")
trap 'rm -rf "$work"' EXIT
files=${FILES:-10000} runs=${RUNS:-50}

[ -n "${PREBUILT-}" ] || make --no-print-directory -s build/host/fleet-load >/dev/null
. tests/library-program.sh
library_program "$work"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench \
	-addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE \
	-keyout "$work/key.pem" -out "$work/cert.pem" -days 2 2>/dev/null

# sign_files COUNT: a manifest of so many files
sign_files() {
	mkdir -p "$work/tree$1"
	(cd "$work/tree$1" && seq "$1" | split -l 1 -a 4 -d - file)
	build/host/assay sign --key "$work/key.pem" --cert "$work/cert.pem" --root "$work/tree$1" \
		--manifest "$work/manifest$1" --signatures pkcs7 >/dev/null
}
sign_files 3
sign_files "$files"
mkdir "$work/one"
build/host/fleet-load --manifest "$work/manifest3" --one "$work/one"
cat >"$work/policy.json" <<'END'
{"assay": 1, "type": "policy", "waive": {
 "boot-known": "there is no boot", "files-complete": "of the 10,000 files none is measured"}}
END

# measure: a line for people; sets $read, $kept, $next, $same and $signature
measure() { # NAME [MANIFEST CERT]...
	measured=$1
	shift
	"$work/library" "$runs" "$work/one" "$work/policy.json" "$work/manifest3" "$work/cert.pem" "$@" >"$work/said"
	# shellcheck disable=SC2034 # told by the caller
	read -r read kept next same signature <"$work/said"
	printf 'a verdict, %-22s %9s us with all read, %s with what is kept; going on: %s, and %s with nothing new; the signature %s\n' \
		"$measured:" "$read" "$kept" "$next" "$same" "$signature"
}
measure '3 files in manifests'
small_read=$read small_kept=$kept small_next=$next
measure "$((files + 3)) files in manifests" "$work/manifest$files" "$work/cert.pem"
jq -cn --argjson runs "$runs" --argjson files $((files + 3)) --argjson kept "$kept" --argjson read "$read" \
	--argjson next "$next" --argjson same "$same" --argjson signature "$signature" \
	--argjson small_kept "$small_kept" --argjson small_read "$small_read" --argjson small_next "$small_next" '
	{name: "library", ours: (1e6 / $next), peer: (1e6 / $read), ratio: ($read / $next),
	 unit: "verdicts/s", runs: $runs, files: $files, kept_us: $kept, read_us: $read, next_us: $next,
	 same_us: $same, signature_us: $signature, signature_share: ($signature / $next),
	 small_kept_us: $small_kept, small_read_us: $small_read, small_next_us: $small_next}'
