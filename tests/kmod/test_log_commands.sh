#!/bin/sh
# SPDX-License-Identifier: MIT
# The commands on a log that grows: `assay log follow` sees each record once, resumes, and
# ends when it is told to; `assay log anchor` when the TPM is away and when it is back.
# guest: --region auto --tpm new --banks sha256
# flavours: 64k 4k
# shellcheck source=tests/check.sh
. /bed/check.sh

insmod /bed/assay.ko || exit 1
mkdir -p /run/work
cd /run/work || exit 1
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

stopped() { # SIGNAL: the follower ends with 0 then
	kill -"$1" $follower
	wait $follower
}

has() { # the numbers in the output
	[ "$(numbers out)" = "$*${*:+ }" ]
}

echo "1..25"
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
sleep 1
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
check "filters" prints 0 'FAILED: .*  /run/work/file3$'
check "let nothing else through" [ "$(grep -c FAILED /run/stdout)" -eq 1 ]
run timeout 10 sh -c 'assay log follow | head -n 2'
check "it ends when nobody reads its output" prints 0 '^     0  .*  START '

# 100 more in a burst, while it follows.
start --json --from 9
measure file[0-9][0-9]
check "a burst is seen whole" eventually has $(seq 9 98)
stopped INT
run assay log follow --from 1 --new
check "either from there or from now on" told 2 'not both'

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
echo c000000.tpm_tis >/sys/bus/platform/drivers/tpm_tis/bind
run assay log anchor
check "anchor with the TPM" prints 0 '^1 record anchored now, 100 in all$'
run assay log show --json --records 99
check "it is anchored" prints 0 '"anchored":true'
run assay log anchor --json
check "anchor --json" prints 0 '^{"records":100,"anchored_records":100}$'
rmmod assay
