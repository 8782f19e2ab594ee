# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What tests in a system with systemd share; sourced there, after /bed/check.sh, as /bed/system.sh.
state=/run/assay/state.json

# shows UNIT PROPERTY VALUE: what systemctl show has of it
shows() {
	[ "$(systemctl show --property "$2" --value "$1")" = "$3" ]
}

# main_pid: of assayd
main_pid() {
	systemctl show --property MainPID --value assayd
}

# reads FIELD: of assayd's /proc/PID/status
reads() {
	sed -n "s/^$1:[ \t]*//p" "/proc/$(main_pid)/status" | tr '\t' ' '
}

# waits SECONDS CONDITION...: it becomes true before that
waits() {
	waits_end=$(($(cut -d . -f 1 /proc/uptime) + $1))
	shift
	until "$@"; do
		[ "$(cut -d . -f 1 /proc/uptime)" -lt "$waits_end" ] || return 1
		sleep 0.2
	done
}

# state_is FILTER: jq's, true of assayd's state
state_is() {
	jq -e "$1" "$state" >/dev/null 2>&1
}

# journal_has FIELD=VALUE...: an entry of this boot
journal_has() {
	[ -n "$(journalctl --boot --output json --lines 1 "$@")" ]
}
