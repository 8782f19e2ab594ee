// SPDX-License-Identifier: MIT
/* What the client of /dev/assay accepts as a mapped log, and how it copies one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/cel.h"
#include "log/device.h"
#include "log_builder.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 4096u
#define RING (2 * PAGE)

static struct assay_log_header good_header(void)
{
	struct assay_log_header header = {
		.version = ASSAY_LOG_VERSION,
		.header_size = sizeof(header),
		.page_size = PAGE,
		.pcr = 14,
		.ring_size = RING,
		.head = 100,
		.tail = 5000,
		.anchored = 5000,
		.head_recnum = 3,
		.records = 40,
		.bank_count = 1,
		.banks = { { .alg = ASSAY_ALG_SHA256, .size = 32 } },
	};

	memcpy(header.magic, ASSAY_LOG_MAGIC, sizeof(header.magic));
	return header;
}

static void headers_that_are_off(void **state)
{
	/* Each row overwrites one member, which is of 4 or 8 bytes. */
#define MEMBER(member) \
	offsetof(struct assay_log_header, member), sizeof(((struct assay_log_header *)0)->member)
	static const struct {
		const char *name;
		size_t at, size;
		uint64_t value;
		const char *error; /* NULL: nothing is off */
	} rows[] = {
		{ "nothing off", MEMBER(pcr), 14, NULL },
		{ "nothing in it", MEMBER(head), 5000, NULL },
		{ "full", MEMBER(tail), 100 + RING, NULL },
		{ "a header that has grown", MEMBER(header_size), PAGE, NULL },
		{ "magic", 0, 8, 0, "magic" },
		{ "version 0", MEMBER(version), 0, "version" },
		{ "the version before", MEMBER(version), ASSAY_LOG_VERSION - 1, "version" },
		{ "a version to come", MEMBER(version), ASSAY_LOG_VERSION + 1, "version" },
		{ "header too small", MEMBER(header_size), sizeof(struct assay_log_header) - 1,
		  "header is not of the size" },
		{ "header larger than a page", MEMBER(header_size), PAGE + 1,
		  "header is not of the size" },
		{ "another page size", MEMBER(page_size), 65536, "page size" },
		{ "no ring", MEMBER(ring_size), 0, "ring's size" },
		{ "ring of half a page", MEMBER(ring_size), PAGE / 2, "ring's size" },
		{ "ring of 2^63", MEMBER(ring_size), 1ULL << 63, "ring's size" },
		{ "nine banks", MEMBER(bank_count), 9, "more PCR banks" },
		{ "head behind tail", MEMBER(head), 5001, "head and tail" },
		{ "fuller than full", MEMBER(tail), 101 + RING, "head and tail" },
		{ "tail of 2^64-1", MEMBER(tail), UINT64_MAX, "head and tail" },
		{ "nothing but a head", MEMBER(head_recnum), 40, NULL },
		{ "a head of the future", MEMBER(head_recnum), 41, "head has a number" },
		{ "bank without a digest", offsetof(struct assay_log_header, banks[0].size), 2, 0,
		  "PCR bank's digest" },
		{ "bank of 65 bytes", offsetof(struct assay_log_header, banks[0].size), 2, 65,
		  "PCR bank's digest" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct assay_log_header header = good_header();
		struct assay_error err = { 0 };
		uint16_t value16 = (uint16_t)rows[i].value;
		uint32_t value32 = (uint32_t)rows[i].value;
		const void *value = rows[i].size == 2 ? (const void *)&value16 :
				    rows[i].size == 4 ? (const void *)&value32 :
							(const void *)&rows[i].value;
		int r;

		memcpy((uint8_t *)&header + rows[i].at, value, rows[i].size);
		r = device_check_header(&header, PAGE, &err);
		if (r != (rows[i].error ? -EPROTO : 0) ||
		    (rows[i].error && !strstr(err.text, rows[i].error)))
			fail_msg("%s: %d, \"%s\"", rows[i].name, r, err.text);
	}
}

/* A log laid out as the mapping shows it: header page, ring, the same ring again. */
static struct device_log lay_out(const struct assay_log_header *header, struct bytes records)
{
	struct device_log log = { .ring_size = RING, .map_size = PAGE + 2 * RING };
	uint8_t *map = calloc(1, log.map_size);

	assert_non_null(map);
	memcpy(map, header, sizeof(*header));
	for (size_t i = 0; i < records.size; i++) {
		uint64_t place = (header->head + i) % RING;

		map[PAGE + place] = map[PAGE + RING + place] = records.data[i];
	}
	log.map = map;
	log.header = (const struct assay_log_header *)map;
	log.ring = map + PAGE;
	return log;
}

/* Wherever in the ring a log begins, also where it wraps, the copy is the log. */
static void a_copy_is_the_log(void **state)
{
	static const uint64_t heads[] = {
		0, 1, PAGE, RING - 1, RING - 200, 7 * RING + 8000, (1ULL << 40) + RING - 3
	};
	struct log_builder builder;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		struct assay_log_header header = good_header();
		struct device_log_copy copy;
		struct device_log log;
		struct assay_error err;

		header.head = heads[i];
		header.tail = heads[i] + builder.log.size;
		log = lay_out(&header, buffer_bytes(&builder.log));
		assert_int_equal(device_copy_log(&log, &copy, &err), 0);
		assert_true(bytes_equal(buffer_bytes(&copy.cel), buffer_bytes(&builder.log)));
		assert_int_equal(copy.header.head, heads[i]);
		assert_int_equal(copy.header.tail, header.tail);
		buffer_free(&copy.cel);
		free(log.map);
	}
	log_builder_free(&builder);
}

