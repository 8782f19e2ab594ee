#!/bin/sh
# SPDX-License-Identifier: MIT
# A fleet under load to which everything happens: workers, nginx in front of them and the database killed, the
# database failed over to its replica, connections that are idle or slow, time that goes back, no room on the disk. What
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
. tests/nginx.sh
seconds=${SECONDS_LONG:-14} devices=${DEVICES:-200} rate=${RATE:-100} idle=${IDLE:-1500} slow=${SLOW:-100}
interval=3
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-fleet-faults.XXXXXX")
fleet='' load='' crowd=''
primary_pid='' replica_pid=''
kill_primary() { # with all that it has started
	# shellcheck disable=SC2046 # pids, as words
	kill -KILL "$primary_pid" $(cat "/proc/$primary_pid/task/$primary_pid/children" 2>/dev/null) 2>/dev/null || :
}
kill_front() { # nginx, with its worker
	[ -n "$nginx_pid" ] || return 0
	# shellcheck disable=SC2046 # pids, as words
	kill -KILL "$nginx_pid" $(cat "/proc/$nginx_pid/task/$nginx_pid/children" 2>/dev/null) 2>/dev/null || :
	wait "$nginx_pid" 2>/dev/null
	nginx_pid=
}
end() {
	[ -z "$load" ] || kill "$load" 2>/dev/null
	[ -z "$crowd" ] || kill "$crowd" 2>/dev/null
	[ -z "$fleet" ] || kill "$fleet" 2>/dev/null
	kill_front
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
eventually() { # COMMAND...
	for _ in $(seq 2400); do
		! "$@" || return 0
		sleep 0.05
	done
	return 1
}
serve() { # [OPTION]...
	# One operator enrols all devices at once, which may be more than he may ask in a minute.
	made_serve "$top/build/host/assay-fleet" --operator-rate 0 "$@"
}
fleet_load() {
	"$top/build/host/fleet-load" --manifest manifest.jsonl --devices "$devices" "$@"
}
# What one process has open: the whole crowd, or all of it that has come to one worker.
most=$((idle + slow + 1000))
[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge "$most" ] || prlimit --pid $$ --nofile="$most:$most" || bail "no $most files can be open"
serve --database "$url" --listen 127.0.0.1:0 --cert cert.pem --key key.pem --workers 2 --interval "$interval" \
	--connections "$(((idle + slow) * 2))" --timeout 20 || bail 'the service does not start'
port=$(sed -n 's/.*listening at 127.0.0.1:0, port \([0-9]*\).*/\1/p' fleet.log)
made_set_up || bail 'nothing can be judged'
fleet_load --socket "$work/fleet.sock" --enrol approver-token >/dev/null || bail 'no device can be enrolled'
# As the sample has it, but at a Unix socket, whose requests are of one address and need no TLS.
nginx_write "$top/examples/fleet/nginx.conf" cert "s,listen 8443 ssl http2,listen unix:$work/front.sock,; /ssl_cert\|ssl_client_cert\|ssl_protocols\|ssl_verify\|limit_/d"
front_answers() {
	curl -fsS --unix-socket front.sock http://fleet/healthz >/dev/null 2>&1
}
front() {
	rm -f front.sock
	nginx_start
	eventually front_answers
}

# ---------------------------------------------------------------- what happens under load
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
check 'nginx is in front of it' front
fleet_load --socket "$work/front.sock" --connections 32 --rate "$rate" --seconds "$seconds" --grow 1 --again 10 --patient --record record >load.json 2>load.log &
load=$!
check 'devices attest' eventually eval '[ "$(attested)" -gt 20 ]'
"$top/tests/e2e/fleet-crowd.py" "$port" cert.pem "$idle" "$slow" crowd.all >crowd.json 2>crowd.log &
crowd=$!
there() { # how many connections the service has by its own count
	curl -sS --unix-socket fleet.sock -H 'Authorization: Bearer operator-token' http://fleet/metrics | sed -n 's/^assay_fleet_connections //p'
}
began=$(date +%s)
rounds=0
while :; do
	check 'a worker is killed, and another one follows' kill_worker
	kill_front
	check 'nginx is killed, and comes again' front
	kill_primary
	rm -f "$work/primary/data/postmaster.pid"
	check 'the database is killed, and comes again' primary
	# The next look is before the last one, as where the clock has gone back.
	check 'time goes back' eventually query "UPDATE meta SET value = value + 1000000 WHERE name = 'swept'"
	rounds=$((rounds + 1))
	[ $(($(date +%s) - began)) -lt $((seconds * 2 / 3)) ] || break
	sleep "${PAUSE:-0}"
done
# The idle ones are ended after 10 seconds and come again: it has most of them all the time.
check 'all of the crowd are there at once' eventually [ -s crowd.all ]
check 'and the service has most of them' eventually eval '[ "$(there)" -gt "$(((idle + slow) / 2))" ]'
kill "$crowd"
check 'that time went back is noticed' eventually grep -q 'the clock has gone back by' fleet.log
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
check 'of each it is kept what its log proves that it runs' [ "$(query 'SELECT kernel, module, count(*) FROM device_version GROUP BY 1, 2')" = "6.12.0-test|0.1.0|$devices" ]
silent() {
	[ "$(query 'SELECT count(*) FROM device_state WHERE verdict <> 3')" = 0 ]
}
check 'no device stays away without being told of' eventually silent
check 'each that is has one alarm that is open' [ "$(query 'SELECT count(DISTINCT name), count(*) FROM alarm WHERE closed = 0')" = "$devices|$devices" ]
wait "$crowd"
crowd_status=$?
crowd=
cat crowd.log >&2
check 'those who only wait, or are slow, are ended' eval '[ "$crowd_status" -eq 0 ] && jq -e ".left == 0 and .ended == .opened and .most == $((idle + slow))" crowd.json >/dev/null'
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
	mount -t tmpfs -o size=32m none disk && serve --database "sqlite:$work/disk/fleet.db" && made_set_up &&
		fleet_load --socket "$work/fleet.sock" --enrol approver-token >/dev/null || return 1
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
	full_text=$(sed -n '/^serve() {/,/^}/p; /^fleet_load() {/,/^}/p; /^eventually() {/,/^}/p; /^verdicts() {/,/^}/p; /^full() {/,/^}/p' "$top/tests/e2e/test_fleet_faults.sh")
	run unshare -m sh -c ". \"$top/tests/made-fleet.sh\"
		$full_text
		full"
	check 'a disk that is full loses nothing that was answered' prints 0 '^ok$' '^answered True$' '^lost 0$'
else
	skip 'a disk that is full loses nothing that was answered' 'this user can mount nothing'
fi
echo "1..$check_number"
exit "$check_failed"
