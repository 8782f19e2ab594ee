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

# waits CONDITION...: it becomes true within three minutes. Nothing here takes long, but on a machine that is busy a
# guest's time goes by without it.
waits() {
	waits_end=$(($(cut -d . -f 1 /proc/uptime) + 180))
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

# active_before UNIT UNIT: the first became active before the second did
active_before() {
	[ "$(active_since "$1")" -gt 0 ] && [ "$(active_since "$1")" -le "$(active_since "$2")" ]
}

active_since() { # UNIT: in microseconds since the boot
	systemctl show --property ActiveEnterTimestampMonotonic --value "$1"
}

# in_group GROUP: assayd is in it
in_group() {
	case " $(reads Groups) " in
	*" $(getent group "$1" | cut -d : -f 3) "*) ;;
	*) return 1 ;;
	esac
}

# mounted_in_it PATH OPTION: assayd sees a mount there that has it
mounted_in_it() {
	awk -v path="$1" -v option="$2" '$5 == path && ("," $6 ",") ~ ("," option ",") { found = 1 }
		END { exit !found }' "/proc/$(main_pid)/mountinfo"
}

# status_says WORDS: what assayd has told systemd
status_says() {
	systemctl show --property StatusText --value assayd | grep -q -e "$1"
}
