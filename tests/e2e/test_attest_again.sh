#!/bin/sh
# SPDX-License-Identifier: MIT
# One device, judged several times: the verifier keeps in the device's record what it has seen, so
# that the device need send no more than what came since, and may trim what was seen; and what
# does not go on from there is not trusted.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-again-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$work
. tests/check.sh
. tests/e2e/attest-signer.sh

verify=build/host/assay-verify
out=build/guests/attest-again
nonce=$(openssl rand -hex 31)

sign() {
	mkdir -p "$work/tree/app/lib"
	for number in 1 2 3; do
		head -c $((number * 20000)) build/arm64/assay >"$work/tree/app/lib/$number"
	done
	make_disk "$work"
}

boot() {
	printf '%s\n' "$nonce" >"$work/nonce"
	date +%s >"$work/now"
	qemu/run-guest --flavour 64k --memory 2G --region auto --tpm "$work/tpm" \
		--init tests/e2e/attest-again-guest.sh --disk "$work/disk.img" \
		--file tests/check.sh=/bed/check.sh \
		--file tests/e2e/attest-device.sh=/bed/attest-device.sh --file build/kmod/64k/assay.ko=/bed/assay.ko \
		--file build/arm64/assay=/bed/bin/assay --file "$work/nonce=/bed/nonce" \
		--file "$work/now=/bed/now" --file "$work/signer.pem=/bed/signer.pem" \
		--file "$work/tpm/ek-root.pem=/bed/roots.pem" \
		--file "$work/tpm/ek-issuer.pem=/bed/issuer.pem" --out "$out"
}

judge() { # NUMBER OPTION...: with the record as it is, which is updated
	judge_number=$1
	shift
	"$verify" verify "$out/files/$judge_number.json" --nonce "${nonce}0$judge_number" \
		--device "$out/files/records/devices/again.json" --manifest "$work/manifest.jsonl" \
		--cert "$work/signer.pem" --waive boot-known --strip-prefix /mnt --no-ima-log --json "$@"
}

refused() { # NUMBER CHECK: not trusted, and this check says why
	refused_status=0
	judge "$1" >"$work/verdict" || refused_status=$?
	jq -r '.checks[] | select(.result == "fail") | "\(.name): \(.detail)"' "$work/verdict"
	[ "$refused_status" -eq 1 ] && jq -e --arg check "$2" '(.trusted | not) and
		(.checks[] | select(.name == $check) | .required and .result == "fail")' "$work/verdict"
}

works 'a TPM with certificates of its maker' qemu/make-tpm "$work/tpm" sha256
works 'files are signed' sign
works 'the device is enrolled, and quotes four times' boot
cp "$out/files/records/devices/again.json" "$work/enrolled.json"

works 'what is new alone is not trusted before the rest was seen' refused 2 assay-log-start
works 'the first verdict is trust' judge 1
works 'the record has a state now' jq -e .state "$out/files/records/devices/again.json"
cp "$out/files/records/devices/again.json" "$work/first.json"
works 'what is new is trusted, with what was seen' judge 2
works 'and is less than the whole' sh -c 'test "$(jq .logs.assay.first "$1")" -gt 0' sh "$out/files/2.json"
cp "$out/files/records/devices/again.json" "$work/second.json"
works 'what was quoted before is not trusted any more' refused 1 quote-counters
works 'nor does that change the record' cmp "$work/second.json" "$out/files/records/devices/again.json"
works 'a log that was trimmed up to what was seen is trusted' judge 3
works 'a log that was trimmed of what was not seen is not' refused 4 assay-log-start
cp "$work/enrolled.json" "$out/files/records/devices/again.json"
works 'nor is a trimmed one by who has seen nothing' refused 3 assay-log-start
echo "1..$check_number"
exit "$check_failed"
