// SPDX-License-Identifier: MIT
#include "log/cel_content.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log/cel_internal.h"
#include "log/uefi.h"

/* Two fields in a row, of the types 0 and 1, and nothing behind them. */
static int parse_two(const struct cel_record *record, uint8_t type, const char *name,
		     struct bytes *ret_first, struct bytes *ret_second, struct assay_error *err)
{
	uint64_t offset = record->content_offset + CEL_TLV_HEADER;
	struct bytes in = record->value, *fields[] = { ret_first, ret_second };

	if (record->type != type)
		return assay_fail(err, EBADMSG, "its content is of type 0x%02x, not %s (0x%02x)",
				  record->type, name, type);
	for (uint8_t i = 0; i < 2; i++) {
		struct cel_tlv tlv;
		int r = cel_take_tlv(&in, &offset, name, &tlv, err);

		if (r < 0)
			return r;
		if (tlv.type != i)
			return assay_fail(err, EBADMSG,
					  "offset %" PRIu64
					  ": field 0x%02x of %s where 0x%02x is due",
					  tlv.offset, tlv.type, name, i);
		*fields[i] = tlv.value;
	}
	if (in.size > 0)
		return assay_fail(err, EBADMSG,
				  "offset %" PRIu64 ": %zu bytes are left behind the fields of %s",
				  offset, in.size, name);
	return 0;
}

int cel_pcclient_parse(const struct cel_record *record, uint32_t *ret_type, struct bytes *ret_data,
		       struct assay_error *err)
{
	struct bytes type = { 0 }, data = { 0 };
	uint64_t number;
	int r = parse_two(record, CEL_PCCLIENT_STD, "PCCLIENT_STD", &type, &data, err);

	if (r < 0)
		return r;
	if (!cel_integer(type, sizeof(uint32_t), &number))
		return assay_fail(err, EBADMSG, "PCCLIENT_STD has a type of %zu bytes, not 1 to 4",
				  type.size);
	*ret_type = (uint32_t)number;
	*ret_data = data;
	return 0;
}

int cel_ima_parse(const struct cel_record *record, struct ima_entry *ret, struct assay_error *err)
{
	struct bytes name = { 0 }, data = { 0 };
	int r = parse_two(record, ASSAY_CEL_IMA_TEMPLATE, "IMA_TEMPLATE", &name, &data, err);

	if (r < 0)
		return r;
	*ret = (struct ima_entry){ .name = name, .data = data };
	return 0;
}

static bool parse_version(struct bytes in, struct cel_management *ret)
{
	uint16_t *const numbers[] = { &ret->major, &ret->minor };
	uint64_t offset = 0;

	for (uint8_t i = CEL_VERSION_MAJOR; i <= CEL_VERSION_MINOR; i++) {
		struct cel_tlv tlv;
		uint64_t number;

		if (cel_take_tlv(&in, &offset, "a version", &tlv, NULL) < 0 || tlv.type != i ||
		    !cel_integer(tlv.value, sizeof(uint16_t), &number))
			return false;
		*numbers[i] = (uint16_t)number;
	}
	return in.size == 0;
}

int cel_management_next(struct bytes *in, struct cel_management *ret, struct assay_error *err)
{
	struct cel_management found = { 0 };
	struct bytes rest = *in;
	uint64_t offset = 0;
	struct cel_tlv tlv;
	bool good;
	int r;

	if (rest.size == 0)
		return 0;
	r = cel_take_tlv(&rest, &offset, "CEL_MANAGEMENT", &tlv, err);
	if (r < 0)
		return r;
	found.kind = tlv.type;
	switch (tlv.type) {
	case CEL_MANAGEMENT_VERSION:
		good = parse_version(tlv.value, &found);
		break;
	case CEL_MANAGEMENT_FIRMWARE_END:
		good = tlv.value.size == 0;
		break;
	case CEL_MANAGEMENT_TIMESTAMP:
		good = cel_integer(tlv.value, sizeof(uint64_t), &found.value);
		break;
	case CEL_MANAGEMENT_STATE:
		good = cel_integer(tlv.value, sizeof(uint64_t), &found.value) && found.value <= 2;
		break;
	default:
		return assay_fail(err, EBADMSG, "CEL_MANAGEMENT has a field 0x%02x", tlv.type);
	}
	if (!good)
		return assay_fail(err, EBADMSG,
				  "field 0x%02x of CEL_MANAGEMENT does not hold what it should",
				  tlv.type);
	*in = rest;
	*ret = found;
	return 1;
}

