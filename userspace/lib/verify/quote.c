// SPDX-License-Identifier: MIT
/* The checks of the key, the quote, and the PCR values beside it. */
#include <errno.h>
#include <stdio.h>

#include "base/digest.h"
#include "log/hasher.h"
#include "verify/appraisal.h"
#include "verify/ak_given.h"
#include "verify/kept_key.h"
#include "verity/verity.h"

/* Room for a name in hex. */
#define NAME_TEXT (2 * TPM_NAME_MAX + 1)

bool appraisal_accepts(const struct appraisal *appraisal, uint16_t algorithm)
{
	return (appraisal->policy->algorithms & verify_algorithm_bit(algorithm)) != 0;
}

static const char *algorithm_name(uint16_t algorithm)
{
	const char *name = tpm_alg_name(algorithm);

	return name ? name : "an algorithm that is not known";
}

/* ---------------------------------------------------------------- well-formed */

enum check_result check_evidence_parsed(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };

	if (appraisal->input->evidence_read) {
		appraisal->evidence = *appraisal->input->evidence_read;
		*appraisal->input->evidence_read = (struct evidence){ 0 };
	} else if (evidence_parse(appraisal->input->evidence, &appraisal->evidence, &err) < 0) {
		return check_tell(false, detail, "%s", err.text);
	}
	if (appraisal->evidence.boot_id[0] == '\0')
		return check_tell(true, detail, "%zu bytes; of which boot, nobody noted",
				  appraisal->input->evidence.size);
	return check_tell(true, detail, "%zu bytes, of boot %s", appraisal->input->evidence.size,
			  appraisal->evidence.boot_id);
}

enum check_result check_quote_parsed(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	struct assay_error err = { 0 };

	if (tpm_attest_parse(buffer_bytes(&evidence->attest), &appraisal->attest, &err) < 0 ||
	    tpm_signature_parse(buffer_bytes(&evidence->signature), &appraisal->signature, &err) <
		    0)
		return check_tell(false, detail, "%s", err.text);
	return check_tell(true, detail, "quote of %zu bytes, signature of %zu",
			  evidence->attest.size, evidence->signature.size);
}

/* ---------------------------------------------------------------- the key */

static int key_name_text(const struct tpm_public *key, char text[static NAME_TEXT],
			 struct assay_error *err)
{
	struct tpm_name name;
	int r = tpm_key_name(key, &name, err);

	if (r == 0)
		hex_encode(BYTES(name.bytes, name.size), text);
	return r;
}

/*
 * What the numbers of the key are to be where only these are known: by the caller's word, or by a
 * certificate. NULL where it is enrolled with all that it is.
 */
static const struct assay_digest *expected_numbers(const struct appraisal *appraisal)
{
	const struct verify_input *input = appraisal->input;

	if (input->ak_public.size > 0 || (input->ak_key.size == 0 && !input->ak_trust))
		return NULL;
	return input->ak_key.size > 0 ? &input->ak_key : &appraisal->certified_key;
}

/*
 * Where only the numbers of the key are known, the rest of its public area is the evidence's
 * word: enough for its signature, not for what it may sign.
 */
static bool is_expected_by_numbers(struct appraisal *appraisal, const struct tpm_public *claimed,
				   const char *claimed_name, char *detail)
{
	const struct assay_digest *expected = expected_numbers(appraisal);
	struct assay_error err = { 0 };
	struct assay_digest found;
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT];

	if (tpm_public_key_digest(claimed, &found, &err) < 0)
		return check_tell(false, detail, "the evidence's key cannot be used: %s", err.text);
	check_digest_text(&found, found_text);
	check_digest_text(expected, expected_text);
	if (!verity_digest_equal(&found, expected))
		return check_tell(false, detail,
				  "the evidence is of the key with digest %s; expected is %s",
				  found_text, expected_text);
	appraisal->ak = *claimed;
	return check_tell(true, detail, "key %s; its name, by the evidence, is %s", found_text,
			  claimed_name);
}

/*
 * What only a public area says of a key that is known by its numbers on both sides: of the name's
 * hash and of the scheme, what the quote has. A restricted key, as which it is vouched for or else
 * refused, signs by its own scheme only; whether the policy takes that one is checked as ever.
 */
