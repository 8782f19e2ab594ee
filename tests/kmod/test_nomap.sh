#!/bin/sh
# SPDX-License-Identifier: MIT
# The log in a region that the kernel does not map: it works as in any other, nobody else can
# reach it, it goes on where it was left, and what cannot be had by parameter is refused.
# guest: --region nomap:0x50130000:0x180000:0x20000:1M --tpm new --smp 2 --append cma=0
# guest: --file tests/kmod/memory.sh=/bed/memory.sh --timeout 120
# flavours: 64k 4k 6.1
# also: 4k rodata=off
# also: 4k rodata=on
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
log=/sys/class/misc/assay/log

results() { # PROGRAM: its results, counted on
	"$@" >/run/results || check_failed=1
	while read -r line; do
		case $line in
		*ok\ *)
			check_number=$((check_number + 1))
			echo "$line" | sed "s/ok [0-9]*/ok $check_number/"
			;;
		1..*) ;;
		*) echo "$line" ;;
		esac
	done </run/results
}

insmod /bed/scribble.ko
results /bed/bin/nomap
works 'the module loads again' insmod /bed/assay.ko
check 'the log goes on: START, 101 records, KEXEC' [ "$(cat $log/records) $(cat $log/anchors)" = '103 103' ]
check 'its kind is nomap' [ "$(cat $memory/kind) $(region 0 kind)" = 'nomap nomap' ]
check 'idle memory is held' [ "$(region 0 lending) $(cat $memory/bytes_lent)" = 'none (held) 0' ]
check 'it is protected by an alias' grep -qx alias $memory/protection
check 'the other pages are held' grep -q "^$(printf '0x%x' "$(frame 0)") held" /sys/kernel/debug/assay/pages
check '/proc/iomem has it as ours' grep -qi '^ *50130000-502affff : assay$' /proc/iomem
works 'assay log show reads it' assay log show
run assay status
check 'assay status says how it is protected' prints 0 'mapped elsewhere for the time of an append'
rmmod assay

# A log of its own, with writers and a reader that looks at it all the time.
works 'the module loads with another window' insmod /bed/assay.ko window=0x120000:0x60000
results /bed/bin/race
check 'nothing is left mapped but the window' [ "$(grep -c 'assay.*vmap' /proc/vmallocinfo)" = 1 ]
works 'the module unloads' rmmod assay
check 'nor that without it' [ "$(grep -c 'assay.*vmap' /proc/vmallocinfo)" = 0 ]

# As a further region; the log is there without it.
while IFS='|' read -r sentence parameter; do
	dmesg -c >/dev/null
	works "insmod with region=$parameter" insmod /bed/assay.ko region="$parameter"
	run dmesg
	check "$sentence" prints 0 "$sentence" "going on without region=$parameter"
	rmmod assay
done <<END
page frame $(printf '%#x' $((0x60000000 / page))) is RAM that the kernel uses; give its reserved-memory node the property no-map|nomap:0x60000000:1M
the nomap region 0x50130000 + 0x180000 overlaps region 0|nomap:0x50130000:0x180000
the nomap region 0x50130800 + 0x10000 is not page aligned|nomap:0x50130800:64K
the nomap region at 0x50130000 has size 0|nomap:0x50130000:0
page frame $(printf '%#x' $((0x9000000 / page))) is not in the kernel's memory map|nomap:0x9000000:64K
has no size; write KIND:BASE:SIZE|nomap:0x50130000
END
echo "1..$check_number"
exit $check_failed
