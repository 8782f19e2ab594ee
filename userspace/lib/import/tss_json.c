// SPDX-License-Identifier: MIT
#include "import/tss_json.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "verify/structures.h"

#define WHAT_ATTESTED "an attestation's \"attested\""

/* A table of these ends with one that has no text. */
struct name {
	const char *text;
	uint16_t value;
};

static const struct name hashes[] = { { "SHA1", ASSAY_HASH_SHA1 },
				      { "SHA256", ASSAY_HASH_SHA256 },
				      { "SHA384", ASSAY_HASH_SHA384 },
				      { "SHA512", ASSAY_HASH_SHA512 },
				      { NULL, 0 } };
static const struct name schemes[] = { { "RSASSA", TPM_ALG_RSASSA },
				       { "RSAPSS", TPM_ALG_RSAPSS },
				       { "ECDSA", TPM_ALG_ECDSA },
				       { NULL, 0 } };
static const struct name types[] = { { "RSA", TPM_ALG_RSA }, { "ECC", TPM_ALG_ECC }, { NULL, 0 } };
static const struct name curves[] = { { "NIST_P256", TPM_ECC_NIST_P256 },
				      { "NIST_P384", TPM_ECC_NIST_P384 },
				      { "NIST_P521", TPM_ECC_NIST_P521 },
				      { NULL, 0 } };
static const struct name attested[] = { { "ATTEST_QUOTE", TPM_ST_ATTEST_QUOTE },
					{ "ATTEST_NV", TPM_ST_ATTEST_NV },
					{ "ATTEST_SESSION_AUDIT", TPM_ST_ATTEST_SESSION_AUDIT },
					{ NULL, 0 } };
static const struct name nothing[] = { { "NULL", TPM_ALG_NULL }, { NULL, 0 } };
static const struct name generated[] = { { "VALUE", 0 }, { NULL, 0 } };
static const struct name answers[] = { { "NO", 0 }, { "YES", 1 }, { NULL, 0 } };

/*
 * What is written in order, and by the first member that is off ended.
 * @r: 0, or what went wrong; then nothing more is written
 */
struct writer {
	struct buffer *out;
	struct assay_error *err;
	int r;
};

static void keep(struct writer *writer, int r)
{
	if (writer->r == 0)
		writer->r = r;
}

static void only(struct writer *writer, const json_t *object, const char *const known[],
		 const char *what)
{
	if (writer->r == 0)
		keep(writer, json_only(object, known, what, writer->err));
}

static const json_t *object_of(struct writer *writer, const json_t *object, const char *key,
			       const char *what)
{
	const json_t *found = NULL;

	if (writer->r == 0)
		keep(writer, json_get_object(object, key, what, &found, writer->err));
	return found;
}

/* The value of a name that must be one of @table's. */
static uint16_t name_of(struct writer *writer, const json_t *object, const char *key,
			const char *what, const struct name *table)
{
	const char *text = NULL;

	if (writer->r == 0)
		keep(writer, json_get_string(object, key, what, &text, writer->err));
	if (writer->r < 0 || !text)
		return 0;
	for (; table->text; table++)
		if (strcmp(table->text, text) == 0)
			return table->value;
	keep(writer,
	     assay_fail(writer->err, EBADMSG, "%s: \"%s\" is none that is known here", what, key));
	return 0;
}

/* Half of a number, or a whole one: of 32 bits at most. */
static bool is_half(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= UINT32_MAX;
}

static uint64_t number_of(struct writer *writer, const json_t *object, const char *key,
			  const char *what, uint64_t most)
{
	const json_t *value = json_object_get(object, key);
	uint64_t number = 0;

	if (writer->r < 0)
		return 0;
	if (json_is_array(value) && json_array_size(value) == 2 &&
	    is_half(json_array_get(value, 0)) && is_half(json_array_get(value, 1)))
		number = (uint64_t)json_integer_value(json_array_get(value, 0)) |
			 (uint64_t)json_integer_value(json_array_get(value, 1)) << 32;
	else
		keep(writer, json_get_unsigned(object, key, what, &number, writer->err));
	if (writer->r == 0 && number > most)
		keep(writer,
		     assay_fail(writer->err, EBADMSG, "%s: \"%s\" is too large", what, key));
	return writer->r == 0 ? number : 0;
}

