#!/bin/sh
# SPDX-License-Identifier: MIT
# The device's half of test_attest_again.sh: enrolled once, it quotes several times while its log
# goes on, and is trimmed, and leaves the evidence in /out.
export PATH=/bed/bin:$PATH
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/e2e/attest-device.sh
. /bed/attest-device.sh
ak=handle:0x81000010
log=/sys/class/misc/assay/log

quote() { # NUMBER OPTION...
	quote_number=$1
	shift
	assay quote --nonce "$(cat /bed/nonce)0$quote_number" --ak "$ak" --out "/out/$quote_number.json" "$@"
}
go_on() { assay measure /mnt/app/lib/1 && assay measure /mnt/app/lib/2; }

# The makers' certificates are of today.
date -s "@$(cat /bed/now)" >/dev/null
works 'an attestation key is made, and stays in the TPM' \
	assay key create --restricted --persistent $ak --out /run/ak.pem
works 'the device is enrolled' assay enroll --ak $ak --machine-id again --records /out/records \
	--roots /bed/roots.pem --intermediates /bed/issuer.pem
measure_disk
works 'it is quoted' quote 1
next=$(cat $log/records)
works 'more is measured' go_on
works 'what is new is quoted' quote 2 --since "$next"
works 'more is measured again' go_on
works 'the log is trimmed up to what was quoted' assay log trim --no-archive "$next"
works 'what is left is quoted' quote 3
works 'more is measured a third time' go_on
works 'and trimmed before anybody has seen it' assay log trim --no-archive --keep 1
works 'what is left of that is quoted' quote 4
echo "1..$check_number"
exit "$check_failed"
