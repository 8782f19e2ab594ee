// SPDX-License-Identifier: MIT
/*
 * Fuzz target: the messages of an enrolment. A request that is read is checked as the
 * verifier does, with its own certificate as the only root, which takes its bytes through
 * the parsers of keys and certificates; if a challenge comes of it, no answer is accepted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/enroll.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct enroll_request *request)
{
	struct chain_trust trust = { .roots = sk_X509_new_null(),
				     .intermediates = sk_X509_new_null(),
				     .now = 1800000000 };
	struct enroll_challenge challenge = { 0 };
	struct enroll_pending pending = { 0 };
	struct device_record record = { 0 };
	struct enroll_answer answer = { 0 };

	if (!trust.roots || !trust.intermediates)
		abort();
	(void)certificates_parse(buffer_bytes(&request->ek_certificate), "it", trust.roots, NULL);
	if (enroll_challenge(request, &trust, NULL, 1, &challenge, &pending, NULL, NULL) == 0) {
		memcpy(answer.id, challenge.id, sizeof(answer.id));
		assert(enroll_accept(&answer, &pending, trust.now, &record, NULL) < 0);
		enroll_challenge_free(&challenge);
		enroll_pending_free(&pending);
	}
	sk_X509_pop_free(trust.roots, X509_free);
	sk_X509_pop_free(trust.intermediates, X509_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = BYTES(data, size);
	struct enroll_challenge challenge;
	struct enroll_request request;
	struct enroll_pending pending;
	struct enroll_answer answer;

	if (enroll_request_parse(text, &request, NULL) == 0) {
		judge(&request);
		enroll_request_free(&request);
	}
	if (enroll_challenge_parse(text, &challenge, NULL) == 0)
		enroll_challenge_free(&challenge);
	if (enroll_pending_parse(text, &pending, NULL) == 0)
		enroll_pending_free(&pending);
	(void)enroll_answer_parse(text, &answer, NULL);
	return 0;
}
