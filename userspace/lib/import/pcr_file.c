// SPDX-License-Identifier: MIT
#include "import/pcr_file.h"

#include <errno.h>
#include <string.h>

#include "verify/structures.h"

/* The structures as tpm2-tss has them in memory (tss2_tpm2_types.h). */
#define SELECTIONS 16 /* TPM2_NUM_PCR_BANKS */
#define SELECT_SIZE 4 /* TPM2_PCR_SELECT_MAX; a byte of padding follows it */
#define LIST_SIZE 8   /* of TPML_DIGEST.digests */
#define VALUE_SIZE 64 /* of TPM2B_DIGEST.buffer */
#define LISTS (EVIDENCE_MAX_PCRS / LIST_SIZE + SELECTIONS)

/**
 * struct values - what a file has
 * @selections, @selection_count: a bank each
 * @values, @value_count: in the order of the selections
 */
struct values {
	struct tpm_pcr_selection selections[SELECTIONS];
	size_t selection_count;
	struct bytes values[LISTS * LIST_SIZE];
	size_t value_count;
};

/* ---------------------------------------------------------------- reading */

static bool take_serialized_selections(struct bytes *in, struct values *ret)
{
	uint32_t count;

	if (!bytes_take_le32(in, &count) || count > SELECTIONS)
		return false;
	for (size_t i = 0; i < SELECTIONS; i++) {
		struct tpm_pcr_selection *selection = &ret->selections[i];
		uint16_t hash;
		uint8_t size, padding;

		if (!bytes_take_le16(in, &hash) || !bytes_take_u8(in, &size) ||
		    !bytes_take_le32(in, &selection->mask) || !bytes_take_u8(in, &padding))
			return false;
		if (i >= count)
			continue;
		if (size > SELECT_SIZE)
			return false;
		/* What is beyond its size is room that was never written. */
		if (size < SELECT_SIZE)
			selection->mask &= (UINT32_C(1) << (8 * size)) - 1;
		selection->bank = (enum assay_hash)hash;
	}
	ret->selection_count = count;
	return true;
}

static bool take_serialized_list(struct bytes *in, struct values *ret)
{
	uint32_t count;

	if (!bytes_take_le32(in, &count) || count > LIST_SIZE)
		return false;
	for (size_t i = 0; i < LIST_SIZE; i++) {
		struct bytes value;
		uint16_t size;

		if (!bytes_take_le16(in, &size) || !bytes_take(in, VALUE_SIZE, &value))
			return false;
		if (i >= count)
			continue;
		if (size > VALUE_SIZE)
			return false;
		value.size = size;
		ret->values[ret->value_count++] = value;
	}
	return true;
}

static bool read_serialized(struct bytes in, struct values *ret)
{
	uint32_t lists;

	*ret = (struct values){ 0 };
	if (!take_serialized_selections(&in, ret) || !bytes_take_le32(&in, &lists) || lists > LISTS)
		return false;
	while (lists-- > 0)
		if (!take_serialized_list(&in, ret))
			return false;
	return in.size == 0;
}

static bool take_marshaled_selection(struct bytes *in, struct tpm_pcr_selection *ret)
{
	struct bytes select;
	uint16_t hash;
	uint8_t size;

	if (!bytes_take_be16(in, &hash) || !bytes_take_u8(in, &size) || size > SELECT_SIZE ||
	    !bytes_take(in, size, &select))
		return false;
	*ret = (struct tpm_pcr_selection){ .bank = (enum assay_hash)hash };
	for (size_t i = 0; i < size; i++)
		ret->mask |= (uint32_t)select.data[i] << (8 * i);
	return true;
}

static bool read_marshaled(struct bytes in, struct values *ret)
{
	uint32_t count, lists;

	*ret = (struct values){ 0 };
	if (!bytes_take_be32(&in, &count) || count > SELECTIONS)
		return false;
	for (; ret->selection_count < count; ret->selection_count++)
		if (!take_marshaled_selection(&in, &ret->selections[ret->selection_count]))
			return false;
	if (!bytes_take_be32(&in, &lists) || lists > LISTS)
		return false;
	while (lists-- > 0) {
		if (!bytes_take_be32(&in, &count) || count > LIST_SIZE)
			return false;
		while (count-- > 0) {
			struct bytes *value = &ret->values[ret->value_count++];
			uint16_t size;

			if (!bytes_take_be16(&in, &size) || size > VALUE_SIZE ||
			    !bytes_take(&in, size, value))
				return false;
		}
	}
	return in.size == 0;
}

/* The values that the selections say, of their banks' sizes, and no more? */
static bool fits(const struct values *values)
{
	size_t next = 0;

	for (size_t i = 0; i < values->selection_count; i++) {
		const struct tpm_pcr_selection *selection = &values->selections[i];
		size_t size = assay_hash_size(selection->bank);

		for (unsigned int pcr = 0; pcr < EVIDENCE_PCR_LIMIT; pcr++) {
			if (!(selection->mask >> pcr & 1))
				continue;
			if (size == 0 || next == values->value_count ||
			    values->values[next++].size != size)
				return false;
		}
	}
	return next > 0 && next == values->value_count;
}

