#!/bin/sh
# SPDX-License-Identifier: MIT
# What tests/run.sh makes of tests that fail: which are tried again, what is kept, and when a run
# fails, on a small tree of tests that fail at the first try, at every one, or not at all. And of
# what they leave running.
# shellcheck disable=SC2016 # conditions for eval, and scripts that are written
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-again.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CHECK_OUT="$work"
. tests/check.sh

mkdir -p "$work/tree/tests/e2e" "$work/tree/tests/kmod" "$work/tree/tests/unit" "$work/tree/qemu" "$work/tree/build/unit"
cp tests/run.sh tests/matrix.sh tests/check.sh "$work/tree/tests"
cp qemu/tap.sh "$work/tree/qemu"
printf '#!/bin/sh\n' >"$work/tree/tests/lint" # there is none
chmod +x "$work/tree/tests/lint"
cd "$work/tree"

# test_of NAME COMMANDS [STATUS]: those are run at the first try, which fails; the second passes
test_of() {
	printf '%s\n' '#!/bin/sh' "first=\$0.first" "if [ -e \$first ]; then echo 1..1; echo ok 1; exit 0; fi" \
		": >\$first" "$2" "exit ${3:-1}" >"tests/e2e/test_$1.sh"
	chmod +x "tests/e2e/test_$1.sh"
}
test_run() { # [PATTERN]: from the start
	rm -f tests/e2e/*.first build/unit/*.first
	run env MAKE=true STRICT="${strict:-}" tests/run.sh "${1:-e2e/}"
}
totals() {
	[ "$(tail -n 1 "$work/stdout")" = "$1" ]
}
not_ok='echo 1..1; echo not ok 1 - by chance'

test_of good "echo 1..1; echo ok 1; exit 0"
test_of chance "$not_ok"
test_of lost 'echo 1..1; echo LOST >&2' 3
test_run
check 'what passes at the second try passes' prints 0 '^FAIL .*e2e/test_chance .*1 not ok' '^FAIL .*e2e/test_lost .*LOST guest' \
	'^again .*e2e/test_chance' '^again .*e2e/test_lost' '^ok .*e2e/test_chance'
check 'and is told of at the end' eval 'sed -n "/^unsteady/,\$p" "$work/stdout" | grep -c "e2e/test_chance  \|e2e/test_lost  " | grep -qx 2'
check 'what passed is not tried again' eval '! grep -q "again .*test_good" "$CHECK_OUT/stdout"'
check 'it counts once' totals '3 passed, 0 failed'
check 'what it did first is kept' grep -q 'by chance' build/test/e2e/test_chance/first/tap
check 'with its report' grep -q '^FAIL' build/test/e2e/test_lost/first/report
check 'and the second time is what counts' grep -q '^ok 1' build/test/e2e/test_chance/tap

strict=1
test_run
check 'without a second try it fails' prints 1 '^FAIL .*test_chance' '^FAIL .*test_lost'
check 'and nothing is unsteady' eval '! grep -q "^unsteady\|^again" "$CHECK_OUT/stdout"'
strict=

test_of always "rm -f \$first; $not_ok"
test_run
check 'what fails twice fails' prints 1 '^again .*e2e/test_always'
check 'once' totals '3 passed, 1 failed'
rm tests/e2e/test_always.sh

# Each report is of one that would pass at the second try.
while IFS='|' read -r name text; do
	test_of fault "echo '$text' >&2; $not_ok"
	test_run e2e/test_fault
	check "$name is no chance" [ "$status" -eq 1 ]
	check "$name: it is not tried again" eval '! grep -q "^again" "$CHECK_OUT/stdout"'
done <<'END'
ASAN|==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010
LSAN|==7==ERROR: LeakSanitizer: detected memory leaks
TSAN|WARNING: ThreadSanitizer: data race (pid=7)
UBSAN|a.c:7:3: runtime error: signed integer overflow
a crash|Segmentation fault (core dumped)
the C library|free(): invalid pointer
END
test_of fault "echo 'guest: BUG: KASAN: use-after-free' >>\"\$GUEST_COMPLAINTS\"; $not_ok"
test_run e2e/test_fault
check 'nor is what a kernel complains of' [ "$status" -eq 1 ]
check 'it is not tried again either' eval '! grep -q "^again" "$CHECK_OUT/stdout"'
test_of fault "mkdir -p build/test/e2e/test_fault/guest; printf 'Segmentation fault\\0' >build/test/e2e/test_fault/guest/console.log; $not_ok"
test_run e2e/test_fault
check 'nor a crash on a console, whatever else that holds' [ "$status" -eq 1 ]
test_of fault "printf 'malloc(): invalid size\\0' >build/test/e2e/test_fault/disk.img; $not_ok"
test_run e2e/test_fault
check 'words in a disk that a test leaves say nothing' prints 0 '^again .*e2e/test_fault' '^ok .*e2e/test_fault'
rm tests/e2e/test_fault.sh

cp tests/e2e/test_chance.sh build/unit/test_unit
: >tests/unit/test_unit.c
test_run unit/
check 'a unit test gets no second try' [ "$status" -eq 1 ]
check 'and is not run again' eval '! grep -q "^again" "$CHECK_OUT/stdout"'
rm tests/unit/test_unit.c

for number in 1 2 3 4; do
	test_of "chance$number" "$not_ok"
done
test_run
check 'where six fail it is no chance' prints 1 '^1 passed, 6 failed$'
check 'and none is tried again' eval '! grep -q "^again" "$CHECK_OUT/stdout"'
rm tests/e2e/test_lost.sh
test_run
check 'where five do they are' prints 0 '^6 passed, 0 failed$'

# What a test leaves is a program of its own, whose first argument tells it from others'.
cat >tests/e2e/test_leaves.sh <<'END'
#!/bin/sh
sh -c 'sleep 300; :' "$0" </dev/null >/dev/null 2>&1 &
echo 1..1
echo ok 1
END
chmod +x tests/e2e/test_leaves.sh
left_of() { # whether it is there
	grep -lzxFs "tests/e2e/test_$1.sh" /proc/[0-9]*/cmdline >/dev/null
}
strict=1
test_run e2e/test_leaves
check 'a test that leaves something running fails' prints 1 '^FAIL .*e2e/test_leaves .*has left something running' \
	'left running: sh -c sleep 300; :'
