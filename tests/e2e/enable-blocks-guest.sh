#!/bin/sh
# SPDX-License-Identifier: MIT
# The device's half of test_enable_blocks. Disks: ext4 with blocks of 4096 bytes, and of 1024. TAP.
set -u
here=/signed
# shellcheck source=tests/check.sh
. /bed/check.sh

off() { # DIRECTORY: verity is on for none of its files
	for file in empty small large; do
		! fsverity measure "$1/$file" >/dev/null 2>&1 || return 1
	done
}

on() { # DIRECTORY BLOCK_SIZE: it is for all of them, with such blocks
	for file in empty small large; do
		[ "$(fsverity measure "$1/$file")" = "$(fsverity digest --block-size="$2" "$1/$file")" ] ||
			return 1
	done
}

turn_on() { # BLOCK_SIZE DIRECTORY OPTION...
	block_size=$1 directory=$2
	shift 2
	run assay enable --manifest "$here/m$block_size" --cert $here/crt --root "$directory" "$@"
}

mkdir -p /m4 /m1
mount -t ext4 /dev/vda /m4 || exit 1
mount -t ext4 /dev/vdb /m1 || exit 1
run assay keyring load --cert $here/crt

echo 1..9
limit="larger than \(this kernel's pages of 4096\|its file system's blocks of 4096\)"
turn_on 65536 /m4 --dry-run
check 'a dry run tells blocks that are too large' \
	told 1 "/small: blocks of 65536 bytes are $limit" 'smaller --block-size' '3 of 3 files failed'
turn_on 65536 /m4
check 'as the kernel does, in the same words' \
	told 1 "/small: blocks of 65536 bytes are $limit" '3 of 3 files failed'
turn_on 4096 /m1 --dry-run
check 'the limit is also that of the file system' \
	told 1 "/small: blocks of 4096 bytes are larger than its file system's blocks of 1024"
check 'and no file was touched' eval 'off /m4 && off /m1'
turn_on 1024 /m1
check 'blocks of the size of those of the file system are fine' eval 'told 0 && on /m1 1024'
turn_on 4096 /m4
check 'those of another one, too' eval 'told 0 && on /m4 4096'
turn_on 1024 /m4
check 'a file that has other blocks already is told so' \
	told 1 '/large is the file that was signed, but verity is on for it with another block size' \
	'sha256 in blocks of 4096 bytes, without salt; the manifest has sha256 in blocks of 1024 bytes' \
	'3 of 3 files failed'
turn_on 1024 /m4 --dry-run
check 'in a dry run, too' told 1 '/large is the file that was signed, but verity is on' \
	'3 of 3 files failed'
rm /m4/large
seq 2 100002 | head -c "$(wc -c </m1/large)" >/m4/large
fsverity enable /m4/large --block-size=1024
turn_on 4096 /m4
check 'a file of other content is not the one that was signed, whatever its blocks' \
	told 1 '/large is not the file that was signed: the kernel has' '1 of 3 files failed'
