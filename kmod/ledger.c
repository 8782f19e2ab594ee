// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "ledger.h"
#include "pool.h"
#include "region.h"
#include "trace.h"
#include "version.h"
#include "window.h"

#define ASSAY_BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

/* RECNUM, PCR and DIGESTS with every bank: far below. */
#define ASSAY_RECORD_HEAD_LIMIT 1024

static int assay_ledger_read_boot_id(struct assay_ledger *ledger)
{
	char text[UUID_STRING_LEN + 1] = "";
	struct file *file;
	loff_t offset = 0;
	ssize_t ret;

	file = filp_open(ASSAY_BOOT_ID_PATH, O_RDONLY, 0);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
	} else {
		ret = kernel_read(file, text, UUID_STRING_LEN, &offset);
		fput(file);
		if (ret >= 0)
			ret = uuid_parse(text, &ledger->boot_id);
	}
	if (ret)
		dev_err(ledger->dev,
			"cannot read the boot id from %s (error %zd); mount /proc before loading the module\n",
			ASSAY_BOOT_ID_PATH, ret);
	return ret;
}

/* Where an offset of the log is in the ring. */
static u64 assay_ledger_place(const struct assay_ledger *ledger, u64 offset)
{
	u64 place;

	div64_u64_rem(offset, ledger->ring_size, &place);
	return place;
}

/*
 * The byte ranges that a write of @size bytes at @offset touches: the header page,
 * always, and the ring in one part or two. Returns how many.
 */
static unsigned int assay_ledger_ranges(struct assay_ledger *ledger, u64 offset, size_t size,
					struct pmalloc_range ranges[PMALLOC_MAX_RANGES])
{
	u64 place = assay_ledger_place(ledger, offset);
	size_t first = min_t(u64, size, ledger->ring_size - place);
	unsigned int n = 0;

	ranges[n++] = (struct pmalloc_range){ ledger->header, sizeof(*ledger->header) };
	if (first)
		ranges[n++] = (struct pmalloc_range){ ledger->ring + place, first };
	if (size > first)
		ranges[n++] = (struct pmalloc_range){ ledger->ring, size - first };
	return n;
}

static void assay_ledger_copy(struct assay_ledger *ledger, u64 offset, const u8 *data, size_t size)
{
	u64 place = assay_ledger_place(ledger, offset);
	size_t first = min_t(u64, size, ledger->ring_size - place);

	memcpy(ledger->ring + place, data, first);
	memcpy(ledger->ring, data + first, size - first);
}

/* Bring the descriptors of the ring's pages up to date for bytes [@offset, @end) of the log. */
static void assay_ledger_account(struct assay_ledger *ledger, u64 offset, u64 end)
{
	u64 first = ALIGN_DOWN(offset, PAGE_SIZE);

	for (; first < end; first += PAGE_SIZE) {
		u64 place = assay_ledger_place(ledger, first);
		struct assay_page_desc *desc = &ledger->window->desc[1 + (place >> PAGE_SHIFT)];

		WRITE_ONCE(desc->used, min_t(u64, end - first, PAGE_SIZE));
	}
}

/* The header page, open: everything in it but head and tail. */
static void assay_ledger_fill_header(struct assay_ledger *ledger)
{
	struct assay_log_header *header = ledger->header;
	unsigned int i;

	for (i = 0; i < ledger->anchor.bank_count; i++) {
		const struct assay_bank *bank = &ledger->anchor.banks[i];

		header->banks[i].alg = bank->alg;
		header->banks[i].size = bank->size;
		memcpy(header->banks[i].start, bank->start, bank->size);
		memcpy(header->banks[i].value, bank->value, bank->size);
	}
	header->bank_count = ledger->anchor.bank_count;
	WRITE_ONCE(header->records, ledger->records);
	WRITE_ONCE(header->anchored_records, ledger->anchored_records);
	/* Pairs with readers that load it with acquire semantics. */
	smp_store_release(&header->anchored, ledger->anchored);
}

static int assay_ledger_publish_anchored(struct assay_ledger *ledger)
{
	struct pmalloc_range range = { ledger->header, sizeof(*ledger->header) };
	int ret;

	ret = pmalloc_begin_write(ledger->pool, &range, 1);
	if (ret)
		return ret;
	assay_ledger_fill_header(ledger);
	return pmalloc_end_write(ledger->pool, &range, 1);
}

