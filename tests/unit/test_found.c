// SPDX-License-Identifier: MIT
/*
 * What the module makes of a log that it finds in memory, by the very code of kmod/found.c,
 * frame.c and layout.c: which it takes for good, what it says of the others, and where in the
 * ring it would go on. With the name of a directory as its argument, writes the seeds of
 * fuzz_adopt there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "found.h"
#include "layout.h"
#include "log_builder.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096u
#define RING (2 * PAGE)
#define MEMORY (PAGE + RING)

static int hash(void *context, __u16 alg, const struct assay_found_bytes pieces[2], __u8 *digest)
{
	EVP_MD_CTX *hasher = EVP_MD_CTX_new();

	(void)context;
	assert_non_null(hasher);
	assert_true(EVP_DigestInit_ex(hasher, EVP_get_digestbyname(assay_hash_name(alg)), NULL) &&
		    EVP_DigestUpdate(hasher, pieces[0].data, pieces[0].size) &&
		    EVP_DigestUpdate(hasher, pieces[1].data, pieces[1].size) &&
		    EVP_DigestFinal_ex(hasher, digest, NULL));
	EVP_MD_CTX_free(hasher);
	return 0;
}

/* ------------------------------------------------------------------ windows */
/* A record that a log may be cut before: its number, offset, and the PCR before it. */
struct begin {
	uint64_t recnum;
	uint64_t offset;
	struct assay_digest value[LOG_BUILDER_BANKS];
};

static struct begin here(const struct log_builder *builder)
{
	struct begin begin = { .recnum = builder->recnum, .offset = builder->log.size };

	memcpy(begin.value, builder->value, sizeof(begin.value));
	return begin;
}

static void put_events(struct log_builder *builder, size_t count, size_t size)
{
	static const uint8_t data[2000];

	for (size_t i = 0; i < count; i++) {
		struct buffer value = { 0 };

		put_event(&value, "label", BYTES(data, size));
		log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
		buffer_free(&value);
	}
}

/* START, with what the PCR held; without if @values is NULL. */
static void put_first(struct log_builder *builder, const struct assay_digest *values)
{
	struct buffer value = { 0 };

	put_start(&value, values, values ? LOG_BUILDER_BANKS : 0);
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);
}

/* A TRIM record that says what @cut is. */
static void put_cut(struct log_builder *builder, const struct begin *cut)
{
	struct buffer value = { 0 };

	put_trim(&value, cut->recnum, cut->offset, BYTES(NULL, 0), cut->value, LOG_BUILDER_BANKS);
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);
}

/* The log from @begin on, with all anchored up to @anchored, as it lies in memory. */
static void lay_out(uint8_t *memory, const struct log_builder *builder, const struct begin *begin,
		    const struct begin *anchored)
{
	struct assay_log_header header = {
		.version = ASSAY_LOG_VERSION,
		.header_size = sizeof(header),
		.page_size = PAGE,
		.pcr = builder->pcr,
		.ring_size = RING,
		.boot_id = "a boot's number",
		.bank_count = LOG_BUILDER_BANKS,
		.sequence = 2,
		.tail = builder->log.size,
		.records = builder->recnum,
		.anchored = anchored->offset,
		.anchored_records = anchored->recnum,
		.head = begin->offset,
		.head_recnum = begin->recnum,
	};

	assert_true(header.tail - header.head <= RING);
	memset(memory, 0, MEMORY);
	memcpy(header.magic, ASSAY_LOG_MAGIC, sizeof(header.magic));
	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++) {
		header.banks[i].alg = (uint16_t)begin->value[i].hash;
		header.banks[i].size = (uint16_t)begin->value[i].size;
		memcpy(header.banks[i].start, begin->value[i].bytes, begin->value[i].size);
		memcpy(header.banks[i].value, anchored->value[i].bytes, anchored->value[i].size);
	}
	memcpy(memory, &header, sizeof(header));
	for (uint64_t at = header.head; at < header.tail; at++)
		memory[PAGE + at % RING] = builder->log.data[at];
}

/* Logs that are good. */
enum kind { UNCUT, WITHOUT_VALUES, PENDING, CHAINED, CUT, CUT_TWICE, WRAPPED, CHAINED_CUT, KINDS };
static const char *const names[KINDS] = { "uncut", "without-values", "pending", "chained",
					  "cut",   "cut-twice",	     "wrapped", "chained-cut" };

