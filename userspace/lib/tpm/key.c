// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "tpm/key.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>

#include "base/digest.h"
#include "tpm/key_internal.h"
#include "tpm/pcr_internal.h"

/* Attributes of whatever is made inside the TPM and stays there. */
#define MADE_HERE                                                                           \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	 TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA)

/* RSA keys below this are not worth a signature (NIST SP 800-131A). */
#define RSA_BITS_MIN 2048

/* Persistent objects (TPM 2.0 Library part 2, section 7.2, and the registry of handles). */
#define PERSISTENT_FIRST 0x81000000ul
#define PERSISTENT_LAST 0x81fffffful

static const TPM2B_SENSITIVE_CREATE no_password;
static const TPM2B_DATA no_data;
static const TPML_PCR_SELECTION no_pcrs;

static const TPM2B_PUBLIC primary_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = MADE_HERE | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
		.parameters.eccDetail = {
			.symmetric = {
				.algorithm = TPM2_ALG_AES,
				.keyBits.aes = 128,
				.mode.aes = TPM2_ALG_CFB,
			},
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};

/* Of a P-256 key; template_for() changes what is asked for. */
static const TPM2B_PUBLIC signing_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = MADE_HERE | TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme.scheme = TPM2_ALG_NULL,
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};

static const TPM2B_PUBLIC attestation_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = MADE_HERE | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT,
		.parameters.eccDetail = {
			.symmetric.algorithm = TPM2_ALG_NULL,
			.scheme = {
				.scheme = TPM2_ALG_ECDSA,
				.details.ecdsa.hashAlg = TPM2_ALG_SHA256,
			},
			.curveID = TPM2_ECC_NIST_P256,
			.kdf.scheme = TPM2_ALG_NULL,
		},
	},
};

void tpm_flush(struct tpm *tpm, ESYS_TR handle)
{
	/* A slot that cannot be freed is freed when the TPM is closed or reset. */
	(void)Esys_FlushContext(tpm->esys, handle);
}

/*
 * The parent in a slot. *@ret_made: it was made for this, so flush it; a persistent
 * one has only the stack's object, which tpm_close() frees.
 */
static int open_parent(struct tpm *tpm, uint32_t parent, ESYS_TR *ret, bool *ret_made,
		       struct assay_error *err)
{
	TSS2_RC rc;

	if (parent != TPM_KEY_PARENT_OWNER) {
		rc = Esys_TR_FromTPMPublic(tpm->esys, parent, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ret);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_fail(tpm, err, rc, "cannot find the parent key 0x%x", parent);
		*ret_made = false;
		return 0;
	}
	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &no_password, &primary_template, &no_data, &no_pcrs,
				ret, NULL, NULL, NULL, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot make the storage primary key");
	*ret_made = true;
	return 0;
}

/* ---------------------------------------------------------------- sessions */

static const TPMT_SYM_DEF session_cipher = {
	.algorithm = TPM2_ALG_AES,
	.keyBits.aes = 128,
	.mode.aes = TPM2_ALG_CFB,
};

int tpm_start_session(struct tpm *tpm, TPM2_SE type, ESYS_TR salt, TPMA_SESSION attributes,
		      ESYS_TR *ret, struct assay_error *err)
{
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC rc;

	rc = Esys_StartAuthSession(tpm->esys, salt, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   ESYS_TR_NONE, NULL, type, &session_cipher, TPM2_ALG_SHA256,
				   &session);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot start a session");
	attributes |= TPMA_SESSION_CONTINUESESSION;
	rc = Esys_TRSess_SetAttributes(tpm->esys, session, attributes, attributes);
	if (rc != TSS2_RC_SUCCESS) {
		tpm_flush(tpm, session);
		return tpm_fail(tpm, err, rc, "cannot start a session");
	}
	*ret = session;
	return 0;
}

