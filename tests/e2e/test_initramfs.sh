#!/bin/sh
# SPDX-License-Identifier: MIT
# Initramfs images made by initramfs-tools and by dracut, with systemd and without, from what
# `make install-initrd` installs: assay-initrd is in them with all that it needs, and runs; a rule
# that is wrong is told when the image is made. All in overlays of this machine's directories.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
. tests/own-mounts.sh
CHECK_OUT=$work
. tests/check.sh
top=$PWD
mount -t tmpfs tmpfs "$work" || exit 1
for directory in etc usr boot; do
	mkdir -p "$work/over/$directory" "$work/side/$directory"
	mount -t overlay -o "lowerdir=/$directory,upperdir=$work/over/$directory,workdir=$work/side/$directory" \
		overlay "/$directory" || exit 1
done
make --no-print-directory -s install-initrd PREFIX=/usr || exit 1

# A kernel that has no modules, but says what mkinitramfs asks for.
mkdir -p /usr/lib/modules/6.1-test
for list in order builtin builtin.modinfo; do
	: >/usr/lib/modules/6.1-test/modules.$list
done
printf 'CONFIG_RD_GZIP=y\n' >/boot/config-6.1-test
depmod 6.1-test
cp -r /etc/initramfs-tools "$work/initramfs-tools"
sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=gzip/' "$work/initramfs-tools/initramfs.conf"

rules() { # LINE...
	mkdir -p /etc/assay/measure.d /etc/assay/certificates
	printf '%s\n' "$@" >/etc/assay/measure.d/10.conf
}

initramfs() {
	rm -rf "$work/image" "$work/tree"
	run mkinitramfs -d "$work/initramfs-tools" -o "$work/image" 6.1-test
	cp "$work/stderr" "$work/stderr.made"
	[ ! -e "$work/image" ] || unmkinitramfs "$work/image" "$work/tree" 2>/dev/null || :
}

with_dracut() { # MODULE...
	rm -rf "$work/image" "$work/tree"
	run dracut --force --no-hostonly --no-kernel --gzip -m "$*" "$work/image" 6.1-test
	cp "$work/stderr" "$work/stderr.made"
	mkdir -p "$work/tree"
	[ ! -e "$work/image" ] || zcat "$work/image" | (cd "$work/tree" && cpio -id --quiet) || :
}

has() { # FILE...: of the image
	for has_file; do
		[ -e "$work/tree/$has_file" ] || [ -L "$work/tree/$has_file" ] || return 1
	done
}

# It runs there, with the libraries of the image: that there is no module is all that is wrong.
runs_there() {
	mkdir -p "$work/tree/proc" "$work/tree/run" "$work/tree/root"
	mount -t proc proc "$work/tree/proc"
	run chroot "$work/tree" /usr/bin/assay-initrd --root /root
	umount "$work/tree/proc"
	told 0 'no /dev/assay: load the module' 'the boot goes on'
}

rm -rf /etc/assay
initramfs
check 'initramfs-tools: without rules there is nothing of it' eval '[ "$status" -eq 0 ] && has scripts && ! has usr/bin/assay-initrd'

cp "$top/tests/data/evidence/cert.pem" "$work/cert.pem"
rules '[measure]' 'manifest=/etc/assay/manifest.jsonl' '[initrd]' 'list=/etc/assay/early' '[system]' 'list=/etc/assay/late'
echo /bin/sh >/etc/assay/early
echo /bin/sh >/etc/assay/late
cp "$work/cert.pem" /etc/assay/certificates/
mkdir /etc/assay/certificates/former # is not read
initramfs
check 'initramfs-tools: with rules it is made' [ "$status" -eq 0 ]
check 'initramfs-tools: the program, its script and all that it reads' \
	has usr/bin/assay-initrd usr/lib/assay/initrd-load etc/assay/measure.d/10.conf etc/assay/early \
	etc/assay/certificates/cert.pem
check 'initramfs-tools: not what only the service reads' eval '! has etc/assay/late'
check 'initramfs-tools: it is run behind the mount of the root' grep -q '/scripts/local-bottom/assay' "$work/tree/scripts/local-bottom/ORDER"
check 'initramfs-tools: it runs in there' runs_there
no_module='the kernel 6.1-test has no module assay, and measures nothing'
check 'initramfs-tools: that the kernel has no module is told' grep -q "^W: assay: $no_module" "$work/stderr.made"

with_dracut base assay
check 'dracut: the program, its script and all that it reads' \
	has usr/bin/assay-initrd usr/lib/assay/initrd-load etc/assay/measure.d/10.conf etc/assay/early \
	etc/assay/certificates/cert.pem
check 'dracut: it is run before the root is switched to' has usr/lib/dracut/hooks/pre-pivot/60-assay.sh
check 'dracut: it runs in there' runs_there
check 'dracut: that the kernel has no module is told' grep -q "assay: $no_module" "$work/stderr.made"
if [ -e /usr/lib/systemd/systemd ]; then
	with_dracut base systemd systemd-initrd dracut-systemd assay
	check 'dracut with systemd: the unit is wanted, and the switch of the root needs it' \
		has usr/lib/systemd/system/assay-initrd.service \
		etc/systemd/system/initrd.target.wants/assay-initrd.service \
		etc/systemd/system/initrd-switch-root.service.requires/assay-initrd.service
	check 'dracut with systemd: and no hook beside it' eval '! has usr/lib/dracut/hooks/pre-pivot/60-assay.sh'
	run systemd-analyze verify --man=no /usr/lib/systemd/system/assay-initrd.service
	check 'systemd takes the unit' eval '! grep assay-initrd "$work/stderr"'
else
	skip 'dracut with systemd' 'this machine has no systemd'
fi

# refused TITLE WORDS: neither of them makes an image, and each says so
refused() {
	refused_words=$2
	initramfs
	check "initramfs-tools: $1 is told, and that there is no image" fails
	with_dracut base assay
	check "dracut: $1 is told, and there is no image" eval 'fails && [ ! -e "$work/image" ]'
}
# What mkinitramfs has begun it leaves to update-initramfs, which looks at its exit status.
fails() {
	[ "$status" -ne 0 ] && grep -q "$refused_words" "$work/stderr"
}

rules '[measure]' 'list=/etc/assay/lists'
mkdir /etc/assay/lists
refused 'what cannot be copied' 'cannot copy /etc/assay/lists'
rules '[measure]' 'manifest=/etc/assay/manifest.jsonl' 'files=/bin/sh'
refused 'a rule that is wrong' '10.conf line 3: there is no rule .files'
rules '[measure]' 'manifest=/etc/assay/manifest.jsonl'
rm /usr/bin/assay-initrd
refused 'that there are rules and no program' 'there are rules in /etc/assay/measure.d, but no assay-initrd'
echo "1..$check_number"
exit "$check_failed"
