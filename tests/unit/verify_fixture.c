// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* open_memstream() */
#include "verify_fixture.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sign/certificate.h"
#include "sign/ima_sig.h"
#include "sign/manifest.h"
#include "sign/manifest_signature.h"
#include "sign/pkcs7.h"

#define FILES 3
#define GOOD_ATTRIBUTES                                                                         \
	(TPMA_OBJECT_FIXED_TPM | TPMA_OBJECT_FIXED_PARENT | TPMA_OBJECT_SENSITIVE_DATA_ORIGIN | \
	 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN | 0x40 /* userWithAuth */)

static const enum assay_hash banks[LOG_BUILDER_BANKS] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256 };

/* ---------------------------------------------------------------- keys */

static EVP_PKEY *rsa_e3(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *three = BN_new();
	EVP_PKEY *key = NULL;

	assert_true(BN_set_word(three, 3));
	assert_true(EVP_PKEY_keygen_init(context) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) > 0);
	assert_true(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, three) > 0);
	assert_true(EVP_PKEY_keygen(context, &key) > 0);
	BN_free(three);
	EVP_PKEY_CTX_free(context);
	return key;
}

static EVP_PKEY *keys[KEY_COUNT];

static void free_keys(void)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		EVP_PKEY_free(keys[i]);
}

EVP_PKEY *fixture_key(enum fixture_key key)
{
	static bool registered;

	if (!registered)
		registered = atexit(free_keys) == 0;
	if (keys[key])
		return keys[key];
	switch (key) {
	case KEY_P384:
		keys[key] = EVP_EC_gen("P-384");
		break;
	case KEY_P521:
		keys[key] = EVP_EC_gen("P-521");
		break;
	case KEY_RSA1024:
		keys[key] = EVP_RSA_gen(1024);
		break;
	case KEY_RSA2048:
		keys[key] = EVP_RSA_gen(2048);
		break;
	case KEY_RSA2048_E3:
		keys[key] = rsa_e3();
		break;
	default:
		keys[key] = EVP_EC_gen("P-256");
	}
	assert_non_null(keys[key]);
	return keys[key];
}

static struct buffer key_number(EVP_PKEY *key, const char *name)
{
	struct buffer out = { 0 };
	BIGNUM *number = NULL;

	assert_true(EVP_PKEY_get_bn_param(key, name, &number));
	assert_non_null(buffer_reserve(&out, (size_t)BN_num_bytes(number)));
	out.size = (size_t)BN_bn2bin(number, out.data);
	BN_free(number);
	return out;
}

static void public_free(struct fixture_public *public)
{
	buffer_free(&public->x);
	buffer_free(&public->y);
	buffer_free(&public->modulus);
}

void fixture_use_key(struct fixture *fixture, enum fixture_key key, uint16_t scheme, uint16_t hash)
{
	bool rsa = key == KEY_RSA1024 || key == KEY_RSA2048 || key == KEY_RSA2048_E3;
	struct fixture_public *public = &fixture->ak;

	public_free(public);
	*public = (struct fixture_public){
		.type = rsa ? TPM_ALG_RSA : TPM_ALG_ECC,
		.name_hash = ASSAY_HASH_SHA256,
		.attributes = GOOD_ATTRIBUTES,
		.scheme = scheme,
		.scheme_hash = hash,
		.key_bits = key == KEY_RSA1024 ? 1024 : 2048,
		.exponent = key == KEY_RSA2048_E3 ? 3 : 0,
		.curve = key == KEY_P384 ? TPM_ECC_NIST_P384 :
			 key == KEY_P521 ? 0x0005 /* TPM_ECC_NIST_P521 */ :
					   TPM_ECC_NIST_P256,
	};
	if (rsa) {
		public->modulus = key_number(fixture_key(key), OSSL_PKEY_PARAM_RSA_N);
	} else {
		public->x = key_number(fixture_key(key), OSSL_PKEY_PARAM_EC_PUB_X);
		public->y = key_number(fixture_key(key), OSSL_PKEY_PARAM_EC_PUB_Y);
	}
	fixture->quote.signer = key;
	fixture->quote.signature_algorithm = scheme;
	fixture->quote.signature_hash = hash;
	fixture->quote.signed_hash = hash;
	fixture->quote.pss = scheme == TPM_ALG_RSAPSS;
}

/* ---------------------------------------------------------------- hashing */

static void digest_to(uint16_t hash, struct bytes first, struct bytes second, uint8_t *ret)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	assert_non_null(context);
	assert_true(EVP_DigestInit_ex(context, EVP_get_digestbyname(assay_hash_name(hash)), NULL));
	if (first.size > 0)
		assert_true(EVP_DigestUpdate(context, first.data, first.size));
	if (second.size > 0)
		assert_true(EVP_DigestUpdate(context, second.data, second.size));
	assert_true(EVP_DigestFinal_ex(context, ret, NULL));
	EVP_MD_CTX_free(context);
}

static void extend(struct assay_digest *pcr, struct bytes digest)
{
	uint8_t value[ASSAY_DIGEST_MAX];

	digest_to(pcr->hash, BYTES(pcr->bytes, pcr->size), digest, value);
	memcpy(pcr->bytes, value, pcr->size);
}

struct buffer fixture_copy(struct bytes bytes)
{
	struct buffer out = { 0 };

	buffer_append_bytes(&out, bytes);
	assert_false(out.failed);
	return out;
}

/* ---------------------------------------------------------------- what happened on the device */

const char *fixture_path(size_t number)
{
	static const char *const paths[FILES] = { "/usr/bin/first", "/usr/bin/second",
						  "/usr/lib/third" };

	assert_true(number < FILES);
	return paths[number];
}

struct assay_digest fixture_digest(size_t number)
{
	return log_test_digest(ASSAY_HASH_SHA256, (uint8_t)(17 * (number + 1)));
}

void fixture_mend(struct fixture_record *record)
{
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
		record->digests[i].hash = banks[i];
		record->digests[i].size = assay_hash_size(banks[i]);
		digest_to(banks[i], buffer_bytes(&record->content), BYTES(NULL, 0),
			  record->digests[i].bytes);
	}
}

