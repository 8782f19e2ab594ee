// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "device.h"
#include "measure.h"
#include "reader.h"
#include "stats.h"

/* The sizes of the first version: less was never valid. */
#define ASSAY_INFO_SIZE_V1 136
#define ASSAY_MEASURE_SIZE_V1 40
#define ASSAY_APPEND_SIZE_V1 48
#define ASSAY_ANCHOR_SIZE_V1 24
#define ASSAY_MEASURE_ENTRY_SIZE_V1 80

static_assert(sizeof(struct assay_info) == ASSAY_INFO_SIZE_V1);
static_assert(sizeof(struct assay_measure) == ASSAY_MEASURE_SIZE_V1);
static_assert(sizeof(struct assay_append) == ASSAY_APPEND_SIZE_V1);
static_assert(sizeof(struct assay_anchor_request) == ASSAY_ANCHOR_SIZE_V1);
static_assert(sizeof(struct assay_measure_entry) == ASSAY_MEASURE_ENTRY_SIZE_V1);

/* More than any caller's idea of an entry; bounds what one call makes us read. */
#define ASSAY_MEASURE_ENTRY_SIZE_MAX 4096

/*
 * Read a struct of which the caller knows @user_size bytes and we @size, the first
 * version having @size_v1: what the caller does not know is zero, what we do not
 * know must be.
 */
static int assay_copy_in(void *to, size_t size, size_t size_v1, const void __user *from,
			 size_t user_size)
{
	int ret;

	if (user_size < size_v1)
		return -EINVAL;
	ret = copy_struct_from_user(to, size, from, user_size);
	return ret == -E2BIG ? -EINVAL : ret;
}

static int assay_copy_out(void __user *to, size_t user_size, const void *from, size_t size)
{
	return copy_to_user(to, from, min(size, user_size)) ? -EFAULT : 0;
}

static long assay_ioctl_info(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_info info;
	int ret;

	ret = assay_copy_in(&info, sizeof(info), ASSAY_INFO_SIZE_V1, argument, user_size);
	if (ret)
		return ret;
	if (info.flags)
		return -EINVAL;
	memset(&info, 0, sizeof(info));
	assay_ledger_info(&assay->ledger, &info);
	return assay_copy_out(argument, user_size, &info, sizeof(info));
}

/**
 * struct assay_batch - a MEASURE call under way
 * @count: entries
 * @entry_size: bytes of an entry as the caller knows it
 * @user_entries: the caller's entries
 * @entries: ours
 * @files: a reference to each entry's file, NULL behind the last one taken
 */
struct assay_batch {
	unsigned int count;
	size_t entry_size;
	void __user *user_entries;
	struct assay_measure_entry *entries;
	struct file **files;
};

static void assay_batch_free(struct assay_batch *batch)
{
	unsigned int i;

	for (i = 0; batch->files && i < batch->count && batch->files[i]; i++)
		fput(batch->files[i]);
	kvfree(batch->files);
	kvfree(batch->entries);
}

static int assay_batch_read(struct assay_batch *batch)
{
	unsigned int i;

	batch->entries = kvcalloc(batch->count, sizeof(*batch->entries), GFP_KERNEL);
	batch->files = kvcalloc(batch->count, sizeof(*batch->files), GFP_KERNEL);
	if (!batch->entries || !batch->files)
		return -ENOMEM;
	for (i = 0; i < batch->count; i++) {
		struct assay_measure_entry *entry = &batch->entries[i];
		int ret;

		ret = assay_copy_in(entry, sizeof(*entry), ASSAY_MEASURE_ENTRY_SIZE_V1,
				    batch->user_entries + i * batch->entry_size, batch->entry_size);
		if (ret)
			return ret;
		if (entry->reserved)
			return -EINVAL;
		/* Nothing that the caller left in the fields we fill in goes back to it. */
		*entry = (struct assay_measure_entry){ .fd = entry->fd };
		cond_resched();
	}
	for (i = 0; i < batch->count; i++) {
		batch->files[i] = fget(batch->entries[i].fd);
		if (!batch->files[i] || !(batch->files[i]->f_mode & FMODE_READ))
			return -EBADF;
	}
	return 0;
}

static int assay_batch_write(const struct assay_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++) {
		int ret = assay_copy_out(batch->user_entries + i * batch->entry_size,
					 batch->entry_size, &batch->entries[i],
					 sizeof(batch->entries[i]));

		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static long assay_ioctl_measure(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_measure request;
	struct assay_batch batch = {};
	struct assay_cel fields;
	struct kvec content[2];
	int ret, written;

	ret = assay_copy_in(&request, sizeof(request), ASSAY_MEASURE_SIZE_V1, argument, user_size);
	if (ret)
		return ret;
	if (request.flags & ~ASSAY_MEASURE_READ || request.reserved || !request.count ||
	    request.count > ASSAY_MAX_BATCH || request.entry_size < ASSAY_MEASURE_ENTRY_SIZE_V1 ||
	    request.entry_size > ASSAY_MEASURE_ENTRY_SIZE_MAX)
		return -EINVAL;
	batch.count = request.count;
	batch.entry_size = request.entry_size;
	batch.user_entries = u64_to_user_ptr(request.entries);

	request.recnum = ASSAY_RECNUM_NONE;

	/* More than the ring holds can never be written. */
	assay_cel_init(&fields, assay->ledger.ring.size);
	ret = assay_batch_read(&batch);
	if (!ret)
		ret = assay_measure_files(batch.files, batch.count, request.flags, batch.entries,
					  &fields);
	/* Results go out first: memory that cannot be written must not leave a record. */
	if (!ret)
		ret = assay_batch_write(&batch);
	if (!ret)
		ret = assay_copy_out(argument, user_size, &request, sizeof(request));
	if (ret)
		goto out;
	content[1] = (struct kvec){ fields.data, fields.size };
	ret = assay_ledger_append(&assay->ledger, ASSAY_KIND_MEASURE, content, ARRAY_SIZE(content),
				  &request.recnum, &request.offset);
	written = assay_copy_out(argument, user_size, &request, sizeof(request));
	ret = ret ?: written;
out:
	assay_cel_free(&fields);
	assay_batch_free(&batch);
	return ret;
}

static bool assay_is_printable(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	}
	return true;
}

