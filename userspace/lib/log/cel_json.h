/* SPDX-License-Identifier: MIT */
/*
 * The Canonical Event Log's JSON encoding, in the dialect that systemd-pcrlock reads and
 * writes, to and from the TLV encoding that log/cel.h reads.
 *
 * A record is an object {recnum, pcr, digests: [{hashAlg, digest}], content_type, content};
 * bytes are in hexadecimal. Content types and their contents:
 *	"assay"		{data}: ours, the content's value as it stands
 *	"ima_template"	{template_name, template_data}
 *	"pcclient_std"	{event_type: "EV_..." or the number as text, event_data}
 *	"systemd"	an object of systemd's; as TLV, its text
 *	"cel"		{type, data}, or an array of these: the log's management
 *	"tlv"		{type, data}: any other, and what would not come back as it was
 * Another content type, or none at all, is kept as it is: see CEL_JSON in cel_content.h.
 * "nv_index" or "ccmr" may stand instead of "pcr". A log is a sequence of such texts, each
 * between 0x1E and a newline (RFC 7464).
 */
#ifndef ASSAY_LOG_CEL_JSON_H
#define ASSAY_LOG_CEL_JSON_H

#include <jansson.h>

#include "log/cel.h"

/* What stands before each record of a sequence. */
#define CEL_JSON_SEPARATOR '\x1e'

/* cel_json_is() - does a log begin as one in JSON does? A log in TLV never does. */
bool cel_json_is(struct bytes log);

/*
 * cel_json_read() - append a log in JSON to @out, in TLV
 * @text: a sequence, objects one after the other, or one array of objects. "recnum" may be
 *        missing: then it is one more than the last
 *
 * Each record is as cel_next() takes it; what is in it is not judged further. Members
 * that are not known are refused, as they would be lost.
 *
 * Return: 0; -EBADMSG with the record and the rule that broke, and then @out has those
 *         before it; -ENOMEM
 */
int cel_json_read(struct bytes text, struct buffer *out, struct assay_error *err);

/*
 * cel_json_record() - a record as a JSON object; NULL without memory
 * cel_json_read() makes the same record of it: the same bytes, but for integers of a record that
 * are in fewer bytes than assay.ko writes.
 */
json_t *cel_json_record(const struct cel_record *record);

#endif /* ASSAY_LOG_CEL_JSON_H */
