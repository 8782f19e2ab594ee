#!/bin/sh
# SPDX-License-Identifier: MIT
# IMA's list is archived exactly once, whenever the service is killed: 10,000 entries that are made
# while it is stopped, runs, and is killed at any time; violations and other templates among them.
# guest: --region auto --tpm new --banks sha1,sha256 --memory 4G --timeout ${ima_timeout:-120}
# guest: --append "ima_kills=${ima_kills:-20}"
# guest: --file tests/service/ima.sh=/bed/ima.sh --file build/guest/entries=/bed/bin/entries
# flavours: 64k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/ima.sh
. /bed/ima.sh
total=10000

insmod /bed/assay.ko || exit 1
chown 0:990 /dev/assay
chmod 660 /dev/assay
echo '[ima]
poll=50ms
interval=100ms
entries=500' >/etc/assay/assayd.conf

ima_files $total
ima_read 2000
# A file that is open for writing, and one of a rule with another template.
chown 1001 "$files/$(sed -n 9990p /tmp/names)" "$files/$(sed -n 9991p /tmp/names)"
echo 'measure func=FILE_CHECK mask=MAY_READ fowner=1001 template=ima-sig' >$ima/policy
exec 8>>"$files/$(sed -n 9990p /tmp/names)"
cat "$files/$(sed -n 9990p /tmp/names)" "$files/$(sed -n 9991p /tmp/names)"
exec 8>&-
check 'there is a violation' [ "$(cat $ima/violations)" -gt 0 ]
check 'there is another template' grep -q ' ima-sig ' $ima/ascii_runtime_measurements
check 'it starts' service_start
check 'what was measured before it started is archived' \
	service_waits 200 ima_all_archived "$(ima_count)"
check "and comes to the TPM's PCR" state_has '"list_state": "verified"'
check 'it stops' service_stop

ima_kill_rounds "$(((total - 2000) / ima_kills))"
# What is left of them, where their number is no multiple of the kills'.
[ "$ima_next" -gt $total ] || ima_read $((total - ima_next + 1))
check "it starts after it was killed $ima_kills times" service_start
check 'every entry is archived' service_waits 300 ima_all_archived "$(ima_count)"
check 'no problem is left' state_has '"problems": \[\]'
check "all come to the TPM's PCR" state_has '"list_state": "verified"'
assay log export --ima -o /tmp/whole
cat $ima/binary_runtime_measurements_sha256 >/tmp/kernel
check 'violations are counted' state_has "\"violation_count\": $(cat $ima/violations)"
check "archive and kernel come to the kernel's list, byte for byte" cmp /tmp/whole /tmp/kernel
check 'there are as many as were made' [ "$(ima_count)" -gt $total ]
check 'they replay' ima_replays /tmp/whole sha256
assay log export --ima --bank sha1 -o /tmp/whole1
cat $ima/binary_runtime_measurements >/tmp/kernel1
check "the list of another bank is the kernel's as well" cmp /tmp/whole1 /tmp/kernel1
check 'evidence has the list' ima_evidence ima-log-replay
# What a verifier has not judged yet.
some=$(($(ima_count) - 100))
run assay quote --nonce 000102030405060708090a0b0c0d0e0f --ak /run/ak.pem --since-ima $some --out /run/since.json --json
check 'evidence can begin with a later entry' prints 0 "\"ima_log_entries\": *$(ima_count),"
check 'and says so' grep -q "\"first\": *$some" /run/since.json
check 'and is small' [ "$(wc -c </run/since.json)" -lt 100000 ]
check 'it ends' service_stop
echo "1..$check_number"
