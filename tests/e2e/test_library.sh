#!/bin/sh
# SPDX-License-Identifier: MIT
# libassay-verify as it is installed: what it exports, what it needs, and that programs in C and
# C++ build with it by pkg-config and come to the verdicts of `assay verify`.
set -u
cd "$(dirname "$0")/../.." || exit 2
root=$PWD
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
CHECK_OUT=$work
. tests/check.sh
data=$root/tests/data/evidence
lib=$work/usr/lib/libassay-verify.so

works "make install-library" make --no-print-directory -C "$root" install-library DESTDIR="$work" PREFIX=/usr
[ -e "$lib" ] || {
	echo "1..1"
	exit 1
}
export PKG_CONFIG_PATH="$work/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work" LD_LIBRARY_PATH="$work/usr/lib"

# ---------------------------------------------------------------- symbols
nm -D --defined-only "$lib" | sed 's/.* //' >"$work/symbols"
check "every symbol is assay_* and has a version" \
	[ -z "$(grep -v '^assay_[a-z_]*@@ASSAY_VERIFY_2$' "$work/symbols" | grep -v '^ASSAY_VERIFY_2$')" ]
# From the header, which names each function once at the beginning of a declaration.
sed -n 's/^[a-z].*[ *]\(assay_[a-z_]*\)(.*/\1@@ASSAY_VERIFY_2/p' userspace/include/assay-verify.h | sort >"$work/declared"
grep @ "$work/symbols" | sort >"$work/exported"
check "what is exported is what the header declares" cmp "$work/declared" "$work/exported"
check "there are symbols" [ "$(wc -l <"$work/exported")" -ge 25 ]
readelf -d "$lib" >"$work/dynamic"
check "it has a soname" grep -q 'soname: \[libassay-verify.so.0\]' "$work/dynamic"
check "it needs no TPM stack" [ -z "$(grep -E 'NEEDED.*(tss2|keyutils)' "$work/dynamic")" ]
nm -D --undefined-only "$lib" >"$work/undefined"
check "it does not empty the program's queue of OpenSSL's errors" [ -z "$(grep ERR_clear_error "$work/undefined")" ]
check "but for what it leaves there itself" grep -q ERR_pop_to_mark "$work/undefined"
check "its relocations are read-only" grep -q 'BIND_NOW' "$work/dynamic"

# ---------------------------------------------------------------- the example
build() { # COMPILER STANDARD SOURCE PROGRAM
	# shellcheck disable=SC2046 # flags, as words
	"$1" "-std=$2" -pedantic -Wall -Wextra -Werror -o "$4" "$3" $(pkg-config --cflags --libs libassay-verify)
}
works "the example builds in C99 by pkg-config" build gcc c99 examples/verify.c "$work/example"
judge() { # EVIDENCE NONCE
	run "$work/example" "$1" "$2" "$data/ak.pub" "$data/manifest.jsonl" "$data/cert.pem" "$work/policy.json"
}
echo '{"assay": 1, "type": "policy", "waive": {"boot-known": "a test", "assay-log-chain": "a test"}}' >"$work/policy.json"
judge "$data/evidence.json" "$data/nonce"
check "it trusts good evidence" prints 0 '^trusted (the boot was not judged)$'
printf 'this is no nonce' >"$work/nonce"
judge "$data/evidence.json" "$work/nonce"
check "it refuses another nonce, and says why" prints 1 '^quote-nonce: ' '^NOT TRUSTED$'
sed 's/"10": "5/"10": "6/' "$data/evidence.json" >"$work/evidence.json"
judge "$work/evidence.json" "$data/nonce"
check "it refuses another PCR" prints 1 '^pcr-digest: ' '^NOT TRUSTED$'
judge "$work/none" "$data/nonce"
check "it tells of a file that is not there" told 2 'cannot read'

# ---------------------------------------------------------------- C++
cat >"$work/program.cc" <<'EOF'
#include <assay-verify.h>
#include <cstring>

int main()
{
	assay_verify_params params = {};
	assay_verify_message message;
	assay_policy *policy = nullptr;
	assay_verdict *verdict = nullptr;

	if (assay_policy_new({}, &policy, &message) != ASSAY_VERIFY_OK)
		return 2;
	params.version = ASSAY_VERIFY_PARAMS_VERSION;
	params.policy = policy;
	if (assay_verify(&params, &verdict, &message) != ASSAY_VERIFY_OK)
		return 2;
	const bool trusted = assay_verdict_trusted(verdict);
	char *const text = assay_verdict_json(verdict);
	const bool json = std::strstr(text, "\"trusted\": false") != nullptr;
	assay_verify_text_free(text);
	assay_verdict_free(verdict);
	params.reserved[0] = 1;
	const bool refused = assay_verify(&params, &verdict, &message) == ASSAY_VERIFY_ERROR_PARAMETER;
	assay_policy_free(policy);
	return trusted || !json || !refused;
}
EOF
works "a program in C++11 builds" build g++ c++11 "$work/program.cc" "$work/cxx"
works "and runs" "$work/cxx"
check "the version is the header's" [ "$(pkg-config --modversion libassay-verify)" = \
	"$(sed -n 's/^#define ASSAY_VERSION "\(.*\)"/\1/p' userspace/include/assay.h)" ]
echo "1..$check_number"
exit "$check_failed"