static void make(uint8_t *memory, enum kind kind)
{
	struct log_builder builder;
	struct begin begin, anchored;

	log_builder_begin(&builder);
	builder.chained = kind == CHAINED || kind == CHAINED_CUT;
	begin = here(&builder);
	put_first(&builder, kind == WITHOUT_VALUES ? NULL : builder.value);
	put_events(&builder, 3, 100);
	anchored = here(&builder);
	if (kind == PENDING || kind == CHAINED)
		put_events(&builder, 2, 50);
	for (int cuts = 0; kind >= CUT && cuts < (kind == CUT ? 1 : 2); cuts++) {
		begin = here(&builder);
		put_events(&builder, 4, kind == WRAPPED ? 1500 : 10);
		put_cut(&builder, &begin);
		anchored = here(&builder);
	}
	if (kind == CUT_TWICE)
		put_events(&builder, 1, 30);
	lay_out(memory, &builder, &begin, &anchored);
	log_builder_free(&builder);
}

static int look_at(const uint8_t *memory, struct assay_found *ret)
{
	memset(ret, 0, sizeof(*ret));
	return assay_found_check((struct assay_found_bytes){ memory, MEMORY }, hash, NULL, ret);
}

static struct assay_log_header *header_of(uint8_t *memory)
{
	return (struct assay_log_header *)(void *)memory;
}

/* ------------------------------------------------------------------ what is found */
static void logs_that_are_good(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		static uint8_t memory[MEMORY];
		const struct assay_log_header *is;
		struct assay_found found;

		make(memory, kind);
		is = header_of(memory);
		print_message("%s\n", names[kind]);
		assert_int_equal(look_at(memory, &found), 0);
		assert_null(found.what);
		assert_int_equal(found.header.flags, ASSAY_LOG_ADOPTED);
		assert_int_equal(found.header.head, is->head);
		assert_int_equal(found.header.tail, is->tail);
		assert_int_equal(found.header.records, is->records);
		assert_int_equal(found.header.anchored, is->anchored);
		assert_memory_equal(found.header.banks, is->banks, sizeof(is->banks));
	}
}

static void headers_that_cannot_be(void **state)
{
#define MEMBER(member) \
	offsetof(struct assay_log_header, member), sizeof(((struct assay_log_header *)0)->member)
	static const struct {
		const char *name;
		size_t at, size;
		uint64_t value;
		const char *what; /* NULL: there is no log */
	} rows[] = {
		{ "no magic", 0, 8, 0, NULL },
		{ "version 0", MEMBER(version), 0, "version" },
		{ "the version before", MEMBER(version), ASSAY_LOG_VERSION - 1, "version" },
		{ "a version to come", MEMBER(version), ASSAY_LOG_VERSION + 1, "version" },
		{ "header too small", MEMBER(header_size), sizeof(struct assay_log_header) - 1,
		  "size" },
		{ "header too large", MEMBER(header_size), sizeof(struct assay_log_header) + 1,
		  "size" },
		{ "no page", MEMBER(page_size), 0, "page size" },
		{ "a small page", MEMBER(page_size), 2048, "page size" },
		{ "an odd page", MEMBER(page_size), 4097, "page size" },
		{ "a large page", MEMBER(page_size), 131072, "page size" },
		{ "a page as large as the window", MEMBER(page_size), 65536, "does not fit" },
		{ "no ring", MEMBER(ring_size), 0, "does not fit" },
		{ "a ring of no pages", MEMBER(ring_size), PAGE + 1, "does not fit" },
		{ "a ring beyond the window", MEMBER(ring_size), RING + PAGE, "does not fit" },
		{ "a ring of nearly 2^64", MEMBER(ring_size), UINT64_MAX - PAGE + 1,
		  "does not fit" },
		{ "PCR 24", MEMBER(pcr), 24, "PCR does not exist" },
		{ "tail before head", MEMBER(head), 7000, "head and tail" },
		{ "tail too far", MEMBER(tail), RING + 1, "head and tail" },
		{ "tail at the limit", MEMBER(tail), ASSAY_LAYOUT_LIMIT, "head and tail" },
		{ "tail above it", MEMBER(tail), ASSAY_LAYOUT_LIMIT + 1, "no log is as long" },
		{ "tail at 2^63", MEMBER(tail), 1ULL << 63, "no log is as long" },
		{ "tail at 2^64 - 101", MEMBER(tail), UINT64_MAX - 100, "no log is as long" },
		{ "tail at 2^64 - 1", MEMBER(tail), UINT64_MAX, "no log is as long" },
		{ "records above the limit", MEMBER(records), ASSAY_LAYOUT_LIMIT + 1,
		  "no log is as long" },
		{ "as many records as stand for none", MEMBER(records), ASSAY_RECNUM_NONE,
		  "no log is as long" },
		{ "anchored behind the tail", MEMBER(anchored), 7000, "anchored ends outside" },
		{ "more anchored than there are", MEMBER(anchored_records), 5,
		  "numbers of records" },
		{ "head behind the records", MEMBER(head_recnum), 5, "numbers of records" },
		{ "no records", MEMBER(records), 0, "numbers of records" },
		{ "nine banks", MEMBER(bank_count), ASSAY_MAX_BANKS + 1, "more PCR banks" },
		{ "three banks", MEMBER(bank_count), 3, "no known hash" },
		{ "an unknown hash", MEMBER(banks[1].alg), 0x12, "no known hash" },
		{ "a bank twice", offsetof(struct assay_log_header, banks[0]), 4,
		  ASSAY_ALG_SHA256 | 32 << 16, "twice" },
		{ "a digest of no bytes", MEMBER(banks[0].size), 0, "no known hash" },
	};
#undef MEMBER

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		static uint8_t memory[MEMORY];
		struct assay_found found;
		int result;

		make(memory, UNCUT);
		memcpy(memory + rows[i].at, &rows[i].value, rows[i].size);
		result = look_at(memory, &found);
		print_message("%s: %s\n", rows[i].name, found.what ? found.what : "-");
		assert_int_equal(result, rows[i].what ? -EBADMSG : -ENODATA);
		if (rows[i].what)
			assert_non_null(found.what ? strstr(found.what, rows[i].what) : NULL);
	}
}

