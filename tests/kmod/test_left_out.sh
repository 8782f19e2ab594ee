#!/bin/sh
# SPDX-License-Identifier: MIT
# What a kernel lacks is said when the module is loaded, and nothing where it lacks nothing.
# guest: --region auto --tpm new
# flavours: 6.1 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh

insmod /bed/assay.ko
lacks() { # WORDS
	dmesg | grep -q "$1"
}
uring='io_uring commands left out: this kernel cannot cancel a command'
files='files cannot be measured: this kernel does not export fsverity_get_digest'
case $(uname -r) in
6.1.*)
	check 'that it has no io_uring commands is said' lacks "$uring"
	check 'that files cannot be measured is said' lacks "$files"
	;;
*)
	check 'nothing is said of io_uring' eval '! lacks "left out"'
	check 'nothing is said of files' eval '! lacks "cannot be measured"'
	;;
esac
works 'the module unloads' rmmod assay
echo "1..$check_number"
