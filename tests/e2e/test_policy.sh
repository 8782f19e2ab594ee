#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay policy`: from evidence to a policy that trusts it and nothing else, from Keylime's
# runtime policy to reference values, and a policy in words.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016
set -eu
cd "$(dirname "$0")/../.."
verifier=${ASSAY_VERIFY:-$PWD/build/host/assay-verify}
assay=${ASSAY:-$PWD/build/host/assay}
data=$PWD/tests/data/evidence
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

policy() {
	run "$verifier" policy "$@"
}

ended() { # STATUS WORDS
	told "$@"
}

judge() { # POLICY
	run "$verifier" verify "$data/evidence.json" --nonce "$(xxd -p "$data/nonce")" \
		--ak "$data/ak.pub" --policy "$1" --waive boot-known --waive assay-log-chain
}

echo 1..54
policy learn "$data/evidence.json" --ima --manifest "$data/manifest.jsonl" --cert "$data/cert.pem"
check 'nothing is learned where the boot is not known' ended 1 'nothing is learned of the boot.*--waive-boot'
jq 'del(.logs.assay)' "$data/evidence.json" >no-log.json
policy learn no-log.json --ima --waive-boot
check 'of a device without the module, the policy says so' [ "$(jq -c .logs stdout)" = \
	'{"assay_log":"absent","ima":"required","uefi":"absent"}' ]
mv stdout no-log-policy.json
run "$verifier" verify no-log.json --nonce "$(xxd -p "$data/nonce")" --ak "$data/ak.pub" \
	--policy no-log-policy.json
check 'and trusts that evidence' [ "$status" -eq 0 ]
policy lint no-log-policy.json
check 'lint says what that means' grep -q '^note: There is no log of assay' stdout
jq 'del(.logs.ima)' no-log.json >no-list.json
policy learn no-list.json --ima --waive-boot
check 'what is missing is told' ended 1 'where evidence-logs: it holds no list of IMA'
jq '.logs.ima.data |= .[:-4]' no-log.json >cut-list.json
policy learn cut-list.json --waive-boot
check 'a list that does not hold is told, and done without' \
	grep -q '^assay-verify policy learn: logs.ima is "absent", since ima-log-parsed did not pass' stderr
check 'and so is that nothing was compared' grep -q 'since reference-values did not pass' stderr
policy learn "$data/evidence.json" --ima --manifest "$data/manifest.jsonl" --cert "$data/cert.pem" --waive-boot
check 'unless the policy is not to judge it' [ "$(jq -r '.waive["boot-known"]' stdout)" = 'learned without the boot' ]
check 'learn prints a policy' [ "$(jq -r .type stdout)" = policy ]
cp stdout learned.json
judge learned.json
check 'which trusts that evidence' [ "$status" -eq 0 ]
jq '.ima.digests["/bin/sh"] |= map(sub(".$"; "0"))' learned.json >other.json
judge other.json
check 'and not a device with another /bin/sh' \
	grep -q '^FAIL  *ima-files-match: /bin/sh: IMA measured ' stdout
jq 'del(.ima.digests["/bin/sh"])' learned.json >other.json
judge other.json
check 'nor one with a file more' grep -q '^FAIL  *ima-files-known: /bin/sh is no' stdout
jq '.allow = [{path: "/bin/", reason: "a test"}]' other.json >allowed.json
judge allowed.json
check 'unless that is allowed' [ "$status" -eq 0 ]
policy lint allowed.json
check 'lint warns of it: exit status 1' [ "$status" -eq 1 ]
check 'in words' grep -q '^warning: Anything below /bin/ may be measured' stdout
# Without the waiver, and with values of PCRs that make the boot known.
jq 'del(.waive) | .pcrs.values = {"sha256:0": [("11" * 32)], "sha256:7": [("22" * 32)]}' learned.json >strict.json
policy lint strict.json
check 'nothing to warn of: exit status 0' [ "$status" -eq 0 ]
jq --slurpfile rules allowed.json '.allow = $rules[0].allow | del(.ima.digests["/bin/sh"])' strict.json >one.json
policy lint one.json --json
check 'JSON: one warning' [ "$(jq '[.findings[] | select(.level == "warning")] | length' stdout)" -eq 1 ]
check 'JSON: not ok' [ "$(jq .ok stdout)" = false ]
jq '.log.unknwon = 1' learned.json >misspelt.json
policy lint misspelt.json
check 'a member that is misspelt' ended 1 'misspelt.json: .*"log.unknwon" is not known'

