// SPDX-License-Identifier: MIT
#include "tpm/nv.h"

#include <errno.h>

#include "tpm/session.h"

/* Bytes that one TPM2_NV_Read asks for: every TPM takes so many (TPM2_PT_NV_BUFFER_MAX). */
#define NV_CHUNK 512

static int read_chunks(struct tpm *tpm, ESYS_TR handle, ESYS_TR reader, ESYS_TR session,
		       TPMI_RH_NV_INDEX index, size_t size, struct buffer *out,
		       struct assay_error *err)
{
	for (size_t done = 0; done < size;) {
		size_t wanted = size - done < NV_CHUNK ? size - done : NV_CHUNK;
		TPM2B_MAX_NV_BUFFER *data = NULL;
		bool good;
		TSS2_RC rc;

		rc = Esys_NV_Read(tpm->esys, reader, handle, session, ESYS_TR_NONE, ESYS_TR_NONE,
				  (UINT16)wanted, (UINT16)done, &data);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_fail(tpm, err, rc, "cannot read the NV index 0x%08x", index);
		good = data->size == wanted;
		if (good)
			buffer_append(out, data->buffer, data->size);
		Esys_Free(data);
		if (!good)
			return assay_fail(err, EPROTO,
					  "the TPM at %s gives another number of bytes of the NV "
					  "index 0x%08x than was asked for",
					  tpm->name, index);
		done += wanted;
	}
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* Most can be read by anyone, with the index's own empty password; some only by the owner. */
static int read_content(struct tpm *tpm, ESYS_TR handle, bool by_anyone, TPMI_RH_NV_INDEX index,
			size_t size, struct buffer *out, struct assay_error *err)
{
	ESYS_TR session;
	int r;

	if (by_anyone)
		return read_chunks(tpm, handle, handle, ESYS_TR_PASSWORD, index, size, out, err);
	r = tpm_authorize(tpm, ESYS_TR_RH_OWNER, TPM_OWNER, ESYS_TR_NONE, 0, &session, err);
	if (r < 0)
		return r;
	r = read_chunks(tpm, handle, ESYS_TR_RH_OWNER, session, index, size, out, err);
	tpm_end_session(tpm, session);
	return r;
}

int tpm_nv_read(struct tpm *tpm, uint32_t index, size_t limit, struct buffer *out,
		struct assay_error *err)
{
	TPM2B_NV_PUBLIC *public = NULL;
	ESYS_TR handle = ESYS_TR_NONE;
	bool written, by_anyone;
	size_t size = 0;
	TSS2_RC rc;
	int r;

	rc = Esys_TR_FromTPMPublic(tpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   &handle);
	if (tpm_rc_is(rc, TPM2_RC_HANDLE))
		return assay_fail(err, ENODATA, "the TPM at %s has no NV index 0x%08x", tpm->name,
				  index);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_NV_ReadPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					&public, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot find the NV index 0x%08x", index);
	size = public->nvPublic.dataSize;
	written = (public->nvPublic.attributes & TPMA_NV_WRITTEN) != 0;
	by_anyone = (public->nvPublic.attributes & TPMA_NV_AUTHREAD) != 0;
	Esys_Free(public);
	if (!written)
		r = assay_fail(err, ENODATA, "nothing is in the NV index 0x%08x of the TPM at %s",
			       index, tpm->name);
	else if (size == 0 || size > limit)
		r = assay_fail(err, EPROTO,
			       "the TPM at %s says that its NV index 0x%08x has %zu bytes; 1 to "
			       "%zu can be",
			       tpm->name, index, size, limit);
	else
		r = read_content(tpm, handle, by_anyone, index, size, out, err);
	(void)Esys_TR_Close(tpm->esys, &handle);
	return r;
}
