#!/bin/sh
# SPDX-License-Identifier: MIT
# assayd on this machine, which has no /dev/assay: its configuration, state.json, the Varlink
# socket, metrics, the lock; with systemd's libraries and without. What it does to the log is
# shown in guests: tests/service.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
work=$(mktemp -d "${TMPDIR:-/tmp}/assayd.XXXXXX") || exit 1
CHECK_OUT=$work
. tests/check.sh
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT
# Others must be able to come to the socket.
chmod 755 "$work"
varlink="/usr/bin/python3 $top/tests/e2e/varlink.py"
socket=$work/run/socket
me=$(id -un)

# configure: what stands in every configuration, then standard input
configure() {
	{
		cat <<END
[service]
user=$me
state-directory=$work/state
runtime-directory=$work/run
device-interval=200ms
[archive]
directory=$work/state/archive
[ima]
keep=no
[status]
socket=$socket
group=$(id -gn)
interval=300ms
END
		cat
	} >"$work/assayd.conf"
}

start() { # PROGRAM [COMMAND...]: 0 once its state is there; started by that command
	rm -f "$work/run/state.json"
	start_program=$1
	shift
	"$@" "$start_program" -c "$work/assayd.conf" 2>"$work/log" &
	pid=$!
	eventually test -s "$work/run/state.json" || { sed 's/^/# /' "$work/log"; return 1; }
}

# hold USER FILE: as many connections as that user of the group gets, until nobody writes to the FIFO; how many: in FILE
holders=
hold() {
	# shellcheck disable=SC2086 # words
	setpriv --reuid "$1" --regid 65534 --groups 0 $varlink "$socket" --hold 20 <"$work/hold" >"$2" 9>&- &
	holders="$holders $!"
}

stop() {
	kill "$pid"
	stop_status=0
	wait "$pid" || stop_status=$?
	pid=
	return "$stop_status"
}

state_says() { # JQ-EXPRESSION
	jq -e "$1" "$work/run/state.json" >/dev/null 2>&1
}

answers() { # JQ-EXPRESSION: of the reply that was printed last
	jq -e "$1" "$work/stdout" >/dev/null
}

call() {
	run $varlink "$socket" "$@"
}

scrape() { # REQUEST, with \r and \n
	run $varlink "$work/run/metrics" --http "$1"
}

# is_prometheus FILE: each line is of the text format 0.0.4, and what has a value has a type
is_prometheus() {
	! grep -vE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"\})? -?[0-9.e+]+)$' "$1" &&
		[ "$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$1" | sort)" = \
			"$(sed -n 's/^\([a-z_]*\)[{ ].*/\1/p' "$1" | sort -u)" ]
}

# ---------------------------------------------------------------- the configuration
wrong_configuration() { # TEXT WORDS
	printf '%b' "$1" >"$work/wrong.conf"
	run build/host/assayd --check -c "$work/wrong.conf"
	check "refused: $(printf '%s' "$1" | cut -c1-60 | sed 's/\\\\n/ /g')" told 1 "wrong.conf line [0-9]*: .*$2"
}
wrong_configuration '[service]\nuzer=root\n' "\[service\] has no key 'uzer'; see assayd.conf(5)"
wrong_configuration '[servise]\nuser=root\n' "\[servise\] has no key 'user'"
wrong_configuration 'user=root\n' "\[\] has no key 'user'"
wrong_configuration '[service]\nuser=a\nuser=b\n' 'user is given twice in \[service\]'
wrong_configuration '[service]\nstate-directory=var\n' "state-directory in \[service\] must be an absolute path, not 'var'"
wrong_configuration '[status]\ninterval=1\n' "interval in \[status\] must be a time, .* from 100ms to 1d, not '1'"
wrong_configuration '[status]\ninterval=2d\n' "must be a time, .* not '2d'"
wrong_configuration '[status]\ninterval=99999999999999999999s\n' 'must be a time'
wrong_configuration '[status]\nclients=0\n' "clients in \[status\] must be a number from 1 to 256, not '0'"
wrong_configuration '[status]\nclients=0x10\n' 'must be a number'
wrong_configuration '[status]\nquote-access=all\n' "must be one of root|group, not 'all'"
wrong_configuration '[status\ninterval=1s\n' 'neither a \[section\] nor KEY = VALUE nor a comment'
wrong_configuration '[status]\ninterval\n' 'neither a \[section\] nor KEY = VALUE nor a comment'
wrong_configuration "[service]\nuser=$(printf '%0250d' 0)\n" 'a line of'

