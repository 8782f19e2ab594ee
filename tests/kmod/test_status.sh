#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay status` of three regions with windows of several owners, pools and a stock: what
# it counts and draws is what sysfs, debugfs and /proc/kpageflags say; it takes little
# memory for a large region, and says what it cannot tell.
# guest: $(case $flavour in 64k) echo --region auto --memory 3G --append movablecore=1G ;; *) echo --region cma:0x60000000:512M:0x730000:1M --memory 2G --append movablecore=256M ;; esac)
# guest: --region static:0x50010000:0x130000 --append cma=0 --tpm new --timeout 180
# guest: --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 7.3 6.1
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
list=/sys/kernel/debug/assay/pages

snapshot() {
	assay status --map >/tmp/status && assay status --json --map >/tmp/json
}

# map REGION: the cells of its map, in one line
map() {
	awk -v title="^map of region $1," '
		$0 ~ title { inside = 1; next }
		inside && /^ *[0-9a-f]+  [^ ]+$/ { cells = cells $2; next }
		inside { exit }
		END { print cells }' /tmp/status
}

# legend REGION|all STATE: how many pages of it the map's legend counts; without a state, of any
legend() {
	title="^map of region $1,"
	[ "$1" != all ] || title='^all regions$'
	awk -v title="$title" -v state="${2-}" '
		$0 ~ title { inside = 1; next }
		/^$/ { inside = 0 }
		inside && $4 ~ /^pages?,$/ && (state == "" || $2 == state) { n += $3 }
		END { print n + 0 }' /tmp/status
}

free_pages() { # REGION: how many of its pages /proc/kpageflags has as BUDDY
	/bed/bin/flagged "$(frame "$1")" "$(pages "$1")" 10
}

