// SPDX-License-Identifier: MIT
/*
 * PE images and their Authenticode digests: computed by hand, against pesign, and of images that
 * are ill-formed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "firmware/pe.h"
#include "pe_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t text[0x321] = { 0xc3 }, data[0x200] = { 1, 2, 3 };

static struct buffer build_image(void)
{
	const struct pe_built_section sections[] = {
		{ ".text", { text, sizeof(text) } },
		{ ".data", { data, sizeof(data) } },
	};

	return pe_build(sections, COUNT_OF(sections));
}

static void digest_of(const struct buffer *file, enum assay_hash hash, struct assay_digest *ret,
		      bool *ret_complete)
{
	struct assay_error err = { 0 };
	struct pe_image image = { 0 };

	if (pe_parse(buffer_bytes(file), &image, &err) < 0 ||
	    pe_authenticode(&image, hash, ret, ret_complete, &err) < 0)
		fail_msg("%s", err.text);
}

/* By hand, from the specification: all but the checksum and the directory's entry. */
static void all_but_checksum_and_certificates_is_hashed(void **state)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						  ASSAY_HASH_SHA512 };
	struct buffer file = build_image();

	(void)state;
	buffer_append(&file, "behind", 6);
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		const struct bytes pieces[] = {
			{ file.data, PE_BUILT_CHECKSUM },
			{ file.data + PE_BUILT_CHECKSUM + 4,
			  PE_BUILT_SECURITY - PE_BUILT_CHECKSUM - 4 },
			{ file.data + PE_BUILT_SECURITY + 8, file.size - PE_BUILT_SECURITY - 8 },
		};
		struct assay_digest expected = { 0 }, found = { 0 };
		bool complete = false;

		assert_int_equal(
			digest_pieces(hashes[i], pieces, COUNT_OF(pieces), &expected, NULL), 0);
		digest_of(&file, hashes[i], &found, &complete);
		assert_true(complete);
		assert_int_equal(found.hash, hashes[i]);
		assert_memory_equal(found.bytes, expected.bytes, expected.size);
	}
	buffer_free(&file);
}

static void signing_changes_nothing(void **state)
{
	struct buffer file = build_image();
	struct assay_digest before = { 0 }, after = { 0 };
	struct pe_image image = { 0 };

	(void)state;
	digest_of(&file, ASSAY_HASH_SHA256, &before, NULL);
	pe_put32(&file, PE_BUILT_CHECKSUM, 0);
	pe_sign(&file, BYTES_LITERAL("\20\0\0\0\0\2\2\0 12345678"));
	digest_of(&file, ASSAY_HASH_SHA256, &after, NULL);
	assert_memory_equal(before.bytes, after.bytes, before.size);
	assert_int_equal(pe_parse(buffer_bytes(&file), &image, NULL), 0);
	assert_int_equal(image.certificates.size, 17);
	buffer_free(&file);
}

/* The order is that of the data in the file, not that of the section table. */
static void sections_are_sorted(void **state)
{
	struct buffer file = build_image(), swapped = build_image();
	uint8_t header[40];
	struct assay_digest expected = { 0 }, found = { 0 };
	bool complete = false;

	(void)state;
	memcpy(header, swapped.data + PE_BUILT_SECTIONS, 40);
	memmove(swapped.data + PE_BUILT_SECTIONS, swapped.data + PE_BUILT_SECTIONS + 40, 40);
	memcpy(swapped.data + PE_BUILT_SECTIONS + 40, header, 40);
	digest_of(&swapped, ASSAY_HASH_SHA256, &found, &complete);
	assert_true(complete);
	/* The headers are hashed as they are: of both only what follows is the same. */
	digest_of(&file, ASSAY_HASH_SHA256, &expected, NULL);
	assert_memory_not_equal(found.bytes, expected.bytes, expected.size);
	memcpy(file.data, swapped.data, PE_BUILT_ALIGNMENT);
	digest_of(&file, ASSAY_HASH_SHA256, &expected, NULL);
	assert_memory_equal(found.bytes, expected.bytes, expected.size);
	buffer_free(&file);
	buffer_free(&swapped);
}

static void gaps_are_told(void **state)
{
	struct buffer file = build_image();
	bool complete = true;
	struct assay_digest digest;

	(void)state;
	/* .text is a block shorter than its data: a gap before .data. */
	pe_put32(&file, PE_BUILT_SECTIONS + 16, PE_BUILT_ALIGNMENT);
	digest_of(&file, ASSAY_HASH_SHA256, &digest, &complete);
	assert_false(complete);
	buffer_free(&file);
	file = build_image();
	/* .data begins within .text; the sum of the sizes is still within the file. */
	pe_put32(&file, PE_BUILT_SECTIONS + 40 + 20, PE_BUILT_ALIGNMENT + 0x300);
	digest_of(&file, ASSAY_HASH_SHA256, &digest, &complete);
	assert_false(complete);
	buffer_free(&file);
}

