#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-boot: what measuring 2000 files with fs-verity adds to a boot: opening and reading them
# alone; after assay-initrd has measured them; and with IMA measuring each when it is opened
# (digest_type=verity). With the software TPM as it is, and with one that takes 5 ms for an extend.
# Each way's time is the least of three runs in one guest; ours and peer are what is added with the
# TPM of 5 ms. assay-initrd's is all of it: starting it, checking the signature of the manifest,
# finding the files, the call. ratio = IMA's over assay-initrd's.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=build/bench/boot
count=2000
runs=3

for run in assay $(seq $((2 * runs))); do
	mkdir -p "$work/root/bench/$run"
	awk -v count="$count" -v run="$run" -v dir="$work/root/bench/$run" 'BEGIN {
		for (i = 0; i < count; i++) {
			file = dir "/" i
			for (line = 0; line < 64 + i % 192; line++)
				printf "%8s %08d %08d .....\n", run, i, line > file
			close(file)
		}
	}'
done
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key"
openssl req -x509 -new -key "$work/key" -subj /CN=signer -days 1 -addext 'basicConstraints=critical,CA:FALSE' \
	-addext 'keyUsage=critical,digitalSignature' -out "$work/signer.pem" 2>/dev/null
mkdir -p "$work/root/dev" "$work/root/proc" "$work/root/sys" "$work/root/tmp" "$work/root/run" \
	"$work/root/out" "$work/root/etc/assay" "$work/root/sysroot"
build/host/assay sign --key "$work/key" --cert "$work/signer.pem" --root "$work/root" \
	--manifest "$work/root/etc/assay/manifest.jsonl" /bench/assay >"$work/sign.log" 2>&1 || { cat "$work/sign.log"; exit 1; }
install -m 755 build/guest/measure build/guest/extend-delay tests/bench/boot-guest.sh "$work/root/bench/"
cp build/kmod/64k/assay.ko "$work/root/bench/"
mke2fs -q -t ext4 -b 4096 -N 32768 -O verity -E root_owner=0:0 -d "$work/root" "$work/disk.img" 512M

qemu/run-guest --flavour 64k --memory 4G --tpm new --tpm-proxy \
	--region cma:0x80000000:512M:0:8M --disk "$work/disk.img" \
	--file "$work/signer.pem=/bed/signer.pem" --file build/arm64/assay-initrd=/bed/assay-initrd \
	--root-disk /dev/vda --init-path /bench/boot-guest.sh --timeout 580 --out "$out"
