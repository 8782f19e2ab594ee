// SPDX-License-Identifier: MIT
/* lib/sign: the manifest, read strictly, written as a stream, found in and verified. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign/key_file.h"
#include "sign/manifest.h"
#include "sign/manifest_signature.h"
#include "sign/pkcs7.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEADER_WITH(id, created, hash, block_size, salt, key_id)                      \
	"{\"assay\":1,\"type\":\"manifest\",\"id\":\"" id "\",\"created\":\"" created \
	"\",\"hash\":\"" hash "\",\"block_size\":" block_size ",\"salt\":\"" salt     \
	"\",\"signer\":{\"subject\":\"CN=x\",\"key_id\":\"" key_id "\"}}\n"
#define ID "0123456789abcdef0123456789abcdef"
#define TIME "2025-01-31T12:00:00Z"
#define HEADER HEADER_WITH(ID, TIME, "sha256", "4096", "", "01020304")
#define ENTRY_WITH(path, size, digest, pkcs7, ima)                                              \
	"{\"path\":\"" path "\",\"size\":" size ",\"digest\":\"" digest "\",\"pkcs7\":\"" pkcs7 \
	"\",\"ima\":\"" ima "\"}\n"
#define ENTRY(path) ENTRY_WITH(path, "12", "sha256:" HEX32, "Zm9v", "Zm8=")

static int count_entries(void *context, const struct manifest_header *header,
			 const struct manifest_entry *entry, struct assay_error *err)
{
	(void)err;
	assert_string_equal(header->id, ID);
	assert_true(entry->path[0] == '/');
	++*(size_t *)context;
	return 0;
}

static void a_manifest_is_read_and_found_in(void **state)
{
	static const char text[] = HEADER ENTRY("/a-b") ENTRY("/a/b") ENTRY("/a/b c")
		ENTRY("/new\\nline") ENTRY("/usr/\xc3\xa4") ENTRY("/usr/.../..x");
	/* "\xc3" sorts behind ".": the last two are the other way round. */
	static const char sorted[] = HEADER ENTRY("/a-b") ENTRY("/a/b") ENTRY("/a/b c")
		ENTRY("/new\\nline") ENTRY("/usr/.../..x") ENTRY("/usr/\xc3\xa4");
	struct assay_error err = { 0 };
	struct manifest *manifest;

	(void)state;
	assert_int_equal(manifest_parse(BYTES_LITERAL(text), "m", &manifest, &err), -EBADMSG);
	support_assert_error(&err, "m line 7");
	support_assert_error(&err, "not in order");
	if (manifest_parse(BYTES_LITERAL(sorted), "m", &manifest, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(manifest->count, 6);
	assert_string_equal(manifest->header.created, TIME);
	assert_string_equal(manifest->header.subject, "CN=x");
	assert_int_equal(manifest->header.key_id_size, 4);
	assert_memory_equal(manifest->header.key_id, "\1\2\3\4", 4);
	for (size_t i = 0; i < manifest->count; i++)
		assert_ptr_equal(manifest_find(manifest, manifest->files[i].path),
				 &manifest->files[i]);
	assert_non_null(manifest_find(manifest, "/new\nline"));
	assert_true(manifest_find(manifest, "/a/b")->size == 12);
	assert_int_equal(manifest_find(manifest, "/a/b")->digest.bytes[31], 0x1f);
	assert_null(manifest_find(manifest, "/a"));
	assert_null(manifest_find(manifest, "/a/"));
	assert_null(manifest_find(manifest, ""));
	assert_null(manifest_find(manifest, "/zzz"));
	manifest_free(manifest);
	assert_int_equal(manifest_parse(BYTES_LITERAL(HEADER), "m", &manifest, &err), 0);
	assert_int_equal(manifest->count, 0);
	assert_null(manifest_find(manifest, "/a"));
	manifest_free(manifest);
}

/* Each breaks one rule; the error names the line and the rule. */
static const struct {
	struct bytes text;
	const char *where, *why;
} bad[] = {
	{ BYTES_LITERAL(""), "m", "is empty" },
	{ BYTES_LITERAL("\n"), "m line 1", "is empty" },
	{ BYTES_LITERAL("x\n"), "m line 1", "not JSON" },
	{ BYTES_LITERAL("{}\n"), "m line 1", "has no \"assay\"" },
	{ BYTES_LITERAL("{\"assay\":1}\n"), "m line 1", "has no \"type\"" },
	{ BYTES_LITERAL("{\"assay\":2,\"type\":\"manifest\"}\n"), "m line 1", "version 1" },
	{ BYTES_LITERAL("{\"assay\":1,\"type\":\"evidence\"}\n"), "m line 1", "not the header" },
	{ BYTES_LITERAL(ENTRY("/a")), "m line 1", "has no \"assay\"" },
	{ BYTES_LITERAL(HEADER HEADER), "m line 2", "is not known" },
	{ BYTES_LITERAL("{\"x\":1," /* and the rest of */ "\"assay\":1,\"type\":\"manifest\"}\n"),
	  "m line 1", "\"x\" is not known" },
	{ BYTES_LITERAL(HEADER_WITH("0123", TIME, "sha256", "4096", "", "01020304")), "m line 1",
	  "\"id\"" },
	{ BYTES_LITERAL(HEADER_WITH("0123456789ABCDEF0123456789ABCDEF", TIME, "sha256", "4096", "",
				    "01020304")),
	  "m line 1", "\"id\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, "2025-02-30T12:00:00Z", "sha256", "4096", "", "01020304")),
	  "m line 1", "\"created\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, "2025-01-31 12:00:00", "sha256", "4096", "", "01020304")),
	  "m line 1", "\"created\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, "2025-1-31T12:00:00Z", "sha256", "4096", "", "01020304")),
	  "m line 1", "\"created\"" },
	/* A year of one digit: shorter than a time is. */
	{ BYTES_LITERAL(HEADER_WITH(ID, "6-11-23T19:34:03Z", "sha256", "4096", "", "01020304")),
	  "m line 1", "\"created\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, "", "sha256", "4096", "", "01020304")), "m line 1",
	  "\"created\"" },
	{ BYTES_LITERAL(
		  HEADER_WITH(ID, TIME "\",\"product\":\"", "sha256", "4096", "", "01020304")),
	  "m line 1", "\"product\" is empty" },
	{ BYTES_LITERAL(
		  HEADER_WITH(ID, TIME "\",\"product\":\"a\\tb", "sha256", "4096", "", "01020304")),
	  "m line 1", "without control characters" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME "\",\"product\":\"" HEX32 HEX32, "sha256", "4096", "",
				    "01020304")),
	  "m line 1", "longer than 127" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha1", "4096", "", "01020304")), "m line 1",
	  "sha256 and sha512" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "md5", "4096", "", "01020304")), "m line 1",
	  "sha256 and sha512" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "0", "", "01020304")), "m line 1",
	  "power of two" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4294971392", "", "01020304")), "m line 1",
	  "power of two" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "-4096", "", "01020304")), "m line 1",
	  "negative" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096.0", "", "01020304")), "m line 1",
	  "whole number" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096", "0", "01020304")), "m line 1",
	  "\"salt\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096", HEX32 "00", "01020304")),
	  "m line 1", "\"salt\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096", "", "010203")), "m line 1",
	  "\"key_id\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096", "", HEX32 HEX32 "00")), "m line 1",
	  "\"key_id\"" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096", "", "01020304\",\"name\":\"x")),
	  "m line 1", "\"name\" is not known" },
	{ BYTES_LITERAL(
		  HEADER_WITH(ID, TIME, "sha256", "4096", "",
			      "01020304\"},\"also\":{\"subject\":\"CN=y\",\"key_id\":\"01020304")),
	  "m line 1", "\"also\" is the signer itself" },
	{ BYTES_LITERAL(
		  HEADER_WITH(ID, TIME, "sha256", "4096", "",
			      "01020304\"},\"also\":{\"subject\":\"CN=y\",\"key_id\":\"010203")),
	  "m line 1", "\"key_id\" has 3 bytes" },
	{ BYTES_LITERAL(HEADER_WITH(ID, TIME, "sha256", "4096", "",
				    "01020304\"},\"also\":{\"key_id\":\"05060708")),
	  "m line 1", "no \"subject\"" },
	{ BYTES_LITERAL(HEADER "\n"), "m line 2", "is empty" },
	{ BYTES_LITERAL(HEADER "[]\n"), "m line 2", "not a JSON object" },
	{ BYTES_LITERAL(HEADER ENTRY("/a") "{\"path\":\"/b\"}\n"), "m line 3", "has no \"size\"" },
	{ BYTES_LITERAL(HEADER ENTRY("/a") ENTRY("/a")), "m line 3", "is there twice" },
	{ BYTES_LITERAL(HEADER ENTRY("/b") ENTRY("/a")), "m line 3", "not in order" },
	{ BYTES_LITERAL(HEADER ENTRY("/a/b") ENTRY("/a-b")), "m line 3", "not in order" },
	{ BYTES_LITERAL(HEADER ENTRY("")), "m line 2", "not absolute" },
	{ BYTES_LITERAL(HEADER ENTRY("a")), "m line 2", "not absolute" },
	{ BYTES_LITERAL(HEADER ENTRY("/")), "m line 2", "names no file" },
	{ BYTES_LITERAL(HEADER ENTRY("/a/")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("//a")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("/a//b")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("/./a")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("/a/.")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("/../a")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("/a/..")), "m line 2", "component" },
	{ BYTES_LITERAL(HEADER ENTRY("/a\xff")), "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY("/a\\u0000b")), "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY("/esc\\u001b/../x")), "m line 2", "/esc\\x1b/" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "-1", "sha256:" HEX32, "Zm9v", "Zm9v")), "m line 2",
	  "negative" },
	{ BYTES_LITERAL(
		  HEADER ENTRY_WITH("/a", "9223372036854775808", "sha256:" HEX32, "Zm9v", "Zm9v")),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "\"1\"", "sha256:" HEX32, "Zm9v", "Zm9v")),
	  "m line 2", "whole number" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", HEX32, "Zm9v", "Zm9v")), "m line 2",
	  "\"digest\"" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32 "0", "Zm9v", "Zm9v")),
	  "m line 2", "\"digest\"" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha512:" HEX32 HEX32, "Zm9v", "Zm9v")),
	  "m line 2", "\"digest\"" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "", "Zm9v")), "m line 2",
	  "\"pkcs7\" has 0 bytes" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "")), "m line 2",
	  "\"ima\" has 0 bytes" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zh==", "Zm9v")), "m line 2",
	  "\"pkcs7\" is not base64" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm 9v")), "m line 2",
	  "\"ima\" is not base64" },
	{ BYTES_LITERAL(
		  HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm9v\",\"path\":\"/b")),
	  "m line 2", "duplicate" },
	{ BYTES_LITERAL(
		  HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm9v\",\"mtime\":\"1")),
	  "m line 2", "\"mtime\" is not a whole number" },
	{ BYTES_LITERAL(HEADER "{\"path\":\"/a\",\"size\":1,\"digest\":\"sha256:" HEX32 "\"}\n"),
	  "m line 2", "neither \"pkcs7\" nor \"ima\"" },
	{ BYTES_LITERAL(HEADER "{\"path\":\"/a\",\"size\":1,\"digest\":\"sha256:" HEX32
			       "\",\"ima\":\"Zm8=\",\"inode\":-1}\n"),
	  "m line 2", "\"inode\" is negative" },
	{ BYTES_LITERAL(
		  HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm9v\",\"mode\":\"0644")),
	  "m line 2", "\"mode\" is not known" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32 "\",\"package\":\"x", "Zm9v",
					  "Zm9v")),
	  "m line 2", "no \"version\"" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH(
		  "/a", "1",
		  "sha256:" HEX32 "\",\"package\":\"x\",\"version\":\"1\",\"architecture\":\"",
		  "Zm9v", "Zm9v")),
	  "m line 2", "architecture is not 1 to 255" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1",
					  "sha256:" HEX32 "\",\"package\":\"x\",\"version\":\"1 "
					  "2\",\"architecture\":\"all",
					  "Zm9v", "Zm9v")),
	  "m line 2", "version is not 1 to 255" },
	/* Nearly of the form that is written. */
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "01", "sha256:" HEX32, "Zm9v", "Zm9v")), "m line 2",
	  "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "", "sha256:" HEX32, "Zm9v", "Zm9v")), "m line 2",
	  "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32 "\0" HEX32, "Zm9v", "Zm9v")),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a\0", "1", "sha256:" HEX32, "Zm9v", "Zm9v")),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY("/a\t")), "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm9v\"x\"")),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm9v\"}{\"a\":\"")),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm\n9v")),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(
		  HEADER ENTRY_WITH("/a", "1", "sha256:" HEX32, "Zm9v", "Zm9v\",\"ima\":\"Zm9v")),
	  "m line 2", "duplicate" },
	{ BYTES_LITERAL(HEADER "{\"path\":\"/a\",\"size\":1,\"digest\":\"sha256:" HEX32
			       "\",\"ima\":\"Zm8=\",\"inode\":9223372036854775808}\n"),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER "{\"path\":\"/a\",\"size\":1,\"digest\":\"sha256:" HEX32
			       "\",\"ima\":\"Zm8=\",\"inode\":1,\"mtime\":07}\n"),
	  "m line 2", "not JSON" },
	{ BYTES_LITERAL(HEADER ENTRY("/a") "{"), "m line 3", "cut off" },
	{ BYTES_LITERAL(HEADER "\0\n"), "m line 2", "not JSON" },
};

