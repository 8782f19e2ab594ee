# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# What Debian packages are asked, whoever has built them. Sourced after check.sh, from the root of the checkout, with
# $work set, $packages to their directory, and $arch.
version=$(sed -n '1s/^assay (\(.*\)) .*/\1/p' debian/changelog)
all_packages='assay assay-contents assay-dkms assay-fleet assay-verify libassay-verify-dev libassay-verify0'

deb() { # PACKAGE: its file
	echo "$packages/$1_${version}_$([ "$1" = assay-dkms ] && echo all || echo "$arch").deb"
}

# packages_contents: two checks, of which file is in which; $work/PACKAGE.tar has its files
packages_contents() {
	for package in $all_packages; do
		dpkg-deb --fsys-tarfile "$(deb "$package")" >"$work/$package.tar"
		# Of Debian 12 and later the directories are one, but for debhelper.
		tar -tf "$work/$package.tar" | grep -v '/$' |
			sed "s,^\./lib/,./usr/lib/,; s,^\.,$package ,; s,/$(dpkg-architecture -a "$arch" -q DEB_HOST_MULTIARCH)/,/TRIPLET/,
				s,/assay-$version/,/assay-VERSION/,; s,\.$version\$,.VERSION,"
	done | sort >"$work/contents"
	{
		sed '/^#/d' tests/e2e/package.contents
		for source in kmod/*.[ch] kmod/Kbuild kmod/uapi/*.h; do
			echo "assay-dkms /usr/src/assay-VERSION/${source#kmod/}"
		done
	} | sort >"$work/wanted"
	run diff "$work/wanted" "$work/contents"
	check 'which file is in which package is as tests/e2e/package.contents has it' told 0
	sed 's/^[^ ]* //' "$work/contents" | sort | uniq -d >"$work/twice"
	check 'no file is in two of them' [ ! -s "$work/twice" ]
}

depends() { # PACKAGE: names of packages that it needs
	dpkg-deb -f "$(deb "$1")" Depends | tr ',' '\n' | sed 's/^ *//; s/[ :].*//'
}

# packages_lintian DIRECTORY [COMMAND...]: a check of what lintian says, where COMMAND runs it and they are in DIRECTORY
packages_lintian() {
	lintian_changes=$1/assay_${version}_$arch.changes
	shift
	run "$@" lintian --allow-root --fail-on error,warning,info --display-info --tag-display-limit 0 \
		--suppress-tags bad-distribution-in-changes-file "$lintian_changes"
	check 'lintian has nothing to say' told 0
}
