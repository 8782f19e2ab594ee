#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever fails in a pool's life, at each place where it can: the error is told, nothing stays
# read-only, nothing stays claimed; where that cannot be, the pages are kept and shown.
# guest: --region cma:0x60000000:2M:0x100000:64K --tpm new --timeout 120 --file tests/kmod/memory.sh=/bed/memory.sh
# flavours: debug
# shellcheck source=tests/kmod/memory.sh
. /bed/memory.sh
faults=/sys/kernel/debug/assay
most=100 # more than there are in one life of a pool of so few pages

arm() { # POINT NTH TIMES
	echo 100 >"$faults/$1/probability"
	echo "$2" >"$faults/$1/space"
	echo "$3" >"$faults/$1/times"
}

disarm() { # POINT; sets failed to whether it has failed
	failed=no
	[ "$(cat "$faults/$1/times")" != 0 ] || failed=yes
	echo 0 >"$faults/$1/times"
}

cycle() { # MODE PAGES; sets result
	result=0
	error=$( (echo "$1 $2" >/sys/kernel/debug/pools/cycle) 2>&1) || result=${error##*: }
}

count() { # sets now, the pages that no window has and that are not lent, and pools, those of pools
	cat $faults/pages >/run/pages # once for both: each of its lines is looked up
	now=$(grep -c ' claimed - ' /run/pages)
	pools=$(grep -c pool- /run/pages)
}

# A page that was left read-only would be an oops here.
usable() {
	ask claim again 0 - 16
	[ "$result" = 0 ] || return 1
	ask fill again 1
	[ "$result" = 0 ] || return 1
	ask release again
	[ "$result" = 0 ]
}

all_back() { # but for $now pages that are kept
	[ "$pools" = 0 ] && [ "$(region 0 windows)" = "$windows" ] &&
		[ "$(cat $memory/bytes_claimed)" = $((claimed + now * page)) ] && usable
}

insmod /bed/assay.ko stock=0 chunk=1
insmod /bed/pools.ko
insmod /bed/claim.ko
[ -d $faults/fail_entry ] || exit 1
claimed=$(cat $memory/bytes_claimed) windows=$(region 0 windows)

# Each point in each place; "keeps" where a failure can leave pages that nobody may have.
while read -r point mode pages keeps; do
	place=1 errors=0 lost=0 bad=0
	count
	while [ $place -lt $most ]; do
		before=$now
		arm "$point" $place 1
		cycle "$mode" "$pages"
		disarm "$point"
		[ $failed = yes ] || break
		[ "$result" = 0 ] || errors=$((errors + 1))
		count
		lost=$((lost + now - before))
		if ! all_back; then
			echo "# $point in place $place: $result"
			bad=$((bad + 1))
		fi
		place=$((place + 1))
	done
	echo "# $point, mode $mode: $((place - 1)) places, $errors errors, $lost pages kept"
	check "$point, mode $mode: all places were tried, and then none" \
		[ $place -gt 1 -a $place -lt $most -a "$result" = 0 ]
	check "$point, mode $mode: errors are told" [ $errors -gt 0 ]
	check "$point, mode $mode: nothing stays claimed, nothing read-only" [ $bad -eq 0 ]
	if [ "$keeps" = keeps ]; then
		check "$point, mode $mode: pages that did not verify are kept" [ $lost -gt 0 ]
	else
		check "$point, mode $mode: no page is lost" [ $lost -eq 0 ]
	fi
done <<END
fail_claim_final 4 1
fail_entry 1 2
fail_entry 4 1
fail_verify 1 1 keeps
fail_verify 4 1 keeps
END

rmmod pools
rmmod claim
rmmod assay

insmod /bed/scribble.ko
/bed/bin/faults >/run/faults || check_failed=1
grep -v '^1\.\.' /run/faults >/run/lines
while read -r line; do
	case $line in
	*ok\ *)
		check_number=$((check_number + 1))
		echo "$line" | sed "s/ok [0-9]*/ok $check_number/"
		;;
	*) echo "$line" ;;
	esac
done </run/lines
echo "1..$check_number"
exit $check_failed
