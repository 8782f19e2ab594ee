// SPDX-License-Identifier: MIT
/* What systemd-stub measures of unified kernel images: which sections, in which order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "firmware/uki.h"
#include "pe_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_SECTIONS 24

static struct bytes text_bytes(const char *text)
{
	return BYTES((const uint8_t *)text, strlen(text));
}

/* An image of the sections "NAME=DATA", in this order. */
static struct buffer build(const char *const *sections)
{
	struct pe_built_section built[MAX_SECTIONS];
	char names[MAX_SECTIONS][16];
	size_t count = 0;

	for (; sections[count]; count++) {
		const char *equals = strchr(sections[count], '=');

		snprintf(names[count], sizeof(names[count]), "%.*s",
			 (int)(equals - sections[count]), sections[count]);
		built[count] = (struct pe_built_section){ names[count], text_bytes(equals + 1) };
	}
	return pe_build(built, count);
}

static void extend(struct assay_digest *value, struct bytes data)
{
	struct assay_digest digest;

	assert_int_equal(digest_bytes(value->hash, data, &digest, NULL), 0);
	{
		struct bytes both[] = { { value->bytes, value->size },
					{ digest.bytes, digest.size } };

		assert_int_equal(digest_pieces(value->hash, both, 2, value, NULL), 0);
	}
}

/* What comes of these, measured in this order: the name with its NUL, and the data. */
static struct assay_digest measured(const char *const *sections, enum assay_hash bank)
{
	struct assay_digest value = { .hash = bank, .size = assay_hash_size(bank) };

	for (; *sections; sections++) {
		const char *equals = strchr(*sections, '=');
		char name[16] = "";

		memcpy(name, *sections, (size_t)(equals - *sections));
		extend(&value, BYTES((const uint8_t *)name, strlen(name) + 1));
		extend(&value, text_bytes(equals + 1));
	}
	return value;
}

#define STUB(version) (".sdmagic=#### LoaderInfo: systemd-stub " version " ####")

