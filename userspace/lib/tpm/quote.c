// SPDX-License-Identifier: MIT
#include "tpm/quote.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "base/digest.h"
#include "tpm/key_internal.h"
#include "tpm/pcr_internal.h"

/* IMA may extend its PCR while values are read; it never does so for long. */
#define TRIES 16

/* The digest of the values, as a quote has it (TPM 2.0 Library part 3, section 18.4.1). */
static bool hash_values(enum assay_hash hash, const struct tpm_pcrs *pcrs, struct assay_digest *ret)
{
	struct buffer values = { 0 };
	bool good;

	for (size_t i = 0; i < pcrs->count; i++)
		for (size_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (pcrs->banks[i].selected >> pcr & 1)
				buffer_append(&values, pcrs->banks[i].value[pcr],
					      assay_hash_size(pcrs->banks[i].hash));
	good = !values.failed && digest_bytes(hash, buffer_bytes(&values), ret, NULL) == 0;
	buffer_free(&values);
	return good;
}

static int check_request(const struct tpm_key *key, struct bytes nonce, const struct tpm_pcrs *pcrs,
			 struct assay_error *err)
{
	if (!tpm_key_attests(key))
		return assay_fail(
			err, EPERM,
			"%s is no attestation key: anybody who may use it could sign a quote "
			"that no TPM made; make one with 'assay key create --restricted'",
			key->what);
	if (nonce.size < TPM_NONCE_MIN || nonce.size > TPM_NONCE_MAX)
		return assay_fail(err, EINVAL, "the nonce has %zu bytes; it has to have %d to %d",
				  nonce.size, TPM_NONCE_MIN, TPM_NONCE_MAX);
	if (pcrs->count == 0 || pcrs->count > TPM_BANK_MAX)
		return assay_fail(err, EINVAL, "a quote needs one to %d PCR banks", TPM_BANK_MAX);
	for (size_t i = 0; i < pcrs->count; i++) {
		if (assay_hash_size(pcrs->banks[i].hash) == 0 || pcrs->banks[i].selected == 0 ||
		    pcrs->banks[i].selected >> TPM_PCR_COUNT != 0)
			return assay_fail(err, EINVAL,
					  "a quote needs PCRs from 0 to %d of each bank",
					  TPM_PCR_COUNT - 1);
		for (size_t j = 0; j < i; j++)
			if (pcrs->banks[i].hash == pcrs->banks[j].hash)
				return assay_fail(err, EINVAL, "the PCR bank %s is named twice",
						  assay_hash_name(pcrs->banks[i].hash));
	}
	return 0;
}

static bool same_selection(const TPML_PCR_SELECTION *a, const TPML_PCR_SELECTION *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->pcrSelections[i].hash != b->pcrSelections[i].hash ||
		    a->pcrSelections[i].sizeofSelect != b->pcrSelections[i].sizeofSelect ||
		    memcmp(a->pcrSelections[i].pcrSelect, b->pcrSelections[i].pcrSelect,
			   a->pcrSelections[i].sizeofSelect) != 0)
			return false;
	return true;
}

/*
 * See that the TPM answered what was asked.
 * *@ret_fits: whether @pcrs' values are the quoted ones
 */
static int check_attest(const struct tpm *tpm, struct bytes attest, enum assay_hash hash,
			struct bytes nonce, const TPML_PCR_SELECTION *selection,
			const struct tpm_pcrs *pcrs, bool *ret_fits, struct assay_error *err)
{
	const TPMS_QUOTE_INFO *info;
	struct assay_digest values;
	TPMS_ATTEST parsed;
	size_t used = 0;
	TSS2_RC rc;

	rc = Tss2_MU_TPMS_ATTEST_Unmarshal(attest.data, attest.size, &used, &parsed);
	info = &parsed.attested.quote;
	if (rc != TSS2_RC_SUCCESS || used != attest.size || parsed.magic != TPM2_GENERATED_VALUE ||
	    parsed.type != TPM2_ST_ATTEST_QUOTE ||
	    !bytes_equal(BYTES(parsed.extraData.buffer, parsed.extraData.size), nonce) ||
	    !same_selection(&info->pcrSelect, selection))
		return assay_fail(err, EPROTO,
				  "the TPM at %s answered with another quote than was asked for",
				  tpm->name);
	if (!hash_values(hash, pcrs, &values))
		return assay_fail(err, ENOMEM, "cannot quote: out of memory");
	*ret_fits = bytes_equal(BYTES(info->pcrDigest.buffer, info->pcrDigest.size),
				BYTES(values.bytes, values.size));
	return 0;
}

