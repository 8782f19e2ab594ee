#!/bin/sh
# SPDX-License-Identifier: MIT
# Completion in bash, zsh and fish, as `make install` puts it in place: commands, verbs, options and
# values, of every command that --help knows.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-completion.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

cat >"$work/complete" <<'EOF'
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
set -- "${COMP_WORDS[@]:COMP_CWORD-1:2}"
"$(complete -p "${COMP_WORDS[0]##*/}" | sed 's/.* -F \([^ ]*\) .*/\1/')" "${COMP_WORDS[0]}" "$2" "$1"
printf '%s\n' "${COMPREPLY[@]}"
EOF
completion=$work/root/usr/share/bash-completion/completions
zsh_completion=$work/root/usr/share/zsh/site-functions
fish_completion=$work/root/usr/share/fish/vendor_completions.d

# zsh calls the function with these variables set, and has compadd, compset and _files.
cat >"$work/complete.zsh" <<'EOF'
completion=$1
shift
words=("$@")
CURRENT=$#words
PREFIX=${words[CURRENT]}
compset() {
	PREFIX=${PREFIX#*=}
}
compadd() {
	shift
	for word; do
		[[ $word != $PREFIX* ]] || print -r -- $word
	done
}
_files() {
}
. $completion
EOF

# completes SHELL WORD...: what it offers, a line each
completes() {
	completes_in=$1
	shift
	case $completes_in in
	zsh) zsh -f "$work/complete.zsh" "$zsh_completion/_$(basename "$1")" "$@" ;;
	fish)
		# The names of files, which it offers with what is before them, are left out here.
		completes_line=$*
		(cd "$work/empty" && fish -N -c "source $fish_completion/$(basename "$1").fish; complete -C '$completes_line'")
		;;
	esac
}

# agree SHELL WORD... -- WANTED...: after these words exactly that
agree() {
	agree_in=$1
	shift
	: >"$work/words"
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>"$work/words"
		shift
	done
	shift
	printf '%s\n' "$@" | sort >"$work/wanted"
	set --
	while IFS= read -r agree_word; do
		set -- "$@" "$agree_word"
	done <"$work/words"
	completes "$agree_in" "$@" 2>"$work/stderr" | sed 's/\t.*//' | grep . | sort >"$work/stdout"
	grep . "$work/wanted" | cmp -s - "$work/stdout" && [ ! -s "$work/stderr" ]
}

# offers WORD... -- WANTED...: after these words exactly that
offers() {
	: >"$work/words"
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>"$work/words"
		shift
	done
	shift
	tr '\n' '\0' <"$work/words" |
		xargs -0 bash "$work/complete" "$completion/assay" >"$work/stdout" 2>"$work/stderr"
	[ ! -s "$work/stderr" ] && [ "$(sort "$work/stdout" | xargs)" = "$(printf "%s\n" "$@" | sort | xargs)" ]
}

make install DESTDIR="$work/root" PREFIX=/usr >"$work/stdout" 2>"$work/stderr"
check 'it is installed' test -f "$completion/assay"
check 'for assay-verify as well' cmp "$completion/assay" "$completion/assay-verify"
assay=$work/root/usr/bin/assay
check 'a command' offers "$assay" keyr -- keyring
check 'a verb' offers "$assay" key cr -- create
check 'all verbs' offers "$assay" keyring '' -- list load lock
check 'a verb of fsverity' offers "$assay" fsverity me -- measure
check 'an option' offers "$assay" key create --alg -- --algorithm
check 'an option of a command without verbs' offers "$assay" digest --bl -- --block-size
check 'an option after others' offers "$assay" sign --key k --delegate-c -- --delegate-cert
check "an option's values" offers "$assay" digest --hash '' -- sha256 sha384 sha512
check 'the same after =' offers "$assay" digest --hash = '' -- sha256 sha384 sha512
check 'part of a value' offers "$assay" digest --hash sha5 -- sha512
check 'a file is left to bash' offers "$assay" sign --key '' --
check 'nothing for what is not known' offers "$assay" nonsense '' --
make install-fleet DESTDIR="$work/root" PREFIX=/usr >"$work/stdout" 2>"$work/stderr"
check 'the fleet program is installed with its completion' cmp "$completion/assay" "$completion/assay-fleet"
check 'commands of assay-fleet' offers "$work/root/usr/sbin/assay-fleet" se -- serve
check 'its options' offers "$work/root/usr/sbin/assay-fleet" serve --conf -- --config
check 'commands of assay-verify' offers "${assay}-verify" ve -- verify
mkdir "$work/empty"
PATH=$work/root/usr/bin:$work/root/usr/sbin:$PATH
for shell in zsh fish; do
	check "$shell: a command" agree "$shell" assay keyr -- keyring
	check "$shell: a verb" agree "$shell" assay key cr -- create
	check "$shell: all verbs" agree "$shell" assay keyring '' -- list load lock
	check "$shell: a verb of fsverity" agree "$shell" assay fsverity me -- measure
	check "$shell: an option" agree "$shell" assay key create --alg -- --algorithm
	check "$shell: an option of a command without verbs" agree "$shell" assay digest --bl -- --block-size
	check "$shell: an option after others" agree "$shell" assay sign --key k --delegate-c -- --delegate-cert
	check "$shell: an option's values" agree "$shell" assay digest --hash '' -- sha256 sha384 sha512
	check "$shell: part of a value" agree "$shell" assay digest --hash sha5 -- sha512
	check "$shell: a file is left to it" agree "$shell" assay sign --key '' --
	check "$shell: commands of assay-verify" agree "$shell" assay-verify ve -- verify
	check "$shell: options of assay-fleet" agree "$shell" assay-fleet serve --device-c -- --device-certs
	check "$shell: options of a program without commands" agree "$shell" assay-initrd --roo -- --root