static void sections_are_measured_in_their_order(void **state)
{
	static const struct {
		const char *what;
		unsigned int profile, version;
		const char *image[12], *measured[12];
	} table[] = {
		{ "the order is not the file's",
		  0,
		  252,
		  { STUB("252.39-1"), ".osrel=o", ".cmdline=c", ".initrd=i", ".dtb=d", ".splash=s",
		    ".linux=l", ".pcrpkey=k" },
		  { ".linux=l", ".osrel=o", ".cmdline=c", ".initrd=i", ".splash=s", ".dtb=d",
		    ".pcrpkey=k" } },
		{ "a stub does not measure what it does not know",
		  0,
		  252,
		  { STUB("252"), ".uname=u", ".sbat=b", ".ucode=m", ".linux=l", ".text=t" },
		  { ".linux=l" } },
		{ "a later one does, and not the signature",
		  0,
		  256,
		  { STUB("256.1"), ".pcrsig=x", ".pcrpkey=k", ".uname=u", ".sbat=b", ".ucode=m",
		    ".linux=l" },
		  { ".linux=l", ".ucode=m", ".uname=u", ".sbat=b", ".pcrpkey=k" } },
		{ "no version: all",
		  0,
		  0,
		  { ".uname=u", ".hwids=h", ".linux=l" },
		  { ".linux=l", ".uname=u", ".hwids=h" } },
		{ "a version without text", 0, 0, { ".sdmagic=", ".linux=l" }, { ".linux=l" } },
		{ "the first of two counts",
		  0,
		  0,
		  { ".linux=l", ".linux=m", ".cmdline=c" },
		  { ".linux=l", ".cmdline=c" } },
		{ "an empty one is none",
		  0,
		  0,
		  { ".linux=l", ".cmdline=", ".initrd=i" },
		  { ".linux=l", ".initrd=i" } },
		{ "profile 0 is the default",
		  0,
		  257,
		  { STUB("257"), ".linux=l", ".cmdline=c", ".profile=0", ".profile=1",
		    ".cmdline=d" },
		  { ".linux=l", ".cmdline=c", ".profile=0" } },
		{ "what is in a profile counts before what all have",
		  1,
		  257,
		  { STUB("257"), ".linux=l", ".cmdline=c", ".profile=0", ".profile=1",
		    ".cmdline=d" },
		  { ".linux=l", ".cmdline=d", ".profile=1" } },
		{ "a stub of before there were profiles",
		  0,
		  256,
		  { STUB("256"), ".linux=l", ".profile=0", ".cmdline=c" },
		  { ".linux=l", ".cmdline=c" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct buffer file = build(table[i].image);
		struct assay_error err = { 0 };
		struct assay_digest value = { 0 },
				    expected = measured(table[i].measured, ASSAY_HASH_SHA384);
		struct pe_image image;
		struct uki uki;

		print_message("%s\n", table[i].what);
		assert_int_equal(pe_parse(buffer_bytes(&file), &image, &err), 0);
		if (uki_open(&image, table[i].profile, &uki, &err) < 0 ||
		    uki_pcr(&uki, ASSAY_HASH_SHA384, &value, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(uki.stub_version, table[i].version);
		assert_int_equal(value.size, 48);
		assert_memory_equal(value.bytes, expected.bytes, 48);
		buffer_free(&file);
	}
}

static void images_without_a_value_are_refused(void **state)
{
	static const struct {
		unsigned int profile;
		int code;
		const char *image[6], *says;
	} table[] = {
		{ 0, EBADMSG, { ".text=t" }, "no section .linux" },
		{ 0, EBADMSG, { NULL }, "no section .linux" },
		{ 1, ENOENT, { ".linux=l" }, "no profile 1: it has 0" },
		{ 2, ENOENT, { ".linux=l", ".profile=0", ".profile=1" }, "no profile 2: it has 2" },
		{ 1, ENOENT, { STUB("256"), ".linux=l", ".profile=0", ".profile=1" }, "it has 0" },
		{ 0,
		  EOPNOTSUPP,
		  { ".linux=l", ".dtbauto=d" },
		  "depends on the machine's hardware" },
		{ 0, EOPNOTSUPP, { ".linux=l", ".efifw=f" }, "depends on the machine's hardware" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct buffer file = build(table[i].image);
		struct assay_error err = { 0 };
		struct pe_image image;
		struct uki uki;

		assert_int_equal(pe_parse(buffer_bytes(&file), &image, &err), 0);
		assert_int_equal(uki_open(&image, table[i].profile, &uki, &err), -table[i].code);
		support_assert_error(&err, table[i].says);
		buffer_free(&file);
	}
}

/* In memory a section has the size that the header says: zeros behind what the file has. */
static void sections_are_filled_with_zeros(void **state)
{
	static const char *const sections[] = { ".linux=l", NULL };
	struct buffer file = build(sections);
	struct assay_digest value, expected = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct assay_error err = { 0 };
	uint8_t data[70000] = { 'l' };
	struct pe_image image;
	struct uki uki;

	(void)state;
	extend(&expected, BYTES((const uint8_t *)".linux", 7));
	extend(&expected, BYTES(data, sizeof(data)));
	pe_put32(&file, PE_BUILT_SECTIONS + 8, sizeof(data));
	assert_int_equal(pe_parse(buffer_bytes(&file), &image, &err), 0);
	assert_int_equal(uki_open(&image, 0, &uki, &err), 0);
	assert_int_equal(uki_pcr(&uki, ASSAY_HASH_SHA256, &value, &err), 0);
	assert_memory_equal(value.bytes, expected.bytes, 32);
	/* But not with gigabytes of them. */
	pe_put32(&file, PE_BUILT_SECTIONS + 8, UINT32_MAX);
	assert_int_equal(pe_parse(buffer_bytes(&file), &image, &err), 0);
	assert_int_equal(uki_open(&image, 0, &uki, &err), 0);
	assert_int_equal(uki_pcr(&uki, ASSAY_HASH_SHA256, &value, &err), -EBADMSG);
	support_assert_error(&err, "more zeros");
	buffer_free(&file);
}

static void phases_are_words(void **state)
{
	static const char *const wrong[] = { ":", "a:", ":a", "a::b", "enter-initrd:" };
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 }, expected = value;
	char many[UKI_PHASES_MAX + 2];
	struct assay_error err;

	(void)state;
	assert_int_equal(uki_pcr_phases("", &value, &err), 0);
	assert_memory_equal(value.bytes, expected.bytes, 32);
	assert_int_equal(uki_pcr_phases("enter-initrd:leave-initrd", &value, &err), 0);
	extend(&expected, BYTES_LITERAL("enter-initrd"));
	extend(&expected, BYTES_LITERAL("leave-initrd"));
	assert_memory_equal(value.bytes, expected.bytes, 32);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_int_equal(uki_pcr_phases(wrong[i], &value, &err), -EINVAL);
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	assert_int_equal(uki_pcr_phases(many, &value, &err), -EINVAL);
	assert_memory_equal(value.bytes, expected.bytes, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_measured_in_their_order),
		cmocka_unit_test(images_without_a_value_are_refused),
		cmocka_unit_test(sections_are_filled_with_zeros),
		cmocka_unit_test(phases_are_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
