#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/soak.sh [NAME...]: the long forms of some tests, one after the other, with what they
# say while they run: all of them, or those named (make soak S='fuzz cut').
#
#	model     the log's model within wider limits, for minutes
#	fuzz      a million requests (fuzz_calls; fuzz_seed repeats a run)
#	stress    ten minutes of everything at once (stress_seconds; stress_seed)
#	ima       the service killed 200 times while IMA measures, followed, staged and mirrored (ima_kills)
#	cut       a guest cut off 200 times (cut_rounds; cut_seed)
#	orders    what a reset can leave of a log behind caches, round the ring twice (orders_rounds)
#	change    a log that changes while it is adopted, 500 times (change_rounds; change_seed)
#	windows   10000 rounds of claims under load (SOAK_ROUNDS)
#	churn     10000 windows, on the kernel that has kmemleak (churn_rounds, of each of two)
#	archive   records for ten minutes through assayd and a small ring, and then 100 million events, or as many
#	          as come within the hour (archive_seconds of the one, archive_events and events_seconds of the other)
#	kill      assayd killed 200 times while it archives (archive_kills)
#	archive-cut  a guest that archives cut off 200 times (cut_rounds; cut_seed)
#	dracut    a system that boots through an initramfs with systemd, made by dracut
#	nth       memory that is not there, for every allocation of loading and unloading
#	device    a Debian 13 device from its firmware on, with attacks at each stage
#	device-debian  docs/device.md on a Debian 13 for x86-64, whose own hooks make module, initramfs and image
#	uefi      machines with UEFI and Secure Boot, of both architectures: each change of the boot by itself
#	mok       Secure Boot as machines are sold: shim, and a module by the key that the machine's owner has enrolled
#	fleet-unit  the fleet's verifier, started by systemd in a small Debian
#	debug     what is too slow for make test on the kernel that checks itself
#	kcsan     what runs on the debug kernel, on one that looks for data races
#	going-on  verdicts of evidence that goes on, each row of bad input cut at each record
#	fleet     a fleet under load for 15 minutes (DEVICES, WORKERS, DATABASE; tests/bench/fleet.sh), and 10 minutes
#	          in which everything happens to it (FAULT_SECONDS; tests/e2e/test_fleet_faults.sh)
#	tags      likewise, on one whose KASAN uses tags
#	amd64     what is too slow for make test on an emulated x86-64
#	package   the Debian packages built once more elsewhere: the same bytes
#	native    the Debian packages as Debian 13 builds them for itself, installed in one
#	cross     the Debian packages for the other architecture, for Debian 12 and 13
#	rpm       packages for RPM, from rpm/assay.spec
#	dkms      assay-dkms built by DKMS for Debian's own kernel, and passed over for others
#
# Started by `make soak`.
set -eu
cd "$(dirname "$0")/.."

failed=

# soak NAME TEST [FILTER]: a test as tests/run.sh runs it, with those of its comments that match
soak() {
	soak_tap=build/test/$2/tap
	echo "$1: $2 ..."
	rm -f "$soak_tap"
	tests/run.sh "$2" &
	soak_pid=$!
	# What it says shows how far it is.
	while [ ! -e "$soak_tap" ] && kill -0 "$soak_pid" 2>/dev/null; do
		sleep 1
	done
	[ ! -e "$soak_tap" ] || tail -n +1 -f -s 1 --pid="$soak_pid" "$soak_tap" | grep --line-buffered '^#' || :
	wait "$soak_pid" || failed="$failed $1"
}