done
check 'zsh: the same after =' agree zsh assay digest --hash= -- sha256 sha384 sha512
check 'fish: the same after =' agree fish assay digest --hash= -- --hash=sha256 --hash=sha384 --hash=sha512

# ---------------------------------------------------------------- every option of every command
# What --help lists, by its own form: names at the beginning of a line, less far in than what is said of them; and, in
# the lines of the usage, those in brackets.
cat >"$work/listed.py" <<'EOF'
import re
import subprocess
import sys


def help_of(*words):
    return subprocess.run([*words, "--help"], capture_output=True, text=True, check=True).stdout


def tell(*words):
    text = help_of(*words)
    names = set(re.findall(r"^ {2,6}(?:-\w, +)?(--[a-z][a-z0-9-]*)", text, re.M))
    names |= set(re.findall(r"\[(--[a-z][a-z0-9-]*)", text))
    print(" ".join(words) + ": " + " ".join(sorted(names)))
    return text


for program in sys.argv[1:]:
    text = tell(program)
    section = re.search(r"^Commands:\n((?:.+\n)+)", text, re.M)
    for command in re.findall(r"^  ([a-z][a-z0-9-]*) ", section.group(1), re.M) if section else []:
        name = command if command == "fsverity" else f"{program} {command}"
        for verb in sorted(set(re.findall(rf"^(?:Usage:| *or:)? *{name} ([a-z][a-z0-9_-]*)\b", tell(program, command), re.M))):
            tell(program, command, verb)
EOF
cat >"$work/all.bash" <<'EOF'
. "$1"
while IFS=: read -r line _; do
	COMP_WORDS=($line --)
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_assay "${COMP_WORDS[0]}" -- "${COMP_WORDS[COMP_CWORD-1]}"
	echo "$line: $(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | xargs)"
done
EOF
cat >"$work/all.zsh" <<'EOF'
while IFS=: read -r line _; do
	words=(${=line} --)
	echo "$line: $(zsh -f $1 $2/_$words[1] $words | LC_ALL=C sort | xargs)"
done
EOF
cat >"$work/all.fish" <<'EOF'
for program in assay assay-fleet assay-initrd assay-push assay-verify assayd
	source $argv[1]/$program.fish
end
while read -l -d : line rest
	set -l offered (complete -C "$line --" | string replace -r '\t.*' '' | env LC_ALL=C sort)
	echo "$line: $offered"
end
EOF
works 'what --help lists is found' python3 "$work/listed.py" assay assay-fleet assay-initrd assay-push assay-verify assayd
cp "$work/stdout" "$work/listed"
check 'of every program' [ "$(wc -l <"$work/listed")" -gt 60 ]
# shellcheck disable=SC2016 # for the shell that it starts
works 'bash' sh -c 'bash "$1/all.bash" "$2/assay" <"$1/listed"' sh "$work" "$completion"
mv "$work/stdout" "$work/offered"
works 'bash offers each option of each command, and no other' diff "$work/listed" "$work/offered"
# shellcheck disable=SC2016
works 'zsh' sh -c 'zsh -f "$1/all.zsh" "$1/complete.zsh" "$2" <"$1/listed"' sh "$work" "$zsh_completion"
mv "$work/stdout" "$work/offered"
works 'zsh offers each option of each command, and no other' diff "$work/listed" "$work/offered"
# shellcheck disable=SC2016
works 'fish' sh -c 'cd "$1/empty" && fish -N "$1/all.fish" "$2" <"$1/listed"' sh "$work" "$fish_completion"
mv "$work/stdout" "$work/offered"
works 'fish offers each option of each command, and no other' diff "$work/listed" "$work/offered"

for command in $("$assay" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
	check "$command has verbs or options" sh -c "
		bash '$work/complete' '$completion/assay' '$assay' $command '' | grep -q . ||
		bash '$work/complete' '$completion/assay' '$assay' $command -- | grep -q ."
done
echo "1..$check_number"
exit "$check_failed"
