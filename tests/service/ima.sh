# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What tests of the keeper of IMA's list share; sourced in a guest after service.sh.
ima=/sys/kernel/security/ima
files=/tmp/files

# ima_files COUNT: files of user 1000, each of which makes an entry when it is read
ima_files() {
	echo 'measure func=FILE_CHECK mask=MAY_READ fowner=1000' >$ima/policy || exit 1
	mkdir -p $files
	/bed/bin/entries files $files "$1" || exit 1
	ls $files >/tmp/names
	ima_next=1
}

# ima_read COUNT: the next COUNT of them; ima_next says how many were read before
ima_read() {
	(cd $files && sed -n "$ima_next,$((ima_next + $1 - 1))p" /tmp/names | xargs cat >/dev/null)
	ima_next=$((ima_next + $1))
}

ima_count() {
	cat $ima/runtime_measurements_count
}

# ima_archived: how many entries the state says are archived
ima_archived() {
	sed -n 's/.*"archived_count": \([0-9]*\),*/\1/p' /run/assay/state.json
}

# ima_all_archived TOTAL: all that were made
ima_all_archived() {
	[ "$(ima_archived)" = "$1" ]
}

# ima_pcr BANK: PCR 10 as the kernel shows it, in lower case
ima_pcr() {
	tr 'A-F' 'a-f' <"/sys/class/tpm/tpm0/pcr-$1/10"
}

# ima_replays FILE BANK: the list comes to PCR 10
ima_replays() {
	assay replay ima "$1" --bank "$2" | grep -q "$(ima_pcr "$2")"
}

# ima_pause: up to half a second, at random
ima_pause() {
	usleep $(($(od -An -N2 -tu2 /dev/urandom) * 8))
}
