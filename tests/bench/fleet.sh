#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-fleet: attestations a second that assay-fleet sustains on this machine, with the database and the
# load on it too. DEVICES made-up devices, each with a key of its own, are enrolled; each attests once
# with its whole logs; then, for SECONDS, all in turn as fast as it goes, each time with a record and an
# entry more, over CONNECTIONS connections that are kept, at the Unix socket of WORKERS processes. DATABASE is
# postgresql (15, its settings but for sizes) or sqlite. ratio: over 3,333 a second, which is a
# million devices every 5 minutes. ACTIVE is how many of DEVICES attest, all if it is not said; who has not attested
# for two of INTERVAL seconds is silent, which for a million must be more than they take for the first time and
# once more. With KEYLIME=DIRECTORY, which has Keylime's source
# (git clone https://github.com/keylime/keylime; it needs python3-cryptography, -gpg, -jsonschema, -lark,
# -packaging, -pyasn1-modules, -requests, -sqlalchemy, -tornado, -yaml), its verdict on evidence of 780
# entries of IMA is measured beside libassay-verify's, each by itself in one process.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
. tests/postgres.sh
. tests/made-fleet.sh

devices=${DEVICES:-10000} active=${ACTIVE:-${DEVICES:-10000}} seconds=${SECONDS_LONG:-60} connections=${CONNECTIONS:-256} entries=${ENTRIES:-20}
workers=${WORKERS:-$(nproc)} interval=${INTERVAL:-300} database=${DATABASE:-postgresql}
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-fleet.XXXXXX")
top=$PWD
fleet=
stop() {
	if [ -n "$fleet" ]; then
		kill "$fleet" 2>/dev/null || :
		wait "$fleet" 2>/dev/null || :
	fi
	fleet=
	postgres_stop
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

[ -n "${PREBUILT-}" ] || make --no-print-directory -s build/host/assay build/host/assay-fleet build/host/fleet-load >/dev/null
case $database in
postgresql)
	postgres_start "$work/postgres" shared_buffers=512MB max_wal_size=4GB checkpoint_timeout=15min >&2 || { echo 'bench-fleet: PostgreSQL does not start' >&2; exit 1; }
	url=$postgres_url
	;;
sqlite) url=sqlite:$work/fleet.db ;;
*) echo "bench-fleet: DATABASE is postgresql or sqlite, not $database" >&2; exit 2 ;;
esac

cd "$work"
mkdir -p tree/usr/bin
for i in 1 2 3; do echo "$i" >"tree/usr/bin/file$i"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench \
	-addext keyUsage=critical,digitalSignature -addext basicConstraints=critical,CA:FALSE \
	-keyout key.pem -out cert.pem -days 2 2>/dev/null
made_references "$top/build/host/assay"
made_serve "$top/build/host/assay-fleet" --database "$url" --workers "$workers" --interval "$interval" || { cat fleet.log >&2; exit 1; }
made_set_up

# processor seconds of processes with all that they have waited for
cpu() { # PID...
	for cpu_pid; do
		sed 's/.*) //' "/proc/$cpu_pid/stat" 2>/dev/null || :
	done | awk -v hertz="$(getconf CLK_TCK)" '{ used += $12 + $13 + $14 + $15 } END { printf "%.2f", used / hertz }'
}
# with its children
cpu_of() { # PID
	# shellcheck disable=SC2046 # pids, as words
	cpu "$1" $(cat "/proc/$1/task/$1/children")
}
database_cpu() {
	[ -n "$postgres_pid" ] || { echo 0; return; }
	cpu_of "$postgres_pid"
}
query() { # SQL
	psql -qAt -h "$postgres_at" -U fleet postgres -c "$1"
}
load() {
	"$top/build/host/fleet-load" --manifest manifest.jsonl --devices "$devices" --active "$active" --entries "$entries" --connections "$connections" --socket "$work/fleet.sock" "$@"
}

if [ "$database" = postgresql ]; then
	# By requests, each of which is on the disk before it is answered, a million would take hours.
	copied=$(date +%s.%N)
	load --rows | psql -q -v ON_ERROR_STOP=1 -h "$postgres_at" -U fleet postgres \
		-c '\copy device (name, identity, record, ak, qualified_name, label, approved, enrolled) FROM STDIN' \
		-c 'INSERT INTO device_state (name) SELECT name FROM device' -c 'VACUUM ANALYZE' >&2
	jq -n --argjson devices "$devices" --argjson began "$copied" --argjson ended "$(date +%s.%N)" \
		'{rate: ($devices / ($ended - $began))}' >enrolled.json
