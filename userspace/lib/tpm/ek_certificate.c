// SPDX-License-Identifier: MIT
/* Certificates of endorsement keys where the TCG EK Credential Profile has them in a TPM. */
#include <errno.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/der.h"
#include "tpm/ek.h"
#include "tpm/nv.h"

/* NV indices of the certificates (profile, section 2.2.1.4 and 2.2.1.5). */
static const uint32_t indices[] = {
	[TPM_EK_P256_LOW] = 0x01c0000a, [TPM_EK_RSA2048_LOW] = 0x01c00002,
	[TPM_EK_P256] = 0x01c00014,	[TPM_EK_RSA2048] = 0x01c00012,
	[TPM_EK_P384] = 0x01c00016,
};

#define INDEX_COUNT (sizeof(indices) / sizeof(indices[0]))

/* Those of the certificates between the endorsement keys' and a root, in order. */
#define CHAIN_FIRST 0x01c00100u
#define CHAIN_LAST 0x01c001ffu

static int read_certificate(struct tpm *tpm, TPMI_RH_NV_INDEX index, struct buffer *out,
			    struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	struct bytes rest, certificate;
	int r = tpm_nv_read(tpm, index, TPM_EK_CERTIFICATE_MAX, &content, err);

	if (r < 0)
		return r;
	rest = buffer_bytes(&content);
	if (!der_take_sequence(&rest, &certificate))
		return assay_fail(err, EPROTO,
				  "the NV index 0x%08x of the TPM at %s does not hold a whole "
				  "certificate: supply one with --ek-cert",
				  index, tpm->name);
	buffer_append_bytes(out, certificate);
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/*
 * An index that cannot be read, or holds no certificate, is not the end of the search; if no other
 * has one, the first such is what is told.
 */
int tpm_ek_certificate(struct tpm *tpm, enum tpm_ek_template template,
		       enum tpm_ek_template *ret_template, struct buffer *out,
		       struct assay_error *err)
{
	size_t first = template == TPM_EK_ANY ? TPM_EK_ANY + 1 : (size_t) template;
	size_t last = template == TPM_EK_ANY ? INDEX_COUNT - 1 : (size_t) template;
	struct assay_error unusable = { 0 }, reason;

	for (size_t i = first; i <= last; i++) {
		int r = read_certificate(tpm, indices[i], out, &reason);

		if (r == 0) {
			*ret_template = (enum tpm_ek_template)i;
			return 0;
		}
		if (r != -ENODATA && unusable.code == 0)
			unusable = reason;
	}
	if (unusable.code != 0) {
		if (err)
			*err = unusable;
		return -unusable.code;
	}
	return assay_fail(
		err, ENODATA,
		"the TPM at %s holds no certificate of %s%s endorsement key: get it from "
		"the TPM's or the machine's maker and supply it with --ek-cert when "
		"requesting, or request without one (--no-ek-cert), of a verifier that knows "
		"the key itself; for an answer, name the key with --ek",
		tpm->name, template == TPM_EK_ANY ? "an" : "its ",
		template == TPM_EK_ANY ? "" : tpm_ek_template_name(template));
}

/* Appends the certificates at the beginning of @rest; false where what follows them is none. */
static bool append_certificates(struct bytes rest, struct buffer *out)
{
	struct bytes der;

	while (der_take_sequence(&rest, &der)) {
		const unsigned char *at = der.data;
		X509 *certificate = d2i_X509(NULL, &at, (long)der.size);
		bool good = certificate && at == der.data + der.size;

		X509_free(certificate);
		crypto_errors_drop();
		if (!good)
			return false;
		buffer_append_bytes(out, der);
		/* Each index may have padding behind its part of the chain. */
		while (rest.size > 0 && (rest.data[0] == 0x00 || rest.data[0] == 0xff))
			rest = BYTES(rest.data + 1, rest.size - 1);
	}
	return rest.size == 0;
}

int tpm_ek_chain(struct tpm *tpm, struct buffer *out, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	struct buffer chain = { 0 };

	/* A certificate may go on in the next index, so they are one text, in order. */
	for (TPMI_RH_NV_INDEX index = CHAIN_FIRST; index <= CHAIN_LAST; index++) {
		int r = tpm_nv_read(tpm, index, TPM_EK_CHAIN_MAX - content.size, &content, err);

		if (r == -ENODATA)
			break;
		if (r < 0)
			return r;
	}
	if (!append_certificates(buffer_bytes(&content), &chain)) {
		buffer_free(&chain);
		return assay_fail(err, EPROTO,
				  "what the TPM at %s holds from NV index 0x%08x on is not the "
				  "chain of its endorsement key's certificate",
				  tpm->name, CHAIN_FIRST);
	}
	buffer_append_bytes(out, buffer_bytes(&chain));
	buffer_free(&chain);
	return content.failed || out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
