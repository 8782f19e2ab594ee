#!/bin/sh
# SPDX-License-Identifier: MIT
# The fleet's verifier as `make install-fleet` puts it into a small Debian 12 of this machine's architecture, whose first
# process is systemd: its socket starts it, as a user of its own, and it answers; it is started again when it was killed.
# limit: 1800
# soak
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 2
. tests/e2e/debian.sh
CHECK_OUT=$work
. tests/check.sh
. tests/e2e/systemd.sh
debian bookworm curl libcurl4 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7 libjansson4 libpq5 libseccomp2 libsqlite3-0 \
	libsystemd0 libinih1 libcbor0.8 libkeyutils1 libzstd1 systemd-sysv

unset MAKEFLAGS MFLAGS MAKELEVEL
works 'it is installed' make --no-print-directory install-fleet prefix=/usr "DESTDIR=$root"
mkdir -p "$root/etc/assay"
cp examples/fleet/assay-fleet.conf "$root/etc/assay/"
echo "viewer somebody token:$(printf token | sha256sum | cut -d ' ' -f 1)" >"$root/etc/assay/fleet-operators"
chroot "$root" systemd-sysusers >/dev/null 2>&1
works 'it has a user' chroot "$root" chown assay-fleet: /etc/assay/fleet-operators
chmod 600 "$root/etc/assay/fleet-operators"

active() { # UNIT STATE
	[ "$(in_system systemctl is-active "$1")" = "$2" ]
}
asks() { # TITLE: it answers
	run in_system curl -sS --max-time 120 --unix-socket /run/assay-fleet.sock -H 'Authorization: Bearer token' http://fleet/v1/fleet
	check "$1" prints 0 '"type":"fleet'
}
restarted() {
	[ "$(in_system systemctl show --property NRestarts --value assay-fleet.service)" = 1 ] && active assay-fleet.service active
}
nothing_failed() { # TITLE
	run in_system systemctl --failed --plain --no-legend
	check "$1" [ "$status$(wc -c <"$work/stdout")" = 00 ]
}

check 'systemd starts the system' systemd_start
nothing_failed 'no unit has failed'
works 'the socket is enabled, and listens' in_system systemctl enable --now assay-fleet.socket
check 'which starts nothing' active assay-fleet.service inactive
asks 'the first request starts it, and is answered'
check 'as a service' active assay-fleet.service active
run in_system systemctl show --property User,Result,NRestarts assay-fleet.service
check 'as a user of its own' prints 0 '^User=assay-fleet$' '^Result=success$' '^NRestarts=0$'
check 'its database is where only that can look' \
	[ "$(in_system stat -c '%U %a' /var/lib/assay-fleet /var/lib/assay-fleet/fleet.db | tr '\n' ' ')" = 'assay-fleet 700 assay-fleet 600 ' ]
works 'it takes its configuration anew' in_system systemctl reload assay-fleet.service
asks 'and answers'
works 'it is killed' in_system systemctl kill --kill-who=main --signal=KILL assay-fleet.service
check 'and started again' eventually restarted
asks 'and answers again'
run in_system systemd-analyze verify --man=no assay-fleet.service assay-fleet.socket
check 'the units have no mistake' [ "$status$(grep -c assay "$work/stderr")" = 00 ]
run in_system systemd-analyze security assay-fleet.service --no-pager --threshold=19
sed -n 's/^.*Overall exposure/# overall exposure/p' "$work/stdout"
check 'its exposure is below 2.0' [ "$status" -eq 0 ]
works 'it is stopped' in_system systemctl stop assay-fleet.service assay-fleet.socket
nothing_failed 'nothing has failed since'
systemd_stop
check 'the system ends when it is told to, and leaves no control group' [ ! -e "$systemd_group" ]
echo "1..$check_number"
exit "$check_failed"
