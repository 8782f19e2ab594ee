// SPDX-License-Identifier: MIT
/* A verdict as the fleet's database has it is the verdict that was made, and nothing else is taken
 * for one. */
#include "support.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "assay-verify.h"
#include "fleet/kept_verdict.h"
#include "fleet/kept_verdict_internal.h"
#include "verify/verdict.h"
#include "verify_fixture.h"

#define POLICY                                                              \
	"{\"assay\": 1, \"type\": \"policy\", \"waive\": {\"boot-known\": " \
	"\"a test\"}}"

static struct assay_verify_bytes lend(struct bytes bytes)
{
	return (struct assay_verify_bytes){ bytes.data, bytes.size };
}

/* A file that could not be measured, more of them than are told one by one, and entries of IMA. */
static void add_files(struct fixture *fixture)
{
	struct buffer value = { 0 };
	const struct assay_digest digest = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	char path[64];

	fixture_add_ima_files(fixture);
	put_measure(&value);
	for (int i = 0; i < 2 * KEPT_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "/opt/\x1b[1m%d", i);
		put_file(&value, path, &digest);
	}
	put_failed_file(&value, fixture_path(1), 5);
	fixture_insert(fixture, 5, fixture_record(5, buffer_bytes(&value)));
	buffer_free(&value);
}

/* The fixture's evidence, judged without a manifest: who knows its files? */
static struct assay_verdict *make_verdict(void)
{
	static struct fixture fixture;
	struct assay_verify_message message = { "" };
	struct assay_policy *policy = NULL;
	struct assay_verdict *verdict = NULL;
	struct assay_verify_params params = { .version = ASSAY_VERIFY_PARAMS_VERSION,
					      .flags = ASSAY_VERIFY_KEEP_FILES };

	fixture_begin(&fixture);
	fixture_build(&fixture, BEFORE_PCRS, add_files);
	assert_int_equal(assay_policy_new(lend(support_text(POLICY)), &policy, &message),
			 ASSAY_VERIFY_OK);
	params.policy = policy;
	params.evidence = lend(fixture.input.evidence);
	params.nonce = lend(fixture.input.nonce);
	params.ak_public = lend(fixture.input.ak_public);
	params.now = fixture.input.now;
	assert_int_equal(assay_verify(&params, &verdict, &message), ASSAY_VERIFY_OK);
	assay_policy_free(policy);
	fixture_free(&fixture);
	return verdict;
}

static struct buffer plain_of(struct bytes packed)
{
	struct buffer plain = { 0 };
	void *place = buffer_reserve(&plain, KEPT_EXPANDED_MAX);
	size_t size = ZSTD_decompress(place, KEPT_EXPANDED_MAX, packed.data, packed.size);

	assert_false(ZSTD_isError(size));
	plain.size = size;
	return plain;
}

static void must_have(const json_t *array, const char *member, size_t count)
{
	const json_t *list = json_object_get(array, member);

	assert_true(json_is_array(list));
	assert_int_equal(json_array_size(list), count);
}

static const char *member_of(const json_t *json, const char *list, size_t index, const char *name)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(json, list), index), name));
}

static void it_is_what_was_made(void **state)
{
	struct assay_verdict *verdict = make_verdict();
	size_t files = assay_verdict_files(verdict), records = assay_verdict_records(verdict);
	char *text = assay_verdict_json(verdict);
	json_t *made = json_loads(text, 0, NULL), *kept = NULL;
	struct buffer packed = { 0 };
	struct assay_error err = { 0 };
	json_int_t counted = 0;
	const char *name;
	const json_t *count;

	(void)state;
	assert_true(files > 2 * KEPT_FILES_MAX && records > 2);
	assert_int_equal(kept_verdict_pack(verdict, &packed, &err), 0);
	assert_int_equal(kept_verdict_json(buffer_bytes(&packed), &kept, &err), 0);
	must_have(kept, "files", KEPT_FILES_MAX);
	must_have(kept, "records", records);
	json_object_foreach(json_object_get(kept, "file_states"), name, count)
		counted += json_integer_value(count);
	assert_int_equal(counted, files);
	/* What is amiss comes first; what a terminal would take is shown as numbers. */
	assert_string_equal(member_of(kept, "files", 0, "state"), "failed");
	assert_string_equal(member_of(kept, "files", 0, "path"), fixture_path(1));
	assert_string_equal(member_of(kept, "files", 0, "log"), "assay");
	assert_string_equal(member_of(kept, "files", 1, "state"), "unknown");
	assert_non_null(strstr(member_of(kept, "files", 200, "path"), "\\x1b[1m"));
	assert_string_equal(member_of(kept, "records", 0, "kind"), "START");
	/* Without these it is assay_verdict_json(), word for word. */
	json_object_del(kept, "files");
	json_object_del(kept, "records");
	json_object_del(kept, "file_states");
	assert_true(json_equal(kept, made));
	json_decref(kept);
	json_decref(made);
	assay_verify_text_free(text);
	buffer_free(&packed);
	assay_verdict_free(verdict);
}

