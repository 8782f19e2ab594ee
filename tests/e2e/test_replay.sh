#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay replay` of logs in files: what it prints and how it ends.
# shellcheck disable=SC2016
set -u
cd "$(dirname "$0")/../.." || exit 2
assay=$PWD/build/host/assay
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

ima=tests/data/ima/ibmtss-sha1.log
ima_pcr=7fac48c81837d6d29046008aef0cdad8c2745cc98c3340cbba9bfdf39b4124b8
uefi=tests/data/uefi/tpm2tools-event-sd-boot-fedora37.bin
uefi_pcr=73b2090e3e72430531e7bc7d63e88826891ef4e04d6c1e250dc5c52db24f2f48
cel=tests/data/fuzz_cel/sample

says() { # FILTER: what jq finds true in the output, which is JSON
	jq -e "$1" "$work/stdout" >/dev/null
}

rtmr1=775b9f6bfe99f8a31396f0d0218e67ffa796d3b96ccf961cbb0deba48c79c00f082cda1a5567c1c16305f1fc210c13c6
run "$assay" replay ima "$ima" --bank sha256
check "a list of IMA replays" prints 0 "^sha256  PCR 10  $ima_pcr$" '^362 entries, 0 with another digest than that of their data$'
run build/host/assay-verify replay ima "$ima" --bank sha256
check "the verifier's program does it as well" prints 0 "$ima_pcr"
run sh -c '"$1" replay ima - --bank sha256 <"$2"' sh "$assay" "$ima"
check "from standard input" prints 0 "$ima_pcr"
# The instructions of arm64, emulated.
if command -v qemu-aarch64 >/dev/null && [ -e build/arm64/assay ]; then
	for list in ibmtss-sha1.log ibmtss-sha256.log; do
		run qemu-aarch64 -L build/sysroot build/arm64/assay replay ima "tests/data/ima/$list" --bank sha256
		check "the same on arm64 of $list" prints 0 "$ima_pcr" '^362 entries, 0 with another digest than that of their data$'
	done
else
	skip "the same on arm64" "no qemu-aarch64, or not built"
fi
for bank in sha256 sha384 sha512; do
	run "$assay" replay ima "tests/data/ima/ibmtss-$bank.log" --bank sha256
	check "the list of the $bank bank replays to the same" prints 0 "$ima_pcr"
done
run "$assay" replay ima "$ima" --template-bank sha256
check "with the wrong bank it cannot be read" told 3 'IMA entry at offset 0'
run "$assay" replay ima "$ima" --bank sha1 --bank sha512 --json
check "as JSON, in two banks" says '.format == "ima" and .ok and .entry_count == 362 and .violation_count == 0
	and .problem_count == 0 and ([.pcrs[].digest | sub(":.*"; "")]) == ["sha1", "sha512"] and (.pcrs[1] | .pcr == 10 and (.digest | length) == 135)
	and .expected == []'
run "$assay" replay ima tests/data/ima/ibmtss-imatest.log
check "violations are counted" prints 0 '^17 entries, 1 of them violations, 0 with another digest'

run "$assay" replay ima "$ima" --expect "sha256:$ima_pcr"
check "the expected value comes up" prints 0 '^PCR 10, sha256: as expected$'
cat "$ima" "$ima" >"$work/longer"
run "$assay" replay ima "$work/longer" --expect "10:sha256:$ima_pcr"
check "a list that is longer than what was quoted" \
	prints 0 'as expected after 362 entries; the last 362 came later'
run "$assay" replay ima "$work/longer" --expect "sha256:$ima_pcr" --json
check "the same as JSON" says '.ok and .expected == [{ pcr: 10, bank: "sha256", reached: true, after: 362 }]'
run "$assay" replay ima "$ima" --expect "11:sha256:$ima_pcr"
check "another PCR does not come to it" prints 1 'PCR 11, sha256: the expected value comes up after none'
run "$assay" replay ima "$ima" --expect "sha256:$ima_pcr" --expect sha1:0000000000000000000000000000000000000000
check "one of two values" prints 1 'sha256: as expected' 'sha1: the expected value comes up after none'