static void broken_manifests_are_refused_with_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct manifest_header header = { .id = "untouched" };
		struct assay_error err = { 0 }, stream_err = { 0 };
		FILE *stream;

		if (manifest_read_bytes(bad[i].text, "m", NULL, NULL, &header, &err) != -EBADMSG)
			fail_msg("row %zu was taken", i);
		if (!strstr(err.text, bad[i].why))
			fail_msg("row %zu, \"%s\": \"%s\"", i, bad[i].why, err.text);
		support_assert_error(&err, bad[i].where);
		assert_string_equal(header.id, "untouched");
		/* The stream says the same. */
		support_write("m", bad[i].text);
		stream = fopen("m", "re");
		assert_non_null(stream);
		assert_int_equal(manifest_read(stream, "m", NULL, NULL, &header, &stream_err),
				 -EBADMSG);
		assert_string_equal(stream_err.text, err.text);
		fclose(stream);
	}
}

/* One entry of a manifest of one. */
static int keep_entry(void *context, const struct manifest_header *header,
		      const struct manifest_entry *entry, struct assay_error *err)
{
	(void)header;
	/* Written again, it is in the one form that is written. */
	return manifest_append_entry(entry, context, err);
}

#define PACKAGE "\",\"package\":\"coreutils\",\"version\":\"1:9.1~rc1-1+b2\",\"architecture\":\"all"

