#!/bin/sh
# SPDX-License-Identifier: MIT
# Windows of 1 MiB are claimed and released in random order while memory is full of data
# of others and a writer dirties it: every claim succeeds, what is in a window is the
# owner's alone, what others have stays unharmed, nobody is killed for memory, nothing is
# lost. The writer's file system has no journal: a journal pins its pages of the disk's
# cache for longer than a claim tries. `make soak` runs it for longer, and with a journal
# as well: then some claims are busy, and succeed once the journal lets go.
# guest: --region $([ $flavour = 64k ] && echo cma:0x80000000:512M || echo cma:0x60000000:64M):0x730000:1M
# guest: --memory $([ $flavour = 64k ] && echo 4G || echo 1G) --smp 2 --timeout ${windows_timeout:-400}
# guest: --disk "$(tests/kmod/load-disk "$directory/disk" ^has_journal)"
# guest: ${windows_rounds:+--disk "$(tests/kmod/load-disk "$directory/disk-journal")"}
# guest: ${windows_rounds:+--append windows_rounds=$windows_rounds} --file tests/kmod/load.sh=/bed/load.sh
# flavours: 64k
rounds=$(sed -n 's/.*windows_rounds=\([0-9]*\).*/\1/p' /proc/cmdline)
: "${rounds:=400}"

# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/kmod/load.sh
. /bed/load.sh
regions=/sys/class/misc/assay/regions
anonymous=70 cached=40 # hundredths of memory; more than there is, so that all is used

field() { # NAME FILE: the number after the name
	sed -n "s/.*\<$1 \([-0-9a-fx]*\).*/\1/p" "$2"
}

# churn FIRST SPAN WINDOWS ROUNDS FILE: in pages of the region
churn() {
	{
		echo "churn 0 $1 $2 $pages $3 $4 $5" >&3 && cat <&3
	} 3<>/dev/windows >/tmp/churn."$5"
}

settled() { # FIELD: what is free when nothing is in flight any more
	echo 3 >/proc/sys/vm/drop_caches
	churn 0 "$region" 1 1 0 # a claim empties the processors' lists of free pages
	memory "$1"
}

not_lost() { # FIELD BEFORE
	[ $(($(settled "$1") + allowance)) -ge "$2" ]
}

kills() {
	dmesg | grep -c 'Out of memory\|oom-kill\|invoked oom'
}

# busy ROUNDS FILE: churn, and how full memory was, once a second
busy() {
	: >/tmp/full
	while sleep 1; do
		load_percent_free >>/tmp/full
	done &
	busy_sampler=$!
	busy_status=0
	busy_retries=$(cat $regions/0/claim_retries)
	churn 0 "$region" $windows "$1" "$2" || busy_status=$?
	kill $busy_sampler
	sed 's/^/# /' /tmp/churn."$2"
	echo "# $(($(cat $regions/0/claim_retries) - busy_retries)) retries; of all memory" \
		"$(sort -n /tmp/full | sed -n '1p;$p' | tr '\n' ' ')% free (least, most)," \
		"now Dirty $(memory Dirty), CmaFree $(memory CmaFree) KiB"
	show_failed /tmp/churn."$2"
	return $busy_status
}

# What the kernel has where a claim failed, as /proc/kpageflags and kpagecount say.
show_failed() { # FILE
	failed_at=$(field at "$1")
	[ $((failed_at)) -ne 0 ] || return 0
	for failed_map in kpageflags kpagecount; do
		dd if=/proc/$failed_map bs=8 skip=$((failed_at)) count=$pages 2>/dev/null |
			od -An -v -t x8 -w8 | tr -d '\n' | sed "s/^/# $failed_at $failed_map: /"
		echo
	done
}

insmod /bed/assay.ko stock=0
insmod /bed/windows.ko
page=$(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps)
pages=$((1024 / page))
region=$(($(cat $regions/0/bytes_reserved) / 1024 / page))
windows=$((region / pages / 2))

# What the kernel keeps for itself after the first time is not lost.
load_start /dev/vda 5 5 && load_stop >/dev/null
churn 0 $region $windows $((rounds < 1000 ? rounds / 4 : 250)) 1
free_before=$(settled MemFree) cma_before=$(settled CmaFree) kills_before=$(kills)
allowance=$((4 * 1024)) # of four windows; half a page of 64K a round would be more

check 'memory is filled' load_start /dev/vda $anonymous $cached
echo "# MemTotal $(memory MemTotal), MemFree $(memory MemFree), AnonPages $(memory AnonPages)," \
	"Cached $(memory Cached), CmaFree $(memory CmaFree) of $(memory CmaTotal) KiB"
check '95 % of it' [ "$(load_percent_free)" -le 5 ]
check "$windows windows, $rounds rounds" busy "$rounds" 2
check 'every claim succeeds' [ "$(field claimed /tmp/churn.2) $(field failed /tmp/churn.2)" = "$rounds 0" ]
check 'all windows were there at once' [ "$(field most /tmp/churn.2)" -eq $windows ]
check 'nobody wrote to a window' [ "$(field changed /tmp/churn.2)" -eq 0 ]
check 'nobody else had its pages' [ "$(field shared /tmp/churn.2)" -eq 0 ]

# Two at once in neighbouring halves, which share a pageblock where it is large.
churn 0 $((region / 2)) $((windows / 4)) $((rounds / 4)) 3 &
churn $((region / 2)) $((region / 2)) $((windows / 4)) $((rounds / 4)) 4
wait $!
sed 's/^/# /' /tmp/churn.3 /tmp/churn.4
check 'two claim at the same time' [ "$(field failed /tmp/churn.3) $(field failed /tmp/churn.4)" = '0 0' ]
check 'and have what they claimed' [ "$(field changed /tmp/churn.3) $(field changed /tmp/churn.4)" = '0 0' ]
check 'the data of others is unharmed' load_stop

if [ -b /dev/vdb ]; then
	check 'memory is filled, with a journal' load_start /dev/vdb $anonymous $cached
	check "$windows windows, $rounds rounds, with a journal" busy "$rounds" 5
	check 'a claim that fails is busy' [ "$(field error /tmp/churn.5)" = 0 -o "$(field error /tmp/churn.5)" = -16 ]
	check 'and that is one of a hundred at most' [ $((100 * $(field failed /tmp/churn.5))) -le "$rounds" ]
	check 'nobody wrote to a window' [ "$(field changed /tmp/churn.5)" -eq 0 ]
	check 'the data of others is unharmed' load_stop
	churn 0 $region $windows $((4 * windows)) 6
	check 'without the journal all claims succeed again' [ "$(field failed /tmp/churn.6)" -eq 0 ]
fi

check 'nobody was killed for memory' [ "$(kills)" -eq "$kills_before" ]
check 'no window is left' [ "$(cat $regions/0/windows)" -eq 1 ]
check 'no page of the region is lost' eventually not_lost CmaFree "$cma_before"
check 'no memory is lost' eventually not_lost MemFree "$free_before"
echo "# MemFree $free_before then $(settled MemFree), CmaFree $cma_before then $(settled CmaFree) KiB"
works 'the modules unload' rmmod windows assay
echo 1..$check_number
