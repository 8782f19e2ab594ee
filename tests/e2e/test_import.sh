#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay import`: evidence made of what other programs wrote, and what the verifier says of it.
# tpm2-tools write what is imported, on an swtpm, and judge it as well (tpm2_checkquote).
# shellcheck disable=SC2016,SC2046,SC2086
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
assay=$PWD/build/host/assay
verifier=$PWD/build/host/assay-verify
data=$PWD/tests/data
. tests/swtpm.sh
tpm_work assay-import
CHECK_OUT=$work
. tests/check.sh
cd "$work" || exit 1

"$top/qemu/make-tpm" "$work/tpm" sha1,sha256 >&2 || exit 1
tpm_start "$work/tpm" >&2 || exit 1
export TPM2TOOLS_TCTI="swtpm:path=$work/tpm.sock"
nonce=00112233445566778899aabbccddeeff

# judge EVIDENCE AK OPTION...: what the verifier says, in verdict.json
judge() {
	judged=$1 key=$2
	shift 2
	"$verifier" verify "$judged" --nonce "$nonce" --ak "$key" --manifest "$data/evidence/manifest.jsonl" \
		--cert "$data/evidence/cert.pem" --json "$@" >verdict.json 2>verdict.err
}
# is RESULT CHECK...: the verdict has this of each
is() {
	result=$1
	shift
	for name; do
		jq -e --arg name "$name" --arg result "$result" \
			'.checks[] | select(.name == $name) | .result == $result' verdict.json >/dev/null || {
			jq -c --arg name "$name" '.checks[] | select(.name == $name)' verdict.json | sed 's/^/# /'
			return 1
		}
	done
}
# What a quote is judged by.
quote_checks='evidence-parsed quote-parsed ak-expected ak-attributes ak-algorithm quote-algorithm quote-signature
	quote-magic quote-type quote-nonce quote-signer pcr-selection pcr-digest'

# ---------------------------------------------------------------- tpm2-tools
# tpm2_createprimary is quick for ECC; the keys below it are of both kinds.
{
	tpm2_createprimary -Q -C e -G ecc -c ek.ctx
	tpm2_flushcontext -t
	for kind in rsassa rsapss ecdsa; do
		case $kind in
		ecdsa) algorithm=ecc:ecdsa-sha256:null ;;
		*) algorithm=rsa2048:$kind-sha256:null ;;
		esac
		tpm2_create -Q -C ek.ctx -G "$algorithm" -u key.pub -r key.priv \
			-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign'
		tpm2_flushcontext -t
		tpm2_load -Q -C ek.ctx -u key.pub -r key.priv -c $kind.ctx
		tpm2_flushcontext -t
		tpm2_flushcontext -t
		for form in pem der tss tpmt; do
			tpm2_readpublic -Q -c $kind.ctx -f $form -o $kind.$form
			tpm2_flushcontext -t
		done
	done
} >&2
for kind in rsassa rsapss ecdsa; do
	for forms in tss/serialized plain/values; do
		signature=${forms%/*} pcrs=${forms#*/}
		scheme=
		[ $kind = ecdsa ] || scheme="--scheme $kind"
		tpm2_quote -Q -c $kind.ctx -l sha1:0,1,16+sha256:0,4,7,10,14 -g sha256 $scheme -q $nonce \
			-m $kind-$signature.msg -s $kind-$signature.sig -f $signature -o $kind.$pcrs -F $pcrs >&2
		tpm2_flushcontext -t
		works "$kind $forms: imported" "$verifier" import tpm2-tools -m $kind-$signature.msg \
			-s $kind-$signature.sig -f $kind.$pcrs -u $kind.tss -o e.json
		judge e.json $kind.tss
		check "$kind $forms: the quote is good" is pass $quote_checks
	done
