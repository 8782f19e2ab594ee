// SPDX-License-Identifier: MIT
#include "tpm/ek.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "tpm/context.h"
#include "tpm/key_internal.h"
#include "tpm/nv.h"

/* TPMA_OBJECT of the profile's templates; the high range lets an empty password do, too. */
#define LOW_ATTRIBUTES                                                                      \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	 TPMA_OBJECT_ADMINWITHPOLICY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT)
#define HIGH_ATTRIBUTES (LOW_ATTRIBUTES | TPMA_OBJECT_USERWITHAUTH)

/* PolicyA_SHA256, PolicyB_SHA256 and PolicyB_SHA384 of the profile (section B.6). */
#define POLICY_A_SHA256                                                                           \
	{                                                                                         \
		32,                                                                               \
		{                                                                                 \
			0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d,   \
				0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, \
				0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,             \
		}                                                                                 \
	}
#define POLICY_B_SHA256                                                                           \
	{                                                                                         \
		32,                                                                               \
		{                                                                                 \
			0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34, 0x24,   \
				0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd, 0x45, \
				0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0,             \
		}                                                                                 \
	}
#define POLICY_B_SHA384                                                                           \
	{                                                                                         \
		48,                                                                               \
		{                                                                                 \
			0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc,   \
				0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, \
				0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, \
				0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, \
				0xf8, 0x0e, 0x12,                                                 \
		}                                                                                 \
	}

#define AES_CFB(bits)                                                                      \
	{                                                                                  \
		.algorithm = TPM2_ALG_AES, .keyBits.aes = (bits), .mode.aes = TPM2_ALG_CFB \
	}

/**
 * struct template - a template of the profile
 * @name: as `assay enroll --ek` takes it
 * @template: NV index of what stands in for the default template; 0 where the profile has
 *            none
 * @persistent: handle at which the key may stand
 * @unique: bytes of zeros in the unique field (each of x and y for ECC)
 */
static const struct template
{
	const char *name;
	TPMI_RH_NV_INDEX template;
	TPM2_HANDLE persistent;
	uint16_t unique;
	TPMT_PUBLIC area;
}
templates[] = {
	[TPM_EK_P256_LOW] = {
		.name = "p256-low", .template = 0x01c0000c,
		.persistent = 0x81010002, .unique = 32,
		.area = {
			.type = TPM2_ALG_ECC, .nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = LOW_ATTRIBUTES, .authPolicy = POLICY_A_SHA256,
			.parameters.eccDetail = {
				.symmetric = AES_CFB(128), .scheme.scheme = TPM2_ALG_NULL,
				.curveID = TPM2_ECC_NIST_P256, .kdf.scheme = TPM2_ALG_NULL,
			},
		},
	},
	[TPM_EK_RSA2048_LOW] = {
		.name = "rsa2048-low", .template = 0x01c00004,
		.persistent = 0x81010001, .unique = 256,
		.area = {
			.type = TPM2_ALG_RSA, .nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = LOW_ATTRIBUTES, .authPolicy = POLICY_A_SHA256,
			.parameters.rsaDetail = {
				.symmetric = AES_CFB(128), .scheme.scheme = TPM2_ALG_NULL,
				.keyBits = 2048,
			},
		},
	},
	[TPM_EK_P256] = {
		.name = "p256", .persistent = 0x81010014,
		.area = {
			.type = TPM2_ALG_ECC, .nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = HIGH_ATTRIBUTES, .authPolicy = POLICY_B_SHA256,
			.parameters.eccDetail = {
				.symmetric = AES_CFB(128), .scheme.scheme = TPM2_ALG_NULL,
				.curveID = TPM2_ECC_NIST_P256, .kdf.scheme = TPM2_ALG_NULL,
			},
		},
	},
	[TPM_EK_RSA2048] = {
		.name = "rsa2048", .persistent = 0x81010012,
		.area = {
			.type = TPM2_ALG_RSA, .nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = HIGH_ATTRIBUTES, .authPolicy = POLICY_B_SHA256,
			.parameters.rsaDetail = {
				.symmetric = AES_CFB(128), .scheme.scheme = TPM2_ALG_NULL,
				.keyBits = 2048,
			},
		},
	},
	[TPM_EK_P384] = {
		.name = "p384", .persistent = 0x81010016,
		.area = {
			.type = TPM2_ALG_ECC, .nameAlg = TPM2_ALG_SHA384,
			.objectAttributes = HIGH_ATTRIBUTES, .authPolicy = POLICY_B_SHA384,
			.parameters.eccDetail = {
				.symmetric = AES_CFB(256), .scheme.scheme = TPM2_ALG_NULL,
				.curveID = TPM2_ECC_NIST_P384, .kdf.scheme = TPM2_ALG_NULL,
			},
		},
	},
};

