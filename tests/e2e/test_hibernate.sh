#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine hibernates, and goes on with a TPM that was powered off; see tests/kmod/hibernate.c.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 143' INT TERM HUP
CHECK_OUT=$directory
. tests/check.sh

guest() { # NAME WORDS
	qemu/run-guest --flavour 7.3 --region auto --tpm "$directory/tpm" --disk "$directory/swap" \
		--init tests/kmod/hibernate.sh --out "build/guests/hibernate-$1" --timeout 120 \
		--append "resume=/dev/vda resumewait $2" \
		--file build/kmod/7.3/assay.ko=/bed/assay.ko --file build/kmod/7.3/scribble.ko=/bed/scribble.ko \
		--file build/guest/kmod/insmod=/bed/bin/insmod --file build/guest/kmod/hibernate=/bed/bin/hibernate
}
# Each ends by powering off, which run-guest takes for lost; it tells what the kernel complains of.
quiet() {
	told 3 && ! grep -q 'the kernel complained' "$CHECK_OUT/stderr"
}
hibernated() {
	grep -aq '# hibernating with' build/guests/hibernate-first/result.tap &&
		grep -aq 'reboot: Power down' build/guests/hibernate-first/console.log
}
# The second one's lines, which are on its console: as many as it should have, all good.
good() {
	tr -d '\r' <build/guests/hibernate-second/console.log |
		grep -a '^ok\|^not ok\|^Bail\|^1\.\.' >"$directory/lines"
	sed 's/^/# /' "$directory/lines"
	[ "$(grep -c '^ok' "$directory/lines")" -eq 8 ] && grep -qx '1\.\.8' "$directory/lines" &&
		! grep -q '^not ok\|^Bail' "$directory/lines"
}

qemu/make-tpm "$directory/tpm" sha256
truncate -s 1G "$directory/swap"
PATH=$PATH:/sbin:/usr/sbin mkswap -q "$directory/swap"
run guest first ''
check 'the machine writes its image and powers off' hibernated
check 'of which the kernel does not complain' quiet
run guest second no_image
check 'another one goes on with it: the log as it was, and the TPM known to be reset' good
check 'of which the kernel does not complain either' quiet
echo "1..$check_number"
exit "$check_failed"
