# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# A small Debian 13 in which packages are built, from what make dist made, in /from. Sourced after check.sh and
# debian.sh.

build_needs=$(sed -n '/^Build-Depends:/,/^S/s/^ \([a-z0-9.+-]*\).*/\1/p' debian/control |
	sed 's/^debhelper-compat$/debhelper/; s/^dh-sequence-dkms$/dh-dkms/')
# shellcheck disable=SC2086 # a list
debian trixie build-essential ccache lintian rpm rpmlint $build_needs
debian_programs
mkdir "$root/from" "$root/ccache" "$root/packages"
build_cache=${CCACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/assay/ccache}
mkdir -p "$build_cache" && mount --bind "$build_cache" "$root/ccache" || exit 2

works 'a tarball is made' make --no-print-directory dist
build_tarball=build/dist/assay-$(sed -n 's/^#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h).tar.xz
tar -xf "$build_tarball" -C "$root/from" --strip-components=1 || exit 2

in_build_root() { # COMMAND...: compiled before is what was, also elsewhere
	in_debian env HOME=/root CCACHE_DIR=/ccache CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=/packages "$@"
}
