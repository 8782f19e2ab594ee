// SPDX-License-Identifier: MIT
/*
 * Quotes that must be refused, and which check must do it. The Q numbers are those
 * of the design's list of bad input.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "verify/key.h"
#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

static void set_bytes(struct buffer *out, struct bytes bytes)
{
	out->size = 0;
	buffer_append_bytes(out, bytes);
	assert_false(out->failed);
}

/* ---------------------------------------------------------------- Q1, Q2: what was signed */

CHANGE(magic_off_by_one)
{
	f->quote.magic = 0xff544348;
}
CHANGE(magic_zero)
{
	f->quote.magic = 0;
}
CHANGE(type_nv)
{
	f->quote.type = TPM_ST_ATTEST_NV;
}
CHANGE(type_certify)
{
	f->quote.type = TPM_ST_ATTEST_CERTIFY;
}
CHANGE(type_time)
{
	f->quote.type = TPM_ST_ATTEST_TIME;
}
CHANGE(type_creation)
{
	f->quote.type = TPM_ST_ATTEST_CREATION;
}
CHANGE(type_unknown)
{
	f->quote.type = 0x8099;
}

/* ---------------------------------------------------------------- Q3 to Q9: PCRs */

static void move_pcr(struct fixture *f, unsigned int from, unsigned int to)
{
	for (size_t i = 0; i < f->evidence.pcr_count; i++)
		if (f->evidence.pcrs[i].index == from)
			f->evidence.pcrs[i].index = to;
}
CHANGE(supplied_other_index)
{
	move_pcr(f, 14, 15);
}
CHANGE(supplied_over_23)
{
	move_pcr(f, 14, 24);
}
CHANGE(supplied_one_less)
{
	f->evidence.pcr_count--;
}
CHANGE(supplied_other_bank)
{
	for (size_t i = 0; i < f->evidence.pcr_count; i++)
		if (f->evidence.pcrs[i].value.hash == ASSAY_HASH_SHA1) {
			f->evidence.pcrs[i].value.hash = ASSAY_HASH_SHA384;
			f->evidence.pcrs[i].value.size = 48;
		}
}
/* The values as quoted, said to be of one another's PCRs. */
CHANGE(supplied_swapped)
{
	move_pcr(f, 10, 0);
	move_pcr(f, 14, 10);
	move_pcr(f, 0, 14);
	for (size_t i = 0; i < f->evidence.pcr_count; i++)
		if (f->evidence.pcrs[i].value.hash == ASSAY_HASH_SHA1)
			f->evidence.pcrs[i].index = 14;
}
CHANGE(supplied_value_changed)
{
	for (size_t i = 0; i < f->evidence.pcr_count; i++)
		if (f->evidence.pcrs[i].value.hash == ASSAY_HASH_SHA1)
			f->evidence.pcrs[i].value.bytes[0] ^= 1;
}
CHANGE(supplied_one_more)
{
	struct assay_digest zeros = { .hash = ASSAY_HASH_SHA256, .size = 32 };

	assert_int_equal(evidence_add_pcr(&f->evidence, 15, &zeros, NULL), 0);
}
CHANGE(supplied_one_more_bank)
{
	struct assay_digest zeros = { .hash = ASSAY_HASH_SHA384, .size = 48 };

	assert_int_equal(evidence_add_pcr(&f->evidence, 14, &zeros, NULL), 0);
}
CHANGE(without_14)
{
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 10);
}
CHANGE(without_10)
{
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 14);
}
/* Both are there, in a bank whose hash is not accepted. */
CHANGE(only_sha1)
{
	f->quote.selections[0] = fixture_select(ASSAY_HASH_SHA1, 1U << 10 | 1U << 14);
	f->quote.selection_count = f->quote.selections_written = 1;
}
/* Both are there, but no bank has both. */
CHANGE(over_two_banks)
{
	f->quote.selections[0] = fixture_select(ASSAY_HASH_SHA384, 1U << 10);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 14);
}
CHANGE(no_policy_pcrs)
{
	f->policy.pcrs = 0;
}
CHANGE(no_selection)
{
	f->quote.selection_count = f->quote.selections_written = 0;
	f->quote.pcr_digest_size = 0;
}
CHANGE(empty_masks)
{
	f->quote.selections[0] = fixture_select(ASSAY_HASH_SHA1, 0);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 0);
}
CHANGE(bank_twice)
{
	f->quote.selections[0] = f->quote.selections[1];
}
CHANGE(bank_in_two_halves)
{
	f->quote.selections[0] = fixture_select(ASSAY_HASH_SHA256, 1U << 10);
	f->quote.selections[1] = fixture_select(ASSAY_HASH_SHA256, 1U << 14);
}
CHANGE(select_size_0)
{
	f->quote.selections[0].size = 0;
}
CHANGE(select_size_4)
{
	f->quote.selections[1].size = 4;
}
CHANGE(select_size_255)
{
	f->quote.selections[1].size = 255;
}
CHANGE(select_unknown_bank)
{
	f->quote.selections[0].bank = TPM_ALG_SM3_256;
}
CHANGE(selections_over_limit)
{
	for (size_t i = 0; i < FIXTURE_MAX_SELECTIONS; i++)
		f->quote.selections[i] = f->quote.selections[1];
	f->quote.selection_count = f->quote.selections_written = TPM_MAX_SELECTIONS + 1;
}
CHANGE(selection_count_huge)
{
	f->quote.selection_count = 0xffffffff;
}
CHANGE(selection_count_short)
{
	f->quote.selection_count = 1;
}
CHANGE(digest_empty)
{
	f->quote.pcr_digest_size = 0;
}
CHANGE(digest_short)
{
	f->quote.pcr_digest_size = 31;
}
CHANGE(digest_long)
{
	f->quote.pcr_digest_size = 33;
}
CHANGE(digest_sha1_size)
{
	f->quote.pcr_digest_size = 20;
}
CHANGE(digest_over_limit)
{
	f->quote.pcr_digest_size = 65;
}

/* ---------------------------------------------------------------- Q10, Q11: the nonce */

