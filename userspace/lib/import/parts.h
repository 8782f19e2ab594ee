/* SPDX-License-Identifier: MIT */
/*
 * The parts that evidence of others consists of, whatever they come in: quote, signature, key,
 * logs. Each is put into evidence as assay has it. Hostile bytes: their form is checked as far as
 * they are taken apart; whether they hold is for the verifier to judge. Pure: bytes in, evidence
 * out.
 *
 * What the others did not note is not made up: evidence gets neither a boot id nor a time here.
 */
#ifndef ASSAY_IMPORT_PARTS_H
#define ASSAY_IMPORT_PARTS_H

#include "import/notes.h"
#include "verify/evidence.h"
#include "verify/structures.h"

#define IMPORT_MAX_LOG (64U << 20) /* bytes of a log as it comes */
/* Values of JSON that it comes in; the event log of a report of systemd has some ten thousand. */
#define IMPORT_MAX_VALUES (1U << 18)

/*
 * import_attest() - the quote, and the nonce that it answers, if it answers one
 * @in: TPMS_ATTEST, or TPM2B_ATTEST
 * @ret: what it says; points into @evidence
 */
int import_attest(struct bytes in, struct evidence *evidence, struct tpm_attest *ret,
		  struct assay_error *err);

/* import_ak() - the attestation key, in any form that ak_given_read() takes */
int import_ak(struct bytes in, struct evidence *evidence, struct assay_error *err);

/**
 * struct import_scheme - how a signature was made that does not say so itself
 * @algorithm: TPM_ALG_RSASSA, TPM_ALG_RSAPSS, TPM_ALG_ECDSA; 0 if nobody says it
 * @hash: ASSAY_HASH_NONE if nobody says it
 */
struct import_scheme {
	uint16_t algorithm;
	enum assay_hash hash;
};

/*
 * import_signature() - the quote's signature
 * @in: TPMT_SIGNATURE, or the signature alone: of RSA as it is, of ECDSA as DER of Ecdsa-Sig-Value
 *      (RFC 3279, section 2.2.3)
 * @scheme: for the signature alone. What nobody says is taken from the key in the evidence; what
 *          that does not say, from which scheme the signature holds by, and of the hash from the
 *          size of the digest in the quote
 * @evidence: has the quote and the key already
 *
 * Return: 0; -EBADMSG for bytes that are no signature; -ENOMEM
 */
int import_signature(struct bytes in, const struct import_scheme *scheme,
		     const struct import_notes *notes, struct evidence *evidence,
		     struct assay_error *err);

/* import_certificate() - the key's certificate, in DER or PEM */
int import_certificate(struct bytes in, struct evidence *evidence, struct assay_error *err);

/*
 * import_ima_list() - IMA's list, in binary form or as text
 * Return: 0; -EBADMSG for what is no list; -EFBIG, -ENOMEM
 */
int import_ima_list(struct bytes in, const struct import_notes *notes, struct evidence *evidence,
		    struct assay_error *err);

/* import_uefi_log() - the firmware's log, as the kernel gives it */
int import_uefi_log(struct bytes in, struct evidence *evidence, struct assay_error *err);

#endif /* ASSAY_IMPORT_PARTS_H */
