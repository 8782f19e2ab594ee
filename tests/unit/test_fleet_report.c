// SPDX-License-Identifier: MIT
/* Reports of systemd as they come to the fleet's verifier: what is taken, and what is refused. */
#define _GNU_SOURCE /* memmem() */
#include <errno.h>
#include <string.h>

#include "fleet/report_message.h"
#include "log_builder.h"
#include "support.h"

#define LIMIT (1U << 20)

static int read_report(struct bytes body, struct evidence_in *in, struct assay_error *err)
{
	*in = (struct evidence_in){ 0 };
	*err = (struct assay_error){ 0 };
	return report_read_evidence(body, LIMIT, in, err);
}

static void a_report_with_a_nonce_is_evidence(void **state)
{
	static const uint8_t nonce[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	struct buffer body = log_test_data("systemd_report/aavmf-nonce.report");
	struct evidence_in in, again;
	struct assay_error err;

	(void)state;
	if (read_report(buffer_bytes(&body), &in, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(bytes_equal(buffer_bytes(&in.nonce), BYTES(nonce, sizeof(nonce))));
	assert_true(in.whole && in.evidence.has_session && in.evidence.has_uefi_log);
	/* The same report is the same evidence, so that it is known again. */
	assert_int_equal(read_report(buffer_bytes(&body), &again, &err), 0);
	assert_memory_equal(in.digest.bytes, again.digest.bytes, in.digest.size);
	evidence_in_free(&again);
	evidence_in_free(&in);
	/* Expanded, it is larger than that. */
	assert_int_equal(report_read_evidence(buffer_bytes(&body), 1000, &in, &err), -EFBIG);
	buffer_free(&body);
}

/* The sample with some bytes exchanged for others, as many. */
static struct buffer changed(const char *from, const char *to)
{
	struct buffer body = log_test_data("systemd_report/aavmf-nonce.report");
	const size_t size = strlen(from);
	uint8_t *at = memmem(body.data, body.size, from, size);

	assert_non_null(at);
	assert_int_equal(strlen(to), size);
	memcpy(at, to, size);
	return body;
}

static void what_proves_nothing_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} rows[] = {
		{ "\x1e{", "{ ", "is not signed" },
		{ "assay_nonce", "other_nonce", "nothing in the report proves how old" },
		{ "00112233", "00112234", "nothing in the report proves how old" },
		{ "\"session-audit\"", "\"session-other\"",
		  "nothing in the report proves how old" },
		{ "\"type\":\"pcr\"", "\"type\":\"rcp\"", "there is no quote" },
		{ "\"components\"", "\"ingredient\"", "no TPM signed the report" },
		{ "ATTEST_QUOTE", "ATTEST_OTHER", "\"type\" is none" },
		{ "report.signature", "report.otherkind", "another \"mediaType\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer body = changed(rows[i].from, rows[i].to);
		struct evidence_in in;
		struct assay_error err;
		int r = read_report(buffer_bytes(&body), &in, &err);

		if (r != -EBADMSG || !strstr(err.text, rows[i].says))
			fail_msg("%s: %d, \"%s\" does not say %s", rows[i].from, r, err.text,
				 rows[i].says);
		buffer_free(&body);
	}
}

static void a_report_without_a_nonce_is_refused(void **state)
{
	struct buffer body = log_test_data("systemd_report/aavmf-secureboot.report");
	struct evidence_in in;
	struct assay_error err;

	(void)state;
	assert_int_equal(read_report(buffer_bytes(&body), &in, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "answers no nonce"));
	assert_int_equal(read_report(BYTES(NULL, 0), &in, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "no signed report"));
	buffer_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_with_a_nonce_is_evidence),
		cmocka_unit_test(what_proves_nothing_is_refused),
		cmocka_unit_test(a_report_without_a_nonce_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
