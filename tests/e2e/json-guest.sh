#!/bin/sh
# SPDX-License-Identifier: MIT
# What test_json.sh runs in its guest: what commands print that need the module or keyrings.
export PATH=/bed/bin:$PATH
# shellcheck source=tests/check.sh
. /bed/check.sh
mkdir -p /out/json

# keeps STATUS NAME COMMAND...: its output is kept for the host to look at
keeps() {
	wanted=$1 name=$2
	shift 2
	run "$@"
	cp /run/stdout "/out/json/$name"
	check "$name ends with $wanted" told "$wanted"
}

keeps 1 error-status assay status --json
keeps 1 status-why assay status --why --json
keeps 1 error-measure assay measure --json /bed/check.sh
keeps 1 error-anchor assay log anchor --json
keeps 0 keyring-load assay keyring load --cert /bed/good.pem --json
keeps 0 keyring-list assay keyring list --json
keeps 0 keyring-lock assay keyring lock --json
keeps 1 error-load assay keyring load --cert /bed/good.pem --json
insmod /bed/assay.ko || exit 1
: >/run/file
keeps 1 measure assay measure --json /run/file /bed/check.sh /nonexistent
keeps 1 measure-again assay measure --json /run/file
keeps 0 status assay status --json --map
keeps 1 status-service assay status service --json
keeps 0 log-show assay log show --json
keeps 0 log-anchor assay log anchor --json
keeps 0 log-follow assay log follow --json --from 0 --until 2
keeps 0 log-trim-dry assay log trim --json --dry-run --keep 1
keeps 0 log-trim assay log trim --json --archive /run/archive --keep 1
keeps 0 log-follow-trimmed assay log follow --json --from 0 --count 1
keeps 0 log-show-pieces assay log show --json --live /run/archive
mkdir -p /etc/assay/measure.d
printf '[measure]\nfile = /run/file\nfile = /nonexistent\nlist = /nonexistent\n' >/etc/assay/measure.d/a.conf
keeps 0 stage1 sh -c 'assay-initrd --root / && cat /run/assay/stage1.json'
keeps 1 error-trim assay log trim --json --archive /nonexistent/archive --keep 1
echo "1..$check_number"
exit "$check_failed"