/* What stands before the content. */
static void assay_ledger_record_head(struct assay_ledger *ledger, struct assay_cel *head)
{
	const struct assay_anchor *anchor = &ledger->anchor;
	size_t digests;
	unsigned int i;

	assay_cel_put_u64(head, ASSAY_CEL_RECNUM, ledger->records);
	assay_cel_put_u8(head, ASSAY_CEL_PCR, anchor->pcr);
	digests = assay_cel_begin(head, ASSAY_CEL_DIGESTS);
	for (i = 0; i < anchor->bank_count; i++)
		assay_cel_put(head, ASSAY_CEL_DIGEST_TYPE(anchor->banks[i].alg),
			      anchor->banks[i].digest, anchor->banks[i].size);
	assay_cel_end(head, digests);
}

/* Write a record, which is pending then. Nothing may be pending. */
static int assay_ledger_write(struct assay_ledger *ledger, const struct assay_cel *content)
{
	u64 recnum = ledger->records, offset = ledger->tail, size = 0;
	struct pmalloc_range ranges[PMALLOC_MAX_RANGES];
	struct assay_cel head;
	unsigned int n;
	int ret;

	assay_cel_init(&head, ASSAY_RECORD_HEAD_LIMIT);
	ret = assay_anchor_prepare(&ledger->anchor, content->data, content->size);
	if (ret)
		goto out;
	assay_ledger_record_head(ledger, &head);
	ret = head.error;
	if (ret)
		goto out;

	size = head.size + content->size;
	if (size > ledger->ring_size - (offset - ledger->head)) {
		ret = -ENOSPC;
		goto out;
	}
	n = assay_ledger_ranges(ledger, offset, size, ranges);
	ret = pmalloc_begin_write(ledger->pool, ranges, n);
	if (ret)
		goto out;
	assay_ledger_copy(ledger, offset, head.data, head.size);
	assay_ledger_copy(ledger, offset + head.size, content->data, content->size);
	assay_ledger_account(ledger, offset, offset + size);
	WRITE_ONCE(ledger->tail, offset + size);
	WRITE_ONCE(ledger->records, recnum + 1);
	assay_ledger_fill_header(ledger);
	/* Readers that see the new tail see the whole record. */
	smp_store_release(&ledger->header->tail, ledger->tail);
	ret = pmalloc_end_write(ledger->pool, ranges, n);
out:
	trace_assay_append(recnum, offset, size, ret);
	assay_cel_free(&head);
	return ret;
}

/* Anchor the record that is pending, if there is one. */
static int assay_ledger_settle(struct assay_ledger *ledger)
{
	ktime_t begin;
	int ret;

	if (ledger->anchored == ledger->tail)
		return assay_anchor_confirm(&ledger->anchor);

	begin = ktime_get();
	ret = assay_anchor_extend(&ledger->anchor);
	trace_assay_anchor(ledger->records - 1, ledger->anchor.pcr,
			   ktime_us_delta(ktime_get(), begin), ret);
	if (ret)
		return ret;
	/* After the writes of tail and records: pairs with assay_ledger_info(). */
	smp_store_release(&ledger->anchored_records, ledger->records);
	/* Likewise. */
	smp_store_release(&ledger->anchored, ledger->tail);
	return assay_ledger_publish_anchored(ledger);
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

	WRITE_ONCE(ledger->last_error, ret);
	if (!ret)
		return 0;
	WRITE_ONCE(ledger->anchor_failures, ledger->anchor_failures + 1);
	dev_err_ratelimited(dev,
			    "cannot anchor in PCR %u (%s, error %d): %llu of %llu records are\n",
			    ledger->anchor.pcr, assay_ledger_reason(ret), ret,
			    ledger->anchored_records, ledger->records);
	return ret;
}

static void assay_ledger_put_range(struct assay_cel *content, u8 field, u64 base, u64 size)
{
	__be64 range[2] = { cpu_to_be64(base), cpu_to_be64(size) };

	assay_cel_put(content, field, range, sizeof(range));
}

