// SPDX-License-Identifier: MIT
#include "enroll_device.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/machine.h"
#include "base/secret.h"
#include "sign/certificates.h"
#include "sign/certificate.h"

int option_ek_template(void *place, const char *value, struct assay_error *err)
{
	if (tpm_ek_template_by_name(value, place))
		return 0;
	return assay_fail(err, EINVAL,
			  "must be p256-low, rsa2048-low, p256, rsa2048 or p384, "
			  "not '%s'",
			  value);
}

/* ---------------------------------------------------------------- the device's two steps */

static int read_machine_id(const struct enroll_device *device, struct enroll_request *made,
			   struct assay_error *err)
{
	int r;

	if (device->machine_id) {
		memcpy(made->machine_id, device->machine_id, strlen(device->machine_id) + 1);
		return 0;
	}
	r = machine_id_read(made->machine_id, err);
	if ((r == 0 && !machine_id_valid(made->machine_id)) || r == -EBADMSG)
		r = assay_fail(err, EBADMSG,
			       MACHINE_ID_PATH " does not hold a machine's id: name one with "
					       "--machine-id");
	return r;
}

_Static_assert(sizeof(((struct enroll_request *)0)->machine_id) == MACHINE_ID_TEXT, "");

/* Of a file: the endorsement key's certificate first, then what leads from it to a root. */
static int read_certificate_file(const char *path, struct enroll_request *made,
				 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	STACK_OF(X509) *certificates = sk_X509_new_null();
	int r = file_read(path, ENROLL_MAX_CHAIN, &text, err);

	if (r == 0 && !certificates)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = certificates_parse(buffer_bytes(&text), path, certificates, err);
	for (int i = 0; r == 0 && i < sk_X509_num(certificates); i++)
		r = certificate_append_der(sk_X509_value(certificates, i),
					   i == 0 ? &made->ek_certificate : &made->ek_chain, err);
	sk_X509_pop_free(certificates, X509_free);
	return r;
}

/*
 * Of a file, or of the TPM. Without its chain the certificate may do all the same: the verifier can
 * have that from elsewhere.
 */
static int read_certificate(struct tpm *tpm, const struct enroll_device *device,
			    enum tpm_ek_template *ret_template, struct enroll_request *made,
			    struct assay_error *err)
{
	struct assay_error chain_err;
	int r;

	*ret_template = device->template;
	if (device->no_ek_certificate)
		return 0;
	if (device->ek_certificate)
		return read_certificate_file(device->ek_certificate, made, err);
	r = tpm_ek_certificate(tpm, device->template, ret_template, &made->ek_certificate, err);
	if (r == 0 && tpm_ek_chain(tpm, &made->ek_chain, &chain_err) < 0)
		fprintf(stderr, "assay enroll: left out: %s\n", chain_err.text);
	return r;
}

int enroll_make_request(struct tpm *tpm, const struct enroll_device *device,
			struct enroll_request *made, struct assay_error *err)
{
	enum tpm_ek_template template = TPM_EK_ANY;
	struct tpm_key *ak = NULL;
	struct tpm_ek *ek = NULL;
	int r = read_machine_id(device, made, err);

	if (r == 0)
		r = read_certificate(tpm, device, &template, made, err);
	if (r == 0)
		r = tpm_options_key(&device->tpm, tpm, device->ak, &ak, err);
	if (r == 0 && !tpm_key_attests(ak))
		r = assay_fail(err, EPERM,
			       "%s is no attestation key: make one with 'assay key create "
			       "--restricted'",
			       device->ak);
	if (r == 0)
		r = tpm_key_qualified_name(ak, &made->ak_qualified_name, err);
	if (r == 0)
		buffer_append_bytes(&made->ak_public, tpm_key_public_area(ak));
	tpm_key_unload(ak);
	if (r == 0)
		r = tpm_ek_open(tpm, template, &ek, err);
	if (r == 0)
		buffer_append_bytes(&made->ek_public, tpm_ek_public_area(ek));
	tpm_ek_close(ek);
	if (r == 0 && (made->ak_public.failed || made->ek_public.failed))
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

/* Which endorsement key it is: as enroll_make_request() finds it. */
static int find_template(struct tpm *tpm, const struct enroll_device *device,
			 enum tpm_ek_template *ret, struct assay_error *err)
{
	struct buffer unused = { 0 };
	int r = 0;

	*ret = device->template;
	if (device->template == TPM_EK_ANY)
		r = tpm_ek_certificate(tpm, TPM_EK_ANY, ret, &unused, err);
	buffer_free(&unused);
	return r;
}

int enroll_make_answer(struct tpm *tpm, const struct enroll_device *device,
		       const struct enroll_challenge *challenge, struct enroll_answer *ret,
		       struct assay_error *err)
{
	enum tpm_ek_template template;
	struct buffer secret = { 0 };
	struct tpm_key *ak = NULL;
	struct tpm_ek *ek = NULL;
	int r = find_template(tpm, device, &template, err);

	if (r == 0)
		r = tpm_options_key(&device->tpm, tpm, device->ak, &ak, err);
	if (r == 0)
		r = tpm_ek_open(tpm, template, &ek, err);
	if (r == 0)
		r = tpm_ek_activate(ek, ak, buffer_bytes(&challenge->credential.blob),
				    buffer_bytes(&challenge->credential.secret), &secret, err);
	if (r == 0 && secret.size != sizeof(ret->secret))
		r = assay_fail(err, EBADMSG, "the challenge's secret has %zu bytes, not %zu",
			       secret.size, sizeof(ret->secret));
	if (r == 0) {
		memcpy(ret->id, challenge->id, sizeof(ret->id));
		memcpy(ret->secret, secret.data, secret.size);
	}
	if (secret.data)
		OPENSSL_cleanse(secret.data, secret.capacity);
	buffer_free(&secret);
	tpm_ek_close(ek);
	tpm_key_unload(ak);
	return r;
}
