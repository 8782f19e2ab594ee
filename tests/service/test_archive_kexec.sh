#!/bin/sh
# SPDX-License-Identifier: MIT
# A log that goes on after kexec is archived by the new boot from where the boot before has ended: the
# archives of both and the ring are one log, from its first record on.
# guest: --region kept --tpm new --append cma=0 --timeout 150
# guest: --file build/kernel/64k/Image=/bed/Image --file tests/service/archive.sh=/bed/archive.sh
# shellcheck disable=SC2119
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

first_boot=$(sed -n 's/.*first_boot=\([^ ]*\).*/\1/p' /proc/cmdline)
archive_configure trim-at=5
service_start || exit 1
append 150 300 || exit 1
service_waits 100 archived || exit 1
if [ -z "$first_boot" ]; then
	service_stop
	append 10 300 || exit 1
	echo "# kexec at $(records) records"
	cd / || exit 1
	find . -xdev ! -path './proc/*' ! -path './sys/*' ! -path './dev/*' ! -path './out/*' ! -path ./bed/Image |
		cpio -o -H newc >/out/initrd 2>/dev/null || exit 1
	exec /bed/bin/kexec /bed/Image /out/initrd \
		"$(cat /proc/cmdline) first_boot=$(cat /proc/sys/kernel/random/boot_id)"
fi
check 'it is another boot' [ "$archive_root/$first_boot" != "$archive_dir" ]
check 'the archive of the boot before is whole' archive_is_whole "$archive_root/$first_boot"
check "the archive of this boot is whole" archive_is_whole
sed 's/^/# /' /tmp/verified
check "it names the boot before" grep -q '^log .* records, 0 to ' /tmp/verified
check "both archives and the ring are one log" is_one_log
check "there is no problem of the archive" sh -c '! grep -q "\"part\": \"archive\"" /run/assay/state.json'
rm -r "${archive_root:?}/$first_boot"
check "without the archive of the boot before, this boot's is whole" archive_is_whole
run assay log show --archive "$archive_dir" --records 0
check "and the log begins later" told 0
check "it ends" service_stop
echo "1..$check_number"
