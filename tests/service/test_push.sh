#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd pushes a device's log to a verifier over HTTPS: all of it first, then what is new; the
# service's user has what it needs for that, and no more. What it says of verifiers that are away or
# misbehave is shown by e2e/test_push_service.
# guest: --region auto --tpm new --banks sha256 --timeout 300
# guest: --program usr/bin/openssl --program usr/bin/tpm2 --program usr/bin/fsverity
# guest: --disk "$(tests/kmod/verity-disk "$directory/verity.img")"
# guest: --file build/arm64/push-verifier=/usr/bin/push-verifier
# guest: --file build/arm64/assay-verify=/usr/bin/assay-verify
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh

bail() {
	echo "Bail out! $*"
	exit 1
}

ip link set lo up || exit 1
insmod /bed/assay.ko || exit 1
# As the udev rules of assay and of tpm2-tss have it.
chown 0:990 /dev/assay /dev/tpmrm0
chmod 660 /dev/assay /dev/tpmrm0

records() { cat /sys/class/misc/assay/log/records; }
append() { /bed/bin/append "$@" >/dev/null 2>&1; }
# first N: where the log in the N-th evidence from the last begins; bytes N: how large it was
first() { grep '^first ' /v/log | tail -n "$1" | head -n 1 | cut -d ' ' -f 2; }
bytes() { grep '^first ' /v/log | tail -n "$1" | head -n 1 | cut -d ' ' -f 4; }
attested() { # COUNT: so often at least
	[ "$(sed -n 's/.*"attestations": \([0-9]*\).*/\1/p' /run/assay/state.json)" -ge "$1" ]
}
no_quote_problem() { ! state_has '"problem_id": "quote"'; }
again() { # an attestation that has begun from now on is there
	again_from=$(sed -n 's/.*"attestations": \([0-9]*\).*/\1/p' /run/assay/state.json)
	service_waits 300 attested $((again_from + 2))
}

# ---------------------------------------------------------------- the device, and its verifier
# A boot that is known: what firmware and boot loader would have measured.
tpm2 pcrextend 0:sha256="$(printf %064d 1)" 4:sha256="$(printf %064d 2)" || bail 'PCRs cannot be extended'
mkdir -p /v/devices
assay key create --restricted --out /etc/assay/ak.pem --public /run/ak.pub >/dev/null || exit 1
chmod 600 /etc/assay/ak.pem
printf "%064d\n" 0 >/run/hashes
assay enroll --ak /etc/assay/ak.pem --ek p256-low --no-ek-cert --ek-hashes /run/hashes --records /run/records \
	--machine-id d1 2>&1 | grep -o '[0-9a-f]\{64\}' >/run/known
assay enroll --ak /etc/assay/ak.pem --ek p256-low --no-ek-cert --ek-hashes /run/known --records /run/records \
	--machine-id d1 >/dev/null || bail 'not enrolled'
cp /run/records/devices/d1.json /v/devices/
printf '[req]\ndistinguished_name=dn\n[dn]\n' >/run/openssl.cnf
certificate() { # NAME KEY CERTIFICATE [OPTION]...
	certificate_name=$1 certificate_key=$2 certificate_file=$3
	shift 3
	openssl req -config /run/openssl.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 \
		-subj "/CN=$certificate_name" -keyout "$certificate_key" -out "$certificate_file" "$@" 2>/dev/null ||
		bail 'no certificate'
}
certificate localhost /run/tls.key /etc/assay/ca.pem -addext subjectAltName=IP:127.0.0.1
cat /etc/assay/ca.pem /run/tls.key >/v/server.pem
certificate signer /run/signer.key /v/signer.pem -addext subjectKeyIdentifier=hash -addext keyUsage=critical,digitalSignature
mkdir /disk
{ mount -t ext4 /dev/vda /disk && cp /bed/test /disk/file && fsverity enable /disk/file; } ||
	bail 'no file with fs-verity'
assay sign --key /run/signer.key --cert /v/signer.pem --root / --manifest /v/manifest.jsonl /disk/file >/dev/null ||
	bail 'not signed'
assay measure /disk/file >/dev/null || bail 'not measured'
append 100 200
assay quote --nonce 000102030405060708090a0b0c0d0e0f --ak /etc/assay/ak.pem --no-ima-log --pcrs 0,4,14 \
	--out /run/good.json >/dev/null || bail 'no evidence'
assay policy learn /run/good.json --manifest /v/manifest.jsonl --cert /v/signer.pem >/v/policy.json || bail 'no policy'
echo 1 >/v/next_in
push-verifier /usr/bin/assay-verify /v 8443 2>/run/verifier.log &

echo '[archive]
interval=100ms
size=16K
trim-at=5
[attest]
ak=/etc/assay/ak.pem
ima-log=no
pcrs=0,4,14
[push]
url=https://127.0.0.1:8443
name=d1
ca=/etc/assay/ca.pem
min-interval=1s
retry=500ms' >/etc/assay/assayd.conf

