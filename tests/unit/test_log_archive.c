// SPDX-License-Identifier: MIT
/* Archives of what was cut off a log: do they belong to what is left? */
#include <errno.h>
#include <string.h>

#include "log/archive.h"
#include "log/cel.h"
#include "log_builder.h"
#include "support.h"

/*
 * A log of records 0 to 9: the sample's 0 to 2, 3 to 5 once more, 6 a TRIM of 0 to 2, 7 an
 * EVENT, 8 a TRIM of 3 to 6, 9 an EVENT. So there are two archives, the TRIM record of the
 * first being in the second, and what is left.
 */
struct fixture {
	struct log_builder builder;
	struct log_piece pieces[3];
};

static void add_event(struct log_builder *builder)
{
	struct buffer value = { 0 };

	put_event(&value, "test", BYTES_LITERAL("more"));
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);
}

static void add_trim(struct log_builder *builder, uint64_t recnum, size_t from, size_t to)
{
	struct buffer value = { 0 };

	put_trim(&value, recnum, to, BYTES(builder->log.data + from, to - from), builder->value,
		 LOG_BUILDER_BANKS);
	log_builder_record(builder, ASSAY_CEL_CONTENT, buffer_bytes(&value));
	buffer_free(&value);
}

static void begin(struct fixture *f)
{
	struct log_builder *builder = &f->builder;
	size_t first, second;

	log_builder_begin(builder);
	log_builder_sample(builder);
	first = builder->log.size;
	log_builder_sample(builder);
	add_trim(builder, 3, 0, first);
	second = builder->log.size;
	add_event(builder);
	add_trim(builder, 7, first, second);
	add_event(builder);
	f->pieces[0] = (struct log_piece){ .name = "a", .cel = { builder->log.data, first } };
	f->pieces[1] = (struct log_piece){
		.name = "b",
		.cel = { builder->log.data + first, second - first },
	};
	f->pieces[2] = (struct log_piece){
		.name = "rest",
		.cel = { builder->log.data + second, builder->log.size - second },
	};
}

static void pieces_fit(void **state)
{
	struct assay_error err = { 0 };
	struct fixture f;

	(void)state;
	begin(&f);
	if (archive_chain(f.pieces, 3, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(f.pieces[0].base, 0);
	assert_int_equal(f.pieces[0].first, 0);
	assert_int_equal(f.pieces[0].records, 3);
	assert_int_equal(f.pieces[0].trim_recnum, 6);
	assert_int_equal(f.pieces[1].base, f.pieces[0].cel.size);
	assert_int_equal(f.pieces[1].first, 3);
	assert_int_equal(f.pieces[1].records, 4);
	assert_int_equal(f.pieces[1].trim_recnum, 8);
	assert_int_equal(f.pieces[2].base, f.pieces[0].cel.size + f.pieces[1].cel.size);
	assert_int_equal(f.pieces[2].first, 7);
	assert_int_equal(f.pieces[2].records, 3);
	/* The later two alone fit as well, one alone always does. */
	assert_int_equal(archive_chain(f.pieces + 1, 2, &err), 0);
	assert_int_equal(archive_chain(f.pieces, 1, &err), 0);
	log_builder_free(&f.builder);
}

static void refused(struct log_piece *pieces, size_t count, const char *why)
{
	struct assay_error err = { 0 };

	if (archive_chain(pieces, count, &err) != -EBADMSG || !strstr(err.text, why))
		fail_msg("where \"%s\" was due: \"%s\"", why, err.text);
}

static void pieces_that_do_not_fit(void **state)
{
	struct log_piece swapped[2], skipped[2], alone[2], twice[3], empty[2], cut[2];
	struct cel_reader reader;
	struct cel_record record;
	struct fixture f;

	(void)state;
	begin(&f);
	swapped[0] = f.pieces[1];
	swapped[1] = f.pieces[0];
	refused(swapped, 2, "b ends with record 6, and a begins with 0");
	skipped[0] = f.pieces[0];
	skipped[1] = f.pieces[2];
	refused(skipped, 2, "a ends with record 2, and rest begins with 7");
	twice[0] = twice[1] = f.pieces[0];
	twice[2] = f.pieces[1];
	refused(twice, 3, "a ends with record 2, and a begins with 0");
	empty[0] = f.pieces[0];
	empty[1] = (struct log_piece){ .name = "nothing" };
	refused(empty, 2, "nothing has no records");

	/* Without the piece that has the TRIM record, nothing vouches for the first. */
	alone[0] = f.pieces[0];
	alone[1] = f.pieces[1];
	cel_begin(&reader, alone[1].cel, 0);
	assert_int_equal(cel_next(&reader, &record, NULL), 1);
	alone[1].cel.size = record.size;
	refused(alone, 2, "no TRIM record in what follows a says");

	cut[0] = f.pieces[0];
	cut[1] = f.pieces[1];
	cut[1].cel.size -= 1;
	refused(cut, 2, "b: record at offset");
	log_builder_free(&f.builder);
}

/* Whatever byte of an archive changes, it is not what was cut off. */
static void a_changed_byte_is_noticed(void **state)
{
	struct assay_error err = { 0 };
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < f.pieces[0].cel.size; i++) {
		f.builder.log.data[i] ^= 1;
		assert_int_equal(archive_chain(f.pieces, 3, &err), -EBADMSG);
		f.builder.log.data[i] ^= 1;
	}
	/* The last one is data of an event: all is as it must be but the digest. */
	f.builder.log.data[f.pieces[0].cel.size - 1] ^= 1;
	refused(f.pieces, 3, "a is not what was cut off");
	log_builder_free(&f.builder);
}

/* A TRIM record of a cut that did not come to pass: the TPM had failed. */
static void a_cut_that_was_none(void **state)
{
	struct assay_error err = { 0 };
	struct log_piece pieces[2];
	struct log_builder builder;
	size_t first, second;

	(void)state;
	log_builder_begin(&builder);
	log_builder_sample(&builder);
	first = builder.log.size;
	log_builder_sample(&builder);
	second = builder.log.size;
	/* Records 0 to 5 were to go; then only 0 to 2 went, and 3 to 5 later. */
	add_trim(&builder, 6, 0, second);
	add_trim(&builder, 3, 0, first);
	add_trim(&builder, 6, first, second);
	pieces[0] = (struct log_piece){
		.name = "b",
		.cel = { builder.log.data + first, second - first },
	};
	pieces[1] = (struct log_piece){
		.name = "rest",
		.cel = { builder.log.data + second, builder.log.size - second },
	};
	if (archive_chain(pieces, 2, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pieces[0].base, first);
	assert_int_equal(pieces[0].trim_recnum, 8);
	log_builder_free(&builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_fit),
		cmocka_unit_test(pieces_that_do_not_fit),
		cmocka_unit_test(a_changed_byte_is_noticed),
		cmocka_unit_test(a_cut_that_was_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