done
works 'the boot id and the time are absent' jq -e 'has("boot_id") or has("collected") | not' e.json
check 'the nonce is the one that the quote answers' \
	[ "$(jq -r .nonce e.json | base64 -d | xxd -p)" = $nonce ]
for form in pem der tpmt; do
	for kind in rsassa ecdsa; do
		works "$kind, the key as $form: imported" "$assay" import tpm2-tools \
			--message $kind-plain.msg --signature $kind-plain.sig --pcrs $kind.values --ak $kind.$form --out e.json
		judge e.json $kind.tss
		check "$kind, the key as $form: the quote is good" is pass $quote_checks
	done
done
works 'of a key in PEM, the evidence has its numbers' "$assay" import tpm2-tools \
	-m rsapss-plain.msg -s rsapss-plain.sig -f rsapss.values -u rsapss.pem -o numbers.json
works 'which is said' jq -e 'has("ak_key") and (has("ak_public") | not)' numbers.json
judge numbers.json rsapss.pem
check 'what the key may do, nobody knows' is fail ak-attributes
judge numbers.json rsapss.pem --ak-vouched
check 'but who gives it may vouch for it' is pass $quote_checks
judge numbers.json rsassa.tss
check 'and another key is found out' is fail ak-expected
works 'RSAPSS is told by what holds' grep -q '"ABYACw' numbers.json
works 'tpm2_checkquote says the same' tpm2_checkquote -Q -u rsassa.pem -m rsassa-tss.msg -s rsassa-tss.sig -f rsassa.serialized \
	-g sha256 -q $nonce

# What is changed on the way is imported, and refused.
cp ecdsa-plain.msg bad.msg
printf '\001' | dd of=bad.msg bs=1 seek=60 conv=notrunc 2>/dev/null
works 'a quote that was changed: imported' "$assay" import tpm2-tools -m bad.msg -s ecdsa-plain.sig -f ecdsa.serialized \
	-u ecdsa.tss -o e.json
judge e.json ecdsa.tss
check 'and not good' is fail quote-signature
cp ecdsa.values bad.values
printf '\001' | dd of=bad.values bs=1 seek=3 conv=notrunc 2>/dev/null
works 'another PCR value: imported' "$assay" import tpm2-tools -m ecdsa-plain.msg -s ecdsa-plain.sig -f bad.values -u ecdsa.tss -o e.json
judge e.json ecdsa.tss
check 'and not the quoted one' is fail pcr-digest

refused() { # TITLE STATUS WORDS COMMAND...
	title=$1 wanted=$2 words=$3
	shift 3
	rm -f none.json
	run "$@"
	check "$title" told "$wanted" "$words"
	check "$title: nothing is written" [ ! -e none.json ]
}
refused 'a signature of another size' 1 'neither a TPMT_SIGNATURE nor' "$assay" import tpm2-tools \
	-m rsassa-plain.msg -s rsassa.values -f rsassa.values -u rsassa.tss -o none.json
refused 'PCR values that are none' 1 'in no form of tpm2-tools' "$assay" import tpm2-tools \
	-m rsassa-plain.msg -s rsassa-plain.sig -f rsassa-plain.msg -u rsassa.tss -o none.json
refused 'a signature as the quote' 1 'no TPMS_ATTEST' "$assay" import tpm2-tools \
	-m rsassa-plain.sig -s rsassa-plain.sig -f rsassa.values -u rsassa.tss -o none.json
refused 'a quote as the key' 1 'attestation key is a quote' "$assay" import tpm2-tools \
	-m rsassa-plain.msg -s rsassa-plain.sig -f rsassa.values -u rsassa-plain.msg -o none.json
refused 'a file that is not there' 1 'cannot open none.msg' "$assay" import tpm2-tools \
	-m none.msg -s rsassa-plain.sig -f rsassa.values -u rsassa.tss -o none.json
refused 'a log that is none of the firmware' 1 "it is a list of IMA" "$assay" import tpm2-tools \
	-m rsassa-plain.msg -s rsassa-plain.sig -f rsassa.values -u rsassa.tss -o none.json --uefi "$data/ima/charra.bin"

