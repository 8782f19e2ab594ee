// SPDX-License-Identifier: MIT
#include "verify/structures.h"

#include <errno.h>

/* What is being parsed, for messages: its name, and where in it one is. */
struct cursor {
	const char *what;
	struct bytes rest;
	size_t size;
	struct assay_error *err;
};

static struct cursor cursor_begin(const char *what, struct bytes in, struct assay_error *err)
{
	return (struct cursor){ .what = what, .rest = in, .size = in.size, .err = err };
}

static int cut(const struct cursor *cursor, const char *field)
{
	return assay_fail(cursor->err, EBADMSG, "%s ends inside %s, %zu bytes after its start",
			  cursor->what, field, cursor->size);
}

static int wrong(const struct cursor *cursor, const char *field, unsigned long long value,
		 const char *rule)
{
	return assay_fail(cursor->err, EBADMSG, "%s: %s before byte %zu is 0x%llx; %s",
			  cursor->what, field, cursor->size - cursor->rest.size, value, rule);
}

static int take_u8(struct cursor *cursor, const char *field, uint8_t *ret)
{
	return bytes_take_u8(&cursor->rest, ret) ? 0 : cut(cursor, field);
}

static int take_u16(struct cursor *cursor, const char *field, uint16_t *ret)
{
	return bytes_take_be16(&cursor->rest, ret) ? 0 : cut(cursor, field);
}

static int take_u32(struct cursor *cursor, const char *field, uint32_t *ret)
{
	return bytes_take_be32(&cursor->rest, ret) ? 0 : cut(cursor, field);
}

static int take_u64(struct cursor *cursor, const char *field, uint64_t *ret)
{
	return bytes_take_be64(&cursor->rest, ret) ? 0 : cut(cursor, field);
}

/* A TPM2B: its size may be neither over @limit nor over what is left. */
static int take_sized(struct cursor *cursor, const char *field, size_t limit, struct bytes *ret)
{
	uint16_t size;
	int r = take_u16(cursor, field, &size);

	if (r < 0)
		return r;
	if (size > limit)
		return wrong(cursor, field, size, "that is more bytes than it can have");
	return bytes_take(&cursor->rest, size, ret) ? 0 : cut(cursor, field);
}

static int at_end(const struct cursor *cursor)
{
	if (cursor->rest.size == 0)
		return 0;
	return assay_fail(cursor->err, EBADMSG, "%s has %zu bytes behind its end at byte %zu",
			  cursor->what, cursor->rest.size, cursor->size - cursor->rest.size);
}

/* ---------------------------------------------------------------- TPMS_ATTEST */

static int take_selection(struct cursor *cursor, struct tpm_pcr_selection *ret)
{
	struct bytes select;
	uint16_t hash;
	uint8_t size;
	int r = take_u16(cursor, "a PCR selection's hash", &hash);

	if (r == 0)
		r = take_u8(cursor, "a PCR selection's sizeofSelect", &size);
	if (r < 0)
		return r;
	if (assay_hash_size(hash) == 0)
		return wrong(cursor, "a PCR selection's hash", hash,
			     "that is not a PCR bank that is known");
	if (size == 0 || size > TPM_PCR_SELECT_MAX)
		return wrong(cursor, "a PCR selection's sizeofSelect", size,
			     "it can be 1 to 3, since there are 24 PCRs");
	if (!bytes_take(&cursor->rest, size, &select))
		return cut(cursor, "a PCR selection's bits");
	*ret = (struct tpm_pcr_selection){ .bank = hash };
	for (size_t i = 0; i < size; i++)
		ret->mask |= (uint32_t)select.data[i] << (8 * i);
	return 0;
}

/* TPMS_QUOTE_INFO, 10.12.4 */
static int take_quote_info(struct cursor *cursor, struct tpm_attest *attest)
{
	uint32_t count;
	int r = take_u32(cursor, "the count of PCR selections", &count);

	if (r < 0)
		return r;
	if (count > TPM_MAX_SELECTIONS)
		return wrong(cursor, "the count of PCR selections", count,
			     "a TPM selects from at most 16 banks");
	for (; attest->selection_count < count; attest->selection_count++) {
		r = take_selection(cursor, &attest->selections[attest->selection_count]);
		if (r < 0)
			return r;
	}
	return take_sized(cursor, "pcrDigest", ASSAY_DIGEST_MAX, &attest->pcr_digest);
}

