#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd in a Debian 13 whose module is not there at the boot, and whose TPM goes and comes back: the
# system starts all the same, what is wrong is told with what to do, and the service goes on.
# guest: --region auto --tpm new --timeout 300
# boot: no-module
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/system/system.sh
. /bed/system.sh

bind_tpm() { # bind|unbind
	for tpm in /sys/bus/platform/devices/*.tpm_tis; do
		basename "$tpm" >"/sys/bus/platform/drivers/tpm_tis/$1"
	done
}

device_is() { # OWNER GROUP MODE, in one word
	[ "$(stat -c '%U %G %a' /dev/assay)" = "$1" ]
}

problem_says() { # WORDS
	jq -r '.problems[].text' /run/assay/state.json 2>/dev/null | grep -q -e "$1"
}

run systemctl is-system-running --wait
check 'without the module the system starts' prints 0 '^running$'
check 'and the service, too' shows assayd ActiveState active
check 'its state says what to do' waits problem_says 'no /dev/assay: load the module'
run assay status
check 'assay status as well' grep -q 'load the module' "$CHECK_OUT/stdout"
check 'and the journal' waits journal_has ASSAY_PROBLEM=device _SYSTEMD_UNIT=assayd.service
check 'systemd is told that there is a problem' waits status_says problem
works 'the module is loaded' modprobe assay
check 'udev gives the device to the group' waits device_is 'root assay 660'
check 'the service finds it' waits state_is '.device_present'
somebody() { # GROUP COMMAND...
	somebody_group=$1
	shift
	setpriv --reuid nobody --regid nogroup --groups "$somebody_group" "$@"
}
run somebody nogroup assay log show
check 'somebody else may not open it' told 1 '/dev/assay may not be opened: Permission denied; run this as root'
works 'but a member of its group' somebody assay assay log show

exec 3<>/dev/tpm0
run assay key create --tcti device:/dev/tpm0 --out /root/key.pem
check 'a TPM that another program has is told' told 1 'the TPM at /dev/tpm0 is in use by another program' /dev/tpmrm0
works 'which others can use by way of the resource manager' assay key create --tcti device:/dev/tpmrm0 --out /root/key.pem
exec 3>&-

for file in jq curl tpm2; do
	fsverity enable "/usr/bin/$file"
done
works 'a file is measured' assay measure /usr/bin/jq
bind_tpm unbind
check 'the TPM is gone' [ ! -e /dev/tpm0 ]
run assay measure /usr/bin/curl
check 'measuring says that it is' told 1 'TPM'
run varlinkctl call /run/assay/assayd org.assay.Status '{}'
check 'the service answers' [ "$status" -eq 0 ]
bind_tpm bind
check 'the TPM is back' waits test -c /dev/tpm0
works 'a file is measured again' assay measure /usr/bin/tpm2
check 'the service was not restarted by any of it' shows assayd NRestarts 0
run assay log show
check 'the log has all three' prints 0 /usr/bin/jq /usr/bin/curl /usr/bin/tpm2
run systemctl list-units --failed --plain --no-legend
check 'no unit has failed' [ ! -s "$CHECK_OUT/stdout" ]
[ "$check_failed" -eq 0 ] || journalctl --boot --unit assayd --no-pager | sed 's/^/# /'
echo "1..$check_number"
