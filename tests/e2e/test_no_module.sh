#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine without the module: its TPM (swtpm) is extended by what its firmware's log and IMA's
# list say, `assay quote --no-assay-log` makes evidence of it, `assay policy learn` a policy, and
# `assay verify` trusts it, and no tampering. The firmware's log is a real machine's; IMA's
# signatures are evmctl's; the files that the kernel would show are put where it does.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
assay=$PWD/build/host/assay
verifier=$PWD/build/host/assay-verify
make_tpm=$PWD/qemu/make-tpm
ima_entry=$PWD/tests/e2e/ima-entry.py
data=$PWD/tests/data/uefi
firmware=$data/tpm2tools-event-arch-linux.bin

. tests/swtpm.sh
tpm_work assay-no-module
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1

bail() {
	echo "Bail out! $*"
	exit 1
}

"$make_tpm" "$work/tpm" >&2 || bail 'no TPM could be made'
unset TPM2TOOLS_TCTI TSS2_LOG
ASSAY_TCTI=swtpm:path=$work/tpm.sock
TPM2TOOLS_TCTI=$ASSAY_TCTI
export ASSAY_TCTI TPM2TOOLS_TCTI

# ---------------------------------------------------------------- the machine

# What a boot measures: each event of the firmware's, then IMA's first entry.
boot() { # [DIGEST of boot_aggregate]
	tpm_stop
	tpm_start "$work/tpm" >&2 || bail 'swtpm does not start'
	"$verifier" replay uefi --events --json "$firmware" | jq -r '.firmware_events[] | select(.extended) |
		"\(.pcr):" + (.digests[] | select(startswith("sha256:")) | sub(":"; "="))' |
		xargs tpm2_pcrextend || bail 'tpm2_pcrextend fails'
	aggregate=${1:-$(tpm2_pcrread sha256:0,1,2,3,4,5,6,7,8,9 -o pcrs >/dev/null && sha256sum <pcrs | cut -d ' ' -f 1)}
	rm -f list
	measure boot_aggregate "$aggregate"
}

measure() { # NAME DIGEST [SIGNATURE]
	tpm2_pcrextend "10:sha256=$("$ima_entry" list "$@")" || bail 'tpm2_pcrextend fails'
}

# run_file FILE: it is in $work/root, and signed if there is FILE.sig
run_file() {
	set -- "$1" "$(sha256sum "root$1" | cut -d ' ' -f 1)" "root$1.sig"
	[ -e "$3" ] || set -- "$1" "$2"
	measure "$@"
}

# Where the kernel shows the logs, for this command alone.
quote() { # OUT [OPTION]...
	out=$1
	shift
	run unshare -rm sh -c 'mount -t tmpfs none /sys/kernel/security &&
		mkdir /sys/kernel/security/ima /sys/kernel/security/tpm0 &&
		cp list /sys/kernel/security/ima/binary_runtime_measurements &&
		cp "$1" /sys/kernel/security/tpm0/binary_bios_measurements && shift && exec "$@"' sh \
		"$firmware" "$assay" quote --nonce "$nonce" --ak ak.pem --no-assay-log --out "$out" "$@"
	[ "$status" -eq 0 ] || { cat stderr >&2; bail "no quote: $out"; }
}

has() { # has FILE FILTER: jq's filter gives true
	jq -e "$2" "$1" >/dev/null
}

sign_file() { # FILE
	evmctl ima_sign --hashalgo sha256 --key ima.key --sigfile "root$1" >evmctl.log 2>&1 ||
		{ cat evmctl.log >&2; bail 'evmctl fails'; }
}

echo 1..71
nonce=$(head -c 20 /dev/urandom | xxd -p)
mkdir -p root/usr/bin
for name in init sh tool; do
	echo "$name" >"root/usr/bin/$name"
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ima -keyout ima.key \
	-out ima.pem -days 9 2>/dev/null
sign_file /usr/bin/tool
boot
run "$assay" key create --restricted --out ak.pem --public ak.pub
check 'an attestation key' [ "$status" -eq 0 ]
run_file /usr/bin/init
run_file /usr/bin/sh
run_file /usr/bin/tool
quote good.json
check 'evidence of the two logs, and of PCRs 0 to 10 and 12 to 14' has good.json \
	'(.logs | keys == ["ima", "uefi"]) and (.pcrs.sha256 | keys | length == 14)'

