#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages in a small Debian 12, or the one of SUITE with those in PACKAGES: installed by apt, upgraded from a version before, which keeps archives
# and configuration, downgraded, removed and purged; and debian/tests, which only use what is installed.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/debian.sh
CHECK_OUT=$work
. tests/check.sh
arch=$(dpkg --print-architecture)
suite=${SUITE:-bookworm}
packages=${PACKAGES:-$PWD/build/package/$suite-$arch}
. tests/e2e/packages.sh
older=0.0.9~test
# What they need of that Debian, as nothing is fetched later; but of systemd only what makes users.
needed=$(for package in assay assay-contents assay-fleet assay-verify libassay-verify0; do
	depends "$package"
done | grep -v 'assay\|^systemd' | sort -u)
# shellcheck disable=SC2086 # a list
debian "$suite" $needed systemd-standalone-sysusers
debian_programs
mkdir "$root/debs"

# repack PACKAGE: the same as an older version
repack() {
	rm -rf "$work/old"
	dpkg-deb -R "$(deb "$1")" "$work/old"
	sed -i "s/^Version: .*/Version: $older/; s/(= $version)/(= $older)/" "$work/old/DEBIAN/control"
	dpkg-deb -Znone --root-owner-group -b "$work/old" "$root/debs/$1_${older}_$arch.deb" >/dev/null
	rm -rf "$work/old"
}
for package in assay assay-contents assay-fleet assay-verify libassay-verify0; do
	cp "$(deb "$package")" "$root/debs/"
done
repack assay
repack assay-contents
repack assay-fleet
repack assay-verify

installs() { # TITLE PACKAGE_VERSION...
	installs_title=$1
	shift
	for installs_package; do
		set -- "$@" "/debs/${installs_package}_$arch.deb"
		shift
	done
	run in_debian apt-get install -y -qq --no-install-recommends --allow-downgrades "$@"
	check "$installs_title" told 0
}
is_installed() { # PACKAGE VERSION
	# shellcheck disable=SC2016 # dpkg-query expands it
	[ "$(in_debian dpkg-query -W -f '${Version} ${db:Status-Abbrev}' "$1" 2>/dev/null)" = "$2 ii " ]
}
files() {
	(cd "$root" && find . -xdev '(' -path ./src -o -path ./debs -o -path ./proc -o -path ./var/lib/dpkg -o -path ./var/log \
		-o -path ./var/cache -o -path ./tmp -o -path ./var/lib/apt ')' -prune -o -print | sort)
}

# ---------------------------------------------------------------- install, upgrade
files >"$work/files.before"
installs 'an older version is installed' "assay_$older" "assay-fleet_$older" "assay-verify_$older"
check 'it is what it says' is_installed assay "$older"
check 'nothing of it went wrong' [ -z "$(grep -i 'error\|fail\|cannot' "$work/stdout" "$work/stderr")" ]
check 'the service is enabled' [ -L "$root/etc/systemd/system/sysinit.target.wants/assayd.service" ]
check 'the part for the initramfs is not' [ -z "$(find "$root/etc/systemd" -name assay-initrd.service)" ]
check "nor is the fleet's verifier, before it is configured" [ -z "$(find "$root/etc/systemd" -name 'assay-fleet.*')" ]
run in_debian id assay
check 'its user is there, in the group of the TPM' prints 0 'uid=.*(assay).*(tss)'
works "the fleet's verifier has one of its own" in_debian id assay-fleet
archive=var/lib/assay/archive
mkdir -p "$root/$archive" "$root/etc/assay/measure.d"
cp -r tests/data/archive/*-* "$root/$archive/"
echo '[service]' >"$root/etc/assay/assayd.conf"
printf '[measure]\npackage = base-files\n' >"$root/etc/assay/measure.d/10-system.conf"
in_debian chown -R assay:assay /var/lib/assay
mkdir "$root/var/lib/assay-fleet"
echo database >"$root/var/lib/assay-fleet/fleet.db"
in_debian chown -R assay-fleet:assay-fleet /var/lib/assay-fleet
chmod 750 "$root/var/lib/assay"
kept() { # FILE: what there is of archives, state and configuration, with owners and modes
	(cd "$root" && find var/lib/assay var/lib/assay-fleet etc/assay -exec stat -c '%n %A %U %G %s' {} + | sort &&
		find var/lib/assay var/lib/assay-fleet etc/assay -type f -exec sha256sum {} + | sort) >"$1"
}
kept "$work/kept.before"
installs 'it is upgraded' "assay_$version" "assay-contents_$version" "assay-fleet_$version" "assay-verify_$version" "libassay-verify0_$version"
check 'to today' is_installed assay "$version"
run in_debian assay-fleet --version
check "and so is the fleet's verifier" prints 0 "$version"
kept "$work/kept.after"
works 'archives, state and configuration are as they were' cmp "$work/kept.before" "$work/kept.after"
check 'there are some' grep -q 'var/lib/assay/archive/.*/' "$work/kept.after"
boot=$(basename "$root/$archive"/*-*)
works 'the archive is read by what is installed now' in_debian assay log verify-archive "/$archive/$boot"
works 'the service takes its configuration' in_debian assayd --check
works 'as the unit would' in_debian assayd --check --user assay

# ---------------------------------------------------------------- debian/tests
for test in $(sed -n 's/^Tests: //p' debian/tests/control | tr -d ,); do
	[ "$test" != dkms ] || continue # needs headers of a kernel: run by hand
	mkdir -p "$root/tmp/$test"
	run in_debian env -C /src AUTOPKGTEST_TMP="/tmp/$test" "debian/tests/$test"
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
run in_debian assay log verify-archive "/$archive/${future##*/}"
check 'an archive of a later version is refused by name' prints 1 'it is of version 9'
rm -r "$future"
installs 'it is downgraded' "assay_$older" "assay-contents_$older" "assay-fleet_$older" "assay-verify_$older"
kept "$work/kept.after"
works 'and keeps everything' cmp "$work/kept.before" "$work/kept.after"
works 'an upgrade that stops behind the unpacking' in_debian dpkg --unpack --force-depends "/debs/assay_${version}_$arch.deb"
works 'is gone on with' in_debian apt-get install -y -qq --no-install-recommends --fix-broken "/debs/assay_${version}_$arch.deb" \
	"/debs/assay-contents_${version}_$arch.deb"
check 'and done' is_installed assay "$version"
kept "$work/kept.after"
works 'it keeps everything' cmp "$work/kept.before" "$work/kept.after"
works 'it is removed' in_debian apt-get remove -y -qq assay assay-fleet
check 'and is gone' [ ! -e "$root/usr/sbin/assayd" ]
kept "$work/kept.after"
works 'archives, state and configuration stay' cmp "$work/kept.before" "$work/kept.after"
# Archives are large, and may be on a file system of their own.
mv "$root/var/lib/assay" "$work/assay" && mkdir "$root/var/lib/assay" && mount -t tmpfs tmpfs "$root/var/lib/assay" &&
	cp -a "$work/assay/." "$root/var/lib/assay/"
works 'it is purged' in_debian apt-get purge -y -qq assay assay-contents assay-fleet assay-verify libassay-verify0
check 'a file system of its own is empty' [ -z "$(ls -A "$root/var/lib/assay")" ]
umount "$root/var/lib/assay" && rmdir "$root/var/lib/assay"
check 'archives and state are gone' [ "$(find "$root/var/lib" -maxdepth 1 -name 'assay*' | wc -l)" -eq 0 ]
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
