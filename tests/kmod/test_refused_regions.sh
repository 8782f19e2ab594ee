#!/bin/sh
# SPDX-License-Identifier: MIT
# A device tree with regions that must be refused behind the log's: each with a sentence
# and by name, and the module is loaded without them.
# guest: --overlay tests/kmod/refused.dts --memory 4G --append cma=0 --tpm new
# guest: --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 4k 6.1
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

dmesg | grep -i -e reserved -e 'OF: ' | sed 's/^/# /'
works 'the module loads' insmod /bed/assay.ko
dmesg | grep assay | sed 's/^/# /'
while IFS='|' read -r number sentence; do
	run dmesg
	check "$sentence" prints 0 "$sentence" "going on without memory-region $number of /assay "
done <<'END'
1|/reserved-memory/disabled@70000000 is disabled; set its status to "okay"
2|/reserved-memory/unmapped@71000000 is compatible "vendor,firmware", and so another driver's
3|/reserved-memory/firmware@72000000 is compatible "vendor,firmware", and so another driver's
4|/reserved-memory/pool@73000000 is compatible "shared-dma-pool", and so another driver's.*add reusable
5|/reserved-memory/lent@74000000 is reusable and not compatible "shared-dma-pool"; it must be both
6|the kernel refused region .*("incorrect alignment of CMA region")
7|page frame 0x200000 is not RAM that the kernel uses
8|page frame 0x3ff00 is not RAM that the kernel uses
9|the static region 0x76000800 + 0x100000 is not page aligned; on this kernel
10|the static region 0x76200000 + 0x100800 is not page aligned; on this kernel
11|reserved nothing for memory-region /reserved-memory/empty@77000000\|the static region at 0x77000000 has size 0
12|page frame 0x100000 is in zone .* and those before it in zone .*; a region must lie in one zone
13|memory-region /elsewhere@79000000 is no reserved memory; make it a child of /reserved-memory
14|memory-region of /assay has no valid entry 14
15|the cma region 0x60000000 + 0x4000000 overlaps region 0
17|the static region 0x78002000 + 0x3000 overlaps region 1
18|/reserved-memory/both@71200000 has both reusable and no-map; remove no-map
END
check 'the log is in the first, the other sound one is there as well' \
	[ "$(region 0 kind) $(region 1 kind) $(region 1 bytes_reserved)" = 'cma static 12288' -a ! -e $regions/2 ]
run dmesg
check 'a second node is refused' prints 0 'assay another: another device has the log; use one node'
check 'the log is protected' grep -qx full $memory/protection
works 'the module unloads' rmmod assay
works 'and can be loaded again' insmod /bed/assay.ko
rmmod assay
echo "1..$check_number"
