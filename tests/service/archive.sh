# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What tests of the archive in a guest share, after /bed/service.sh; as /bed/archive.sh.
archive_root=/var/lib/assay/archive
archive_dir=$archive_root/$(cat /proc/sys/kernel/random/boot_id)

insmod /bed/assay.ko || exit 1
# As 70-assay.rules has it.
chown 0:990 /dev/assay
chmod 660 /dev/assay

# archive_configure LINE...: of [archive]; archive_interval and archive_size may be set
archive_configure() {
	{
		echo '[archive]'
		echo "interval=${archive_interval:-100ms}"
		echo "size=${archive_size:-16K}"
		printf '%s\n' "$@"
	} >/etc/assay/assayd.conf
}

records() {
	cat /sys/class/misc/assay/log/records
}

# archived: up to the newest record
archived() {
	state_has "\"archived_to\": $(records),"
}

# append COUNT SIZE: so many records
append() {
	/bed/bin/append "$@" >/tmp/appended 2>&1 || { sed 's/^/# /' /tmp/appended; return 1; }
}

# archive_is_whole [DIR]
archive_is_whole() {
	assay log verify-archive "${1:-$archive_dir}" >/tmp/verified 2>&1 || {
		sed 's/^/# /' /tmp/verified
		return 1
	}
}

# is_one_log [DIR]: the archive and the ring together have every record once, from 0 on
is_one_log() {
	assay log export --archive "${1:-$archive_dir}" --format cel-tlv --out /tmp/all.cel || return 1
	assay log show --json /tmp/all.cel | sed -n 's/^{"recnum":\([0-9]*\),.*/\1/p' >/tmp/numbers
	seq 0 $(($(records) - 1)) | cmp - /tmp/numbers
}

problem() {
	state_has "\"problem_id\": \"$1\""
}
no_problem() {
	! problem "$1"
}
