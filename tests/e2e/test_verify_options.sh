#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay verify`: what its options may say together with a policy, and in which order its
# outputs come: what a verdict leaves in the device's record is kept before anything says
# "trusted".
set -eu
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
data=$PWD/tests/data/evidence
work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"
nonce=$(xxd -p "$data/nonce")

# A policy that is fulfilled; each test adds to it.
cat >policy.json <<END
{"assay": 1, "type": "policy", "manifests": ["$data/manifest.jsonl"],
 "certificates": ["$data/cert.pem"],
 "waive": {"boot-known": "the evidence quotes nothing of the boot",
  "assay-log-chain": "the log is of a module of before records had keys"}}
END

with() { # MEMBERS: the policy with these members
	jq "$1" policy.json >changed.json
}

judge() { # [OPTION]...
	run "$verifier" verify "$data/evidence.json" --nonce "$nonce" "$@"
}

by_policy() { # [OPTION]...
	judge --ak "$data/ak.pub" --policy changed.json "$@"
}

contradicts() { # WORDS: told on standard error, and no verdict
	[ "$status" -eq 1 ] && [ ! -s stdout ] && grep -q "$1" stderr
}

refused() { # CHECK
	[ "$status" -eq 1 ] && grep -q "^[A-Za-z][A-Za-z ]* $1: " stdout && ! grep -q '^trusted' stdout
}

trusted() {
	[ "$status" -eq 0 ] && head -n 1 stdout | grep -q '^trusted'
}

with .
by_policy
check 'a policy that is fulfilled' trusted
with '.require = ["files-complete"]'
by_policy --waive files-complete
check 'a waiver of what the policy requires' contradicts \
	'"require" asks for the check files-complete, and "--waive" does without it'
with '.max_age = 60'
by_policy --waive quote-age
check 'a waiver of what a member requires' contradicts '"max_age" asks for the check quote-age'
with '.ima.required = true'
by_policy --no-ima-log
check 'no list where the policy requires it' contradicts \
	'"ima.required" asks for the check ima-log-parsed, and "--no-ima-log" does without it'
with '.ima.required = false'
by_policy --no-ima-log --waive files-complete
check 'what does not contradict the policy adds to it' trusted
with '.strip_prefix = "/mnt"'
by_policy --strip-prefix /mnt
check 'two prefixes' contradicts 'both --strip-prefix and the policy'
with '.waive += {"assay-log-tpm": "a test"} | .log.late_tpm = "refuse"'
by_policy
check 'a policy that contradicts itself' contradicts \
	'changed.json: the policy: "log.late_tpm" asks for the check assay-log-tpm, and "waive"'
sed 's/"type"/"max_age": 60, "max_age": 6000, "type"/' policy.json >changed.json
by_policy
check 'a member that is there twice' contradicts 'duplicate object key'

with '.pcrs.values["sha256:14"] = ["'"$(jq -r '.pcrs.sha256["14"]' "$data/evidence.json")"'"]'
by_policy --pcr-start "sha256:$(printf 77%.0s $(seq 32))" --manifest "$data/manifest.jsonl" --cert "$data/cert.pem"
check 'a policy, PCR values, a start, a manifest and a certificate together' trusted

misused() { # TITLE WORDS OPTION...
	misused_title=$1
	misused_words=$2
	shift 2
	by_policy "$@"
	check "$misused_title" told 2 "$misused_words"
}
with .
misused 'the nonce twice' '--nonce is given twice' --nonce "$nonce"
misused 'the policy twice' '--policy is given twice' --policy changed.json
misused 'an old name beside the new one' '--strip-prefix is given twice' --strip-prefix /a --root /b
misused 'a prefix that no path has' "--strip-prefix must be an absolute path, not 'mnt'" --strip-prefix mnt
misused 'an option that is abbreviated' "unknown option '--no-ima'" --no-ima
misused 'another one' "unknown option '--wai'" --wai files-known
judge --ak - --policy -
check 'two that read standard input' told 2 'cannot both read standard input'
judge --device - --policy changed.json
check 'a record from standard input' told 2 '--device must be a file, not standard input'
judge --device - --no-update --policy changed.json
check 'even one that is only read' told 2 '--device must be a file, not standard input'
run "$verifier" verify - --nonce "$nonce" --ak "$data/ak.pub" --policy -
check 'evidence and policy from standard input' told 2 'standard input can be only one of'
printf 'no key\n' >no.key
judge --ak no.key --policy changed.json
check 'a key that is none' told 1 'no.key: '

