#!/bin/sh
# SPDX-License-Identifier: MIT
# Looking after the fleet's database: copies while it is in use, and back; what is old; what is wrong;
# on SQLite, and on PostgreSQL. And that the description of the routes is that of the routes.
# shellcheck disable=SC2016,SC2034 # what eval uses
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/postgres.sh
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
trap 'fleet_stop; postgres_stop; end' EXIT

says() { # STATUS WORDS...
	[ "$status" -eq "$1" ] || return 1
	shift
	for words; do
		cat stdout stderr | grep -q -e "$words" || return 1
	done
}
# On a machine whose clock is wrong by $OTHER_CLOCK seconds.
export OTHER_CLOCK=
cat >elsewhere <<EOF
#!/bin/sh
LD_PRELOAD=$top/build/host/other-clock exec "$fleet_program" "\$@"
EOF
chmod 755 elsewhere

# Makes a fleet of one device that has attested, and looks after it: URL, URL of a copy
look_after() {
	fleet_database=$1
	run "$fleet_program" migrate --database "$1" --to 1
	check "$2: an old version is made" says 0 'version 0 before, version 1 now'
	run "$fleet_program" serve --database "$1" --listen 127.0.0.1:0
	check "$2: the service does not work with it" says 1 'run assay-fleet migrate'
	run "$fleet_program" doctor --database "$1"
	check "$2: and the doctor sees it" says 1 'BAD .*version 1'
	run "$fleet_program" migrate --database "$1"
	check "$2: it becomes the newest" says 0 'version 1 before, version [0-9]* now'
	run "$fleet_program" migrate --database "$1" --to 1
	check "$2: and never an old one again" says 1 'it can only become a newer one'
	run "$fleet_program" doctor --database "$1"
	check "$2: nobody serves, no policy is there" says 1 '^BAD .*no service is running' '^BAD .*no policy is assigned' '^good .*the audit is a chain'
	fleet_start || bail 'the service does not start'
	as approver PUT /v1/devices/d1 --data-binary @records/devices/d1.json
	upload policies policy.json v/policy.json
	as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
	check "$2: a policy is assigned" said 200
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20
	check "$2: a device attests" says 0 '^d1: trusted'
	run "$fleet_program" doctor --database "$1" --json
	check "$2: all is good" eval '[ "$status" -eq 0 ] && jq -e ".type == \"doctor\" and (.looks | length > 0 and all(.good))" stdout >/dev/null'
	cp stdout doctor.json
	check "$2: in the form that the schema has" /usr/bin/python3 "$top/tests/e2e/json-schema.py" "$top/policy/output.schema.json" --as doctor doctor.json
	OTHER_CLOCK=2
	run ./elsewhere doctor --database "$1"
	check "$2: a clock that is nearly the database's is good" says 0 "^good .*this machine's clock is the database's"
	OTHER_CLOCK=86400
	run ./elsewhere doctor --database "$1"
	check "$2: one that is ahead is told" says 1 "^BAD .*this machine's clock is the database's: it is 86[34][0-9]* s ahead: set it"
	OTHER_CLOCK=-700
	run ./elsewhere doctor --database "$1"
	check "$2: and one that is behind, and what to do" \
		says 1 "^BAD .*this machine's clock is the database's: it is [67][0-9]* s behind: set it" '^good .*a service is running'
	fleet_stop
	right_program=$fleet_program
	fleet_program=./elsewhere
	fleet_start || bail 'the service does not start'
	fleet_program=$right_program
	check "$2: so does the service" grep -q "this machine's clock is [67][0-9]* s behind the database's" fleet.log
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20
	check "$2: which goes by the database's" says 0 '^d1: trusted'
	as viewer GET /v1/devices/d1
	check "$2: and so nobody is called silent by others" said 200 '.device | .verdict == "trusted" and .judged > now - 60 and .due > now'
	run "$fleet_program" backup --database "$1" --out copy
	check "$2: a copy while it serves" says 0 '^copy: '
	run "$fleet_program" backup --database "$1" --out copy
	check "$2: which is not written over" says 1 'copy is there already'
	run "$fleet_program" restore --database "$1" --from copy
	check "$2: nor is a database" says 1 'is there already\|is not empty'
	run "$fleet_program" restore --database "$3" --from copy
	check "$2: the copy becomes a database" says 0 'that of copy'
	fleet_stop
	fleet_database=$3
	fleet_start || bail 'the service does not start with the copy'
	as viewer GET /v1/devices/d1
	check "$2: with all that was known" said 200 '.device.verdict == "trusted" and .device.policy == "policy.json@1"'
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20
	check "$2: the device goes on with it" says 0 '^d1: trusted'
	run "$fleet_program" prune --database "$3" --days 0
	check "$2: what is old is removed" says 0 '^0 former verdicts and 0 pieces of evidence'
	as viewer GET /v1/devices/d1/verdict
	check "$2: and what it is held for stays" said 200 '.verdict.trusted'
	fleet_stop
	rm copy
}
look_after "sqlite:$work/one.db" SQLite "sqlite:$work/two.db"

python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE audit SET who = ? WHERE id = 1", ("nobody",))
database.commit()' two.db
run "$fleet_program" doctor --database "sqlite:$work/two.db"
check 'what was changed in the audit is seen' says 1 '^BAD .*row 1 of the audit'
head -c 5000 two.db >cut.db
run "$fleet_program" doctor --database "sqlite:$work/cut.db"
check 'a file that was cut is seen' says 1 'malformed\|BAD\|not a database'
echo nonsense >nonsense.db
run "$fleet_program" doctor --database "sqlite:$work/nonsense.db"
check 'and one that is no database' says 1 'not a database'
run "$fleet_program" doctor --database 'postgresql://fleet:secret@localhost/x'
check 'a password in a URL is refused' says 1 'must have no password'

postgres_start "$work/postgres" >&2 || bail 'PostgreSQL does not start'
psql -q -h "$work/postgres" -U fleet -d postgres -c 'CREATE DATABASE two' >&2
look_after "$postgres_url" PostgreSQL "postgresql:///two?host=$work/postgres&user=fleet"
postgres_stop

# ---------------------------------------------------------------- the description of the routes
"$fleet_program" routes --json >routes.json
check 'the routes are printed in the form that the schema has' /usr/bin/python3 "$top/tests/e2e/json-schema.py" "$top/policy/output.schema.json" --as routes routes.json
described='[.paths | to_entries[] | .key as $path | .value | to_entries[] | [(.key | ascii_upcase), $path, .value["x-role"], .value.summary]] | sort'
routed='[.routes[] | [.method, (.path | gsub("\\{\\.\\.\\.\\}"; "{path}") | gsub("\\{\\}"; "{name}")), .role, .summary]] | sort'
check 'docs/fleet-openapi.json has every route, its role and what it does, and no other' eval '[ "$(jq -c "$described" "$top/docs/fleet-openapi.json")" = "$(jq -c "$routed" routes.json)" ]'
check 'each says what it answers' [ "$(jq '[.paths[][] | .responses | (keys | any(startswith("2"))) and has("default")] | all' "$top/docs/fleet-openapi.json")" = true ]
echo "1..$check_number"
exit "$check_failed"
