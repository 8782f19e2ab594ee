// SPDX-License-Identifier: MIT
/* Manifests in memory, and what all parts ask of their members. */
#define _GNU_SOURCE
#include "sign/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

/* What is held in memory, in bytes: far more than there are files on a system. */
#define MANIFEST_SIZE_MAX ((size_t)1 << 30)
#define SIGNATURE_SIZE_MAX 65536

_Static_assert(MANIFEST_PATH_MAX == 4096, "as manifest_check_path() tells");

/* Without a NUL; most names are of ASCII alone, which needs no memory to tell. */
static bool is_utf8(const char *text)
{
	const char *at = text;
	json_t *value;
	bool whole;

	while (*at != '\0' && (uint8_t)*at < 0x80)
		at++;
	if (*at == '\0')
		return true;
	value = json_string(text);
	whole = value;
	json_decref(value);
	return whole;
}

static bool has_odd_component(const char *path)
{
	for (const char *at = path; *at;) {
		size_t part = strcspn(++at, "/");

		if (part == 0 || (part == 1 && at[0] == '.') ||
		    (part == 2 && at[0] == '.' && at[1] == '.'))
			return true;
		at += part;
	}
	return false;
}

int manifest_check_path(const char *path, struct assay_error *err)
{
	const size_t length = strlen(path);
	const char *fault;
	char shown[512];

	if (length >= MANIFEST_PATH_MAX)
		fault = "is longer than 4095 bytes";
	else if (path[0] != '/' || path[1] == '\0')
		fault = "is not absolute, or names no file";
	else if (has_odd_component(path))
		fault = "has an empty, \".\" or \"..\" component";
	else if (!is_utf8(path))
		fault = "is not UTF-8, so no manifest can name it; rename the file, or leave it "
			"out";
	else
		return 0;
	text_escape(BYTES((const uint8_t *)path, length), shown, sizeof(shown));
	return assay_fail(err, EBADMSG, "the path \"%s\" %s", shown, fault);
}

int manifest_check_product(const char *product, struct assay_error *err)
{
	const char *wrong = NULL;
	json_t *text;

	if (*product == '\0')
		wrong = "empty";
	else if (strlen(product) > MANIFEST_PRODUCT_MAX)
		wrong = "longer than 127 bytes";
	for (const char *at = product; *at && !wrong; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			wrong = "not text without control characters";
	if (!wrong) {
		text = json_string(product);
		wrong = text ? NULL : "not UTF-8";
		json_decref(text);
	}
	return wrong ? assay_fail(err, EBADMSG, "\"product\" is %s", wrong) : 0;
}

uint64_t manifest_created(const struct manifest_header *header)
{
	uint64_t when = 0;

	/* It was checked when it was read, or is what manifest_begin() wrote. */
	(void)utc_parse(header->created, &when);
	return when;
}

static int keep_file(void *context, const struct manifest_header *header,
		     const struct manifest_entry *entry, struct assay_error *err)
{
	struct manifest *manifest = context;
	size_t count = manifest->count;
	const struct package_name *package =
		entry->package.name ? packages_keep(&manifest->packages, &entry->package) : NULL;
	char *path = !entry->package.name || package ? strdup(entry->path) : NULL;

	(void)header;
	/* Room doubles whenever the count is a power of two. */
	if (path && (count & (count - 1)) == 0) {
		size_t capacity = count ? 2 * count : 1;
		struct manifest_file *files =
			reallocarray(manifest->files, capacity, sizeof(*files));

		if (files) {
			manifest->files = files;
		} else {
			free(path);
			path = NULL;
		}
	}
	if (!path)
		return assay_fail(err, ENOMEM, "cannot read the manifest: out of memory");
	manifest->files[count] = (struct manifest_file){
		.path = path, .size = entry->size, .digest = entry->digest, .package = package
	};
	manifest->count++;
	return 0;
}

int manifest_parse(struct bytes text, const char *name, struct manifest **ret,
		   struct assay_error *err)
{
	struct manifest *manifest = calloc(1, sizeof(*manifest));
	int r;

	if (!manifest)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	r = manifest_read_bytes(text, name, keep_file, manifest, &manifest->header, err);
	if (r < 0) {
		manifest_free(manifest);
		return r;
	}
	*ret = manifest;
	return 0;
}

int manifest_load(const char *path, struct manifest **ret, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = file_read(path, MANIFEST_SIZE_MAX, &text, err);

	if (r == 0)
		r = manifest_parse(buffer_bytes(&text), path, ret, err);
	buffer_free(&text);
	return r;
}

int manifest_read_signature(const char *path, struct buffer *out, struct assay_error *err)
{
	char *signature_path;
	int r;

	if (asprintf(&signature_path, "%s" MANIFEST_SIGNATURE_SUFFIX, path) < 0)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
	r = file_read(signature_path, SIGNATURE_SIZE_MAX, out, err);
	free(signature_path);
	return r;
}

int manifest_read_signed(const char *path, struct buffer *ret_text, struct buffer *ret_signature,
			 struct assay_error *err)
{
	int r = file_read(path, MANIFEST_SIZE_MAX, ret_text, err);

	return r < 0 ? r : manifest_read_signature(path, ret_signature, err);
}

void manifest_free(struct manifest *manifest)
{
	if (!manifest)
		return;
	for (size_t i = 0; i < manifest->count; i++)
		free((char *)manifest->files[i].path);
	free(manifest->files);
	packages_free(&manifest->packages);
	free(manifest);
}

static int compare_path(const void *key, const void *file)
{
	return strcmp(key, ((const struct manifest_file *)file)->path);
}

const struct manifest_file *manifest_find(const struct manifest *manifest, const char *path)
{
	if (manifest->count == 0)
		return NULL;
	return bsearch(path, manifest->files, manifest->count, sizeof(*manifest->files),
		       compare_path);
}
