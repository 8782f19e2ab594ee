#!/bin/sh
# SPDX-License-Identifier: MIT
# `assay sign --composefs` on a repository of thousands of objects whose names fsverity computed.
# Conditions are evaluated by check, not where they stand.
# shellcheck disable=SC2016,SC2034
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.."
assay=${ASSAY:-$PWD/build/host/assay}
work=$(mktemp -d "${TMPDIR:-/tmp}/sign-composefs.XXXXXX")
CHECK_OUT=$work
. tests/check.sh
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

sign() { # OPTION...
	run "$assay" sign --composefs --root root --key key.pem --cert cert.pem --manifest m "$@"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=signer \
	-keyout key.pem -out cert.pem -days 10 2>/dev/null
objects=2000
mkdir -p root/composefs/objects root/composefs/images new
seq "$objects" | sed 's/.*/this is object &/' | split -l 1 -a 4 -d - new/
fsverity digest --compact new/* >digests
cut -c 1-2 digests | sort -u | sed 's#^#root/composefs/objects/#' | xargs mkdir
awk '{ path = "root/composefs/objects/" substr($1, 1, 2) "/" substr($1, 3); print "this is object " NR >path; close(path) }' digests
echo image >root/composefs/images/x
one=$(find root/composefs/objects -type f | sort | head -n 1)
sign --json
check 'all objects are signed, and nothing else' jq -e ".source == \"composefs\" and .file_count == $objects" stdout
check 'each by the digest that is its name' jq -se '.[1:] | length > 0 and all(.digest == "sha256:" + (.path | ltrimstr("/composefs/objects/") | gsub("/"; "")))' m
run "$assay" check --manifest m --ca cert.pem --root root
check 'and assay check finds them so' told 0
sign composefs/images
check 'where there are no objects nothing is signed' told 1 'there is no regular file'
sign --block-size 1024
check 'the digests are those of 4096 bytes' told 1 'composefs names objects by their digest with blocks of 4096 bytes and no salt'
sign --salt 00
check 'without a salt' told 1 'leave --block-size and --salt out'
sign --hash sha512
check 'names of another hash are no objects' told 1 'there is no regular file'
echo damage >>"$one"
sign
check 'an object that is not what its name says fails' told 1 "${one#root} is not the object that its name says: its fs-verity digest is sha256:" \
	'1 of 2000 files could not be signed'
check 'and no manifest is written' told 1 'm.partial'
echo "1..$check_number"
exit "$check_failed"
