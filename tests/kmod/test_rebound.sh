#!/bin/sh
# SPDX-License-Identifier: MIT
# A TPM that its driver registers again, on a kernel that tells so.
# guest: --region auto --tpm new --tpm-proxy
# flavours: 7.3
exec /bed/bin/rebound
