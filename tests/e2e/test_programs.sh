#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tests are judged with: tests/programs, which tests/run.sh puts before all others.
set -u
CHECK_OUT=$(mktemp -d)
trap 'rm -rf "$CHECK_OUT"' EXIT
. tests/check.sh
cd "$CHECK_OUT" || exit

# with INPUT ARGUMENT...: what jq says of that input
with() {
	printf %s "$1" >input
	shift
	run jq "$@" input
}

with '' -e .a
check 'an empty answer is not what was asked for' [ "$status" -eq 4 ]
with '{"a": 1}' -e .a
check 'what is there is' prints 0 '^1$'
with '{"a": 1}' -e .b
check 'what is not there is not' [ "$status" -eq 1 ]
with '{"a": 1}' -e 'select(.b)'
check 'nor is nothing' [ "$status" -eq 4 ]
with '"a\n\n"' -re .
printf 'a\n\n\n' >wanted
check 'the output is whole' cmp -s wanted stdout
printf '{"a": 1}' >input
run env "PATH=$CHECK_OUT:$PATH" timeout 60 jq .a input
check 'others may come before it in the path' prints 0 '^1$'
with 'x' -e .a
check 'what is not JSON fails' [ "$status" -ne 0 ]
with '' .a
check 'without -e nothing changes' [ "$status" -eq 0 ]
echo "1..$check_number"