build/host/assayd --keys >"$work/keys.conf"
works "the defaults, as --keys prints them, are right" build/host/assayd --check -c "$work/keys.conf"
mkdir "$work/keys.conf.d"
echo '[status]
interval=never' >"$work/keys.conf.d/20-wrong.conf"
echo '[status]
interval=never' >"$work/keys.conf.d/readme.txt"
run build/host/assayd --check -c "$work/keys.conf"
check "a drop-in is read, and named" told 1 'keys.conf.d/20-wrong.conf line 2: interval in \[status\] must be'
rm "$work/keys.conf.d/20-wrong.conf"
works "what is no drop-in is not read" build/host/assayd --check -c "$work/keys.conf"
works "without any file there are the defaults" build/host/assayd --check -c "$work/nothing.conf"
run build/host/assayd --nothing
check "an unknown option is refused" told 2 "unknown option '--nothing'"

# ---------------------------------------------------------------- the service
for program in build/host/assayd build/host/assayd-plain; do
	name=$(basename "$program")
	configure <<END
metrics-file=$work/assay.prom
metrics-listen=$work/run/metrics
END
	check "$name starts without the module" start "$program"
	check "$name tells what to do about it" state_says '.problems[] | select(.problem_id == "device").text | test("load the module")'
	check "$name: state.json has the schema's form" /usr/bin/python3 tests/e2e/json-schema.py policy/output.schema.json --as assayd "$work/run/state.json"

	run build/host/assay status service --runtime-directory "$work/run"
	check "$name: assay status service tells it" prints 1 "^service     assayd .*, process $pid; its state of " '^  PROBLEM   service: .*load the module' "^  varlink   0 calls at $socket, 0 refused" "^  push      no evidence is pushed"
	run build/host/assay status service --runtime-directory "$work/run" --json
	check "$name: and as JSON" answers '.ok == false and .service_running and .service.type == "assayd"'

	run "$program" -c "$work/assayd.conf"
	check "$name is refused while it runs" told 1 "another assayd runs already, as process $pid "
	check "$name: nobody else can hold its lock" [ "$(stat -c %a "$work/run/lock")" = 600 ]

	call org.varlink.service.GetInfo
	check "$name tells who it is" answers '.parameters | .product == "assayd" and (.interfaces | index("org.assay"))'
	call org.varlink.service.GetInterfaceDescription '{"interface": "org.assay"}'
	jq -r .parameters.description "$work/stdout" >"$work/org.assay.varlink"
	check "$name describes its interface" grep -q '^interface org.assay$' "$work/org.assay.varlink"
	check "$name: the description is of Varlink's form" /usr/bin/python3 tests/e2e/varlink.py --check "$work/org.assay.varlink"
	call org.varlink.service.GetInterfaceDescription '{"interface": "org.nothing"}'
	check "$name knows no other interface" answers '.error == "org.varlink.service.InterfaceNotFound"'
	call org.assay.Status
	check "$name: Status is the state" answers '.parameters.state | .type == "assayd" and .pid == '"$pid"
	call org.assay.Nothing
	check "$name knows no other method" answers '.error == "org.varlink.service.MethodNotFound" and .parameters.method == "Nothing"'
	call org.nothing.Status
	check "$name is no other interface's service" answers '.error == "org.varlink.service.InterfaceNotFound"'

	printf '{"method": "org.assay.Status"}\0{"method": "org.varlink.service.GetInfo"}\0' >"$work/two"
	run sh -c "$varlink $socket --raw <$work/two"
	check "$name answers calls one after the other" [ "$(tr '\0' '\n' <"$work/stdout" | grep -c '^{"parameters"')" -ge 1 ]
	for garbage in '{' '[]' '{}' '{"method": 1}' '{"method": "Status"}' '{"method": "org.assay."}' \
		'{"method": "org.assay.Status", "parameters": []}' '{"method": "org.assay.Status", "more": 1}' \
		'{"method": "org.assay.Status", "method": "org.assay.Status"}' '{"method": "org.assay.Status", "x": 1}'; do
		printf '%s\0' "$garbage" >"$work/garbage"
		run sh -c "$varlink $socket --raw <$work/garbage"
		check "$name refuses $garbage" grep -q '"error":"org.assay.Failed"' "$work/stdout"
	done
	head -c 1000000 /dev/zero | tr '\0' x >"$work/long"
	run sh -c "$varlink $socket --raw <$work/long"
	check "$name takes no call without end" [ ! -s "$work/stdout" ]
	call org.assay.Status
	check "$name still answers" answers '.parameters.state.type == "assayd"'
	if [ "$(id -u)" -eq 0 ]; then
		chmod 666 "$socket"
		# shellcheck disable=SC2086 # words
		run setpriv --reuid 65534 --regid 65534 --clear-groups $varlink "$socket" org.assay.Status
		check "$name does not listen to others" told 1 'no reply\|Connection reset\|Broken pipe'
		run setpriv --reuid 65534 --regid 65534 --clear-groups build/host/assay status service --runtime-directory "$work/run"
		check "$name tells others that it runs" prints 1 "^service     assayd .*, process $pid; its state of "
		member="setpriv --reuid 65534 --regid 65534 --groups 0 $varlink $socket"
		run $member org.assay.Status
		check "$name listens to its group" answers '.parameters.state.type == "assayd"'
		run $member org.assay.Quote '{"nonce": "00"}'
		check "$name makes no quotes for it" answers '.error == "org.varlink.service.PermissionDenied"'
		rm -f "$work/hold" && mkfifo "$work/hold"
		hold 65534 "$work/held"
		exec 9>"$work/hold"
		check "$name lets one user hold half of its connections" eventually grep -q '^8 are held$' "$work/held"
		hold 65533 "$work/held.other"
		check "$name lets all others together hold three quarters" eventually grep -q '^4 are held$' "$work/held.other"
		call org.assay.Status
		check "$name has room for root" answers '.parameters.state.type == "assayd"'
		exec 9>&-
		# shellcheck disable=SC2086 # words
		wait $holders
		holders=
	else
		for title in 'does not listen to others' 'tells others that it runs' 'listens to its group' 'makes no quotes for it' \
			'lets one user hold half of its connections' 'lets all others together hold three quarters' 'has room for root'; do
			skip "$name $title" 'this needs root'
		done
	fi

	scrape 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'
	check "$name has metrics on a socket" prints 0 '^HTTP/1.1 200 OK' '^assay_device_present 0$' '^assay_problems{part="service"} 1$'
	sed '1,/^\r*$/d' "$work/stdout" >"$work/metrics"
	check "$name: they are in Prometheus' form" is_prometheus "$work/metrics"
	check "$name: and in a file" eventually is_prometheus "$work/assay.prom"
	scrape 'POST /metrics HTTP/1.1\r\n\r\n'
	check "$name has nothing to post" prints 0 '^HTTP/1.1 405 '
	scrape 'GET / HTTP/1.1\r\n\r\n'
	check "$name has nothing else" prints 0 '^HTTP/1.1 404 '
	scrape 'nonsense\r\n\r\n'
	check "$name refuses what is no HTTP" prints 0 '^HTTP/1.1 400 '

	configure <<END
