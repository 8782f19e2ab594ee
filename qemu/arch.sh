# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What differs between the architectures of guests. Sourced after lib.sh.

# arch_of FLAVOUR: arm64 or amd64, as Debian calls them
arch_of() {
	case $1 in
	amd64*) echo amd64 ;;
	*) echo arm64 ;;
	esac
}

# use_arch ARCH: sets arch, kbuild_arch (ARCH= of the kernel's make), triplet (of libraries) and
# cross (of the compiler).
use_arch() {
	arch=$1
	case $arch in
	arm64) kbuild_arch=arm64 triplet=aarch64-linux-gnu ;;
	amd64) kbuild_arch=x86_64 triplet=x86_64-linux-gnu ;;
	*) die "no guest has the architecture '$arch'; there are arm64 and amd64" ;;
	esac
	cross=$triplet-
}
