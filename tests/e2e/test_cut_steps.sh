#!/bin/sh
# SPDX-License-Identifier: MIT
# A log in a static region, looked at after each single instruction that writes to its header or
# to its first records, as if the machine had been reset just then: whatever was anchored is
# there, and the module would go on with it.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

. tests/e2e/watched.sh

# The memory as it is now, by what the guest has said until now.
cat >"$memory/judge" <<END
#!/bin/sh
last=\$(grep -ax '# anchored [0-9]* [0-9a-f]\{64\}' 'build/guests/cut-steps/result.tap' | tail -n 1)
last=\${last#\# anchored }
[ -n "\$last" ] || exit 0
qemu-aarch64 build/guest/kmod/cut judge '$memory/ram' $place "\${last% *}" "\${last#* }" >'$memory/judgement' ||
	{ cat '$memory/judgement'; exit 1; }
echo judged >>'$memory/judged'
END
chmod +x "$memory/judge"
: >"$memory/judged"

start_guest cut-steps 1M tests/kmod/cut_steps.sh --timeout 600
works 'the guest has a log' guest_began 60
works 'after each write to it the log is whole' build/watch-writes "$memory/gdb" \
	"$linear" "$memory/ram" "$place" 0x2000 "$memory/judge"
sed 's/^/# /' "$memory/stdout"
guest_ends 'the guest took its steps'
check "that was judged often enough: $(wc -l <"$memory/judged") times" [ "$(wc -l <"$memory/judged")" -ge 100 ]
echo "1..$check_number"
exit "$check_failed"
