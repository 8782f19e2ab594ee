#!/bin/sh
# SPDX-License-Identifier: MIT
# What the firmware of an x86-64 machine with UEFI, Secure Boot and a TPM measures, judged: boot.sh.
set -eu
exec "$(dirname "$0")/boot.sh" amd64
