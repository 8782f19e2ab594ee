#!/bin/sh
# SPDX-License-Identifier: MIT
# A Debian 13 device from its firmware on: assay is installed in it, Secure Boot starts systemd-boot and a
# unified kernel image, the initramfs measures what a signed manifest names, the service goes on, and a
# verifier judges the whole of it, also after another boot and with a new kernel; then attacks at each
# stage. `make demo-device` builds all it needs.
#
# device.sh [--short]: prints a line and a time for each step, then what each stage vouches for and which
# check caught each attack; exits with 0 only if every expectation held. --short does with two boots: the
# second is that of the new kernel, and that is the attack. All of it is below build/device.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD

short_form=false
case ${1:-} in
--short) short_form=true ;;
'') ;;
*)
	echo "usage: tests/e2e/device.sh [--short]" >&2
	exit 2
	;;
esac
out=build/device
assay=build/host/assay
here=tests/e2e
kernel=build/kernel/4k
packages=build/package/trixie-arm64

rm -rf "$out"
mkdir -p "$out"
. tests/swtpm.sh
tpm_work assay-device
. tests/secure-boot.sh
. tests/e2e/initramfs.sh
. tests/e2e/steps.sh

# ---------------------------------------------------------------- before the device boots

make_tpm() {
	trap tpm_stop EXIT # of the shell that is this step
	qemu/make-tpm "$work/tpm" sha256
	tpm_start "$work/tpm"
	"$assay" key create --restricted --tcti "swtpm:path=$work/tpm.sock" --out "$work/ak.pem" --public "$out/ak.pub"
	rm -f "$work/tpm.sock" "$work/tpm.sock.ctrl"
	echo "a swtpm with one bank, sha256; the device's attestation key made in it"
}

# Programs of the root and of assay's packages, as they will be on the device.
sign() {
	mkdir "$work/packages"
	cp "$packages"/assay_*.deb "$packages"/assay-verify_*.deb build/boot-tools/packages/*.deb "$work/packages/"
	(cd "$work/packages" && dpkg-scanpackages --multiversion . >Packages)
	for package in "$packages"/assay_*.deb "$packages"/assay-verify_*.deb; do
		dpkg -x "$package" "$work/packaged"
	done
	cp --sparse=always build/device-root/root.ext4 "$work/root.ext4"
	mkdir -p "$work/tree/usr/bin" "$work/tree/usr/sbin" "$work/etc/measure.d" "$work/etc/certificates"
	for program in bash curl dash fsverity jq systemctl tpm2; do
		debugfs -R "dump /usr/bin/$program $work/tree/usr/bin/$program" "$work/root.ext4" 2>/dev/null
	done
	cp "$work"/packaged/usr/bin/* "$work/tree/usr/bin/"
	cp "$work/packaged/usr/sbin/assayd" "$work/tree/usr/sbin/"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=device signer' -days 30 \
		-keyout "$work/signer" -out "$out/signer.pem" 2>/dev/null
	"$assay" sign --key "$work/signer" --cert "$out/signer.pem" --root "$work/tree" \
		--manifest "$out/manifest.jsonl" /usr/bin /usr/sbin
	cp "$out/manifest.jsonl" "$out/manifest.jsonl.p7s" "$work/etc/"
	cp "$out/signer.pem" "$work/etc/certificates/"
	cp qemu/guest/initrd/measure.conf "$work/etc/measure.d/10.conf"
	echo "$(($(wc -l <"$out/manifest.jsonl") - 1)) programs in a signed manifest"
}

install_it() {
	qemu/run-guest --flavour 4k --plain --disk "$work/root.ext4" --root-disk /dev/vda --memory 2G \
		--init $here/device-install-guest.sh --file "$work/packages=/bed/repository" --file "$work/etc=/bed/etc" --file "$work/ak.pem=/bed/ak.pem" \
		--file "$work/modules=/bed/device-modules" --file build/guest/init=/bed/service-init \
		--file tests/check.sh=/bed/check.sh --file tests/system/system.sh=/bed/system.sh \
		--file $here/device-boot-guest.sh=/bed/boot-test --timeout 1800 --out "$out/install"
	sed -n 's/^ii *\([^ ]*\) *\([^ ]*\) .*/\1 \2/p' "$out/install/files/installed" | tr '\n' ' '
	echo 'by apt; fs-verity on for what the manifest names'
}