int tpm_attest_parse(struct bytes in, struct tpm_attest *ret, struct assay_error *err)
{
	struct cursor cursor = cursor_begin("the quote (TPMS_ATTEST)", in, err);
	struct tpm_attest attest = { 0 };
	uint8_t safe;
	int r = take_u32(&cursor, "magic", &attest.magic);

	if (r == 0)
		r = take_u16(&cursor, "type", &attest.type);
	if (r == 0)
		r = take_sized(&cursor, "qualifiedSigner", TPM_NAME_MAX, &attest.qualified_signer);
	if (r == 0)
		r = take_sized(&cursor, "extraData", TPM_NAME_MAX, &attest.extra_data);
	if (r == 0)
		r = take_u64(&cursor, "clock", &attest.clock);
	if (r == 0)
		r = take_u32(&cursor, "resetCount", &attest.reset_count);
	if (r == 0)
		r = take_u32(&cursor, "restartCount", &attest.restart_count);
	if (r == 0)
		r = take_u8(&cursor, "safe", &safe);
	if (r == 0 && safe > 1)
		r = wrong(&cursor, "safe", safe, "it can be 0 or 1");
	if (r == 0)
		r = take_u64(&cursor, "firmwareVersion", &attest.firmware_version);
	if (r < 0)
		return r;
	attest.safe = safe == 1;
	/* What another type attests is laid out otherwise: of no use, and so not read. */
	if (attest.type == TPM_ST_ATTEST_QUOTE) {
		r = take_quote_info(&cursor, &attest);
		if (r == 0)
			r = at_end(&cursor);
		if (r < 0)
			return r;
	}
	*ret = attest;
	return 0;
}

/* ---------------------------------------------------------------- TPMT_SIGNATURE */

int tpm_signature_parse(struct bytes in, struct tpm_signature *ret, struct assay_error *err)
{
	struct cursor cursor = cursor_begin("the signature (TPMT_SIGNATURE)", in, err);
	struct tpm_signature signature = { 0 };
	int r = take_u16(&cursor, "sigAlg", &signature.algorithm);

	if (r < 0)
		return r;
	switch (signature.algorithm) {
	case TPM_ALG_RSASSA:
	case TPM_ALG_RSAPSS:
		r = take_u16(&cursor, "hash", &signature.hash);
		if (r == 0)
			r = take_sized(&cursor, "sig", UINT16_MAX, &signature.rsa);
		break;
	case TPM_ALG_ECDSA:
		r = take_u16(&cursor, "hash", &signature.hash);
		if (r == 0)
			r = take_sized(&cursor, "signatureR", UINT16_MAX, &signature.r);
		if (r == 0)
			r = take_sized(&cursor, "signatureS", UINT16_MAX, &signature.s);
		break;
	default:
		*ret = signature;
		return 0;
	}
	if (r == 0)
		r = at_end(&cursor);
	if (r < 0)
		return r;
	*ret = signature;
	return 0;
}

/* ---------------------------------------------------------------- TPM2B_PUBLIC */

/* TPMT_SYM_DEF_OBJECT, 11.1.7 */
static int take_symmetric(struct cursor *cursor, struct tpm_public *public)
{
	int r = take_u16(cursor, "symmetric", &public->symmetric);

	if (r < 0 || public->symmetric == TPM_ALG_NULL)
		return r;
	r = take_u16(cursor, "symmetric.keyBits", &public->symmetric_bits);
	if (r == 0)
		r = take_u16(cursor, "symmetric.mode", &public->symmetric_mode);
	return r;
}

/* TPMT_RSA_SCHEME, 11.2.4.2, and TPMT_ECC_SCHEME, 11.2.5.6 */
static int take_scheme(struct cursor *cursor, struct tpm_public *public)
{
	uint16_t count;
	int r = take_u16(cursor, "scheme", &public->scheme);

	public->scheme_hash = TPM_ALG_NULL;
	if (r < 0 || public->scheme == TPM_ALG_NULL || public->scheme == TPM_ALG_RSAES)
		return r;
	r = take_u16(cursor, "scheme.hash", &public->scheme_hash);
	if (r == 0 && public->scheme == TPM_ALG_ECDAA)
		r = take_u16(cursor, "scheme.count", &count);
	return r;
}

static int take_rsa(struct cursor *cursor, struct tpm_public *public)
{
	int r = take_u16(cursor, "keyBits", &public->key_bits);

	if (r == 0)
		r = take_u32(cursor, "exponent", &public->exponent);
	if (r == 0)
		r = take_sized(cursor, "unique (the modulus)", UINT16_MAX, &public->modulus);
	return r;
}

