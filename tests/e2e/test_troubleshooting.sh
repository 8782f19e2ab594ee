#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/troubleshooting.md, message by message: here each is provoked by its own cause, and what the page has people do
# then helps; or it is named which other test provokes it. A message that is added there without either fails.
# shellcheck disable=SC2016,SC2317
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
. tests/swtpm.sh
tpm_work assay-troubleshooting
CHECK_OUT=$work
. tests/check.sh
top=$PWD
page=$PWD/docs/troubleshooting.md
data=$PWD/tests/data/evidence
assay=$PWD/build/host/assay
verifier=$PWD/build/host/assay-verify
sed -n 's/^#### `\(.*\)`$/\1/p' "$page" >"$work/headings"
: >"$work/known"

# heading WORDS: the page's one message that has these words, noted as known
heading() {
	grep -F -e "$1" "$work/headings" >"$work/heading"
	cat "$work/heading" >>"$work/known"
	[ "$(wc -l <"$work/heading")" -eq 1 ]
}
# all_said: what was said has the pieces of that message in their order, whatever "..." stands for
all_said() {
	cat "$work/stdout" "$work/stderr" | tr '\n' ' ' |
		grep -q -e "$(sed 's/[][\.*^$]/\\&/g; s/\\\.\\\.\\\./.*/g' "$work/heading")"
}
# provokes WORDS COMMAND...: the command fails with that message
provokes() {
	provoked=$1
	shift
	check "the page has: $provoked" heading "$provoked"
	run "$@"
	check "it is provoked: $provoked" eval '[ "$status" -ne 0 ] && all_said'
}
# helps COMMAND...: after what the page has people do the command works, and no longer says it
helps() {
	run "$@"
	check "what is to be done helps: $provoked" eval '[ "$status" -eq 0 ] && ! all_said'
}
# code_has WORDS TEST: they are in it, and not in a comment alone
code_has() {
	sed '/^[[:space:]]*\(#\|\/[*\/]\|[*]\)/d' "tests/$2" | grep -q -e "$1"
}
# is_tested WORDS TEST WORDS_OF_IT: another test provokes that message
is_tested() {
	check "the page has: $1" heading "$1"
	check "$2 provokes it" code_has "$3" "$2"
}

# is_untested WORDS REASON: nothing can provoke it here
is_untested() {
	check "the page has: $1" heading "$1"
	skip "it is provoked: $1" "$2"
}

# ---------------------------------------------------------------- building and the bed
# A test needs no network: an archive of one package is a directory.
archive=$work/archive
mkdir -p "$archive" "$work/package/DEBIAN"
printf 'Package: assay-test\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@example.org>\nDescription: test\n' \
	>"$work/package/DEBIAN/control"
dpkg-deb -b "$work/package" "$archive/assay-test.deb" >/dev/null
(cd "$archive" && dpkg-scanpackages . >Packages 2>/dev/null)
private() { # COMMAND: with an apt of the bed's that knows that archive alone
	mkdir -p "$work/cache/assay/apt"
	echo "deb [trusted=yes] file:$archive/ ./ # trixie-backports main" >"$work/cache/assay/apt/sources.list"
	env XDG_CACHE_HOME="$work/cache" HOME="$work" sh -ec 'here=$PWD/qemu; . qemu/lib.sh; . qemu/apt.sh; prepare_apt; '"$1"
}
mv "$archive/Packages" "$archive/Packages.away"
provokes 'cannot fetch the package lists' private :
mv "$archive/Packages.away" "$archive/Packages"
helps private :
mv "$archive/assay-test.deb" "$archive/away"
provokes 'cannot download: is this machine online' private 'fetch "$cache/fetched" assay-test:amd64'
mv "$archive/away" "$archive/assay-test.deb"
helps private 'fetch "$cache/fetched" assay-test:amd64'
check 'and what was fetched is there' [ -e "$work/cache/assay/fetched/assay-test_1_amd64.deb" ]
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	without_sources() {
		env XDG_CACHE_HOME="$work/empty" unshare -m sh -ec 'mount -t tmpfs tmpfs /etc/apt/sources.list.d
			[ ! -e /etc/apt/sources.list ] || mount --bind /dev/null /etc/apt/sources.list
			here=$PWD/qemu; . qemu/lib.sh; . qemu/apt.sh; prepare_apt'
	}
	provokes 'no source of Debian packages is configured' without_sources
	without_jq() { # COMMAND...: as somebody else, on this machine without jq and sudo
		sed '/^Package: jq$/,/^$/d' /var/lib/dpkg/status >"$work/status"
		chmod 755 "$work"
		unshare -m sh -ec 'mount --bind "$0" /var/lib/dpkg/status
			! sudo=$(command -v sudo) || mount --bind /dev/null "$(readlink -f "$sudo")"
			exec "$@"' "$work/status" "$@"
	}
	provokes 'these packages are missing and there is no sudo' without_jq setpriv --reuid 65534 --clear-groups \
		env HOME="$work" XDG_CACHE_HOME="$work/of-nobody" qemu/host-packages
	sed -n 's/.*as root: //p' "$work/stderr" >"$work/to-do"
	check 'the command is one' grep -q '^apt-get install jq$' "$work/to-do"
	helps setpriv --reuid 65534 --clear-groups env HOME="$work" XDG_CACHE_HOME="$work/of-nobody" qemu/host-packages