/* A TPM2B: the size, and as many bytes. */
static void put_sized(struct writer *writer, const json_t *object, const char *key,
		      const char *what)
{
	CLEANUP(buffer_free) struct buffer bytes = { 0 };

	if (writer->r == 0)
		keep(writer, json_get_hex(object, key, what, &bytes, writer->err));
	if (writer->r == 0 && bytes.size > UINT16_MAX)
		keep(writer, assay_fail(writer->err, EBADMSG, "%s: \"%s\" is too long", what, key));
	if (writer->r < 0)
		return;
	buffer_append_be16(writer->out, (uint16_t)bytes.size);
	buffer_append_bytes(writer->out, buffer_bytes(&bytes));
}

static void put_u8(struct writer *writer, uint8_t value)
{
	if (writer->r == 0)
		buffer_append_u8(writer->out, value);
}

static void put_u16(struct writer *writer, uint16_t value)
{
	if (writer->r == 0)
		buffer_append_be16(writer->out, value);
}

static void put_u32(struct writer *writer, uint32_t value)
{
	if (writer->r == 0)
		buffer_append_be32(writer->out, value);
}

static void put_u64(struct writer *writer, uint64_t value)
{
	if (writer->r == 0)
		buffer_append_be64(writer->out, value);
}

static int finish(const struct writer *writer)
{
	if (writer->r == 0 && writer->out->failed)
		return assay_fail(writer->err, ENOMEM, "out of memory");
	return writer->r;
}

/* ---------------------------------------------------------------- TPMS_ATTEST */

/* TPMS_PCR_SELECTION, 10.6.2 */
static void put_selection(struct writer *writer, const json_t *selection)
{
	static const char *const known[] = { "hash", "pcrSelect", NULL };
	const char *what = "an attestation's \"pcrSelect\"";
	const json_t *list = json_object_get(selection, "pcrSelect"), *pcr;
	uint8_t mask[TPM_PCR_SELECT_MAX] = { 0 };
	size_t i;

	only(writer, selection, known, what);
	put_u16(writer, name_of(writer, selection, "hash", what, hashes));
	if (writer->r == 0 && !json_is_array(list))
		keep(writer, assay_fail(writer->err, EBADMSG, "%s has no list of PCRs", what));
	if (writer->r < 0)
		return;
	json_array_foreach(list, i, pcr) {
		json_int_t index = json_integer_value(pcr);

		if (!json_is_integer(pcr) || index < 0 || index >= TPM_PCR_COUNT) {
			keep(writer,
			     assay_fail(writer->err, EBADMSG, "%s: PCRs are numbers below %d", what,
					TPM_PCR_COUNT));
			return;
		}
		mask[index / 8] |= (uint8_t)(1U << index % 8);
	}
	buffer_append_u8(writer->out, sizeof(mask));
	buffer_append(writer->out, mask, sizeof(mask));
}

/* TPMS_QUOTE_INFO, 10.12.1 */
static void put_quoted(struct writer *writer, const json_t *info)
{
	static const char *const known[] = { "pcrSelect", "pcrDigest", NULL };
	const json_t *selections = json_object_get(info, "pcrSelect"), *selection;
	const char *what = WHAT_ATTESTED;
	size_t i;

	only(writer, info, known, what);
	if (writer->r == 0 &&
	    (!json_is_array(selections) || json_array_size(selections) > TPM_MAX_SELECTIONS))
		keep(writer,
		     assay_fail(writer->err, EBADMSG, "%s has no \"pcrSelect\" of at most %d banks",
				what, TPM_MAX_SELECTIONS));
	put_u32(writer, (uint32_t)json_array_size(selections));
	json_array_foreach(selections, i, selection) {
		if (writer->r == 0 && !json_is_object(selection))
			keep(writer, assay_fail(writer->err, EBADMSG,
						"%s: \"pcrSelect\" holds what is no object", what));
		if (writer->r < 0)
			return;
		put_selection(writer, selection);
	}
	put_sized(writer, info, "pcrDigest", what);
}

