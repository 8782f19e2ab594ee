#!/bin/sh
# SPDX-License-Identifier: MIT
# What parses the calls of clients crashes, or never ends: the service goes on to measure and to
# archive, refuses those calls alone, tells of it, and answers again.
# guest: --region auto --tpm new --banks sha256 --timeout 300 --program usr/bin/fsverity
# guest: --disk "$(tests/kmod/verity-disk "$directory/late.img")"
# guest: --file build/arm64/parser-faults=/bed/parser-faults
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh

# ask WORD: for the state, with a word that tests/service/parser-faults.c knows
ask() {
	/bed/bin/ask /run/assay/assayd "{\"method\":\"org.assay.Status\",\"parameters\":{\"x\":\"$1\"}}"
}

passes() { # COUNT: so many have been
	state_has "\"pass_count\": $1,"
}

children() { # the process that parsers are copies of, then parsers
	cat "/proc/$service_pid/task/$service_pid/children"
}

parsers() { # COUNT: so many work
	[ "$(children | wc -w)" -eq $(($1 + 1)) ]
}

# What is open in them, and of their memory what they share with others or is of a device.
parsers_have() {
	children | tr ' ' '\n' | sed '1d; /^$/d' | while read -r parser; do
		ls "/proc/$parser/fd"
		grep ' ...s \| /dev/' "/proc/$parser/maps"
	done
}

parsers_have_output() { # and nothing else
	[ "$(parsers_have | sort -u)" = 1 ]
}

archived() {
	sed -n 's/.*"archived_records": \([0-9]*\).*/\1/p' /run/assay/state.json
}

archived_since() { # COUNT
	[ "$(archived)" -gt "$1" ]
}

first_child() {
	children | cut -d ' ' -f 1
}

# measures_for CLIENT: who waits for his answer; beside what parsers are copies of a process works
measures_for() {
	kill -0 "$1" && [ "$(children | wc -w)" -ge 2 ]
}

answered_with() { # CLIENT WORDS
	wait "$1" && grep -q "$2" /run/measured
}

ends_with() { # STATUS
	ended=0
	wait "$service_pid" || ended=$?
	[ "$ended" -eq "$1" ]
}

# Whoever runs as the service's user is of the service; one that nobody has waited for has ended.
none_left() {
	! grep -s -l '^Uid:.*[^0-9]990' /proc/[0-9]*/status | xargs -r grep -s -L '^State:.*Z' | grep -q .
}

answered() {
	ask nothing | grep -q '"state":'
}

mkdir -p /srv /etc/assay/measure.d
mount -t ext4 /dev/vda /srv && insmod /bed/assay.ko || exit 1
chown 0:990 /dev/assay
chmod 660 /dev/assay
for name in assayd assayd-plain; do
	echo $name >/srv/$name
	fsverity enable /srv/$name || exit 1
done
umount /srv
printf '[measure]\nsettle=100ms\n[archive]\ninterval=200ms\n[ima]\nkeep=no\n[status]\ninterval=200ms\n' >/etc/assay/assayd.conf
service_program=/run/with-faults

for name in assayd assayd-plain; do
	printf '#!/bin/sh\nLD_PRELOAD=/bed/parser-faults exec /usr/bin/%s "$@"\n' $name >$service_program
	chmod 755 $service_program
	echo "[system]
file=/srv/$name" >/etc/assay/measure.d/a.conf
	check "$name starts" service_start
	run ask fault-crash
	check "$name refuses a call that its parser crashes at" prints 0 '"error":"org.assay.Failed".*ended by signal 11 '
	check "$name tells of it" service_waits 50 state_has '"problem_id": "parser"'
	check "$name says what that means" state_has 'a request could not be parsed, and was refused'
	run ask fault-stack
	check "$name has no parser that makes its stack larger than its memory" prints 0 'ended by signal 11 '

	# All that may work at a time, over and over.
	loops=
	for _ in 1 2 3 4; do
		while [ ! -e /run/enough ]; do ask fault-loop; done >/dev/null 2>&1 &
		loops="$loops $!"
	done
	check "$name: all parsers are taken by calls that they do not end with" service_waits 100 parsers 4
	check "$name has them have their output alone" service_waits 50 parsers_have_output
	before=$(archived)
	mount -t ext4 /dev/vda /srv
	check "$name sees a mount all the same" service_waits 200 passes 2
	check "$name measures what is there" [ "$(assay log show | grep -c "  /srv/$name\$")" = 1 ]
	check "$name archives it" service_waits 200 archived_since "$before"
	: >/run/enough
	check "$name answers once a parser is free" service_waits 300 answered
	# One that ends later is a problem once more.
	# shellcheck disable=SC2086 # a list
	wait $loops
	kill -HUP "$service_pid"
	check "$name has no problem once its configuration is read anew" service_waits 100 state_has '"problems": \[\]'
	check "$name ends when it is told to" service_stop
	rm /run/enough

	# What parsers are copies of is killed, while something is measured that somebody waits for.
	check "$name starts again" service_start
	: >/run/fault-late
	/bed/bin/varlink /run/assay/assayd org.assay.Measure "{\"paths\":[\"/srv/$name\"]}" >/run/measured 2>&1 &
	client=$!
	check "$name measures what it is asked for" service_waits 100 measures_for "$client"
	kill -9 "$(first_child)"
	check "$name tells that it ends when its parsers cannot be had" \
		service_waits 50 state_has 'copies of was ended by signal 9 .*: the service ends, to be started anew'
	check "$name has not ended before the measurement has" kill -0 "$service_pid"
	rm /run/fault-late
	check "$name answers with what was measured" answered_with "$client" '"measured_count":1'
	check "$name ends then, as one that failed" ends_with 1
	check "$name leaves nothing behind" none_left

	# It is killed, while a parser and what measures work.
	check "$name starts once more" service_start
	: >/run/fault-late
	/bed/bin/varlink /run/assay/assayd org.assay.Measure "{\"paths\":[\"/srv/$name\"]}" >/dev/null 2>&1 &
	client=$!
	check "$name measures again" service_waits 100 measures_for "$client"
	ask fault-loop >/dev/null 2>&1 &
	check "$name has a parser as well" service_waits 100 parsers 2
	service_kill
	for _ in $(seq 50); do
		none_left || sleep 0.1
	done
	check "$name takes along what it has started when it is killed" none_left
	wait "$client" || :
	rm /run/fault-late
	umount /srv
done
echo "1..$check_number"
