# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What the shell tests share: run a command, then check what came of it; each check is
# a line of TAP. Sourced by tests/e2e/*.sh from the root of the checkout, and in guests
# as /bed/check.sh: tests/run.sh puts it there for tests/kmod/*.sh, and what boots a
# guest itself does so with --file tests/check.sh=/bed/check.sh.
#
# $CHECK_OUT is the directory in which the files stdout and stderr have what the last
# command said: absolute, for a test may change its directory, and set before this is
# sourced where it is not to be /run. The plan is the test's own, either "1..NUMBER"
# first, or 1..$check_number, which counts the checks, at the end; $check_failed is 1
# once one has failed.
: "${CHECK_OUT:=/run}"
check_number=0
check_failed=0
status=

# In guests, the bed's own (tests/kmod/module.h): busybox' shell would take its applet.
if [ -x /bed/bin/insmod ]; then
	insmod() {
		/bed/bin/insmod "$@"
	}
fi

run() { # COMMAND...: keeps its status and what it said; it gets no input
	status=0
	"$@" >"$CHECK_OUT/stdout" 2>"$CHECK_OUT/stderr" </dev/null || status=$?
}

check() { # TITLE CONDITION...: one test; the condition is a command
	check_number=$((check_number + 1))
	check_title=$1
	shift
	if "$@"; then
		echo "ok $check_number - $check_title"
	else
		check_failed=1
		[ -z "$status" ] || sed 's/^/# /' "$CHECK_OUT/stdout" "$CHECK_OUT/stderr"
		echo "# ${status:+exit status $status; }not so: $*"
		echo "not ok $check_number - $check_title"
	fi
}

skip() { # TITLE REASON: one test that cannot be made here
	check_number=$((check_number + 1))
	echo "ok $check_number - $1 # SKIP $2"
}

works() { # TITLE COMMAND...: one test, that the command ends with 0
	works_title=$1
	shift
	run "$@"
	check "$works_title" told 0
}

results() { # PROGRAM...: the tests of a program that prints TAP, counted on
	"$@" >"$CHECK_OUT/results" || check_failed=1
	while read -r results_line; do
		case $results_line in
		*ok\ *)
			check_number=$((check_number + 1))
			echo "$results_line" | sed "s/ok [0-9]*/ok $check_number/"
			;;
		1..*) ;;
		*) echo "$results_line" ;;
		esac
	done <"$CHECK_OUT/results"
}

# Conditions of any kind:

# eventually COMMAND...: it becomes true within a minute. That is far more than anything here
# takes: a machine that is busy with other tests may emulate a guest ten times slower.
eventually() {
	for _ in $(seq 600); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

# kernel_says PATTERN: so does the kernel's log, soon. Messages of other threads (kauditd's, a
# workqueue's) come some time after what they tell of.
kernel_says() {
	eventually check_kernel_log "$1"
}

check_kernel_log() {
	dmesg | grep -q -e "$1"
}

# cma_has KIB: so much of the CMA areas is free. Other data may use them and freed pages
# wait uncounted on a processor's list for a while: to be used with eventually.
cma_has() {
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(cma_free)" -ge "$1" ]
}

cma_free() { # in KiB
	awk '/^CmaFree:/ { free = $2 } END { print free + 0 }' /proc/meminfo
}

# Conditions on the command that was run:

told() { # STATUS [WORDS]...: its exit status, and each of the words on standard error
	check_said stderr "$@"
}

prints() { # STATUS [WORDS]...: its exit status, and each of the words on standard output
	check_said stdout "$@"
}

check_said() { # FILE STATUS [WORDS]...
	check_file=$CHECK_OUT/$1
	[ "$status" -eq "$2" ] || return 1
	shift 2
	for check_words; do
		grep -q -e "$check_words" "$check_file" || return 1
	done
}
