#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay push`: a machine without the module attests to a verifier over HTTPS; and what becomes of a
# verifier that is away, another one, or misbehaves.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/push.sh

push() { # [OPTION]...
	: >v/log
	with_logs "$assay" push --url "$url" --ca servers.pem --ak "${ak:-ak.pem}" --name "${name:-d1}" \
		--no-assay-log --timeout 2 "$@"
}

# ends STATUS WORDS...: each of them is in what was printed
ends() {
	[ "$status" -eq "$1" ] || return 1
	shift
	for words; do
		cat stdout stderr | grep -q -e "$words" || return 1
	done
}

# quote_since ENTRY: evidence of IMA's entries from that one on, in since.json
quote_since() {
	rm -f since.json
	with_logs "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak ak.pem --no-assay-log --out since.json --since-ima "$1" --json
}
quote_since 1
check 'of IMA, only the entries that are wanted' eval '[ "$status" -eq 0 ] && jq -e ".ima_log_entries == 2" stdout >/dev/null &&
	jq -e --slurpfile whole first.json ".logs.ima.first == 1 and (.logs.ima.data | length > 0 and length < (\$whole[0].logs.ima.data | length))" since.json >/dev/null'
"$verifier" verify since.json --policy v/policy.json --nonce 00112233445566778899aabbccddeeff --ak ak.pub >since.log 2>&1
check 'which nobody takes without a state' grep -q 'ima-log-start.*no state of this boot' since.log
quote_since 2
check 'or none, where nothing is new' eval '[ "$status" -eq 0 ] && jq -e ".logs.ima.data == \"\" and .logs.ima.first == 2" since.json >/dev/null'
quote_since 3
check 'and not those that are not there yet' ends 1 'has 2 entries; entry 3 is not due yet'
check 'then nothing is written' [ ! -e since.json ]

serve
push
check 'a machine that is trusted' ends 0 '^d1: trusted; [0-9]* bytes of evidence, the next is wanted in 600 s$'
check 'in one challenge, and one evidence' [ "$(grep -c ' 200$' v/log)" -eq 2 ]
check 'compressed by a third at least' [ "$(stat -c %s v/evidence.zst)" -lt $(($(stat -c %s v/evidence.json) * 2 / 3)) ]
check 'zstd(1) reads it' sh -c 'zstd -qdc v/evidence.zst | cmp - v/evidence.json'
check 'it answers the nonce' eval 'jq -e ".checks[] | select(.name == \"quote-nonce\") | .result == \"pass\"" v/verdict.json >/dev/null'
name=d2 push
push --json
check 'as JSON' [ "$(jq -c '[.type, .machine_id, .verdict, .reason, .next_in]' stdout)" = '["push","d1","trusted","",600]' ]
check 'all that a verifier has is of the next quote' [ "$(jq .state.clock v/devices/d1.json)" != "$(jq .state.clock records/devices/d1.json)" ]
check 'all messages are of the form that the schema has' python3 -c 'import glob, json, sys, jsonschema
form = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
messages = [json.load(open(path)) for path in sorted(glob.glob("v/message-*"))]
assert sorted({m["type"] for m in messages}) == ["push-challenge", "push-challenge-request", "push-error", "push-verdict"]
for message in messages:
    form.validate(message)
    for key in set(message) & {"assay", "type", "nonce", "expires_in", "verdict", "next_in", "boot_id"}:
        assert not form.is_valid({k: v for k, v in message.items() if k != key}), key' "$top/policy/push.schema.json"
measure /usr/bin/evil "$(echo evil | sha256sum | cut -d ' ' -f 1)"
push
check 'a file that nobody knows: not trusted, and why' ends 1 '^d1: not-trusted: ima-files-known: .*/usr/bin/evil'
push --json
check 'the same as JSON, status 1' eval '[ "$status" -eq 1 ] && jq -e ".verdict == \"not-trusted\" and (.reason | length > 20)" stdout >/dev/null'

