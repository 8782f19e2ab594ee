#!/bin/sh
# SPDX-License-Identifier: MIT
# In a guest with Secure Boot whose owner has enrolled a key: which modules it loads. For test_mok.sh.
# shellcheck source=tests/check.sh
. /bed/check.sh
modules=/bed/modules
run cat /sys/kernel/security/lockdown
check 'the kernel is locked down' prints 0 '\[integrity\]'
run cat /proc/keys
check "it has the owner's key, which shim has handed on" prints 0 'asymmetri.*DKMS module signing key'
for module in tpm_tis_core tpm_tis; do
	works "$module is loaded" insmod $modules/$module.ko
done
check 'there is a TPM' eventually [ -e /sys/class/tpm/tpm0/pcr-sha256/14 ]
check "shim has measured whose keys there are into the log's PCR" [ -z "$(grep '^0*$' /sys/class/tpm/tpm0/pcr-sha256/14)" ]
for module in unsigned changed other; do
	run insmod $modules/$module.ko region=auto
	check "assay is not: $module" [ "$status" -ne 0 ]
	check 'by the kernel' [ ! -e /sys/module/assay ]
done
check 'which says so' kernel_says 'Loading of unsigned module is rejected\|Loading of module with unavailable key is rejected'
run insmod $modules/assay.ko region=auto
check "but by the owner's signature it is" told 0
check 'and works' eventually [ -c /dev/assay ]
run assay status --why
check 'assay status knows no reason why not' told 0
echo "1..$check_number"
