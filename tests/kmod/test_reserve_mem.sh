#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory that the kernel has reserved by a name: the log is there without a device tree, and goes
# on when the module is loaded again; with 7.3 also where the linear map is made of blocks, which
# the kernel splits there. On x86-64, where the kernel maps it and that cannot be changed, it is
# refused unless that is allowed; a kernel without such memory says so.
# guest: --append "cma=0 reserve_mem=4M:2M:log" --tpm new --file tests/kmod/memory.sh=/bed/memory.sh
# guest: $(case $flavour in 7.3) echo --cpu max,midr=0xc00fac30,pauth-impdef=on ;; esac)
# flavours: 4k 7.3 6.1 amd64
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
log=/sys/class/misc/assay/log
allow='' protection=full
if [ "$(uname -m)" = x86_64 ]; then
	allow=allow_unprotected=1 protection=none
fi

refused() { # STATUS SENTENCE PARAMETER...
	refused_status=$1 refused_sentence=$2
	shift 2
	dmesg -c >/dev/null
	run insmod /bed/assay.ko "$@"
	check "'$*' is refused" told "$refused_status"
	run dmesg
	check "with: $refused_sentence" prints 0 "$refused_sentence"
}

case $(uname -r) in
6.1.*)
	refused 95 'region=reserve_mem:log: this kernel has no named memory' region=reserve_mem:log
	echo "1..$check_number"
	exit $check_failed
	;;
esac
refused 19 'region=reserve_mem:other: the kernel has reserved no memory of that name' region=reserve_mem:other
refused 19 'region=reserve_mem: the kernel has reserved no memory' region=reserve_mem
[ -z "$allow" ] || refused 95 'the linear map can be changed on arm64 only' region=reserve_mem:log
works 'the module loads' insmod /bed/assay.ko region=reserve_mem:log $allow
check 'the region is what the kernel reserved' \
	[ "$(region 0 kind) $(region 0 bytes_reserved)" = "static $((4 << 20))" ]
check "the log's protection is told" grep -q "^$protection" $memory/protection
check 'START is anchored' [ "$(cat $log/records) $(cat $log/anchors)" = '1 1' ]
if [ -z "$allow" ]; then
	insmod /bed/scribble.ko
	check 'a write to it faults' [ "$(scribble "$(frame 0)")" = -14 ]
	rmmod scribble
fi
works 'assay log show reads it' assay log show
rmmod assay
works 'it loads again' insmod /bed/assay.ko region=reserve_mem:log $allow
check 'the log goes on: START, KEXEC' [ "$(cat $log/records) $(cat $log/anchors)" = '2 2' ]
rmmod assay
echo "1..$check_number"
exit $check_failed