# ---------------------------------------------------------------- who may speak with whom
run "$assay" push --url "$url" --ca others.pem --ak ak.pem --name d1
check 'a verifier of another authority is refused' ends 1 'cannot be asked: .*certificate' 'configure the right CA'
run "$assay" push --url "$url" --ak ak.pem --name d1
check 'so it is by the authorities of the system' ends 1 'configure the right CA'
run "$assay" push --url "https://127.0.0.2:$port" --ca servers.pem --ak ak.pem --name d1 --timeout 2
check 'a certificate of another host' ends 1 'cannot be asked'
cp devices.pem v/clients.pem
push
check 'no certificate where one is asked for' ends 1 'cannot be asked: .*certificate'
push --client-cert stranger.pem
check 'one of another authority' ends 1 'cannot be asked: .*'
push --client-cert d1.crt --client-key d1.key
check 'the right one' eval 'ends 1 "d1: not-trusted"'
push --client-cert d1.crt
check 'a certificate without its key' ends 1 'the certificate or key of this device cannot be used'
rm v/clients.pem
name=d2 push
check 'a device that is not enrolled' ends 1 'answers 404 for the device d2: .*enrol the device there .*it says: not enrolled'

# ---------------------------------------------------------------- misbehaviour
mode() {
	echo "$*" >v/mode
}
mode 503
push
check 'busy: when to come back, and nothing of it harms a terminal' ends 1 'answers 503 .*it cannot answer now' \
	'it says: too busy \\x1b\[31m; come back in 7 s'
mode 302
push
check 'a redirect is refused' ends 1 'answers 302 .*sends this device elsewhere, which is refused'
check 'and not followed' [ "$(wc -l <v/log)" -eq 1 ]
mode 403
push
check 'not let in' ends 1 'answers 403 .*it does not let this device in.*it says: not you'
mode once409 evidence
push
check 'a nonce that is too old: the next try is judged' ends 1 '^d1: not-trusted'
check 'with a new nonce' [ "$(grep -c '^challenge d1 200$' v/log)" -eq 2 ]
mode 409 evidence
push
check 'twice, and no more' eval 'ends 1 "answers 409 .*the nonce is not good any more" && [ "$(grep -c "^evidence d1 409$" v/log)" -eq 2 ]'
mode garbage
push
check 'garbage' ends 1 "the verifier's challenge is not JSON: "
mode garbage evidence
push
check 'garbage for a verdict' ends 1 "the verifier's verdict is not JSON: "
mode large
push
check 'an answer without end' ends 1 'its answer is larger than an answer may be: 65536 bytes'
mode headers
push
check 'headers without end' ends 1 'its head is too large'
mode slow
push
check 'an answer that drips' ends 1 'does not answer in time'
mode drop
push
check 'no answer' ends 1 'cannot be asked'
mode pending evidence
push
check 'taken, and not judged yet; what a later version says besides is passed over' ends 0 \
	'^d1: pending; .*in 30 s$'
rm v/mode
kill "$server"
wait "$server" 2>/dev/null
server=
push
check 'a verifier that is away' ends 1 'cannot be asked: .*is it running'
serve
push
check 'and back' ends 1 '^d1: not-trusted'

# ---------------------------------------------------------------- what can be wrong here
check_usage() { # WORDS OPTION...
	usage_words=$1
	shift
	run "$assay" push --ak ak.pem "$@"
	check "usage: $*" ends 2 "$usage_words"
}
check_usage 'must begin with https://' --url http://localhost:1
check_usage 'must begin with https://' --url file:///etc/passwd
check_usage 'without user' --url https://u:p@localhost
check_usage "without user, '?'" --url 'https://localhost/?a'
check_usage 'is no URL' --url 'https://a b'
check_usage "the device's name must be" --url https://localhost --name ../x
run env https_proxy=http://127.0.0.1:1 "$assay" push --url "$url" --ca servers.pem --ak ak.pem --name d2
check 'the proxy of the environment is not used' ends 1 'answers 404'
push --proxy http://127.0.0.1:1
check 'one that is configured is' ends 1 'cannot be asked: .*127.0.0.1 port 1'
ak=/nonexistent push
check 'no key: what assay quote says' ends 1 'assay push: .*/nonexistent'
kill -STOP "$swtpm_pid"
push --quote-timeout 1
check 'a TPM that does not answer' ends 1 'the evidence was not there in time: does the TPM answer'
kill -CONT "$swtpm_pid"
collects() { # a process that has begun in this directory
	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/cwd")" != "$work" ] || ! tr '\0' ' ' <"$process/cmdline" | grep -q '^assay quote' || return 0
	done
	return 1
}
check 'what collects is gone with it' eval '! collects 2>/dev/null'
cp "$assay" lonely
run ./lonely push --url "$url" --ak ak.pem
check 'without the program beside it' ends 1 'cannot execute .*/assay-push: .*install it beside'
echo "1..$check_number"
exit "$check_failed"