CHANGE(nonce_missing)
{
	set_bytes(&f->quote.nonce, BYTES(NULL, 0));
}
CHANGE(nonce_prefix)
{
	f->quote.nonce.size--;
}
CHANGE(nonce_longer)
{
	buffer_append_u8(&f->quote.nonce, 0);
}
CHANGE(nonce_one_byte)
{
	f->quote.nonce.size = 1;
}
CHANGE(nonce_encoded)
{
	char text[65];

	hex_encode(buffer_bytes(&f->nonce), text);
	set_bytes(&f->quote.nonce, BYTES((uint8_t *)text, strlen(text)));
}
CHANGE(nonce_old)
{
	set_bytes(&f->quote.nonce, BYTES_LITERAL("yesterday's nonce"));
}
CHANGE(nonce_over_limit)
{
	uint8_t many[TPM_NAME_MAX + 1] = { 0 };

	set_bytes(&f->quote.nonce, BYTES(many, sizeof(many)));
}
CHANGE(verifier_without_nonce)
{
	f->input.nonce = BYTES(NULL, 0);
}
CHANGE(verifier_short_nonce)
{
	f->input.nonce.size = 15;
}
/* Both sides empty is no agreement. */
CHANGE(empty_nonces)
{
	f->nonce.size = 0;
	f->policy.nonce_size = 0;
	set_bytes(&f->quote.nonce, BYTES(NULL, 0));
}

/* What others collect has no nonce, and then there is none to compare. */
CHANGE(no_nonce_asked)
{
	f->policy.no_nonce = true;
	f->policy.nonce_size = 0;
	f->nonce.size = 0;
	set_bytes(&f->quote.nonce, BYTES(NULL, 0));
}
/* Whoever sends one all the same wants it answered. */
CHANGE(no_nonce_asked_and_sent)
{
	f->policy.no_nonce = true;
	set_bytes(&f->quote.nonce, BYTES(NULL, 0));
}

CHANGE(nonce_expired)
{
	f->input.now++;
	f->policy.required |= FAILS(QUOTE_AGE);
}
CHANGE(nonce_expired_shown)
{
	f->input.now++;
}
CHANGE(nonce_from_the_future)
{
	f->input.nonce_issued = f->input.now + 1;
	f->policy.required |= FAILS(QUOTE_AGE);
}
/* Nobody knows when the nonce was sent: the evidence's own word. */
CHANGE(evidence_old)
{
	f->input.nonce_issued = 0;
	f->input.now += 71;
	f->policy.required |= FAILS(QUOTE_AGE);
}
CHANGE(evidence_from_the_future)
{
	f->input.nonce_issued = 0;
	f->input.now = f->evidence.collected - 61;
	f->policy.required |= FAILS(QUOTE_AGE);
}
CHANGE(evidence_a_bit_ahead)
{
	f->input.nonce_issued = 0;
	f->input.now = f->evidence.collected - 60;
	f->policy.required |= FAILS(QUOTE_AGE);
}
CHANGE(age_required_and_not_set)
{
	f->policy.max_age = 0;
	f->policy.required |= FAILS(QUOTE_AGE);
}

/* ---------------------------------------------------------------- Q12 to Q15: algorithms */

CHANGE(signature_null)
{
	f->quote.signature_algorithm = TPM_ALG_NULL;
}
CHANGE(signature_hmac)
{
	f->quote.signature_algorithm = TPM_ALG_HMAC;
}
CHANGE(signature_ecdaa)
{
	f->quote.signature_algorithm = TPM_ALG_ECDAA;
}
CHANGE(signature_sha1)
{
	f->quote.signature_hash = f->quote.signed_hash = ASSAY_HASH_SHA1;
}
CHANGE(signature_null_hash)
{
	f->quote.signature_hash = TPM_ALG_NULL;
}
CHANGE(key_sha1)
{
	f->ak.scheme_hash = ASSAY_HASH_SHA1;
	f->quote.signature_hash = f->quote.signed_hash = ASSAY_HASH_SHA1;
}
CHANGE(key_named_by_sha1)
{
	f->ak.name_hash = ASSAY_HASH_SHA1;
}
CHANGE(key_named_by_nothing)
{
	f->ak.name_hash = TPM_ALG_NULL;
}
CHANGE(key_ecdaa)
{
	f->ak.scheme = TPM_ALG_ECDAA;
}
CHANGE(key_without_scheme)
{
	f->ak.scheme = TPM_ALG_NULL;
}
CHANGE(policy_without_ecdsa)
{
	f->policy.algorithms &= ~(uint32_t)VERIFY_ECDSA;
}
CHANGE(policy_without_p256)
{
	f->policy.algorithms &= ~(uint32_t)VERIFY_P256;
}
CHANGE(signature_rsassa_of_ecc)
{
	f->quote.signature_algorithm = TPM_ALG_RSASSA;
	f->quote.signer = KEY_RSA2048;
}
CHANGE(signature_ecdsa_of_rsa)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->quote.signature_algorithm = TPM_ALG_ECDSA;
	f->quote.signer = KEY_P256;
}
CHANGE(key_ecc_with_rsassa)
{
	f->ak.scheme = TPM_ALG_RSASSA;
}
CHANGE(key_rsa_with_ecdsa)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->ak.scheme = TPM_ALG_ECDSA;
}
/* Signed as PKCS#1 v1.5, by a key whose scheme is PSS. */
CHANGE(signature_rsassa_of_pss)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSAPSS, ASSAY_HASH_SHA256);
	f->quote.signature_algorithm = TPM_ALG_RSASSA;
	f->quote.pss = false;
}
/* The same, and said to be PSS. */
CHANGE(signature_not_pss)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSAPSS, ASSAY_HASH_SHA256);
	f->quote.pss = false;
}
CHANGE(signature_other_hash)
{
	f->quote.signature_hash = f->quote.signed_hash = ASSAY_HASH_SHA384;
}
CHANGE(signature_claims_other_hash)
{
	f->quote.signature_hash = ASSAY_HASH_SHA512;
}
CHANGE(rsa_1024)
{
	fixture_use_key(f, KEY_RSA1024, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
}
CHANGE(rsa_1024_as_2048)
{
	rsa_1024(f);
	f->ak.key_bits = 2048;
}
CHANGE(rsa_2048_as_4096)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->ak.key_bits = 4096;
}
CHANGE(rsa_leading_zero)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->ak.modulus.data[0] = 0;
}
CHANGE(rsa_no_modulus)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->ak.modulus.size = 0;
}
CHANGE(rsa_exponent_1)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->ak.exponent = 1;
}
CHANGE(rsa_exponent_3)
{
	fixture_use_key(f, KEY_RSA2048_E3, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
}
CHANGE(rsa_exponent_even)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
	f->ak.exponent = 65538;
}
CHANGE(curve_p521)
{
	fixture_use_key(f, KEY_P521, TPM_ALG_ECDSA, ASSAY_HASH_SHA256);
}
CHANGE(curve_bn)
{
	f->ak.curve = 0x0010; /* TPM_ECC_BN_P256 */
}
CHANGE(key_type_hmac)
{
	f->ak.type = 0x0008; /* TPM_ALG_KEYEDHASH */
}
CHANGE(point_off_curve)
{
	f->ak.y.data[0] ^= 1;
}
CHANGE(point_too_long)
{
	struct buffer longer = { 0 };

	buffer_append_u8(&longer, 0);
	buffer_append_bytes(&longer, buffer_bytes(&f->ak.x));
	buffer_free(&f->ak.x);
	f->ak.x = longer;
}
CHANGE(point_empty)
{
	f->ak.x.size = 0;
}