# ---------------------------------------------------------------- what is sent
check 'it starts' service_start
[ "$check_failed" -eq 0 ] || bail 'without a service there is nothing to see'
check 'the device is trusted' service_waits 300 state_has '"verdict": "trusted"'
[ "$check_failed" -eq 0 ] || bail 'what follows needs a verifier that goes on from there'
check 'by all of its log' [ "$(head -n 2 /v/log | sed -n 's/^first \([0-9]*\) .*/\1/p')" = 0 ]
whole=$(sed -n 's/^first 0 bytes \([0-9]*\)/\1/p' /v/log | head -n 1)
service_waits 200 attested 2
check 'the second has what is new' [ "$(first 1)" -ge 100 ]
check 'which is less than a third of it' [ "$(bytes 1)" -lt $((whole / 3)) ]
append 20 200
seen=$(records)
check 'records that came since are sent and trusted' again
check 'and acknowledged' service_waits 50 state_has "\"acknowledged_records\": $seen"
append 300 300
# shellcheck disable=SC2016 # for the inner shell
check 'the log is cut behind what is archived' service_waits 100 sh -c \
	'[ "$(assay log show --json | grep -o "\"recnum\":[0-9]*" | head -n 1 | cut -d: -f2)" -gt 100 ]'
again
check 'and what is sent goes on' state_has '"verdict": "trusted"'
# Not while it judges: it would write back what it has.
echo drop >/v/mode
check 'a verifier that does not answer is told' service_waits 100 state_has '"problem_id": "verifier"'
cp /run/records/devices/d1.json /v/devices/
rm /v/mode
again
check 'a verifier that has lost what it knew gets all of it once more, from the archive' \
	[ "$(grep -c '^first 0 bytes' /v/log)" -ge 2 ]
grep '^first 0' /v/log | tail -n 1 | sed 's/^/# /'
check 'and trusts it' state_has '"verdict": "trusted"'

# ---------------------------------------------------------------- a verifier that is away
echo drop >/v/mode
service_waits 200 state_has '"away_since"'
# It is away for a week, by the clock; what comes meanwhile waits for it.
away=$(sed -n 's/.*"away_since": "\(.*\)".*/\1/p' /run/assay/state.json)
date -s "@$(($(date +%s) + 7 * 24 * 3600))" >/dev/null
waiting() { # so many records at least wait for the verifier
	[ "$(sed -n 's/.*"unacknowledged_records": \([0-9]*\).*/\1/p' /run/assay/state.json)" -ge "$1" ]
}
append 300 1000
check 'a week later it says how much waits' service_waits 100 waiting 300
check 'and since when the verifier is away: a week' state_has "\"away_since\": \"$away\""
run assay status service
check 'for people as well' prints 1 '^  push      trusted: the verdict of https://127.0.0.1:8443 at ' "the verifier is away since $away" \
	'^  archive   [0-9]* records of the log are archived, in /var/lib' '[0-9]* of them no verifier has seen' \
	'^  attest    [0-9]* quotes made' "^  ima       [0-9]* entr"
sed -i 's/^size=16K/size=16K\nkeep-size=8K/' /etc/assay/assayd.conf
kill -HUP "$service_pid"
check 'what nobody has seen is more than may be kept; it stays, and that is told' \
	service_waits 100 state_has 'set keep-unacknowledged=no'
rm /v/mode
again
check 'when it is back it trusts what it had not seen' state_has '"verdict": "trusted"'
check 'then nothing waits' service_waits 100 state_has '"unacknowledged_records": 0'
no_keep_problem() { ! state_has '"problem_id": "keep"'; }
kept_is_small() {
	[ "$(cat /var/lib/assay/archive/*/*.cel.zst | wc -c)" -le 8192 ]
}
check 'and what was seen goes, down to what may be kept' service_waits 200 kept_is_small
check 'which mends that' service_waits 100 no_keep_problem
assay status service | sed 's/^/# /'

# ---------------------------------------------------------------- as whom
check 'the service runs as its user' [ "$(service_reads Uid)" = "$(printf '990\t990\t990\t990')" ]
check 'without a capability in effect' [ "$(service_reads CapEff)" = 0000000000000000 ]
check 'or one for what it executes' [ "$(service_reads CapAmb)" = 0000000000000000 ]
check 'and has no threads' [ "$(service_reads Threads)" = 1 ]
rss=$(service_reads RssAnon)
echo "# RssAnon $rss"
check 'it needs less than 32 MiB' [ "${rss%% *}" -lt 32768 ]

# ---------------------------------------------------------------- entries of IMA's list
# What the verifier makes of them is shown elsewhere; here it is what is sent.
entries=$(cat /sys/kernel/security/ima/runtime_measurements_count)
sends() { # FIRST: of IMA's list
	grep -q "^ima $1\$" /v/log
}
sed -i 's/^ima-log=no/ima-log=yes/' /etc/assay/assayd.conf
kill -HUP "$service_pid"
check "a verifier that has nothing of IMA's list gets all of it" service_waits 200 sends 0
echo "$entries" >/v/have-ima
check 'one that has all there were gets what came since' service_waits 200 sends "$entries"
sed -i '/^ima 0$/d' /v/log
echo $((entries + 1000)) >/v/have-ima
check 'and one that says to have more gets all of it' service_waits 200 sends 0
check 'which is no failure' no_quote_problem
rm /v/have-ima
sed -i 's/^ima-log=yes/ima-log=no/' /etc/assay/assayd.conf
kill -HUP "$service_pid"

# ---------------------------------------------------------------- what is wrong
tpm2 pcrextend 14:sha256="$(printf %064d 3)"
check 'whoever extends the PCR beside the module is found out, and told' service_waits 200 \
	state_has 'does not trust this device: assay-log-'
check 'it ends' service_stop
echo "1..$check_number"
exit "$check_failed"
