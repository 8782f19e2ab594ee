// SPDX-License-Identifier: MIT
#include "log_builder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static const enum assay_hash banks[LOG_BUILDER_BANKS] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256 };

static struct assay_digest digest_of(enum assay_hash hash, struct bytes first, struct bytes second)
{
	struct assay_digest digest = { .hash = hash, .size = assay_hash_size(hash) };
	struct buffer both = { 0 };

	buffer_append_bytes(&both, first);
	buffer_append_bytes(&both, second);
	assert_true(EVP_Digest(both.data, both.size, digest.bytes, NULL,
			       EVP_get_digestbyname(assay_hash_name(hash)), NULL));
	buffer_free(&both);
	return digest;
}

void log_builder_begin(struct log_builder *builder)
{
	*builder = (struct log_builder){ .pcr = 14 };
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		builder->value[i] = (struct assay_digest){
			.hash = banks[i],
			.size = assay_hash_size(banks[i]),
		};
}

void log_builder_free(struct log_builder *builder)
{
	buffer_free(&builder->log);
}

void put_tlv(struct buffer *out, uint8_t type, struct bytes value)
{
	buffer_append_u8(out, type);
	buffer_append_be32(out, (uint32_t)value.size);
	buffer_append_bytes(out, value);
}

void put_tlv_u8(struct buffer *out, uint8_t type, uint8_t value)
{
	put_tlv(out, type, BYTES(&value, 1));
}

void put_tlv_u32(struct buffer *out, uint8_t type, uint32_t value)
{
	struct buffer bytes = { 0 };

	buffer_append_be32(&bytes, value);
	put_tlv(out, type, buffer_bytes(&bytes));
	buffer_free(&bytes);
}

void put_tlv_u64(struct buffer *out, uint8_t type, uint64_t value)
{
	struct buffer bytes = { 0 };

	buffer_append_be64(&bytes, value);
	put_tlv(out, type, buffer_bytes(&bytes));
	buffer_free(&bytes);
}

void put_tlv_text(struct buffer *out, uint8_t type, const char *text)
{
	put_tlv(out, type, BYTES((const uint8_t *)text, strlen(text)));
}

static void put_range(struct buffer *out, uint8_t type, uint64_t base, uint64_t size)
{
	struct buffer bytes = { 0 };

	buffer_append_be64(&bytes, base);
	buffer_append_be64(&bytes, size);
	put_tlv(out, type, buffer_bytes(&bytes));
	buffer_free(&bytes);
}

static void put_values(struct buffer *out, const struct assay_digest *pcr_values, size_t count)
{
	struct buffer values = { 0 };

	for (size_t i = 0; i < count; i++)
		put_tlv(&values, ASSAY_CEL_DIGEST_TYPE(pcr_values[i].hash),
			BYTES(pcr_values[i].bytes, pcr_values[i].size));
	put_tlv(out, ASSAY_FIELD_PCR_VALUES, buffer_bytes(&values));
	buffer_free(&values);
}

static void put_boot(struct buffer *out, uint8_t kind, const struct assay_digest *pcr_values,
		     size_t count)
{
	put_tlv_u8(out, ASSAY_FIELD_KIND, kind);
	put_tlv_u64(out, ASSAY_FIELD_TIME, LOG_BUILDER_TIME);
	put_tlv_text(out, ASSAY_FIELD_BOOT_ID, "01234567-89ab-cdef-0123-456789abcdef");
	put_tlv_text(out, ASSAY_FIELD_RELEASE, "6.12.0-test");
	put_tlv_text(out, ASSAY_FIELD_VERSION, "0.1.0");
	put_tlv_u32(out, ASSAY_FIELD_PAGE_SIZE, 65536);
	put_tlv_u8(out, ASSAY_FIELD_REGION_KIND, ASSAY_REGION_CMA);
	put_range(out, ASSAY_FIELD_REGION, 0x80000000, 0x20000000);
	put_range(out, ASSAY_FIELD_WINDOW, 0x80070000, 0x100000);
	if (count > 0)
		put_values(out, pcr_values, count);
	put_tlv_u8(out, ASSAY_FIELD_IMA_BYPASS, 0);
	put_tlv_u8(out, ASSAY_FIELD_PROTECTION, ASSAY_PROTECTION_FULL);
}

void put_start(struct buffer *out, const struct assay_digest *pcr_values, size_t count)
{
	put_boot(out, ASSAY_KIND_START, pcr_values, count);
}

void put_measure(struct buffer *out)
{
	put_tlv_u8(out, ASSAY_FIELD_KIND, ASSAY_KIND_MEASURE);
}

