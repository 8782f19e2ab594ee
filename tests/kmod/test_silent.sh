#!/bin/sh
# SPDX-License-Identifier: MIT
# A PCR that somebody else extends, or that a reset clears, while every command of the TPM succeeds.
# guest: --region auto --tpm new --tpm-proxy --banks sha1,sha256
# flavours: 64k 6.1
exec /bed/bin/silent