static void take_from_quote(const struct appraisal *appraisal, struct tpm_public *ak)
{
	struct bytes signer = appraisal->attest.qualified_signer;

	ak->scheme = appraisal->signature.algorithm;
	ak->scheme_hash = appraisal->signature.hash;
	(void)bytes_take_be16(&signer, &ak->name_hash);
}

/* Evidence of others may have no more of the key than its numbers. */
static enum check_result is_expected_of_numbers(struct appraisal *appraisal, char *detail)
{
	const struct assay_digest *numbers = expected_numbers(appraisal);
	struct ak_given *claimed = &appraisal->ak_claimed;
	struct assay_error err = { 0 };
	struct assay_digest expected = numbers ? *numbers : (struct assay_digest){ 0 };
	char found_text[DIGEST_TEXT], expected_text[DIGEST_TEXT];

	if (ak_given_read(buffer_bytes(&appraisal->evidence.ak_key), claimed, &err) < 0)
		return check_tell(false, detail, "the evidence's key cannot be used: %s", err.text);
	if (claimed->form != AK_GIVEN_DER)
		return check_tell(false, detail,
				  "the evidence's key is not DER of a SubjectPublicKeyInfo");
	if (!numbers && (tpm_public_parse(appraisal->input->ak_public, &appraisal->ak, &err) < 0 ||
			 tpm_public_key_digest(&appraisal->ak, &expected, &err) < 0))
		return check_tell(false, detail, "the enrolled key cannot be used: %s", err.text);
	check_digest_text(&claimed->key, found_text);
	check_digest_text(&expected, expected_text);
	if (!verity_digest_equal(&claimed->key, &expected))
		return check_tell(false, detail,
				  "the evidence is of the key with digest %s; expected is %s",
				  found_text, expected_text);
	if (!numbers)
		return check_tell(true, detail,
				  "key %s; the evidence has it without its attributes, which are "
				  "the enrolled key's",
				  found_text);
	appraisal->ak = claimed->public;
	take_from_quote(appraisal, &appraisal->ak);
	return check_tell(true, detail, "key %s; nobody says its name", found_text);
}

/* By the caller; or by the policy, of all keys that its authorities certify. */
static bool is_vouched(const struct appraisal *appraisal)
{
	return appraisal->input->ak_vouched ||
	       (appraisal->policy->ak_vouched && appraisal->certified_key.size > 0);
}

#define NO_CERTIFICATE "no certificate that is believed says which key it is"

static int enrolled_key(const struct verify_input *input, struct tpm_public *ret,
			char name[static NAME_TEXT], struct assay_error *err)
{
	int r;

	if (!input->ak_kept) {
		r = tpm_public_parse(input->ak_public, ret, err);
		return r < 0 ? r : key_name_text(ret, name, err);
	}
	*ret = *kept_key_public(input->ak_kept);
	hex_encode(BYTES(kept_key_name(input->ak_kept)->bytes, kept_key_name(input->ak_kept)->size),
		   name);
	return 0;
}

enum check_result check_ak_expected(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };
	struct tpm_public claimed;
	char expected[NAME_TEXT], found[NAME_TEXT];

	if (appraisal->evidence.ak_key.size > 0)
		return expected_numbers(appraisal) && expected_numbers(appraisal)->size == 0 ?
			       check_skip(detail, NO_CERTIFICATE) :
			       is_expected_of_numbers(appraisal, detail);
	if (tpm_public_parse(buffer_bytes(&appraisal->evidence.ak_public), &claimed, &err) < 0 ||
	    key_name_text(&claimed, found, &err) < 0)
		return check_tell(false, detail, "the evidence's key cannot be used: %s", err.text);
	if (expected_numbers(appraisal) && expected_numbers(appraisal)->size == 0)
		return check_skip(detail, NO_CERTIFICATE);
	if (expected_numbers(appraisal))
		return is_expected_by_numbers(appraisal, &claimed, found, detail);
	if (enrolled_key(appraisal->input, &appraisal->ak, expected, &err) < 0)
		return check_tell(false, detail, "the enrolled key cannot be used: %s", err.text);
	/* The name is a digest of the area: equal areas, equal names. */
	if (!bytes_equal(claimed.area, appraisal->ak.area))
		return check_tell(false, detail,
				  "the evidence is of the key named %s; enrolled is %s", found,
				  expected);
	return check_tell(true, detail, "name %s", expected);
}

