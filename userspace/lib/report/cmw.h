/* SPDX-License-Identifier: MIT */
/*
 * Evidence and results in RATS conceptual message wrappers (CMW, draft-ietf-rats-msg-wrap), as
 * JSON: a record of one message, or a collection of several with names.
 */
#ifndef ASSAY_REPORT_CMW_H
#define ASSAY_REPORT_CMW_H

#include "base/bytes.h"

/* What a message is: bits of the indicator (section 3.1.1). */
#define CMW_EVIDENCE (1U << 2)
#define CMW_ATTESTATION_RESULTS (1U << 3)

#define CMW_TYPE_EVIDENCE "application/vnd.assay.evidence+json"

/**
 * struct cmw - one message
 * @label: in a collection
 * @type: its media type
 * @indicator: what it is
 */
struct cmw {
	const char *label;
	const char *type;
	struct bytes value;
	unsigned int indicator;
};

/* cmw_write_record() - append a JSON record and a newline; out->failed without memory */
void cmw_write_record(const struct cmw *message, struct buffer *out);

/* cmw_write_collection() - append a JSON collection of @count of them, 1 or more, likewise */
void cmw_write_collection(const struct cmw *messages, size_t count, struct buffer *out);

#endif /* ASSAY_REPORT_CMW_H */
