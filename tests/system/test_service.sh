#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd in a Debian 13 as "make install" and its own unit have it: it starts with the system.
# guest: --region auto --tpm new --timeout 240
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/system/system.sh
. /bed/system.sh

check 'PID 1 is systemd' [ "$(cat /proc/1/comm)" = systemd ]
run systemctl is-system-running --wait
check 'all of the system has started' prints 0 '^running$'
run systemctl list-units --failed --plain --no-legend
check 'no unit has failed' [ ! -s "$CHECK_OUT/stdout" ]
run cat /etc/os-release
check 'it is Debian 13' prints 0 'VERSION_ID="13"'
cp /usr/bin/assay /root/copy
works 'files of the root can have fs-verity' fsverity enable /root/copy
check 'assayd is active' shows assayd ActiveState active
echo "1..$check_number"
