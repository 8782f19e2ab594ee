#!/bin/sh
# SPDX-License-Identifier: MIT
# Three regions, one of each kind, in one module; in each of them windows at exact,
# unaligned addresses, side by side in one pageblock.
# guest: --region auto --region static:0x50010000:0x130000
# guest: $(case $flavour in 64k) echo --memory 3G --append movablecore=1G ;; *) echo --append movablecore=256M ;; esac) --append cma=0
# guest: --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 4k 7.3 16k 6.1
# soak: debug
# also: 4k init_on_alloc=0
# also: 64k init_on_alloc=1
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

grep -e "^Node" -e start_pfn -e spanned /proc/zoneinfo | sed 's/^/# /'
base=$(movable_base)
works "the module takes a cma, a static and a movable region" \
	insmod /bed/assay.ko "region=movable:$base:32M"
insmod /bed/claim.ko || exit 1

check 'their kinds' [ "$(region 0 kind) $(region 1 kind) $(region 2 kind)" = 'cma static movable' ]
check 'the static one is where the device tree has it' \
	[ "$(region 1 base) $(region 1 bytes_reserved)" = "0x50010000 $((0x130000))" ]
check 'the movable one is where the parameter has it' \
	[ $(($(region 2 base))) -eq "$base" -a "$(region 2 bytes_reserved)" -eq $((32 << 20)) ]
check 'static memory is not lent' [ "$(region 1 lending) $(region 1 bytes_lent)" = 'none (held) 0' ]
check 'movable memory is' [ "$(region 2 lending) $(region 2 bytes_lent)" = "full $((32 << 20))" ]

for id in 0 1 2; do
	kind=$(region $id kind)
	first=$(($(frame $id) + 3)) claims=$(region $id claims) claimed=$(region $id bytes_claimed)
	asks "$kind: a window at an unaligned address" 0 claim a $id $((first + 4)) 3
	asks "$kind: another behind it" 0 claim b $id $((first + 7)) 5
	asks "$kind: another before it" 0 claim c $id $((first + 3)) 1
	check "$kind: side by side" [ "$(owners $((first + 3)) 9)" = 'c a a a b b b b b' ]
	ask fill a 1 && ask fill b 2 && ask fill c 3
	asks "$kind: what is written to one is not in another" 0 holds a 1
	asks "$kind: on neither side" 0 holds b 2
	asks "$kind: nor here" 0 holds c 3
	asks "$kind: no page twice" 'File exists' claim d $id $((first + 4)) 3
	asks "$kind: nor one of many" 'File exists' claim d $id $((first + 11)) 4
	asks "$kind: nor outside" 'Invalid argument' claim d $id $(($(frame $id) - 1)) 2
	asks "$kind: nor beyond the end" 'Invalid argument' \
		claim d $id $(($(frame $id) + $(pages $id) - 1)) 2
	asks "$kind: nor with a count that overflows" 'Invalid argument' \
		claim d $id $first 18446744073709551615
	asks "$kind: nor none" 'Invalid argument' claim d $id $first 0
	asks "$kind: nor at the last frame of all" 'Invalid argument' \
		claim d $id 18446744073709551614 1
	asks "$kind: nor more than there is, anywhere" 'No space left on device' \
		claim d $id - $(($(pages $id) + 1))
	check "$kind: the counters have the claims" [ "$(region $id claims)" -eq $((claims + 3)) ]
	check "$kind: and the bytes" [ "$(region $id bytes_claimed)" -eq $((claimed + 9 * page)) ]
	check "$kind: and the latencies" \
		[ "$(region $id claim_us | tr ' ' '\n' | awk -F: '{ n += $2 } END { print n }')" = "$(region $id claims)" ]
	ask release a
	asks "$kind: what was released can be claimed again" 0 claim e $id $((first + 4)) 3
	[ "$kind" != static ] || asks "$kind: and holds what it held" 0 holds e 1
	ask release b
	ask release c
	ask release e
	check "$kind: nothing is left" [ "$(region $id bytes_claimed)" -eq "$claimed" ]
done

# Anywhere: the static region is filled to the last page, whatever its free places are.
asks 'static: a window in the middle' 0 claim middle 1 $(($(frame 1) + 5)) 2
n=0
for count in 13 1; do
	while ask claim f$n 1 - $count && [ "$result" = 0 ]; do
		n=$((n + count))
	done
done
check 'anywhere finds every page that is left' [ $n -eq $(($(pages 1) - 2)) ]
check 'and then says that there is no space' [ "$result" = 'No space left on device' ]
check 'all of it is claimed' [ "$(region 1 bytes_claimed)" -eq "$(region 1 bytes_reserved)" ]
asks 'cma: anywhere' 0 claim anywhere 0 - 16
check 'the sums are those of all regions' \
	[ "$(cat $memory/bytes_claimed)" -eq $(($(region 0 bytes_claimed) + $(region 1 bytes_claimed) + $(region 2 bytes_claimed))) ]
rmmod claim
check 'a module that goes leaves nothing' [ "$(region 1 bytes_claimed) $(region 0 windows)" = '0 1' ]
works 'the module unloads' rmmod assay
echo "1..$check_number"
