// SPDX-License-Identifier: MIT
#include "report_message.h"

#include <errno.h>

#include "base/cleanup.h"
#include "import/systemd_report.h"
#include "verify/report_text.h"

int report_read_evidence(struct bytes body, size_t limit, struct evidence_in *ret,
			 struct assay_error *err)
{
	static const struct import_notes nobody = { 0 };
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	int r;

	/* One JSON object is what systemd-report sends by itself, to a URL. */
	if (body.size > 0 && body.data[0] == '{')
		return assay_fail(err, EBADMSG,
				  "the report is not signed, as 'systemd-report upload' sends it: "
				  "send what 'systemd-report generate --sign=require-one' writes");
	r = import_systemd_report(body, &nobody, &evidence, err);
	if (r < 0)
		return r == -ENOENT ? assay_fail(err, EBADMSG, "no TPM signed the report") : r;
	if (!evidence.has_session)
		return assay_fail(err, EBADMSG,
				  "nothing in the report proves how old its quote is: it has no "
				  "session that is known, is another one than was signed, or has "
				  "more than %u bytes",
				  EVIDENCE_MAX_TEXT);
	if (evidence.nonce.size == 0)
		return assay_fail(
			err, EBADMSG,
			"the report answers no nonce: it must have the one that it is to "
			"answer as its \"nonce\", or as its metric " REPORT_TEXT_NONCE_METRIC);
	r = evidence_in_make(&evidence, limit, ret, err);
	if (r == 0)
		ret->whole = true;
	return r;
}