# ---------------------------------------------------------------- there and back
# One quote, written for tpm2-tools and for Keylime, and read back from both. Keylime takes text as
# nonce.
export ASSAY_TCTI="$TPM2TOOLS_TCTI"
text_nonce=$(printf %s "$nonce" | xxd -p -c 99)
{
	"$assay" key create --restricted --out ak.pem --public ak.tss || exit 1
} >&2
works 'a quote for Keylime, and its parts for tpm2-tools' "$assay" quote --nonce "$text_nonce" --ak ak.pem --no-assay-log \
	--no-ima-log --no-uefi-log --pcrs 0,4,7,10 --format keylime --out keylime.json --export parts
works 'Keylime: read back' "$verifier" import keylime keylime.json --out from-keylime.json
check 'the endorsement key is told' grep -q 'left out: tpm_ek' stderr
works 'tpm2-tools: read back' "$verifier" import tpm2-tools -m parts/attest -s parts/sig -f parts/pcrs -u parts/ak.pub \
	-o from-tools.json
check 'both are the same evidence' cmp from-keylime.json from-tools.json
for made in from-keylime from-tools; do
	nonce_was=$nonce nonce=$text_nonce
	judge $made.json ak.tss
	nonce=$nonce_was
	check "$made: the quote is good" is pass $quote_checks
done
works 'tpm2_checkquote takes what was exported' tpm2_checkquote -Q -u parts/ak.pub -m parts/attest -s parts/sig \
	-f parts/pcrs -g sha256 -q parts/nonce

# What a machine does not have is told, and what nobody wants is not.
if [ ! -e /sys/kernel/security/tpm0/binary_bios_measurements ]; then
	works 'a quote of a machine without a log of its firmware' "$assay" quote --nonce "$nonce" --ak ak.pem --no-assay-log \
		--no-ima-log --pcrs 0 --out nothing.json
	check 'that is told' grep -q 'no log of the firmware, since the kernel has none' stdout
fi
works 'a quote that leaves it out' "$assay" quote --nonce "$nonce" --ak ak.pem --no-assay-log --no-ima-log --no-uefi-log \
	--pcrs 0 --out nothing.json
check 'does not tell it' eval '! grep -q firmware stdout'

# In wrappers, as the device writes them.
for form in cmw cmw-cbor; do
	works "$form: written" "$assay" quote --nonce "$nonce" --ak ak.pem --no-assay-log --no-ima-log --no-uefi-log \
		--pcrs 0,4,7,10 --format $form --out evidence.$form
	works "$form: taken out" "$verifier" import cmw evidence.$form --out from-$form.json
	for made in evidence.$form from-$form.json; do
		judge $made ak.tss
		check "$made: the quote is good" is pass $quote_checks
	done
done
check 'the one in JSON is a record' jq -e 'length == 3 and .[0] == "application/vnd.assay.evidence+json" and .[2] == 4' evidence.cmw
check 'the one in CBOR is a record' test "$(head -c 3 evidence.cmw-cbor | xxd -p)" = 837823
refused 'evidence without a wrapper' 1 'from-cmw.json: the CMW has something that is no record' "$verifier" import cmw from-cmw.json --out none.json

# What was imported, written again, and read back: the same.
works 'exported for tpm2-tools' "$verifier" export tpm2-tools from-keylime.json --out again
works 'tpm2_checkquote takes it' tpm2_checkquote -Q -u again/ak.pub -m again/attest -s again/sig -f again/pcrs -g sha256 \
	-q again/nonce