# The kernel's command line: the bed's words, then the device's own.
command_line='console=ttyAMA0 panic=-1 oops=panic panic_on_warn=1 bed_init=/bed/boot-test systemd.show_status=error'
command_line="$command_line root=LABEL=device rw ima_policy=critical_data assay.region=auto"

# uki NAME KERNEL INITRD COMMAND-LINE: signed, as the firmware wants it
uki() {
	qemu/make-uki "$work/$1.unsigned" "$2" "$3" "$(cat "$kernel/release")" "$4"
	secure_boot_kernel "$work/$1.unsigned" "$work/$1.efi"
	rm "$work/$1.unsigned"
}

# esp NAME UKI: the disk that the firmware boots from
esp() {
	qemu/make-esp "$work/$1.esp" "EFI/BOOT/BOOTAA64.EFI=$work/systemd-boot.efi" \
		"loader/loader.conf=$work/loader.conf" "EFI/Linux/device-1.efi=$work/$2.efi"
}

make_images() {
	secure_boot_kernel build/boot-tools/systemd-bootaa64.efi "$work/systemd-boot.efi"
	echo 'timeout 0' >"$work/loader.conf"
	initramfs_list "$work/contents"
	initramfs_tree "$work/contents" "$out/signer.pem" continue "$work/packaged"
	mkdir "$work/modules"
	for module in build/kmod/4k/assay.ko "$kernel/modules/tpm_tis.ko"; do
		secure_boot_module "$module" "$work/modules/${module##*/}"
		initramfs_module "$work/contents" "$work/modules/${module##*/}"
	done
	cp build/boot-tools/modules/*.ko "$work/modules/"
	initramfs_append "$work/initrd"
	uki first "$kernel/Image" "$work/initrd" "$command_line"
	esp first first
	echo "systemd-boot and a unified kernel image of $(stat -c %s "$work/first.efi" | numfmt --to=iec)B, signed for Secure Boot"
}

# ---------------------------------------------------------------- the device boots

# boot NAME ESP [TPM ROOT]: with a nonce of its own; without TPM and ROOT the device itself, else copies of it
boot() {
	openssl rand -hex 32 >"$work/nonce-$1"
	cp --sparse=always /usr/share/AAVMF/AAVMF_VARS.snakeoil.fd "$work/variables"
	debugfs -w -R 'rm /bed/nonce' "${4:-$work/root.ext4}" 2>/dev/null
	debugfs -w -R "write $work/nonce-$1 /bed/nonce" "${4:-$work/root.ext4}" 2>/dev/null
	qemu/run-guest --flavour 4k --firmware uefi --variables "$work/variables" --boot "$work/$2.esp" \
		--system "${4:-$work/root.ext4}" --tpm "${3:-$work/tpm}" --timeout 1800 --out "$out/$1"
}

# counted NAME: what the TAP of that boot comes to
counted() {
	grep -c '^ok' "$out/$1/result.tap"
}

# In the short form it installs the new kernel once it has been quoted.
boot_first() {
	! $short_form || offer_package
	boot first first
	echo "$(counted first) checks in it; $(wc -c <"$out/first/files/evidence.json") bytes of evidence"
}

judge() { # NAME POLICY
	"$assay" verify "$out/$1/files/evidence.json" --nonce "$(cat "$work/nonce-$1")" --ak "$out/ak.pub" \
		--policy "$2" --json >"$out/verdict-$1.json"
}

trusted() { # NAME POLICY
	judge "$1" "$2" || {
		jq -r '.checks[] | select(.required and .result != "pass") | "\(.name): \(.detail)"' "$out/verdict-$1.json"
		return 1
	}
	jq -r '.sentence' "$out/verdict-$1.json"
}

# learn NAME: policy-NAME.json from that boot; it names the manifest beside it
learn() {
	(cd "$out" && "$top/$assay" policy learn --firmware --ima "$1/files/evidence.json" --manifest manifest.jsonl \
		--cert signer.pem >"policy-$1.json")
}

learn_first() {
	learn first
	trusted first "$out/policy-first.json"
}

# ---------------------------------------------------------------- a new kernel, by apt

# change_kernel FILE: Debian's, but for a byte between its headers and its code that nothing uses
change_kernel() {
	cp "$kernel/Image" "$1"
	printf 'x' | dd of="$1" bs=1 seek=32768 conv=notrunc 2>/dev/null
}

# What a vendor makes of a new kernel: a package with its image, signed, and its modules.
make_package() {
	change_kernel "$work/new-kernel"
	uki second "$work/new-kernel" "$work/initrd" "$command_line"
	qemu/make-kernel-package "$work/repository" 2 "$work/second.efi"
	grep '^Filename' "$work/repository/Packages"
}

offer_package() {
	for file in "$work/repository"/*; do
		debugfs -w -R "write $file /srv/${file##*/}" "$work/root.ext4" 2>/dev/null
	done
}

