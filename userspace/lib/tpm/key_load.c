// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "base/cleanup.h"
#include "tpm/key_internal.h"

/* A key that is in no slot yet. */
static struct tpm_key *new_key(struct tpm *tpm, const char *what, struct assay_error *err)
{
	struct tpm_key *key = calloc(1, sizeof(*key));

	if (!key || !(key->what = strdup(what))) {
		free(key);
		assay_fail(err, ENOMEM, "cannot load %s: out of memory", what);
		return NULL;
	}
	key->tpm = tpm;
	key->handle = ESYS_TR_NONE;
	key->session = ESYS_TR_NONE;
	return key;
}

/* Fills in what the public part says. */
static int set_public(struct tpm_key *key, struct bytes area, struct assay_error *err)
{
	int r = tpm_key_public_read(area, key->what, &key->public, err);

	if (r < 0)
		return r;
	buffer_append_bytes(&key->public_area, area);
	if (key->public_area.failed)
		return assay_fail(err, ENOMEM, "cannot load %s: out of memory", key->what);
	return 0;
}

/*
 * What the key is used with from now on.
 * @salt: a key for the session, if one is needed; ESYS_TR_NONE: one of no known name
 */
static int set_authority(struct tpm_key *key, ESYS_TR salt, struct bytes password,
			 struct assay_error *err)
{
	TPM2_SE type = key->policy.pcrs.size > 0 ? TPM2_SE_POLICY : TPM2_SE_HMAC;
	int r;

	if (key->policy.pcrs.size == 0 && key->public.needs_policy)
		return assay_fail(
			err, EOPNOTSUPP,
			"%s cannot be used: it takes a policy (its public part has one, and lets a "
			"password alone not do), and %s does not tell which: use the program that "
			"made it",
			key->what, key->persistent ? "a handle" : "its file");
	if (password.size > 0) {
		r = tpm_set_password(key->tpm, key->handle, password, err);
		if (r < 0)
			return r;
	} else if (key->policy.pcrs.size == 0) {
		return 0;
	}
	if (salt == ESYS_TR_NONE)
		return tpm_start_unnamed_session(key->tpm, type, 0, &key->session, err);
	return tpm_start_session(key->tpm, type, salt, 0, &key->session, err);
}

static int load_below(struct tpm_key *key, const struct tpm_parent *parent,
		      const TPM2B_PUBLIC *public, const TPM2B_PRIVATE *private,
		      struct assay_error *err)
{
	struct tpm *tpm = key->tpm;
	ESYS_TR session;
	TSS2_RC rc;
	int r = tpm_parent_authorize(tpm, parent, 0, &session, err);

	if (r < 0)
		return r;
	rc = Esys_Load(tpm->esys, parent->handle, session, ESYS_TR_NONE, ESYS_TR_NONE, private,
		       public, &key->handle);
	tpm_end_session(tpm, session);
	if (rc == TSS2_RC_SUCCESS)
		return 0;
	key->handle = ESYS_TR_NONE;
	if (tpm_rc_is(rc, TPM2_RC_INTEGRITY))
		return assay_fail(
			err, EBADMSG,
			"%s is not a key of the TPM at %s: it was made in another one, or "
			"before that TPM was cleared, or the file is damaged",
			key->what, tpm->name);
	return tpm_fail(tpm, err, rc, "cannot load %s", key->what);
}

/* Into a slot, and what it takes to use it there. */
static int load_key(struct tpm_key *key, const struct tpm_key_file *file, struct bytes password,
		    struct assay_error *err)
{
	struct bytes private_area = buffer_bytes(&file->private_area);
	struct bytes public_area = buffer_bytes(&file->public_area);
	struct tpm_parent parent;
	TPM2B_PRIVATE private;
	TPM2B_PUBLIC public = { 0 }; /* the stack wants it so */
	size_t used = 0;
	int r = set_public(key, public_area, err);

	if (r < 0)
		return r;
	if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(public_area.data, public_area.size, &used, &public) !=
	    TSS2_RC_SUCCESS)
		return assay_fail(err, EBADMSG, "%s: the public part is no TPM2B_PUBLIC",
				  key->what);
	used = 0;
	if (Tss2_MU_TPM2B_PRIVATE_Unmarshal(private_area.data, private_area.size, &used,
					    &private) != TSS2_RC_SUCCESS ||
	    used != private_area.size)
		return assay_fail(err, EBADMSG, "%s: the private part is no TPM2B_PRIVATE",
				  key->what);
	r = tpm_parent_open(key->tpm, file->parent, buffer_bytes(&file->parent_name), &parent, err);
	if (r < 0) {
		assay_fail_context(err, "cannot load %s", key->what);
		return r;
	}
	r = load_below(key, &parent, &public, &private, err);
	if (r == 0)
		r = set_authority(key, parent.handle, password, err);
	tpm_parent_close(key->tpm, &parent);
	return r;
}

