# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# A small Debian that a test may do everything to: one of qemu/debian-root below a layer in memory. Sourced before
# check.sh, from the root of the checkout, with the test's own arguments: what own-mounts.sh says, and $root is set to
# where that Debian will be.

. tests/own-mounts.sh
root=$work/root

# debian SUITE PACKAGE...: makes it
debian() {
	debian_base=$(qemu/debian-root "$@") || exit 2
	mount -t tmpfs tmpfs "$work" && mkdir "$root" "$work/over" "$work/side" &&
		mount -t overlay -o "lowerdir=${XDG_CACHE_HOME:-$HOME/.cache}/assay/$debian_base,upperdir=$work/over,workdir=$work/side" \
			overlay "$root" || exit 2
}

# debian_programs: what programs need to run in it, where systemd does not run; and this checkout, as /src
debian_programs() {
	mkdir "$root/src" &&
		mount -t proc proc "$root/proc" && mount --bind "$PWD" "$root/src" || exit 2
}

in_debian() { # COMMAND...
	chroot "$root" env -u TMPDIR DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
