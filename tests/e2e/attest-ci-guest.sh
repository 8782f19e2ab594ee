#!/bin/sh
# SPDX-License-Identifier: MIT
# The device's half of attest-ci.sh: boots twice. In the first boot it makes its attestation
# key and asks to be enrolled; in the second it has the challenge (/bed/challenge.json),
# answers it, measures its signed files and quotes.
export PATH=/bed/bin:$PATH
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/e2e/attest-device.sh
. /bed/attest-device.sh
ak=handle:0x81000010

if [ ! -e /bed/challenge.json ]; then
	works 'an attestation key is made, and stays in the TPM' \
		assay key create --restricted --persistent $ak --out /run/ak.pem
	works 'enrolment is asked for' assay enroll request --ak $ak --machine-id ci-device \
		--out /out/request.json
	echo "1..$check_number"
	exit "$check_failed"
fi

works 'the challenge is answered' assay enroll answer /bed/challenge.json --ak $ak --out /out/answer.json
measure_disk
works 'and quoted' assay quote --nonce "$(cat /bed/nonce)" --ak $ak --out /out/evidence.json
echo "1..$check_number"
exit "$check_failed"
