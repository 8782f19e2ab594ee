# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What a guest with Secure Boot runs, signed by the key that QEMU's firmware trusts where its variables
# are a copy of AAVMF_VARS.snakeoil.fd. Sourced, with $work set: the key is in $work/key.pem then.

: "${work:?}"
secure_boot=/usr/share/qemu-efi-aarch64/PkKek-1-snakeoil
secure_boot_certificate=$secure_boot.pem
openssl rsa -passin pass:snakeoil -in "$secure_boot.key" -out "$work/key.pem" 2>/dev/null

# secure_boot_kernel IMAGE SIGNED
secure_boot_kernel() {
	sbsign --key "$work/key.pem" --cert "$secure_boot_certificate" --output "$2" "$1" 2>/dev/null
}

# secure_boot_module MODULE SIGNED: in the form of the kernel's scripts/sign-file
secure_boot_module() {
	openssl cms -sign -binary -noattr -nocerts -outform DER -md sha256 -signer "$secure_boot_certificate" \
		-inkey "$work/key.pem" -in "$1" -out "$work/module.sig" 2>/dev/null
	{
		cat "$1" "$work/module.sig"
		printf '\0\0\2\0\0\0\0\0'
		printf '%08x' "$(wc -c <"$work/module.sig")" | xxd -r -p
		echo '~Module signature appended~'
	} >"$2"
}
