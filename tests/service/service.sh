# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What tests of assayd in a guest share; sourced there, after /bed/check.sh, as
# /bed/service.sh. The service is /usr/bin/assayd, or what $service_program says, with
# the configuration /etc/assay/assayd.conf, which the test writes; it runs as user assay.
service_program=/usr/bin/assayd
service_pid=

mkdir -p /etc/assay /var/lib /run /tmp
echo 'root:x:0:0::/:/bin/sh
assay:x:990:990::/:/bin/false' >/etc/passwd
echo 'root:x:0:
assay:x:990:' >/etc/group

# service_start [OPTION]...: starts it; 0 once it has written its state, within ten seconds
service_start() {
	rm -f /run/assay/state.json
	"$service_program" "$@" >/run/assayd.out 2>&1 &
	service_pid=$!
	service_waits 100 test -s /run/assay/state.json
}

# service_waits TENTHS CONDITION...: it becomes true before the service has ended, and before so much
# time of a machine that has nothing else to do; here a busy one has six times as much
service_waits() {
	service_left=$(($1 * 6))
	shift
	while ! "$@"; do
		service_left=$((service_left - 1))
		if [ "$service_left" -le 0 ] || ! kill -0 "$service_pid" 2>/dev/null; then
			sed 's/^/# assayd: /' /run/assayd.out
			return 1
		fi
		sleep 0.1
	done
}

# service_stop: ends it; its exit status
service_stop() {
	kill "$service_pid"
	service_status=0
	wait "$service_pid" || service_status=$?
	service_pid=
	return "$service_status"
}

# service_kill: as a crash or the kernel's killer of processes would
service_kill() {
	kill -9 "$service_pid"
	wait "$service_pid" 2>/dev/null || :
	service_pid=
}

# state_has WORDS: a line of the state, as JSON has it
state_has() {
	grep -q -e "$1" /run/assay/state.json
}

# service_reads FIELD: of /proc/PID/status
service_reads() {
	sed -n "s/^$1:[ \t]*//p" "/proc/$service_pid/status"
}
