#!/bin/sh
# SPDX-License-Identifier: MIT
# The log goes on in the next kernel after kexec.
# guest: --region static:0x50130000:0x300000:0x20000:1M --tpm new --append cma=0 --timeout 120
# guest: --file build/kernel/64k/Image=/bed/Image --file tests/kmod/kexec.sh=/bed/kexec.sh
# flavours: 64k
# shellcheck source=tests/kmod/kexec.sh
. /bed/kexec.sh