static bool is_digest(const struct fixture_record *record, size_t bank)
{
	uint8_t digest[ASSAY_DIGEST_MAX];

	digest_to(banks[bank], buffer_bytes(&record->content), BYTES(NULL, 0), digest);
	return record->digests[bank].size == assay_hash_size(banks[bank]) &&
	       memcmp(record->digests[bank].bytes, digest, record->digests[bank].size) == 0;
}

uint8_t *fixture_last_byte(struct fixture_record *record)
{
	assert_true(record->content.size > LOG_CHAIN_FIELD);
	return record->content.data + record->content.size - LOG_CHAIN_FIELD - 1;
}

void fixture_chain(struct fixture_record *record, uint64_t recnum)
{
	struct log_links links = log_links(recnum);

	fixture_chain_by(record, recnum, &links);
}

void fixture_chain_by(struct fixture_record *record, uint64_t recnum, const struct log_links *links)
{
	struct buffer *content = &record->content, value = { 0 };
	bool good[LOG_BUILDER_BANKS];

	if (content->size < 5 || content->data[0] != ASSAY_CEL_CONTENT)
		return;
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		good[i] = is_digest(record, i);
	buffer_append(&value, content->data + 5, content->size - 5);
	log_chain_by(&value, recnum, links);
	buffer_free(content);
	put_tlv(content, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	assert_false(content->failed);
	buffer_free(&value);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		if (good[i])
			digest_to(banks[i], buffer_bytes(content), BYTES(NULL, 0),
				  record->digests[i].bytes);
}

struct fixture_record fixture_record(uint64_t recnum, struct bytes value)
{
	struct fixture_record record = { .recnum = recnum, .pcr = 14 };

	put_tlv(&record.content, ASSAY_CEL_CONTENT, value);
	assert_false(record.content.failed);
	fixture_mend(&record);
	fixture_chain(&record, recnum);
	return record;
}

void fixture_insert(struct fixture *fixture, size_t index, struct fixture_record record)
{
	assert_true(fixture->record_count < FIXTURE_MAX_RECORDS && index <= fixture->record_count);
	memmove(&fixture->records[index + 1], &fixture->records[index],
		(fixture->record_count - index) * sizeof(record));
	fixture->records[index] = record;
	fixture->record_count++;
}

void fixture_mirror(struct fixture *f, uint32_t pcr, const char *template, struct bytes data,
		    bool violation)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA1, .size = 20 };
	struct fixture_entry entry = { .pcr = pcr, .name = template };
	struct buffer value = { 0 };

	buffer_append_bytes(&entry.data, data);
	fixture_mend_entry(&entry);
	if (!violation)
		memcpy(digest.bytes, entry.digest, 20);
	put_kind(&value, ASSAY_KIND_IMA);
	put_mirrored(&value, pcr, &digest, 1, template, data);
	fixture_insert(f, f->record_count, fixture_record(f->record_count, buffer_bytes(&value)));
	buffer_free(&value);
	buffer_free(&entry.data);
}

void fixture_mirror_path(struct fixture *f, uint32_t pcr, const char *path, bool violation)
{
	struct fixture_entry entry = fixture_entry(path, 1);

	fixture_mirror(f, pcr, entry.name, buffer_bytes(&entry.data), violation);
	buffer_free(&entry.data);
}

void fixture_drop(struct fixture *fixture, size_t index)
{
	assert_true(index < fixture->record_count);
	buffer_free(&fixture->records[index].content);
	fixture->record_count--;
	memmove(&fixture->records[index], &fixture->records[index + 1],
		(fixture->record_count - index) * sizeof(fixture->records[0]));
}

void fixture_renumber(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->record_count; i++)
		fixture->records[i].recnum = i;
}

void fixture_mend_entry(struct fixture_entry *entry)
{
	digest_to(ASSAY_HASH_SHA1, buffer_bytes(&entry->data), BYTES(NULL, 0), entry->digest);
}

static void put_le32(struct buffer *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

struct fixture_entry fixture_entry(const char *path, uint8_t seed)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, seed);

	return fixture_entry_of(path, &digest);
}

struct fixture_entry fixture_entry_of(const char *path, const struct assay_digest *digest)
{
	static const struct assay_digest zeros = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct fixture_entry entry = { .pcr = 10, .name = "ima-ng" };
	static const char prefix[] = "sha256:";

	if (!digest)
		digest = &zeros;
	put_le32(&entry.data, (uint32_t)(sizeof(prefix) + digest->size));
	buffer_append(&entry.data, prefix, sizeof(prefix));
	buffer_append(&entry.data, digest->bytes, digest->size);
	put_le32(&entry.data, (uint32_t)strlen(path) + 1);
	buffer_append(&entry.data, path, strlen(path) + 1);
	assert_false(entry.data.failed);
	fixture_mend_entry(&entry);
	return entry;
}

static int sign_digest(struct signer *signer, const struct assay_digest *digest, struct buffer *out,
		       struct assay_error *err)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer->public_key, NULL);
	size_t size = 256;
	uint8_t *place = buffer_reserve(out, size);

	(void)err;
	assert_non_null(place);
	assert_true(EVP_PKEY_sign_init(context) > 0);
	assert_true(EVP_PKEY_sign(context, place, &size, digest->bytes, digest->size) > 0);
	out->size += size;
	EVP_PKEY_CTX_free(context);
	return 0;
}

X509 *fixture_certificate(enum fixture_key key)
{
	struct signer signer = { .public_key = fixture_key(key), .sign = sign_digest };
	X509 *certificate;
	struct assay_error err;

	if (certificate_make(&signer, "signer", 10, &certificate, &err) < 0)
		fail_msg("%s", err.text);
	return certificate;
}

