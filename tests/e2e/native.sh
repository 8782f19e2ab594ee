#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages as Debian 13 builds them for itself: from the tarball of make dist, in a small Debian 13, by
# dpkg-buildpackage, with its compiler and what debian/control names; what its lintian says of them; and all of
# test_package_install.sh with them. For make soak S=native.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/debian.sh
CHECK_OUT=$work
. tests/check.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
arch=$(dpkg --print-architecture)
. tests/e2e/build-root.sh
packages=$root/packages
. tests/e2e/packages.sh

run in_build_root /src/qemu/package trixie "$arch" /packages /from
check 'the packages are built, with what debian/control says that it takes' told 0
run grep 'warning:' "$packages/log"
check 'without a warning' prints 1
packages_contents
check 'by the compiler of Debian 13' grep -q '^ gcc-14 (= ' "$packages/assay_${version}_$arch.buildinfo"
check 'for the libraries of Debian 13' [ -n "$(depends assay | grep '^libssl3t64$')" ]
packages_lintian /packages in_debian
results env SUITE=trixie "PACKAGES=$packages" tests/e2e/test_package_install.sh
echo "1..$check_number"
exit "$check_failed"