static int assay_ledger_write_start(struct assay_ledger *ledger)
{
	const struct assay_region *region = ledger->region;
	const struct assay_window *window = ledger->window;
	struct assay_anchor *anchor = &ledger->anchor;
	char boot_id[UUID_STRING_LEN + 1];
	struct assay_cel content;
	unsigned int i;
	size_t values;
	int ret;

	snprintf(boot_id, sizeof(boot_id), "%pUb", &ledger->boot_id);
	assay_ledger_begin(ledger, &content, ASSAY_KIND_START);
	assay_cel_put_text(&content, ASSAY_FIELD_BOOT_ID, boot_id);
	assay_cel_put_text(&content, ASSAY_FIELD_RELEASE, init_utsname()->release);
	assay_cel_put_text(&content, ASSAY_FIELD_VERSION, ASSAY_MODULE_VERSION);
	assay_cel_put_u32(&content, ASSAY_FIELD_PAGE_SIZE, PAGE_SIZE);
	assay_cel_put_u8(&content, ASSAY_FIELD_REGION_KIND, region->ops->kind);
	assay_ledger_put_range(&content, ASSAY_FIELD_REGION, PFN_PHYS(region->pfn),
			       (u64)region->count << PAGE_SHIFT);
	assay_ledger_put_range(&content, ASSAY_FIELD_WINDOW, PFN_PHYS(window->pfn),
			       (u64)window->count << PAGE_SHIFT);
	values = assay_cel_begin(&content, ASSAY_FIELD_PCR_VALUES);
	for (i = 0; i < anchor->bank_count; i++)
		assay_cel_put(&content, ASSAY_CEL_DIGEST_TYPE(anchor->banks[i].alg),
			      anchor->banks[i].start, anchor->banks[i].size);
	assay_cel_end(&content, values);
	assay_cel_put_u8(&content, ASSAY_FIELD_IMA_BYPASS, assay_anchor_ima_bypassed(anchor));
	assay_cel_put_u8(&content, ASSAY_FIELD_PROTECTION,
			 ledger->pool->protectable ? ASSAY_PROTECTION_FULL : ASSAY_PROTECTION_NONE);
	assay_cel_end(&content, 0);
	ret = content.error;
	if (!ret)
		ret = assay_ledger_write(ledger, &content);
	assay_cel_free(&content);
	return ret;
}

/* Everything that must hold before a record may be written. */
static int assay_ledger_ready(struct assay_ledger *ledger)
{
	int ret;

	if (ledger->pool->broken)
		return -EIO;
	ret = assay_anchor_attach(&ledger->anchor);
	if (ret)
		return assay_ledger_note(ledger, ret);
	if (!ledger->started) {
		ret = assay_ledger_write_start(ledger);
		if (ret) {
			/* The PCR's value, which START was to note, may be another next time. */
			assay_anchor_forget(&ledger->anchor);
			return ret;
		}
		ledger->started = true;
	}
	return assay_ledger_note(ledger, assay_ledger_settle(ledger));
}

void assay_ledger_begin(struct assay_ledger *ledger, struct assay_cel *content,
			enum assay_record_kind kind)
{
	/* More than the ring holds can never be written. */
	assay_cel_init(content, ledger->ring_size);
	assay_cel_begin(content, ASSAY_CEL_CONTENT);
	assay_cel_put_u8(content, ASSAY_FIELD_KIND, kind);
}

int assay_ledger_append(struct assay_ledger *ledger, struct assay_cel *content, u64 *ret_recnum,
			u64 *ret_offset)
{
	u64 recnum, offset;
	int ret;

	/* The content TLV that assay_ledger_begin() began is the whole buffer. */
	assay_cel_end(content, 0);
	if (content->error)
		return content->error;
	if (mutex_lock_killable(&ledger->lock))
		return -EINTR;
	ret = assay_ledger_ready(ledger);
	if (ret)
		goto out;
	recnum = ledger->records;
	offset = ledger->tail;
	ret = assay_ledger_write(ledger, content);
	if (ret)
		goto out;
	ret = assay_ledger_note(ledger, assay_ledger_settle(ledger));
	if (ret)
		goto out;
	*ret_recnum = recnum;
	*ret_offset = offset;
out:
	mutex_unlock(&ledger->lock);
	return ret;
}

static int assay_ledger_write_header(struct assay_ledger *ledger)
{
	struct assay_log_header *header = ledger->header;
	struct pmalloc_range range = { header, sizeof(*header) };
	int ret;

	ret = pmalloc_begin_write(ledger->pool, &range, 1);
	if (ret)
		return ret;
	memcpy(header->magic, ASSAY_LOG_MAGIC, sizeof(header->magic));
	header->version = ASSAY_LOG_VERSION;
	header->header_size = sizeof(*header);
	header->page_size = PAGE_SIZE;
	header->pcr = ledger->anchor.pcr;
	header->ring_size = ledger->ring_size;
	export_uuid(header->boot_id, &ledger->boot_id);
	assay_ledger_fill_header(ledger);
	WRITE_ONCE(ledger->window->desc[0].used, sizeof(*header));
	return pmalloc_end_write(ledger->pool, &range, 1);
}