/* pesign is another's work: on whole images, those with a tail, those with a gap, signed ones. */
static void pesign_agrees(void **state)
{
	(void)state;
	if (!support_have("pesign"))
		skip();
	for (unsigned int kind = 0; kind < 6; kind++) {
		struct buffer file = build_image();
		char *theirs, ours[ASSAY_DIGEST_TEXT_MAX];
		struct assay_digest digest;

		if (kind == 1)
			buffer_append(&file, "12345678", 8);
		if (kind == 2)
			buffer_append(&file, "123", 3);
		if (kind == 3) /* a section without data */
			pe_put32(&file, PE_BUILT_SECTIONS + 16, 0);
		if (kind == 4)
			pe_put32(&file, PE_BUILT_SECTIONS + 16, PE_BUILT_ALIGNMENT);
		if (kind == 5)
			pe_put16(&file, PE_BUILT_SECTION_COUNT, 1);
		support_write("image", buffer_bytes(&file));
		theirs = support_output("pesign -h -i image");
		digest_of(&file, ASSAY_HASH_SHA256, &digest, NULL);
		assay_digest_text(&digest, ours);
		print_message("%u\n", kind);
		assert_string_equal(strrchr(theirs, ' ') + 1, ours + strlen("sha256:"));
		free(theirs);
		buffer_free(&file);
	}
}

static void ill_formed_images_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t offset;
		uint32_t value;
		unsigned int width; /* bytes of the value; 0: @value is the file's size */
		const char *says;
	} table[] = {
		{ "no bytes", 0, 0, 0, "not a PE image" },
		{ "cut in the DOS header", 0, 63, 0, "not a PE image" },
		{ "packed by gzip", 0, 0x8b1f, 2, "packed by gzip" },
		{ "a TE image", 0, 0x5a56, 2, "a TE image" },
		{ "PE header behind the file", 0x3c, 0xffffffff, 4, "not a PE image" },
		{ "PE header at its end", 0x3c, 0x7fe, 4, "not a PE image" },
		{ "another signature", PE_BUILT_SIGNATURE, 0x454e, 2, "not a PE image" },
		{ "cut in the file header", 0, PE_BUILT_SIGNATURE + 10, 0, "file header" },
		{ "cut in the optional header", 0, PE_BUILT_OPTIONAL + 1, 0, "optional header" },
		{ "another kind", PE_BUILT_OPTIONAL, 0x107, 2, "kind 0x107" },
		{ "a short optional header", PE_BUILT_OPTIONAL_SIZE, 111, 2, "at least 112" },
		{ "too many directories", PE_BUILT_DIRECTORY_COUNT, 17, 4, "room for" },
		{ "very many directories", PE_BUILT_DIRECTORY_COUNT, 0xffffffff, 4, "room for" },
		{ "headers beyond the file", PE_BUILT_HEADERS_SIZE, 0x801, 4, "the file has" },
		{ "headers that end too early", PE_BUILT_HEADERS_SIZE, PE_BUILT_SECURITY, 4,
		  "beyond its headers" },
		{ "too many sections", PE_BUILT_SECTION_COUNT, 513, 2, "up to 512" },
		{ "a section table beyond the file", PE_BUILT_SECTION_COUNT, 100, 2, "section" },
		{ "a section behind the file", PE_BUILT_SECTIONS + 20, 0xfffffff0, 4, "section 0" },
		{ "a section that ends behind it", PE_BUILT_SECTIONS + 40 + 16, 0x201, 4,
		  "section 1" },
		{ "overlapping sections, too much in all", PE_BUILT_SECTIONS + 16, 0x600, 4,
		  "together" },
		{ "certificates behind the file", PE_BUILT_SECURITY + 4, 8, 4,
		  "does not end where" },
		{ "certificates of a size that wraps", PE_BUILT_SECURITY + 4, 0xffffffff, 4,
		  "does not end where" },
		{ "the file cut", 0, 0x7ff, 0, "section 1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct buffer file = build_image();
		struct assay_error err = { 0 };
		struct assay_digest digest;
		struct pe_image image = { 0 };
		int r;

		assert_int_equal(file.size, 0x800);
		if (table[i].width == 0)
			file.size = table[i].value;
		else if (table[i].width == 2)
			pe_put16(&file, table[i].offset, (uint16_t)table[i].value);
		else
			pe_put32(&file, table[i].offset, table[i].value);
		print_message("%s\n", table[i].what);
		r = pe_parse(buffer_bytes(&file), &image, &err);
		if (r == 0)
			r = pe_authenticode(&image, ASSAY_HASH_SHA256, &digest, NULL, &err);
		assert_true(r == -EBADMSG || r == -EOPNOTSUPP);
		support_assert_error(&err, table[i].says);
		buffer_free(&file);
	}
}

/* A whole table of them in the middle of the file would be signed data for some readers only. */
static void a_table_in_the_middle_is_refused(void **state)
{
	struct buffer file = build_image();
	struct assay_error err = { 0 };
	struct pe_image image = { 0 };

	(void)state;
	pe_sign(&file, BYTES_LITERAL("\10\0\0\0\0\2\2\0"));
	buffer_append(&file, "more", 4);
	assert_int_equal(pe_parse(buffer_bytes(&file), &image, &err), -EBADMSG);
	support_assert_error(&err, "does not end where the file does");
	buffer_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_checksum_and_certificates_is_hashed),
		cmocka_unit_test(signing_changes_nothing),
		cmocka_unit_test(sections_are_sorted),
		cmocka_unit_test(gaps_are_told),
		cmocka_unit_test(pesign_agrees),
		cmocka_unit_test(ill_formed_images_are_refused),
		cmocka_unit_test(a_table_in_the_middle_is_refused),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
