// SPDX-License-Identifier: MIT
/* lib/sign: what is signed elsewhere: the list of it, files of signatures, their forms. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "sign/prepared.h"
#include "sign/signature.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define MANIFEST                                                                          \
	"{\"assay\":1,\"type\":\"manifest\",\"id\":\"0123456789abcdef0123456789abcdef\"," \
	"\"created\":\"2025-01-31T12:00:00Z\",\"hash\":\"sha256\",\"block_size\":4096,"   \
	"\"salt\":\"\",\"signer\":{\"subject\":\"CN=x\",\"key_id\":\"01020304\"}}"
#define HEAD_WITH(kinds, manifest, more)                            \
	"{\"assay\":1,\"type\":\"to-sign\",\"signatures\":\"" kinds \
	"\",\"manifest\":" manifest more "}\n"
#define HEAD HEAD_WITH("both", MANIFEST, "")
#define ITEM_FILE(path) "{\"path\":\"" path "\",\"size\":12,\"verity\":\"sha256:" HEX32 "\"}\n"
#define ITEM                                                                                \
	"{\"sign\":\"ima\",\"algorithm\":\"ecdsa-sha256\",\"digest\":\"sha256:" HEX32 "\"," \
	"\"bytes\":\"Zm9v\"}\n"
#define SIGNATURE "{\"digest\":\"sha256:" HEX32 "\",\"signature\":\"Zm9v\"}\n"

static struct signatures *new_signatures(void)
{
	struct signatures *signatures;

	assert_int_equal(signatures_new(&signatures, NULL), 0);
	return signatures;
}

/* ---------------------------------------------------------------- what was prepared */

