// SPDX-License-Identifier: GPL-2.0-only
/*
 * The append-only log: a header page and a ring of records (uapi/assay.h) in a
 * protected pool, each record anchored in a PCR before the call that brought it
 * returns.
 *
 * Called by chardev, stats and the driver. The fields of a record are made by the
 * caller, as TLVs; the ledger adds what stands before them. Where the bytes lie is the
 * ring's.
 *
 * A log is a row of records, of which the PCR holds the first so many; the rest are
 * pending. Order of an append, all under @lock:
 *  1. what is pending is anchored first, in order
 *  2. the record is written, the header's tail published, the pages closed. It is
 *     pending now, also where the TPM has just failed; but nothing is written once the
 *     PCR has turned out to hold something else than this log
 *  3. the PCR is extended, unless 1 has failed
 *  4. the header's anchored is published
 *
 * Without a TPM the log starts all the same: its records have the digests of all hashes
 * that the kernel can compute. When the first TPM comes, it is extended with what is
 * pending, and a TPM record says what the PCR had held before that.
 *
 * The header page is for readers. The ledger never reads it back: what it decides
 * by is in struct assay_ledger.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/utsname.h>

#include "compat.h"
#include "ledger.h"
#include "piece.h"
#include "region.h"
#include "trace.h"
#include "version.h"
#include "window.h"

/* In procfs. */
#define ASSAY_BOOT_ID_PATH "sys/kernel/random/boot_id"

/* RECNUM, PCR, DIGESTS with every hash; TLV header, KIND to NEXT of the content: far below. */
#define ASSAY_RECORD_HEAD_LIMIT 1024

/*
 * More than a TRIM or a TPM record ever has. Room for a TRIM is kept free always, since a full
 * log could not be cut else; room for a TPM record until one has said what the PCR held
 * before.
 *
 * A TRIM may take of it only what it gives back, or many of them would use it up; and is
 * written once, however often it cannot be anchored (assay_trim()).
 */
#define ASSAY_OWN_RECORD_LIMIT 2048

static ssize_t assay_ledger_read_boot_id_of(struct vfsmount *proc, char *text)
{
	const struct path root = { .mnt = proc, .dentry = proc->mnt_root };
	struct file *file = file_open_root(&root, ASSAY_BOOT_ID_PATH, O_RDONLY, 0);
	loff_t offset = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_read(file, text, UUID_STRING_LEN, &offset);
	filp_close(file, NULL);
	return ret;
}

/*
 * The kernel exports it nowhere but in /proc. That is mounted here for ourselves: whoever loads the
 * module may have none, or something else mounted over the file.
 */
static int assay_ledger_read_boot_id(struct assay_ledger *ledger)
{
	struct file_system_type *type = get_fs_type("proc");
	struct vfsmount *proc = type ? kern_mount(type) : ERR_PTR(-ENODEV);
	char text[UUID_STRING_LEN + 1] = "";
	ssize_t ret;

	if (IS_ERR(proc)) {
		ret = PTR_ERR(proc);
	} else {
		ret = assay_ledger_read_boot_id_of(proc, text);
		kern_unmount(proc);
	}
	if (ret >= 0)
		ret = uuid_parse(text, &ledger->boot_id);
	if (ret)
		dev_err(ledger->dev,
			"cannot read the boot id (error %zd): assay needs a kernel with CONFIG_PROC_FS and CONFIG_SYSCTL\n",
			ret);
	return ret;
}

/* The header page, open: everything in it but head and tail. */
static void assay_ledger_fill_header(struct assay_ledger *ledger, struct assay_log_header *header)
{
	unsigned int i;

	for (i = 0; i < ledger->anchor.bank_count; i++) {
		const struct assay_bank *bank = &ledger->anchor.banks[i];

		header->banks[i].alg = bank->alg;
		header->banks[i].size = bank->size;
		memcpy(header->banks[i].start, bank->start, bank->size);
		memcpy(header->banks[i].value, bank->value, bank->size);
	}
	if (ledger->banks_named != ledger->anchor.bank_count) {
		ledger->banks_named = ledger->anchor.bank_count;
		/* What is counted is there. */
		assay_ring_write_back(&ledger->ring, header->banks, sizeof(header->banks));
		header->bank_count = ledger->banks_named;
	}
	header->head_recnum = ledger->head_recnum;
	WRITE_ONCE(header->records, ledger->records);
	WRITE_ONCE(header->anchored_records, ledger->anchored_records);
	/* Pairs with readers that load it with acquire semantics. */
	smp_store_release(&header->anchored, ledger->anchored);
}

