#!/bin/bash
# SPDX-License-Identifier: MIT
# dracut: puts assay-initrd into the initramfs, with the module, the TPM's drivers, and the rules
# and certificates that are in /etc/assay now. What is wrong with them is told now, and there is no
# new initramfs, rather than at the boot.
# shellcheck shell=bash disable=SC2154

# Where the program and its script are: dracut has a PATH of its own.
assay_prefix() {
	local prefix

	for prefix in /usr/local /usr; do
		if [[ -x $prefix/bin/assay-initrd ]]; then
			echo "$prefix"
			return 0
		fi
	done
	return 1
}

# dracut goes on where a module could not be installed.
assay_fail() {
	dfatal "assay: $*: there is no new initramfs"
	exit 1
}

# Without a rule there is nothing to do.
check() {
	local rules

	for rules in "$dracutsysrootdir"/etc/assay/measure.d/*.conf; do
		[[ -e $rules ]] && return 0
	done
	return 255
}

depends() {
	return 0
}

installkernel() {
	hostonly='' instmods '=drivers/char/tpm' assay
}

install() {
	local prefix files file

	prefix=$(assay_prefix) || assay_fail "there are rules in /etc/assay/measure.d, but no assay-initrd"
	files=$("$prefix/bin/assay-initrd" --files) || assay_fail "assay-initrd --files fails"
	while IFS= read -r file; do
		if [[ ! -f $file ]] || ! inst_simple "$file"; then
			assay_fail "cannot copy $file"
		fi
	done <<<"$files"
	inst_multiple modprobe sleep
	inst_binary "$prefix/bin/assay-initrd" /usr/bin/assay-initrd || assay_fail "cannot copy assay-initrd"
	inst_script "$prefix/lib/assay/initrd-load" /usr/lib/assay/initrd-load || assay_fail "cannot copy initrd-load"
	modinfo -k "$kernel" -F filename assay >/dev/null 2>&1 ||
		dwarn "assay: the kernel $kernel has no module assay, and measures nothing: build it (DKMS needs the kernel's headers)"
	if dracut_module_included systemd; then
		inst_simple "$moddir/assay-initrd.service" "$systemdsystemunitdir/assay-initrd.service"
		$SYSTEMCTL -q --root "$initdir" enable assay-initrd.service
	else
		inst_hook pre-pivot 60 "$moddir/assay.sh"
	fi
}
