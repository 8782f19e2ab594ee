// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEASURE and APPEND, from the caller's memory to a request of the committer and back.
 * Everything that can fail for the caller's sake, and all that takes long, is done before
 * the request is queued: reading and checking the entries, digests, TLVs, and finding out
 * that results can be written. Called by chardev and uring, which check permissions.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "call.h"
#include "measure.h"
#include "mirror.h"

/* The sizes of the first version: less was never valid. */
#define ASSAY_VECTOR_SIZE_V1 40
#define ASSAY_MEASURE_ENTRY_SIZE_V1 80
#define ASSAY_APPEND_ENTRY_SIZE_V1 24

static_assert(sizeof(struct assay_measure_entry) == ASSAY_MEASURE_ENTRY_SIZE_V1);
static_assert(sizeof(struct assay_append_entry) == ASSAY_APPEND_ENTRY_SIZE_V1);

/* More than any caller's idea of an entry; bounds what one call makes us read. */
#define ASSAY_ENTRY_SIZE_MAX 4096

/* Both calls have the same struct, but for what the entries are. */
static_assert(sizeof(struct assay_measure) == ASSAY_VECTOR_SIZE_V1);
static_assert(sizeof(struct assay_append) == ASSAY_VECTOR_SIZE_V1);
static_assert(offsetof(struct assay_append, entries) == offsetof(struct assay_measure, entries));
static_assert(offsetof(struct assay_append, recnum) == offsetof(struct assay_measure, recnum));
static_assert(offsetof(struct assay_append, offset) == offsetof(struct assay_measure, offset));

/**
 * assay_call_copy_in() - read a request struct of the ABI
 * @to: ours, set
 * @size: bytes of it
 * @size_v1: bytes it had in the first version
 * @from: the caller's
 * @user_size: bytes as the caller knows it
 *
 * What the caller does not know is zero, what we do not know must be.
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int assay_call_copy_in(void *to, size_t size, size_t size_v1, const void __user *from,
		       size_t user_size)
{
	int ret;

	if (user_size < size_v1)
		return -EINVAL;
	ret = copy_struct_from_user(to, size, from, user_size);
	return ret == -E2BIG ? -EINVAL : ret;
}

/**
 * assay_call_copy_out() - write it back, as much as the caller knows
 * @to: the caller's
 * @user_size: bytes as the caller knows it
 * @from: ours
 * @size: bytes of it
 *
 * Return: 0 or -EFAULT.
 */
int assay_call_copy_out(void __user *to, size_t user_size, const void *from, size_t size)
{
	return copy_to_user(to, from, min(size, user_size)) ? -EFAULT : 0;
}

/* ------------------------------------------------------------------ MEASURE */
/**
 * struct assay_batch - the files of a MEASURE
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

	batch->entries = kvcalloc(batch->count, sizeof(*batch->entries), GFP_KERNEL_ACCOUNT);
	batch->files = kvcalloc(batch->count, sizeof(*batch->files), GFP_KERNEL_ACCOUNT);
	if (!batch->entries || !batch->files)
		return -ENOMEM;
	for (i = 0; i < batch->count; i++) {
		struct assay_measure_entry *entry = &batch->entries[i];
		int ret;

		ret = assay_call_copy_in(entry, sizeof(*entry), ASSAY_MEASURE_ENTRY_SIZE_V1,
					 batch->user_entries + i * batch->entry_size,
					 batch->entry_size);
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
		int ret = assay_call_copy_out(batch->user_entries + i * batch->entry_size,
					      batch->entry_size, &batch->entries[i],
					      sizeof(batch->entries[i]));

		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static int assay_call_measure(struct assay_call *call, const struct assay_measure *measure)
{
	struct assay_batch batch = {
		.count = measure->count,
		.entry_size = measure->entry_size,
		.user_entries = u64_to_user_ptr(measure->entries),
	};
	int ret;

	ret = assay_batch_read(&batch);
	if (!ret)
		ret = assay_measure_files(batch.files, batch.count, measure->flags, batch.entries,
					  &call->request.fields);
	/* Results go out first: memory that cannot be written must not leave a record. */
	if (!ret)
		ret = assay_batch_write(&batch);
	assay_batch_free(&batch);
	return ret;
}

/* ------------------------------------------------------------------ APPEND */
static bool assay_is_printable(const u8 *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	}
	return true;
}

static int assay_event_put(struct assay_cel *fields, const struct assay_append_entry *entry)
{
	size_t event = assay_cel_begin(fields, ASSAY_FIELD_EVENT);
	u8 *label, *data;

	label = assay_cel_reserve(fields, ASSAY_FIELD_LABEL, entry->label_size);
	if (!label)
		return fields->error;
	if (copy_from_user(label, u64_to_user_ptr(entry->label), entry->label_size))
		return -EFAULT;
	if (!assay_is_printable(label, entry->label_size))
		return -EINVAL;
	data = assay_cel_reserve(fields, ASSAY_FIELD_DATA, entry->data_size);
	if (!data)
		return fields->error;
	if (copy_from_user(data, u64_to_user_ptr(entry->data), entry->data_size))
		return -EFAULT;
	assay_cel_end(fields, event);
	return 0;
}

