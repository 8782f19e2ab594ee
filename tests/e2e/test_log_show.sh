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

echo "1..19"
run "$assay" log show "$sample"
check "a log in a file is shown" prints 0 '^3 records$'
check "a file of a batch is named with its digest" prints 0 'sha256:01080f16[0-9a-f]*  /usr/bin/first$'
check "a file that could not be measured is named with the reason" \
	prints 0 'FAILED: Input/output error  /usr/bin/damaged$'
run "$assay" log show --json "$sample"
check "the same as JSON" json_says '.count == 3 and (.records | length) == 3
	and .records[0].kind == "START" and .records[0].page_size == 65536
	and (.records[1].files | map(.path)) == ["/usr/bin/first", "/usr/bin/damaged", "/usr/lib/second"]
	and .records[1].files[1].errno == 5 and (.records | all(.digests_match))'
run sh -c '"$1" log show --raw "$2" | cmp - "$2"' sh "$assay" "$sample"
check "--raw gives the records as they are" [ "$status" -eq 0 ]
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
	json_says '.count == 1 and (.error | test("truncated"))'

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

base64 -d tests/data/cel/gotpmtools-cel.b64 >"$work/other"
run "$assay" log show --json "$work/other"
check "a log of another program is listed" \
	json_says '.count == 18 and (.records | all(.ccmr == 4 and .content_type == 80))'
run "$assay" log show --evidence "$sample"
check "evidence that is none" told 1 "$sample: the evidence is not JSON"

if [ -e /dev/assay ]; then
	for skipped in log measure status; do
		skip "$skipped without the module" "the module is loaded"
	done
else
	run "$assay" log show
	check "log show without the module" told 1 'no /dev/assay: load the module'
	run "$assay" measure --json /bin/ls
	check "measure without the module" told 1 'no /dev/assay: load the module'
	run "$assay" status --map
	check "status without the module" told 1 'no /dev/assay: load the module'
fi
