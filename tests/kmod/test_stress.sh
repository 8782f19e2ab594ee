#!/bin/sh
# SPDX-License-Identifier: MIT
# Appenders, readers, trims, kills, a TPM that fails and claims that do, all at once, on
# the kernel that checks itself: no report, nothing lost and nothing twice, and the PCR is
# explained in the end; see stress.c. `make soak` does it for ten minutes. The seed is
# printed; stress_seed=SEED repeats a run, though not its moments.
# guest: --region cma:0x60000000:64M:0x730000:1M --tpm new --tpm-proxy --banks sha1,sha256 --smp 2
# guest: --timeout ${stress_timeout:-240}
# guest: --append "stress_seconds=${stress_seconds:-15} ${stress_seed:+stress_seed=$stress_seed}"
# guest: --program usr/bin/fsverity --disk "$(tests/kmod/verity-disk "$directory/verity.img")"
# flavours: debug
seconds=$(sed -n 's/.*stress_seconds=\([0-9]*\).*/\1/p' /proc/cmdline)
seed=$(sed -n 's/.*stress_seed=\([0-9a-fx]*\).*/\1/p' /proc/cmdline)
mkdir /disk
mount -t ext4 /dev/vda /disk || exit 1
for i in $(seq 0 15); do
	head -c $((i * 5000)) /bed/busybox >"/disk/$i" && fsverity enable "/disk/$i" || exit 1
done
insmod /bed/assay.ko || exit 1
# shellcheck disable=SC2086 # the seed may be none
/bed/bin/stress "$seconds" $seed
status=$?
rmmod assay || exit 1
exit $status
