#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's half of test_enforce_ima.sh. Once the policy is loaded nothing of the initramfs runs, and
# there is no way back in this boot: what the bed itself needs of busybox is a signed one then.
# shellcheck disable=SC2016,SC2317
set -u
given=/given policy=/sys/kernel/security/ima/policy denied=13
keyring='' flavour='' module=''
# The kernel's flavour; where IMA's signers are in it; what comes of loading a module.
eval "$(cat $given/settings)"
# shellcheck source=tests/check.sh
. /bed/check.sh

says() { # TITLE STATUS WORDS COMMAND...
	says_title=$1 says_status=$2 says_words=$3
	shift 3
	run "$@"
	check "$says_title" told "$says_status" "$says_words"
}
add() { # KEYRING CERTIFICATE: with no look at it by assay
	keyctl padd asymmetric '' "%keyring:$1" <"$2"
}
mkdir -p /mnt /tmp
mount -t ext4 /dev/vda /mnt || exit 1
mount -t tmpfs tmpfs /tmp || exit 1
mount -t securityfs none /sys/kernel/security 2>/dev/null

works "fs-verity's own keyring has all" assay keyring load --cert $given/signer.pem --cert $given/stranger.pem --cert $given/second.pem
works 'files get fs-verity and security.ima' assay enable --manifest $given/manifest --cert $given/signer.pem --root /mnt
works 'so do those of somebody else' assay enable --manifest $given/stranger --cert $given/stranger.pem --root /mnt
works 'the certificate is loaded for IMA' assay keyring load --keyring "$keyring" --cert $given/signer.pem
if [ "$keyring" = _ima ]; then
	works 'and the keyring locked' assay keyring lock --keyring "$keyring"
	says 'a later root cannot add a signer' 1 'the keyring is locked' \
		assay keyring load --keyring _ima --cert $given/stranger.pem
else
	only_vouched='takes only certificates that a key it trusts has signed'
	says 'whom nobody vouches for cannot be added' 1 "$only_vouched" \
		assay keyring load --keyring .ima --cert $given/stranger.pem
	says 'nor an authority, though one vouches for it' 1 "$only_vouched" \
		assay keyring load --keyring .ima --cert $given/between.pem
	says 'nor whom an authority vouches for that is not known' 1 "$only_vouched" \
		assay keyring load --keyring .ima --cert $given/second.pem
	works 'the authority between is known now' assay keyring load --keyring .secondary_trusted_keys --cert $given/between.pem
	works 'and who it vouches for is taken' assay keyring load --keyring .ima --cert $given/second.pem
	works 'so is a certificate of ML-DSA' add .ima $given/ml-dsa.der
	works 'files of the second signer' assay enable --manifest $given/second --cert $given/second.pem --root /mnt
	works 'a file with a signature by ML-DSA' setfattr -n security.ima -v "0s$(cat $given/attribute)" /mnt/ml-dsa/program
	works 'and fs-verity' assay fsverity enable /mnt/ml-dsa/program
	cp /mnt/ml-dsa/program /mnt/ml-dsa/other
	echo other >>/mnt/ml-dsa/other
	setfattr -n security.ima -v "0s$(cat $given/attribute)" /mnt/ml-dsa/other
	says 'ext4 has no room for one by ML-DSA-87' 1 'No space left' \
		setfattr -n security.ima -v "0s$(head -c 4637 /dev/zero | base64 | tr -d '\n')" /mnt/unsigned/program
	works 'another file has the same signature' assay fsverity enable /mnt/ml-dsa/other
fi
cp /mnt/signed/program /tmp/program
run assay policy lint $given/policy --running
check 'lint says that IMA takes a policy yet' eval '! grep -q "takes no policy here" $CHECK_OUT/stdout'
mount --bind /mnt/signed/sh /bed/busybox || exit 1
status=
cat $given/policy >$policy || echo 'not ok - the policy is taken'

ran() { # TITLE STATUS COMMAND...
	ran_title=$1 ran_status=$2
	shift 2
	"$@" >/run/said 2>&1
	ran_got=$?
	check "$ran_title ($ran_got)" [ "$ran_got" -eq "$ran_status" ]
}
[ "$flavour" != 4k ] || check 'the policy can be written no more, as in all of Debian' [ ! -e $policy ]
ran 'a signed program runs' 0 /mnt/signed/program hello
ran 'an unsigned one does not' 126 /mnt/unsigned/program hello
ran 'nor one that somebody else signed' 126 /mnt/other/program hello
ran 'nor the copy of a signed one' 126 /tmp/program hello
ran 'nor what is in the initramfs: load the policy behind it' 126 /bed/bin/mapped hello
ran 'a signed library is mapped' 0 /mnt/signed/program mmap /mnt/signed/insmod
ran 'an unsigned one is not' $denied /mnt/signed/program mmap /mnt/unsigned/program
ran 'nor made executable afterwards' 1 /mnt/signed/program mprotect /mnt/unsigned/program
ran 'it can be read' 0 /mnt/signed/program read /mnt/unsigned/program
ran 'memory without a file can become executable' 0 /mnt/signed/program anonymous
ran 'a signed script runs' 0 /mnt/signed/script
ran 'an unsigned one does not' 126 /mnt/unsigned/script
ran 'but what is given to an interpreter does' 0 /mnt/signed/sh /mnt/unsigned/script
ran 'and a kernel module is not looked at' "$module" /mnt/signed/insmod "/mnt/unsigned/$flavour.ko"
if [ "$keyring" = .ima ]; then
	ran 'a program of the second signer runs' 0 /mnt/second/program hello
	ran 'one that was signed with ML-DSA runs' 0 /mnt/ml-dsa/program hello
	ran 'not so another with the same signature' 126 /mnt/ml-dsa/other hello
fi
echo "1..$check_number"
exit "$check_failed"
