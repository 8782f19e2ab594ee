#!/bin/sh
# SPDX-License-Identifier: MIT
# A TPM that fails in every way it can while it is there.
# guest: --region auto --tpm new --tpm-proxy --banks sha1,sha256
# flavours: 64k 7.3
exec /bed/bin/faulty