static int assay_ledger_publish_anchored(struct assay_ledger *ledger)
{
	struct assay_ring_write write;
	int ret;

	ret = assay_ring_begin(&ledger->ring, 0, &write);
	if (ret)
		return ret;
	assay_ledger_fill_header(ledger, write.header);
	return assay_ring_end(&ledger->ring, &write);
}

/* What stands before the content. */
static void assay_ledger_record_head(struct assay_ledger *ledger,
				     const struct assay_pending *pending, struct assay_cel *head)
{
	unsigned long hashes = assay_anchor_hashes(&ledger->anchor);
	size_t digests;
	unsigned int i;

	assay_cel_put_u64(head, ASSAY_CEL_RECNUM, pending->recnum);
	assay_cel_put_u8(head, ASSAY_CEL_PCR, ledger->anchor.pcr);
	digests = assay_cel_begin(head, ASSAY_CEL_DIGESTS);
	for_each_set_bit(i, &hashes, ASSAY_HASHES) {
		u16 size, alg = assay_anchor_hash_alg(i, &size);

		assay_cel_put(head, ASSAY_CEL_DIGEST_TYPE(alg), pending->digest[i], size);
	}
	assay_cel_end(head, digests);
}

/* May the next record have the key of the one before: see chain.c. */
static bool assay_ledger_may_reveal(const struct assay_ledger *ledger)
{
	return ledger->records && ledger->anchored_records == ledger->records &&
	       !assay_chain_is_closed(&ledger->chain);
}

/* The content's own beginning: it holds @size bytes of fields besides. */
static void assay_ledger_content_head(struct assay_ledger *ledger, struct assay_cel *head,
				      enum assay_record_kind kind, size_t size)
{
	assay_cel_begin(head, ASSAY_CEL_CONTENT);
	assay_cel_put_u8(head, ASSAY_FIELD_KIND, kind);
	assay_cel_put_u64(head, ASSAY_FIELD_TIME, ktime_get_real_ns());
	assay_chain_put(&ledger->chain, head, ledger->records, assay_ledger_may_reveal(ledger));
	if (!head->error)
		put_unaligned_be32(head->size - ASSAY_CEL_HEADER_SIZE + size, head->data + 1);
}

/* What became of a record, apart from the error. */
enum assay_written {
	NOT_WRITTEN,
	WRITTEN,
};

/* Bytes of the ring that are not for records of this kind. */
static u64 assay_ledger_kept_free(const struct assay_ledger *ledger, enum assay_record_kind kind)
{
	if (kind == ASSAY_KIND_TPM)
		return 0;
	return ledger->based ? ASSAY_OWN_RECORD_LIMIT : 2 * ASSAY_OWN_RECORD_LIMIT;
}

static bool assay_ledger_has_room(const struct assay_ledger *ledger,
				  const struct assay_entry *entry, u64 size)
{
	u64 room = assay_ring_room_after(&ledger->ring, entry->head_after);

	return size + assay_ledger_kept_free(ledger, entry->kind) <= room;
}

/* The next bytes of a record that is being written. */
static void assay_ledger_put(struct assay_ring *ring, struct assay_ring_write *write,
			     const u8 *data, size_t size)
{
	while (size) {
		size_t piece = min_t(size_t, size, ASSAY_PIECE);

		assay_ring_put(ring, write, data, piece);
		data += piece;
		size -= piece;
		cond_resched();
	}
}

/* Write a record, which is pending then. Its first and its last piece are made here. */
static int assay_ledger_write(struct assay_ledger *ledger, const struct assay_entry *entry,
			      enum assay_written *ret_written)
{
	u64 recnum = ledger->records, offset = ledger->ring.tail, size = ASSAY_CHAIN_FIELD_SIZE;
	struct assay_ring *ring = &ledger->ring;
	u8 mac[ASSAY_CHAIN_FIELD_SIZE];
	struct assay_ring_write write;
	struct assay_cel head, content_head;
	struct kvec *fields = entry->fields;
	struct assay_pending *pending;
	unsigned int i;
	int ret;

