// SPDX-License-Identifier: MIT
/* lib/import/systemd_report: reports of systemd's own programs, and what is none. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/json.h"
#include "import/parts.h"
#include "import/systemd_report.h"
#include "log_builder.h"
#include "verify/key.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SAMPLE "systemd_report/aavmf-secureboot.report"

static char told[8192];

static void keep_note(void *context, const char *text)
{
	size_t used = strlen(told);

	(void)context;
	snprintf(told + used, sizeof(told) - used, "%s\n", text);
}

static const struct import_notes notes = { keep_note, NULL };

static int import(struct bytes in, struct evidence *evidence, struct assay_error *err)
{
	*evidence = (struct evidence){ 0 };
	*err = (struct assay_error){ 0 };
	told[0] = '\0';
	return import_systemd_report(in, &notes, evidence, err);
}

/* Of what is a report; @in is freed. */
static struct evidence imported(struct buffer in)
{
	struct evidence evidence;
	struct assay_error err;

	if (import(buffer_bytes(&in), &evidence, &err) < 0)
		fail_msg("%s", err.text);
	buffer_free(&in);
	return evidence;
}

/* The sample as its two texts. */
static void read_sample(struct buffer *ret_report, json_t **ret_signature)
{
	struct buffer in = log_test_data(SAMPLE);
	const char *second = memrchr(in.data, '\x1e', in.size);

	assert_non_null(second);
	buffer_append(ret_report, in.data, (size_t)((const uint8_t *)second - in.data));
	*ret_signature = json_loadb(
		second + 1, in.size - (size_t)((const uint8_t *)second - in.data) - 1, 0, NULL);
	assert_non_null(*ret_signature);
	buffer_free(&in);
}

static void put_text(struct buffer *out, const json_t *text)
{
	char *dumped = json_dumps(text, JSON_COMPACT);

	assert_non_null(dumped);
	buffer_append_u8(out, 0x1e);
	buffer_append(out, dumped, strlen(dumped));
	buffer_append_u8(out, '\n');
	assert_false(out->failed);
	free(dumped);
}

/* Of an array: a digit. */
static size_t index_of(const char *name)
{
	assert_true(name[0] >= '0' && name[0] <= '9' && name[1] == '\0');
	return (size_t)(name[0] - '0');
}

static json_t *child(json_t *at, const char *name)
{
	json_t *found =
		json_is_array(at) ? json_array_get(at, index_of(name)) : json_object_get(at, name);

	if (!found)
		fail_msg("the sample has no %s", name);
	return found;
}

/* Put a value, as JSON, where the path of names says; NULL removes what is there. */
static void edit(json_t *root, const char *path, const char *value)
{
	char names[256], *name = names, *next;
	json_t *at = root, *made = NULL;

	snprintf(names, sizeof(names), "%s", path);
	while ((next = strchr(name, '/')) != NULL) {
		*next = '\0';
		at = child(at, name);
		name = next + 1;
	}
	if (value) {
		made = json_loads(value, JSON_DECODE_ANY, NULL);
		if (!made)
			fail_msg("this is no JSON: %s", value);
	}
	if (json_is_array(at) && !made)
		assert_int_equal(json_array_remove(at, index_of(name)), 0);
	else if (json_is_array(at))
		assert_int_equal(json_array_set_new(at, index_of(name), made), 0);
	else if (!made)
		assert_int_equal(json_object_del(at, name), 0);
	else
		assert_int_equal(json_object_set_new(at, name, made), 0);
}

/* The sample with a change of its signature. */
static struct buffer edited(const char *path, const char *value)
{
	struct buffer out = { 0 };
	json_t *signature;

	read_sample(&out, &signature);
	edit(signature, path, value);
	put_text(&out, signature);
	json_decref(signature);
	return out;
}

#define QUOTE "data/components/0/attestInfo/attest"
#define CERTIFIED "data/components/1/attestInfo/attest"
#define SESSION "data/components/4/attestInfo/attest"

