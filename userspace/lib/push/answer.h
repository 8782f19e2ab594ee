/* SPDX-License-Identifier: MIT */
/* What the status of a verifier's answer means, and what to do about it. Pure. */
#ifndef ASSAY_PUSH_ANSWER_H
#define ASSAY_PUSH_ANSWER_H

#include "assay.h"

/* struct push_peer - for sentences: whom was asked for what */
struct push_peer {
	const char *url;  /* as configured */
	const char *name; /* of the device */
};

/*
 * push_answer_check() - may the body be read as what was asked for?
 * @status: of HTTP (RFC 9110, section 15)
 * @said: the verifier's own sentence, fit to print; "" for none
 *
 * Return: 0 for 200; otherwise with a sentence that says what to do:
 *   -ESTALE  the nonce is not good any more (409): ask for another one at once
 *   -EAGAIN  the verifier cannot now (408, 425, 429, 5xx)
 *   -EACCES  it does not let the device in (401, 403, 407)
 *   -ENOENT  it does not know the device (404, 410)
 *   -EMSGSIZE  it takes less evidence (411, 413)
 *   -EREMOTE it is elsewhere (3xx), which is not followed
 *   -EPROTO  it does not understand, or answers what nobody expects
 */
int push_answer_check(long status, const char *said, const struct push_peer *peer,
		      struct assay_error *err);

#endif /* ASSAY_PUSH_ANSWER_H */
