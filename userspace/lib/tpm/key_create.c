// SPDX-License-Identifier: MIT
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>

#include "tpm/key_internal.h"

/* Attributes of whatever is made inside the TPM and stays there. */
#define MADE_HERE                                                                           \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	 TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA)

static const TPM2B_DATA no_data;
static const TPML_PCR_SELECTION no_pcrs;

/* What an attestation key signs with is fixed: a hash as strong as the key. */
static const struct {
	TPM2_ECC_CURVE curve; /* 0: RSA */
	TPMI_RSA_KEY_BITS bits;
	TPM2_ALG_ID scheme, hash;
} algorithms[] = {
	[TPM_KEY_P256] = { TPM2_ECC_NIST_P256, 0, TPM2_ALG_ECDSA, TPM2_ALG_SHA256 },
	[TPM_KEY_P384] = { TPM2_ECC_NIST_P384, 0, TPM2_ALG_ECDSA, TPM2_ALG_SHA384 },
	[TPM_KEY_P521] = { TPM2_ECC_NIST_P521, 0, TPM2_ALG_ECDSA, TPM2_ALG_SHA512 },
	[TPM_KEY_RSA2048] = { 0, 2048, TPM2_ALG_RSASSA, TPM2_ALG_SHA256 },
	[TPM_KEY_RSA3072] = { 0, 3072, TPM2_ALG_RSASSA, TPM2_ALG_SHA256 },
	[TPM_KEY_RSA4096] = { 0, 4096, TPM2_ALG_RSASSA, TPM2_ALG_SHA256 },
};

/* A signing key is without a scheme, so that it signs a digest of any hash. */
static void set_kind(const struct tpm_key_options *options, TPMT_PUBLIC *area)
{
	TPMS_ASYM_PARMS *parameters = &area->parameters.asymDetail;
	TPM2_ALG_ID scheme = TPM2_ALG_NULL;

	if (options->use == TPM_KEY_ATTESTATION)
		scheme = options->pss ? TPM2_ALG_RSAPSS : algorithms[options->algorithm].scheme;
	*area = (TPMT_PUBLIC){
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = MADE_HERE | TPMA_OBJECT_SIGN_ENCRYPT,
	};
	if (options->use == TPM_KEY_ATTESTATION)
		area->objectAttributes |= TPMA_OBJECT_RESTRICTED;
	parameters->symmetric.algorithm = TPM2_ALG_NULL;
	parameters->scheme.scheme = scheme;
	if (scheme != TPM2_ALG_NULL)
		parameters->scheme.details.anySig.hashAlg = algorithms[options->algorithm].hash;
	if (algorithms[options->algorithm].curve == 0) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.keyBits = algorithms[options->algorithm].bits;
	} else {
		area->type = TPM2_ALG_ECC;
		area->parameters.eccDetail.curveID = algorithms[options->algorithm].curve;
		area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
	}
}

static int make_template(struct tpm *tpm, const struct tpm_key_options *options,
			 struct tpm_key_file *file, TPM2B_PUBLIC *ret, struct assay_error *err)
{
	struct tpm_key_policy policy = { .password = options->password.size > 0 };
	TPMT_PUBLIC *area = &ret->publicArea;
	int r;

	*ret = (TPM2B_PUBLIC){ 0 };
	set_kind(options, area);
	file->password = options->password.size > 0;
	if (file->password)
		area->objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_NODA;
	if (!options->pcrs)
		return 0;
	/* With userWithAuth the password alone, empty or not, would do. */
	area->objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_USERWITHAUTH;
	r = tpm_policy_make(tpm, options->pcrs, &policy, &area->authPolicy, err);
	file->pcr_policy = policy.pcrs;
	file->policy_password = policy.password;
	return r;
}

static int keep_parts(struct tpm *tpm, const TPM2B_PUBLIC *public, const TPM2B_PRIVATE *private,
		      struct tpm_key_file *file, struct assay_error *err)
{
	uint8_t public_area[sizeof(TPM2B_PUBLIC)], private_area[sizeof(TPM2B_PRIVATE)];
	size_t public_size = 0, private_size = 0;
	TSS2_RC rc;

	rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, public_area, sizeof(public_area), &public_size);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PRIVATE_Marshal(private, private_area, sizeof(private_area),
						   &private_size);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot create a key");
	buffer_append(&file->public_area, public_area, public_size);
	buffer_append(&file->private_area, private_area, private_size);
	return file->public_area.failed || file->private_area.failed ?
		       assay_fail(err, ENOMEM, "cannot create a key: out of memory") :
		       0;
}

/* TPM2_Create below @parent. The new password goes there encrypted. */
static int create_below(struct tpm *tpm, const struct tpm_parent *parent, struct bytes password,
			const TPM2B_PUBLIC *template, struct tpm_key_file *file,
			struct assay_error *err)
{
	TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	ESYS_TR session = ESYS_TR_NONE;
	TPM2B_PRIVATE *private = NULL;
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc;
	int r = tpm_parent_authorize(tpm, parent, password.size > 0 ? TPMA_SESSION_DECRYPT : 0,
				     &session, err);

	if (r < 0)
		return r;
	if (password.size > 0) {
		sensitive.sensitive.userAuth.size = (UINT16)password.size;
		memcpy(sensitive.sensitive.userAuth.buffer, password.data, password.size);
	}
	rc = Esys_Create(tpm->esys, parent->handle, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
			 template, &no_data, &no_pcrs, &private, &public, NULL, NULL, NULL);
	OPENSSL_cleanse(&sensitive, sizeof(sensitive));
	tpm_end_session(tpm, session);
	if (tpm_rc_is(rc, TPM2_RC_CURVE) || tpm_rc_is(rc, TPM2_RC_VALUE) ||
	    tpm_rc_is(rc, TPM2_RC_KEY_SIZE))
		return assay_fail(
			err, EOPNOTSUPP,
			"cannot create a key: the TPM at %s does not have this algorithm (%s)",
			tpm->name, Tss2_RC_Decode(rc));
	if (tpm_auth_refused(rc))
		return tpm_fail(tpm, err, rc, "cannot create a key below the parent key 0x%x",
				file->parent);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot create a key");
	r = keep_parts(tpm, public, private, file, err);
	Esys_Free(private);
	Esys_Free(public);
	return r;
}

int tpm_key_create(struct tpm *tpm, const struct tpm_key_options *options, struct tpm_key_file *ret,
		   struct assay_error *err)
{
	struct tpm_key_file file = { .parent = options->parent ? options->parent :
								 TPM_KEY_PARENT_OWNER };
	struct tpm_parent parent;
	TPM2B_PUBLIC template;
	int r;

	if (options->password.size > TPM_PASSWORD_MAX)
		return assay_fail(err, EINVAL,
				  "a password of %zu bytes is longer than the %d possible",
				  options->password.size, TPM_PASSWORD_MAX);
	r = make_template(tpm, options, &file, &template, err);
	if (r == 0)
		r = tpm_parent_open(tpm, file.parent, BYTES(NULL, 0), &parent, err);
	if (r == 0) {
		buffer_append(&file.parent_name, parent.name, parent.name_size);
		r = create_below(tpm, &parent, options->password, &template, &file, err);
		tpm_parent_close(tpm, &parent);
	}
	if (r == 0 && file.parent_name.failed)
		r = assay_fail(err, ENOMEM, "cannot create a key: out of memory");
	if (r < 0) {
		tpm_key_file_free(&file);
		return r;
	}
	*ret = file;
	return 0;
}
