#!/bin/sh
# SPDX-License-Identifier: MIT
# cross.sh SUITE ARCH: the Debian packages that `make package-SUITE-ARCH` has built for another architecture: what is in
# them, what they need, that their programs are that architecture's and start, by qemu, with the libraries that they
# were linked with. For make soak S=cross.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-cross.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
suite=$1 arch=$2
case $arch in
amd64) machine='Advanced Micro Devices X86-64' emulator=qemu-x86_64 ;;
*) machine=AArch64 emulator=qemu-aarch64 ;;
esac
packages=$PWD/build/package/$suite-$arch
. tests/e2e/packages.sh
libraries=${XDG_CACHE_HOME:-$HOME/.cache}/assay/$(qemu/package-sysroot "$suite" "$arch")/root

echo "# $suite, $arch"
run grep '[0-9]: warning:' "$packages/log"
check 'they are built without a warning' prints 1
packages_contents
for package in $all_packages; do
	mkdir "$work/$package"
	tar -xf "$work/$package.tar" -C "$work/$package"
done
for program in assay/usr/bin/assay assay/usr/bin/assay-initrd assay/usr/bin/assay-push assay/usr/sbin/assayd \
	assay-contents/usr/bin/assay-contents assay-fleet/usr/sbin/assay-fleet assay-verify/usr/bin/assay-verify; do
	readelf -hdlW "$work/$program" >"$work/elf"
	check "${program##*/} is a program of the architecture, position independent, and bound at its start" \
		sh -c "grep -q 'Machine: *$machine' '$work/elf' && grep -q 'FLAGS_1.*NOW.*PIE' '$work/elf' && grep -q GNU_RELRO '$work/elf'"
	[ "${program##*/}" != assay-contents ] || continue # which only assay starts
	run "$emulator" -L "$libraries" "$work/$program" --help
	check 'it starts' prints 0 '^Usage: '
done
depends assay >"$work/device"
depends assay-fleet >"$work/fleet"
t64=
[ "$suite" = bookworm ] || t64=t64
check 'the device needs the libraries of that Debian' \
	sh -c "grep -qx 'libssl3$t64' '$work/device' && grep -qx 'libcurl4$t64' '$work/device' && grep -q '^libtss2-esys-.*[0-9]$t64\$' '$work/device'"
check 'and so does the verifier of a fleet' \
	sh -c "grep -qx libpq5 '$work/fleet' && grep -qx 'libevent-core-2.1-7$t64' '$work/fleet' && grep -qx libsqlite3-0 '$work/fleet'"
check 'they are for that architecture' [ "$(for package in $all_packages; do
	dpkg-deb -f "$(deb "$package")" Architecture
done | sort -u | tr '\n' ' ')" = "all $arch " ]
packages_lintian "$packages"
echo "1..$check_number"
exit "$check_failed"