cp "$ima" "$work/changed"
chmod u+w "$work/changed"
printf X | dd of="$work/changed" bs=1 seek=49320 conv=notrunc 2>/dev/null
run "$assay" replay ima "$work/changed"
check "an entry whose data was changed" prints 1 ', 1 with another digest' \
	'^entry 361 at offset [0-9]*: its template digest is not that of its data$'
head -c 49320 "$ima" >"$work/cut"
run "$assay" replay ima "$work/cut"
check "a list that was cut" told 3 'truncated'
check "nothing is printed before that" [ ! -s "$work/stdout" ]
: >"$work/empty"
run "$assay" replay ima "$work/empty"
check "a list of no bytes" told 3 'has no bytes'

run "$assay" replay uefi "$uefi" --expect "12:sha256:$uefi_pcr"
check "a firmware's log replays" prints 0 "^sha256  PCR 12  $uefi_pcr$" '^28 events$' 'as expected'
size=$(wc -c <"$uefi")
{ cat "$uefi" && tail -c "$((size - 2521))" "$uefi" | sed '1s/^./\x0c/'; } >"$work/longer"
run "$assay" replay uefi "$work/longer" --expect "12:sha256:$uefi_pcr"
check "a log that is longer than the value" prints 1 \
	'PCR 12, sha256: the expected value comes up after 28 events, and not at the end'
run "$assay" replay uefi "$uefi" --expect "sha256:$uefi_pcr"
check "of which PCR an expected value is must be said" told 2 '\-\-expect must be PCR:HASH:HEX'
run "$assay" replay uefi tests/data/uefi/goattest-short_no_action_eventlog
check "a firmware's log without its header" told 3 "the log's beginning is missing"
run "$assay" replay uefi "$work/empty"
check "a firmware's log of no bytes" told 3 'has no bytes'
cp "$uefi" "$work/changed"
chmod u+w "$work/changed"
printf '\005' | dd of="$work/changed" bs=1 seek=703 conv=notrunc 2>/dev/null
run "$assay" replay uefi "$work/changed"
check "a separator whose type was changed is told" prints 0 \
	'^separator-type: event 9 at offset 699: its digest is that of a separator, its type is another'
run "$assay" replay uefi "$work/changed" --strict
check "and refused where that is asked for" prints 1 '^separator-type: '
run "$assay" replay uefi "$work/changed" --strict --accept separator-type
check "but not where that rule is accepted" prints 0 '^separator-type: '

# Logs of machines that nobody tampered with: what breaks a rule is a fact.
run "$assay" replay uefi tests/data/uefi/uefi-fit-2d.min.eventlog
check "a firmware event with the digest of zeros" prints 0 \
	'^sha256  PCR  0  febefab20b6a7647a46a4a46379c705028600a96705f21ac54cc7f92a9ccc561$' \
	'^separator-type: event 4 at offset 362: '
run "$assay" replay uefi tests/data/uefi/uefi-driver-after-separator.min.eventlog --json
check "a driver after the separator" says '.ok and (.rules | length) == 1 and .rules[0].rule == "after-separator"
	and .rules[0].first_event == 2 and .rules[0].event_count == 1 and any(.pcrs[]; .pcr == 2 and (.digest | startswith("sha256:4b035b74")))'
run "$assay" replay uefi --bank sha256 tests/data/uefi/bank-missing.bin
check "events with fewer digests than the header names" prints 0 '^sha256  PCR  7  ecca06b5' '^bank-missing: event 0 '
run "$assay" replay uefi tests/data/uefi/digest-missing.bin
check "one event with fewer digests" prints 0 '^sha256  PCR 14  120103' '^sha1  PCR 14  is incomplete' \
	'^digest-missing: event 12 at offset 974: '
