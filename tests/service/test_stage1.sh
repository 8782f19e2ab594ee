#!/bin/sh
# SPDX-License-Identifier: MIT
# assay-initrd, as an initramfs runs it: what the rules name is measured on the root that is mounted
# but not yet the root, with one extend, named as the running system will see it; manifests count
# if a certificate of the initramfs' says so; each thing that can be done on a failure is done.
# guest: --region auto --tpm new --tpm-proxy --banks sha256 --timeout 240 --program usr/bin/fsverity
# guest: --disk "$(tests/kmod/verity-disk "$directory/root.img")"
# flavours: 4k
# shellcheck source=tests/check.sh
. /bed/check.sh
# shellcheck source=tests/service/service.sh
. /bed/service.sh

root=/sysroot
rules=/etc/assay/measure.d
result=/run/assay/stage1.json
driver=/sys/bus/platform/drivers/tpm_tis

counter() {
	cat "/sys/class/misc/assay/$1"
}

say_rules() { # LINE...
	printf '%s\n' '[initrd]' "$@" >$rules/10.conf
}

on() { # FAILURE MISSING
	printf '[initrd]\non-failure=%s\non-missing=%s\n' "$1" "$2" >/etc/assay/initrd.conf
}

# stage1 [COMMAND]...: as the scripts of an initramfs call it
stage1() {
	rm -rf /run/assay
	stage1_before=$(counter log/anchors 2>/dev/null) || stage1_before=0
	run "$@" assay-initrd --root $root
	stage1_extends=$(($(counter log/anchors 2>/dev/null || echo 0) - stage1_before))
	[ ! -e $result ] || tr -d '\n' <$result | sed 's/,  */, /g; s/^/# /; s/$/\n/'
}

has() { # WORDS...: of the result
	for has_words; do
		grep -q -e "$has_words" "$result" || return 1
	done
}

# ------------------------------------------------------------------ a root file system
mkdir -p $root $rules /etc/assay/certificates /key
mount -t ext4 /dev/vda $root && insmod /bed/assay.ko || exit 1
mkdir -p $root/usr/bin $root/usr/lib/modules/6/kernel $root/opt/deep/er $root/etc/assay \
	$root/var/lib/dpkg/info $root/run
ln -s usr/bin $root/bin
i=0
while [ $i -lt 10 ]; do
	echo "program $i" >$root/usr/bin/p$i
	i=$((i + 1))
done
echo module >$root/usr/lib/modules/6/kernel/m.ko
echo deep >$root/opt/deep/er/d
echo plain >$root/opt/plain
printf '/.\n/usr\n/usr/bin\n/usr/bin/p1\n/bin/p2\n/opt/plain\n' >$root/var/lib/dpkg/info/tool.list
assay key create --out /key/signer --cert /etc/assay/certificates/signer.pem >/dev/null &&
	assay key create --out /key/other --cert /key/other.pem >/dev/null &&
	assay sign --key /key/signer --cert /etc/assay/certificates/signer.pem --root $root \
		--manifest $root/etc/assay/manifest.jsonl /usr /opt/deep >/dev/null || exit 1
find $root/usr $root/opt/deep -type f -exec fsverity enable {} \; || exit 1
cp $root/etc/assay/manifest.jsonl.p7s /key/good.p7s

# ------------------------------------------------------------------ what it is made of
LD_TRACE_LOADED_OBJECTS=1 /usr/bin/assay-initrd >/run/closure
sed 's/^[ 	]*/# needs /; s/ (0x.*//' /run/closure
check 'it needs no TPM stack, libsystemd or libcurl' \
	sh -c '[ -s /run/closure ] && ! grep -E "tss2|systemd|curl" /run/closure'

