#!/bin/sh
# SPDX-License-Identifier: MIT
# Where others judge the same input, the verdicts agree, or the tables below say why they do not:
# lists of IMA against `evmctl ima_measurement`, firmware logs against `tpm2_eventlog`. Quotes are
# compared with `tpm2_checkquote` in tests/unit/test_verify_differential.c.
set -u
cd "$(dirname "$0")/../.." || exit 2
assay=$PWD/build/host/assay-verify
data=$PWD/tests/data
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
input=$work/input

# verdict STATUS: accept, refuse, or crash by a signal
verdict() {
	if [ "$1" -eq 0 ]; then
		echo accept
	elif [ "$1" -lt 128 ]; then
		echo refuse
	else
		echo crash
	fi
}

put() { # OFFSET BYTES: over those of the input
	printf '%b' "$2" | dd of="$input" bs=1 seek="$1" conv=notrunc 2>/dev/null
}
part() { # OFFSET SIZE: of the original
	tail -c +$(($1 + 1)) "$original" | head -c "$2"
}
rest() { # OFFSET: of the original, to its end
	tail -c +$(($1 + 1)) "$original"
}

# prepare DIRECTORY NAME: the input; that of a file there, or what a function of that name changes
# in $original
prepare() {
	if [ -e "$data/$1/$2" ]; then
		cat "$data/$1/$2" >"$input"
	else
		cat "$original" >"$input"
		"$2"
	fi
}

# compare TITLE OURS PEER OUR-STATUS PEER-STATUS WHY: the verdicts are those of the table, which
# tells why where they differ
compare() {
	status=
	: >"$work/stdout"
	check "$1: $2, and of the peer $3${6:+ ($6)}" \
		[ "$(verdict "$4") $(verdict "$5")" = "$2 $3" ]
	[ "$2" = "$3" ] || check "it is told why" [ -n "$6" ]
}

# ---------------------------------------------------------------- lists of IMA
# PCR bank, input, assay's verdict, evmctl's, and why they differ. Both are told the PCR that the
# list came to before it was changed.
ima_table() {
	cat <<-'EOF'
		sha1|ibmtss-sha1.log|accept|accept|
		sha256|ibmtss-sha1.log|accept|accept|
		sha1|charra.bin|accept|accept|
		sha256|charra.bin|accept|accept|
		sha256|ibmtss-sha256.log|accept|refuse|evmctl 1.4 reads template digests of SHA-1 only
		sha384|ibmtss-sha384.log|accept|refuse|the same
		sha512|ibmtss-sha512.log|accept|refuse|the same
		sha256|ibmtss-imatest.log|accept|refuse|evmctl takes no list with the template "ima" and others
		sha1|tss2-fapi-sml-ima-sha1-invalidated.bin|accept|accept|
		sha1|tss2-fapi-sml-ima-sig-sha256-invalidated.bin|accept|accept|
		sha256|tss2-fapi-sml-ima-sig-sha256-invalidated.bin|accept|accept|
		sha1|data_changed|refuse|refuse|
		sha1|data_and_digest_changed|refuse|refuse|
		sha1|reordered|refuse|refuse|
		sha1|first_dropped|refuse|refuse|
		sha1|last_dropped|refuse|refuse|
		sha1|duplicated|refuse|refuse|
		sha1|longer|accept|accept|
		sha1|cut|refuse|refuse|
		sha1|name_of_0|refuse|refuse|
		sha1|name_of_256|refuse|refuse|
		sha1|data_of_16m|refuse|refuse|
		sha1|data_of_4g|refuse|refuse|
		sha1|pcr_24|refuse|refuse|
		sha1|pcr_11|refuse|refuse|
		sha1|big_endian|refuse|refuse|
		sha1|template_unknown|accept|accept|
		sha1|violation|refuse|refuse|
		sha1|trailing|refuse|accept|evmctl stops where less than an entry is left
	EOF
}
# Of charra.bin the first entries are at 0, 101, 193 and 291. Of one, bytes 4 to 23 are the digest,
# 24 the length of the name, 28 the name "ima-ng", 34 the length of the data, 38 the data.
data_changed() { put 70 X; }
data_and_digest_changed() {
	put 70 X
	tail -c +39 "$input" | head -c 63 | openssl dgst -sha1 -binary |
		dd of="$input" bs=1 seek=4 conv=notrunc 2>/dev/null
}
reordered() { { part 0 101; part 193 98; part 101 92; rest 291; } >"$input"; }
first_dropped() { rest 101 >"$input"; }
last_dropped() { part 0 210834 >"$input"; }
duplicated() { { part 0 193; part 101 92; rest 193; } >"$input"; }
longer() { part 101 92 >>"$input"; }
cut() { part 0 210900 >"$input"; }
name_of_0() { put 24 '\000'; }
name_of_256() { put 25 '\001'; }
data_of_16m() { put 34 '\000\000\000\001'; }
data_of_4g() { put 34 '\377\377\377\377'; }
pcr_24() { put 0 '\030'; }
pcr_11() { put 0 '\013'; }
big_endian() { put 0 '\000\000\000\012'; }
template_unknown() { put 28 'ima-xx'; }
violation() { put 4 '\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000'; }
trailing() { printf x >>"$input"; }

