#!/bin/sh
# SPDX-License-Identifier: MIT
# The log in a region that the kernel does not map: it works as in any other, nobody else can
# reach it, it goes on where it was left, and what cannot be had by parameter is refused. With 7.3
# the processors are such that the linear map is made of blocks, which the module leaves alone.
# guest: --region nomap:$(case $flavour in amd64) echo 0x30130000 ;; *) echo 0x50130000 ;; esac):0x180000:0x20000:1M --tpm new --smp 2 --append cma=0
# guest: --file tests/kmod/memory.sh=/bed/memory.sh --timeout 120
# guest: $(case $flavour in 7.3) echo --cpu max,midr=0xc00fac30,pauth-impdef=on --append assay.split_blocks=n ;; esac)
# flavours: 64k 4k 7.3 6.1 amd64
# also: 4k rodata=off
# also: 4k rodata=on
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
log=/sys/class/misc/assay/log

# Without a device tree the parameter names the log's region as well.
first='' ram=0x60000000 device=0x9000000 how='give its reserved-memory node the property no-map'
if [ "$(uname -m)" = x86_64 ]; then
	first=nomap:0x30130000:0x180000, ram=0x20000000 device=0xfed00000 how='keep it from the kernel with memmap='
fi

if [ "$(uname -r | cut -d . -f 1)" -ge 7 ]; then
	run dmesg
	check 'the processors have BBM level 3' prints 0 'CPU features: detected: BBM Level 3'
fi
insmod /bed/scribble.ko
results /bed/bin/nomap
works 'the module loads again' insmod /bed/assay.ko
check 'the log goes on: START, 101 records, KEXEC' [ "$(cat $log/records) $(cat $log/anchors)" = '103 103' ]
check 'its kind is nomap' [ "$(cat $memory/kind) $(region 0 kind)" = 'nomap nomap' ]
check 'idle memory is held' [ "$(region 0 lending) $(cat $memory/bytes_lent)" = 'none (held) 0' ]
check 'it is protected by an alias' grep -qx alias $memory/protection
check 'the other pages are held' grep -q "^$(printf '0x%x' "$(frame 0)") held" /sys/kernel/debug/assay/pages
check '/proc/iomem has it as ours' grep -qi "^ *$(printf '%x-%x' "$(region 0 base)" $(($(region 0 base) + 0x17ffff))) : assay\$" /proc/iomem
works 'assay log show reads it' assay log show
base=$(printf '0x%x' "$(region 0 base)")
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
	works "insmod with region=$parameter" insmod /bed/assay.ko region="$first$parameter"
	run dmesg
	check "$sentence" prints 0 "$sentence" "going on without region=$parameter"
	rmmod assay
done <<END
page frame $(printf '%#x' $((ram / page))) is RAM that the kernel uses; $how|nomap:$ram:1M
the nomap region $base + 0x180000 overlaps region 0|nomap:$base:0x180000
the nomap region $(printf %#x $((base + 0x800))) + 0x10000 is not page aligned|nomap:$((base + 0x800)):64K
the nomap region at $base has size 0|nomap:$base:0
page frame $(printf '%#x' $((device / page))) is not in the kernel's memory map|nomap:$device:64K
has no size; write KIND:BASE:SIZE|nomap:$base
END
echo "1..$check_number"
exit $check_failed
