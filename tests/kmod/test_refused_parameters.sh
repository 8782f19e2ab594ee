#!/bin/sh
# SPDX-License-Identifier: MIT
# Module parameters that must be refused, on a machine without our node in its device
# tree: each with a sentence, and with nothing left behind. Then one that is taken.
# guest: $(case $flavour in 64k) echo --memory 3G --append movablecore=1G ;; *) echo --append movablecore=256M ;; esac)
# guest: --append cma=0 --tpm new --timeout 180 --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k 7.3 6.1
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

base=$(movable_base)
ram_end=$(awk '/^Node/ { movable = $4 == "Movable" } /spanned/ { spanned = $2 }
	movable && $1 == "start_pfn:" { print $2 + spanned; exit }' /proc/zoneinfo)
ram_end=$((ram_end * page))
good=region=movable:$base:32M
[ "$page" -eq 4096 ] && block=$((2 << 20)) || block=$((512 << 20))

# The sentence, then the parameters.
while IFS='|' read -r sentence parameters; do
	[ -n "$sentence" ] || continue
	dmesg -c >/dev/null
	# shellcheck disable=SC2086 # several words
	run insmod /bed/assay.ko $parameters
	dmesg | grep 'assay' | sed 's/^/# /'
	run dmesg
	check "'$parameters' is refused: $sentence" prints 0 "$sentence"
	[ ! -e /sys/module/assay ] || {
		check "'$parameters' leaves nothing" false
		rmmod assay
	}
done <<END
no enabled node compatible "assay,log".*or give region=|
is not nomap:BASE:SIZE or reserve_mem:NAME or movable:BASE:SIZE|region=static:$base:32M
is not nomap:BASE:SIZE or reserve_mem:NAME or movable:BASE:SIZE|region=cma:$base:32M
has no size; write|region=movable
is not nomap:BASE:SIZE or reserve_mem:NAME or movable:BASE:SIZE|region=
has no size; write|region=movable:$base
has no size; write|region=movable:
BASE or SIZE is no number of bytes|region=movable::32M
BASE or SIZE is no number of bytes|region=movable:$base:
BASE or SIZE is no number of bytes|region=movable:$base:32M:1
BASE or SIZE is no number of bytes|region=movable:$base:32MB
BASE or SIZE is no number of bytes|region=movable:$base:M
BASE or SIZE is no number of bytes|region=movable:$base:-32M
BASE or SIZE is no number of bytes|region=movable:+$base:32M
BASE or SIZE is no number of bytes|region=movable:0xzz:32M
BASE or SIZE is no number of bytes|region=movable:$base:0x
BASE or SIZE is no number of bytes|region=movable:$base:08
BASE or SIZE is no number of bytes|region=movable:$base:3.5M
BASE or SIZE is no number of bytes|region=movable:$base:000000000000000000000000000000001M
more than 64 bits|region=movable:$base:18446744073709551616
more than 64 bits|region=movable:$base:0x1ffffffffffffffff
more than 64 bits|region=movable:$base:17179869184G
more than 64 bits|region=movable:0x8000000000000000K:32M
has size 0; give it at least|region=movable:$base:0
has size 0; give it at least|region=movable:$base:0K
not page aligned; on this kernel|region=movable:$((base + page / 2)):32M
not page aligned; on this kernel|region=movable:$base:$((page / 2))
not page aligned; on this kernel|region=movable:$base:1
ends beyond 64 bits|region=movable:$base:0xffffffffffff0000
ends beyond 64 bits|region=movable:0xfffffffffff00000:0x100000
is not RAM that the kernel uses|region=movable:0:1M
is not RAM that the kernel uses|region=movable:$ram_end:1M
ends beyond 64 bits|region=movable:0xffffffffffff0000:64K
is not RAM that the kernel uses|region=movable:0x7fffffffffff0000:64K
is reserved by the kernel|region=movable:$((ram_end - block)):$((block + block))
is reserved by the kernel|region=movable:$base:$((ram_end - base + block))
those before it in zone|region=movable:$((base - 2 * page)):$((4 * page))
is in zone .*; boot with movablecore=|region=movable:$((base - 4 * page)):$((2 * page))
window=1M is not OFFSET:SIZE|$good window=1M
window=:1M is not OFFSET:SIZE|$good window=:1M
window=0: is not OFFSET:SIZE|$good window=0:
window=0:1M:0 is not OFFSET:SIZE|$good window=0:1M:0
window=a:b is not OFFSET:SIZE|$good window=a:b
window=0:18446744073709551616 is not|$good window=0:18446744073709551616
the parameter window has size 0; give the log at least $((2 * page)) bytes|$good window=0:0
has no room for a log; give it at least $((2 * page))|$good window=0x10000:$page
the parameter window 0x1 + 0x100000 is not page aligned|$good window=1:1M
the parameter window 0x10000 + 0x801 is not page aligned|$good window=0x10000:0x801
the parameter window 0x1ff0000 + 0x100000 lies outside the region of 0x2000000|$good window=0x1ff0000:1M
the parameter window 0xfffffffffff00000 + 0x200000 lies outside|$good window=0xfffffffffff00000:0x200000
the parameter window 0x2000000 + 0x10000 lies outside|$good window=32M:64K
the default window 0x0 + 0x100000 lies outside|region=movable:$base:512K
chunk=0 is no number of bytes|$good chunk=0
chunk= is no number of bytes|$good chunk=
chunk=64KB is no number of bytes|$good chunk=64KB
chunk=0xffffffffffffffff is no number|$good chunk=0xffffffffffffffff
stock_idle=86401 is more than a day|$good stock_idle=86401
group=0: choose 1 to 256|$good group=0
group=257: choose 1 to 256|$good group=257
retry=86401 is more than a day|$good retry=86401
END

# Further regions that are refused are left out, each by name.
dmesg -c >/dev/null
works 'of several regions those that can be had are taken' insmod /bed/assay.ko \
	"$good,movable:$((base + (31 << 20))):2M,static:1:2,movable:$((base + (64 << 20))):2M,movable:$base:32M" \
	window=0x30000:1M chunk=1 stock=4294967295 stock_idle=86400
check 'and numbered one after the other' \
	[ "$(ls $regions) $(region 0 bytes_reserved) $(region 1 bytes_reserved)" = "0
1 $((32 << 20)) $((2 << 20))" ]
run dmesg
check 'one that overlaps is refused' prints 0 'overlaps region 0.*give each a range of its own' \
	"going on without region=movable:$((base + (31 << 20))):2M (error -22)"
check 'one that is the same is refused' prints 0 "going on without region=movable:$base:32M"
check 'one of another kind is refused' prints 0 'going on without region=static:1:2'
check 'the log is where window= says' \
	[ "$(awk '$3 == "log" { print $1; exit }' /sys/kernel/debug/assay/pages)" = \
	"$(printf '0x%x' $(((base + 0x30000) / page)))" ]
check 'the log is protected, and has START' \
	[ "$(cat $memory/kind $memory/protection) $(cat /sys/class/misc/assay/log/anchors)" = 'movable
full 1' ]
check 'there is one device of our own' [ -d /sys/devices/platform/assay ]
works 'the module unloads' rmmod assay
check 'and its device is gone' [ ! -e /sys/devices/platform/assay ]
works 'it loads again' insmod /bed/assay.ko "$good"
rmmod assay
echo "1..$check_number"
