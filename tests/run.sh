#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/run.sh [PATTERN]: builds and runs every test whose name has PATTERN in it (a shell pattern;
# `tests/run.sh --list` shows the names), $TEST_JOBS at a time (one more than there are processors),
# and ends with one line of totals. Started by `make test T=PATTERN`. Results, one directory a test,
# are below build/test. Guests get twice their time ($GUEST_PATIENCE), as others run beside them.
#
#	unit/NAME          tests/unit/NAME.c, cmocka, under ASAN and UBSAN
#	thread/NAME        one of those, of what works with threads, under TSAN
#	fuzz/NAME          tests/fuzz/NAME.c for a few seconds, from the seeds in tests/data/NAME
#	kmod/NAME@FLAVOUR  tests/kmod/NAME.sh in a guest with that kernel. Lines "# guest: OPTIONS"
#	                   in it are further options of qemu/run-guest, with $directory for the
#	                   directory of results; "# flavours: 64k 4k" limits it to these, else it
#	                   runs on all of arm64: 64k 4k 7.3 16k 6.1 debug. With $soak_flavour set
#	                   (make soak S=debug), what runs on debug runs on that one as well, and so do
#	                   those that say "# soak: debug"; with amd64, those that say "# soak: amd64"
#	                   run there. Each line "# also: 4k WORDS" runs it
#	                   once more, with these kernel parameters, as NAME@4k+WORDS. All modules
#	                   are at /bed/*.ko, the programs of tests/kmod/*.c that it names in /bed/bin, the
#	                   command is there if it is used, and
#	                   tests/check.sh is /bed/check.sh. What the log was loaded on in these tests
#	                   is in build/test/matrix.md afterwards (tests/matrix.sh)
#	service/NAME@FLAVOUR
#	                   tests/service/NAME.sh likewise, on 64k unless it says otherwise, with
#	                   assayd, assayd-plain and assay-initrd in /usr/bin and tests/service/service.sh as
#	                   /bed/service.sh
#	system/NAME        tests/system/NAME.sh likewise, on a Debian 13 with systemd and the 4K kernel
#	                   (qemu/run-guest --system), where what "make install" installs is, as
#	                   tests/system/prepare.sh and a line "# boot: WORDS" settle it before the boot
#	e2e/NAME           tests/e2e/NAME.sh on this machine; with a line "# soak" in it by tests/soak.sh alone
#	model/NAME         spin checks tests/model/NAME.pml, and refutes its mutants (tests/model/check)
#	lint/NAME          one of the checks of tests/lint
#
# A second try: of kmod, service, system and e2e, what failed is run once more, alone, after all
# others, unless a kernel, a sanitizer or the C library reported a fault, which is never chance. What
# passes then is listed at the end as unsteady, with what the first try left in NAME/first, and does
# not fail the run. It is a fault all the same, of the test or worse: look for it. With more than
# five that failed nothing is tried again, nor is it with STRICT=1 (make soak sets it).
#
# What a test has started ends with it: a process that is still there a moment later is ended, and the test
# has failed. It would disturb others, and whoever waits for all that a run has started would wait for ever.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."
. qemu/tap.sh
# Some programs are replaced for the tests.
PATH=$PWD/tests/programs:$PATH
export PATH

results=build/test
fuzz_seconds=${FUZZ_SECONDS:-2}
second_tries=5

