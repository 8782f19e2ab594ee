#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine of the fleet: its assayd measures what a signed manifest names, mirrors IMA's list, and pushes evidence to the
# fleet's verifier over TLS with a certificate of its own. With "tampered=PORT" on the kernel's command line,
# somebody runs a program that nobody has signed once the host ends a connection at that port. For demo-fleet.sh, which ends the others.
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh

bail() {
	echo "Bail out! $*"
	exit 1
}
verdict_is() {
	state_has "\"verdict\": \"$1\""
}

while read -r module; do
	insmod "/bed/net/$module" || bail "no module $module"
done </bed/net/modules.list
{ ip link set lo up && ip link set eth0 up && ip address add 10.0.2.15/24 dev eth0; } || bail 'no network'
mkdir -p /disk
mount -t ext4 /dev/vda /disk || bail 'no disk'
cp /bed/busybox /disk/
fsverity enable /disk/busybox || bail 'no fs-verity'
# Programs that are run from the disk are measured, as files: by digest_type=verity one without fs-verity is not.
echo 'measure func=BPRM_CHECK fsmagic=0xef53' >/sys/kernel/security/ima/policy || bail 'no policy for IMA'
insmod /bed/assay.ko || bail 'no module assay'
chown 0:990 /dev/assay /dev/tpmrm0
chown 990:990 /etc/assay/ak.pem /etc/assay/device.key
chmod 660 /dev/assay /dev/tpmrm0
/disk/busybox true || bail 'the program does not run'

check 'the service starts' service_start
check 'the fleet trusts this machine' service_waits 600 verdict_is trusted
port=$(sed -n 's/.*tampered=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -n "$port" ] || exec sleep 3600
nc 10.0.2.2 "$port" </dev/null
cp /disk/busybox /disk/evil
echo >>/disk/evil
/disk/evil true
check 'its own service is told that it is not trusted, and why' service_waits 600 state_has 'ima-files-known: /disk/evil'
echo "1..$check_number"