enum check_result check_ak_attributes(struct appraisal *appraisal, char *detail)
{
	static const struct {
		uint32_t bit;
		bool set;
		const char *why;
	} rules[] = {
		{ TPMA_OBJECT_RESTRICTED, true,
		  "is not restricted: it would sign a forged quote as well" },
		{ TPMA_OBJECT_SIGN, true, "is not a signing key" },
		{ TPMA_OBJECT_FIXED_TPM, true, "is not fixedTPM: it may be in other TPMs too" },
		{ TPMA_OBJECT_FIXED_PARENT, true,
		  "is not fixedParent: it may be below other parents too" },
		{ TPMA_OBJECT_SENSITIVE_DATA_ORIGIN, true,
		  "is not of sensitiveDataOrigin: somebody brought it into the TPM" },
		{ TPMA_OBJECT_DECRYPT, false, "may decrypt: an attestation key signs only" },
	};
	uint32_t attributes = appraisal->ak.attributes;
	bool by_numbers = expected_numbers(appraisal) != NULL;
	bool certified = by_numbers && appraisal->certified_restricted;
	bool vouched = is_vouched(appraisal);

	if (by_numbers && appraisal->evidence.ak_key.size > 0)
		return check_tell(certified || vouched, detail,
				  "%s: whether the key is restricted, fixedTPM, fixedParent, of "
				  "sensitiveDataOrigin, signs and does not decrypt, neither the "
				  "evidence says nor the key that was given",
				  certified ? "by the word of the key's certificate" :
				  vouched   ? "by the word of who vouches for the key" :
					      "cannot be known");
	if (by_numbers && !certified && !vouched)
		return check_tell(
			false, detail,
			"the key was given without its attributes: whether it is "
			"restricted, fixedTPM, fixedParent, of sensitiveDataOrigin, signs "
			"and does not decrypt cannot be known (the evidence says 0x%x, "
			"which anybody can write)",
			attributes);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (((attributes & rules[i].bit) != 0) != rules[i].set)
			return check_tell(false, detail, "the key (attributes 0x%x) %s", attributes,
					  rules[i].why);
	return check_tell(
		true, detail, "restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin%s",
		certified  ? ", by the word of the evidence and of the key's certificate" :
		by_numbers ? ", by the word of the evidence and of who vouches for the key" :
			     "");
}

static bool check_rsa(const struct appraisal *appraisal, char *detail)
{
	const struct tpm_public *ak = &appraisal->ak;

	if (ak->key_bits < appraisal->policy->rsa_bits)
		return check_tell(false, detail, "an RSA key of %u bits; %u is the least",
				  ak->key_bits, appraisal->policy->rsa_bits);
	if (ak->modulus.size * 8 != ak->key_bits || !(ak->modulus.data[0] & 0x80))
		return check_tell(false, detail,
				  "the RSA key says %u bits, but its modulus has another size",
				  ak->key_bits);
	if (ak->exponent != 0 && (ak->exponent < 65537 || ak->exponent % 2 == 0))
		return check_tell(
			false, detail,
			"the RSA key's exponent is %u; odd ones from 65537 on are accepted",
			ak->exponent);
	if (ak->scheme != TPM_ALG_RSASSA && ak->scheme != TPM_ALG_RSAPSS)
		return check_tell(false, detail,
				  "the scheme of the RSA key is %s, not RSASSA or "
				  "RSAPSS",
				  algorithm_name(ak->scheme));
	return true;
}

static bool check_ecc(const struct appraisal *appraisal, char *detail)
{
	const struct tpm_public *ak = &appraisal->ak;
	uint32_t curve = ak->curve == TPM_ECC_NIST_P256 ? VERIFY_P256 :
			 ak->curve == TPM_ECC_NIST_P384 ? VERIFY_P384 :
							  0;

	if (!(appraisal->policy->algorithms & curve))
		return check_tell(
			false, detail,
			"the key's curve is 0x%04x; P-256 (0x0003) and P-384 (0x0004) can "
			"be accepted",
			ak->curve);
	if (ak->scheme != TPM_ALG_ECDSA)
		return check_tell(false, detail, "the scheme of the ECC key is %s, not ECDSA",
				  algorithm_name(ak->scheme));
	return true;
}

