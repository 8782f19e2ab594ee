#!/bin/sh
# SPDX-License-Identifier: MIT
# The kernel's half of test_enforce_ipe.sh.
# shellcheck disable=SC2016,SC2317
set -u
given=/given ipe=/sys/kernel/security/ipe denied=13
# shellcheck source=tests/check.sh
. /bed/check.sh

mkdir -p /mnt /tmp
mount -t ext4 /dev/vda /mnt || exit 1
mount -t tmpfs tmpfs /tmp || exit 1
# The kernel prints ten messages of audit in five seconds, and of more only how many there were.
echo 0 >/proc/sys/kernel/printk_ratelimit || exit 1

runs() { # TITLE COMMAND...
	runs_title=$1
	shift
	run "$@"
	check "$runs_title" told 0
}
refused() { # TITLE STATUS COMMAND...: the shell's 126, or the errno
	refused_title=$1 refused_status=$2
	shift 2
	run "$@"
	check "$refused_title" [ "$status" -eq "$refused_status" ]
}
says() { # TITLE STATUS WORDS COMMAND...
	says_title=$1 says_status=$2 says_words=$3
	shift 3
	run "$@"
	check "$says_title" told "$says_status" "$says_words"
}
load() {
	assay policy load "$@"
}
start() { # COMMAND...: by the shell, which says 126 where it may not
	sh -c 'exec "$@"' start "$@"
}

# ---------------------------------------------------------------- the initramfs settles it
run assay-initrd --check
check 'the initramfs has what it names' told 0
# There is no module here, which is told: the configuration says to go on.
run assay-initrd --root /mnt
check 'it settles whose signatures count' told 0 '1 certificate in .fs-verity, which is locked'
check 'and loads the policy, permissive' told 0 "IPE's policy assay 1.0.0 is active, and only told of"
says 'a later root cannot add a signer' 1 'the keyring is locked' assay keyring load --cert $given/stranger.pem
runs 'files are enabled with their signatures' assay enable --manifest $given/manifest --cert $given/signer.pem --root /mnt
says 'not with the signature of somebody else' 1 'not in the kernel' \
	assay enable --manifest $given/stranger --cert $given/stranger.pem --root /mnt
runs 'a file has fs-verity without a signature' assay fsverity enable /mnt/unsigned/verity

# ---------------------------------------------------------------- permissive
runs 'permissive: an unsigned program runs' start /mnt/unsigned/program hello
check 'and is told of' kernel_says 'ipe_op=EXECUTE.*enforcing=0.*path="/mnt/unsigned/program"'
run load --json --enforce $given/first.p7b
check 'enforced from now on' prints 0 '"was_loaded": true' '"active": true' '"policy_version": "1.0.0"'
check 'the kernel says so' [ "$(cat $ipe/enforce)" = 1 ]

# ---------------------------------------------------------------- what runs
runs 'a signed program runs' start /mnt/signed/program hello
refused 'an unsigned one does not' 126 start /mnt/unsigned/program hello
refused 'nor an altered one' 126 start /mnt/unsigned/altered hello
refused 'nor one with fs-verity but without a signature' 126 start /mnt/unsigned/verity hello
refused 'nor one that somebody else signed' 126 start /mnt/other/program hello
for path in /mnt/unsigned/program /mnt/unsigned/altered /mnt/unsigned/verity /mnt/other/program; do
	check "$path is told of" kernel_says "enforcing=1.*path=\"$path\".*DEFAULT action=DENY"
done
runs 'what is in the initramfs runs' mapped hello
cp /bed/bin/mapped /tmp/mapped
refused 'not its copy in a tmpfs' 126 start /tmp/mapped hello
runs 'a signed library is mapped' mapped mmap /mnt/signed/program
refused 'an unsigned one is not' $denied mapped mmap /mnt/unsigned/program
refused 'nor made executable afterwards' $denied mapped mprotect /mnt/unsigned/program
runs 'it can be read' mapped read /mnt/unsigned/program
refused 'memory without a file cannot become executable' $denied mapped anonymous
runs 'a signed script runs' start /mnt/signed/script
refused 'an unsigned one does not' 126 start /mnt/unsigned/script
runs 'but what is given to an interpreter does' sh /mnt/unsigned/script
rmmod overlay
refused 'a kernel module needs a signature of fs-verity besides its own' $denied insmod /mnt/unsigned/overlay.ko
runs 'with which it loads' insmod /mnt/signed/overlay.ko
run assay policy lint $given/first.p7b --running
check 'lint says what runs here' eval '[ -z "$(grep "^warning: IPE" $CHECK_OUT/stdout)" ] && grep -q "^KMODULE .*refused" $CHECK_OUT/stdout'

# ---------------------------------------------------------------- an update, out and back
cp -p /mnt/signed/program /mnt/signed/kept && mv /mnt/signed/program /mnt/signed/before
mv /mnt/signed/next /mnt/signed/program
runs 'the next version of a program is rolled out' start /mnt/signed/program hello
mv /mnt/signed/before /mnt/signed/program
runs 'and back' start /mnt/signed/program hello
refused 'a copy has no signature' 126 start /mnt/signed/kept hello

# ---------------------------------------------------------------- policies
says 'a policy that another key signed is refused' 1 'no certificate of its signer' load $given/stranger.p7b
says 'one whose text was changed' 1 'the kernel refuses its signature' load $given/altered.p7b
run load $given/second.p7b
check 'a newer version takes its place' prints 0 '^assay 1.0.1: updated, active$'
says 'and never an older one' 1 'never goes back' load $given/first.p7b
says 'nor under another name' 1 'a policy of a higher version is active' load $given/older.p7b
run load $given/second.p7b
check 'the same again is no mistake' prints 0 'was loaded already, active'
says 'what is not signed is refused' 1 'no signed policy' load /etc/assay/initrd.conf

run load $given/digests.p7b
check 'a policy of digests' prints 0 '2.0.0: updated, active'
runs 'runs what is in the manifest' start /mnt/signed/program hello
refused 'and nothing else' 126 start /mnt/unsigned/program hello

give() { # POLICY: to the kernel, as it is
	cat "$1" >$ipe/new_policy 2>/dev/null
}
while read -r text wanted; do
	status=0
	give $given/texts/"$text".p7b || status=1
	check "the kernel says of policy $text what is expected" [ "$status" -eq "$wanted" ]
done <$given/texts/wanted

# From here on nothing of the initramfs runs, until IPE only tells: the shell does it alone.
load $given/nothing.p7b >/dev/null
/mnt/signed/program hello >/run/signed
signed=$?
/bed/bin/mapped hello >/run/initramfs
initramfs=$?
echo 0 >$ipe/enforce
check 'without the initramfs: what is signed runs' [ "$signed" -eq 0 ]
check 'and the initramfs does not' [ "$initramfs" -eq 126 ]
echo "1..$check_number"
exit "$check_failed"
