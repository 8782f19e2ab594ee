#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guests of boot.sh: what the firmware measured, quoted, and what the TPM has.
set -u
mkdir -p /out
cat /sys/kernel/security/tpm0/binary_bios_measurements >/out/eventlog
for pcr in 0 1 2 3 4 5 6 7 8 9 11 12 13 14; do
	echo "$pcr $(cat /sys/class/tpm/tpm0/pcr-sha256/$pcr)"
done >/out/pcrs
assay quote --nonce 00112233445566778899aabbccddeeff --ak /ak.pem --no-assay-log --no-ima-log \
	--out /out/evidence.json