/* A template's fields, each with its length in front: d-ngv2 and n-ng, or d-ng, n-ng and sig. */
static struct fixture_entry entry_of(const char *name, const char *prefix, const char *path,
				     const struct assay_digest *digest, struct bytes signature)
{
	struct fixture_entry entry = { .pcr = 10, .name = name };
	size_t prefix_size = strlen(prefix) + 1;

	put_le32(&entry.data, (uint32_t)(prefix_size + digest->size));
	buffer_append(&entry.data, prefix, prefix_size);
	buffer_append(&entry.data, digest->bytes, digest->size);
	put_le32(&entry.data, (uint32_t)strlen(path) + 1);
	buffer_append(&entry.data, path, strlen(path) + 1);
	if (strstr(name, "sig")) {
		put_le32(&entry.data, (uint32_t)signature.size);
		buffer_append_bytes(&entry.data, signature);
	}
	assert_false(entry.data.failed);
	fixture_mend_entry(&entry);
	return entry;
}

struct fixture_entry fixture_signed_entry(const char *path, const struct assay_digest *digest,
					  bool verity, enum fixture_key key)
{
	struct signer signer = { .public_key = fixture_key(key), .sign = sign_digest };
	X509 *certificate = fixture_certificate(key);
	struct buffer signature = { 0 };
	struct fixture_entry entry;
	struct assay_error err;

	if (ima_sig_sign(&signer, certificate, digest, &signature, &err) < 0)
		fail_msg("%s", err.text);
	if (!verity) {
		/* evmctl's: the same head but for type and version, over the digest itself. */
		signature.size = 9;
		signature.data[0] = 0x03;
		signature.data[1] = 2;
		assert_int_equal(sign_digest(&signer, digest, &signature, &err), 0);
		signature.data[7] = (uint8_t)((signature.size - 9) >> 8);
		signature.data[8] = (uint8_t)(signature.size - 9);
	}
	entry = entry_of(verity ? "ima-sigv2" : "ima-sig",
			 verity ? "verity:sha256:" : "sha256:", path, digest,
			 buffer_bytes(&signature));
	buffer_free(&signature);
	X509_free(certificate);
	return entry;
}

void fixture_add_ima_files(struct fixture *fixture)
{
	struct assay_digest digest = fixture_digest(0);

	fixture_insert_entry(
		fixture, FIXTURE_VERITY,
		entry_of("ima-ngv2", "verity:sha256:", fixture_path(0), &digest, BYTES(NULL, 0)));
	fixture->ima_digest_values[0] = log_test_digest(ASSAY_HASH_SHA512, 90);
	fixture->ima_digest_values[1] = digest = log_test_digest(ASSAY_HASH_SHA256, 91);
	fixture->ima_digest = (struct policy_path){ .path = "/etc/known",
						    .digests = fixture->ima_digest_values,
						    .count = 2 };
	fixture->policy.ima_digests = &fixture->ima_digest;
	fixture->policy.ima_digest_count = 1;
	fixture_insert_entry(fixture, FIXTURE_DIGEST, fixture_entry_of("/etc/known", &digest));
	digest = log_test_digest(ASSAY_HASH_SHA256, 92);
	fixture_insert_entry(fixture, FIXTURE_SIGNED,
			     fixture_signed_entry("/usr/bin/signed", &digest, true, KEY_SIGNER));
}

void fixture_mend_aggregate(struct fixture *fixture)
{
	struct assay_digest aggregate = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	uint8_t values[10 * 32];

	fixture_boot(fixture);
	for (size_t pcr = 0; pcr < 10; pcr++)
		memcpy(values + 32 * pcr, fixture->firmware[pcr][1].bytes, 32);
	digest_to(ASSAY_HASH_SHA256, BYTES(values, sizeof(values)), BYTES(NULL, 0),
		  aggregate.bytes);
	fixture_drop_entry(fixture, 0);
	fixture_insert_entry(fixture, 0, fixture_entry_of("boot_aggregate", &aggregate));
}

void fixture_extend_behind(struct fixture *fixture, uint32_t pcrs, const char *word)
{
	for (uint32_t pcr = 0; pcr < FIXTURE_FIRMWARE_PCRS; pcr++)
		if (pcrs & 1U << pcr) {
			assert_true(fixture->event_count < FIXTURE_MAX_EVENTS);
			fixture->events[fixture->event_count++] =
				(struct fixture_event){ pcr, UEFI_EV_IPL, word, NULL, 0 };
			fixture->event_cut++;
		}
}

void fixture_add_firmware(struct fixture *fixture)
{
	static const struct fixture_event events[] = {
		{ 0, UEFI_EV_NO_ACTION, NULL, NULL, 0 }, /* the header */
		{ 0, 0x00000008, "1.0", NULL, 0 },	 /* EV_S_CRTM_VERSION */
		{ 4, 0x80000007, "Calling EFI Application from Boot Option", NULL, 0 },
	};
	size_t count = sizeof(events) / sizeof(events[0]);

	memcpy(fixture->events, events, sizeof(events));
	for (uint32_t pcr = 0; pcr < 8; pcr++)
		fixture->events[count++] =
			(struct fixture_event){ pcr, UEFI_EV_SEPARATOR, "", NULL, 0 };
	fixture->event_count = count;
	fixture_mend_aggregate(fixture);
	fixture->quote.selections[1] =
		fixture_select(ASSAY_HASH_SHA256, 0x3ff | 1U << 10 | 1U << 12 | 1U << 14);
}

void fixture_insert_entry(struct fixture *fixture, size_t index, struct fixture_entry entry)
{
	assert_true(fixture->entry_count < FIXTURE_MAX_RECORDS && index <= fixture->entry_count);
	memmove(&fixture->entries[index + 1], &fixture->entries[index],
		(fixture->entry_count - index) * sizeof(entry));
	fixture->entries[index] = entry;
	fixture->entry_count++;
}

void fixture_drop_entry(struct fixture *fixture, size_t index)
{
	assert_true(index < fixture->entry_count);
	buffer_free(&fixture->entries[index].data);
	fixture->entry_count--;
	memmove(&fixture->entries[index], &fixture->entries[index + 1],
		(fixture->entry_count - index) * sizeof(fixture->entries[0]));
}

