#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-measure: opens and reads files plainly, measured by one assay
# call, and with IMA measuring each. The three take turns, so that what else the machine
# does meets all of them; each starts with nothing of the files cached. IMA measures a
# file once, so it gets a directory of its own for each run. Prints
#	# RUN WAY NANOSECONDS NANOSECONDS-OF-THE-CALL EXTENDS
COUNT=$(sed -n 's/.*bench_count=\([0-9]*\).*/\1/p' /proc/cmdline)
RUNS=$(seq "$(sed -n 's/.*bench_runs=\([0-9]*\).*/\1/p' /proc/cmdline)")
bench=/bench

echo "1..1"
insmod $bench/assay.ko || { echo "not ok 1 - assay.ko does not load"; exit 1; }
for directory in plain $RUNS; do
	# Only what this user owns is IMA's, see below.
	[ "$directory" = plain ] || chown -R 1000 "$bench/$directory"
	$bench/measure enable "$bench/$directory" "$COUNT" >/dev/null || { echo "not ok 1 - enable"; exit 1; }
done

ima_extends() { # every entry of IMA's list is an extend of its PCR
	cat /sys/kernel/security/ima/runtime_measurements_count
}

assay_extends() {
	cat /sys/class/misc/assay/log/anchors
}

# way RUN NAME MODE DIRECTORY COUNTER
way() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	way_before=$($5)
	way_time=$($bench/measure "$3" "$bench/$4" "$COUNT") || { echo "not ok 1 - $2"; exit 1; }
	echo "# $1 $2 $way_time $(($($5) - way_before))"
}

echo 'measure func=FILE_CHECK mask=MAY_READ fowner=1000 digest_type=verity template=ima-ngv2' \
	>/sys/kernel/security/ima/policy || { echo "not ok 1 - IMA's policy"; exit 1; }
$bench/measure plain $bench/plain "$COUNT" >/dev/null # the first of all is slower
for run in $RUNS; do
	way "$run" plain plain plain ima_extends
	way "$run" assay assay plain assay_extends
	way "$run" ima plain "$run" ima_extends
done
echo "ok 1 - measured"
