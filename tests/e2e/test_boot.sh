#!/bin/sh
# SPDX-License-Identifier: MIT
# What the firmware of an arm64 machine with UEFI, Secure Boot and a TPM measures, judged: boot.sh.
set -eu
exec "$(dirname "$0")/boot.sh" arm64
