#compdef assay assay-fleet assay-initrd assay-push assay-verify assayd
# SPDX-License-Identifier: MIT
# zsh completion: like completions/assay.bash it has no list of its own, but reads what --help tells.

# _assay_names PROGRAM WORD...: what can follow these words, and is no option
_assay_names() {
	local program=$1 called
	shift
	if (( $# == 0 )); then
		"$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z0-9-]*\)  *.*/\1/p'
		return
	fi
	# "Usage: assay key create [OPTION]...", and the lines below it of the same form
	called="${program:t} $*"
	[[ "$*" != fsverity ]] || called=fsverity
	"$program" "$@" --help 2>/dev/null |
		sed -n "s/^\(Usage:\)\{0,1\} *\(or: *\)\{0,1\}$called \([a-z][a-z0-9_-]*\)\( .*\)\{0,1\}\$/\3/p" | sort -u
}

# _assay_options PROGRAM WORD...: the options of that command, each with what its value is
_assay_options() {
	"$@" --help 2>/dev/null |
		grep -oE '(^ +(-[a-zA-Z0-9], +)?|\[)--[a-z][a-z0-9-]*([ =][A-Za-z0-9|:.-]+)?' |
		sed 's/^[^-]*\(-[a-zA-Z0-9], *\)\{0,1\}//'
}

_assay() {
	local program=${(Q)words[1]} option value
	local -a used names
	integer i

	# The command and its verb: words that the program knows at their place.
	for (( i = 2; i < CURRENT && $#used < 2; i++ )); do
		names=(${(f)"$(_assay_names $program $used)"})
		(( ${names[(Ie)${words[i]}]} )) || break
		used+=(${words[i]})
	done

	# The value of an option, where it is one of some words; else a file.
	if [[ $PREFIX == --*=* ]]; then
		option=${PREFIX%%=*}
		compset -P '*='
	else
		option=${words[CURRENT-1]}
	fi
	if [[ $option == --* ]]; then
		value=$(_assay_options $program $used | sed -n "s/^${option}[ =]//p" | head -n 1)
		if [[ $value == *'|'* ]]; then
			compadd -- ${(s:|:)value}
			return
		elif [[ -n $value ]]; then
			_files
			return
		fi
	fi

	if [[ $PREFIX == -* ]]; then
		compadd -- ${(fu)"$(_assay_options $program $used | sed 's/[ =].*//')"}
	elif (( $#used == CURRENT - 2 )) && names=(${(f)"$(_assay_names $program $used)"}) && (( $#names )); then
		compadd -- $names
	else
		_files
	fi
}

_assay "$@"
