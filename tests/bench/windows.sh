#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-windows: how much memory has to be set aside for 1, 8 and 64 windows of 1 MiB, with
# pages of 4K, 16K and 64K: a CMA area of the kernel for each window, of the smallest size
# that the kernel takes; one region of assay's, lent while it is idle (cma); and one of
# assay's that is held (static). All are booted and the windows really claimed, but for more
# areas than the kernel has room for or the guest memory: these are computed from the size of
# one, and marked with *. Since 6.17 a kernel can be built with smaller pageblocks: what an
# area each costs there is computed as well, from CONFIG_PAGE_BLOCK_MAX_ORDER's range (1 and
# more) and CMA's alignment, a pageblock: 1 MiB, the smallest order that holds a window. Then memory is filled, to see whether others use the region's idle
# pages; and, with 64K pages on a machine of 2 GiB, how much of it stays unused: there the
# kernel does not group pages by mobility, and uses no area's idle memory at all.
# ratio = set aside with an area each over assay's cma, 8 windows, 64K pages. SHORT=1: 4K pages
# alone, 1 and 8 windows, of which the areas of 8 are computed, and nothing of what stays unused.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-windows.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/windows

smallest() { # FLAVOUR: of an area, in MiB: a pageblock. Checked below: half of it is refused
	case $1 in
	4k) echo 2 ;;
	16k) echo 32 ;;
	64k) echo 512 ;;
	esac
}

areas() { # COUNT MIB: an overlay with so many areas, and one of half the size
	echo '/dts-v1/; /plugin/; &{/} { reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;'
	areas_base=$((0x80000000))
	for areas_number in $(seq "$1") half; do
		areas_size=$(($2 << 20))
		[ "$areas_number" != half ] || areas_size=$((areas_size / 2))
		printf 'window-%s@%x { compatible = "shared-dma-pool"; reusable; reg = /bits/ 64 <0x%x 0x%x>; };\n' \
			"$areas_number" $areas_base $areas_base $areas_size
		areas_base=$((areas_base + ($2 << 20)))
	done
	echo '}; };'
}

# guest NAME FLAVOUR BENCH MEMORY OPTION...
guest() {
	guest_name=$1 guest_flavour=$2 guest_bench=$3 guest_memory=$4
	shift 4
	qemu/run-guest --flavour "$guest_flavour" --memory "$guest_memory" --smp 2 \
		--append "cma=0 bench=$guest_bench bench_anon=${SHORT:+5} bench_file=${SHORT:+5}" --timeout 300 \
		--disk "$(tests/kmod/load-disk "$work/$guest_name.disk" ^has_journal)" \
		--file tests/kmod/load.sh=/bed/load.sh --file build/guest/kmod/load=/bed/bin/load \
		--file "build/kmod/$guest_flavour/assay.ko" --file "build/kmod/$guest_flavour/windows.ko" \
		--init tests/bench/windows-guest.sh --out "$out/$guest_name" "$@" \
		>"$work/$guest_name.log" 2>&1 || { cat "$work/$guest_name.log"; exit 1; }
	rm -f "$work/$guest_name.disk"
}

peers() { # FLAVOUR COUNT MEMORY
	areas "$2" "$(smallest "$1")" >"$work/$1-$2.dts"
	guest "areas-$1-$2" "$1" areas "$3" --overlay "$work/$1-$2.dts"
}

# ours FLAVOUR MEMORY BASE SIZE SIZE SIZE: of the cma regions, in MiB, one behind the other
ours() {
	ours_first=$(($3 + ($4 << 20)))
	guest "ours-$1" "$1" ours "$2" --region "cma:$3:$4M:0:1M" \
		--region "cma:$(printf 0x%x $ours_first):$5M" \
		--region "cma:$(printf 0x%x $((ours_first + ($5 << 20)))):$6M" \
		--region static:0x50010000:1M --region static:0x50120000:8M --region static:0x50930000:64M
}

# What all are compared with: guests, for two processors in two lists.
all_guests() {
	areas 1 512 >"$work/dead.dts"
	(
		ours 64k 4G 0x80000000 512 512 512
		peers 16k 8 2G
		peers 16k 64 4G
		peers 4k 1 2G
		peers 4k 64 2G
	) &
	first=$!
	ours 16k 1G 0x60000000 32 32 64
	ours 4k 1G 0x60000000 2 8 64
	guest dead-area 64k dead 2G --overlay "$work/dead.dts"
	guest dead-cma 64k dead 2G --region cma:0x80000000:512M
	guest dead-static 64k dead 2G --region static:0x50010000:1M
	peers 16k 1 2G
	peers 64k 8 6G
	peers 64k 1 2G
	peers 4k 8 2G
	wait $first
}
booted='1 8 64'
main=64k flavours='4k 16k 64k' counts='1 8 64'
if [ -n "${SHORT-}" ]; then
	main=4k flavours=4k counts='1 8' booted=1
	ours 4k 1G 0x60000000 2 8 64
	peers 4k 1 2G
