#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian's own kernel starts IMA before the TPM's driver: no PCR holds its entries. They are
# mirrored in assay's log, once each and in order, whenever the service is killed, and so are
# anchored by that log's PCR.
# guest: --region auto --tpm new --banks sha256 --timeout ${ima_timeout:-120}
# guest: --append "ima_kills=${ima_kills:-6}"
# guest: --file tests/service/ima.sh=/bed/ima.sh --file build/guest/entries=/bed/bin/entries
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/ima.sh
. /bed/ima.sh
total=3000
notes=/var/lib/assay/ima.json

# mirrored_is_list: the log's entries of IMA's list are the kernel's, in order. Without a TPM, as IMA
# sees it, the kernel has no list but that with SHA-1.
mirrored_is_list() {
	assay log show >/tmp/shown || return 1
	sed -n 's/^ *PCR 10 .* sha1:\([0-9a-f]*\) .*/\1/p' /tmp/shown >/tmp/mirrored
	cut -d ' ' -f 2 $ima/ascii_runtime_measurements >/tmp/listed
	[ -s /tmp/listed ] && cmp /tmp/mirrored /tmp/listed
}

ima_mirrored() {
	state_has "\"mirrored_count\": $1,"
}

insmod /bed/assay.ko || exit 1
chown 0:990 /dev/assay
chmod 660 /dev/assay
echo '[ima]
poll=50ms
interval=100ms' >/etc/assay/assayd.conf
ima_files $total
ima_read 1500
check 'it starts' service_start
check 'it says that IMA bypassed the TPM' service_waits 100 state_has '"list_state": "bypassed"'
check 'it mirrors what is archived' service_waits 200 ima_mirrored 1501
check "the log has the kernel's entries, in order" mirrored_is_list
check 'in few records' [ "$(cat /sys/class/misc/assay/log/records)" -le 5 ]
check 'all of them are anchored' \
	[ "$(cat /sys/class/misc/assay/log/records)" = "$(cat /sys/class/misc/assay/log/anchors)" ]
ima_read 10
check 'and what comes later' service_waits 100 ima_mirrored 1511
check 'in order' mirrored_is_list
check 'there is no problem' service_waits 20 state_has '"problems": \[\]'
service_stop
noted=$(cat $notes)

ima_kill_rounds "$(((total - 1510) / ima_kills))"
check "it starts after it was killed $ima_kills times" service_start
check 'all is mirrored' service_waits 200 ima_mirrored "$(ima_count)"
check 'once each, and in order' mirrored_is_list
service_stop

# Killed when records were written and that was not noted yet: the log itself tells.
echo "$noted" >$notes
check 'it starts' service_start
check 'what the log has is counted' service_waits 100 ima_mirrored "$(ima_count)"
check 'and not mirrored twice' mirrored_is_list
service_stop
rm $notes
check 'it starts without any notes' service_start
check 'all that the log has is counted' service_waits 100 ima_mirrored "$(ima_count)"
check 'and not mirrored twice' mirrored_is_list

check 'a verifier judges the entries that the log has' \
	ima_evidence "ima-log-entries .* $(ima_count) of them in assay's log" --no-ima-log
check 'it ends' service_stop
assay log export --format cel-tlv -o /out/log || exit 1
assay replay cel /out/log >/tmp/replayed
check 'the log replays to its PCR' \
	grep -q "$(tr A-F a-f </sys/class/tpm/tpm0/pcr-sha256/14)" /tmp/replayed

# What was cut off the log is counted in the archive.
assay log trim --no-archive --keep 1 >/dev/null || exit 1
records=$(cat /sys/class/misc/assay/log/records)
rm $notes
check 'it starts without notes once the log was cut' service_start
check 'what was cut off is counted in the archive' service_waits 200 ima_mirrored "$(ima_count)"
check 'there is no problem' service_waits 20 state_has '"problems": \[\]'
check 'nothing is mirrored again' [ "$(cat /sys/class/misc/assay/log/records)" = "$records" ]
check 'it ends' service_stop

# The module is loaded again, and begins another log, which has as many records before the service sees
# it: all is mirrored in that one.
rmmod assay
insmod /bed/assay.ko
chown 0:990 /dev/assay
chmod 660 /dev/assay
/bed/bin/append $((records + 10)) 100 >/dev/null
check 'it starts with another log of the same boot' service_start
again=/var/lib/assay/archive/$(cat /proc/sys/kernel/random/boot_id).1
mirrored_anew() { # by records that come behind those
	[ "$(cat /sys/class/misc/assay/log/records)" -ge $((records + 12)) ] && ima_mirrored "$(ima_count)" &&
		mirrored_is_list
}
check 'all is mirrored in that one' service_waits 200 mirrored_anew
check 'it ends' service_stop
assay log trim --no-archive --keep 1 >/dev/null || exit 1
records=$(cat /sys/class/misc/assay/log/records)
rm $notes
check 'it starts when that log was cut' service_start
check "it goes on with that log's archive" service_waits 100 state_has "\"directory\": \"$again\""
check "what was cut off is counted in that log's archive" service_waits 200 ima_mirrored "$(ima_count)"
check 'there is no problem' service_waits 20 state_has '"problems": \[\]'
check 'nothing is mirrored again' [ "$(cat /sys/class/misc/assay/log/records)" = "$records" ]
check 'it ends at last' service_stop
echo "1..$check_number"
