// SPDX-License-Identifier: MIT
/* lib/sign/tpm_key_file: what a TPM's key file must be, and every way in which it is not. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign/tpm_key_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LOADABLE "\x06\x06\x67\x81\x05\x0a\x01\x03"
#define IMPORTABLE "\x06\x06\x67\x81\x05\x0a\x01\x04"
#define SEALED "\x06\x06\x67\x81\x05\x0a\x01\x05"
#define OTHER_OID "\x06\x06\x67\x81\x05\x0a\x01\x06"
#define NO_PASSWORD "\xa0\x03\x01\x01\xff"
#define NO_PASSWORD_1 "\xa0\x03\x01\x01\x01" /* not DER, but seen in the wild */
#define PASSWORD "\xa0\x03\x01\x01\x00"
#define POLICY "\xa1\x02\x30\x00"
/* TPM2_PolicyPCR, and the same and TPM2_PolicyAuthValue; the parameters are not looked at here. */
#define PCR_ITEM "\x30\x0c\xa0\x04\x02\x02\x01\x7f\xa1\x04\x04\x02\xab\xcd"
#define PASSWORD_ITEM "\x30\x0a\xa0\x04\x02\x02\x01\x6b\xa1\x02\x04\x00"
#define PCR_POLICY "\xa1\x10\x30\x0e" PCR_ITEM
#define BOTH_POLICY "\xa1\x1c\x30\x1a" PCR_ITEM PASSWORD_ITEM
#define THREE_POLICY "\xa1\x28\x30\x26" PCR_ITEM PASSWORD_ITEM PASSWORD_ITEM
#define OTHER_POLICY "\xa1\x10\x30\x0e\x30\x0c\xa0\x04\x02\x02\x01\x60\xa1\x04\x04\x02\xab\xcd"
#define SECRET "\xa2\x04\x04\x02\x00\x00"
#define AUTH_POLICY "\xa3\x02\x30\x00"
#define DESCRIPTION "\xa4\x04\x0c\x02hi"
#define RSA_PARENT "\xa5\x03\x01\x01\xff"
#define OWNER "\x02\x04\x40\x00\x00\x01"
#define PUBLIC "\x04\x04\x00\x02\x12\x34"
#define PRIVATE "\x04\x05\x00\x03\xab\xcd\xef"

struct row {
	const char *name;
	struct bytes inside; /* of the SEQUENCE */
	int code;	     /* 0: taken */
	const char *says;    /* a part of the error */
};

#define ROW(name, inside, code, says)                   \
	{                                               \
		name, BYTES_LITERAL(inside), code, says \
	}