works 'and it is read back' "$verifier" import tpm2-tools -m again/attest -s again/sig -f again/pcrs -u again/ak.pub -o back.json
check 'as the same evidence' cmp from-keylime.json back.json
jq -r .data.tpm_ek keylime.json | base64 -d >ek.tss
works 'exported for Keylime' "$verifier" export keylime from-tools.json --ek ek.tss --out again.json
check 'what has no place there is told' grep -q 'left out: policies' stderr
check 'as the quote was written for it' cmp keylime.json again.json
works 'of a key in numbers, its numbers' "$verifier" export tpm2-tools numbers.json --out numbers
check 'are written as DER' openssl pkey -pubin -in numbers/ak.der -noout
run "$verifier" export keylime numbers.json --ek ek.tss --out none.json
check 'which Keylime does not take' told 1 'no more of the attestation key than its numbers'
run "$verifier" export keylime from-tools.json --ek keylime.json --out none.json
check 'what is no endorsement key is refused' told 1 'no TPM2B_PUBLIC'

# Trusted, by a policy that was learned from what was imported; and no longer once something else was booted.
verdict_of() { # EVIDENCE
	"$verifier" verify "$1" --nonce "$text_nonce" --ak ak.tss --policy policy.json --json >verdict.json 2>verdict.err
}
# Named by measurements as a firmware makes them: an extend each.
{
	tpm2_pcrextend "0:sha256=$(printf %064d 1)" "4:sha256=$(printf %064d 2)" "7:sha256=$(printf %064d 3)"
	quote() { # OUT
		"$assay" quote --nonce "$text_nonce" --ak ak.pem --no-assay-log --no-ima-log --no-uefi-log \
			--pcrs 0,4,7 --format keylime --out "$1"
	}
	quote good-keylime.json
	tpm2_pcrextend "4:sha256=$(printf %064d 4)"
	quote other-keylime.json
} >&2
works 'Keylime, a known boot: imported' "$verifier" import keylime good-keylime.json --out good.json
works 'Keylime, another boot: imported' "$verifier" import keylime other-keylime.json --out other.json
run "$verifier" policy learn good.json
cp stdout policy.json
check 'a policy is learned from it' told 0
works 'by which it is trusted' verdict_of good.json
check 'and the boot was judged' is pass boot-known pcr-values reference-values
run verdict_of other.json
check 'another boot is not' told 1
check 'by its PCR values' is fail pcr-values

# Push evidence of Keylime, around a quote of tpm2-tools and IMA's list as text.
base64 -w 0 ecdsa-tss.msg >m64
base64 -w 0 ecdsa-tss.sig >s64
base64 -w 0 ecdsa.serialized >p64
base64 -w 0 "$data/uefi/goattest-sb_cert_eventlog" >u64
jq -n --rawfile m m64 --rawfile s s64 --rawfile p p64 --rawfile u u64 --rawfile i "$data/ima_ascii/keylime-ima-log.txt" \
	'{data: {type: "attestation", attributes: {evidence_collected: [
	{evidence_class: "certification", evidence_type: "tpm_quote", data: {subject_data: $p, message: $m, signature: $s}},
	{evidence_class: "log", evidence_type: "uefi_log", data: {entries: $u}},
	{evidence_class: "log", evidence_type: "ima_log", data: {entry_count: 826, entries: $i}}]}}}' >push.json
refused 'push evidence without its key' 1 'give that (--ak)' "$verifier" import keylime push.json --out none.json
works 'push evidence: imported' "$verifier" import keylime push.json --ak ecdsa.tss --out e.json
judge e.json ecdsa.tss
check 'push evidence: the quote is good' is pass $quote_checks
check 'push evidence: the logs are there' is pass ima-log-parsed uefi-log-parsed

