#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-measure. Three runs, each on a directory of its own, since
# IMA measures a file once; each way starts with nothing of it cached. The ways that can
# be repeated take turns. Prints
#	# RUN WAY NANOSECONDS NANOSECONDS-OF-THE-CALL EXTENDS
COUNT=2000
RUNS='1 2 3'
bench=/bench

echo "1..1"
insmod $bench/assay.ko || { echo "not ok 1 - assay.ko does not load"; exit 1; }
for run in $RUNS; do
	$bench/measure enable "$bench/$run" $COUNT >/dev/null || { echo "not ok 1 - enable"; exit 1; }
done

ima_extends() { # every entry of IMA's list is an extend of its PCR
	cat /sys/kernel/security/ima/runtime_measurements_count
}

assay_extends() {
	cat /sys/class/misc/assay/log/anchors
}

# way RUN NAME MODE COUNTER
way() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	way_before=$($4)
	way_time=$($bench/measure "$3" "$bench/$1" $COUNT) || { echo "not ok 1 - $2"; exit 1; }
	echo "# $1 $2 $way_time $(($($4) - way_before))"
}

$bench/measure plain $bench/1 $COUNT >/dev/null # the first of all is slower
for run in $RUNS; do
	for _ in 1 2; do
		way "$run" plain plain ima_extends
		way "$run" assay assay assay_extends
	done
done
echo "measure func=FILE_CHECK mask=MAY_READ fsuuid=$(cat $bench/uuid) digest_type=verity template=ima-ngv2" \
	>/sys/kernel/security/ima/policy || { echo "not ok 1 - IMA's policy"; exit 1; }
for run in $RUNS; do
	way "$run" ima plain ima_extends
done
echo "ok 1 - measured"
