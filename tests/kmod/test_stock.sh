#!/bin/sh
# SPDX-License-Identifier: MIT
# The stock: empty until somebody has a pool, filled then and after each chunk that is
# taken, read-only, given back when nobody has a pool any more; and left alone while the
# machine suspends.
# guest: --region auto --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 7.3
# soak: debug
# also: 4k init_on_alloc=0
# also: 64k init_on_alloc=1
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

level=3 chunk=$((2 * page)) idle=2
stock_is() { # CHUNKS
	[ "$(region 0 stock)" -eq "$1" ]
}
within() { # SECONDS COMMAND...: it becomes true
	within_seconds=$1
	shift
	for _ in $(seq $((within_seconds * 10))); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}
stock_page() { # of the first page of the stock sets first and state
	first=$(awk '$3 == "stock" { print $1; exit }' /sys/kernel/debug/assay/pages)
	state=$(awk '$3 == "stock" { print $2; exit }' /sys/kernel/debug/assay/pages)
}

stopped() { # no chunk was given back between the beginning of suspend and its end, but after it
	awk '/suspend_resume: freeze_processes.* end/ { frozen = 1 }
		/suspend_resume: thaw_processes.* begin/ { frozen = 0; thawed = 1 }
		/assay_release:/ { wrong += frozen; right += thawed }
		END { exit !(thawed && right && !wrong) }' /sys/kernel/tracing/trace
}

insmod /bed/scribble.ko
works 'the module loads' insmod /bed/assay.ko stock=$level chunk=$chunk stock_idle=$idle
insmod /bed/claim.ko || exit 1
log=$(region 0 bytes_claimed)
check 'nobody has a pool: no stock' stock_is 0

asks 'a pool is made' 0 pool 0
check 'now the stock is filled' within 30 stock_is $level
check 'its memory counts as claimed' [ "$(region 0 bytes_claimed)" -eq $((log + level * chunk)) ]
stock_page
check 'its pages are shown as such' [ "$state" = stock ]
check 'they are read-only' [ "$(scribble "$first")" = -14 ]
claims=$(region 0 claims)
asks 'an object is allocated' 0 allocate 100
check 'out of the stock, which is filled again' within 30 stock_is $level
check 'by one claim, of the worker' [ "$(region 0 claims)" -eq $((claims + 1)) ]
asks 'an object larger than a chunk is allocated' 0 allocate $((chunk + 1))
check 'the stock has no part in that' \
	[ "$(region 0 claims) $(region 0 stock)" = "$((claims + 2)) $level" ]
check 'all is accounted for' \
	[ "$(region 0 bytes_claimed)" -eq $((log + (level + 1) * chunk + chunk + page)) ]
asks 'a second pool is made' 0 pool 4
asks 'and gives its memory back' 0 destroy
sleep $((idle + 1))
check 'the stock stays while there is the first' stock_is $level
asks 'the first goes as well' 0 destroy
check 'the stock is still there' stock_is $level
check 'and given back after a while' within $((idle + 20)) stock_is 0
check 'nothing but the log is left' \
	[ "$(region 0 bytes_claimed) $(region 0 windows)" = "$log 1" ]
check 'its pages are writable' [ "$(scribble "$first")" = 0 ]

ask pool 0
within 30 stock_is $level
stock_page
rmmod claim
stock_is $level || echo "# the stock has $(region 0 stock) chunks"
works 'the module unloads with a stock' rmmod assay
check 'and gives it back writable' [ -n "$first" -a "$(scribble "$first")" = 0 ]

works 'without a stock it loads, too' insmod /bed/assay.ko stock=0
insmod /bed/claim.ko
ask pool 0
asks 'and allocates' 0 allocate 100
check 'by claiming' [ "$(region 0 stock) $(region 0 windows)" = '0 2' ]
works 'a module that forgets its pools' rmmod claim
rmmod assay

# What stops when the machine suspends is tried by freezing all processes for five seconds.
# The stock would be given back after one.
if [ -e /sys/power/pm_test ]; then
	insmod /bed/assay.ko stock=$level chunk=$chunk stock_idle=1
	insmod /bed/claim.ko
	ask pool 0
	within 30 stock_is $level
	tracing=/sys/kernel/tracing
	[ -e $tracing/trace ] || mount -t tracefs none $tracing
	echo mono_raw >$tracing/trace_clock
	echo 1 >$tracing/events/assay/assay_release/enable
	echo 1 >$tracing/events/power/suspend_resume/enable
	echo freezer >/sys/power/pm_test
	ask destroy
	works 'the machine is frozen and goes on' sh -c 'echo freeze >/sys/power/state'
	check 'the stock is given back' within 20 stock_is 0
	sed 's/^/# /' /sys/kernel/tracing/trace
	check 'but not meanwhile' stopped
	rmmod claim assay
else
	skip 'the stock waits while the machine suspends' 'this kernel does not suspend'
fi
echo "1..$check_number"
