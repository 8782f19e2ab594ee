#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign --delegate` with a key in a TPM: the TPM is asked once, openssl and assay accept
# what came of it, and so does a kernel that knows only the TPM key's certificate.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/delegate.XXXXXX")
CHECK_OUT=$work
. tests/check.sh
swtpm_pid=
clean_up() {
	[ -z "$swtpm_pid" ] || kill "$swtpm_pid" 2>/dev/null || :
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Its log has every command.
mkdir "$work/tpm"
swtpm socket --tpm2 --tpmstate "dir=$work/tpm" --ctrl "type=unixio,path=$work/tpm.sock.ctrl" \
	--server "type=unixio,path=$work/tpm.sock" --flags not-need-init,startup-clear \
	--log "file=$work/tpm.log,level=20" >"$work/tpm.err" 2>&1 &
swtpm_pid=$!
tcti=swtpm:path=$work/tpm.sock

signatures() { # how many the TPM has made: TPM2_CC_Sign is 0x15d, at byte 6 of a command
	tr '\n' ' ' <"$work/tpm.log" | tr -s ' ' | grep -oE '80 0[12] 00 00 0[0-9A-F] [0-9A-F]{2} 00 00 01 5D' | wc -l
}

json() { # FILTER: true of what the command printed
	jq -e "$1" "$work/stdout" >/dev/null
}

field() { # LINE KEY: a member of the manifest's line
	printf '%s\n' "$1" | sed "s/.*\"$2\":\"\([^\"]*\)\".*/\1/"
}

accepted() { # some signatures, by openssl and the certificate that they bring along
	tail -n +2 "$work/m" | head -n 3 >"$work/lines"
	while IFS= read -r line; do
		field "$line" pkcs7 | base64 -d >"$work/signature"
		{
			printf 'FSVerity\001\000\040\000'
			field "$line" digest | sed 's/^sha256://' | tr a-f A-F | tr -d '\n' | basenc -d --base16
		} >"$work/content"
		openssl cms -verify -binary -inform DER -in "$work/signature" -content "$work/content" \
			-noverify -out /dev/null 2>/dev/null || return 1
		openssl pkcs7 -inform DER -in "$work/signature" -print_certs |
			openssl x509 -outform DER | cmp -s - "$work/delegate.der" || return 1
	done <"$work/lines"
}

# `openssl verify` wants CA:TRUE of whoever issued a certificate, which the kernel does not.
certified() { # the delegate's certificate is the TPM key's, by openssl
	openssl asn1parse -in "$work/delegate.crt" -strparse 4 -noout -out "$work/tbs" >/dev/null
	at=$(openssl asn1parse -in "$work/delegate.crt" | tail -n 1 | cut -d: -f1 | tr -d ' ')
	openssl asn1parse -in "$work/delegate.crt" -strparse "$at" -noout -out "$work/signature" >/dev/null
	openssl x509 -in "$work/tpm.crt" -noout -pubkey >"$work/public.pem"
	openssl dgst -sha256 -verify "$work/public.pem" -signature "$work/signature" "$work/tbs" >/dev/null
}

echo 1..17
eventually test -S "$work/tpm.sock"
works 'a key is made in the TPM' "$assay" key create --tcti "$tcti" --out "$work/tpm.key" --cert "$work/tpm.crt"
"$assay" key create --tcti "$tcti" --out "$work/other.key" --cert "$work/other.crt"
mkdir -p "$work/tree/bin"
cp build/sysroot/bin/busybox "$work/tree/bin/"
: >"$work/tree/empty"
for i in $(seq 300); do
	echo "$i" >"$work/tree/$i"
done
before=$(signatures)
run "$assay" sign --delegate --tcti "$tcti" --key "$work/tpm.key" --cert "$work/tpm.crt" \
	--root "$work/tree" --manifest "$work/m" --delegate-cert "$work/delegate.crt" --json
check 'a tree is signed' eval 'told 0 && json ".ok and .delegate and .file_count == 302"'
check 'by one signature of the TPM' test "$(($(signatures) - before))" -eq 1
openssl x509 -in "$work/delegate.crt" -outform DER -out "$work/delegate.der"
check "openssl accepts it with the delegate's certificate" accepted
check "and that with the TPM key's" certified
works 'assay check accepts all' "$assay" check --manifest "$work/m" --root "$work/tree" --ca "$work/tpm.crt" --quiet
run "$assay" check --manifest "$work/m" --root "$work/tree" --ca "$work/other.crt" --quiet
check "but not by another key's certificate, and whose is to be given" eval '[ "$status" -ne 0 ] &&
	grep -q "give its issuer.s certificate (--ca), that of ." "$work/stderr"'
check 'there are no signatures for IMA, which could not find the key' \
	eval '! grep -q \"ima\" "$work/m"'
run "$assay" sign --delegate --signatures both --tcti "$tcti" --key "$work/tpm.key" \
	--cert "$work/tpm.crt" --root "$work/tree" --manifest "$work/both" --delegate-cert "$work/both.crt"
ima_accepted() {
	line=$(tail -n 1 "$work/both")
	field "$line" ima | base64 -d | tail -c +10 >"$work/signature"
	{
		printf '\006\004'
		field "$line" digest | sed 's/^sha256://' | tr a-f A-F | tr -d '\n' | basenc -d --base16
	} >"$work/content"
	openssl x509 -in "$work/both.crt" -noout -pubkey >"$work/public.pem"
	openssl dgst -sha256 -verify "$work/public.pem" -signature "$work/signature" "$work/content" >/dev/null
}
check 'unless they are asked for' eval 'told 0 && ima_accepted'
before=$(signatures)
run "$assay" sign --delegate --tcti "$tcti" --key "$work/tpm.key" --cert "$work/tpm.crt" \
	--root "$work/tree" --manifest "$work/again" --incremental "$work/m"
check 'a manifest that a delegate signed can be built upon' \
	eval 'told 0 && [ "$(($(signatures) - before))" -eq 1 ]'
run "$assay" sign --delegate --tcti "$tcti" --key "$work/tpm.key" --cert "$work/other.crt" \
	--root "$work/tree" --manifest "$work/wrong"
check 'a certificate of another key is refused' told 1 'of another key'
run "$assay" sign --delegate-cert "$work/x" --tcti "$tcti" --key "$work/tpm.key" \
	--cert "$work/tpm.crt" --root "$work/tree" --manifest "$work/wrong"
check '--delegate-cert without --delegate is wrong usage' told 2 'needs --delegate'

# A file that is not what was signed, one that has another's signature, and one of another's
# delegate: for the guest.
run "$assay" sign --delegate --tcti "$tcti" --key "$work/other.key" --cert "$work/other.crt" \
	--root "$work/tree" --manifest "$work/others"
check 'another key has delegates, too' told 0
run "$assay" sign --delegate --tcti "$tcti" --key "$work/tpm.key" --cert "$work/tpm.crt" \
	--root "$work/tree" --manifest "$work/sha512" --hash sha512 bin empty
check 'SHA-512 is signed, too' told 0
pkcs7_of() { # MANIFEST PATH
	field "$(grep "\"path\":\"$2\"" "$work/$1")" pkcs7 | base64 -d
}
pkcs7_of m /2 >"$work/2.sig"
pkcs7_of others /3 >"$work/3.sig"
tail -n +2 "$work/m" | grep -E '"path":"/(1|bin/busybox|empty|4|5)"' >"$work/lines"
{
	head -n 1 "$work/m"
	cat "$work/lines"
} >"$work/few"
openssl x509 -in "$work/tpm.crt" -outform DER -out "$work/tpm.der"
# And one file that is signed in two steps, by a key that assay does not see.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=steps \
	-keyout "$work/steps.key" -out "$work/steps.crt" -days 10 2>/dev/null
