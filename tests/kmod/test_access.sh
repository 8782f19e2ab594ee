#!/bin/sh
# SPDX-License-Identifier: MIT
# Who may do what, where /dev/assay is as the udev rule makes it.
# guest: --region auto --tpm new --file policy/70-assay.rules=/bed/70-assay.rules
# flavours: 64k 4k
# soak: amd64
set -e
/bed/bin/insmod /bed/assay.ko
status=0
mode=$(sed -n 's/^SUBSYSTEM=="misc", KERNEL=="assay", OWNER="root", GROUP="assay", MODE="\(0[0-7]*\)"$/\1/p' /bed/70-assay.rules)
[ "$mode" = 0660 ] || { echo "Bail out! the rule has no mode, or another: $mode"; exit 1; }
# Debian's kernels can keep those who are not root from making namespaces.
clone=/proc/sys/kernel/unprivileged_userns_clone
[ ! -e $clone ] || echo 1 >$clone
/bed/bin/access "$mode" || status=1
rmmod assay
exit $status
