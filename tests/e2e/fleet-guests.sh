# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
# Guests as machines of a fleet; sourced after tests/e2e/fleet.sh. Each is $work/till-N, with a TPM, its attestation
# key, and a certificate of the authority devices.pem; what it runs is tests/e2e/fleet-guest.sh.
guests='' signal_pid=''

# The service has to be reached by its address in guests as well, and they run one program, signed by signer.pem.
certify servers localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:10.0.2.2'

# guest_policy NAME: the policy for them, and the manifest tills.jsonl
guest_policy() {
	mkdir -p till-tree/disk
	cp "$top/build/sysroot/bin/busybox" till-tree/disk/
	"$assay" sign --key signer.key --cert signer.pem --root till-tree --manifest tills.jsonl /disk >/dev/null || return 1
	# Without a firmware that measures, as these are, there is no boot to be known.
	echo "{\"digests\": {\"/disk/busybox\": [\"sha256:$(sha256sum <till-tree/disk/busybox | cut -d ' ' -f 1)\"]}}" |
		jq '{assay: 1, type: "policy", waive: {"boot-known": "these guests are started without firmware"}, logs: {uefi: "absent"},
			ima: {required: false, unknown_files: "refuse", digests}, certificates: ["signer.pem"], manifests: ["tills.jsonl"]}' >"$1"
}

guest_enroll() { # N LIST
	"$assay" enroll --ak "till-$1/ak.pem" --ek p256-low --no-ek-cert --ek-hashes "till-$1/$2" --records records --machine-id "till-$1"
}

# guest_make N: its TPM, made and enrolled by who installs it; records/devices/till-N.json
guest_make() (
	swtpm_pid=
	trap tpm_stop EXIT
	mkdir -p "$work/till-$1/tpm"
	# One of its own: those of qemu/make-tpm are copies of one.
	swtpm_setup --tpm2 --tpmstate "$work/till-$1/tpm" --pcr-banks sha256 --overwrite >"till-$1/setup.log" 2>&1 &&
		tpm_start "$work/till-$1/tpm" >&2 || return 1
	export ASSAY_TCTI="swtpm:path=$work/till-$1/tpm.sock"
	"$assay" key create --restricted --out "till-$1/ak.pem" --public "till-$1/ak.pub" >/dev/null || return 1
	# Its endorsement key is known by its digest, which is asked for first.
	printf '%064d\n' 0 >"till-$1/none"
	guest_enroll "$1" none 2>&1 | grep -o '[0-9a-f]\{64\}' >"till-$1/known"
	guest_enroll "$1" known >/dev/null || return 1
	certify devices "till-$1" 'extendedKeyUsage=clientAuth'
	mkdir -p "till-$1/etc/measure.d" "till-$1/etc/certificates"
	cp tills.jsonl "till-$1/etc/manifest.jsonl"
	cp tills.jsonl.p7s "till-$1/etc/manifest.jsonl.p7s"
	cp signer.pem "till-$1/etc/certificates/"
	cp "till-$1.crt" "till-$1/etc/device.crt"
	cp "till-$1.key" "till-$1/etc/device.key"
	cp servers.pem till-"$1"/ak.pem "till-$1/etc/"
	cp "$top/qemu/guest/initrd/measure.conf" "till-$1/etc/measure.d/10.conf"
	cat >"till-$1/etc/assayd.conf" <<-END
		[measure]
		settle=100ms
		[ima]
		poll=200ms
		interval=500ms
		[status]
		interval=200ms
		[attest]
		ak=/etc/assay/ak.pem
		ima-log=no
		pcrs=0,1,2,3,4,5,6,7,14
		[push]
		url=https://10.0.2.2:${url##*:}
		name=till-$1
		ca=/etc/assay/servers.pem
		client-cert=/etc/assay/device.crt
		client-key=/etc/assay/device.key
		min-interval=1s
		retry=1s
	END
)

# guest_signal: at the port $signal_port of this machine a connection ends when signal_give is called
guest_signal() {
	mkfifo signal
	/usr/bin/python3 -c 'import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
server.accept()[0].close()' <signal >signal.port &
	signal_pid=$!
	exec 8>signal
	while [ ! -s signal.port ]; do
		sleep 0.1
	done
	signal_port=$(cat signal.port)
}
signal_give() {
	exec 8>&-
}

# guest_start N [WORDS]: with these on its kernel's command line; what it says is in till-N/said
guest_start() {
	guest_number=$1
	shift
	(cd "$top" && exec qemu/run-guest --flavour 4k --net --region auto --tpm "$work/till-$guest_number/tpm" --append "$*" --timeout 900 \
		--init tests/e2e/fleet-guest.sh --file tests/check.sh=/bed/check.sh --file tests/service/service.sh=/bed/service.sh \
		--file build/kmod/4k/assay.ko=/bed/assay.ko --file build/net/=/bed/net --file build/arm64/assay=/usr/bin/assay --file build/arm64/assayd=/usr/bin/assayd \
		--program usr/bin/fsverity --disk "$(tests/kmod/verity-disk "$work/till-$guest_number/disk")" \
		--file "$work/till-$guest_number/etc=/etc/assay" --out "$work/till-$guest_number/out") >"till-$guest_number/said" 2>&1 8>&- &
	guest=$!
	guests="$guests $guest"
}

guests_end() {
	for guest_pid in $guests $signal_pid; do
		kill "$guest_pid" 2>/dev/null
		wait "$guest_pid" 2>/dev/null
	done
	guests='' signal_pid=''
}

# guest_waits SECONDS CONDITION...: while the guests run
guest_waits() {
	guest_until=$(($(date +%s) + $1))
	shift
	while ! "$@"; do
		for guest_pid in $guests; do
			kill -0 "$guest_pid" 2>/dev/null || guest_until=0
		done
		[ "$(date +%s)" -lt "$guest_until" ] || {
			tail -n 30 till-*/said | sed 's/^/# /'
			return 1
		}
		sleep 0.2
	done
}