static void a_list_is_read(void **state)
{
	static const char text[] = HEAD ITEM_FILE("/a") ITEM ITEM_FILE("/b") SIGNATURE;
	struct signatures *signatures = new_signatures();
	const struct prepared_file *file = NULL;
	struct prepared *prepared;
	struct assay_error err;

	(void)state;
	if (prepared_parse(BYTES_LITERAL(text), "p", signatures, &prepared, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(prepared->header.pkcs7 && prepared->header.ima);
	assert_null(prepared->header.delegate);
	assert_int_equal(prepared->count, 2);
	assert_int_equal(prepared->wanted, 1);
	assert_int_equal(prepared->only.bytes[31], 0x1f);
	assert_int_equal(signatures_count(signatures), 1);
	assert_true(signatures_have(signatures, &prepared->only));
	/* In order, what is new and what is gone. */
	assert_int_equal(prepared_match(prepared, "/0", &file), PREPARED_NEW);
	assert_int_equal(prepared_match(prepared, "/aa", &file), PREPARED_GONE);
	assert_string_equal(file->path, "/a");
	assert_int_equal(prepared_match(prepared, "/aa", &file), PREPARED_NEW);
	assert_int_equal(prepared_match(prepared, "/b", &file), PREPARED_SAME);
	assert_int_equal(file->size, 12);
	assert_int_equal(prepared_match(prepared, "/c", &file), PREPARED_NEW);
	assert_int_equal(prepared_match(prepared, NULL, &file), PREPARED_NEW);
	prepared_free(prepared);
	signatures_free(signatures);
}

/* Each breaks one rule; the error names the line and the rule. */
static const struct {
	struct bytes text;
	const char *where, *why;
} bad_lists[] = {
	{ BYTES_LITERAL(""), "p", "is empty" },
	{ BYTES_LITERAL("x\n"), "p line 1", "not JSON" },
	{ BYTES_LITERAL("{}\n"), "p line 1", "\"assay\"" },
	{ BYTES_LITERAL("{\"assay\":1,\"type\":\"manifest\"}\n"), "p line 1", "to-sign" },
	{ BYTES_LITERAL("{\"assay\":2,\"type\":\"to-sign\"}\n"), "p line 1", "version" },
	{ BYTES_LITERAL("{\"assay\":1,\"type\":\"to-sign\"}\n"), "p line 1", "\"signatures\"" },
	{ BYTES_LITERAL(HEAD_WITH("none", MANIFEST, "")), "p line 1", "\"signatures\" is not" },
	{ BYTES_LITERAL(HEAD_WITH("ima", "{}", "")), "p line 1", "\"assay\"" },
	{ BYTES_LITERAL(HEAD_WITH("ima", "1", "")), "p line 1", "\"manifest\"" },
	{ BYTES_LITERAL(HEAD_WITH("ima", MANIFEST, ",\"x\":1")), "p line 1", "\"x\" is not known" },
	{ BYTES_LITERAL(HEAD_WITH("ima", MANIFEST, ",\"delegate\":\"Zm9v\"")), "p line 1",
	  "no X.509 certificate" },
	{ BYTES_LITERAL(HEAD_WITH("ima", MANIFEST, ",\"delegate\":\"!\"")), "p line 1",
	  "\"delegate\"" },
	{ BYTES_LITERAL(HEAD HEAD), "p line 2", "is not known" },
	{ BYTES_LITERAL(HEAD "\n"), "p line 2", "is empty" },
	{ BYTES_LITERAL(HEAD ITEM_FILE("a")), "p line 2", "not absolute" },
	{ BYTES_LITERAL(HEAD ITEM_FILE("/a/../b")), "p line 2", "component" },
	{ BYTES_LITERAL(HEAD ITEM_FILE("/b") ITEM_FILE("/a")), "p line 3", "not in order" },
	{ BYTES_LITERAL(HEAD ITEM_FILE("/b") ITEM ITEM_FILE("/b")), "p line 4", "not in order" },
	{ BYTES_LITERAL(HEAD "{\"path\":\"/a\"}\n"), "p line 2", "\"size\"" },
	{ BYTES_LITERAL(HEAD "{\"path\":\"/a\",\"size\":-1}\n"), "p line 2", "\"size\"" },
	{ BYTES_LITERAL(HEAD "{\"path\":\"/a\",\"size\":1,\"verity\":\"sha512:00\"}\n"), "p line 2",
	  "\"verity\" is not" },
	{ BYTES_LITERAL(HEAD "{\"path\":\"/a\",\"size\":1,\"digest\":\"x\"}\n"), "p line 2",
	  "\"digest\" is not known" },
	{ BYTES_LITERAL(HEAD "{\"sign\":\"ima\"}\n"), "p line 2", "\"digest\"" },
	{ BYTES_LITERAL(HEAD "{\"sign\":\"ima\",\"digest\":\"sha256:0\"}\n"), "p line 2",
	  "\"digest\" is not" },
	{ BYTES_LITERAL(HEAD "{\"sign\":\"ima\",\"name\":1}\n"), "p line 2", "not known" },
	{ BYTES_LITERAL(HEAD "{\"digest\":\"x\",\"signature\":\"Zm9v\"}\n"), "p line 2",
	  "\"digest\" is not" },
	{ BYTES_LITERAL(HEAD "{\"digest\":\"sha256:" HEX32 "\",\"signature\":\"\"}\n"), "p line 2",
	  "0 bytes" },
	{ BYTES_LITERAL(HEAD "{\"digest\":\"sha256:" HEX32 "\",\"signature\":\"Zm9\"}\n"),
	  "p line 2", "\"signature\"" },
	{ BYTES_LITERAL(HEAD "{\"a\":1"), "p line 2", "cut off" },
};

static void bad_lists_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_lists) / sizeof(bad_lists[0]); i++) {
		struct signatures *signatures = new_signatures();
		struct assay_error err = { 0 };
		struct prepared *prepared = NULL;

		if (prepared_parse(bad_lists[i].text, "p", signatures, &prepared, &err) == 0)
			fail_msg("list %zu was taken: %.*s", i, (int)bad_lists[i].text.size,
				 (const char *)bad_lists[i].text.data);
		support_assert_error(&err, bad_lists[i].where);
		support_assert_error(&err, bad_lists[i].why);
		signatures_free(signatures);
	}
}

/* ---------------------------------------------------------------- files of signatures */

