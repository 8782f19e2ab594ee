#!/usr/bin/busybox sh
# SPDX-License-Identifier: MIT
# The device's half of the demo: runs on the root file system that was signed, and
# prints TAP whose lines carry a name, the seconds it took and what was seen:
#	ok 3 - enable [1.25] 63 files
# What the host wants to see goes to $OUT. Set by the host in demo.conf:
#	NONCE_GOOD NONCE_UNKNOWN NONCE_FLIPPED	what each quote must carry
#	FLIP_PATH	a signed file; flip-block names the 4096-byte block of the disk with its data
OUT=/out
HERE=/demo
. $HERE/demo.conf
FLIP_BLOCK=$(cat $HERE/flip-block)

export PATH=/usr/sbin:/usr/bin:/bed/bin
number=0
log=/run/step.log

now() {
	cut -d' ' -f1 /proc/uptime
}

# seconds since $1
since() {
	awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.2f", to - from }'
}

# step NAME FUNCTION: the function's last line of output is what was seen
step() {
	step_from=$(now)
	number=$((number + 1))
	if "$2" >$log 2>&1; then
		echo "ok $number - $1 [$(since "$step_from")] $(tail -n 1 $log)"
	else
		sed 's/^/# /' $log
		echo "not ok $number - $1 [$(since "$step_from")] $(tail -n 1 $log)"
	fi
}

# fails WORDS COMMAND...: the command must fail and say so
fails() {
	words=$1
	shift
	if "$@" >/run/fails.log 2>&1; then
		echo "'$*' succeeded, but must not"
		return 1
	fi
	grep -q -e "$words" /run/fails.log && return 0
	echo "'$*' failed, but not with '$words': $(tail -n 1 /run/fails.log)"
	return 1
}

load() {
	insmod $HERE/assay.ko && [ -c /dev/assay ] || return 1
	assay status --json >$OUT/status-loaded.json || return 1
	[ "$(cat /sys/class/misc/assay/memory/protection)" = full ] || return 1
	echo "$(cat /sys/class/misc/assay/memory/bytes_claimed) bytes claimed of a region of $(cat /sys/class/misc/assay/memory/bytes_reserved), $(awk '/CmaFree/ { print $2 }' /proc/meminfo) KiB of it free for the kernel"
}

certificate() {
	assay keyring load --cert $HERE/cert.pem --require-signatures || return 1
	[ "$(cat /proc/sys/fs/verity/require_signatures)" = 1 ] || return 1
	echo "$(keyctl show %:.fs-verity 2>/dev/null | grep -c asymmetric) certificate in .fs-verity, unsigned files refused"
}

enable() {
	assay enable --manifest $HERE/manifest.jsonl --cert $HERE/cert.pem --json >$OUT/enable.json || return 1
	tail -n +2 $HERE/manifest.jsonl | sed 's/.*"path": *"\([^"]*\)".*/\1/' >/run/paths
	# The kernel's own word for it, for every file.
	xargs fsverity measure </run/paths >/run/measured || return 1
	[ "$(wc -l </run/measured)" -eq "$(wc -l </run/paths)" ] || return 1
	echo "$(wc -l </run/measured) files with fs-verity, a signature and security.ima"
}

extends() {
	cat /sys/class/misc/assay/log/anchors
}

measure() {
	before=$(extends)
	assay measure --manifest $HERE/manifest.jsonl --json >$OUT/measure.json || return 1
	after=$(extends)
	assay status --json --map >$OUT/status.json || return 1
	[ $((after - before)) -eq 1 ] || {
		echo "$((after - before)) extends for one call"
		return 1
	}
	echo "$(wc -l </run/paths) files, 1 record, $((after - before)) extend of PCR $(cat /sys/class/misc/assay/log/pcr) in each bank"
}

# The service, as small devices have it: without systemd. It goes on until the end.
serve() {
	mkdir -p /var/lib
	printf '%s\n' '[service]' user= '[archive]' interval=100ms >/run/assayd.conf
	assayd-plain --config /run/assayd.conf >/run/assayd.log 2>&1 &
	service_pid=$!
	tries=100
	until grep -q "\"archived_to\": $(cat /sys/class/misc/assay/log/records)," /run/assay/state.json 2>/dev/null; do
		tries=$((tries - 1))
		if [ $tries -eq 0 ] || ! kill -0 $service_pid; then
			cat /run/assayd.log
			return 1
		fi
		sleep 0.1
	done
	cp /run/assay/state.json $OUT/
	archive=/var/lib/assay/archive/$(cat /proc/sys/kernel/random/boot_id)
	assay log verify-archive "$archive" >/run/archive.log || return 1
	echo "$(find "$archive" -name '*.cel.zst' | wc -l) file of the log and $(find "$archive" -name '*.ima.zst' | wc -l) of IMA's list archived, chained and complete"
}

