#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-group-commit: the ways take turns, each with a log of its
# own. Prints
#	# RUN WAY NANOSECONDS FILES RECORDS
THREADS=8 DELAY=5
CALLS=$(sed -n 's/.*bench_calls=\([0-9]*\).*/\1/p' /proc/cmdline)
RUNS=$(seq "$(sed -n 's/.*bench_runs=\([0-9]*\).*/\1/p' /proc/cmdline)")

echo '1..1'
failed() { # WHAT
	echo "not ok 1 - $1"
	exit 1
}
mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || failed mount
mkdir -p /mnt/files
for file in $(seq 0 $((THREADS - 1))); do
	echo "file $file" >"/mnt/files/$file"
done
/bed/measure enable /mnt/files $THREADS >/dev/null || failed 'fs-verity'

way() { # RUN WAY PARAMETERS
	# shellcheck disable=SC2086 # several words
	insmod /bed/assay.ko $3 || failed insmod
	way_result=$(/bed/group-commit /mnt/files $THREADS "$CALLS" $DELAY) || failed "$2: $way_result"
	echo "# $1 $2 $way_result"
	rmmod assay || failed rmmod
}

for run in $RUNS; do
	way "$run" group ''
	way "$run" alone 'group=1'
	way "$run" each 'verify=each'
	way "$run" never 'verify=0'
done
echo 'ok 1 - measured'
