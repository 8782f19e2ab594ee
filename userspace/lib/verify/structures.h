/* SPDX-License-Identifier: MIT */
/*
 * Reading the TPM's marshalled structures: what a quote consists of (TPM 2.0
 * Library, Part 2: Structures; section numbers are of revision 1.59).
 *
 * Only for lib/verify. Own and bounded, since a verifier needs no TPM stack and a
 * TPM's bytes are an untrusted peer's: every size is checked against what is left,
 * nothing may follow. Nothing is copied: what is parsed points into the input.
 */
#ifndef ASSAY_VERIFY_STRUCTURES_H
#define ASSAY_VERIFY_STRUCTURES_H

#include "base/bytes.h"

#define TPM_GENERATED 0xff544347U /* TPM_GENERATED_VALUE, 6.2 */

/* TPM_ST, 6.9 */
#define TPM_ST_ATTEST_NV 0x8014
#define TPM_ST_ATTEST_COMMAND_AUDIT 0x8015
#define TPM_ST_ATTEST_SESSION_AUDIT 0x8016
#define TPM_ST_ATTEST_CERTIFY 0x8017
#define TPM_ST_ATTEST_QUOTE 0x8018
#define TPM_ST_ATTEST_TIME 0x8019
#define TPM_ST_ATTEST_CREATION 0x801a

/* TPM_ALG_ID, 6.3; the hashes are enum assay_hash */
#define TPM_ALG_RSA 0x0001
#define TPM_ALG_HMAC 0x0005
#define TPM_ALG_AES 0x0006
#define TPM_ALG_NULL 0x0010
#define TPM_ALG_SM3_256 0x0012
#define TPM_ALG_RSASSA 0x0014
#define TPM_ALG_RSAES 0x0015
#define TPM_ALG_RSAPSS 0x0016
#define TPM_ALG_OAEP 0x0017
#define TPM_ALG_ECDSA 0x0018
#define TPM_ALG_ECDAA 0x001a
#define TPM_ALG_ECC 0x0023
#define TPM_ALG_CFB 0x0043

/* TPM_ECC_CURVE, 6.4 */
#define TPM_ECC_NIST_P256 0x0003
#define TPM_ECC_NIST_P384 0x0004
#define TPM_ECC_NIST_P521 0x0005

#define TPM_RH_OWNER 0x40000001U /* TPM_HANDLE, 7.4 */

/* TPM_CC, 6.5.2 */
#define TPM_CC_QUOTE 0x00000158U
#define TPM_CC_NV_CERTIFY 0x00000184U

/* TPMA_OBJECT, 8.3 */
#define TPMA_OBJECT_FIXED_TPM (1U << 1)
#define TPMA_OBJECT_FIXED_PARENT (1U << 4)
#define TPMA_OBJECT_SENSITIVE_DATA_ORIGIN (1U << 5)
#define TPMA_OBJECT_USER_WITH_AUTH (1U << 6)
#define TPMA_OBJECT_RESTRICTED (1U << 16)
#define TPMA_OBJECT_DECRYPT (1U << 17)
#define TPMA_OBJECT_SIGN (1U << 18)

/* PCRs of a TPM, and so the largest sizeofSelect, 10.6.1 (PC Client profile: 24). */
#define TPM_PCR_COUNT 24
#define TPM_PCR_SELECT_MAX (TPM_PCR_COUNT / 8)
#define TPM_MAX_SELECTIONS 16 /* HASH_COUNT, Annex A */
/* TPM2B_NAME: algorithm and digest; TPM2B_DATA is bounded by the same, 10.4.3. */
#define TPM_NAME_MAX (2 + ASSAY_DIGEST_MAX)

/* struct tpm_pcr_selection - TPMS_PCR_SELECTION, 10.6.2 */
struct tpm_pcr_selection {
	enum assay_hash bank;
	uint32_t mask; /* bit n: PCR n */
};

/**
 * struct tpm_attest - TPMS_ATTEST, 10.12.12
 * @magic: as it stands; see TPM_GENERATED
 * @type: as it stands; TPM_ST_ATTEST_*
 * @qualified_signer: name of the signing key and its ancestors, 0 to 66 bytes
 * @extra_data: the nonce
 * @clock: milliseconds
 * @reset_count: TPM resets
 * @restart_count: TPM restarts or resumes since the last reset
 * @safe: whether no higher @clock can have been reported before
 * @firmware_version: the vendor's
 * @attested: what the type says it attests, TPMU_ATTEST
 * @selections: TPM_ST_ATTEST_QUOTE only, as are all that follow
 * @selection_count: as many as there are; a bank may be there twice
 * @pcr_digest: of the selected PCRs, any size
 */