/* ---------------------------------------------------------------- Q16: attributes */

CHANGE(not_restricted)
{
	f->ak.attributes &= ~TPMA_OBJECT_RESTRICTED;
}
CHANGE(not_sign)
{
	f->ak.attributes &= ~TPMA_OBJECT_SIGN;
}
CHANGE(not_fixed_tpm)
{
	f->ak.attributes &= ~TPMA_OBJECT_FIXED_TPM;
}
CHANGE(not_fixed_parent)
{
	f->ak.attributes &= ~TPMA_OBJECT_FIXED_PARENT;
}
CHANGE(not_sensitive_data_origin)
{
	f->ak.attributes &= ~TPMA_OBJECT_SENSITIVE_DATA_ORIGIN;
}
CHANGE(decrypt)
{
	f->ak.attributes |= TPMA_OBJECT_DECRYPT;
}

/* ---------------------------------------------------------------- Q17, Q18, Q23: sizes */

CHANGE(attest_trailing)
{
	buffer_append_u8(&f->evidence.attest, 0);
}
CHANGE(signature_trailing)
{
	buffer_append_u8(&f->evidence.signature, 0);
}
CHANGE(public_trailing)
{
	buffer_append_u8(&f->evidence.ak_public, 0);
}
/* Inside the TPM2B, behind the TPMT_PUBLIC. */
CHANGE(public_area_trailing)
{
	buffer_append_u8(&f->evidence.ak_public, 0);
	f->evidence.ak_public.data[1]++;
}
CHANGE(attest_cut)
{
	f->evidence.attest.size--;
}
CHANGE(signature_cut)
{
	f->evidence.signature.size--;
}
CHANGE(public_cut)
{
	f->evidence.ak_public.size--;
}
CHANGE(enrolled_cut)
{
	f->input.ak_public.size--;
}
CHANGE(enrolled_empty)
{
	f->input.ak_public = BYTES(NULL, 0);
}
CHANGE(text_cut)
{
	f->input.evidence.size -= 3;
}
CHANGE(text_empty)
{
	f->input.evidence.size = 0;
}
CHANGE(text_trailing)
{
	buffer_append(&f->text, "{}", 2);
	f->input.evidence = buffer_bytes(&f->text);
}
CHANGE(name_size_beyond)
{
	f->evidence.attest.data[6] = 0xff; /* qualifiedSigner's size */
}
CHANGE(r_size_beyond)
{
	f->evidence.signature.data[4] = 0xff;
}
CHANGE(public_size_beyond)
{
	f->evidence.ak_public.data[0] = 0xff;
}
CHANGE(safe_is_2)
{
	f->quote.safe = 2;
}

/* ---------------------------------------------------------------- Q19, Q20: what the TPM counts */

CHANGE(resets_back)
{
	f->quote.reset_count--;
	f->state.boot_id[0] = 'f';
}
/* The counter is obfuscated: what was 1 more than 0xffffffff is 0. */
CHANGE(resets_back_over_zero)
{
	f->state.reset_count = 0;
	f->quote.reset_count = 0xffffffff;
	f->state.boot_id[0] = 'f';
}
CHANGE(resets_forward_over_zero)
{
	f->state.reset_count = 0xffffffff;
	f->quote.reset_count = 0;
	f->state.boot_id[0] = 'f';
	f->quote.restart_count = 0;
}
CHANGE(resets_refused)
{
	f->quote.reset_count++;
	f->state.boot_id[0] = 'f';
	f->policy.same_boot = true;
}
CHANGE(restarts_back)
{
	f->quote.restart_count--;
	f->state.boot_id[0] = 'f';
}
CHANGE(clock_back)
{
	f->quote.clock = f->state.clock - 1;
}
CHANGE(clock_stands)
{
	f->quote.clock = f->state.clock;
}
CHANGE(no_nonce_and_the_quote_of_before)
{
	no_nonce_asked(f);
	clock_stands(f);
}
CHANGE(clock_back_over_reset)
{
	f->quote.reset_count++;
	f->state.boot_id[0] = 'f';
	f->quote.clock = f->state.clock - 1;
}
CHANGE(clock_back_after_power_cut)
{
	clock_back_over_reset(f);
	f->quote.safe = 0;
}
CHANGE(not_safe)
{
	f->quote.safe = 0;
}
CHANGE(not_safe_required)
{
	f->quote.safe = 0;
	f->policy.required |= FAILS(QUOTE_CLOCK);
}
CHANGE(state_required_and_not_there)
{
	f->input.state = NULL;
	f->policy.required |= FAILS(QUOTE_COUNTERS);
}
CHANGE(first_attestation)
{
	f->input.state = NULL;
}
CHANGE(firmware_newer)
{
	f->quote.firmware_version++;
}
CHANGE(firmware_any)
{
	f->quote.firmware_version++;
	f->policy.required_with_state &= ~FAILS(QUOTE_FIRMWARE);
}

/* ---------------------------------------------------------------- values of PCRs */

CHANGE(pcr_not_expected)
{
	f->pcr_value[0].count = 1;
}
CHANGE(pcr_expected_of_another_bank)
{
	f->pcr_value[0].bank = ASSAY_HASH_SHA1;
}
CHANGE(pcr_expected_and_not_quoted)
{
	f->pcr_value[0].index = 7;
}
CHANGE(pcr_values_required_and_not_set)
{
	f->policy.pcr_value_count = 0;
}
CHANGE(pcr_not_expected_shown)
{
	f->pcr_value[0].count = 1;
	f->policy.required &= ~FAILS(PCR_VALUES);
}

/* ---------------------------------------------------------------- Q21: r and s */

/* TPMT_SIGNATURE of P-256: algorithm, hash, then r and s, each with its size */
#define R_OFFSET 6
#define S_OFFSET (R_OFFSET + 32 + 2)

CHANGE(r_zero)
{
	memset(f->evidence.signature.data + R_OFFSET, 0, 32);
}
CHANGE(s_zero)
{
	memset(f->evidence.signature.data + S_OFFSET, 0, 32);
}
CHANGE(r_empty)
{
	struct buffer *signature = &f->evidence.signature;

	signature->data[5] = 0;
	memmove(signature->data + R_OFFSET, signature->data + R_OFFSET + 32,
		signature->size - R_OFFSET - 32);
	signature->size -= 32;
}
static const uint8_t p256_order[32] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
	0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
