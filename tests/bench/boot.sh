#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-boot: what measuring 2000 files with fs-verity adds to a boot that opens and reads them:
# assay-initrd before that, as an initramfs runs it (all of it counts: its start, finding the files,
# the call), against IMA measuring each when it is opened (digest_type=verity). The files are
# cached, so that the disk does not count. With the software TPM as it is, and with one that takes
# 5 ms for an extend. Of assay-initrd and of reading alone the least of three runs counts; IMA has
# one with each TPM. What assay-initrd adds is counted as no less than it took itself. ours, peer and
# ratio are those with the TPM of 5 ms and a rule that names a directory; with a signed manifest of
# the files, which has to be read and verified, it is the figure manifest. ratio = IMA's over
# assay-initrd's.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

work=$(mktemp -d "${TMPDIR:-/tmp}/bench-boot.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=${BENCH_OUT:-build/bench}/boot
root=$work/root
count=${COUNT:-2000}

# 2 to 8 KiB a file, all different.
for run in assay fast slow; do
	mkdir -p "$root/bench/$run"
	awk -v count="$count" -v run="$run" -v dir="$root/bench/$run" 'BEGIN {
		for (i = 0; i < count; i++) {
			file = dir "/" i
			for (line = 0; line < 64 + i % 192; line++)
				printf "%8s %08d %08d .....\n", run, i, line > file
			close(file)
		}
	}'
done
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/run" "$root/out" \
	"$root/etc/assay/measure.d" "$root/etc/assay/manifest.d" "$root/etc/assay/certificates"
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key"
openssl req -x509 -new -key "$work/key" -subj /CN=signer -days 30 \
	-addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
	-out "$root/etc/assay/certificates/signer.pem" 2>"$work/log"
build/host/assay sign --key "$work/key" --cert "$root/etc/assay/certificates/signer.pem" --root "$root" \
	--manifest "$root/etc/assay/manifest.jsonl" /bench/assay >>"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
printf '[initrd]\nverity=/bench/assay\n' >"$root/etc/assay/measure.d/10.conf"
printf '[initrd]\nmanifest=/etc/assay/manifest.jsonl\n' >"$root/etc/assay/manifest.d/10.conf"
printf '[initrd]\non-failure=emergency\non-missing=emergency\n' >"$root/etc/assay/initrd.conf"
install -m 755 build/guest/measure build/guest/extend-delay build/arm64/assay-initrd \
	tests/bench/boot-guest.sh "$root/bench/"
cp build/kmod/64k/assay.ko "$root/bench/"
qemu/elf-closure build/sysroot build/arm64/assay-initrd | while IFS= read -r library; do
	mkdir -p "$root/$(dirname "$library")"
	cp -L "build/sysroot/$library" "$root/$library"
done
mke2fs -q -t ext4 -b 4096 -N 16384 -O verity -E root_owner=0:0 -d "$root" "$work/disk.img" 256M

qemu/run-guest --flavour 64k --memory 4G --tpm new --tpm-proxy \
	--region cma:0x80000000:512M:0:8M --disk "$work/disk.img" \
	--root-disk /dev/vda --append "bench_count=$count bench_runs=${RUNS:-3}" --init-path /bench/boot-guest.sh --timeout 580 --out "$out"

grep -E '^# (fast|slow) ' "$out/result.tap" |
	jq -R -s --argjson count "$count" '
	def ms: . / 1e6 | . * 10 | round / 10;
	def cost(way; plain): [way.ns - plain.ns, way.call] | max;
	def added: (.ima.ns - .plain.ns) as $ima | cost(.assay; .plain) as $assay
		| {ours: ($assay | ms), peer: ($ima | ms), plain: (.plain.ns | ms), ratio: ($ima / $assay),
		   manifest: (cost(.manifest; .plain) | ms), manifest_ratio: ($ima / cost(.manifest; .plain)),
		   extends: {ours: .assay.extends, manifest: .manifest.extends, peer: .ima.extends}};
	[split("\n")[] | select(. != "") | split(" ") | {tpm: .[1], way: .[2], ns: (.[3] | tonumber),
		call: (.[4] | tonumber), extends: (.[5] | tonumber)}]
	| group_by(.tpm) | map({(.[0].tpm): (group_by(.way) | map({(.[0].way): {ns: (map(.ns) | min),
		call: (map(.call) | min), extends: (map(.extends) | max), runs: length}}) | add)}) | add
	| .slow.assay.runs as $runs | (.fast | added) as $fast | (.slow | added)
	| {name: "boot", ours, peer, ratio,
	   unit: "ms added to opening and reading \($count) files, 5 ms an extend", runs: $runs,
	   plain, manifest, manifest_ratio, extends, fast: $fast}' >"$work/result.json"
jq -r 'def times: . * 10 | round / 10;
	def line: "IMA adds \(.peer) ms with \(.extends.peer) extends, assay-initrd \(.ours) ms with \(.extends.ours): \(.ratio | times) times; by a signed manifest \(.manifest) ms: \(.manifest_ratio | times) times";
	"opening and reading the files: \(.plain) ms\nsoftware TPM: \(.fast | line)\n5 ms an extend: \(line)"' "$work/result.json"
jq -c . "$work/result.json"
