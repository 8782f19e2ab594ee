#!/bin/sh
# SPDX-License-Identifier: MIT
# Cross-anchor: IMA's list notes how far the log is anchored, if it is asked to and its policy
# has the rule; what it notes are the PCR's values.
# guest: --region auto --tpm new --banks sha1,sha256
# flavours: 64k 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh
ima=/sys/kernel/security/ima
pcrs=/sys/class/tpm/tpm0

noted() { # how many lines
	grep -c ' ima-buf .* assay ' "$ima/ascii_runtime_measurements"
}

hex() { # TEXT
	printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
}

lower() { # BANK
	tr 'A-F' 'a-f' <"$pcrs/pcr-$1/14"
}

notes_now() { # RECORDS: whether the last line is of so many, with the PCR's present values
	grep ' assay ' "$ima/ascii_runtime_measurements" | tail -n 1 >/run/last
	grep -q "$(hex "pcr=14 records=$1 offset=")" /run/last &&
		grep -q "$(hex " sha1=$(lower sha1) sha256=$(lower sha256)")\$" /run/last
}

insmod /bed/assay.ko ima=2
run dmesg
check 'without the rule the module says which one is missing' prints 0 \
	'IMA does not note.*its policy has no rule: measure func=CRITICAL_DATA label=assay'
rmmod assay
echo 'measure func=CRITICAL_DATA label=assay' >$ima/policy || exit 1
before=$(cat $ima/runtime_measurements_count)

insmod /bed/assay.ko
assay measure /bed/busybox >/dev/null 2>&1
rmmod assay
check 'without ima= nothing is noted' [ "$(noted)" = 0 ]

insmod /bed/assay.ko ima=2
check 'START is noted' notes_now 1
assay measure /bed/busybox >/dev/null 2>&1
check 'one more record is not' [ "$(noted)" = 1 ]
assay measure /bed/busybox >/dev/null 2>&1
check 'two more are' notes_now 3
check 'once' [ "$(noted)" = 2 ]
assay measure /bed/busybox >/dev/null 2>&1
rmmod assay
check 'so is what is there at unloading' notes_now 4
check "IMA's list has three lines more" \
	[ $(($(cat $ima/runtime_measurements_count) - before)) -ge 3 -a "$(noted)" = 3 ]
echo "1..$check_number"
exit $check_failed