#define TEMPLATE_COUNT (sizeof(templates) / sizeof(templates[0]))

/**
 * struct tpm_ek - an endorsement key in use
 * @persistent: it stands in the TPM: there is no slot to give back
 */
struct tpm_ek {
	struct tpm *tpm;
	ESYS_TR handle;
	bool persistent;
	TPM2B_PUBLIC public;
	struct buffer public_area;
};

bool tpm_ek_template_by_name(const char *name, enum tpm_ek_template *ret)
{
	for (size_t i = TPM_EK_ANY + 1; i < TEMPLATE_COUNT; i++)
		if (strcmp(templates[i].name, name) == 0) {
			*ret = (enum tpm_ek_template)i;
			return true;
		}
	return false;
}

const char *tpm_ek_template_name(enum tpm_ek_template template)
{
	return templates[template].name;
}

/* ---------------------------------------------------------------- the key */

/* What the TPM's own NV memory says of the template, where it does. */
static int adapt_template(struct tpm *tpm, const struct template *template, TPMT_PUBLIC *area,
			  struct assay_error *err)
{
	struct buffer content = { 0 };
	size_t used = 0;
	int r;

	r = template->template ?
		    tpm_nv_read(tpm, template->template, sizeof(TPMT_PUBLIC), &content, err) :
		    -ENODATA;
	if (r == 0 && Tss2_MU_TPMT_PUBLIC_Unmarshal(content.data, content.size, &used, area) !=
			      TSS2_RC_SUCCESS)
		r = assay_fail(err, EPROTO,
			       "the NV index 0x%08x of the TPM at %s does not hold a template of "
			       "an endorsement key",
			       template->template, tpm->name);
	buffer_free(&content);
	return r == -ENODATA ? 0 : r;
}

static int make_template(struct tpm *tpm, const struct template *template, TPM2B_PUBLIC *ret,
			 struct assay_error *err)
{
	TPMT_PUBLIC *area = &ret->publicArea;

	*ret = (TPM2B_PUBLIC){ .publicArea = template->area };
	if (area->type == TPM2_ALG_RSA) {
		area->unique.rsa.size = template->unique;
	} else {
		area->unique.ecc.x.size = template->unique;
		area->unique.ecc.y.size = template->unique;
	}
	return adapt_template(tpm, template, area, err);
}

/* The same but for the key itself? */
static bool same_template(const TPM2B_PUBLIC *a, const TPM2B_PUBLIC *b)
{
	const TPM2B_PUBLIC *of[] = { a, b };
	uint8_t marshalled[2][sizeof(TPM2B_PUBLIC)];
	size_t size[2] = { 0, 0 };

	for (size_t i = 0; i < 2; i++) {
		TPM2B_PUBLIC bare = *of[i];

		bare.size = 0;
		memset(&bare.publicArea.unique, 0, sizeof(bare.publicArea.unique));
		/* 0 stands for the usual one. */
		if (bare.publicArea.type == TPM2_ALG_RSA &&
		    bare.publicArea.parameters.rsaDetail.exponent == 65537)
			bare.publicArea.parameters.rsaDetail.exponent = 0;
		if (Tss2_MU_TPM2B_PUBLIC_Marshal(&bare, marshalled[i], sizeof(marshalled[i]),
						 &size[i]) != TSS2_RC_SUCCESS)
			return false;
	}
	return bytes_equal(BYTES(marshalled[0], size[0]), BYTES(marshalled[1], size[1]));
}

