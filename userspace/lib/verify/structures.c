// SPDX-License-Identifier: MIT
#include "verify/structures.h"

#include <errno.h>

/*
 * What is being parsed: its name for messages, and where in it one is. The first failure is noted
 * and stays: what is read after it is zero, and the end tells.
 */
struct cursor {
	const char *what;
	struct bytes rest;
	size_t size;
	int failed; /* 0, or a negative errno */
	struct assay_error *err;
};

static struct cursor cursor_begin(const char *what, struct bytes in, struct assay_error *err)
{
	return (struct cursor){ .what = what, .rest = in, .size = in.size, .err = err };
}

static void fail_cut(struct cursor *cursor, const char *field)
{
	if (cursor->failed == 0)
		cursor->failed = assay_fail(cursor->err, EBADMSG,
					    "%s ends inside %s, %zu bytes after its start",
					    cursor->what, field, cursor->size);
}

static void fail_value(struct cursor *cursor, const char *field, unsigned long long value,
		       const char *rule)
{
	if (cursor->failed == 0)
		cursor->failed = assay_fail(cursor->err, EBADMSG,
					    "%s: %s before byte %zu is 0x%llx; %s", cursor->what,
					    field, cursor->size - cursor->rest.size, value, rule);
}

static struct bytes cursor_bytes(struct cursor *cursor, const char *field, size_t size)
{
	struct bytes taken = { 0 };

	if (cursor->failed < 0 || !bytes_take(&cursor->rest, size, &taken))
		fail_cut(cursor, field);
	return taken;
}

static uint8_t cursor_u8(struct cursor *cursor, const char *field)
{
	uint8_t value = 0;

	if (cursor->failed < 0 || !bytes_take_u8(&cursor->rest, &value))
		fail_cut(cursor, field);
	return value;
}

static uint16_t cursor_u16(struct cursor *cursor, const char *field)
{
	uint16_t value = 0;

	if (cursor->failed < 0 || !bytes_take_be16(&cursor->rest, &value))
		fail_cut(cursor, field);
	return value;
}

static uint32_t cursor_u32(struct cursor *cursor, const char *field)
{
	uint32_t value = 0;

	if (cursor->failed < 0 || !bytes_take_be32(&cursor->rest, &value))
		fail_cut(cursor, field);
	return value;
}

static uint64_t cursor_u64(struct cursor *cursor, const char *field)
{
	uint64_t value = 0;

	if (cursor->failed < 0 || !bytes_take_be64(&cursor->rest, &value))
		fail_cut(cursor, field);
	return value;
}

/* TPMI_YES_NO, 9.2 */
static bool cursor_yes_no(struct cursor *cursor, const char *field)
{
	uint8_t value = cursor_u8(cursor, field);

	if (value > 1)
		fail_value(cursor, field, value, "it can be 0 or 1");
	return value == 1;
}

/* A TPM2B: its size may be neither over @limit nor over what is left. */
static struct bytes cursor_sized(struct cursor *cursor, const char *field, size_t limit)
{
	uint16_t size = cursor_u16(cursor, field);

	if (size > limit)
		fail_value(cursor, field, size, "that is more bytes than it can have");
	return cursor_bytes(cursor, field, size);
}

/* Return: 0 where all was read, and nothing is left */
static int cursor_end(struct cursor *cursor)
{
	if (cursor->failed == 0 && cursor->rest.size > 0)
		cursor->failed = assay_fail(
			cursor->err, EBADMSG, "%s has %zu bytes behind its end at byte %zu",
			cursor->what, cursor->rest.size, cursor->size - cursor->rest.size);
	return cursor->failed;
}

/* ---------------------------------------------------------------- TPMS_ATTEST */

static struct tpm_pcr_selection read_selection(struct cursor *cursor)
{
	uint16_t hash = cursor_u16(cursor, "a PCR selection's hash");
	uint8_t size = cursor_u8(cursor, "a PCR selection's sizeofSelect");
	struct tpm_pcr_selection selection = { .bank = hash };
	struct bytes select;

