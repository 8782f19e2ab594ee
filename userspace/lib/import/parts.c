// SPDX-License-Identifier: MIT
#include "import/parts.h"

#include <errno.h>
#include <openssl/ec.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "log/ima_ascii.h"
#include "log/log_kind.h"
#include "log/uefi.h"
#include "sign/certificate.h"
#include "verify/ak_given.h"

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "out of memory");
}

/* ---------------------------------------------------------------- the quote */

/* TPM2B_ATTEST has its size in front of the magic. */
static struct bytes without_size(struct bytes in)
{
	struct bytes rest = in;
	uint32_t magic;
	uint16_t size;

	if (bytes_take_be16(&rest, &size) && size == rest.size) {
		struct bytes attest = rest;

		if (bytes_take_be32(&rest, &magic) && magic == TPM_GENERATED)
			return attest;
	}
	return in;
}

int import_attest(struct bytes in, struct evidence *evidence, struct tpm_attest *ret,
		  struct assay_error *err)
{
	struct tpm_attest attest;
	int r;

	if (in.size == 0 || in.size > EVIDENCE_MAX_STRUCTURE)
		return assay_fail(err, EBADMSG, "the quote has %zu bytes; it must have 1 to %d",
				  in.size, EVIDENCE_MAX_STRUCTURE);
	buffer_append_bytes(&evidence->attest, without_size(in));
	if (evidence->attest.failed)
		return out_of_memory(err);
	r = tpm_attest_parse(buffer_bytes(&evidence->attest), &attest, err);
	if (r < 0)
		return assay_fail_context(err, "the quote is no TPMS_ATTEST");
	if (attest.extra_data.size <= EVIDENCE_MAX_NONCE)
		buffer_append_bytes(&evidence->nonce, attest.extra_data);
	if (evidence->nonce.failed)
		return out_of_memory(err);
	*ret = attest;
	return 0;
}

/* ---------------------------------------------------------------- the key */

int import_ak(struct bytes in, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(ak_given_free) struct ak_given given = { 0 };
	int r = ak_given_read(in, &given, err);

	if (r < 0)
		return r;
	if (given.public_area.size == 0)
		return tpm_public_key_der(&given.public, &evidence->ak_key, err);
	buffer_append_bytes(&evidence->ak_public, buffer_bytes(&given.public_area));
	return evidence->ak_public.failed ? out_of_memory(err) : 0;
}

int import_certificate(struct bytes in, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(x509_free_pointer) X509 *certificate = NULL;
	unsigned char *der = NULL;
	int r = certificate_parse(in, "the attestation key's certificate", &certificate, err);
	int size;

	if (r < 0)
		return r;
	size = i2d_X509(certificate, &der);
	if (size > 0)
		buffer_append(&evidence->ak_certificate, der, (size_t)size);
	OPENSSL_free(der);
	return size <= 0 || evidence->ak_certificate.failed ? out_of_memory(err) : 0;
}

/* ---------------------------------------------------------------- the signature */

/* What the key in the evidence says of itself. */
static int read_key(const struct evidence *evidence, struct ak_given *ret, struct assay_error *err)
{
	const struct buffer *key =
		evidence->ak_public.size > 0 ? &evidence->ak_public : &evidence->ak_key;

	return ak_given_read(buffer_bytes(key), ret, err);
}

/* An integer of DER as the TPM has one: big-endian, as long as the curve's order. */
static bool append_number(const BIGNUM *number, size_t size, struct buffer *out)
{
	uint8_t *place;

	buffer_append_be16(out, (uint16_t)size);
	place = buffer_reserve(out, size);
	if (!place || BN_bn2binpad(number, place, (int)size) < 0)
		return false;
	out->size += size;
	return true;
}

static int append_ecdsa(struct bytes der, const struct tpm_public *key, struct buffer *out,
			struct assay_error *err)
{
	const unsigned char *at = der.data;
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der.size);
	bool good = signature && at == der.data + der.size &&
		    append_number(ECDSA_SIG_get0_r(signature), key->x.size, out) &&
		    append_number(ECDSA_SIG_get0_s(signature), key->x.size, out);

	ECDSA_SIG_free(signature);
	crypto_errors_drop();
	if (out->failed)
		return out_of_memory(err);
	return good ? 0 :
		      assay_fail(err, EBADMSG,
				 "the signature is neither a TPMT_SIGNATURE nor ECDSA in DER that "
				 "fits the key");
}

