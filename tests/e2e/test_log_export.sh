#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay log export` and `assay log import`: what is written is of the form that the TCG's
# Canonical Event Log and systemd-pcrlock have, by jq; it comes back byte for byte; other
# programs' logs are read.
set -u
cd "$(dirname "$0")/../.." || exit 2
assay=$PWD/build/host/assay
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

# What a record has to look like: pcrlock.c takes no other, for what it looks at.
shape='all(.[];
	(.recnum | type) == "number" and (.pcr // .ccmr | type) == "number"
	and (.digests | length) > 0
	and all(.digests[]; (.hashAlg | test("^sha(1|256|384|512)$")) and (.digest | test("^([0-9a-f]{2})+$"))
		and (.digest | length) == ({sha1: 40, sha256: 64, sha384: 96, sha512: 128}[.hashAlg]))
	and (.content_type | type) == "string" and (.content | type) == "object"
	and (keys_unsorted - ["recnum", "pcr", "ccmr", "digests", "content_type", "content"]) == [])'

has_shape() { # FILE RECORDS: a JSON text sequence of so many records
	# Each record is between 0x1E and a newline, and there is nothing else.
	[ "$(tr -cd '\036' <"$1" | wc -c)" -eq "$2" ] && [ "$(wc -l <"$1")" -eq "$2" ] &&
		[ "$(grep -c "^$(printf '\036'){.*}\$" "$1")" -eq "$2" ] &&
		jq --seq -s -e "length == $2 and ($shape)" "$1" >/dev/null
}

comes_back() { # FILE: from TLV to JSON and back
	"$assay" log export "$1" >"$work/json" && "$assay" log import "$work/json" | cmp - "$1"
}

for log in sample kinds; do
	check "$log: what comes back from JSON is the same" comes_back tests/data/fuzz_cel/$log
done
base64 -d tests/data/cel/gotpmtools-cel.b64 >"$work/other"
check "another program's: what comes back from JSON is the same" comes_back "$work/other"
check "its JSON has the TCG's form" has_shape "$work/json" 18
works "export to a file" "$assay" log export -o "$work/json" tests/data/fuzz_cel/kinds
check "the JSON has the TCG's form" has_shape "$work/json" 7
# shellcheck disable=SC2016 # of the inner shell
check "every digest is that of the content, by another program" sh -c '
	jq --seq -r ".content.data, (.digests[] | select(.hashAlg == \"sha256\").digest)" "$1" |
		tr -d "\036" |
		while read -r data && read -r digest; do
			size=$(printf %08x $((${#data} / 2)))
			is=$(printf "41%s%s" "$size" "$data" | xxd -r -p | sha256sum | cut -d" " -f1)
			[ "$is" = "$digest" ] || exit 1
		done' sh "$work/json"
check "what is written is not for everybody" [ "$(stat -c %a "$work/json")" = 640 ]
run sh -c '"$1" log export --format cel-tlv "$2" | cmp - "$2"' sh "$assay" tests/data/fuzz_cel/sample
check "cel-tlv is the log as it is" [ "$status" -eq 0 ]
run script -qec "$assay log export --format cel-tlv tests/data/fuzz_cel/sample" /dev/null
check "but not on a terminal" prints 2 'send it to a file, not a terminal'
run "$assay" log export --format json tests/data/fuzz_cel/sample
check "a format that is none" told 2 'cel-json, cel-tlv'
run "$assay" log export "$work/other" --previous
check "a file and the boot before: which one?" told 2 'one of FILE'

run "$assay" log show tests/data/fuzz_cel_json/systemd
check "systemd's log is shown" prints 0 '^     0 .* 11  .*  systemd .*"string":"enter-initrd"' '^3 records$'
run "$assay" log show tests/data/fuzz_cel_json/pcrlock
check "so is what pcrlock prints" prints 0 '  pcclient_std .*EV_EFI_ACTION' '^4 records$'
for log in systemd pcrlock tcg; do
	"$assay" log import -o "$work/tlv" tests/data/fuzz_cel_json/$log &&
		"$assay" log export "$work/tlv" | jq --seq -c 'del(.recnum)' | tr -d '\036' | jq -S -s . >"$work/is"
	tr -d '\036' <tests/data/fuzz_cel_json/$log | jq -S -s 'flatten | map(del(.recnum))' >"$work/due"
	check "$log: import and export keep all it says" cmp "$work/is" "$work/due"
done
run sh -c '"$1" log import - <"$2" | "$1" log show -' sh "$assay" tests/data/fuzz_cel_json/tcg
check "from standard input to standard output" prints 0 'EV_COMPACT_HASH' '^1 record$'
run script -qec "$assay log import tests/data/fuzz_cel_json/tcg" /dev/null
check "import writes no binary to a terminal" prints 2 'send it to a file, not a terminal'

head -c 900 tests/data/fuzz_cel_json/systemd >"$work/cut"
run "$assay" log import -o "$work/none" "$work/cut"
check "JSON that is cut: the record and the place" told 1 "$work/cut: record at index 2: it is not JSON"
check "and nothing is written" [ ! -e "$work/none" ]
head -c 500 tests/data/fuzz_cel/sample >"$work/cut"
run "$assay" log import -o "$work/none" "$work/cut"
check "TLV that is cut: the record and the place" told 1 'record at offset 313: truncated'
check "and nothing is written" [ ! -e "$work/none" ]
printf 'no log\n' >"$work/text"
run "$assay" log import -o "$work/none" "$work/text"
check "what is no log" told 1 'record at offset 0: '

# What is not known is kept, and comes back.
for file in tests/data/cel/pcrlock-257-without-content.json tests/data/fuzz_cel_json/management; do
	"$assay" log import -o "$work/kept" "$file" && "$assay" log export "$work/kept" >"$work/kept.json" &&
		"$assay" log import "$work/kept.json" >"$work/again"
	check "$(basename "$file") is imported, and comes back" cmp "$work/kept" "$work/again"
done
# shellcheck disable=SC2016 # for the shell that is started
check "without a content where there was none" \
	sh -c '"$1" log import "$2" | "$1" log export - | jq --seq -e "has(\"content\") | not" >"$3"' sh "$assay" \
	tests/data/cel/pcrlock-257-without-content.json "$work/stdout"
run "$assay" log import --output "$work/kept" tests/data/fuzz_cel_json/tcg
check "the old name of --out" [ -s "$work/kept" ]
run "$assay" log import --out "$work/kept" --output "$work/kept" tests/data/fuzz_cel_json/tcg
check "which is the same option" told 2 'out'
run "$assay" log import tests/data/ima/charra.bin
check "a list of IMA is named" told 1 'it is a list of IMA'
echo "1..$check_number"
exit "$check_failed"