check 'which is ended' eval '! left_of leaves'
sed 's/test_leaves/test_ends/; s/sleep 300/sleep 0.3/' tests/e2e/test_leaves.sh >tests/e2e/test_ends.sh
chmod +x tests/e2e/test_ends.sh
test_run e2e/test_ends
check 'what is about to end has the time for it' prints 0 '^1 passed, 0 failed$'
cat >tests/e2e/test_holds.sh <<'END'
#!/bin/sh
echo 1..1
[ ! -e /proc/$$/fd/6 ] && [ ! -e /proc/$$/fd/7 ] || echo not ok 1 - holds a pipe of make
echo ok 1
END
chmod +x tests/e2e/test_holds.sh
rm -f tests/e2e/*.first
run env MAKE=true STRICT=1 MAKEFLAGS=' -j3 --jobserver-auth=6,7 -- T=x' tests/run.sh e2e/test_holds 6</dev/null 7>/dev/null
check "nor does it get make's own pipe" prints 0 '^1 passed, 0 failed$'
strict=
rm tests/e2e/test_leaves.sh tests/e2e/test_ends.sh tests/e2e/test_holds.sh

printf '#!/bin/sh\necho made >>made\nkill $$\n' >killed
chmod +x killed
run env MAKE=./killed tests/run.sh e2e/
check 'whoever ends make ends the run' prints 143
check 'and nothing is built or run any more' eval '[ "$(cat made)" = made ] && ! grep -q "^ok\|^FAIL" "$CHECK_OUT/stdout"'
echo "1..$check_number"
exit "$check_failed"