struct tpm_attest {
	uint32_t magic;
	uint16_t type;
	struct bytes qualified_signer;
	struct bytes extra_data;
	uint64_t clock;
	uint32_t reset_count;
	uint32_t restart_count;
	bool safe;
	uint64_t firmware_version;
	struct bytes attested;
	struct tpm_pcr_selection selections[TPM_MAX_SELECTIONS];
	size_t selection_count;
	struct bytes pcr_digest;
};

/* struct tpm_nv_info - TPMS_NV_CERTIFY_INFO, 10.12.8: what TPM2_NV_Certify attests */
struct tpm_nv_info {
	struct bytes index_name;
	uint16_t offset;
	struct bytes contents;
};

/* struct tpm_audit_info - TPMS_SESSION_AUDIT_INFO, 10.12.6 */
struct tpm_audit_info {
	bool exclusive;
	struct bytes digest;
};

/**
 * struct tpm_signature - TPMT_SIGNATURE, 11.3.4
 * @algorithm: TPM_ALG_RSASSA, TPM_ALG_RSAPSS or TPM_ALG_ECDSA; for any other,
 *             nothing else is set and the rest was not looked at
 * @hash: TPM_ALG_ID as it stands
 * @rsa: the signature of RSASSA and RSAPSS
 * @r, @s: big-endian, of ECDSA
 */
struct tpm_signature {
	uint16_t algorithm;
	uint16_t hash;
	struct bytes rsa;
	struct bytes r, s;
};

/**
 * struct tpm_public - TPMT_PUBLIC of an RSA or ECC key, 12.2.4
 * @area: the marshalled TPMT_PUBLIC: what the key's name is the digest of
 * @type: TPM_ALG_RSA or TPM_ALG_ECC
 * @name_hash: TPM_ALG_ID as it stands
 * @attributes: TPMA_OBJECT
 * @policy: authPolicy
 * @symmetric: TPM_ALG_NULL but for storage keys
 * @symmetric_bits, @symmetric_mode: of those: key size, and TPM_ALG_ID as it stands
 * @scheme: TPM_ALG_NULL if the key has none
 * @scheme_hash: its hash; TPM_ALG_NULL if it has none
 * @key_bits: RSA
 * @exponent: RSA; 0 stands for 65537
 * @modulus: RSA, big-endian
 * @curve: ECC, TPM_ECC_CURVE as it stands
 * @x, @y: ECC, big-endian
 */
struct tpm_public {
	struct bytes area;
	uint16_t type;
	uint16_t name_hash;
	uint32_t attributes;
	struct bytes policy;
	uint16_t symmetric;
	uint16_t symmetric_bits, symmetric_mode;
	uint16_t scheme;
	uint16_t scheme_hash;
	uint16_t key_bits;
	uint32_t exponent;
	struct bytes modulus;
	uint16_t curve;
	struct bytes x, y;
};

/*
 * Each parses the whole of @in. A magic, type or algorithm that is not what a
 * quote has is for the checks to refuse, not an error here.
 * Return: 0; -EBADMSG with the field that is off and its offset
 */
int tpm_attest_parse(struct bytes in, struct tpm_attest *ret, struct assay_error *err);
int tpm_signature_parse(struct bytes in, struct tpm_signature *ret, struct assay_error *err);
/* @attested: of a struct tpm_attest whose type is TPM_ST_ATTEST_NV, or ..._SESSION_AUDIT */
int tpm_nv_info_parse(struct bytes attested, struct tpm_nv_info *ret, struct assay_error *err);
int tpm_audit_info_parse(struct bytes attested, struct tpm_audit_info *ret,
			 struct assay_error *err);
/* @in: a TPM2B_PUBLIC; its size must be that of the TPMT_PUBLIC inside */
int tpm_public_parse(struct bytes in, struct tpm_public *ret, struct assay_error *err);

/* tpm_alg_name(), tpm_attest_type_name() - for messages; NULL for what is not known */
const char *tpm_alg_name(uint16_t algorithm);
const char *tpm_attest_type_name(uint16_t type);

#endif /* ASSAY_VERIFY_STRUCTURES_H */
