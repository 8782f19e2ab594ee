#!/bin/sh
# SPDX-License-Identifier: MIT
# Claims that fail on demand: busy for a while, busy for good, at
# protecting a chunk of the stock, at giving back; and one that is killed. Each leaves
# nothing behind but what cannot be given back.
# guest: --region auto --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: debug
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

faults=/sys/kernel/debug/assay
arm() { # POINT TIMES [N]: it fails TIMES times, -1 for ever, from the N-th on
	echo 100 >$faults/"$1"/probability
	echo "${3:-1}" >$faults/"$1"/space
	echo "$2" >$faults/"$1"/times
}
disarm() { # POINT
	echo 0 >$faults/"$1"/times
}
counts() { # claims, tries after the first, failures
	echo "$(region 0 claims) $(region 0 claim_retries) $(region 0 claim_failures)"
}
more() { # CLAIMS RETRIES FAILURES: so many more than there were
	# shellcheck disable=SC2086 # words
	set -- "$@" $before
	echo "$(($1 + $4)) $(($2 + $5)) $(($3 + $6))"
}
left() { # windows, and bytes claimed
	echo "$(region 0 windows) $(region 0 bytes_claimed)"
}

works 'the module loads' insmod /bed/assay.ko stock=1 chunk=16K stock_idle=1
insmod /bed/claim.ko || exit 1
place=$(($(frame 0) + 5))
log=$(left)
is_left() { # nothing but the log
	[ "$(left)" = "$log" ]
}

before=$(counts)
arm fail_claim 3
asks 'busy three times: it is claimed' 0 claim a 0 $place 8
check 'at the fourth try' [ "$(counts)" = "$(more 1 3 0)" ]
ask release a
before=$(counts)
arm fail_claim -1
asks 'busy for good' 'Device or resource busy' claim a 0 $place 8
check 'after five tries' [ "$(counts)" = "$(more 0 4 1)" ]
run dmesg
check 'it says so, and what to do' prints 0 "cannot claim 32768 bytes at .* of region 0: busy (5 tries in .*; run sync"
disarm fail_claim
asks 'then it can be claimed' 0 claim a 0 $place 8
ask release a

before=$(counts)
arm fail_claim 2
asks 'busy at two places, anywhere else will do' 0 claim a 0 - 3
check 'and is tried without a pause' [ "$(counts)" = "$(more 1 2 0)" ]
check 'at the third place' \
	[ "$(cat /sys/module/claim/parameters/pfn)" -eq $(($(frame 0) + 6)) ]
ask release a

before=$(counts)
arm fail_claim_final 1
asks 'no memory is final' 'Cannot allocate memory' claim a 0 $place 8
check 'and not tried again' [ "$(counts)" = "$(more 0 0 1)" ]

# Others hold the processor, or the place, for a while; the claim is killed meanwhile.
arm fail_claim -1
(echo "claim killed 0 - 1" >/sys/module/claim/parameters/command) 2>/dev/null &
victim=$!
sleep 0.5
kill -9 $victim
wait $victim
check 'a claim can be killed' [ $? -eq 137 ]
disarm fail_claim
check 'and leaves nothing' eventually is_left
asks 'its place can be claimed' 0 claim a 0 "$(frame 0)" 8
ask release a

ready() {
	[ "$(region 0 stock)" -eq 1 ]
}
within() { # SECONDS COMMAND...: it becomes true
	within_seconds=$1
	shift
	for _ in $(seq "$within_seconds"); do
		"$@" && return 0
		sleep 1
	done
	return 1
}
# N-th entry, verified page
for fault in fail_entry:1 fail_verify:3; do
	point=${fault%:*}
	arm "$point" 1 "${fault#*:}"
	ask pool 0
	within 5 grep -qx 0 $faults/"$point"/times
	check "$fault: the stock stays empty at first" [ "$(region 0 stock) $(left)" = "0 $log" ]
	check "$fault: and is filled later" within 40 ready
	ask destroy
	check "$fault: it is given back whole" within 40 is_left
done

ask claim lost 0 $place 8
arm fail_verify 1 3
ask release lost
check 'pages that are not writable are not given back' \
	[ "$(left)" = "1 $((${log#* } + 8 * page))" ]
run dmesg
check 'it says so' prints 0 "8 pages at frame $(printf '0x%x' $place) (lost) stay read-only and are lost"
check 'nobody has them' [ "$(owners $place 8)" = '- - - - - - - -' ]
asks 'and nobody gets them' 'File exists' claim a 0 $((place + 7)) 2
rmmod claim
works 'the module unloads' rmmod assay
insmod /bed/assay.ko
insmod /bed/claim.ko
asks 'not even the module loaded anew' 'Device or resource busy' claim a 0 $place 8
asks 'but those beside them' 0 claim a 0 $((place + 8)) 2
rmmod claim
works 'the module unloads' rmmod assay
echo "1..$check_number"
