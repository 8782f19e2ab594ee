#!/bin/sh
# SPDX-License-Identifier: MIT
# In a Debian 13 that has booted through an initramfs of its own: stage 1 has measured there, and the
# service goes on with the same log. For test_initramfs_boot.sh.
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/system/system.sh
. /bed/system.sh

manifest_files='/usr/bin/curl /usr/bin/jq'
result=/run/assay/stage1.json

counts() { # PATH: how often the log has it
	grep -c "  $1\$" "$CHECK_OUT/stdout" || :
}

stage1_is() { # FILTER
	jq -e "$1" $result >/dev/null
}

extends() {
	cat /sys/class/misc/assay/log/anchors
}

run systemctl is-system-running --wait
check 'all of the system has started' prints 0 '^running$'
check 'nothing of the bed was in the initramfs' [ ! -e /bed/modules ]

check 'stage 1 has left its result' stage1_is '.outcome == "measured" and .measured_count == 2 and
	.record_count == 1 and .failed_count == 0 and .action == "continue"'
tr -d '\n' <$result 2>/dev/null | sed 's/,  */, /g; s/^/# /; s/$/\n/'
extends_before=$(extends)
run assay log show
sed 's/^/# /' "$CHECK_OUT/stdout"
check 'all of it is one record' [ "$(grep -c ' MEASURE ' "$CHECK_OUT/stdout")" -eq 1 ]
for file in $manifest_files; do
	check "$file is in the log once, as the running system sees it" [ "$(counts "$file")" = 1 ]
done
check 'nothing has the path of the mount' sh -c '! grep -E "sysroot|/root/" /run/stdout'

run assay keyring list .fs-verity
check 'whose signatures count, stage 1 has settled' prints 0 '^.fs-verity: 1 key$'
run assay keyring load --cert /etc/assay/certificates/signer.pem
check 'and root can add nobody' told 1 'the keyring is locked'

check 'the service has the device' waits state_is .device_present
check 'its state tells of stage 1' waits state_is '.parts.measure.stage1.measured_count == 2'
check 'whose files it knows' waits state_is \
	'.parts.measure.last_pass | .outcome == "measured" and .known_count == 2 and .measured_count == 0'
jq -c .parts.measure "$state" | sed 's/^/# /'
check 'it has no problem' waits state_is '.problems | length == 0'
works 'a file is measured later' assay measure /usr/bin/tpm2
run assay log show
check 'it is in the same log' prints 0 '/usr/bin/jq$' '/usr/bin/tpm2$'
check 'by one more extend' [ "$(extends)" -eq $((extends_before + 1)) ]
works 'the service is restarted' systemctl restart assayd
check 'and is ready' waits state_is ".pid == $(main_pid) and .device_present"
run assay log show
check 'nothing is measured twice by that' [ "$(counts /usr/bin/jq) $(counts /usr/bin/curl)" = '1 1' ]
assay log export --format cel-tlv --out /run/log.cel
tpm2_pcrread sha256:14 >/run/pcr
run assay replay cel /run/log.cel --expect "14:sha256:$(sed -n 's/^ *14: *0x//p' /run/pcr | tr A-F a-f)"
check "the log replays to the TPM's PCR" told 0
if [ "$check_failed" -ne 0 ]; then
	journalctl --boot --output short-monotonic --no-pager | grep -a -i 'assay\|switch' | sed 's/^/# /'
fi
echo "1..$check_number"