enum check_result check_ak_algorithm(struct appraisal *appraisal, char *detail)
{
	const struct tpm_public *ak = &appraisal->ak;

	if (!(ak->type == TPM_ALG_RSA ? check_rsa(appraisal, detail) :
					check_ecc(appraisal, detail)))
		return false;
	if (!appraisal_accepts(appraisal, ak->scheme))
		return check_tell(false, detail, "the policy does not accept %s",
				  algorithm_name(ak->scheme));
	if (!appraisal_accepts(appraisal, ak->scheme_hash))
		return check_tell(false, detail, "the key signs %s digests, which are not accepted",
				  algorithm_name(ak->scheme_hash));
	if (!appraisal_accepts(appraisal, ak->name_hash))
		return check_tell(false, detail, "the key is named by %s, which is not accepted",
				  algorithm_name(ak->name_hash));
	if (ak->type == TPM_ALG_RSA)
		return check_tell(true, detail, "RSA of %u bits, %s with %s", ak->key_bits,
				  algorithm_name(ak->scheme), algorithm_name(ak->scheme_hash));
	return check_tell(true, detail, "ECDSA %s with %s",
			  ak->curve == TPM_ECC_NIST_P256 ? "P-256" : "P-384",
			  algorithm_name(ak->scheme_hash));
}

/* ---------------------------------------------------------------- the quote */

enum check_result check_quote_algorithm(struct appraisal *appraisal, char *detail)
{
	const struct tpm_signature *signature = &appraisal->signature;
	const struct tpm_public *ak = &appraisal->ak;

	if (signature->algorithm != ak->scheme)
		return check_tell(false, detail, "signed with %s (0x%04x); the key's scheme is %s",
				  algorithm_name(signature->algorithm), signature->algorithm,
				  algorithm_name(ak->scheme));
	if (signature->hash != ak->scheme_hash)
		return check_tell(false, detail,
				  "the signed digest is %s (0x%04x); the key's scheme has %s",
				  algorithm_name(signature->hash), signature->hash,
				  algorithm_name(ak->scheme_hash));
	return check_tell(true, detail, "%s with %s", algorithm_name(signature->algorithm),
			  algorithm_name(signature->hash));
}

int appraisal_is_signed(const struct appraisal *appraisal, const struct tpm_signature *signature,
			struct bytes message, struct assay_error *err)
{
	const struct kept_key *kept = appraisal->input->ak_kept;
	struct assay_digest digest;
	int r;

	if (!kept)
		return tpm_key_verify(&appraisal->ak, signature, message, err);
	r = digest_bytes((enum assay_hash)signature->hash, message, &digest, err);
	return r < 0 ? r :
		       tpm_signature_verify(kept_key_openssl(kept), signature, &digest, NULL, err);
}