CHANGE(r_is_order)
{
	memcpy(f->evidence.signature.data + R_OFFSET, p256_order, 32);
}
CHANGE(s_over_order)
{
	memset(f->evidence.signature.data + S_OFFSET, 0xff, 32);
}
CHANGE(signature_bit)
{
	f->evidence.signature.data[S_OFFSET + 20] ^= 0x10;
}
CHANGE(r_too_long)
{
	uint8_t zeros[64] = { 0 };
	struct buffer *signature = &f->evidence.signature;

	signature->size = R_OFFSET - 2;
	for (int i = 0; i < 2; i++) {
		buffer_append_be16(signature, sizeof(zeros));
		buffer_append(signature, zeros, sizeof(zeros));
	}
}
/* One bit of what was signed, where no other check looks: the clock. */
CHANGE(attest_bit)
{
	f->evidence.attest.data[8 + 34 + 2 + 16 + 3] ^= 1;
}

/* ---------------------------------------------------------------- Q22: the signer */

CHANGE(other_key)
{
	fixture_use_key(f, KEY_P256_OTHER, TPM_ALG_ECDSA, ASSAY_HASH_SHA256);
}
CHANGE(evidence_of_other_key)
{
	struct fixture other;

	fixture_begin(&other);
	fixture_build(&other, BEFORE_QUOTE, other_key);
	set_bytes(&f->text, buffer_bytes(&other.text));
	f->input.evidence = buffer_bytes(&f->text);
	fixture_free(&other);
}
CHANGE(same_key_other_attributes)
{
	f->evidence.ak_public.data[9] ^= 0x04; /* objectAttributes, last byte: stClear */
}
CHANGE(signed_by_other)
{
	f->quote.signer = KEY_P256_OTHER;
}
CHANGE(signer_empty)
{
	buffer_append_u8(&f->quote.qualified_signer, 0);
	f->quote.qualified_signer.size = 0;
}
CHANGE(signer_short)
{
	f->quote.qualified_signer = fixture_copy(BYTES_LITERAL("\x00\x0b and not 32 bytes"));
}
CHANGE(signer_sha384)
{
	uint8_t name[2 + 48] = { 0x00, 0x0c };

	f->quote.qualified_signer = fixture_copy(BYTES(name, sizeof(name)));
}
CHANGE(signer_handle)
{
	f->quote.qualified_signer = fixture_copy(BYTES_LITERAL("\x40\x00\x00\x01"));
}
CHANGE(signer_other)
{
	uint8_t name[2 + 32] = { 0x00, 0x0b };

	f->quote.qualified_signer = fixture_copy(BYTES(name, sizeof(name)));
}
CHANGE(signer_not_noted)
{
	f->input.ak_qualified_name.size = 0;
}
CHANGE(signer_noted_too_long)
{
	static const uint8_t many[TPM_NAME_MAX + 1];

	f->input.ak_qualified_name = BYTES(many, sizeof(many));
}

/* ---------------------------------------------------------------- good ones of other kinds */

CHANGE(good_p384)
{
	fixture_use_key(f, KEY_P384, TPM_ALG_ECDSA, ASSAY_HASH_SHA384);
}
CHANGE(good_rsassa)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSASSA, ASSAY_HASH_SHA256);
}
CHANGE(good_rsapss)
{
	fixture_use_key(f, KEY_RSA2048, TPM_ALG_RSAPSS, ASSAY_HASH_SHA512);
}
CHANGE(good_two_selection_bytes)
{
	f->quote.selections[1].size = 2;
}
CHANGE(good_unused_bank)
{
	f->quote.selections[2] = fixture_select(ASSAY_HASH_SHA384, 0);
	f->quote.selection_count = f->quote.selections_written = 3;
}

/* Known by a PEM: numbers, and nothing that a TPM would say of them. */
CHANGE(known_by_numbers)
{
	struct tpm_public public;

	assert_int_equal(tpm_public_parse(buffer_bytes(&f->enrolled), &public, NULL), 0);
	assert_int_equal(tpm_public_key_digest(&public, &f->input.ak_key, NULL), 0);
	f->input.ak_public = BYTES(NULL, 0);
}
CHANGE(known_by_numbers_vouched)
{
	known_by_numbers(f);
	f->input.ak_vouched = true;
}
CHANGE(known_by_numbers_of_another)
{
	known_by_numbers_vouched(f);
	f->input.ak_key.bytes[0] ^= 1;
}

static void known_by_certificate(struct fixture *f, enum fixture_key key, enum fixture_key root)
{
	f->input.ak_public = BYTES(NULL, 0);
	fixture_certify(f, key, root);
}
CHANGE(certified)
{
	known_by_certificate(f, KEY_P256, KEY_P256);
}
CHANGE(certified_vouched)
{
	certified(f);
	f->input.ak_vouched = true;
}
CHANGE(certified_policy_vouches)
{
	certified(f);
	f->policy.ak_certified = f->policy.ak_vouched = true;
	f->policy.required |= FAILS(AK_CERTIFICATE);
}
CHANGE(known_by_numbers_policy_vouches)
{
	known_by_numbers(f);
	f->policy.ak_vouched = true;
}
CHANGE(certified_by_a_stranger)
{
	known_by_certificate(f, KEY_P256, KEY_P384);
	f->input.ak_vouched = true;
}
CHANGE(certified_another)
{
	known_by_certificate(f, KEY_P256_OTHER, KEY_P256_OTHER);
	f->input.ak_vouched = true;
}
CHANGE(certified_expired)
{
	certified_vouched(f);
	f->input.now += UINT64_C(200) * 366 * 24 * 60 * 60;
	f->input.nonce_issued = f->input.now;
}
CHANGE(certified_not_at_all)
{
	certified_vouched(f);
	f->input.ak_certificates = BYTES(NULL, 0);
}
CHANGE(enrolled_and_certified)
{
	struct bytes enrolled = f->input.ak_public;

	certified(f);
	f->input.ak_public = enrolled;
}
CHANGE(enrolled_and_certified_another)
{
	struct bytes enrolled = f->input.ak_public;

	certified_another(f);
	f->input.ak_public = enrolled;
}
CHANGE(brings_its_certificate)
{
	buffer_append_bytes(&f->evidence.ak_certificate, fixture_certificate_der(KEY_P256));
}
CHANGE(brings_no_certificate)
{
	buffer_append(&f->evidence.ak_certificate, "certificate", 11);
}