# ---------------------------------------------------------------- trusted

judge() { # EVIDENCE [OPTION]...
	evidence=$1
	shift
	run "$verifier" verify "$evidence" --nonce "$nonce" --ak ak.pub "$@"
}

trusted() {
	[ "$status" -eq 0 ] && [ "$(head -n 1 stdout)" = trusted ] && [ ! -s stderr ]
}

# Not trusted, because of that check first of all.
refused() { # CHECK [WORDS]
	[ "$status" -eq 1 ] && [ "$(head -n 1 stdout)" = 'NOT TRUSTED' ] &&
		sed -n 3p stdout | grep -q "^FAIL  *$1: .*${2:-}"
}

run "$verifier" policy learn good.json --ima
cp stdout policy.json
check 'a policy is learned of it: which logs there are' [ "$(jq -c .logs policy.json)" = \
	'{"assay_log":"absent","ima":"required","uefi":"required"}' ]
check 'that knows the boot' grep -q 'the boot is known by the values of PCRs 0, .*8 of bank sha256' stderr
check 'and of which nothing is told that it would refuse' sh -c '! grep -q "not trust" stderr'
run "$verifier" policy lint policy.json
check 'lint has nothing to warn of' [ "$status" -eq 0 ]
judge good.json --policy policy.json
check 'a machine without the module is trusted' trusted
judge good.json --policy policy.json --json --html page.html --junit junit.xml
check 'what it is compared with' [ "$(jq -r '.checks[] | select(.name == "reference-values") | .detail' stdout)" = \
	"with values of PCRs, digests of IMA's entries" ]
check 'no check of a log that there is none of is required' [ "$(jq -r '[.checks[] |
	select(.required and (.name | test("^(assay-log|files|manifest)")))] | length' stdout)" -eq 0 ]
check 'nor counted as a failure for CI' [ "$(grep -c '<failure' junit.xml)" -eq 0 ]
check 'the page says so' grep -q '<h1 class=ok>' page.html
jq --rawfile pem ima.pem 'del(.ima.digests) | .ima.certificates = [{pem: $pem}] |
	.ima.unknown_files = "accept"' policy.json >signed.json
judge good.json --policy signed.json --json
check 'trusted by a signature alone, without digests' has stdout '.trusted and
	(.checks[] | select(.name == "ima-signatures") | .result == "pass")'
jq '.logs.ima = "absent" | del(.ima)' policy.json >boot.json
quote boot-alone.json --no-ima-log
judge boot-alone.json --policy boot.json
check "trusted by the firmware's log and PCRs alone" trusted
judge good.json --policy boot.json --verbose
check 'a list that the policy calls absent is told' \
	grep -q '^  pass  *evidence-logs  *it holds .*and a list of IMA, which by the policy is not there' stdout
run "$verifier" replay ima list --expect "sha256:$(jq -r '.pcrs.sha256["10"]' good.json)"
check 'replay comes to the same PCR 10' [ "$status" -eq 0 ]
run "$verifier" replay uefi "$firmware" --expect "4:sha256:$(jq -r '.pcrs.sha256["4"]' good.json)"
check 'and PCR 4' [ "$status" -eq 0 ]

# The same machine by tpm2-tools, which know nothing of assay: a key in PEM, IMA's list as text.
tpm2_createprimary -Q -C o -G ecc:ecdsa-sha256:null -c primary.ctx \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'
tpm2_readpublic -Q -c primary.ctx -f pem -o peer.pem
tpm2_quote -Q -c primary.ctx -l sha256:0,1,2,3,4,5,6,7,8,9,10,12,13 -q "$nonce" -m peer.msg -s peer.sig -o peer.pcrs -F serialized
tpm2_flushcontext -t
run "$assay" import tpm2-tools -m peer.msg -s peer.sig -f peer.pcrs -u peer.pem --ima list --uefi "$firmware" -o peer.json
check 'evidence of tpm2-tools is imported' [ "$status" -eq 0 ]
run "$verifier" policy learn peer.json --ima
check 'a key of which nobody knows what it may do is not learned from' told 1 'where ak-attributes'
run "$verifier" policy learn peer.json --ima --ak-vouched
cp stdout peer-policy.json
run "$verifier" verify peer.json --nonce "$nonce" --ak peer.pem --ak-vouched --policy peer-policy.json
check 'and trusted, where somebody vouches for the key' trusted
check 'by the same values' [ "$(jq -S 'del(.description)' peer-policy.json)" = "$(jq -S 'del(.description)' policy.json)" ]