enum check_result check_quote_signature(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };

	if (appraisal_is_signed(appraisal, &appraisal->signature,
				buffer_bytes(&appraisal->evidence.attest), &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	return check_tell(true, detail, "the enrolled key's");
}

enum check_result check_quote_magic(struct appraisal *appraisal, char *detail)
{
	if (appraisal->attest.magic != TPM_GENERATED)
		return check_tell(false, detail,
				  "magic is 0x%08x, not 0x%08x: this was not made inside a TPM",
				  appraisal->attest.magic, TPM_GENERATED);
	return check_tell(true, detail, "0x%08x", TPM_GENERATED);
}

enum check_result check_quote_type(struct appraisal *appraisal, char *detail)
{
	uint16_t type = appraisal->attest.type;
	const char *name = tpm_attest_type_name(type);

	if (type != TPM_ST_ATTEST_QUOTE)
		return check_tell(false, detail, "the type is %s (0x%04x), not QUOTE (0x%04x)",
				  name ? name : "not known", type, TPM_ST_ATTEST_QUOTE);
	return check_tell(true, detail, "QUOTE");
}

enum check_result check_quote_nonce(struct appraisal *appraisal, char *detail)
{
	struct bytes expected = appraisal->input->nonce;
	const bool session = appraisal->evidence.has_session;
	struct bytes found =
		session ? buffer_bytes(&appraisal->session_nonce) : appraisal->attest.extra_data;
	char found_text[NAME_TEXT], expected_text[NAME_TEXT];

	if (expected.size == 0 && appraisal->policy->no_nonce)
		return check_tell(
			true, detail, "the policy takes quotes that answer none (nonce_bytes): %s",
			appraisal->input->state ?
				"it is quote-counters that tells an old one" :
				"without a state of the device, nothing tells an old one");
	if (expected.size == 0 || expected.size < appraisal->policy->nonce_size ||
	    expected.size > TPM_NAME_MAX)
		return check_tell(false, detail,
				  "the verifier's nonce has %zu bytes; at least %zu and at most %d "
				  "are accepted",
				  expected.size, appraisal->policy->nonce_size, EVIDENCE_MAX_NONCE);
	if (session && !(appraisal->verdict->passed & CHECK_BIT(CHECK_QUOTE_SESSION)))
		return check_tell(false, detail,
				  "the session that is to answer it was not found good "
				  "(quote-session)");
	hex_encode(found, found_text);
	hex_encode(expected, expected_text);
	if (!bytes_equal_constant_time(found, expected))
		return check_tell(false, detail,
				  "the %s answers the nonce %s, not %s: it is an old one, or was "
				  "made for somebody else",
				  session ? "session" : "quote", found.size ? found_text : "(none)",
				  expected_text);
	return check_tell(true, detail, "%s%s", expected_text,
			  session ? ", which the session answers" : "");
}

enum check_result check_quote_signer(struct appraisal *appraisal, char *detail)
{
	struct bytes found = appraisal->attest.qualified_signer;
	struct bytes expected = appraisal->input->ak_qualified_name;
	uint16_t hash = appraisal->ak.name_hash;
	char found_text[NAME_TEXT], expected_text[NAME_TEXT];

	hex_encode(found, found_text);
	if (found.size != 2 + assay_hash_size(hash) || found.data[0] != hash >> 8 ||
	    found.data[1] != (hash & 0xff))
		return check_tell(false, detail,
				  "qualifiedSigner is %s, which is not a %s name as this key's is",
				  found.size ? found_text : "empty", algorithm_name(hash));
	if (expected.size == 0)
		return check_tell(true, detail,
				  "a %s name; the qualified name was not noted at enrolment",
				  algorithm_name(hash));
	if (expected.size > TPM_NAME_MAX)
		return check_tell(
			false, detail,
			"the enrolled qualified name has %zu bytes; names have at most %d",
			expected.size, TPM_NAME_MAX);
	hex_encode(expected, expected_text);
	if (!bytes_equal(found, expected))
		return check_tell(false, detail, "qualifiedSigner is %s; enrolled is %s",
				  found_text, expected_text);
	return check_tell(true, detail, "%s", found_text);
}

/* ---------------------------------------------------------------- the PCRs */

/* The selection of the values that are supplied for a bank. */
static uint32_t supplied_mask(const struct evidence *evidence, enum assay_hash bank)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < evidence->pcr_count; i++)
		if (evidence->pcrs[i].value.hash == bank)
			mask |= 1U << evidence->pcrs[i].index;
	return mask;
}

static uint32_t selected_mask(const struct tpm_attest *attest, enum assay_hash bank)
{
	for (size_t i = 0; i < attest->selection_count; i++)
		if (attest->selections[i].bank == bank)
			return attest->selections[i].mask;
	return 0;
}

enum check_result check_pcr_selection(struct appraisal *appraisal, char *detail)
{
	const struct tpm_attest *attest = &appraisal->attest;
	const struct evidence *evidence = &appraisal->evidence;

	for (size_t i = 0; i < attest->selection_count; i++) {
		const struct tpm_pcr_selection *selection = &attest->selections[i];
		uint32_t supplied = supplied_mask(evidence, selection->bank);
		char signed_text[PCRS_TEXT], supplied_text[PCRS_TEXT];

		for (size_t j = 0; j < i; j++)
			if (attest->selections[j].bank == selection->bank)
				return check_tell(false, detail, "the quote selects bank %s twice",
						  assay_hash_name(selection->bank));
		if (selection->mask != supplied)
			return check_tell(
				false, detail,
				"of bank %s the quote covers PCRs {%s}; supplied are {%s}",
				assay_hash_name(selection->bank),
				check_pcrs_text(selection->mask, ",", signed_text),
				check_pcrs_text(supplied, ",", supplied_text));
	}
	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];

		if (!(selected_mask(attest, pcr->value.hash) & 1U << pcr->index))
			return check_tell(false, detail,
					  "PCR %u of bank %s is supplied, and the quote does not "
					  "cover it",
					  pcr->index, assay_hash_name(pcr->value.hash));
	}
	return check_tell(true, detail, "%zu values, those that the quote covers",
			  evidence->pcr_count);
}

