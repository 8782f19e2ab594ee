# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced in a guest by the tests whose device tree the module must refuse: loading fails
# with an errno and a sentence, and leaves nothing behind.
# shellcheck source=tests/check.sh
. /bed/check.sh

# refused ERRNO-TEXT SENTENCE
refused() {
	echo 1..5
	before=$(cma_free)
	# Kept in variables: the pages of a file could be taken from the region.
	insmod_status=0
	error=$(insmod /bed/assay.ko 2>&1) || insmod_status=$?
	dmesg | grep 'assay' | sed 's/^/# /'
	check 'the module does not load' [ "$insmod_status" -ne 0 ]
	check "insmod says: $1" contains "$error" "$1"
	check "the kernel's log says: $2" contains "$(dmesg)" "$2"
	check 'there is no device, and no module' \
		[ ! -e /dev/assay -a ! -e /sys/module/assay -a ! -e /sys/kernel/debug/assay ]
	check 'no page is taken' eventually cma_has "$before"
}

contains() {
	case $1 in
	*"$2"*) return 0 ;;
	esac
	return 1
}
