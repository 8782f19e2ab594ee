#!/bin/sh
# SPDX-License-Identifier: MIT
# Options of every command and verb: what --help tells is what the manual page has, in both
# directions; names are never abbreviated; what is unknown or too much is told by name.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=$PWD/build/host/assay
man=$PWD/man
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-options.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

# Options in --help: "-o --out" or "--out", one a line, without --help itself
options() { # WORD...
	"$assay" "$@" --help |
		sed -n 's/^  \(  \)\{0,1\}\(-[a-zA-Z0-9]\), \(--[a-z0-9-]*\).*/\2 \3/p; s/^ *\(--[a-z0-9-]*\).*/\1/p' |
		grep -v -e '--help$' | sort -u
}

# Long options that a page has in its synopsis and its lists
page_options() { # PAGE
	{
		sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$1"
		grep '^\.It Fl' "$1"
	} | grep -o 'Fl -[a-z][a-z0-9-]*\|, -[a-z][a-z0-9-]*' | sed 's/^Fl -/--/; s/^, -/--/' | grep -v '^--help$' | sort -u
}

for command in $("$assay" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
	[ "$command" != fsverity ] || continue
	verbs=$("$assay" "$command" --help | sed -n "s/^\(Usage:\)\{0,1\} *assay $command \([a-z][a-z0-9-]*\)\( .*\)\{0,1\}$/\2/p" | sort -u)
	# One that has verbs may also run without.
	[ -z "$verbs" ] || ! "$assay" "$command" --help | grep -q "^\(Usage:\)\{0,1\} *assay $command \[OPTION\]" ||
		verbs="$verbs ''"
	page=$man/assay-$command.1
	: >of_command
	for verb in ${verbs:-''}; do
		[ "$verb" != "''" ] || verb=
		# shellcheck disable=SC2086
		options "$command" $verb >list
		cat list >>of_command
		name="$command${verb:+ $verb}"
		: >missing
		sed 's/^-. //' list | while read -r option; do
			grep -q -e "Fl -${option#--}\b" -e ", -${option#--}\b" "$page" || echo "$option"
		done >missing
		check "$name: the page has each option of --help" eval '[ ! -s missing ] || { sed "s/^/# /" missing; false; }'
		: >missing
		grep '^-. ' list | while read -r letter option; do
			grep -q "^\.It .*Fl ${letter#-} , \(Fl \)\{0,1\}-${option#--}\b" "$page" || echo "$letter $option"
		done >missing
		check "$name: and each letter" eval '[ ! -s missing ] || { sed "s/^/# /" missing; false; }'
		: >taken
		sed 's/^-. //; s/.$//' list | while read -r cut; do
			! grep -q -e "$cut\$" list || continue
			# shellcheck disable=SC2086
			run "$assay" "$command" $verb "$cut"
			told 2 "unknown option '$cut'" || echo "$cut"
		done >taken
		check "$name: no name is abbreviated" eval '[ ! -s taken ] || { sed "s/^/# /" taken; false; }'
		# shellcheck disable=SC2086
		run "$assay" "$command" $verb --no-such-option
		check "$name: an unknown option is named" told 2 "unknown option '--no-such-option'" 'Try .assay '
	done
	sed 's/^-. //' of_command | sort -u >of_help
	page_options "$page" | comm -23 - of_help >page_only
	check "$command: the page has no other options" eval '[ ! -s page_only ] || { sed "s/^/# /" page_only; false; }'
done
echo "1..$check_number"
exit "$check_failed"
