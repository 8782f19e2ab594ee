// SPDX-License-Identifier: MIT
#include "report/junit.h"

#include "base/utc.h"
#include "report/group.h"
#include "report/markup.h"
#include "verify/sentence.h"

/* What waits for another check that failed is skipped: of one fault there is one failure. */
static bool is_failure(const struct verdict *verdict, int check)
{
	return check_blocks(check_outcome(verdict, (enum check)check));
}

static bool is_skipped(const struct verdict *verdict, int check)
{
	return !(verdict->passed & CHECK_BIT(check)) && !is_failure(verdict, check);
}

static void write_case(const struct verdict *verdict, int check, struct buffer *out)
{
	bool failure = is_failure(verdict, check);

	markup_add(out, "  <testcase classname=\"assay.verify\" name=\"");
	markup_text(out, check_name((enum check)check));
	markup_add(out, "\" time=\"0\">\n");
	if (failure || is_skipped(verdict, check)) {
		markup_add(out, failure ? "    <failure type=\"" : "    <skipped message=\"");
		if (failure) {
			markup_text(out, verdict_result(verdict, (enum check)check));
			markup_add(out, "\" message=\"");
		}
		markup_text(out, verdict->detail[check]);
		if (failure) {
			markup_add(out, "\">");
			markup_text(out, check_question((enum check)check));
			markup_add(out, "\n");
			markup_text(out, check_advice((enum check)check));
			markup_add(out, "</failure>\n");
		} else {
			markup_add(out, "\"/>\n");
		}
	} else {
		markup_add(out, "    <system-out>");
		markup_text(out, verdict->detail[check]);
		markup_add(out, "</system-out>\n");
	}
	markup_add(out, "  </testcase>\n");
}

void junit_write(const struct verdict *verdict, const char *evidence, uint64_t now,
		 struct buffer *out)
{
	/* Without any required check nothing is trusted, and no check is to blame. */
	bool nothing = verdict->required == 0;
	uint64_t failures = nothing, skipped = 0;
	char timestamp[UTC_LENGTH + 1];

	for (int i = 0; i < CHECK_COUNT; i++) {
		failures += is_failure(verdict, i);
		skipped += is_skipped(verdict, i);
	}
	markup_add(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"assay verify ");
	markup_text(out, evidence);
	markup_add(out, "\" tests=\"");
	markup_number(out, CHECK_COUNT + (uint64_t)nothing);
	markup_add(out, "\" failures=\"");
	markup_number(out, failures);
	markup_add(out, "\" errors=\"0\" skipped=\"");
	markup_number(out, skipped);
	markup_add(out, "\" time=\"0\" timestamp=\"");
	markup_text(out, utc_text(now, timestamp));
	markup_add(out, "\">\n  <properties><property name=\"verdict\" value=\"");
	markup_text(out, verdict_sentence(verdict));
	markup_add(out, "\"/></properties>\n");
	for (int i = 0; i < CHECK_COUNT; i++)
		write_case(verdict, i, out);
	if (nothing)
		markup_add(out,
			   "  <testcase classname=\"assay.verify\" name=\"policy\" time=\"0\">\n"
			   "    <failure type=\"fail\" message=\"the policy requires no check\"/>\n"
			   "  </testcase>\n");
	markup_add(out, "</testsuite>\n");
}
