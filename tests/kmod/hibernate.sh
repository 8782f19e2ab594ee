#!/bin/sh
# SPDX-License-Identifier: MIT
# Run in both guests of tests/e2e/test_hibernate.sh; the second one does not get here.
if grep -q no_image /proc/cmdline; then
	echo 'Bail out! the image on the disk was not resumed'
	exit 1
fi
insmod /bed/scribble.ko || exit 1
exec /bed/bin/hibernate /dev/vda
