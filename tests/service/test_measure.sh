#!/bin/sh
# SPDX-License-Identifier: MIT
# Stage 2: assayd measures what its rules name that stage 1 has not, when it starts and when a file
# system is mounted, with one extend each; what was measured is not measured again, unless it is
# another file; and what is asked for.
# guest: --region auto --tpm new --banks sha256 --timeout 240 --program usr/bin/fsverity
# guest: --disk "$(tests/kmod/verity-disk "$directory/root.img")"
# guest: --disk "$(tests/kmod/verity-disk "$directory/late.img")"
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh

anchors() {
	cat /sys/class/misc/assay/log/anchors
}

# paths: of the log's records from this number on, of the files in them
paths() { # FROM
	assay log show | sed -n 's/.*  sha256:[0-9a-f]*  \(\/.*\)$/\1/p' | sort | uniq -c | sed 's/^ *//'
}

logged() { # TIMES PATH
	[ "$(paths | sed -n "s# $2\$##p")" = "$1" ]
}

# ask METHOD PARAMETERS WORDS: by Varlink; the answer has the words
ask() {
	/bed/bin/ask /run/assay/assayd "{\"method\":\"org.assay.$1\",\"parameters\":$2}" >/run/answer
	sed 's/^/# /' /run/answer
	grep -q "$3" /run/answer
}

passes() { # COUNT: so many have been
	service_waits 200 state_has "\"pass_count\": $1,"
}

mkdir -p /disk /srv /etc/assay/measure.d
mount -t ext4 /dev/vda /disk && mount -t ext4 /dev/vdb /srv && insmod /bed/assay.ko || exit 1
chown 0:990 /dev/assay
chmod 660 /dev/assay
mkdir -p /disk/early /disk/bin /srv/image /disk/private
for file in early/e bin/a bin/b private/p; do
	echo $file >/disk/$file
	fsverity enable /disk/$file || exit 1
done
echo plain >/disk/bin/plain
echo late >/srv/image/l && fsverity enable /srv/image/l || exit 1
chmod 700 /disk/private
chmod 600 /disk/private/p
umount /srv
printf '[measure]\nverity=/disk/early\n[initrd]\nfile=/disk/bin/nothing\n[system]\nverity=/disk\nverity=/srv\n' \
	>/etc/assay/measure.d/a.conf
printf '[initrd]\nverity=/disk/early\n' >/run/initrd.conf
mkdir -p /run/rules && mv /run/initrd.conf /run/rules/a.conf
printf '[measure]\nsettle=100ms\n[ima]\nkeep=no\n[status]\ninterval=200ms\n' >/etc/assay/assayd.conf

works 'stage 1 measures what is its own' assay-initrd --root / --rules /run/rules
before=$(anchors)
check 'the service starts' service_start
check 'it has measured before it says that it is there' [ "$(grep -c . /run/assay/measured)" -ge 4 ]
check 'with one extend' [ $(($(anchors) - before)) -eq 1 ]
check 'what the rules find, also what its user may not read' eval 'logged 1 /disk/bin/a && logged 1 /disk/bin/b && logged 1 /disk/private/p'
check 'not again what stage 1 has measured' logged 1 /disk/early/e
check 'nothing without fs-verity' eval '! logged 1 /disk/bin/plain'
check 'the state has both stages' eval 'state_has "\"stage1\": {" && state_has "\"known_count\": 1" && state_has "\"without_verity_count\": 1"'

mount -t ext4 /dev/vdb /srv
check 'a mount that comes later is gone through' passes 2
check 'and measured' logged 1 /srv/image/l
check 'nothing else again' logged 1 /disk/bin/a
# The kernel gives the number of a mount that has gone to the next one.
umount /srv
check 'one in the place of one that has gone' service_waits 100 state_has "\"pass_count\": 2,"
mount -t ext4 /dev/vdb /srv
check 'is gone through as well' passes 3

# ------------------------------------------------------------------ another file
rm /disk/bin/a
echo another >/disk/bin/a
fsverity enable /disk/bin/a
kill -HUP "$service_pid"
check 'when it is told to it goes through the rules again' passes 4
check 'a file that is another one is measured again' logged 2 /disk/bin/a
check 'one that is the same is not' logged 1 /disk/bin/b

# ------------------------------------------------------------------ a restart
service_stop
check 'after a restart' service_start
check 'nothing is measured again' eval 'logged 1 /disk/bin/b && logged 2 /disk/bin/a && logged 1 /srv/image/l'

# ------------------------------------------------------------------ requests
before=$(anchors)
check 'Measure measures what is asked for, also again' ask Measure '{"paths":["/disk/bin/b","/disk/bin/a"]}' '"measured_count":2'
check 'with one extend' [ $(($(anchors) - before)) -eq 1 ]
check 'and answers with the digests' grep -q '"path":"/disk/bin/b","digest":"sha256:' /run/answer
check 'what its user may not read it does not measure for others' \
	ask Measure '{"paths":["/disk/private/p"]}' '"error":"Permission denied'
check 'what has no fs-verity is told' ask Measure '{"paths":["/disk/bin/plain"]}' '"error":"No data available'
check 'paths that lead elsewhere are refused' ask Measure '{"paths":["/disk/../etc/passwd"]}' 'InvalidParameter'
check 'and so is what is none' ask Measure '{"paths":[1]}' 'InvalidParameter'
check 'without paths it goes through the rules' ask Measure '{}' '"measured_count":0'

# ------------------------------------------------------------------ what goes wrong
# A child that is stopped, as one that waits for a file system: of a pass that takes its time.
stop_child() {
	for _ in $(seq 200); do
		kill -HUP "$service_pid"
		for _ in $(seq 50); do
			# The first is what parsers are copies of.
			child=$(cut -d ' ' -f 2 "/proc/$service_pid/task/$service_pid/children")
			# Not before it has come to where it looks.
			[ -z "$child" ] || { sleep 0.2 && kill -STOP "$child" && return 0; }
		done
	done
	return 1
}
printf '[measure]\nsettle=100ms\ntimeout=1s\n[ima]\nkeep=no\n[status]\ninterval=200ms\n' >/etc/assay/assayd.conf
echo 'glob=/sys/**/absent' >>/etc/assay/measure.d/a.conf
check 'a child that does not go on' stop_child
sed -i '/absent/d' /etc/assay/measure.d/a.conf
check 'is ended, and where it was is told' service_waits 100 state_has 'was ended at /sys'
check 'and others go on' ask Measure '{"paths":["/disk/bin/b"]}' '"measured_count":1'
check 'the next pass is well' service_waits 100 state_has '"problems": \[\]'
echo 'file=/disk/nowhere' >>/etc/assay/measure.d/a.conf
kill -HUP "$service_pid"
check 'a file that is not there is told' service_waits 100 state_has '/disk/nowhere: No such file'
echo 'nonsense' >>/etc/assay/measure.d/a.conf
kill -HUP "$service_pid"
check 'rules that are none are told' service_waits 100 state_has 'a.conf line 9: neither a .section'
sed -i '/nowhere/d; /nonsense/d' /etc/assay/measure.d/a.conf
mkfifo /etc/assay/measure.d/f.conf /run/list.fifo
kill -HUP "$service_pid"
check 'a FIFO among the rules is told, and not waited for' service_waits 100 state_has 'measure.d/f.conf'
rm /etc/assay/measure.d/f.conf
echo 'list=/run/list.fifo' >>/etc/assay/measure.d/a.conf
kill -HUP "$service_pid"
check 'and so is one in the place of a list' service_waits 100 state_has '/run/list.fifo'
sed -i '/list.fifo/d' /etc/assay/measure.d/a.conf
kill -HUP "$service_pid"
check 'and once they are mended all is well' service_waits 100 state_has '"problems": \[\]'

# ------------------------------------------------------------------ images of file systems
mkdir /disk/images
echo 'a file system' >/disk/images/a.raw && fsverity enable /disk/images/a.raw || exit 1
echo 'one by dm-verity alone' >/disk/images/b.raw
echo 'images=/disk/images' >>/etc/assay/measure.d/a.conf
kill -HUP "$service_pid"
check 'an image without fs-verity is told' service_waits 100 state_has '/disk/images/b.raw: No data available; it has no fs-verity digest'
check 'one that has it is measured' logged 1 /disk/images/a.raw
fsverity enable /disk/images/b.raw
kill -HUP "$service_pid"
check 'and so is the other, once it has' service_waits 100 logged 1 /disk/images/b.raw
sed -i '/images/d' /etc/assay/measure.d/a.conf
kill -HUP "$service_pid"
check 'and nothing is wrong' service_waits 100 state_has '"problems": \[\]'
check 'it ends' service_stop
echo "1..$check_number"
exit "$check_failed"
