#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay log show` of logs in files: what it prints, what it refuses, and that bytes of
# a log never reach the terminal as they are. `assay status` and `assay measure` where
# there is no module.
set -u
cd "$(dirname "$0")/../.." || exit 2
assay=$PWD/build/host/assay
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
sample=tests/data/fuzz_cel/sample

json_says() { # FILTER: what jq finds true in the output, which is JSON
	jq -e "$1" "$CHECK_OUT/stdout" >/dev/null
}

changed() { # OFFSET BYTE: the sample with one byte changed
	cp "$sample" "$work/changed"
	chmod u+w "$work/changed"
	printf '%b' "$2" | dd of="$work/changed" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

kinds=tests/data/fuzz_cel/kinds

shows() { # RECORDS OPTION...: the numbers of the records of both logs that pass
	shows_wanted=$1
	shift
	"$assay" log show --json "$@" "$kinds" | jq -e --argjson wanted "$shows_wanted" \
		'[.records[].recnum] == $wanted and .shown_count == ($wanted | length) and .record_count == 7' >/dev/null
}

run "$assay" log show "$sample"
check "a log in a file is shown" prints 0 '^3 records$'
check "a file of a batch is named with its digest" prints 0 'sha256:01080f16[0-9a-f]*  /usr/bin/first$'
check "a file that could not be measured is named with the reason" \
	prints 0 'FAILED: Input/output error  /usr/bin/damaged$'
run "$assay" log show --json "$sample"
check "the same as JSON" json_says '.shown_count == 3 and (.records | length) == 3
	and .records[0].kind == "START" and .records[0].page_size == 65536
	and (.records[1].files | map(.path)) == ["/usr/bin/first", "/usr/bin/damaged", "/usr/lib/second"]
	and .records[1].files[1].errno == 5 and (.records | all(.digests_match))'
run sh -c '"$1" log show - <"$2"' sh "$assay" "$sample"
check "a log on standard input" prints 0 '^3 records$'

head -c 772 "$sample" >"$work/cut"
run "$assay" log show "$work/cut"
check "a log that ends between records is whole" prints 0 '^2 records$'
head -c 771 "$sample" >"$work/cut"
run "$assay" log show "$work/cut"
check "a log cut in a record: what is before it is shown" prints 1 '^1 record$'
check "a log cut in a record: the offset is told" \
	told 1 'record at offset 313: truncated at offset 399'
run "$assay" log show --json "$work/cut"
check "a log cut in a record: the JSON is whole and tells it" \
	json_says '.shown_count == 1 and (.error | test("truncated"))'

# The first path's first letter: its digest does not match any more.
changed "$(grep -abo /usr/bin/first "$sample" | head -n 1 | cut -d: -f1)" '%'
run "$assay" log show "$work/changed"
check "a changed byte is told" told 1 '1 of 3 records .* a digest that does not match'
run "$assay" log show --json "$work/changed"
check "a changed byte is told in JSON" \
	json_says '[.records[].digests_match] == [true, false, true] and (.error | length) > 0'
changed "$(grep -abo /usr/bin/first "$sample" | head -n 1 | cut -d: -f1)" '\0033\n\0377'
run "$assay" log show "$work/changed"
check "control and ill-formed bytes of a path are escaped" prints 1 '\\x1b\\x0a\\xffr/bin/first'
run sh -c '"$1" log show "$2" 2>&1 | LC_ALL=C grep -a -c "[^ -~]"' sh "$assay" "$work/changed"
check "and none of them is printed" prints 1 '^0$'

run "$assay" log show "$kinds"
check "the table has number, time, PCR, digest, kind and what it is" prints 0 \
	'^     0  2026-01-02 03:04:05   14  194d4cff818d  START ' '^     5  -  .*  SEAL  *100 bytes'
check "a batch of files and events" prints 0 '^ *1 .*  BATCH  *2 files, 1 event$' '^        between, 0 bytes$'
check "entries of IMA's, a TPM found late, a cut, and kexec" prints 0 '  ima-ng  sha1:030a' \
	'the 3 records before this one' 'begins with record 1 at offset 200' 'after boot 89abcdef-'
check "no colours where there is no terminal" [ "$(grep -c "$(printf '\033')" "$CHECK_OUT/stdout")" -eq 0 ]
run script -qec "$assay log show $work/changed" /dev/null
check "colours on a terminal" prints 1 "$(printf '\033')\\[31mITS DIGEST DOES NOT MATCH"
run env NO_COLOR=1 script -qec "$assay log show $work/changed" /dev/null
check "and none with NO_COLOR" [ "$(grep -c "$(printf '\033')" "$CHECK_OUT/stdout")" -eq 0 ]
check "--kind" shows '[0, 6]' --kind start,KEXEC
check "--records" shows '[1, 2, 3]' --records 1-3
check "--since" shows '[0, 6]' --since '2026-01-02 03:04:05'
check "--before" shows '[1]' --before 1970-01-02
check "--since and --before" shows '[]' --since '2026-01-02 03:04:06' --before '2026-01-03T00:00Z'
check "--path" shows '[1]' --path '/usr/*'
run "$assay" log show --path '*first' "$kinds"
check "--path shows the files that match, and only them" prints 0 '  /usr/bin/first$' '^1 of 7 records$'
check "and no other" [ "$(grep -c missing "$CHECK_OUT/stdout")" -eq 0 ]
run "$assay" log show --kind START,STOP "$kinds"
check "a kind that is none" told 2 "there is no kind of record 'STOP'"
run "$assay" log show --since yesterday "$kinds"
check "a time that is none" told 2 "'yesterday' is no time"
run "$assay" log show "$kinds" "$kinds"
check "pieces that are not next to each other" told 1 'ends with record 6, and .* begins with 0'
run "$assay" log show "$kinds" --previous
check "a file and the boot before: which one?" told 2 'one of FILE'

base64 -d tests/data/cel/gotpmtools-cel.b64 >"$work/other"
run "$assay" log show --json "$work/other"
check "a log of another program is listed" \
	json_says '.shown_count == 18 and (.records | all(.ccmr == 4 and .content_type == 80))'
run "$assay" log show --evidence "$sample"
check "evidence that is none" told 1 "$sample: the evidence is not JSON"

if [ -e /dev/assay ]; then
	for skipped in log follow trim anchor export measure status; do
		skip "$skipped without the module" "the module is loaded"
	done
else
	run "$assay" log show
	check "log show without the module" told 1 'no /dev/assay: load the module'
	for verb in follow 'trim --no-archive 1' anchor export; do
		# shellcheck disable=SC2086 # words
		run "$assay" log $verb
		check "log $verb without the module" told 1 "log ${verb%% *}: there is no /dev/assay: load the module"
	done
	run "$assay" measure --json /bin/ls
	check "measure without the module" told 1 'no /dev/assay: load the module'
	run "$assay" status --map
	check "status without the module" told 1 'no /dev/assay: load the module'
fi

# Logs of others, and what is none.
run "$assay" log show tests/data/cel/systemd-cut.json
check "of a log in JSON that is cut, what was read is shown" prints 1 'enter-initrd' 'leave-initrd' '^2 records$'
check "and where it breaks off is told" grep -q 'record at index 2: it is not JSON' "$work/stderr"
run "$assay" log show tests/data/cel/systemd-cut.tlv
check "as of the same in TLV" prints 1 'enter-initrd' 'leave-initrd' '^2 records$'
run "$assay" log show --json tests/data/cel/systemd-cut.json
check "as JSON, too" json_says '.shown_count == 2 and (.error | test("index 2"))'
run "$assay" log show tests/data/cel/pcrlock-257-without-content.json
check "a record without a content" prints 0 '^ *27  -  *14  a2e1ca32f58a  -' '^1 record$'
run "$assay" log show tests/data/cel/cel-pretty-object.json
check "an object over lines" prints 0 'EV_S_CRTM_CONTENTS' '^1 record$'
printf '{"pcr":1,"digests":[{"hashAlg":"sha1","digest":"%040d"}],"content_type":"\\u001b[31mx","content":{}}' 0 >"$work/esc"
run "$assay" log show "$work/esc"
check "a content type that is not known is escaped" prints 0 '\\x1b\[31mx'
printf '{"pcr":1,"digests":[{"hashAlg":"sha1","digest":"%040d"}],"content_type":"ima_template","content":{"template_name":"ima-ng","template_data":"00"}}' 1 >"$work/ima"
run "$assay" log show --json "$work/ima"
check "an entry of IMA with another digest" json_says '.records[0].digests_match == false and .error'
run "$assay" log show --json tests/data/fuzz_cel/sample
check "digests name their algorithm" json_says '(.records | length > 0) and all(.records[].digests[]; test("^sha(1|256):[0-9a-f]+$"))'
run "$assay" log show tests/data/uefi/ccel-header.bin
check "a CCEL log is named" told 1 'replay ccel'
run "$assay" log show tests/data/ima/charra.bin
check "a list of IMA is named" told 1 'it is a list of IMA'
run "$assay" log show --evi tests/data/evidence/evidence.json
check "options are not abbreviated" told 2 'evi'
run "$assay" log show --json --json "$kinds"
check "nor given twice" told 2 'json'
run "$assay" log show --json "$work/none"
check "what fails with --json prints an object" json_says '.type == "error" and .status == 1'
echo "1..$check_number"
exit "$check_failed"