static void put_file_fields(struct buffer *out, const char *path, const struct assay_digest *digest,
			    uint32_t errnum)
{
	struct buffer file = { 0 }, value = { 0 };

	put_tlv_text(&file, ASSAY_FIELD_PATH, path);
	if (digest) {
		buffer_append_be16(&value, (uint16_t)digest->hash);
		buffer_append(&value, digest->bytes, digest->size);
		put_tlv(&file, ASSAY_FIELD_DIGEST, buffer_bytes(&value));
	}
	put_tlv(&file, ASSAY_FIELD_FSUUID, BYTES_LITERAL("0123456789abcdef"));
	put_tlv_u64(&file, ASSAY_FIELD_INODE, 42);
	put_tlv_u32(&file, ASSAY_FIELD_GENERATION, 7);
	put_tlv_u64(&file, ASSAY_FIELD_SIZE, 1234567);
	if (!digest)
		put_tlv_u32(&file, ASSAY_FIELD_ERRNO, errnum);
	put_tlv(out, ASSAY_FIELD_FILE, buffer_bytes(&file));
	buffer_free(&file);
	buffer_free(&value);
}

void put_file(struct buffer *out, const char *path, const struct assay_digest *digest)
{
	put_file_fields(out, path, digest, 0);
}

void put_failed_file(struct buffer *out, const char *path, uint32_t errnum)
{
	put_file_fields(out, path, NULL, errnum);
}

void put_kind(struct buffer *out, uint8_t kind)
{
	put_tlv_u8(out, ASSAY_FIELD_KIND, kind);
}

void put_event_entry(struct buffer *out, const char *label, struct bytes data)
{
	struct buffer event = { 0 };

	put_tlv_text(&event, ASSAY_FIELD_LABEL, label);
	put_tlv(&event, ASSAY_FIELD_DATA, data);
	put_tlv(out, ASSAY_FIELD_EVENT, buffer_bytes(&event));
	buffer_free(&event);
}

void put_event(struct buffer *out, const char *label, struct bytes data)
{
	put_kind(out, ASSAY_KIND_EVENT);
	put_event_entry(out, label, data);
}

void put_kexec(struct buffer *out, const struct assay_digest *pcr_values, size_t count)
{
	put_boot(out, ASSAY_KIND_KEXEC, pcr_values, count);
	put_tlv_text(out, ASSAY_FIELD_BOOT_BEFORE, "89abcdef-0123-4567-89ab-cdef01234567");
}

static void put_tagged_digest(struct buffer *out, uint8_t type, const struct assay_digest *digest)
{
	struct buffer value = { 0 };

	buffer_append_be16(&value, (uint16_t)digest->hash);
	buffer_append(&value, digest->bytes, digest->size);
	put_tlv(out, type, buffer_bytes(&value));
	buffer_free(&value);
}

void put_trim_by(struct buffer *out, uint64_t recnum, uint64_t offset, struct bytes gone,
		 const struct assay_digest *pcr_values, size_t count, const uint8_t *next)
{
	struct assay_digest digest = digest_of(ASSAY_HASH_SHA256, gone, BYTES(NULL, 0));

	put_kind(out, ASSAY_KIND_TRIM);
	put_tlv_u64(out, ASSAY_FIELD_CUT_RECNUM, recnum);
	put_tlv_u64(out, ASSAY_FIELD_CUT_OFFSET, offset);
	put_tlv_u64(out, ASSAY_FIELD_CUT_SIZE, gone.size);
	put_tagged_digest(out, ASSAY_FIELD_CUT_DIGEST, &digest);
	if (next)
		put_tlv(out, ASSAY_FIELD_CUT_NEXT, BYTES(next, ASSAY_KEY_SIZE));
	put_values(out, pcr_values, count);
}

void put_trim(struct buffer *out, uint64_t recnum, uint64_t offset, struct bytes gone,
	      const struct assay_digest *pcr_values, size_t count)
{
	uint8_t next[ASSAY_KEY_SIZE];

	log_test_commitment(recnum, next);
	put_trim_by(out, recnum, offset, gone, pcr_values, count, next);
}

void put_tpm(struct buffer *out, uint64_t backlog, const struct assay_digest *pcr_values,
	     size_t count)
{
	put_kind(out, ASSAY_KIND_TPM);
	put_values(out, pcr_values, count);
	put_tlv_u64(out, ASSAY_FIELD_BACKLOG, backlog);
}

void put_seal(struct buffer *out, size_t pad)
{
	struct buffer zeros = { 0 };

	for (size_t i = 0; i < pad; i++)
		buffer_append_u8(&zeros, 0);
	put_kind(out, ASSAY_KIND_SEAL);
	put_tlv(out, ASSAY_FIELD_PAD, buffer_bytes(&zeros));
	buffer_free(&zeros);
}