else
	heading 'no source of Debian packages is configured'
	heading 'these packages are missing and there is no sudo'
	skip 'packages that are missing' 'this user can mount nothing'
fi
provokes 'no test is called' tests/run.sh unit/test_rulers
helps sh -c 'tests/run.sh --list | grep unit/test_rules'
is_tested 'LOST guest' e2e/test_second_try.sh 'LOST guest'

# ---------------------------------------------------------------- the module
cd "$work" || exit 1
if [ ! -e /dev/assay ]; then
	provokes 'load the module (insmod assay.ko)' "$assay" log show
else
	is_tested 'load the module (insmod assay.ko)' e2e/test_initramfs.sh 'no /dev/assay: load the module'
fi
cd "$top" || exit 1
is_tested 'the device tree has no enabled node' kmod/test_refused_parameters.sh 'no enabled node compatible'
is_tested 'are not to be had in the default CMA area' kmod/test_acpi.sh 'KiB are not to be had'
is_tested 'the kernel refused region' kmod/test_refused_region.sh 'incorrect alignment of CMA region'
is_tested 'cannot protect memory' kmod/test_acpi.sh 'cannot protect memory'
is_tested 'PCR ... ...; choose another' kmod/test_pcr.sh 'choose another'
is_untested "the TPM's driver knows of no PCR bank" 'no software TPM is without banks'
is_tested 'the PCR does not hold what the log says' kmod/silent.c 'something else has extended it'
is_tested 'the log is full' kmod/test_commands.sh 'the log is full. Nothing was recorded'
is_tested 'run this as root' system/test_faults.sh 'run this as root'

# ---------------------------------------------------------------- the TPM
cd "$work" || exit 1
mkdir state
ASSAY_TCTI=swtpm:path=$work/state.sock
export ASSAY_TCTI
chmod 755 "$work"
provokes 'no TPM at' "$assay" key create --tcti device:/dev/no-tpm --out key.pem --cert cert.pem
provokes 'no TPM answers at' "$assay" key create --out key.pem --cert cert.pem
# As the page has it.
swtpm_words=$(tr '\n' ' ' <"$page" | sed -n 's/.*`\(swtpm socket [^`]*\)`.*/\1/p')
check 'the page starts a software TPM' [ -n "$swtpm_words" ]
mkdir state/dir
eval "exec $(echo "$swtpm_words" | sed 's/DIR/state/; s/SOCKET/state.sock/g')" >swtpm.log 2>&1 &
swtpm_pid=$!
eventually [ -S state.sock ]
helps "$assay" key create --out key.pem --cert cert.pem
works 'another key, for attestation' "$assay" key create --restricted --out ak.pem --public ak.pub
if [ "$(id -u)" -eq 0 ]; then
	install -m 600 /dev/null tpm0
	provokes 'may not be opened: run as root, or join' setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$assay" key create --tcti "device:$work/tpm0" --out /dev/stdout
else
	heading 'may not be opened: run as root, or join'
	skip 'a TPM of somebody else' 'only root has somebody else'
fi
mkdir -p tree/usr/bin
echo program >tree/usr/bin/program
sign() { # KEY
	"$assay" sign --key "$1" --cert cert.pem --root tree --manifest manifest.jsonl
}
quote() { # KEY
	"$assay" quote --nonce 00112233445566778899aabbccddeeff --ak "$1" --no-assay-log --no-ima-log --no-uefi-log \
		--pcrs 0,7 --out evidence.json
}
provokes 'is an attestation key: it signs quotes and nothing else' sign ak.pem
helps sign key.pem
provokes 'is no attestation key' quote key.pem
helps quote ak.pem

# ---------------------------------------------------------------- fs-verity, signatures, keyrings
cd "$top" || exit 1
is_tested 'is in use by another program' system/test_faults.sh 'in use by another program'
is_tested 'after too many wrong passwords' e2e/test_key.sh 'dictionary attack lockout'
is_tested 'its file system does not have the verity feature' e2e/enable-guest.sh 'mke2fs -O verity'
is_tested 'this kind of file system does not know verity' e2e/enable-guest.sh 'use ext4, f2fs or btrfs'
is_tested 'has the file open for writing' e2e/enable-guest.sh 'has the file open for writing'
is_tested 'the file system is mounted read-only' e2e/enable-guest.sh 'the file system is mounted read-only'
is_tested "the signer's certificate is not in the kernel's .fs-verity keyring" e2e/enable-guest.sh 'keyring; load it with'
is_tested 'the kernel rejects the signature' e2e/enable-guest.sh 'the kernel rejects the signature'
is_tested 'there is no keyring' e2e/test_key_quote.sh 'there is no keyring'
is_tested 'the keyring is locked' e2e/keyring-guest.sh 'the keyring is locked'
is_tested 'the kernel has no certificate of its signer' e2e/enforce-ipe-guest.sh 'no certificate of its signer'
is_tested 'or a newer one, and never goes back' e2e/enforce-ipe-guest.sh 'never goes back'
cd "$work" || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=without an id' -days 10 \
	-addext subjectKeyIdentifier=none -keyout other.pem -out other.crt 2>/dev/null
