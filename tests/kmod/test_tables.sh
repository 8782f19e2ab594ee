#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's own view of its page tables says the same as the module: in the linear map the
# log and protected pools are read-only, the pages beside them are not, and afterwards none is.
# guest: --region auto --tpm new --timeout 120 --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k
# soak: debug
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
tables=/sys/kernel/debug/kernel_page_tables

# permissions PHYSICAL PAGES: of these pages in the linear map, each once: "RW", "ro", "RW ro";
# "gap" where not all are mapped. Lines are "0xFROM-0xTO SIZE LEVEL FLAG...", in order; numbers
# of one length are compared as text.
permissions() {
	awk -v from="$(printf '0x%016x' $(($1 + offset)))" \
		-v to="$(printf '0x%016x' $(($1 + offset + $2 * page)))" '
		{
			split($1, range, "-")
			if (range[2] "" <= from "" || range[1] "" >= to "")
				next
			if (range[1] "" > from "")
				found["gap"]
			for (i = 4; i <= NF; i++)
				if ($i == "RW" || $i == "ro")
					found[$i]
			from = range[2]
		}
		END {
			if (from "" < to "")
				found["gap"]
			if ("RW" in found)
				words = " RW"
			if ("ro" in found)
				words = words " ro"
			if ("gap" in found)
				words = words " gap"
			print substr(words, 2)
		}' $tables
}

says() { # TITLE WORDS PHYSICAL PAGES
	said=$(permissions "$3" "$4")
	check "$1" [ "$said" = "$2" ]
	[ "$said" = "$2" ] || echo "# $said, not $2"
}

insmod /bed/assay.ko stock=0
insmod /bed/pools.ko
flushes=$(cat $memory/flushes)
echo '0 5' >/sys/kernel/debug/pools/hold
# Claimed, it is made read-only; then writable; then the pool is protected.
check 'that took three flushes, whatever the number of pages' \
	[ $(($(cat $memory/flushes) - flushes)) -eq 3 ]
read -r virtual physical </sys/kernel/debug/pools/hold
offset=$((virtual - physical))
log=$(($(sed -n '/ log /{s/ .*//p;q}' /sys/kernel/debug/assay/pages) * page))
pages=$(grep -c ' log ' /sys/kernel/debug/assay/pages)
[ "$pages" -gt 1 ] || exit 1
above=$((log + (1 << 20))) # the window is larger than what of it is claimed

says 'the log is read-only' ro $log "$pages"
says 'a protected pool is read-only' ro "$physical" 5
echo release >/sys/kernel/debug/pools/hold
insmod /bed/claim.ko
first=$((physical / page))
asks 'the pages of the pool that was destroyed are claimed again' 0 claim again 0 $first 5
says 'and writable' RW "$physical" 5
ask release again
echo '4 3' >/sys/kernel/debug/pools/hold
read -r virtual physical </sys/kernel/debug/pools/hold
says 'a pool that starts read-only is so' ro "$physical" 3
asks 'the pages around the log are claimed' 0 claim below 0 $((log / page - 1)) 1
asks 'on both sides' 0 claim above 0 $((above / page)) 1
says 'the page below the log is writable' RW $((log - page)) 1
says 'the page above its window is writable' RW $above 1
rmmod claim
rmmod pools
rmmod assay
insmod /bed/assay.ko stock=0 window=0:2M
insmod /bed/claim.ko
asks 'after the module was loaded anew, the log elsewhere, its pages are claimed' \
	0 claim again 0 $((log / page)) "$pages"
says 'and writable' RW $log "$pages"
echo "1..$check_number"
exit $check_failed
