#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine with UEFI, Secure Boot, a TPM and Debian's kernel, without the module: what its firmware
# measured replays to the PCRs, what is learned of one boot holds for the next, and not for one with
# another kernel, command line, initrd or other keys of Secure Boot. Two machines at a time.
# KEEP_LOGS=DIR: the logs are kept there, as those of tests/data/uefi/aavmf-* were.
# shellcheck disable=SC2016,SC2034
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
vars=/usr/share/AAVMF
nonce=00112233445566778899aabbccddeeff
. tests/swtpm.sh
tpm_work assay-boot
CHECK_OUT=$work
. tests/check.sh
. tests/secure-boot.sh
cd "$work"

boot() { # NAME KERNEL VARIABLES [OPTION...]: ends when the machine does
	name=$1 kernel=$2
	cp -r tpm "tpm-$name"
	cp --sparse=always "$vars/$3" "vars-$name"
	shift 3
	"$top/qemu/run-guest" --flavour 4k --firmware uefi --variables "$work/vars-$name" --image "$work/$kernel" \
		--tpm "$work/tpm-$name" --plain --init "$top/tests/e2e/boot-guest.sh" --out "$work/$name" --timeout 240 \
		--file "$top/build/arm64/assay=/usr/bin/assay" --file "$work/ak.pem=/ak.pem" \
		--file "$work/tpm_tis.ko=/bed/modules/tpm_tis.ko" "$@" >"$name.log" 2>&1 || {
		sed "s/^/# $name: /" "$name.log"
		return 1
	}
	rm "vars-$name"
}

says() { # FILTER: what jq finds true in the output
	jq -e "$1" stdout >/dev/null
}

verify() { # NAME
	run "$assay" verify "$1/files/evidence.json" --nonce "$nonce" --ak ak.pub --policy policy.json
}

# ---------------------------------------------------------------- the machine
"$top/qemu/make-tpm" "$work/tpm" >&2
tpm_start "$work/tpm" >&2
ASSAY_TCTI="swtpm:path=$work/tpm.sock" "$assay" key create --restricted --out ak.pem --public ak.pub >&2
tpm_stop
rm -f tpm.sock tpm.sock.ctrl
secure_boot_kernel "$top/build/kernel/4k/Image" signed

# Debian's kernel lacks the TPM's driver of QEMU, and takes none that a key of the firmware's has not
# signed where Secure Boot is on.
secure_boot_module "$top/build/kernel/4k/modules/tpm_tis.ko" tpm_tis.ko

# Another kernel: a byte that nothing uses, between its headers and its code, is another.
cp "$top/build/kernel/4k/Image" changed
printf 'x' | dd of=changed bs=1 seek=32768 conv=notrunc 2>/dev/null
secure_boot_kernel changed other
echo 'another file' >file

with_keys=AAVMF_VARS.snakeoil.fd without_keys=AAVMF_VARS.fd
{ boot first signed $with_keys && boot second signed $with_keys; } &
pid=$!
{ boot kernel other $with_keys && boot stub signed $with_keys --append quiet --file "$work/file=/etc/another"; } &
other_pid=$!
failed=0
wait "$pid" || failed=1
wait "$other_pid" || failed=1
boot keys signed $without_keys || failed=1
check 'five machines boot' [ "$failed" -eq 0 ]

# ---------------------------------------------------------------- what the firmware says
log=first/files/eventlog
expected=
while read -r pcr value; do
	[ "$pcr" -gt 9 ] || [ "$pcr" -eq 8 ] ||
		expected="$expected --expect $pcr:sha256:$(echo "$value" | tr A-F a-f)"
done <first/files/pcrs
# shellcheck disable=SC2086
run "$assay" replay uefi "$log" $expected --strict --events --json
check "the firmware's log replays to each PCR of the TPM" \
	says '.ok and (.expected | length) == 9 and all(.expected[]; .reached)'
for name in first:signed kernel:other keys:signed; do
	digest=$("$assay" digest --authenticode "${name#*:}" | sed 's/ .*//')
	run "$assay" replay uefi "${name%:*}/files/eventlog" --events --json
	check "${name%:*}: it has the kernel's Authenticode digest in PCR 4" eval \
		'prints 0 && jq -e --arg digest "$digest" "any(.firmware_events[]; .pcr == 4 and any(.digests[]; . == \$digest))" stdout >/dev/null'