# The verifier keeps what the next verdict is compared with, without a log of assay's too.
run "$assay" enroll --ak ak.pem --machine-id m1 --records records --roots tpm/ek-root.pem \
	--intermediates tpm/ek-issuer.pem
check 'the machine is enrolled' [ "$status" -eq 0 ]
by_record() { # EVIDENCE
	run "$verifier" verify "$1" --nonce "$nonce" --device records/devices/m1.json --policy policy.json
}
by_record good.json
check 'and trusted by its record' trusted
quote next.json
by_record next.json
check 'once more' trusted
by_record good.json
check 'but not by the evidence of before' refused quote-counters

# ---------------------------------------------------------------- rules on the firmware's log

run "$verifier" policy learn good.json --ima --firmware
cp stdout rules.json
check 'rules are learned of what the log says' sh -c 'grep -q "the boot is known by rules on what the firmware.s log has of PCRs 0, 2, 4, 7, 8" stderr &&
	! grep -q "not trust" stderr'
check 'in the place of values' has rules.json '(.pcrs.values | keys | map(select(test(":(0|2|4|7|8)$"))) == []) and
	(.firmware.programs | keys == ["/EFI/SYSTEMD/SYSTEMD-BOOTX64.EFI", "/vmlinuz-linux-lts"]) and
	(.firmware.keys.dbx.contains | length == 77) and (.firmware.command_lines | length == 1)'
judge good.json --policy rules.json
check 'the machine is trusted by them' trusted
judge good.json --policy rules.json --json
check 'which know the boot' has stdout 'any(.checks[]; .name == "boot-known" and .result == "pass" and (.detail | startswith("PCR 0 by rules on its events")))'

jq '.firmware.command_lines = ["quiet root=*"]' rules.json >star.json
run "$verifier" policy lint star.json
check 'of a command line with a * lint says what else that takes' sh -c '[ "$1" -eq 1 ] &&
	grep -q "^warning: The .\*. in the command line \"quiet root=\*\" stands for further parameters" stdout' sh "$status"

# changed NUMBER OFFSET BYTES: the log with other bytes in that event
changed() {
	at=$("$verifier" replay uefi --events --json "$real" | jq ".firmware_events[$1].offset")
	cp "$real" changed.log
	chmod u+w changed.log
	printf '%b' "$3" | dd of=changed.log bs=1 seek=$((at + $2)) conv=notrunc 2>/dev/null
	firmware=$work/changed.log
}
boots() { # OUT: the machine boots, and quotes
	boot
	run_file /usr/bin/init
	run_file /usr/bin/sh
	run_file /usr/bin/tool
	quote "$1"
}
real=$firmware
# The digest in SHA-256, behind the head and that in SHA-1.
changed 23 36 '\001\002\003\004'
boots kernel.json
judge kernel.json --policy rules.json
check 'another kernel is refused, in words' refused firmware-programs 'event 23 of PCR 4 is sha256:01020304.*/vmlinuz-linux-lts'
run "$verifier" policy diff good.json kernel.json
check 'diff says what is another' sh -c '[ "$1" -eq 1 ] && grep -q "^PCR  4  programs  *the kernel .*vmlinuz-linux-lts.* is another$" stdout && [ "$(wc -l <stdout)" -eq 1 ]' sh "$status"
run "$verifier" policy diff good.json "$real" --json
check 'and nothing of the same boot' sh -c '[ "$1" -eq 0 ] && jq -e ".ok and .changes == []" stdout >/dev/null' sh "$status"
jq '.waive["firmware-programs"] = "a test"' rules.json >waived.json
judge kernel.json --policy waived.json --json
check 'a rule can be waived by itself, which makes the boot unknown here' has stdout '(.trusted | not) and
	[.checks[] | select(.required and .result != "pass") | .name] == ["boot-known"]'
