/* SPDX-License-Identifier: MIT */
/*
 * Changes of verdicts, told to receivers of the configuration: each at least once, in order, as
 * signed messages of the form of Standard Webhooks (https://www.standardwebhooks.com). How far a
 * receiver has been told is in the database, so that a process that dies loses none; one process at
 * a time tells one, for as long as its lease holds.
 */
#ifndef ASSAY_FLEET_WEBHOOKS_H
#define ASSAY_FLEET_WEBHOOKS_H

#include "config.h"
#include "fetch.h"
#include "fleet.h"

#define WEBHOOK_SECRET_MIN 24 /* bytes */
#define WEBHOOK_SECRET_MAX 64

struct webhooks;

/*
 * webhooks_new() - begin to tell, by @fetcher, which must live longer
 * @config: borrowed
 *
 * A receiver that was never told of is told of what comes from now on.
 */
int webhooks_new(struct fleet *fleet, const struct fleet_config *config, struct fetcher *fetcher,
		 struct webhooks **ret, struct assay_error *err);
void webhooks_free(struct webhooks *webhooks); /* does nothing with NULL */

/* webhooks_check() - can these be used? Reads their secrets */
int webhooks_check(const struct fleet_config *config, struct assay_error *err);

/*
 * webhook_secret() - the key in the text of its file: "whsec_" and base64, or as it is, without the
 * newline at its end
 * Return: 0; -EINVAL with how many bytes it must have
 */
int webhook_secret(struct bytes text, struct buffer *ret, struct assay_error *err);

/*
 * webhook_sign() - "v1," and the base64 of HMAC-SHA256 of "ID.AT.BODY"
 * @at: seconds since 1970-01-01 00:00 UTC
 * @ret: free() it; NULL without memory
 */
char *webhook_sign(struct bytes secret, const char *id, uint64_t at, struct bytes body);

/* webhook_later() - seconds until the next try, after so many that failed: 1 up to 3600 */
uint64_t webhook_later(uint64_t attempts);

#endif /* ASSAY_FLEET_WEBHOOKS_H */
