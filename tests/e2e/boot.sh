#!/bin/sh
# SPDX-License-Identifier: MIT
# boot.sh arm64|amd64: a machine with UEFI, Secure Boot, a TPM and Debian's kernel, without the module. What
# its firmware measured replays to the PCRs, what is learned of one boot holds for the next, and not
# for one with another kernel, command line, initrd or other keys of Secure Boot. QEMU loads the kernel of an
# arm64 machine, systemd-boot that of an amd64 machine, from a disk.
#
# The tests test_boot and test_boot_amd64. In one machine all of that is another. BOOT_FORM=long (make soak
# S=uefi): each in one of its own, and nothing else of the verdict changes.
# KEEP_LOGS=DIR: the logs are kept there, as those of tests/data/uefi/aavmf-* and ovmf-secureboot.bin were.
# shellcheck disable=SC2016,SC2034,SC2317
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
arch=$1
nonce=00112233445566778899aabbccddeeff
. tests/swtpm.sh
tpm_work assay-boot
CHECK_OUT=$work
. tests/check.sh
. tests/secure-boot.sh
cd "$work"
case $arch in
arm64)
	flavour=4k vars=/usr/share/AAVMF with_keys=AAVMF_VARS.snakeoil.fd without_keys=AAVMF_VARS.fd programs='"kernel"'
	unused=32768
	# Debian's kernel lacks the TPM's driver of QEMU, and takes none that a key of the firmware's has
	# not signed where Secure Boot is on.
	secure_boot_module "$top/build/kernel/4k/modules/tpm_tis.ko" tpm_tis.ko
	set -- --file "$work/tpm_tis.ko=/bed/modules/tpm_tis.ko"
	;;
amd64)
	flavour=amd64 vars=/usr/share/OVMF with_keys=OVMF_VARS_4M.snakeoil.fd without_keys=OVMF_VARS_4M.fd
	programs='"/EFI/BOOT/BOOTX64.EFI", "/kernel"'
	unused=432
	secure_boot_kernel "$top/build/boot-loader/systemd-bootx64.efi" loader
	set -- --loader "$work/loader"
	;;
esac
image=$top/build/kernel/$flavour/Image
long=${BOOT_FORM:-}

boot() { # NAME KERNEL VARIABLES OPTION...: ends when the machine does
	name=$1 kernel=$2
	cp -r tpm "tpm-$name"
	cp --sparse=always "$vars/$3" "vars-$name"
	shift 3
	"$top/qemu/run-guest" --flavour "$flavour" --firmware uefi --variables "$work/vars-$name" --image "$work/$kernel" \
		--tpm "$work/tpm-$name" --plain --init "$top/tests/e2e/boot-guest.sh" --out "$work/$name" --timeout 240 \
		--file "$top/build/$arch/assay=/usr/bin/assay" --file "$work/ak.pem=/ak.pem" "$@" >"$name.log" 2>&1 || {
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

# ---------------------------------------------------------------- the machines
"$top/qemu/make-tpm" "$work/tpm" >&2
tpm_start "$work/tpm" >&2
ASSAY_TCTI="swtpm:path=$work/tpm.sock" "$assay" key create --restricted --out ak.pem --public ak.pub >&2
tpm_stop
rm -f tpm.sock tpm.sock.ctrl
secure_boot_kernel "$image" signed

# Another kernel: a byte that nothing uses, between its headers and its code, is another.
cp "$image" changed
printf 'x' | dd of=changed bs=1 seek="$unused" conv=notrunc 2>/dev/null
secure_boot_kernel changed other
echo 'another file' >file

boot first signed "$with_keys" "$@" &
pid=$!
failed=0
if [ -n "$long" ]; then
	others='kernel stub keys'
	{ boot kernel other "$with_keys" "$@" && boot stub signed "$with_keys" --append quiet --file "$work/file=/etc/another" "$@"; } || failed=1
	wait "$pid" || failed=1
	boot keys signed "$without_keys" "$@" || failed=1
else
	others=all
	boot all other "$without_keys" --append quiet --file "$work/file=/etc/another" "$@" || failed=1
	wait "$pid" || failed=1
fi
same=first
if [ "$arch" = arm64 ] || [ -n "$long" ]; then # an amd64 machine takes twice as long
	same='first second'
	boot second signed "$with_keys" "$@" || failed=1
fi
check 'the machines boot' [ "$failed" -eq 0 ]

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
digest_of() { # FILE: in Authenticode's sense
	"$assay" digest --authenticode "$1" | sed 's/ .*//'
}
has_program() { # NAME FILE: PCR 4 has it
	run "$assay" replay uefi "$1/files/eventlog" --events --json
	prints 0 && jq -e --arg digest "$(digest_of "$2")" \
		'any(.firmware_events[]; .pcr == 4 and any(.digests[]; . == $digest))' stdout >/dev/null
}
kernel_of() { # NAME: the file that it was started with
	case $1 in
	kernel | all) echo other ;;
	*) echo signed ;;
	esac
}
for name in first $others; do
	check "$name: it has the kernel's Authenticode digest in PCR 4" has_program "$name" "$(kernel_of "$name")"
done
[ "$arch" = arm64 ] || check 'and that of the boot loader' has_program first loader
first_digest=$(digest_of signed)
other_digest=$(digest_of other)
rm -f signed other changed

# Linux's EFI stub measures the initrd, and the command line in UTF-16 with a NUL behind it.
parameters=$(sed -n 's/^.*Kernel command line: //p' first/console.log | tr -d '\r')
options=$(printf '%s' "$parameters" | sed 's/./&\x00/g' | { xxd -p | tr -d '\n'; echo 0000; } | xxd -r -p | sha256sum)
stub_event() { # NAME NUMBER: the digest of the first or second event of Linux's EFI stub
	"$assay" replay uefi "$1/files/eventlog" --events --json |
		jq -r "[.firmware_events[] | select(.pcr == 9)][$2].digests[0]"
}
for name in first $others; do
	check "$name: the initrd in PCR 9 is the one that was given" \
		[ "$(stub_event "$name" 1)" = "sha256:$(cat "$name"/initrd.sha256)" ]