/* START, two batches of files with an EVENT between them, EVENT */
static void begin_records(struct fixture *fixture)
{
	struct buffer value = { 0 };
	struct assay_digest digest;

	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		fixture->start[i] = (struct assay_digest){ .hash = banks[i],
							   .size = assay_hash_size(banks[i]) };
	put_start(&value, fixture->start, LOG_BUILDER_BANKS);
	fixture_insert(fixture, 0, fixture_record(0, buffer_bytes(&value)));
	buffer_free(&value);

	put_measure(&value);
	for (size_t i = 0; i < 2; i++) {
		digest = fixture_digest(i);
		put_file(&value, fixture_path(i), &digest);
	}
	fixture_insert(fixture, 1, fixture_record(1, buffer_bytes(&value)));
	buffer_free(&value);

	put_event(&value, "test", BYTES_LITERAL("one"));
	fixture_insert(fixture, 2, fixture_record(2, buffer_bytes(&value)));
	buffer_free(&value);

	/* The first one for the second time: every entry counts. */
	put_measure(&value);
	digest = fixture_digest(2);
	put_file(&value, fixture_path(2), &digest);
	digest = fixture_digest(0);
	put_file(&value, fixture_path(0), &digest);
	fixture_insert(fixture, 3, fixture_record(3, buffer_bytes(&value)));
	buffer_free(&value);

	put_event(&value, "test", BYTES_LITERAL("two"));
	fixture_insert(fixture, 4, fixture_record(4, buffer_bytes(&value)));
	buffer_free(&value);
}

static void begin_entries(struct fixture *fixture)
{
	fixture_insert_entry(fixture, 0, fixture_entry("boot_aggregate", 1));
	fixture_insert_entry(fixture, 1, fixture_entry("/sbin/init", 2));
	fixture_insert_entry(fixture, 2, fixture_entry("/bin/sh", 3));
	fixture_insert_entry(fixture, 3, fixture_entry("/bin/ls", 4));
}

/* ---------------------------------------------------------------- the verifier's side */

void fixture_sign_manifest(struct fixture *fixture, bool as_file)
{
	struct signer signer = { .public_key = fixture_key(KEY_SIGNER), .sign = sign_digest };
	struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;
	struct buffer *out = &fixture->manifest_signature;
	X509 *certificate = fixture->certificates[0];
	struct assay_digest digest;
	struct assay_error err;
	int r;

	buffer_free(out);
	assert_int_equal(verity_digest_bytes(&parameters, buffer_bytes(&fixture->manifest_text),
					     "manifest", &digest, &err),
			 0);
	r = as_file ? pkcs7_sign(&signer, certificate, &digest, out, &err) :
		      manifest_sign(&signer, certificate, false, &digest, out, &err);
	assert_int_equal(r, 0);
}

static void begin_manifest(struct fixture *fixture)
{
	struct verity_parameters parameters = VERITY_PARAMETERS_DEFAULT;
	struct manifest_header header;
	struct assay_error err;

	fixture->certificates[0] = fixture_certificate(KEY_SIGNER);
	assert_int_equal(manifest_begin(&header, &parameters, fixture->certificates[0], &err), 0);
	assert_int_equal(manifest_append_header(&header, &fixture->manifest_text, &err), 0);
	for (size_t i = 0; i < FILES; i++) {
		struct manifest_entry entry = { .path = fixture_path(i),
						.size = 1234567,
						.digest = fixture_digest(i),
						.package = { "tools", "1.2-3", "arm64" },
						.pkcs7 = BYTES_LITERAL("pkcs7"),
						.ima = BYTES_LITERAL("ima") };

		if (manifest_append_entry(&entry, &fixture->manifest_text, &err) < 0)
			fail_msg("%s", err.text);
	}
	fixture_sign_manifest(fixture, false);
}

void fixture_begin(struct fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	begin_records(fixture);
	begin_entries(fixture);
	fixture_use_key(fixture, KEY_P256, TPM_ALG_ECDSA, ASSAY_HASH_SHA256);
	fixture->quote.magic = TPM_GENERATED;
	fixture->quote.type = TPM_ST_ATTEST_QUOTE;
	fixture->quote.nonce = fixture_copy(BYTES_LITERAL("this is a nonce!"));
	fixture->quote.clock = 123456;
	fixture->quote.reset_count = 7;
	fixture->quote.restart_count = 2;
	fixture->quote.firmware_version = 0x2020031200000000;
	fixture->quote.safe = 1;
	fixture->state =
		(struct verify_state){ .clock = 123000,
				       .reset_count = 7,
				       .restart_count = 2,
				       .firmware_version = 0x2020031200000000,
				       .boot_id = FIXTURE_BOOT_ID,
				       .records = 2,
				       .complete = { .hash = ASSAY_HASH_SHA256, .size = 32 } };
	fixture->quote.selections[0] = fixture_select(ASSAY_HASH_SHA1, 1U << 14);
	fixture->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 10 | 1U << 14);
	fixture->quote.selection_count = 2;
	fixture->quote.selections_written = 2;
	fixture->quote.pcr_digest_size = -1;
	fixture->nonce = fixture_copy(BYTES_LITERAL("this is a nonce!"));
	begin_manifest(fixture);
	/* What a state has of all manifests: a digest of the digests of their texts. */
	digest_to(ASSAY_HASH_SHA256, buffer_bytes(&fixture->manifest_text), BYTES(NULL, 0),
		  fixture->state.complete.bytes);
	digest_to(ASSAY_HASH_SHA256, BYTES(fixture->state.complete.bytes, 32), BYTES(NULL, 0),
		  fixture->state.complete.bytes);
	verify_policy_default(&fixture->policy);
	fixture->policy.max_age = 20;
	fixture->boot_pcrs[1] = 4;
	fixture->policy.required |= CHECK_BIT(CHECK_PCR_VALUES);
	/* Only few of these boots are known: see bad_boot.c. */
	fixture->policy.required &= ~CHECK_BIT(CHECK_BOOT_KNOWN);
}

