#!/bin/sh
# SPDX-License-Identifier: MIT
# Headers in a static region that nothing in the log speaks for, or whose numbers overflow.
# guest: --region kept --tpm new --append cma=0 --timeout 240
# flavours: 64k
insmod /bed/scribble.ko || exit 1
exec /bed/bin/forge
