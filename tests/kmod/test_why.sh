#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay status --why`, from the facts of a machine: no module, one that finds no memory and no TPM,
# what the kernel said of it, one that is loaded.
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh

echo 1..8
modules=/lib/modules/$(uname -r)

run assay status --why
check 'there is no module for this kernel' prints 1 'the module is not loaded' 'there is no assay.ko for the kernel'
mkdir -p "$modules/updates"
cp /bed/assay.ko "$modules/updates/"
echo 'updates/assay.ko:' >"$modules/modules.dep"
run assay status --why
check 'nobody says which memory it is to have' prints 1 'nobody says which memory' 'region=auto'
check 'and there is no TPM' prints 1 'the kernel has no TPM' 'tpm_tis'
check 'the module does not load' sh -c '! insmod /bed/assay.ko 2>/dev/null'
run assay status --why
check 'what the kernel said of that is told' prints 1 'the kernel said: assay'
run assay status --why --json
check 'the same as JSON' prints 1 '"reason_id": "no-region"' '"reason_id": "kernel-message"'
check 'the module loads with memory' insmod /bed/assay.ko region=auto:2M
run assay status --why
check 'then only the TPM is wanting' prints 1 'loaded, but' 'the kernel has no TPM'
