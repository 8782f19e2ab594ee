// SPDX-License-Identifier: MIT
#include "tpm_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/secret.h"

int option_tpm_parent(void *place, const char *value, struct assay_error *err)
{
	const char *text = value;
	unsigned long handle;
	uint32_t *ret = place;
	char *end;

	if (strncmp(text, TPM_KEY_HANDLE_PREFIX, strlen(TPM_KEY_HANDLE_PREFIX)) == 0)
		text += strlen(TPM_KEY_HANDLE_PREFIX);
	handle = strtoul(text, &end, 16);
	if (strncmp(text, "0x", 2) != 0 || *end != '\0' || handle < TPM_KEY_PERSISTENT_FIRST ||
	    handle > TPM_KEY_PERSISTENT_LAST)
		return assay_fail(err, EINVAL,
				  "must be a persistent handle, 0x%x to 0x%x, not '%s'",
				  TPM_KEY_PERSISTENT_FIRST, TPM_KEY_PERSISTENT_LAST, value);
	*ret = (uint32_t)handle;
	return 0;
}

static int give_password(struct tpm *tpm, enum tpm_authority whose, const char *path,
			 const char *what, struct assay_error *err)
{
	struct buffer password = { 0 };
	int r = path ? secret_read(path, what, false, &password, err) : 0;

	if (r == 0 && path)
		r = tpm_give_password(tpm, whose, buffer_bytes(&password), err);
	secret_free(&password);
	return r;
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
	if (file.parent != options->parent) {
		/* What the file notes is another one's name. */
		buffer_free(&file.parent_name);
		file.parent = options->parent;
	}
	return tpm_key_load(tpm, &file, BYTES(NULL, 0), name, ret, err);
}