quote_to() { # quote_to NAME NONCE
	assay quote --nonce "$2" --ak $HERE/ak.pem --pcrs 10,14 --out "$OUT/evidence-$1.json"
}

quote() {
	quote_to good "$NONCE_GOOD" || return 1
	echo "$(wc -c <$OUT/evidence-good.json) bytes of evidence, $(cat /sys/kernel/security/ima/runtime_measurements_count) entries of IMA in it"
}

# ---------------------------------------------------------------- attacks

other_key() {
	fails 'EKEYREJECTED\|ENOKEY\|[Kk]ey' assay enable --unsigned \
		--manifest $HERE/other/manifest.jsonl || return 1
	if fsverity measure /opt/other/busybox >/dev/null 2>&1; then
		echo "fs-verity is on"
		return 1
	fi
	sed 's/^assay enable: //' /run/fails.log | head -n 1
}

unknown_file() {
	# Signed by the right key, but not one of the reference values.
	assay enable --manifest $HERE/extra/manifest.jsonl --cert $HERE/cert.pem || return 1
	assay measure /opt/extra/busybox && quote_to unknown "$NONCE_UNKNOWN" || return 1
	echo "measured /opt/extra/busybox"
}

flip() {
	cat "$FLIP_PATH" >/dev/null || return 1
	dd if=/dev/vda of=/run/block bs=4096 skip="$FLIP_BLOCK" count=1 2>>/run/dd.log || { cat /run/dd.log; return 1; }
	byte=$(dd if=/run/block bs=1 skip=100 count=1 2>/dev/null | hexdump -v -e '1/1 "%d"')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %o $((byte ^ 1)))" |
		dd of=/run/block bs=1 seek=100 conv=notrunc 2>/dev/null
	dd if=/run/block of=/dev/vda bs=4096 seek="$FLIP_BLOCK" conv=notrunc 2>>/run/dd.log || { cat /run/dd.log; return 1; }
	sync
	echo 3 >/proc/sys/vm/drop_caches
	fails 'Input/output error\|I/O error' cat "$FLIP_PATH" || return 1
	fails 'EIO\|Input/output error\|I/O error' assay measure --read "$FLIP_PATH" || return 1
	seen=$(sed 's/^assay measure: //' /run/fails.log | head -n 1)
	quote_to flipped "$NONCE_FLIPPED" || return 1
	echo "EIO on read; $seen"
}

# write_to ADDRESS: what a stray write of the kernel's own to that address gives
write_to() {
	echo "$1" >/sys/module/scribble/parameters/address
	cat /sys/module/scribble/parameters/result
}

scribble() {
	assay log export --format cel-tlv >/run/log.before || return 1
	window=$(sed 's/.*"window": *{"base": *"\(0x[0-9a-f]*\)".*/\1/' $OUT/status.json)
	page_size=$(sed 's/.*"page_size": *\([0-9]*\).*/\1/' $OUT/status.json)
	insmod $HERE/scribble.ko || return 1
	# Without a value it writes back what it finds: the neighbour is the kernel's.
	neighbour=$(write_to $((window - page_size)))
	echo 0x4141414141414141 >/sys/module/scribble/parameters/value
	header=$(write_to $((window)))
	record=$(write_to $((window + page_size + 64)))
	rmmod scribble
	[ "$neighbour/$header/$record" = 0/-14/-14 ] || {
		echo "neighbour/header/record: $neighbour/$header/$record, not 0/-14/-14"
		return 1
	}
	assay log export --format cel-tlv >/run/log.after && cmp /run/log.before /run/log.after || return 1
	echo "EFAULT on the header and on a record, the page below the window can be written; the log is unchanged"
}

uname -r >$OUT/kernel
assay --version >$OUT/version
echo "1..10"
step load load
step certificate certificate
step enable enable
step measure measure
step serve serve
step quote quote
step other-key other_key
step unknown-file unknown_file
step flipped-bit flip
step scribble scribble
kill "$service_pid" && wait "$service_pid" || echo "not ok 11 - serve [0] assayd ended with status $?"
assay status --json --map >$OUT/status-end.json
