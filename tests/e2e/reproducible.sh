#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages, built once more: from the tarball of make dist, at another place, time, umask, zone, locale, host
# name and number of jobs, without what was compiled before. They are the same bytes, whatever is in them. For make soak S=package.
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-again.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
arch=$(dpkg --print-architecture)
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
first=build/package/$suite-$arch
version=$(sed -n 's/^#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h)

works 'a tarball is made' make --no-print-directory dist
mkdir "$work/from"
tar -xf "build/dist/assay-$version.tar.xz" -C "$work/from" --strip-components=1
find "$work/from" -exec touch -h -d '2021-02-03 04:05:06' {} +
umask 077
run unshare --uts sh -c 'hostname elsewhere && exec "$@"' sh env TZ=Asia/Kolkata LC_ALL=C.UTF-8 LANGUAGE=de CCACHE_DISABLE=1 \
	JOBS=3 qemu/package "$suite" "$arch" "$work/second" "$work/from"
check 'the packages are built from it' told 0
umask 022
(cd "$first" && ls -- *.deb) >"$work/first.list"
(cd "$work/second" && ls -- *.deb) >"$work/second.list"
works 'they are as many' cmp "$work/first.list" "$work/second.list"
while IFS= read -r deb; do
	works "$deb is the same bytes" cmp "$first/$deb" "$work/second/$deb"
	[ "$status" -eq 0 ] || for side in first "$work/second"; do
		[ "$side" != first ] || side=$first
		dpkg-deb --fsys-tarfile "$side/$deb" | tar -tv | sed 's/^/# /'
	done | sort | uniq -u | head -n 20
done <"$work/first.list"
echo "1..$check_number"
exit "$check_failed"
