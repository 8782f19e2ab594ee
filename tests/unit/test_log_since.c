// SPDX-License-Identifier: MIT
/* A log from one of its records on: where that is, and what the PCR was before. */
#include <errno.h>
#include <string.h>

#include "log/since.h"
#include "log_builder.h"
#include "support.h"

static const struct assay_digest zeros[LOG_BUILDER_BANKS] = {
	{ .hash = ASSAY_HASH_SHA1, .size = 20 },
	{ .hash = ASSAY_HASH_SHA256, .size = 32 }
};

static int since(struct bytes log, uint64_t recnum, struct assay_digest *values, size_t *ret_offset,
		 struct assay_error *err)
{
	memcpy(values, zeros, sizeof(zeros));
	return log_since(log, 14, recnum, values, LOG_BUILDER_BANKS, ret_offset, err);
}

static void each_record_is_found_with_the_pcr_before_it(void **state)
{
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct log_builder builder;
	struct assay_error err;
	size_t offset;

	(void)state;
	log_builder_begin(&builder);
	/* The builder's own replay says what each record begins with, the next one included. */
	for (uint64_t recnum = 0; recnum < 5; recnum++) {
		struct assay_digest before[LOG_BUILDER_BANKS];
		size_t at = builder.log.size;

		memcpy(before, builder.value, sizeof(before));
		assert_int_equal(since(buffer_bytes(&builder.log), recnum, values, &offset, &err),
				 0);
		assert_int_equal(offset, at);
		assert_memory_equal(values, before, sizeof(before));
		/* A record of another PCR moves the place, not the value. */
		builder.pcr = recnum == 2 ? 13 : 14;
		log_builder_record(&builder, ASSAY_CEL_CONTENT,
				   BYTES_LITERAL("\x00\x00\x00\x00\x01\x7f"));
		if (recnum == 2)
			memcpy(builder.value, before, sizeof(before));
		/* With more behind it, it is still there. */
		assert_int_equal(since(buffer_bytes(&builder.log), recnum, values, &offset, &err),
				 0);
		assert_int_equal(offset, at);
		assert_memory_equal(values, before, sizeof(before));
	}
	log_builder_free(&builder);
}

static void a_record_that_is_not_there_is_told(void **state)
{
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct assay_error err = { 0 };
	struct log_builder builder;
	size_t offset;

	(void)state;
	log_builder_begin(&builder);
	builder.recnum = 7;
	log_builder_sample(&builder);
	assert_int_equal(since(buffer_bytes(&builder.log), 6, values, &offset, &err), -ESTALE);
	assert_non_null(strstr(err.text, "begins with record 7"));
	assert_int_equal(since(buffer_bytes(&builder.log), 7, values, &offset, &err), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(since(buffer_bytes(&builder.log), 10, values, &offset, &err), 0);
	assert_int_equal(offset, builder.log.size);
	assert_memory_equal(values, builder.value, sizeof(values));
	assert_int_equal(since(buffer_bytes(&builder.log), 11, values, &offset, &err), -ERANGE);
	assert_non_null(strstr(err.text, "next one will be 10"));
	log_builder_free(&builder);
}

static void what_is_no_log_is_refused(void **state)
{
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct assay_digest other = { .hash = ASSAY_HASH_SHA512, .size = 64 };
	struct assay_error err = { 0 };
	struct log_builder builder;
	size_t offset;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	for (size_t cut = 1; cut < builder.log.size; cut++) {
		int r = since(BYTES(builder.log.data, cut), UINT32_MAX, values, &offset, &err);

		assert_true(r == -EBADMSG || r == -ERANGE);
	}
	/* A bank that the records have no digests of. */
	assert_int_equal(log_since(buffer_bytes(&builder.log), 14, 1, &other, 1, &offset, &err),
			 -EBADMSG);
	assert_non_null(strstr(err.text, "no sha512 digest"));
	log_builder_free(&builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_is_found_with_the_pcr_before_it),
		cmocka_unit_test(a_record_that_is_not_there_is_told),
		cmocka_unit_test(what_is_no_log_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