/* Makers and owners may have put the key there, for making an RSA key can take a minute. */
static bool find_persistent(struct tpm *tpm, const struct template *template,
			    const TPM2B_PUBLIC *wanted, struct tpm_ek *ek)
{
	TPM2B_PUBLIC *public = NULL;

	if (Esys_TR_FromTPMPublic(tpm->esys, template->persistent, ESYS_TR_NONE, ESYS_TR_NONE,
				  ESYS_TR_NONE, &ek->handle) != TSS2_RC_SUCCESS)
		return false;
	if (Esys_ReadPublic(tpm->esys, ek->handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			    &public, NULL, NULL) == TSS2_RC_SUCCESS &&
	    same_template(public, wanted)) {
		ek->public = *public;
		ek->persistent = true;
	} else {
		(void)Esys_TR_Close(tpm->esys, &ek->handle);
		ek->handle = ESYS_TR_NONE;
	}
	Esys_Free(public);
	return ek->persistent;
}

static int make_primary(struct tpm *tpm, const TPM2B_PUBLIC *template, struct tpm_ek *ek,
			struct assay_error *err)
{
	static const TPM2B_SENSITIVE_CREATE no_password;
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcrs;
	TPM2B_PUBLIC *public = NULL;
	ESYS_TR session;
	TSS2_RC rc;
	int r = tpm_authorize(tpm, ESYS_TR_RH_ENDORSEMENT, TPM_ENDORSEMENT, ESYS_TR_NONE, 0,
			      &session, err);

	if (r < 0)
		return r;
	rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_NONE,
				ESYS_TR_NONE, &no_password, template, &no_data, &no_pcrs,
				&ek->handle, &public, NULL, NULL, NULL);
	tpm_end_session(tpm, session);
	if (rc != TSS2_RC_SUCCESS) {
		ek->handle = ESYS_TR_NONE;
		return tpm_fail(tpm, err, rc, "cannot make the endorsement key");
	}
	ek->public = *public;
	Esys_Free(public);
	return 0;
}

int tpm_ek_open(struct tpm *tpm, enum tpm_ek_template template, struct tpm_ek **ret,
		struct assay_error *err)
{
	uint8_t area[sizeof(TPM2B_PUBLIC)];
	TPM2B_PUBLIC wanted;
	struct tpm_ek *ek = calloc(1, sizeof(*ek));
	size_t size = 0;
	int r;

	if (!ek)
		return assay_fail(err, ENOMEM, "out of memory");
	ek->tpm = tpm;
	ek->handle = ESYS_TR_NONE;
	r = make_template(tpm, &templates[template], &wanted, err);
	if (r == 0 && !find_persistent(tpm, &templates[template], &wanted, ek))
		r = make_primary(tpm, &wanted, ek, err);
	if (r == 0) {
		if (Tss2_MU_TPM2B_PUBLIC_Marshal(&ek->public, area, sizeof(area), &size) ==
		    TSS2_RC_SUCCESS)
			buffer_append(&ek->public_area, area, size);
		else
			r = assay_fail(err, EPROTO, "the TPM at %s made a key that is none",
				       tpm->name);
	}
	if (r == 0 && ek->public_area.failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r < 0) {
		tpm_ek_close(ek);
		return r;
	}
	*ret = ek;
	return 0;
}

void tpm_ek_close(struct tpm_ek *ek)
{
	if (!ek)
		return;
	if (ek->handle != ESYS_TR_NONE && ek->persistent)
		(void)Esys_TR_Close(ek->tpm->esys, &ek->handle);
	else if (ek->handle != ESYS_TR_NONE)
		tpm_flush(ek->tpm, ek->handle);
	buffer_free(&ek->public_area);
	free(ek);
}

struct bytes tpm_ek_public_area(const struct tpm_ek *ek)
{
	return buffer_bytes(&ek->public_area);
}