static bool read_values(struct bytes in, const struct tpm_attest *attest, struct values *ret)
{
	*ret = (struct values){ 0 };
	for (size_t i = 0; i < attest->selection_count && i < SELECTIONS; i++) {
		const struct tpm_pcr_selection *selection = &attest->selections[i];
		size_t size = assay_hash_size(selection->bank);

		ret->selections[ret->selection_count++] = *selection;
		for (unsigned int pcr = 0; pcr < EVIDENCE_PCR_LIMIT; pcr++)
			if ((selection->mask >> pcr & 1) &&
			    (ret->value_count == LISTS * LIST_SIZE ||
			     !bytes_take(&in, size, &ret->values[ret->value_count++])))
				return false;
	}
	return in.size == 0;
}

static int add_values(const struct values *values, struct evidence *evidence,
		      struct assay_error *err)
{
	size_t next = 0;

	for (size_t i = 0; i < values->selection_count; i++)
		for (unsigned int pcr = 0; pcr < EVIDENCE_PCR_LIMIT; pcr++) {
			struct assay_digest value = { .hash = values->selections[i].bank };
			int r;

			if (!(values->selections[i].mask >> pcr & 1))
				continue;
			value.size = values->values[next].size;
			memcpy(value.bytes, values->values[next].data, value.size);
			next++;
			r = evidence_add_pcr(evidence, pcr, &value, err);
			if (r == -ENOMEM)
				return r;
			if (r < 0) {
				err->code = EBADMSG;
				return assay_fail_context(err, "the PCR values");
			}
		}
	return 0;
}

int pcr_file_read(struct bytes in, const struct tpm_attest *attest, struct evidence *evidence,
		  struct assay_error *err)
{
	struct assay_error unused;
	struct values values;

	if (!err)
		err = &unused;
	if (in.size > PCR_FILE_MAX_SIZE)
		return assay_fail(err, EBADMSG,
				  "the PCR values have %zu bytes; at most %d are read", in.size,
				  PCR_FILE_MAX_SIZE);
	if ((read_serialized(in, &values) && fits(&values)) ||
	    (read_marshaled(in, &values) && fits(&values)) ||
	    (read_values(in, attest, &values) && fits(&values)))
		return add_values(&values, evidence, err);
	return assay_fail(err, EBADMSG,
			  "the PCR values (%zu bytes) are in no form of tpm2-tools, neither "
			  "serialized nor marshaled, and as values alone they are not those of the "
			  "PCRs that the quote selects",
			  in.size);
}

/* ---------------------------------------------------------------- writing */

static void append_le(struct buffer *out, uint32_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

static const struct assay_digest *find_value(const struct evidence *evidence, enum assay_hash bank,
					     unsigned int pcr)
{
	for (size_t i = 0; i < evidence->pcr_count; i++)
		if (evidence->pcrs[i].index == pcr && evidence->pcrs[i].value.hash == bank)
			return &evidence->pcrs[i].value;
	return NULL;
}

static int find_values(const struct evidence *evidence, const struct tpm_attest *attest,
		       struct values *ret, struct assay_error *err)
{
	*ret = (struct values){ 0 };
	for (size_t i = 0; i < attest->selection_count && i < SELECTIONS; i++) {
		const struct tpm_pcr_selection *selection = &attest->selections[i];

		ret->selections[ret->selection_count++] = *selection;
		for (unsigned int pcr = 0; pcr < EVIDENCE_PCR_LIMIT; pcr++) {
			const struct assay_digest *value;

			if (!(selection->mask >> pcr & 1))
				continue;
			value = find_value(evidence, selection->bank, pcr);
			if (!value || ret->value_count == LISTS * LIST_SIZE)
				return assay_fail(err, EINVAL,
						  "the quote selects PCR %u of bank %s, and the "
						  "evidence has no value of it",
						  pcr,
						  assay_hash_size(selection->bank) > 0 ?
							  assay_hash_name(selection->bank) :
							  "that is not known");
			ret->values[ret->value_count++] = BYTES(value->bytes, value->size);
		}
	}
	return 0;
}

int pcr_file_write(const struct evidence *evidence, struct buffer *out, struct assay_error *err)
{
	static const uint8_t zero[VALUE_SIZE];
	struct tpm_attest attest;
	struct values values = { 0 };
	int r = tpm_attest_parse(buffer_bytes(&evidence->attest), &attest, err);

	if (r == 0)
		r = find_values(evidence, &attest, &values, err);
	if (r < 0)
		return r;
	append_le(out, (uint32_t)values.selection_count, 4);
	for (size_t i = 0; i < SELECTIONS; i++) {
		bool used = i < values.selection_count;

		append_le(out, used ? (uint32_t)values.selections[i].bank : 0, 2);
		append_le(out, used ? TPM_PCR_SELECT_MAX : 0, 1);
		append_le(out, used ? values.selections[i].mask : 0, SELECT_SIZE);
		append_le(out, 0, 1);
	}
	append_le(out, (uint32_t)((values.value_count + LIST_SIZE - 1) / LIST_SIZE), 4);
	for (size_t start = 0; start < values.value_count; start += LIST_SIZE) {
		size_t left = values.value_count - start;
		size_t here = left < LIST_SIZE ? left : LIST_SIZE;

		append_le(out, (uint32_t)here, 4);
		for (size_t i = 0; i < LIST_SIZE; i++) {
			struct bytes value = i < here ? values.values[start + i] : BYTES(zero, 0);

			append_le(out, (uint32_t)value.size, 2);
			buffer_append_bytes(out, value);
			buffer_append(out, zero, VALUE_SIZE - value.size);
		}
	}
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