/* Makes TPMT_SIGNATURE of a signature alone. */
static int make_signature(struct bytes in, const struct tpm_public *key, uint16_t algorithm,
			  enum assay_hash hash, struct buffer *out, struct assay_error *err)
{
	out->size = 0;
	buffer_append_be16(out, algorithm);
	buffer_append_be16(out, (uint16_t)hash);
	if (algorithm == TPM_ALG_ECDSA)
		return append_ecdsa(in, key, out, err);
	if (in.size != key->modulus.size)
		return assay_fail(err, EBADMSG,
				  "the signature has %zu bytes; it is neither a TPMT_SIGNATURE nor "
				  "of the key's size, %zu",
				  in.size, key->modulus.size);
	buffer_append_be16(out, (uint16_t)in.size);
	buffer_append_bytes(out, in);
	return out->failed ? out_of_memory(err) : 0;
}

static bool holds(const struct evidence *evidence, const struct tpm_public *key)
{
	struct tpm_signature signature;

	return tpm_signature_parse(buffer_bytes(&evidence->signature), &signature, NULL) == 0 &&
	       tpm_key_verify(key, &signature, buffer_bytes(&evidence->attest), NULL) == 0;
}

/*
 * The hash of the signature is that of the digest of the PCRs (TPM 2.0 Library, Part 3, 18.4), so
 * the digest's size tells which it was.
 */
static enum assay_hash hash_of_quote(const struct evidence *evidence)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						  ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	struct tpm_attest attest;

	if (tpm_attest_parse(buffer_bytes(&evidence->attest), &attest, NULL) == 0)
		for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
			if (attest.pcr_digest.size == assay_hash_size(hashes[i]))
				return hashes[i];
	return ASSAY_HASH_NONE;
}

static bool is_hash(uint16_t algorithm)
{
	return assay_hash_size((enum assay_hash)algorithm) > 0;
}

/* Of an RSA key that does not say its scheme: the one by which the signature holds. */
static int try_schemes(struct bytes in, const struct tpm_public *key, enum assay_hash hash,
		       const struct import_notes *notes, struct evidence *evidence,
		       struct assay_error *err)
{
	int r = make_signature(in, key, TPM_ALG_RSAPSS, hash, &evidence->signature, err);

	if (r < 0 || holds(evidence, key))
		return r;
	r = make_signature(in, key, TPM_ALG_RSASSA, hash, &evidence->signature, err);
	if (r == 0 && !holds(evidence, key))
		import_note(notes, "the signature does not say its scheme and holds by neither "
				   "RSASSA nor RSAPSS: taken for RSASSA");
	return r;
}

static int import_plain(struct bytes in, const struct import_scheme *scheme,
			const struct import_notes *notes, struct evidence *evidence,
			struct assay_error *err)
{
	CLEANUP(ak_given_free) struct ak_given given = { 0 };
	uint16_t algorithm = scheme->algorithm;
	enum assay_hash hash = scheme->hash;
	int r = read_key(evidence, &given, err);

	if (r < 0)
		return r;
	if (hash == ASSAY_HASH_NONE && is_hash(given.public.scheme_hash))
		hash = (enum assay_hash)given.public.scheme_hash;
	if (hash == ASSAY_HASH_NONE)
		hash = hash_of_quote(evidence);
	if (hash == ASSAY_HASH_NONE)
		return assay_fail(err, EBADMSG,
				  "the signature does not say its hash, and nothing else does: "
				  "give it (--hash)");
	if (given.public.type == TPM_ALG_ECC)
		algorithm = TPM_ALG_ECDSA;
	else if (algorithm == 0 &&
		 (given.public.scheme == TPM_ALG_RSASSA || given.public.scheme == TPM_ALG_RSAPSS))
		algorithm = given.public.scheme;
	if (algorithm == 0)
		return try_schemes(in, &given.public, hash, notes, evidence, err);
	if ((algorithm == TPM_ALG_ECDSA) != (given.public.type == TPM_ALG_ECC))
		return assay_fail(err, EBADMSG, "the scheme that was given is not one of RSA keys");
	return make_signature(in, &given.public, algorithm, hash, &evidence->signature, err);
}