/* An empty one: no checks, logs of nothing, no files. */
#define EMPTY_HEAD "\1\0" ZEROS ZEROS ZEROS ZEROS ZEROS
#define ZEROS "\0\0\0\0\0\0\0\0"
#define EMPTY_TAIL "\0\0\0\0\0"

static void old_ones_are_read(void **state)
{
	const struct store_value columns[2] = { store_text("{\"assay\": 1}"),
						{ .type = STORE_NULL } };
	const struct store_value none[2] = { store_text(""), { .type = STORE_NULL } };
	struct assay_error err = { 0 };
	json_t *json = NULL;

	(void)state;
	assert_int_equal(kept_verdict_take(columns, &json, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "assay")), 1);
	json_decref(json);
	assert_int_equal(kept_verdict_take(none, &json, &err), -EBADMSG);
}

/*
 * A verdict has its checks by their names, and is read for as long as it is kept: so each name that
 * any version has kept stays here. Who gives a check another name has kept_verdict_json.c know the
 * former one as well.
 */
static void checks_are_read_by_all_their_names(void **state)
{
	static const char *const kept[] = {
		"evidence-parsed",	"quote-parsed",
		"evidence-logs",	"ak-certificate",
		"ak-expected",		"ak-attributes",
		"ak-algorithm",		"quote-algorithm",
		"quote-signature",	"quote-magic",
		"quote-type",		"quote-nonce",
		"quote-signer",		"quote-age",
		"quote-counters",	"quote-firmware",
		"quote-clock",		"pcr-selection",
		"pcr-required",		"pcr-digest",
		"pcr-values",		"assay-log-parsed",
		"assay-log-records",	"assay-log-digests",
		"assay-log-start",	"assay-log-tpm",
		"assay-log-protection", "assay-log-replay",
		"assay-log-chain",	"assay-log-progress",
		"uefi-log-parsed",	"uefi-log-replay",
		"uefi-log-events",	"firmware-secure-boot",
		"firmware-keys",	"firmware-dbx",
		"firmware-authorities", "firmware-platform",
		"firmware-drivers",	"firmware-programs",
		"firmware-files",	"firmware-sections",
		"firmware-mok",		"firmware-command-line",
		"firmware-phases",	"firmware-separator",
		"boot-known",		"ima-log-parsed",
		"ima-log-start",	"ima-log-digests",
		"ima-log-replay",	"ima-log-entries",
		"ima-log-violations",	"ima-boot-aggregate",
		"manifest-signature",	"manifest-current",
		"ima-signatures",	"ima-files-match",
		"ima-files-known",	"files-measured",
		"files-filesystem",	"files-known",
		"files-match",		"files-complete",
		"reference-values",	"quote-session",
	};
	const size_t count = sizeof(kept) / sizeof(kept[0]);
	static const char end[] = "\0\0\0" ZEROS ZEROS ZEROS ZEROS ZEROS "\0" EMPTY_TAIL;
	struct assay_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct buffer plain = { 0 };
		json_t *json = NULL;

		buffer_append(&plain, "\1\1", 2);
		buffer_append_u8(&plain, (uint8_t)strlen(kept[i]));
		buffer_append(&plain, kept[i], strlen(kept[i]));
		buffer_append(&plain, end, sizeof(end) - 1);
		if (kept_verdict_read(buffer_bytes(&plain), &json, &err) < 0)
			fail_msg("a verdict that was kept with the check %s cannot be read",
				 kept[i]);
		json_decref(json);
		buffer_free(&plain);
	}
	for (int check = 0; check < CHECK_COUNT; check++) {
		size_t i = 0;

		while (i < count && strcmp(kept[i], check_name((enum check)check)) != 0)
			i++;
		if (i == count)
			fail_msg("%s is kept from now on, and is missing here",
				 check_name((enum check)check));
	}
}

