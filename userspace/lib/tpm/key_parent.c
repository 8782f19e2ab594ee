// SPDX-License-Identifier: MIT
#include "tpm/key_parent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "sign/tpm_key_file.h"
#include "tpm/key_public.h"

static const TPM2B_SENSITIVE_CREATE no_password;
static const TPM2B_DATA no_data;
static const TPML_PCR_SELECTION no_pcrs;

/* What it is called follows from its public part: whoever shows another key shows another name. */
static int find_name(struct tpm *tpm, const TPM2B_PUBLIC *public, struct tpm_parent *parent,
		     struct assay_error *err)
{
	uint8_t area[sizeof(TPM2B_PUBLIC)];
	size_t size = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Marshal(public, area, sizeof(area), &size) != TSS2_RC_SUCCESS ||
	    tpm_key_public_name(BYTES(area, size), parent->name, &parent->name_size) < 0)
		return assay_fail(err, EPROTO, "the TPM at %s shows a parent key that is none",
				  tpm->name);
	return 0;
}

static int make_primary(struct tpm *tpm, struct tpm_parent *parent, struct assay_error *err)
{
	TPM2B_PUBLIC *public = NULL;
	ESYS_TR session;
	TSS2_RC rc;
	int r = tpm_authorize(tpm, ESYS_TR_RH_OWNER, TPM_OWNER, ESYS_TR_NONE, 0, &session, err);

	if (r < 0)
		return r;
	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, session, ESYS_TR_NONE, ESYS_TR_NONE,
				&no_password, &tpm_storage_template, &no_data, &no_pcrs,
				&parent->handle, &public, NULL, NULL, NULL);
	tpm_end_session(tpm, session);
	if (rc != TSS2_RC_SUCCESS) {
		parent->handle = ESYS_TR_NONE;
		return tpm_fail(tpm, err, rc,
				"cannot make the storage primary key of the owner hierarchy");
	}
	parent->made = true;
	r = find_name(tpm, public, parent, err);
	Esys_Free(public);
	return r;
}

static int find_persistent(struct tpm *tpm, uint32_t handle, struct tpm_parent *parent,
			   struct assay_error *err)
{
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc;
	int r;

	rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   &parent->handle);
	if (rc != TSS2_RC_SUCCESS) {
		parent->handle = ESYS_TR_NONE;
		return tpm_fail(tpm, err, rc, "cannot find the parent key 0x%x", handle);
	}
	rc = Esys_ReadPublic(tpm->esys, parent->handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			     &public, NULL, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot read the parent key 0x%x", handle);
	r = find_name(tpm, public, parent, err);
	Esys_Free(public);
	return r;
}

static int fail_other(const struct tpm *tpm, uint32_t parent, struct assay_error *err)
{
	char name[64] = "storage primary key";

	if (parent != TPM_KEY_PARENT_OWNER)
		snprintf(name, sizeof(name), "parent key 0x%x", parent);
	return assay_fail(
		err, EKEYREJECTED,
		"the %s of the TPM at %s is not the one that was noted when the key was made: it "
		"is another TPM, or it was cleared since, or something between assay and the TPM "
		"put a key of its own there; the key's password was not used",
		name, tpm->name);
}

int tpm_parent_open(struct tpm *tpm, uint32_t parent, struct bytes name, struct tpm_parent *ret,
		    struct assay_error *err)
{
	struct tpm_parent found = { .handle = ESYS_TR_NONE };
	int r;

	r = parent == TPM_KEY_PARENT_OWNER ? make_primary(tpm, &found, err) :
					     find_persistent(tpm, parent, &found, err);
	if (r == 0 && name.size > 0 && !bytes_equal(name, BYTES(found.name, found.name_size)))
		r = fail_other(tpm, parent, err);
	if (r < 0) {
		tpm_parent_close(tpm, &found);
		return r;
	}
	*ret = found;
	return 0;
}

int tpm_parent_authorize(struct tpm *tpm, const struct tpm_parent *parent, TPMA_SESSION attributes,
			 ESYS_TR *ret, struct assay_error *err)
{
	*ret = ESYS_TR_PASSWORD;
	if (!parent->made)
		return tpm_authorize(tpm, parent->handle, TPM_PARENT, parent->handle, attributes,
				     ret, err);
	/* The storage primary is made without a password. */
	return attributes == 0 ?
		       0 :
		       tpm_start_session(tpm, TPM2_SE_HMAC, parent->handle, attributes, ret, err);
}

void tpm_parent_close(struct tpm *tpm, struct tpm_parent *parent)
{
	if (parent->handle != ESYS_TR_NONE && parent->made)
		tpm_flush(tpm, parent->handle);
	else if (parent->handle != ESYS_TR_NONE)
		(void)Esys_TR_Close(tpm->esys, &parent->handle);
	parent->handle = ESYS_TR_NONE;
}