pcrs_for_evmctl() { # VALUE: of PCR 10; the others are zeros
	zeros=$(printf '%s' "$1" | tr '0-9a-f' 0)
	for pcr in $all_pcrs; do
		if [ "$pcr" = 10 ]; then
			printf 'PCR-10: %s\n' "$1"
		else
			printf 'PCR-%s: %s\n' "$pcr" "$zeros"
		fi
	done
}
all_pcrs=$(seq -w 0 23)

original=$data/ima/charra.bin
while IFS='|' read -r bank name ours peer why; do
	prepare ima "$name"
	before=$original
	[ ! -e "$data/ima/$name" ] || before=$data/ima/$name
	value=$("$assay" replay ima "$before" --bank "$bank" --json | jq -r --arg bank "$bank" '.pcrs[] |
		select(.pcr == 10) | .digest | select(startswith($bank + ":")) | sub(".*:"; "")')
	pcrs_for_evmctl "$value" >"$work/pcrs"
	"$assay" replay ima "$input" --bank "$bank" --expect "$bank:$value" >"$work/ours" 2>&1
	our_status=$?
	# Without the option it extends zeros for a violation, which the kernel does not.
	evmctl ima_measurement --ignore-violations --pcrs "$bank,$work/pcrs" "$input" >"$work/stderr" 2>&1
	compare "ima $name to $bank" "$ours" "$peer" "$our_status" $? "$why"
done <<EOF
$(ima_table)
EOF

# ---------------------------------------------------------------- firmware logs
# Input, assay's verdict, tpm2_eventlog's, and why they differ. What both accept, both replay to the
# same values, of all PCRs in all banks.
uefi_table() {
	cat <<-'EOF'
		goattest-crypto_agile_eventlog|accept|accept|
		goattest-sb_cert_eventlog|accept|accept|
		goattest-option_rom_eventlog|accept|crash|tpm2_eventlog 5.4 reads beyond an event of this log (old form, EV_NO_ACTION of no PCR)
		goattest-short_no_action_eventlog|refuse|refuse|
		tpm2tools-event-arch-linux.bin|accept|accept|
		tpm2tools-event-sd-boot-fedora37.bin|accept|accept|
		tpm2tools-event-uefi-sha1-log.bin|accept|accept|
		tpm2tools-specid-vendordata.bin|refuse|accept|the vendor's bytes lie beyond the data of the header, as its size says
		no_bytes|refuse|refuse|
		cut_in_data|refuse|refuse|
		separator_as_action|refuse|accept|no digest covers the type: tpm2_eventlog takes any
		action_after_separator|refuse|accept|tpm2_eventlog has no rule for the order of events
		measured_as_no_action|refuse|accept|tpm2_eventlog does not look at the digest of what is not extended
		digest_unknown|refuse|refuse|
		two_digests|refuse|accept|tpm2_eventlog warns, and reads on behind a digest of no algorithm
		pcr_24_of_an_event|refuse|accept|tpm2_eventlog leaves out a PCR that there is not
		data_of_4g_of_an_event|refuse|refuse|
		header_algorithm_unknown|refuse|accept|tpm2_eventlog does not read the algorithms of the header
		header_digest_size|refuse|accept|the same
		header_type|refuse|refuse|
	EOF
}
# The header's algorithm is at 60 and its size at 62, the header's type at 4. The first event is at
# 65: its type is at 69, the number of its digests at 73, the algorithm at 77, the data's size at
# 111. A separator of PCR 7 is at 699; the last events, of PCR 5, are at 2442 and 2521.
no_bytes() { : >"$input"; }
cut_in_data() { part 0 2600 >"$input"; }
separator_as_action() { put 703 '\005'; }
action_after_separator() { put 2442 '\000'; }
measured_as_no_action() { put 69 '\003'; }
digest_unknown() { put 77 '\014'; }
two_digests() { put 73 '\002'; }
pcr_24_of_an_event() { put 65 '\030'; }
data_of_4g_of_an_event() { put 111 '\377\377\377\377'; }
header_algorithm_unknown() { put 60 '\377\377'; }
header_digest_size() { put 62 '\060'; }
header_type() { put 4 '\010'; }

# What tpm2_eventlog prints below "pcrs:", as "BANK PCR VALUE"; and ours
their_pcrs() {
	awk '/^pcrs:/ { found = 1; next }
		found && /^  [a-z0-9]+:$/ { bank = $1; sub(":", "", bank) }
		found && /^    [0-9]+ *:/ { sub("0x", "", $NF); sub(":", "", $1); print bank, $1, $NF }' "$1" | sort
}
our_pcrs() {
	jq -r '.pcrs[] | "\(.digest | sub(":.*"; "")) \(.pcr) \(.digest | sub(".*:"; ""))"' "$1" | sort
}

original=$data/uefi/tpm2tools-event-sd-boot-fedora37.bin
while IFS='|' read -r name ours peer why; do
	prepare uefi "$name"
	"$assay" replay uefi "$input" --strict --json >"$work/ours" 2>&1
	our_status=$?
	tpm2_eventlog "$input" >"$work/peer" 2>"$work/stderr"
	compare "uefi $name" "$ours" "$peer" "$our_status" $? "$why"
	if [ "$ours $peer" = "accept accept" ]; then
		our_pcrs "$work/ours" >"$work/our.pcrs"
		their_pcrs "$work/peer" >"$work/their.pcrs"
		check "there are PCRs" [ -s "$work/our.pcrs" ]
		check "the same PCRs" cmp "$work/our.pcrs" "$work/their.pcrs"
	fi
done <<EOF
$(uefi_table)
EOF

echo "1..$check_number"
exit "$check_failed"