# ------------------------------------------------------------------ what is measured
on emergency emergency
say_rules 'manifest=/etc/assay/manifest.jsonl'
works 'what an initramfs is to have can be checked before' assay-initrd --check
stage1
check 'all files of the manifest are measured' told 0 '12 of 12 files measured, with 1 extend'
check 'with one extend' [ "$stage1_extends" -eq 1 ]
check 'the result says so' has '"outcome": "measured"' '"measured_count": 12' '"record_count": 1' '"action": "continue"'
run assay log show
check 'the log has them as the running system sees them' prints 0 '  sha256:[0-9a-f]*  /usr/bin/p7$'
check 'and nothing of where they were mounted' sh -c '! grep -q sysroot /run/stdout'
check 'what was measured is left for the service' \
	grep -q '^sha256:[0-9a-f]\{64\} /usr/bin/p7$' /run/assay/stage1.measured

say_rules 'package=tool' 'glob=/usr/lib/modules/**/*.ko' 'verity=/opt' 'exclude=/opt/deep/**' 'file=/bin/p3'
stage1
check 'packages, forms of paths and what is below directories are found' told 0 '4 of 4 files measured'
check 'what has no fs-verity is counted' has '"without_verity_count": [1-9]'
for path in /usr/bin/p1 /usr/bin/p2 /usr/lib/modules/6/kernel/m.ko /usr/bin/p3; do
	check "$path is among them" grep -q " $path\$" /run/assay/stage1.measured
done
say_rules 'list=/etc/assay/early' && echo /bin/p5 >/etc/assay/early && echo /bin/p6 >$root/etc/assay/early
stage1
check "a list is the initramfs', not the root's" sh -c 'grep -q " /usr/bin/p5$" /run/assay/stage1.measured &&
	! grep -q p6 /run/assay/stage1.measured'
mkdir -p $root$rules
printf '[initrd]\nexclude=/**\n' >$root$rules/00.conf
stage1
check "rules of the root's own change nothing" told 0 '1 of 1 files'

# ------------------------------------------------------------------ names that somebody has chosen
digest=sha256:$(printf %064d 0)
mkdir -p "$root/srv/x
$digest /usr/bin"
printf 1 >"$root/srv/x
$digest /usr/bin/p4"
printf 2 >"$root/srv/$(printf '\377\033[2J')"
ln -s . $root/srv/loop
ln -s /proc/1/root/etc $root/srv/out
find $root/srv -type f -exec fsverity enable {} \;
say_rules 'verity=/srv' 'glob=/srv/**' 'glob=/srv/loop/loop/loop/*' 'glob=/srv/out/*'
stage1
check 'names with a line break, and with bytes that are no text, are measured' told 0 '2 of 2 files measured'
check 'they make no line of what was measured' [ "$(wc -l </run/assay/stage1.measured)" = 2 ]
run assay log show
check 'and none of the log as it is shown' sh -c "! grep -e '^$digest' -e '$(printf '\033')' /run/stdout"
rm -r $root/srv

# ------------------------------------------------------------------ what goes wrong
assay sign --key /key/other --cert /key/other.pem --root $root \
	--manifest $root/etc/assay/other.jsonl /opt/deep >/dev/null || exit 1
say_rules 'manifest=/etc/assay/other.jsonl' 'file=/usr/bin/p1'
stage1
check 'a manifest that somebody else signed: the boot must not go on' \
	told 1 'other.jsonl' 'the boot must not go on' '1 rule could not be followed'
check 'the rest is measured' has '"outcome": "failed"' '"measured_count": 1' '"action": "emergency"'
on continue emergency
stage1
check 'or it goes on, and says so' told 0 'the boot goes on'
on poweroff emergency
stage1 unshare -p -f --mount-proc
check 'or the machine is turned off' [ "$status" -eq 130 ]
check 'which is said before' grep -q 'the machine is turned off' /run/stderr

say_rules 'manifest=/etc/assay/manifest.jsonl'
mv $root/usr/bin/p9 $root/p9
on emergency emergency
stage1
check 'a file that the manifest names is not there: the boot must not go on' \
	told 1 '/usr/bin/p9: No such file' '11 of 12 files measured'
