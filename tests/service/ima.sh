# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What tests of the keeper of IMA's list share; sourced in a guest after service.sh.
ima=/sys/kernel/security/ima
files=/tmp/files
# How often the service is killed (make soak S=ima).
# shellcheck disable=SC2034 # of who sources this
ima_kills=$(sed -n 's/.*ima_kills=\([0-9]*\).*/\1/p' /proc/cmdline)

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

# ima_kill_rounds EACH: the service is killed $ima_kills times, while each time so many entries are made
# shellcheck disable=SC2154,SC2034 # those of service.sh
ima_kill_rounds() {
	ima_round=0
	while [ $ima_round -lt "$ima_kills" ]; do
		ima_round=$((ima_round + 1))
		ima_read "$1" &
		ima_maker=$!
		ima_next=$((ima_next + $1))
		"$service_program" >>/run/killed.out 2>&1 &
		service_pid=$!
		ima_pause
		service_kill
		wait $ima_maker
	done
}

# ima_evidence CHECK OPTION...: evidence of this machine passes that check of the verifier. Others
# want to know more of the machine than there is in a guest.
ima_evidence() {
	ima_check=$1
	shift
	[ -e /run/ak.pem ] ||
		assay key create --restricted --out /run/ak.pem --public /run/ak.pub >/dev/null || return 1
	assay quote --nonce 000102030405060708090a0b0c0d0e0f --ak /run/ak.pem --out /run/evidence.json "$@" \
		>/dev/null || return 1
	echo '{"assay": 1, "type": "policy", "ima": {"required": false}}' >/run/policy.json
	assay verify /run/evidence.json --policy /run/policy.json --nonce 000102030405060708090a0b0c0d0e0f --ak /run/ak.pub \
		--verbose >/run/verdict
	grep -q "^ *pass  *$ima_check" /run/verdict || { sed 's/^/# /' /run/verdict; return 1; }
}
