#!/bin/sh
# SPDX-License-Identifier: MIT
# Only the module can append: a record that somebody else extends the PCR by replays, and is
# refused; the module's own are not, also after the log was cut, and after it was begun anew.
# guest: --region auto --tpm new --banks sha1,sha256
# flavours: 64k 6.1 amd64
# shellcheck source=tests/check.sh
. /bed/check.sh

insmod /bed/assay.ko || exit 1
cd /run || exit 1
nonce=000102030405060708090a0b0c0d0e0f
assay key create --restricted --out ak.pem --public ak.pub >/dev/null || exit 1
echo '{"assay": 1, "type": "policy", "log": {"trimmed": "accept"}, "ima": {"required": false}}' >policy.json

quote() { # OUT
	assay quote --nonce $nonce --ak ak.pem --no-ima-log --out "$1" >quote.log 2>&1 || cat quote.log
}
says() { # RESULT CHECK EVIDENCE: the verdict has that check with that result
	assay verify "$3" --nonce $nonce --ak ak.pub --policy policy.json --verbose >verdict
	grep -q "^ *$1  *$2 " verdict || { cat verdict; return 1; }
}
chain() { # WHAT: that command of chain.c
	/bed/bin/chain "$@" >chain.tap || { cat chain.tap; return 1; }
	sed 's/^/# /' chain.tap
}

check 'the records are chained by keys' chain call
quote good.json
check "the module's log replays" says pass assay-log-replay good.json
check 'and the module wrote all of it' says pass assay-log-chain good.json

assay log trim --no-archive --keep 3 >/dev/null || exit 1
check 'also behind a cut' chain log
quote cut.json
check 'where the verifier takes a log that was cut' says pass assay-log-chain cut.json

/bed/bin/chain forge forged >forged.key || exit 1
read -r number key <forged.key
quote extended.json
check 'a PCR that somebody has extended: the log does not replay' says FAIL assay-log-replay extended.json
sed -n 's/^ *"cel": "\(.*\)".*/\1/p' extended.json | base64 -d >cel
cat forged >>cel
sed -e "s|\"cel\": \".*\"|\"cel\": \"$(base64 cel | tr -d '\n')\"|" \
	-e "s|\"keys\": {|&\"$number\": \"$key\",|" extended.json >forged.json
check 'with the record that they extended it by, it does' says pass assay-log-replay forged.json
check 'and is refused' says FAIL assay-log-chain forged.json
check 'for that record' grep -q "the key of record $number is not the one" verdict

rmmod assay
insmod /bed/assay.ko || exit 1
check 'a log that is begun anew has other keys' chain log
quote anew.json
check 'which the verifier takes' says pass assay-log-chain anew.json
check 'no key is given of what is not anchored' chain pending
# The driver was bound anew: the TPM has another number.
ASSAY_TCTI=device:$(echo /dev/tpmrm*) quote gap.json
check 'keys that are in no record are in the evidence' says pass assay-log-chain gap.json
rmmod assay
echo "1..$check_number"