/* Whatever its order, white space and escapes: an entry says the same in all of them. */
static void all_forms_of_an_entry_are_read_alike(void **state)
{
	static const char written[] =
		"{\"path\":\"/usr/bin/x\",\"size\":0,\"digest\":\"sha256:" HEX32 PACKAGE
		"\",\"pkcs7\":\"Zm9v\",\"ima\":\"Zm8=\",\"mtime\":1796032685123456789,"
		"\"ctime\":9223372036854775807,\"inode\":10}\n";
	static const struct bytes forms[] = {
		BYTES_LITERAL(
			HEADER
			"{\"path\":\"/usr/bin/x\",\"size\":0,\"digest\":\"sha256:" HEX32 PACKAGE
			"\",\"pkcs7\":\"Zm9v\",\"ima\":\"Zm8=\",\"mtime\":1796032685123456789,"
			"\"ctime\":9223372036854775807,\"inode\":10}\n"),
		BYTES_LITERAL(
			HEADER
			"{ \"path\":\"/usr/bin/x\",\"size\":0,\"digest\":\"sha256:" HEX32 PACKAGE
			"\",\"pkcs7\":\"Zm9v\",\"ima\":\"Zm8=\",\"mtime\":1796032685123456789,"
			"\"ctime\":9223372036854775807,\"inode\":10} \n"),
		BYTES_LITERAL(HEADER
			      "{\"path\":\"\\/usr\\/bin/\\u0078\",\"digest\":\"sha256:" HEX32
			      "\",\"inode\":10,\"ctime\":9223372036854775807,\"size\":0,"
			      "\"ima\":\"Zm8=\",\"mtime\":1796032685123456789,"
			      "\"pkcs7\":\"Zm9v\",\"architecture\":\"all\","
			      "\"version\":\"1:9.1~rc1-1+b2\",\"package\":\"core\\u0075tils\"}\n"),
		BYTES_LITERAL(
			HEADER
			"{\"path\":\"/usr/bin/x\",\"size\":0,\"digest\":\"sha256:" HEX32 PACKAGE
			"\",\"pkcs7\":\"Zm9v\",\"ima\":\"Zm8\\u003d\","
			"\"mtime\":1796032685123456789,"
			"\"ctime\":9223372036854775807,\"inode\":10}\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct assay_error err = { 0 };
		struct buffer out = { 0 };

		if (manifest_read_bytes(forms[i], "m", keep_entry, &out, NULL, &err) < 0)
			fail_msg("form %zu: %s", i, err.text);
		assert_int_equal(out.size, sizeof(written) - 1);
		assert_memory_equal(out.data, written, out.size);
		buffer_free(&out);
	}
}

static void a_manifest_cut_anywhere_is_refused(void **state)
{
	static const char text[] = HEADER ENTRY("/a") ENTRY("/b");
	static const size_t whole_lines[] = { sizeof(HEADER) - 1,
					      sizeof(HEADER) + sizeof(ENTRY("/a")) - 2,
					      sizeof(text) - 1 };

	(void)state;
	for (size_t size = 0; size < sizeof(text); size++) {
		char *cut = malloc(size + 1);
		bool whole = false;
		int r;

		memcpy(cut, text, size);
		for (size_t i = 0; i < 3; i++)
			whole |= size == whole_lines[i];
		r = manifest_read_bytes(BYTES((uint8_t *)cut, size), "m", NULL, NULL, NULL, NULL);
		assert_int_equal(r, whole ? 0 : -EBADMSG);
		free(cut);
	}
}

static void a_line_without_end_is_refused_in_bounded_memory(void **state)
{
	struct assay_error err = { 0 };
	struct buffer text = { 0 };
	FILE *stream;

	(void)state;
	/* /dev/zero never ends, and has no newline. */
	stream = fopen("/dev/zero", "re");
	assert_non_null(stream);
	assert_int_equal(manifest_read(stream, "m", NULL, NULL, NULL, &err), -EBADMSG);
	support_assert_error(&err, "m line 1 is longer than 65536 bytes");
	fclose(stream);
	/* White space, so that only its length is wrong. */
	buffer_append(&text, HEADER, sizeof(HEADER) - 2);
	for (size_t i = text.size; i < MANIFEST_LINE_MAX - 1; i++)
		buffer_append_u8(&text, ' ');
	buffer_append_u8(&text, '\n');
	assert_int_equal(manifest_read_bytes(buffer_bytes(&text), "m", NULL, NULL, NULL, &err), 0);
	text.size--;
	buffer_append(&text, " \n", 2);
	assert_int_equal(manifest_read_bytes(buffer_bytes(&text), "m", NULL, NULL, NULL, &err),
			 -EBADMSG);
	support_assert_error(&err, "line 1 is longer");
	buffer_free(&text);
}

static int stop_at_second(void *context, const struct manifest_header *header,
			  const struct manifest_entry *entry, struct assay_error *err)
{
	(void)header;
	++*(size_t *)context;
	return strcmp(entry->path, "/b") == 0 ? assay_fail(err, ECANCELED, "enough") : 0;
}

static void the_callback_can_end_the_reading(void **state)
{
	static const char text[] = HEADER ENTRY("/a") ENTRY("/b") ENTRY("/c");
	struct assay_error err = { 0 };
	size_t count = 0;

	(void)state;
	assert_int_equal(
		manifest_read_bytes(BYTES_LITERAL(text), "m", stop_at_second, &count, NULL, &err),
		-ECANCELED);
	assert_int_equal(count, 2);
	support_assert_error(&err, "enough");
}

/* ---------------------------------------------------------------- writing */

static void what_is_written_is_read_back(void **state)
{
	static const uint8_t pkcs7[] = { 1, 2, 3 }, ima[] = { 6, 3 };
	struct verity_parameters parameters = { .hash = ASSAY_HASH_SHA512,
						.block_size = 1024,
						.salt_size = 2,
						.salt = { 0xab, 0xcd } };
	struct manifest_entry entry = { .size = 1ULL << 62,
					.digest = { .hash = ASSAY_HASH_SHA512, .size = 64 },
					.pkcs7 = BYTES(pkcs7, sizeof(pkcs7)),
					.ima = BYTES(ima, sizeof(ima)) };
	static const char *const paths[] = { "/\"quoted\"", "/back\\slash", "/new\nline",
					     "/\xf0\x9f\x98\x80" };
	struct manifest_header header;
	struct assay_error err = { 0 };
	struct manifest *manifest;
	struct buffer out = { 0 };
	X509 *certificate;

	(void)state;
	assert_int_equal(certificate_load("signer.crt", &certificate, NULL), 0);
	assert_int_equal(manifest_begin(&header, &parameters, certificate, NULL), 0);
	assert_int_equal(manifest_append_header(&header, &out, NULL), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		entry.path = paths[i];
		entry.digest.bytes[0] = (uint8_t)i;
		assert_int_equal(manifest_append_entry(&entry, &out, NULL), 0);
	}
	/* A refused entry leaves nothing behind. */
	for (const char *const *path = (const char *const[]){ "x", "/a/../b", "/\xff", NULL };
	     *path; path++) {
		size_t before = out.size;

		entry.path = *path;
		assert_int_equal(manifest_append_entry(&entry, &out, &err), -EBADMSG);
		assert_int_equal(out.size, before);
	}
	if (manifest_parse(buffer_bytes(&out), "m", &manifest, &err) < 0)
		fail_msg("%s", err.text);
	assert_memory_equal(&manifest->header.parameters, &parameters, sizeof(parameters));
	assert_string_equal(manifest->header.id, header.id);
	assert_string_equal(manifest->header.subject, "CN=signer,O=assay");
	assert_int_equal(manifest->header.key_id_size, 20);
	assert_int_equal(manifest->count, 4);
	for (size_t i = 0; i < manifest->count; i++) {
		assert_string_equal(manifest->files[i].path, paths[i]);
		assert_true(manifest->files[i].size == 1ULL << 62);
		assert_int_equal(manifest->files[i].digest.bytes[0], i);
	}
	manifest_free(manifest);
	buffer_free(&out);
	X509_free(certificate);
}

/* One signature of two, and what a signer notes for itself, as often as they are there. */
static void what_may_be_missing_is_read_back_as_it_was_written(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	static const struct {
		struct manifest_entry entry;
		uint64_t mtime, ctime, inode; /* as read */
	} rows[] = {
		{ { .path = "/a", .pkcs7 = { bytes, 3 } }, 0, 0, 0 },
		{ { .path = "/b", .ima = { bytes, 3 }, .mtime = 5, .ctime = 7, .inode = 6 },
		  5,
		  7,
		  6 },
		{ { .path = "/c", .ima = { bytes, 3 }, .mtime = 5 }, 0, 0, 0 },
		{ { .path = "/d", .pkcs7 = { bytes, 3 }, .inode = 6 }, 0, 0, 0 },
		{ { .path = "/e",
		    .pkcs7 = { bytes, 3 },
		    .mtime = INT64_MAX,
		    .ctime = INT64_MAX,
		    .inode = INT64_MAX },
		  INT64_MAX,
		  INT64_MAX,
		  INT64_MAX },
		{ { .path = "/f",
		    .pkcs7 = { bytes, 3 },
		    .mtime = 5,
		    .ctime = 5,
		    .inode = UINT64_MAX },
		  0,
		  0,
		  0 },
		{ { .path = "/g", .pkcs7 = { bytes, 3 }, .mtime = 5, .inode = 6 }, 0, 0, 0 },
	};
	struct buffer out = { 0 };
	struct manifest_reader *reader;
	struct manifest_entry entry;
	FILE *stream;

	(void)state;
	buffer_append(&out, HEADER, sizeof(HEADER) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		entry = rows[i].entry;
		entry.digest = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
		assert_int_equal(manifest_append_entry(&entry, &out, NULL), 0);
	}
	support_write("optional", buffer_bytes(&out));
	buffer_free(&out);
	stream = fopen("optional", "re");
	assert_non_null(stream);
	assert_int_equal(manifest_reader_open(stream, "m", &reader, NULL), 0);
	assert_string_equal(manifest_reader_header(reader)->id, ID);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(manifest_reader_next(reader, &entry, NULL), 1);
		assert_string_equal(entry.path, rows[i].entry.path);
		assert_int_equal(entry.pkcs7.size, rows[i].entry.pkcs7.size);
		assert_int_equal(entry.ima.size, rows[i].entry.ima.size);
		assert_true(entry.mtime == rows[i].mtime && entry.ctime == rows[i].ctime &&
			    entry.inode == rows[i].inode);
	}
	assert_int_equal(manifest_reader_next(reader, &entry, NULL), 0);
	manifest_reader_close(reader);
	fclose(stream);
}

