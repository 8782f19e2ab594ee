# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Fills a guest's memory with data of others and keeps it busy; see load.c. Sourced in
# guests, as /bed/load.sh.
load_pid=

memory() { # FIELD of /proc/meminfo, in KiB
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# load_start DISK ANON FILE: so many hundredths of all memory become anonymous memory,
# and the rest page cache, of a file of so many hundredths on DISK, which gets mounted
load_start() {
	load_mib=$(($(memory MemTotal) / 1024))
	# As for a machine of this size with small pageblocks; else up to a third of the
	# memory is kept free: 5 % for huge pages, and a pageblock a zone to be unmixed.
	echo 16384 >/proc/sys/vm/min_free_kbytes
	echo 0 >/proc/sys/vm/watermark_boost_factor
	mkdir -p /tmp/load
	mount -t ext4 "$1" /tmp/load || return 1
	rm -f /tmp/ready
	/bed/bin/load /tmp/load/data $((load_mib * $2 / 100)) $((load_mib * $3 / 100)) /tmp/ready \
		>/tmp/load.out 2>&1 &
	load_pid=$!
	while [ ! -e /tmp/ready ]; do
		kill -0 "$load_pid" 2>/dev/null || { sed 's/^/# /' /tmp/load.out; return 1; }
		sleep 0.2
	done
}

# load_stop: 0 if all of the data is unharmed
load_stop() {
	kill "$load_pid"
	load_status=0
	wait "$load_pid" || load_status=$?
	sed 's/^/# /' /tmp/load.out
	rm -f /tmp/load/data
	umount /tmp/load || return 1
	[ "$load_status" -eq 0 ]
}

load_percent_free() { # of all memory, rounded up
	echo $((($(memory MemFree) * 100 + $(memory MemTotal) - 1) / $(memory MemTotal)))
}
