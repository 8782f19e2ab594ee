# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# A software TPM for what runs on this machine without a guest. Sourced; whoever does
# calls tpm_stop on every way out, as tpm_work sees to.

swtpm_pid=

# tpm_work NAME: makes the directory $work; on every way out it is removed, and the TPM ends
tpm_work() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX")
	trap 'tpm_stop; rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# tpm_start STATE: an swtpm on that directory's state; its TCTI is swtpm:path=STATE.sock
tpm_start() {
	swtpm socket --tpm2 --tpmstate "dir=$1" --ctrl "type=unixio,path=$1.sock.ctrl" \
		--server "type=unixio,path=$1.sock" --flags not-need-init,startup-clear \
		>"$1.log" 2>&1 &
	swtpm_pid=$!
	for _ in $(seq 500); do
		[ ! -S "$1.sock" ] || return 0
		kill -0 "$swtpm_pid" 2>/dev/null || break
		sleep 0.02
	done
	cat "$1.log"
	return 1
}

tpm_stop() {
	[ -n "$swtpm_pid" ] || return 0
	kill "$swtpm_pid" 2>/dev/null || :
	wait "$swtpm_pid" 2>/dev/null || :
	swtpm_pid=
}