# What is run so often may not fail by chance either: no second try.
TEST_JOBS=1 STRICT=1
export TEST_JOBS STRICT
[ $# -gt 0 ] || set -- model fuzz stress ima cut orders change windows churn archive kill archive-cut dracut going-on fleet fleet-unit nth device device-debian mok uefi debug kcsan tags amd64 package native cross rpm dkms
for name; do
	case $name in
	model)
		echo "model: log, deep ..."
		tests/model/check tests/model/log.pml build/test/soak-model deep || failed="$failed model"
		;;
	going-on)
		export ASSAY_TEST_ALL=1
		soak going-on unit/test_verify_going_on
		;;
	fleet)
		SECONDS_LONG=${SECONDS_LONG:-900} tests/bench/fleet.sh || failed="$failed fleet"
		export SECONDS_LONG="${FAULT_SECONDS:-600}" DEVICES=2000 IDLE=10000 SLOW=1000 PAUSE=10 e2e_timeout=3600
		soak fleet-faults e2e/test_fleet_faults
		unset SECONDS_LONG DEVICES IDLE SLOW PAUSE
		;;
	fuzz)
		export fuzz_calls="${fuzz_calls:-1000000}" fuzz_timeout=3600
		soak fuzz kmod/test_fuzz@debug
		;;
	stress)
		export stress_seconds="${stress_seconds:-600}" stress_timeout=1200
		soak stress kmod/test_stress@debug
		;;
	ima)
		export ima_kills="${ima_kills:-200}" ima_timeout=3600
		soak ima service/test_ima@64k
		soak ima service/test_ima_staging@7.3
		soak ima service/test_ima_bypass@4k
		unset ima_kills
		;;
	cut)
		export cut_rounds="${cut_rounds:-200}" e2e_timeout=7200
		soak cut e2e/test_cut
		;;
	orders)
		export orders_rounds="${orders_rounds:-12}" e2e_timeout=7200
		soak orders e2e/test_orders
		;;
	change)
		export change_rounds="${change_rounds:-500}" change_timeout=7200
		soak change kmod/test_change@64k
		;;
	windows)
		export windows_rounds="${SOAK_ROUNDS:-10000}" windows_timeout=7200
		soak windows kmod/test_windows@64k
		rm -f build/test/kmod/test_windows@64k/disk build/test/kmod/test_windows@64k/disk-journal
		;;
	churn)
		export churn_rounds="${churn_rounds:-5000}" churn_timeout=3600
		export soak_flavour=debug
		soak churn kmod/test_churn@debug
		unset soak_flavour
		;;
	archive)
		export archive_seconds="${archive_seconds:-600}"
		soak archive service/test_archive_load@64k
		export archive_events="${archive_events:-100000000}" archive_seconds="${events_seconds:-3300}"
		soak archive service/test_archive_load@64k
		unset archive_events archive_seconds
		;;
	kill)
		export archive_kills="${archive_kills:-200}" archive_timeout=3600
		soak kill service/test_archive@64k
		;;
	archive-cut)
		export cut_rounds="${cut_rounds:-200}" e2e_timeout=7200
		soak archive-cut e2e/test_archive_cut
		;;
	dracut)
		initramfs=dracut
		export initramfs
		soak dracut e2e/test_initramfs_boot
		unset initramfs
		;;
	nth)
		export nth_tries="${nth_tries:-0}" nth_timeout=3600
		soak nth kmod/test_nth@debug
		;;
	device)
		export soak_e2e=y DEVICE_FORM=long e2e_timeout=7200
		soak device e2e/test_device
		unset soak_e2e
		;;
	uefi)
		export BOOT_FORM=long e2e_timeout=3600
		soak uefi e2e/test_boot # and test_boot_amd64
		unset BOOT_FORM
		;;
	mok | fleet-unit | device-debian)
		export soak_e2e=y
		soak "$name" "e2e/test_$(echo "$name" | tr - _)"
		unset soak_e2e
		;;
	debug | kcsan | tags | amd64)
		soak_flavour=$name tests/run.sh "@$name" || failed="$failed $name"
		;;
	package)
		${MAKE:-make} --no-print-directory "package-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)-$(dpkg --print-architecture)" &&
			tests/e2e/reproducible.sh || failed="$failed package"
		;;
	native | rpm)
		"tests/e2e/$name.sh" || failed="$failed $name"
		;;
	cross)
		cross_arch=arm64
		[ "$(dpkg --print-architecture)" != arm64 ] || cross_arch=amd64
		for cross_suite in bookworm trixie; do
			${MAKE:-make} --no-print-directory "package-$cross_suite-$cross_arch" &&
				tests/e2e/cross.sh "$cross_suite" "$cross_arch" || failed="$failed cross"
		done
		;;
	dkms)
		dkms_arch=$(dpkg --print-architecture)
		dkms_flavour=amd64
		[ "$dkms_arch" = amd64 ] || dkms_flavour=4k
		${MAKE:-make} --no-print-directory "package-bookworm-$dkms_arch" "build/kernel/$dkms_flavour" &&
			tests/e2e/dkms.sh || failed="$failed dkms"
		;;
	*)
		sed -n 's/^#	/	/p' "$0" >&2
		echo "soak: there is no $name" >&2
		exit 2
		;;
	esac
done
if [ -n "$failed" ]; then
	echo "failed:$failed"
	exit 1
fi
echo "all that was soaked holds: $*"