done
first_digest=$("$assay" digest --authenticode signed | sed 's/ .*//')
other_digest=$("$assay" digest --authenticode other | sed 's/ .*//')
rm -f signed other changed

# Linux's EFI stub measures the initrd, and the command line in UTF-16 with a NUL behind it.
parameters=$(sed -n 's/^.*Kernel command line: //p' first/console.log | tr -d '\r')
options=$(printf '%s' "$parameters" | sed 's/./&\x00/g' | { xxd -p | tr -d '\n'; echo 0000; } | xxd -r -p | sha256sum)
stub_event() { # NAME NUMBER: the digest of the first or second event of Linux's EFI stub
	"$assay" replay uefi "$1/files/eventlog" --events --json |
		jq -r "[.firmware_events[] | select(.pcr == 9)][$2].digests[0]"
}
for name in first second stub; do
	check "$name: the initrd in PCR 9 is the one that was given" \
		[ "$(stub_event $name 1)" = "sha256:$(cat $name/initrd.sha256)" ]
done
check 'and the command line' [ "$(stub_event first 0)" = "sha256:${options%% *}" ]

# ---------------------------------------------------------------- what is learned holds
run "$assay" policy learn first/files/evidence.json
cp stdout policy.json
check 'a policy is learned from the first boot' eval 'told 0 && says ".logs.assay_log == \"absent\" and .logs.uefi == \"required\""'
verify first
check 'which is trusted by it' prints 0 '^trusted$'
verify second
check 'and so is the next boot' prints 0 '^trusted$'
verify kernel
check 'another kernel is not' eval 'prints 1 "PCR 4" && ! grep -q -e "PCR 7" -e "PCR 9" stdout'
verify stub
check 'nor another command line and initrd' eval 'prints 1 "PCR 9" && ! grep -q -e "PCR 4" -e "PCR 7" stdout'
verify keys
check 'nor other keys of Secure Boot' eval 'prints 1 "PCR 7" && ! grep -q -e "PCR 4" -e "PCR 9" stdout'

# The same by rules on what the log says: the verdict tells in words what is another.
only() { # CHECK...: these failed, and no other
	grep '^FAIL' stdout | sed 's/^FAIL *//; s/:.*//' | sort | tr '\n' ' ' >failed_checks
	[ "$status" -eq 1 ] && [ "$(cat failed_checks)" = "$* " ]
}
run "$assay" policy learn --firmware first/files/evidence.json
cp stdout policy.json
check 'rules are learned from the first boot' says '.firmware | .secure_boot == "on" and (.programs | keys == ["kernel"])'
for name in first second; do
	verify $name
	check "$name: the rules hold" prints 0 '^trusted$'
done
verify kernel
check 'another kernel: told by its digest' eval 'only firmware-programs && prints 1 "$other_digest, of none of .programs"'
verify stub
check 'another command line and initrd' eval \
	'only firmware-files && prints 1 "the load options, by Linux.s EFI stub" "$(cat stub/initrd.sha256), of none of .files.: the initrd"'
verify keys
check 'no keys' eval 'only firmware-dbx firmware-keys firmware-secure-boot && prints 1 "Secure Boot is off" "PK is not the policy.s"'

# Before it has ever booted: what it will start, and with which words.
jq --arg digest "$first_digest" --arg initrd "sha256:$(cat first/initrd.sha256)" --arg line "$parameters" \
	'.firmware.programs = {"the new kernel": [$digest]} | .firmware.files = {"its initrd": [$initrd]} |
	.firmware.command_lines = [$line]' policy.json >before.json
mv before.json policy.json
verify second
check 'rules that were made of the files alone hold' prints 0 '^trusted$'
verify stub
check 'and the command line is one of them' eval 'only firmware-command-line firmware-files'

differs() { # NAME WORDS...
	run "$assay" policy diff first/files/eventlog "$1/files/eventlog"
	shift
	prints 1 "$@"
}
run "$assay" policy diff first/files/eventlog second/files/evidence.json
check 'two boots of one machine do not differ' told 0
check 'another kernel differs by its program' differs kernel '^PCR  4  programs .*/kernel'
check 'other keys by what was taken out' differs keys 'SecureBoot: 0 (off)' 'PK lacks 1 entry'

if [ -n "${KEEP_LOGS:-}" ]; then
	for name in first kernel stub keys; do
		cp "$name/files/eventlog" "$KEEP_LOGS/aavmf-$name.bin"
	done
fi
echo "1..$check_number"
exit "$check_failed"
