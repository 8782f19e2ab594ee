#!/bin/sh
# SPDX-License-Identifier: MIT
# In the root of a device, without its systemd (qemu/device-initrd): makes an initramfs with
# initramfs-tools, or with dracut and systemd, as /bed/kind says, as an administrator has it made, with
# assay installed. What an initramfs for one machine does not need is left out.
set -eu
PS4='+ $(cut -d " " -f 1 /proc/uptime) '
set -x
exec 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
release=$(uname -r)
cp -a /bed/installed/. /
mkdir -p /etc/assay/measure.d /etc/assay/certificates "/usr/lib/modules/$release/kernel"
cp /bed/measure.conf /etc/assay/measure.d/10.conf
cp /bed/signer.pem /etc/assay/certificates/
printf '[initrd]\non-failure=emergency\n' >/etc/assay/initrd.conf
cp /bed/modules/*.ko "/usr/lib/modules/$release/kernel/"
# Where dracut looks for them.
mkdir -p "/usr/lib/modules/$release/kernel/drivers/char/tpm"
mv "/usr/lib/modules/$release/kernel"/tpm*.ko "/usr/lib/modules/$release/kernel/drivers/char/tpm/"
touch "/usr/lib/modules/$release/modules.order" "/usr/lib/modules/$release/modules.builtin" \
	"/usr/lib/modules/$release/modules.builtin.modinfo"
depmod "$release"
# What both ask of the kernel that it is for.
printf 'CONFIG_%s=y\n' BLK_DEV_INITRD DEVTMPFS RD_GZIP >"/boot/config-$release"

case $(cat /bed/kind) in
initramfs-tools)
	sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/; s/^FSTYPE=.*/FSTYPE=ext4/' \
		/etc/initramfs-tools/initramfs.conf
	printf '%s\n' virtio_blk crc32c_generic ext4 >/etc/initramfs-tools/modules
	mkinitramfs -o "$OUT/image" "$release"
	;;
dracut)
	dracut --force --no-hostonly --gzip --add-drivers 'virtio_blk crc32c_generic ext4' \
		-m 'base systemd systemd-initrd dracut-systemd rootfs-block kernel-modules assay' "$OUT/image" "$release"
	;;
esac
test -s "$OUT/image"
