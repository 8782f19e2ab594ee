// SPDX-License-Identifier: MIT
/*
 * The check of the audited session in which a quote was made. A quote of such a session answers no
 * nonce; the session's attestation does. That the quote is as young as that follows from three
 * things, each of which is checked: the session's digest is of the quote and of commands alone that
 * change no PCR; the session was exclusive, so that the TPM carried out no other command in between
 * that could; and neither a reset nor a restart came in between.
 */
#include "base/digest.h"
#include "verify/appraisal.h"
#include "verify/audit.h"
#include "verify/key.h"
#include "verify/report_text.h"

/* struct session - what is read of the evidence's */
struct session {
	struct tpm_attest attest;
	struct tpm_signature signature;
	struct tpm_audit_info audit;
};

static bool read_session(const struct evidence_session *evidence, struct session *ret, char *detail)
{
	struct assay_error err = { 0 };

	if (tpm_attest_parse(buffer_bytes(&evidence->attest), &ret->attest, &err) < 0 ||
	    tpm_signature_parse(buffer_bytes(&evidence->signature), &ret->signature, &err) < 0)
		return check_tell(false, detail, "the session's attestation: %s", err.text);
	if (ret->attest.magic != TPM_GENERATED)
		return check_tell(false, detail,
				  "the session's attestation was not made inside a TPM (magic "
				  "0x%08x)",
				  ret->attest.magic);
	if (ret->attest.type != TPM_ST_ATTEST_SESSION_AUDIT)
		return check_tell(false, detail,
				  "the session's attestation is of the type 0x%04x, not "
				  "SESSION_AUDIT (0x%04x)",
				  ret->attest.type, TPM_ST_ATTEST_SESSION_AUDIT);
	if (tpm_audit_info_parse(ret->attest.attested, &ret->audit, &err) < 0)
		return check_tell(false, detail, "%s", err.text);
	return true;
}

static bool is_signed(const struct appraisal *appraisal, const struct session *session,
		      char *detail)
{
	const struct tpm_signature *signature = &session->signature;
	struct assay_error err = { 0 };

	if (signature->algorithm != appraisal->ak.scheme ||
	    signature->hash != appraisal->ak.scheme_hash)
		return check_tell(false, detail,
				  "the session's attestation is not signed in the key's scheme");
	if (appraisal_is_signed(appraisal, signature,
				buffer_bytes(&appraisal->evidence.session.attest), &err) < 0)
		return check_tell(false, detail, "the session's attestation: %s", err.text);
	if (!bytes_equal(session->attest.qualified_signer, appraisal->attest.qualified_signer))
		return check_tell(false, detail,
				  "the session's attestation names another signer than the quote");
	return true;
}

/* Nothing else happened between the quote and the attestation. */
static bool is_of_one_piece(const struct appraisal *appraisal, const struct session *session,
			    char *detail)
{
	const struct tpm_attest *quote = &appraisal->attest, *audit = &session->attest;

	if (!session->audit.exclusive)
		return check_tell(false, detail,
				  "the session was not exclusive: the TPM carried out other "
				  "commands behind the quote, which may have changed PCRs");
	if (audit->reset_count != quote->reset_count ||
	    audit->restart_count != quote->restart_count || audit->clock < quote->clock)
		return check_tell(false, detail,
				  "the TPM was reset or restarted between the quote and the "
				  "session's attestation");
	return true;
}

/* The hash of a session is told by the size of its digest. */
static enum assay_hash hash_of_size(size_t size)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						  ASSAY_HASH_SHA512 };

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (assay_hash_size(hashes[i]) == size)
			return hashes[i];
	return ASSAY_HASH_NONE;
}

static int audit_certified(struct assay_digest *digest, struct bytes key_name,
			   const struct evidence_certified *certified, struct assay_error *err)
{
	struct tpm_attest attest;
	int r = tpm_attest_parse(buffer_bytes(&certified->attest), &attest, err);

	return r < 0 ? r :
		       audit_nv_certify(digest, key_name, buffer_bytes(&certified->attest), &attest,
					buffer_bytes(&certified->signature), err);
}