int tpm_key_load(struct tpm *tpm, const struct tpm_key_file *file, struct bytes password,
		 const char *what, struct tpm_key **ret, struct assay_error *err)
{
	struct tpm_key *key = new_key(tpm, what, err);
	int r;

	if (!key)
		return -ENOMEM;
	buffer_append_bytes(&key->policy.pcrs, buffer_bytes(&file->pcr_policy));
	key->policy.password = file->policy_password;
	r = key->policy.pcrs.failed ?
		    assay_fail(err, ENOMEM, "cannot load %s: out of memory", what) :
		    load_key(key, file, password, err);
	if (r < 0) {
		tpm_key_unload(key);
		return r;
	}
	*ret = key;
	return 0;
}

static int find_public(struct tpm_key *key, uint32_t handle, struct assay_error *err)
{
	uint8_t area[sizeof(TPM2B_PUBLIC)];
	struct tpm *tpm = key->tpm;
	TPM2B_PUBLIC *public = NULL;
	size_t size = 0;
	TSS2_RC rc;

	rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   &key->handle);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_ReadPublic(tpm->esys, key->handle, ESYS_TR_NONE, ESYS_TR_NONE,
				     ESYS_TR_NONE, &public, NULL, NULL);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, area, sizeof(area), &size);
	Esys_Free(public);
	if (tpm_rc_is(rc, TPM2_RC_HANDLE))
		return assay_fail(err, ENOENT,
				  "the TPM at %s has no key with the handle 0x%x; see tpm2_getcap "
				  "handles-persistent",
				  tpm->name, handle);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot find %s", key->what);
	return set_public(key, BYTES(area, size), err);
}

/* The session is salted with the storage primary, where its name is known. */
static int find_authority(struct tpm_key *key, const struct tpm_key_handle *handle,
			  struct bytes password, struct assay_error *err)
{
	struct tpm_parent primary;
	int r;

	if (password.size == 0 || handle->primary_size == 0)
		return set_authority(key, ESYS_TR_NONE, password, err);
	r = tpm_parent_open(key->tpm, TPM_KEY_PARENT_OWNER,
			    BYTES(handle->primary, handle->primary_size), &primary, err);
	if (r < 0) {
		assay_fail_context(err, "cannot use %s", key->what);
		return r;
	}
	r = set_authority(key, primary.handle, password, err);
	tpm_parent_close(key->tpm, &primary);
	return r;
}

int tpm_key_find(struct tpm *tpm, const struct tpm_key_handle *handle, struct bytes password,
		 const char *what, struct tpm_key **ret, struct assay_error *err)
{
	struct tpm_key *key = new_key(tpm, what, err);
	int r;

	if (!key)
		return -ENOMEM;
	key->persistent = true;
	r = find_public(key, handle->handle, err);
	if (r == 0)
		r = find_authority(key, handle, password, err);
	if (r < 0) {
		tpm_key_unload(key);
		return r;
	}
	*ret = key;
	return 0;
}

static int fail_handle(const char *name, struct assay_error *err)
{
	return assay_fail(err, EINVAL,
			  "'%s' names no key: a persistent handle is " TPM_KEY_HANDLE_PREFIX
			  "0x81000000 to " TPM_KEY_HANDLE_PREFIX
			  "0x81ffffff, and ,primary=NAME may follow",
			  name);
}

int tpm_key_handle(const char *name, struct tpm_key_handle *ret, struct assay_error *err)
{
	static const char primary[] = ",primary=";
	const char *text = name + strlen(TPM_KEY_HANDLE_PREFIX);
	struct tpm_key_handle handle = { 0 };
	unsigned long number;
	char *end;

	if (strncmp(name, TPM_KEY_HANDLE_PREFIX, strlen(TPM_KEY_HANDLE_PREFIX)) != 0)
		return -ENOENT;
	number = strtoul(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || number < TPM_KEY_PERSISTENT_FIRST ||
	    number > TPM_KEY_PERSISTENT_LAST)
		return fail_handle(name, err);
	handle.handle = (uint32_t)number;
	if (*end != '\0' && (strncmp(end, primary, strlen(primary)) != 0 ||
			     hex_decode(end + strlen(primary), handle.primary,
					sizeof(handle.primary), &handle.primary_size) < 0 ||
			     handle.primary_size == 0))
		return fail_handle(name, err);
	*ret = handle;
	return 0;
}

