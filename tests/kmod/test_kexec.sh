#!/bin/sh
# SPDX-License-Identifier: MIT
# The log goes on in the next kernel after kexec.
# guest: --region kept --tpm new --append cma=0 --timeout 120
# guest: --file build/kernel/64k/Image=/bed/Image --file tests/kmod/kexec.sh=/bed/kexec.sh
# flavours: 64k
# shellcheck source=tests/kmod/kexec.sh
. /bed/kexec.sh
