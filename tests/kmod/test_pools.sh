#!/bin/sh
# SPDX-License-Identifier: MIT
# pmalloc from inside the kernel (tests/kmod/pools): its modes, allocation, writing, and what
# faults; then all memory is back, writable, and nothing that a pool refers to counts as leaked.
# guest: --region auto --tpm new --smp $(case $flavour in debug) echo 1 ;; *) echo 2 ;; esac) --timeout 120 --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 4k 7.3 16k 6.1
# soak: debug
# also: 4k init_on_alloc=0
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
pools=/sys/kernel/debug/pools
held() { # the pages that have other owners than the log
	grep -c -e ' pool-' -e ' stock ' /sys/kernel/debug/assay/pages
}
nothing_held() {
	[ "$(held)" = 0 ]
}

insmod /bed/assay.ko stock_idle=1
insmod /bed/pools.ko
claimed=$(cat $memory/bytes_claimed) windows=$(region 0 windows)
cat /sys/kernel/debug/assay/pages >/run/before
# Somebody who looks all the time, while windows come and go.
while :; do
	cat /sys/kernel/debug/assay/pages >/run/looking
	mv /run/looking /run/pages # whole, whenever this is ended
	sleep 0.3
done &
reader=$!
for case in create ro wr auto start reuse write array align refill strings aliases together; do
	echo "# $case, $(cut -d " " -f 1 /proc/uptime) s after boot"
	cat $pools/$case >/run/report
	while read -r line; do
		check_number=$((check_number + 1))
		echo "$line" | sed "s/^\(.*ok\) -/\1 $check_number -/"
	done </run/report
	check "$case ends" [ -s /run/report ]
done
kill $reader
wait $reader 2>/dev/null
check 'a reader of all pages saw each, in order' \
	[ "$(awk '{ print $1 }' /run/before)" = "$(awk '{ print $1 }' /run/pages)" ]
check 'all is given back, the stock too' eventually nothing_held
check 'the counters say so' \
	[ "$(cat $memory/bytes_claimed) $(region 0 windows)" = "$claimed $windows" ]

echo '4 3' >$pools/hold
check 'debugfs names the pool and its pages: one was written, the others were not' \
	[ "$(awk '$3 ~ /^pool-/ { n[$2]++ } END { print n["part"], (n["empty"] >= 2), length(n) }' /sys/kernel/debug/assay/pages)" = '1 1 2' ]
if [ -e /sys/kernel/debug/kmemleak ]; then
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6 # what is younger than five seconds is not reported
	echo scan >/sys/kernel/debug/kmemleak
	check 'memory that only a pool refers to is not taken for leaked' \
		[ "$(grep -c unreferenced /sys/kernel/debug/kmemleak)" = 0 ]
fi
read -r _ physical <$pools/hold
insmod /bed/scribble.ko
insmod /bed/claim.ko
check 'a stray write to it faults' [ "$(scribble $((physical / page)))" = -14 ]
check 'assay cannot be removed while it is used' sh -c '! rmmod assay 2>/dev/null'
check 'a module that leaves a pool can be removed' rmmod pools
check 'all is given back' eventually nothing_held
asks 'its memory can be claimed' 0 claim again 0 $((physical / page)) 3
asks 'and written' 0 fill again 1
rmmod claim
check 'assay can be removed' rmmod assay
echo "1..$check_number"
exit $check_failed
