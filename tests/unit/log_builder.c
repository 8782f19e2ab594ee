// SPDX-License-Identifier: MIT
#include "log_builder.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
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

void put_start(struct buffer *out, const struct assay_digest *pcr_values, size_t count)
{
	struct buffer values = { 0 };

	put_tlv_u8(out, ASSAY_FIELD_KIND, ASSAY_KIND_START);
	put_tlv_text(out, ASSAY_FIELD_BOOT_ID, "01234567-89ab-cdef-0123-456789abcdef");
	put_tlv_text(out, ASSAY_FIELD_RELEASE, "6.12.0-test");
	put_tlv_text(out, ASSAY_FIELD_VERSION, "0.1.0");
	put_tlv_u32(out, ASSAY_FIELD_PAGE_SIZE, 65536);
	put_tlv_u8(out, ASSAY_FIELD_REGION_KIND, ASSAY_REGION_CMA);
	put_range(out, ASSAY_FIELD_REGION, 0x80000000, 0x20000000);
	put_range(out, ASSAY_FIELD_WINDOW, 0x80070000, 0x100000);
	for (size_t i = 0; i < count; i++)
		put_tlv(&values, ASSAY_CEL_DIGEST_TYPE(pcr_values[i].hash),
			BYTES(pcr_values[i].bytes, pcr_values[i].size));
	if (count > 0)
		put_tlv(out, ASSAY_FIELD_PCR_VALUES, buffer_bytes(&values));
	put_tlv_u8(out, ASSAY_FIELD_IMA_BYPASS, 0);
	put_tlv_u8(out, ASSAY_FIELD_PROTECTION, ASSAY_PROTECTION_FULL);
	buffer_free(&values);
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

void put_event(struct buffer *out, const char *label, struct bytes data)
{
	put_tlv_u8(out, ASSAY_FIELD_KIND, ASSAY_KIND_EVENT);
	put_tlv_text(out, ASSAY_FIELD_LABEL, label);
	put_tlv(out, ASSAY_FIELD_DATA, data);
}

void log_builder_record(struct log_builder *builder, uint8_t type, struct bytes value)
{
	struct buffer content = { 0 }, digests = { 0 };

	put_tlv(&content, type, value);
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
