#!/bin/bash
# SPDX-License-Identifier: MIT
# dracut: puts assay-initrd into the initramfs, with the module, the TPM's drivers, and the rules
# and certificates that are in /etc/assay now.
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

# Without a rule there is nothing to do.
check() {
	local rules

	assay_prefix >/dev/null || return 1
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

# What is wrong with the rules is told now rather than at the boot.
install() {
	local prefix files file

	prefix=$(assay_prefix) || return 1
	files=$("$prefix/bin/assay-initrd" --files) || {
		derror "assay: assay-initrd --files fails: there is no measuring in this initramfs"
		return 1
	}
	while IFS= read -r file; do
		inst_simple "$file"
	done <<<"$files"
	inst_multiple modprobe sleep
	inst_binary "$prefix/bin/assay-initrd" /usr/bin/assay-initrd
	inst_script "$prefix/lib/assay/initrd-load" /usr/lib/assay/initrd-load
	if dracut_module_included systemd; then
		inst_simple "$moddir/assay-initrd.service" "$systemdsystemunitdir/assay-initrd.service"
		$SYSTEMCTL -q --root "$initdir" enable assay-initrd.service
	else
		inst_hook pre-pivot 60 "$moddir/assay.sh"
	fi
}