/* ---------------------------------------------------------------- digests */

static bool digests_are_zero(const struct cel_record *record)
{
	for (size_t i = 0; i < record->digest_count; i++)
		if (!bytes_are_zero(BYTES(record->digests[i].bytes, record->digests[i].size)))
			return false;
	return true;
}

/* Which bytes were hashed, as far as the type of the content says it. */
static int digest_content(const struct cel_record *record, const struct ima_entry *ima,
			  struct hasher *hasher, struct assay_digest *ret, struct assay_error *err)
{
	if (record->type == ASSAY_CEL_IMA_TEMPLATE)
		return ima_template_hash(ima, hasher, ret, err);
	return hasher_digest(hasher, record->content, BYTES(NULL, 0), ret, err);
}

/* Is it known what the record's digests are of? *ret_ima is set for an entry of IMA. */
static bool has_known_digests(const struct cel_record *record, struct ima_entry *ret_ima)
{
	switch (record->type) {
	case ASSAY_CEL_CONTENT:
	case CEL_COS:
		return true;
	case ASSAY_CEL_IMA_TEMPLATE:
		return cel_ima_parse(record, ret_ima, NULL) == 0 && !digests_are_zero(record);
	default:
		return false;
	}
}

int cel_digests_check(const struct cel_record *record, struct hashers *hashers, bool *ret_match,
		      struct assay_error *err)
{
	struct ima_entry ima = { 0 };

	*ret_match = true;
	if (!has_known_digests(record, &ima))
		return 0;
	for (size_t i = 0; i < record->digest_count && *ret_match; i++) {
		const struct assay_digest *digest = &record->digests[i];
		struct assay_digest computed;
		struct hasher *hasher;
		int r;

		if (assay_hash_size(digest->hash) == 0)
			continue;
		hasher = hashers_get(hashers, digest->hash, err);
		if (!hasher)
			return -EIO;
		r = digest_content(record, &ima, hasher, &computed, err);
		/* Data of the template "ima" may be such that it has no hash. */
		if (r < 0 && r != -EBADMSG)
			return r;
		*ret_match = r == 0 && memcmp(computed.bytes, digest->bytes, digest->size) == 0;
	}
	return 1;
}

int cel_content_check(const struct cel_record *record, struct assay_error *err)
{
	struct bytes rest = record->value, data;
	struct cel_management management;
	struct assay_content content;
	struct ima_entry ima;
	uint32_t type;
	int r;

	switch (record->type) {
	case ASSAY_CEL_CONTENT:
		return assay_content_parse(record, &content, err);
	case ASSAY_CEL_IMA_TEMPLATE:
		return cel_ima_parse(record, &ima, err);
	case CEL_PCCLIENT_STD:
		return cel_pcclient_parse(record, &type, &data, err);
	case CEL_MANAGEMENT:
		while ((r = cel_management_next(&rest, &management, err)) > 0)
			;
		return r;
	default:
		return 0;
	}
}

int cel_record_extend_digest(const struct cel_record *record, enum assay_hash hash,
			     struct assay_digest *ret)
{
	const struct assay_digest *digest = cel_record_digest(record, hash);
	struct bytes data;
	uint32_t type;

	if (record->digest_count == 0)
		return 0;
	if (record->type == CEL_PCCLIENT_STD &&
	    cel_pcclient_parse(record, &type, &data, NULL) == 0 && type == UEFI_EV_NO_ACTION)
		return 0;
	if (!digest)
		return -ENODATA;
	*ret = *digest;
	if (record->type == ASSAY_CEL_IMA_TEMPLATE && digests_are_zero(record))
		memset(ret->bytes, 0xff, ret->size);
	return 1;
}
