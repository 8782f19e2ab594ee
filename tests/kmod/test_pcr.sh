#!/bin/sh
# SPDX-License-Identifier: MIT
# The parameter pcr: those of others and those that can be reset are refused, others work.
# guest: --region auto --tpm new
# flavours: 64k
# shellcheck source=tests/check.sh
. /bed/check.sh
refuse='5 9 10 11 12 13 15 16 23 24 4294967295'
refused() { # PCR
	dmesg -c >/dev/null
	! insmod /bed/assay.ko pcr="$1" 2>/dev/null && dmesg | grep -q "PCR $1 .*choose another"
}
accepted() { # PCR
	file=/sys/class/tpm/tpm0/pcr-sha256/$1
	before=$(cat "$file")
	insmod /bed/assay.ko pcr="$1" || return 1
	read -r anchors </sys/class/misc/assay/log/anchors
	rmmod assay
	[ "$anchors" = 1 ] && [ "$(cat "$file")" != "$before" ]
}
for pcr in $refuse; do
	check "pcr=$pcr is refused" refused "$pcr"
done
for pcr in 0 7 8 14; do
	check "pcr=$pcr is extended" accepted "$pcr"
done
echo "1..$check_number"