int import_signature(struct bytes in, const struct import_scheme *scheme,
		     const struct import_notes *notes, struct evidence *evidence,
		     struct assay_error *err)
{
	struct tpm_signature signature;
	bool whole;

	if (in.size == 0 || in.size > EVIDENCE_MAX_STRUCTURE)
		return assay_fail(err, EBADMSG, "the signature has %zu bytes; it must have 1 to %d",
				  in.size, EVIDENCE_MAX_STRUCTURE);
	/* Of an algorithm that is not known, nothing behind it was looked at. */
	whole = tpm_signature_parse(in, &signature, NULL) == 0 &&
		(signature.algorithm == TPM_ALG_RSASSA || signature.algorithm == TPM_ALG_RSAPSS ||
		 signature.algorithm == TPM_ALG_ECDSA);
	if (!whole)
		return import_plain(in, scheme, notes, evidence, err);
	if (scheme->algorithm != 0 && scheme->algorithm != signature.algorithm)
		import_note(notes, "the signature says its scheme itself, and another than was "
				   "given: taken as it says");
	buffer_append_bytes(&evidence->signature, in);
	return evidence->signature.failed ? out_of_memory(err) : 0;
}

/* ---------------------------------------------------------------- the logs */

static int fail_log(const char *what, struct bytes in, struct assay_error *err)
{
	const char *sentence = log_kind_sentence(log_kind_detect(in));

	return assay_fail(err, EBADMSG, "%s is none%s%s", what, sentence ? ": " : "",
			  sentence ? sentence : "");
}

static int check_size(const char *what, struct bytes in, struct assay_error *err)
{
	if (in.size > IMPORT_MAX_LOG)
		return assay_fail(err, EFBIG, "%s has %zu bytes; at most %u are read", what,
				  in.size, IMPORT_MAX_LOG);
	return 0;
}

static int import_ima_text(struct bytes in, const struct import_notes *notes,
			   struct evidence *evidence, struct assay_error *err)
{
	struct ima_ascii_list list;
	int r = ima_ascii_read(in, &evidence->ima_data, &list, err);

	if (r < 0)
		return r;
	evidence->ima_template_bank = list.bank;
	if (list.others > 0)
		import_note(notes,
			    "line %llu of IMA's list as text, and %llu more: the template digest "
			    "is not that of the fields, which the list would not replay with; it "
			    "is taken as it stands",
			    (unsigned long long)list.first, (unsigned long long)(list.others - 1));
	return 0;
}

int import_ima_list(struct bytes in, const struct import_notes *notes, struct evidence *evidence,
		    struct assay_error *err)
{
	int r = check_size("IMA's list", in, err);

	if (r < 0)
		return r;
	if (ima_ascii_is(in)) {
		r = import_ima_text(in, notes, evidence, err);
	} else if (in.size == 0) {
		/* As the kernel gives it where nothing was measured. */
		evidence->ima_template_bank = ASSAY_HASH_SHA1;
	} else if (ima_detect_bank(in, &evidence->ima_template_bank, NULL) < 0) {
		r = fail_log("IMA's list", in, err);
	} else {
		buffer_append_bytes(&evidence->ima_data, in);
		if (evidence->ima_data.failed)
			r = out_of_memory(err);
	}
	evidence->has_ima_log = r == 0;
	return r;
}

int import_uefi_log(struct bytes in, struct evidence *evidence, struct assay_error *err)
{
	struct uefi_reader reader;
	int r = check_size("the firmware's log", in, err);

	if (r == 0 && in.size > 0) {
		if (uefi_open(&reader, in, NULL) < 0)
			return fail_log("the firmware's log", in, err);
		uefi_close(&reader);
	}
	buffer_append_bytes(&evidence->uefi_data, in);
	if (r == 0 && evidence->uefi_data.failed)
		r = out_of_memory(err);
	evidence->has_uefi_log = r == 0;
	return r;
}