/* Evidence of others: the key's numbers, and nothing that a TPM says of them. */
CHANGE(evidence_with_numbers)
{
	struct tpm_public public;

	assert_int_equal(tpm_public_parse(buffer_bytes(&f->evidence.ak_public), &public, NULL), 0);
	assert_int_equal(tpm_public_key_der(&public, &f->evidence.ak_key, NULL), 0);
	buffer_free(&f->evidence.ak_public);
	f->evidence.ak_public = (struct buffer){ 0 };
	fixture_write(f);
}
CHANGE(evidence_with_numbers_of_another)
{
	struct fixture other;

	fixture_begin(&other);
	fixture_use_key(&other, KEY_P256_OTHER, TPM_ALG_ECDSA, ASSAY_HASH_SHA256);
	fixture_build(&other, BEFORE_PCRS, NULL);
	buffer_free(&f->evidence.ak_public);
	f->evidence.ak_public = other.evidence.ak_public;
	other.evidence.ak_public = (struct buffer){ 0 };
	fixture_free(&other);
	evidence_with_numbers(f);
}
CHANGE(evidence_with_no_key)
{
	evidence_with_numbers(f);
	f->evidence.ak_key.data[f->evidence.ak_key.size - 1] ^= 1;
	fixture_write(f);
}
CHANGE(evidence_with_public_area_as_numbers)
{
	f->evidence.ak_key = f->evidence.ak_public;
	f->evidence.ak_public = (struct buffer){ 0 };
	fixture_write(f);
}
CHANGE(numbers_on_both_sides)
{
	known_by_numbers(f);
	evidence_with_numbers(f);
}
CHANGE(numbers_on_both_sides_vouched)
{
	known_by_numbers_vouched(f);
	evidence_with_numbers(f);
}
/* What the key signs with is not known, so it is taken from the quote: not more than is accepted.
 */
CHANGE(numbers_vouched_not_accepted)
{
	numbers_on_both_sides_vouched(f);
	f->policy.algorithms &= ~(uint32_t)VERIFY_ECDSA;
}
CHANGE(numbers_vouched_another_signature)
{
	numbers_on_both_sides_vouched(f);
	f->evidence.signature.data[f->evidence.signature.size - 1] ^= 1;
	fixture_write(f);
}

/* Nobody noted when the evidence was collected, nor of which boot it is. */
CHANGE(time_not_known)
{
	f->evidence.has_collected = false;
	fixture_write(f);
	f->input.nonce_issued = 0;
	f->policy.required |= FAILS(QUOTE_AGE);
}
CHANGE(time_not_known_nonce_timed)
{
	f->evidence.has_collected = false;
	fixture_write(f);
	f->policy.required |= FAILS(QUOTE_AGE);
}
CHANGE(boot_not_known)
{
	f->evidence.boot_id[0] = '\0';
	fixture_write(f);
}

