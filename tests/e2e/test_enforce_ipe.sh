#!/bin/sh
# SPDX-License-Identifier: MIT
# IPE of Debian's kernel, with Secure Boot: policies made from a manifest and the samples of
# policy/enforce, signed by a key in a TPM whose certificate an authority in the firmware's db issued,
# loaded by what the initramfs runs, refuse what nobody signed. One guest; what is made here.
# shellcheck disable=SC2016
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
top=$PWD
assay=$PWD/build/host/assay
samples=$PWD/policy/enforce
. tests/swtpm.sh
tpm_work assay-ipe
CHECK_OUT=$work
. tests/check.sh
. tests/secure-boot.sh
cd "$work"

# ---------------------------------------------------------------- who signs
mkdir state
tpm_start "$work/state" >&2
export ASSAY_TCTI="swtpm:path=$work/state.sock"
"$assay" key create --out signer.key >&2
"$assay" key cert --key signer.key --request --subject 'signer of the device' --out request.pem >&2
printf '%s\n' keyUsage=critical,digitalSignature basicConstraints=critical,CA:FALSE subjectKeyIdentifier=hash >extensions
openssl x509 -req -in request.pem -CA "$secure_boot_certificate" -CAkey key.pem -set_serial 7 -days 30 \
	-extfile extensions -out signer.pem 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stranger -days 30 \
	-keyout stranger.key -out stranger.pem 2>/dev/null

# ---------------------------------------------------------------- what is signed
mkdir -p tree/signed tree/other tree/unsigned
cp "$top/build/guest/kmod/mapped" tree/signed/program
printf '#!/bin/sh\necho it ran\n' >tree/signed/script
chmod 755 tree/signed/script
cp "$top/build/kernel/4k/modules/overlay.ko" tree/signed/overlay.ko
echo the next version >end
cat tree/signed/program end >tree/signed/next
chmod 755 tree/signed/next
sign() { # KEY CERTIFICATE MANIFEST PATH...
	sign_key=$1 sign_certificate=$2 sign_manifest=$3
	shift 3
	"$assay" sign --key "$sign_key" --cert "$sign_certificate" --root tree --manifest "$sign_manifest" "$@" >&2
}
sign signer.key signer.pem manifest signed
cp tree/signed/program tree/other/program
sign stranger.key stranger.pem stranger other
cp tree/signed/program tree/unsigned/program
cp tree/signed/program tree/unsigned/verity
echo altered >end
cat tree/signed/program end >tree/unsigned/altered
cp tree/signed/script tree/unsigned/script
cp tree/signed/overlay.ko tree/unsigned/overlay.ko
chmod 755 tree/unsigned/*

# ---------------------------------------------------------------- policies
policy() { # OUT OPTION...: made from the manifest
	policy_out=$1
	shift
	"$assay" policy make --from manifest --cert signer.pem --for ipe "$@" >"$policy_out" 2>made.err
}
rules() { # POLICY: without its header and what is said about it
	grep -v '^#\|^policy_name=' "$1"
}
policy made
run rules made
rules "$samples/ipe-signed.policy" >wanted
check 'what is made from the manifest is the sample' cmp wanted stdout
run policy programs --op EXECUTE --op KMODULE --dm-verity
run rules programs
rules "$samples/ipe-programs.policy" >wanted
check 'and the sample for programs alone' cmp wanted stdout
signs() { # KEY CERTIFICATE POLICY SIGNED
	"$assay" policy sign "$3" --key "$1" --cert "$2" --out "$4"
}
works 'the sample is signed by the key in the TPM' signs signer.key signer.pem "$samples/ipe-signed.policy" first.p7b
with_version() { # VERSION NAME
	sed "1s/.*/policy_name=$2 policy_version=$1/" "$samples/ipe-signed.policy" >"text"
}
with_version 1.0.0 assay
signs stranger.key stranger.pem text stranger.p7b
with_version 1.0.1 assay
signs signer.key signer.pem text second.p7b
with_version 0.9.9 older
signs signer.key signer.pem text older.p7b
# Another text below the same signature.
sed 's/policy_version=1\.0\.1/policy_version=9.0.1/' second.p7b >altered.p7b
policy digests --by digest --policy-version 2.0.0 --op EXECUTE
signs signer.key signer.pem digests digests.p7b
policy nothing --no-initramfs --policy-version 3.0.0
signs signer.key signer.pem nothing nothing.p7b
tpm_stop