else
	load --enrol approver-token >enrolled.json
fi
echo "enrolled: $(cat enrolled.json)" >&2
fleet_first=$(cpu_of "$fleet") database_first=$(database_cpu)
load --rounds 1 >whole.json
echo "with whole logs: $(cat whole.json)" >&2
fleet_before=$(cpu_of "$fleet") database_before=$(database_cpu)
wal_before=0 rows_before=0
if [ "$database" = postgresql ]; then
	wal_before=$(query 'SELECT pg_current_wal_lsn() - '"'0/0'"'::pg_lsn')
	rows_before=$(query 'SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables')
fi
load --seconds "$seconds" --grow 1 >load.json
fleet_cpu=$(cpu_of "$fleet") database_now=$(database_cpu)
wal=0 rows=0 hot=null
if [ "$database" = postgresql ]; then
	sleep 2 # the statistics of what has ended come within a second
	wal=$(query 'SELECT pg_current_wal_lsn() - '"'0/0'"'::pg_lsn')
	rows=$(query 'SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables')
	hot=$(query "SELECT round(sum(n_tup_hot_upd)::numeric / greatest(sum(n_tup_upd), 1), 4) FROM pg_stat_user_tables WHERE relname LIKE 'device_state%'")
fi
# One process each, no HTTP and no database: what is compared is the judging.
keylime=null
if [ -n "${KEYLIME-}" ]; then
	mkdir one library
	"$top/build/host/fleet-load" --manifest manifest.jsonl --entries 780 --one one
	echo '{"assay": 1, "type": "policy", "waive": {"boot-known": "there is no boot"}}' >library.json
	(
		cd "$top"
		. tests/library-program.sh
		library_program "$work/library"
		cd "$work"
		library/library 200 one library.json manifest.jsonl cert.pem >library.us
	)
	/usr/bin/python3 "$top/tests/bench/keylime.py" "$KEYLIME" one 5 >keylime.json
	read -r _ judged_us next_us _ <library.us
	keylime=$(jq -c --argjson judged "$judged_us" --argjson next "$next_us" '. as $k | {entries, whole_us, next_us, per_s: (1e6 / .whole_us), next_per_s: (1e6 / .next_us),
		ours: {whole_us: $judged, next_us: $next, per_s: (1e6 / $judged), next_per_s: (1e6 / $next)},
		ratio: ($k.whole_us / $judged), next_ratio: ($k.next_us / $next)}' keylime.json)
	echo "Keylime: $keylime" >&2
else
	echo 'Keylime is not measured beside it: KEYLIME=DIRECTORY says where its source is' >&2
fi
jq -r '"\(.done) attestations in \(.seconds) s, \(.rate) a second; p50 \(.p50_ms) ms, p99 \(.p99_ms) ms; \(.bytes) bytes each; \(.failed) failed, \(.retried) came twice"' load.json
jq -c --slurpfile enrolled enrolled.json --slurpfile whole whole.json --arg database "$database" --argjson active "$active" --argjson workers "$workers" \
	--argjson fleet "$fleet_cpu" --argjson fleet_before "$fleet_before" --argjson store "$database_now" --argjson store_before "$database_before" \
	--argjson fleet_first "$fleet_first" --argjson store_first "$database_first" \
	--argjson wal "$wal" --argjson wal_before "$wal_before" --argjson rows "$rows" --argjson rows_before "$rows_before" --argjson hot "$hot" --argjson keylime "$keylime" '
	{name: "fleet", ours: .rate, peer: 3333, ratio: (.rate / 3333), unit: "attestations/s", runs: .done,
	 database: $database, devices: .devices, active: $active, workers: $workers, seconds, failed, retried, p50_ms, p99_ms, sent_bytes: .bytes,
	 rows_each: (($rows - $rows_before) / .done), wal_bytes_each: (($wal - $wal_before) / .done), hot_share: $hot,
	 whole_bytes: $whole[0].bytes, enrolled_per_s: $enrolled[0].rate, whole_per_s: $whole[0].rate,
	 cpu_us_each: {load: (.cpu * 1e6 / .done), fleet: (($fleet - $fleet_before) * 1e6 / .done), database: (($store - $store_before) * 1e6 / .done)},
	 whole_cpu_us_each: {load: ($whole[0].cpu * 1e6 / $whole[0].done), fleet: (($fleet_before - $fleet_first) * 1e6 / $whole[0].done), database: (($store_before - $store_first) * 1e6 / $whole[0].done)},
	 keylime: $keylime}' load.json
