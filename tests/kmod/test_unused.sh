#!/bin/sh
# SPDX-License-Identifier: MIT
# A 64K kernel with little memory does not group pages by mobility, and so never
# allocates from a CMA area. The module says so, in its log and in sysfs, and it is so: the
# kernel runs short of memory, and all but the window stays free.
# guest: --region auto --memory 1536M --append cma=0 --timeout 120
# guest: --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 64k
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

kib() { # FIELD of /proc/meminfo
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# Compaction in advance, which an idle kernel does, moves pages there.
echo 0 >/proc/sys/vm/compaction_proactiveness
works 'the module loads' insmod /bed/assay.ko
run dmesg
check 'the kernel does not group pages by mobility' prints 0 'mobility grouping off'
check "the module's log says that idle pages stay unused" \
	prints 0 'assay.*region 0: idle pages stay unused: mobility grouping is off below 3072 MiB of RAM'
check 'sysfs says so, and why' grep -q '^none (mobility grouping is off below 3072 MiB of RAM' $regions/0/lending
# Some wait uncounted on a list of the processor; some may have been moved there before.
check "all but the window is free" eventually cma_has $((448 * 1024))
free=$(kib CmaFree)

mkdir /tmp/fill
mount -t tmpfs -o size=100% none /tmp/fill
block=0
while [ $(($(kib MemFree) - $(kib CmaFree))) -gt 163840 ]; do
	block=$((block + 1))
	dd if=/dev/zero of=/tmp/fill/$block bs=1M count=32 2>/dev/null || break
done
echo "# $block blocks of 32 MiB; MemFree $(kib MemFree), CmaFree $(kib CmaFree) of $(kib CmaTotal) KiB"
check 'other memory is used up' [ $block -gt 15 ]
check 'and the region is as free as before' [ "$(kib CmaFree)" -ge $((free - 1024)) ]
rm -r /tmp/fill/*
works 'the module unloads' rmmod assay
echo "1..$check_number"
