#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd archives the log and cuts it at the threshold; it goes on after it was ended, killed, and
# after somebody else has cut the log. What is archived and what the ring has is one log: each
# record is there once, and evidence of it is whole. `make soak` kills it archive_kills=200 times.
# guest: --region auto --tpm new --banks sha1,sha256 --timeout ${archive_timeout:-120}
# guest: --append archive_kills=${archive_kills:-5}
# guest: --file tests/service/archive.sh=/bed/archive.sh
# shellcheck disable=SC2119
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh
# shellcheck source=tests/service/archive.sh
. /bed/archive.sh

log_begins() {
	assay log show --json | grep -o '"recnum":[0-9]*' | head -n 1 | cut -d: -f2
}

archive_configure trim-at=5
check "it starts" service_start
append 200 300 || exit 1
check "all is archived soon" service_waits 100 archived
check "the log was cut" [ "$(log_begins)" -gt 100 ]
check "the archive is whole" archive_is_whole
check "a TRIM record says the same of it" grep -q '[1-9] of them about what is in it: it fits' /tmp/verified
check "archive and ring are one log" is_one_log
check "there is no problem" service_waits 20 state_has '"problems": \[\]'

# The whole log of evidence, though most of it is in the archive alone.
nonce=000102030405060708090a0b0c0d0e0f
assay key create --restricted --out /run/ak.pem --public /run/ak.pub >/dev/null || exit 1
echo '{"assay": 1, "type": "policy", "ima": {"required": false}}' >/run/policy.json
assay quote --nonce $nonce --ak /run/ak.pem --no-ima-log --out /run/evidence.json >/dev/null || exit 1
assay verify /run/evidence.json --nonce $nonce --ak /run/ak.pub --policy /run/policy.json --verbose >/tmp/verdict
for part in assay-log-records assay-log-digests assay-log-replay assay-log-chain assay-log-start; do
	check "evidence passes $part" grep -q "^ *pass  *$part " /tmp/verdict
done
check "evidence begins with record 0" sh -c "assay log show --evidence /run/evidence.json | grep -q '^ *0 .* START '"
run assay quote --nonce $nonce --ak /run/ak.pem --no-ima-log --no-archive --out /run/cut.json
check "without the archive it begins later" sh -c "! assay log show --evidence /run/cut.json | grep -q '^ *0 '"

check "it ends" service_stop
append 20 50
check "it starts again" service_start
check "it archives what came meanwhile" service_waits 100 archived
check "the archive is whole then" archive_is_whole
check "archive and ring are one log then" is_one_log

# Killed at any moment: nothing is lost, and nothing there twice.
rounds=$(sed -n 's/.*archive_kills=\([0-9]*\).*/\1/p' /proc/cmdline)
round=0 ended=0
/bed/bin/append 0 500 >/tmp/appending 2>&1 &
appending=$!
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	sleep "0.$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
	service_kill
	service_start || ended=$((ended + 1))
done
kill "$appending"
wait "$appending" 2>/dev/null
check "it starts each time after it was killed" [ "$ended" -eq 0 ]
check "it archives all that was appended" service_waits 100 archived
check "the archive is whole after kills" archive_is_whole
check "archive and ring are one log after kills" is_one_log
sed 's/^/# /' /tmp/verified
echo "# RssAnon $(service_reads RssAnon), records $(records)"

# Somebody else cuts what is not archived.
service_stop
append 20 50
assay log trim --no-archive --keep 5 >/dev/null || exit 1
check "it starts where records were cut off that it has not" service_start
check "it says which are lost" service_waits 50 problem lost
check "it goes on with what is there" service_waits 100 archived
run assay log verify-archive "$archive_dir"
check "the archive is not whole then" told 1 'is not whole'
archive_is_whole || :
check "it tells the gap" grep -q 'were lost before they could be archived' /tmp/verified
run assay log show --archive "$archive_dir"
check "the log cannot be shown as if it were whole" told 1 'cannot be read'
service_stop

# The module begins a new log in the same boot: it gets an archive of its own.
rmmod assay
insmod /bed/assay.ko
chown 0:990 /dev/assay
chmod 660 /dev/assay
check "it starts with a new log of the same boot" service_start
check "it archives that" service_waits 100 archived
check "the new log's archive is another one" archive_is_whole "$archive_dir.1"
check "the new log's archive and ring are one log" is_one_log "$archive_dir.1"
check "it ends at last" service_stop
echo "1..$check_number"