static const struct row rows[] = {
	ROW("plain", LOADABLE NO_PASSWORD OWNER PUBLIC PRIVATE, 0, ""),
	ROW("TRUE as 1", LOADABLE NO_PASSWORD_1 OWNER PUBLIC PRIVATE, 0, ""),
	ROW("described", LOADABLE NO_PASSWORD DESCRIPTION OWNER PUBLIC PRIVATE, 0, ""),
	ROW("persistent parent", LOADABLE NO_PASSWORD "\x02\x05\x00\x81\x00\x00\x01" PUBLIC PRIVATE,
	    0, ""),
	ROW("importable", IMPORTABLE NO_PASSWORD OWNER PUBLIC PRIVATE, EOPNOTSUPP, "imported"),
	ROW("sealed data", SEALED NO_PASSWORD OWNER PUBLIC PRIVATE, EOPNOTSUPP, "sealed data"),
	ROW("other type", OTHER_OID NO_PASSWORD OWNER PUBLIC PRIVATE, EOPNOTSUPP,
	    "type is not known"),
	ROW("no type", NO_PASSWORD OWNER PUBLIC PRIVATE, EBADMSG, "no TPMKey"),
	ROW("password", LOADABLE PASSWORD OWNER PUBLIC PRIVATE, 0, ""),
	ROW("password by omission", LOADABLE OWNER PUBLIC PRIVATE, 0, ""),
	ROW("policy", LOADABLE NO_PASSWORD POLICY OWNER PUBLIC PRIVATE, EOPNOTSUPP, "policy"),
	ROW("PCR policy", LOADABLE NO_PASSWORD PCR_POLICY OWNER PUBLIC PRIVATE, 0, ""),
	ROW("PCR policy and password", LOADABLE PASSWORD BOTH_POLICY OWNER PUBLIC PRIVATE, 0, ""),
	ROW("a password that the policy does not ask for",
	    LOADABLE PASSWORD PCR_POLICY OWNER PUBLIC PRIVATE, 0, ""),
	ROW("a password that only the policy asks for",
	    LOADABLE NO_PASSWORD BOTH_POLICY OWNER PUBLIC PRIVATE, 0, ""),
	ROW("a policy of three", LOADABLE NO_PASSWORD THREE_POLICY OWNER PUBLIC PRIVATE, EOPNOTSUPP,
	    "another policy"),
	ROW("other policy", LOADABLE NO_PASSWORD OTHER_POLICY OWNER PUBLIC PRIVATE, EOPNOTSUPP,
	    "another policy"),
	ROW("policy with a tail", LOADABLE NO_PASSWORD PCR_POLICY PCR_POLICY OWNER PUBLIC PRIVATE,
	    EBADMSG, "no TPMKey"),
	ROW("signed policy", LOADABLE NO_PASSWORD AUTH_POLICY OWNER PUBLIC PRIVATE, EOPNOTSUPP,
	    "policy"),
	ROW("import secret", LOADABLE NO_PASSWORD SECRET OWNER PUBLIC PRIVATE, EOPNOTSUPP,
	    "imported"),
	ROW("RSA parent", LOADABLE NO_PASSWORD RSA_PARENT OWNER PUBLIC PRIVATE, EOPNOTSUPP,
	    "RSA key"),
	ROW("RSA parent, persistent",
	    LOADABLE NO_PASSWORD RSA_PARENT "\x02\x05\x00\x81\x00\x00\x01" PUBLIC PRIVATE, 0, ""),
	ROW("members out of order", LOADABLE DESCRIPTION NO_PASSWORD OWNER PUBLIC PRIVATE, EBADMSG,
	    "no TPMKey"),
	ROW("member unknown", LOADABLE NO_PASSWORD "\xa6\x03\x01\x01\xff" OWNER PUBLIC PRIVATE,
	    EBADMSG, "no TPMKey"),
	ROW("member twice", LOADABLE NO_PASSWORD NO_PASSWORD OWNER PUBLIC PRIVATE, EBADMSG,
	    "no TPMKey"),
	ROW("BOOLEAN of two bytes", LOADABLE "\xa0\x04\x01\x02\xff\xff" OWNER PUBLIC PRIVATE,
	    EBADMSG, "no TPMKey"),
	ROW("parent in the endorsement hierarchy",
	    LOADABLE NO_PASSWORD "\x02\x04\x40\x00\x00\x0b" PUBLIC PRIVATE, EOPNOTSUPP,
	    "0x4000000b"),
	ROW("parent transient", LOADABLE NO_PASSWORD "\x02\x05\x00\x80\x00\x00\x00" PUBLIC PRIVATE,
	    EOPNOTSUPP, "0x80000000"),
	ROW("parent behind the persistent ones",
	    LOADABLE NO_PASSWORD "\x02\x05\x00\x82\x00\x00\x00" PUBLIC PRIVATE, EOPNOTSUPP,
	    "0x82000000"),
	ROW("parent 0x140000001, equal in 32 bits",
	    LOADABLE NO_PASSWORD "\x02\x05\x01\x40\x00\x00\x01" PUBLIC PRIVATE, EOPNOTSUPP,
	    "0x140000001"),
	ROW("parent negative", LOADABLE NO_PASSWORD "\x02\x04\x81\x00\x00\x01" PUBLIC PRIVATE,
	    EBADMSG, "no handle"),
	ROW("parent of nine bytes",
	    LOADABLE NO_PASSWORD "\x02\x09\x01\x00\x00\x00\x00\x40\x00\x00\x01" PUBLIC PRIVATE,
	    EBADMSG, "no handle"),
	ROW("parent padded", LOADABLE NO_PASSWORD "\x02\x05\x00\x40\x00\x00\x01" PUBLIC PRIVATE,
	    EBADMSG, "no TPMKey"),
	ROW("public part empty", LOADABLE NO_PASSWORD OWNER "\x04\x00" PRIVATE, EBADMSG,
	    "TPM2B_PUBLIC"),
	ROW("public part of size 0", LOADABLE NO_PASSWORD OWNER "\x04\x02\x00\x00" PRIVATE, EBADMSG,
	    "TPM2B_PUBLIC"),
	ROW("public part cut", LOADABLE NO_PASSWORD OWNER "\x04\x03\x00\x02\x12" PRIVATE, EBADMSG,
	    "TPM2B_PUBLIC"),
	ROW("public part with a tail",
	    LOADABLE NO_PASSWORD OWNER "\x04\x04\x00\x01\x12\x34" PRIVATE, EBADMSG, "TPM2B_PUBLIC"),
	ROW("private part cut", LOADABLE NO_PASSWORD OWNER PUBLIC "\x04\x03\x00\x02\x12", EBADMSG,
	    "TPM2B_PRIVATE"),
	ROW("private part with a tail",
	    LOADABLE NO_PASSWORD OWNER PUBLIC "\x04\x04\x00\x01\x12\x34", EBADMSG, "TPM2B_PRIVATE"),
	ROW("private part missing", LOADABLE NO_PASSWORD OWNER PUBLIC, EBADMSG, "no TPMKey"),
	ROW("one more inside", LOADABLE NO_PASSWORD OWNER PUBLIC PRIVATE "\x05\x00", EBADMSG,
	    "no TPMKey"),
	ROW("OCTET STRING in pieces",
	    LOADABLE NO_PASSWORD OWNER "\x24\x06\x04\x04\x00\x02\x12\x34" PRIVATE, EBADMSG,
	    "not in DER"),
	ROW("length in the long form",
	    LOADABLE NO_PASSWORD OWNER "\x04\x81\x04\x00\x02\x12\x34" PRIVATE, EBADMSG,
	    "not in DER"),
};