/* Runs the policy of a key in a session: see struct tpm_key_file. */
static int run_policy(struct tpm *tpm, ESYS_TR session, struct bytes policy, bool password,
		      const char *what, struct assay_error *err)
{
	TPML_PCR_SELECTION selection;
	TPM2B_DIGEST digest;
	size_t used = 0;
	TSS2_RC rc;

	rc = Tss2_MU_TPM2B_DIGEST_Unmarshal(policy.data, policy.size, &used, &digest);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPML_PCR_SELECTION_Unmarshal(policy.data, policy.size, &used,
							  &selection);
	if (rc != TSS2_RC_SUCCESS || used != policy.size)
		return assay_fail(err, EBADMSG, "%s: its policy is no PCR policy", what);
	rc = Esys_PolicyPCR(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest,
			    &selection);
	if (tpm_rc_is(rc, TPM2_RC_VALUE))
		return assay_fail(err, EPERM,
				  "%s cannot be used now: the PCRs that it is bound to have other "
				  "values than when it was made",
				  what);
	if (rc == TSS2_RC_SUCCESS && password)
		rc = Esys_PolicyAuthValue(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE);
	return rc == TSS2_RC_SUCCESS ? 0 : tpm_fail(tpm, err, rc, "cannot use %s", what);
}

/* ---------------------------------------------------------------- creating */

/* TPM2_PolicyPCR's parameters for the PCRs' values of now, marshalled. */
static int make_pcr_policy(struct tpm *tpm, const struct tpm_pcrs *pcrs, struct buffer *out,
			   struct assay_error *err)
{
	uint8_t room[sizeof(TPM2B_DIGEST) + sizeof(TPML_PCR_SELECTION)];
	struct tpm_pcrs values = *pcrs;
	TPML_PCR_SELECTION selection;
	struct buffer all = { 0 };
	struct assay_digest digest;
	TPM2B_DIGEST marshalled = { 0 };
	bool changed = false;
	size_t size = 0;
	TSS2_RC rc;
	int r = tpm_pcr_read(tpm, &values, &changed, err);

	if (r < 0)
		return r;
	if (changed)
		return assay_fail(err, EAGAIN, "the PCRs change just now; try again");
	for (size_t i = 0; i < TPM_PCR_COUNT; i++)
		if (values.banks[0].selected >> i & 1)
			buffer_append(&all, values.banks[0].value[i],
				      assay_hash_size(values.banks[0].hash));
	if (all.failed || digest_bytes(ASSAY_HASH_SHA256, buffer_bytes(&all), &digest, NULL) < 0) {
		buffer_free(&all);
		return assay_fail(err, ENOMEM, "cannot create a key: out of memory");
	}
	buffer_free(&all);
	marshalled.size = (UINT16)digest.size;
	memcpy(marshalled.buffer, digest.bytes, digest.size);
	tpm_pcr_selection(pcrs, NULL, &selection);
	rc = Tss2_MU_TPM2B_DIGEST_Marshal(&marshalled, room, sizeof(room), &size);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPML_PCR_SELECTION_Marshal(&selection, room, sizeof(room), &size);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot make a policy");
	buffer_append(out, room, size);
	return out->failed ? assay_fail(err, ENOMEM, "cannot create a key: out of memory") : 0;
}

/* The digest by which a key knows its policy, from a session that only tries it. */
static int policy_digest(struct tpm *tpm, struct bytes policy, bool password, TPM2B_DIGEST *ret,
			 struct assay_error *err)
{
	TPM2B_DIGEST *digest = NULL;
	ESYS_TR session = ESYS_TR_NONE;
	TSS2_RC rc;
	int r = tpm_start_session(tpm, TPM2_SE_TRIAL, ESYS_TR_NONE, 0, &session, err);

	if (r < 0)
		return r;
	r = run_policy(tpm, session, policy, password, "the new key", err);
	if (r == 0) {
		rc = Esys_PolicyGetDigest(tpm->esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, &digest);
		if (rc != TSS2_RC_SUCCESS)
			r = tpm_fail(tpm, err, rc, "cannot make a policy");
		else
			*ret = *digest;
		Esys_Free(digest);
	}
	tpm_flush(tpm, session);
	return r;
}

/* Makes another key of the P-256 template. */
static void set_algorithm(const struct tpm_key_options *options, TPMT_PUBLIC *area)
{
	bool attests = options->use == TPM_KEY_ATTESTATION;

	if (options->algorithm == TPM_KEY_P384) {
		area->parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
		if (attests)
			area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384;
	}
	if (options->algorithm == TPM_KEY_RSA2048) {
		area->type = TPM2_ALG_RSA;
		memset(&area->parameters, 0, sizeof(area->parameters));
		area->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
		area->parameters.rsaDetail.scheme.scheme =
			attests ? TPM2_ALG_RSASSA : TPM2_ALG_NULL;
		if (attests)
			area->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
		area->parameters.rsaDetail.keyBits = 2048;
		memset(&area->unique, 0, sizeof(area->unique));
	}
}

