#!/bin/sh
# SPDX-License-Identifier: MIT
# Calls that come together share a record and an extend, with a TPM that takes its time.
# guest: --region auto --tpm new --tpm-proxy --smp 2
# flavours: 64k 7.3
# soak: debug amd64
exec /bed/bin/group
