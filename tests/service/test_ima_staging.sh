#!/bin/sh
# SPDX-License-Identifier: MIT
# Where the kernel can stage IMA's list, what is archived is deleted from it, and none is lost or
# archived twice, wherever the service is killed: after it has staged entries, after it has archived
# them, after they were deleted, and at any time.
# guest: --region auto --tpm new --banks sha256 --timeout ${ima_timeout:-120}
# guest: --append "ima_kills=${ima_kills:-10}"
# guest: --file tests/service/ima.sh=/bed/ima.sh --file build/guest/entries=/bed/bin/entries
# flavours: 7.3
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/ima.sh
. /bed/ima.sh
total=1500
staged=$ima/binary_runtime_measurements_sha256_staged
notes=/var/lib/assay/ima.json

# whole: the whole list comes to the PCR, and has all that were made
whole() {
	assay log export --ima -o /tmp/whole && ima_replays /tmp/whole sha256 &&
		[ "$(assay replay ima /tmp/whole --json | sed -n 's/.*"entry_count": \([0-9]*\),*/\1/p')" = "$ima_next" ]
}

# notes_say MEMBER: its number
notes_say() {
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" $notes
}

insmod /bed/assay.ko || exit 1
chown 0:990 /dev/assay
chmod 660 /dev/assay
echo '[ima]
poll=50ms
interval=100ms' >/etc/assay/assayd.conf
ima_files $total
ima_read 200
check 'it starts' service_start
check 'it stages' service_waits 50 state_has '"way": "staging"'
# boot_aggregate and 200 files
check 'all is archived' service_waits 100 ima_all_archived 201
check 'and deleted from the kernel' service_waits 50 state_has '"deleted_count": 201'
check "the kernel's list is empty" [ "$(ima_count)" = 0 ]
check 'the PCR is that of all entries' state_has '"list_state": "verified"'
check 'so is what is exported' whole
check 'evidence has the whole list, and a verifier takes it' ima_evidence ima-log-replay
check 'which begins with the boot' ima_evidence ima-log-start

exec 9<$ima/binary_runtime_measurements_sha256
ima_read 20
check 'another reader is told' service_waits 100 state_has 'is in use by another program'
exec 9<&-
check 'it goes on when that has gone' service_waits 100 state_has '"deleted_count": 221'
check 'and has no problem any more' service_waits 50 state_has '"problems": \[\]'
service_stop

# As if it had been killed behind "A": entries are staged, and more come.
ima_read 30
echo A >$staged
ima_read 30
check 'with entries staged, all can be exported' whole
check 'it starts with entries staged' service_start
check 'it archives them and what came behind them' service_waits 100 state_has '"deleted_count": 281'
check 'none is lost or doubled' whole
service_stop

# Killed between archiving and "D": noting what is about to be deleted fails.
was=$(cat $notes)
rm $notes
mkdir $notes
ima_read 30
check 'it starts' service_start
check 'it archives what it cannot delete' service_waits 100 state_has 'ima.json'
service_kill
rmdir $notes
echo "$was" >$notes
check 'what is staged is in the archive as well' whole
ima_read 30
check 'it starts' service_start
check 'it deletes what it had archived, once' service_waits 100 state_has '"deleted_count": 341'
check 'none is lost or doubled' whole
service_stop

# Killed behind "D": the note says that it was about to.
sed -i 's/"deleted": 341/"deleted": 300/; s/"deleting": 0/"deleting": 341/' $notes
ima_read 30
check 'it starts' service_start
check 'what was deleted is not missed' service_waits 100 state_has '"deleted_count": 371'
check 'none is lost or doubled' whole
check 'there is no problem' state_has '"problems": \[\]'
service_stop

# The notes are gone: the entries tell where the list goes on.
rm $notes
ima_read 30
check 'it starts' service_start
check 'without its notes it finds where to go on' service_waits 100 ima_all_archived 401
check 'none is lost or doubled' whole
service_stop

ima_kill_rounds "$(((total - 400) / ima_kills))"
check "it starts after it was killed $ima_kills times" service_start
check 'every entry is archived' service_waits 300 ima_all_archived "$ima_next"
check 'and deleted' service_waits 50 [ "$(ima_count)" = 0 ]
check 'none is lost or doubled' whole
check 'it ends' service_stop
echo "1..$check_number"