static int keep_quote(const struct tpm_key *key, enum assay_hash hash, struct bytes attest,
		      const TPMT_SIGNATURE *signature, const struct tpm_pcrs *pcrs,
		      struct tpm_quote *ret, struct assay_error *err)
{
	uint8_t marshalled[sizeof(TPMT_SIGNATURE)];
	struct tpm_quote quote = { .pcrs = *pcrs };
	struct buffer unused = { 0 };
	struct assay_digest digest;
	size_t size = 0;
	TSS2_RC rc;
	int r;

	r = digest_bytes(hash, attest, &digest, err);
	if (r < 0)
		return assay_fail_context(err, "cannot quote");
	r = tpm_key_check_signature(key, signature, &digest, &unused, err);
	buffer_free(&unused);
	if (r < 0)
		return r;
	rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, marshalled, sizeof(marshalled), &size);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(key->tpm, err, rc, "cannot keep the quote's signature");
	buffer_append_bytes(&quote.attest, attest);
	buffer_append(&quote.signature, marshalled, size);
	if (quote.attest.failed || quote.signature.failed) {
		tpm_quote_free(&quote);
		return assay_fail(err, ENOMEM, "cannot quote: out of memory");
	}
	*ret = quote;
	return 0;
}

int tpm_quote(struct tpm *tpm, const struct tpm_key *key, struct bytes nonce,
	      const struct tpm_pcrs *pcrs, struct tpm_quote *ret, struct assay_error *err)
{
	const TPMT_SIG_SCHEME keys_own = { .scheme = TPM2_ALG_NULL };
	struct tpm_pcrs values = *pcrs;
	TPML_PCR_SELECTION selection;
	TPM2B_DATA qualifying = { 0 };
	enum assay_hash hash;
	int r = check_request(key, nonce, pcrs, err);

	if (r < 0)
		return r;
	hash = (enum assay_hash)tpm_key_scheme_hash(key);
	if (assay_hash_size(hash) == 0)
		return assay_fail(err, EOPNOTSUPP, "%s signs with a hash that assay does not know",
				  key->what);
	tpm_pcr_selection(pcrs, NULL, &selection);
	qualifying.size = (UINT16)nonce.size;
	memcpy(qualifying.buffer, nonce.data, nonce.size);
	for (int i = 0; i < TRIES; i++) {
		TPMT_SIGNATURE *signature = NULL;
		TPM2B_ATTEST *quoted = NULL;
		struct bytes attest;
		bool fits = false;
		TSS2_RC rc;

		r = tpm_pcr_read(tpm, &values, NULL, err);
		if (r < 0)
			return r;
		rc = Esys_Quote(tpm->esys, key->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &qualifying, &keys_own, &selection, &quoted,
				&signature);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_fail(tpm, err, rc, "cannot quote with %s", key->what);
		attest = BYTES(quoted->attestationData, quoted->size);
		r = check_attest(tpm, attest, hash, nonce, &selection, &values, &fits, err);
		if (r == 0 && fits)
			r = keep_quote(key, hash, attest, signature, &values, ret, err);
		Esys_Free(quoted);
		Esys_Free(signature);
		if (r < 0 || fits)
			return r;
	}
	return assay_fail(
		err, EAGAIN,
		"the PCRs changed during each of %d quotes: try again when the machine is "
		"less busy, or quote fewer PCRs",
		TRIES);
}

void tpm_quote_free(struct tpm_quote *quote)
{
	buffer_free(&quote->attest);
	buffer_free(&quote->signature);
	*quote = (struct tpm_quote){ 0 };
}