/* A header that the kernel before has left, near the largest numbers: both of them empty. */
static void forged_headers(void **state)
{
	static const uint64_t places[] = { 0,	       1,
					   RING,       ASSAY_LAYOUT_LIMIT,
					   1ULL << 63, UINT64_MAX - 100 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		static uint8_t memory[MEMORY];
		struct assay_log_header *header = header_of(memory);
		struct assay_found found;
		int result;

		make(memory, UNCUT);
		header->head = header->tail = header->anchored = places[i];
		header->records = header->anchored_records = header->head_recnum = 1000;
		for (size_t bank = 0; bank < LOG_BUILDER_BANKS; bank++)
			memcpy(header->banks[bank].start, header->banks[bank].value,
			       ASSAY_MAX_DIGEST);
		result = look_at(memory, &found);
		if (places[i] > ASSAY_LAYOUT_LIMIT) {
			assert_int_equal(result, -EBADMSG);
			continue;
		}
		assert_int_equal(result, 0);
		assert_non_null(found.what);
		assert_true(found.unvouched);
		assert_int_equal(found.header.flags, ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED);
	}
}

/* What a log that begins behind its first record must have in it. */
static void logs_that_nothing_vouches_for(void **state)
{
	enum off {
		NOTHING_OFF,
		NO_TRIM,
		OTHER_NUMBER,
		OTHER_OFFSET,
		OTHER_VALUE,
		TRIM_PENDING,
		TRIM_OF_ITSELF,
		EVENT_FIRST,
		START_OF_OTHER_VALUE,
		START_NOT_AT_THE_BEGINNING,
		ROWS
	};

	(void)state;
	for (enum off off = 0; off < ROWS; off++) {
		static uint8_t memory[MEMORY];
		struct log_builder builder;
		struct begin begin, cut, anchored;
		struct assay_found found;

		log_builder_begin(&builder);
		cut = begin = here(&builder);
		if (off == START_OF_OTHER_VALUE)
			cut.value[1].bytes[31] ^= 1;
		if (off != EVENT_FIRST)
			put_first(&builder, cut.value);
		put_events(&builder, 3, 100);
		if (off < EVENT_FIRST || off == START_NOT_AT_THE_BEGINNING)
			cut = begin = here(&builder);
		put_events(&builder, 2, 100);
		cut.recnum += off == OTHER_NUMBER;
		cut.offset += off == OTHER_OFFSET;
		cut.value[1].bytes[31] ^= off == OTHER_VALUE;
		anchored = here(&builder);
		if (off == TRIM_OF_ITSELF)
			cut = begin = here(&builder);
		if (off != NO_TRIM && off < EVENT_FIRST)
			put_cut(&builder, &cut);
		if (off == START_NOT_AT_THE_BEGINNING)
			put_first(&builder, begin.value);
		if (off != TRIM_PENDING)
			anchored = here(&builder);
		lay_out(memory, &builder, &begin, &anchored);
		assert_int_equal(look_at(memory, &found), 0);
		print_message("%d: %s\n", off, found.what ? found.what : "-");
		if (off == NOTHING_OFF) {
			assert_null(found.what);
		} else {
			assert_true(found.unvouched);
			assert_int_equal(found.header.flags, ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED);
			/* All of its records can be read. */
			assert_int_equal(found.header.tail, builder.log.size);
		}
		log_builder_free(&builder);
	}
}