static void an_empty_log_is_copied(void **state)
{
	struct assay_log_header header = good_header();
	struct device_log_copy copy;
	struct device_log log;
	struct assay_error err;

	(void)state;
	header.tail = header.head;
	log = lay_out(&header, BYTES(NULL, 0));
	assert_int_equal(device_copy_log(&log, &copy, &err), 0);
	assert_int_equal(copy.cel.size, 0);
	buffer_free(&copy.cel);
	free(log.map);
}

/* What the header says later is not believed because it was right when it was mapped. */
static void a_header_that_goes_bad_is_refused(void **state)
{
	struct assay_log_header header = good_header();
	struct device_log_copy copy;
	struct device_log log;
	struct assay_error err;

	(void)state;
	log = lay_out(&header, BYTES(NULL, 0));
	((struct assay_log_header *)log.map)->tail = header.head + RING + 1;
	assert_int_equal(device_copy_log(&log, &copy, &err), -EPROTO);
	((struct assay_log_header *)log.map)->tail = header.tail;
	((struct assay_log_header *)log.map)->ring_size = 4 * RING;
	assert_int_equal(device_copy_log(&log, &copy, &err), -EPROTO);
	free(log.map);
}

/* A sequence that is odd says that members may not fit each other. */
static void a_header_that_is_never_at_rest(void **state)
{
	struct assay_log_header header = good_header();
	struct device_log_copy copy;
	struct device_log log;
	struct assay_error err;

	(void)state;
	header.sequence = 7;
	log = lay_out(&header, BYTES(NULL, 0));
	assert_int_equal(device_copy_log(&log, &copy, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "changes all the time"));
	free(log.map);
}

/* While there are records, the kernel is not asked: the descriptor is none. */
static void following_needs_no_call(void **state)
{
	const struct device none = { .fd = -1 };
	struct assay_log_header header = good_header();
	struct log_builder builder;
	struct buffer cel = { 0 };
	struct assay_error err;
	struct device_log log;
	uint64_t offset;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	header.head = 3 * RING - 100;
	header.tail = header.head + builder.log.size;
	log = lay_out(&header, buffer_bytes(&builder.log));

	offset = header.head;
	assert_int_equal(device_follow(&none, &log, &offset, -1, &cel, &err), 1);
	assert_int_equal(offset, header.tail);
	assert_true(bytes_equal(buffer_bytes(&cel), buffer_bytes(&builder.log)));
	offset = header.tail - 10;
	assert_int_equal(device_follow(&none, &log, &offset, -1, &cel, &err), 1);
	assert_int_equal(cel.size, builder.log.size + 10);

	offset = header.head - 1;
	assert_int_equal(device_follow(&none, &log, &offset, -1, &cel, &err), -ESTALE);
	assert_non_null(strstr(err.text, "trimmed"));
	offset = header.tail + 1;
	assert_int_equal(device_follow(&none, &log, &offset, -1, &cel, &err), -EINVAL);
	/* At the tail it is asked. */
	offset = header.tail;
	assert_int_equal(device_follow(&none, &log, &offset, -1, &cel, &err), -EBADF);
	assert_int_equal(cel.size, builder.log.size + 10);
	buffer_free(&cel);
	free(log.map);
	log_builder_free(&builder);
}

static void without_the_module(void **state)
{
	struct device_log_copy copy;
	struct assay_error err;

	(void)state;
	if (access(ASSAY_DEVICE_PATH, F_OK) == 0)
		skip();
	assert_int_equal(device_read_log(&copy, &err), -ENOENT);
	assert_non_null(strstr(err.text, "insmod assay.ko"));
}

/* Refused before the kernel is asked: the descriptor is none. */
static void requests_that_cannot_be(void **state)
{
	static uint8_t data[ASSAY_MAX_EVENT + 1], label[ASSAY_MAX_LABEL + 1];
	const struct device_event good = { BYTES(label, 1), BYTES(data, 1) };
	const struct device_event events[][2] = {
		{ good, { BYTES(label, 0), BYTES(data, 1) } },
		{ good, { BYTES(label, sizeof(label)), BYTES(data, 1) } },
		{ good, { BYTES(label, 1), BYTES(data, sizeof(data)) } },
	};
	struct assay_measure_entry entry = { 0 };
	const struct device none = { .fd = -1 };
	struct assay_error err;

	(void)state;
	assert_int_equal(device_measure(&none, 0, &entry, 0, NULL, &err), -EINVAL);
	assert_int_equal(device_measure(&none, 0, &entry, ASSAY_MAX_BATCH + 1, NULL, &err),
			 -EINVAL);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		assert_int_equal(device_append(&none, events[i], 2, NULL, &err), -EINVAL);
	assert_int_equal(device_append(&none, events[0], 0, NULL, &err), -EINVAL);
	assert_int_equal(device_append(&none, events[0], ASSAY_MAX_BATCH + 1, NULL, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_that_are_off),
		cmocka_unit_test(a_copy_is_the_log),
		cmocka_unit_test(an_empty_log_is_copied),
		cmocka_unit_test(a_header_that_goes_bad_is_refused),
		cmocka_unit_test(a_header_that_is_never_at_rest),
		cmocka_unit_test(following_needs_no_call),
		cmocka_unit_test(without_the_module),
		cmocka_unit_test(requests_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