/* ---------------------------------------------------------------- credentials */

/* What using the key takes: an empty password, or what PolicyA asks for: the hierarchy's. */
static int authorize_ek(const struct tpm_ek *ek, ESYS_TR *ret, struct assay_error *err)
{
	struct tpm *tpm = ek->tpm;
	ESYS_TR hierarchy;
	TSS2_RC rc;
	int r;

	if (ek->public.publicArea.objectAttributes & TPMA_OBJECT_USERWITHAUTH) {
		*ret = ESYS_TR_PASSWORD;
		return 0;
	}
	r = tpm_authorize(tpm, ESYS_TR_RH_ENDORSEMENT, TPM_ENDORSEMENT, ESYS_TR_NONE, 0, &hierarchy,
			  err);
	if (r < 0)
		return r;
	r = tpm_start_session(tpm, TPM2_SE_POLICY, ESYS_TR_NONE, 0, ret, err);
	if (r == 0) {
		rc = Esys_PolicySecret(tpm->esys, ESYS_TR_RH_ENDORSEMENT, *ret, hierarchy,
				       ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
		if (rc != TSS2_RC_SUCCESS) {
			tpm_flush(tpm, *ret);
			r = tpm_fail(tpm, err, rc, "cannot use the endorsement key");
		}
	}
	tpm_end_session(tpm, hierarchy);
	return r;
}

/*
 * The codes with which a TPM refuses a credential that is not its own. libtpms says FAILURE of
 * what is not padded as OAEP does; a TPM that failed indeed would not have come so far.
 */
static bool credential_refused(TSS2_RC rc)
{
	static const TSS2_RC codes[] = { TPM2_RC_INTEGRITY, TPM2_RC_VALUE,	  TPM2_RC_SIZE,
					 TPM2_RC_ECC_POINT, TPM2_RC_INSUFFICIENT, TPM2_RC_FAILURE };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (tpm_rc_is(rc, codes[i]))
			return true;
	return false;
}

int tpm_ek_activate(const struct tpm_ek *ek, const struct tpm_key *ak, struct bytes blob,
		    struct bytes secret, struct buffer *out, struct assay_error *err)
{
	struct tpm *tpm = ek->tpm;
	TPM2B_ENCRYPTED_SECRET wrapped = { 0 };
	TPM2B_ID_OBJECT object = { 0 };
	TPM2B_DIGEST *info = NULL;
	size_t blob_used = 0, secret_used = 0;
	ESYS_TR session = ESYS_TR_NONE, hiding = ESYS_TR_NONE;
	TSS2_RC rc;
	int r;

	if (Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(blob.data, blob.size, &blob_used, &object) !=
		    TSS2_RC_SUCCESS ||
	    blob_used != blob.size ||
	    Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret.data, secret.size, &secret_used,
						     &wrapped) != TSS2_RC_SUCCESS ||
	    secret_used != secret.size)
		return assay_fail(err, EKEYREJECTED, "the credential is not of the TPM's form");
	r = authorize_ek(ek, &session, err);
	if (r < 0)
		return r;
	/* What comes out is nobody's on the wires either: salted with the key that it was for. */
	r = tpm_start_session(tpm, TPM2_SE_HMAC, ek->handle, TPMA_SESSION_ENCRYPT, &hiding, err);
	if (r < 0) {
		tpm_end_session(tpm, session);
		return r;
	}
	rc = Esys_ActivateCredential(tpm->esys, ak->handle, ek->handle, ESYS_TR_PASSWORD, session,
				     hiding, &object, &wrapped, &info);
	tpm_end_session(tpm, session);
	tpm_end_session(tpm, hiding);
	if (credential_refused(rc))
		return assay_fail(err, EKEYREJECTED,
				  "the TPM at %s refuses the credential: it was made for another "
				  "TPM, for another key than %s, or was changed",
				  tpm->name, ak->what);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_fail(tpm, err, rc, "cannot activate the credential with %s", ak->what);
	buffer_append(out, info->buffer, info->size);
	Esys_Free(info);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