# In the long form this one installs the new kernel.
boot_second() {
	offer_package
	boot second first
	trusted second "$out/policy-first.json"
}

# failed_checks NAME: the required ones, in a line
failed_checks() {
	jq -r '[.checks[] | select(.required and .result != "pass") | .name] | sort | join(" ")' "$out/verdict-$1.json"
}

# What is another is named; once it is known to be wanted, it is learned.
boot_third() {
	boot third first
	judge third "$out/policy-first.json" || :
	[ "$(failed_checks third)" = 'firmware-programs firmware-sections' ] || {
		echo "these checks failed: $(failed_checks third)"
		return 1
	}
	"$assay" policy diff "$out/first/files/evidence.json" "$out/third/files/evidence.json" || [ $? -eq 1 ]
	jq -r '.checks[] | select(.name == "firmware-sections") | .detail' "$out/verdict-third.json"
}

learn_third() {
	learn third
	mv "$out/verdict-third.json" "$out/verdict-kernel.json"
	trusted third "$out/policy-third.json"
}

# ---------------------------------------------------------------- attacks

# attacked NAME UKI [DEBUGFS-COMMAND...]: boots a copy of the device with these images and changes of its
# disk, and judges it by the policy of the first boot
attacked() {
	attacked_name=$1 attacked_uki=$2
	shift 2
	cp --sparse=always "$work/installed.ext4" "$work/attacked.ext4"
	rm -rf "$work/attacked-tpm"
	cp -r "$work/tpm" "$work/attacked-tpm"
	esp "$attacked_name" "$attacked_uki"
	for attacked_command; do
		debugfs -w -R "$attacked_command" "$work/attacked.ext4" 2>/dev/null
	done
	boot "$attacked_name" "$attacked_name" "$work/attacked-tpm" "$work/attacked.ext4"
	rm "$work/attacked.ext4" "$work/$attacked_name.esp"
	! judge "$attacked_name" "$out/policy-first.json" || return 1
	failed_checks "$attacked_name"
}

# caught NAME BOOT CHECK WORDS TITLE: by that check, which says so
caught() {
	caught_by=$(jq -r --arg name "$3" '.checks[] | select(.name == $name and .result == "fail") | .detail' "$out/verdict-$2.json" |
		tr '\n' ' ')
	case $caught_by in
	*"$4"*) attack true "$1" "$5" "$3: $caught_by" ;;
	*) attack false "$1" "$5" "not by $3: $(failed_checks "$2")" ;;
	esac
}

# An initramfs of somebody else's: before the module is loaded, it extends its PCR by TPM2_PCR_Extend.
make_initrd() {
	initrd_load=$work/fresh/usr/lib/assay/initrd-load
	{
		echo '#!/bin/sh'
		echo 'modprobe tpm_tis'
		printf "printf '%s' >/dev/tpm0\n" '\200\002\000\000\000\101\000\000\001\202\000\000\000\016\000\000\000\011\100\000\000\011\000\000\000\000\000\000\000\000\001\000\013aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
		cat "$work/packaged/usr/lib/assay/initrd-load"
	} >"$initrd_load"
	initramfs_append "$work/other-initrd"
}

# What goes together is done together.
attack_stages() {
	make_initrd
	uki other-initrd "$kernel/Image" "$work/other-initrd" "$command_line"
	attacked initrd other-initrd 'rm /usr/bin/jq' 'ln /root/changed /usr/bin/jq'
	uki other-line "$kernel/Image" "$work/initrd" "$command_line module_blacklist=assay"
	attacked line other-line
	sed 's#"path":"/usr/bin/jq"#"path":"/usr/bin/jo"#' "$out/manifest.jsonl" >"$work/manifest"
	attacked manifest first 'rm /etc/assay/manifest.jsonl' "write $work/manifest /etc/assay/manifest.jsonl"
}