static void must_refuse(struct bytes plain)
{
	struct assay_error err = { 0 };
	json_t *json = NULL;

	assert_int_equal(kept_verdict_read(plain, &json, &err), -EBADMSG);
	assert_null(json);
	support_assert_error(&err, "another form");
}

static void what_is_none_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} bad[] = {
#define BAD(text) { text, sizeof(text) - 1 }
		BAD("\2\0" ZEROS ZEROS ZEROS ZEROS ZEROS "\0" EMPTY_TAIL),	       /* version */
		BAD("\1\1\4none\0\0\0" ZEROS ZEROS ZEROS ZEROS ZEROS "\0" EMPTY_TAIL), /* check */
		BAD("\1\1\13quote-nonce\6\0\0" ZEROS ZEROS ZEROS ZEROS ZEROS "\0" EMPTY_TAIL),
		BAD("\1\1\13quote-nonce\2\0\1\0" ZEROS ZEROS ZEROS ZEROS ZEROS "\0" EMPTY_TAIL),
		BAD(EMPTY_HEAD "\21" EMPTY_TAIL),		     /* manifests */
		BAD(EMPTY_HEAD "\0\1\6" ZEROS "\0\0\0\0"),	     /* a state of files */
		BAD(EMPTY_HEAD "\0\0\1\221\0\0"),		     /* 401 files */
		BAD(EMPTY_HEAD "\0\0\0\1\6\0" ZEROS "\0\0\0\0\0\0"), /* a file's state */
		BAD(EMPTY_HEAD "\0\0\0\0\1\221"),		     /* 401 records */
		BAD(EMPTY_HEAD "\0\0\0\0\0\1" ZEROS "\2a\0" ZEROS ZEROS ZEROS ZEROS), /* a NUL */
		BAD(EMPTY_HEAD "\0" EMPTY_TAIL "x"),				      /* more */
	};
	static const char good[] = EMPTY_HEAD "\0" EMPTY_TAIL;
	struct assay_verdict *verdict = make_verdict();
	struct buffer packed = { 0 }, plain;
	struct assay_error err = { 0 };
	json_t *json = NULL;

	(void)state;
	assert_int_equal(
		kept_verdict_read(BYTES((const uint8_t *)good, sizeof(good) - 1), &json, &err), 0);
	json_decref(json);
	json = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		must_refuse(BYTES((const uint8_t *)bad[i].text, bad[i].size));
	assert_int_equal(kept_verdict_pack(verdict, &packed, &err), 0);
	plain = plain_of(buffer_bytes(&packed));
	for (size_t size = 0; size < plain.size; size += size < 4096 ? 1 : 97)
		must_refuse(BYTES(plain.data, size));
	/* A frame that is cut, one that says too much, and what is no frame. */
	assert_int_equal(kept_verdict_json(BYTES(packed.data, packed.size - 1), &json, &err),
			 -EBADMSG);
	assert_int_equal(kept_verdict_json(BYTES(NULL, 0), &json, &err), -EBADMSG);
	assert_int_equal(kept_verdict_json(buffer_bytes(&plain), &json, &err), -EBADMSG);
	packed.size = 0;
	plain.size = 0;
	memset(buffer_reserve(&plain, KEPT_EXPANDED_MAX + 1), 0, KEPT_EXPANDED_MAX + 1);
	packed.size = ZSTD_compress(buffer_reserve(&packed, 65536), 65536, plain.data,
				    KEPT_EXPANDED_MAX + 1, 1);
	assert_int_equal(kept_verdict_json(buffer_bytes(&packed), &json, &err), -EBADMSG);
	assert_null(json);
	buffer_free(&plain);
	buffer_free(&packed);
	assay_verdict_free(verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_was_made),
		cmocka_unit_test(old_ones_are_read),
		cmocka_unit_test(checks_are_read_by_all_their_names),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