/* A SEQUENCE of less than 128 bytes. */
static size_t sequence(struct bytes inside, uint8_t *der)
{
	der[0] = 0x30;
	der[1] = (uint8_t)inside.size;
	memcpy(der + 2, inside.data, inside.size);
	return 2 + inside.size;
}

/* A PEM block around @der; free() it. */
static char *pem(const char *name, struct bytes der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long length;

	assert_true(PEM_write_bio(bio, name, "", der.data, (long)der.size) > 0);
	length = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)length);
	BIO_free(bio);
	return copy;
}

static int parse(const char *text, size_t size, struct tpm_key_file *ret, struct assay_error *err)
{
	/* On the heap and of exact size, so that reading past the end is noticed. */
	uint8_t *copy = malloc(size ? size : 1);
	int r;

	memcpy(copy, text, size);
	r = tpm_key_file_parse(BYTES(copy, size), "k.pem", ret, err);
	free(copy);
	return r;
}

static void each_row_is_taken_or_refused_for_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tpm_key_file file = { 0 };
		struct assay_error err = { 0 };
		uint8_t der[256];
		size_t size = sequence(rows[i].inside, der);
		char *text = pem("TSS2 PRIVATE KEY", BYTES(der, size));
		int r = parse(text, strlen(text), &file, &err);

		if (r != -rows[i].code || (r < 0 && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d \"%s\", expected %d \"...%s...\"", rows[i].name, r,
				 err.text, -rows[i].code, rows[i].says);
		if (r < 0) {
			assert_int_equal(err.code, rows[i].code);
			assert_non_null(strstr(err.text, "k.pem"));
			assert_null(file.public_area.data);
		} else {
			assert_memory_equal(file.public_area.data, "\x00\x02\x12\x34", 4);
			assert_int_equal(file.public_area.size, 4);
			assert_memory_equal(file.private_area.data, "\x00\x03\xab\xcd\xef", 5);
			assert_int_equal(file.private_area.size, 5);
		}
		tpm_key_file_free(&file);
		free(text);
	}
}

