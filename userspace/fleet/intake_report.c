// SPDX-License-Identifier: MIT
/*
 * Signed reports of systemd, of machines without assayd: a nonce is asked for, a report that has it
 * is sent, and both are answered as assay-push(7) has it. Nothing is left out of a report, whatever
 * is known of the device.
 */
#include "intake.h"
#include "intake_batch.h"
#include "report_message.h"

static int read_evidence(const struct intake_item *item, size_t limit, struct evidence_in *ret,
			 struct assay_error *err)
{
	return report_read_evidence(item->call->body, limit, ret, err);
}

static int want_all(struct intake_item *item, struct assay_error *err)
{
	(void)err;
	item->whole = true;
	return 0;
}

void intake_report_challenge(struct http_call *call)
{
	intake_take(call, &intake_push_protocol, intake_answer_challenge, want_all);
}

void intake_report(struct http_call *call)
{
	intake_take_evidence(call, &intake_push_protocol, read_evidence, NULL);
}