run "$assay" replay uefi tests/data/uefi/no-action-short.bin
check "EV_NO_ACTION without a digest" prints 0 '^sha1    PCR  7  b2a83b0e' '^no-action-short: event 1 at offset 69: '
run "$assay" replay uefi tests/data/uefi/ccel-header.bin
check "the log of a confidential machine is told as a TPM's" told 3 'CCEL'
for fill in '\0' '\377'; do
	{
		cat tests/data/uefi/ccel-ovmf.bin
		head -c 63416 /dev/zero | tr '\0' "$fill"
	} >"$work/area"
	run "$assay" replay ccel "$work/area" --expect "RTMR1:sha384:$rtmr1"
	check "and replays to its registers, in an area filled with $fill" prints 0 '^sha384  RTMR0  8566f998' \
		"^sha384  RTMR1  $rtmr1\$" '^sha384  RTMR2  94eaf7a7' '^21 events$' '^RTMR1, sha384: as expected$'
done
run "$assay" replay ccel "$work/area" --events
check "its events are shown" prints 0 '^ *2  RTMR0  EV_EFI_PLATFORM_FIRMWARE_BLOB2 ' '^ *12  RTMR1  EV_EFI_BOOT_SERVICES_APPLICATION' \
	'^ *18  RTMR2  EV_EVENT_TAG ' '^sha384  RTMR2  94eaf7a7'
run "$assay" replay ccel "$work/area" --json --expect "rtmr2:sha384:$rtmr1"
check "the same in JSON" eval '[ $status -eq 1 ] && jq -e "(has(\"pcrs\") | not) and (.registers | length) == 3 and
	.registers[1] == {register: \"RTMR1\", digest: \"sha384:$rtmr1\"} and
	.expected[0].register == \"RTMR2\" and (.expected[0].reached | not)" "$work/stdout" >/dev/null'
run sh -c 'base64 -d tests/data/cel/gotpmtools-cel.b64 | "$1" replay cel - --json' sh "$assay"
check "a guest's log in CEL comes to RTMR3" says '.pcrs == [] and .other_count == 0 and
	(.registers | map(.register)) == ["RTMR3"]'
run "$assay" replay uefi "$uefi" --expect "RTMR0:sha384:$rtmr1"
check "a register of the other kind is refused" told 2 'must be PCR:HASH:HEX'
run "$assay" replay ccel "$work/area" --expect "sha384:$rtmr1"
check "and a value without its register" told 2 'must be RTMRn:HASH:HEX'
run "$assay" replay ccel "$work/area" --expect "RTMR4:sha384:$rtmr1"
check "and a register that is not there" told 2 'must be RTMRn:HASH:HEX'

# What the events say, beside tpm2_eventlog on the same logs: as many events, of the same types,
# PCRs and names of variables.
run "$assay" replay uefi --events tests/data/uefi/keylime-secureboot.bin
check "events are shown" prints 0 \
	'^    4    7  EV_EFI_VARIABLE_DRIVER_CONFIG      ccfc4bb32888a345  data     SecureBoot: 1 (on)$' \
	'^   35    4  EV_EFI_BOOT_SERVICES_APPLICATION   0abc88ee4d2915c3  nothing  /EFI/redhat/grubx64.efi, 2541176 bytes$' \
	'^   94    8  EV_IPL  .*  text     kernel command line "(hd0,gpt2)/vmlinuz-5.14.0' '^sha256  PCR 14  ' '^99 events$'
head -c 2000 tests/data/uefi/keylime-secureboot.bin >"$work/cut"
run "$assay" replay uefi --events "$work/cut"
check "of a log that breaks off, what comes before" told 3 'truncated'
check "is shown" grep -q '^    4    7  EV_EFI_VARIABLE_DRIVER_CONFIG' "$work/stdout"
run "$assay" replay ima --events tests/data/ima/ibmtss-imatest.log
check "entries of IMA are shown" prints 0 \
	'^     10   10  ima-sig    sha256  b983291f027a24d5  /usr/lib/systemd/systemd (signed)$' '(violation: ' '^17 entries'
same_events() { # FILE
	"$assay" replay uefi --events --json "$1" |
		jq -r '.firmware_events[] | select(.event_type | startswith("0x") | not) |
			"\(.event_number) \(.pcr // 4294967295) \(.event_type) \(.event_data.guid // "") \(.event_data.name // "")"' |
		sed 's/ *$//' >"$work/ours"
	tpm2_eventlog "$1" 2>/dev/null | awk '
		function row() { if (type ~ /^EV_/) print number - 1, pcr, type guid name }
		/^  PCRIndex:/ { row(); number++; pcr = $2; type = guid = name = "" }
		/^  EventType:/ { type = $2 }
		/^    VariableName:/ { guid = " " $2 }
		/^    UnicodeName:/ { name = " " $2 }
		/^pcrs:/ { exit }
		END { row() }' >"$work/theirs"
	[ -s "$work/theirs" ] && sed 's/ EV_EFI_GPT_EVENT .*/ EV_EFI_GPT_EVENT/' "$work/ours" | diff - "$work/theirs" >&2
}
if command -v tpm2_eventlog >/dev/null; then
	for log in tests/data/uefi/*.bin tests/data/uefi/goattest-[cs]*_eventlog; do
		case $log in
		# Cut, of another kind, or one on which tpm2_eventlog fails.
		*ccel* | *vendordata* | *short_no_action* | *-missing.bin | *no-action-short.bin) continue ;;
		esac
		check "events of ${log##*/} are those of tpm2_eventlog" same_events "$log"
	done
