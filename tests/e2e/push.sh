# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the tests of pushing evidence share; sourced from the root of the checkout. A machine without
# the module: an swtpm, extended by what IMA's list and a real firmware's log say, which are put
# where the kernel shows them; its attestation key $work/ak.pem; and a verifier, in $work/v, that
# judges with assay-verify.
top=$PWD
assay=$top/build/host/assay
verifier=$top/build/host/assay-verify
firmware=$top/tests/data/uefi/${firmware_log:-tpm2tools-event-arch-linux.bin}

. tests/swtpm.sh
tpm_work assay-push
# shellcheck disable=SC2034 # of check.sh
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1
server=
end() {
	[ -z "$server" ] || kill "$server"
	tpm_stop
	rm -rf "$work"
}
trap end EXIT

bail() {
	echo "Bail out! $*"
	exit 1
}

# ---------------------------------------------------------------- the machine
"$top/qemu/make-tpm" "$work/tpm" >&2 || bail 'no TPM could be made'
unset TPM2TOOLS_TCTI TSS2_LOG http_proxy https_proxy ALL_PROXY
ASSAY_TCTI=swtpm:path=$work/tpm.sock
TPM2TOOLS_TCTI=$ASSAY_TCTI
export ASSAY_TCTI TPM2TOOLS_TCTI
tpm_start "$work/tpm" >&2 || bail 'swtpm does not start'

measure() { # NAME DIGEST
	tpm2_pcrextend "10:sha256=$("$top/tests/e2e/ima-entry.py" list "$@")" || bail 'tpm2_pcrextend fails'
}

# What firmware and IMA measure of a boot.
boots() {
	rm -f list
	"$verifier" replay uefi --events --json "$firmware" | jq -r '.firmware_events[] | select(.extended) |
		"\(.pcr):" + (.digests[] | select(startswith("sha256:")) | sub(":"; "="))' |
		xargs tpm2_pcrextend || bail 'tpm2_pcrextend fails'
	measure boot_aggregate "$(tpm2_pcrread sha256:0,1,2,3,4,5,6,7,8,9 -o pcrs >/dev/null &&
		sha256sum <pcrs | cut -d ' ' -f 1)"
	measure /usr/bin/init "$(echo init | sha256sum | cut -d ' ' -f 1)"
}
boots

# Where the kernel shows the logs, for this command alone.
with_logs() { # COMMAND...
	# shellcheck disable=SC2016 # for the inner shell
	run unshare -rm sh -c 'mount -t tmpfs none /sys/kernel/security &&
		mkdir /sys/kernel/security/ima /sys/kernel/security/tpm0 &&
		cp list /sys/kernel/security/ima/binary_runtime_measurements &&
		cp "$1" /sys/kernel/security/tpm0/binary_bios_measurements && shift && exec "$@"' sh \
		"$firmware" "$@"
}

# ---------------------------------------------------------------- the verifier
authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -days 9 \
		-keyout "$1.key" -out "$1.pem" 2>/dev/null
}
certify() { # AUTHORITY NAME EXTENSIONS: NAME.pem has the key, too
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$2.key" \
		-out "$2.csr" 2>/dev/null
	echo "$3" >ext
	openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -days 9 -extfile ext \
		-out "$2.crt" 2>/dev/null
	cat "$2.crt" "$2.key" >"$2.pem"
}
authority servers
authority devices
authority others
certify servers localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1'
certify devices d1 'extendedKeyUsage=clientAuth'
certify others stranger 'extendedKeyUsage=clientAuth'
mkdir -p v/devices
cp localhost.pem v/server.pem
"$assay" key create --restricted --out ak.pem --public ak.pub >/dev/null || bail 'no attestation key'
"$assay" enroll --ak ak.pem --records records --roots tpm/ek-root.pem --intermediates tpm/ek-issuer.pem \
	--machine-id d1 >/dev/null || bail 'not enrolled'
cp records/devices/d1.json v/devices/
with_logs "$assay" quote --nonce 00112233445566778899aabbccddeeff --ak ak.pem --no-assay-log --out first.json
"$verifier" policy learn first.json --ima >v/policy.json 2>/dev/null || bail 'no policy'

serve() {
	[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
	rm -f v/port
	"$top/build/host/push-verifier" "$verifier" v "${port:-0}" 2>server.log &
	server=$!
	for _ in $(seq 100); do
		[ ! -s v/port ] || break
		sleep 0.05
	done
	port=$(cat v/port) || bail 'the verifier does not start'
	# shellcheck disable=SC2034 # for who sources this
	url=https://localhost:$port
}