/* ---------------------------------------------------------------- the TPM */

struct assay_digest fixture_pcr_before(const struct fixture *fixture, size_t index, size_t bank)
{
	struct assay_digest value = fixture->start[bank];

	for (size_t i = 0; i < index && i < fixture->record_count; i++)
		extend(&value, BYTES(fixture->records[i].digests[bank].bytes, value.size));
	return value;
}

/* A separator's data is four zeros, which no string is. */
static struct bytes event_data(const char *text, size_t size)
{
	static const uint8_t zeros[4];

	if (size > 0)
		return BYTES((const uint8_t *)text, size);
	return text[0] ? BYTES((const uint8_t *)text, strlen(text)) : BYTES(zeros, sizeof(zeros));
}

static void event_digest(const struct fixture_event *event, size_t bank, uint8_t *ret)
{
	digest_to(banks[bank],
		  event->measured ? event_data(event->measured, 0) :
				    event_data(event->data, event->size),
		  BYTES(NULL, 0), ret);
}

void fixture_boot(struct fixture *fixture)
{
	for (size_t bank = 0; bank < LOG_BUILDER_BANKS; bank++) {
		size_t size = assay_hash_size(banks[bank]);

		for (size_t pcr = 0; pcr < FIXTURE_FIRMWARE_PCRS; pcr++)
			fixture->firmware[pcr][bank] =
				(struct assay_digest){ .hash = banks[bank], .size = size };
		for (size_t i = 0; i < fixture->event_count; i++) {
			const struct fixture_event *event = &fixture->events[i];
			uint8_t digest[ASSAY_DIGEST_MAX];

			if (event->type == UEFI_EV_NO_ACTION)
				continue;
			event_digest(event, bank, digest);
			extend(&fixture->firmware[event->pcr][bank], BYTES(digest, size));
		}
	}
}

/* The log as the module writes it, with all that was done to it. */
static void chain(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->record_count; i++)
		fixture_chain(&fixture->records[i], fixture->records[i].recnum);
	fixture->state.next_key =
		(struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = ASSAY_KEY_SIZE };
	log_test_commitment(fixture->state.records, fixture->state.next_key.bytes);
}

static void replay(struct fixture *fixture)
{
	fixture->state.value = fixture_pcr_before(fixture, fixture->state.records, 1);
	fixture_boot(fixture);
	for (size_t bank = 0; bank < LOG_BUILDER_BANKS; bank++) {
		struct assay_digest *ima = &fixture->pcrs[0][bank];
		struct assay_digest *assay = &fixture->pcrs[1][bank];

		*assay = fixture_pcr_before(fixture, fixture->record_count - fixture->unanchored,
					    bank);
		*ima = (struct assay_digest){ .hash = banks[bank],
					      .size = assay_hash_size(banks[bank]) };
		for (size_t i = 0; i < fixture->entry_count; i++) {
			static const uint8_t zeros[20];
			const struct fixture_entry *entry = &fixture->entries[i];
			uint8_t digest[ASSAY_DIGEST_MAX];

			memset(digest, 0xff, sizeof(digest));
			if (memcmp(entry->digest, zeros, sizeof(zeros)) != 0)
				digest_to(banks[bank], buffer_bytes(&entry->data), BYTES(NULL, 0),
					  digest);
			if (fixture->padded && bank == 1) {
				memset(digest, 0, sizeof(digest));
				memcpy(digest, entry->digest, sizeof(entry->digest));
			}
			extend(ima, BYTES(digest, ima->size));
		}
	}
}

struct fixture_selection fixture_select(uint16_t bank, uint32_t mask)
{
	struct fixture_selection selection = { .bank = bank, .size = 3 };

	for (size_t i = 0; i < 3; i++)
		selection.select[i] = (uint8_t)(mask >> (8 * i));
	return selection;
}

/* The value that the TPM has; zeros for PCRs that nothing is measured into. */
static struct assay_digest tpm_pcr(const struct fixture *fixture, uint16_t bank, unsigned int index)
{
	struct assay_digest value = { .hash = bank, .size = assay_hash_size(bank) };

	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		if (banks[i] == bank && (index == 10 || index == 14))
			value = fixture->pcrs[index == 14][i];
		else if (banks[i] == bank && index < FIXTURE_FIRMWARE_PCRS)
			value = fixture->firmware[index][i];
	return value;
}

static bool selects(const struct fixture_selection *selection, unsigned int index)
{
	return index / 8 < selection->size && index < 24 &&
	       selection->select[index / 8] & 1U << (index % 8);
}

void fixture_supply(struct fixture *fixture)
{
	const struct fixture_quote *quote = &fixture->quote;
	struct evidence *evidence = &fixture->evidence;
	struct assay_error err;

	free(evidence->pcrs);
	evidence->pcrs = NULL;
	evidence->pcr_count = 0;
	for (size_t i = 0; i < quote->selections_written; i++)
		for (unsigned int index = 0; index < 24; index++) {
			struct assay_digest value =
				tpm_pcr(fixture, quote->selections[i].bank, index);

			/* Some of what is selected may be nonsense, or be there twice. */
			if (selects(&quote->selections[i], index) && value.size > 0)
				(void)evidence_add_pcr(evidence, index, &value, &err);
		}
	/* Evidence without a value cannot be written: an attester would supply something. */
	if (evidence->pcr_count == 0)
		assert_int_equal(evidence_add_pcr(evidence, 14, &fixture->pcrs[1][1], &err), 0);
}

static void put_sized(struct buffer *out, struct bytes bytes)
{
	buffer_append_be16(out, (uint16_t)bytes.size);
	buffer_append_bytes(out, bytes);
}

static struct buffer marshal_public(const struct fixture_public *public)
{
	struct buffer area = { 0 }, out = { 0 };

