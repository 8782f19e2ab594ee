#!/bin/sh
# SPDX-License-Identifier: MIT
# Attestation as a CI job has it: a TPM with its maker's certificates, a device that boots,
# is enrolled over files, measures and quotes, and a verifier that needs neither. `make
# attest-ci` builds all it needs. What was exchanged and judged is kept in build/attest-ci:
#	request.json challenge.json answer.json	the enrolment, and records/ what came of it
#	evidence.json nonce policy.json manifest.jsonl signer.pem	what was judged, and by what
#	verdict.json verdict.html junit.xml	the verdict
# Exit status: 0 if the device is trusted. Each step is a line.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

out=build/attest-ci
verify=build/host/assay-verify
here=tests/e2e
. $here/attest-signer.sh

rm -rf "$out"
mkdir -p "$out"
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-attest.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

step() { # TITLE COMMAND...
	step_title=$1
	shift
	if "$@" >"$work/step.log" 2>&1; then
		printf 'ok      %s\n' "$step_title"
	else
		step_status=$?
		printf 'FAILED  %s\n' "$step_title"
		sed 's/^/        /' "$work/step.log"
		exit "$step_status"
	fi
}

# What the device runs: any tree of files, signed by a key that the CI has.
sign() {
	mkdir -p "$work/tree/app/bin" "$work/tree/app/lib"
	cp build/arm64/assay "$work/tree/app/bin/"
	for number in 1 2 3 4 5 6 7 8; do
		head -c $((number * 20000)) build/arm64/assay >"$work/tree/app/lib/$number"
	done
	make_disk "$work" && cp "$work"/manifest.jsonl* "$work/signer.pem" policy/ci/policy.json "$out/"
}

boot() { # DIRECTORY OPTION...
	boot_out=$work/$1
	shift
	qemu/run-guest --flavour 64k --memory 2G --region auto --tpm "$work/tpm" \
		--init $here/attest-ci-guest.sh --file tests/check.sh=/bed/check.sh \
		--file $here/attest-device.sh=/bed/attest-device.sh \
		--file build/arm64/assay=/bed/bin/assay --append ima_policy=tcb --out "$boot_out" "$@"
}

first_boot() {
	boot first && cp "$work/first/files/request.json" "$out/"
}

challenge() {
	"$verify" enroll challenge "$out/request.json" --records "$out/records" \
		--roots "$work/tpm/ek-root.pem" --intermediates "$work/tpm/ek-issuer.pem" \
		--out "$out/challenge.json"
}

second_boot() {
	date -u +%Y-%m-%dT%H:%M:%SZ >"$out/issued"
	openssl rand -hex 32 >"$out/nonce"
	boot second --disk "$work/disk.img" --file build/kmod/64k/assay.ko=/bed/assay.ko \
		--file "$out/signer.pem=/bed/signer.pem" --file "$out/challenge.json=/bed/challenge.json" \
		--file "$out/nonce=/bed/nonce" &&
		cp "$work/second/files/answer.json" "$work/second/files/evidence.json" "$out/"
}

judge() {
	"$verify" verify "$out/evidence.json" --nonce "$(cat "$out/nonce")" --issued "$(cat "$out/issued")" \
		--device "$out/records/devices/ci-device.json" --policy "$out/policy.json" \
		--html "$out/verdict.html" --junit "$out/junit.xml" --json >"$out/verdict.json" || {
		judge_status=$?
		jq -r '.checks[] | select(.result != "pass") | "\(.name): \(.result): \(.detail)"' "$out/verdict.json"
		return $judge_status
	}
}

step 'a TPM with certificates of its maker' qemu/make-tpm "$work/tpm" sha256
step 'files are signed, and the manifest of them' sign
step 'first boot: the device asks to be enrolled' first_boot
step 'the verifier makes a challenge' challenge
step 'second boot: the device answers, measures and quotes' second_boot
step 'the verifier accepts the answer' "$verify" enroll accept "$out/answer.json" --records "$out/records"
step 'the verifier trusts the evidence' judge
jq -r '"\ntrusted: \([.checks[] | select(.required and .result == "pass")] | length) of \([.checks[] | select(.required)] | length) required checks passed; see build/attest-ci/verdict.html"' \
	"$out/verdict.json"