static void files_of_signatures_are_read(void **state)
{
	static const char text[] = SIGNATURE "{\"digest\":\"sha256:" HEX32
					     "\",\"signature\":\"YmFy\",\"sign\":\"ima\","
					     "\"algorithm\":\"x\",\"bytes\":\"Zm9v\"}";
	struct signatures *signatures = new_signatures();
	struct assay_digest only = { ASSAY_HASH_SHA256, 32, { 0 } };
	struct assay_error err;

	(void)state;
	/* Without a newline at the end, as people write them; and empty. */
	if (signatures_read(signatures, BYTES_LITERAL(text), "s", NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(signatures_count(signatures), 2);
	assert_int_equal(signatures_read(signatures, BYTES(NULL, 0), "s", NULL, &err), 0);
	/* One as it is, also one that begins as JSON does. */
	assert_int_equal(signatures_read(signatures, BYTES_LITERAL("{\1"), "s", &only, &err), 0);
	assert_true(signatures_have(signatures, &only));
	signatures_free(signatures);
}

static const struct {
	struct bytes text;
	bool only;
	const char *why;
} bad_files[] = {
	{ BYTES_LITERAL(""), true, "s is empty" },
	{ BYTES_LITERAL("raw"), false, "only one is missing" },
	{ BYTES_LITERAL("{"), false, "s line 1" },
	{ BYTES_LITERAL(SIGNATURE "\n"), false, "s line 2 is empty" },
	{ BYTES_LITERAL(SIGNATURE "x"), false, "s line 2 is not JSON" },
	{ BYTES_LITERAL("{\"digest\":1}"), true, "\"digest\"" },
	{ BYTES_LITERAL("{\"digest\":\"" HEX32 "\"}"), false, "\"digest\" is not" },
	{ BYTES_LITERAL("{\"digest\":\"sha256:" HEX32 "\"}"), false, "no \"signature\"" },
	{ BYTES_LITERAL("{\"digest\":\"sha256:" HEX32 "\",\"signature\":\"Zm9v\",\"x\":1}"), false,
	  "\"x\" is not known" },
};

static void bad_files_are_refused(void **state)
{
	const struct assay_digest only = { ASSAY_HASH_SHA256, 32, { 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
		struct signatures *signatures = new_signatures();
		struct assay_error err = { 0 };

		if (signatures_read(signatures, bad_files[i].text, "s",
				    bad_files[i].only ? &only : NULL, &err) == 0)
			fail_msg("file %zu was taken", i);
		support_assert_error(&err, bad_files[i].why);
		signatures_free(signatures);
	}
}

/* All are found again, and of one digest in the order in which they came. */
static void many_are_found(void **state)
{
	struct signatures *signatures = new_signatures();
	struct assay_digest digest = { ASSAY_HASH_SHA256, 32, { 0 } };

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		memcpy(digest.bytes, &i, sizeof(i));
		assert_false(signatures_have(signatures, &digest));
		assert_int_equal(signatures_add(signatures, &digest, BYTES_LITERAL("x"), NULL), 0);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		memcpy(digest.bytes, &i, sizeof(i));
		assert_true(signatures_have(signatures, &digest));
	}
	digest.hash = ASSAY_HASH_SHA384;
	assert_false(signatures_have(signatures, &digest));
	signatures_free(signatures);
}

/* ---------------------------------------------------------------- forms */

static const struct bytes message = { (const uint8_t *)"message", 7 };

static void sign_plainly(EVP_PKEY *key, struct bytes text, struct buffer *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = (size_t)EVP_PKEY_get_size(key);
	uint8_t *place = buffer_reserve(out, size);

	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, place, &size, text.data, text.size), 1);
	out->size += size;
	EVP_MD_CTX_free(context);
}

/* r and s side by side, each as wide as the curve */
static void to_pair(struct bytes der, size_t half, uint8_t *out)
{
	const unsigned char *at = der.data;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der.size);

	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)half), half);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + half, (int)half), half);
	ECDSA_SIG_free(signature);
}

static int settle(EVP_PKEY *key, struct bytes given, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer out = { 0 };
	int r = signature_settle(key, ASSAY_HASH_SHA256, message, given, &out, err);

	/* Whatever it was, what comes of it is as a signer makes it. */
	if (r == 0)
		assert_int_equal(signature_verify_message(key, ASSAY_HASH_SHA256, message,
							  buffer_bytes(&out), "it", NULL),
				 0);
	else
		assert_int_equal(out.size, 0);
	return r;
}