	buffer_append_be16(&area, public->type);
	buffer_append_be16(&area, public->name_hash);
	buffer_append_be32(&area, public->attributes);
	buffer_append_be16(&area, 0);		 /* authPolicy */
	buffer_append_be16(&area, TPM_ALG_NULL); /* symmetric */
	buffer_append_be16(&area, public->scheme);
	if (public->scheme != TPM_ALG_NULL)
		buffer_append_be16(&area, public->scheme_hash);
	if (public->scheme == TPM_ALG_ECDAA)
		buffer_append_be16(&area, 0); /* count */
	if (public->type == TPM_ALG_RSA) {
		buffer_append_be16(&area, public->key_bits);
		buffer_append_be32(&area, public->exponent);
		put_sized(&area, buffer_bytes(&public->modulus));
	} else {
		buffer_append_be16(&area, public->curve);
		buffer_append_be16(&area, TPM_ALG_NULL); /* kdf */
		put_sized(&area, buffer_bytes(&public->x));
		put_sized(&area, buffer_bytes(&public->y));
	}
	put_sized(&out, buffer_bytes(&area));
	assert_false(out.failed);
	buffer_free(&area);
	return out;
}

/* The qualified name below a primary key of the owner hierarchy whose name is made up. */
static struct buffer qualified_name(const struct buffer *public)
{
	uint8_t name[2 + 32] = { 0x00, 0x0b }, parent[2 + 32] = { 0x00, 0x0b };
	struct buffer out = { 0 };

	digest_to(ASSAY_HASH_SHA256, BYTES_LITERAL("\x40\x00\x00\x01"),
		  BYTES_LITERAL("the primary's name"), parent + 2);
	digest_to(ASSAY_HASH_SHA256, BYTES(public->data + 2, public->size - 2), BYTES(NULL, 0),
		  name + 2);
	buffer_append_be16(&out, ASSAY_HASH_SHA256);
	assert_non_null(buffer_reserve(&out, 32));
	digest_to(ASSAY_HASH_SHA256, BYTES(parent, sizeof(parent)), BYTES(name, sizeof(name)),
		  out.data + 2);
	out.size += 32;
	return out;
}

static void put_pcr_digest(const struct fixture *fixture, struct buffer *out)
{
	const struct fixture_quote *quote = &fixture->quote;
	uint8_t digest[ASSAY_DIGEST_MAX + 1] = { 0 };
	struct buffer values = { 0 };
	size_t size = assay_hash_size(quote->signed_hash);

	for (size_t i = 0; i < quote->selections_written; i++)
		for (unsigned int index = 0; index < 24; index++) {
			struct assay_digest value =
				tpm_pcr(fixture, quote->selections[i].bank, index);

			if (selects(&quote->selections[i], index))
				buffer_append(&values, value.bytes, value.size);
		}
	digest_to(quote->signed_hash, buffer_bytes(&values), BYTES(NULL, 0), digest);
	if (quote->pcr_digest_size >= 0)
		size = (size_t)quote->pcr_digest_size;
	put_sized(out, BYTES(digest, size));
	buffer_free(&values);
}

static struct buffer marshal_attest(const struct fixture *fixture)
{
	const struct fixture_quote *quote = &fixture->quote;
	struct buffer out = { 0 };

	buffer_append_be32(&out, quote->magic);
	buffer_append_be16(&out, quote->type);
	put_sized(&out, buffer_bytes(&quote->qualified_signer));
	put_sized(&out, buffer_bytes(&quote->nonce));
	buffer_append_be64(&out, quote->clock);
	buffer_append_be32(&out, quote->reset_count);
	buffer_append_be32(&out, quote->restart_count);
	buffer_append_u8(&out, quote->safe);
	buffer_append_be64(&out, quote->firmware_version);
	buffer_append_be32(&out, quote->selection_count);
	for (size_t i = 0; i < quote->selections_written; i++) {
		buffer_append_be16(&out, quote->selections[i].bank);
		buffer_append_u8(&out, quote->selections[i].size);
		buffer_append(&out, quote->selections[i].select, quote->selections[i].size);
	}
	put_pcr_digest(fixture, &out);
	assert_false(out.failed);
	return out;
}

/* r and s of an ECDSA signature, each as long as the curve's numbers are. */
static void put_ecdsa(struct buffer *out, const uint8_t *der, size_t size, size_t number_size)
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
	const BIGNUM *numbers[2];
	uint8_t number[66];

	assert_non_null(pair);
	ECDSA_SIG_get0(pair, &numbers[0], &numbers[1]);
	for (size_t i = 0; i < 2; i++) {
		assert_true(BN_bn2binpad(numbers[i], number, (int)number_size) > 0);
		put_sized(out, BYTES(number, number_size));
	}
	ECDSA_SIG_free(pair);
}

struct buffer fixture_sign(const struct fixture_quote *quote, struct bytes message)
{
	EVP_PKEY *key = fixture_key(quote->signer);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context;
	struct buffer out = { 0 };
	uint8_t raw[512];
	size_t size = sizeof(raw);

	assert_true(EVP_DigestSignInit_ex(context, &key_context,
					  assay_hash_name(quote->signed_hash), NULL, NULL, key,
					  NULL) > 0);
	if (quote->pss)
		assert_true(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) > 0);
	assert_true(EVP_DigestSign(context, raw, &size, message.data, message.size) > 0);
	EVP_MD_CTX_free(context);
	buffer_append_be16(&out, quote->signature_algorithm);
	buffer_append_be16(&out, quote->signature_hash);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		put_sized(&out, BYTES(raw, size));
	else
		put_ecdsa(&out, raw, size, ((size_t)EVP_PKEY_get_bits(key) + 7) / 8);
	assert_false(out.failed);
	return out;
}

/* ---------------------------------------------------------------- the evidence */

void fixture_requote(struct fixture *fixture)
{
	struct evidence *evidence = &fixture->evidence;

	buffer_free(&evidence->attest);
	buffer_free(&evidence->signature);
	evidence->attest = marshal_attest(fixture);
	evidence->signature = fixture_sign(&fixture->quote, buffer_bytes(&evidence->attest));
}

