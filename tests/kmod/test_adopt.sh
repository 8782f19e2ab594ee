#!/bin/sh
# SPDX-License-Identifier: MIT
# What becomes of a log that a static region has kept.
# guest: --region kept --tpm new --append cma=0 --timeout 120
# flavours: 64k 7.3 amd64
# soak: debug
insmod /bed/scribble.ko || exit 1
/bed/bin/adopt
status=$?
rmmod scribble || exit 1
exit $status