static void pairs_and_der_are_taken(void **state)
{
	static const struct {
		const char *curve;
		size_t half;
	} curves[] = { { "P-256", 32 }, { "P-384", 48 }, { "P-521", 66 } };

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		CLEANUP(evp_pkey_free_pointer) EVP_PKEY *key = EVP_EC_gen(curves[i].curve);

		/* Many: r and s have leading zeros at times. */
		for (int n = 0; n < 40; n++) {
			CLEANUP(buffer_free) struct buffer der = { 0 };
			struct assay_error err;
			uint8_t pair[132];
			size_t size = 2 * curves[i].half;

			sign_plainly(key, message, &der);
			to_pair(buffer_bytes(&der), curves[i].half, pair);
			if (settle(key, buffer_bytes(&der), &err) < 0 ||
			    settle(key, BYTES(pair, size), &err) < 0)
				fail_msg("%s %d: %s", curves[i].curve, n, err.text);
			pair[n % size] ^= 1;
			assert_int_equal(settle(key, BYTES(pair, size), &err), -EKEYREJECTED);
			assert_int_equal(settle(key, BYTES(pair, size - 1), &err), -EKEYREJECTED);
		}
	}
}

static void what_is_no_signature_is_refused(void **state)
{
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *rsa = EVP_RSA_gen(2048);
	CLEANUP(buffer_free) struct buffer by_rsa = { 0 };
	struct assay_error err;
	uint8_t zero[64] = { 0 };

	(void)state;
	assert_int_equal(settle(key, BYTES(zero, 64), &err), -EKEYREJECTED);
	assert_int_equal(settle(key, BYTES_LITERAL("-----BEGIN CMS-----\n"), &err), -EKEYREJECTED);
	sign_plainly(rsa, message, &by_rsa);
	assert_int_equal(settle(rsa, buffer_bytes(&by_rsa), &err), 0);
	assert_int_equal(settle(key, buffer_bytes(&by_rsa), &err), -EKEYREJECTED);
}

/* ---------------------------------------------------------------- the signer */

static int count_wanted(void *context, enum assay_hash hash, const struct assay_digest *digest,
			struct bytes wanted, struct assay_error *err)
{
	(void)digest;
	(void)err;
	assert_int_equal(hash, ASSAY_HASH_SHA256);
	assert_true(bytes_equal(wanted, message));
	++*(size_t *)context;
	return 0;
}

static void a_signer_signs_with_what_is_there(void **state)
{
	CLEANUP(evp_pkey_free_pointer) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(buffer_free) struct buffer good = { 0 }, bad = { 0 }, out = { 0 };
	struct signatures *signatures = new_signatures();
	size_t wanted = 0;
	const struct signatures_want want = { &wanted, count_wanted };
	struct assay_digest digest;
	struct signer *plain, *asking;
	struct assay_error err;

	(void)state;
	assert_int_equal(digest_bytes(ASSAY_HASH_SHA256, message, &digest, NULL), 0);
	assert_int_equal(signatures_signer(signatures, key, NULL, NULL, &plain, NULL), 0);
	assert_int_equal(signatures_signer(signatures, key, NULL, &want, &asking, NULL), 0);
	assert_int_equal(signature_make(plain, ASSAY_HASH_SHA256, message, &out, &err), -ENOKEY);
	support_assert_error(&err, "no signature of sha256:");
	assert_int_equal(signature_make(asking, ASSAY_HASH_SHA256, message, &out, &err),
			 -EINPROGRESS);
	assert_int_equal(wanted, 1);
	/* What is not good is not used, and is in nobody's way. */
	sign_plainly(key, BYTES_LITERAL("other"), &bad);
	assert_int_equal(signatures_add(signatures, &digest, buffer_bytes(&bad), NULL), 0);
	assert_int_equal(signature_make(plain, ASSAY_HASH_SHA256, message, &out, &err),
			 -EKEYREJECTED);
	sign_plainly(key, message, &good);
	assert_int_equal(signatures_add(signatures, &digest, buffer_bytes(&good), NULL), 0);
	assert_int_equal(signature_make(asking, ASSAY_HASH_SHA256, message, &out, &err), 0);
	assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&good)));
	/* Who has a digest only cannot be helped. */
	assert_int_equal(plain->sign(plain, &digest, &out, &err), -EINVAL);
	plain->close(plain);
	asking->close(asking);
	signatures_free(signatures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_read),
		cmocka_unit_test(bad_lists_are_refused),
		cmocka_unit_test(files_of_signatures_are_read),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(many_are_found),
		cmocka_unit_test(pairs_and_der_are_taken),
		cmocka_unit_test(what_is_no_signature_is_refused),
		cmocka_unit_test(a_signer_signs_with_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
