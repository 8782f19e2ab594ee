/* SPDX-License-Identifier: MIT */
/*
 * Requests of the service's own, by libcurl on its loop: to addresses of the configuration and to
 * no others. HTTPS, or HTTP to this machine itself; no redirects, no proxy of the environment, no
 * passwords in URLs; answers are bounded in size and in time.
 *
 * It knows nothing of what is sent.
 */
#ifndef ASSAY_FLEET_FETCH_H
#define ASSAY_FLEET_FETCH_H

#include <event2/event.h>

#include "base/bytes.h"

#define FETCH_ANSWER_MAX (1U << 20) /* bytes of an answer */
#define FETCH_HEADERS_MAX 4

struct fetcher;

/*
 * fetch_done - what came of a request; may begin another one
 * @status: of HTTP; 0: there was no answer
 * @answer: lives until it returns
 * @why: there was no answer; else ""
 */
typedef void fetch_done(void *context, long status, struct bytes answer, const char *why);

/**
 * struct fetch - a request; all is copied
 * @ca: file of certificates, PEM; NULL: the system's
 * @headers: "Name: value"; fewer than FETCH_HEADERS_MAX are ended by NULL
 * @post: send @body; else GET
 * @timeout: seconds for all of it
 */
struct fetch {
	const char *url, *ca;
	const char *headers[FETCH_HEADERS_MAX];
	bool post;
	struct bytes body;
	unsigned int timeout;
	fetch_done *done;
	void *context;
};

/* fetch_check_url() - -EINVAL with what it must be */
int fetch_check_url(const char *url, struct assay_error *err);

int fetcher_new(struct event_base *base, struct fetcher **ret, struct assay_error *err);
/* fetcher_free() - what has not ended is given up without a word; does nothing with NULL */
void fetcher_free(struct fetcher *fetcher);

/* fetch_begin() - 0: .done will be called, by the loop */
int fetch_begin(struct fetcher *fetcher, const struct fetch *fetch, struct assay_error *err);

#endif /* ASSAY_FLEET_FETCH_H */
