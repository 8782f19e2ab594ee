// SPDX-License-Identifier: MIT
#include "verify/audit.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/digest.h"

#define RC_SUCCESS 0 /* TPM_RC, Part 2, 6.6 */

bool audit_begin(enum assay_hash hash, struct assay_digest *ret)
{
	*ret = (struct assay_digest){ .hash = hash, .size = assay_hash_size(hash) };
	return ret->size > 0;
}

static void put_sized(struct buffer *out, struct bytes bytes)
{
	buffer_append_be16(out, (uint16_t)bytes.size);
	buffer_append_bytes(out, bytes);
}

static int extend(struct assay_digest *digest, const struct buffer *command,
		  const struct buffer *response, struct assay_error *err)
{
	struct assay_digest cp = { 0 }, rp = { 0 };
	struct bytes pieces[3];
	int r;

	if (command->failed || response->failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = digest_bytes(digest->hash, buffer_bytes(command), &cp, err);
	if (r == 0)
		r = digest_bytes(digest->hash, buffer_bytes(response), &rp, err);
	if (r < 0)
		return r;
	pieces[0] = BYTES(digest->bytes, digest->size);
	pieces[1] = BYTES(cp.bytes, cp.size);
	pieces[2] = BYTES(rp.bytes, rp.size);
	return digest_pieces(digest->hash, pieces, 3, digest, err);
}

/* Both commands answer a TPM2B_ATTEST and a TPMT_SIGNATURE. */
static int extend_attested(struct assay_digest *digest, uint32_t code, const struct buffer *command,
			   struct bytes attest, struct bytes signature, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer response = { 0 };

	buffer_append_be32(&response, RC_SUCCESS);
	buffer_append_be32(&response, code);
	put_sized(&response, attest);
	buffer_append_bytes(&response, signature);
	return extend(digest, command, &response, err);
}

int audit_quote(struct assay_digest *digest, struct bytes key_name, struct bytes attest,
		const struct tpm_attest *parsed, struct bytes signature, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer command = { 0 };
	struct bytes rest = parsed->attested, selection;

	/* TPMS_QUOTE_INFO: what was selected, and the digest of it. */
	if (parsed->type != TPM_ST_ATTEST_QUOTE || rest.size < 2 + parsed->pcr_digest.size ||
	    !bytes_take(&rest, rest.size - 2 - parsed->pcr_digest.size, &selection))
		return assay_fail(err, EBADMSG, "it is no quote");
	buffer_append_be32(&command, TPM_CC_QUOTE);
	buffer_append_bytes(&command, key_name);
	put_sized(&command, parsed->extra_data);
	buffer_append_be16(&command, TPM_ALG_NULL);
	buffer_append_bytes(&command, selection);
	return extend_attested(digest, TPM_CC_QUOTE, &command, attest, signature, err);
}

int audit_nv_certify(struct assay_digest *digest, struct bytes key_name, struct bytes attest,
		     const struct tpm_attest *parsed, struct bytes signature,
		     struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer command = { 0 };
	struct tpm_nv_info info;
	int r;

	if (parsed->type != TPM_ST_ATTEST_NV)
		return assay_fail(err, EBADMSG, "it is no attestation of an NV index");
	r = tpm_nv_info_parse(parsed->attested, &info, err);
	if (r < 0)
		return r;
	/* signHandle, authHandle, nvIndex */
	buffer_append_be32(&command, TPM_CC_NV_CERTIFY);
	buffer_append_bytes(&command, key_name);
	buffer_append_bytes(&command, info.index_name);
	buffer_append_bytes(&command, info.index_name);
	put_sized(&command, parsed->extra_data);
	buffer_append_be16(&command, TPM_ALG_NULL);
	buffer_append_be16(&command, (uint16_t)info.contents.size);
	buffer_append_be16(&command, info.offset);
	return extend_attested(digest, TPM_CC_NV_CERTIFY, &command, attest, signature, err);
}