else
	skip "events beside tpm2_eventlog" "no tpm2-tools"
fi

run "$assay" replay cel "$cel"
check "a log in CEL replays" prints 0 '^sha256  PCR 14  ' '^3 records, 0 with another digest than that of their data$'
run "$assay" replay cel "$cel" --bank sha512
check "not in a bank that it has no digests of" told 3 'no record has a sha512 digest'

run sh -c 'base64 -d tests/data/cel/gotpmtools-cel.b64 | "$1" replay cel -' sh "$assay"
check "a log of another register than PCRs" prints 0 '^sha384  RTMR3  2261f933' '^18 records'
# A firmware's events in CEL: the TPM of this machine was started from locality 3. Its whole log,
# in the form that the firmware wrote, comes to the same.
data=tests/data/cel
for form in tlv json; do
	run "$assay" replay cel "$data/cel-no-action.$form"
	check "EV_NO_ACTION extends nothing, and says the locality ($form)" prints 0 \
		'^sha1    PCR  0  eae270f7a42898b84f4d4e457106e706483561cf$' \
		'^sha256  PCR  0  cb0c46e4998049d85fb767d0926430dcf0bc5add20848e079efab8a0fe732202$'
	run "$assay" replay cel "$data/cel-locality3-pcr0.$form" \
		--start 0:sha256:0000000000000000000000000000000000000000000000000000000000000003 \
		--expect 0:sha256:0e5ea849d7647a1ac1becc096fee4df98f00f8015f934afadaab0b8aa20b38a5
	check "what it starts from can be given ($form)" prints 0 '^PCR 0, sha256: as expected$' \
		'^separator-type: event 2 at offset '
done
run "$assay" replay cel "$data/cel-no-action.tlv" --bank sha256 --json
first=$(jq -r '.pcrs[] | select(.pcr == 0) | .digest | select(startswith("sha256:"))' "$work/stdout")
head -c 362 tests/data/uefi/uefi-fit-2d.min.eventlog >"$work/first"
run "$assay" replay uefi "$work/first" --json
check "the firmware's own log comes to the same" says "any(.pcrs[]; .pcr == 0 and .digest == \"$first\")"
run "$assay" replay cel "$data/cel-pretty-object.json"
check "an object over lines" prints 0 '^1 records' '^start: the log begins with record 1,'
run "$assay" replay cel "$data/cel-pretty-object.json" --strict
check "whose start is not known, if that counts" prints 1 '^start: '
run "$assay" replay cel "$data/pcrlock-257-without-content.json"
check "a record of systemd-pcrlock without content" prints 0 '^sha256  PCR 14  ' '^1 records, 0 with'
sed 's/"recnum": 1/"recnum": 5/' "$data/cel-no-action.json" >"$work/gap.json"
run "$assay" replay cel "$work/gap.json"
check "a gap in the numbers is told" prints 0 '^gap: record 0 is followed by record 5; 1 more$'
jq -c 'del(.[1].digests[0])' "$data/cel-no-action.json" >"$work/fewer.json"
run "$assay" replay cel "$work/fewer.json" --json
check "a record with fewer banks" says '.ok and .incomplete == [{ bank: "sha1", pcr: 0 }]
	and any(.pcrs[]; . == {pcr: 0, digest: "sha256:cb0c46e4998049d85fb767d0926430dcf0bc5add20848e079efab8a0fe732202"})'

