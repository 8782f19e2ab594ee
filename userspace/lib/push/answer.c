// SPDX-License-Identifier: MIT
#include "push/answer.h"

#include <errno.h>
#include <stdio.h>

/* What is to be done about a status from @first to @last. */
struct meaning {
	long first, last;
	int code;
	const char *text;
};

/* The first that fits counts. */
static const struct meaning meanings[] = {
	{ 300, 399, EREMOTE,
	  "it sends this device elsewhere, which is refused: set the URL to where the verifier "
	  "is" },
	{ 401, 401, EACCES,
	  "it wants to know who asks: configure the certificate and key of this device that it "
	  "accepts" },
	{ 403, 403, EACCES,
	  "it does not let this device in: the certificate must be one that it accepts for this "
	  "name" },
	{ 404, 404, ENOENT,
	  "it knows no such device, or is no verifier: enrol the device there (assay-enroll(1)), "
	  "and check URL and name" },
	{ 407, 407, EACCES, "the proxy wants to know who asks: check the proxy's configuration" },
	{ 408, 408, EAGAIN, "it has waited too long for this device" },
	{ 409, 409, ESTALE, "the nonce is not good any more" },
	{ 410, 410, ENOENT, "it does not take this device any more: enrol it again" },
	{ 411, 411, EMSGSIZE, "it or a proxy wants another form of request" },
	{ 413, 413, EMSGSIZE,
	  "the evidence is larger than it takes: raise its limit (client_max_body_size of nginx), "
	  "or have less in the logs" },
	{ 415, 415, EPROTO,
	  "it does not take evidence that is compressed by zstd: it must, by assay-push(7)" },
	{ 425, 425, EAGAIN, "it asks to come later" },
	{ 429, 429, EAGAIN, "it is asked too often, and asks to come later" },
	{ 400, 499, EPROTO,
	  "it does not understand this device: is a verifier that speaks assay-push(7), version 1, "
	  "at this URL?" },
	{ 500, 599, EAGAIN, "it cannot answer now" },
};

int push_answer_check(long status, const char *said, const struct push_peer *peer,
		      struct assay_error *err)
{
	const char *lead = said[0] != '\0' ? "; it says: " : "";

	if (status == 200)
		return 0;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (status >= meanings[i].first && status <= meanings[i].last)
			return assay_fail(
				err, meanings[i].code,
				"the verifier at %s answers %ld for the device %s: %s%s%s",
				peer->url, status, peer->name, meanings[i].text, lead, said);
	return assay_fail(err, EPROTO,
			  "the verifier at %s answers %ld, which nobody expects: is it a verifier "
			  "that speaks assay-push(7), version 1?%s%s",
			  peer->url, status, lead, said);
}
