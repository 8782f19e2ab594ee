#!/bin/sh
# SPDX-License-Identifier: MIT
# A log in a static region, looked at after each single instruction that writes to its header or
# to its first records, as if the machine had been reset just then: whatever was anchored is
# there, and the module would go on with it.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

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

base=0x50130000 window=0x20000 watched=0x2000
ram=0x40000000 # where the machine's memory begins
out=build/guests/cut-steps
place=$((base + window - ram))

# The memory as it is now, by what the guest has said until now.
cat >"$memory/judge" <<END
#!/bin/sh
last=\$(grep -ax '# anchored [0-9]* [0-9a-f]\{64\}' '$out/result.tap' | tail -n 1)
last=\${last#\# anchored }
[ -n "\$last" ] || exit 0
qemu-aarch64 build/guest/kmod/cut judge '$memory/ram' $place "\${last% *}" "\${last#* }" >'$memory/judgement' ||
	{ cat '$memory/judgement'; exit 1; }
echo judged >>'$memory/judged'
END
chmod +x "$memory/judge"
: >"$memory/judged"

guest() { # in a process of its own
	truncate -s 1G "$memory/ram"
	exec qemu/run-guest --flavour 4k --region "static:$base:0x300000:$window:1M" --tpm new \
		--memory 1G --memory-file "$memory/ram" --gdb "$memory/gdb" --timeout 600 \
		--init tests/kmod/cut_steps.sh --out "$out" \
		--file build/kmod/4k/assay.ko=/bed/assay.ko --file build/guest/kmod/cut=/bed/bin/cut
}

rm -f "$out/result.tap"
guest >"$memory/guest.log" 2>&1 &
guest_pid=$!
began() { # within a minute; then there are some seconds to begin to watch
	tries=0
	until grep -aqs '^# anchored' "$out/result.tap"; do
		tries=$((tries + 1))
		if [ "$tries" -ge 600 ] || ! kill -0 "$guest_pid"; then
			return 1
		fi
		sleep 0.1
	done
}
works 'the guest has a log' began
# The linear map of a kernel with 48 bits of addresses, which nothing moves: there is no seed.
works 'after each write to it the log is whole' build/watch-writes "$memory/gdb" \
	"$(printf '0xffff0000%08x' "$place")" "$memory/ram" "$place" "$watched" "$memory/judge"
sed 's/^/# /' "$memory/stdout"
# Where that failed the guest stands still.
[ "$check_failed" -eq 0 ] || kill "$guest_pid" 2>/dev/null || :
status=0
wait "$guest_pid" || status=$?
guest_pid=
cp "$memory/guest.log" "$memory/stderr"
check 'the guest took its steps' [ "$status" -eq 0 ]
check "that was judged often enough: $(wc -l <"$memory/judged") times" [ "$(wc -l <"$memory/judged")" -ge 100 ]
echo "1..$check_number"
exit "$check_failed"
