#!/bin/sh
# SPDX-License-Identifier: MIT
# make dist: the same bytes wherever, whenever and by whomever it is made, from a checkout and from what it made
# itself; and make compile_commands.json.
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-dist.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
version=$(sed -n 's/^#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h)
unset MAKEFLAGS MFLAGS MAKELEVEL
top=$PWD

works 'a tarball is made' make --no-print-directory dist
cp "build/dist/assay-$version.tar.xz" "$work/first"
tar -tf "$work/first" | sort >"$work/names"
check 'of everything, below its name' [ "$(cut -d / -f 1 "$work/names" | sort -u)" = "assay-$version" ]
for file in Makefile debian/control userspace/include/assay.h kmod/Kbuild tests/run.sh tests/data/evidence/evidence.json; do
	check "with $file" grep -qx "assay-$version/$file" "$work/names"
done
check 'but nothing that was built' [ -z "$(grep -E '^[^/]*/(build/|\.git/|compile_commands)' "$work/names")" ]
mkdir "$work/elsewhere"
tar -xf "$work/first" -C "$work/elsewhere"
# Other times and modes; without git.
find "$work/elsewhere" -exec touch -d '2001-02-03 04:05:06' {} +
find "$work/elsewhere" -type f -exec chmod g+w,o-r {} +
cd "$work/elsewhere/assay-$version" || exit 2
umask 027
run env TZ=Asia/Kolkata LC_ALL=C.UTF-8 GIT_DIR=/nonexistent make --no-print-directory dist
check 'another is made from what is in it' told 0
works 'of the same bytes' cmp "$work/first" "build/dist/assay-$version.tar.xz"
# Built it is by make soak S=package.
works 'its Makefile has what packages are made from' make --no-print-directory -n NO_BED=1 build/host/assay library
run make --no-print-directory -n bench
check 'make -n says what it would run' prints 0 '^qemu/host-packages' ' tests/bench.sh verify '
check 'and runs none of it' [ "$(ls -A build)" = dist ]

cd "$top" || exit 2
cp -r Makefile userspace kmod "$work/"
works 'compile_commands.json is made' make --no-print-directory -C "$work" compile_commands.json
check 'each of its commands is of a file that is there' [ "$(jq -r '.[].file' "$work/compile_commands.json" |
	while IFS= read -r file; do [ -e "$work/$file" ] || echo "$file"; done)" = '' ]
find userspace/cmd userspace/assayd userspace/initrd userspace/lib -name '*.c' ! -name loop_epoll.c ! -name manager_plain.c |
	sort >"$work/sources"
jq -r '.[].file' "$work/compile_commands.json" | sort -u >"$work/commanded"
run comm -23 "$work/sources" "$work/commanded"
check 'and no source of the programs is missing' [ ! -s "$work/stdout" ]
jq -r '.[0].command' "$work/compile_commands.json" >"$work/command"
check 'a command compiles its file' sh -c "cd '$work' && mkdir -p \"\$(dirname \"\$(sed 's/.* -o \([^ ]*\) .*/\1/' command)\")\" && sh -e command"
echo "1..$check_number"
exit "$check_failed"
