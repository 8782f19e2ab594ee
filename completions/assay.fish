# SPDX-License-Identifier: MIT
# fish completion: like completions/assay.bash it has no list of its own, but reads what --help tells.

# __assay_names PROGRAM WORD...: what can follow these words, and is no option
function __assay_names
	set -l program $argv[1]
	set -l words $argv[2..-1]
	if test (count $words) -eq 0
		$program --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z0-9-]*\)  *.*/\1/p'
		return
	end
	# "Usage: assay key create [OPTION]...", and the lines below it of the same form
	set -l called (string split -r -m1 / $program)[-1]" $words"
	test "$words" != fsverity; or set called fsverity
	$program $words --help 2>/dev/null |
		sed -n "s/^\(Usage:\)\{0,1\} *\(or: *\)\{0,1\}$called \([a-z][a-z0-9_-]*\)\( .*\)\{0,1\}\$/\3/p" | sort -u
end

# __assay_options PROGRAM WORD...: the options of that command, each with what its value is
function __assay_options
	$argv --help 2>/dev/null |
		grep -oE '(^ +(-[a-zA-Z0-9], +)?|\[)--[a-z][a-z0-9-]*([ =][A-Za-z0-9|:.-]+)?' |
		sed 's/^[^-]*\(-[a-zA-Z0-9], *\)\{0,1\}//'
end

function __assay_complete
	set -l before (commandline -opc)
	set -l current (commandline -ct)
	set -l program $before[1]
	set -l used

	# The command and its verb: words that the program knows at their place.
	for word in $before[2..-1]
		test (count $used) -lt 2; and contains -- $word (__assay_names $program $used); or break
		set -a used $word
	end

	# The value of an option, where it is one of some words; else a file.
	set -l option $before[-1]
	set -l prefix
	if string match -q -- '--*=*' $current
		set option (string split -m1 = -- $current)[1]
		set prefix $option=
	end
	if string match -q -- '--*' $option
		set -l value (__assay_options $program $used | sed -n "s/^$option""[ =]//p" | head -n 1)
		if string match -q -- '*|*' "$value"
			string split '|' -- $value | string replace -r '^' -- "$prefix"
			return
		else if test -n "$value"
			__fish_complete_path (string replace -- "$prefix" '' $current) | string replace -r '^' -- "$prefix"
			return
		end
	end

	if string match -q -- '-*' $current
		__assay_options $program $used | sed 's/[ =].*//' | sort -u
	else if test (count $used) -eq (math (count $before) - 1)
		set -l names (__assay_names $program $used)
		if test (count $names) -gt 0
			printf '%s\n' $names
		else
			__fish_complete_path $current
		end
	else
		__fish_complete_path $current
	end
end

for program in assay assay-verify assay-push assayd assay-initrd assay-fleet
	complete -c $program -f -a '(__assay_complete)'
end
