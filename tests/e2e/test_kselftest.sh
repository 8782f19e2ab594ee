#!/bin/sh
# SPDX-License-Identifier: MIT
# The module's tests in the form of the kernel's self-tests: built by the kernel's rules for these, and
# run by its runner.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$directory
. tests/check.sh

kernel=$(cd build/kernel/7.3/build/source && pwd)
selftests=$kernel/tools/testing/selftests
build() { # TARGET...
	make -s -C "$directory/assay" KSELFTEST="$selftests" \
		CC="aarch64-linux-gnu-gcc --sysroot=$PWD/build/sysroot" USERCFLAGS=-Werror USERLDFLAGS=-static "$@"
}
# As `make install` of the kernel's has it.
install_tests() {
	mkdir -p "$directory/root/kselftest"
	cp "$selftests/run_kselftest.sh" "$directory/root/"
	cp "$selftests"/kselftest/* "$directory/root/kselftest/"
	build emit_tests COLLECTION=assay >"$directory/root/kselftest-list.txt"
	cp -r "$directory/assay" "$directory/root/assay"
}
all_ran() { # each of them, and none is skipped
	tests=$(wc -l <"$directory/root/kselftest-list.txt")
	[ "$tests" -ge 5 ] && [ "$(grep -c '^ok [0-9]* selftests: assay: [a-z]*\.sh$' "$directory/stdout")" -eq "$tests" ]
}

works 'the tests are exported' tests/kselftest/export "$directory/assay"
run tests/kselftest/export "$directory/assay"
check 'but not over what is there' told 2 'name a new directory'
works "the kernel's rules build them" build all
works 'and list them' install_tests
run qemu/run-guest --flavour 7.3 --region auto --tpm new --banks sha1,sha256,sha384,sha512 --smp 2 \
	--file build/kmod/7.3/assay.ko=/bed/assay.ko --file "$directory/root=/kselftest" \
	--init tests/kmod/kselftest.sh --out build/guests/kselftest --timeout "${kselftest_timeout:-120}"
check "the kernel's runner runs them" told 0
check 'all of them pass' all_ran
echo "1..$check_number"
exit "$check_failed"