list() {
	# What takes longest comes first, so that those at a time end together.
	for source in tests/e2e/test_*.sh; do
		[ -e "$source" ] || continue
		[ -n "${soak_e2e:-}" ] || ! grep -q '^# soak$' "$source" || continue
		basename "$source" .sh | sed 's#^#e2e/#'
	done
	for source in tests/kmod/test_*.sh; do
		[ -e "$source" ] || continue
		flavours=$(sed -n 's/^# flavours: *//p' "$source")
		flavours=${flavours:-64k 4k 7.3 16k 6.1 debug}
		if [ -n "${soak_flavour:-}" ]; then
			like=debug
			[ "$soak_flavour" != amd64 ] || like=amd64
			case " $flavours $(sed -n 's/^# soak: *//p' "$source") " in
			*" $like "*) flavours=$(echo "$flavours $soak_flavour" | tr ' ' '\n' | sort -u) ;;
			esac
		fi
		for flavour in $flavours; do
			echo "kmod/$(basename "$source" .sh)@$flavour"
		done
		sed -n 's/^# also: *//p' "$source" | tr ' ' '+' | sed "s#^#kmod/$(basename "$source" .sh)@#"
	done
	for source in tests/service/test_*.sh; do
		[ -e "$source" ] || continue
		flavours=$(sed -n 's/^# flavours: *//p' "$source")
		for flavour in ${flavours:-64k}; do
			echo "service/$(basename "$source" .sh)@$flavour"
		done
	done
	for source in tests/system/test_*.sh; do
		[ ! -e "$source" ] || basename "$source" .sh | sed 's#^#system/#'
	done
	for source in tests/model/*.pml; do
		[ ! -e "$source" ] || basename "$source" .pml | sed 's#^#model/#'
	done
	tests/lint --list | sed 's#^#lint/#'
	for source in tests/fuzz/fuzz_*.c; do
		[ ! -e "$source" ] || basename "$source" .c | sed 's#^#fuzz/#'
	done
	printf "%s\n" thread/test_bytes_digest thread/test_library_threads thread/test_pcrs thread/test_trust_threads \
		thread/test_verity_ahead thread/test_verity_mapped thread/test_verity_pool thread/test_verity_sparse \
		thread/test_work
	for source in tests/unit/test_*.c; do
		[ ! -e "$source" ] || basename "$source" .c | sed 's#^#unit/#'
	done
}

# needs NAME: what make has to build for it
needs() {
	case $1 in
	unit/*) echo "build/$1" ;;
	thread/*) echo "build/$1" ;;
	fuzz/*) echo "build/$1" ;;
	kmod/*@* | service/*@*)
		needs_flavour=${1##*@} needs_arch=arm64
		needs_flavour=${needs_flavour%%+*}
		echo "guest-$needs_flavour"
		case $needs_flavour in # as in the Makefile
		amd64*) needs_arch=amd64 ;;
		esac
		case $1 in
		service/*)
			echo "build/$needs_arch/assayd build/$needs_arch/assayd-plain"
			# What it names of the guests' programs that are not all tests' own.
			sed -n 's/^# guest: .*\(build\/guest\/entries\)=.*/\1/p; s/^# guest: --file \(build\/arm64\/[a-z-]*\)=.*/\1/p' \
				"tests/${1%@*}.sh"
			;;
		esac
		;;
	system/*) echo system-needs ;;
	e2e/test_second_try | e2e/test_lint_memory) ;;
	e2e/test_post_quantum) echo 'build/host/assay build/host/assay-verify build/unit/test_ml_dsa newer-openssl' ;;
	e2e/test_boot) echo 'build/host/assay guest-4k' ;;
	e2e/test_boot_amd64) echo 'build/host/assay guest-amd64 build/boot-loader' ;;
	e2e/test_archive_cut) echo 'build/host/assay guest-64k build/arm64/assayd' ;;
	e2e/test_assayd) echo 'build/host/assay build/host/assayd build/host/assayd-plain build/host/parser-faults' ;;
	e2e/test_documents) echo 'build/host/assay build/host/assay-verify build/host/assay-push build/host/assay-fleet build/host/assayd build/host/assay-initrd' ;;
	e2e/test_sign_composefs | e2e/test_sign_deb | e2e/test_sign_dpkg | e2e/test_sign_oci) echo 'build/host/assay build/host/assay-contents' ;;
	e2e/test_enforce_dm_verity) echo 'build/host/assay guest-7.3 newer-openssl' ;;
	e2e/test_enforce_ima) echo 'build/host/assay guest-4k guest-7.3 newer-openssl' ;;
	e2e/test_kernel_signatures) echo 'build/host/assay guest-64k guest-4k newer-openssl' ;;
	e2e/test_enforce_*) echo 'build/host/assay build/host/assay-initrd guest-4k' ;;
	e2e/test_initramfs) echo build/host/assay-initrd ;;
	e2e/test_initramfs_boot) echo "${initramfs:-initramfs-tools}-needs" ;;
	e2e/test_fleet_unit) echo build/host/assay-fleet ;;
	e2e/test_fleet_guests) echo fleet-guests-needs ;;
	e2e/test_fleet_store) echo 'build/unit/test_fleet_store build/unit/test_fleet_silence build/unit/test_fleet_history' ;;
	e2e/test_fleet_operations) echo 'build/host/assay build/host/assay-push build/host/assay-verify build/host/assay-fleet build/host/other-clock' ;;
	e2e/test_fleet*) echo 'build/asan/assay-fleet build/host/assay build/host/assay-push build/host/assay-verify build/host/assay-fleet build/host/fleet-load' ;;
	e2e/test_bench) echo 'bench-needs' ;;
	e2e/test_completion | e2e/test_library)
		echo 'build/host/assay build/host/assay-push build/host/assay-verify build/host/assay-fleet build/host/assayd build/host/assay-initrd library'
		;;
	e2e/test_dist) echo packages ;;
	e2e/test_package*) echo "package-bookworm-$(dpkg --print-architecture)" ;;
	e2e/test_device) echo device-needs ;;
	e2e/test_device_debian) echo device-debian-needs ;;
	e2e/test_mok) echo mok-needs ;;
	e2e/test_push*) echo 'build/host/assay build/host/assay-push build/host/assay-verify build/host/push-verifier build/host/assayd build/host/assayd-plain' ;;
	e2e/*) echo 'demo-needs build/host/push-verifier library guest-4k guest-7.3 guest-debug' ;;
	model/*) echo packages ;;
	lint/sparse) echo 'build/kernel/64k packages' ;;
	lint/tidy) echo 'build/sysroot packages' ;;
	lint/*) echo packages ;;
	esac
}

# guest_script SCRIPT: it, and what it brings along and sources
guest_script() {
	# shellcheck disable=SC2046 # paths, without spaces
	cat "$1" tests/check.sh $(grep -o 'tests/[a-z]*/[a-z_]*\.sh' "$1" | sort -u)
}

