// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uuid.h>

#include "compat.h"
#include "measure.h"

/* Read so much at a time. */
#define ASSAY_READ_CHUNK SZ_64K

static_assert(FS_VERITY_MAX_DIGEST_SIZE <= ASSAY_MAX_DIGEST);

/**
 * struct assay_measure_buffers - what measuring one file after the other needs
 * @path: PATH_MAX bytes
 * @data: ASSAY_READ_CHUNK bytes, NULL where files are not read
 */
struct assay_measure_buffers {
	char *path;
	u8 *data;
};

static u16 assay_measure_alg(u8 verity_alg)
{
	switch (verity_alg) {
	case FS_VERITY_HASH_ALG_SHA256:
		return ASSAY_ALG_SHA256;
	case FS_VERITY_HASH_ALG_SHA512:
		return ASSAY_ALG_SHA512;
	}
	return 0;
}

#ifdef ASSAY_HAS_FSVERITY_GET_DIGEST
/**
 * assay_measure_available() - can files be measured on this kernel
 *
 * Return: false where it does not export what that takes; each file is then
 * -EOPNOTSUPP.
 */
bool assay_measure_available(void)
{
	return true;
}

/* The file's fs-verity digest, and its size; 0 if it has none. */
static int assay_measure_digest(struct inode *inode, u8 *digest, u8 *ret_alg)
{
	return fsverity_get_digest(inode, digest, ret_alg, NULL);
}
#else
bool assay_measure_available(void)
{
	return false;
}

static int assay_measure_digest(struct inode *inode, u8 *digest, u8 *ret_alg)
{
	return -EOPNOTSUPP;
}
#endif

/* Let the kernel check every data block against the digest. */
static int assay_measure_read(struct file *file, u8 *data)
{
	loff_t offset = 0;
	ssize_t ret;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = kernel_read(file, data, ASSAY_READ_CHUNK, &offset);
		cond_resched();
	} while (ret > 0);
	return ret;
}

static int assay_measure_one(struct file *file, u32 flags, u8 *data,
			     struct assay_measure_entry *entry)
{
	struct inode *inode = file_inode(file);
	u8 digest[FS_VERITY_MAX_DIGEST_SIZE];
	u8 verity_alg;
	int size, ret;
	u16 alg;

	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	size = assay_measure_digest(inode, digest, &verity_alg);
	if (size < 0)
		return size;
	if (!size)
		return -ENODATA;
	alg = assay_measure_alg(verity_alg);
	if (!alg)
		return -EOPNOTSUPP;
	if (flags & ASSAY_MEASURE_READ) {
		ret = assay_measure_read(file, data);
		if (ret)
			return ret;
	}
	entry->hash_alg = alg;
	entry->digest_size = size;
	memcpy(entry->digest, digest, size);
	return 0;
}

static void assay_measure_put(struct assay_cel *content, struct file *file, char *path,
			      const struct assay_measure_entry *entry)
{
	struct inode *inode = file_inode(file);
	u8 digest[sizeof(__be16) + ASSAY_MAX_DIGEST];
	const char *name = file_path(file, path, PATH_MAX);
	size_t field = assay_cel_begin(content, ASSAY_FIELD_FILE);

	if (!IS_ERR(name))
		assay_cel_put_text(content, ASSAY_FIELD_PATH, name);
	if (entry->result) {
		assay_cel_put_u32(content, ASSAY_FIELD_ERRNO, -entry->result);
	} else {
		put_unaligned_be16(entry->hash_alg, digest);
		memcpy(digest + sizeof(__be16), entry->digest, entry->digest_size);
		assay_cel_put(content, ASSAY_FIELD_DIGEST, digest,
			      sizeof(__be16) + entry->digest_size);
	}
	if (!uuid_is_null(&inode->i_sb->s_uuid))
		assay_cel_put(content, ASSAY_FIELD_FSUUID, &inode->i_sb->s_uuid,
			      sizeof(inode->i_sb->s_uuid));
	assay_cel_put_u64(content, ASSAY_FIELD_INODE, inode->i_ino);
	assay_cel_put_u32(content, ASSAY_FIELD_GENERATION, inode->i_generation);
	assay_cel_put_u64(content, ASSAY_FIELD_SIZE, i_size_read(inode));
	assay_cel_end(content, field);
}

/**
 * assay_measure_files() - measure files
 * @files: files open for reading
 * @count: how many
 * @flags: ASSAY_MEASURE_*
 * @entries: to fill in result, hash_alg, digest_size and digest of each
 * @content: a record's content, to which a FILE field is added for each
 *
 * A file that cannot be measured is no error of the call: its errno is in its
 * entry and in its field.
 *
 * Return: 0, -EINTR (killed), -ENOMEM or -ENOSPC (@content is full).
 */
int assay_measure_files(struct file *const *files, unsigned int count, u32 flags,
			struct assay_measure_entry *entries, struct assay_cel *content)
{
	struct assay_measure_buffers buffers = {};
	unsigned int i;
	int ret = 0;

	buffers.path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (flags & ASSAY_MEASURE_READ)
		buffers.data = kvmalloc(ASSAY_READ_CHUNK, GFP_KERNEL);
	if (!buffers.path || (flags & ASSAY_MEASURE_READ && !buffers.data))
		ret = -ENOMEM;

	for (i = 0; !ret && i < count; i++) {
		entries[i].result = assay_measure_one(files[i], flags, buffers.data, &entries[i]);
		assay_measure_put(content, files[i], buffers.path, &entries[i]);
		cond_resched();
		ret = fatal_signal_pending(current) ? -EINTR : content->error;
	}
	kvfree(buffers.data);
	kfree(buffers.path);
	return ret;
}
