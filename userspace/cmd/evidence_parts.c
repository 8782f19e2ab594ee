// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf() */
#include "evidence_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "import/pcr_file.h"

static int write_part(const char *directory, const char *name, const struct buffer *content,
		      struct assay_error *err)
{
	char *path;
	int r;

	if (content->failed || asprintf(&path, "%s/%s", directory, name) < 0)
		return assay_fail(err, ENOMEM, "cannot write %s/%s: out of memory", directory,
				  name);
	r = file_write(path, buffer_bytes(content), 0666, err);
	free(path);
	return r;
}

int evidence_parts_write(const char *directory, const struct evidence *evidence,
			 struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer pcrs = { 0 };
	const struct {
		const char *name;
		const struct buffer *content;
		bool there;
	} parts[] = {
		{ "ak.pub", &evidence->ak_public, evidence->ak_public.size > 0 },
		{ "ak.der", &evidence->ak_key, evidence->ak_key.size > 0 },
		{ "ak.crt", &evidence->ak_certificate, evidence->ak_certificate.size > 0 },
		{ "attest", &evidence->attest, true },
		{ "sig", &evidence->signature, true },
		{ "pcrs", &pcrs, true },
		{ "nonce", &evidence->nonce, evidence->nonce.size > 0 },
		{ "assay.cel", &evidence->assay_cel, evidence->has_assay_log },
		{ "ima", &evidence->ima_data, evidence->has_ima_log },
		{ "uefi", &evidence->uefi_data, evidence->has_uefi_log },
	};
	int r = pcr_file_write(evidence, &pcrs, err);

	if (r == 0 && mkdir(directory, 0777) < 0 && errno != EEXIST)
		return assay_fail(err, errno, "cannot make the directory %s: %s", directory,
				  strerror(errno));
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].there)
			r = write_part(directory, parts[i].name, parts[i].content, err);
	return r;
}
