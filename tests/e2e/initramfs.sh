# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# An initramfs that initramfs-tools, or what $initramfs says, made for a device (qemu/device-initrd),
# brought up to date: what may have changed since it was made takes the place of what its hooks have put
# there. Sourced, with $work set.
initramfs_image=build/device-${initramfs:-initramfs-tools}/image

# initramfs_list FILE: what is in it
initramfs_list() {
	gzip -dc "$initramfs_image" | cpio -t --quiet | sed 's#^\./##' | LC_ALL=C sort >"$1"
}

# initramfs_tree LIST CERTIFICATE DEED [INSTALLED]: $work/fresh, with that certificate, what is done on a
# failure, and what is installed there (build/system)
initramfs_tree() {
	initramfs_installed=${4:-build/system}
	rm -rf "$work/fresh"
	mkdir -p "$work/fresh/etc/assay/certificates" "$work/fresh/usr/bin" "$work/fresh/usr/lib/assay"
	cp "$initramfs_installed/usr/bin/assay-initrd" "$work/fresh/usr/bin/"
	cp "$initramfs_installed/usr/lib/assay/initrd-load" "$work/fresh/usr/lib/assay/"
	cp "$2" "$work/fresh/etc/assay/certificates/signer.pem"
	printf '[initrd]\non-failure=%s\non-missing=%s\n' "$3" "$3" >"$work/fresh/etc/assay/initrd.conf"
	printf '[enforce]\ncertificates=/etc/assay/certificates\n' >>"$work/fresh/etc/assay/initrd.conf"
	initramfs_module "$1" build/kmod/4k/assay.ko
}

# initramfs_module LIST MODULE: where it has that
initramfs_module() {
	initramfs_path=$(grep "^usr/lib/modules/.*/${2##*/}\$" "$1")
	mkdir -p "$work/fresh/${initramfs_path%/*}"
	cp "$2" "$work/fresh/$initramfs_path"
}

# initramfs_append INITRD: the image and what is in that tree, the same bytes for the same files
initramfs_append() {
	(cd "$work/fresh" && find . -exec touch -h -d @0 {} + && find . -type f | sed 's#^\./##' |
		LC_ALL=C sort >../fresh.list && cpio -o -H newc -R 0:0 --reproducible --quiet <../fresh.list) >"$work/fresh.cpio"
	gzip -dc "$initramfs_image" | cat - "$work/fresh.cpio" >"$1"
}