/* Whether that log is there although it need not be. */
static bool is_extra(const struct appraisal *appraisal, enum verify_log log)
{
	return appraisal->judged[log] && appraisal->policy->logs[log] == PRESENCE_OPTIONAL;
}

/* The policy's, and those that anchor a log which is there although it need not be. */
static uint32_t required_pcrs(const struct appraisal *appraisal)
{
	const struct verify_policy *policy = appraisal->policy;
	uint32_t required = policy->pcrs;

	if (is_extra(appraisal, VERIFY_LOG_ASSAY))
		required |= 1U << policy->assay_pcr;
	if (is_extra(appraisal, VERIFY_LOG_IMA) &&
	    policy->required & CHECK_BIT(CHECK_IMA_LOG_REPLAY))
		required |= 1U << policy->ima_pcr;
	return required;
}

enum check_result check_pcr_required(struct appraisal *appraisal, char *detail)
{
	const struct tpm_attest *attest = &appraisal->attest;
	uint32_t required = required_pcrs(appraisal);
	char text[PCRS_TEXT];

	check_pcrs_named(required, text);
	if (required == 0 && appraisal->judged[VERIFY_LOG_ASSAY])
		return check_tell(false, detail, "the policy requires no PCR");
	for (size_t i = 0; i < attest->selection_count; i++) {
		const struct tpm_pcr_selection *selection = &attest->selections[i];

		if (!appraisal_accepts(appraisal, selection->bank) || selection->mask == 0 ||
		    (selection->mask & required) != required)
			continue;
		appraisal->bank = selection->bank;
		if (required == 0)
			return check_tell(true, detail, "the policy names none; bank %s",
					  assay_hash_name(selection->bank));
		return check_tell(true, detail, "%s of bank %s", text,
				  assay_hash_name(selection->bank));
	}
	return check_tell(false, detail, "no bank of an accepted hash has %s%s in the quote",
			  required & (required - 1) ? "all of the " : "", text);
}

enum check_result check_pcr_digest(struct appraisal *appraisal, char *detail)
{
	struct assay_error err = { 0 };

	if (quoted_pcrs_new(&appraisal->evidence, &appraisal->attest, appraisal->signature.hash,
			    &appraisal->quoted, &err) < 0)
		return check_tell(false, detail, "%s%s", err.text,
				  appraisal->evidence.has_session ?
					  ": they are what the report's event log comes to, so it "
					  "was changed, or something was extended that is not in "
					  "it" :
					  "");
	appraisal->content.quoted = appraisal->quoted;
	return check_tell(true, detail, "%s of the values is the quoted one",
			  assay_hash_name(appraisal->signature.hash));
}

/* Whether a PCR is one of what the policy takes; says what it is, if not. */
static bool pcr_expected(const struct appraisal *appraisal, const struct policy_pcr *expected,
			 char *detail)
{
	const struct assay_digest *value =
		quoted_pcr(appraisal->quoted, expected->bank, expected->index);
	char found_text[2 * ASSAY_DIGEST_MAX + 1], expected_text[2 * ASSAY_DIGEST_MAX + 1];
	const struct assay_digest *first = expected->values;

	if (!value)
		return check_tell(false, detail,
				  "%s PCR %u is not quoted, and the policy expects a value of it: "
				  "have the device quote it ('assay quote --pcrs')",
				  assay_hash_name(expected->bank), expected->index);
	for (size_t i = 0; i < expected->count; i++)
		if (bytes_equal(BYTES(value->bytes, value->size),
				BYTES(expected->values[i].bytes, expected->values[i].size)))
			return true;
	hex_encode(BYTES(value->bytes, value->size), found_text);
	hex_encode(BYTES(first->bytes, first->size), expected_text);
	return check_tell(false, detail, "%s PCR %u is %s%s; the policy takes %s%s",
			  assay_hash_name(expected->bank), expected->index, found_text,
			  bytes_are_zero(BYTES(value->bytes, value->size)) ?
				  " (nothing was measured into it: is it the TPM that the firmware "
				  "measures into?)" :
				  "",
			  expected_text, expected->count > 1 ? " and others" : "");
}

