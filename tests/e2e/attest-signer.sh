# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by attest-ci.sh and test_attest_again.sh.

# make_disk DIRECTORY: signs DIRECTORY/tree/app with a key of its own, and makes a disk of the tree;
# leaves signer.pem, manifest.jsonl, its signature, and disk.img in DIRECTORY.
make_disk() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 \
		-subj '/CN=CI signer' -keyout "$1/signer.key" -out "$1/signer.pem" &&
		build/host/assay sign --key "$1/signer.key" --cert "$1/signer.pem" --root "$1/tree" \
			--manifest "$1/manifest.jsonl" app &&
		cp "$1"/manifest.jsonl* "$1/tree/" &&
		mke2fs -q -t ext4 -b 4096 -O verity -E root_owner=0:0 -d "$1/tree" "$1/disk.img" 64M
}