int assay_ledger_create(struct assay_ledger *ledger, struct assay_region *region, unsigned long pfn,
			unsigned long count, u32 pcr)
{
	static_assert(sizeof(struct assay_log_header) <= PAGE_SIZE);
	int ret;

	memset(ledger, 0, sizeof(*ledger));
	ledger->dev = region->dev;
	ledger->region = region;
	if (count < 2) {
		dev_err(ledger->dev,
			"a window of %lu bytes has no room for a log; give it at least %lu\n",
			count << PAGE_SHIFT, 2 * PAGE_SIZE);
		return -EINVAL;
	}
	ret = assay_ledger_read_boot_id(ledger);
	if (ret)
		return ret;
	ledger->pool = pmalloc_create_window_pool(region, pfn, count, "log");
	if (IS_ERR(ledger->pool))
		return PTR_ERR(ledger->pool);
	ledger->window = pmalloc_pool_area(ledger->pool)->window;
	mutex_init(&ledger->lock);
	assay_anchor_init(&ledger->anchor, ledger->dev, pcr);

	/* The header has the first page, the ring all others, as assay_ledger_account() knows. */
	ledger->ring_size = (u64)(count - 1) << PAGE_SHIFT;
	ledger->header = pmalloc_typed(ledger->pool, PAGE_SIZE, ASSAY_PAGE_HEADER);
	ledger->ring = pmalloc_typed(ledger->pool, ledger->ring_size, ASSAY_PAGE_RING);
	ret = assay_ledger_write_header(ledger);
	if (ret)
		goto destroy;

	mutex_lock(&ledger->lock);
	ret = assay_ledger_ready(ledger);
	mutex_unlock(&ledger->lock);
	/* A TPM may still come, or answer later; what will not go away is told now. */
	if (ret == -ENOPKG || ret == -EOPNOTSUPP || ret == -ENOSPC || ledger->pool->broken)
		goto destroy;
	return 0;
destroy:
	assay_ledger_destroy(ledger);
	return ret;
}

void assay_ledger_destroy(struct assay_ledger *ledger)
{
	assay_anchor_forget(&ledger->anchor);
	pmalloc_destroy_pool(ledger->pool);
	mutex_destroy(&ledger->lock);
}

void assay_ledger_info(struct assay_ledger *ledger, struct assay_info *info)
{
	const struct assay_anchor *anchor = &ledger->anchor;
	unsigned int i;

	info->abi_version = ASSAY_ABI_VERSION;
	info->page_size = PAGE_SIZE;
	info->region_kind = ledger->region->ops->kind;
	info->region_base = PFN_PHYS(ledger->region->pfn);
	info->region_size = (u64)ledger->region->count << PAGE_SHIFT;
	info->window_base = PFN_PHYS(ledger->window->pfn);
	info->window_size = (u64)ledger->window->count << PAGE_SHIFT;
	info->ring_size = ledger->ring_size;
	/* What is anchored was written before: read in this order, it is never more. */
	info->anchored = smp_load_acquire(&ledger->anchored);
	/* Likewise. */
	info->anchored_records = smp_load_acquire(&ledger->anchored_records);
	info->head = READ_ONCE(ledger->head);
	info->tail = READ_ONCE(ledger->tail);
	info->records = READ_ONCE(ledger->records);
	info->pcr = anchor->pcr;
	/* Pairs with assay_anchor_attach(): a counted bank is set. */
	info->bank_count = smp_load_acquire(&anchor->bank_count);
	for (i = 0; i < info->bank_count; i++)
		info->bank_alg[i] = READ_ONCE(anchor->banks[i].alg);
	info->protection =
		ledger->pool->protectable ? ASSAY_PROTECTION_FULL : ASSAY_PROTECTION_NONE;
	info->last_error = READ_ONCE(ledger->last_error);
	info->max_batch = ASSAY_MAX_BATCH;
}

unsigned long assay_ledger_mapped_pages(const struct assay_ledger *ledger)
{
	return 1 + 2 * (ledger->ring_size >> PAGE_SHIFT);
}

unsigned long assay_ledger_mapped_pfn(const struct assay_ledger *ledger, unsigned long index)
{
	if (!index)
		return ledger->window->pfn;
	return ledger->window->pfn + 1 + (index - 1) % (ledger->ring_size >> PAGE_SHIFT);
}
