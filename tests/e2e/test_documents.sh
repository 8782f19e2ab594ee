#!/bin/sh
# SPDX-License-Identifier: MIT
# The documents and the programs: each command, option, target of make and test that the README and
# the other documents name is there, and what looks for them would see one that is not.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-documents.XXXXXX")
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh

run python3 tests/documents.py commands
check "what the documents name is there" [ "$status" -eq 0 ]

# A copy with one word wrong in each way, beside the real programs and sources.
mkdir -p "$work/tree/docs" "$work/tree/userspace/lib"
for name in Makefile build kmod qemu tests man policy; do
	ln -s "$PWD/$name" "$work/tree/$name"
done
for name in cmd assayd initrd include; do
	ln -s "$PWD/userspace/$name" "$work/tree/userspace/$name"
done
cp -r userspace/lib "$work/tree/userspace/"
cp -r examples patches "$work/tree/"
cp README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md "$work/tree/"
cp docs/* "$work/tree/docs/"

# sees KIND FILE FROM TO WANTED: with one word exchanged, the check of that kind says so
sees() {
	cp "$2" "$work/tree/$2"
	sed -i "s,$3,$4," "$work/tree/$2"
	check "$2 was changed for the test: $4" test ! "$(cksum <"$2")" = "$(cksum <"$work/tree/$2")"
	sees_file=
	[ "$1" != commands ] || sees_file=$2
	# shellcheck disable=SC2086 # one file or none
	(cd "$work/tree" && python3 tests/documents.py "$1" $sees_file) >"$work/said" 2>&1
	sees_status=$?
	check "$1: $4 is found out" grep -q -- "$5" "$work/said"
	check "$1: and fails" [ "$sees_status" -eq 1 ]
	cp "$2" "$work/tree/$2"
}

sees commands README.md 'assay measure --manifest' 'assay measures --manifest' 'no such command'
sees commands README.md '--no-assay-log' '--no-assay-logs' 'there is no --no-assay-logs'
sees commands README.md 'make demo ' 'make demos ' 'make has no target demos'
sees commands CONTRIBUTING.md 'T=unit/test_rules' 'T=unit/test_rulers' 'no test is called'
sees links README.md 'docs/picture.svg' 'docs/pictures.svg' 'leads to no file'
sees links README.md 'docs/fleet-dark.png' 'docs/fleet-bark.png' 'leads to no file'
sees links CONTRIBUTING.md 'tests/run.sh' 'tests/run.bash' 'there is no tests/run.bash'
sees links SECURITY.md '#who-can-do-what' '#who-can-do-that' 'leads to no heading'
echo '# A page' >"$work/tree/docs/page.md"
run sh -c 'cd "$1" && python3 tests/documents.py links' sh "$work/tree"
check 'links: a page without a link to it is found out' grep -q '^docs/page.md: no document' "$work/stdout"
rm "$work/tree/docs/page.md"
sees messages docs/troubleshooting.md 'has the file open for writing' 'has this file open' 'no source says'
sees messages docs/troubleshooting.md 'Send a fresh nonce' 'Send a nonce' 'quote-nonce advises'
echo "1..$check_number"
exit "$check_failed"
