#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of bench-boot: opens and reads files plainly, after assay-initrd has measured
# them by a directory or by a manifest, and with IMA measuring each; first with the TPM as it is,
# then with one that takes 5 ms for an extend. The files are cached: the disk is no part of it. IMA
# measures a file once, so it gets a directory of its own for each TPM. Prints
#	# TPM WAY NANOSECONDS NANOSECONDS-OF-ASSAY-INITRD EXTENDS
COUNT=$(sed -n 's/.*bench_count=\([0-9]*\).*/\1/p' /proc/cmdline)
RUNS=$(sed -n 's/.*bench_runs=\([0-9]*\).*/\1/p' /proc/cmdline)
bench=/bench

echo "1..1"
failed() { # WHAT
	echo "not ok 1 - $1"
	exit 1
}
insmod $bench/assay.ko || failed 'assay.ko does not load'
for directory in assay fast slow; do
	# Only what this user owns is IMA's, see below.
	[ "$directory" = assay ] || chown -R 1000 "$bench/$directory"
	$bench/measure enable "$bench/$directory" "$COUNT" >/dev/null || failed enable
done

ima_extends() { # every entry of IMA's list is an extend of its PCR
	cat /sys/kernel/security/ima/runtime_measurements_count
}

assay_extends() {
	cat /sys/class/misc/assay/log/anchors
}

# way TPM NAME MODE DIRECTORY COUNTER
way() {
	way_before=$($5)
	way_time=$($bench/measure "$3" "$bench/$4" "$COUNT") || failed "$2"
	echo "# $1 $2 $way_time $(($($5) - way_before))"
}

echo 'measure func=FILE_CHECK mask=MAY_READ fowner=1000 digest_type=verity template=ima-ngv2' \
	>/sys/kernel/security/ima/policy || failed "IMA's policy"
$bench/measure plain $bench/assay "$COUNT" >/dev/null
initrd="$bench/assay-initrd --root / >/dev/console 2>&1 --rules /etc/assay"
for tpm in fast slow; do
	[ $tpm = fast ] || $bench/extend-delay 14 5 || failed delay
	for _ in $(seq "$RUNS"); do
		way $tpm plain plain assay assay_extends
		export ASSAY_INITRD="$initrd/measure.d"
		way $tpm assay initrd assay assay_extends
		export ASSAY_INITRD="$initrd/manifest.d"
		way $tpm manifest initrd assay assay_extends
	done
	[ $tpm = fast ] || $bench/extend-delay 10 5 || failed delay
	way $tpm ima plain $tpm ima_extends
done
echo "ok 1 - measured"
