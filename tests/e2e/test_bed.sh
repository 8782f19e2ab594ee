#!/bin/sh
# SPDX-License-Identifier: MIT
# The bed's own test: a guest that passes passes, and nothing else does. Runs on
# Debian's 4K kernel as well as on the 64K one, as they end differently.
set -eu
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=build/guests/bed
CHECK_OUT=$work
. tests/check.sh

# guest SCRIPT OPTION...: runs a script, given as text, in a guest
guest() {
	printf '#!/bin/sh\n%s\n' "$1" >"$work/script.sh"
	shift
	run qemu/run-guest --out "$out" --init "$work/script.sh" "$@"
}

echo 1..28

for flavour in 64k 4k; do
	guest 'echo 1..2; echo ok 1; echo ok 2 - two' --flavour $flavour
	check "$flavour: a test that passes passes" told 0
	guest 'echo 1..1; echo ok 1; echo c >/proc/sysrq-trigger; sleep 60' --flavour $flavour
	check "$flavour: a panic loses the guest" told 3 'LOST: the guest ended without a result'
done
check 'a lost guest shows its console' told 3 'sysrq'
check 'a lost guest tells how to repeat it' told 3 'repeat with: qemu/run-guest'
guest 'echo 1..2; echo ok 1; echo not ok 2 - two'
check 'not ok fails' told 1 '1 not ok'
guest 'echo 1..3; echo ok 1; echo ok 2'
check 'a plan that is not kept fails' told 1 '3 tests were planned, 2 were run'
guest 'echo 1..1; echo ok 1; exit 5'
check 'an exit status that is not 0 fails' told 1 'exit status is 5'
guest 'echo ok 1'
check 'no plan fails' told 1 'no plan'
patience=${GUEST_PATIENCE:-1}
export GUEST_PATIENCE=1
guest 'echo 1..1; echo ok 1; sleep 600' --timeout 6
GUEST_PATIENCE=$patience
check 'a hang loses the guest' told 3 'still running after 6 s'
check 'its console says what still ran' grep -aq 'task:init ' "$out/console.log"
# shellcheck disable=SC2016 # for eval
check 'which is no complaint' eval '! grep -q complained "$work/stderr"'
check 'and where the processors were is kept' grep -q 'CPU#0' "$out/processors"
guest 'echo 1..1; echo ok 1; echo "WARNING: said by the test" >/dev/kmsg'
check 'a complaint of the kernel fails' told 1 'the kernel complained'
guest 'echo 1..1; echo ok 1; echo "WARNING: said by the test" >/dev/kmsg' --expect 'said by the test'
check 'a complaint that was expected does not' told 0
guest 'echo 1..0 "# SKIP nothing to do"'
check 'a plan of nothing skips' told 77
# shellcheck disable=SC2016 # for the guest to expand
guest 'echo 1..1; echo "ok 1"; mkdir "$OUT/a"; head -c 3000000 /dev/urandom >"$OUT/a/b"
sha256sum "$OUT/a/b" | cut -c1-64 >"$OUT/sum"'
files_came() {
	told 0 && [ "$(sha256sum <"$out/files/a/b" | cut -c1-64)" = "$(cat "$out/files/sum")" ]
}
check 'files come out of the guest whole' files_came

guest 'echo 1..1; echo ok 1; echo "WARNING: said by the test" >/dev/kmsg; echo c >/proc/sysrq-trigger; sleep 60' --cut 9:0
check 'a guest that ends before it is cut off is lost' told 3 'ended before it was cut off'
guest 'echo "# a"; echo "# b"; sleep 60' --cut 2:10
check 'one that is cut off is not judged' told 0

# The debug kernel finds these faults; what is found must fail the guest.
faults='lock-order use-after-free write-to-free-page sleep-in-atomic shift leak list'
# shellcheck disable=SC2016 # for the guest to expand
guest 'echo 0 >/proc/sys/kernel/panic_on_warn
echo 0 >/proc/sys/kernel/panic_on_oops
for how in '"$faults"'; do
	insmod /bed/misbehave.ko how=$how
	rmmod misbehave
done
echo 1..1; echo ok 1' --flavour debug --timeout 60 --file build/kmod/debug/misbehave.ko
for said in 'possible circular locking' 'KASAN: slab-use-after-free' 'pagealloc: memory corruption' \
	'sleeping function called' 'UBSAN: shift-out-of-bounds' 'kmemleak: [0-9]* new suspected' \
	'list_add double add'; do
	check "debug: fails by '$said'" told 1 'the kernel complained' "$said"
done

# The end of a machine looks for a port as well. Without one that is a device it says so, once: in
# namespaces whose processors' ports are not this one's to write to.
gcc -std=c11 -O1 -static -o "$work/init" qemu/guest/init.c
# shellcheck disable=SC2016 # for the inner shell to expand
lone_init='mount -t tmpfs none /sys && mkdir -p /sys/class/virtio-ports/vport0 &&
	mount -t tmpfs none /dev && : >/dev/vport0 &&
	echo org.assay.end >/sys/class/virtio-ports/vport0/name && exec "$1" --service'
run timeout -s KILL 10 unshare -rmpf --kill-child sh -c "$lone_init" sh "$work/init"
ended_once() {
	[ "$(grep -c '^bed: broken: no virtio port that is a device' "$work/stderr")" -eq 1 ] &&
		[ "$(grep -c '^bed: broken' "$work/stderr")" -eq 1 ]
}
check 'a port that is no device does not keep the machine from its end' ended_once