/* TPMS_NV_CERTIFY_INFO, 10.12.8 */
static void put_certified(struct writer *writer, const json_t *info)
{
	static const char *const known[] = { "indexName", "offset", "nvContents", NULL };

	only(writer, info, known, WHAT_ATTESTED);
	put_sized(writer, info, "indexName", WHAT_ATTESTED);
	put_u16(writer, (uint16_t)number_of(writer, info, "offset", WHAT_ATTESTED, UINT16_MAX));
	put_sized(writer, info, "nvContents", WHAT_ATTESTED);
}

/* TPMS_SESSION_AUDIT_INFO, 10.12.6 */
static void put_audited(struct writer *writer, const json_t *info)
{
	static const char *const known[] = { "exclusiveSession", "sessionDigest", NULL };

	only(writer, info, known, WHAT_ATTESTED);
	put_u8(writer, (uint8_t)name_of(writer, info, "exclusiveSession", WHAT_ATTESTED, answers));
	put_sized(writer, info, "sessionDigest", WHAT_ATTESTED);
}

/* TPMS_CLOCK_INFO, 10.11.1 */
static void put_clock(struct writer *writer, const json_t *clock)
{
	static const char *const known[] = { "clock", "resetCount", "restartCount", "safe", NULL };
	const char *what = "an attestation's \"clockInfo\"";

	only(writer, clock, known, what);
	put_u64(writer, number_of(writer, clock, "clock", what, UINT64_MAX));
	put_u32(writer, (uint32_t)number_of(writer, clock, "resetCount", what, UINT32_MAX));
	put_u32(writer, (uint32_t)number_of(writer, clock, "restartCount", what, UINT32_MAX));
	put_u8(writer, (uint8_t)name_of(writer, clock, "safe", what, answers));
}

static void put_attested(struct writer *writer, uint16_t type, const json_t *info)
{
	if (type == TPM_ST_ATTEST_QUOTE)
		put_quoted(writer, info);
	else if (type == TPM_ST_ATTEST_NV)
		put_certified(writer, info);
	else
		put_audited(writer, info);
}

int tss_json_attest(const json_t *attest, uint16_t type, struct buffer *out,
		    struct assay_error *err)
{
	static const char *const known[] = { "magic",	  "type",      "qualifiedSigner",
					     "extraData", "clockInfo", "firmwareVersion",
					     "attested",  NULL };
	struct writer writer = { out, err, 0 };
	const char *what = "an attestation";
	uint16_t found;

	only(&writer, attest, known, what);
	/* A name stands for the number that marks what a TPM made, and there is no other. */
	(void)name_of(&writer, attest, "magic", what, generated);
	put_u32(&writer, TPM_GENERATED);
	found = name_of(&writer, attest, "type", what, attested);
	if (writer.r == 0 && found != type)
		keep(&writer,
		     assay_fail(err, EBADMSG, "%s: \"type\" is none that belongs there", what));
	put_u16(&writer, found);
	put_sized(&writer, attest, "qualifiedSigner", what);
	put_sized(&writer, attest, "extraData", what);
	put_clock(&writer, object_of(&writer, attest, "clockInfo", what));
	put_u64(&writer, number_of(&writer, attest, "firmwareVersion", what, UINT64_MAX));
	put_attested(&writer, type, object_of(&writer, attest, "attested", what));
	return finish(&writer);
}

/* ---------------------------------------------------------------- TPMT_SIGNATURE */

int tss_json_signature(const json_t *signature, struct buffer *out, struct assay_error *err)
{
	static const char *const known[] = { "sigAlg", "signature", NULL };
	static const char *const rsa[] = { "hash", "sig", NULL };
	static const char *const ecdsa[] = { "hash", "signatureR", "signatureS", NULL };
	struct writer writer = { out, err, 0 };
	const char *what = "an attestation's signature";
	const json_t *numbers;
	uint16_t algorithm;

	only(&writer, signature, known, what);
	algorithm = name_of(&writer, signature, "sigAlg", what, schemes);
	numbers = object_of(&writer, signature, "signature", what);
	only(&writer, numbers, algorithm == TPM_ALG_ECDSA ? ecdsa : rsa, what);
	put_u16(&writer, algorithm);
	put_u16(&writer, name_of(&writer, numbers, "hash", what, hashes));
	if (algorithm == TPM_ALG_ECDSA) {
		put_sized(&writer, numbers, "signatureR", what);
		put_sized(&writer, numbers, "signatureS", what);
	} else {
		put_sized(&writer, numbers, "sig", what);
	}
	return finish(&writer);
}

