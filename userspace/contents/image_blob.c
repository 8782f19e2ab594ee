// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "image_blob.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "opener.h"
#include "verity/digest.h"

#define CHUNK_SIZE ((size_t)1 << 16)

static int out_of_memory(const struct image_source *source, struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot read %s: out of memory", source->name);
}

/* A file of a directory: an archive of one member, whatever it is. */
static int open_file(const struct image_source *source, const char *path, struct image_blob *blob,
		     struct assay_error *err)
{
	struct archive_entry *entry;

	blob->fd = opener_open(source->opener, source->file, path, blob->name, err);
	if (blob->fd < 0)
		return blob->fd;
	archive_read_support_format_raw(blob->archive);
	archive_read_support_format_empty(blob->archive);
	if (archive_read_open_fd(blob->archive, blob->fd, CHUNK_SIZE) != ARCHIVE_OK)
		return unpack_error(blob->archive, blob->name, err);
	return unpack_next(blob->archive, blob->name, &entry, err) == 1 ?
		       0 :
		       assay_fail(err, EBADMSG, "%s is empty", blob->name);
}

static const char *bare(const char *path)
{
	while (path[0] == '/' || (path[0] == '.' && path[1] == '/'))
		path++;
	return path;
}

/* A member of a tar archive, which is looked for from its beginning. */
static int open_member(const struct image_source *source, const char *path, struct image_blob *blob,
		       struct assay_error *err)
{
	struct archive_entry *entry;
	int r;

	archive_read_support_filter_none(blob->archive);
	archive_read_support_filter_gzip(blob->archive);
	archive_read_support_format_tar(blob->archive);
	archive_read_support_format_gnutar(blob->archive);
	if (source->fd >= 0 && lseek(source->fd, 0, SEEK_SET) < 0)
		return assay_fail(err, errno, "%s: it cannot be read more than once: %s",
				  source->name, strerror(errno));
	r = source->fd >= 0 ?
		    archive_read_open_fd(blob->archive, source->fd, CHUNK_SIZE) :
		    archive_read_open_memory(blob->archive, source->text.data, source->text.size);
	if (r != ARCHIVE_OK)
		return unpack_error(blob->archive, source->name, err);
	while ((r = unpack_next(blob->archive, source->name, &entry, err)) == 1) {
		const char *name = archive_entry_pathname(entry);

		if (!name || strcmp(bare(name), path) != 0)
			continue;
		if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) != AE_IFREG)
			return assay_fail(err, EBADMSG, "%s is no file", blob->name);
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

int blob_open(const struct image_source *source, const char *path,
	      const struct assay_digest *digest, struct image_blob *ret, struct assay_error *err)
{
	int r;

	*ret = (struct image_blob){ .archive = archive_read_new(), .fd = -1 };
	snprintf(ret->name, sizeof(ret->name), "%s, %s", source->name, path);
	if (!ret->archive)
		return out_of_memory(source, err);
	r = (source->directory ? open_file : open_member)(source, path, ret, err);
	if (r == 0 && digest) {
		ret->expected = *digest;
		ret->hash = EVP_MD_CTX_new();
		if (!ret->hash || EVP_DigestInit_ex(ret->hash, EVP_sha256(), NULL) != 1)
			r = out_of_memory(source, err);
	}
	if (r < 0)
		blob_close(ret);
	return r;
}

int blob_check(struct image_blob *blob, struct assay_error *err)
{
	struct assay_digest found = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	uint8_t chunk[4096];
	la_ssize_t size;

	if (!blob->hash)
		return 0;
	while ((size = archive_read_data(blob->archive, chunk, sizeof(chunk))) > 0)
		EVP_DigestUpdate(blob->hash, chunk, (size_t)size);
	if (size < 0)
		return unpack_error(blob->archive, blob->name, err);
	if (EVP_DigestFinal_ex(blob->hash, found.bytes, NULL) != 1)
		return assay_fail(err, EIO, "libcrypto cannot compute SHA-256");
	return verity_digest_equal(&found, &blob->expected) ?
		       0 :
		       assay_fail(err, EBADMSG, "%s: it is not what its digest says", blob->name);
}

void blob_close(struct image_blob *blob)
{
	archive_read_free(blob->archive);
	EVP_MD_CTX_free(blob->hash);
	if (blob->fd >= 0)
		close(blob->fd);
	*blob = (struct image_blob){ .fd = -1 };
}