static int template_for(struct tpm *tpm, const struct tpm_key_options *options,
			struct tpm_key_file *file, TPM2B_PUBLIC *ret, struct assay_error *err)
{
	TPMT_PUBLIC *area = &ret->publicArea;
	int r;

	*ret = options->use == TPM_KEY_ATTESTATION ? attestation_template : signing_template;
	set_algorithm(options, area);
	file->password = options->password.size > 0;
	if (file->password)
		area->objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_NODA;
	if (!options->pcrs)
		return 0;
	/* With userWithAuth the password alone, empty or not, would do. */
	area->objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_USERWITHAUTH;
	r = make_pcr_policy(tpm, options->pcrs, &file->pcr_policy, err);
	if (r < 0)
		return r;
	return policy_digest(tpm, buffer_bytes(&file->pcr_policy), file->password,
			     &area->authPolicy, err);
}

/* TPM2_Create below @parent. The password goes there encrypted. */
static int create_below(struct tpm *tpm, ESYS_TR parent, const struct tpm_key_options *options,
			const TPM2B_PUBLIC *template, struct tpm_key_file *file,
			struct assay_error *err)
{
	uint8_t public_area[sizeof(TPM2B_PUBLIC)], private_area[sizeof(TPM2B_PRIVATE)];
	size_t public_size = 0, private_size = 0;
	TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	ESYS_TR session = ESYS_TR_NONE;
	TPM2B_PRIVATE *private = NULL;
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc;
	int r;

	if (options->password.size > 0) {
		r = tpm_start_session(tpm, TPM2_SE_HMAC, parent, TPMA_SESSION_DECRYPT, &session,
				      err);
		if (r < 0)
			return r;
		sensitive.sensitive.userAuth.size = (UINT16)options->password.size;
		memcpy(sensitive.sensitive.userAuth.buffer, options->password.data,
		       options->password.size);
	}
	rc = Esys_Create(tpm->esys, parent, session == ESYS_TR_NONE ? ESYS_TR_PASSWORD : session,
			 ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, template, &no_data, &no_pcrs,
			 &private, &public, NULL, NULL, NULL);
	OPENSSL_cleanse(&sensitive, sizeof(sensitive));
	if (session != ESYS_TR_NONE)
		tpm_flush(tpm, session);
	if (tpm_rc_is(rc, TPM2_RC_CURVE) || tpm_rc_is(rc, TPM2_RC_VALUE) ||
	    tpm_rc_is(rc, TPM2_RC_KEY_SIZE))
		return assay_fail(err, EOPNOTSUPP,
				  "cannot create a key: the TPM at %s has not this algorithm (%s)",
				  tpm->name, Tss2_RC_Decode(rc));
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, public_area, sizeof(public_area),
						  &public_size);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PRIVATE_Marshal(private, private_area, sizeof(private_area),
						   &private_size);
	Esys_Free(private);
	Esys_Free(public);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot create a key");
	buffer_append(&file->public_area, public_area, public_size);
	buffer_append(&file->private_area, private_area, private_size);
	return file->public_area.failed || file->private_area.failed ?
		       assay_fail(err, ENOMEM, "cannot create a key: out of memory") :
		       0;
}

static int check_password(struct bytes password, struct assay_error *err)
{
	if (password.size <= TPM_PASSWORD_MAX)
		return 0;
	return assay_fail(err, EINVAL, "a password of %zu bytes is longer than the %d possible",
			  password.size, TPM_PASSWORD_MAX);
}

int tpm_key_create(struct tpm *tpm, const struct tpm_key_options *options, struct tpm_key_file *ret,
		   struct assay_error *err)
{
	struct tpm_key_file file = { .parent = TPM_KEY_PARENT_OWNER };
	TPM2B_PUBLIC template;
	ESYS_TR parent;
	bool made = false;
	int r;

	r = check_password(options->password, err);
	if (r == 0)
		r = template_for(tpm, options, &file, &template, err);
	if (r == 0)
		r = open_parent(tpm, file.parent, &parent, &made, err);
	if (r == 0)
		r = create_below(tpm, parent, options, &template, &file, err);
	if (made)
		tpm_flush(tpm, parent);
	if (r < 0) {
		tpm_key_file_free(&file);
		return r;
	}
	*ret = file;
	return 0;
}