static long assay_ioctl_append(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_append request;
	char label[ASSAY_MAX_LABEL];
	struct assay_cel fields;
	struct kvec content[2];
	int ret, written;
	size_t event;
	void *data;

	ret = assay_copy_in(&request, sizeof(request), ASSAY_APPEND_SIZE_V1, argument, user_size);
	if (ret)
		return ret;
	if (request.flags || request.reserved || !request.label_size ||
	    request.label_size > ASSAY_MAX_LABEL || request.data_size > ASSAY_MAX_EVENT)
		return -EINVAL;
	if (copy_from_user(label, u64_to_user_ptr(request.label), request.label_size))
		return -EFAULT;
	if (!assay_is_printable(label, request.label_size))
		return -EINVAL;
	data = vmemdup_user(u64_to_user_ptr(request.data), request.data_size);
	if (IS_ERR(data))
		return PTR_ERR(data);

	request.recnum = ASSAY_RECNUM_NONE;
	assay_cel_init(&fields, assay->ledger.ring.size);
	event = assay_cel_begin(&fields, ASSAY_FIELD_EVENT);
	assay_cel_put(&fields, ASSAY_FIELD_LABEL, label, request.label_size);
	assay_cel_put(&fields, ASSAY_FIELD_DATA, data, request.data_size);
	assay_cel_end(&fields, event);
	kvfree(data);
	/* As for MEASURE: memory that cannot be written must not leave a record. */
	ret = fields.error ?: assay_copy_out(argument, user_size, &request, sizeof(request));
	if (ret)
		goto out;
	content[1] = (struct kvec){ fields.data, fields.size };
	ret = assay_ledger_append(&assay->ledger, ASSAY_KIND_EVENT, content, ARRAY_SIZE(content),
				  &request.recnum, &request.offset);
	written = assay_copy_out(argument, user_size, &request, sizeof(request));
	ret = ret ?: written;
out:
	assay_cel_free(&fields);
	return ret;
}

static long assay_ioctl_anchor(struct assay *assay, void __user *argument, size_t user_size)
{
	struct assay_anchor_request request;
	int ret, written;

	ret = assay_copy_in(&request, sizeof(request), ASSAY_ANCHOR_SIZE_V1, argument, user_size);
	if (ret)
		return ret;
	if (request.flags || request.reserved)
		return -EINVAL;
	ret = assay_ledger_anchor(&assay->ledger, &request.anchored_records, &request.anchored);
	written = assay_copy_out(argument, user_size, &request, sizeof(request));
	return ret ?: written;
}

static long assay_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct assay *assay = assay_of_file(file);
	void __user *pointer = (void __user *)argument;
	size_t user_size = _IOC_SIZE(command);

	/* The size is the caller's version of the struct, not part of the command's name. */
	if (_IOC_TYPE(command) != ASSAY_IOC_MAGIC || _IOC_DIR(command) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	switch (_IOC_NR(command)) {
	case _IOC_NR(ASSAY_IOC_INFO):
		return assay_ioctl_info(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_MEASURE):
		if (!(file->f_mode & FMODE_WRITE))
			return -EACCES;
		return assay_ioctl_measure(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_APPEND):
		if (!(file->f_mode & FMODE_WRITE))
			return -EACCES;
		return assay_ioctl_append(assay, pointer, user_size);
	case _IOC_NR(ASSAY_IOC_ANCHOR):
		if (!(file->f_mode & FMODE_WRITE))
			return -EACCES;
		return assay_ioctl_anchor(assay, pointer, user_size);
	}
	return -ENOTTY;
}

static const struct file_operations assay_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = assay_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = assay_reader_mmap,
	.read = assay_reader_read,
	.poll = assay_reader_poll,
	.llseek = assay_reader_llseek,
};

int assay_chardev_register(struct assay *assay, struct device *parent)
{
	int ret;

	assay->misc.minor = MISC_DYNAMIC_MINOR;
	assay->misc.name = "assay";
	assay->misc.fops = &assay_fops;
	assay->misc.parent = parent;
	assay->misc.groups = assay_stats_groups;
	assay->misc.mode = 0660;
	ret = misc_register(&assay->misc);
	if (ret)
		dev_err(parent, "cannot make /dev/assay (error %d)%s\n", ret,
			ret == -EEXIST ? ": there is one already; use one assay,log node" : "");
	else if (!assay_measure_available())
		dev_warn(
			parent,
			"files cannot be measured: this kernel does not export fsverity_get_digest, as Linux 6.6 and newer do; MEASURE says so of each\n");
	return ret;
}

void assay_chardev_unregister(struct assay *assay)
{
	misc_deregister(&assay->misc);
}
