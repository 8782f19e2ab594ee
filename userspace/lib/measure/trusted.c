// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "measure/trusted.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/certificates.h"

#define FILE_SIZE_MAX (1U << 20)

static int is_certificates(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end &&
	       (strcmp(end, ".pem") == 0 || strcmp(end, ".crt") == 0 || strcmp(end, ".der") == 0);
}

static int load_file(const char *directory, const char *name, STACK_OF(X509) * out,
		     struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer data = { 0 };
	CLEANUP(free_pointer) char *path = NULL;
	int r;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	r = file_read_regular(path, FILE_SIZE_MAX, &data, err);
	return r < 0 ? r : certificates_parse(buffer_bytes(&data), path, out, err);
}

/* All of a stack, which is empty then. */
static int take_all(STACK_OF(X509) * stack, struct trusted *ret, struct assay_error *err)
{
	size_t count = (size_t)sk_X509_num(stack);

	ret->certificates = calloc(count ? count : 1, sizeof(void *));
	if (!ret->certificates)
		return assay_fail(err, ENOMEM, "out of memory");
	while (ret->count < count)
		ret->certificates[ret->count++] = sk_X509_shift(stack);
	return 0;
}

int trusted_load(const char *directory, struct trusted *ret, struct assay_error *err)
{
	struct dirent **entries;
	STACK_OF(X509) *stack = NULL;
	int count = scandir(directory, &entries, is_certificates, alphasort), r = 0;

	*ret = (struct trusted){ 0 };
	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return assay_fail(err, errno, "cannot read the directory %s: %s", directory,
				  strerror(errno));
	stack = sk_X509_new_null();
	if (!stack)
		r = assay_fail(err, ENOMEM, "out of memory");
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = load_file(directory, entries[i]->d_name, stack, err);
		free(entries[i]);
	}
	free(entries);
	if (r == 0)
		r = take_all(stack, ret, err);
	sk_X509_pop_free(stack, X509_free);
	return r;
}

void trusted_free(struct trusted *trusted)
{
	for (size_t i = 0; i < trusted->count; i++)
		X509_free(trusted->certificates[i]);
	free(trusted->certificates);
	*trusted = (struct trusted){ 0 };
}
