#!/bin/sh
# SPDX-License-Identifier: MIT
# bash completion, as `make install` puts it in place: commands, verbs, options and values, of
# every command that --help knows.
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
check 'commands of assay-verify' offers "${assay}-verify" ve -- verify
for command in $("$assay" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
	check "$command has verbs or options" sh -c "
		bash '$work/complete' '$completion/assay' '$assay' $command '' | grep -q . ||
		bash '$work/complete' '$completion/assay' '$assay' $command -- | grep -q ."
done
echo "1..$check_number"
exit "$check_failed"
