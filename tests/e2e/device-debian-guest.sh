#!/bin/sh
# SPDX-License-Identifier: MIT
# In a Debian 13 that was installed as docs/device.md says: on its first boot the lines of that which need the device
# itself; on its second, which has stage 1, its evidence, and an upgrade of its kernel; on its third its evidence with
# that. For test_device_debian.sh.
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/system/system.sh
. /bed/system.sh
export DEBIAN_FRONTEND=noninteractive
cd /srv/device || exit 1

# follows NUMBER TITLE: the lines of that section
follows() {
	works "$2" sh -e "/bed/section-$1"
	sed 's/^/# /' "$CHECK_OUT/stdout" "$CHECK_OUT/stderr"
	echo "# $(cut -d . -f 1 /proc/uptime) s"
}

run systemctl is-system-running --wait
check 'all of the system has started' prints 0 '^running$'
run systemctl --failed --plain --no-legend
check 'no unit has failed' [ ! -s "$CHECK_OUT/stdout" ]
works 'systemd-stub has started the kernel, of a unified image' ls /sys/firmware/efi/efivars/StubInfo-*
if [ ! -e /dev/assay ]; then
	run modprobe assay region=auto
	check 'without memory that can be protected the module is not loaded' [ "$status" -ne 0 ]
	check 'and says what such memory is' kernel_says 'or, for a log that can be protected here, with memmap=SIZE'
fi
works 'the module is loaded' modprobe assay
works 'and says what it has' assay status
check 'in memory that is protected' prints 0 'alias'
if [ ! -e /bed/second ]; then
	touch /bed/second
	follows 3 'a key is made in the TPM'
	follows 4 'what was signed is measured from now on'
	follows 5 'the initramfs, and the image with it, is made anew'
	cp ak.pub "$OUT/"
	bootctl list --no-pager >"$OUT/images" 2>&1
	umount /boot/efi
else
	check 'stage 1 has measured all of the manifest' \
		[ "$(sed -n 's/^ *"measured_count": \([0-9]*\).*/\1/p' /run/assay/stage1.json)" = "$(($(wc -l </etc/assay/manifest.jsonl) - 1))" ]
	check 'the service is active' shows assayd ActiveState active
	check 'it was ready before sysinit.target was reached' active_before assayd.service sysinit.target
	follows 6 'the device is quoted'
	cp evidence.json "$OUT/"
	kernel=linux-image-$(uname -r)
	if [ -d next ]; then
		works 'apt upgrades the kernel' apt-get install ./next/*.deb
		sed 's/^/# /' "$CHECK_OUT/stdout" "$CHECK_OUT/stderr"
		check 'to another version' sh -c "dpkg-query -W -f '\${Version}' $kernel | grep -q '+next\$'"
		rm -r next
		umount /boot/efi
	fi
	echo "# $(cut -d . -f 1 /proc/uptime) s"
fi
cp /run/assay/*.json "$OUT/"
journalctl --boot --output short-monotonic --no-pager >"$OUT/journal"
echo "1..$check_number"
exit "$check_failed"
