#!/bin/sh
# SPDX-License-Identifier: MIT
# A fleet under load to which everything happens: workers and the database killed, the database failed
# over to its replica, connections that are idle or slow, time that goes back, no room on the disk. What
# devices were answered, by the load's own record, is looked for in the database: no verdict that was
# answered is lost, none is there twice, no device is unattested without being told of, memory is
# bounded. In short for make test; `make soak S=fleet-faults` goes on for SECONDS_LONG.
# shellcheck disable=SC2016,SC2034,SC2317 # for eval, and called by check and eventually
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
. tests/postgres.sh
. tests/made-fleet.sh
seconds=${SECONDS_LONG:-14} devices=${DEVICES:-200} rate=${RATE:-100} idle=${IDLE:-1500} slow=${SLOW:-100}
interval=3
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fleet-faults.XXXXXX")
fleet='' load='' crowd=''
primary_pid='' replica_pid=''
kill_primary() { # with all that it has started
	# shellcheck disable=SC2046 # pids, as words
	kill -KILL "$primary_pid" $(cat "/proc/$primary_pid/task/$primary_pid/children" 2>/dev/null) 2>/dev/null || :
}
end() {
	[ -z "$load" ] || kill "$load" 2>/dev/null
	[ -z "$crowd" ] || kill "$crowd" 2>/dev/null
	[ -z "$fleet" ] || kill "$fleet" 2>/dev/null
	for end_pid in $primary_pid $replica_pid; do
		postgres_pid=$end_pid
		postgres_stop
	done
	wait
	rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work" || exit 1
CHECK_OUT=$work
. "$top/tests/check.sh"

bail() {
	echo "Bail out! $*"
	cat fleet.log 2>/dev/null
	exit 1
}

# ---------------------------------------------------------------- a database and its replica
small='shared_buffers=32MB max_connections=40 wal_retrieve_retry_interval=100ms'
primary() {
	# shellcheck disable=SC2086 # settings, as words
	postgres_start "$work/primary" $small synchronous_standby_names=replica wal_keep_size=64MB >&2
	primary_status=$?
	primary_pid=$postgres_pid
	return "$primary_status"
}
replica() {
	# shellcheck disable=SC2086
	postgres_start "$work/replica" $small >&2
	replica_status=$?
	replica_pid=$postgres_pid
	return "$replica_status"
}
# One that answers must be the newest: what is committed is on both, before anybody is told.
# shellcheck disable=SC2086
postgres_start "$work/primary" $small >&2 || bail 'PostgreSQL does not start'
primary_pid=$postgres_pid
mkdir replica
[ "$(id -u)" -ne 0 ] || chown postgres: replica
as_postgres "$postgres_bin/pg_basebackup" --pgdata "$work/replica/data" --checkpoint fast --no-sync --write-recovery-conf \
	--dbname "host=$work/primary user=fleet application_name=replica" >&2 || bail 'there is no copy of the database'
postgres_stop
primary || bail 'PostgreSQL does not start again'
replica || bail 'the replica does not start'
url="postgresql:///postgres?host=$work/primary,$work/replica&user=fleet&target_session_attrs=read-write&connect_timeout=2"
query() { # SQL
	psql -qAt "$url" -c "$1"
}

# ---------------------------------------------------------------- the service
mkdir -p tree/usr/bin
echo 1 >tree/usr/bin/file
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE \
	-keyout key.pem -out cert.pem -days 9 2>/dev/null
made_references "$top/build/host/assay"
serve() { # [OPTION]...
	: >fleet.log
	"$top/build/host/assay-fleet" serve --listen "$work/fleet.sock" --operators operators --device-rate 0 "$@" 2>fleet.log &
	fleet=$!
	for _ in $(seq 1200); do
		! grep -q ': serving$' fleet.log || return 0
		kill -0 "$fleet" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}
say() { # METHOD PATH ROLE BODY
	curl -fsS --unix-socket fleet.sock -X "$1" -H "Authorization: Bearer $3-token" --data-binary "$4" "http://fleet$2" >/dev/null
}
content() { # FILE [SIGNATURE]
	jq -nc --arg content "$(base64 -w0 "$1")" --arg signature "${2:+$(base64 -w0 "$2")}" \
		'{content: $content} + if $signature == "" then {} else {signature: $signature} end'
}
set_up() {
	say PUT /v1/certificates/cert.pem operator "$(content cert.pem)" &&
		say PUT /v1/manifests/manifest.jsonl operator "$(content manifest.jsonl manifest.jsonl.p7s)" &&
		say PUT /v1/policies/policy.json operator "$(content policy.json)" &&
		say POST /v1/assignments approver '{"label": "", "policy": "policy.json", "version": 1}'
}
fleet_load() {
	"$top/build/host/fleet-load" --manifest manifest.jsonl --devices "$devices" --socket "$work/fleet.sock" "$@"
}
serve --database "$url" --listen 127.0.0.1:0 --cert cert.pem --key key.pem --workers 2 --interval "$interval" \
	--connections 20000 --per-address 0 --timeout 20 || bail 'the service does not start'
port=$(sed -n 's/.*listening at 127.0.0.1:0, port \([0-9]*\).*/\1/p' fleet.log)
set_up || bail 'nothing can be judged'
fleet_load --enrol approver-token >/dev/null || bail 'no device can be enrolled'

# ---------------------------------------------------------------- what happens under load
eventually() { # COMMAND...
	for _ in $(seq 2400); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}
seen() { # how many times the parent has started another worker
	grep -c 'another one follows' fleet.log
}
kill_worker() {
	seen_before=$(seen)
	worker=$(tr ' ' '\n' <"/proc/$fleet/task/$fleet/children" | sed '/^$/d' | shuf -n 1)
	kill -KILL "$worker" 2>/dev/null || return 0
	eventually eval '[ "$(seen)" -gt "$seen_before" ]'
}
largest() { # KiB that any process of the service has had
	for largest_pid in "$fleet" $(cat "/proc/$fleet/task/$fleet/children"); do
		sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$largest_pid/status" 2>/dev/null
	done | sort -n | tail -n 1
}
attested() { # devices whose verdict is one
	query 'SELECT count(*) FROM device_state WHERE judged > 0' 2>/dev/null || echo 0
}
fleet_load --connections 32 --rate "$rate" --seconds "$seconds" --grow 1 --again 10 --patient --record record >load.json 2>load.log &
load=$!
check 'devices attest' eventually eval '[ "$(attested)" -gt 20 ]'
"$top/tests/e2e/fleet-crowd.py" "$port" cert.pem "$idle" "$slow" "$seconds" >crowd.json 2>crowd.log &
crowd=$!
began=$(date +%s)
rounds=0
while :; do
	check 'a worker is killed, and another one follows' kill_worker
	kill_primary
	rm -f "$work/primary/data/postmaster.pid"
	check 'the database is killed, and comes again' primary
	# The next look is before the last one, as where the clock has gone back.
	check 'time goes back' eventually query "UPDATE meta SET value = value + 1000000 WHERE name = 'swept'"
	rounds=$((rounds + 1))
	[ $(($(date +%s) - began)) -lt $((seconds * 2 / 3)) ] || break
	sleep "${PAUSE:-0}"
done
check 'which is noticed' eventually grep -q 'the clock has gone back by' fleet.log
kill_primary
primary_pid=
as_postgres "$postgres_bin/pg_ctl" promote --pgdata "$work/replica/data" >&2 || bail 'the replica is not promoted'
check 'the database is lost, and its replica is taken' eventually query 'CREATE TABLE written (x int)'
check 'a worker is killed again' kill_worker
wait "$load"
load_status=$?
load=
memory=$(largest)
cat load.log >&2
check 'what was begun was answered' [ "$load_status" -eq 0 ]
check 'connections were lost' eval 'jq -e ".broken > 0" load.json >/dev/null'
check 'and evidence that had been judged was answered again' eval 'jq -e ".repeated > 0" load.json >/dev/null'
check 'each device attested' [ "$(wc -l <record)" -eq "$devices" ]

# ---------------------------------------------------------------- what is in the database
query 'CREATE TABLE answered (name text PRIMARY KEY, clock bigint)'
psql -q "$url" -c '\copy answered FROM record'
check 'no verdict that was answered is lost' [ "$(query 'SELECT count(*) FROM answered a LEFT JOIN device_state s USING (name) WHERE s.clock IS NULL OR s.clock < a.clock')" = 0 ]
check 'none is there twice' [ "$(query 'SELECT count(*) FROM (SELECT verdict, lag(verdict) OVER (PARTITION BY name ORDER BY id) AS before FROM verdict_change) c WHERE verdict = before')" = 0 ]
check 'each device is held for what its last change says' [ "$(query 'SELECT count(*) FROM device_state s LEFT JOIN verdict_change c ON c.id = s.change_id WHERE c.verdict IS DISTINCT FROM s.verdict')" = 0 ]
silent() {
	[ "$(query 'SELECT count(*) FROM device_state WHERE verdict <> 3')" = 0 ]
}
check 'no device stays away without being told of' eventually silent
wait "$crowd"
check 'those who only wait, or are slow, are ended' eval 'jq -e ".left == 0 and .opened > 0" crowd.json >/dev/null'
echo "# $rounds rounds, $(cat load.json), $(cat crowd.json), $memory KiB"
check 'memory is bounded' [ "$memory" -lt 262144 ]
kill "$fleet"
check 'it ends well' wait "$fleet"
fleet=

# ---------------------------------------------------------------- no room on the disk
verdicts() { # that were made since the service began
	curl -sS --unix-socket fleet.sock -H 'Authorization: Bearer operator-token' http://fleet/metrics | sed -n 's/^assay_fleet_verdicts_total //p'
}
full() { # in a mount namespace of its own: prints what was seen
	mount -t tmpfs -o size=32m none disk && serve --database "sqlite:$work/disk/fleet.db" && set_up &&
		fleet_load --enrol approver-token >/dev/null || return 1
	"$top/build/host/fleet-load" --manifest manifest.jsonl --devices "$devices" --socket "$work/fleet.sock" \
		--connections 4 --rate 50 --seconds 3600 --grow 1 --patient --record record >load.json &
	full_load=$!
	eventually eval '[ "$(verdicts)" -gt 5 ]' || return 1
	cat /dev/zero >disk/ballast 2>/dev/null
	eventually grep -q 'are put off: the database: ' fleet.log || return 1
	rm disk/ballast
	full_before=$(verdicts)
	eventually eval '[ "$(verdicts)" -gt "$((full_before + 20))" ]' || return 1
	kill "$full_load"
	wait "$full_load" || return 1
	kill "$fleet"
	wait "$fleet" || return 1
	python3 - record <<-'END'
		import sqlite3, sys
		database = sqlite3.connect("disk/fleet.db")
		print(database.execute("PRAGMA integrity_check").fetchone()[0])
		clocks = dict(database.execute("SELECT name, clock FROM device_state"))
		answered = [line.split() for line in open(sys.argv[1])]
		print("answered", len(answered) > 0)
		print("lost", sum(clocks.get(name, 0) < int(clock) for name, clock in answered))
	END
}
mkdir disk
if unshare -m true 2>/dev/null; then
	devices=40
	export top work devices
	full_text=$(sed -n '/^serve() {/,/^}/p; /^say() {/,/^}/p; /^content() {/,/^}/p; /^set_up() {/,/^}/p; /^fleet_load() {/,/^}/p; /^eventually() {/,/^}/p; /^verdicts() {/,/^}/p; /^full() {/,/^}/p' "$top/tests/e2e/test_fleet_faults.sh")
	run unshare -m sh -c "$full_text
		full"
	check 'a disk that is full loses nothing that was answered' prints 0 '^ok$' '^answered True$' '^lost 0$'
else
	skip 'a disk that is full loses nothing that was answered' 'this user can mount nothing'
fi
echo "1..$check_number"
exit "$check_failed"