done
check 'and the command line' [ "$(stub_event first 0)" = "sha256:${options%% *}" ]

# ---------------------------------------------------------------- what is learned holds
differ() { # PCR...: the verdict names these of PCRs 4, 7 and 9, and no other of them
	found=$(grep -o 'PCR [479]' stdout | sort -u | tr '\n' ' ')
	[ "$status" -eq 1 ] && [ "$found" = "$(printf 'PCR %s ' "$@")" ]
}
run "$assay" policy learn first/files/evidence.json
cp stdout policy.json
check 'a policy is learned from the first boot' eval 'told 0 && says ".logs.assay_log == \"absent\" and .logs.uefi == \"required\""'
for name in $same; do
	verify "$name"
	check "$name: it is trusted by that" prints 0 '^trusted$'
done
for name in $others; do
	verify "$name"
	case $name in
	kernel) check 'another kernel is not' differ 4 ;;
	stub) check 'nor another command line and initrd' differ 9 ;;
	keys) check 'nor other keys of Secure Boot' differ 7 ;;
	all) check 'nor all of these' differ 4 ;; # the first is named
	esac
done

# Of the command line alone, as where the kernel's EFI stub does not measure it.
if [ "$arch" = amd64 ]; then
	jq '.pcrs.values |= {"sha256:12": .["sha256:12"]}' policy.json >line.json
	mv line.json policy.json
	name=${others%% *}
	[ "$name" = all ] || name=stub
	verify "$name"
	check 'what systemd-boot measured of the command line is learned as well' prints 1 '^FAIL *pcr-values: sha256 PCR 12 is'
	verify first
	check 'and is what it was' eval 'prints 1 boot-known && ! grep -q pcr-values stdout'
fi

# The same by rules on what the log says: the verdict tells in words what is another.
only() { # CHECK...: these failed, and no other
	failed_checks=$(grep '^FAIL' stdout | sed 's/^FAIL *//; s/:.*//' | sort | tr '\n' ' ')
	[ "$status" -eq 1 ] && [ "$failed_checks" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ]
}
run "$assay" policy learn --firmware first/files/evidence.json
cp stdout policy.json
check 'rules are learned from the first boot' says ".firmware | .secure_boot == \"on\" and (.programs | keys == [$programs])"
for name in $same; do
	verify "$name"
	check "$name: the rules hold" prints 0 '^trusted$'
done
kernel_words='$other_digest, of none of .programs' kernel_checks=firmware-programs
stub_words='"the load options, by Linux.s EFI stub" "$(cat "$name"/initrd.sha256), of none of .files.: the initrd"'
stub_checks=firmware-files
keys_words='"Secure Boot is off" "PK is not the policy.s"' keys_checks='firmware-authorities firmware-dbx firmware-keys firmware-secure-boot'
# systemd-boot measures the command line as well, as text.
[ "$arch" = arm64 ] || stub_checks="$stub_checks firmware-command-line"
for name in $others; do
	verify "$name"
	case $name in
	kernel) check 'another kernel: told by its digest' eval "only $kernel_checks && prints 1 \"$kernel_words\"" ;;
	stub) check 'another command line and initrd' eval "only $stub_checks && prints 1 $stub_words" ;;
	keys) check 'no keys' eval "only $keys_checks && prints 1 $keys_words" ;;
	all)
		check 'all of these, each by its own check' eval \
			"only $kernel_checks $stub_checks $keys_checks && prints 1 \"$kernel_words\" $stub_words $keys_words"
		;;
	esac
done

# Before it has ever booted: what it will start, and with which words.
jq --arg digest "$first_digest" --arg initrd "sha256:$(cat first/initrd.sha256)" --arg line "$parameters" \
	'.firmware.programs |= with_entries(select(.key | endswith("kernel") | not)) |
	.firmware.programs["the new kernel"] = [$digest] | .firmware.files = {"its initrd": [$initrd]} |
	.firmware.command_lines = [$line]' policy.json >before.json
mv before.json policy.json
for name in $same; do
	verify "$name"
	check "$name: rules that were made of the files alone hold" prints 0 '^trusted$'
done
for name in $others; do
	verify "$name"
	case $name in
	stub) check 'and the command line is one of them' only firmware-command-line firmware-files ;;
	all)
		check 'and the command line is one of them' eval \
			"only firmware-command-line firmware-files $kernel_checks $keys_checks"
		;;
	esac
done

differs() { # NAME WORDS...
	run "$assay" policy diff first/files/eventlog "$1/files/eventlog"
	shift
	prints 1 "$@"
}
if [ -e second ]; then
	run "$assay" policy diff first/files/eventlog second/files/evidence.json
	check 'two boots of one machine do not differ' told 0
fi
for name in $others; do
	[ "$name" = stub ] || [ "$name" = keys ] ||
		check 'another kernel differs by its program' differs "$name" '^PCR  4  programs .*/kernel'
	[ "$name" = stub ] || [ "$name" = kernel ] ||
		check 'other keys by what was taken out' differs "$name" 'SecureBoot: 0 (off)' 'PK lacks 1 entry'
done

if [ -n "${KEEP_LOGS:-}" ]; then
	for name in first $others; do
		cp "$name/files/eventlog" "$KEEP_LOGS/$arch-$name.bin"
	done
fi
echo "1..$check_number"
exit "$check_failed"
