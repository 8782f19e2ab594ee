#!/bin/sh
# SPDX-License-Identifier: MIT
# In a device that has booted from its firmware on: what it is, and its evidence for the verifier's nonce,
# which the host has put on its disk. For device.sh.
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/system/system.sh
. /bed/system.sh

uses_module() {
	[ -c /dev/assay ]
}

# What the device may lack after an attack is for the verifier to see.
run systemctl is-system-running --wait
check 'all of the system has started' prints 0 '^running$'
run systemctl --failed --plain --no-legend
check 'no unit has failed' [ ! -s "$CHECK_OUT/stdout" ]
check 'the service is active' shows assayd ActiveState active
check 'it was ready before sysinit.target was reached' active_before assayd.service sysinit.target
check 'it has written its state' waits test -s "$state"
if uses_module; then
	check 'it has the device' waits state_is .device_present
	check "it has mirrored IMA's list" waits state_is '.parts.ima | .list_state == "bypassed" and
		.mirrored_count > 0 and .pending_count == 0'
fi
cp "$state" /run/assay/stage1.json "$OUT/"
run assay status --json
if uses_module; then
	check 'assay status answers' prints 0 '"assayd"'
else
	check 'assay status says what is missing' told 1 'load the module'
fi
cp "$CHECK_OUT/stdout" "$OUT/status.json"
set --
uses_module || set -- --no-assay-log
works 'the device is quoted' assay quote --nonce "$(cat /bed/nonce)" --ak /bed/ak.pem \
	--pcrs 0,1,2,3,4,5,6,7,8,9,11,12,14 --no-ima-log --out "$OUT/evidence.json" "$@"

for pcr in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	echo "$pcr $(cat /sys/class/tpm/tpm0/pcr-sha256/$pcr)"
done >"$OUT/pcrs"
systemctl show --property FirmwareTimestampMonotonic,LoaderTimestampMonotonic,UserspaceTimestampMonotonic >"$OUT/times"
echo "assayd=$(active_since assayd.service)" >>"$OUT/times"
journalctl --boot --output short-monotonic --no-pager >"$OUT/journal"
cp /sys/kernel/security/tpm0/binary_bios_measurements "$OUT/eventlog"
cp /run/log/systemd/tpm2-measure.log "$OUT/" 2>/dev/null

# A new kernel, for the next boot.
if [ -e /srv/Packages ]; then
	echo 'deb [trusted=yes] file:/srv ./' >/etc/apt/sources.list.d/device.list
	works 'apt reads what the vendor has' apt-get update
	works 'it installs a new kernel' apt-get install --yes device-kernel
	ls -l /boot/efi/EFI/Linux >"$OUT/images"
	umount /boot/efi
	rm /srv/*
fi
echo "1..$check_number"