	*ret_written = NOT_WRITTEN;
	for (i = 1; i < entry->count - 1; i++)
		size += fields[i].iov_len;
	assay_cel_init(&head, ASSAY_RECORD_HEAD_LIMIT);
	assay_cel_init(&content_head, ASSAY_RECORD_HEAD_LIMIT);
	pending = kmalloc(sizeof(*pending), GFP_KERNEL);
	assay_ledger_content_head(ledger, &content_head, entry->kind, size);
	ret = pending ? content_head.error : -ENOMEM;
	if (ret)
		goto out;
	fields[0] = (struct kvec){ content_head.data, content_head.size };
	ret = assay_chain_mac(&ledger->chain, recnum, fields, entry->count - 1, mac);
	if (ret)
		goto out;
	fields[entry->count - 1] = (struct kvec){ mac, sizeof(mac) };
	pending->recnum = recnum;
	ret = assay_anchor_digest(&ledger->anchor, fields, entry->count, pending);
	if (ret)
		goto out;
	assay_ledger_record_head(ledger, pending, &head);
	ret = head.error;
	if (ret)
		goto out;

	size += head.size + content_head.size;
	pending->end = offset + size;
	ret = -ENOSPC;
	if (!assay_ledger_has_room(ledger, entry, size))
		goto out;
	ret = assay_ring_begin(ring, size, &write);
	if (ret)
		goto out;
	assay_ring_put(ring, &write, head.data, head.size);
	for (i = 0; i < entry->count; i++)
		assay_ledger_put(ring, &write, fields[i].iov_base, fields[i].iov_len);
	assay_anchor_add(&ledger->anchor, pending);
	pending = NULL;
	WRITE_ONCE(ledger->records, recnum + 1);
	assay_ledger_fill_header(ledger, write.header);
	ret = assay_ring_end(ring, &write);
	*ret_written = WRITTEN;
out:
	trace_assay_append(recnum, offset, size, ret);
	kfree(pending);
	assay_cel_free(&content_head);
	assay_cel_free(&head);
	return ret;
}

static const char *assay_ledger_reason(int error)
{
	switch (error) {
	case -ENODEV:
		return "no TPM";
	case -EUCLEAN:
		return "the PCR is not ours";
	}
	return "the TPM failed";
}

/* What INFO and the counters say about anchoring. Returns @ret. */
static int assay_ledger_note(struct assay_ledger *ledger, int ret)
{
	struct device *dev = ledger->dev;
	bool told = ledger->last_error == ret;

	WRITE_ONCE(ledger->last_error, ret);
	if (!ret)
		return 0;
	WRITE_ONCE(ledger->anchor_failures, ledger->anchor_failures + 1);
	if (told)
		return ret;
	dev_err_ratelimited(dev,
			    "cannot anchor in PCR %u (%s, error %d): %llu of %llu records are\n",
			    ledger->anchor.pcr, assay_ledger_reason(ret), ret,
			    ledger->anchored_records, ledger->records);
	return ret;
}

/* A record of the ledger's own. */
static int assay_ledger_write_fields(struct assay_ledger *ledger, enum assay_record_kind kind,
				     const struct assay_cel *fields)
{
	struct kvec content[] = { {}, { fields->data, fields->size }, {} };
	const struct assay_entry entry = {
		.kind = kind,
		.fields = content,
		.count = ARRAY_SIZE(content),
	};
	enum assay_written written;

	if (fields->error)
		return fields->error;
	return assay_ledger_write(ledger, &entry, &written);
}

/* What the PCR held before the log or, @now, holds now; not while it is not known. */
static void assay_ledger_put_values(struct assay_ledger *ledger, struct assay_cel *fields, bool now)
{
	const struct assay_anchor *anchor = &ledger->anchor;
	unsigned int i;
	size_t values;

	if (!anchor->bank_count)
		return;
	values = assay_cel_begin(fields, ASSAY_FIELD_PCR_VALUES);
	for (i = 0; i < anchor->bank_count; i++)
		assay_cel_put(fields, ASSAY_CEL_DIGEST_TYPE(anchor->banks[i].alg),
			      now ? anchor->banks[i].value : anchor->banks[i].start,
			      anchor->banks[i].size);
	assay_cel_end(fields, values);
}

static void assay_ledger_put_range(struct assay_cel *fields, u8 field, u64 base, u64 size)
{
	__be64 range[2] = { cpu_to_be64(base), cpu_to_be64(size) };

	assay_cel_put(fields, field, range, sizeof(range));
}

static void assay_ledger_put_boot_id(struct assay_cel *fields, u8 field, const uuid_t *boot_id)
{
	char text[UUID_STRING_LEN + 1];

	snprintf(text, sizeof(text), "%pUb", boot_id);
	assay_cel_put_text(fields, field, text);
}