else
	all_guests
fi

number() { # GUEST WORD FIELD
	sed -n "s/^# $2 //p" "$out/$1/result.tap" | cut -d ' ' -f "$3"
}

region() { # FLAVOUR ID FIELD
	sed -n "s/^# region $2 //p" "$out/ours-$1/result.tap" | cut -d ' ' -f "$3"
}

wrong() {
	echo "bench-windows: $1" >&2
	exit 1
}

blocks() { # FLAVOUR COUNT: KiB of so many areas of the smallest pageblock that holds 1 MiB
	blocks_page=${1%k} blocks_order=1
	while [ $((blocks_page << blocks_order)) -lt 1024 ]; do
		blocks_order=$((blocks_order + 1))
	done
	echo $(((blocks_page << blocks_order) * $2))
}

printf '%-5s %7s  %14s  %13s  %12s %14s  %s\n' pages windows 'an area each' 'small blocks' 'assay, cma' 'assay, static' \
	"cma's idle pages in use by others"
# shellcheck disable=SC2086 # names and numbers of ours
for flavour in $flavours; do
	id=0
	for count in $counts; do
		mark=' '
		one=$(number "areas-$flavour-1" areas 2) # KiB
		if [ "$flavour-$count" != 64k-64 ] && [ "${booted#*"$count"}" != "$booted" ] && [ "$(number "areas-$flavour-$count" areas 1)" -eq "$count" ]; then
			each=$(number "areas-$flavour-$count" areas 2)
		else
			each=$((one * count)) mark='*'
		fi
		if [ "$one" -ne $(($(smallest $flavour) << 10)) ] || [ "$each" -ne $((one * count)) ] ||
			[ "$(number "areas-$flavour-1" areas 3)" -eq 0 ]; then
			wrong "areas of $flavour are not as expected: $one KiB one, $each KiB all"
		fi
		for side in $id $((id + 3)); do
			[ "$(region $flavour "$side" 3) $(region $flavour "$side" 4)" = "$count $((count * 1024))" ] ||
				wrong "region $side of $flavour does not have $count windows of 1 MiB"
		done
		cma=$(region $flavour $id 2) static=$(region $flavour $((id + 3)) 2)
		idle=$(region $flavour $id 5) used=$(region $flavour $id 6)
		small=$(blocks $flavour $count)
		printf '%-5s %7d  %9d MiB%s  %8d MiB*  %8d MiB %10d MiB  %s\n' "$flavour" $count $((each / 1024)) "$mark" \
			$((small / 1024)) $((cma / 1024)) $((static / 1024)) "$used of $idle"
		echo "$flavour $count $each $cma $static $small" >>"$work/table"
		id=$((id + 1))
	done
done
if [ -z "${SHORT-}" ]; then
	for flavour in 4k 16k; do
		printf '* computed from the size of one: of 64 areas the %s kernel made %d\n' $flavour \
			"$(number areas-$flavour-64 areas 1)"
	done
	printf '* computed from the size of one: 64 areas of the 64k kernel are more memory than the guest has\n'
fi
printf '* small blocks: computed for a kernel of 6.17 or later, built with CONFIG_PAGE_BLOCK_MAX_ORDER of 1 MiB\n\n'

idle() { # WHAT GUEST: a line
	idle_free=$(number "$2" dead 4)
	printf '%-12s %d MiB set aside, of which %d MiB stay free; outside of it %d MiB are free\n' "$1" \
		$(($(number "$2" dead 3) / 1024)) $((idle_free / 1024)) \
		$((($(number "$2" dead 2) - idle_free) / 1024))
}

unused=null ours_unused=null
if [ -z "${SHORT-}" ]; then
	unused=$(number dead-area dead 4)
	ours_unused=$(number dead-cma dead 4)
	printf 'one window, 64K pages, 2 GiB of memory, filled with data of others:\n'
	idle 'an area' dead-area
	idle 'ours, cma' dead-cma
	printf 'ours, static 1 MiB set aside; outside of it %d MiB are free\n' $(($(number dead-static dead 2) / 1024))
fi

jq -R -s -c --argjson unused "$unused" --argjson ours_unused "$ours_unused" --arg pages "$main" '[split("\n")[] | select(. != "") | split(" ")
	| {pages: .[0], windows: (.[1] | tonumber), areas: (.[2] | tonumber / 1024), cma: (.[3] | tonumber / 1024),
	   static: (.[4] | tonumber / 1024), small_blocks_computed: (.[5] | tonumber / 1024)}] as $table
	| ($table[] | select(.pages == $pages and .windows == 8))
	| {name: "windows", ours: .cma, peer: .areas, ratio: (.areas / .cma),
	   unit: "MiB set aside for 8 windows of 1 MiB with \($pages | ascii_upcase) pages", runs: 1, ours_static: .static,
	   ratio_static: (.areas / .static), unused_2g: (($unused | values / 1024) // null), ours_cma_unused_2g: (($ours_unused | values / 1024) // null), table: $table}' "$work/table"