# guest_programs SCRIPT: the programs of tests/kmod/*.c whose name is a word of that. All of them
# would be 35 MiB to unpack in every guest.
guest_programs() {
	guest_script "$1" | grep -o '[a-z_0-9]*' | sort -u >"$results/lock/words.$$"
	for guest_program in tests/kmod/*.c; do
		basename "$guest_program" .c
	done | sort | comm -12 - "$results/lock/words.$$"
	rm "$results/lock/words.$$"
}

# uses_command SCRIPT: whether the command assay is called in that
uses_command() {
	guest_script "$1" | grep -v '^#\|rmmod' |
		grep -Eq '(^|[^./_[:alnum:]-])(/usr/bin/)?assay([" ]|$)'
}

# execute NAME OUT: TAP on standard output, the rest on standard error
execute() {
	name=${1#*/}
	case $1 in
	unit/*)
		ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
			CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "build/$1"
		;;
	thread/*)
		# The sanitizer cannot have its memory where some kernels put programs by chance.
		TSAN_OPTIONS=halt_on_error=1 CMOCKA_MESSAGE_OUTPUT=TAP \
			timeout 300 setarch "$(uname -m)" -R "build/$1"
		;;
	fuzz/*)
		mkdir -p "$2/corpus"
		set -- "$1" "$2" "$2/corpus"
		for seeds in "tests/data/$name" "tests/fuzz/$name"; do
			[ ! -d "$seeds" ] || set -- "$@" "$seeds"
		done
		fuzz_target=build/$1 fuzz_out=$2
		shift 2
		echo 1..1
		if timeout 120 "$fuzz_target" -max_total_time="$fuzz_seconds" -rss_limit_mb=2048 \
			-timeout=10 -artifact_prefix="$fuzz_out/" -print_final_stats=1 "$@" 1>&2; then
			echo "ok 1 - $name, $fuzz_seconds s"
		else
			echo "not ok 1 - $name"
		fi
		;;
	kmod/* | service/*)
		flavour=${name##*@} parameters="" script=tests/${1%@*}.sh
		case $flavour in
		*+*) parameters=$(echo "${flavour#*+}" | tr '+' ' ') flavour=${flavour%%+*} ;;
		esac
		arch=arm64 guest=build/guest
		case $flavour in # as in the Makefile
		amd64*) arch=amd64 guest=build/guest-amd64 ;;
		esac
		set -- --flavour "$flavour" --out "$2/guest" --init "$script"
		[ -z "$parameters" ] || set -- "$@" --append "$parameters"
		set -- "$@" --file tests/check.sh=/bed/check.sh
		for module in build/kmod/"$flavour"/*.ko; do
			set -- "$@" --file "$module=/bed/$(basename "$module")"
		done
		for program in $(guest_programs "$script"); do
			set -- "$@" --file "$guest/kmod/$program=/bed/bin/$program"
		done
		case $script in
		tests/service/*)
			set -- "$@" --file tests/service/service.sh=/bed/service.sh
			for program in assay assayd assayd-plain assay-initrd; do
				set -- "$@" --file "build/$arch/$program=/usr/bin/$program"
			done
			;;
		*)
			! uses_command "$script" || set -- "$@" --file "build/$arch/assay=/usr/bin/assay"
			;;
		esac
		# shellcheck disable=SC2046 # options of the test, as words
		eval "qemu/run-guest \"\$@\" $(sed -n 's/^# guest: *//p' "$script" | tr '\n' ' ')"
		;;
	system/*)
		set -- --flavour 4k --system new --out "$2/guest" --init "tests/$1.sh" \
			--prepare tests/system/prepare.sh --file tests/check.sh=/bed/check.sh \
			--file tests/system/system.sh=/bed/system.sh \
			--file build/system=/ --file build/kmod/4k/assay.ko=/bed/modules/assay.ko
		eval "qemu/run-guest \"\$@\" $(sed -n 's/^# guest: *//p' "tests/system/$name.sh" | tr '\n' ' ')"
		;;
	e2e/*)
		# A line "# limit: SECONDS" in it where it boots many guests.
		e2e_limit=$(sed -n 's/^# limit: *//p' "tests/e2e/$name.sh")
		timeout "${e2e_timeout:-${e2e_limit:-600}}" "tests/e2e/$name.sh"
		;;
	model/*) timeout 600 tests/model/check "tests/model/$name.pml" "$2" ;;
	lint/*) tests/lint "$name" ;;
	esac
}

# left_over MARK: the processes that have that in their environment
left_over() {
	grep -lzxFs "ASSAY_TEST=$1" /proc/[0-9]*/environ | sed 's#^/proc/\([0-9]*\)/.*#\1#'
}

