/* SPDX-License-Identifier: MIT */
/*
 * Messages of Varlink (https://varlink.org/): JSON objects that end in a NUL character. Pure.
 */
#ifndef ASSAY_ASSAYD_VARLINK_MESSAGE_H
#define ASSAY_ASSAYD_VARLINK_MESSAGE_H

#include <jansson.h>

#include "base/bytes.h"

/* Bytes of a call at most: 4096 paths of some length. */
#define VARLINK_CALL_MAX (512U << 10)

/**
 * struct varlink_call - a call
 * @message: all of it; the other members live as long as it does
 * @interface: what stands before the last '.' of "method"; varlink_call_free() frees it
 * @method: what stands behind
 * @parameters: an object; an empty one where the call has none
 */
struct varlink_call {
	json_t *message;
	char *interface;
	const char *method;
	const json_t *parameters;
	bool more, oneway, upgrade;
};

/*
 * varlink_call_parse() - one call, without its NUL
 * Return: 0; -EINVAL, -EBADMSG for what is none
 */
int varlink_call_parse(struct bytes text, struct varlink_call *ret, struct assay_error *err);
void varlink_call_free(struct varlink_call *call);

/*
 * varlink_reply(), varlink_error() - append a reply, with its NUL
 * @error: "org.varlink.service.MethodNotFound"
 * @parameters: taken over; NULL: none
 *
 * Return: 0, -ENOMEM
 */
int varlink_reply(struct buffer *out, json_t *parameters);
int varlink_error(struct buffer *out, const char *error, json_t *parameters);
/* varlink_failure() - likewise: an error with members "text" and "errno" */
int varlink_failure(struct buffer *out, const char *error, const struct assay_error *err);

#endif /* ASSAY_ASSAYD_VARLINK_MESSAGE_H */
