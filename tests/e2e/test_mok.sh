#!/bin/sh
# SPDX-License-Identifier: MIT
# Secure Boot with Microsoft's keys, as machines are sold, and a key that the machine's owner has enrolled (MOK): the
# firmware starts Debian's shim, and that a unified kernel image by the owner's key. The kernel is locked down, and loads
# assay's module where that key, which is one as DKMS makes it, has signed it.
# limit: 3600
# soak
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-mok.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
out=build/guests/mok
kernel=build/kernel/4k

# new_key NAME SUBJECT
new_key() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 -subj "/CN=$2" -addext extendedKeyUsage=codeSigning \
		-keyout "$work/$1.key" -outform DER -out "$work/$1.der" 2>/dev/null &&
		openssl x509 -inform DER -in "$work/$1.der" -out "$work/$1.pem"
}

# What tests/secure-boot.sh signs by is the owner's key, and once somebody else's.
. tests/secure-boot.sh
by() { # NAME
	cp "$work/$1.key" "$work/key.pem"
	secure_boot_certificate=$work/$1.pem
}

tree=$work/tree
set -e
new_key owner 'DKMS module signing key'
new_key other 'somebody else'
mkdir -p "$tree/bed/modules" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/usr/bin"
cp build/guest/init "$tree/init"
cp build/sysroot/bin/busybox tests/check.sh "$tree/bed/"
cp tests/e2e/mok-guest.sh "$tree/bed/test"
cp build/arm64/assay "$tree/usr/bin/"
qemu/elf-closure build/sysroot build/arm64/assay build/sysroot/usr/lib/aarch64-linux-gnu/libtss2-tcti-device.so.0 |
	while IFS= read -r library; do
		mkdir -p "$tree/$(dirname "$library")"
		cp -L "build/sysroot/$library" "$tree/$library"
	done
cp "$kernel/modules/tpm_tis_core.ko" "$tree/bed/modules/"
by other
secure_boot_module build/kmod/4k/assay.ko "$tree/bed/modules/other.ko"
by owner
secure_boot_module build/kmod/4k/assay.ko "$tree/bed/modules/assay.ko"
secure_boot_module "$kernel/modules/tpm_tis.ko" "$tree/bed/modules/tpm_tis.ko"
cp build/kmod/4k/assay.ko "$tree/bed/modules/unsigned.ko"
# A bit of its code, behind the ELF header.
cp "$tree/bed/modules/assay.ko" "$tree/bed/modules/changed.ko"
printf x | dd of="$tree/bed/modules/changed.ko" bs=1 seek=4096 conv=notrunc 2>/dev/null
(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"

qemu/make-uki "$work/unsigned.efi" "$kernel/Image" "$work/initrd" "$(cat "$kernel/release")" \
	'console=ttyAMA0 panic=-1 bed_init=/bed/test bed_modules=none'
secure_boot_kernel "$work/unsigned.efi" "$work/device.efi"
qemu/make-esp "$work/esp" EFI/BOOT/BOOTAA64.EFI=build/mok-tools/shimaa64.efi EFI/BOOT/mmaa64.efi=build/mok-tools/mmaa64.efi \
	"EFI/BOOT/grubaa64.efi=$work/device.efi" # what shim starts if it is not told otherwise
qemu/enrol-mok "$work/variables" "$work/owner.der"
qemu/run-guest --flavour 4k --firmware uefi --variables "$work/variables" --boot "$work/esp" --tpm new --timeout 1800 --out "$out"