/* That the TPM carried out just these commands, with these answers, its digest proves. */
static bool is_of_these_commands(const struct appraisal *appraisal, const struct session *session,
				 char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	enum assay_hash hash = hash_of_size(session->audit.digest.size);
	struct assay_error err = { 0 };
	struct assay_digest digest;
	struct tpm_name name;
	struct bytes key_name;
	char found[DIGEST_TEXT];
	int r;

	if (!appraisal_accepts(appraisal, (uint16_t)hash) || !audit_begin(hash, &digest))
		return check_tell(false, detail,
				  "the session's digest has %zu bytes: of no hash that is accepted",
				  session->audit.digest.size);
	if (appraisal->ak.area.size == 0)
		return check_tell(false, detail,
				  "the session's digest is of the key's name, which nobody says: "
				  "give the key as the TPM gave it (TPM2B_PUBLIC)");
	r = tpm_key_name(&appraisal->ak, &name, &err);
	key_name = BYTES(name.bytes, name.size);
	if (r == 0)
		r = audit_quote(&digest, key_name, buffer_bytes(&evidence->attest),
				&appraisal->attest, buffer_bytes(&evidence->signature), &err);
	for (size_t i = 0; r == 0 && i < evidence->session.certified_count; i++)
		r = audit_certified(&digest, key_name, &evidence->session.certified[i], &err);
	if (r < 0)
		return check_tell(false, detail, "the session's commands: %s", err.text);
	if (bytes_equal(BYTES(digest.bytes, digest.size), session->audit.digest))
		return true;
	return check_tell(false, detail,
			  "the session's commands come to the digest %s, which is not the one that "
			  "the TPM signed: it carried out others, or answered otherwise",
			  check_digest_text(&digest, found));
}

/* TPMT_HA, Part 2, 10.3.2 */
static bool is_for_that_text(const struct appraisal *appraisal, const struct session *session,
			     char *detail)
{
	struct bytes told = session->attest.extra_data, text;
	struct assay_error err = { 0 };
	struct assay_digest digest;
	uint16_t hash = 0;

	text = buffer_bytes(&appraisal->evidence.session.text);
	if (!bytes_take_be16(&told, &hash) || !appraisal_accepts(appraisal, hash) ||
	    digest_bytes((enum assay_hash)hash, text, &digest, &err) < 0)
		return check_tell(false, detail,
				  "the session's attestation is for no digest of an accepted hash");
	if (!bytes_equal(BYTES(digest.bytes, digest.size), told))
		return check_tell(false, detail,
				  "the session's attestation is for another text than the one that "
				  "is there");
	return true;
}

enum check_result check_quote_session(struct appraisal *appraisal, char *detail)
{
	const struct evidence *evidence = &appraisal->evidence;
	struct session session = { 0 };
	struct assay_error err = { 0 };

	if (!evidence->has_session)
		return check_skip(detail, "the quote is not of an audited session");
	if (!read_session(&evidence->session, &session, detail) ||
	    !is_signed(appraisal, &session, detail) ||
	    !is_of_one_piece(appraisal, &session, detail) ||
	    !is_of_these_commands(appraisal, &session, detail) ||
	    !is_for_that_text(appraisal, &session, detail))
		return CHECK_FAILED;
	if (report_text_nonce(buffer_bytes(&evidence->session.text), &appraisal->session_nonce,
			      &err) < 0) {
		appraisal->session_nonce.size = 0;
		return check_tell(false, detail, "what the session is for: %s", err.text);
	}
	return check_tell(true, detail,
			  "an exclusive session of %zu commands, for a text of %zu bytes%s",
			  evidence->session.certified_count + 1, evidence->session.text.size,
			  appraisal->session_nonce.size > 0 ? "" : " without a nonce");
}