jq '.logs.assay.cel |= sub("^.{40}"; "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")' "$data/evidence.json" >bad.json
policy learn bad.json --waive-boot
check 'nothing is learned from evidence that is not good' ended 1 'nothing is learned from evidence where assay-log-'

cat >runtime.json <<'END'
{"meta": {"version": 1}, "release": 0, "excludes": ["/sbin/.*", "/bin/[a-k].*"],
 "digests": {"/bin/sh": [], "/usr/bin/x": ["0123456789abcdef0123456789abcdef01234567"]},
 "keyrings": {}, "ima": {"ignored_keyrings": []}, "ima-buf": {}, "verification-keys": ""}
END
policy import runtime.json
check "import of Keylime's runtime policy" [ "$(jq -c .ima.digests stdout)" = \
	'{"/usr/bin/x":["sha1:0123456789abcdef0123456789abcdef01234567"]}' ]
check 'it asks for a log of assay, as any policy' [ "$(jq -c .logs stdout)" = null ]
policy import runtime.json --no-assay-log
check 'unless that is for devices without the module' [ "$(jq -c .logs stdout)" = '{"assay_log":"absent"}' ]
cp stdout no-module.json
policy import runtime.json --no-assay-log --policy no-module.json
check 'which a policy may say already' [ "$status" -eq 0 ]
jq '.logs.assay_log = "required"' no-module.json >module.json
policy import runtime.json --no-assay-log --policy module.json
check 'and must not say otherwise' ended 1 'says something else of assay.s log'
policy import runtime.json
check 'an exclusion that is a path' [ "$(jq -r '.allow[].path' stdout)" = /sbin/ ]
check 'an exclusion that is none is told' grep -qF '"/bin/[a-k].*" is not taken over' stderr
for path in sh ls; do
	jq -r --arg path "/bin/$path" '.ima.digests[$path][] | sub("sha256:"; "") + "  " + $path' learned.json
done >SHA256SUMS
jq 'del(.ima.digests)' learned.json >base.json
policy import SHA256SUMS --policy base.json
cp stdout imported.json
judge imported.json
check 'import of digests and paths, into a policy: what is left is refused' \
	grep -q '^FAIL  *ima-files-known: /sbin/init is no' stdout
jq '.allow = [{path: "/sbin/init", reason: "a test"}]' imported.json >whole.json
judge whole.json
check 'and trusted once it is allowed' [ "$status" -eq 0 ]
echo 'no digest' >SHA256SUMS
policy import SHA256SUMS
check 'what has no digests: exit status 1' ended 1 'line 1: it does not begin with a digest'
echo '{"assay": 1, "type": "policy"}' >empty.json
policy lint empty.json
check 'lint says what is accepted in words' grep -qxF 'The enrolled key must have signed the quote: RSASSA or RSAPSS or ECDSA on P-256 or ECDSA on P-384, with SHA-256 or SHA-384 or SHA-512 (RSA keys from 2048 bits).' stdout
policy import /dev/null
check 'nor an empty file: exit status 1' ended 1 'nothing of it can be taken over'
policy import
check 'nothing to import: exit status 2' ended 2 'missing argument: FILE'
policy import SHA256SUMS more
check 'too much to import: exit status 2' ended 2 "unexpected argument 'more'"
policy import - --policy -
check 'both from standard input: exit status 2' ended 2 'standard input can be only one'
policy lint a --json --json
check 'an option twice: exit status 2' ended 2 '--json is given twice'
policy learn a --pcr 0 --pcr 0
check 'a PCR twice: exit status 2' ended 2 'names PCR 0 twice'
policy learn a --pcr 24
check 'a PCR that no TPM has: exit status 2' ended 2 'must be a number from 0 to 23'
policy learn a --waive
check 'an option that is abbreviated: exit status 2' ended 2 "unknown option '--waive'"
policy
check 'no verb: exit status 2' ended 2 'lint, learn, '

