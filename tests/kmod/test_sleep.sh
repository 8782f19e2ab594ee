#!/bin/sh
# SPDX-License-Identifier: MIT
# The machine is suspended, with a TPM that is slow, or loses its PCRs meanwhile.
# guest: --region auto --tpm new --tpm-proxy --smp 2 --timeout 180
# flavours: 4k
exec /bed/bin/sleep