/* START or, where the log of the boot @before goes on, KEXEC. */
static int assay_ledger_write_start(struct assay_ledger *ledger, const uuid_t *before)
{
	const struct assay_region *region = ledger->ring.region;
	const struct assay_window *window = ledger->ring.window;
	struct assay_anchor *anchor = &ledger->anchor;
	struct assay_cel fields;
	int ret;

	assay_cel_init(&fields, PAGE_SIZE);
	assay_ledger_put_boot_id(&fields, ASSAY_FIELD_BOOT_ID, &ledger->boot_id);
	assay_cel_put_text(&fields, ASSAY_FIELD_RELEASE, init_utsname()->release);
	assay_cel_put_text(&fields, ASSAY_FIELD_VERSION, ASSAY_MODULE_VERSION);
	assay_cel_put_u32(&fields, ASSAY_FIELD_PAGE_SIZE, PAGE_SIZE);
	assay_cel_put_u8(&fields, ASSAY_FIELD_REGION_KIND, region->ops->kind);
	assay_ledger_put_range(&fields, ASSAY_FIELD_REGION, PFN_PHYS(region->pfn),
			       (u64)region->count << PAGE_SHIFT);
	assay_ledger_put_range(&fields, ASSAY_FIELD_WINDOW, PFN_PHYS(window->pfn),
			       (u64)window->count << PAGE_SHIFT);
	assay_ledger_put_values(ledger, &fields, before);
	assay_cel_put_u8(&fields, ASSAY_FIELD_IMA_BYPASS, assay_anchor_ima_bypassed(anchor));
	assay_cel_put_u8(&fields, ASSAY_FIELD_PROTECTION,
			 assay_log_window_protection(&ledger->ring.memory));
	if (before)
		assay_ledger_put_boot_id(&fields, ASSAY_FIELD_BOOT_BEFORE, before);
	ret = assay_ledger_write_fields(ledger, before ? ASSAY_KIND_KEXEC : ASSAY_KIND_START,
					&fields);
	assay_cel_free(&fields);
	if (!ret)
		ledger->based = anchor->bank_count;
	return ret;
}

/* The first TPM came after START, and now holds what had been written before. */
static int assay_ledger_write_tpm(struct assay_ledger *ledger)
{
	struct assay_cel fields;
	int ret;

	assay_cel_init(&fields, ASSAY_OWN_RECORD_LIMIT);
	assay_ledger_put_values(ledger, &fields, false);
	assay_cel_put_u64(&fields, ASSAY_FIELD_BACKLOG, ledger->records);
	ret = assay_ledger_write_fields(ledger, ASSAY_KIND_TPM, &fields);
	assay_cel_free(&fields);
	if (!ret)
		ledger->based = true;
	return ret;
}

/* Whoever holds the lock leaves after so long, so that others, and the freezer, get their turn. */
#define ASSAY_SLICE HZ

/* The PCR was read, and is right, unless records were anchored since. */
static void assay_ledger_note_verified(struct assay_ledger *ledger)
{
	if (ledger->anchor.unverified)
		return;
	/* Pairs with assay_ledger_info(). */
	smp_store_release(&ledger->verified_records, ledger->anchored_records);
}

/* Anchor the oldest record that is pending. */
static int assay_ledger_anchor_one(struct assay_ledger *ledger)
{
	struct assay_pending *done;
	ktime_t begin = ktime_get();
	int ret;

	ret = assay_anchor_extend(&ledger->anchor, &done);
	trace_assay_anchor(ledger->anchored_records, ledger->anchor.pcr,
			   ktime_us_delta(ktime_get(), begin), ret);
	if (ret)
		return ret;
	/* Keys are asked for without the lock: this comes before the record counts as anchored. */
	if (assay_anchor_is_virtual(&ledger->anchor))
		assay_chain_close(&ledger->chain);
	/* After the writes of tail and records: pairs with assay_ledger_info(). */
	smp_store_release(&ledger->anchored_records, done->recnum + 1);
	/* Likewise. */
	smp_store_release(&ledger->anchored, done->end);
	kfree(done);
	assay_ledger_note_verified(ledger);
	return assay_ledger_publish_anchored(ledger);
}

/* At least one of what is pending; -EAGAIN where some is left when the time is over. */
static int assay_ledger_anchor_pending(struct assay_ledger *ledger)
{
	unsigned long end = jiffies + ASSAY_SLICE;
	int ret;

	while (ledger->anchored != ledger->ring.tail) {
		ret = assay_ledger_anchor_one(ledger);
		if (ret)
			return ret;
		if (time_after_eq(jiffies, end) && ledger->anchored != ledger->ring.tail)
			return -EAGAIN;
		cond_resched();
	}
	return 0;
}

