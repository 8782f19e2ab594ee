#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages in a small Debian 12: installed by apt, upgraded from a version before, which keeps archives
# and configuration, downgraded, removed and purged; and debian/tests, which only use what is installed.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
if [ "${1:-}" != --inside ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/assay-install.XXXXXX") || exit 2
	trap 'rm -rf "$work"' EXIT
	if [ "$(id -u)" -ne 0 ] || ! unshare -m true 2>/dev/null; then
		echo '1..0 # SKIP this user can mount nothing'
		exit 77
	fi
	unshare -m "$0" --inside "$work"
	exit
fi

work=$2
CHECK_OUT=$work
. tests/check.sh
arch=$(dpkg --print-architecture)
version=$(sed -n '1s/^assay (\(.*\)) .*/\1/p' debian/changelog)
older=0.0.9~test
base=$(qemu/debian-root bookworm libtss2-esys-3.0.2-0 libtss2-rc0 libtss2-tctildr0 libtss2-tcti-device0 libtss2-tcti-swtpm0 \
	libcap2 libcbor0.8 libcurl4 libinih1 libjansson4 libkeyutils1 libseccomp2 libsystemd0 libzstd1 \
	systemd-standalone-sysusers) || exit 2
base=${XDG_CACHE_HOME:-$HOME/.cache}/assay/$base
mount -t tmpfs tmpfs "$work" || exit 2
root=$work/root
mkdir "$root" "$work/over" "$work/side"
mount -t overlay -o "lowerdir=$base,upperdir=$work/over,workdir=$work/side" overlay "$root" || exit 2
mount -t proc proc "$root/proc" || exit 2
mkdir -p "$root/debs" "$root/src" "$root/dev"
mount --bind "$PWD" "$root/src" || exit 2
[ -c "$root/dev/null" ] || mknod -m 666 "$root/dev/null" c 1 3

# repack PACKAGE: the same as an older version
repack() {
	rm -rf "$work/old"
	dpkg-deb -R "build/package/bookworm-$arch/$1_${version}_$arch.deb" "$work/old"
	sed -i "s/^Version: .*/Version: $older/; s/(= $version)/(= $older)/" "$work/old/DEBIAN/control"
	dpkg-deb -Znone --root-owner-group -b "$work/old" "$root/debs/$1_${older}_$arch.deb" >/dev/null
	rm -rf "$work/old"
}
for package in assay assay-verify libassay-verify0; do
	cp "build/package/bookworm-$arch/${package}_${version}_$arch.deb" "$root/debs/"
done
repack assay
repack assay-verify

in_root() {
	DEBIAN_FRONTEND=noninteractive chroot "$root" env -u TMPDIR PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
installs() { # TITLE PACKAGE_VERSION...
	installs_title=$1
	shift
	for installs_package; do
		set -- "$@" "/debs/${installs_package}_$arch.deb"
		shift
	done
	run in_root apt-get install -y -qq --no-install-recommends --allow-downgrades "$@"
	check "$installs_title" told 0
}
is_installed() { # PACKAGE VERSION
	# shellcheck disable=SC2016 # dpkg-query expands it
	[ "$(in_root dpkg-query -W -f '${Version} ${db:Status-Abbrev}' "$1" 2>/dev/null)" = "$2 ii " ]
}
files() {
	(cd "$root" && find . -xdev '(' -path ./src -o -path ./debs -o -path ./proc -o -path ./var/lib/dpkg -o -path ./var/log \
		-o -path ./var/cache -o -path ./tmp -o -path ./var/lib/apt ')' -prune -o -print | sort)
}

# ---------------------------------------------------------------- install, upgrade
files >"$work/files.before"
installs 'an older version is installed' "assay_$older" "assay-verify_$older"
check 'it is what it says' is_installed assay "$older"
check 'nothing of it went wrong' [ -z "$(grep -i 'error\|fail\|cannot' "$work/stdout" "$work/stderr")" ]
check 'the service is enabled' [ -L "$root/etc/systemd/system/sysinit.target.wants/assayd.service" ]
check 'the part for the initramfs is not' [ -z "$(find "$root/etc/systemd" -name assay-initrd.service)" ]
run in_root id assay
check 'its user is there, in the group of the TPM' prints 0 'uid=.*(assay).*(tss)'
archive=var/lib/assay/archive
mkdir -p "$root/$archive" "$root/etc/assay/measure.d"
cp -r tests/data/archive/*-* "$root/$archive/"
echo '[service]' >"$root/etc/assay/assayd.conf"
printf '[measure]\npackage = base-files\n' >"$root/etc/assay/measure.d/10-system.conf"
in_root chown -R assay:assay /var/lib/assay
chmod 750 "$root/var/lib/assay"
kept() { # FILE: what there is of archives, state and configuration, with owners and modes
	(cd "$root" && find var/lib/assay etc/assay -exec stat -c '%n %A %U %G %s' {} + | sort &&
		find var/lib/assay etc/assay -type f -exec sha256sum {} + | sort) >"$1"
}
kept "$work/kept.before"
installs 'it is upgraded' "assay_$version" "assay-verify_$version" "libassay-verify0_$version"
check 'to today' is_installed assay "$version"
kept "$work/kept.after"
works 'archives, state and configuration are as they were' cmp "$work/kept.before" "$work/kept.after"
check 'there are some' grep -q 'var/lib/assay/archive/.*/' "$work/kept.after"
boot=$(basename "$root/$archive"/*-*)
works 'the archive is read by what is installed now' in_root assay log verify-archive "/$archive/$boot"
works 'the service takes its configuration' in_root assayd --check
works 'as the unit would' in_root assayd --check --user assay

# ---------------------------------------------------------------- debian/tests
for test in $(sed -n 's/^Tests: //p' debian/tests/control | tr -d ,); do
	[ "$test" != dkms ] || continue # needs headers of a kernel: run by hand
	mkdir -p "$root/tmp/$test"
	run in_root env -C /src AUTOPKGTEST_TMP="/tmp/$test" "debian/tests/$test"
	check "debian/tests/$test" told 0
done

# ---------------------------------------------------------------- downgrade, remove, purge
# Of an archive that a later version wrote, the version stands in its header's first bytes.
future=$root/$archive/00000000-0000-4000-8000-000000000000
cp -r "$root/$archive/$boot" "$future"
python3 - "$future" <<'END'
import os, sys
for name in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], name)
    data = bytearray(open(path, "rb").read())
    at = data.find(b"\x00\x00\x00\x01", 8)
    data[at + 3] = 9
    open(path, "wb").write(data)
END
run in_root assay log verify-archive "/$archive/${future##*/}"
check 'an archive of a later version is refused by name' prints 1 'it is of version 9'
rm -r "$future"
installs 'it is downgraded' "assay_$older" "assay-verify_$older"
kept "$work/kept.after"
works 'and keeps everything' cmp "$work/kept.before" "$work/kept.after"
works 'it is removed' in_root apt-get remove -y -qq assay
check 'and is gone' [ ! -e "$root/usr/sbin/assayd" ]
kept "$work/kept.after"
works 'archives, state and configuration stay' cmp "$work/kept.before" "$work/kept.after"
works 'it is purged' in_root apt-get purge -y -qq assay assay-verify libassay-verify0
check 'archives and state are gone' [ ! -e "$root/var/lib/assay" ]
check 'what the administrator wrote is not' [ -e "$root/etc/assay/assayd.conf" ]
rm -r "$root/etc/assay"
files >"$work/files.after"
# What systemd-sysusers and tools of the system leave: users, locks, caches.
diff "$work/files.before" "$work/files.after" | grep '^>' | grep -v ' \./etc/\(passwd\|group\|shadow\|gshadow\|\.pwd\.lock\)' \
	>"$work/left" || :
sed 's/^/# /' "$work/left"
check 'and nothing else is left' [ ! -s "$work/left" ]

echo "1..$check_number"
exit "$check_failed"
