#!/bin/sh
# SPDX-License-Identifier: MIT
# Unloading against the committer's timers.
# guest: --region auto --smp 2
# flavours: 64k debug
insmod /bed/hold.ko || exit 1
exec /bed/bin/unload