static int assay_ledger_do_settle(struct assay_ledger *ledger, bool now)
{
	int ret;

	ret = assay_anchor_attach(&ledger->anchor);
	if (ret)
		return ret;
	ret = assay_ledger_anchor_pending(ledger);
	if (ret)
		return ret;
	if (!ledger->based) {
		if (assay_ledger_write_tpm(ledger))
			return -EIO;
		ret = assay_ledger_anchor_pending(ledger);
		if (ret)
			return ret;
	}
	ret = assay_anchor_confirm(&ledger->anchor, now);
	if (!ret)
		assay_ledger_note_verified(ledger);
	return ret;
}

/*
 * Anchor all that is pending, in order, and make sure that the PCR is still ours: @now by reading
 * it. -EAGAIN: some of it is anchored and none has failed, but there is more; to be called
 * again, after the lock was released.
 */
static int assay_ledger_settle(struct assay_ledger *ledger, bool now)
{
	int ret = assay_ledger_do_settle(ledger, now);

	assay_ledger_note(ledger, ret == -EAGAIN ? 0 : ret);
	return ret;
}

static int assay_ledger_append_locked(struct assay_ledger *ledger, const struct assay_entry *entry,
				      u64 *ret_recnum, u64 *ret_offset)
{
	enum assay_written written;
	u64 recnum, offset;
	int settled, ret;

	lockdep_assert_held(&ledger->lock);
	*ret_recnum = ASSAY_RECNUM_NONE;
	if (ledger->ring.memory.broken)
		return -EIO;
	/* What a TRIM cuts off is gone: it wants to know whether the PCR is right. */
	settled = assay_ledger_settle(ledger, entry->kind == ASSAY_KIND_TRIM);
	/* A PCR that is not the log's any more can never speak for this record. */
	if (settled == -EUCLEAN || settled == -EAGAIN)
		return settled;
	/* A TRIM that cannot be anchored now cuts nothing: it can as well be tried later. */
	if (settled && entry->kind == ASSAY_KIND_TRIM)
		return settled;
	/* A TPM record may have been written. */
	recnum = ledger->records;
	offset = ledger->ring.tail;
	ret = assay_ledger_write(ledger, entry, &written);
	if (written == NOT_WRITTEN)
		return ret;
	*ret_recnum = recnum;
	*ret_offset = offset;
	if (ret)
		return ret;
	/* What comes before it is not anchored, so it is not. */
	if (settled)
		return settled;
	return assay_ledger_settle(ledger, false);
}

/**
 * assay_ledger_append() - write a record and anchor it
 * @ledger: created ledger
 * @entry: the record
 * @ret_recnum: set to the record's number, ASSAY_RECNUM_NONE if none was written
 * @ret_offset: set to the record's offset in the log, if one was
 *
 * Return: 0 once the record is anchored. With nothing written: -EAGAIN (some of what was
 * pending is anchored, and there is more: call again), -ENOSPC (no room),
 * -ENOMEM, -EINTR (killed while waiting), -EUCLEAN (the PCR is not the log's), -EIO
 * or -EOPNOTSUPP (the pages cannot be opened); for a TRIM, the error of anchoring what
 * comes before it. With the record written and pending: the error of anchoring it, or
 * what comes before it. @ret_recnum tells which.
 */
int assay_ledger_append(struct assay_ledger *ledger, const struct assay_entry *entry,
			u64 *ret_recnum, u64 *ret_offset)
{
	int ret;

	*ret_recnum = ASSAY_RECNUM_NONE;
	ret = assay_lock(&ledger->lock);
	if (ret)
		return ret;
	ret = assay_ledger_append_locked(ledger, entry, ret_recnum, ret_offset);
	mutex_unlock(&ledger->lock);
	return ret;
}

/* If the machine is cut off from now on, the log begins where it did. */
static void assay_ledger_keep_uncut(struct assay_ledger *ledger, struct assay_log_uncut *uncut)
{
	unsigned int i;

	uncut->head = ledger->ring.head;
	uncut->head_recnum = ledger->head_recnum;
	for (i = 0; i < ledger->anchor.bank_count; i++)
		memcpy(uncut->start[i], ledger->anchor.banks[i].start, ASSAY_MAX_DIGEST);
	/* After a reset it is whole where it has its sequence, which it has before the head moves.
	 */
	assay_ring_write_back(&ledger->ring, uncut, sizeof(*uncut));
	WRITE_ONCE(uncut->sequence, ledger->ring.sequence);
	assay_ring_write_back(&ledger->ring, uncut, ASSAY_LOG_LINE);
}