void put_mirrored(struct buffer *out, uint32_t pcr, const struct assay_digest *digests,
		  size_t count, const char *name, struct bytes data)
{
	struct buffer entry = { 0 };

	put_tlv_u32(&entry, ASSAY_FIELD_IMA_PCR, pcr);
	for (size_t i = 0; i < count; i++)
		put_tagged_digest(&entry, ASSAY_FIELD_IMA_DIGEST, &digests[i]);
	put_tlv_text(&entry, ASSAY_FIELD_IMA_TEMPLATE, name);
	put_tlv(&entry, ASSAY_FIELD_IMA_DATA, data);
	put_tlv(out, ASSAY_FIELD_IMA_ENTRY, buffer_bytes(&entry));
	buffer_free(&entry);
}

void log_test_key(uint64_t recnum, uint8_t key[ASSAY_KEY_SIZE])
{
	struct buffer number = { 0 };

	buffer_append_be64(&number, recnum);
	assert_true(EVP_Digest(number.data, number.size, key, NULL, EVP_sha256(), NULL));
	buffer_free(&number);
}

void log_test_commitment(uint64_t recnum, uint8_t commitment[ASSAY_KEY_SIZE])
{
	uint8_t key[ASSAY_KEY_SIZE];

	log_test_key(recnum, key);
	assert_true(EVP_Digest(key, sizeof(key), commitment, NULL, EVP_sha256(), NULL));
}

/* Bytes of KIND and TIME. */
static size_t chain_place(struct bytes value)
{
	size_t place = 6;

	if (value.size > place && value.data[place] == ASSAY_FIELD_TIME)
		place += 5 + 8;
	return place;
}

/* What a record says besides: the fields between NEXT and MAC, if there are any such. */
static struct bytes chain_strip(struct bytes value, size_t place)
{
	struct bytes rest = BYTES(value.data + place, value.size - place);

	if (rest.size > LOG_CHAIN_FIELD && rest.data[0] == ASSAY_FIELD_KEY)
		rest = BYTES(rest.data + LOG_CHAIN_FIELD, rest.size - LOG_CHAIN_FIELD);
	if (rest.size < 2 * LOG_CHAIN_FIELD || rest.data[0] != ASSAY_FIELD_NEXT)
		return rest;
	return BYTES(rest.data + LOG_CHAIN_FIELD, rest.size - 2 * LOG_CHAIN_FIELD);
}

struct log_links log_links(uint64_t recnum)
{
	struct log_links links = { .reveal = recnum > 0 };

	if (links.reveal)
		log_test_key(recnum - 1, links.before);
	log_test_key(recnum, links.own);
	log_test_commitment(recnum + 1, links.next);
	return links;
}

/* HMAC-SHA-256 by the record's key of its number and the digest of the content so far. */
static void put_mac(struct buffer *value, uint64_t recnum, const uint8_t key[ASSAY_KEY_SIZE])
{
	struct buffer content = { 0 }, data = { 0 };
	uint8_t mac[ASSAY_KEY_SIZE];
	struct assay_digest digest;

	buffer_append_u8(&content, ASSAY_CEL_CONTENT);
	buffer_append_be32(&content, (uint32_t)(value->size + LOG_CHAIN_FIELD));
	digest = digest_of(ASSAY_HASH_SHA256, buffer_bytes(&content), buffer_bytes(value));
	buffer_append_be64(&data, recnum);
	buffer_append(&data, digest.bytes, digest.size);
	assert_non_null(HMAC(EVP_sha256(), key, ASSAY_KEY_SIZE, data.data, data.size, mac, NULL));
	put_tlv(value, ASSAY_FIELD_MAC, BYTES(mac, sizeof(mac)));
	buffer_free(&content);
	buffer_free(&data);
}

void log_chain_by(struct buffer *value, uint64_t recnum, const struct log_links *links)
{
	struct buffer chained = { 0 };
	struct bytes rest;
	size_t place;

	if (value->size < 6 || value->data[0] != ASSAY_FIELD_KIND || value->data[4] != 1)
		return;
	place = chain_place(buffer_bytes(value));
	rest = chain_strip(buffer_bytes(value), place);
	buffer_append(&chained, value->data, place);
	if (links && links->reveal)
		put_tlv(&chained, ASSAY_FIELD_KEY, BYTES(links->before, ASSAY_KEY_SIZE));
	if (links)
		put_tlv(&chained, ASSAY_FIELD_NEXT, BYTES(links->next, ASSAY_KEY_SIZE));
	buffer_append_bytes(&chained, rest);
	if (links)
		put_mac(&chained, recnum, links->own);
	assert_false(chained.failed);
	buffer_free(value);
	*value = chained;
}

