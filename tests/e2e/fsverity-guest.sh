#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's half of test_fsverity: enable, measure and dump_metadata by Debian's fsverity
# and by assay on copies of the same files. TAP.
set -u
# shellcheck source=tests/check.sh
. /bed/check.sh

# both VERB FILE OPTION...: by fsverity on FILE.theirs, by assay on FILE.ours
both() {
	verb=$1 file=$2
	shift 2
	theirs=0 ours=0
	case $verb in
	dump_metadata)
		fsverity "$verb" "$1" "$file.theirs" "$2" "$3" >/run/theirs 2>/run/theirs.err || theirs=$?
		/run/fsverity "$verb" "$1" "$file.ours" "$2" "$3" >/run/ours 2>/run/ours.err || ours=$?
		;;
	*)
		fsverity "$verb" "$file.theirs" "$@" >/run/theirs 2>/run/theirs.err || theirs=$?
		/run/fsverity "$verb" "$file.ours" "$@" >/run/ours 2>/run/ours.err || ours=$?
		;;
	esac
	sed -i 's/\.theirs/.ours/' /run/theirs.err
	[ "$verb" != measure ] || sed -i 's/\.theirs/.ours/' /run/theirs
}

same() { # STATUS [WORDS]: the same exit status, output and errors, with the words in them
	[ "$theirs" -eq "$1" ] && [ "$ours" -eq "$1" ] && cmp /run/theirs /run/ours &&
		cmp /run/theirs.err /run/ours.err &&
		{ [ -z "${2:-}" ] || grep -q -e "$2" /run/ours /run/ours.err; }
}

alike() { # TITLE STATUS WORDS VERB FILE OPTION...
	title=$1 wanted=$2 words=$3
	shift 3
	both "$@"
	check "$title" same "$wanted" "$words"
}

dumped() { # KIND: the whole of it, without options, and as large as it has to be
	fsverity dump_metadata "$1" a.theirs >/run/theirs &&
		/run/fsverity dump_metadata "$1" a.ours >/run/ours && cmp /run/theirs /run/ours &&
		[ -s /run/ours ]
}

computed() { # what digest writes is what the kernel has
	/run/fsverity digest a.ours --hash-alg=sha512 --block-size=1024 --salt=0123 \
		--out-merkle-tree=/run/tree --out-descriptor=/run/descriptor >/run/line &&
		/run/fsverity dump_metadata merkle_tree a.ours | cmp - /run/tree &&
		/run/fsverity dump_metadata descriptor a.ours | cmp - /run/descriptor &&
		[ "$(/run/fsverity measure a.ours)" = "$(cat /run/line)" ]
}

ln -s /usr/bin/assay /run/fsverity
mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || exit 1
cd /mnt || exit 1
keyctl padd asymmetric signer %keyring:.fs-verity </signed/rsa.der >/dev/null

echo 1..24
alike 'measure without verity' 1 'FS_IOC_MEASURE_VERITY failed.*No data' measure a
alike 'dump_metadata without verity' 1 'METADATA failed.*No data' \
	dump_metadata a merkle_tree --offset=0 --length=1
alike 'a hash that the kernel has not' 1 'ENABLE_VERITY failed' enable a --hash-alg=99
alike 'a block size that the kernel takes not' 1 'ENABLE_VERITY failed' enable a --block-size=65536
alike 'a salt that the kernel takes not' 1 'Message too long' enable a "--salt=$(printf %066d 0)"
echo nonsense >/run/nonsense
alike 'a signature that is none' 1 'Bad message' enable a --signature=/run/nonsense
/run/fsverity sign e.ours /run/other --key=/signed/rsa.key --cert=/signed/rsa.crt >/dev/null
alike "another file's signature" 1 'Key was rejected' enable a --signature=/run/other
exec 8>>a.ours 9>>a.theirs
alike 'a file that is open for writing' 1 'Text file busy' enable a
exec 8>&- 9>&-
alike 'a directory' 1 'Is a directory' enable d
/run/fsverity sign a.ours /run/signature --key=/signed/rsa.key --cert=/signed/rsa.crt \
	--hash-alg=sha512 --block-size=1024 --salt=0123 >/dev/null
alike 'enable with everything' 0 '' enable a --signature=/run/signature --hash-alg=sha512 \
	--block-size=1024 --salt=0123
alike 'a second time' 1 'File exists' enable a
alike 'enable of an empty file' 0 '' enable e
alike 'measure' 0 '^sha512:' measure a
alike 'measure of an empty file' 0 '^sha256:3d248ca542a24fc6' measure e
for kind in merkle_tree descriptor signature; do
	check "dump_metadata $kind" dumped $kind
done
alike 'a piece in the middle' 0 '' dump_metadata a merkle_tree --offset=1000 --length=5000
alike 'a piece behind the end' 0 '' dump_metadata a merkle_tree --offset=10000000 --length=5000
alike 'a piece across the end' 0 '' dump_metadata a descriptor --offset=100 --length=1000
alike 'no signature' 1 'No data available' dump_metadata e signature --offset=0 --length=100
alike 'nothing of no signature' 1 'No data available' dump_metadata e signature --offset=0 --length=0
alike 'nothing of a tree' 0 '' dump_metadata a merkle_tree --offset=0 --length=0
check 'what digest writes is what the kernel has' computed
