// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* scandir(), asprintf() */
#include "trust_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "sign/certificate.h"

#define FILE_MAX_SIZE (16U << 20) /* bytes of a file of certificates or lists */

/* take_function - parse a file's text into @out, which is a stack of one kind or the other */
typedef int take_function(struct bytes text, const char *name, uint64_t now, void *out,
			  struct assay_error *err);

static int take_certificates(struct bytes text, const char *name, uint64_t now, void *out,
			     struct assay_error *err)
{
	(void)now;
	return certificates_parse(text, name, out, err);
}

static int take_lists(struct bytes text, const char *name, uint64_t now, void *out,
		      struct assay_error *err)
{
	return revocations_parse(text, name, now, out, err);
}

static int read_one(const char *path, uint64_t now, take_function *take, void *out,
		    struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read(path, FILE_MAX_SIZE, &text, err);

	return r < 0 ? r : take(buffer_bytes(&text), path, now, out, err);
}

/* ---------------------------------------------------------------- directories */

static int is_bundle(const struct dirent *entry)
{
	static const char *const endings[] = { ".pem", ".crt", ".cer", ".der", ".crl" };
	const char *dot = strrchr(entry->d_name, '.');

	for (size_t i = 0; entry->d_name[0] != '.' && dot && i < sizeof(endings) / sizeof(*endings);
	     i++)
		if (strcmp(dot, endings[i]) == 0)
			return 1;
	return 0;
}

static int read_entry(const char *directory, const char *name, uint64_t now, take_function *take,
		      void *out, struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	return read_one(path, now, take, out, err);
}

static int read_directory(const char *path, uint64_t now, take_function *take, void *out,
			  struct assay_error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_bundle, alphasort);
	int r = 0;

	if (count < 0)
		return assay_fail(err, errno, "cannot read the directory %s: %s", path,
				  strerror(errno));
	if (count == 0)
		r = assay_fail(err, ENOENT,
			       "the directory %s has no file whose name ends in .pem, .crt, .cer, "
			       ".der or .crl",
			       path);
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = read_entry(path, entries[i]->d_name, now, take, out, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int read_path(const char *path, uint64_t now, take_function *take, void *out,
		     struct assay_error *err)
{
	struct stat status;

	if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return read_directory(path, now, take, out, err);
	return read_one(path, now, take, out, err);
}

static int read_paths(const struct option_texts *paths, uint64_t now, take_function *take,
		      void *out, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < paths->count; i++)
		r = read_path(paths->list[i], now, take, out, err);
	return r;
}

/* ---------------------------------------------------------------- what a command names */

int trust_files_read(const struct trust_paths *paths, uint64_t now, struct chain_trust *ret,
		     struct assay_error *err)
{
	int r = trust_files_begin(ret, now, err);

	return r < 0 ? r : trust_files_add(paths, ret, err);
}

int trust_files_begin(struct chain_trust *ret, uint64_t now, struct assay_error *err)
{
	*ret = (struct chain_trust){ .roots = sk_X509_new_null(),
				     .intermediates = sk_X509_new_null(),
				     .revocations = sk_X509_CRL_new_null(),
				     .now = now };
	if (!ret->roots || !ret->intermediates || !ret->revocations)
		return assay_fail(err, ENOMEM, "out of memory");
	return 0;
}

int trust_files_add(const struct trust_paths *paths, struct chain_trust *trust,
		    struct assay_error *err)
{
	int r = read_paths(&paths->roots, trust->now, take_certificates, trust->roots, err);

	if (r == 0)
		r = read_paths(&paths->intermediates, trust->now, take_certificates,
			       trust->intermediates, err);
	if (r == 0)
		r = read_paths(&paths->crls, trust->now, take_lists, trust->revocations, err);
	return r;
}

int trust_files_add_one(const char *path, STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * lists,
			struct assay_error *err)
{
	return certificates ? read_path(path, 0, take_certificates, certificates, err) :
			      read_path(path, REVOCATIONS_ANY_TIME, take_lists, lists, err);
}

int trust_files_add_roots(const char *path, struct chain_trust *trust, struct assay_error *err)
{
	return read_path(path, trust->now, take_certificates, trust->roots, err);
}

int trust_files_certificates(const char *path, struct buffer *out, struct assay_error *err)
{
	STACK_OF(X509) *certificates = sk_X509_new_null();
	int r = certificates ? read_one(path, 0, take_certificates, certificates, err) :
			       assay_fail(err, ENOMEM, "out of memory");

	for (int i = 0; r == 0 && i < sk_X509_num(certificates); i++)
		r = certificate_append_der(sk_X509_value(certificates, i), out, err);
	sk_X509_pop_free(certificates, X509_free);
	return r;
}

void trust_files_free(struct chain_trust *trust)
{
	sk_X509_pop_free(trust->roots, X509_free);
	sk_X509_pop_free(trust->intermediates, X509_free);
	sk_X509_CRL_pop_free(trust->revocations, X509_CRL_free);
	*trust = (struct chain_trust){ 0 };
}

void trust_paths_free(struct trust_paths *paths)
{
	option_texts_free(&paths->roots);
	option_texts_free(&paths->intermediates);
	option_texts_free(&paths->crls);
}