metrics-listen=127.0.0.1:notaport
END
	kill -HUP "$pid"
	check "$name tells of an address that is none" eventually state_says '.problems[] | select(.problem_id == "listen").text | test("is no address")'
	configure <<END
interval=900ms
END
	kill -HUP "$pid"
	check "$name refuses a configuration that is wrong" eventually state_says '.problems[] | select(.problem_id == "configuration").text | test("line 14: interval is given twice")'
	call org.assay.Status
	check "$name goes on with the old one" answers '.parameters.state.type == "assayd"'
	configure </dev/null
	kill -HUP "$pid"
	check "$name takes a right one" eventually state_says '[.problems[] | select(.part | IN("service", "metrics")).problem_id] == ["device"]'

	sed -i "s#^runtime-directory=.*#runtime-directory=$work/elsewhere#" "$work/assayd.conf"
	rm "$work/run/state.json"
	kill -HUP "$pid"
	check "$name keeps its directories until it is started again" eventually state_says '.type == "assayd"'
	check "$name says so" grep -q 'are those of the start until' "$work/log"

	# It may be written between the two.
	blocks() {
		rm -rf "$work/run/state.json" && mkdir "$work/run/state.json" 2>/dev/null
	}
	eventually blocks
	unwritten() {
		call org.assay.Status
		answers '.parameters.state.problems[] | select(.part == "state" and .problem_id == "write")'
	}
	check "$name tells that its state cannot be written" eventually unwritten
	rmdir "$work/run/state.json"
	check "$name writes it once it can" eventually state_says '[.problems[] | select(.part == "state")] == []'

	rss=$(sed -n 's/^RssAnon:[ \t]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")
	echo "# $name: RssAnon $rss kB"
	check "$name needs less than 32 MiB" [ "$rss" -lt 32768 ]
	check "$name ends when it is told to" stop
	run build/host/assay status service --runtime-directory "$work/run"
	check "$name: assay status service tells that it has ended" prints 1 '^service     assayd .*, DOES NOT RUN; its last state, of '
	check "$name takes its socket away" [ ! -e "$socket" ]
done

# ---------------------------------------------------------------- what its clients send
# Parsed by a process of its own for each request. With these words a call does there what a mistake in
# the parser, or somebody who has taken it over, could do: tests/service/parser-faults.c.
parser_of() { # the process that parses; before it, what parsers are copies of
	parser=$(cut -d ' ' -f 2 "/proc/$pid/task/$pid/children")
	[ -n "$parser" ]
}
parser_reads() { # FIELD: of /proc/PID/status
	sed -n "s/^$1:[ \t]*//p" "/proc/$parser/status"
}
parser_is_full() { # it has taken what memory it may
	parser_size=$(parser_reads VmData) && sleep 0.2 && [ "$parser_size" = "$(parser_reads VmData)" ] &&
		[ "${parser_size% *}" -gt 16384 ]
}
written_anew() { # the state, since
	[ "$(jq .running_ms "$work/run/state.json")" -gt "$running" ]
}
# 170000 arrays in a call of 512 KiB: some 20 MiB where it is parsed.
{
	printf '{"method":"org.assay.Status","parameters":{"x":['
	yes '[],' | head -n 170000 | tr -d '\n'
	printf '[]]}}\0'
} >"$work/many"
for program in build/host/assayd build/host/assayd-plain; do
	name=$(basename "$program")
	configure </dev/null
	check "$name starts with a parser that has faults" start "$program" env LD_PRELOAD="$top/build/host/parser-faults"
	call org.assay.Status '{"x": "fault-crash"}'
	check "$name refuses a call that its parser crashes at" \
		answers '.error == "org.assay.Failed" and (.parameters.text | test("parser was ended by signal 11 "))'
	call org.assay.Status
	check "$name answers the next, and has told of it" \
		answers '.parameters.state | .parts.varlink.unparsed == 1 and (.problems[] | select(.part == "varlink" and .problem_id == "parser").text | test("a call of user '"$(id -u)"': "))'
	call org.assay.Status '{"x": "fault-open"}'
	check "$name: the parser opens no file" answers '.parameters.text | test("parser was ended by signal 31 ")'
	call org.assay.Status '{"x": "fault-stack"}'
	check "$name: the parser makes its stack no larger than its memory" answers '.parameters.text | test("parser was ended by signal 11 ")'
	run sh -c "$varlink $socket --raw <$work/many"
	check "$name: the parser has no memory for a call that takes much" grep -q '"error":"org.assay.Failed"' "$work/stdout"

	$varlink "$socket" org.assay.Status '{"x": "fault-loop"}' >"$work/loop" 2>&1 &
	loop=$!
	check "$name: a process parses" eventually parser_of
	check "$name: it gets memory up to its limit" eventually parser_is_full
	echo "# $name: VmData of its parser, and its own: $parser_size, $(sed -n 's/^VmData:[ \t]*//p' "/proc/$pid/status")"
	check "$name: and that is little" [ "${parser_size% *}" -lt \
		$(($(sed -n 's/^VmData:[ \t]*\([0-9]*\) kB/\1/p' "/proc/$pid/status") + 17 * 1024)) ]
	check "$name: it has no capability" [ "$(parser_reads CapPrm) $(parser_reads CapEff)" = '0000000000000000 0000000000000000' ]
	check "$name: and a filter of its own" [ "$(parser_reads Seccomp_filters)" -gt \
		"$(sed -n 's/^Seccomp_filters:[ \t]*//p' "/proc/$pid/status")" ]
	if [ "$(id -u)" -eq 0 ]; then
		check "$name: it has no descriptor but the one that it answers by" [ "$(ls "/proc/$parser/fd")" = 1 ]
		check "$name: and shares no memory" sh -c "grep -q heap /proc/$parser/maps && ! grep ' ...s ' /proc/$parser/maps"
	else
		for title in 'it has no descriptor but the one that it answers by' 'and shares no memory'; do
			skip "$name: $title" 'this needs root'
		done
	fi
	call org.assay.Status
	check "$name answers others while one parser does not end" answers '.parameters.state.type == "assayd"'
	running=$(jq .running_ms "$work/run/state.json")
	check "$name: and writes its state" eventually written_anew
	wait "$loop"
	check "$name ends it" grep -q 'it was not done within 10000 ms' "$work/loop"
	kill -HUP "$pid"
	check "$name forgets what was told once its configuration is read anew" \
		eventually state_says '[.problems[] | select(.part == "varlink")] == []'
	check "$name ends as ever" stop
done

# ---------------------------------------------------------------- its manual and completion
options=$(build/host/assayd --help | sed -n 's/^ *\(-[a-z], \)\{0,1\}--\([a-z-]*\).*/\2/p' | sort)
check "assayd(8) has the options of --help" [ "$options" = "$(sed -n 's/^\.It Fl \([a-z] , Fl \)\{0,1\}-\([a-z-]*\).*/\2/p' man/assayd.8 | sort)" ]
completed() {
	PATH=$top/build/host:$PATH bash -c '. completions/assay.bash
		COMP_WORDS=(assayd --) COMP_CWORD=1
		_assay assayd -- assayd
		printf "%s\n" "${COMPREPLY[@]}"' | sed 's/^--//; s/ *$//' | grep . | sort
}
check "bash completes them" [ "$options" = "$(completed)" ]
echo "1..$check_number"
