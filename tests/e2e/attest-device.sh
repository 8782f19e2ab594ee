# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by devices that are attested (attest-ci-guest.sh, attest-again-guest.sh), after check.sh.

mounted() { mkdir -p /mnt && mount -t ext4 /dev/vda /mnt; }

# The log, and in it what is on the disk of attest-signer.sh.
measure_disk() {
	works 'the module is loaded' insmod /bed/assay.ko
	works 'the disk is mounted' mounted
	works 'the signer is trusted' assay keyring load --cert /bed/signer.pem --require-signatures
	works 'fs-verity is on for what is signed' assay enable --root /mnt --manifest /mnt/manifest.jsonl \
		--cert /bed/signer.pem
	works 'what is signed is measured' assay measure --root /mnt --manifest /mnt/manifest.jsonl
}