changed 24 36 '\001\002\003\004'
boots line.json
judge line.json --policy rules.json
check 'a command line that the log does not prove' refused firmware-command-line 'event 24 of PCR 8 is not proven by its digests'
changed 7 36 '\001\002\003\004'
boots dbx.json
judge dbx.json --policy rules.json
check 'a dbx that the log does not prove' refused firmware-keys 'event 7 of PCR 7 comes before its separator, and its digests are not of its data'
firmware=$real
boots again.json
judge again.json --policy rules.json
check 'the next boot is trusted' trusted

# ---------------------------------------------------------------- the tamperings

echo '{"assay": 1, "type": "policy"}' >usual.json
judge good.json --policy usual.json --waive boot-known
check '1: without a policy that says so: refused' refused evidence-logs "no log of assay's"
check 'with advice that fits' grep -q 'of a device that has none, let the policy say so' stdout
check 'and no word of damage' sh -c '! grep -qi damage stdout'
jq 'del(.logs.ima)' good.json >changed.json
judge changed.json --policy policy.json
check '2: the list is left out' refused evidence-logs 'no list of IMA'
jq 'del(.logs.uefi)' good.json >changed.json
judge changed.json --policy policy.json
check "3: the firmware's log is left out" refused evidence-logs 'no log of the firmware'

# changed NAME OFFSET BYTE: the evidence's log with a byte changed
flip() { # MEMBER OFFSET
	jq -r ".logs.$1.data" good.json | base64 -d >log.bin
	printf '\377' | dd of=log.bin bs=1 seek="$2" conv=notrunc status=none
	jq --arg data "$(base64 -w 0 log.bin)" ".logs.$1.data = \$data" good.json >changed.json
	judge changed.json --policy policy.json
}
size=$(jq -r .logs.ima.data good.json | base64 -d | wc -c)
flip ima $((size - 20))
check '4: a byte of an entry is changed' refused ima-log-digests /usr/bin/tool
entry=$(grep -abo -m 1 /usr/bin/init list | head -n 1 | cut -d : -f 1)
# From that entry on, nothing: an entry before it in the file begins with the PCR.
jq -r .logs.ima.data good.json | base64 -d >log.bin
python3 - "$entry" <<'END' >short.bin
import struct, sys
data = open("log.bin", "rb").read()
at = 0
while at < len(data):
    name = struct.unpack_from("<I", data, at + 24)[0]
    size = 32 + name + struct.unpack_from("<I", data, at + 28 + name)[0]
    if not at < int(sys.argv[1]) < at + size:
        sys.stdout.buffer.write(data[at:at + size])
    at += size
END
jq --arg data "$(base64 -w 0 short.bin)" '.logs.ima.data = $data' good.json >changed.json
judge changed.json --policy policy.json
check '5: an entry is left out' refused ima-log-replay
jq --arg data "$(head -c -9 log.bin | base64 -w 0)" '.logs.ima.data = $data' good.json >changed.json
judge changed.json --policy policy.json
check '6: the list is cut' refused ima-log-parsed
flip uefi 110
check "7: a digest of the firmware's log is changed" refused uefi-log-replay
jq --arg data "$(head -c -9 "$firmware" | base64 -w 0)" '.logs.uefi.data = $data' good.json >changed.json
judge changed.json --policy policy.json
check "8: the firmware's log is cut" refused uefi-log-parsed
jq '.pcrs.sha256["4"] = .pcrs.sha256["5"]' good.json >changed.json
judge changed.json --policy policy.json
check '9: a value beside the quote is changed' refused pcr-digest
run "$verifier" verify good.json --nonce "$(head -c 20 /dev/urandom | xxd -p)" --ak ak.pub --policy policy.json
check '10: an old quote' refused quote-nonce
check '    and nothing else is blamed, which could only not be made since' \
	[ "$(grep -c '^not checked' stdout)" = 0 ]
run "$assay" key create --restricted --out other.pem --public other.pub
run "$verifier" verify good.json --nonce "$nonce" --ak other.pub --policy policy.json
check "11: another machine's" refused ak-expected
quote narrow.json --pcrs 0,1,2,3,4,5,6,7,8,9
judge narrow.json --policy policy.json
check '12: PCR 10 is not quoted' refused pcr-required