/* ---------------------------------------------------------------- TPM2B_PUBLIC */

/* An object that says "NULL" of its one member. */
static void put_nothing(struct writer *writer, const json_t *object, const char *key,
			const char *member, const char *what)
{
	const char *const known[] = { member, NULL };
	const json_t *inner = object_of(writer, object, key, what);

	only(writer, inner, known, what);
	put_u16(writer, name_of(writer, inner, member, what, nothing));
}

/* TPMT_RSA_SCHEME and TPMT_ECC_SCHEME of keys that sign, 11.2.4.2 and 11.2.5.6 */
static void put_scheme(struct writer *writer, const json_t *parameters, const char *what)
{
	static const char *const known[] = { "scheme", "details", NULL };
	static const char *const details_known[] = { "hashAlg", NULL };
	const json_t *scheme = object_of(writer, parameters, "scheme", what);
	const json_t *details;

	only(writer, scheme, known, what);
	put_u16(writer, name_of(writer, scheme, "scheme", what, schemes));
	details = object_of(writer, scheme, "details", what);
	only(writer, details, details_known, what);
	put_u16(writer, name_of(writer, details, "hashAlg", what, hashes));
}

/* TPMS_RSA_PARMS, 12.2.3.5, and the modulus */
static void put_rsa(struct writer *writer, const json_t *public, const json_t *parameters)
{
	static const char *const known[] = { "symmetric", "scheme", "keyBits", "exponent", NULL };
	const char *what = "the key's \"parameters\"";

	only(writer, parameters, known, what);
	put_nothing(writer, parameters, "symmetric", "algorithm", what);
	put_scheme(writer, parameters, what);
	put_u16(writer, (uint16_t)number_of(writer, parameters, "keyBits", what, UINT16_MAX));
	put_u32(writer, (uint32_t)number_of(writer, parameters, "exponent", what, UINT32_MAX));
	put_sized(writer, public, "unique", "the key");
}

/* TPMS_ECC_PARMS, 12.2.3.6, and the point */
static void put_ecc(struct writer *writer, const json_t *public, const json_t *parameters)
{
	static const char *const known[] = { "symmetric", "scheme", "curveID", "kdf", NULL };
	static const char *const point_known[] = { "x", "y", NULL };
	const char *what = "the key's \"parameters\"";
	const json_t *point;

	only(writer, parameters, known, what);
	put_nothing(writer, parameters, "symmetric", "algorithm", what);
	put_scheme(writer, parameters, what);
	put_u16(writer, name_of(writer, parameters, "curveID", what, curves));
	put_nothing(writer, parameters, "kdf", "scheme", what);
	point = object_of(writer, public, "unique", "the key");
	only(writer, point, point_known, "the key's \"unique\"");
	put_sized(writer, point, "x", "the key's \"unique\"");
	put_sized(writer, point, "y", "the key's \"unique\"");
}

int tss_json_public(const json_t *public, struct buffer *out, struct assay_error *err)
{
	static const char *const known[] = { "type",	   "nameAlg",	 "objectAttributes",
					     "authPolicy", "parameters", "unique",
					     NULL };
	CLEANUP(buffer_free) struct buffer area = { 0 };
	struct writer writer = { &area, err, 0 };
	const json_t *parameters;
	const char *what = "the key";
	uint16_t type;

	only(&writer, public, known, what);
	type = name_of(&writer, public, "type", what, types);
	put_u16(&writer, type);
	put_u16(&writer, name_of(&writer, public, "nameAlg", what, hashes));
	put_u32(&writer,
		(uint32_t)number_of(&writer, public, "objectAttributes", what, UINT32_MAX));
	put_sized(&writer, public, "authPolicy", what);
	parameters = object_of(&writer, public, "parameters", what);
	if (type == TPM_ALG_RSA)
		put_rsa(&writer, public, parameters);
	else
		put_ecc(&writer, public, parameters);
	if (finish(&writer) < 0)
		return finish(&writer);
	if (area.size > UINT16_MAX)
		return assay_fail(err, EBADMSG, "%s is too long", what);
	buffer_append_be16(out, (uint16_t)area.size);
	buffer_append_bytes(out, buffer_bytes(&area));
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
