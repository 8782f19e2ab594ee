#!/bin/sh
# SPDX-License-Identifier: MIT
# In the root of a device, without its systemd: what "make install" installs, and what the root has to
# have of the bed where its own initramfs boots it. For test_initramfs_boot.sh.
set -eux
exec 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
release=$(uname -r)
cp -a /bed/installed/. /
mkdir -p "/usr/lib/modules/$release/updates"
touch "/usr/lib/modules/$release/modules.order" "/usr/lib/modules/$release/modules.builtin" \
	"/usr/lib/modules/$release/modules.builtin.modinfo"
cp /bed/modules/assay.ko "/usr/lib/modules/$release/updates/"
depmod "$release"
systemd-sysusers
systemctl enable assayd.service assay-initrd.service
mkdir -p /etc/assay
cp -r /bed/etc/. /etc/assay/
fsverity enable /usr/bin/jq
fsverity enable /usr/bin/curl
fsverity enable /usr/bin/tpm2

# On the disk, below what is mounted at /bed.
mount --bind / /mnt
cp /bed/busybox /bed/check.sh /bed/system.sh /bed/boot-test /mnt/bed/
cp /bed/service-init /mnt/bed/init
umount /mnt