static void assay_ledger_drop_uncut(struct assay_ledger *ledger, struct assay_log_header *header)
{
	/* It is needed until the head has moved in memory. */
	assay_ring_write_back(&ledger->ring, header, sizeof(*header));
	WRITE_ONCE(header->uncut.sequence, 0);
}

/**
 * assay_ledger_set_head() - have the log begin elsewhere
 * @ledger: created ledger; the caller serialises what moves the head
 * @cut: where, with the TRIM record that says so anchored
 *
 * Return: 0; or why the header could not be changed, and the head is where it was; or -EIO,
 * it could not be protected again, and the log takes no more.
 */
int assay_ledger_set_head(struct assay_ledger *ledger, const struct assay_cut *cut)
{
	struct assay_anchor *anchor = &ledger->anchor;
	struct assay_ring_write write;
	unsigned int i;
	int ret;

	mutex_lock(&ledger->lock);
	ret = assay_ring_begin(&ledger->ring, 0, &write);
	if (!ret) {
		assay_ledger_keep_uncut(ledger, &write.header->uncut);
		ledger->head_recnum = cut->keep;
		for (i = 0; i < anchor->bank_count; i++)
			memcpy(anchor->banks[i].start, cut->values[i], anchor->banks[i].size);
		assay_ledger_fill_header(ledger, write.header);
		assay_ring_set_head(&ledger->ring, &write, cut->head);
		assay_ledger_drop_uncut(ledger, write.header);
		ret = assay_ring_end(&ledger->ring, &write);
	}
	mutex_unlock(&ledger->lock);
	return ret;
}

/* Bytes of a SEAL record besides those of its PAD. */
static u64 assay_ledger_seal_size(struct assay_ledger *ledger)
{
	unsigned long hashes = assay_anchor_hashes(&ledger->anchor);
	u64 size = 0;
	u16 digest;
	unsigned int i;

	for_each_set_bit(i, &hashes, ASSAY_HASHES) {
		assay_anchor_hash_alg(i, &digest);
		size += ASSAY_CEL_HEADER_SIZE + digest;
	}
	if (assay_ledger_may_reveal(ledger))
		size += ASSAY_CHAIN_FIELD_SIZE;
	/* RECNUM, PCR, DIGESTS; content, KIND, TIME, NEXT, PAD, MAC. */
	return size + 7 * ASSAY_CEL_HEADER_SIZE + 8 + 1 + 1 + 8 + 2 * ASSAY_CHAIN_FIELD_SIZE;
}

static int assay_ledger_write_seal(struct assay_ledger *ledger)
{
	u64 gap = PAGE_SIZE - offset_in_page(ledger->ring.tail), recnum, offset;
	u64 size = assay_ledger_seal_size(ledger);
	struct kvec content[4] = {};
	const struct assay_entry entry = {
		.kind = ASSAY_KIND_SEAL,
		.fields = content,
		.count = ARRAY_SIZE(content),
	};
	u8 pad[ASSAY_CEL_HEADER_SIZE] = { ASSAY_FIELD_PAD };
	void *zeros;
	int ret;

	/* To the end of this page or, where it does not fit there, of the next. */
	gap += gap < size ? PAGE_SIZE : 0;
	put_unaligned_be32(gap - size, pad + 1);
	zeros = kvzalloc(gap, GFP_KERNEL);
	if (!zeros)
		return -ENOMEM;
	content[1] = (struct kvec){ pad, sizeof(pad) };
	content[2] = (struct kvec){ zeros, gap - size };
	ret = assay_ledger_append_locked(ledger, &entry, &recnum, &offset);
	kvfree(zeros);
	return ret;
}

/**
 * assay_ledger_fill_page() - have the page that the log's byte before @end is in full
 * @ledger: created ledger; the caller serialises what moves the head
 * @end: offset behind a record
 *
 * Return: as assay_ledger_append(), for the SEAL record if one is needed.
 */
int assay_ledger_fill_page(struct assay_ledger *ledger, u64 end)
{
	int ret;

	ret = assay_lock(&ledger->lock);
	if (ret)
		return ret;
	/* What is pending is settled before: a TPM record would move the border. */
	if (end > ALIGN_DOWN(ledger->ring.tail, PAGE_SIZE))
		ret = assay_ledger_settle(ledger, false);
	if (!ret && end > ALIGN_DOWN(ledger->ring.tail, PAGE_SIZE))
		ret = assay_ledger_write_seal(ledger);
	mutex_unlock(&ledger->lock);
	return ret;
}

