#!/bin/sh
# SPDX-License-Identifier: MIT
# In the root of a device, without its systemd: installs assay, with apt where there are packages of it
# (/bed/repository), else as "make install" does; its configuration (/bed/etc) and its modules; has
# the files of the manifest that is among that protected by fs-verity; and leaves what the
# root has to have of the bed where its own initramfs boots it. For test_initramfs_boot.sh and device.sh.
set -eux
exec 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
release=$(uname -r)
mkdir -p /etc/assay
cp -r /bed/etc/. /etc/assay/
mkdir -p "/usr/lib/modules/$release/updates"
touch "/usr/lib/modules/$release/modules.order" "/usr/lib/modules/$release/modules.builtin" \
	"/usr/lib/modules/$release/modules.builtin.modinfo"
cp /bed/device-modules/*.ko "/usr/lib/modules/$release/updates/"
depmod "$release"

if [ -d /bed/repository ]; then
	# Its initramfs is made elsewhere.
	sed -i 's/^update_initramfs=.*/update_initramfs=no/' /etc/initramfs-tools/update-initramfs.conf
	echo 'deb [trusted=yes] file:/bed/repository ./' >/etc/apt/sources.list.d/assay.list
	apt-get update
	apt-get install --yes assay
	rm /etc/apt/sources.list.d/assay.list
	dpkg --list 'assay*' >"$OUT/installed"
	getent passwd assay # whom the service runs as
else
	cp -a /bed/installed/. /
	systemd-sysusers
	systemctl enable assayd.service assay-initrd.service
fi

tail -n +2 /etc/assay/manifest.jsonl | jq -r .path | xargs -n 1 fsverity enable
fsverity measure /usr/bin/tpm2 || fsverity enable /usr/bin/tpm2

# What none of these tests looks at, and takes long where every instruction is emulated.
systemctl mask systemd-tpm2-setup-early.service systemd-tpm2-setup.service systemd-pcrmachine.service

# What an attack will put in the place of a file.
cp /usr/bin/jq /root/changed
echo changed >>/root/changed
fsverity enable /root/changed

mkdir -p /boot/efi
echo 'PARTLABEL=ESP /boot/efi vfat noauto,umask=077 0 0' >>/etc/fstab

# On the disk, below what is mounted at /bed.
mount --bind / /mnt
cp /bed/busybox /bed/check.sh /bed/system.sh /bed/boot-test /mnt/bed/
cp /bed/service-init /mnt/bed/init
[ ! -e /bed/ak.pem ] || cp /bed/ak.pem /mnt/bed/
umount /mnt
