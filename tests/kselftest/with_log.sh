#!/bin/sh
# SPDX-License-Identifier: MIT
# with_log.sh PROGRAM: loads assay.ko, runs the program, which prints TAP, and unloads the module.
# ASSAY_KO names the module if modprobe does not find it, ASSAY_PARAMETERS what it is loaded with. Of
# a machine that has a log already nothing is touched.
ksft_skip=4

skip() { # WHY
	echo "1..0 # SKIP $1"
	exit $ksft_skip
}

[ "$(id -u)" -eq 0 ] || skip 'this needs root'
[ -e /sys/class/tpm/tpm0 ] || skip 'this needs a TPM'
[ ! -e /sys/module/assay ] || skip 'assay is loaded, and its log is not for tests'
# shellcheck disable=SC2086 # parameters, as words
if [ -n "${ASSAY_KO:-}" ]; then
	insmod "$ASSAY_KO" ${ASSAY_PARAMETERS:-} || skip "$ASSAY_KO does not load here: see dmesg"
else
	modprobe assay ${ASSAY_PARAMETERS:-} || skip 'assay does not load here: see dmesg'
fi
status=0
"./$1" || status=1
rmmod assay || status=1
exit $status
