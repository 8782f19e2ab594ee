#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd pushes evidence: a machine without the module attests to a verifier over HTTPS again and
# again, when the verifier asks for it; what is told of verdicts, of a verifier that is away, of
# another one, and of one that misbehaves; and quotes on request by the Varlink socket.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/push.sh
varlink="/usr/bin/python3 $top/tests/e2e/varlink.py"
service=
end_all() {
	[ -z "$service" ] || kill -9 "$service" 2>/dev/null
	end
}
trap end_all EXIT

configure() { # [LINES of [push], which replace]
	cat >assayd.conf <<END
[service]
user=
state-directory=$work/state
runtime-directory=$work/run
[status]
socket=$work/run/socket
group=root
interval=200ms
metrics-file=$work/metrics.prom
[attest]
ak=$work/ak.pem
tcti=$ASSAY_TCTI
assay-log=no
timeout=20s
[push]
url=$url
name=d1
ca=$work/servers.pem
timeout=1s
min-interval=1s
retry=200ms
max-retry=1s
END
	mkdir -p assayd.conf.d
	printf '[push]\n%s\n' "${1:-}" >assayd.conf.d/push.conf
}

# IMA's list and the firmware's log, where the kernel shows them, as they become.
start() { # PROGRAM
	rm -f run/state.json
	unshare -rm sh -c 'mount -t tmpfs none /sys/kernel/security &&
		mkdir /sys/kernel/security/ima /sys/kernel/security/tpm0 &&
		: >/sys/kernel/security/ima/binary_runtime_measurements &&
		mount --bind list /sys/kernel/security/ima/binary_runtime_measurements &&
		cp "$1" /sys/kernel/security/tpm0/binary_bios_measurements && exec "$2" -c assayd.conf' sh \
		"$firmware" "$top/build/host/$1" 2>service.log &
	service=$!
	eventually test -s run/state.json || { sed 's/^/# /' service.log; return 1; }
}

stop() {
	kill "$service"
	stop_status=0
	wait "$service" || stop_status=$?
	service=
	return "$stop_status"
}

reload() { # [LINES of [push]]
	configure "${1:-}"
	kill -HUP "$service"
}

state_says() { # JQ-EXPRESSION
	jq -e "$1" run/state.json >/dev/null 2>&1
}

# soon JQ-EXPRESSION: the state has it within ten seconds
soon() {
	for _ in $(seq 100); do
		! state_says "$1" || return 0
		sleep 0.1
	done
	jq -c '.problems, .parts.push, .parts.attest' run/state.json | sed 's/^/# /'
	return 1
}
problem() { # PART KEY WORDS: such a one is told
	soon ".problems[] | select(.part == \"$1\" and .problem_id == \"$2\") | .text | test(\"$3\")"
}
no_problem() { # PART
	soon "[.problems[] | select(.part == \"$1\")] == []"
}
verdicts() {
	jq .parts.push.attestations run/state.json
}

# The one without systemd first: behind the rest no machine is trusted any more.
for program in assayd-plain assayd; do
	# ------------------------------------------------------------ verdicts
	serve
	echo 1 >v/next_in
	configure
	check "$program starts" start "$program"
	[ "$check_failed" -eq 0 ] || bail 'without a service there is nothing to see'
	check "$program: a verdict" soon '.parts.push.verdict == "trusted"'
	check "$program: and no problem of push or attest" eval 'no_problem push && no_problem attest'
	check "$program: again when it is asked for" soon '.parts.push.attestations >= 2'
	check "$program: as metrics" eventually grep -q '^assay_push_trusted 1' metrics.prom
	[ "$program" = assayd ] || { check "$program ends" stop; continue; }

	echo 1000000 >v/claim
	check 'what a verifier says that it has seen goes no further than what was sent' \
		soon '.parts.push.acknowledged_entries == 2 and .parts.push.acknowledged_records == 0'
	rm v/claim

	measure /usr/bin/evil "$(echo evil | sha256sum | cut -d ' ' -f 1)"
	check 'a file that nobody knows: told as a problem, with the reason' \
		problem push verdict 'does not trust this device: ima-files-known: .*/usr/bin/evil'
	check 'and in the state' soon '.parts.push.verdict == "not-trusted" and .parts.push.failures == 0'

	# ------------------------------------------------------------ one that is away
	kill "$server"
	wait "$server" 2>/dev/null
	server=
	check 'a verifier that is away is told, with what to do' problem push verifier 'cannot be asked: .*is it running'
	check 'since when' soon '.parts.push.failures >= 4 and (.parts.push.away_since | endswith("Z"))'
	check 'the verdict stays' soon '.parts.push.verdict == "not-trusted"'
	serve
	check 'back: the problem is over' soon '[.problems[] | select(.problem_id == "verifier")] == []'
	check 'and it goes on' soon '.parts.push.failures == 0 and (.parts.push | has("away_since") | not)'

	# ------------------------------------------------------------ one that misbehaves
	while read -r mode words; do
		echo "$mode" | tr + ' ' >v/mode
		check "told: $mode" problem push verifier "$words"
	done <<-'END'
		503 answers 503 .*it says: too busy .x1b
		302 sends this device elsewhere, which is refused
		garbage the verifier's challenge is not JSON
		garbage+evidence the verifier's verdict is not JSON
		large its answer is larger
		headers its head is too large
		slow does not answer in time
		drop cannot be asked
		409 nonce is not good any more
	END
	echo 503 >v/mode
	check 'it comes back when it was asked to: after 7 s, not after one' soon '.parts.push.next_ms > 5000'
	echo once409 evidence >v/mode
	: >v/log
	reload
	check 'a nonce that is too old: another one at once' eventually grep -q '^evidence d1 200' v/log
	check 'which is no failure' state_says '.parts.push.failures == 0'

	# ------------------------------------------------------------ who speaks with whom
	reload "ca=$work/others.pem"
	check 'a verifier of another authority' problem push verifier 'configure the right CA'
	cp devices.pem v/clients.pem
	reload
	check 'no certificate where one is asked for' problem push verifier 'cannot be asked: .*certificate'
	reload "client-cert=$work/d1.crt