# Pages come and go while they are counted, also by this script's programs: a sixteenth is
# left to them.
frees_agree() { # REGION
	snapshot
	frees_off=$(($(legend "$1" lent-free) - $(free_pages "$1")))
	[ ${frees_off#-} -le $(($(pages "$1") / 16)) ]
}

# listed REGION: "COUNT STATE" of debugfs, for the states that both have, sorted
listed() {
	awk -v from="$(printf '0x%x' "$(frame "$1")")" -v count="$(pages "$1")" '
		$1 == from { left = count }
		left-- > 0 && $2 != "lent" { n[$2]++ }
		END { for (state in n) print n[state], state }' /tmp/list | sort
}

told() { # REGION: the same of the legend
	awk -v title="^map of region $1," '
		$0 ~ title { inside = 1; next }
		/^$/ { inside = 0 }
		inside && $4 ~ /^pages?,$/ && $2 !~ /^lent/ { print $3, $2 }' /tmp/status | sort
}

claimed_pages() { # REGION
	told "$1" | awk '$2 != "held" { n += $1 } END { print n + 0 }'
}

window() { # OWNER REGION FRAME COUNT: it is in the JSON
	grep -q "$(printf '"region_id":%d,"base":"0x%x","size":%d,"owner":"%s"' \
		"$2" $(($3 * page)) $(($4 * page)) "$1")" /tmp/json
}

base=$(movable_base)
insmod /bed/assay.ko "region=movable:$base:64M" && insmod /bed/claim.ko || exit 1
status=

# Others' data goes to the movable zone first.
mkdir /tmp/fill
mount -t tmpfs -o size=50% none /tmp/fill
head -c 25000000 /dev/zero >/tmp/fill/file
ask claim first 1 $(($(frame 1) + 2)) 3
ask claim second 1 $(($(frame 1) + 5)) 1
ask claim third 2 $(($(frame 2) + 7)) 5
ask claim fourth 0 $(($(frame 0) + 11)) 2
ask pool 0 # RO: writable until it is protected
ask allocate 10000
ask pool 4 # START_WR
ask allocate 100
eventually [ "$(region 0 stock)" -eq 2 ]

snapshot
sed 's/^/# /' /tmp/status
cp /tmp/status /tmp/json "$OUT"
cat $list >/tmp/list
check 'it knows the regions' grep -q '^memory .* in 3 regions' /tmp/status
for id in 0 1 2; do
	kind=$(region $id kind)
	check "$kind: where it is" grep -q "^region $id .* at $(region $id base), $kind\$" /tmp/status
	check "$kind: every page is counted once" [ "$(legend $id)" -eq "$(pages $id)" ]
	check "$kind: each claimed or held page as debugfs has it" [ "$(told $id)" = "$(listed $id)" ]
	check "$kind: as many are claimed as sysfs has bytes" \
		[ $(($(claimed_pages $id) * page)) -eq "$(region $id bytes_claimed)" ]
	check "$kind: and the JSON has them" \
		grep -q "\"region_id\":$id,[^]]*\"bytes_claimed\":$(region $id bytes_claimed),\"bytes_lent\":$(region $id bytes_lent),\"window_count\":$(region $id windows)," /tmp/json
	[ "$kind" = static ] ||
		check "$kind: as many are free as /proc/kpageflags says" eventually frees_agree $id
done
check 'static memory is held, with the reason' grep -q '^  lending   none (held)$' /tmp/status
check 'data of others is in the movable region' [ "$(legend 2 lent-used)" -gt 0 ]
check 'the sums are those of the regions' \
	[ "$(legend all)" -eq $(($(pages 0) + $(pages 1) + $(pages 2))) ]

# A cell a page: the static region's map is the list of pages, drawn.
drawn=$(awk -v from="$(printf '0x%x' "$(frame 1)")" -v count="$(pages 1)" '
	BEGIN { symbol["held"] = "h"; symbol["claimed"] = "c" }
	$1 == from { left = count }
	left-- > 0 { line = line symbol[$2] }
	END { print line }' /tmp/list)
check 'the map is the list of pages' [ "$(map 1)" = "$drawn" ]
check 'and shows the two windows' [ "$(map 1 | cut -c1-8)" = 'hhcccchh' ]
check 'a map has no more than 2048 cells' [ "$(map 0 | wc -c)" -le 2049 ]
# /tmp/status is not a terminal.
check 'colours are for terminals' [ "$(tr -cd '\033' </tmp/status | wc -c)" -eq 0 ]

check 'windows: at the address asked for' window first 1 $(($(frame 1) + 2)) 3
check 'windows: beside it' window second 1 $(($(frame 1) + 5)) 1
check 'windows: in the movable region' window third 2 $(($(frame 2) + 7)) 5
check 'windows: in the log'"'"'s region' window fourth 0 $(($(frame 0) + 11)) 2
# Pages of the log's window that were claimed in another second than those before are told apart.
log_windows() {
	grep -o '"base":"0x[0-9a-f]*","size":[0-9]*,"owner":"log"' /tmp/json
}
log_size() {
	log_windows | sed 's/.*"size":\([0-9]*\),.*/\1/' | awk '{ n += $1 } END { print n + 0 }'
}
check 'windows: the log, where it begins' [ "$(log_windows | head -n 1 | cut -d'"' -f4)" = \
	"$(printf '0x%x' $(($(frame 0) * page + 0x730000)))" ]
check 'windows: the log, as far as it is claimed' [ "$(log_size)" -eq $((page + 5 * 0x10000)) ]
check 'all windows are there' \
	[ $(($(grep -o '"owner":' /tmp/json | wc -l) - $(log_windows | wc -l) + 1)) -eq $(($(region 0 windows) + $(region 1 windows) + $(region 2 windows))) ]
check 'owners: the log, windows, pools, the stock' \
	[ "$(grep -o '"name":"[^"]*"' /tmp/json | cut -d'"' -f4 | grep -c -x -e log -e first -e second -e third -e fourth -e 'pool-[0-9]*' -e stock)" -eq 8 ]
check 'a pool that is not protected yet is writable' [ "$(legend 0 writable)" -gt 0 ]
check 'the stock is shown' [ "$(legend 0 stock)" -gt 0 ]

frugal() (
	ulimit -d 24576
	exec assay status --map
)
works 'a large region takes little memory' frugal

umount /sys/kernel/debug
snapshot
check 'without debugfs it says so' \
	grep -q "^Of the windows only the log's is told: $list cannot be read" /tmp/status
check 'and does not call idle what may be claimed' [ "$(legend 1 unknown)" -eq "$(pages 1)" ]
check 'but counts every page' [ "$(legend 0)" -eq "$(pages 0)" ]
check 'the log is known' [ "$(legend 0 header)" -eq 1 ]
rmmod claim
snapshot
check 'where nothing is claimed, nothing is unknown' [ "$(legend 1 held)" -eq "$(pages 1)" ]
umount /tmp/fill
works 'the module unloads' rmmod assay
echo "1..$check_number"