void log_chain(struct buffer *value, uint64_t recnum)
{
	struct log_links links = log_links(recnum);

	log_chain_by(value, recnum, &links);
}

void log_builder_record(struct log_builder *builder, uint8_t type, struct bytes value)
{
	struct buffer content = { 0 }, digests = { 0 }, chained = { 0 };

	buffer_append_bytes(&chained, value);
	if (builder->chained && type == ASSAY_CEL_CONTENT)
		log_chain(&chained, builder->recnum);
	put_tlv(&content, type, buffer_bytes(&chained));
	buffer_free(&chained);
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
		struct assay_digest digest =
			digest_of(banks[i], buffer_bytes(&content), BYTES(NULL, 0));
		struct assay_digest *pcr = &builder->value[i];

		put_tlv(&digests, ASSAY_CEL_DIGEST_TYPE(banks[i]),
			BYTES(digest.bytes, digest.size));
		*pcr = digest_of(banks[i], BYTES(pcr->bytes, pcr->size),
				 BYTES(digest.bytes, digest.size));
	}
	put_tlv_u64(&builder->log, ASSAY_CEL_RECNUM, builder->recnum++);
	put_tlv_u8(&builder->log, ASSAY_CEL_PCR, builder->pcr);
	put_tlv(&builder->log, ASSAY_CEL_DIGESTS, buffer_bytes(&digests));
	buffer_append_bytes(&builder->log, buffer_bytes(&content));
	assert_false(builder->log.failed);
	buffer_free(&content);
	buffer_free(&digests);
}

void log_builder_sample(struct log_builder *builder)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA256, 1);
	struct buffer value = { 0 };

	builder->chained = true;
	put_start(&value, builder->value, LOG_BUILDER_BANKS);
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);

	put_measure(&value);
	put_file(&value, "/usr/bin/first", &digest);
	put_failed_file(&value, "/usr/bin/damaged", 5);
	digest = log_test_digest(ASSAY_HASH_SHA512, 2);
	put_file(&value, "/usr/lib/second", &digest);
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);

	put_event(&value, "test", BYTES_LITERAL("some data"));
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);
}

void log_builder_kinds(struct log_builder *builder)
{
	struct assay_digest values[] = {
		log_test_digest(ASSAY_HASH_SHA1, 3),
		log_test_digest(ASSAY_HASH_SHA256, 1),
	};
	static const uint8_t kinds[] = { ASSAY_KIND_START, ASSAY_KIND_BATCH, ASSAY_KIND_IMA,
					 ASSAY_KIND_TPM,   ASSAY_KIND_TRIM,  ASSAY_KIND_SEAL,
					 ASSAY_KIND_KEXEC };

	builder->chained = true;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct buffer value = { 0 };

		switch (kinds[i]) {
		case ASSAY_KIND_START:
			put_start(&value, NULL, 0);
			break;
		case ASSAY_KIND_BATCH:
			put_kind(&value, ASSAY_KIND_BATCH);
			put_tlv_u64(&value, ASSAY_FIELD_TIME, 1);
			put_file(&value, "/usr/bin/first", &values[1]);
			put_event_entry(&value, "between", BYTES(NULL, 0));
			put_failed_file(&value, "/usr/bin/missing", 2);
			break;
		case ASSAY_KIND_IMA:
			put_kind(&value, ASSAY_KIND_IMA);
			put_mirrored(&value, 10, values, 2, "ima-ng", BYTES_LITERAL("\0data\xff"));
			put_mirrored(&value, 11, values, 1, "ima-sig", BYTES_LITERAL("more"));
			break;
		case ASSAY_KIND_TPM:
			put_tpm(&value, 3, values, 1);
			break;
		case ASSAY_KIND_TRIM:
			put_trim(&value, 1, 200, BYTES_LITERAL("bytes"), values, 1);
			break;
		case ASSAY_KIND_SEAL:
			put_seal(&value, 100);
			break;
		case ASSAY_KIND_KEXEC:
			put_kexec(&value, values, 1);
			break;
		}
		log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
		buffer_free(&value);
	}
}

struct assay_digest log_test_digest(enum assay_hash hash, uint8_t seed)
{
	struct assay_digest digest = { .hash = hash, .size = assay_hash_size(hash) };

	for (size_t i = 0; i < digest.size; i++)
		digest.bytes[i] = (uint8_t)(seed + 7 * i);
	return digest;
}

struct buffer log_test_data(const char *path)
{
	struct buffer out = { 0 };
	struct assay_error err;
	char full[4096];

	snprintf(full, sizeof(full), "tests/data/%s", path);
	if (file_read(full, 1 << 28, &out, &err) < 0)
		fail_msg("%s (tests run in the root of the checkout)", err.text);
	return out;
}
