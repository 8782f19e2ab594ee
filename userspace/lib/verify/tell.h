/* SPDX-License-Identifier: MIT */
/*
 * What a check says: one sentence of facts in its detail, whose size is CHECK_DETAIL_MAX.
 * Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_TELL_H
#define ASSAY_VERIFY_TELL_H

#include "base/bytes.h"
#include "verify/verdict.h"

/* Room for foreign text, and for a digest, in a detail. */
#define FOREIGN_TEXT 160
#define DIGEST_TEXT (2 * ASSAY_DIGEST_MAX + 1)

/* How many findings a detail names; the rest is counted. */
#define NAMED_FINDINGS 3

enum check_result {
	CHECK_FAILED,
	CHECK_PASSED,
	CHECK_SKIPPED, /* there is nothing to compare with: as good as failed where required */
};

/* check_tell() - put a sentence into @detail; returns @result, so that checks end in it. */
bool check_tell(bool result, char *detail, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* check_skip() - say in @detail why the check cannot be made; returns CHECK_SKIPPED */
enum check_result check_skip(char *detail, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* check_digest_text() - a digest in hexadecimal; returns @text */
const char *check_digest_text(const struct assay_digest *digest, char text[DIGEST_TEXT]);

/* Room for "1,2,3" of every PCR. */
#define PCRS_TEXT 128

/* check_pcrs_text() - the PCRs of a mask, "0,4,7"; @separator: "," or ", "; returns @text */
const char *check_pcrs_text(uint32_t mask, const char *separator, char text[static PCRS_TEXT]);

/* check_pcrs_named() - "PCR 7", "PCRs 0,4,7"; returns @text */
const char *check_pcrs_named(uint32_t mask, char text[static PCRS_TEXT]);

/* What fails a check: the first few by name, the others by number. Start with {0}. */
struct findings {
	char text[CHECK_DETAIL_MAX];
	size_t used;
	uint64_t count;
};

void findings_add(struct findings *findings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* findings_tell() - put them into @detail; returns false: the end of a check that found some */
bool findings_tell(const struct findings *findings, char *detail);

#endif /* ASSAY_VERIFY_TELL_H */
