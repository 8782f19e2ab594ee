#!/bin/sh
# SPDX-License-Identifier: MIT
# Records without end through a small ring, with retention: the memory of assayd and of the log stays
# within bounds, and what is kept of the archive is whole, and goes on in the ring. `make soak` has it
# go on for archive_seconds=600, and then until archive_events=100000000 events went through, 4,000 a
# record, as fast as the ring is cut; or for as many as come within archive_seconds=3300.
# guest: --region auto --tpm new --banks sha256 --timeout $((${archive_seconds:-5} + 300))
# guest: --append archive_seconds=${archive_seconds:-5}
# guest: --append archive_events=${archive_events:-0}
# guest: --file tests/service/archive.sh=/bed/archive.sh
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

seconds=$(sed -n 's/.*archive_seconds=\([0-9]*\).*/\1/p' /proc/cmdline)
wanted=$(sed -n 's/.*archive_events=\([0-9]*\).*/\1/p' /proc/cmdline)
archive_size=32K
if [ "$wanted" -gt 0 ]; then
	archive_interval=10ms
	more() {
		append 10 8 "$round" 4000
	}
else
	more() {
		append 200 1000 "$round"
	}
fi
events() {
	cat /sys/class/misc/assay/log/entries
}
# goes_on: until the time is over, or all that were wanted are there
goes_on() {
	[ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] && { [ "$wanted" -eq 0 ] || [ "$(events)" -lt "$wanted" ]; }
}
archive_configure trim-at=20 keep-size=256K keep-unacknowledged=no
check "it starts" service_start
end=$(($(cut -d. -f1 /proc/uptime) + seconds))
most_rss=0 most_claimed=0 most_used=0 most_kept=0 round=0
while goes_on; do
	more || exit 1
	round=$((round + 1))
	rss=$(service_reads RssAnon)
	rss=${rss%% *}
	claimed=$(cat /sys/class/misc/assay/memory/bytes_claimed)
	used=$(sed -n 's/.*"log_used_percent": \([0-9]*\).*/\1/p' /run/assay/state.json)
	[ "$rss" -le "$most_rss" ] || most_rss=$rss
	[ "$claimed" -le "$most_claimed" ] || most_claimed=$claimed
	[ "$used" -le "$most_used" ] || most_used=$used
	kept=$(cat "$archive_dir"/*.zst 2>/dev/null | wc -c)
	[ "$kept" -le "$most_kept" ] || most_kept=$kept
	[ $((round % 50)) -ne 0 ] || echo "# $(records) records with $(events) events, RssAnon at most $most_rss KiB, claimed at most $most_claimed bytes"
done
check "it archives all" service_waits 100 archived
echo "# $(records) records with $(events) events in at most $seconds s: RssAnon at most $most_rss KiB, claimed at most $most_claimed bytes, ring at most $most_used % full"
check "assayd needs less than 32 MiB at any time" [ "$most_rss" -lt 32768 ]
# 1 MiB of window, and what was claimed ahead of need.
check "the log claims no more than its window" [ "$most_claimed" -le 1310720 ]
# What is old goes as fast as new comes, whatever it takes to look through it.
echo "# archive at most $most_kept bytes"
check "the archive never had much more than it may keep" [ "$most_kept" -le $((3 * 262144)) ]
[ "$wanted" -gt 0 ] || check "the ring was never near its end" [ "$most_used" -lt 80 ]
kept_is_small() {
	[ "$(cat "$archive_dir"/*.zst | wc -c)" -le 262144 ]
}
check "what is kept is as much as it may be" service_waits 1200 kept_is_small
check "what is kept is whole" archive_is_whole
sed 's/^/# /' /tmp/verified
run assay log show --archive "$archive_dir" --records 0
check "and goes on in the ring" told 0
check "it ends" service_stop
echo "1..$check_number"
