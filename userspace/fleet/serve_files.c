// SPDX-License-Identifier: MIT
#include "serve_files.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/secret.h"
#include "sign/jws.h"
#include "sign/key_file.h"

#define KNOWN_EKS_MAX (128U << 20) /* bytes of a list of endorsement keys */

int serve_read_operators(const struct serve_settings *settings, struct fleet *fleet,
			 struct assay_error *err)
{
	const char *path = settings->operators;
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r;

	if (!path)
		return 0;
	r = file_read_regular(path, AUTH_FILE_MAX, &text, err);
	return r < 0 ? r : auth_parse(buffer_bytes(&text), path, &fleet->auth, err);
}

int serve_read_known_eks(const struct serve_settings *settings, struct fleet *fleet,
			 struct assay_error *err)
{
	struct ek_list known = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < settings->known_ek_count; i++) {
		CLEANUP(buffer_free) struct buffer text = { 0 };
		const char *path = settings->known_eks[i];

		r = file_read_regular(path, KNOWN_EKS_MAX, &text, err);
		if (r == 0)
			r = ek_list_parse(buffer_bytes(&text), path, &known, err);
	}
	if (r < 0) {
		ek_list_free(&known);
		return r;
	}
	ek_list_free(&fleet->known_eks);
	fleet->known_eks = known;
	return 0;
}

int serve_open_result_key(const struct serve_settings *settings, struct fleet *fleet,
			  struct assay_error *err)
{
	const char *path = settings->result_key;
	CLEANUP(secret_free) struct buffer pem = { 0 };
	int r;

	if (!path)
		return 0;
	r = file_read_regular(path, KEY_FILE_MAX, &pem, err);
	if (r == 0)
		r = key_file_signer(buffer_bytes(&pem), path, &fleet->result_signer, err);
	return r < 0 ? r : jws_check_signer(fleet->result_signer, err);
}
