#!/bin/sh
# SPDX-License-Identifier: MIT
# A Debian 13 that boots through an initramfs of its own, made by initramfs-tools or, with
# initramfs=dracut, by dracut with systemd in it (qemu/device-initrd): stage 1 measures there what a
# signed manifest names, before anything of the root runs, and the service goes on with that; a manifest
# that somebody else has signed stops the boot. It settles whose built-in signatures count, too.
# shellcheck disable=SC2016,SC2317 # for check's own eval; called by results and run
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
initramfs=${initramfs:-initramfs-tools}
. tests/e2e/initramfs.sh
assay=build/host/assay
out=build/guests/initramfs-$initramfs

# ------------------------------------------------------------------ the root, and what is signed of it
cp --sparse=always build/device-root/root.ext4 "$work/root.ext4"
mkdir -p "$work/tree/usr/bin" "$work/etc/measure.d"
for file in curl jq; do
	debugfs -R "dump /usr/bin/$file $work/tree/usr/bin/$file" "$work/root.ext4" 2>/dev/null
done
for key in signer other; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$key" -days 30 \
		-keyout "$work/$key" -out "$work/$key.pem" 2>/dev/null
done
$assay sign --key "$work/signer" --cert "$work/signer.pem" --root "$work/tree" \
	--manifest "$work/etc/manifest.jsonl" /usr/bin >/dev/null
# The service has the same rule.
cp qemu/guest/initrd/measure.conf "$work/etc/measure.d/10.conf"
mkdir "$work/etc/certificates"
cp "$work/signer.pem" "$work/etc/certificates/"
run qemu/run-guest --flavour 4k --plain --disk "$work/root.ext4" --root-disk /dev/vda --memory 2G \
	--init tests/e2e/device-install-guest.sh --file build/system=/bed/installed --file "$work/etc=/bed/etc" \
	--file build/kmod/4k/assay.ko=/bed/device-modules/assay.ko --file build/guest/init=/bed/service-init \
	--file tests/check.sh=/bed/check.sh --file tests/system/system.sh=/bed/system.sh \
	--file tests/e2e/initramfs-boot-guest.sh=/bed/boot-test --timeout 120 --out "$out-prepare"
check 'the root has what it needs' told 0

# ------------------------------------------------------------------ the initramfs
fresh() { # CERTIFICATE DEED
	initramfs_tree "$work/contents" "$1" "$2"
	initramfs_append "$work/initrd"
}

initramfs_list "$work/contents"
fresh "$work/signer.pem" emergency
LC_ALL=C comm -23 "$work/fresh.list" "$work/contents" >"$work/added"
check "$initramfs: all that stage 1 needs is in the image that was made" [ ! -s "$work/added" ]

boot() { # [OPTION]...: through it
	cp --sparse=always "$work/root.ext4" "$work/booted.ext4"
	qemu/run-guest --flavour 4k --system "$work/booted.ext4" --initrd "$work/initrd" \
		--init-path /bed/boot-test --region auto --tpm new --timeout 300 "$@"
}
results boot --out "$out-boot"

# ------------------------------------------------------------------ who else has signed
console_has() { # NAME WORDS
	grep -a -q -e "$2" "$out-$1/console.log"
}

started='Hostname set to <device>' # by the systemd of the root
check 'the console says when the system starts' console_has boot "$started"
for deed in emergency poweroff; do
	fresh "$work/other.pem" "$deed"
	# Rather than to a shell, for which there is nobody.
	run boot --append 'rd.shell=0 rd.emergency=poweroff' --out "$out-$deed"
	check "$deed: the machine stops" told 3 'the guest ended without a result'
	check "$deed: since nobody who is believed has signed" console_has "$deed" "the signature is by another certificate's key"
	check "$deed: the system was not started" eval '! console_has "$deed" "$started"'
done
check 'emergency: it says that it stops' console_has emergency 'the boot must not go on'
check 'poweroff: the machine is turned off' console_has poweroff 'reboot: Power down'
# With systemd there what it says goes through the journal, which the end overtakes.
[ "$initramfs" = dracut ] ||
	check 'poweroff: it says that it turns the machine off' console_has poweroff 'the machine is turned off'
echo "1..$check_number"
exit "$check_failed"
