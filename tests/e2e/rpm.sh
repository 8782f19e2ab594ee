#!/bin/sh
# SPDX-License-Identifier: MIT
# rpm/assay.spec: packages built by rpmbuild from the tarball of make dist, in a small Debian 13, which has rpm; which file
# is in which, what rpmlint says, and that rpm installs and removes them. What they need is named as other
# distributions name it, so nothing here looks whether it is there. For make soak S=rpm.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/debian.sh
CHECK_OUT=$work
. tests/check.sh
unset MAKEFLAGS MFLAGS MAKELEVEL
. tests/e2e/build-root.sh
version=$(sed -n 's/^#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h)
packages=$root/packages
cp "$build_tarball" "$packages/"

# Compiled as for Debian, so that what native.sh has compiled is not compiled again.
mkdir "$packages/assay"
flags() { # NAME
	in_debian env -C /packages/assay DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get "$1"
}
run in_build_root env PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin \
	"CC=$(in_debian dpkg-architecture -q DEB_HOST_GNU_TYPE)-gcc" "CFLAGS=$(flags CFLAGS)" "CPPFLAGS=$(flags CPPFLAGS)" "LDFLAGS=$(flags LDFLAGS)" \
	rpmbuild -ta --nodeps --nodebuginfo --define '_topdir /packages' --define '_buildhost localhost' "/packages/${build_tarball##*/}"
check 'the packages are built' told 0
check 'without a warning' [ -z "$(grep -ih '^warning:\|[0-9]: warning:' "$work/stdout" "$work/stderr")" ]
(cd "$packages" && find RPMS SRPMS -name '*.rpm' | sort) >"$work/list"
sed 's/^/# /' "$work/list"
check 'from a package of the sources too' [ -s "$packages/SRPMS/assay-$version-1.src.rpm" ]

libdir=$(in_debian rpm --eval '%{_libdir}')
grep -v '^SRPMS/\|debuginfo\|debugsource' "$work/list" >"$work/binary"
while IFS= read -r rpm; do
	in_debian rpm -qp --queryformat '[%{FILEMODES:perms} %{=NAME} %{FILENAMES}\n]' "/packages/$rpm"
done <"$work/binary" | sed "/^d/d; / \/usr\/share\/licenses\//d; /\/\.build-id\//d; s/^[^ ]* //; s/^libassay-verify-devel /libassay-verify-dev /
	s,$libdir/,/usr/lib/TRIPLET/,; s,/assay-$version/,/assay-VERSION/,; s,\.$version\$,.VERSION," | sort >"$work/contents"
{
	sed "/^#/d
		/ \/etc\/apt\/\|\/after-dpkg\|assay-after-dpkg\|\/initramfs-tools\/\|\/lintian\/\|\/changelog.gz\|\/copyright\|README.Debian/d
		s,/zsh/vendor-completions/,/zsh/site-functions/,; s,/assay-fleet/examples/,/assay-fleet/fleet/,
		s,/libassay-verify-dev/examples/,/libassay-verify-devel/,; /\/doc\//s/\.gz\$//" tests/e2e/package.contents
	for source in kmod/*.[ch] kmod/Kbuild kmod/uapi/*.h; do
		echo "assay-dkms /usr/src/assay-VERSION/${source#kmod/}"
	done
} | sort >"$work/wanted"
run diff "$work/wanted" "$work/contents"
check "which file is in which is as in Debian's packages, but for what apt, dpkg and initramfs-tools look for" told 0
run in_debian rpm -qp --requires "/packages/$(grep '/assay-verify-' "$work/binary")"
check 'the verifier needs no TPM stack' [ -z "$(grep 'tss2\|keyutils' "$work/stdout")" ]
check 'but the libraries that it is linked with' prints 0 '^libjansson\.so\.4'
run in_debian rpmlint --config /src/rpm/rpmlint.toml /src/rpm/assay.spec
check 'rpmlint finds no mistake in the specification' prints 0 '0 errors, 0 warnings'

installed() { # FILE: which files there are, but for what rpm itself and the tools that make users keep
	(cd "$root" && find . -xdev '(' -path ./src -o -path ./packages -o -path ./from -o -path ./ccache -o -path ./proc -o -path ./var -o -path ./tmp ')' \
		-prune -o '!' -type d -print) | grep -v '^\./etc/\(\.pwd\.lock\|[a-z]*-\)$' | sort >"$1"
}
installed "$work/before"
# shellcheck disable=SC2046 # a list
run in_debian rpm -i --nodeps $(sed 's,^,/packages/,' "$work/binary")
check 'rpm installs them' told 0
for program in assay assay-fleet assay-verify assayd; do
	run in_debian "$program" --version
	check "$program runs" prints 0 "$version"
done
# shellcheck disable=SC2046 # a list
run in_debian rpm -e --nodeps $(in_debian rpm -qa 'assay*' 'libassay*')
check 'and removes them' told 0
installed "$work/after"
run diff "$work/before" "$work/after"
check 'with all that they had' told 0
echo "1..$check_number"
exit "$check_failed"