const struct bad_row bad_quotes[] = {
	{ "good: P-256", BEFORE_PCRS, NULL, TRUSTED },
	{ "good: P-384 with SHA-384", BEFORE_QUOTE, good_p384, TRUSTED },
	{ "good: RSASSA", BEFORE_QUOTE, good_rsassa, TRUSTED },
	{ "good: RSAPSS with SHA-512", BEFORE_QUOTE, good_rsapss, TRUSTED },
	{ "good: sizeofSelect 2", BEFORE_QUOTE, good_two_selection_bytes, TRUSTED },
	{ "good: a bank without a PCR", BEFORE_QUOTE, good_unused_bank, TRUSTED },
	{ "Q1 magic off by one", BEFORE_QUOTE, magic_off_by_one, FAILS(QUOTE_MAGIC) },
	{ "Q1 magic 0", BEFORE_QUOTE, magic_zero, FAILS(QUOTE_MAGIC) },
	{ "I: numbers of the key, not vouched for", AT_VERIFIER, known_by_numbers,
	  FAILS(AK_ATTRIBUTES) },
	{ "good: numbers of the key, vouched for", AT_VERIFIER, known_by_numbers_vouched, TRUSTED },
	{ "I: numbers of another key", AT_VERIFIER, known_by_numbers_of_another,
	  FAILS(AK_EXPECTED) },
	{ "good: certified, vouched for", AT_VERIFIER, certified_vouched, TRUSTED },
	{ "good: certified, vouched for by the policy", AT_VERIFIER, certified_policy_vouches,
	  TRUSTED },
	{ "I: numbers of the key, certificates vouched for", AT_VERIFIER,
	  known_by_numbers_policy_vouches, FAILS(AK_ATTRIBUTES) },
	{ "good: enrolled and certified", AT_VERIFIER, enrolled_and_certified, TRUSTED },
	{ "good: a certificate that nobody asks for", AFTER_QUOTE, brings_its_certificate,
	  TRUSTED },
	{ "good: nor what is none", AFTER_QUOTE, brings_no_certificate, TRUSTED },
	{ "I: certified, which does not say restricted", AT_VERIFIER, certified,
	  FAILS(AK_ATTRIBUTES) },
	{ "I: certified by a stranger", AT_VERIFIER, certified_by_a_stranger,
	  FAILS(AK_CERTIFICATE) },
	{ "I: certified, expired", AT_VERIFIER, certified_expired, FAILS(AK_CERTIFICATE) },
	{ "I: no certificate", AT_VERIFIER, certified_not_at_all, FAILS(AK_CERTIFICATE) },
	{ "I: the certificate of another key", AT_VERIFIER, certified_another, FAILS(AK_EXPECTED) },
	{ "I: enrolled, the certificate of another key", AT_VERIFIER,
	  enrolled_and_certified_another, FAILS(AK_CERTIFICATE) },
	{ "good: evidence has the key's numbers only", AT_VERIFIER, evidence_with_numbers,
	  TRUSTED },
	{ "I: evidence with another's numbers", AT_VERIFIER, evidence_with_numbers_of_another,
	  FAILS(AK_EXPECTED) },
	{ "I: evidence with numbers of no key", AT_VERIFIER, evidence_with_no_key,
	  FAILS(AK_EXPECTED) },
	{ "I: evidence with a public area as numbers", AT_VERIFIER,
	  evidence_with_public_area_as_numbers, FAILS(AK_EXPECTED) },
	{ "I: numbers on both sides, not vouched for", AT_VERIFIER, numbers_on_both_sides,
	  FAILS(AK_ATTRIBUTES) },
	{ "good: numbers on both sides, vouched for", AT_VERIFIER, numbers_on_both_sides_vouched,
	  TRUSTED },
	{ "Q12 numbers, and a scheme that is not accepted", AT_VERIFIER,
	  numbers_vouched_not_accepted, FAILS(AK_ALGORITHM) },
	{ "Q22 numbers, and another signature", AT_VERIFIER, numbers_vouched_another_signature,
	  FAILS(QUOTE_SIGNATURE) },
	{ "Q2 NV", BEFORE_QUOTE, type_nv, FAILS(QUOTE_TYPE) },
	{ "Q2 CERTIFY", BEFORE_QUOTE, type_certify, FAILS(QUOTE_TYPE) },
	{ "Q2 TIME", BEFORE_QUOTE, type_time, FAILS(QUOTE_TYPE) },
	{ "Q2 CREATION", BEFORE_QUOTE, type_creation, FAILS(QUOTE_TYPE) },
	{ "Q2 type not known", BEFORE_QUOTE, type_unknown, FAILS(QUOTE_TYPE) },
	{ "Q3 another index", AFTER_QUOTE, supplied_other_index, FAILS(PCR_SELECTION) },
	{ "Q3 an index over 23", AFTER_QUOTE, supplied_over_23, FAILS(PCR_SELECTION) },
	{ "Q3 another bank", AFTER_QUOTE, supplied_other_bank, FAILS(PCR_SELECTION) },
	{ "Q3 a value less", AFTER_QUOTE, supplied_one_less, FAILS(PCR_SELECTION) },
	{ "Q3 values swapped", AFTER_QUOTE, supplied_swapped, FAILS(PCR_DIGEST) },
	{ "Q3 a value changed", AFTER_QUOTE, supplied_value_changed, FAILS(PCR_DIGEST) },
	{ "Q4 PCR 14 not quoted", BEFORE_QUOTE, without_14,
	  FAILS(PCR_REQUIRED) | FAILS(PCR_VALUES) },
	{ "Q4 PCR 10 not quoted", BEFORE_QUOTE, without_10, FAILS(PCR_REQUIRED) },
	{ "Q4 only SHA-1 quoted", BEFORE_QUOTE, only_sha1,
	  FAILS(PCR_REQUIRED) | FAILS(PCR_VALUES) },
	{ "Q4 a bank each", BEFORE_QUOTE, over_two_banks, FAILS(PCR_REQUIRED) },
	{ "Q4 policy without PCRs", AT_VERIFIER, no_policy_pcrs, FAILS(PCR_REQUIRED) },
	{ "Q5 a value more", AFTER_QUOTE, supplied_one_more, FAILS(PCR_SELECTION) },
	{ "Q5 a bank more", AFTER_QUOTE, supplied_one_more_bank, FAILS(PCR_SELECTION) },
	{ "Q6 masks empty", BEFORE_QUOTE, empty_masks, FAILS(PCR_SELECTION) },
	{ "Q6 no selection", BEFORE_QUOTE, no_selection, FAILS(PCR_SELECTION) },
	{ "Q7 a bank twice", BEFORE_QUOTE, bank_twice, FAILS(PCR_SELECTION) },
	{ "Q7 a bank in two halves", BEFORE_QUOTE, bank_in_two_halves, FAILS(PCR_SELECTION) },
	{ "Q8 sizeofSelect 0", BEFORE_QUOTE, select_size_0, FAILS(QUOTE_PARSED) },
	{ "Q8 sizeofSelect 4", BEFORE_QUOTE, select_size_4, FAILS(QUOTE_PARSED) },
	{ "Q8 sizeofSelect 255", BEFORE_QUOTE, select_size_255, FAILS(QUOTE_PARSED) },
	{ "Q8 a bank not known", BEFORE_QUOTE, select_unknown_bank, FAILS(QUOTE_PARSED) },
	{ "Q8 17 banks", BEFORE_QUOTE, selections_over_limit, FAILS(QUOTE_PARSED) },
	{ "Q8 count 0xffffffff", BEFORE_QUOTE, selection_count_huge, FAILS(QUOTE_PARSED) },
	{ "Q8 count too low", BEFORE_QUOTE, selection_count_short, FAILS(QUOTE_PARSED) },
	{ "Q9 digest empty", BEFORE_QUOTE, digest_empty, FAILS(PCR_DIGEST) },
	{ "Q9 digest of 31 bytes", BEFORE_QUOTE, digest_short, FAILS(PCR_DIGEST) },
	{ "Q9 digest of 33 bytes", BEFORE_QUOTE, digest_long, FAILS(PCR_DIGEST) },
	{ "Q9 digest of 20 bytes", BEFORE_QUOTE, digest_sha1_size, FAILS(PCR_DIGEST) },
	{ "Q9 digest of 65 bytes", BEFORE_QUOTE, digest_over_limit, FAILS(QUOTE_PARSED) },
	{ "Q10 nonce missing", BEFORE_QUOTE, nonce_missing, FAILS(QUOTE_NONCE) },
	{ "Q10 nonce a prefix", BEFORE_QUOTE, nonce_prefix, FAILS(QUOTE_NONCE) },
	{ "Q10 nonce of one byte", BEFORE_QUOTE, nonce_one_byte, FAILS(QUOTE_NONCE) },
	{ "Q10 nonce and a byte more", BEFORE_QUOTE, nonce_longer, FAILS(QUOTE_NONCE) },
	{ "Q10 nonce as text", BEFORE_QUOTE, nonce_encoded, FAILS(QUOTE_NONCE) },
	{ "Q10 nonce over the limit", BEFORE_QUOTE, nonce_over_limit, FAILS(QUOTE_PARSED) },
	{ "Q10 the verifier has none", AT_VERIFIER, verifier_without_nonce, FAILS(QUOTE_NONCE) },
	{ "Q10 the verifier's is short", AT_VERIFIER, verifier_short_nonce, FAILS(QUOTE_NONCE) },
	{ "Q10 empty on both sides", BEFORE_QUOTE, empty_nonces, FAILS(QUOTE_NONCE) },
	{ "Q10 good: no nonce asked", BEFORE_QUOTE, no_nonce_asked, TRUSTED },
	{ "Q10 no nonce asked, and one sent", BEFORE_QUOTE, no_nonce_asked_and_sent,
	  FAILS(QUOTE_NONCE) },
	{ "Q10 no nonce asked: the quote of before", BEFORE_QUOTE, no_nonce_and_the_quote_of_before,
	  FAILS(QUOTE_COUNTERS) },
	{ "Q11 an old nonce", BEFORE_QUOTE, nonce_old, FAILS(QUOTE_NONCE) },
	{ "Q11 expired", AT_VERIFIER, nonce_expired, FAILS(QUOTE_AGE) },
	{ "Q11 expired, not required", AT_VERIFIER, nonce_expired_shown,
	  FAILS(QUOTE_AGE) | TRUSTED },
	{ "Q11 sent in the future", AT_VERIFIER, nonce_from_the_future, FAILS(QUOTE_AGE) },
	{ "Q11 collected long ago", AT_VERIFIER, evidence_old, FAILS(QUOTE_AGE) },
	{ "Q11 collected in the future", AT_VERIFIER, evidence_from_the_future, FAILS(QUOTE_AGE) },
	{ "Q11 good: clocks differ a bit", AT_VERIFIER, evidence_a_bit_ahead, TRUSTED },
	{ "Q11 nobody knows when", AT_VERIFIER, time_not_known, FAILS(QUOTE_AGE) },
	{ "Q11 good: the nonce's time is known", AT_VERIFIER, time_not_known_nonce_timed, TRUSTED },
	{ "L23 nobody knows of which boot", AT_VERIFIER, boot_not_known, FAILS(ASSAY_LOG_START) },
	{ "Q11 an age required, none set", AT_VERIFIER, age_required_and_not_set, 0 },
	{ "Q12 signature NULL", BEFORE_QUOTE, signature_null, FAILS(QUOTE_ALGORITHM) },
	{ "Q12 signature HMAC", BEFORE_QUOTE, signature_hmac, FAILS(QUOTE_ALGORITHM) },
	{ "Q12 signature ECDAA", BEFORE_QUOTE, signature_ecdaa, FAILS(QUOTE_ALGORITHM) },
	{ "Q12 signature with SHA-1", BEFORE_QUOTE, signature_sha1, FAILS(QUOTE_ALGORITHM) },
	{ "Q12 signature without hash", BEFORE_QUOTE, signature_null_hash, FAILS(QUOTE_ALGORITHM) },
	{ "Q12 key with SHA-1", BEFORE_QUOTE, key_sha1, FAILS(AK_ALGORITHM) },
	{ "Q12 key named by SHA-1", BEFORE_QUOTE, key_named_by_sha1, FAILS(AK_ALGORITHM) },
	{ "Q12 key without name", BEFORE_QUOTE, key_named_by_nothing, FAILS(AK_EXPECTED) },
	{ "Q12 key ECDAA", BEFORE_QUOTE, key_ecdaa, FAILS(AK_ALGORITHM) },
	{ "Q12 key without scheme", BEFORE_QUOTE, key_without_scheme, FAILS(AK_ALGORITHM) },
	{ "Q12 policy without ECDSA", AT_VERIFIER, policy_without_ecdsa, FAILS(AK_ALGORITHM) },
	{ "Q13 RSASSA by an ECC key", BEFORE_QUOTE, signature_rsassa_of_ecc,
	  FAILS(QUOTE_ALGORITHM) },
	{ "Q13 ECDSA by an RSA key", BEFORE_QUOTE, signature_ecdsa_of_rsa, FAILS(QUOTE_ALGORITHM) },
	{ "Q13 ECC key with RSASSA", BEFORE_QUOTE, key_ecc_with_rsassa, FAILS(AK_ALGORITHM) },
	{ "Q13 RSA key with ECDSA", BEFORE_QUOTE, key_rsa_with_ecdsa, FAILS(AK_ALGORITHM) },
	{ "Q13 RSASSA by a PSS key", BEFORE_QUOTE, signature_rsassa_of_pss,
	  FAILS(QUOTE_ALGORITHM) },
	{ "Q13 RSASSA said to be PSS", BEFORE_QUOTE, signature_not_pss, FAILS(QUOTE_SIGNATURE) },
	{ "Q14 signed with SHA-384", BEFORE_QUOTE, signature_other_hash, FAILS(QUOTE_ALGORITHM) },
	{ "Q14 said to be SHA-512", BEFORE_QUOTE, signature_claims_other_hash,
	  FAILS(QUOTE_ALGORITHM) },
	{ "Q15 RSA 1024", BEFORE_QUOTE, rsa_1024, FAILS(AK_ALGORITHM) },
	{ "Q15 RSA 1024 said to be 2048", BEFORE_QUOTE, rsa_1024_as_2048, FAILS(AK_ALGORITHM) },
	{ "Q15 RSA 2048 said to be 4096", BEFORE_QUOTE, rsa_2048_as_4096, FAILS(AK_ALGORITHM) },
	{ "Q15 modulus with a zero", BEFORE_QUOTE, rsa_leading_zero, FAILS(AK_ALGORITHM) },
	{ "Q15 no modulus", BEFORE_QUOTE, rsa_no_modulus, FAILS(AK_ALGORITHM) },
	{ "Q15 e = 1", BEFORE_QUOTE, rsa_exponent_1, FAILS(AK_ALGORITHM) },
	{ "Q15 e = 3", BEFORE_QUOTE, rsa_exponent_3, FAILS(AK_ALGORITHM) },
	{ "Q15 e even", BEFORE_QUOTE, rsa_exponent_even, FAILS(AK_ALGORITHM) },
	{ "Q15 P-521", BEFORE_QUOTE, curve_p521, FAILS(AK_ALGORITHM) },
	{ "Q15 BN_P256", BEFORE_QUOTE, curve_bn, FAILS(AK_ALGORITHM) },
	{ "Q15 policy without P-256", AT_VERIFIER, policy_without_p256, FAILS(AK_ALGORITHM) },
	{ "Q15 an HMAC key", BEFORE_QUOTE, key_type_hmac, FAILS(AK_EXPECTED) },
	{ "Q15 point off its curve", BEFORE_QUOTE, point_off_curve, FAILS(QUOTE_SIGNATURE) },
	{ "Q15 point too long", BEFORE_QUOTE, point_too_long, FAILS(QUOTE_SIGNATURE) },
	{ "Q15 point empty", BEFORE_QUOTE, point_empty, FAILS(QUOTE_SIGNATURE) },
	{ "Q16 not restricted", BEFORE_QUOTE, not_restricted, FAILS(AK_ATTRIBUTES) },
	{ "Q16 not sign", BEFORE_QUOTE, not_sign, FAILS(AK_ATTRIBUTES) },
	{ "Q16 not fixedTPM", BEFORE_QUOTE, not_fixed_tpm, FAILS(AK_ATTRIBUTES) },
	{ "Q16 not fixedParent", BEFORE_QUOTE, not_fixed_parent, FAILS(AK_ATTRIBUTES) },
	{ "Q16 not sensitiveDataOrigin", BEFORE_QUOTE, not_sensitive_data_origin,
	  FAILS(AK_ATTRIBUTES) },
	{ "Q16 decrypt", BEFORE_QUOTE, decrypt, FAILS(AK_ATTRIBUTES) },
	{ "Q17 byte behind the quote", AFTER_QUOTE, attest_trailing, FAILS(QUOTE_PARSED) },
	{ "Q17 byte behind the signature", AFTER_QUOTE, signature_trailing, FAILS(QUOTE_PARSED) },
	{ "Q17 byte behind the key", AFTER_QUOTE, public_trailing, FAILS(AK_EXPECTED) },
	{ "Q17 byte inside the key", AFTER_QUOTE, public_area_trailing, FAILS(AK_EXPECTED) },
	{ "Q17 text behind the evidence", AT_VERIFIER, text_trailing, FAILS(EVIDENCE_PARSED) },
	{ "Q18 quote cut", AFTER_QUOTE, attest_cut, FAILS(QUOTE_PARSED) },
	{ "Q18 signature cut", AFTER_QUOTE, signature_cut, FAILS(QUOTE_PARSED) },
	{ "Q18 key cut", AFTER_QUOTE, public_cut, FAILS(AK_EXPECTED) },
	{ "Q18 enrolled key cut", AT_VERIFIER, enrolled_cut, FAILS(AK_EXPECTED) },
	{ "Q18 enrolled key empty", AT_VERIFIER, enrolled_empty, FAILS(AK_EXPECTED) },
	{ "Q18 evidence cut", AT_VERIFIER, text_cut, FAILS(EVIDENCE_PARSED) },
	{ "Q18 evidence empty", AT_VERIFIER, text_empty, FAILS(EVIDENCE_PARSED) },
	{ "Q19 safe is 2", BEFORE_QUOTE, safe_is_2, FAILS(QUOTE_PARSED) },
	{ "Q19 resetCount back", BEFORE_QUOTE, resets_back, FAILS(QUOTE_COUNTERS) },
	{ "Q19 resetCount back over 0", BEFORE_QUOTE, resets_back_over_zero,
	  FAILS(QUOTE_COUNTERS) },
	{ "Q19 good: resetCount over 0", BEFORE_QUOTE, resets_forward_over_zero, TRUSTED },
	{ "Q19 a reset, refused", BEFORE_QUOTE, resets_refused, FAILS(QUOTE_COUNTERS) },
	{ "Q19 restartCount back", BEFORE_QUOTE, restarts_back, FAILS(QUOTE_COUNTERS) },
	{ "Q19 clock back", BEFORE_QUOTE, clock_back, FAILS(QUOTE_COUNTERS) },
	{ "Q19 clock stands: the quote of before", BEFORE_QUOTE, clock_stands,
	  FAILS(QUOTE_COUNTERS) },
	{ "Q19 clock back over a reset", BEFORE_QUOTE, clock_back_over_reset,
	  FAILS(QUOTE_COUNTERS) },
	{ "Q19 good: clock back after a power cut", BEFORE_QUOTE, clock_back_after_power_cut,
	  FAILS(QUOTE_CLOCK) | TRUSTED },
	{ "Q19 safe is 0, shown", BEFORE_QUOTE, not_safe, FAILS(QUOTE_CLOCK) | TRUSTED },
	{ "Q19 safe is 0, refused", BEFORE_QUOTE, not_safe_required, FAILS(QUOTE_CLOCK) },
	{ "Q19 a state required, none there", AT_VERIFIER, state_required_and_not_there, 0 },
	{ "Q19 good: the first attestation", AT_VERIFIER, first_attestation, TRUSTED },
	{ "Q20 firmwareVersion", BEFORE_QUOTE, firmware_newer, FAILS(QUOTE_FIRMWARE) },
	{ "Q20 firmwareVersion, accepted", BEFORE_QUOTE, firmware_any,
	  FAILS(QUOTE_FIRMWARE) | TRUSTED },
	{ "PCR not as expected", AT_VERIFIER, pcr_not_expected, FAILS(PCR_VALUES) },
	{ "PCR expected in another bank", AT_VERIFIER, pcr_expected_of_another_bank,
	  FAILS(PCR_VALUES) },
	{ "PCR expected, not quoted", AT_VERIFIER, pcr_expected_and_not_quoted, FAILS(PCR_VALUES) },
	{ "PCR values required, none set", AT_VERIFIER, pcr_values_required_and_not_set, 0 },
	{ "PCR not as expected, shown", AT_VERIFIER, pcr_not_expected_shown,
	  FAILS(PCR_VALUES) | TRUSTED },
	{ "Q21 r = 0", AFTER_QUOTE, r_zero, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 s = 0", AFTER_QUOTE, s_zero, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 r empty", AFTER_QUOTE, r_empty, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 r is the order", AFTER_QUOTE, r_is_order, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 s over the order", AFTER_QUOTE, s_over_order, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 r and s of 64 bytes", AFTER_QUOTE, r_too_long, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 a bit of s", AFTER_QUOTE, signature_bit, FAILS(QUOTE_SIGNATURE) },
	{ "Q21 a bit of the quote", AFTER_QUOTE, attest_bit, FAILS(QUOTE_SIGNATURE) },
	{ "Q22 another key's evidence", AT_VERIFIER, evidence_of_other_key, FAILS(AK_EXPECTED) },
	{ "Q22 another area of the key", AFTER_QUOTE, same_key_other_attributes,
	  FAILS(AK_EXPECTED) },
	{ "Q22 signed by another key", BEFORE_QUOTE, signed_by_other, FAILS(QUOTE_SIGNATURE) },
	{ "Q22 qualifiedSigner empty", BEFORE_QUOTE, signer_empty, FAILS(QUOTE_SIGNER) },
	{ "Q22 qualifiedSigner short", BEFORE_QUOTE, signer_short, FAILS(QUOTE_SIGNER) },
	{ "Q22 qualifiedSigner SHA-384", BEFORE_QUOTE, signer_sha384, FAILS(QUOTE_SIGNER) },
	{ "Q22 qualifiedSigner a handle", BEFORE_QUOTE, signer_handle, FAILS(QUOTE_SIGNER) },
	{ "Q22 qualifiedSigner another", BEFORE_QUOTE, signer_other, FAILS(QUOTE_SIGNER) },
	{ "Q22 good: not noted", AT_VERIFIER, signer_not_noted, TRUSTED },
	{ "Q22 noted one too long", AT_VERIFIER, signer_noted_too_long, FAILS(QUOTE_SIGNER) },
	{ "Q23 qualifiedSigner's size", AFTER_QUOTE, name_size_beyond, FAILS(QUOTE_PARSED) },
	{ "Q23 r's size", AFTER_QUOTE, r_size_beyond, FAILS(QUOTE_PARSED) },
	{ "Q23 the key's size", AFTER_QUOTE, public_size_beyond, FAILS(AK_EXPECTED) },
	{ 0 },
};
