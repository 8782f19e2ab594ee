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

listed() { # FILTER: jq is not here: the words stand in the JSON
	assay keyring list --json >/run/list && grep -q -e "$1" /run/list
}

# The 4K kernel is Debian's: IMA has no .ima there but _ima, which user space makes.
if ! keyctl describe %:.ima >/dev/null 2>&1; then
	refused 'a kernel without .ima is told' 'no keyring .ima.*INTEGRITY_TRUSTED_KEYRING' \
		assay keyring load --cert /bed/good.pem --keyring .ima
	works 'what is there is listed' sh -c 'assay keyring list | grep -q "^.fs-verity: 0 keys$"'
	refused 'a keyring that is not there is told' 'no keyring _ima' assay keyring list _ima
	refused 'nor is it made for a certificate that cannot be used' 'no subject key id' \
		assay keyring load --cert /bed/no-id.pem --keyring _ima
	refused 'and it is still not there' 'no keyring _ima' assay keyring lock --keyring _ima
	works '_ima is made where it is needed' \
		assay keyring load --cert /bed/good.pem --keyring _ima
	works 'and has the key' sh -c 'keyctl list %:_ima | grep -q "asymmetric: test: "'
	works 'in which the kernel finds it' sh -c 'keyctl show @u | grep -q "keyring: _ima"'
	works 'it is listed' sh -c 'assay keyring list | grep -q "^_ima: 1 key$"'
	works 'it is locked' assay keyring lock --keyring _ima
	refused 'then it takes no more' '_ima: the keyring is locked' \
		assay keyring load --cert /bed/late.pem --keyring _ima
	echo "1..$check_number"
	exit "$check_failed"
fi

works 'signatures are not required at first' required 0
works 'which is listed' listed '"require_signatures": false'
refused 'a certificate without subject key id is refused' 'no subject key id' \
	assay keyring load --cert /bed/good.pem --cert /bed/no-id.pem --require-signatures
works 'and nothing was changed by it' required 0
works 'no key is there' keys 0
works 'a certificate is loaded' assay keyring load --cert /bed/good.pem
works 'the kernel has its key' keys 1
works 'signatures are still not required' required 0
works 'again, and now they are' assay keyring load --cert /bed/good.pem --require-signatures
works 'the kernel says so' required 1
works 'the list, too' listed '"require_signatures": true'
works 'and has the key as the kernel describes it' \
	listed "\"description\": \"$(keyctl list %:.fs-verity | sed -n 's/.*asymmetric: //p')\""
works 'without --json as well' sh -c '
	assay keyring list .fs-verity | grep -q "^ *[0-9]*  asymmetric  test: [0-9a-f]*$"'
works 'the keyring is locked' assay keyring lock
works 'a second time it is so already' sh -c 'assay keyring lock | grep -q already'
refused 'a locked keyring is told' 'the keyring is locked' assay keyring load --cert /bed/late.pem
works 'and has the keys it had' keys 1
refused 'a keyring that trusts nobody yet is told' 'a key it trusts has signed' \
	assay keyring load --cert /bed/late.pem --keyring .ima
refused 'a keyring that is not there is told' 'no keyring .other' assay keyring list .other

nonce=000102030405060708090a0b0c0d0e0f
works 'an attestation key is made in the device'"'"'s TPM' \
	assay key create --restricted --out /out/ak.pem --public /out/ak.pub
refused 'a quote without the module is told' 'no-assay-log' \
	assay quote --nonce $nonce --ak /out/ak.pem --out /out/evidence.json
works 'and leaves no evidence' test ! -e /out/evidence.json
works 'a quote with IMA'"'"'s list' assay quote --nonce $nonce --ak /out/ak.pem --no-assay-log \
	--out /out/evidence.json --export /out/parts
works 'the same for Keylime' assay quote --format keylime --nonce 6162636465666768696a --ak /out/ak.pem \
	--no-assay-log --out /out/keylime.json
cat /sys/kernel/security/ima/ascii_runtime_measurements >/out/ascii
echo "1..$check_number"
exit "$check_failed"