int tpm_key_persist(struct tpm_key *key, uint32_t handle, struct assay_error *err)
{
	struct tpm *tpm = key->tpm;
	ESYS_TR stays = ESYS_TR_NONE, session;
	TSS2_RC rc;
	int r = tpm_authorize(tpm, ESYS_TR_RH_OWNER, TPM_OWNER, ESYS_TR_NONE, 0, &session, err);

	if (r < 0)
		return r;
	rc = Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, key->handle, session, ESYS_TR_NONE,
			       ESYS_TR_NONE, handle, &stays);
	tpm_end_session(tpm, session);
	if (tpm_rc_is(rc, TPM2_RC_NV_DEFINED))
		return assay_fail(err, EEXIST,
				  "the TPM at %s has something at the handle 0x%x already: choose "
				  "another, or remove that with tpm2_evictcontrol -c 0x%x",
				  tpm->name, handle, handle);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot keep %s in the TPM", key->what);
	(void)Esys_TR_Close(tpm->esys, &stays);
	return 0;
}

int tpm_key_open(struct tpm *tpm, const char *name, struct tpm_key **ret, struct assay_error *err)
{
	CLEANUP(tpm_key_file_free) struct tpm_key_file file = { 0 };
	struct tpm_key_handle handle;
	int r = tpm_key_handle(name, &handle, err);

	if (r == 0)
		return tpm_key_find(tpm, &handle, BYTES(NULL, 0), name, ret, err);
	if (r != -ENOENT)
		return r;
	r = tpm_key_file_read(name, &file, err);
	return r < 0 ? r : tpm_key_load(tpm, &file, BYTES(NULL, 0), name, ret, err);
}

void tpm_key_unload(struct tpm_key *key)
{
	if (!key)
		return;
	if (key->session != ESYS_TR_NONE)
		tpm_flush(key->tpm, key->session);
	if (key->handle != ESYS_TR_NONE && key->persistent)
		(void)Esys_TR_Close(key->tpm->esys, &key->handle);
	else if (key->handle != ESYS_TR_NONE)
		tpm_flush(key->tpm, key->handle);
	buffer_free(&key->policy.pcrs);
	buffer_free(&key->public_area);
	tpm_key_public_free(&key->public);
	free(key->what);
	free(key);
}

bool tpm_key_attests(const struct tpm_key *key)
{
	return key->public.facts.use == TPM_KEY_ATTESTATION;
}

struct bytes tpm_key_public_area(const struct tpm_key *key)
{
	return buffer_bytes(&key->public_area);
}

EVP_PKEY *tpm_key_public(const struct tpm_key *key)
{
	return key->public.key;
}

int tpm_key_qualified_name(const struct tpm_key *key, struct buffer *out, struct assay_error *err)
{
	TPM2B_NAME *name = NULL;
	TSS2_RC rc;

	rc = Esys_ReadPublic(key->tpm->esys, key->handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			     NULL, NULL, &name);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(key->tpm, err, rc, "cannot ask for the name of %s", key->what);
	buffer_append(out, name->name, name->size);
	Esys_Free(name);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

enum assay_hash tpm_key_scheme_hash(const struct tpm_key *key)
{
	return key->public.scheme_hash;
}

int tpm_key_check_signature(const struct tpm_key *key, const TPMT_SIGNATURE *signature,
			    const struct assay_digest *digest, struct buffer *out,
			    struct assay_error *err)
{
	uint8_t marshalled[sizeof(TPMT_SIGNATURE)];
	size_t size = 0;
	int r;

	if (Tss2_MU_TPMT_SIGNATURE_Marshal(signature, marshalled, sizeof(marshalled), &size) !=
	    TSS2_RC_SUCCESS)
		return assay_fail(err, EPROTO, "the TPM at %s gave a signature that is none",
				  key->tpm->name);
	r = tpm_key_public_verify(&key->public, BYTES(marshalled, size), digest, out, err);
	if (r == -EKEYREJECTED || r == -EBADMSG)
		return assay_fail(
			err, EPROTO,
			"the TPM at %s gave a signature that %s's public key does not verify: "
			"something between assay and the TPM changes the data",
			key->tpm->name, key->what);
	return r;
}

int tpm_key_authorize(const struct tpm_key *key, ESYS_TR *ret, struct assay_error *err)
{
	*ret = key->session == ESYS_TR_NONE ? ESYS_TR_PASSWORD : key->session;
	if (key->policy.pcrs.size == 0)
		return 0;
	return tpm_policy_prove(key->tpm, key->session, &key->policy, key->what, err);
}
