#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-read and bench-memory: IMA measures COUNT files of a tmpfs,
# without a TPM, since that is not what is measured here; the same entries are put in assay's
# log; then each log is read five times, by turns. Prints
#	# memory WAY BYTES ENTRIES
#	# RUN WAY ENTRIES NANOSECONDS CALLS SUM
# SUM is the same where the entries are.
COUNT=$(sed -n 's/.*bench_count=\([0-9]*\).*/\1/p' /proc/cmdline)
RUNS='1 2 3 4 5'
entries=/bed/bin/entries

echo "1..1"
die() { echo "not ok 1 - $1"; exit 1; }
unreclaimable() { # bytes of slab that is nobody's cache
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '$1 == "SUnreclaim:" { printf "%.0f\n", $2 * 1024 }' /proc/meminfo
}
written() { # bytes of assay's log
	cat /sys/class/misc/assay/log/bytes
}

mkdir -p /files
mount -t tmpfs -o size=90%,nr_inodes=200000 none /files || die tmpfs
insmod /bed/assay.ko || die 'assay.ko does not load'
$entries files /files "$COUNT" || die files
before=$(unreclaimable)
echo 'measure func=FILE_CHECK mask=MAY_READ fowner=1000' >/sys/kernel/security/ima/policy || die policy
$entries touch /files "$COUNT" || die touch
after=$(unreclaimable)
ima=$(cat /sys/kernel/security/ima/runtime_measurements_count)
echo "# memory ima $((after - before)) $ima"
before=$(unreclaimable) log=$(written)
copied=$($entries copy) || die copy
after=$(unreclaimable)
[ "$after" -gt "$before" ] || after=$before
echo "# memory assay $((after - before + $(written) - log)) $copied"
[ "$copied" = "$ima" ] || die "$copied entries of $ima"
for run in $RUNS; do
	for way in ima assay; do
		echo "# $run $way $($entries $way)" || die "$way"
	done
done
echo "ok 1 - $ima entries"