static void fill_evidence(struct fixture *fixture)
{
	struct evidence *evidence = &fixture->evidence;

	evidence->nonce = fixture_copy(BYTES_LITERAL("this is a nonce!"));
	evidence->ak_public = marshal_public(&fixture->ak);
	fixture->qualified_name = qualified_name(&evidence->ak_public);
	if (!fixture->quote.qualified_signer.data)
		fixture->quote.qualified_signer =
			fixture_copy(buffer_bytes(&fixture->qualified_name));
	fixture->enrolled = fixture_copy(buffer_bytes(&evidence->ak_public));
	fixture_requote(fixture);
	fixture_supply(fixture);
	evidence->has_assay_log = !fixture->hands_no_assay_log;
	evidence->has_ima_log = !fixture->hands_no_ima_log;
	evidence->ima_template_bank = ASSAY_HASH_SHA1;
	memcpy(evidence->boot_id, FIXTURE_BOOT_ID, sizeof(evidence->boot_id));
	evidence->collected = 1760000000;
	evidence->has_collected = true;
}

/* PFP 10.4.5.1: Spec ID Event03, 64-bit, two algorithms */
static void put_uefi_header(struct buffer *out)
{
	struct buffer data = { 0 };

	buffer_append(&data, "Spec ID Event03", 16);
	put_le32(&data, 0);
	buffer_append(&data, "\0\2\0\2", 4);
	put_le32(&data, LOG_BUILDER_BANKS);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		put_le32(&data, (uint32_t)(banks[i] | assay_hash_size(banks[i]) << 16));
	buffer_append_u8(&data, 0);
	put_le32(out, 0);
	put_le32(out, UEFI_EV_NO_ACTION);
	for (size_t i = 0; i < 20; i++)
		buffer_append_u8(out, 0);
	put_le32(out, (uint32_t)data.size);
	buffer_append_bytes(out, buffer_bytes(&data));
	buffer_free(&data);
}

static void fill_firmware(struct fixture *fixture)
{
	struct buffer *out = &fixture->evidence.uefi_data;

	fixture->evidence.has_uefi_log = fixture->event_count > 0 && !fixture->hands_no_uefi_log;
	for (size_t i = 0; i + fixture->event_cut < fixture->event_count; i++) {
		struct fixture_event other = fixture->events[i], *event = &other;
		struct bytes data;

		if (!event->data) {
			put_uefi_header(out);
			continue;
		}
		if (fixture->events_kept_back & 1U << event->pcr)
			continue;
		if (fixture->events_of_another_boot && i == 1)
			event->data = "1.1";
		put_le32(out, event->pcr);
		put_le32(out, event->type);
		put_le32(out, LOG_BUILDER_BANKS);
		for (size_t bank = 0; bank < LOG_BUILDER_BANKS; bank++) {
			uint8_t digest[ASSAY_DIGEST_MAX] = { 0 };

			if (event->type != UEFI_EV_NO_ACTION)
				event_digest(event, bank, digest);
			buffer_append_u8(out, (uint8_t)banks[bank]);
			buffer_append_u8(out, 0);
			buffer_append(out, digest, assay_hash_size(banks[bank]));
		}
		data = event_data(event->data, event->size);
		put_le32(out, (uint32_t)data.size);
		buffer_append_bytes(out, data);
	}
}

/* The last record's key, which no record has. */
static void fill_keys(struct fixture *fixture)
{
	uint8_t key[ASSAY_KEY_SIZE];
	struct assay_error err;
	uint64_t last;

	if (fixture->record_count <= fixture->cut || fixture->evidence.assay_key_count > 0)
		return;
	last = fixture->records[fixture->record_count - 1].recnum;
	log_test_key(last, key);
	if (last <= EVIDENCE_MAX_RECNUM)
		assert_int_equal(evidence_add_key(&fixture->evidence, last, key, &err), 0);
}

static void fill_logs(struct fixture *fixture)
{
	struct buffer *cel = &fixture->evidence.assay_cel;
	struct buffer *ima = &fixture->evidence.ima_data;

	fill_firmware(fixture);
	if (fixture->cut > 0) {
		fixture->evidence.assay_first = fixture->cut;
		fixture->evidence.assay_base = 1000 * fixture->cut;
		fixture->evidence.assay_start_count = LOG_BUILDER_BANKS;
		for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
			fixture->evidence.assay_start[i] =
				fixture_pcr_before(fixture, fixture->cut, i);
			fixture->evidence.assay_start[i].bytes[0] ^= fixture->cut_lie;
		}
	}
	for (size_t i = fixture->cut; i < fixture->record_count; i++) {
		const struct fixture_record *record = &fixture->records[i];
		struct buffer digests = { 0 };

		put_tlv_u64(cel, ASSAY_CEL_RECNUM, record->recnum);
		put_tlv_u8(cel, ASSAY_CEL_PCR, record->pcr);
		for (size_t j = 0; j < LOG_BUILDER_BANKS; j++)
			if (record->digests[j].size > 0)
				put_tlv(&digests, ASSAY_CEL_DIGEST_TYPE(record->digests[j].hash),
					BYTES(record->digests[j].bytes, record->digests[j].size));
		put_tlv(cel, ASSAY_CEL_DIGESTS, buffer_bytes(&digests));
		buffer_append_bytes(cel, buffer_bytes(&record->content));
		buffer_free(&digests);
	}
	fill_keys(fixture);
	for (size_t i = 0; i < fixture->entry_count; i++) {
		const struct fixture_entry *entry = &fixture->entries[i];

		put_le32(ima, entry->pcr);
		buffer_append(ima, entry->digest, sizeof(entry->digest));
		put_le32(ima, (uint32_t)strlen(entry->name));
		buffer_append(ima, entry->name, strlen(entry->name));
		put_le32(ima, (uint32_t)entry->data.size);
		buffer_append_bytes(ima, buffer_bytes(&entry->data));
	}
	assert_false(cel->failed || ima->failed);
}