	if (assay_hash_size(hash) == 0)
		fail_value(cursor, "a PCR selection's hash", hash,
			   "that is not a PCR bank that is known");
	if (size == 0 || size > TPM_PCR_SELECT_MAX)
		fail_value(cursor, "a PCR selection's sizeofSelect", size,
			   "it can be 1 to 3, since there are 24 PCRs");
	select = cursor_bytes(cursor, "a PCR selection's bits", size);
	for (size_t i = 0; i < select.size; i++)
		selection.mask |= (uint32_t)select.data[i] << (8 * i);
	return selection;
}

/* TPMS_QUOTE_INFO, 10.12.4 */
static void read_quote_info(struct cursor *cursor, struct tpm_attest *attest)
{
	uint32_t count = cursor_u32(cursor, "the count of PCR selections");

	if (count > TPM_MAX_SELECTIONS)
		fail_value(cursor, "the count of PCR selections", count,
			   "a TPM selects from at most 16 banks");
	for (; cursor->failed == 0 && attest->selection_count < count; attest->selection_count++)
		attest->selections[attest->selection_count] = read_selection(cursor);
	attest->pcr_digest = cursor_sized(cursor, "pcrDigest", ASSAY_DIGEST_MAX);
}

int tpm_attest_parse(struct bytes in, struct tpm_attest *ret, struct assay_error *err)
{
	struct cursor cursor = cursor_begin("the quote (TPMS_ATTEST)", in, err);
	struct tpm_attest attest = { 0 };
	int r;

	attest.magic = cursor_u32(&cursor, "magic");
	attest.type = cursor_u16(&cursor, "type");
	attest.qualified_signer = cursor_sized(&cursor, "qualifiedSigner", TPM_NAME_MAX);
	attest.extra_data = cursor_sized(&cursor, "extraData", TPM_NAME_MAX);
	attest.clock = cursor_u64(&cursor, "clock");
	attest.reset_count = cursor_u32(&cursor, "resetCount");
	attest.restart_count = cursor_u32(&cursor, "restartCount");
	attest.safe = cursor_yes_no(&cursor, "safe");
	attest.firmware_version = cursor_u64(&cursor, "firmwareVersion");
	if (cursor.failed < 0)
		return cursor.failed;
	attest.attested = cursor.rest;
	/* What another type attests is laid out otherwise: of no use, and so not read. */
	if (attest.type == TPM_ST_ATTEST_QUOTE) {
		read_quote_info(&cursor, &attest);
		r = cursor_end(&cursor);
		if (r < 0)
			return r;
	}
	*ret = attest;
	return 0;
}

int tpm_nv_info_parse(struct bytes attested, struct tpm_nv_info *ret, struct assay_error *err)
{
	struct cursor cursor =
		cursor_begin("what is certified (TPMS_NV_CERTIFY_INFO)", attested, err);
	struct tpm_nv_info info = { 0 };
	int r;

	info.index_name = cursor_sized(&cursor, "indexName", TPM_NAME_MAX);
	info.offset = cursor_u16(&cursor, "offset");
	info.contents = cursor_sized(&cursor, "nvContents", UINT16_MAX);
	r = cursor_end(&cursor);
	if (r == 0)
		*ret = info;
	return r;
}

int tpm_audit_info_parse(struct bytes attested, struct tpm_audit_info *ret, struct assay_error *err)
{
	struct cursor cursor = cursor_begin("the audit (TPMS_SESSION_AUDIT_INFO)", attested, err);
	struct tpm_audit_info info = { 0 };
	int r;

	info.exclusive = cursor_yes_no(&cursor, "exclusiveSession");
	info.digest = cursor_sized(&cursor, "sessionDigest", ASSAY_DIGEST_MAX);
	r = cursor_end(&cursor);
	if (r == 0)
		*ret = info;
	return r;
}

/* ---------------------------------------------------------------- TPMT_SIGNATURE */

