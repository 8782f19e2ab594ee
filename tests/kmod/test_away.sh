#!/bin/sh
# SPDX-License-Identifier: MIT
# A TPM that comes late, goes away, comes back, or is used by somebody else. Not for a kernel that
# tells when a TPM is registered: there what is pending is anchored before the test has played the
# TPM that had it already (test_rebound).
# guest: --region auto --tpm new --banks sha1,sha256
# flavours: 64k 4k 6.1 amd64
exec /bed/bin/away