sign_other() {
	"$assay" sign --key other.pem --cert other.crt --root tree --manifest other.jsonl
}
provokes 'has no subject key id' sign_other
"$assay" key cert --key other.pem --out other.crt --force >/dev/null 2>&1
helps sign_other

# ---------------------------------------------------------------- verdicts
nonce=$(xxd -p "$data/nonce")
# judge EVIDENCE [OPTION]...: good evidence needs both of the waivers
judge() {
	judge_evidence=$1
	shift
	"$verifier" verify "$judge_evidence" --ak "${ak:-$data/ak.pub}" --cert "$data/cert.pem" "$@"
}
judge_all() { # EVIDENCE [OPTION]...
	judge "$@" --nonce "$nonce" --manifest "$data/manifest.jsonl" --waive assay-log-chain
}
# advises CHECK COMMAND...: that check does not pass, and what the page says is advised
advises() {
	provokes "$@"
	sed -n "/^#### \`$1\`/,/^####/s/^> //p" "$page" >advice
	check "what the page advises is advised: $1" eval '[ -s advice ] && grep -q -F "$(cat advice)" stdout'
}
provokes 'missing option: --nonce' judge "$data/evidence.json" --manifest "$data/manifest.jsonl"
advises boot-known judge_all "$data/evidence.json"
helps judge_all "$data/evidence.json" --waive boot-known
check 'the verdict is what the page says' grep -q -F 'trusted (the boot was not judged)' stdout
jq 'del(.logs.ima)' "$data/evidence.json" >changed.json
advises evidence-logs judge_all changed.json --waive boot-known
helps judge_all "$data/evidence.json" --waive boot-known
good_nonce=$nonce nonce=00112233445566778899aabbccddeeff
advises quote-nonce judge_all "$data/evidence.json" --waive boot-known
nonce=$good_nonce
helps judge_all "$data/evidence.json" --waive boot-known
ak=ak.pub
advises ak-expected judge_all "$data/evidence.json" --waive boot-known
ak=
helps judge_all "$data/evidence.json" --waive boot-known
cd "$top" || exit 1
for name in quote-session pcr-digest quote-counters quote-clock files-known files-match files-measured files-complete assay-log-replay \
	assay-log-tpm ima-log-start reference-values pcr-values; do
	check "the page has: $name" heading "$name"
	# unit/test_threats has each row of that table be so.
	check "a test provokes it: $name" grep -q "^| [^|]* | [^|]*\`$name\`[^|]* | \`[a-z_]*\.c\` " userspace/lib/verify/README.md
done
cd "$work" || exit 1
advises assay-log-chain judge "$data/evidence.json" --nonce "$nonce" --manifest "$data/manifest.jsonl" --waive boot-known

# ---------------------------------------------------------------- pushing, the service, the archive
push() { # URL
	"$assay" push --url "$1" --ak ak.pem --name d1 --no-assay-log --no-ima-log --no-uefi-log --pcrs 0,7 --timeout 5
}
provokes 'is it running, and let through by firewalls' push https://127.0.0.1:1
cd "$top" || exit 1
is_tested 'it knows no such device, or is no verifier' e2e/test_push.sh 'enrol the device there'
is_tested 'its certificate does not lead to one that is trusted' e2e/test_push.sh 'configure the right CA'
is_tested 'it wants to know who asks' unit/test_push.c '401, EACCES, "configure the certificate'
is_tested 'the evidence is larger than it takes' unit/test_push.c 'raise its limit'
is_tested 'a request could not be parsed' service/test_parsers.sh 'could not be parsed'
is_tested 'without it no request can be read' service/test_parsers.sh 'the service ends, to be started anew'
is_untested 'could not confine itself' 'no service of the bed has a filter that keeps it from that'
is_untested 'its parser could not be confined' 'no kernel of the bed is without seccomp filters'
is_tested 'free space there' service/test_archive_faults.sh 'free space there'
is_tested "the directory must be the service's user's" service/test_archive_faults.sh "must be the service's user's"

sort "$work/headings" >"$work/all"
sort -u "$work/known" | comm -23 "$work/all" - >"$work/rest"
sed 's/^/# no test has: /' "$work/rest"
check 'each message of the page is tested' [ ! -s "$work/rest" ]
echo "1..$check_number"
exit "$check_failed"