int tpm_signature_parse(struct bytes in, struct tpm_signature *ret, struct assay_error *err)
{
	struct cursor cursor = cursor_begin("the signature (TPMT_SIGNATURE)", in, err);
	struct tpm_signature signature = { 0 };
	int r;

	signature.algorithm = cursor_u16(&cursor, "sigAlg");
	if (cursor.failed < 0)
		return cursor.failed;
	switch (signature.algorithm) {
	case TPM_ALG_RSASSA:
	case TPM_ALG_RSAPSS:
		signature.hash = cursor_u16(&cursor, "hash");
		signature.rsa = cursor_sized(&cursor, "sig", UINT16_MAX);
		break;
	case TPM_ALG_ECDSA:
		signature.hash = cursor_u16(&cursor, "hash");
		signature.r = cursor_sized(&cursor, "signatureR", UINT16_MAX);
		signature.s = cursor_sized(&cursor, "signatureS", UINT16_MAX);
		break;
	default:
		*ret = signature;
		return 0;
	}
	r = cursor_end(&cursor);
	if (r < 0)
		return r;
	*ret = signature;
	return 0;
}

/* ---------------------------------------------------------------- TPM2B_PUBLIC */

/* TPMT_SYM_DEF_OBJECT, 11.1.7 */
static void read_symmetric(struct cursor *cursor, struct tpm_public *public)
{
	public->symmetric = cursor_u16(cursor, "symmetric");
	if (public->symmetric == TPM_ALG_NULL)
		return;
	public->symmetric_bits = cursor_u16(cursor, "symmetric.keyBits");
	public->symmetric_mode = cursor_u16(cursor, "symmetric.mode");
}

/* TPMT_RSA_SCHEME, 11.2.4.2, and TPMT_ECC_SCHEME, 11.2.5.6 */
static void read_scheme(struct cursor *cursor, struct tpm_public *public)
{
	public->scheme = cursor_u16(cursor, "scheme");
	public->scheme_hash = TPM_ALG_NULL;
	if (public->scheme == TPM_ALG_NULL || public->scheme == TPM_ALG_RSAES)
		return;
	public->scheme_hash = cursor_u16(cursor, "scheme.hash");
	if (public->scheme == TPM_ALG_ECDAA)
		(void)cursor_u16(cursor, "scheme.count");
}

static void read_rsa(struct cursor *cursor, struct tpm_public *public)
{
	public->key_bits = cursor_u16(cursor, "keyBits");
	public->exponent = cursor_u32(cursor, "exponent");
	public->modulus = cursor_sized(cursor, "unique (the modulus)", UINT16_MAX);
}

static void read_ecc(struct cursor *cursor, struct tpm_public *public)
{
	public->curve = cursor_u16(cursor, "curveID");
	if (cursor_u16(cursor, "kdf") != TPM_ALG_NULL)
		(void)cursor_u16(cursor, "kdf.hash");
	public->x = cursor_sized(cursor, "unique.x", UINT16_MAX);
	public->y = cursor_sized(cursor, "unique.y", UINT16_MAX);
}

int tpm_public_parse(struct bytes in, struct tpm_public *ret, struct assay_error *err)
{
	struct cursor outer = cursor_begin("the key (TPM2B_PUBLIC)", in, err);
	struct tpm_public public = { 0 };
	struct cursor cursor;
	int r;

	public.area = cursor_sized(&outer, "publicArea", UINT16_MAX);
	r = cursor_end(&outer);
	if (r < 0)
		return r;
	cursor = cursor_begin("the key (TPMT_PUBLIC)", public.area, err);
	public.type = cursor_u16(&cursor, "type");
	if (public.type != TPM_ALG_RSA && public.type != TPM_ALG_ECC)
		fail_value(&cursor, "type", public.type, "only RSA and ECC keys are known");
	public.name_hash = cursor_u16(&cursor, "nameAlg");
	public.attributes = cursor_u32(&cursor, "objectAttributes");
	public.policy = cursor_sized(&cursor, "authPolicy", ASSAY_DIGEST_MAX);
	read_symmetric(&cursor, &public);
	read_scheme(&cursor, &public);
	if (public.type == TPM_ALG_RSA)
		read_rsa(&cursor, &public);
	else
		read_ecc(&cursor, &public);
	r = cursor_end(&cursor);
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
