#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's half of test_enforce_dm_verity.sh.
# shellcheck disable=SC2016,SC2317
set -u
given=/given
# shellcheck source=tests/check.sh
. /bed/check.sh

says() { # TITLE STATUS WORDS COMMAND...
	says_title=$1 says_status=$2 says_words=$3
	shift 3
	run "$@"
	check "$says_title" told "$says_status" "$says_words"
}
start() { # COMMAND...: by the shell, which says 126 where it may not
	sh -c 'exec "$@"' start "$@"
}
refused() { # TITLE COMMAND...
	refused_title=$1
	shift
	run start "$@"
	check "$refused_title" [ "$status" -eq 126 ]
}
mkdir -p /mnt
mount -t ext4 /dev/vda /mnt || exit 1
mount -t securityfs none /sys/kernel/security 2>/dev/null

add() { # KEYRING CERTIFICATE: with no look at it by assay
	keyctl padd asymmetric '' "%keyring:$1" <"$2"
}

# ---------------------------------------------------------------- volumes
node() { # NAME: that of the device in /dev, which nothing else gives another one
	for node in /sys/block/dm-*; do
		[ "$(cat "$node/dm/name")" != "$1" ] || echo "/dev/${node##*/}"
	done
}
volume() { # NAME [SIGNATURE]
	volume_table=$(cat "$given/table")
	if [ $# -gt 1 ]; then
		keyctl padd user "$2" @u <"$given/$2" >/dev/null || return 1
		volume_table="$volume_table 2 root_hash_sig_key_desc $2"
	fi
	/bed/vdo/dmsetup create "$1" --noudevsync --readonly --table "$volume_table" && mkdir -p "/$1" &&
		mount -t ext4 -o ro "$(node "$1")" "/$1"
}
works 'a volume whose root hash is signed' volume signed signed
says 'not with the signature of another root hash' 1 'Key was rejected' volume of-another of-another
says 'nor with that of somebody else' 1 'Required key not available' volume stranger by-stranger
says 'nor yet with that of the owner' 1 'Required key not available' volume owned by-owner
works 'who is put into .dm-verity' assay keyring load --keyring .dm-verity --cert $given/owner.pem
says 'does not count before it is locked' 1 'Required key not available' volume owned by-owner
works 'it is locked' assay keyring lock --keyring .dm-verity
works 'and counts then' volume owned by-owner
works 'a volume without a signature' volume unsigned

# ---------------------------------------------------------------- the policy
says 'a policy that somebody else signed is not taken' 1 'no certificate of its signer' \
	assay policy load $given/stranger.p7b
works 'one by whom the built-in authority vouches for is' assay policy load --enforce $given/policy.p7b
run assay policy lint $given/policy.p7b --running
check 'lint says that this kernel honours it' eval 'grep -q "dm-verity volume whose root hash is signed" $CHECK_OUT/stdout && ! grep "^warning: This kernel" $CHECK_OUT/stdout'
works 'a program on a signed volume runs' start /signed/program hello
works 'also where the owner signed it' start /owned/program hello
refused 'not on a volume without a signature' /unsigned/program hello
refused 'nor what is on no volume' /mnt/unsigned hello
printf x | dd of=/dev/vdb bs=1 seek="$(sed 's/.*altered=//; s/ .*//' /proc/cmdline)" conv=notrunc 2>/dev/null
sync
echo 3 >/proc/sys/vm/drop_caches
says 'what was altered on the disk cannot be read' 1 'Input/output error' sh -c 'cat /signed/altered >/dev/null'

# ---------------------------------------------------------------- ML-DSA
for kind in ml-dsa-44 ml-dsa-65 ml-dsa-87; do
	refused "$kind: a program does not run as it is" /mnt/$kind hello
	says "$kind: its signature is refused before the certificate is known" 1 'Required key not available' \
		assay fsverity enable --signature /mnt/$kind.sig /mnt/$kind
	works "$kind: the certificate is taken" add .fs-verity $given/$kind.der
	works "$kind: and then the signature" assay fsverity enable --signature /mnt/$kind.sig /mnt/$kind
	works "$kind: and the program runs" start /mnt/$kind hello
done
says 'a signature of another file is not taken' 1 'Key was rejected' \
	assay fsverity enable --signature /mnt/changed.sig /mnt/changed
says 'nor that of somebody else' 1 'Required key not available' assay fsverity enable --signature /mnt/other.sig /mnt/other
echo "1..$check_number"
exit "$check_failed"
