#!/bin/sh
# SPDX-License-Identifier: MIT
# What tests/lint remembers of scripts: that those which were found right are as they were, and
# nothing else; on a small tree, with a shellcheck that notes what it is given.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/lint-memory.XXXXXX")
trap 'rm -rf "$work"' EXIT
export CHECK_OUT="$work"
. tests/check.sh

mkdir -p "$work/tree/tests" "$work/programs"
cp tests/lint "$work/tree/tests"
cat >"$work/programs/shellcheck" <<'END'
#!/bin/sh
[ "$1" != --version ] || exec echo version 1
for word; do
	case $word in
	*.sh)
		echo "$word" >>"$GIVEN"
		! grep -q wrong "$word" || exit 1
		;;
	esac
done
END
chmod +x "$work/programs/shellcheck"
cd "$work/tree"
echo 'echo a' >a.sh
echo 'echo b' >b.sh
echo '. ./part.sh' >c.sh
echo 'part=1' >part.sh
GIVEN=$work/given
export GIVEN
lint() {
	rm -f "$GIVEN"
	run env PATH="$work/programs:$PATH" GIT_DIR=/nowhere XDG_CACHE_HOME="$work/cache" tests/lint shellcheck
}
given() { # FILE...: just these were looked at
	if [ $# -eq 0 ]; then
		[ ! -e "$GIVEN" ]
	else
		sort "$GIVEN" >"$work/sorted" && printf '%s\n' "$@" | diff - "$work/sorted" >&2
	fi
}

lint
check 'on a machine that has no cache yet' told 0
check 'all are looked at' given a.sh b.sh c.sh part.sh
lint
check 'none of them again' given
echo 'echo changed' >a.sh
lint
check 'but what changed' given a.sh
echo 'echo wrong' >b.sh
for _ in 1 2; do
	lint
	check 'what is wrong is not remembered' told 1
	check 'and is looked at each time' given b.sh
done
echo 'echo b' >b.sh
lint
check 'as it was before, it is known' given
echo 'part=2' >part.sh
lint
check 'what others source changes what is right of all' given a.sh b.sh c.sh part.sh
echo "1..$check_number"
exit "$check_failed"
