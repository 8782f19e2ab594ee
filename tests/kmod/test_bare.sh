#!/bin/sh
# SPDX-License-Identifier: MIT
# A device-tree node that names no memory, and says nonsense about the window: each is
# refused with a sentence, and made good by a parameter.
# guest: --overlay tests/kmod/bare.dts --append "movablecore=256M cma=0"
# guest: --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: 7.3
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh

good=region=movable:$(movable_base):32M
run insmod /bed/assay.ko
check 'a node without memory is refused' told 22 'Invalid argument'
run dmesg
check 'with a sentence' prints 0 'node /assay has no memory-region; point it at a reserved-memory node'
run insmod /bed/assay.ko "$good"
check 'with a region by parameter, its window is refused' told 22 'Invalid argument'
run dmesg
check 'with a sentence' prints 0 'assay,window of /assay must be two 64-bit numbers'
works 'with a window by parameter the module loads' insmod /bed/assay.ko "$good" window=0x730000:1M
check 'the log is where the parameter says' \
	[ "$(owners $((($(movable_base) + 0x730000) / page)) 2)" = 'log log' ]
check "it is the node's device" [ -e /sys/bus/platform/drivers/assay/assay/of_node ]
works 'the module unloads' rmmod assay
echo "1..$check_number"