enum check_result check_pcr_values(struct appraisal *appraisal, char *detail)
{
	const struct verify_policy *policy = appraisal->policy;

	if (policy->pcr_value_count == 0)
		return check_skip(detail, "the policy expects no values");
	for (size_t i = 0; i < policy->pcr_value_count; i++)
		if (!pcr_expected(appraisal, &policy->pcr_values[i], detail))
			return false;
	return check_tell(true, detail, "%zu PCRs as expected", policy->pcr_value_count);
}

/*
 * What makes the boot known up to the kernel: PCR 0, the firmware that measures all else, and
 * either PCR 4, what it started, or PCR 7, by whose keys it starts anything (TCG PC Client
 * Platform Firmware Profile 1.06, 3.3.4).
 */
static bool is_known(const struct appraisal *appraisal, enum assay_hash bank, unsigned int index)
{
	const struct verify_policy *policy = appraisal->policy;
	const struct assay_digest *value = quoted_pcr(appraisal->quoted, bank, index);

	if (!value || bytes_are_zero(BYTES(value->bytes, value->size)))
		return false;
	for (size_t i = 0; i < policy->pcr_value_count; i++)
		if (policy->pcr_values[i].bank == bank && policy->pcr_values[i].index == index)
			return true;
	return false;
}

/* How the policy knows what was measured into a PCR of the boot. */
enum known {
	KNOWN_NOT,
	KNOWN_BY_VALUE, /* of the PCR */
	KNOWN_BY_RULES, /* on all events of it in the firmware's log, which is proven */
};

#define RULES_OF_PCR_7                                                            \
	(CHECK_BIT(CHECK_FIRMWARE_SECURE_BOOT) | CHECK_BIT(CHECK_FIRMWARE_KEYS) | \
	 CHECK_BIT(CHECK_FIRMWARE_DBX) | CHECK_BIT(CHECK_FIRMWARE_AUTHORITIES))

/* @named: the policy names a value of that PCR that is quoted, the right one or not */
static enum known how_known(const struct appraisal *appraisal, unsigned int index, bool *named)
{
	const struct tpm_attest *attest = &appraisal->attest;
	check_mask passed = appraisal->verdict->passed;
	uint64_t rules = index == 0 ? CHECK_BIT(CHECK_FIRMWARE_PLATFORM) :
			 index == 4 ? CHECK_BIT(CHECK_FIRMWARE_PROGRAMS) :
				      RULES_OF_PCR_7;
	bool value = false;

	for (size_t i = 0; i < attest->selection_count; i++) {
		enum assay_hash bank = attest->selections[i].bank;

		value |= appraisal_accepts(appraisal, bank) && is_known(appraisal, bank, index);
	}
	*named |= value;
	/* That the values are those of the policy, pcr-values has found. */
	if (value && passed & CHECK_BIT(CHECK_PCR_VALUES))
		return KNOWN_BY_VALUE;
	return (passed & rules) == rules ? KNOWN_BY_RULES : KNOWN_NOT;
}

enum check_result check_boot_known(struct appraisal *appraisal, char *detail)
{
	static const char *const by[] = { "", "its value", "rules on its events" };
	bool named_0 = false, named_4_7 = false;
	enum known firmware = how_known(appraisal, 0, &named_0);
	enum known programs = how_known(appraisal, 4, &named_4_7);
	enum known keys = how_known(appraisal, 7, &named_4_7);

	if (firmware != KNOWN_NOT && (programs != KNOWN_NOT || keys != KNOWN_NOT))
		return check_tell(true, detail, "PCR 0 by %s%s%s%s%s", by[firmware],
				  programs ? ", PCR 4 by " : "", by[programs],
				  keys ? ", PCR 7 by " : "", by[keys]);
	if ((named_0 || firmware != KNOWN_NOT) &&
	    (named_4_7 || programs != KNOWN_NOT || keys != KNOWN_NOT))
		return check_tell(false, detail,
				  "PCRs that the policy has values of are others, or not quoted "
				  "(pcr-values)");
	return check_skip(detail,
			  "the policy names no quoted values of PCRs 0 and 4, or 0 and 7, and has "
			  "no rules on the firmware's log that know them: any kernel may have "
			  "extended the logs' PCRs");
}