# What is no such log is named for what it is.
named() { # TITLE FORM FILE PATTERN
	run "$assay" replay "$2" "$3"
	check "$1" told 3 "$4"
}
# The signature, the length of 36, revision 1, a checksum that makes the sum 0
printf 'TPM2\044\0\0\0\001\310XXXXXXXXXXXXXXXXXXXXXXXXXX' >"$work/acpi"
printf 'CCEL\044\0\0\0\001\324XXXXXXXXXXXXXXXXXXXXXXXXXX' >"$work/ccel"
echo '10 0123456789012345678901234567890123456789 ima-ng sha256:00 /x' >"$work/ascii"
echo '{"payloadType": "x", "payload": "eA==", "signatures": []}' >"$work/dsse"
echo '{"x": 1}' >"$work/json"
named "an ACPI table" uefi "$work/acpi" 'it is an ACPI table'
named "the ACPI table CCEL" uefi "$work/ccel" 'it is the ACPI table CCEL'
named "a CCEL log, as CEL" cel tests/data/uefi/ccel-header.bin 'replay ccel'
named "a firmware's log, as CCEL" ccel "$uefi" 'replay uefi'
named "IMA's list as text, as CEL" cel "$work/ascii" "IMA's list as text"
named "a signed envelope" cel "$work/dsse" 'DSSE'
named "JSON of something else" cel "$work/json" 'no log in CEL-JSON'
named "a list of IMA, as CEL" cel "$ima" 'replay ima'
named "a log in CEL, as IMA's" ima "$cel" 'replay cel'
named "a firmware's log, as CEL" cel "$uefi" 'replay uefi'
named "evidence" cel tests/data/evidence/evidence.json 'JSON file of assay'

run "$assay" replay cel "$cel" --template-bank sha1
check "--template-bank is IMA's" told 2 'template-bank'
run "$assay" replay ima
check "no file" told 2 'FILE'
run "$assay" replay "$ima"
check "no form" told 2 'ibmtss-sha1.log'
run "$assay" replay
check "nothing at all" told 2 'which form has the log'
run "$assay" replay ima "$ima" --bank md5
check "a bank that is not known" told 2 'sha512'
run "$assay" replay ima "$ima" --expect sha256:00
check "a value that is too short" told 2 "not 'sha256:00'"
run "$assay" replay ima "$ima" --exp "sha256:$ima_pcr"
check "options are not abbreviated" told 2 'exp'
run "$assay" replay ima "$ima" --json --json
check "nor given twice" told 2 'json'
run "$assay" replay ima "$ima" --bank sha1 --bank sha1
check "nor a bank" told 2 'twice'
run "$assay" replay ima "$ima" "$ima"
check "one log at a time" told 2 'unexpected'
run "$assay" replay uefi "$uefi" --accept separator-type
check "--accept is for --strict" told 2 'strict'
run "$assay" replay uefi "$uefi" --strict --accept separator
check "a rule that is none" told 2 "rule's name"
run "$assay" replay ima "$work/none" --json
check "what fails with --json prints an object" says '.type == "error" and (.error | test("cannot open"))'
run "$assay" replay ima "$work/none"
check "a file that is not there" told 3 'cannot open'
echo "1..$check_number"
exit "$check_failed"
