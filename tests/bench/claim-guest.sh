#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-claim: buffers of some sizes, claimed one behind the other from
# the start of the region and given back, as windows that are not cleared (claim), windows
# that are (clear), and by dma_alloc_pages(), which clears (dma). The ways take turns, each as
# often first as the others. First with idle memory, then with memory full of data of others;
# before each batch they have filled the region again. Prints
#	# STATE RUN WAY PAGES CLAIMED FAILED OUTSIDE MEDIAN P99 MAX CLAIMS RELEASES FREE
# times in nanoseconds; OUTSIDE counts buffers that are not from the region; FREE is what was
# free of it before, in KiB.
RUNS=$(sed -n 's/.*bench_runs=\([0-9]*\).*/\1/p' /proc/cmdline) # a multiple of the ways
WAITS=$(sed -n 's/.*bench_waits=\([0-9]*\).*/\1/p' /proc/cmdline)
REFILLED=$((2 * 1024)) # KiB of the region that may be free before a batch

# shellcheck source=tests/kmod/load.sh
. /bed/load.sh

echo '1..1'
for module in "assay.ko stock=0" windows.ko; do
	# shellcheck disable=SC2086 # with its parameters
	insmod /bed/$module || { echo "not ok 1 - $module"; exit 1; }
done

refill() { # waits, but not for ever: what remains free is the same for all ways
	for _ in $(seq "$WAITS"); do
		[ "$(memory CmaFree)" -gt $REFILLED ] || break
		sleep 0.1
	done
}

# batch STATE RUN WAY PAGES COUNT
batch() {
	[ "$1" = idle ] || refill
	free=$(memory CmaFree)
	{ echo "time $3 0 0 $4 $5 1" >&3 && read -r result <&3; } 3<>/dev/windows || {
		echo "not ok 1 - $*"
		exit 1
	}
	# shellcheck disable=SC2086 # words, of which each second one is a name
	set -- "$1" "$2" "$3" "$4" $result
	# claimed N failed F error E outside O claim_ns M P X claims_ns C releases_ns R
	shift 5
	echo "# $state $run $way $pages $1 $3 $7 $9 ${10} ${11} ${13} ${15} $free"
}

for state in idle filled; do
	if [ $state = filled ]; then
		load_start /dev/vda 60 50 || { echo 'not ok 1 - memory is filled'; exit 1; }
		echo "# $(load_percent_free) % of memory free, CmaFree $(memory CmaFree) KiB"
	fi
	set -- claim clear dma
	for run in $(seq "$RUNS"); do
		for pages in 1 16 256; do
			count=16
			[ $pages -lt 256 ] || count=4
			for way; do
				batch $state "$run" "$way" $pages $count
			done
		done
		set -- "$2" "$3" "$1"
	done
done
load_stop || { echo 'not ok 1 - the data of others is harmed'; exit 1; }
echo 'ok 1 - measured'