openssl x509 -in "$work/steps.crt" -outform DER -out "$work/steps.der"
echo steps >"$work/tree/steps"
steps() { # OPTION...
	run "$assay" sign --prepare "$work/steps.todo" --cert "$work/steps.crt" --root "$work/tree" \
		--manifest "$work/steps" --delegate "$@" steps
}
steps
jq -r 'select(.sign) | .bytes' "$work/steps.todo" | base64 -d >"$work/steps.bytes"
openssl dgst -sha256 -sign "$work/steps.key" -out "$work/steps.signed" "$work/steps.bytes"
steps --attach "$work/steps.signed"
check 'a key elsewhere has its delegate, too' told 0
mkdir "$work/disk"
cp -r "$work/tree/bin" "$work/tree/empty" "$work/tree/steps" "$work/disk/"
for i in 1 2 3 4 5 6; do
	cp "$work/tree/$i" "$work/disk/$i"
done
echo x >"$work/disk/5"
truncate -s 32M "$work/fresh.img"
/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -E root_owner=0:0 -O verity -d "$work/disk" "$work/fresh.img"
for flavour in 64k 4k; do
	status=0
	cp "$work/fresh.img" "$work/a.img"
	cp "$work/fresh.img" "$work/b.img"
	qemu/run-guest --flavour $flavour --init tests/e2e/delegate-guest.sh --out "build/guests/delegate-$flavour" \
		--file tests/check.sh=/bed/check.sh --file build/arm64/assay=/usr/bin/assay \
		--program usr/bin/fsverity --program bin/keyctl \
		--file "$work/few=/signed/m" --file "$work/m=/signed/all" --file "$work/m.p7s=/signed/all.p7s" \
		--file "$work/sha512=/signed/sha512" --file "$work/sha512.p7s=/signed/sha512.p7s" \
		--file "$work/tpm.der=/signed/tpm.der" --file "$work/2.sig=/signed/2.sig" \
		--file "$work/3.sig=/signed/3.sig" --file "$work/steps=/signed/steps" \
		--file "$work/steps.p7s=/signed/steps.p7s" --file "$work/steps.der=/signed/steps.der" --disk "$work/a.img" --disk "$work/b.img" \
		>"$work/guest.tap" 2>"$work/guest.err" || status=$?
	sed 's/^/# /' "$work/guest.tap"
	[ "$status" -eq 0 ] || sed 's/^/# /' "$work/guest.err"
	check "the $flavour kernel takes what delegates signed, and nothing else" test "$status" -eq 0
done
