// SPDX-License-Identifier: MIT
#include "log/ima_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "memory/value.h"

#define LIST_NAME "binary_runtime_measurements"

static int make_path(char path[IMA_PATH_MAX], const char *directory, const char *name,
		     const char *bank, const char *suffix, struct assay_error *err)
{
	int length = snprintf(path, IMA_PATH_MAX, "%s/%s%s%s%s", directory, name, bank ? "_" : "",
			      bank ? bank : "", suffix);

	if (length < 0 || length >= IMA_PATH_MAX)
		return assay_fail(err, ENAMETOOLONG, "the name of IMA's directory is too long");
	return 0;
}

static bool exists(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0;
}

/* @bank: part of the file's name, NULL for the one without. 1 if it is there. */
static int try_list(const char *directory, const char *bank, struct ima_kernel *ret,
		    struct assay_error *err)
{
	int r = make_path(ret->path, directory, LIST_NAME, bank, "", err);

	if (r == 0)
		r = make_path(ret->staged, directory, LIST_NAME, bank, "_staged", err);
	if (r < 0)
		return r;
	if (!exists(ret->path))
		return 0;
	if (!exists(ret->staged))
		ret->staged[0] = '\0';
	return 1;
}

int ima_kernel_find(const char *directory, const enum assay_hash *banks, size_t count,
		    struct ima_kernel *ret, struct assay_error *err)
{
	struct ima_kernel found = { 0 };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		found.bank = banks[i];
		r = try_list(directory, assay_hash_name(banks[i]), &found, err);
	}
	if (r == 0) {
		found.bank = ASSAY_HASH_SHA1;
		r = try_list(directory, NULL, &found, err);
	}
	if (r == 0)
		return assay_fail(err, ENOENT,
				  "cannot find %s/" LIST_NAME
				  ": the kernel needs CONFIG_IMA, and securityfs has to be mounted "
				  "(mount -t securityfs securityfs /sys/kernel/security)",
				  directory);
	if (r > 0)
		*ret = found;
	return r < 0 ? r : 0;
}

int ima_kernel_count(const char *directory, uint64_t *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	char path[IMA_PATH_MAX];
	int r = make_path(path, directory, "runtime_measurements_count", NULL, "", err);

	if (r == 0)
		r = file_read(path, 64, &text, err);
	if (r == 0)
		r = value_unsigned(buffer_bytes(&text), ret, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}
