#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory that another processor writes to while the module looks for a log in it. `make soak` does
# it change_rounds=500 times; change_seed=SEED repeats what is changed.
# guest: --region kept --tpm new --append cma=0 --smp 2 --timeout ${change_timeout:-180}
# guest: --append "change_rounds=${change_rounds:-10} change_seed=${change_seed:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}"
# flavours: 64k
said() {
	sed -n "s/.*change_$1=\([0-9]*\).*/\1/p" /proc/cmdline
}
insmod /bed/scribble.ko || exit 1
echo "# seed $(said seed)"
exec /bed/bin/change "$(said rounds)" "$(said seed)"
