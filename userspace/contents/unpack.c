// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int unpack_error(struct archive *archive, const char *name, struct assay_error *err)
{
	const char *text = archive_error_string(archive);
	char shown[300];

	return assay_fail(err, EBADMSG, "%s: %s", name,
			  text ? text_escape(BYTES((const uint8_t *)text, strlen(text)), shown,
					     sizeof(shown)) :
				 "it cannot be read");
}

int unpack_next(struct archive *archive, const char *name, struct archive_entry **ret,
		struct assay_error *err)
{
	int r = archive_read_next_header(archive, ret);

	if (r == ARCHIVE_EOF)
		return 0;
	/* A warning is of what this machine's locale cannot say of a name. */
	return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 1 : unpack_error(archive, name, err);
}

/* ---------------------------------------------------------------- an archive in another */

struct within {
	struct archive *outer;
	EVP_MD_CTX *hash;
	uint8_t chunk[1 << 16];
};

static la_ssize_t read_within(struct archive *archive, void *context, const void **ret)
{
	struct within *within = context;
	la_ssize_t size = archive_read_data(within->outer, within->chunk, sizeof(within->chunk));

	*ret = within->chunk;
	if (size > 0 && within->hash)
		EVP_DigestUpdate(within->hash, within->chunk, (size_t)size);
	if (size < 0)
		archive_set_error(archive, EIO, "%s", archive_error_string(within->outer));
	return size < 0 ? -1 : size;
}

static int close_within(struct archive *archive, void *context)
{
	(void)archive;
	free(context);
	return ARCHIVE_OK;
}

int unpack_open_within(struct archive *outer, const char *name, EVP_MD_CTX *hash,
		       struct archive **ret, struct assay_error *err)
{
	struct within *within = malloc(sizeof(*within));
	struct archive *archive = archive_read_new();
	int r;

	if (!within || !archive) {
		free(within);
		archive_read_free(archive);
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	}
	within->outer = outer;
	within->hash = hash;
	/* What Debian's packages and container images are compressed with; no program is run for
	 * it. */
	archive_read_support_filter_none(archive);
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_format_tar(archive);
	archive_read_support_format_gnutar(archive);
	r = archive_read_open(archive, within, NULL, read_within, close_within);
	if (r != ARCHIVE_OK) {
		unpack_error(archive, name, err);
		archive_read_free(archive);
		return -EBADMSG;
	}
	*ret = archive;
	return 0;
}

int unpack_text(struct archive *archive, const char *name, size_t limit, struct buffer *out,
		struct assay_error *err)
{
	uint8_t chunk[4096];
	la_ssize_t size;

	while ((size = archive_read_data(archive, chunk, sizeof(chunk))) > 0) {
		if (out->size + (size_t)size > limit)
			return assay_fail(err, EFBIG, "%s is larger than %zu bytes", name, limit);
		buffer_append(out, chunk, (size_t)size);
	}
	if (size < 0)
		return unpack_error(archive, name, err);
	return out->failed ? assay_fail(err, ENOMEM, "cannot read %s: out of memory", name) : 0;
}

/* ---------------------------------------------------------------- members */

struct reading {
	struct archive *archive;
	const char *name;
};

/* A verity_read_function. */
static ssize_t read_data(void *context, void *data, size_t size, struct assay_error *err)
{
	struct reading *reading = context;
	size_t filled = 0;

	while (filled < size) {
		la_ssize_t got = archive_read_data(reading->archive, (uint8_t *)data + filled,
						   size - filled);

		if (got < 0)
			return unpack_error(reading->archive, reading->name, err);
		if (got == 0)
			break;
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

static int put_file(struct unpack *unpack, struct archive *archive, struct archive_entry *entry,
		    const struct package_name *package, const char *name, struct assay_error *err)
{
	struct merged_file file = { .package = package };
	struct reading reading = { archive, name };
	const char *path = archive_entry_pathname(entry);
	int r;

	if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0)
		return assay_fail(err, EBADMSG, "%s: a file in it has no size", name);
	file.size = (uint64_t)archive_entry_size(entry);
	if (file.size > unpack->left)
		return assay_fail(err, E2BIG, "%s: it unpacks to more than %llu GiB", name,
				  (unsigned long long)(UNPACK_BYTES_MAX >> 30));
	unpack->left -= file.size;
	r = verity_hash(unpack->hasher, read_data, &reading, file.size, name, &file.digest, err);
	if (r < 0)
		return r;
	r = merged_put_file(unpack->merged, path, &file, err);
	return r < 0 ? assay_fail_context(err, "%s", name) : 0;
}

int unpack_member(struct unpack *unpack, struct archive *archive, struct archive_entry *entry,
		  const struct package_name *package, const char *name, struct assay_error *err)
{
	const char *path = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	struct merged *merged = unpack->merged;
	int r;

	if (!path)
		return assay_fail(err, EBADMSG, "%s: a member has no name", name);
	if (link) {
		r = merged_put_hard_link(merged, path, link, err);
	} else {
		switch (archive_entry_filetype(entry)) {
		case AE_IFREG:
			return put_file(unpack, archive, entry, package, name, err);
		case AE_IFDIR:
			r = merged_put_directory(merged, path, err);
			break;
		case AE_IFLNK:
			link = archive_entry_symlink(entry);
			r = merged_put_link(merged, path, link ? link : "", err);
			break;
		default:
			r = merged_put_other(merged, path, err);
		}
	}
	return r < 0 ? assay_fail_context(err, "%s", name) : 0;
}