# end_left_over MARK LOG: ends them, and says so in LOG; true if there were any. Some are about to end.
end_left_over() {
	for _ in $(seq 50); do
		left_running=$(left_over "$1")
		[ -n "$left_running" ] || return 1
		sleep 0.1
	done
	for left_process in $left_running; do
		echo "left running: $(tr '\0' ' ' <"/proc/$left_process/cmdline")" >>"$2"
		kill -9 "$left_process" || :
	done 2>/dev/null
}

# failures TAP: each "not ok" with the comments around it
failures() {
	awk '
		/^#/ { if (after) print; else before[count++ % 40] = $0; next }
		/^not ok/ {
			for (i = count > 40 ? count - 40 : 0; i < count; i++)
				print before[i % 40]
			print
		}
		{ after = /^not ok/; count = 0 }' "$1"
}

# one NAME: runs it, keeps tap, log and counts, and says in one piece what came of it
one() {
	directory=$results/$1
	# One run of a test at a time, whoever started it. What the test starts does not hold it.
	mkdir -p "$results/lock"
	exec 8>"$results/lock/$(echo "$1" | tr / -)"
	flock 8
	rm -rf "$directory"
	mkdir -p "$directory"
	from=$(date +%s%N)
	status=0
	blocked=
	for target in $(needs "$1"); do
		case " ${UNBUILT:-} " in
		*" $target "*) blocked="$blocked $target" ;;
		esac
	done
	if [ -n "$blocked" ]; then
		: >"$directory/tap"
		echo "make$blocked fails" >"$directory/log"
	else
		GUEST_COMPLAINTS=$(pwd)/$directory/complaints
		export GUEST_COMPLAINTS
		# For each run of it, as one test may run another.
		mark=$1.$$.$from
		export ASSAY_TEST="$mark"
		execute "$1" "$directory" >"$directory/tap" 2>"$directory/log" 8>&- || status=$?
		unset ASSAY_TEST
	fi
	seconds=$(awk -v from="$from" -v to="$(date +%s%N)" 'BEGIN { printf "%.1f", (to - from) / 1e9 }')
	tap_judge "$directory/tap"
	[ -z "$blocked" ] || tap_complaint="is not built:$blocked"
	case $status in
	0) ;;
	77) # all of it is skipped
		tap_complaint='' tap_passed=0 tap_failed=0 tap_skipped=$((tap_planned > 0 ? tap_planned : 1))
		;;
	3)
		case $1 in
		kmod/* | service/* | system/* | e2e/*) tap_complaint="LOST guest" ;;
		*) tap_complaint=${tap_complaint:-exit status 3} ;;
		esac
		;;
	*) tap_complaint=${tap_complaint:-exit status $status} ;;
	esac
	if [ -z "$blocked" ] && end_left_over "$mark" "$directory/log"; then
		tap_complaint=${tap_complaint:-has left something running}
	fi
	# A program that was lost or cut off has failed once more than it could say.
	if [ -n "$tap_complaint" ] && [ "$tap_failed" -eq 0 ]; then
		tap_failed=1
	fi
	echo "$tap_passed $tap_failed $tap_skipped" >"$directory/counts"
	{
		if [ -n "$tap_complaint" ]; then
			printf 'FAIL    %-34s %s (%s s)\n' "$1" "$tap_complaint" "$seconds"
			failures "$directory/tap" | sed 's/^/        /'
			tail -n 120 "$directory/log" | sed 's/^/        /'
			printf "        repeat with: make test T='%s'; all of it is in %s\n" "$1" "$directory"
		elif [ "$tap_passed" -eq 0 ]; then
			printf 'skipped %-34s %s (%s s)\n' "$1" "$(grep -i skip "$directory/tap" | head -n 1)" "$seconds"
		else
			printf 'ok      %-34s %3d passed%s (%s s)\n' "$1" "$tap_passed" \
				"$([ "$tap_skipped" -eq 0 ] || echo ", $tap_skipped skipped")" "$seconds"
		fi
	} >"$directory/report"
	cat "$directory/report"
}

# What is never chance, besides a kernel's complaints: those of sanitizers and the C library. Disks and
# programs that a test leaves hold such words in any case; a console is read whatever is in it.
fault='(Address|Leak|Thread|Memory)Sanitizer|: runtime error: |Segmentation fault|Illegal instruction'
fault="$fault|stack smashing detected|(malloc|free|realloc|corrupted [a-z]*)\\(\\): "

# by_chance NAME: whether what failed may be chance, so that it is worth a second try
by_chance() {
	case $1 in
	kmod/* | service/* | system/* | e2e/*) ;;
	*) return 1 ;;
	esac
	[ ! -s "$results/$1/complaints" ] && [ -r "$results/$1/counts" ] &&
		! grep -aq ' is not built:' "$results/$1/report" &&
		! grep -rIEq "$fault" "$results/$1" && ! grep -arEq --include=console.log "$fault" "$results/$1"
}

# again NAME: once more; the first try's results are kept below those of the second
again() {
	again_first=$results/lock/first.$$
	mv "$results/$1" "$again_first"
	echo "again   $1"
	one "$1"
	mv "$again_first" "$results/$1/first"
}

case ${1:-} in
--list)
	list
	exit 0
	;;
--one)
	one "$2"
	exit 0
	;;
--again)
	again "$2"
	exit 0
	;;
esac

pattern=${1:-}
chosen=
for test in $(list); do
	# shellcheck disable=SC2254 # it is meant as a pattern
	case $test in
	*$pattern*) chosen="$chosen $test" ;;
	esac
done
if [ -z "$chosen" ]; then
	echo "tests/run.sh: no test is called *$pattern*; make test-list shows them all" >&2
	exit 2
fi
targets=$(for test in $chosen; do
	needs "$test"
done | tr ' ' '\n' | sort -u)
UNBUILT=
# shellcheck disable=SC2086 # a list
${MAKE:-make} --no-print-directory --keep-going $targets || {
	# What can be built is run; what cannot be has failed. Whoever ends make means all of it.
	status=$?
	[ "$status" -le 128 ] || exit "$status"
	for target in $targets; do
		${MAKE:-make} --no-print-directory "$target" >/dev/null 2>&1 || UNBUILT="$UNBUILT $target"
	done
}

for test in $chosen; do
	rm -rf "${results:?}/$test"
done
mkdir -p "$results"
# make waits at its end until nobody has its jobserver's pipe open any more, whoever was left with it.
for pipe_end in $(echo "${MAKEFLAGS:-}" | sed -n 's/.*--jobserver-[a-z]*=\([0-9]\),\([0-9]\)\( .*\)*$/\1 \2/p'); do
	eval "exec $pipe_end>&-"
done
unset MAKEFLAGS MFLAGS MAKELEVEL
export UNBUILT
GUEST_PATIENCE=${GUEST_PATIENCE:-2}
export GUEST_PATIENCE
# More than processors: guests and programs often wait for a while.
echo "$chosen" | xargs -n 1 -P "${TEST_JOBS:-$(($(nproc) + 1))}" "$0" --one || :

# failed_of TEST...: those of them that failed
failed_of() {
	for failed_test; do
		grep -q '^[0-9]* 0 ' "$results/$failed_test/counts" 2>/dev/null || echo "$failed_test"
	done
}

# shellcheck disable=SC2086 # a list
first_failed=$(failed_of $chosen)
unsteady=
if [ -n "$first_failed" ] && [ -z "${STRICT:-}" ] && [ "$(echo "$first_failed" | wc -l)" -le "$second_tries" ]; then
	for test in $first_failed; do
		by_chance "$test" || continue
		"$0" --again "$test" || :
		[ -n "$(failed_of "$test")" ] || unsteady="$unsteady $test"
	done
fi

# Counted from what was to be run, so that a test that vanished is a failure.
passed=0 failed=0 skipped=0
for test in $chosen; do
	if [ -r "$results/$test/counts" ]; then
		read -r one_passed one_failed one_skipped <"$results/$test/counts"
	else
		one_passed=0 one_failed=1 one_skipped=0
	fi
	passed=$((passed + one_passed)) failed=$((failed + one_failed)) skipped=$((skipped + one_skipped))
done
# shellcheck disable=SC2086 # a list
tests/matrix.sh "$results" $chosen >"$results/matrix.md"
if [ -z "$pattern" ]; then
	# shellcheck disable=SC2086 # a list
	tests/matrix.sh --summary "$results" $chosen >"$results/summary.md"
	sed -n '/^| kernel | architecture /,/^$/p' kmod/README.md | grep . | cmp -s - "$results/summary.md" ||
		echo "the table in kmod/README.md is not what these tests have shown: that is in $results/summary.md"
fi
if [ "$failed" -gt 0 ]; then
	echo
	for test in $chosen; do
		grep -h '^FAIL' "$results/$test/report" 2>/dev/null || :
	done
fi
if [ -n "$unsteady" ]; then
	echo
	echo "unsteady: failed, and passed when tried again"
	for test in $unsteady; do
		sed -n 's/^FAIL  //p' "$results/$test/first/report"
		echo "        what it did first is in $results/$test/first"
	done
fi
echo
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
