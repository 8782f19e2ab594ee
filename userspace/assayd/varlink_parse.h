/* SPDX-License-Identifier: MIT */
/*
 * Calls of Varlink, parsed in a confined process. It answers itself what needs nothing of the
 * service: what is no call, what org.assay does not have, org.varlink.service. Of the rest it
 * gives a structure, which the service checks once more, since it may come from whoever has taken
 * the parser over.
 */
#ifndef ASSAY_ASSAYD_VARLINK_PARSE_H
#define ASSAY_ASSAYD_VARLINK_PARSE_H

#include "call.h"
#include "confined.h"
#include "varlink_message.h"

/* Bytes that it gives at most: errors repeat names of the call. */
#define VARLINK_PARSED_MAX (VARLINK_CALL_MAX + (64U << 10))

enum varlink_what {
	VARLINK_CALLED,	   /* a method of org.assay; behind it come the paths */
	VARLINK_ANSWERED,  /* behind it comes the reply, or nothing where none is wanted */
	VARLINK_MALFORMED, /* likewise, and the connection is to end */
};

/**
 * struct varlink_parsed - what a call is
 * @what: enum varlink_what
 * @method: which one, for varlink_method_name()
 * @oneway: 1: no reply is wanted
 * @parameters: without paths
 */
struct varlink_parsed {
	uint32_t what, method, oneway;
	struct call_parameters parameters;
};

/* varlink_parse() - a confined_function: a call, with its NUL */
int varlink_parse(struct bytes input, struct buffer *out, struct assay_error *err);

/*
 * varlink_take() - what it has given
 * @ret: its paths are within @output
 * @ret_reply: bytes for who has called, as @what says; nobody has looked at them
 *
 * Return: 0; -EPROTO for what varlink_parse() gives of no call
 */
int varlink_take(struct bytes output, struct varlink_parsed *ret, struct bytes *ret_reply,
		 struct assay_error *err);

/* varlink_method_name() - "Status" */
const char *varlink_method_name(uint32_t method);

#endif /* ASSAY_ASSAYD_VARLINK_PARSE_H */