/**
 * assay_ledger_anchor() - anchor what is pending, in order
 * @ledger: created ledger
 * @ret_records: set to the records that are anchored
 * @ret_offset: set to the offset behind them
 *
 * Reads the PCR when all are. Works for about a second: ASSAY_SLICE.
 *
 * Return: 0 if all are; -EAGAIN if there are more, but none has failed: call again; the
 * error of anchoring the next one. With both values set. Or, with none, -EINTR (killed while
 * waiting) or -EAGAIN (to be frozen).
 */
int assay_ledger_anchor(struct assay_ledger *ledger, u64 *ret_records, u64 *ret_offset)
{
	int ret;

	ret = assay_lock(&ledger->lock);
	if (ret)
		return ret;
	ret = ledger->ring.memory.broken ? -EIO : assay_ledger_settle(ledger, true);
	*ret_records = ledger->anchored_records;
	*ret_offset = ledger->anchored;
	mutex_unlock(&ledger->lock);
	return ret;
}

static int assay_ledger_write_header(struct assay_ledger *ledger)
{
	struct assay_ring_write write;
	int ret;

	ret = assay_ring_begin(&ledger->ring, 0, &write);
	if (ret)
		return ret;
	write.header->pcr = ledger->anchor.pcr;
	write.header->flags = ledger->flags;
	export_uuid(write.header->boot_id, &ledger->boot_id);
	assay_ledger_fill_header(ledger, write.header);
	assay_ring_set_head(&ledger->ring, &write, ledger->ring.head);
	/* If a move of the head was cut off, the header has its sequence: this completes it. */
	assay_ledger_drop_uncut(ledger, write.header);
	return assay_ring_end(&ledger->ring, &write);
}

static void assay_ledger_resume(struct assay_ledger *ledger, const struct assay_adopted *found)
{
	ledger->head_recnum = found->head_recnum;
	ledger->records = found->records;
	ledger->anchored_records = found->anchored_records;
	ledger->anchored = found->anchored;
	ledger->based = true;
	ledger->flags = ASSAY_LOG_ADOPTED;
}

/* Nobody else waits yet. */
static void assay_ledger_settle_all(struct assay_ledger *ledger)
{
	while (assay_ledger_settle(ledger, true) == -EAGAIN)
		cond_resched();
}

/* Under the lock. A TPM may still come, or answer later; what will not go away is told now. */
static int assay_ledger_begin(struct assay_ledger *ledger)
{
	struct assay_adopted found;
	int ret, adopted;

	ret = assay_anchor_attach(&ledger->anchor);
	if (ret == -ENOPKG || ret == -EOPNOTSUPP)
		return ret;
	adopted = assay_adopt(&ledger->ring, &ledger->anchor, &ledger->chain, &ledger->previous,
			      &found);
	if (adopted < 0)
		return adopted;
	if (adopted)
		assay_ledger_resume(ledger, &found);
	else
		assay_chain_start(&ledger->chain);
	ret = adopted ? 0 : assay_ring_start(&ledger->ring);
	if (!ret && !adopted)
		ret = assay_ring_put_secret(&ledger->ring, ledger->chain.seed,
					    sizeof(ledger->chain.seed));
	if (!ret)
		ret = assay_ledger_write_header(ledger);
	/* What was pending is anchored first, so that KEXEC tells what the PCR holds then. */
	if (!ret && adopted)
		assay_ledger_settle_all(ledger);
	if (!ret)
		ret = assay_ledger_write_start(ledger, adopted ? &found.boot_before : NULL);
	if (!ret) {
		assay_ledger_settle_all(ledger);
		ret = ledger->ring.memory.broken;
	}
	return ret;
}

/**
 * assay_ledger_create() - a log
 * @ledger: to initialise; to be released by assay_ledger_destroy()
 * @place: where its memory is claimed
 * @pcr: PCR index that assay_anchor_check_pcr() accepts
 * @verify: seconds, or ASSAY_VERIFY_*: how often the PCR is read after an extend
 *
 * START is written, or KEXEC where a log that is there already goes on, and anchored if
 * there is a TPM.
 *
 * Return: 0, also without a TPM or with one that does not answer; or a negative
 * errno after a dev_err().
 */
