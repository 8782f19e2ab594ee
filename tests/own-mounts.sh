# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# A mount namespace of the test's own, which goes with it and with all that it mounts. Sourced first of all, from the root
# of the checkout, with the test's own arguments: the test goes on in it, with $work set to a directory that is
# removed behind it. By root, since only root mounts overlays and filesystems of disks.

if [ "${1:-}" != --inside ]; then
	work=${0##*/}
	work=$(mktemp -d "${TMPDIR:-/tmp}/assay-${work%.sh}.XXXXXX") || exit 2
	trap 'rm -rf --one-file-system "$work"' EXIT
	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		echo '1..0 # SKIP this user can mount nothing'
		exit 77
	fi
	unshare -m "$0" --inside "$work"
	exit
fi
work=$2
