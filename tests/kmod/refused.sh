# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced in a guest by the tests whose device tree the module must refuse: loading fails
# with an errno and a sentence, and leaves nothing behind.
# refused ERRNO-TEXT SENTENCE
refused() {
	echo 1..5
	before=$(sed -n 's/^CmaFree: *//p' /proc/meminfo)
	error=$(insmod /bed/assay.ko 2>&1) && status=0 || status=$?
	dmesg | grep 'assay' | sed 's/^/# /'
	verdict 1 'the module does not load' [ "$status" -ne 0 ]
	verdict 2 "insmod says: $1" contains "$error" "$1"
	verdict 3 "the kernel's log says: $2" contains "$(dmesg)" "$2"
	verdict 4 'there is no device, and no module' \
		[ ! -e /dev/assay -a ! -e /sys/module/assay -a ! -e /sys/kernel/debug/assay ]
	verdict 5 'no page is taken' [ "$(sed -n 's/^CmaFree: *//p' /proc/meminfo)" = "$before" ]
}

verdict() { # NUMBER DESCRIPTION COMMAND...
	number=$1 description=$2
	shift 2
	if "$@"; then
		echo "ok $number - $description"
	else
		echo "not ok $number - $description"
	fi
}

contains() {
	case $1 in
	*"$2"*) return 0 ;;
	esac
	return 1
}
