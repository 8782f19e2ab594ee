#!/bin/sh
# SPDX-License-Identifier: MIT
# bench-check: checking files of 16 KiB in page cache, each of which has one ECDSA signature on P-256:
# `assay check` of a signed manifest, against one process of `evmctl ima_verify` that is given all of them
# with its own signatures in security.ima, and a loop of `openssl cms -verify` on a hundredth of the manifest's
# signatures, which reads no file. The ways take turns, and rates are the best of the runs, as all that
# disturbs a run makes it slower. ours, peer: files a second. one_thread: with --jobs 1. limit: bare
# verifications a second of one processor, as `openssl speed` has them, and share: of what all processors
# would do of these, with nothing else, the part that `assay check` gets to. cpu_us: the processors'
# microseconds a file, of all runs.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."

assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=${COUNT:-10000} runs=${RUNS:-5}
hundredth=$(((count + 99) / 100))

cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench \
	-keyout key.pem -out cert.pem -days 2 2>/dev/null
openssl x509 -in cert.pem -outform DER -out cert.der
mkdir tree signatures
head -c $((count * 16384)) /dev/urandom | split -b 16384 -a 5 -d - tree/
set -- tree/*
[ $# -eq "$count" ]
evmctl ima_sign -r --hashalgo sha256 --key "$work/key.pem" tree >said 2>&1
"$assay" sign --signatures pkcs7 --key key.pem --cert cert.pem --root tree --manifest m >/dev/null
# What openssl is given: a signature, and what it covers.
sed -n "2,$((hundredth + 1))p" m | jq -r '"\(.path[1:]) \(.digest[7:]) \(.pkcs7)"' |
	while read -r name digest pkcs7; do
		printf %s "$pkcs7" | base64 -d >"signatures/$name"
		{
			printf 'FSVerity\001\000\040\000'
			printf %s "$digest" | tr a-f A-F | basenc -d --base16
		} >"signatures/$name.content"
	done
cat >openssl_loop <<'END'
#!/bin/sh
for content in signatures/*.content; do
	openssl cms -verify -binary -inform DER -in "${content%.content}" -content "$content" -noverify \
		-nointern -certfile cert.pem -out /dev/null || exit
done
END
chmod 755 openssl_loop

# timed NAME FILES COMMAND...: a line NAME, the nanoseconds a file, and the processors' microseconds
timed() {
	timed_name=$1 timed_files=$2
	shift 2
	timed_from=$(date +%s%N)
	/usr/bin/time -f '%U %S' -o cpu "$@" >out 2>&1 || {
		tail -n 20 out
		exit 1
	}
	timed_to=$(date +%s%N)
	awk -v name="$timed_name" -v files="$timed_files" -v wall=$((timed_to - timed_from)) \
		'{ printf "%s %d %.1f\n", name, wall / files, ($1 + $2) * 1e6 / files }' cpu >>took
}

for _ in $(seq "$runs"); do
	timed check "$count" "$assay" check --cert cert.pem --manifest m --root tree --quiet
	timed one "$count" "$assay" check --cert cert.pem --manifest m --root tree --quiet --jobs 1
	timed evmctl "$count" evmctl ima_verify --key cert.der "$@"
	# It verifies all, or tells only of the first.
	[ "$(grep -c 'verification is OK' out)" -eq "$count" ]
	timed openssl "$hundredth" ./openssl_loop
	openssl speed -seconds 1 ecdsap256 2>/dev/null | awk '/256 bits ecdsa/ { print $NF }' >>limits
done

jq -R -s --argjson runs "$runs" --argjson count "$count" --argjson cores "$(nproc)" --slurpfile limits limits '
	[split("\n")[] | select(. != "") | split(" ") | {way: .[0], ns: (.[1] | tonumber), us: (.[2] | tonumber)}] as $all
	| def cpu($way): [$all[] | select(.way == $way).us] | add / length | . * 10 | round / 10;
	  def best($way): [$all[] | select(.way == $way).ns] | min | 1e9 / .;
	  {name: "check", ours: best("check"), peer: best("evmctl"), ratio: (best("check") / best("evmctl")),
	   unit: "files/s", runs: $runs, files: $count, cores: $cores, one_thread: best("one"), openssl: best("openssl"),
	   ratio_openssl: (best("check") / best("openssl")), limit: ($limits | max),
	   share: (best("check") / ($limits | max) / $cores),
	   cpu_us: {ours: cpu("check"), one_thread: cpu("one"), peer: cpu("evmctl"), openssl: cpu("openssl")}}' took >result.json
jq -r '"assay check:           \(.ours | round) files/s on \(.cores) cores, with one thread \(.one_thread | round)\n" +
	"evmctl ima_verify:     \(.peer | round) files/s, \(.ratio * 10 | round / 10) times slower\n" +
	"openssl cms -verify:   \(.openssl | round) files/s, \(.ratio_openssl * 10 | round / 10) times slower\n" +
	"one processor verifies \(.limit | round) signatures a second; of what all do, assay check gets to \(.share * 100 | round) %\n" +
	"CPU a file:            \(.cpu_us.ours) us; evmctl: \(.cpu_us.peer), openssl: \(.cpu_us.openssl)"' result.json
jq -c . result.json
