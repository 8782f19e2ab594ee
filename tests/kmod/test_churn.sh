#!/bin/sh
# SPDX-License-Identifier: MIT
# Windows claimed and released in random order, by two at once that share pageblocks, lose
# nothing: no page of the region, no memory, and, on the kernel that has kmemleak (the bed
# asks it when the modules are gone), no descriptor. How claims fare when memory is full is
# test_windows.sh's. 500 windows here, 10,000 in `make soak`.
# guest: --region $([ $flavour = 64k ] && echo cma:0x80000000:512M || echo cma:0x60000000:64M):0x730000:1M
# guest: --memory $([ $flavour = 64k ] && echo 2G || echo 1G) --smp 2 --timeout ${churn_timeout:-300}
# guest: ${churn_rounds:+--append churn_rounds=$churn_rounds}
# flavours: 64k
# soak: debug
# shellcheck source=tests/check.sh
. /bed/check.sh
regions=/sys/class/misc/assay/regions
pages=16 windows=64
rounds=$(sed -n 's/.*churn_rounds=\([0-9]*\).*/\1/p' /proc/cmdline)
: "${rounds:=250}" # of each

memory() { # FIELD of /proc/meminfo, in KiB
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# churn FIRST SPAN ROUNDS SEED: in pages of the region
churn() {
	{
		echo "churn 0 $1 $2 $pages $windows $3 $4" >&3 && cat <&3
	} 3<>/dev/windows >/tmp/churn."$4"
}

both() { # ROUNDS SEED
	churn 0 $((region / 2)) "$1" "$2" &
	churn $((region / 2)) $((region / 2)) "$1" $(($2 + 1)) && wait $!
}

settled() { # FIELD: what is free when nothing is in flight any more
	echo 3 >/proc/sys/vm/drop_caches
	churn 0 "$region" 1 0
	memory "$1"
}

not_lost() { # FIELD BEFORE: but for 1 MiB, far less than a page a round
	[ $(($(settled "$1") + 1024)) -ge "$2" ]
}

said() { # FIELD: of both
	sed -n "s/.*\<$1 \([-0-9a-fx]*\).*/\1/p" /tmp/churn.2 /tmp/churn.3 | xargs
}

works 'the module loads' insmod /bed/assay.ko stock=0
insmod /bed/windows.ko
page=$(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps)
region=$(($(cat $regions/0/bytes_reserved) / 1024 / page))
works 'the first windows' both 200 4 # what the kernel keeps for itself after them is not lost
free_before=$(settled MemFree) cma_before=$(settled CmaFree)

works "two times $rounds windows" both "$rounds" 2
sed 's/^/# /' /tmp/churn.2 /tmp/churn.3
check 'every claim succeeds' [ "$(said claimed), $(said failed)" = "$rounds $rounds, 0 0" ]
check 'nobody else had or wrote to a window' [ "$(said changed) $(said shared)" = '0 0 0 0' ]
check 'only the log is left' [ "$(cat $regions/0/windows)" -eq 1 ]
check 'no page of the region is lost' eventually not_lost CmaFree "$cma_before"
if [ -e /sys/kernel/debug/kmemleak ]; then
	skip 'no memory is lost' 'this kernel keeps books of its own; kmemleak tells'
else
	check 'no memory is lost' eventually not_lost MemFree "$free_before"
fi
echo "# MemFree $free_before then $(settled MemFree), CmaFree $cma_before then $(settled CmaFree) KiB"
works 'the modules unload' rmmod windows assay
echo "1..$check_number"