static void each_manifest_has_an_id_of_its_own(void **state)
{
	struct manifest_header a, b;
	X509 *certificate;

	(void)state;
	assert_int_equal(certificate_load("signer.crt", &certificate, NULL), 0);
	assert_int_equal(manifest_begin(&a, &VERITY_PARAMETERS_DEFAULT, certificate, NULL), 0);
	assert_int_equal(manifest_begin(&b, &VERITY_PARAMETERS_DEFAULT, certificate, NULL), 0);
	assert_string_not_equal(a.id, b.id);
	X509_free(certificate);
}

/* A manifest of many files through a pipe, both ends at work: no end of it is in memory. */
static void a_long_manifest_is_a_stream(void **state)
{
	const size_t files = 30000;
	struct assay_error err = { 0 };
	size_t count = 0;
	FILE *stream;

	(void)state;
	support_write("head", BYTES_LITERAL(HEADER));
	stream = popen("cat head; i=100000; while [ $i -lt 130000 ]; do echo '{\"path\":\"/'$i'\","
		       "\"size\":1,\"digest\":\"sha256:" HEX32 "\",\"pkcs7\":\"Zm9v\","
		       "\"ima\":\"Zm9v\"}'; i=$((i+1)); done",
		       "re");
	assert_non_null(stream);
	if (manifest_read(stream, "m", count_entries, &count, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(pclose(stream), 0);
	assert_int_equal(count, files);
}

/* ---------------------------------------------------------------- its own signature */

/* Writes another time of creation into the header of a manifest. */
static void set_created(char *text, uint64_t when)
{
	char time[UTC_LENGTH + 1];

	memcpy(strstr(text, "\"created\":\"") + 11, utc_text(when, time), UTC_LENGTH);
}

/* The key, two certificates and the signature of the text that the tests below share. */
struct signed_text {
	struct bytes text;
	struct signer *signer;
	X509 *certificate, *other;
	struct assay_digest digest;
	struct buffer signature;
};

static void sign_text(struct signed_text *ret, struct bytes text)
{
	struct buffer pem = support_read("signer.pem");

	*ret = (struct signed_text){ .text = text };
	assert_int_equal(key_file_signer(buffer_bytes(&pem), "signer.pem", &ret->signer, NULL), 0);
	buffer_free(&pem);
	assert_int_equal(certificate_load("signer.crt", &ret->certificate, NULL), 0);
	assert_int_equal(certificate_load("other.crt", &ret->other, NULL), 0);
	assert_int_equal(
		verity_digest_bytes(&VERITY_PARAMETERS_DEFAULT, text, "m", &ret->digest, NULL), 0);
	assert_int_equal(manifest_sign(ret->signer, ret->certificate, false, &ret->digest,
				       &ret->signature, NULL),
			 0);
}

static void free_text(struct signed_text *text)
{
	buffer_free(&text->signature);
	X509_free(text->certificate);
	X509_free(text->other);
	text->signer->close(text->signer);
}

static void the_manifests_own_signature_covers_every_byte(void **state)
{
	static char text[] = HEADER ENTRY("/a");
	struct assay_error err = { 0 };
	struct signed_text is;

	(void)state;
	set_created(text, (uint64_t)time(NULL));
	sign_text(&is, BYTES_LITERAL(text));
	assert_int_equal(
		manifest_verify(is.text, "m", buffer_bytes(&is.signature), is.certificate, 0, NULL),
		0);
	assert_int_equal(
		manifest_verify(is.text, "m", buffer_bytes(&is.signature), is.other, 0, &err),
		-EKEYREJECTED);
	support_assert_error(&err, "the signature of m");
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		text[i] ^= 1;
		assert_int_equal(manifest_verify(is.text, "m", buffer_bytes(&is.signature),
						 is.certificate, 0, &err),
				 -EKEYREJECTED);
		text[i] ^= 1;
	}
	assert_int_equal(manifest_verify(is.text, "m", BYTES(NULL, 0), is.certificate, 0, &err),
			 -EBADMSG);
	free_text(&is);
}

/* What is signed, byte by byte, so that others can check it: with openssl, here. */
static void the_manifests_own_signature_is_one_that_openssl_verifies(void **state)
{
	static char text[] = HEADER ENTRY("/a");
	uint8_t room[MANIFEST_CONTENT_MAX];
	struct signed_text is;
	struct bytes content;

	(void)state;
	set_created(text, (uint64_t)time(NULL));
	sign_text(&is, BYTES_LITERAL(text));
	content = manifest_content(&is.digest, room);
	assert_int_equal(content.size, 20 + 32);
	assert_memory_equal(content.data, "assay-manifest-1\1\0\40\0", 20);
	assert_memory_equal(content.data + 20, is.digest.bytes, 32);
	support_write("m", is.text);
	support_write("m.p7s", buffer_bytes(&is.signature));
	support_write("content", content);
	assert_int_equal(support_run("openssl cms -verify -binary -inform DER -in m.p7s -content "
				     "content -certfile signer.crt -nointern -noverify -out "
				     "/dev/null 2>cms.log || { cat cms.log; false; }"),
			 0);
	/* A digest that is none of fs-verity's has no such content. */
	is.digest.hash = ASSAY_HASH_SHA384;
	assert_int_equal(manifest_content(&is.digest, room).size, 0);
	free_text(&is);
}

/*
 * A signed file that looks like a manifest is no signed manifest: its signature is refused,
 * but where it is asked for as what it is. And the other way round.
 */
static void a_files_signature_is_not_a_manifests(void **state)
{
	static char text[] = HEADER ENTRY("/a");
	struct buffer file = { 0 };
	struct assay_error err = { 0 };
	struct signed_text is;
	struct trust *trust;
	X509 *signer = NULL;

	(void)state;
	set_created(text, (uint64_t)time(NULL));
	sign_text(&is, BYTES_LITERAL(text));
	assert_int_equal(pkcs7_sign(is.signer, is.certificate, &is.digest, &file, NULL), 0);
	assert_int_equal(trust_new(&trust, NULL), 0);
	assert_int_equal(trust_add(trust, is.certificate, TRUST_SIGNER, NULL), 0);
	assert_int_equal(
		manifest_verify(is.text, "m", buffer_bytes(&file), is.certificate, 0, &err),
		-EPERM);
	support_assert_error(&err, "the signature of m: it is the signature of a file");
	assert_int_equal(
		manifest_verify_trust(is.text, "m", buffer_bytes(&file), trust, 0, NULL, &err),
		-EPERM);
	assert_int_equal(manifest_verify(is.text, "m", buffer_bytes(&file), is.certificate,
					 MANIFEST_ACCEPT_FILE_SIGNATURE, NULL),
			 0);
	assert_int_equal(manifest_verify_trust(is.text, "m", buffer_bytes(&file), trust,
					       MANIFEST_ACCEPT_FILE_SIGNATURE, &signer, NULL),
			 0);
	assert_int_equal(X509_cmp(signer, is.certificate), 0);
	X509_free(signer);
	/* Of somebody else it is refused in any case. */
	assert_int_equal(manifest_verify(is.text, "m", buffer_bytes(&file), is.other,
					 MANIFEST_ACCEPT_FILE_SIGNATURE, NULL),
			 -EKEYREJECTED);
	/* The kernel and all that checks files refuse a manifest's. */
	assert_int_equal(
		pkcs7_verify(buffer_bytes(&is.signature), &is.digest, is.certificate, NULL),
		-EKEYREJECTED);
	assert_int_equal(
		trust_verify_pkcs7(trust, buffer_bytes(&is.signature), &is.digest, NULL, NULL),
		-EKEYREJECTED);
	assert_int_equal(manifest_verify_trust(is.text, "m", buffer_bytes(&is.signature), trust, 0,
					       NULL, NULL),
			 0);
	/* The old form is what `fsverity sign` makes. */
	if (support_have("fsverity")) {
		struct buffer theirs;

		support_write("m", is.text);
		assert_int_equal(support_run("fsverity sign m m.p7s --key=signer.pem "
					     "--cert=signer.crt >/dev/null"),
				 0);
		theirs = support_read("m.p7s");
		assert_int_equal(manifest_verify(is.text, "m", buffer_bytes(&theirs),
						 is.certificate, 0, NULL),
				 -EPERM);
		buffer_free(&theirs);
	}
	buffer_free(&file);
	trust_free(trust);
	free_text(&is);
}

/* Also where the time in it is one that the certificate does not cover. */
static void a_files_signature_is_told_whatever_time_is_in_it(void **state)
{
	static char text[] = HEADER ENTRY("/a");
	struct assay_error err = { 0 };
	struct buffer file = { 0 };
	struct signed_text is;

	(void)state;
	set_created(text, 1700000000);
	sign_text(&is, BYTES_LITERAL(text));
	assert_int_equal(pkcs7_sign(is.signer, is.certificate, &is.digest, &file, NULL), 0);
	assert_int_equal(
		manifest_verify(is.text, "m", buffer_bytes(&file), is.certificate, 0, &err),
		-EPERM);
	support_assert_error(&err, "it is the signature of a file");
	assert_true(manifest_verify(is.text, "m", buffer_bytes(&file), is.certificate,
				    MANIFEST_ACCEPT_FILE_SIGNATURE, NULL) < 0);
	buffer_free(&file);
	free_text(&is);
}

/* The signer's certificate has to be good when the manifest was created, not later. */
static void the_signers_certificate_is_judged_when_it_was_created(void **state)
{
	static char text[] = HEADER ENTRY("/a");
	const uint64_t now = (uint64_t)time(NULL), days = 86400;
	const struct {
		uint64_t when;
		int result;
		const char *why;
	} rows[] = {
		{ now, 0, NULL },
		{ now + 9 * days, 0, NULL },
		{ now + 11 * days, -EKEYEXPIRED, "the certificate has expired before" },
		{ now - days, -EKEYEXPIRED, "the certificate was not valid yet at" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		struct signed_text is;
		struct trust *trust;

		set_created(text, rows[i].when);
		sign_text(&is, BYTES_LITERAL(text));
		assert_int_equal(manifest_verify(is.text, "m", buffer_bytes(&is.signature),
						 is.certificate, 0, &err),
				 rows[i].result);
		if (rows[i].why)
			support_assert_error(&err, rows[i].why);
		assert_int_equal(trust_new(&trust, NULL), 0);
		assert_int_equal(trust_add(trust, is.certificate, TRUST_SIGNER, NULL), 0);
		assert_int_equal(manifest_verify_trust(is.text, "m", buffer_bytes(&is.signature),
						       trust, 0, NULL, &err),
				 rows[i].result);
		if (rows[i].why)
			support_assert_error(&err, rows[i].why);
		trust_free(trust);
		free_text(&is);
	}
}

static void a_product_is_read_back_and_may_be_missing(void **state)
{
	static const char *const wrong[] = { "", "a\nb", "\x7f", "\xff\xfe" };
	struct manifest_header header, read;
	char longest[MANIFEST_PRODUCT_MAX + 2];
	struct assay_error err = { 0 };
	struct buffer out = { 0 };
	X509 *certificate;

	(void)state;
	assert_int_equal(certificate_load("signer.crt", &certificate, NULL), 0);
	assert_int_equal(manifest_begin(&header, &VERITY_PARAMETERS_DEFAULT, certificate, NULL), 0);
	X509_free(certificate);
	assert_int_equal(manifest_append_header(&header, &out, NULL), 0);
	assert_int_equal(manifest_read_header(buffer_bytes(&out), "m", &read, NULL), 0);
	assert_string_equal(read.product, "");
	assert_true(manifest_created(&read) + 60 > (uint64_t)time(NULL));
	out.size = 0;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(manifest_set_product(&header, longest, &err), -EBADMSG);
	support_assert_error(&err, "longer than");
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(manifest_set_product(&header, longest, NULL), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(manifest_set_product(&header, wrong[i], NULL), -EBADMSG);
	assert_int_equal(manifest_set_product(&header, "gateway \"X\" \xc3\xa9", NULL), 0);
	assert_int_equal(manifest_append_header(&header, &out, NULL), 0);
	assert_int_equal(manifest_read_header(buffer_bytes(&out), "m", &read, NULL), 0);
	assert_string_equal(read.product, header.product);
	buffer_free(&out);
}

static int make_keys(void **state)
{
	if (support_enter_directory(state) < 0)
		return -1;
	return support_run("for k in signer other; do openssl req -x509 -newkey ec -pkeyopt "
			   "ec_paramgen_curve:P-256 -nodes -keyout $k.pem -out $k.crt "
			   "-subj /O=assay/CN=$k -days 10 2>/dev/null || exit; done");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_is_read_and_found_in),
		cmocka_unit_test(broken_manifests_are_refused_with_the_line),
		cmocka_unit_test(all_forms_of_an_entry_are_read_alike),
		cmocka_unit_test(a_manifest_cut_anywhere_is_refused),
		cmocka_unit_test(a_line_without_end_is_refused_in_bounded_memory),
		cmocka_unit_test(the_callback_can_end_the_reading),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(what_may_be_missing_is_read_back_as_it_was_written),
		cmocka_unit_test(each_manifest_has_an_id_of_its_own),
		cmocka_unit_test(a_long_manifest_is_a_stream),
		cmocka_unit_test(the_manifests_own_signature_covers_every_byte),
		cmocka_unit_test(the_manifests_own_signature_is_one_that_openssl_verifies),
		cmocka_unit_test(a_files_signature_is_not_a_manifests),
		cmocka_unit_test(a_files_signature_is_told_whatever_time_is_in_it),
		cmocka_unit_test(the_signers_certificate_is_judged_when_it_was_created),
		cmocka_unit_test(a_product_is_read_back_and_may_be_missing),
	};

	return cmocka_run_group_tests(tests, make_keys, support_leave_directory);
}