client-key=$work/d1.key"
	check 'the right one' soon '[.problems[] | select(.problem_id == "verifier")] == [] and .parts.push.attestations > 0'
	rm v/clients.pem
	reload 'url=http://localhost'
	check 'no HTTPS: a problem of the configuration' problem push configuration 'must begin with https://'
	reload 'client-cert=device.pem'
	check 'a credential that is not there' problem push configuration 'LoadCredential=device.pem'
	reload 'name=d2'
	check 'a device that is not enrolled' problem push verifier 'answers 404 .*enrol the device'
	reload 'url='
	check 'pushing turned off: no problems of it' eval \
		'soon ".parts.push.configured == false" && no_problem push'

	# ------------------------------------------------------------ on request
	nonce=00112233445566778899aabbccddeeff
	# shellcheck disable=SC2086
	run $varlink "$work/run/socket" org.assay.Quote "{\"nonce\": \"$nonce\"}"
	check 'a quote on request' [ "$status" -eq 0 ]
	jq -e '.parameters.evidence // .evidence' stdout >asked.json
	check 'is evidence that verifies' sh -c '"$1" verify asked.json --nonce "$2" --ak ak.pub \
		--policy v/policy.json --json | jq -e ".checks[] | select(.name == \"quote-nonce\") | .result == \"pass\"" >/dev/null' \
		sh "$verifier" "$nonce"
	# shellcheck disable=SC2086
	run $varlink "$work/run/socket" org.assay.Quote "{\"nonce\": \"$nonce\", \"file\": true}"
	check 'or in a file' eval 'grep -q state/evidence-1.json stdout && jq -e .quote state/evidence-1.json >/dev/null'
	check 'which others cannot read' [ "$(stat -c %a state/evidence-1.json)" = 640 ]
	cp state/evidence-1.json first.json
	# shellcheck disable=SC2086
	run $varlink "$work/run/socket" org.assay.Quote "{\"nonce\": \"$nonce\", \"file\": true}"
	check 'each call has its own' eval 'grep -q state/evidence-2.json stdout && cmp state/evidence-1.json first.json'
	for bad in '{}' '{"nonce": "00"}' '{"nonce": 5}' '{"nonce": "xx112233445566778899"}' \
		"{\"nonce\": \"$nonce\", \"since\": -1}" "{\"nonce\": \"$nonce\", \"since_ima\": true}" "{\"nonce\": \"$nonce\", \"file\": 1}"; do
		# shellcheck disable=SC2086
		run $varlink "$work/run/socket" org.assay.Quote "$bad"
		check "refused: $bad" grep -q 'InvalidParameter' stdout stderr
	done
	kill -STOP "$swtpm_pid"
	for i in 1 2 3 4 5; do
		# shellcheck disable=SC2086
		$varlink "$work/run/socket" org.assay.Quote "{\"nonce\": \"$nonce\"}" >"asked.$i" 2>&1 &
		asked="${asked:-} $!"
	done
	check 'four wait' soon '.parts.attest.waiting == 4'
	check 'one more is told to come later' eventually grep -q 'org.assay.Busy' asked.1 asked.2 asked.3 asked.4 asked.5
	kill -CONT "$swtpm_pid"
	# shellcheck disable=SC2086
	wait $asked
	check 'all of them get theirs' [ "$(grep -l '"attest"' asked.[1-5] | wc -l)" -eq 4 ]
	sed -i "s,^ak=.*,ak=$work/none.pem," assayd.conf
	kill -HUP "$service"
	sleep 0.3
	# shellcheck disable=SC2086
	run $varlink "$work/run/socket" org.assay.Quote "{\"nonce\": \"$nonce\"}"
	check 'a key that is not there: what assay quote says' grep -q 'org.assay.Failed.*none.pem\|none.pem' stdout stderr
	check 'a problem, too' problem attest quote 'none.pem'
	rss=$(sed -n 's/^RssAnon:[ \t]*\([0-9]*\).*/\1/p' "/proc/$service/status")
	echo "# RssAnon $rss KiB"
	check 'it needs less than 32 MiB' [ "$rss" -lt 32768 ]
	check 'no threads are left' [ "$(find "/proc/$service/task" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
	check "$program ends" stop
done
echo "1..$check_number"
exit "$check_failed"