int assay_ledger_create(struct assay_ledger *ledger, const struct assay_ring_place *place, u32 pcr,
			unsigned int verify)
{
	int ret;

	memset(ledger, 0, sizeof(*ledger));
	ledger->dev = place->region->dev;
	ret = assay_ledger_read_boot_id(ledger);
	if (ret)
		return ret;
	ret = assay_ring_create(&ledger->ring, place);
	if (ret)
		return ret;
	ret = assay_anchor_init(&ledger->anchor, ledger->dev, pcr, verify);
	if (ret) {
		assay_ring_destroy(&ledger->ring);
		return ret;
	}
	ret = assay_chain_init(&ledger->chain, &ledger->anchor);
	if (ret) {
		dev_err(ledger->dev,
			"cannot make the keys of the log's records (error %d); the kernel needs CONFIG_CRYPTO_HMAC and CONFIG_CRYPTO_SHA256\n",
			ret);
		assay_anchor_destroy(&ledger->anchor);
		assay_ring_destroy(&ledger->ring);
		return ret;
	}
	mutex_init(&ledger->lock);
	mutex_lock(&ledger->lock);
	ret = assay_ledger_begin(ledger);
	mutex_unlock(&ledger->lock);
	if (ret)
		assay_ledger_destroy(ledger);
	return ret;
}

/**
 * assay_ledger_destroy() - give the log's memory back
 * @ledger: created ledger that nobody maps or calls any more
 */
void assay_ledger_destroy(struct assay_ledger *ledger)
{
	assay_chain_destroy(&ledger->chain);
	assay_anchor_destroy(&ledger->anchor);
	assay_ring_destroy(&ledger->ring);
	assay_previous_free(&ledger->previous);
	mutex_destroy(&ledger->lock);
}

/**
 * assay_ledger_key() - the key of a record, if it may be known
 * @ledger: created ledger
 * @recnum: number of the record, which need not be in the log any more
 * @ret_key: set on success; ASSAY_KEY_SIZE bytes
 *
 * Return: 0; -ENODATA (not anchored), -ENOKEY (a virtual TPM has anchored records) or another
 * negative errno of the hash.
 */
int assay_ledger_key(struct assay_ledger *ledger, u64 recnum, u8 *ret_key)
{
	/* Pairs with assay_ledger_anchor_one(): who sees the record anchored sees by whom. */
	if (recnum >= smp_load_acquire(&ledger->anchored_records))
		return -ENODATA;
	if (assay_chain_is_closed(&ledger->chain))
		return -ENOKEY;
	return assay_chain_key(&ledger->chain, recnum, ret_key);
}

/**
 * assay_ledger_info() - the ledger's part of struct assay_info
 * @ledger: created ledger
 * @info: to fill in, all but flags
 *
 * Does not wait for an append in flight.
 */
void assay_ledger_info(struct assay_ledger *ledger, struct assay_info *info)
{
	const struct assay_anchor *anchor = &ledger->anchor;
	const struct assay_ring *ring = &ledger->ring;
	unsigned int i;

	info->abi_version = ASSAY_ABI_VERSION;
	info->page_size = PAGE_SIZE;
	info->region_kind = ring->region->ops->kind;
	info->region_base = PFN_PHYS(ring->region->pfn);
	info->region_size = (u64)ring->region->count << PAGE_SHIFT;
	info->window_base = PFN_PHYS(ring->window->pfn);
	info->window_size = (u64)ring->window->count << PAGE_SHIFT;
	info->ring_size = ring->size;
	/* What is verified was anchored before, and that was written before: never more. */
	info->verified_records = smp_load_acquire(&ledger->verified_records);
	/* Likewise. */
	info->anchored = smp_load_acquire(&ledger->anchored);
	/* Likewise. */
	info->anchored_records = smp_load_acquire(&ledger->anchored_records);
	info->head = READ_ONCE(ring->head);
	info->tail = READ_ONCE(ring->tail);
	info->records = READ_ONCE(ledger->records);
	info->pcr = anchor->pcr;
	/* Pairs with assay_anchor_attach(): a counted bank is set. */
	info->bank_count = smp_load_acquire(&anchor->bank_count);
	for (i = 0; i < info->bank_count; i++)
		info->bank_alg[i] = READ_ONCE(anchor->banks[i].alg);
	info->protection = assay_log_window_protection(&ring->memory);
	info->last_error = READ_ONCE(ledger->last_error);
	info->pcr_state = READ_ONCE(anchor->state);
	info->max_batch = ASSAY_MAX_BATCH;
}