check 'the result names it' has '"outcome": "incomplete"' '"path": "/usr/bin/p9"'
on emergency continue
stage1
check 'or it goes on' told 0 '/usr/bin/p9: No such file' 'the boot goes on'
on emergency poweroff
stage1 unshare -p -f --mount-proc
check 'or is turned off' [ "$status" -eq 130 ]
mkfifo $root/usr/bin/p9
on emergency emergency
stage1
check 'a FIFO in its place is not waited for' told 1 '/usr/bin/p9: ' '11 of 12'
rm $root/usr/bin/p9
ln -s p1 $root/usr/bin/p9
stage1
check 'nor is a link taken for it' told 1 '/usr/bin/p9: Too many levels'
rm $root/usr/bin/p9
mv $root/p9 $root/usr/bin/p9

head -c 100 /key/good.p7s >$root/etc/assay/manifest.jsonl.p7s
stage1
check 'a signature that is cut off' told 1 'etc/assay/manifest.jsonl'
cp /key/good.p7s $root/etc/assay/manifest.jsonl.p7s
mv $root/etc/assay/manifest.jsonl $root/etc/assay/away
stage1
check 'a manifest that is not there' told 1 'cannot open /etc/assay/manifest.jsonl'
mv $root/etc/assay/away $root/etc/assay/manifest.jsonl
mv $rules/10.conf /run/10.conf
stage1
check 'no rules' told 1 'the initramfs has no rules'
echo 'manifest=' >$rules/10.conf
stage1
check 'rules that are none' told 1 "$rules/10.conf line 1"
mv /run/10.conf $rules/10.conf
mv /etc/assay/certificates/signer.pem /key/signer.pem
run assay-initrd --check
check 'no certificate: told when the initramfs is made' told 1 'no manifest can be believed'
stage1
check 'and at the boot' told 1 'there is no certificate'
mv /key/signer.pem /etc/assay/certificates/signer.pem
echo 'on-failure=never' >>/etc/assay/initrd.conf
stage1
check 'a configuration that is off: the boot must not go on' told 1 'must be continue, emergency or poweroff'
on emergency emergency

# ------------------------------------------------------------------ rules and lists that are none
mkfifo $rules/20.conf
stage1
check 'a FIFO among the rules is not waited for' told 1 "$rules/20.conf"
rm $rules/20.conf
mkfifo /etc/assay/list
say_rules 'list=/etc/assay/list' 'file=/usr/bin/p1'
stage1
check 'nor is one in the place of a list' told 1 '/etc/assay/list' '"\?1 rule could not be followed'
rm /etc/assay/list

# ------------------------------------------------------------------ a TPM that takes its time
# tpm_waits MILLISECONDS: before it extends PCR 14 (qemu/tpm-proxy.h)
tpm_waits() {
	tpm_bytes=$(printf '%08x' "$1" | sed 's/../\\x&/g')
	exec 7<>/dev/tpm0
	# shellcheck disable=SC2059 # bytes, as escapes
	printf "\\x80\\x01\\x00\\x00\\x00\\x1a\\x20\\x00\\x0a\\x55\\x00\\x00\\x00\\x0e${tpm_bytes}\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00" >&7
	dd bs=10 count=1 <&7 2>/dev/null | grep -q . || exit 1
	exec 7>&-
}
on emergency emergency
echo 'timeout=1' >>/etc/assay/initrd.conf
say_rules 'file=/usr/bin/p1'
tpm_waits 4000
stage1
check 'what takes longer than it may is a failure' told 1 'measuring took longer than 1 s' 'the boot must not go on'
check 'which the result says' has '"outcome": "failed"' 'longer than 1 s'
tpm_waits 0
on emergency emergency
stage1
check 'then it goes on' told 0 '1 of 1 files measured'

# ------------------------------------------------------------------ without the TPM, without the module
for device in "$driver"/*/tpm; do
	device=$(basename "$(dirname "$device")")
done
echo "$device" >$driver/unbind
stage1
check 'the TPM is missing: the boot must not go on' told 1 'the boot must not go on'
check 'and the result says why' has '"outcome": "failed"' '"error": ".*TPM'
echo "$device" >$driver/bind
rmmod assay
stage1
check 'the module is missing' told 1 'no /dev/assay: load the module'
check 'of which there is a result, too' has '"outcome": "failed"' '"file_count": 0'

echo "1..$check_number"
exit "$check_failed"
