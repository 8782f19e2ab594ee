/* SPDX-License-Identifier: MIT */
/*
 * Operators by the tokens of an OpenID Connect provider: whose keys are in a file or at a URL of
 * the configuration, and which of its claims' values makes whom.
 */
#ifndef ASSAY_FLEET_OIDC_H
#define ASSAY_FLEET_OIDC_H

#include "config.h"
#include "fetch.h"
#include "http.h"

#define OIDC_NAME_MAX 64 /* bytes of a bearer's name */

struct oidc;

/* struct oidc_bearer - who a token is of */
struct oidc_bearer {
	enum http_role role;
	char name[OIDC_NAME_MAX + 1];
};

/*
 * oidc_new() - read the keys, or begin to fetch them by @fetcher
 * @settings: borrowed; with an issuer
 *
 * Return: 0; -EINVAL for settings that cannot be; what reading the file returns
 */
int oidc_new(const struct oidc_settings *settings, struct fetcher *fetcher, struct oidc **ret,
	     struct assay_error *err);
void oidc_free(struct oidc *oidc); /* does nothing with NULL */

/* oidc_check_settings() - reads the keys where they are in a file */
int oidc_check_settings(const struct oidc_settings *settings, struct assay_error *err);

/* oidc_refresh() - read or fetch the keys, if the last time is some while ago; what was there
 * before holds for a day where they cannot be had */
void oidc_refresh(struct oidc *oidc, uint64_t now);

/*
 * oidc_check() - whose token is it?
 * @now: seconds since 1970-01-01 00:00 UTC
 *
 * A key that is not known may be new: then they are fetched, at most twice a minute.
 * Return: 0; as token_check(); -EACCES where no claim makes the bearer anything
 */
int oidc_check(struct oidc *oidc, struct bytes token, uint64_t now, struct oidc_bearer *ret,
	       struct assay_error *err);

/* oidc_bearer() - what these claims make of who has them; as oidc_check() */
int oidc_bearer(const struct oidc_settings *settings, const json_t *claims, struct oidc_bearer *ret,
		struct assay_error *err);

#endif /* ASSAY_FLEET_OIDC_H */
