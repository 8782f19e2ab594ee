#!/bin/sh
# SPDX-License-Identifier: MIT
# assay-dkms, as `make package` built it: DKMS builds the module for Debian's own kernel, and passes over kernels that it is
# not for with a sentence. In directories of its own; nothing of this machine's modules is touched. For make soak S=dkms.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-dkms.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
arch=$(dpkg --print-architecture)
case $arch in
amd64) flavour=amd64 machine=x86_64 ;;
*) flavour=4k machine=aarch64 ;;
esac
version=$(sed -n '1s/^assay (\(.*\)) .*/\1/p' debian/changelog)
dpkg-deb --fsys-tarfile "build/package/bookworm-$arch/assay-dkms_${version}_all.deb" | tar -x -C "$work"
headers=$(readlink -f "build/kernel/$flavour/build")
release=$(cat "build/kernel/$flavour/release")
mkdir "$work/tree" "$work/modules"

builds() { # RELEASE MACHINE HEADERS
	run dkms build -m assay -v "$version" -k "$1" -a "$2" --kernelsourcedir "$3" --no-depmod \
		--dkmstree "$work/tree" --sourcetree "$work/usr/src" --installtree "$work/modules"
}
# passed_over TITLE RELEASE MACHINE HEADERS
passed_over() {
	passed_title=$1
	shift
	builds "$@"
	cat "$work/stdout" >>"$work/stderr"
	check "$passed_title" told 77 'BUILD_EXCLUSIVE directive which does not match this kernel/arch/config'
}

# What it needs of a kernel's headers before it builds.
mkdir -p "$work/lacking/include"
grep -v '^CONFIG_FS_VERITY=' "$headers/.config" >"$work/lacking/.config"
cp -r "$headers/Makefile" "$work/lacking/" 2>/dev/null
passed_over 'a kernel without fs-verity is passed over' "$release" "$machine" "$work/lacking"
passed_over 'one that is too old' 5.10.0-1 "$machine" "$headers"
passed_over 'another architecture' "$release" riscv64 "$headers"
builds "$release" "$machine" "$headers"
check "the module is built for $release" told 0
module=$(find "$work/tree" -name 'assay.ko*' -path "*/$release/*" | head -n 1)
check 'it is there' [ -n "$module" ]
run modinfo "$module"
check 'it says its version, and which kernel it is for' prints 0 "^version: *$version\$" "^vermagic: *$release "
echo "1..$check_number"
exit "$check_failed"
