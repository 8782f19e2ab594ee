#!/bin/sh
# SPDX-License-Identifier: MIT
# A TPM that comes late, goes away, comes back, or is used by somebody else.
# guest: --region auto --tpm new --banks sha1,sha256
# flavours: 64k 7.3 6.1
exec /bed/bin/away