static void fill_text(struct fixture *fixture)
{
	struct assay_error err;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	if (evidence_write(stream, &fixture->evidence, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(fclose(stream), 0);
	buffer_free(&fixture->text);
	fixture->text = fixture_copy(BYTES((uint8_t *)text, size));
	free(text);
}

struct bytes fixture_certificate_der(enum fixture_key key)
{
	static unsigned char *der[KEY_COUNT];
	static int sizes[KEY_COUNT];

	if (!der[key]) {
		X509 *certificate = fixture_certificate(key);

		sizes[key] = i2d_X509(certificate, &der[key]);
		X509_free(certificate);
	}
	assert_true(sizes[key] > 0);
	return BYTES(der[key], (size_t)sizes[key]);
}

/* Those certificates of attestation keys are believed that are @key's own, as it is. */
static const struct chain_trust *trust_in(enum fixture_key key)
{
	static struct chain_trust trusts[KEY_COUNT];
	struct bytes der = fixture_certificate_der(key);
	struct chain_trust *trust = &trusts[key];

	if (!trust->roots) {
		trust->roots = sk_X509_new_null();
		trust->intermediates = sk_X509_new_null();
		assert_int_equal(certificates_parse(der, "root", trust->roots, NULL), 0);
	}
	return trust;
}

void fixture_certify(struct fixture *fixture, enum fixture_key key, enum fixture_key root)
{
	fixture->input.ak_trust = trust_in(root);
	fixture->input.ak_certificates = fixture_certificate_der(key);
	/* They are made with the process, and so valid now. */
	fixture->input.now = fixture->input.nonce_issued = (uint64_t)time(NULL);
}

void fixture_write(struct fixture *fixture)
{
	fill_text(fixture);
	fixture->input.evidence = buffer_bytes(&fixture->text);
}

static void fill_input(struct fixture *fixture)
{
	fixture->manifest = (struct verify_manifest){
		.name = "manifest.jsonl",
		.text = buffer_bytes(&fixture->manifest_text),
		.signature = buffer_bytes(&fixture->manifest_signature),
	};
	fixture->pcr_values[0] = log_test_digest(ASSAY_HASH_SHA256, 200);
	fixture->pcr_values[1] = fixture->pcrs[1][1];
	fixture->pcr_value[0] = (struct policy_pcr){
		.bank = ASSAY_HASH_SHA256, .index = 14, .values = fixture->pcr_values, .count = 2
	};
	for (size_t i = 0; i < 2; i++)
		fixture->pcr_value[1 + i] =
			(struct policy_pcr){ .bank = ASSAY_HASH_SHA256,
					     .index = fixture->boot_pcrs[i],
					     .values = &fixture->firmware[fixture->boot_pcrs[i]][1],
					     .count = 1 };
	if (fixture->boot_another)
		fixture->pcr_value[2].values = &fixture->pcr_values[0];
	fixture->policy.pcr_values = fixture->pcr_value;
	fixture->policy.pcr_value_count = fixture->boot_named ? 3 : 1;
	if (fixture->no_pcr_values)
		fixture->policy.pcr_value_count = 0;
	fixture->input = (struct verify_input){
		.evidence = buffer_bytes(&fixture->text),
		.nonce = buffer_bytes(&fixture->nonce),
		.ak_public = buffer_bytes(&fixture->enrolled),
		.ak_qualified_name = buffer_bytes(&fixture->qualified_name),
		.state = &fixture->state,
		.now = fixture->evidence.collected + 10,
		.nonce_issued = fixture->evidence.collected - 10,
		.manifests = &fixture->manifest,
		.manifest_count = fixture->no_manifest ? 0 : 1,
		.certificates = fixture->certificates,
		.certificate_count = 1,
	};
	if (fixture->certified)
		fixture_certify(fixture, KEY_P256, KEY_P256);
}

static void (*const steps[])(struct fixture *) = {
	[BEFORE_PCRS] = chain,	   [AFTER_CHAIN] = replay,	[BEFORE_QUOTE] = fill_evidence,
	[AFTER_QUOTE] = fill_logs, [AT_MARSHALLED] = fill_text, [AT_VERIFIER] = fill_input,
};

void fixture_build_earlier(struct fixture *fixture, enum fixture_stage stage,
			   fixture_change *change, size_t records, size_t entries)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (change && stage == i && stage <= AFTER_CHAIN)
			change(fixture);
		if (i == AFTER_CHAIN) {
			while (fixture->record_count > records)
				fixture_drop(fixture, fixture->record_count - 1);
			while (fixture->entry_count > entries)
				fixture_drop_entry(fixture, fixture->entry_count - 1);
			fixture->unanchored = 0;
			fixture->cut = 0;
			fixture->quote.clock -= 200;
		}
		steps[i](fixture);
	}
}

void fixture_build(struct fixture *fixture, enum fixture_stage stage, fixture_change *change)
{
	/* The verifier's side is changed once it is there, all else before it is used. */
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (change && stage == i && stage != AT_VERIFIER)
			change(fixture);
		steps[i](fixture);
	}
	if (change && stage == AT_VERIFIER)
		change(fixture);
}

void fixture_free(struct fixture *fixture)
{
	while (fixture->record_count > 0)
		fixture_drop(fixture, 0);
	while (fixture->entry_count > 0)
		fixture_drop_entry(fixture, 0);
	public_free(&fixture->ak);
	buffer_free(&fixture->quote.qualified_signer);
	buffer_free(&fixture->quote.nonce);
	evidence_free(&fixture->evidence);
	buffer_free(&fixture->text);
	buffer_free(&fixture->enrolled);
	buffer_free(&fixture->nonce);
	buffer_free(&fixture->qualified_name);
	buffer_free(&fixture->manifest_text);
	buffer_free(&fixture->manifest_signature);
	X509_free(fixture->certificates[0]);
}

void fixture_judge(enum fixture_stage stage, fixture_change *change, struct verdict *ret)
{
	struct fixture fixture;

	fixture_begin(&fixture);
	fixture_build(&fixture, stage, change);
	verify(&fixture.input, &fixture.policy, ret);
	fixture_free(&fixture);
}
