#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest of tests/e2e/test_archive_cut.sh: assayd archives to a disk as fast as it can, and
# cuts the log, while records are appended until the guest is cut off; each is told with where the
# log then began. With cut_after in the kernel's parameters the archives of the boots before are
# checked, and the guest ends by itself.
# shellcheck disable=SC2119
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

mkdir -p /run/disk
mount /dev/vda /run/disk || exit 1
archive_root=/run/disk/archive
archive_dir=$archive_root/$(cat /proc/sys/kernel/random/boot_id)
archive_interval=10ms archive_size=4K
archive_configure "directory=$archive_root" trim-at=1
if ! grep -q cut_after /proc/cmdline; then
	service_start || exit 1
	exec /bed/bin/append 0 200
fi
# The guest has no clock, and what it goes on with ran for longer than it has: it is later than that.
date -s @86400 >/dev/null || exit 1
for dir in "$archive_root"/*-*; do
	check "the archive of the boot that was cut off is whole" archive_is_whole "$dir"
done
check "assayd starts after a cut" service_start
append 50 200
check "it archives" service_waits 100 archived
check "into an archive that is whole" archive_is_whole
check "and that is one log with the ring" is_one_log
has_no_problem() {
	! state_has '"part": "archive"' || {
		sed 's/^/# /' /run/assay/state.json
		return 1
	}
}
check "the archive has no problem" has_no_problem
check "assayd ends" service_stop
echo "1..$check_number"