# The key in forms that hold its numbers alone: the last of TPM2B_PUBLIC are x and y of P-256.
{
	printf 3059301306072a8648ce3d020106082a8648ce3d03010703420004
	xxd -p -c 256 "$data/ak.pub" | sed 's/.*0020\(.\{64\}\)0020\(.\{64\}\)$/\1\2/'
} | xxd -r -p >ak.der
openssl pkey -pubin -inform DER -in ak.der -out ak.pem
tail -c +3 "$data/ak.pub" >ak.tpmt
for form in der pem; do
	judge --ak ak.$form --policy changed.json
	check "a key in $form: its attributes are not known" refused ak-attributes
	judge --ak ak.$form --ak-vouched --policy changed.json
	check "a key in $form that somebody vouches for" trusted
done
judge --ak ak.tpmt --policy changed.json
check 'a key as TPMT_PUBLIC' trusted
judge --ak ak.tpmt --ak-vouched --policy changed.json
check 'which says its attributes itself' told 1 'remove --ak-vouched'
openssl ecparam -name prime256v1 -genkey -noout | openssl pkey -pubout -out other.pem
judge --ak other.pem --ak-vouched --policy changed.json
check 'another key' refused ak-expected
judge --device x --ak-vouched --policy changed.json
check 'a record says it as well' told 2 '--ak-vouched'

# The record: written first, and nothing is published if it cannot be.
jq -n --arg ak "$(base64 -w0 "$data/ak.pub")" \
	--arg name "000b$(tail -c +3 "$data/ak.pub" | sha256sum | cut -c 1-64)" \
	'{assay: 1, type: "device", machine_id: "test", enrolled: "2026-01-01T00:00:00Z",
	ak_public: $ak, ak_name: $name, ak_qualified_name: $qname,
	ek_key_sha256: ("00" * 32), ek_certificate_sha256: ("00" * 32)}' \
	--arg qname "$(xxd -p -c 256 "$data/ak.qname")" >fresh.json
mkdir records
cp fresh.json records/m.json
ln -s records/m.json link.json
judge --device link.json --policy changed.json --junit link.xml
check 'a record by a link' trusted
check 'which stays a link' [ -L link.json ]
check 'and the state is in the file it names' [ "$(jq .state.records records/m.json)" = 5 ]
check 'and the report is there' grep -q '<testsuite' link.xml
cp fresh.json records/m.json
chmod 640 records/m.json
umask 077
judge --device link.json --policy changed.json
umask 022
check 'the file that is written has the mode of the one before' [ "$(stat -c %a records/m.json)" = 640 ]
ln -s records/none.json nowhere.json
judge --device nowhere.json --policy changed.json
check 'a link that leads nowhere' told 1 'cannot open nowhere.json'
rm nowhere.json
mkfifo record.fifo
judge --device record.fifo --policy changed.json
check 'a record that is no file' told 1 'record.fifo is no regular file'
rm record.fifo
if [ "$(id -u)" -eq 0 ]; then
	as='setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs'
else
	as=
fi
# A directory in which nothing can be made: the record cannot be replaced.
cp fresh.json records/m.json
mkdir out
chmod 777 out
chmod 755 . records
chmod 644 ./*.json records/m.json
# What the record's group may do is not for the group of whoever replaces it.
if [ "$(id -u)" -eq 0 ]; then
	chmod 777 records
	chmod 664 records/m.json
	# shellcheck disable=SC2086 # words
	run $as "$verifier" verify "$data/evidence.json" --nonce "$nonce" --device records/m.json \
		--policy changed.json
fi
if [ "$(id -u)" -ne 0 ] || [ "$status" -eq 126 ] || [ "$status" -eq 127 ]; then
	skip 'a record of a group that cannot be kept' 'the files are not readable as another user'
else
	check 'a record of a group that cannot be kept' \
		[ "$(stat -c '%u %g %a' records/m.json)" = '65534 65534 644' ]
	chmod 755 records
fi
cp fresh.json records/m.json
chmod 644 records/m.json
chmod a-w records
# shellcheck disable=SC2086 # words
run $as "$verifier" verify "$data/evidence.json" --nonce "$nonce" --device records/m.json \
	--policy changed.json --junit out/j.xml --html out/v.html
if [ "$status" -eq 126 ] || [ "$status" -eq 127 ]; then
	skip 'a record that cannot be kept: no verdict' 'the files are not readable as another user'
	skip 'and no report' 'the files are not readable as another user'
else
	check 'a record that cannot be kept: no verdict' contradicts 'records/m.json: Permission denied'
	check 'and no report' [ -z "$(ls out)" ]
fi
chmod u+w records
# A report that cannot be begun leaves the record as it was.
judge --device records/m.json --policy changed.json --html missing/v.html
check 'a report that cannot be written: no verdict' contradicts 'missing/v.html'
check 'and nothing is kept' cmp fresh.json records/m.json
echo "1..$check_number"
exit "$check_failed"
