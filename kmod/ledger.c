// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "ledger.h"
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

/* The header page, open: everything in it but head and tail. */
static void assay_ledger_fill_header(struct assay_ledger *ledger)
{
	struct assay_log_header *header = ledger->ring.header;
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
	int ret;

	ret = assay_ring_begin(&ledger->ring, 0);
	if (ret)
		return ret;
	assay_ledger_fill_header(ledger);
	return assay_ring_end(&ledger->ring);
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
	u64 recnum = ledger->records, offset = ledger->ring.tail, size = 0;
	struct assay_ring *ring = &ledger->ring;
	struct assay_cel head;
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
	ret = assay_ring_begin(ring, size);
	if (ret)
		goto out;
	assay_ring_put(ring, head.data, head.size);
	assay_ring_put(ring, content->data, content->size);
	WRITE_ONCE(ledger->records, recnum + 1);
	assay_ledger_fill_header(ledger);
	ret = assay_ring_end(ring);
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

	if (ledger->anchored == ledger->ring.tail)
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
	smp_store_release(&ledger->anchored, ledger->ring.tail);
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
	const struct assay_region *region = ledger->ring.region;
	const struct assay_window *window = ledger->ring.window;
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
			 ledger->ring.pool->protectable ? ASSAY_PROTECTION_FULL :
							  ASSAY_PROTECTION_NONE);
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

	if (ledger->ring.pool->broken)
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
	assay_cel_init(content, ledger->ring.size);
	assay_cel_begin(content, ASSAY_CEL_CONTENT);
	assay_cel_put_u8(content, ASSAY_FIELD_KIND, kind);
	assay_cel_put_u64(content, ASSAY_FIELD_TIME, ktime_get_real_ns());
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
	offset = ledger->ring.tail;
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
	struct assay_log_header *header = ledger->ring.header;
	int ret;

	ret = assay_ring_begin(&ledger->ring, 0);
	if (ret)
		return ret;
	header->pcr = ledger->anchor.pcr;
	export_uuid(header->boot_id, &ledger->boot_id);
	assay_ledger_fill_header(ledger);
	return assay_ring_end(&ledger->ring);
}

int assay_ledger_create(struct assay_ledger *ledger, struct assay_region *region, unsigned long pfn,
			unsigned long count, u32 pcr)
{
	int ret;

	memset(ledger, 0, sizeof(*ledger));
	ledger->dev = region->dev;
	ret = assay_ledger_read_boot_id(ledger);
	if (ret)
		return ret;
	ret = assay_ring_create(&ledger->ring, region, pfn, count);
	if (ret)
		return ret;
	mutex_init(&ledger->lock);
	assay_anchor_init(&ledger->anchor, ledger->dev, pcr);
	ret = assay_ledger_write_header(ledger);
	if (ret)
		goto destroy;

	mutex_lock(&ledger->lock);
	ret = assay_ledger_ready(ledger);
	mutex_unlock(&ledger->lock);
	/* A TPM may still come, or answer later; what will not go away is told now. */
	if (ret == -ENOPKG || ret == -EOPNOTSUPP || ret == -ENOSPC || ledger->ring.pool->broken)
		goto destroy;
	return 0;
destroy:
	assay_ledger_destroy(ledger);
	return ret;
}

void assay_ledger_destroy(struct assay_ledger *ledger)
{
	assay_anchor_forget(&ledger->anchor);
	assay_ring_destroy(&ledger->ring);
	mutex_destroy(&ledger->lock);
}

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
	/* What is anchored was written before: read in this order, it is never more. */
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
	info->protection = ring->pool->protectable ? ASSAY_PROTECTION_FULL : ASSAY_PROTECTION_NONE;
	info->last_error = READ_ONCE(ledger->last_error);
	info->max_batch = ASSAY_MAX_BATCH;
}
