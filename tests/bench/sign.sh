#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-sign: signing 10,000 files of 16 KiB in page cache with a P-256 key in a file:
# `assay sign --delegate` to a manifest, against `evmctl ima_sign -r` and a loop of
# `fsverity sign` (on a tenth of the files); and, of that tenth, with a key in a software TPM against as
# many bare Esys_Sign calls. Rates are the best of the runs, which take turns, as all that
# disturbs a run makes it slower. ours, peer: files a second, of evmctl the peer's.
# cpu_us: the processors' microseconds a file, of all runs. steps: those that sign-steps tells apart.
# tpm_over: what signing with the TPM takes beyond the bare calls, as a share of these; the
# median of the runs, as a pair of them is disturbed in either half.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

assay=${ASSAY:-build/host/assay}
. tests/swtpm.sh
tpm_work bench-sign
count=${COUNT:-10000} runs=${RUNS:-5}
tenth=$((count / 10))

gcc -std=c11 -O2 -Wall -o "$work/esys_sign" tests/bench/host/esys_sign.c -ltss2-esys -ltss2-tctildr
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench \
	-keyout "$work/key.pem" -out "$work/cert.pem" -days 2 2>/dev/null
mkdir -p "$work/tree" "$work/tenth" "$work/tpm"
head -c $((count * 16384)) /dev/urandom | split -b 16384 -a 4 -d - "$work/tree/"
find "$work/tree" -type f | sort | head -n $tenth | while IFS= read -r file; do
	ln "$file" "$work/tenth/"
done
[ "$(find "$work/tree" -type f | wc -l)" -eq "$count" ]
[ "$(find "$work/tenth" -type f | wc -l)" -eq $tenth ]
tpm_start "$work/tpm"
tcti=swtpm:path=$work/tpm.sock
"$assay" key create --tcti "$tcti" --out "$work/tpm.key" --cert "$work/tpm.crt" >/dev/null

# timed NAME FILES COMMAND...: a line NAME, the nanoseconds a file, and the processors' microseconds
timed() {
	timed_name=$1 timed_files=$2
	shift 2
	timed_from=$(date +%s%N)
	/usr/bin/time -f '%U %S' -o "$work/cpu" "$@" >"$work/out" 2>&1 || {
		cat "$work/out"
		exit 1
	}
	timed_to=$(date +%s%N)
	awk -v name="$timed_name" -v files="$timed_files" -v wall=$((timed_to - timed_from)) \
		'{ printf "%s %d %.1f\n", name, wall / files, ($1 + $2) * 1e6 / files }' "$work/cpu" >>"$work/times"
}

cat >"$work/fsverity_loop" <<'END'
#!/bin/sh
for file in "$1"/tenth/*; do
	fsverity sign "$file" "$1/signature" --key="$1/key.pem" --cert="$1/cert.pem" || exit
done
END
chmod 755 "$work/fsverity_loop"

: >"$work/times"
for _ in $(seq "$runs"); do
	timed delegate "$count" "$assay" sign --delegate --key "$work/key.pem" --cert "$work/cert.pem" \
		--root "$work/tree" --manifest "$work/m"
	timed plain "$count" "$assay" sign --key "$work/key.pem" --cert "$work/cert.pem" \
		--root "$work/tree" --manifest "$work/m"
	timed xattr "$count" "$assay" sign --delegate --key "$work/key.pem" --cert "$work/cert.pem" \
		--root "$work/tree" --xattr
	timed evmctl "$count" evmctl ima_sign -r --hashalgo sha256 --key "$work/key.pem" "$work/tree"
	timed fsverity $tenth "$work/fsverity_loop" "$work"
	# One signature a file, and the manifest's.
	timed tpm $((tenth + 1)) "$assay" sign --signatures pkcs7 --tcti "$tcti" --key "$work/tpm.key" \
		--cert "$work/tpm.crt" --root "$work/tenth" --manifest "$work/m"
	echo "esys $(($("$work/esys_sign" "$tcti" $((tenth + 1))) / (tenth + 1))) 0" >>"$work/times"
done
build/host/sign-steps "$work/key.pem" "$work/cert.pem" "$work/tree/0000" "${STEPS:-1000}" >"$work/steps"
# evmctl does not tell failures by its status: it has signed if the attribute is there.
getfattr --only-values -n security.ima "$work/tree/0000" 2>/dev/null | head -c 2 | od -An -tx1 |
	grep -q '03 02' || {
	echo 'bench-sign: evmctl has not signed' >&2
	exit 1
}
"$assay" sign --delegate --key "$work/key.pem" --cert "$work/cert.pem" --root "$work/tree" \
	--manifest "$work/m" >/dev/null
"$assay" check --manifest "$work/m" --root "$work/tree" --ca "$work/cert.pem" --quiet >/dev/null

jq -R -s --argjson runs "$runs" --slurpfile steps "$work/steps" '
	[split("\n")[] | select(. != "") | split(" ") | {way: .[0], ns: (.[1] | tonumber), us: (.[2] | tonumber)}] as $all
	| def cpu($way): [$all[] | select(.way == $way).us] | add / length | . * 10 | round / 10;
	  def best($way): [$all[] | select(.way == $way).ns] | min | 1e9 / .;
	  def each($way): [$all[] | select(.way == $way).ns];
	  {name: "sign", ours: best("delegate"), peer: best("evmctl"),
	   ratio: (best("delegate") / best("evmctl")), unit: "files/s", runs: $runs,
	   fsverity: best("fsverity"), ratio_fsverity: (best("delegate") / best("fsverity")),
	   both_signatures: best("plain"), xattr: best("xattr"),
	   cpu_us: {ours: cpu("delegate"), peer: cpu("evmctl"), fsverity: cpu("fsverity")}, steps: $steps[0],
	   tpm: best("tpm"), esys: best("esys"),
	   tpm_over: ([each("tpm"), each("esys")] | transpose | map(.[0] / .[1] - 1) | sort
		| .[length / 2 | floor])}' "$work/times" >"$work/result.json"
jq -r '"assay sign --delegate:       \(.ours | round) files/s\n" +
	"assay sign (both kinds):     \(.both_signatures | round) files/s\n" +
	"assay sign --delegate to the xattr: \(.xattr | round) files/s\n" +
	"evmctl ima_sign -r:          \(.peer | round) files/s, \(.ratio * 10 | round / 10) times slower\n" +
	"fsverity sign, one by one:   \(.fsverity | round) files/s, \(.ratio_fsverity * 10 | round / 10) times slower\n" +
	"CPU a file:                  \(.cpu_us.ours) us; evmctl: \(.cpu_us.peer), fsverity: \(.cpu_us.fsverity)\n" +
	"of these:                    \(.steps.signature) the signature, \(.steps.structure) PKCS#7 around it, \(.steps.line) the manifest'"'"'s line, \(.steps.open + .steps.digest | . * 10 | round / 10) opening, reading and digesting\n" +
	"with a software TPM:         \(.tpm | round) files/s, \(.tpm_over * 1000 | round / 10) % over bare Esys_Sign"' "$work/result.json"
jq -c . "$work/result.json"