judge_attacks() {
	caught kernel kernel firmware-sections .linux 'another kernel'
	! $short_form || return 0
	caught initrd initrd firmware-sections .initrd 'another initramfs'
	caught pcr14 initrd assay-log-start '' 'PCR 14 extended before the module'
	caught file initrd files-match /usr/bin/jq 'a file that was changed while the device was off'
	caught line line firmware-sections .cmdline 'another command line'
	caught module line evidence-logs '' 'the module not loaded'
	caught manifest manifest files-complete /usr/bin/ 'a manifest that was changed'
}

# ---------------------------------------------------------------- what each stage vouches for

# stage NAME SECONDS WHAT
stage() {
	printf '%-14s %8s  %s\n' "$1" "$2" "$3"
}

seconds_between() { # FROM TO: of microseconds
	awk -v from="$1" -v to="$2" 'BEGIN { printf "%.2f", (to - from) / 1e6 }'
}

# of_policy FILTER: of what was learned of the first boot
of_policy() {
	jq -r "$1" "$out/policy-first.json"
}

time_of() { # NAME: microseconds
	sed -n "s/^$1=//p" "$out/first/files/times"
}

show_stages() {
	files=$out/first/files
	started=$(sed -n 's/^\[ *\([0-9.]*\)\] Run \/init as init process.*/\1/p' "$out/first/console.log" | tr -d .)
	loader=$(time_of LoaderTimestampMonotonic) userspace=$(time_of UserspaceTimestampMonotonic)
	printf '\n%-14s %8s  %s\n' stage seconds 'what vouches for it'
	stage firmware "$(seconds_between "$loader" "$(time_of FirmwareTimestampMonotonic)")" \
		"PCR 0: $(of_policy '.firmware.platform | length') measurements of itself; PCR 7: Secure Boot $(of_policy .firmware.secure_boot), and whose keys"
	stage 'boot loader' "$(seconds_between 0 "$loader")" \
		"PCR 4: $(of_policy '.firmware.programs | keys | join(", ")'), by their Authenticode digests"
	stage kernel "$(seconds_between 0 "$started")" "PCR 11, section .linux: $(section .linux)"
	stage 'command line' '' "PCR 11, section .cmdline: $(section .cmdline)"
	stage initramfs "$(seconds_between "$started" "$userspace")" "PCR 11, section .initrd: $(section .initrd)"
	stage 'stage 1' "$(jq -r '.took_ms / 1000' "$files/stage1.json")" \
		"PCR 14: $(jq -r .measured_count "$files/stage1.json") files of a signed manifest, by their fs-verity digests"
	stage service "$(seconds_between "$userspace" "$(time_of assayd)")" \
		"PCR 14: $(jq -r .parts.measure.last_pass.known_count "$files/state.json") files known from stage 1; ready before sysinit.target"
	stage IMA '' "PCR 14: $(jq -r .parts.ima.mirrored_count "$files/state.json") entries of its list, which bypassed the TPM, mirrored"
}

section() { # NAME: its digest, the beginning of it
	of_policy ".firmware.sections[\"$1\"][0][:24] + \"...\""
}

# ---------------------------------------------------------------- the demonstration

step provision 'make a TPM' make_tpm
step sign 'assay sign' sign
step images 'systemd-boot, a unified kernel image' make_images
step install 'device: install assay' install_it
cp --sparse=always "$work/root.ext4" "$work/installed.ext4"
step package 'a package with a new kernel' make_package
step first 'device: boot' boot_first
step learn 'assay policy learn' learn_first
$short_form || step second 'device: boot again' boot_second
step third 'device: boot with the new kernel' boot_third
step relearn 'assay policy learn' learn_third
$short_form || step attacks 'device: boot after attacks' attack_stages
judge_attacks
show_stages
show_attacks
printf '\n%s\n' "$(jq -s -r '"\(map(select(.caught)) | length) of \(length) attacks caught"' "$out/attacks")"
jq -s -e 'map(.caught) | all' "$out/attacks" >/dev/null
