# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# Sourced in a guest by the tests of regions and windows: commands for the claim module,
# and what sysfs and debugfs say of the regions.
# shellcheck source=tests/check.sh
. /bed/check.sh

memory=/sys/class/misc/assay/memory
regions=/sys/class/misc/assay/regions
# Sets result to 0, or to what the shell calls the error.
ask() { # WORD...: a command of the claim module
	result=0
	error=$( (echo "$*" >/sys/module/claim/parameters/command) 2>&1) || result=${error##*: }
}

asks() { # TITLE RESULT WORD...: one test
	asks_title=$1 asks_result=$2
	shift 2
	ask "$@"
	status=
	check "$asks_title" [ "$result" = "$asks_result" ]
	[ "$result" = "$asks_result" ] || echo "# $*: $result, not $asks_result"
}

region() { # NUMBER FILE
	read -r region_value <"$regions/$1/$2"
	echo "$region_value"
}

pages() { # NUMBER: its size in pages
	echo $(($(region "$1" bytes_reserved) / page))
}

frame() { # NUMBER: its first page frame
	echo $(($(region "$1" base) / page))
}

owners() { # FRAME COUNT: who has these pages, in one line
	awk -v from="$(printf '0x%x' "$1")" -v count="$2" \
		'$1 == from { n = count } n > 0 { printf "%s%s", n == count ? "" : " ", $3; n-- }' \
		/sys/kernel/debug/assay/pages
}

scribble() { # FRAME; prints what came of a write to it: 0, or -14 where it faults
	echo $(($1 * page)) >/sys/module/scribble/parameters/address
	cat /sys/module/scribble/parameters/result
}

pools_work() { # one test, with the module pools, which is there only for it
	insmod /bed/pools.ko
	pools_failed=0
	for pools_mode in 0 1 2 3 4; do
		echo "$pools_mode 3" >/sys/kernel/debug/pools/cycle || pools_failed=$((pools_failed + 1))
	done
	check "pools work, in each mode" [ $pools_failed -eq 0 ]
	rmmod pools
}

movable_base() { # the address at which zone Movable begins
	awk -v page="$page" '/^Node/ { movable = $4 == "Movable" }
		movable && $1 == "start_pfn:" { printf "%.0f\n", $2 * page; exit }' /proc/zoneinfo
}

page=$(($(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p;T;q' /proc/self/smaps) * 1024))
