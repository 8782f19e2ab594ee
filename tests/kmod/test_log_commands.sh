#!/bin/sh
# SPDX-License-Identifier: MIT
# The commands on a log that grows: `assay log follow` sees each record once, resumes, and
# ends when it is told to; `assay log anchor` when the TPM is away and when it is back;
# `assay log trim` archives what it cuts, and archives and what is left fit together.
# guest: --region auto --tpm new --banks sha256 --timeout 120
# flavours: 64k 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh

insmod /bed/assay.ko || exit 1
mkdir -p /run/files
cd /run/files || exit 1
i=0
while [ $i -lt 200 ]; do
	: >file$i
	i=$((i + 1))
done

measure() { # FILE...: one record a file
	for measured; do
		assay measure "$measured" >/dev/null 2>&1
	done
}

numbers() { # of the records in the output of --json, in one line
	sed -n 's/^{"recnum":\([0-9]*\),.*/\1/p' "$1" | tr '\n' ' '
}

start() { # OPTION...: follows in the background
	assay log follow "$@" >out 2>errors </dev/null &
	follower=$!
}

waiting() { # it has the log, and sleeps
	for waiting_fd in /proc/"$follower"/fd/*; do
		if [ "$(readlink "$waiting_fd")" = /dev/assay ]; then
			grep -q '^State:.S' /proc/"$follower"/status
			return
		fi
	done
	return 1
}

stopped() { # SIGNAL: the follower ends with 0 then
	kill -"$1" $follower
	wait $follower
}

has() { # the numbers in the output
	[ "$(numbers out)" = "$*${*:+ }" ]
}

echo "1..54"
measure file0 file1
start --json
check "follow prints what is there" eventually has 0 1 2
measure file2
check "and what comes" eventually has 0 1 2 3
measure file3 file4 file5
check "each record once, in order" eventually has 0 1 2 3 4 5 6
check "SIGINT ends it, with 0" stopped INT
check "and it says nothing" [ ! -s errors ]

start --json --from 5
check "--from goes on with that record" eventually has 5 6
measure file6
check "and with what comes" eventually has 5 6 7
check "SIGTERM ends it too" stopped TERM

start --json --new --kind measure
eventually waiting || exit 1
measure file7
check "--new prints only what comes" eventually has 8
stopped INT
run assay log follow --count 3
check "--count ends it" prints 0 '^     2  .*  MEASURE '
check "not later" [ "$(grep -c '^ *[0-9]* *[0-9]*-[0-9]*-' /run/stdout)" -eq 3 ]
run assay log follow --json --from 2 --until 4
cp /run/stdout out
check "--until ends it" has 2 3 4
run assay log follow --path '*/file3' --until 8
check "filters" prints 0 'FAILED: .*  /run/files/file3$'
check "let nothing else through" [ "$(grep -c FAILED /run/stdout)" -eq 1 ]
run timeout 10 sh -c 'assay log follow | head -n 2'
check "it ends when nobody reads its output" prints 0 '^     0  .*  START '

# 100 more in a burst, while it follows.
start --json --from 9
measure file[0-9][0-9]
check "a burst is seen whole" eventually has $(seq 9 98)
stopped INT
for until in 8 98; do
	run /bed/bin/count_calls calls.$until assay log follow --until $until
	check "follow of records 0 to $until, with its system calls counted" \
		[ "$(grep -c 'START\|MEASURE' /run/stdout)" -eq $((until + 1)) ]
done
calls=$(($(cat calls.98) - $(cat calls.8)))
echo "# $(cat calls.8) system calls for 9 records, $(cat calls.98) for 99"
check "90 records more take no calls but those that write them" [ $((calls * calls)) -le 16 ]
run assay log follow --from 1 --new
check "either from there or from now on" told 2 'new'

run assay log anchor
check "anchor with nothing to do" prints 0 '^all 99 records were anchored already$'
echo c000000.tpm_tis >/sys/bus/platform/drivers/tpm_tis/unbind
run assay measure file1
check "without the TPM measuring fails" told 1 'record 99'
run assay log show --records 98-
check "show says which records are anchored" prints 0 '^    98  .*  yes  *MEASURE' '^    99  .*  no  *MEASURE'
check "and how many are not" prints 0 '1 not anchored in the TPM yet'
run assay log anchor
check "anchor without the TPM fails, and says why" told 1 '1 of 100 records are not anchored: .*no TPM'
run assay log trim --archive first 50
check "trim without the TPM fails, and cuts nothing" told 1 'nothing was cut: .*no TPM'
check "so nothing is archived" [ ! -e first ]
echo c000000.tpm_tis >/sys/bus/platform/drivers/tpm_tis/bind
run assay log anchor
# A kernel that tells of the TPM has had it anchored already.
check "anchor with the TPM" prints 0 '^1 record anchored now, 100 in all$\|^all 100 records were anchored already$'
run assay log show --json --records 99
check "it is anchored" prints 0 '"anchored":true'
run assay log anchor --json
check "anchor --json" prints 0 '^{"assay":1,"type":"log-anchor","record_count":100,"anchored_record_count":100}$'

run assay log trim --dry-run 50
check "trim --dry-run says what would go" prints 0 '^records 0 to 49 ([0-9]* bytes) would be cut; the log begins with record 50$'
check "and cuts nothing" [ "$(assay log show --json --records 0 | grep -c '"recnum":0,')" -eq 1 ]
run assay log trim 50
check "trim wants to archive" told 2 'either --archive FILE'
run assay log trim --archive first 50
check "trim cuts, and says where it went" prints 0 '^records 0 to 49 .* were cut' '^first has them, and record 100 (TRIM) their digest$'
check "and what memory went back" prints 0 '^[0-9]* bytes of memory went back'
run assay log show
check "the log begins with the record that was to be kept" prints 0 '^    50  ' '^51 records, all anchored'
check "and has none before" [ "$(grep -c '^    49  ' /run/stdout)" -eq 0 ]
run assay log show first
check "the archive is shown" prints 0 '^     0  .*  START ' '^50 records$'
run assay log show --live first
check "with what is left it is the whole log" prints 0 '^first: records 0 to 49; record 100 (TRIM) has its digest$' '^101 records, all anchored'
run assay log trim --archive first 60
check "an archive is not overwritten" told 1 'first is there already. Nothing was cut'
run assay log trim --json --archive second --keep 10
check "--keep" prints 0 '"done": *true, *"first": *50, *"keep": *91,' '"trim_recnum": *101' '"archive": *"second"'
run assay log show --json --live first second
check "two archives and what is left" prints 0 '"shown_count": 102, "record_count": 102' '"trim_recnum":100' '"trim_recnum":101'
run assay log show --live second first
check "not in another order" told 1 'not next to each other'
run assay log show --live first
check "nor with one missing" told 1 'first ends with record 49, and what is left begins with 91'
size=$(wc -c <first)
head -c $((size - 1)) first >changed
printf '?' >>changed
run assay log show --live changed second
check "nor with a byte changed" told 1 'changed is not what was cut off'
run assay log trim --archive third --older-than @0
check "nothing is older than 1970" prints 0 '^nothing to cut: the log begins with record 91'
check "so nothing is archived" [ ! -e third ]
run assay log trim --dry-run --json --older-than -0s
check "all but the newest is older than now" prints 0 '"done": *false, *"first": *91, *"keep": *101,'
run assay log trim --archive third 1000
check "a record that is not there" told 1 'record 1000 cannot be the oldest one: the log has 91 to 101'
run assay log trim --archive third 90
check "a record that is gone" told 1 'record 90 cannot be the oldest one'

start --json --from 60
check "follow tells what was trimmed before it began" eventually grep -qx '{"trimmed":{"first":60,"record_count":31}}' out
check "and goes on with what there is" eventually has $(seq 91 101)
kill -STOP $follower
measure file0 file1 file2 file3
assay log trim --no-archive 104 >/dev/null
kill -CONT $follower
check "and what was trimmed under it" eventually grep -qx '{"trimmed":{"first":102,"record_count":2}}' out
check "and goes on" eventually has $(seq 91 101) 104 105 106
stopped INT
rmmod assay