# On the machine: the TPM holds what happened, and the list tells it.
cp list good.list
cp root/usr/bin/tool root/usr/bin/backdoor
run_file /usr/bin/backdoor
quote bad.json
judge bad.json --policy policy.json
check '13: a file that nobody knows was run' refused ima-files-known /usr/bin/backdoor
cp list backdoor.list
cp good.list list
quote bad.json
judge bad.json --policy policy.json
check '14: and its entry is kept back' refused ima-log-replay
cp backdoor.list list
echo exchanged >root/usr/bin/sh
run_file /usr/bin/sh
quote bad.json
judge bad.json --policy policy.json
check '15: a file was exchanged' refused ima-files-match '/usr/bin/sh: IMA measured'
echo exchanged >root/usr/bin/tool
run_file /usr/bin/tool
quote bad.json
judge bad.json --policy signed.json
check '16: a signed file was exchanged' refused ima-signatures /usr/bin/tool
tpm2_pcrextend 12:sha256="$(head -c 32 /dev/urandom | xxd -p -c 32)"
quote bad.json
run "$verifier" policy learn bad.json
check 'what systemd-stub measured is learned as well' [ "$(jq '.pcrs.values["sha256:12"] | length' stdout)" -eq 1 ]
judge bad.json --policy boot.json
check '17: something was given to systemd-stub beside its image' refused pcr-values 'PCR 12'
boot
tpm2_pcrextend 13:sha256="$(head -c 32 /dev/urandom | xxd -p -c 32)"
quote bad.json
judge bad.json --policy boot.json
check '    or a system extension' refused pcr-values 'PCR 13'
tpm2_pcrextend 4:sha256="$(head -c 32 /dev/urandom | xxd -p -c 32)"
quote bad.json
judge bad.json --policy boot.json
check '18: another boot loader' refused pcr-values 'PCR 4'
boot "$(head -c 32 /dev/urandom | xxd -p -c 32)"
quote bad.json
judge bad.json --policy signed.json
check "19: IMA's list of another boot" refused ima-boot-aggregate
jq 'del(.pcrs) | .waive = {"boot-known": "a test"} | del(.ima)' policy.json >nothing.json
boot
quote good.json
judge good.json --policy nothing.json
check '20: nothing to compare with' refused reference-values
run "$verifier" policy lint nothing.json
check 'of which lint warns' grep -q '^warning: There is nothing to compare with' stdout
judge good.json --policy boot.json
check 'and the next boot is trusted again' trusted

# ---------------------------------------------------------------- the shim's PCR, which is the module's as well

anchor() { # as the module does with each record, also where its log is left out of the evidence
	tpm2_pcrextend 14:sha256="$(head -c 32 /dev/urandom | xxd -p -c 32)"
}
anchor
quote anchored.json
run "$verifier" policy learn anchored.json
check 'a PCR 14 that the log of the firmware does not have is not learned, and told' sh -c '
	[ "$(jq -c "[.pcrs.values | keys[] | select(endswith(\":14\"))]" stdout)" = "[]" ] &&
	grep -q "the value of PCR 14 is not learned, as no log of the firmware comes to it" stderr &&
	! grep -q "not trust" stderr'
cp stdout anchored-policy.json
judge anchored.json --policy anchored-policy.json
check 'the machine is trusted' trusted
anchor
quote anchored.json
judge anchored.json --policy anchored-policy.json
check 'and after the next record, too' trusted
firmware=$data/tpm2tools-event-moklisttrusted.bin
boot
quote shim.json
run "$verifier" policy learn shim.json
check 'what the shim has of keys, and its log says, is learned' [ "$(jq '.pcrs.values["sha256:14"] | length' stdout)" -eq 1 ]
cp stdout shim-policy.json
judge shim.json --policy shim-policy.json
check 'and trusted' trusted
anchor
quote shim.json
judge shim.json --policy shim-policy.json
check 'and other keys are not' refused '.*' 'PCR 14'
run "$verifier" policy learn shim.json
cp stdout shim-policy.json
check 'with the module beside it, the value is not learned' [ "$(jq '.pcrs.values["sha256:14"] | length' stdout)" -eq 0 ]
anchor
quote shim.json
judge shim.json --policy shim-policy.json
check 'and the next record is trusted' trusted
