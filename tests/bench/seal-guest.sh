#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-seal: protects the same number of pages as a pool, in one
# batch, and one after the other; the two take turns in going first. Prints
#	# PAGES RUN BATCH-NS BATCH-FLUSHES SINGLE-NS SINGLE-FLUSHES
RUNS=$(seq "$(sed -n 's/.*bench_runs=\([0-9]*\).*/\1/p' /proc/cmdline)")
seal=/sys/module/seal/parameters
flushes=/sys/class/misc/assay/memory/flushes

echo '1..1'
for module in 'assay.ko stock=0' seal.ko; do
	# shellcheck disable=SC2086 # with its parameters
	insmod /bed/$module || { echo "not ok 1 - $module"; exit 1; }
done
grep -qx full /sys/class/misc/assay/memory/protection || { echo 'not ok 1 - no protection'; exit 1; }

batch() { # sets batch_ns and batch_flushes
	read -r before <$flushes
	read -r batch_ns <$seal/batch || batch_ns=
	read -r batch_flushes <$flushes
	batch_flushes=$((batch_flushes - before))
}

single() { # sets single: nanoseconds and flushes
	read -r single <$seal/single || single=
}

for pages in 1 16 256 4096; do
	for run in $RUNS; do
		echo $pages >$seal/prepare || { echo "not ok 1 - $pages pages"; exit 1; }
		if [ $((run % 2)) -eq 0 ]; then
			batch
			single
		else
			single
			batch
		fi
		if [ -z "$batch_ns" ] || [ -z "$single" ]; then
			echo "not ok 1 - $pages pages"
			exit 1
		fi
		echo "# $pages $run $batch_ns $batch_flushes $single"
	done
done
echo 0 >$seal/prepare || { echo 'not ok 1 - pages do not become writable'; exit 1; }
echo 'ok 1 - measured'
