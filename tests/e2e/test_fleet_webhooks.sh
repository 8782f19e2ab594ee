#!/bin/sh
# SPDX-License-Identifier: MIT
# The configuration of the fleet's verifier, and what it says last: webhooks, which tell a receiver that
# fails, hangs and sends elsewhere of each change at least once, in order, whatever dies.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
FLEET_VARIANT=asan
. tests/e2e/push.sh
. "$top/tests/e2e/fleet.sh"
receivers=
# shellcheck disable=SC2086 # a list
trap '[ -z "$receivers" ] || kill $receivers 2>/dev/null; fleet_stop; end' EXIT

await() { # CONDITION...: for a minute at most
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

# ---------------------------------------------------------------- the configuration
refused() { # WORDS: by --check
	run "$fleet_program" serve --config bad.conf --check
	[ "$status" -eq 1 ] && grep -qF -e "$1" stderr && [ ! -e none.db ]
}
printf '[serve]\ndatabase = sqlite:%s/none.db\nlisten = 127.0.0.1:0\noperators = operators\n' "$work" >good.conf
run "$fleet_program" serve --config good.conf --check
check 'a configuration that is whole' eval '[ "$status" -eq 0 ] && [ ! -e none.db ]'
cp good.conf bad.conf && echo 'colour = red' >>bad.conf
check 'a key that is none' refused "bad.conf line 5: [serve] has no key 'colour'"
cp good.conf bad.conf && echo 'result-key = none.pem' >>bad.conf
check 'a file that is not there' refused 'none.pem'
cp good.conf bad.conf && echo 'cert = localhost.pem' >>bad.conf
run "$fleet_program" serve --config bad.conf --check
check 'half of what belongs together' eval '[ "$status" -eq 2 ] && grep -qF -e "--cert and --key need each other" stderr'
cp good.conf bad.conf && printf 'cert = localhost.pem\nkey = viewer\n' >>bad.conf
check 'a key of TLS that is none' refused 'viewer'
for url in http://192.0.2.1/ https://user:word@localhost/ file:///etc/passwd; do
	printf '[webhook a]\nurl = %s\nsecret = secret\n' "$url" | cat good.conf - >bad.conf
	check "a webhook to $url" refused 'the webhook a: '
done
printf '%s' 'short' >short
printf '[webhook a]\nurl = https://localhost/\nsecret = %s/short\n' "$work" | cat good.conf - >bad.conf
check 'a secret that is too short' refused '24 to 64 bytes'
printf '[webhook a]\nurl = https://localhost/\nsecret = short\n' | cat good.conf - >bad.conf
check 'a credential where there are none' refused 'LoadCredential=short'
run env CREDENTIALS_DIRECTORY="$work" "$fleet_program" serve --config bad.conf --check
check 'which is found where there are' eval '[ "$status" -eq 1 ] && grep -q "24 to 64 bytes" stderr'
run "$fleet_program" serve --config none.conf --check
check 'a configuration that is not there' eval '[ "$status" -eq 1 ] && grep -q "none.conf" stderr'
run "$fleet_program" doctor --config good.conf
check 'other commands take the database from there' eval '[ "$status" -eq 1 ] && grep -q "version 0" stdout'
rm -f none.db

# ---------------------------------------------------------------- receivers
openssl rand -hex 24 >hook.secret
receive() { # NAME WORDS [OPTION]...: its port is in $port
	receive_name=$1
	echo "$2" >"$1.plan"
	shift 2
	"$top/tests/e2e/webhook-receiver.py" hook.secret "$receive_name.log" "$receive_name.plan" "$@" &
	receivers="$receivers $!"
	await test -s "$receive_name.log" || bail 'no receiver'
	port=$(head -n 1 "$receive_name.log")
}
# messages NAME FILTER: true of the array of what it got
messages() {
	tail -n +2 "$1.log" | jq -se "$2" >/dev/null
}
receive all '500 redirect 503'
printf '[webhook all]\nurl = http://127.0.0.1:%s/hook\nsecret = %s/hook.secret\ntimeout = 1\n' "$port" "$work" >hooks.conf
receive alarms '' localhost.pem localhost.key
printf '[webhook alarms]\nurl = https://localhost:%s/alarms\nca = %s/servers.pem\nsecret = hook.secret\nchanges = alarms\n' \
	"$port" "$work" >>hooks.conf
receive foreign '' localhost.pem localhost.key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -subj /CN=other -days 2 2>/dev/null
printf '[webhook foreign]\nurl = https://localhost:%s/\nca = %s/other.pem\nsecret = hook.secret\n' "$port" "$work" >>hooks.conf
CREDENTIALS_DIRECTORY=$work
export CREDENTIALS_DIRECTORY

fleet_start --config hooks.conf --interval 3600 || bail 'the service does not start'
as approver PUT /v1/devices/d1 --data-binary @records/devices/d1.json
upload policies policy.json v/policy.json
as approver POST /v1/assignments -d '{"label": "", "policy": "policy.json", "version": 1}'
check 'a device and a policy' said 200
push() {
	with_logs "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d1 --no-assay-log --timeout 20
}
push
check 'the device is trusted' [ "$status" -eq 0 ]
check 'a receiver that fails, sends elsewhere and fails again is told in the end' await messages all \
	'map(.word) == ["500", "redirect", "503", "204"]'
check 'with the same message each time' messages all '(map(.id) | unique == ["all-1"]) and (map(.digest) | unique | length == 1) and all(.path == "/hook")'
check 'signed, and of now' messages all 'all(.signed and .recent and .type == "webhook") and .[0].changes == [[1, "d1", "trusted"]]'
# A clock that was ahead has put off the next message for a day.
python3 -c 'import sqlite3, time
database = sqlite3.connect("fleet.db", timeout=60)
database.execute("UPDATE webhook SET due = ?, lease = ?", (int(time.time()) + 86400, int(time.time()) + 86400))
database.commit()'
measure /usr/bin/tool "$(echo tool | sha256sum | cut -d ' ' -f 1)"
push
check 'the device is not trusted' [ "$status" -eq 1 ]
check 'which is told' await messages all '.[-1] | .word == "204" and .changes == [[2, "d1", "not-trusted"]]'
check 'over TLS, the alarm alone' await messages alarms 'map([.path, .signed, .changes]) == [["/alarms", true, [[2, "d1", "not-trusted"]]]]'
check 'who has another certificate is told nothing' messages foreign '. == []'
check 'which is noted' grep -q 'the webhook foreign was not taken: HTTP 0 .*certificate' fleet.log
as viewer GET /metrics
check 'and counted' eval 'grep -q "^assay_fleet_webhook_tries{webhook=\"all\"} 0$" answer && grep -q "^assay_fleet_webhook_tries{webhook=\"foreign\"} [1-9]" answer && grep -q "^assay_fleet_webhooks_total 3$" answer'

# ---------------------------------------------------------------- killed while it waits for an answer
# shellcheck disable=SC2086 # a list
kill $receivers
receivers=
receive held 'hang'
printf '[webhook all]\nurl = http://127.0.0.1:%s/hook\nsecret = hook.secret\ntimeout = 3\n' "$port" >hooks.conf
fleet_start --config hooks.conf --interval 3600 --workers 1 || bail 'the service does not start'
python3 -c 'import sqlite3
database = sqlite3.connect("fleet.db", timeout=60)
database.executemany("INSERT INTO verdict_change (name, at, verdict, reason, policy, verdict_json) VALUES (?, 1, 3, ?, ?, ?)",
    [("many", "", "", "{}")] * 250)
database.commit()'
check 'a hundred changes in a message' await messages held 'length == 1 and .[0].word == "hang" and (.[0].changes | length) == 100'
kill -KILL "$fleet"
wait "$fleet" 2>/dev/null
fleet=
fleet_start --config hooks.conf --interval 3600 --workers 1 || bail 'the service does not start'
check 'killed before the answer: the same message comes again, and then all others' await messages held \
	'map(.id) == ["all-102", "all-102", "all-202", "all-252"] and .[0].digest == .[1].digest'
check 'so each change was told, in order' messages held '[.[1:][].changes[][0]] == [range(3; 253)]'
check 'it ends well' fleet_stop
check 'without a word of a sanitizer' eval '! grep -q "ERROR: \|runtime error" fleet.log'
echo "1..$check_number"
exit "$check_failed"