/* OpenSSL's key from its parameters; takes @build over. */
static EVP_PKEY *make_public(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *parameters = build ? OSSL_PARAM_BLD_to_param(build) : NULL;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(build);
	return key;
}

/* NULL for a curve not known and a point that is not on the curve. */
static EVP_PKEY *ecc_public(const TPMT_PUBLIC *public)
{
	const TPM2B_ECC_PARAMETER *x = &public->unique.ecc.x, *y = &public->unique.ecc.y;
	TPM2_ECC_CURVE curve = public->parameters.eccDetail.curveID;
	const char *group = curve == TPM2_ECC_NIST_P256 ? "P-256" :
			    curve == TPM2_ECC_NIST_P384 ? "P-384" :
							  NULL;
	size_t size = curve == TPM2_ECC_NIST_P256 ? 32 : 48;
	uint8_t point[1 + 2 * 48] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *build;

	if (!group || x->size > size || y->size > size)
		return NULL;
	/* A TPM may leave leading zeros out. */
	memcpy(point + 1 + size - x->size, x->buffer, x->size);
	memcpy(point + 1 + 2 * size - y->size, y->buffer, y->size);
	build = OSSL_PARAM_BLD_new();
	if (build &&
	    (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) != 1 ||
	     OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
					      1 + 2 * size) != 1)) {
		OSSL_PARAM_BLD_free(build);
		return NULL;
	}
	return make_public("EC", build);
}

