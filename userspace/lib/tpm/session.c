// SPDX-License-Identifier: MIT
#include "tpm/session.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

static const TPM2B_SENSITIVE_CREATE no_password;
static const TPM2B_DATA no_data;
static const TPML_PCR_SELECTION no_pcrs;

static const TPMT_SYM_DEF session_cipher = {
	.algorithm = TPM2_ALG_AES,
	.keyBits.aes = 128,
	.mode.aes = TPM2_ALG_CFB,
};

const TPM2B_PUBLIC tpm_storage_template = {
	.publicArea = {
		.type = TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				    TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED |
				    TPMA_OBJECT_DECRYPT,
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

void tpm_flush(struct tpm *tpm, ESYS_TR handle)
{
	/* A slot that cannot be freed is freed when the TPM is closed or reset. */
	(void)Esys_FlushContext(tpm->esys, handle);
}

void tpm_end_session(struct tpm *tpm, ESYS_TR session)
{
	if (session != ESYS_TR_NONE && session != ESYS_TR_PASSWORD)
		tpm_flush(tpm, session);
}

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

int tpm_start_unnamed_session(struct tpm *tpm, TPM2_SE type, TPMA_SESSION attributes, ESYS_TR *ret,
			      struct assay_error *err)
{
	ESYS_TR salt = ESYS_TR_NONE;
	TSS2_RC rc;
	int r;

	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &no_password, &tpm_storage_template, &no_data,
				&no_pcrs, &salt, NULL, NULL, NULL, NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot make a key to salt a session with");
	r = tpm_start_session(tpm, type, salt, attributes, ret, err);
	tpm_flush(tpm, salt);
	return r;
}

int tpm_set_password(struct tpm *tpm, ESYS_TR object, struct bytes password,
		     struct assay_error *err)
{
	TPM2B_AUTH auth = { .size = (UINT16)password.size };
	TSS2_RC rc;

	if (password.size > sizeof(auth.buffer))
		return assay_fail(err, EINVAL,
				  "a password of %zu bytes is longer than the %zu possible",
				  password.size, sizeof(auth.buffer));
	if (password.size > 0)
		memcpy(auth.buffer, password.data, password.size);
	rc = Esys_TR_SetAuth(tpm->esys, object, &auth);
	OPENSSL_cleanse(&auth, sizeof(auth));
	return rc == TSS2_RC_SUCCESS ? 0 : tpm_fail(tpm, err, rc, "cannot use a password");
}

int tpm_authorize(struct tpm *tpm, ESYS_TR object, enum tpm_authority whose, ESYS_TR salt,
		  TPMA_SESSION attributes, ESYS_TR *ret, struct assay_error *err)
{
	struct bytes password = buffer_bytes(&tpm->passwords[whose]);
	int r;

	*ret = ESYS_TR_PASSWORD;
	if (password.size > 0) {
		r = tpm_set_password(tpm, object, password, err);
		if (r < 0)
			return r;
	}
	if (password.size == 0 && attributes == 0)
		return 0;
	if (salt == ESYS_TR_NONE)
		return tpm_start_unnamed_session(tpm, TPM2_SE_HMAC, attributes, ret, err);
	return tpm_start_session(tpm, TPM2_SE_HMAC, salt, attributes, ret, err);
}
