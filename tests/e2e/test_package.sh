#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages as `make package` builds them for this machine: which file is in which, what
# they need, what lintian says, and that apt takes their directory for a repository.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d "${TMPDIR:-/tmp}/assay-package.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
arch=$(dpkg --print-architecture)
packages=$PWD/build/package/bookworm-$arch
. tests/e2e/packages.sh
packages_contents

# ---------------------------------------------------------------- what they need and are
depends assay-verify >"$work/verify"
check 'the verifier needs no TPM stack' [ -z "$(grep -E 'tss2|keyutils' "$work/verify")" ]
check 'but the libraries that it is linked with' grep -q '^libjansson4$' "$work/verify"
check 'nor does its library' [ -z "$(depends libassay-verify0 | grep -E 'tss2|keyutils')" ]
check 'nor does the device need what reads archives' [ -z "$(depends assay | grep '^libarchive')" ]
check 'the device has what speaks with its TPM' [ -n "$(depends assay | grep '^libtss2-tcti-device0')" ]
check 'the module is built by DKMS' [ "$(depends assay-dkms)" = dkms ]
tar -xOf "$work/assay-dkms.tar" "./usr/src/assay-$version/dkms.conf" >"$work/dkms.conf"
check 'under the version of the package' grep -qx "PACKAGE_VERSION=\"$version\"" "$work/dkms.conf"
# shellcheck disable=SC2016 # dpkg-deb expands it
check 'all have the version of the programs' [ "$(for package in $all_packages; do
	dpkg-deb -W --showformat '${Version}\n' "$(deb "$package")"
done | sort -u)" = "$(sed -n 's/^#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h)" ]
for package in assay assay-fleet assay-verify libassay-verify0; do
	mkdir "$work/$package"
	tar -xf "$work/$package.tar" -C "$work/$package"
done
works 'assay runs' "$work/assay/usr/bin/assay" --version
works 'assay-verify runs' "$work/assay-verify/usr/bin/assay-verify" --version
for program in assay/usr/bin/assay assay/usr/sbin/assayd assay/usr/bin/assay-push assay/usr/bin/assay-initrd \
	assay-verify/usr/bin/assay-verify assay-fleet/usr/sbin/assay-fleet; do
	readelf -dlW "$work/$program" >"$work/elf"
	check "${program#*/} is position independent and bound at its start" \
		sh -c "grep -q 'FLAGS_1.*NOW.*PIE' '$work/elf' && grep -q GNU_RELRO '$work/elf'"
	check 'and says nothing of where it was built' [ -z "$(grep -ac "$PWD" "$work/$program" | grep -v '^0$')" ]
done
check 'the unit starts the program that is in the package' \
	grep -rqx 'ExecStart=/usr/sbin/assayd' "$work/assay" --include=assayd.service

# ---------------------------------------------------------------- the fleet's verifier, by its units
fleet_unit=$(find "$work/assay-fleet" -name assay-fleet.service)
check 'the unit of the verifier of a fleet starts its program' grep -q '^ExecStart=/usr/sbin/assay-fleet serve$' "$fleet_unit"
run systemd-analyze security --offline=true --threshold=19 --no-pager "$fleet_unit"
check 'systemd finds it little exposed' told 0
check 'it has a user of its own' grep -q '^u assay-fleet ' "$work/assay-fleet/usr/lib/sysusers.d/assay-fleet.conf"
mkdir "$work/fleet"
echo "viewer somebody token:$(printf token | sha256sum | cut -d ' ' -f 1)" >"$work/fleet/operators"
# As the socket unit does.
systemd-socket-activate --listen="$work/fleet/sock" "$work/assay-fleet/usr/sbin/assay-fleet" serve \
	--database "sqlite:$work/fleet/fleet.db" --operators "$work/fleet/operators" 2>"$work/fleet/log" &
fleet=$!
for _ in $(seq 600); do
	[ ! -S "$work/fleet/sock" ] || break
	sleep 0.05
done
run curl -sS --max-time 120 --unix-socket "$work/fleet/sock" -H 'Authorization: Bearer token' http://fleet/v1/fleet
check 'it answers at a socket of systemd, which it is started by' prints 0 '"type":"fleet'
kill "$fleet"
check 'and ends when it is told to' wait "$fleet"

# ---------------------------------------------------------------- checks of others
packages_lintian "$packages"
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
: >"$work/apt/status"
echo "deb [trusted=yes] file:$packages ./" >"$work/apt/sources.list"
with_apt() { # COMMAND...
	"$@" -o "Dir::State=$work/apt" -o "Dir::State::lists=$work/apt/lists" -o "Dir::State::status=$work/apt/status" \
		-o "Dir::Cache=$work/apt" -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o "APT::Architecture=$arch" -o APT::Sandbox::User=root -o Dir::Etc::parts=/dev/null
}
run with_apt apt-get -q update
check 'apt takes their directory for a repository' told 0
run with_apt apt-cache policy assay assay-dkms
check 'and offers what is in it' prints 0 "^assay:" "Candidate: $version" "^assay-dkms:"

echo "1..$check_number"
exit "$check_failed"
