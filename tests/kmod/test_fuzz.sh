#!/bin/sh
# SPDX-License-Identifier: MIT
# Random and changed requests from several threads at once, on the kernel that checks
# itself: no report, and the log is whole afterwards; see fuzz.c. `make soak` makes a million
# calls. The seed is printed; fuzz_seed=SEED repeats a run.
# guest: --region cma:0x60000000:64M:0x730000:8M --tpm new --smp 2 --timeout ${fuzz_timeout:-120}
# guest: --append "fuzz_calls=${fuzz_calls:-15000} ${fuzz_seed:+fuzz_seed=$fuzz_seed}"
# guest: --program usr/bin/fsverity --disk "$(tests/kmod/verity-disk "$directory/verity.img")"
# flavours: debug
calls=$(sed -n 's/.*fuzz_calls=\([0-9]*\).*/\1/p' /proc/cmdline)
seed=$(sed -n 's/.*fuzz_seed=\([0-9a-fx]*\).*/\1/p' /proc/cmdline)
mkdir /disk
mount -t ext4 /dev/vda /disk && head -c 20000 /bed/busybox >/disk/verity &&
	fsverity enable /disk/verity || exit 1
insmod /bed/assay.ko || exit 1
# shellcheck disable=SC2086 # the seed may be none
/bed/bin/fuzz "$calls" $seed
status=$?
rmmod assay || exit 1
exit $status