static int assay_event_append(struct assay_cel *fields, const struct assay_append_entry *entry)
{
	if (!entry->label_size || entry->label_size > ASSAY_MAX_LABEL ||
	    entry->data_size > ASSAY_MAX_EVENT)
		return -EINVAL;
	return assay_event_put(fields, entry);
}

/* An entry of IMA's list: it goes where it will be, and is judged there, so that it is read once.
 */
static int assay_mirror_append(struct assay_cel *fields, const struct assay_append_entry *entry)
{
	u8 *value;

	if (entry->label || entry->label_size || entry->data_size > ASSAY_MAX_IMA)
		return -EINVAL;
	value = assay_cel_reserve(fields, ASSAY_FIELD_IMA_ENTRY, entry->data_size);
	if (!value)
		return fields->error;
	if (copy_from_user(value, u64_to_user_ptr(entry->data), entry->data_size))
		return -EFAULT;
	return assay_mirror_check(value, entry->data_size);
}

static int assay_call_append(struct assay_call *call, const struct assay_append *append)
{
	const void __user *entries = u64_to_user_ptr(append->entries);
	unsigned int i;

	for (i = 0; i < append->count; i++) {
		struct assay_append_entry entry;
		int ret;

		ret = assay_call_copy_in(&entry, sizeof(entry), ASSAY_APPEND_ENTRY_SIZE_V1,
					 entries + i * (size_t)append->entry_size,
					 append->entry_size);
		if (ret)
			return ret;
		ret = append->flags & ASSAY_APPEND_IMA ?
			      assay_mirror_append(&call->request.fields, &entry) :
			      assay_event_append(&call->request.fields, &entry);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* ------------------------------------------------------------------ both */
/* What the two have in common, in the words of the one. */
union assay_vector {
	struct assay_measure measure;
	struct assay_append append;
};

static bool assay_vector_valid(const struct assay_measure *vector, enum assay_record_kind kind)
{
	u32 flags = kind == ASSAY_KIND_MEASURE ? ASSAY_MEASURE_READ : ASSAY_APPEND_IMA;
	size_t entry_size = kind == ASSAY_KIND_MEASURE ? ASSAY_MEASURE_ENTRY_SIZE_V1 :
							 ASSAY_APPEND_ENTRY_SIZE_V1;

	return !(vector->flags & ~flags) && !vector->reserved && vector->count &&
	       vector->count <= ASSAY_MAX_BATCH && vector->entry_size >= entry_size &&
	       vector->entry_size <= ASSAY_ENTRY_SIZE_MAX;
}

/**
 * assay_call_prepare() - read a call, and make its entries' fields
 * @call: to initialise; to be freed by assay_call_free(), whatever happens
 * @commit: where its request will be queued
 * @kind: ASSAY_KIND_MEASURE or ASSAY_KIND_EVENT
 * @argument: the caller's struct
 * @user_size: bytes of it as the caller knows it
 * @sleep: whether it may sleep for as long as files take to be read
 *
 * In the caller's context: its memory, its files. The results of a MEASURE's entries, and
 * ASSAY_RECNUM_NONE for the record's number, are written to the caller's memory.
 *
 * Return: 0; -EINVAL, -EFAULT, -EBADF, -ENOMEM, -ENOSPC, -EINTR; -EAGAIN (@sleep is not
 * set, and the call wants files to be read).
 */
int assay_call_prepare(struct assay_call *call, struct assay_commit *commit,
		       enum assay_record_kind kind, void __user *argument, size_t user_size,
		       bool sleep)
{
	union assay_vector vector;
	int ret;

	assay_commit_init(commit, &call->request, kind);
	call->argument = argument;
	call->user_size = user_size;
	ret = assay_call_copy_in(&vector, sizeof(vector), ASSAY_VECTOR_SIZE_V1, argument,
				 user_size);
	if (ret)
		return ret;
	if (!assay_vector_valid(&vector.measure, kind))
		return -EINVAL;
	if (vector.measure.flags & ASSAY_MEASURE_READ && !sleep)
		return -EAGAIN;
	call->request.entries = vector.measure.count;
	if (kind == ASSAY_KIND_EVENT && vector.append.flags & ASSAY_APPEND_IMA)
		call->request.kind = ASSAY_KIND_IMA;
	if (kind == ASSAY_KIND_MEASURE)
		ret = assay_call_measure(call, &vector.measure);
	else
		ret = assay_call_append(call, &vector.append);
	if (ret)
		return ret;
	vector.measure.recnum = ASSAY_RECNUM_NONE;
	return assay_call_copy_out(argument, user_size, &vector, sizeof(vector));
}

/**
 * assay_call_finish() - tell the caller which record it was
 * @call: prepared, its request done or never queued
 *
 * In the caller's context. That its memory could be written was found out before; a
 * caller that has taken it away since then is not told.
 */
void assay_call_finish(struct assay_call *call)
{
	const u64 place[] = { call->request.recnum, call->request.offset };

	static_assert(offsetof(struct assay_measure, offset) ==
		      offsetof(struct assay_measure, recnum) + sizeof(u64));
	/* The record is what it is, also where the memory for telling of it went away. */
	assay_call_copy_out(call->argument + offsetof(struct assay_measure, recnum), sizeof(place),
			    place, sizeof(place));
}

/**
 * assay_call_free() - free what a call holds
 * @call: prepared or not, its request not queued
 */
void assay_call_free(struct assay_call *call)
{
	assay_cel_free(&call->request.fields);
}