static char *good_text(void)
{
	uint8_t der[256];
	size_t size = sequence(rows[0].inside, der);

	return pem("TSS2 PRIVATE KEY", BYTES(der, size));
}

static void refused(const char *what, const char *text, size_t size, int code, const char *says)
{
	struct tpm_key_file file = { 0 };
	struct assay_error err = { 0 };
	int r = parse(text, size, &file, &err);

	if (r != -code || !strstr(err.text, says))
		fail_msg("%s: %d \"%s\"", what, r, err.text);
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
	char *text = good_text();
	/* The last line feed may be missing. */
	size_t needed = strlen(text) - 1;
	struct tpm_key_file file = { 0 };

	(void)state;
	for (size_t size = 0; size < needed; size++) {
		struct assay_error err = { 0 };

		if (parse(text, size, &file, &err) != -EBADMSG)
			fail_msg("%zu of %zu bytes were taken", size, needed);
	}
	assert_int_equal(parse(text, needed, &file, NULL), 0);
	tpm_key_file_free(&file);
	free(text);
}

static void der_cut_at_any_byte_is_refused(void **state)
{
	uint8_t der[256];
	size_t size = sequence(rows[0].inside, der);

	(void)state;
	for (size_t i = 1; i < size; i++) {
		char *text = pem("TSS2 PRIVATE KEY", BYTES(der, i));

		refused("cut DER", text, strlen(text), EBADMSG, "no TPMKey");
		free(text);
	}
}

static void what_stands_around_the_block_is_refused(void **state)
{
	static const char head[] = "-----BEGIN TSS2 PRIVATE KEY-----\n";
	char *good = good_text(), *other, *text;
	uint8_t der[256];
	size_t size = sequence(rows[0].inside, der);

	(void)state;
	assert_true(asprintf(&text, "%shello\n", good) > 0);
	refused("text behind", text, strlen(text), EBADMSG, "behind the PEM block");
	free(text);
	assert_true(asprintf(&text, "%s%s", good, good) > 0);
	refused("two blocks", text, strlen(text), EBADMSG, "behind the PEM block");
	free(text);
	assert_true(asprintf(&text, "hello\n%s", good) > 0);
	refused("text before", text, strlen(text), EBADMSG, "has to start with");
	free(text);
	assert_true(asprintf(&text, "%sProc-Type: 4,ENCRYPTED\n\n%s", head,
			     good + sizeof(head) - 1) > 0);
	refused("PEM header", text, strlen(text), EBADMSG, "damaged");
	free(text);
	refused("NUL behind", good, strlen(good) + 1, EBADMSG, "behind the PEM block");
	der[size] = 0;
	text = pem("TSS2 PRIVATE KEY", BYTES(der, size + 1));
	refused("byte behind the DER", text, strlen(text), EBADMSG, "behind it");
	free(text);
	other = pem("PRIVATE KEY", BYTES(der, size));
	refused("plain private key", other, strlen(other), EBADMSG, "has to start with");
	free(other);
	free(good);
}

