#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd starts, as its own user and with what privileges it needs, tells its state, and
# ends; with systemd's libraries and without. On a kernel with seccomp, which the bed's own have not.
# guest: --region auto --tpm new --banks sha256
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh

device_is() {
	state_has "\"device_present\": $1"
}

varlink() {
	/bed/bin/varlink /run/assay/assayd "$@"
}

for service_program in /usr/bin/assayd /usr/bin/assayd-plain; do
	name=$(basename "$service_program")
	echo '[service]
device-interval=200ms
[ima]
keep=no' >/etc/assay/assayd.conf

	check "$name starts without the module" service_start
	check "$name says in its state that there is no device" state_has 'no /dev/assay: load the module'
	check "$name runs as its own user" [ "$(service_reads Uid)" = "$(printf '990\t990\t990\t990')" ]
	# CAP_DAC_READ_SEARCH is 2, CAP_SYS_ADMIN 21.
	check "$name keeps two capabilities" [ "$(service_reads CapPrm)" = 0000000000200004 ]
	check "$name has none in effect" [ "$(service_reads CapEff)" = 0000000000000000 ]
	check "$name can get no others" [ "$(service_reads CapBnd)" = 0000000000200004 ]
	check "$name can gain none" [ "$(service_reads NoNewPrivs)" = 1 ]
	# SECCOMP_MODE_FILTER
	check "$name has given up system calls" [ "$(service_reads Seccomp)" = 2 ]
	check "$name has no threads" [ "$(service_reads Threads)" = 1 ]

	run "$service_program"
	check "$name is refused while another runs" told 1 "another assayd runs already, as process $service_pid "

	insmod /bed/assay.ko || exit 1
	# As 70-assay.rules has it.
	chown 0:990 /dev/assay
	chmod 660 /dev/assay
	check "$name finds the module that is loaded later" service_waits 50 device_is true
	check "$name has no problem then" service_waits 50 state_has '"problems": \[\]'

	run assay status
	check "$name: assay status tells of both" prints 0 '^anchored    1 record' "^service     assayd .*, process $service_pid; "
	run assay status service
	check "$name is well" told 0
	run varlink org.assay.List
	check "$name lists the log" prints 0 '"records":\[{.*"recnum":0,.*}\],"next":1}'
	run varlink org.assay.List '{"first": 1}'
	check "$name lists nothing behind it" prints 0 '"records":\[\],"next":1}'
	run varlink org.assay.List '{"count": 0}'
	check "$name lists no more than asked for" prints 0 '"records":\[\],"next":0}'
	run varlink org.assay.List '{"first": -1}'
	check "$name names a parameter that is wrong" prints 1 '"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"first"}'

	echo '[service]
device-interval=never' >/etc/assay/assayd.conf
	kill -HUP "$service_pid"
	check "$name tells a configuration that is wrong" \
		service_waits 50 state_has 'assayd.conf line 2: device-interval in .service. must be a time'
	echo '[service]
device-interval=100ms
[ima]
keep=no' >/etc/assay/assayd.conf
	kill -HUP "$service_pid"
	check "$name takes one that is right" service_waits 50 state_has '"problems": \[\]'

	run rmmod assay
	check "$name keeps the module from being unloaded" [ "$status" -ne 0 ]

	rss=$(service_reads RssAnon)
	echo "# $name: RssAnon $rss"
	check "$name needs less than 32 MiB" [ "${rss%% *}" -lt 32768 ]
	check "$name ends when it is told to" service_stop
	works "$name leaves the module to be unloaded then" rmmod assay
done
echo "1..$check_number"