/* Begun, and cut off before its first record: there is nothing. */
static void a_log_without_records(void **state)
{
	static uint8_t memory[MEMORY];
	struct assay_log_header *header = header_of(memory);
	struct assay_found found;

	(void)state;
	make(memory, UNCUT);
	header->tail = header->anchored = header->records = header->anchored_records = 0;
	assert_int_equal(look_at(memory, &found), -ENODATA);
}

/* Each bit of a log: it is not good any more, or is just what it was. */
static void every_bit_changed(void **state)
{
	static uint8_t memory[MEMORY];
	struct assay_found good, found;
	size_t end;

	(void)state;
	make(memory, CUT);
	assert_int_equal(look_at(memory, &good), 0);
	end = PAGE + (size_t)good.header.tail;
	for (size_t bit = 0; bit < 8 * end; bit++) {
		/* What lies between the header and the ring, and before the head. */
		if (bit / 8 >= sizeof(struct assay_log_header) && bit / 8 < PAGE + good.header.head)
			continue;
		memory[bit / 8] ^= (uint8_t)(1U << bit % 8);
		if (look_at(memory, &found) == 0 && !found.what) {
			/* The boot's name is no more than that. */
			memcpy(found.header.boot_id, good.header.boot_id,
			       sizeof(good.header.boot_id));
			assert_memory_equal(&found.header, &good.header, sizeof(found.header));
		}
		memory[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}

/* ------------------------------------------------------------------ layout */
/* Whether chunk by chunk from @floor one comes to @limit, by way of no more than there are. */
static bool leads_to(const struct assay_layout *layout, uint64_t floor, uint64_t limit)
{
	uint64_t most = layout->size / layout->chunk + 2, count = 0;

	while (floor != limit && count++ < most)
		floor += assay_layout_chunk(layout, floor);
	return floor == limit;
}

static void places_in_the_ring(void **state)
{
	static const uint64_t bases[] = { 0, RING, 1ULL << 32, (1ULL << 62) - 5 * RING,
					  (1ULL << 62) - RING };
	static const struct assay_layout layouts[] = {
		{ .size = PAGE, .chunk = PAGE },
		{ .size = 16 * PAGE, .chunk = PAGE },
		{ .size = 15 * PAGE, .chunk = 4 * PAGE },
		{ .size = 31 * PAGE, .chunk = 3 * PAGE },
		{ .size = 7 * 65536, .chunk = 65536 },
		{ .size = 1023 * PAGE, .chunk = 512 * PAGE },
	};

	(void)state;
	for (size_t l = 0; l < COUNT_OF(layouts); l++) {
		const struct assay_layout *layout = &layouts[l];

		for (size_t b = 0; b < COUNT_OF(bases); b++) {
			for (uint64_t head = bases[b];
			     head < bases[b] + 2 * layout->size && head <= ASSAY_LAYOUT_LIMIT;
			     head += 509) {
				uint64_t below = assay_layout_below(layout, head);
				uint64_t above = assay_layout_above(layout, head);
				__u64 floor, limit;
				uint64_t used = (head * 7919) % (layout->size + 1);
				int result;

				assert_true(below <= head && head <= above);
				assert_true(above - below <= layout->chunk);
				assert_int_equal(assay_layout_below(layout, below), below);
				assert_int_equal(assay_layout_below(layout, above), above);
				assert_int_equal(assay_layout_place(layout, above) % layout->chunk,
						 0);
				result = assay_layout_resume(layout, head, head + used, &floor,
							     &limit);
				if (head + used > ASSAY_LAYOUT_LIMIT) {
					assert_int_equal(result, -EINVAL);
					continue;
				}
				if (result == -ENOSPC) {
					assert_true(used + (head - below) + 16384 > layout->size);
					continue;
				}
				assert_int_equal(result, 0);
				assert_true(floor <= head && head + used <= limit);
				assert_true(limit - floor <= layout->size);
				assert_true(leads_to(layout, floor, limit));
			}
		}
	}
}

/* A record's length fits a TLV, whatever the ring: the framing and what is not the callers' go on
 * top. */
static void records_are_bounded(void **state)
{
	static const struct {
		uint64_t ring, limit;
	} rows[] = {
		{ PAGE, PAGE },
		{ 1 << 20, 1 << 20 },
		{ (1ULL << 31) - 1, (1ULL << 31) - 1 },
		{ 1ULL << 31, (1ULL << 31) - 1 },
		{ 1ULL << 32, (1ULL << 31) - 1 },
		{ (1ULL << 32) + PAGE, (1ULL << 31) - 1 },
		{ ASSAY_LAYOUT_LIMIT, (1ULL << 31) - 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(assay_layout_record_limit(rows[i].ring), rows[i].limit);
}

static void logs_that_cannot_be_resumed(void **state)
{
	static const struct assay_layout layout = { .size = 16 * PAGE, .chunk = 4 * PAGE };
	static const struct {
		uint64_t head, tail;
		int error;
	} rows[] = {
		{ 0, 0, 0 },
		{ 0, 12 * PAGE, 0 },
		{ 0, 12 * PAGE + 1, -ENOSPC },
		{ 4 * PAGE - 1, 12 * PAGE + 1, -ENOSPC },
		{ 4 * PAGE, 12 * PAGE + 1, 0 },
		{ 0, 16 * PAGE, -ENOSPC },
		{ 0, 16 * PAGE + 1, -EINVAL },
		{ 1, 0, -EINVAL },
		{ ASSAY_LAYOUT_LIMIT, ASSAY_LAYOUT_LIMIT, 0 },
		{ ASSAY_LAYOUT_LIMIT, ASSAY_LAYOUT_LIMIT + 1, -EINVAL },
		{ 1ULL << 63, 1ULL << 63, -EINVAL },
		{ UINT64_MAX - 100, UINT64_MAX - 100, -EINVAL },
		{ UINT64_MAX - 100, 100, -EINVAL },
		{ UINT64_MAX, UINT64_MAX, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		__u64 floor, limit;

		assert_int_equal(
			assay_layout_resume(&layout, rows[i].head, rows[i].tail, &floor, &limit),
			rows[i].error);
	}
}

/* ------------------------------------------------------------------ seeds */
/* Before the window: what the fuzzer is to do, that is to leave it as it is. */
static const uint8_t control[2] = { 0 };

static void the_fuzzers_seeds_are_these_logs(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		static uint8_t memory[MEMORY];
		struct buffer seed;
		char path[64];

		snprintf(path, sizeof(path), "fuzz_adopt/%s", names[kind]);
		seed = log_test_data(path);
		make(memory, kind);
		assert_int_equal(seed.size, sizeof(control) + MEMORY);
		assert_memory_equal(seed.data + sizeof(control), memory, MEMORY);
		buffer_free(&seed);
	}
}

static int write_seeds(const char *directory)
{
	for (enum kind kind = 0; kind < KINDS; kind++) {
		static uint8_t memory[MEMORY];
		char path[4096];
		FILE *file;

		make(memory, kind);
		snprintf(path, sizeof(path), "%s/%s", directory, names[kind]);
		file = fopen(path, "we");
		if (!file || fwrite(control, sizeof(control), 1, file) != 1 ||
		    fwrite(memory, MEMORY, 1, file) != 1 || fclose(file))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_that_are_good),
		cmocka_unit_test(headers_that_cannot_be),
		cmocka_unit_test(forged_headers),
		cmocka_unit_test(logs_that_nothing_vouches_for),
		cmocka_unit_test(a_log_without_records),
		cmocka_unit_test(every_bit_changed),
		cmocka_unit_test(places_in_the_ring),
		cmocka_unit_test(records_are_bounded),
		cmocka_unit_test(logs_that_cannot_be_resumed),
		cmocka_unit_test(the_fuzzers_seeds_are_these_logs),
	};

	if (argc == 2)
		return write_seeds(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