/* What systemd made JSON of is again what the TPM signed, and the log the one that it read. */
static void a_real_report_is_what_the_tpm_signed(void **state)
{
	struct evidence evidence = imported(log_test_data(SAMPLE));
	struct tpm_signature signature;
	struct tpm_public public;
	struct assay_error err;

	(void)state;
	assert_int_equal(tpm_public_parse(buffer_bytes(&evidence.ak_public), &public, &err), 0);
	assert_int_equal(tpm_signature_parse(buffer_bytes(&evidence.signature), &signature, &err),
			 0);
	if (tpm_key_verify(&public, &signature, buffer_bytes(&evidence.attest), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(evidence.pcr_count, 13);
	assert_int_equal(evidence.nonce.size, 0);
	assert_true(evidence.has_collected);
	assert_int_equal(strlen(evidence.boot_id), EVIDENCE_BOOT_ID_LENGTH);
	assert_string_equal(
		told,
		"not judged: the NvPCR hardware, which is no PCR\n"
		"not judged: the NvPCR login, which is no PCR\n"
		"not judged: the NvPCR verity, which is no PCR\n"
		"left out: 6 records of systemd's own, of PCR 9,11,15: what it extended behind the "
		"firmware, a policy may take (uefi.extended_later)\n"
		"left out: the firmware's records of PCR 6, which is not quoted: nothing proves "
		"them\n"
		"left out: 1 records that are of no PCR, or neither the firmware's nor systemd's\n"
		"the firmware's log is written anew from the records, without the events that "
		"extend nothing\n"
		"not judged: the report's metrics\n"
		"the report has no nonce: how old it is, nothing in it proves\n");
	evidence_free(&evidence);
}

/* Of all PCRs it is the log that systemd read, byte by byte. */
static void the_log_is_the_one_that_systemd_read(void **state)
{
	struct evidence evidence = imported(edited(QUOTE "/attested/pcrSelect/0/pcrSelect",
						   "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]"));
	struct buffer log = log_test_data("uefi/aavmf-secureboot.bin");

	(void)state;
	assert_true(bytes_equal(buffer_bytes(&evidence.uefi_data), buffer_bytes(&log)));
	assert_non_null(strstr(told, "does not come to the PCRs that are quoted"));
	evidence_free(&evidence);
	buffer_free(&log);
}

/* systemd keeps no word of the locality: what is quoted of PCR 0 has it. */
static void a_locality_is_found_by_what_is_quoted(void **state)
{
	/* SHA-384 of what PCR 0 of the sample was, had it begun as at locality 3. */
	static const char digest[] = "\"cd79d05e20b28f4b90391d452e22873e66183a48543fcff73ef8ff219c2"
				     "6c70e9ea3f303f6c7fb7c3ea48057f1c97210\"";
	struct buffer in = { 0 };
	json_t *signature;
	struct evidence evidence;

	(void)state;
	read_sample(&in, &signature);
	edit(signature, QUOTE "/attested/pcrDigest", digest);
	edit(signature, QUOTE "/attested/pcrSelect/0/pcrSelect", "[0]");
	put_text(&in, signature);
	evidence = imported(in);
	assert_non_null(strstr(told, "the TPM was started from locality 3"));
	assert_non_null(memmem(evidence.uefi_data.data, evidence.uefi_data.size,
			       "StartupLocality\0\3", 17));
	evidence_free(&evidence);
	json_decref(signature);
}

/* Halves of a number, as tss2-fapi writes it, are the same number. */
static void numbers_may_be_in_halves(void **state)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ QUOTE "/firmwareVersion", "[1458959, 538510883]" },
		{ QUOTE "/clockInfo/resetCount", "[7, 0]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evidence evidence = imported(edited(rows[i].path, rows[i].value));

		evidence_free(&evidence);
	}
}