static int take_ecc(struct cursor *cursor, struct tpm_public *public)
{
	uint16_t kdf, kdf_hash;
	int r = take_u16(cursor, "curveID", &public->curve);

	if (r == 0)
		r = take_u16(cursor, "kdf", &kdf);
	if (r == 0 && kdf != TPM_ALG_NULL)
		r = take_u16(cursor, "kdf.hash", &kdf_hash);
	if (r == 0)
		r = take_sized(cursor, "unique.x", UINT16_MAX, &public->x);
	if (r == 0)
		r = take_sized(cursor, "unique.y", UINT16_MAX, &public->y);
	return r;
}

int tpm_public_parse(struct bytes in, struct tpm_public *ret, struct assay_error *err)
{
	struct cursor outer = cursor_begin("the key (TPM2B_PUBLIC)", in, err);
	struct tpm_public public = { 0 };
	struct cursor cursor;
	int r = take_sized(&outer, "publicArea", UINT16_MAX, &public.area);

	if (r == 0)
		r = at_end(&outer);
	if (r < 0)
		return r;
	cursor = cursor_begin("the key (TPMT_PUBLIC)", public.area, err);
	r = take_u16(&cursor, "type", &public.type);
	if (r == 0 && public.type != TPM_ALG_RSA && public.type != TPM_ALG_ECC)
		r = wrong(&cursor, "type", public.type, "only RSA and ECC keys are known");
	if (r == 0)
		r = take_u16(&cursor, "nameAlg", &public.name_hash);
	if (r == 0)
		r = take_u32(&cursor, "objectAttributes", &public.attributes);
	if (r == 0)
		r = take_sized(&cursor, "authPolicy", ASSAY_DIGEST_MAX, &public.policy);
	if (r == 0)
		r = take_symmetric(&cursor, &public);
	if (r == 0)
		r = take_scheme(&cursor, &public);
	if (r == 0)
		r = public.type == TPM_ALG_RSA ? take_rsa(&cursor, &public) :
						 take_ecc(&cursor, &public);
	if (r == 0)
		r = at_end(&cursor);
	if (r < 0)
		return r;
	*ret = public;
	return 0;
}

/* ---------------------------------------------------------------- names */

struct name {
	uint16_t value;
	const char *text;
};

static const char *find_name(const struct name *names, size_t count, uint16_t value)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].value == value)
			return names[i].text;
	return NULL;
}

const char *tpm_alg_name(uint16_t algorithm)
{
	static const struct name names[] = {
		{ TPM_ALG_RSA, "RSA" },		 { TPM_ALG_NULL, "NULL" },
		{ TPM_ALG_RSASSA, "RSASSA" },	 { TPM_ALG_RSAES, "RSAES" },
		{ TPM_ALG_RSAPSS, "RSAPSS" },	 { TPM_ALG_OAEP, "OAEP" },
		{ TPM_ALG_ECDSA, "ECDSA" },	 { TPM_ALG_ECDAA, "ECDAA" },
		{ TPM_ALG_ECC, "ECC" },		 { TPM_ALG_HMAC, "HMAC" },
		{ TPM_ALG_SM3_256, "SM3-256" },	 { ASSAY_HASH_SHA1, "sha1" },
		{ ASSAY_HASH_SHA256, "sha256" }, { ASSAY_HASH_SHA384, "sha384" },
		{ ASSAY_HASH_SHA512, "sha512" },
	};

	return find_name(names, sizeof(names) / sizeof(names[0]), algorithm);
}

const char *tpm_attest_type_name(uint16_t type)
{
	static const struct name names[] = {
		{ TPM_ST_ATTEST_NV, "NV" },
		{ TPM_ST_ATTEST_COMMAND_AUDIT, "COMMAND_AUDIT" },
		{ TPM_ST_ATTEST_SESSION_AUDIT, "SESSION_AUDIT" },
		{ TPM_ST_ATTEST_CERTIFY, "CERTIFY" },
		{ TPM_ST_ATTEST_QUOTE, "QUOTE" },
		{ TPM_ST_ATTEST_TIME, "TIME" },
		{ TPM_ST_ATTEST_CREATION, "CREATION" },
	};

	return find_name(names, sizeof(names) / sizeof(names[0]), type);
}
