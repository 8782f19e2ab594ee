#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay policy pcr11`: the values of unified kernel images are those that systemd-measure gives,
# and make a policy.
# shellcheck disable=SC2016
set -eu
cd "$(dirname "$0")/../.."
assay=$PWD/build/host/assay
data=$PWD/tests/data/fuzz_pe
measure=/lib/systemd/systemd-measure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
cd "$work"

# What is in the image's sections; its stub, of version 252, does not measure .uname.
printf 'ID=x\n' >osrel
printf 'quiet' >cmdline
printf 'key' >pcrpkey
printf '0707' >initrd
# Its section .linux is an image of its own, the second that begins in the file, of two blocks.
kernel=$(grep -abo MZ "$data/uki-252" | sed -n '2s/:.*//p')
tail -c +$((kernel + 1)) "$data/uki-252" | head -c 1024 >linux
says() { # FILTER
	jq -e "$1" stdout >/dev/null
}

phases=enter-initrd:leave-initrd:sysinit:ready
if [ -x "$measure" ]; then
	for bank in sha1 sha256 sha384 sha512; do
		"$measure" calculate --linux=linux --osrel=osrel --cmdline=cmdline --pcrpkey=pcrpkey --initrd=initrd \
			--bank="$bank" --phase= --phase=enter-initrd --phase=enter-initrd:leave-initrd \
			--phase=enter-initrd:leave-initrd:sysinit --phase="$phases" 2>/dev/null | sed 's/.*=//' >theirs
		run "$assay" policy pcr11 --show --bank "$bank" "$data/uki-252"
		sed -n "s/^  $bank:\([0-9a-f]*\)  .*/\1/p" stdout >ours
		check "$bank: in each phase the value of systemd-measure" eval 'prints 0 "systemd-stub 252" && [ -s theirs ] && cmp theirs ours'
	done
	ready=$("$measure" calculate --linux=linux --osrel=osrel --cmdline=cmdline --pcrpkey=pcrpkey --initrd=initrd \
		--bank=sha256 --phase="$phases" 2>/dev/null | sed 's/.*=//')
	run "$assay" policy pcr11 "$data/uki-252"
	check 'the policy has the value of the last phase' says ".pcrs.values == {\"sha256:11\": [\"$ready\"]}"
else
	skip 'the values are those of systemd-measure' 'no systemd-measure'
fi

run "$assay" policy pcr11 "$data/uki-252" "$data/uki-profiles"
check 'several images are accepted, each' says '.pcrs.values["sha256:11"] | length == 2'
run "$assay" policy pcr11 "$data/uki-profiles" --profile 1 --phase '' --phase enter-initrd --bank sha384
check 'so are several phases' says '.pcrs.values["sha384:11"] | length == 2'
printf '%s' '{"assay": 1, "type": "policy", "pcrs": {"required": [7], "values": {"sha256:0": ["'"$(printf %064d 0)"'"]}}}' >base.json
run "$assay" policy pcr11 --policy base.json "$data/uki-252"
check 'values are added to a policy' says '.pcrs.required == [7] and (.pcrs.values | keys) == ["sha256:0", "sha256:11"]'
cp stdout once.json
run "$assay" policy pcr11 --policy once.json "$data/uki-252"
check 'and not twice' cmp stdout once.json
"$assay" policy lint once.json >lint.txt || :
check 'lint tells of them' grep -q '^PCRs 0, 11 must have one of the values' lint.txt
run "$assay" policy pcr11 --profile 2 "$data/uki-profiles"
check 'a profile that is not there is told' told 1 'there is no profile 2: it has 2'
run "$assay" policy pcr11 "$data/plus"
check 'an image without a kernel is told' told 1 'plus: it is no unified kernel image'
run "$assay" policy pcr11 osrel
check 'and what is no image' told 1 'osrel: not a PE image'
run "$assay" policy pcr11 --phase 'enter-initrd:redy' "$data/uki-252"
check 'words that systemd does not have are told' told 0 "redy is not made of systemd's own words"
run "$assay" policy pcr11 --phase 'a::b' "$data/uki-252"
check 'phases that are no words are refused' told 2 'words with a colon between them'
echo '{"assay": 1, "type": "policy", "pcrs": []}' >wrong.json
run "$assay" policy pcr11 --policy wrong.json "$data/uki-252"
check 'a policy of another form is refused' told 1 '"pcrs"'
run "$assay" policy pcr11 --show --json "$data/uki-profiles"
check 'what is measured is shown' says '.images[0] | .stub_version == 257 and .profile_count == 2 and
	.sections == [".linux", ".osrel", ".cmdline", ".profile"] and (.values | length) == 5 and
	(.values[4].phase == "enter-initrd:leave-initrd:sysinit:ready")'
echo "1..$check_number"
exit "$check_failed"
