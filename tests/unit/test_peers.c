// SPDX-License-Identifier: MIT
/*
 * Signatures and certificates of other programs (tests/data/sign), judged: what the kernel
 * takes and assay does not is told as that, not as refused by the kernel.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/ima_sig.h"
#include "sign/lint.h"
#include "sign/trust.h"
#include "verity/verity.h"

static struct buffer load_data(const char *name)
{
	struct buffer out = { 0 };
	struct assay_error err;
	char path[128];

	snprintf(path, sizeof(path), "tests/data/sign/%s", name);
	if (file_read(path, 1 << 20, &out, &err) < 0)
		fail_msg("%s (tests run in the root of the checkout)", err.text);
	return out;
}

static X509 *load_certificate(const char *name)
{
	CLEANUP(buffer_free) struct buffer data = load_data(name);
	struct assay_error err;
	X509 *certificate;

	if (certificate_parse(buffer_bytes(&data), name, &certificate, &err) < 0)
		fail_msg("%s", err.text);
	return certificate;
}

#define STRICTER "this is stricter than the kernel, which takes it): "

static void built_in_signatures_are_judged_as_the_kernel_does_or_stricter(void **state)
{
	static const struct {
		const char *signature, *certificate;
		int result;
		const char *why;
	} rows[] = {
		{ "assay-r2560.p7s", "r2560.crt", -EBADMSG,
		  "the kernel does not take this built-in signature: the signer's key (RSA 2560)" },
		{ "cms-sha1-r2048.p7s", "r2048.crt", -EOPNOTSUPP,
		  STRICTER "its message digest is SHA1" },
		{ "trailing-r2048.p7s", "r2048.crt", -EOPNOTSUPP, STRICTER "bytes follow it" },
		{ "fsv-p192.p7s", "p192.crt", -EOPNOTSUPP,
		  STRICTER "CN=p192: the certificate's key is too weak (ECDSA prime192v1)" },
		/* Another's first of all is another's. */
		{ "cms-sha1-r2048.p7s", "p192.crt", -ENOKEY, "another certificate's key" },
	};
	CLEANUP(buffer_free) struct buffer data = load_data("f");
	struct assay_digest digest, other;

	(void)state;
	assert_int_equal(verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT, buffer_bytes(&data), "f",
					     &digest, NULL),
			 0);
	other = digest;
	other.bytes[0] ^= 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(buffer_free) struct buffer der = load_data(rows[i].signature);
		CLEANUP(x509_free_pointer)
		X509 *certificate = load_certificate(rows[i].certificate);
		struct assay_error err = { 0 };
		struct trust *trust;

		assert_int_equal(trust_new(&trust, NULL), 0);
		assert_int_equal(trust_add(trust, certificate, TRUST_SIGNER, NULL), 0);
		assert_int_equal(trust_verify_pkcs7(trust, buffer_bytes(&der), &digest, NULL, &err),
				 rows[i].result);
		support_assert_error(&err, rows[i].why);
		/* Of another file it is wrong, not weak. */
		if (rows[i].result == -EOPNOTSUPP)
			assert_int_equal(
				trust_verify_pkcs7(trust, buffer_bytes(&der), &other, NULL, NULL),
				-EKEYREJECTED);
		trust_free(trust);
	}
}

/* ---------------------------------------------------------------- certificates */

struct lint_seen {
	const char *code;
	unsigned int keyrings;
	bool seen, stricter;
};

static void note_finding(void *context, const struct lint_finding *finding)
{
	struct lint_seen *seen = context;

	if (strcmp(finding->code, seen->code) != 0)
		return;
	seen->seen = true;
	seen->keyrings = finding->keyrings;
	seen->stricter = finding->stricter;
}

static void lint_tells_the_kernels_mind_from_assays(void **state)
{
	static const struct {
		const char *certificate, *code;
		unsigned int keyrings;
		bool stricter;
	} rows[] = {
		{ "noskid.crt", "no-key-id", LINT_IMA | LINT_USER_IMA, true },
		{ "p192.crt", "curve-weak", 0, true },
		{ "imakey.pem", "rsa-too-short", 0, true },
		{ "r2560.crt", "rsa-size", LINT_ALL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(x509_free_pointer)
		X509 *certificate = load_certificate(rows[i].certificate);
		struct lint_seen seen = { .code = rows[i].code };
		unsigned int refused = certificate_lint(certificate, NULL, 0, note_finding, &seen);

		if (!seen.seen || seen.keyrings != rows[i].keyrings ||
		    seen.stricter != rows[i].stricter)
			fail_msg("%s: %s: %sseen, keyrings %u", rows[i].certificate, rows[i].code,
				 seen.seen ? "" : "not ", seen.keyrings);
		/* But for r2560, all are good for the kernel's .fs-verity. */
		assert_int_equal(refused & LINT_FS_VERITY, rows[i].keyrings & LINT_FS_VERITY);
	}
}

/* ---------------------------------------------------------------- IMA */

static void a_valid_signature_by_a_weak_key_is_told_as_that(void **state)
{
	/* Where the second entry's digest and signature are in the list. */
	enum { DIGEST = 143, SIGNATURE = 208, SIGNATURE_SIZE = 137 };
	CLEANUP(buffer_free) struct buffer list = load_data("ima-rsa1024-signed.list");
	CLEANUP(x509_free_pointer) X509 *certificate = load_certificate("imakey.pem");
	CLEANUP(x509_free_pointer) X509 *other = load_certificate("r2048.crt");
	CLEANUP(x509_free_pointer) X509 *without = load_certificate("noskid.crt");
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct assay_error err = { 0 };
	struct bytes value;

	(void)state;
	assert_int_equal(list.size, SIGNATURE + SIGNATURE_SIZE);
	memcpy(digest.bytes, list.data + DIGEST, 32);
	value = BYTES(list.data + SIGNATURE, SIGNATURE_SIZE);
	assert_int_equal(ima_sig_verify_data(value, &digest, certificate, &err), -EOPNOTSUPP);
	support_assert_error(&err, "is valid, but the key is too weak (RSA 1024)");
	assert_int_equal(ima_sig_verify_data(value, &digest, other, &err), -ENOKEY);
	assert_int_equal(ima_sig_verify_data(value, &digest, without, &err), -EINVAL);
	digest.bytes[31] ^= 1;
	assert_int_equal(ima_sig_verify_data(value, &digest, certificate, &err), -EKEYREJECTED);
	digest.bytes[31] ^= 1;
	list.data[SIGNATURE + 60] ^= 1;
	assert_int_equal(ima_sig_verify_data(value, &digest, certificate, &err), -EKEYREJECTED);
	list.data[SIGNATURE + 1] = 3;
	assert_int_equal(ima_sig_verify_data(value, &digest, certificate, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_signatures_are_judged_as_the_kernel_does_or_stricter),
		cmocka_unit_test(lint_tells_the_kernels_mind_from_assays),
		cmocka_unit_test(a_valid_signature_by_a_weak_key_is_told_as_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