#define SHA256_NAME "000b0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_parents_name_is_a_name_or_refused(void **state)
{
	static const struct {
		const char *name;
		size_t size; /* bytes of the name; 0: refused */
	} names[] = {
		{ SHA256_NAME, 34 },
		{ "0004" SHA256_NAME, 0 },
		{ "00040123456789abcdef0123456789abcdef01234567", 22 },
		{ "000c" SHA256_NAME, 0 },
		{ "000b", 0 },
		{ "000", 0 },
		{ "", 0 },
		{ SHA256_NAME "0", 0 },
		{ SHA256_NAME "00", 0 },
		{ SHA256_NAME " ", 0 },
		{ "0x" SHA256_NAME, 0 },
		{ "not hexadecimal", 0 },
		{ SHA256_NAME SHA256_NAME SHA256_NAME SHA256_NAME, 0 },
	};
	char *good = good_text(), *text;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct tpm_key_file file = { 0 };
		struct assay_error err = { 0 };
		int length =
			asprintf(&text, TPM_KEY_FILE_PARENT_NAME "%s\n%s", names[i].name, good);

		assert_true(length > 0);
		if (names[i].size == 0) {
			refused(names[i].name, text, (size_t)length, EBADMSG, "no name of a key");
		} else {
			assert_int_equal(parse(text, (size_t)length, &file, &err), 0);
			assert_int_equal(file.parent_name.size, names[i].size);
		}
		tpm_key_file_free(&file);
		/* Cut at any byte it is none either. */
		for (int size = 0; size < length - 1; size++)
			if (parse(text, (size_t)size, &file, &err) != -EBADMSG)
				fail_msg("%d of %d bytes were taken", size, length);
		free(text);
	}
	assert_true(asprintf(&text, "%s" SHA256_NAME "\n%s" SHA256_NAME "\n%s",
			     TPM_KEY_FILE_PARENT_NAME, TPM_KEY_FILE_PARENT_NAME, good) > 0);
	refused("two names", text, strlen(text), EBADMSG, "has to start with");
	free(text);
	assert_true(asprintf(&text, "%s%s" SHA256_NAME "\n", good, TPM_KEY_FILE_PARENT_NAME) > 0);
	refused("a name behind", text, strlen(text), EBADMSG, "behind the PEM block");
	free(text);
	free(good);
}

static void a_file_over_the_limit_is_refused_unread(void **state)
{
	char *good = good_text(), *text;
	size_t length = strlen(good), size = TPM_KEY_FILE_LIMIT + 1;
	struct tpm_key_file file = { 0 };

	(void)state;
	text = malloc(size);
	assert_non_null(text);
	memcpy(text, good, length);
	memset(text + length, '\n', size - length);
	refused("oversize", text, size, EFBIG, "larger");
	assert_int_equal(parse(text, size - 1, &file, NULL), 0);
	tpm_key_file_free(&file);
	free(text);
	free(good);
}

static void what_is_written_is_der_and_reads_back(void **state)
{
	static const uint32_t parents[] = { TPM_KEY_PARENT_OWNER, 0x81000001, 0x81ffffff };

	(void)state;
	for (size_t i = 0; i < COUNT(parents); i++) {
		struct tpm_key_file file = { .parent = parents[i] }, again = { 0 };
		struct assay_error err;
		struct buffer text = { 0 };

		/* A size beyond the short form of DER's lengths. */
		buffer_append_be16(&file.public_area, 300);
		for (int j = 0; j < 300; j++)
			buffer_append_u8(&file.public_area, (uint8_t)j);
		buffer_append(&file.private_area, "\x00\x01\x42", 3);
		buffer_append(&file.parent_name, "\x00\x0b", 2);
		buffer_append(&file.parent_name, "0123456789abcdef0123456789abcdef", 32);
		if (i == 0) /* none was noted */
			buffer_free(&file.parent_name);
		assert_int_equal(tpm_key_file_format(&file, &text, &err), 0);
		assert_int_equal(tpm_key_file_parse(buffer_bytes(&text), "again", &again, &err), 0);
		assert_int_equal(again.parent, parents[i]);
		assert_true(bytes_equal(buffer_bytes(&again.public_area),
					buffer_bytes(&file.public_area)));
		assert_true(bytes_equal(buffer_bytes(&again.parent_name),
					buffer_bytes(&file.parent_name)));
		assert_true(bytes_equal(buffer_bytes(&again.private_area),
					buffer_bytes(&file.private_area)));
		buffer_free(&text);
		tpm_key_file_free(&file);
		tpm_key_file_free(&again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_taken_or_refused_for_its_reason),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(der_cut_at_any_byte_is_refused),
		cmocka_unit_test(what_stands_around_the_block_is_refused),
		cmocka_unit_test(a_parents_name_is_a_name_or_refused),
		cmocka_unit_test(a_file_over_the_limit_is_refused_unread),
		cmocka_unit_test(what_is_written_is_der_and_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
