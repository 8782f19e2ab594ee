#!/bin/sh
# SPDX-License-Identifier: MIT
# The whole chain on real input: sign with a TPM, boot, enable, measure, quote,
# verify, and six attacks that must be caught. `make demo` builds all it needs.
#
# Prints a line and a time for each step, writes build/demo/report.{json,html}, and
# exits with 0 only if every expectation held.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

out=build/demo
assay=build/host/assay
verify=build/host/assay-verify
sysroot=build/sysroot
here=tests/e2e

rm -rf "$out"
mkdir -p "$out/guest"
. tests/swtpm.sh
tpm_work assay-demo

. tests/e2e/steps.sh

# ---------------------------------------------------------------- the steps

make_tpms() {
	trap tpm_stop EXIT # of the shell that is this step
	qemu/make-tpm "$work/signer" sha256
	qemu/make-tpm "$work/device" sha256,sha384
	# What a factory does: the device's attestation key is made before it is shipped,
	# and the verifier keeps its public half.
	tpm_start "$work/device"
	"$assay" key create --restricted --tcti "swtpm:path=$work/device.sock" \
		--out "$work/ak.pem" --public "$out/ak.pub"
	tpm_stop
	echo "a signer's and a device's swtpm; the device's attestation key made in it"
}

make_key() {
	"$assay" key create --tcti "swtpm:path=$work/signer.sock" --subject 'assay demo signer' \
		--out "$work/key.pem" --cert "$out/cert.pem"
	openssl x509 -in "$out/cert.pem" -noout -ext subjectKeyIdentifier,keyUsage
	openssl verify -CAfile "$out/cert.pem" -check_ss_sig "$out/cert.pem" >/dev/null
	echo "ECDSA P-256 in the TPM, certificate with subject key id and digitalSignature"
}