"$assay" policy sign "$samples/ipe-signed.policy" --key key.pem --cert "$secure_boot_certificate" --out ours.p7b
openssl smime -sign -binary -in "$samples/ipe-signed.policy" -signer "$secure_boot_certificate" -inkey key.pem \
	-noattr -nodetach -nosmimecap -outform DER -out theirs.p7b
check "a signed policy is openssl smime's to the byte" cmp ours.p7b theirs.p7b

# What assay takes for a policy, and the kernel: each of these is signed for it, whatever assay says.
mkdir texts
judged=0
judge() { # taken|refused|stricter RULES [VERSION]: by assay; "stricter": only by assay
	judged=$((judged + 1))
	# shellcheck disable=SC2059 # the rules have backslashes
	{
		echo "policy_name=text$judged policy_version=${3:-1.0.0}"
		printf "$2"
	} >"texts/$judged"
	run "$assay" policy sign "texts/$judged" --key key.pem --cert "$secure_boot_certificate" --out unused
	case $1 in
	taken) check "assay takes policy $judged" told 0 ;;
	*) check "assay refuses policy $judged" told 1 'the policy\|texts/' ;;
	esac
	openssl smime -sign -binary -in "texts/$judged" -signer "$secure_boot_certificate" -inkey key.pem -noattr \
		-nodetach -nosmimecap -outform DER -out "texts/$judged.p7b"
	case $1 in
	refused) echo "$judged 1" >>texts/wanted ;;
	*) echo "$judged 0" >>texts/wanted ;;
	esac
}
rule='op=EXECUTE boot_verified=TRUE'
judge taken 'DEFAULT action=DENY'
judge taken "DEFAULT action=DENY # all\n\n$rule action=ALLOW #\n"
judge taken "DEFAULT action=DENY\r\n\t$rule\t  fsverity_signature=FALSE action=DENY \r\n"
judge taken 'DEFAULT action=DENY\nop=POLICY action=ALLOW\n'
judge taken "$(for op in EXECUTE FIRMWARE KMODULE KEXEC_IMAGE KEXEC_INITRAMFS POLICY X509_CERT; do printf '%s' "DEFAULT op=$op action=DENY\n"; done)"
judge taken "DEFAULT action=DENY\nop=EXECUTE fsverity_digest=sha256:$(printf %064d 1) dmverity_roothash=sha1:00ff action=ALLOW\n"
judge refused "$rule action=ALLOW\n"
judge refused 'DEFAULT op=EXECUTE action=DENY\n'
judge refused 'DEFAULT action=DENY\nDEFAULT action=ALLOW\n'
judge refused "DEFAULT boot_verified=TRUE action=DENY\n"
judge refused 'DEFAULT action=DENY\nop=RUN action=ALLOW\n'
judge refused 'DEFAULT action=DENY\nop=EXECUTE path=/x action=ALLOW\n'
judge refused 'DEFAULT action=DENY\nop=EXECUTE boot_verified=true action=ALLOW\n'
judge refused "DEFAULT action=DENY\n$rule\n"
judge refused "DEFAULT action=DENY\n$rule action=ALLOW action=ALLOW\n"
judge refused 'DEFAULT action=DENY\nop=EXECUTE dmverity_roothash=sha256:0 action=ALLOW\n'
judge refused 'DEFAULT action=DENY\nop=EXECUTE dmverity_roothash=00 action=ALLOW\n'
judge refused 'DEFAULT action=DENY\n' 1.0
judge refused 'DEFAULT action=DENY\n' 1.0.65536
judge stricter 'DEFAULT action=DENY\n' +1.0.0
judge stricter 'DEFAULT action=DENY\nop=EXECUTE fsverity_digest=sha1:00 action=ALLOW\n'

