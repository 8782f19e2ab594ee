/* SPDX-License-Identifier: MIT */
/*
 * Evidence and results in RATS conceptual message wrappers (CMW, RFC 9999, which was
 * draft-ietf-rats-msg-wrap): a record of one message, or a collection of several with names, as
 * JSON and as CBOR. No I/O.
 */
#ifndef ASSAY_REPORT_CMW_H
#define ASSAY_REPORT_CMW_H

#include "base/bytes.h"

/* What a message is: bits of the indicator (section 3.1.1). */
#define CMW_EVIDENCE (1U << 2)
#define CMW_ATTESTATION_RESULTS (1U << 3)

#define CMW_TYPE_EVIDENCE "application/vnd.assay.evidence+json"

/* Limits of what is read; more is refused. */
#define CMW_MAX_DEPTH 4	    /* collections within collections */
#define CMW_MAX_MESSAGES 64 /* of a collection and those in it */
#define CMW_MAX_VALUES 4096 /* of JSON: so many messages have some hundred */

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

/* As CBOR (RFC 8949), each length in its shortest form. */
void cmw_write_cbor_record(const struct cmw *message, struct buffer *out);
void cmw_write_cbor_collection(const struct cmw *messages, size_t count, struct buffer *out);

/*
 * cmw_is_wrapped() - may these bytes be a CMW, and nothing else that this program reads?
 * By their first one: a JSON array, or CBOR. A JSON collection looks like evidence at first.
 */
bool cmw_is_wrapped(struct bytes in);

/*
 * cmw_read_evidence() - append the one message that is evidence of this program
 * @in: a record, or a collection, as JSON or CBOR; strictly: members of other types, and anything
 *      behind the value, are refused
 *
 * Messages of other types are passed over, and so are indicators, which say no more than the type.
 * Return: 0; -EBADMSG with the rule that broke, also where there is no such message or more than
 * one; -E2BIG, -EFBIG over a limit; -ENOMEM
 */
int cmw_read_evidence(struct bytes in, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_REPORT_CMW_H */