# The programs the guest runs and all that they load, on a merged /usr.
stage() {
	mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/dev" "$root/proc" \
		"$root/sys" "$root/run" "$root/tmp" "$root/etc" "$root/out" "$root/demo/other" \
		"$root/demo/extra" "$root/opt/other" "$root/opt/extra"
	for directory in bin sbin lib; do
		ln -s "usr/$directory" "$root/$directory"
	done
	for program in busybox tpm2 openssl keyctl fsverity; do
		for directory in usr/bin bin; do
			[ ! -f "$sysroot/$directory/$program" ] ||
				install -m 755 "$sysroot/$directory/$program" "$root/usr/bin/"
		done
	done
	install -m 755 build/arm64/assay build/arm64/assayd-plain "$root/usr/bin/"
	libraries=$sysroot/usr/lib/aarch64-linux-gnu
	qemu/elf-closure "$sysroot" "$root"/usr/bin/* "$libraries"/libtss2-tcti-device.so.0 \
		"$libraries"/ossl-modules/*.so "$libraries"/engines-3/*.so >"$work/libraries"
	while read -r library; do
		target=$root/usr/${library#usr/}
		mkdir -p "${target%/*}"
		cp -L "$sysroot/$library" "$target"
	done <"$work/libraries"
	cp "$root/usr/bin/busybox" "$root/opt/other/"
	cp "$root/usr/bin/busybox" "$root/opt/extra/"
}

sign() {
	stage
	sign_with() { # sign_with DIRECTORY PATH: by the signer's TPM
		"$assay" sign --key "$work/key.pem" --cert "$out/cert.pem" \
			--tcti "swtpm:path=$work/signer.sock" --root "$root" \
			--manifest "$1/manifest.jsonl" "$2"
	}
	sign_with "$root/demo" usr
	sign_with "$root/demo/extra" opt/extra
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 \
		-subj '/CN=not the signer' -keyout "$work/other.pem" -out "$work/other-cert.pem" \
		2>"$work/req.log" || { cat "$work/req.log"; return 1; }
	"$assay" sign --key "$work/other.pem" --cert "$work/other-cert.pem" --root "$root" \
		--manifest "$root/demo/other/manifest.jsonl" opt/other
	cp "$root/demo/manifest.jsonl" "$root/demo/manifest.jsonl.p7s" "$out/"
	tail -n +2 "$out/manifest.jsonl" |
		jq -s '{file_count: length, bytes: (map(.size) | add)}' >"$out/signed.json"
	jq -e '.file_count >= 40 and .bytes >= 20e6' "$out/signed.json" >/dev/null ||
		{ echo "too little to sign: $(cat "$out/signed.json")"; return 1; }
	jq -r '"\(.file_count) files, \(.bytes / 1048576 | round) MiB: a signature each, and a signed manifest"' \
		"$out/signed.json"
}

# The disk, and which of its blocks holds data of a file that is later damaged.
make_disk() {
	cp "$out/cert.pem" "$work/ak.pem" build/kmod/64k/assay.ko build/kmod/64k/scribble.ko \
		"$root/demo/"
	install -m 755 "$here/demo-guest.sh" "$root/demo/"
	for nonce in good unknown flipped; do
		openssl rand -hex 32 >"$work/nonce-$nonce"
	done
	cat >"$root/demo/demo.conf" <<-END
		NONCE_GOOD=$(cat "$work/nonce-good")
		NONCE_UNKNOWN=$(cat "$work/nonce-unknown")
		NONCE_FLIPPED=$(cat "$work/nonce-flipped")
		FLIP_PATH=/usr/bin/openssl
	END
	echo 0 >"$root/demo/flip-block"
	mke2fs -q -t ext4 -b 4096 -O verity -E root_owner=0:0 -d "$root" "$work/disk.img" 128M
	block=$(debugfs -R 'bmap /usr/bin/openssl 50' "$work/disk.img" 2>/dev/null)
	[ "$block" -gt 0 ]
	printf '%s\n' "$block" >"$work/flip-block"
	debugfs -w -R "rm /demo/flip-block" "$work/disk.img" 2>/dev/null
	debugfs -w -R "write $work/flip-block /demo/flip-block" "$work/disk.img" 2>/dev/null
	echo "ext4 with the verity feature, $(stat -c %s "$work/disk.img" | numfmt --to=iec) bytes"
}

# ---------------------------------------------------------------- the guest

guest_title() {
	case $1 in
	load) echo 'device: load assay.ko' ;;
	certificate) echo 'device: certificate to the kernel' ;;
	enable) echo 'device: assay enable' ;;
	measure) echo 'device: assay measure' ;;
	serve) echo 'device: assayd' ;;
	quote) echo 'device: assay quote' ;;
	other-key) echo 'attack: signature by another key' ;;
	unknown-file) echo 'attack: file no manifest knows' ;;
	flipped-bit) echo 'attack: bit flipped on the disk' ;;
	scribble) echo 'attack: write to a page of the log' ;;
	*) echo "device: $1" ;;
	esac
}

# guest_line LINE: a line of the guest's TAP, as it comes
guest_line() {
	case $1 in
	'ok '*' - '*) guest_ok=true ;;
	'not ok '*' - '*) guest_ok=false ;;
	*) return 0 ;;
	esac
	guest_rest=${1#*' - '}
	guest_name=${guest_rest%% *}
	guest_seconds=${guest_rest#*'['}
	guest_detail=${guest_seconds#*'] '}
	guest_seconds=${guest_seconds%%']'*}
	told "$guest_ok" "$guest_name" "$guest_seconds" "$(guest_title "$guest_name")" "$guest_detail"
	case $guest_name in
	other-key) attack "$guest_ok" "$guest_name" 'a signature by another key' "the kernel, when enabling: $guest_detail" ;;
	scribble) attack "$guest_ok" "$guest_name" 'a write to a page of the log through the linear map' "the page's permission: $guest_detail" ;;
	esac
}

boot() {
	boot_from=$(milliseconds)
	: >"$out/guest/result.tap"
	qemu/run-guest --flavour 64k --memory 4G --tpm "$work/device" --region auto \
		--disk "$work/disk.img" --root-disk /dev/vda --init-path /demo/demo-guest.sh \
		--append 'ima_policy=tcb bdev_allow_write_mounted=1' --timeout 150 --out "$out/guest" >"$out/guest.log" 2>&1 &
	boot_pid=$!
	boot_lines=0
	while :; do
		boot_alive=true
		kill -0 "$boot_pid" 2>/dev/null || boot_alive=false
		boot_have=$(wc -l <"$out/guest/result.tap" 2>/dev/null || echo 0)
		if [ "$boot_lines" -eq 0 ] && [ "$boot_have" -gt 0 ]; then
			told true boot "$(seconds_since "$boot_from")" 'device: boot' \
				'64K pages, 4 GiB, IMA, TPM, ext4 as root'
		fi
		if [ "$boot_have" -gt "$boot_lines" ]; then
			sed -n "$((boot_lines + 1)),${boot_have}p" "$out/guest/result.tap" >"$work/new"
			while read -r boot_line; do
				guest_line "$boot_line"
			done <"$work/new"
			boot_lines=$boot_have
		fi
		[ "$boot_alive" = true ] || break
		sleep 0.1
	done
	if ! wait "$boot_pid"; then
		tail -n 45 "$out/guest.log"
		told false boot "$(seconds_since "$boot_from")" 'device: all steps' 'see build/demo/guest.log'
		exit 1
	fi
}

# ---------------------------------------------------------------- the verifier

# verified NAME NONCE EVIDENCE: the verdict goes to NAME.json; the verifier's status. QEMU starts the
# kernel by itself, so no firmware measures what is booted, and the boot is not judged.
verified() {
	verified_status=0
	"$verify" verify "$3" --nonce "$2" --ak "$out/ak.pub" --manifest "$out/manifest.jsonl" \
		--cert "$out/cert.pem" --waive boot-known --json >"$out/verdict-$1.json" || verified_status=$?
	return "$verified_status"
}

verify_good() {
	verified good "$(cat "$work/nonce-good")" "$evidence" || {
		jq -r '.checks[] | select(.result != "pass") | "\(.name): \(.result): \(.detail)"' \
			"$out/verdict-good.json"
		return 1
	}
	jq -e '.trusted' "$out/verdict-good.json" >/dev/null
	# For people, the same once more.
	"$assay" verify "$evidence" --nonce "$(cat "$work/nonce-good")" --ak "$out/ak.pub" \
		--manifest "$out/manifest.jsonl" --cert "$out/cert.pem" --waive boot-known
	jq -r '[.checks[] | select(.result == "pass") | .name] | join(" ")' "$out/verdict-good.json" |
		fold -s -w 92 >"$work/passed"
	jq -r '"\(.sentence): \([.checks[] | select(.required and .result == "pass")] | length) of \([.checks[] | select(.required)] | length) required checks passed, of others \([.checks[] | select(.required | not) | select(.result == "pass")] | length)"' \
		"$out/verdict-good.json"
}

# refused ATTACK CHECK TITLE NONCE EVIDENCE: the verifier must say no, and by that check
refused() {
	refused_from=$(milliseconds)
	refused_status=0
	verified "$1" "$4" "$5" 2>"$out/refused-$1.log" || refused_status=$?
	refused_by=$(jq -r --arg name "$2" '.checks[] |
		select(.name == $name and .result == "fail") | "\(.name): \(.detail)"' \
		"$out/verdict-$1.json" 2>/dev/null | head -n 1)
	if [ "$refused_status" -eq 1 ] && [ -n "$refused_by" ]; then
		refused_ok=true
	else
		refused_ok=false
		refused_by="status $refused_status, and $2 did not fail"
	fi
	attack "$refused_ok" "$1" "$3" "assay verify, $refused_by"
	told "$refused_ok" "refuse-$1" "$(seconds_since "$refused_from")" "assay verify refuses: $1" "$refused_by"
}

# One byte of one path in the log, in the evidence only.
forge() {
	jq -r .logs.assay.cel "$evidence" | base64 -d >"$work/cel"
	forge_at=$(grep -abo -m 1 /usr/bin/busybox "$work/cel" | head -n 1 | cut -d: -f1)
	printf X | dd of="$work/cel" bs=1 seek=$((forge_at + 9)) conv=notrunc 2>/dev/null
	base64 -w 0 "$work/cel" >"$work/cel.b64"
	jq --rawfile cel "$work/cel.b64" '.logs.assay.cel = $cel' "$evidence" >"$out/evidence-forged.json"
}

# ---------------------------------------------------------------- the demo

started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
demo_from=$(milliseconds)
root=$work/root

step provision 'make two TPMs' make_tpms
tpm_start "$work/signer"
step key 'assay key create' make_key
step sign 'assay sign' sign
tpm_stop
step disk "the device's disk" make_disk
boot
evidence=$out/guest/files/evidence-good.json
step verify 'assay verify' verify_good
sed 's/^/                  /' "$work/passed"
refused unknown-file files-known 'a file that no manifest knows, measured' \
	"$(cat "$work/nonce-unknown")" "$out/guest/files/evidence-unknown.json"
refused flipped-bit files-measured 'a bit of a signed file flipped on the disk' \
	"$(cat "$work/nonce-flipped")" "$out/guest/files/evidence-flipped.json"
forge
refused forged-log assay-log-digests 'a byte of the log changed in the evidence' \
	"$(cat "$work/nonce-good")" "$out/evidence-forged.json"
refused old-nonce quote-nonce 'evidence with an old nonce' "$(openssl rand -hex 32)" "$evidence"

jq -n --slurpfile steps "$out/steps" --slurpfile attacks "$out/attacks" \
	--slurpfile signed "$out/signed.json" --slurpfile verdict "$out/verdict-good.json" \
	--slurpfile status "$out/guest/files/status.json" --arg started "$started" \
	--arg kernel "$(cat "$out/guest/files/kernel")" --argjson seconds "$(seconds_since "$demo_from")" \
	--arg version "$("$assay" --version | cut -d' ' -f2)" '{
		ok: (([$steps[].ok, $attacks[].caught, $verdict[0].trusted] | all) and
			($attacks | length) == 6),
		started: $started, seconds: $seconds, version: $version, kernel: $kernel,
		files: $signed[0].file_count, bytes: $signed[0].bytes, steps: $steps, attacks: $attacks,
		sentence: $verdict[0].sentence, checks: $verdict[0].checks, memory: $status[0]}' >"$out/report.json"
jq -r -f "$here/report.jq" "$out/report.json" >"$out/report.html"

show_attacks
printf '\n%s\n' "$(jq -r '"\(.files) files measured with one record, \(.attacks | map(select(.caught)) | length) of \(.attacks | length) attacks caught, \(.seconds) s. See build/demo/report.html"' "$out/report.json")"
jq -e .ok "$out/report.json" >/dev/null