# What sha256sum writes of a tree with odd names is imported under these.
mkdir -p tree/opt
echo 1 >'tree/opt/a\x2db'
echo 2 >"$(printf 'tree/opt/c\nd')"
echo 3 >'tree/opt/My App'
# Not every file system takes a name in Latin-1.
: >"$(printf 'tree/opt/caf\351')" 2>/dev/null || :
(cd tree && find . -type f -exec sha256sum {} + | sed 's, \./, /,' | sort) >odd.sums
policy import odd.sums
check 'names that sha256sum escapes' [ "$(jq -c '.ima.digests | keys' stdout)" = \
	'["/opt/My App","/opt/a\\x2db","/opt/c\nd"]' ]
check 'a name that is not UTF-8 is told' grep -q 'caf.xe9", is not taken over: its name is not UTF-8' stderr
check 'and nothing of memory' [ "$(grep -c memory stderr)" -eq 0 ]
(cd tree && find . -type f -name 'M*' -exec sha256sum -z {} +) >odd.sums
policy import odd.sums
check 'with -z' [ "$(jq -c '.ima.digests | keys' stdout)" = '["./opt/My App"]' ]
(cd tree && find . -type f ! -name 'caf*' -exec sha256sum --tag {} +) >odd.sums
policy import odd.sums
check 'with --tag' [ "$(jq -c '.ima.digests | keys' stdout)" = \
	'["./opt/My App","./opt/a\\x2db","./opt/c\nd"]' ]

# Keylime's reference state of a measured boot: rules on the firmware's log.
policy import "$data/../import/keylime-mb-refstate.json"
cp stdout boot.json
check 'a reference state becomes rules' [ "$(jq -c '.firmware | [.secure_boot, (.programs | keys), (.keys.dbx.contains | length), (.command_lines | length)]' boot.json)" = \
	'["on",["grub","kernel","shim"],371,1]' ]
check 'what is judged otherwise is told' grep -q 'MokListTrusted, which some shims measure as well' stderr
policy lint boot.json
check 'lint says so' grep -q "^The policy has a rule on the firmware's log: is Secure Boot on?" stdout

# lint looks at the certificates that a policy names.
openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=weak -keyout weak.key -out weak.pem -days 9 2>/dev/null
jq '.ima.certificates = ["weak.pem"]' learned.json >weak.json
policy lint weak.json
check "a signer's key that is too weak" grep -q \
	"^warning: The certificate of a signer of files in IMA's list, CN=weak: .*fewer than 2048" stdout
check 'exit status 1' [ "$status" -eq 1 ]
policy lint weak.json --json
check 'JSON has it, too' [ "$(jq '[.findings[] | select(.text | test("CN=weak"))] | length' stdout)" -gt 0 ]
jq '.ima.digests |= (.["/a b"] = .["/bin/sh"] | .["/a_b"] = .["/bin/sh"])' learned.json >alike.json
policy lint alike.json
check 'names that IMA writes alike' grep -q '^warning: /a b and /a_b are written alike' stdout
run "$assay" policy lint strict.json
check 'assay policy does the same' [ "$status" -eq 0 ]
run "$verifier" policy import "$data/../ima/charra.bin"
check "a list of IMA's in binary form is told, not shown" told 1 'it has no lines: it is a list of IMA'