static EVP_PKEY *rsa_public(const TPMT_PUBLIC *public)
{
	const TPM2B_PUBLIC_KEY_RSA *modulus = &public->unique.rsa;
	/* 0 stands for the usual one (TPM 2.0 Library part 2, section 12.2.3.5). */
	uint32_t exponent = public->parameters.rsaDetail.exponent ?
				    public->parameters.rsaDetail.exponent :
				    RSA_F4;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(modulus->buffer, modulus->size, NULL);
	EVP_PKEY *key = NULL;

	if (build && n && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_uint32(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		key = make_public("RSA", build);
	else
		OSSL_PARAM_BLD_free(build);
	BN_free(n);
	if (key && EVP_PKEY_get_bits(key) < RSA_BITS_MIN) {
		EVP_PKEY_free(key);
		return NULL;
	}
	return key;
}

/* Fills @key->public and @key->public_key from the file's public part. */
static int read_public(struct tpm_key *key, struct bytes area, struct assay_error *err)
{
	const TPMT_PUBLIC *public = &key->public.publicArea;
	size_t used = 0;
	TSS2_RC rc;

	rc = Tss2_MU_TPM2B_PUBLIC_Unmarshal(area.data, area.size, &used, &key->public);
	if (rc != TSS2_RC_SUCCESS || used != area.size)
		return assay_fail(err, EBADMSG, "%s: the public part is no TPM2B_PUBLIC",
				  key->what);
	if ((public->objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) == 0 ||
	    (public->type != TPM2_ALG_ECC && public->type != TPM2_ALG_RSA))
		return assay_fail(err, EOPNOTSUPP, "%s: this key cannot be used: it does not sign",
				  key->what);
	key->public_key = public->type == TPM2_ALG_ECC ? ecc_public(public) : rsa_public(public);
	ERR_clear_error();
	if (!key->public_key)
		return assay_fail(
			err, EOPNOTSUPP,
			"%s: this key cannot be used: it has to be ECC P-256, P-384, or RSA "
			"with %d bits or more",
			key->what, RSA_BITS_MIN);
	buffer_append_bytes(&key->public_area, area);
	if (key->public_area.failed)
		return assay_fail(err, ENOMEM, "cannot load %s: out of memory", key->what);
	return 0;
}

/* What proves the password from now on. @salt: as for tpm_start_session() */
static int set_password(struct tpm_key *key, ESYS_TR salt, struct bytes password,
			struct assay_error *err)
{
	TPM2B_AUTH auth = { .size = (UINT16)password.size };
	TSS2_RC rc;
	int r = check_password(password, err);

	if (r < 0 || password.size == 0)
		return r;
	memcpy(auth.buffer, password.data, password.size);
	rc = Esys_TR_SetAuth(key->tpm->esys, key->handle, &auth);
	OPENSSL_cleanse(&auth, sizeof(auth));
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(key->tpm, err, rc, "cannot use %s", key->what);
	key->password = true;
	/* With a policy, a session of that proves it. */
	if (key->pcr_policy.size > 0)
		return 0;
	return tpm_start_session(key->tpm, TPM2_SE_HMAC, salt, 0, &key->session, err);
}

static int load(struct tpm_key *key, const struct tpm_key_file *file, struct bytes password,
		struct assay_error *err)
{
	struct tpm *tpm = key->tpm;
	TPM2B_PRIVATE private;
	size_t used = 0;
	ESYS_TR parent;
	bool made = false;
	TSS2_RC rc;
	int r;

	rc = Tss2_MU_TPM2B_PRIVATE_Unmarshal(file->private_area.data, file->private_area.size,
					     &used, &private);
	if (rc != TSS2_RC_SUCCESS || used != file->private_area.size)
		return assay_fail(err, EBADMSG, "%s: the private part is no TPM2B_PRIVATE",
				  key->what);
	r = open_parent(tpm, file->parent, &parent, &made, err);
	if (r < 0)
		return r;
	rc = Esys_Load(tpm->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &private,
		       &key->public, &key->handle);
	if (rc == TSS2_RC_SUCCESS)
		r = set_password(key, parent, password, err);
	if (made)
		tpm_flush(tpm, parent);
	if (rc == TSS2_RC_SUCCESS)
		return r;
	key->handle = ESYS_TR_NONE;
	if (tpm_rc_is(rc, TPM2_RC_INTEGRITY))
		return assay_fail(
			err, EBADMSG,
			"%s is not a key of the TPM at %s: it was made in another one, or "
			"before that TPM was cleared, or the file is damaged",
			key->what, tpm->name);
	return tpm_fail(tpm, err, rc, "cannot load %s", key->what);
}

/* A key that is in no slot yet. */
static struct tpm_key *prepare(const char *what, struct assay_error *err)
{
	struct tpm_key *key = calloc(1, sizeof(*key));

	if (!key || !(key->what = strdup(what))) {
		free(key);
		assay_fail(err, ENOMEM, "cannot load %s: out of memory", what);
		return NULL;
	}
	key->handle = ESYS_TR_NONE;
	key->session = ESYS_TR_NONE;
	return key;
}

int tpm_key_load(struct tpm *tpm, const struct tpm_key_file *file, struct bytes password,
		 const char *what, struct tpm_key **ret, struct assay_error *err)
{
	struct tpm_key *key;
	int r;

	if (file->password && password.size == 0)
		return assay_fail(err, EACCES, "%s has a password, and none was given", what);
	key = prepare(what, err);
	if (!key)
		return -ENOMEM;
	key->tpm = tpm;
	buffer_append_bytes(&key->pcr_policy, buffer_bytes(&file->pcr_policy));
	r = read_public(key, buffer_bytes(&file->public_area), err);
	if (r == 0)
		r = load(key, file, password, err);
	if (r < 0) {
		tpm_key_unload(key);
		return r;
	}
	*ret = key;
	return 0;
}

int tpm_key_find(struct tpm *tpm, uint32_t handle, struct bytes password, const char *what,
		 struct tpm_key **ret, struct assay_error *err)
{
	struct tpm_key *key = prepare(what, err);
	uint8_t area[sizeof(TPM2B_PUBLIC)];
	TPM2B_PUBLIC *public = NULL;
	size_t size = 0;
	TSS2_RC rc;
	int r;

	if (!key)
		return -ENOMEM;
	key->tpm = tpm;
	key->persistent = true;
	rc = Esys_TR_FromTPMPublic(tpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   &key->handle);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_ReadPublic(tpm->esys, key->handle, ESYS_TR_NONE, ESYS_TR_NONE,
				     ESYS_TR_NONE, &public, NULL, NULL);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, area, sizeof(area), &size);
	Esys_Free(public);
	if (tpm_rc_is(rc, TPM2_RC_HANDLE))
		r = assay_fail(err, ENOENT,
			       "the TPM at %s has no key with the handle 0x%x; see tpm2_getcap "
			       "handles-persistent",
			       tpm->name, handle);
	else if (rc != TSS2_RC_SUCCESS)
		r = tpm_fail(tpm, err, rc, "cannot find %s", what);
	else
		r = read_public(key, BYTES(area, size), err);
	if (r == 0)
		r = set_password(key, ESYS_TR_NONE, password, err);
	if (r < 0) {
		tpm_key_unload(key);
		return r;
	}
	*ret = key;
	return 0;
}

int tpm_key_describe(const struct tpm_key_file *file, const char *what, struct tpm_key_facts *ret,
		     struct assay_error *err)
{
	const TPMA_OBJECT made_here =
		TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN;
	struct tpm_key *key = prepare(what, err);
	struct tpm_key_facts facts = { 0 };
	struct assay_digest digest;
	struct bytes area;
	uint16_t size, hash;
	int r;

	if (!key)
		return -ENOMEM;
	r = read_public(key, buffer_bytes(&file->public_area), err);
	if (r < 0)
		goto out;
	facts.password = file->password;
	facts.pcr_policy = file->pcr_policy.size > 0;
	facts.use = tpm_key_attests(key) ? TPM_KEY_ATTESTATION : TPM_KEY_SIGNING;
	facts.made_here = (key->public.publicArea.objectAttributes & made_here) == made_here;
	if (key->public.publicArea.type == TPM2_ALG_RSA)
		snprintf(facts.algorithm, sizeof(facts.algorithm), "RSA-%d",
			 EVP_PKEY_get_bits(key->public_key));
	else
		snprintf(facts.algorithm, sizeof(facts.algorithm), "P-%d",
			 EVP_PKEY_get_bits(key->public_key));
	/* TPM 2.0 Library part 1, section 16: the name is of the area without its size. */
	area = buffer_bytes(&file->public_area);
	hash = key->public.publicArea.nameAlg;
	if (!bytes_take_be16(&area, &size) || assay_hash_size((enum assay_hash)hash) == 0 ||
	    digest_bytes((enum assay_hash)hash, area, &digest, NULL) < 0) {
		r = assay_fail(err, EOPNOTSUPP, "%s: the key's name is made with an unknown hash",
			       what);
		goto out;
	}
	facts.name[0] = (uint8_t)(hash >> 8);
	facts.name[1] = (uint8_t)hash;
	memcpy(facts.name + 2, digest.bytes, digest.size);
	facts.name_size = 2 + digest.size;
	*ret = facts;
out:
	tpm_key_unload(key);
	return r;
}

int tpm_key_file_public(const struct tpm_key_file *file, const char *what, EVP_PKEY **ret,
			struct assay_error *err)
{
	struct tpm_key *key = prepare(what, err);
	int r;

	if (!key)
		return -ENOMEM;
	r = read_public(key, buffer_bytes(&file->public_area), err);
	if (r == 0) {
		EVP_PKEY_up_ref(key->public_key);
		*ret = key->public_key;
	}
	tpm_key_unload(key);
	return r;
}

int tpm_key_handle(const char *name, uint32_t *ret, struct assay_error *err)
{
	const char *text = name + strlen(TPM_KEY_HANDLE_PREFIX);
	unsigned long handle;
	char *end;

	if (strncmp(name, TPM_KEY_HANDLE_PREFIX, strlen(TPM_KEY_HANDLE_PREFIX)) != 0)
		return -ENOENT;
	handle = strtoul(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || *end || handle < PERSISTENT_FIRST ||
	    handle > PERSISTENT_LAST)
		return assay_fail(err, EINVAL,
				  "'%s' names no key: a persistent handle is " TPM_KEY_HANDLE_PREFIX
				  "0x81000000 to " TPM_KEY_HANDLE_PREFIX "0x81ffffff",
				  name);
	*ret = (uint32_t)handle;
	return 0;
}

int tpm_key_persist(struct tpm_key *key, uint32_t handle, struct assay_error *err)
{
	struct tpm *tpm = key->tpm;
	ESYS_TR stays = ESYS_TR_NONE;
	TSS2_RC rc;

	rc = Esys_EvictControl(tpm->esys, ESYS_TR_RH_OWNER, key->handle, ESYS_TR_PASSWORD,
			       ESYS_TR_NONE, ESYS_TR_NONE, handle, &stays);
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
	struct tpm_key_file file = { 0 };
	uint32_t handle;
	int r = tpm_key_handle(name, &handle, err);

	if (r == 0)
		return tpm_key_find(tpm, handle, BYTES(NULL, 0), name, ret, err);
	if (r != -ENOENT)
		return r;
	r = tpm_key_file_read(name, &file, err);
	if (r == 0)
		r = tpm_key_load(tpm, &file, BYTES(NULL, 0), name, ret, err);
	tpm_key_file_free(&file);
	return r;
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
	buffer_free(&key->pcr_policy);
	buffer_free(&key->public_area);
	EVP_PKEY_free(key->public_key);
	free(key->what);
	free(key);
}

bool tpm_key_attests(const struct tpm_key *key)
{
	TPMA_OBJECT attributes = key->public.publicArea.objectAttributes;

	return (attributes & TPMA_OBJECT_RESTRICTED) != 0 &&
	       (attributes & TPMA_OBJECT_DECRYPT) == 0;
}

struct bytes tpm_key_public_area(const struct tpm_key *key)
{
	return buffer_bytes(&key->public_area);
}

EVP_PKEY *tpm_key_public(const struct tpm_key *key)
{
	return key->public_key;
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

TPM2_ALG_ID tpm_key_scheme_hash(const struct tpm_key *key)
{
	const TPMU_PUBLIC_PARMS *parameters = &key->public.publicArea.parameters;

	/* Both kinds have their signing scheme and its hash at the same place. */
	return parameters->asymDetail.scheme.scheme == TPM2_ALG_NULL ?
		       TPM2_ALG_NULL :
		       parameters->asymDetail.scheme.details.anySig.hashAlg;
}

/* r and s of the TPM as Ecdsa-Sig-Value in DER. */
static bool ecdsa_der(const TPMS_SIGNATURE_ECC *in, struct buffer *out)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(in->signatureR.buffer, in->signatureR.size, NULL);
	BIGNUM *s = BN_bin2bn(in->signatureS.buffer, in->signatureS.size, NULL);
	uint8_t *der = NULL;
	int size = -1;

	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		size = i2d_ECDSA_SIG(signature, &der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	if (size > 0)
		buffer_append(out, der, (size_t)size);
	OPENSSL_free(der);
	ECDSA_SIG_free(signature);
	return size > 0 && !out->failed;
}

static bool verify(EVP_PKEY *key, const struct assay_digest *digest, struct bytes signature)
{
	const EVP_MD *hash = digest_algorithm(digest->hash);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool good;

	/* RSA: OpenSSL's default padding is PKCS#1 v1.5. */
	good = context && EVP_PKEY_verify_init(context) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(context, hash) == 1 &&
	       EVP_PKEY_verify(context, signature.data, signature.size, digest->bytes,
			       digest->size) == 1;
	EVP_PKEY_CTX_free(context);
	ERR_clear_error();
	return good;
}

int tpm_key_check_signature(const struct tpm_key *key, const TPMT_SIGNATURE *signature,
			    const struct assay_digest *digest, struct buffer *out,
			    struct assay_error *err)
{
	const TPM2B_PUBLIC_KEY_RSA *rsa = &signature->signature.rsassa.sig;
	struct buffer form = { 0 };
	bool good = false;

	if (signature->sigAlg == TPM2_ALG_ECDSA && key->public.publicArea.type == TPM2_ALG_ECC) {
		good = ecdsa_der(&signature->signature.ecdsa, &form);
	} else if (signature->sigAlg == TPM2_ALG_RSASSA &&
		   key->public.publicArea.type == TPM2_ALG_RSA) {
		buffer_append(&form, rsa->buffer, rsa->size);
		good = !form.failed;
	}
	good = good && verify(key->public_key, digest, buffer_bytes(&form));
	if (good)
		buffer_append_bytes(out, buffer_bytes(&form));
	buffer_free(&form);
	if (!good || out->failed)
		return assay_fail(
			err, EPROTO,
			"the TPM at %s gave a signature that %s's public key does not verify: "
			"something between assay and the TPM changes the data",
			key->tpm->name, key->what);
	return 0;
}

int tpm_key_authorize(const struct tpm_key *key, ESYS_TR *ret, struct assay_error *err)
{
	int r;

	if (key->pcr_policy.size == 0) {
		*ret = key->session == ESYS_TR_NONE ? ESYS_TR_PASSWORD : key->session;
		return 0;
	}
	r = tpm_start_session(key->tpm, TPM2_SE_POLICY, ESYS_TR_NONE, 0, ret, err);
	if (r < 0)
		return r;
	r = run_policy(key->tpm, *ret, buffer_bytes(&key->pcr_policy), key->password, key->what,
		       err);
	if (r < 0)
		tpm_flush(key->tpm, *ret);
	return r;
}
