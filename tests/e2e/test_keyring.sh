#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay keyring` with a kernel that has .fs-verity and .ima, and with one that has _ima; and
# `assay quote` with IMA's list: boots two guests; the first one's evidence is then looked
# at here.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/assay-keyring.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
CHECK_OUT=$work
. tests/check.sh

certificate() { # certificate NAME [OPENSSL OPTION]...
	certificate_name=$1
	shift
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test \
		-keyout "$work/$certificate_name.key" -out "$work/$certificate_name.pem" -days 2 "$@" \
		2>/dev/null
}
certificate good
certificate late
certificate no-id -addext subjectKeyIdentifier=none

guest() { # guest FLAVOUR OPTION...
	guest_flavour=$1
	shift
	qemu/run-guest --flavour "$guest_flavour" --init tests/e2e/keyring-guest.sh \
		--file tests/check.sh=/bed/check.sh --file build/arm64/assay=/bed/bin/assay \
		--program bin/keyctl --file "$work/good.pem=/bed/good.pem" \
		--file "$work/late.pem=/bed/late.pem" --file "$work/no-id.pem=/bed/no-id.pem" \
		--out "$work/$guest_flavour" "$@" || guest_status=$?
}

guest_status=0
guest 4k
guest 64k --tpm new --banks sha1,sha256 --append ima_policy=tcb

# The host's own, as a second plan.
files=$work/64k/files
checkquote() {
	(cd "$files/parts" && tpm2_checkquote -u ak.pub -m attest -s sig -f pcrs -g sha256 -q nonce)
}
works 'tpm2_checkquote accepts the quote of PCR 10' checkquote
works 'the list has the quoted bank as its template bank' \
	jq -e '.logs.ima.template_bank == "sha256"' "$files/evidence.json"
works 'the list is the one in the evidence' sh -c '
	jq -r .logs.ima.data "$1/evidence.json" | base64 -d | cmp - "$1/parts/ima"' list "$files"
works 'evidence for Keylime is taken by its rules, and its list replays' \
	python3 tests/e2e/keylime.py "$files/keylime.json"
works "its list is the kernel's own text, as far as that had come" sh -c '
	jq -r .data.ima_measurement_list "$1/keylime.json" >"$1/list" &&
	sed "/^$/d" "$1/list" >"$1/list.text" && test "$(wc -l <"$1/list.text")" -ge 1 &&
	head -n "$(wc -l <"$1/list.text")" "$1/ascii" | cmp - "$1/list.text"' list "$files"
works 'the firmware'"'"'s PCRs are quoted, too' \
	jq -e '.pcrs.sha256 | has("0") and has("9") and has("10")' "$files/evidence.json"
echo "1..$check_number"
[ "$check_failed" -eq 0 ] || exit 1
exit "$guest_status"