# ---------------------------------------------------------------- go-tpm-tools
# Of a virtual machine's TPM, whose nonces were of no and of two bytes: too short for a verifier.
for sample in no-nonce nonce9009; do
	works "go-tpm-tools, $sample: imported" "$verifier" import go-tpm-tools \
		"$data/go_tpm_tools/gce-cos-85-$sample.pb" --out go.json
	check "go-tpm-tools, $sample: the other bank is told" grep -q 'left out: the quote of the bank sha1' stderr
	jq -r .ak_public go.json | base64 -d >go.ak
	judge go.json go.ak
	check "go-tpm-tools, $sample: the quote is good but for its nonce" is pass evidence-parsed quote-parsed \
		ak-expected ak-attributes ak-algorithm quote-algorithm quote-signature quote-magic quote-type \
		quote-signer pcr-selection
	check "go-tpm-tools, $sample: which is too short" is fail quote-nonce
	jq -r .logs.uefi.data go.json | base64 -d >go.log
	works "go-tpm-tools, $sample: the log is that of the quoted PCRs" "$verifier" replay uefi go.log -b sha256 \
		$(jq -r '.pcrs.sha256 | to_entries[] | select(.key | IN("0", "2", "4", "5", "7")) |
		"-e \(.key):sha256:\(.value)"' go.json)
done
check 'the nonce is the one of its name' [ "$(jq -r .nonce go.json | base64 -d | xxd -p)" = 9009 ]
works 'the other bank can be had' "$verifier" import go-tpm-tools "$data/go_tpm_tools/gce-cos-85-nonce9009.pb" \
	--bank sha1 --out e.json
works 'and is the other bank' jq -e '.pcrs | has("sha1") and (has("sha256") | not)' e.json
refused 'a bank that is not there' 1 'no quote of the bank sha512' "$verifier" import go-tpm-tools \
	"$data/go_tpm_tools/gce-cos-85-nonce9009.pb" --bank sha512 --out none.json
refused 'what is no attestation' 1 'no attestation of go-tpm-tools' "$verifier" import go-tpm-tools ecdsa.pem \
	--out none.json

# ---------------------------------------------------------------- systemd's report
# Two boots, each with a key of its own, and reports without a nonce: systemd quotes without PCR 6.
for sample in secureboot other-kernel; do
	works "systemd-report, $sample: imported" "$verifier" import systemd-report \
		"$data/systemd_report/aavmf-$sample.report" --out $sample.json --json
	check "systemd-report, $sample: NvPCRs are told" grep -q 'not judged: the NvPCR hardware' stderr
	jq -r .ak_public $sample.json | base64 -d >$sample.ak
	judge $sample.json $sample.ak
	check "systemd-report, $sample: the quote is good but for its nonce" is pass evidence-parsed quote-parsed \
		ak-expected ak-attributes ak-algorithm quote-algorithm quote-signature quote-magic quote-type \
		quote-session quote-signer pcr-selection
	check "systemd-report, $sample: which is none" is fail quote-nonce
done
run "$verifier" policy learn --firmware secureboot.json
cp stdout policy.json
check 'rules are learned from it' told 0
check 'a policy that says nothing of nonces wants one' grep -q 'since quote-nonce did not pass' stderr
works 'the phase of the boot among them' jq -e '.firmware.phases == ["enter-initrd:leave-initrd"]' policy.json
run "$verifier" verify secureboot.json --ak secureboot.ak --policy policy.json
check 'and the verifier is to send it' told 2 'missing option: --nonce'
works "systemd's report, exported for tpm2-tools" "$verifier" export tpm2-tools secureboot.json --out report
check 'the time is told' grep -q 'left out: the time' stderr
check 'and the session' grep -q 'left out: the session' stderr
works 'tpm2_checkquote takes it' tpm2_checkquote -Q -u report/ak.pub -m report/attest -s report/sig -f report/pcrs -g sha384
works 'and it is read back' "$verifier" import tpm2-tools -m report/attest -s report/sig -f report/pcrs -u report/ak.pub \
	--uefi report/uefi -o back.json
check 'but for time and boot, as it was' [ "$(jq -cS . back.json)" = "$(jq -cS 'del(.boot_id, .collected, .session)' secureboot.json)" ]
jq '.nonce_bytes = 0' policy.json >none.json && mv none.json policy.json
run "$verifier" policy lint policy.json
check 'a policy that asks for none is warned of' grep -q 'warning: It need not answer a nonce' stdout
works 'by which the report is trusted' "$verifier" verify secureboot.json --ak secureboot.ak --policy policy.json
run "$verifier" verify other-kernel.json --ak other-kernel.ak --policy policy.json --json
cp stdout verdict.json
check 'another kernel is not' told 1
check 'by the rule on programs' is fail firmware-programs
check 'and the PCRs that hold it' is fail pcr-values
run "$verifier" verify secureboot.json --ak secureboot.ak --policy policy.json --nonce "$nonce"
check 'nor what does not answer a nonce that was sent' grep -q '^FAIL  *quote-nonce' stdout
# A report with a nonce, which the quote's session answers.
report=$data/systemd_report/aavmf-nonce.report answer=00112233445566778899aabbccddeeff
works 'systemd-report, with a nonce: imported' "$verifier" import systemd-report "$report" --out nonce.json
check 'the nonce is taken' [ "$(jq -r .nonce nonce.json | base64 -d | xxd -p)" = $answer ]
jq -r .ak_public nonce.json | base64 -d >nonce.ak
"$verifier" policy learn --firmware nonce.json >policy.json 2>told
works 'by which it is trusted' "$verifier" verify nonce.json --ak nonce.ak --policy policy.json --nonce $answer --json
cp stdout verdict.json
check 'since its session answers' is pass quote-session quote-nonce pcr-digest
run "$verifier" verify nonce.json --ak nonce.ak --policy policy.json --nonce ${answer}00
check 'and no other nonce' grep -q '^FAIL  *quote-nonce: the session answers the nonce' stdout
for change in '.session.certified |= .[1:]' 'del(.session.certified[0])' '.session.certified |= reverse' \
	'.quote = {attest: .session.attest, signature: .session.signature}' '.session.signature = .quote.signature' \
	'.session.attest = .quote.attest' '.session.text |= (.[:100] + "AAAA" + .[104:])'; do
	jq "$change" nonce.json >changed.json
	run "$verifier" verify changed.json --ak nonce.ak --policy policy.json --nonce $answer --json
	cp stdout verdict.json
	check "not with $change" is fail quote-session quote-nonce
done
# Another report of the same TPM for that nonce, and this quote.
sed 's/00112233/00112234/' "$report" >another.report
works 'what was not signed is imported' "$verifier" import systemd-report another.report --out another.json
check 'and has no session' jq -e 'has("session") or has("nonce") | not' another.json
check 'as it is told' grep -q 'not the one that was signed' stderr
refused "what is no report" 1 'no signed report of systemd' "$verifier" import systemd-report ecdsa.pem --out none.json

# ---------------------------------------------------------------- IMA's list as text
ascii="$data/ima_ascii/keylime-ima-log.txt"
works 'a list as text becomes binary' "$assay" import ima "$ascii" --out list.bin
"$assay" replay ima "$ascii" >text.pcrs
"$assay" replay ima list.bin >binary.pcrs
check 'both replay to the same' cmp text.pcrs binary.pcrs
check 'and not to nothing' grep -q '^sha1  *PCR 10  *82231c67a69da98dc5b3aa10f6343d33109225fc' text.pcrs
printf 'no list\n' >none
refused 'what is no list' 1 'line 1 of IMA' "$assay" import ima none --out none.json
works 'a list as text is taken beside a quote' "$assay" import tpm2-tools -m rsassa-plain.msg -s rsassa-plain.sig -f rsassa.values \
	-u rsassa.tss -o e.json --ima "$ascii" --uefi "$data/uefi/goattest-sb_cert_eventlog" --json
cp stdout told.json
works 'and told' jq -e '.ima_log_bytes > 0 and .uefi_log_bytes > 0 and .notes == []' told.json
echo "1..$check_number"
exit "$check_failed"
