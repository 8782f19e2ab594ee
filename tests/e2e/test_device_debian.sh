#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/device.md, its own lines, on a Debian 13 of this machine's architecture whose own hooks make what it boots: apt
# installs assay, DKMS builds the module, initramfs-tools the initramfs, kernel-install and ukify the unified kernel
# image. Until the first boot that is in a chroot of the device's root, where nothing is emulated; from then on in a
# guest, which its firmware boots: as it was installed, once more with stage 1, and with a kernel that apt has upgraded.
# limit: 5400
# soak
# shellcheck disable=SC2016,SC2317 # fields of dpkg-query; called by works and results
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
. tests/own-mounts.sh
if [ "$(dpkg --print-architecture)" != amd64 ]; then
	echo '1..0 # SKIP such a device is an x86-64 machine, which this is not'
	exit 77
fi
CHECK_OUT=$work
. tests/check.sh
out=$PWD/build/device-debian
root=$work/root esp=$work/esp
here=tests/e2e
rm -rf "$out"
mkdir -p "$out"
PATH=$PWD/build/host:$PATH

# ---------------------------------------------------------------- the manual

manual=$PWD/docs/device.md
# What the table of it has for such a machine, in the place of what its example has.
# shellcheck disable=SC2016 # what is in its backticks
memory=$(sed -n 's/^| x86-64 | `\([^`]*\)`.*/\1/p' "$manual")
# section NUMBER WHO: the commands of that part of the manual which WHO gives
section() {
	sed -n "/^## $1\\. /,/^## /s/^$2\\\$ *//p" "$manual" | sed "s/assay\\.region=auto/$memory/; /^reboot/d
		s#/path/to/the/root#$root#; s/,9,11/,9,10,11/; s/ --no-ima-log//; /^assay key create --out/d"
}
for part in '1 device' '2 device' '3 device' '4 signer' '4 device' '5 device' '6 device' '6 verifier'; do
	check "the manual has commands: section ${part% *}, of the ${part#* }" [ -n "$(section "${part% *}" "${part#* }")" ]
done
check 'and what the command line of such a machine needs' [ -n "$memory" ]

# ---------------------------------------------------------------- a device, as it was before
base=$(qemu/debian-device) || exit 2
mount -t tmpfs tmpfs "$work" && mkdir "$root" "$work/over" "$work/side" "$esp" "$work/verifier" || exit 2
mount -t overlay -o "lowerdir=${XDG_CACHE_HOME:-$HOME/.cache}/assay/$base/root,upperdir=$work/over,workdir=$work/side" overlay "$root" &&
	mount -t proc proc "$root/proc" && mount -t devtmpfs devtmpfs "$root/dev" && mount -t tmpfs tmpfs "$root/run" || exit 2
# In the place of the partition: this machine's kernel may have no vfat.
mkdir -p "$root/boot/efi" "$root/bed" "$root/out" "$root/srv/device"
mount -t tmpfs -o mode=700 tmpfs "$root/boot/efi" || exit 2
echo device >"$root/etc/hostname"
printf '127.0.0.1 localhost device\n' >"$root/etc/hosts"
printf 'LABEL=device / ext4 defaults 0 1\nLABEL=ESP /boot/efi vfat umask=0077 0 1\n' >"$root/etc/fstab"
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/assume-yes"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # as in any chroot, nothing is started
chmod 755 "$root/usr/sbin/policy-rc.d"
cp build/package/trixie-amd64/*.deb "$root/srv/device/"

# on_device COMMANDS: in a shell, where the packages are
on_device() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive \
		SYSTEMD_RELAX_ESP_CHECKS=1 sh -ec "cd /srv/device; $1"
}
started=$(date +%s)
follows() { # TITLE COMMANDS
	works "$1" on_device "$2"
	cat "$work/stdout" "$work/stderr" >>"$out/chroot.log"
	echo "# $(($(date +%s) - started)) s"
}

# ---------------------------------------------------------------- 1. install
release=$(basename "$root"/lib/modules/*)
follows 'apt installs assay' "$(section 1 device)"
run on_device 'dkms status'
check 'DKMS has built the module' prints 0 "^assay/[^,]*, $release, x86_64: installed"
run on_device "modinfo -k $release -F signer assay"
check 'and signed it' prints 0 'DKMS module signing key'
check 'the service is enabled' [ -L "$root/etc/systemd/system/sysinit.target.wants/assayd.service" ]

# ---------------------------------------------------------------- 2. a boot that is measured
follows 'apt installs what makes images, and boots them' "$(section 2 device)"
files_of_esp() {
	(cd "$root/boot/efi" && find . -type f | sort)
}
check 'there is a unified kernel image' [ -n "$(files_of_esp | grep "^./EFI/Linux/.*-$release.efi\$")" ]
check 'and nothing else that boots a kernel' [ -z "$(files_of_esp | grep '^./loader/entries/.*conf$')" ]

# ---------------------------------------------------------------- what the bed needs of it
# A busy machine emulates it too slowly for the time that systemd gives its disks.
sed 's/$/ console=ttyS0 panic=-1 oops=panic panic_on_warn=1 no_timer_check systemd.default_device_timeout_sec=900 bed_init=\/bed\/boot-test/' \
	"$root/etc/kernel/cmdline" >"$work/cmdline"
cp "$work/cmdline" "$root/etc/kernel/cmdline"
cp build/guest-amd64/init build/sysroot-amd64/bin/busybox tests/check.sh tests/system/system.sh "$root/bed/"
cp $here/device-debian-guest.sh "$root/bed/boot-test"
for number in 3 4 5; do
	section $number device >"$root/bed/section-$number"
done
section 6 device >"$root/bed/section-6"

# Debian has one version of a kernel at a time: the packages of the next are those of the installed, but for their version
# and a byte of the image that nothing uses.
kernel=linux-image-$release
kernel_version=$(chroot "$root" dpkg-query -W -f '${Version}' "$kernel")
next_package() { # NAME
	next_info=$root/var/lib/dpkg/info next_tree=$work/next/$1
	next_list=$next_info/$1.list
	mkdir -p "$next_tree/DEBIAN"
	chroot "$root" dpkg-query -s "$1" | sed "/^Status:/d; /^Conffiles:/,/^[^ C]/ { /^Conffiles:/d; /^ /d }
		/^Version:/s/\$/+next/; s/(= $kernel_version)/(= $kernel_version+next)/g" >"$next_tree/DEBIAN/control"
	for script in preinst postinst prerm postrm; do
		[ ! -e "$next_info/$1.$script" ] || cp "$next_info/$1.$script" "$next_tree/DEBIAN/$script"
	done
	chroot "$root" tar -c --no-recursion -T "${next_list#"$root"}" | tar -x -C "$next_tree"
	[ "$1" != "$kernel" ] || printf x | dd of="$next_tree/boot/vmlinuz-$release" bs=1 seek=16 conv=notrunc 2>/dev/null
	dpkg-deb --root-owner-group -Znone -b "$next_tree" "$root/srv/device/next/$1.deb" && rm -r "$next_tree"
}
next_packages() {
	mkdir "$root/srv/device/next"
	chroot "$root" dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' 'linux-image-*' 'linux-headers-*' 'linux-kbuild-*' |
		awk -v version="$kernel_version" '$2 == version && $3 == "installed" { print $1 }' >"$work/kernel-packages"
	while read -r name; do
		next_package "$name" || return
	done <"$work/kernel-packages"
	grep -q -x "$kernel" "$work/kernel-packages" && grep -q -x "linux-headers-$release" "$work/kernel-packages"
}
works 'there are packages of another kernel' next_packages
printf '%s\n' '[Unit]' 'After=multi-user.target' '[Service]' 'Type=exec' 'ExecStart=/bed/init --service' \
	'[Install]' 'WantedBy=multi-user.target' >"$root/etc/systemd/system/bed-test.service"
follows 'a new version of the module is installed' 'systemctl enable bed-test.service; apt install --reinstall ./assay-dkms_*.deb'
check 'and gets into the image, as do the words of the bed' grep -q -a bed_init= "$root/boot/efi/EFI/Linux"/*.efi
rm "$root/usr/sbin/policy-rc.d"

# ---------------------------------------------------------------- 4. sign, on another machine
cd "$work/verifier" || exit 2
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=signer' -days 30 \
	-keyout signer.key -out signer.pem 2>/dev/null
works 'what is installed is signed' sh -ec "$(section 4 signer)"
cp manifest.jsonl manifest.jsonl.p7s signer.pem "$root/srv/device/"
cd "$OLDPWD" || exit 2

# ---------------------------------------------------------------- its disks
(cd "$root/boot/efi" && tar -c .) | tar -x -C "$esp"
umount "$root/boot/efi" "$root/run" "$root/dev" "$root/proc"
truncate -s 4G "$out/root.ext4"
works 'it becomes a disk' mkfs.ext4 -q -O ^verity -E lazy_itable_init=1 -L device -d "$root" "$out/root.ext4"
set --
for file in $(cd "$esp" && find . -type f | sed 's#^\./##'); do
	set -- "$@" "$file=$esp/$file"
done
qemu/make-esp "$out/esp" "$@"
qemu/make-tpm "$out/tpm" sha256

# boot NAME: the nonce is one of its own
boot() {
	qemu/run-guest --flavour amd64 --firmware uefi --boot "$out/esp" --disk "$out/root.ext4" \
		--tpm "$out/tpm" --memory 2G --smp 2 --timeout 900 --out "$out/$1"
}

# ---------------------------------------------------------------- 3 to 5, on the device
results boot first

# ---------------------------------------------------------------- 6. quote, learn, verify
# What is warned of is that this firmware has no Secure Boot.
cp "$out/first/files/ak.pub" "$work/verifier/" 2>/dev/null
verifier() { # COMMANDS
	works "$1" sh -ec "cd $work/verifier; $2"
	cat "$work/stdout" "$work/stderr" | sed 's/^/# /'
}
asks() {
	sh -c "cd $work/verifier; $(section 6 verifier | head -n 1)"
	debugfs -w -R 'rm /srv/device/nonce' "$out/root.ext4" 2>/dev/null
	debugfs -w -R "write $work/verifier/nonce /srv/device/nonce" "$out/root.ext4" 2>/dev/null
}
learns=$(section 6 verifier | sed '1d; s/^assay policy lint .*/& || :/')
asks
results boot second
cp "$out/second/files/evidence.json" "$work/verifier/" 2>/dev/null
verifier 'the verifier learns, and trusts it' "$learns"
check 'and its boot is judged' prints 0 '^trusted$' '^firmware  .*passed'

# ---------------------------------------------------------------- 7. a new kernel
asks
results boot third
mv "$work/verifier/evidence.json" "$work/verifier/before.json"
cp "$out/third/files/evidence.json" "$work/verifier/" 2>/dev/null
judges=$(section 6 verifier | tail -n 1)
run sh -ec "cd $work/verifier; $judges --json"
check 'the new kernel is not trusted' [ "$status" -eq 1 ]
jq -r '.checks[] | select(.result == "fail") | "\(.name): \(.detail)"' "$work/stdout" >"$work/named"
sed 's/^/# /' "$work/named"
check 'what is another is named, and no more than that' \
	[ "$(sed 's/:.*//' "$work/named" | sort | tr '\n' ' ')" = 'firmware-files firmware-programs firmware-sections ' ]
run sh -ec "cd $work/verifier; assay policy diff before.json evidence.json"
sed 's/^/# /' "$work/stdout"
check 'assay policy diff says it in words' prints 1 '^PCR 11 .*\.linux'
verifier 'it is learned anew, and trusted' "$learns"
check 'with its boot judged' prints 0 '^trusted$' '^firmware  .*passed'
cp -r "$work/verifier" "$out/"
echo "# $(($(date +%s) - started)) s"
echo "1..$check_number"
exit "$check_failed"
