#!/bin/sh
# SPDX-License-Identifier: MIT
# 32-bit callers: the same ABI, by the same tests as programs for arm32: every ioctl, read
# and mmap.
# guest: --region auto --tpm new --banks sha1,sha256,sha384,sha512
# guest: --file build/guest-arm32/log=/bed/arm32/log --file build/guest-arm32/access=/bed/arm32/access
# flavours: 4k
status=0
for program in log 'access 660'; do
	echo "# $program"
	insmod /bed/assay.ko || exit 1
	# shellcheck disable=SC2086 # with its arguments
	/bed/arm32/$program || status=1
	rmmod assay || exit 1
done
exit $status
