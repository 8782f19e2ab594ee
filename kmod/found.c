// SPDX-License-Identifier: GPL-2.0-only
/*
 * A log found in memory that outlived the kernel that wrote it: is it one, and how far is
 * it good? Nothing in it is trusted: each field and each record is checked before it is
 * used, and what is reported was computed here.
 *
 * Pure, like frame: memory, a hash, a verdict. Called by adopt, and by a fuzzer in user
 * space.
 */
#include <linux/errno.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/string.h>
#else
#include <assert.h>
#include <stddef.h>
#include <string.h>
#endif

#include "found.h"
#include "frame.h"
#include "layout.h"

#define PAGE_MIN 4096
#define PAGE_MAX 65536
#define PCR_MAX 23

/* What is written back from a cache as one begins a line, and fills it. */
#define BEGINS_LINE(member)                                                            \
	static_assert(offsetof(struct assay_log_header, member) % ASSAY_LOG_LINE == 0, \
		      #member " does not begin a line")
BEGINS_LINE(reserved);
BEGINS_LINE(sequence);
BEGINS_LINE(head);
BEGINS_LINE(banks[0].alg);
BEGINS_LINE(banks[0].start);
BEGINS_LINE(banks[0].value);
BEGINS_LINE(banks[1].alg);
BEGINS_LINE(uncut);
BEGINS_LINE(uncut.start);
static_assert(sizeof(struct assay_log_header) % ASSAY_LOG_LINE == 0, "the last line is not full");

#define TLV_HEADER 5

/**
 * struct check - a check under way
 * @window: the memory
 * @hash: how to compute digests
 * @context: for it
 * @was: the header that was found
 * @ring: behind the header page
 * @found: what will be reported
 * @offset: of the next record
 * @recnum: of the next record
 * @value: what the PCR held before it
 * @vouched: a record says where the log begins, and what the PCR held then
 */
struct check {
	struct assay_found_bytes window;
	assay_found_hash hash;
	void *context;
	const struct assay_log_header *was;
	struct assay_found_bytes ring;
	struct assay_found *found;
	__u64 offset;
	__u64 recnum;
	__u8 value[ASSAY_MAX_BANKS][ASSAY_MAX_DIGEST];
	bool vouched;
};

static const char *check_banks(const struct assay_log_header *header)
{
	unsigned int i, j;

	if (header->bank_count > ASSAY_MAX_BANKS)
		return "its header has more PCR banks than there can be";
	for (i = 0; i < header->bank_count; i++) {
		if (!header->banks[i].size ||
		    header->banks[i].size != assay_frame_digest_size(header->banks[i].alg))
			return "its header has a PCR bank of no known hash";
		for (j = 0; j < i; j++) {
			if (header->banks[j].alg == header->banks[i].alg)
				return "its header has a PCR bank twice";
		}
	}
	return NULL;
}

static const char *check_header(const struct assay_log_header *header, __u64 window_size)
{
	__u32 page = header->page_size;

	if (header->version != ASSAY_LOG_VERSION)
		return "its version is not known";
	if (header->header_size != sizeof(*header))
		return "its header is not of the size it must be";
	if (page < PAGE_MIN || page > PAGE_MAX || page & (page - 1))
		return "its page size cannot be";
	if (page > window_size || !header->ring_size || header->ring_size % page ||
	    header->ring_size > window_size - page)
		return "its ring does not fit in the window";
	if (header->pcr > PCR_MAX)
		return "its PCR does not exist";
	if (header->tail > ASSAY_LAYOUT_LIMIT || header->records > ASSAY_LAYOUT_LIMIT)
		return "no log is as long as it says";
	if (header->head > header->tail || header->tail - header->head > header->ring_size)
		return "its head and tail are further apart than its ring is large";
	if (header->anchored < header->head || header->anchored > header->tail)
		return "what is anchored ends outside of it";
	if (header->head_recnum > header->records ||
	    header->anchored_records < header->head_recnum ||
	    header->anchored_records > header->records)
		return "its numbers of records cannot be";
	return check_banks(header);
}

/* @size bytes of the ring from @offset on, which are not more than it has, in two pieces. */
static void get_pieces(const struct check *check, __u64 offset, __u64 size,
		       struct assay_found_bytes pieces[2])
{
	const struct assay_layout layout = { .size = check->ring.size };
	__u64 place = assay_layout_place(&layout, offset);
	__u64 first = check->ring.size - place;

	if (first > size)
		first = size;
	pieces[0] = (struct assay_found_bytes){ check->ring.data + place, first };
	pieces[1] = (struct assay_found_bytes){ check->ring.data, size - first };
}

static void copy_out(const struct check *check, __u64 offset, __u8 *to, __u64 size)
{
	struct assay_found_bytes pieces[2];

	get_pieces(check, offset, size, pieces);
	memcpy(to, pieces[0].data, pieces[0].size);
	memcpy(to + pieces[0].size, pieces[1].data, pieces[1].size);
}

/* Is each digest that of the content? -EBADMSG if not. */
static int check_digests(const struct check *check, const struct assay_frame *frame)
{
	static const __u16 algs[] = { ASSAY_ALG_SHA1, ASSAY_ALG_SHA256, ASSAY_ALG_SHA384,
				      ASSAY_ALG_SHA512 };
	struct assay_found_bytes content[2];
	__u8 digest[ASSAY_MAX_DIGEST];
	unsigned int i, known = 0;
	int ret;

	get_pieces(check, check->offset + frame->content, frame->size - frame->content, content);
	for (i = 0; i < 4; i++) {
		const __u8 *its = assay_frame_digest(frame, algs[i]);

		if (!its)
			continue;
		ret = check->hash(check->context, algs[i], content, digest);
		/* What this kernel does not compute, others vouch for. */
		if (ret == -ENOPKG)
			continue;
		if (ret)
			return ret;
		if (memcmp(its, digest, assay_frame_digest_size(algs[i])))
			return -EBADMSG;
		known++;
	}
	return known ? 0 : -EBADMSG;
}

/* ------------------------------------------------------------------ where the log begins */
/* A TLV of the content: where its value is in the log. */
struct field {
	__u8 type;
	__u64 value;
	__u32 size;
};

/* The TLV at *@at, which is moved behind it; false where it does not end at or before @end. */
static bool next_field(const struct check *check, __u64 *at, __u64 end, struct field *ret)
{
	__u8 bytes[TLV_HEADER];

	if (end - *at < TLV_HEADER)
		return false;
	copy_out(check, *at, bytes, TLV_HEADER);
	ret->type = bytes[0];
	ret->size = (__u32)bytes[1] << 24 | bytes[2] << 16 | bytes[3] << 8 | bytes[4];
	ret->value = *at + TLV_HEADER;
	if (end - ret->value < ret->size)
		return false;
	*at = ret->value + ret->size;
	return true;
}

/* Of the TLVs [@at, @end), the first of a type. */
static bool find_field(const struct check *check, __u64 at, __u64 end, __u8 type, struct field *ret)
{
	while (next_field(check, &at, end, ret)) {
		if (ret->type == type)
			return true;
	}
	return false;
}

static bool is_number(const struct check *check, __u64 at, __u64 end, __u8 type, __u64 number)
{
	struct field field;
	__u8 bytes[8];
	__u64 is = 0;
	unsigned int i;

	if (!find_field(check, at, end, type, &field) || field.size != sizeof(bytes))
		return false;
	copy_out(check, field.value, bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++)
		is = is << 8 | bytes[i];
	return is == number;
}

/* Whether PCR_VALUES are those that the header has for its head, of its banks and no others. */
static bool are_start_values(const struct check *check, const struct field *values)
{
	const struct assay_log_header *was = check->was;
	__u8 value[ASSAY_MAX_DIGEST];
	struct field field;
	unsigned int i;
	__u64 size = 0;

	for (i = 0; i < was->bank_count; i++) {
		if (!find_field(check, values->value, values->value + values->size,
				ASSAY_CEL_DIGEST_TYPE(was->banks[i].alg), &field) ||
		    field.size != was->banks[i].size)
			return false;
		copy_out(check, field.value, value, field.size);
		if (memcmp(value, was->banks[i].start, field.size))
			return false;
		size += TLV_HEADER + field.size;
	}
	return values->size == size && size;
}

/*
 * Whether a record says that the log begins at the header's head with the header's PCR
 * values. Of a log that was never cut this is START, which is the first record and may have
 * no values, since there was no TPM then. Else it is a TRIM record, and the PCR has it: the
 * head moves only after that.
 */
static bool vouches(const struct check *check, const struct assay_frame *frame)
{
	const struct assay_log_header *was = check->was;
	__u64 at = check->offset + frame->content + TLV_HEADER, end = check->offset + frame->size;
	struct field field;
	bool has_values;
	__u8 kind;

	if (!find_field(check, at, end, ASSAY_FIELD_KIND, &field) || field.size != 1)
		return false;
	copy_out(check, field.value, &kind, 1);
	has_values = find_field(check, at, end, ASSAY_FIELD_PCR_VALUES, &field);
	if (!was->head_recnum)
		return !was->head && !frame->recnum && kind == ASSAY_KIND_START &&
		       (!has_values || are_start_values(check, &field));
	return kind == ASSAY_KIND_TRIM && end <= was->anchored &&
	       frame->recnum > was->head_recnum && has_values && are_start_values(check, &field) &&
	       is_number(check, at, end, ASSAY_FIELD_CUT_RECNUM, was->head_recnum) &&
	       is_number(check, at, end, ASSAY_FIELD_CUT_OFFSET, was->head);
}

/* ------------------------------------------------------------------ records */
/* Step over the next record; -EBADMSG, with what is wrong, if it is not good. */
static int check_record(struct check *check)
{
	__u64 left = check->was->tail - check->offset;
	__u64 size = left < ASSAY_FRAME_MAX ? left : ASSAY_FRAME_MAX;
	__u8 bytes[ASSAY_FRAME_MAX];
	struct assay_frame frame;
	unsigned int i;
	int ret;

	copy_out(check, check->offset, bytes, size);
	check->found->what = "a record is malformed";
	if (assay_frame_parse(bytes, size, &frame) || frame.size > left)
		return -EBADMSG;
	check->found->what = "a record has the number or PCR of another";
	if (frame.recnum != check->recnum || frame.pcr != check->was->pcr)
		return -EBADMSG;
	check->found->what = "a record's digest is not that of its content";
	ret = check_digests(check, &frame);
	if (ret)
		return ret;
	check->found->what = "a record has no digest for a PCR bank";
	for (i = 0; i < check->was->bank_count; i++) {
		const struct assay_log_bank *bank = &check->was->banks[i];
		const __u8 *digest = assay_frame_digest(&frame, bank->alg);
		struct assay_found_bytes both[2] = { { check->value[i], bank->size },
						     { digest, bank->size } };

		if (!digest)
			return -EBADMSG;
		ret = check->hash(check->context, bank->alg, both, check->value[i]);
		if (ret)
			return ret;
	}
	check->found->what = NULL;
	check->vouched = check->vouched || vouches(check, &frame);
	check->offset += frame.size;
	check->recnum++;
	return 0;
}

/* What was found anchored ends here: note where that is, and what the PCR held then. */
static void note_anchored(struct check *check)
{
	struct assay_log_header *header = &check->found->header;
	unsigned int i;

	header->anchored = check->offset;
	header->anchored_records = check->recnum;
	for (i = 0; i < header->bank_count; i++)
		memcpy(header->banks[i].value, check->value[i], ASSAY_MAX_DIGEST);
}

static int check_records(struct check *check)
{
	int ret = 0;

	note_anchored(check);
	while (check->offset < check->was->tail) {
		ret = check_record(check);
		if (ret)
			break;
		if (check->offset <= check->was->anchored)
			note_anchored(check);
	}
	return ret;
}

/* What the header says of the records that are all good. */
static const char *check_sums(const struct check *check)
{
	const struct assay_log_header *was = check->was, *is = &check->found->header;
	unsigned int i;

	if (is->anchored != was->anchored)
		return "what is anchored ends within a record";
	/* Cut off while the header was written: these come one after the other. */
	if (was->sequence % 2)
		return NULL;
	if (was->records != check->recnum || was->anchored_records != is->anchored_records)
		return "it has another number of records than its header says";
	for (i = 0; i < was->bank_count; i++) {
		if (memcmp(was->banks[i].value, is->banks[i].value, was->banks[i].size))
			return "its records do not lead to the PCR value that its header has";
	}
	return NULL;
}

/* Records that are good, and lead to what the header says, may be not all that there were. */
static void check_vouched(struct check *check)
{
	if (check->found->what || check->vouched)
		return;
	check->found->what = "nothing in it vouches for what was before its first record";
	check->found->unvouched = true;
}

/* Begun, and cut off before its first record was published. */
static bool is_empty(const struct assay_log_header *header)
{
	return !header->head && !header->tail && !header->head_recnum;
}

/* Cut off while the head moved, which takes more than one write: it has not moved then. */
static void restore_head(struct assay_log_header *header)
{
	const struct assay_log_uncut *uncut = &header->uncut;
	unsigned int i;

	if (header->sequence % 2 == 0 || uncut->sequence != header->sequence)
		return;
	header->head = uncut->head;
	header->head_recnum = uncut->head_recnum;
	for (i = 0; i < ASSAY_MAX_BANKS; i++)
		memcpy(header->banks[i].start, uncut->start[i], ASSAY_MAX_DIGEST);
}

/* The header that describes what is good, but for what is anchored. */
static void begin_header(struct check *check)
{
	struct assay_log_header *is = &check->found->header;
	const struct assay_log_header *was = check->was;
	unsigned int i;

	memset(is, 0, sizeof(*is));
	memcpy(is->magic, ASSAY_LOG_MAGIC, sizeof(is->magic));
	is->version = ASSAY_LOG_VERSION;
	is->header_size = sizeof(*is);
	is->page_size = was->page_size;
	is->pcr = was->pcr;
	is->ring_size = was->ring_size;
	is->head = was->head;
	is->head_recnum = was->head_recnum;
	memcpy(is->boot_id, was->boot_id, sizeof(is->boot_id));
	is->flags = ASSAY_LOG_ADOPTED;
	is->bank_count = was->bank_count;
	for (i = 0; i < was->bank_count; i++) {
		is->banks[i].alg = was->banks[i].alg;
		is->banks[i].size = was->banks[i].size;
		memcpy(is->banks[i].start, was->banks[i].start, was->banks[i].size);
		memcpy(check->value[i], was->banks[i].start, was->banks[i].size);
	}
}

/**
 * assay_found_check() - look at what is in a window
 * @window: the window's memory
 * @hash: how to compute digests
 * @context: for it
 * @ret: set if 0 is returned, and its @what where that is -EBADMSG
 *
 * Return: 0, the log from head to tail is good; -ENODATA, there is none; -EBADMSG, there is
 * one, but its header cannot be used; or what @hash returned.
 */
int assay_found_check(struct assay_found_bytes window, assay_found_hash hash, void *context,
		      struct assay_found *ret)
{
	struct assay_log_header *header = &ret->was;
	struct check check = {
		.window = window, .hash = hash, .context = context, .found = ret, .was = header
	};
	int error;

	if (window.size < sizeof(*header))
		return -ENODATA;
	/* Once: what is checked is what is used. */
	memcpy(header, window.data, sizeof(*header));
	if (memcmp(header->magic, ASSAY_LOG_MAGIC, sizeof(header->magic)))
		return -ENODATA;
	restore_head(header);
	ret->unvouched = false;
	ret->what = check_header(header, window.size);
	if (ret->what)
		return -EBADMSG;
	if (is_empty(header))
		return -ENODATA;
	check.ring =
		(struct assay_found_bytes){ window.data + header->page_size, header->ring_size };
	check.offset = header->head;
	check.recnum = header->head_recnum;
	begin_header(&check);
	error = check_records(&check);
	if (error && error != -EBADMSG)
		return error;
	if (!error)
		ret->what = check_sums(&check);
	check_vouched(&check);
	ret->header.tail = check.offset;
	ret->header.records = check.recnum;
	if (ret->what) {
		ret->header.flags |= ASSAY_LOG_DAMAGED;
		ret->header.damaged_at = check.offset;
	}
	return 0;
}
