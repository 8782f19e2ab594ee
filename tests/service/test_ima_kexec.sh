#!/bin/sh
# SPDX-License-Identifier: MIT
# IMA's list goes over kexec (CONFIG_IMA_KEXEC), and PCR 10 goes on: the archives of all boots are one
# list, each entry once, that comes to the PCR. The first kernel hands on what was not archived yet,
# the second nothing, as all was archived and deleted, the third a list of which nothing was deleted,
# the fourth less than is archived: what came after the next kernel was loaded has no room.
# guest: --region kept --tpm new --banks sha256 --append cma=0 --timeout 300
# guest: --disk "$(tests/service/archive-disk $directory/disk)"
# guest: --file build/kernel/7.3/Image=/bed/Image --file tests/service/ima.sh=/bed/ima.sh
# guest: --file build/guest/entries=/bed/bin/entries
# flavours: 7.3
# shellcheck disable=SC2119
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/ima.sh
. /bed/ima.sh

# Of the kernel before: how many kexecs there were, entries in all, files read, its archive.
sed -n 's/.*carried=\([^ ]*\).*/\1/p' /proc/cmdline | tr ',' ' ' >/run/carried
kexecs=0 entries=0 read_before=0 before=
read -r kexecs entries read_before before </run/carried || :
: "${kexecs:=0}" "${entries:=0}" "${read_before:=0}"
archive_root=/var/lib/assay/archive

go_on() { # [COMMAND]: the next kernel, with all that there is here; it is loaded, then COMMAND runs
	cd / || exit 1
	find . -xdev ! -path './proc/*' ! -path './sys/*' ! -path './dev/*' ! -path './out/*' |
		cpio -o -H newc >/out/initrd 2>/dev/null || exit 1
	echo "# kexec $((kexecs + 1)): $entries entries, $(ima_count) of them in the kernel"
	exec /bed/bin/kexec /bed/Image /out/initrd "$(sed 's/ carried=.*//' /proc/cmdline) carried=$((kexecs + 1)),$entries,$((ima_next - 1)),$archive_root/$(cat /proc/sys/kernel/random/boot_id)" "$@"
}
more() { # COUNT: entries
	ima_read "$1"
	entries=$((entries + $1))
}
archived() {
	service_waits 100 ima_all_archived "$entries"
}
whole() { # [OPTION]...: each entry once, and they come to the PCR
	assay log export --ima "$@" -o /tmp/whole && ima_replays /tmp/whole sha256 &&
		[ "$(assay replay ima /tmp/whole --json | sed -n 's/.*"entry_count": \([0-9]*\),*/\1/p')" = "$entries" ]
}
configure() { # STAGING
	echo "[ima]
poll=50ms
interval=100ms
staging=$1" >/etc/assay/assayd.conf
}

mkdir -p /var/lib/assay
mount /dev/vda /var/lib/assay || exit 1
insmod /bed/assay.ko || exit 1
chown 0:990 /dev/assay
chmod 660 /dev/assay
ima_files 800
ima_next=$((read_before + 1)) entries=$((entries + 1)) # boot_aggregate
handed_over() { # COUNT: entries; what the service makes of it
	check "$1 entries are handed over" [ "$(ima_count)" = $(($1 + 1)) ]
	check 'the service starts' service_start
	check 'it archives what is new, and its own boot_aggregate' archived
	check 'none is lost or doubled' whole
	check 'the PCR is that of all entries' state_has '"list_state": "verified"'
	more 30
	check 'it goes on' archived
	check 'there is no problem' state_has '"problems": \[\]'
}
configure auto
case $kexecs in
0)
	service_start || exit 1
	more 50
	archived || exit 1
	service_stop
	more 20
	;;
1)
	check 'with what is handed over the list is whole before the service starts' whole --archive "$before"
	handed_over 20
	check 'the service has given up system calls' [ "$(service_reads Seccomp)" = 2 ]
	check 'all is deleted from the kernel' service_waits 50 state_has "\"deleted_count\": $entries"
	service_stop
	;;
2)
	configure no
	handed_over 0
	service_stop
	more 10
	check 'what is not archived is found behind what is' whole
	;;
3)
	handed_over 41
	service_stop
	# What is archived once the next kernel is loaded.
	entries=$((entries + 300)) ima_next=$((ima_next + 300))
	cat >/tmp/late <<END
. /bed/check.sh
. /bed/service.sh
. /bed/ima.sh
ima_next=$((ima_next - 300))
service_start || exit 1
ima_read 300
service_waits 100 ima_all_archived $entries && service_stop
END
	;;
4)
	check 'less is handed over than is archived' [ "$(ima_count)" -lt $((entries - 100)) ]
	check 'the list is whole before the service starts' whole --archive "$before"
	handed_over $(($(ima_count) - 1))
	check 'it stops' service_stop
	check 'it starts' service_start
	more 30
	check 'it goes on' archived
	check 'none is lost or doubled' whole
	service_stop
	configure yes
	check 'it starts, and deletes' service_start
	check 'all is deleted from the kernel' service_waits 50 state_has "\"deleted_count\": $entries"
	more 30
	check 'it goes on' archived
	check 'none is lost or doubled' whole
	check 'the PCR is that of all entries' state_has '"list_state": "verified"'
	check 'there is no problem' state_has '"problems": \[\]'
	service_stop
	;;
esac
[ "$check_number" -eq 0 ] || echo "1..$check_number"
[ "$kexecs" -ne 3 ] || go_on 'sh /tmp/late >/dev/null'
[ "$kexecs" -eq 4 ] || go_on
