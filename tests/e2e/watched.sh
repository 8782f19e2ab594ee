# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What the tests share that watch each write of a guest to its log: sourced from the root of the
# checkout. The guest's memory is the file $memory/ram, of which the log's window begins at $place;
# build/watch-writes finds the guest at $memory/gdb.
memory=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
guest_pid=
cleanup() {
	[ -z "$guest_pid" ] || kill "$guest_pid" 2>/dev/null || :
	rm -rf "$memory"
}
trap cleanup EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$memory
. tests/check.sh

base=0x50130000 window=0x20000
ram=0x40000000 # where the machine's memory begins
place=$((base + window - ram))
# The linear map of a kernel with 48 bits of addresses, which nothing moves: there is no seed.
linear=$(printf '0xffff0000%08x' "$place")

# start_guest NAME WINDOW-SIZE SCRIPT OPTION...: in the background; sets out, the directory of results
start_guest() {
	out=build/guests/$1 guest_size=$2 guest_script=$3
	shift 3
	truncate -s 1G "$memory/ram"
	rm -f "$out/result.tap"
	qemu/run-guest --flavour 4k --region "static:$base:0x300000:$window:$guest_size" --tpm new \
		--memory 1G --memory-file "$memory/ram" --gdb "$memory/gdb" --init "$guest_script" \
		--out "$out" --file build/kmod/4k/assay.ko=/bed/assay.ko \
		--file build/guest/kmod/cut=/bed/bin/cut "$@" >"$memory/guest.log" 2>&1 &
	guest_pid=$!
}

# guest_began SECONDS: it has a log within that time; then there are some seconds to begin to watch
guest_began() {
	for _ in $(seq $(($1 * 10))); do
		! grep -aqs '^# anchored' "$out/result.tap" || return 0
		kill -0 "$guest_pid" || return 1
		sleep 0.1
	done
	return 1
}

# guest_ends TITLE: one test; where watching it has failed the guest stands still
guest_ends() {
	[ "$check_failed" -eq 0 ] || kill "$guest_pid" 2>/dev/null || :
	status=0
	wait "$guest_pid" || status=$?
	guest_pid=
	cp "$memory/guest.log" "$memory/stderr"
	check "$1" [ "$status" -eq 0 ]
}
