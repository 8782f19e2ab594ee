# SPDX-License-Identifier: MIT
# bash completion for all programs. The commands, their verbs
# and their options are those that --help of the program itself tells: there is no second list
# of them to keep.
# shellcheck shell=bash

# _assay_names PROGRAM WORD...: what can follow these words, and is no option
_assay_names() {
	local program=$1 called
	shift
	if [[ $# -eq 0 ]]; then
		"$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z0-9-]*\)  *.*/\1/p'
		return
	fi
	# "Usage: assay key create [OPTION]...", and the lines below it of the same form
	called="${program##*/} $*"
	[[ $* != fsverity ]] || called=fsverity
	"$program" "$@" --help 2>/dev/null |
		sed -n "s/^\(Usage:\)\? *\(or: *\)\?$called \([a-z][a-z0-9_-]*\)\( .*\)\?$/\3/p" | sort -u
}

# _assay_options PROGRAM WORD...: the options of that command, each with what its value is
_assay_options() {
	"$@" --help 2>/dev/null |
		grep -oE '(^ +(-[a-zA-Z0-9], +)?|\[)--[a-z][a-z0-9-]*([ =][A-Za-z0-9|:.-]+)?' |
		sed 's/^[^-]*\(-[a-zA-Z0-9], *\)\?//'
}

_assay() {
	local program=$1 current=$2 words=() names options value i
	COMPREPLY=()
	# bash takes "=" for a word of its own.
	if [[ $current == = ]]; then
		current=
	fi

	# The command and its verb: words that the program knows at their place.
	for ((i = 1; i < COMP_CWORD && ${#words[@]} < 2; i++)); do
		names=$(_assay_names "$program" "${words[@]}")
		if ! grep -qxF -- "${COMP_WORDS[i]}" <<<"$names"; then
			break
		fi
		words+=("${COMP_WORDS[i]}")
	done

	# The value of an option, where it is one of some words; else a file.
	i=$((COMP_CWORD - 1))
	if [[ ${COMP_WORDS[i]} == = ]]; then
		((i--))
	fi
	if [[ ${COMP_WORDS[i]} == --* ]]; then
		value=$(_assay_options "$program" "${words[@]}" |
			sed -n "s/^${COMP_WORDS[i]}[ =]//p" | head -n 1)
		if [[ $value == *'|'* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$current")
			return
		fi
		if [[ -n $value ]]; then
			return
		fi
	fi

	if [[ $current == -* ]]; then
		options=$(_assay_options "$program" "${words[@]}" | sed 's/[ =].*//' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
	elif ((${#words[@]} == COMP_CWORD - 1)); then
		names=$(_assay_names "$program" "${words[@]}")
		mapfile -t COMPREPLY < <(compgen -W "$names" -- "$current")
	fi
}

complete -o default -F _assay assay assay-fleet assay-initrd assay-push assay-verify assayd
