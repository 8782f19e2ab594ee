// SPDX-License-Identifier: MIT
#include "tpm/options.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/secret.h"
#include "tpm/context.h"

static int give_password(struct tpm *tpm, enum tpm_authority whose, const char *path,
			 const char *what, struct assay_error *err)
{
	CLEANUP(secret_free) struct buffer password = { 0 };
	int r;

	if (!path)
		return 0;
	r = secret_read(path, what, false, &password, err);
	return r < 0 ? r : tpm_give_password(tpm, whose, buffer_bytes(&password), err);
}

int tpm_options_open(const struct tpm_options *options, struct tpm **ret, struct assay_error *err)
{
	struct tpm *tpm;
	int r = tpm_open(options->tcti, &tpm, err);

	if (r < 0)
		return r;
	r = give_password(tpm, TPM_OWNER, options->owner_password, "the owner's password", err);
	if (r == 0)
		r = give_password(tpm, TPM_ENDORSEMENT, options->endorsement_password,
				  "the endorsement hierarchy's password", err);
	if (r == 0)
		r = give_password(tpm, TPM_PARENT, options->parent_password,
				  "the parent key's password", err);
	if (r < 0) {
		tpm_close(tpm);
		return r;
	}
	*ret = tpm;
	return 0;
}

int tpm_options_load(const struct tpm_options *options, struct tpm *tpm, struct tpm_key_file *file,
		     struct bytes password, const char *what, struct tpm_key **ret,
		     struct assay_error *err)
{
	if (options->parent != 0 && file->parent != options->parent) {
		/* What the file notes is another one's name. */
		buffer_free(&file->parent_name);
		file->parent = options->parent;
	}
	return tpm_key_load(tpm, file, password, what, ret, err);
}

int tpm_options_key(const struct tpm_options *options, struct tpm *tpm, const char *name,
		    struct tpm_key **ret, struct assay_error *err)
{
	CLEANUP(tpm_key_file_free) struct tpm_key_file file = { 0 };
	struct tpm_key_handle handle;
	int r;

	if (options->parent == 0)
		return tpm_key_open(tpm, name, ret, err);
	r = tpm_key_handle(name, &handle, err);
	if (r == 0)
		return assay_fail(err, EINVAL,
				  "%s is in the TPM already, below its parent: leave out --parent",
				  name);
	if (r != -ENOENT)
		return r;
	r = tpm_key_file_read(name, &file, err);
	if (r < 0)
		return r;
	return tpm_options_load(options, tpm, &file, BYTES(NULL, 0), name, ret, err);
}
