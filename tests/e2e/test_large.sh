#!/bin/sh
# SPDX-License-Identifier: MIT
# Input that is very large: what reads it stays within its memory, and ends with an error that
# says why. Memory is the process's own (RLIMIT_DATA); mapped files are not in it.
set -u
cd "$(dirname "$0")/../.." || exit 2
assay=$PWD/build/host/assay-verify
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

within() { # KIB COMMAND...: runs it with so much memory of its own at most
	# shellcheck disable=SC3045 # dash has it
	run sh -c 'ulimit -d "$1" && shift && exec "$@"' sh "$@"
}

evidence=tests/data/evidence
verify() { # KIB EVIDENCE: with what the sample evidence is judged with
	within "$1" "$assay" verify "$2" --nonce "$(xxd -p -c 64 $evidence/nonce)" --ak $evidence/ak.pub \
		--manifest $evidence/manifest.jsonl --cert $evidence/cert.pem --verbose
}

# 1 GiB of zeros, of which the disk has none.
truncate -s 1G "$work/zeros"
verify 32768 "$work/zeros"
check "evidence of 1 GiB is refused before it is read" told 3 'is larger than the [0-9]* bytes expected at most'
within 32768 "$assay" replay ima "$work/zeros"
check "1 GiB of zeros is no list of IMA" told 3 'does not begin with an IMA entry'
within 32768 "$assay" replay cel "$work/zeros"
check "nor a log of CEL" told 3 'record at offset 0: '
truncate -s 32M "$work/zeros"
within 32768 "$assay" replay uefi "$work/zeros"
check "to firmware they are a million events, whose digests are zeros" prints 0 '^zero-digest: .* 1048575 more$'

# 21 MB of a list of IMA, in the place of the sample's own.
for _ in $(seq 100); do cat tests/data/ima/charra.bin; done >"$work/list"
base64 -w0 "$work/list" >"$work/list.b64"
jq -c --rawfile data "$work/list.b64" '.logs.ima.data = $data' $evidence/evidence.json >"$work/evidence.json"
verify 65536 "$work/evidence.json"
check "evidence costs the memory of its logs, once" told 1
check "all of its list is read" grep -q 'ima-log-parsed.*165000 entries' "$work/stdout"
within 32768 "$assay" replay ima "$work/list"
check "a list costs no memory" prints 0 '^165000 entries, 0 with another digest'
echo "1..$check_number"
exit "$check_failed"