static void what_is_told(void **state)
{
	static const struct {
		const char *path, *value, *says;
	} rows[] = {
		{ "sha256", "\"00\"", "the report is not the one that was signed" },
		{ "data/voucher", "\"AAAA\"", "left out: the key's voucher" },
		{ "data/later", "1", "\"later\"" },
		{ "data/components/0/later", "1", "\"later\"" },
		{ "data/components/1/nvpcrName", "\"a\\u001bb\"", "the NvPCR a\\x1bb," },
		{ "data/components/1/type", "\"new\"", "of the type new, which is not known" },
		{ QUOTE "/attested/pcrDigest", "\"00\"", "does not come to the PCRs" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evidence evidence = imported(edited(rows[i].path, rows[i].value));

		if (!strstr(told, rows[i].says))
			fail_msg("%s: nothing is told of it, but\n%s", rows[i].path, told);
		/* Of a report that was not signed, nothing is believed. */
		assert_true(evidence.has_collected == (i > 0));
		evidence_free(&evidence);
	}
}

static void what_is_off_is_refused(void **state)
{
	static const struct {
		const char *path, *value, *says;
	} rows[] = {
		{ "mediaType", "\"text/plain\"", "another \"mediaType\"" },
		{ "mechanism", NULL, "has no \"mechanism\"" },
		{ "sha256", "\"0g\"", "\"sha256\" is not hexadecimal" },
		{ "data", "{}", "no TPM signed the report" },
		{ "data/components", "{}", "no TPM signed the report" },
		{ "data/components", "[]", "there is no quote" },
		{ "data/components/0", "1", "holds what is no object" },
		{ "data/components/1/type", "\"pcr\"", "there are two quotes" },
		{ "data/components/0/type", "7", "\"type\" is not a string" },
		{ SESSION, "0", "\"attest\" is not an object" },
		{ SESSION "/type", "\"ATTEST_QUOTE\"", "none that belongs there" },
		{ SESSION "/attested", NULL, "has no \"attested\"" },
		{ SESSION "/attested/exclusiveSession", "1", "is not a string" },
		{ SESSION "/attested/exclusiveSession", "\"MAYBE\"",
		  "\"exclusiveSession\" is none" },
		{ SESSION "/attested/sessionDigest", "\"0\"", "is not hexadecimal" },
		{ SESSION "/attested/later", "1", "\"later\" is not known" },
		{ CERTIFIED "/type", "\"ATTEST_QUOTE\"", "none that belongs there" },
		{ CERTIFIED "/attested/indexName", NULL, "has no \"indexName\"" },
		{ CERTIFIED "/attested/offset", "65536", "\"offset\" is too large" },
		{ CERTIFIED "/attested/nvContents", "7", "\"nvContents\" is not a string" },
		{ "data/components/1/signature/sigAlg", "\"HMAC\"", "\"sigAlg\" is none" },
		{ "data/components/0/attestInfo", "[]", "\"attestInfo\" is not an object" },
		{ QUOTE, "0", "\"attest\" is not an object" },
		{ QUOTE "/later", "1", "\"later\" is not known" },
		{ QUOTE "/magic", "\"OTHER\"", "\"magic\" is none" },
		{ QUOTE "/type", "\"ATTEST_CERTIFY\"", "\"type\" is none" },
		{ QUOTE "/qualifiedSigner", "\"0\"", "\"qualifiedSigner\" is not hexadecimal" },
		{ QUOTE "/clockInfo", NULL, "has no \"clockInfo\"" },
		{ QUOTE "/clockInfo/clock", "-1", "\"clock\"" },
		{ QUOTE "/clockInfo/clock", "1.0", "\"clock\"" },
		{ QUOTE "/clockInfo/clock", "[1]", "\"clock\"" },
		{ QUOTE "/clockInfo/clock", "[1, 4294967296]", "\"clock\"" },
		{ QUOTE "/clockInfo/resetCount", "4294967296", "\"resetCount\" is too large" },
		{ QUOTE "/clockInfo/safe", "true", "\"safe\" is not a string" },
		{ QUOTE "/attested/pcrSelect", "{}", "no \"pcrSelect\"" },
		{ QUOTE "/attested/pcrSelect/0", "0", "holds what is no object" },
		{ QUOTE "/attested/pcrSelect/0/hash", "\"SM3\"", "\"hash\" is none" },
		{ QUOTE "/attested/pcrSelect/0/hash", "\"SHA512\"",
		  "no record has a sha512 digest" },
		{ QUOTE "/attested/pcrSelect/0/pcrSelect", "[24]", "numbers below 24" },
		{ QUOTE "/attested/pcrSelect/0/pcrSelect", "[-1]", "numbers below 24" },
		{ QUOTE "/attested/pcrSelect/0/pcrSelect", "7", "no list of PCRs" },
		{ QUOTE "/attested/pcrSelect",
		  "[{\"hash\": \"SHA256\", \"pcrSelect\": [1]}, {\"hash\": \"SHA256\", "
		  "\"pcrSelect\": [1]}]",
		  "twice" },
		{ "data/components/0/signature/sigAlg", "\"HMAC\"", "\"sigAlg\" is none" },
		{ "data/components/0/signature/signature", "{}", "has no \"hash\"" },
		{ "data/publicKey", NULL, "has no \"publicKey\"" },
		{ "data/publicKey/type", "\"SYMCIPHER\"", "\"type\" is none" },
		{ "data/publicKey/unique", "\"00\"", "\"unique\" is not an object" },
		{ "data/publicKey/unique/x", "\"00\"", "the public area holds no key" },
		{ "data/publicKey/parameters/symmetric/algorithm", "\"AES\"",
		  "\"algorithm\" is none" },
		{ "data/publicKey/parameters/curveID", "\"BN_P256\"", "\"curveID\" is none" },
		{ "data/voucher", "\"!\"", "\"voucher\" is not base64" },
		{ "data/eventLog", NULL, "no \"eventLog\"" },
		{ "data/eventLog", "[]", "no \"eventLog\"" },
		{ "data/eventLog/0", "1", "record at index 0" },
		{ "data/eventLog/3/pcr", "24", "record at index 3" },
		{ "data/eventLog/3/digests/0/digest", "\"00\"", "record at index 3" },
		{ "data/eventLog/3/content/event_type", "\"EV_NEW\"", "record at index 3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer in = edited(rows[i].path, rows[i].value);
		struct evidence evidence;
		struct assay_error err;
		int r = import(buffer_bytes(&in), &evidence, &err);

		if ((r != -EBADMSG && r != -ENOENT) || !strstr(err.text, rows[i].says))
			fail_msg("%s = %s: %d, \"%s\" does not say %s", rows[i].path, rows[i].value,
				 r, err.text, rows[i].says);
		evidence_free(&evidence);
		buffer_free(&in);
	}
}

static void what_is_no_report_is_refused(void **state)
{
	static const struct {
		struct bytes bytes;
		int result;
	} rows[] = {
		{ BYTES_LITERAL(""), -EBADMSG },
		{ BYTES_LITERAL("{}"), -EBADMSG },
		{ BYTES_LITERAL("\x1e"), -EBADMSG },
		{ BYTES_LITERAL("\x1e{}\n"), -EBADMSG },
		{ BYTES_LITERAL("\x1e{\"mediaType\":\"application/vnd.io.systemd.report\"}\n"),
		  -ENOENT },
		{ BYTES_LITERAL("\x1e{\"mediaType\":\"application/vnd.io.systemd.report\"}\n\x1e"),
		  -EBADMSG },
		{ BYTES_LITERAL("\x1e{\"mediaType\":\"application/vnd.io.systemd.report\"}\n"
				"\x1e{\"mediaType\":\"application/vnd.io.systemd.report."
				"signature\",\"mechanism\":\"plain\",\"sha256\":\"00\"}\n"),
		  -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evidence evidence;
		struct assay_error err;
		int r = import(rows[i].bytes, &evidence, &err);

		if (r != rows[i].result || err.text[0] == '\0')
			fail_msg("row %zu: %d, \"%s\"", i, r, err.text);
		evidence_free(&evidence);
	}
}

/* Some bytes of a stranger's become no hundred times as many in memory. */
static void a_report_of_very_many_values_is_not_parsed(void **state)
{
	struct buffer in = support_many_values(
		"\x1e{\"mediaType\":\"application/vnd.io.systemd.report\",\"metrics\":[",
		IMPORT_MAX_VALUES / 2, "]}\n");
	struct evidence evidence;
	struct assay_error err;

	(void)state;
	assert_int_equal(import(buffer_bytes(&in), &evidence, &err), -EFBIG);
	assert_non_null(strstr(err.text, "the report has more than 262144 values"));
	buffer_free(&in);
}

/* The session is taken as it is, with the nonce; whether it is good, the verifier finds. */
static void a_nonce_is_the_sessions(void **state)
{
	static const uint8_t nonce[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	struct evidence evidence = imported(log_test_data("systemd_report/aavmf-nonce.report"));
	struct tpm_audit_info audit;
	struct tpm_attest attest;
	struct assay_error err;

	(void)state;
	assert_true(evidence.has_session);
	assert_int_equal(evidence.session.certified_count, 3);
	assert_true(bytes_equal(buffer_bytes(&evidence.nonce), BYTES(nonce, sizeof(nonce))));
	assert_null(strstr(told, "nonce"));
	/* From the separator to the newline. */
	assert_int_equal(evidence.session.text.data[0], 0x1e);
	assert_int_equal(evidence.session.text.data[evidence.session.text.size - 1], '\n');
	assert_int_equal(tpm_attest_parse(buffer_bytes(&evidence.session.attest), &attest, &err),
			 0);
	assert_int_equal(attest.type, TPM_ST_ATTEST_SESSION_AUDIT);
	assert_int_equal(tpm_audit_info_parse(attest.attested, &audit, &err), 0);
	assert_true(audit.exclusive);
	assert_int_equal(audit.digest.size, 32);
	evidence_free(&evidence);
}

/* Commands that are not known cannot be computed anew: it says so, and no session is claimed. */
static void a_session_that_is_not_known_is_left_out(void **state)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ "data/components/4", NULL },
		{ "data/components/4/type", "\"nvpcr\"" },
		{ "data/components/2/type", "\"new\"" },
		{ "data/components/3/type", "\"session-audit\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct evidence evidence = imported(edited(rows[i].path, rows[i].value));

		assert_false(evidence.has_session);
		assert_int_equal(evidence.nonce.size, 0);
		assert_non_null(strstr(told, "left out: the session of the quote"));
		assert_non_null(strstr(told, "has no nonce"));
		evidence_free(&evidence);
	}
}

/* Cut anywhere, it is refused. */
static void cut_anywhere_it_is_none(void **state)
{
	struct buffer in = log_test_data(SAMPLE);

	(void)state;
	for (size_t size = 0; size + 1 < in.size; size += 97) {
		struct evidence evidence;
		struct assay_error err;

		assert_true(import(BYTES(in.data, size), &evidence, &err) < 0);
		evidence_free(&evidence);
	}
	buffer_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_report_is_what_the_tpm_signed),
		cmocka_unit_test(the_log_is_the_one_that_systemd_read),
		cmocka_unit_test(a_locality_is_found_by_what_is_quoted),
		cmocka_unit_test(numbers_may_be_in_halves),
		cmocka_unit_test(what_is_told),
		cmocka_unit_test(what_is_off_is_refused),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(a_report_of_very_many_values_is_not_parsed),
		cmocka_unit_test(a_nonce_is_the_sessions),
		cmocka_unit_test(a_session_that_is_not_known_is_left_out),
		cmocka_unit_test(cut_anywhere_it_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
