#!/bin/sh
# SPDX-License-Identifier: MIT
# What test_keyring.sh runs in its guest.
export PATH=/bed/bin:$PATH
# shellcheck source=tests/check.sh
. /bed/check.sh

refused() { # TITLE WORDS COMMAND...
	title=$1 words=$2
	shift 2
	run "$@"
	check "$title" told 1 "$words"
}

required() { test "$(cat /proc/sys/fs/verity/require_signatures)" = "$1"; }
keys() { test "$(grep -c 'asymmetri.*X509.ecdsa' /proc/keys)" -eq "$1"; }

works 'signatures are not required at first' required 0
refused 'a certificate without subject key id is refused' 'no subject key id' \
	assay key load --cert /bed/no-id.pem --require-signatures
works 'and nothing was changed by it' required 0
works 'no key is there' keys 0
works 'a certificate is loaded' assay key load --cert /bed/good.pem
works 'the kernel has its key' keys 1
works 'signatures are still not required' required 0
works 'again, and now they are' assay key load --cert /bed/good.pem --require-signatures
works 'the kernel says so' required 1
works 'the keyring is closed' keyctl restrict_keyring %:.fs-verity
refused 'a closed keyring is told' 'the keyring is closed' assay key load --cert /bed/late.pem
works 'and has the keys it had' keys 1
refused 'a keyring that trusts nobody yet is told' 'a key it trusts has signed' \
	assay key load --cert /bed/late.pem --keyring .ima

nonce=000102030405060708090a0b0c0d0e0f
works 'an attestation key is made in the device'"'"'s TPM' \
	assay key create --restricted --out /out/ak.pem --public /out/ak.pub
refused 'a quote without the module is told' 'no-assay-log' \
	assay quote --nonce $nonce --ak /out/ak.pem --out /out/evidence.json
works 'and leaves no evidence' test ! -e /out/evidence.json
works 'a quote with IMA'"'"'s list' assay quote --nonce $nonce --ak /out/ak.pem --no-assay-log \
	--out /out/evidence.json --export /out/parts
echo "1..$check_number"
exit "$check_failed"