# What the initramfs is told to have enforced is checked when it is made.
mkdir -p etc/fs-verity etc/empty
cp signer.pem etc/fs-verity/
initrd() { # OPTION LINE...: of its configuration
	initrd_option=$1
	shift
	printf '%s\n' '[enforce]' "$@" >etc/initrd.conf
	run "$top/build/host/assay-initrd" --config etc/initrd.conf --rules etc/empty --certificates etc/empty \
		"$initrd_option"
}
wrong() { # LINE WORDS
	initrd --check "$1"
	check "the initramfs: $1" told 1 "$2"
}
wrong 'certificates = fs-verity' 'line 2: certificates must be an absolute path'
wrong "certificates = $work/etc/empty" 'empty has no certificate'
wrong 'require-signatures = 1' 'must be yes or no'
wrong 'ipe = maybe' 'ipe must be permissive or enforce'
wrong "ipe-policy = $work/none.p7b" 'none.p7b: No such file'
wrong "ipe-policy = $work/text" 'no signed policy'
wrong 'ipe-policies = /x' 'no key .ipe-policies.: certificates, require-signatures, ipe-policy, ipe'
initrd --files "certificates = $work/etc/fs-verity" "ipe-policy = $work/first.p7b" 'ipe = enforce'
check 'and is given all that it needs' prints 0 '^etc/initrd.conf$' "^$work/etc/fs-verity/signer.pem\$" "^$work/first.p7b\$"

config=$top/build/kernel/4k/build/.config
for sample in ipe-signed ipe-programs; do
	run "$assay" policy lint "$samples/$sample.policy" --kernel-config "$config"
	check "$sample: Debian's kernel honours it, and says who may sign" \
		eval '! grep "^warning: This kernel" stdout && grep -q "firmware.s db (.platform)" stdout'
done
grep -v '^CONFIG_SECURITY_IPE=' "$config" | gzip >config.gz
run "$assay" policy lint "$samples/ipe-signed.policy" --kernel-config config.gz
check 'a kernel without IPE does not' prints 1 'warning: This kernel has no IPE'
run "$assay" policy lint "$samples/ima-verity.policy" --kernel-config "$config"
check "what Debian's kernel makes of the sample for IMA" prints 1 'has no .ima' 'one policy of IMA.s in a boot'
echo "1..$check_number"

# ---------------------------------------------------------------- the guest
secure_boot_kernel "$top/build/kernel/4k/Image" signed
secure_boot_module "$top/build/kernel/4k/modules/tpm_tis.ko" tpm_tis.ko
cp --sparse=always /usr/share/AAVMF/AAVMF_VARS.snakeoil.fd variables
truncate -s 48M disk
/sbin/mke2fs -q -F -t ext4 -b 4096 -m 0 -O verity -E root_owner=0:0 -d tree disk
set -- --disk "$work/disk"
for file in texts/*.p7b texts/wanted; do
	set -- "$@" --file "$work/$file=/given/$file"
done
for file in signer.pem stranger.pem manifest manifest.p7s stranger stranger.p7s ./*.p7b; do
	set -- "$@" --file "$work/$file=/given/$(basename "$file")"
done
cd "$top"
qemu/run-guest --flavour 4k --firmware uefi --variables "$work/variables" --image "$work/signed" \
	--init tests/e2e/enforce-ipe-guest.sh --out build/guests/enforce-ipe --timeout 240 \
	--file "$work/tpm_tis.ko=/bed/modules/tpm_tis.ko" --file tests/check.sh=/bed/check.sh \
	--file build/arm64/assay=/usr/bin/assay --file build/arm64/assay-initrd=/usr/bin/assay-initrd \
	--file build/guest/kmod/mapped=/bed/bin/mapped --file build/guest/kmod/insmod=/bed/bin/insmod \
	--file "$samples/initrd.conf=/etc/assay/initrd.conf" --file "$work/signer.pem=/etc/assay/fs-verity/signer.pem" \
	--file "$work/first.p7b=/etc/assay/ipe.p7b" --file qemu/guest/initrd/measure.conf=/etc/assay/measure.d/10.conf \
	--file "$work/signer.pem=/etc/assay/certificates/signer.pem" --program bin/keyctl "$@" || exit 1
exit "$check_failed"
