# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced in a guest by the tests of kexec: the first kernel writes records and starts the
# second, with what it runs itself as its initrd; that one finds them.
# shellcheck source=tests/check.sh
. /bed/check.sh
log=/sys/class/misc/assay/log
previous() { # of the first kernel's words on the command line
	sed -n 's/.*first_boot=\([^ ]*\).*/\1/p' /proc/cmdline
}

if [ -z "$(previous)" ]; then
	insmod /bed/assay.ko || exit 1
	/bed/bin/readers >/dev/null || exit 1
	assay log export --format cel-tlv -o /bed/before || exit 1
	cd / || exit 1
	find . -xdev ! -path './proc/*' ! -path './sys/*' ! -path './dev/*' ! -path './out/*' ! -path ./bed/Image |
		cpio -o -H newc >/out/initrd 2>/dev/null || exit 1
	echo "# kexec at $(cat $log/records) records"
	exec /bed/bin/kexec /bed/Image /out/initrd \
		"$(cat /proc/cmdline) first_boot=$(cat /proc/sys/kernel/random/boot_id),$(cat $log/records)"
fi
before=$(previous) records=$(previous)
before=${before%,*} records=${records#*,}
check 'it is another boot' [ "$before" != "$(cat /proc/sys/kernel/random/boot_id)" ]
works 'the module loads' insmod /bed/assay.ko
check 'the log goes on: one record more, all anchored' \
	[ "$(cat $log/records) $(cat $log/anchors)" = "$((records + 1)) $((records + 1))" ]
assay log export --format cel-tlv -o /tmp/log
check 'what was in it is in it' cmp -s -n "$(wc -c </bed/before)" /bed/before /tmp/log
assay log show >/tmp/shown
check 'KEXEC names both boots' [ "$(grep -c -e "$before" /tmp/shown)" -ge 2 ]
works 'each record is by the key that the one before commits to, over both kernels' /bed/bin/chain log
works 'the module unloads' rmmod assay
echo "1..$check_number"
