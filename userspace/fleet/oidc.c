// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "oidc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "token.h"

#define REFRESH_SECONDS 3600 /* until the keys are had anew */
#define RETRY_SECONDS 30     /* until they are, where they are wanted */
#define HOLD_SECONDS 86400   /* that they hold where they cannot be had */
#define FETCH_SECONDS 30     /* that an answer may take */

/**
 * struct oidc
 * @tried: when keys were asked for last; @had: when they came last
 */
struct oidc {
	const struct oidc_settings *settings;
	struct fetcher *fetcher;
	struct token_keys keys;
	unsigned int algorithms;
	uint64_t tried, had, asked_at;
	bool busy;
};

/* ---------------------------------------------------------------- settings */

static bool is_url(const char *keys)
{
	return strncmp(keys, "http", strlen("http")) == 0 && strstr(keys, "://");
}

static int take_algorithms(const struct oidc_settings *settings, unsigned int *ret,
			   struct assay_error *err)
{
	*ret = settings->algorithms.count > 0 ? 0 : (1U << TOKEN_ALGORITHMS) - 1;
	for (size_t i = 0; i < settings->algorithms.count; i++) {
		enum token_algorithm algorithm;

		if (!token_algorithm_by_name(settings->algorithms.list[i], &algorithm))
			return assay_fail(err, EINVAL,
					  "[oidc] algorithm must be one of ES256, RS256, PS256, "
					  "EdDSA");
		*ret |= 1U << algorithm;
	}
	return 0;
}

static int read_keys(const char *path, struct token_keys *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r = file_read_regular(path, TOKEN_SET_MAX, &text, err);

	return r < 0 ? r : token_keys_parse(buffer_bytes(&text), path, ret, err);
}

int oidc_check_settings(const struct oidc_settings *settings, struct assay_error *err)
{
	struct token_keys keys = { 0 };
	unsigned int algorithms;
	int r = take_algorithms(settings, &algorithms, err);

	if (r == 0)
		r = is_url(settings->keys) ? fetch_check_url(settings->keys, err) :
					     read_keys(settings->keys, &keys, err);
	token_keys_free(&keys);
	return r;
}

/* ---------------------------------------------------------------- keys */

static void tell(const struct oidc *oidc, const char *why)
{
	char escaped[512];

	fprintf(stderr, "<3>assay-fleet: the keys of %s cannot be had: %s\n", oidc->settings->keys,
		text_escape(BYTES((const uint8_t *)why, strlen(why)), escaped, sizeof(escaped)));
}

static void take_keys(struct oidc *oidc, struct token_keys *keys, uint64_t now)
{
	token_keys_free(&oidc->keys);
	oidc->keys = *keys;
	oidc->had = now;
}

static void fetched(void *context, long status, struct bytes answer, const char *why)
{
	struct oidc *oidc = context;
	struct token_keys keys = { 0 };
	struct assay_error err = { 0 };

	oidc->busy = false;
	if (status != 200)
		tell(oidc, why[0] ? why : "the answer's status is not 200");
	else if (token_keys_parse(answer, oidc->settings->keys, &keys, &err) < 0)
		tell(oidc, err.text);
	else
		take_keys(oidc, &keys, oidc->asked_at);
}

static void ask(struct oidc *oidc, uint64_t now)
{
	const struct fetch fetch = { .url = oidc->settings->keys,
				     .ca = oidc->settings->ca,
				     .headers = { "Accept: application/json" },
				     .timeout = FETCH_SECONDS,
				     .done = fetched,
				     .context = oidc };
	struct token_keys keys = { 0 };
	struct assay_error err = { 0 };

	if (oidc->busy ||
	    (oidc->tried > 0 && oidc->tried <= now && oidc->tried + RETRY_SECONDS > now))
		return;
	oidc->tried = oidc->asked_at = now;
	if (is_url(oidc->settings->keys)) {
		oidc->busy = fetch_begin(oidc->fetcher, &fetch, &err) == 0;
		if (!oidc->busy)
			tell(oidc, err.text);
	} else if (read_keys(oidc->settings->keys, &keys, &err) < 0) {
		token_keys_free(&keys);
		tell(oidc, err.text);
	} else {
		take_keys(oidc, &keys, now);
	}
}

void oidc_refresh(struct oidc *oidc, uint64_t now)
{
	if (oidc->had + HOLD_SECONDS <= now)
		token_keys_free(&oidc->keys);
	if (oidc->had + REFRESH_SECONDS <= now || oidc->had > now)
		ask(oidc, now);
}

int oidc_new(const struct oidc_settings *settings, struct fetcher *fetcher, struct oidc **ret,
	     struct assay_error *err)
{
	struct oidc *oidc = calloc(1, sizeof(*oidc));
	int r;

	if (!oidc)
		return assay_fail(err, ENOMEM, "out of memory");
	oidc->settings = settings;
	oidc->fetcher = fetcher;
	r = oidc_check_settings(settings, err);
	if (r == 0)
		r = take_algorithms(settings, &oidc->algorithms, err);
	if (r < 0) {
		free(oidc);
		return r;
	}
	*ret = oidc;
	return 0;
}

void oidc_free(struct oidc *oidc)
{
	if (!oidc)
		return;
	token_keys_free(&oidc->keys);
	free(oidc);
}

/* ---------------------------------------------------------------- bearers */

/* A member by its name; or, of "a.b", the member b of a. */
static const json_t *find_claim(const json_t *claims, const char *name)
{
	const json_t *found = json_object_get(claims, name);
	const char *dot;
	char part[128];

	while (!found && (dot = strchr(name, '.')) && (size_t)(dot - name) < sizeof(part)) {
		memcpy(part, name, (size_t)(dot - name));
		part[dot - name] = '\0';
		claims = json_object_get(claims, part);
		name = dot + 1;
		found = json_object_get(claims, name);
	}
	return found;
}

static bool has_value(const json_t *claim, const struct option_texts *wanted)
{
	const json_t *one;
	size_t i;

	for (size_t w = 0; w < wanted->count; w++) {
		const char *text = json_string_value(claim);

		if (text && json_string_length(claim) == strlen(text) &&
		    strcmp(text, wanted->list[w]) == 0)
			return true;
		json_array_foreach(claim, i, one) {
			text = json_string_value(one);
			if (text && json_string_length(one) == strlen(text) &&
			    strcmp(text, wanted->list[w]) == 0)
				return true;
		}
	}
	return false;
}

int oidc_bearer(const struct oidc_settings *settings, const json_t *claims, struct oidc_bearer *ret,
		struct assay_error *err)
{
	const struct {
		enum http_role role;
		const struct option_texts *values;
	} roles[] = { { HTTP_APPROVER, &settings->approver },
		      {
			      HTTP_OPERATOR,
			      &settings->operator},
			      { HTTP_VIEWER, &settings->viewer },
	};
	const json_t *claim = find_claim(claims, settings->claim ? settings->claim : "roles");
	const json_t *name = find_claim(claims, settings->name ? settings->name : "sub");

	/* Who it is stands in the audit. */
	if (!json_is_string(name) || json_string_length(name) == 0)
		return assay_fail(err, EACCES, "the token does not say who its bearer is");
	/* Cut, or escaped, two of them could become one. */
	text_escape(BYTES((const uint8_t *)json_string_value(name), json_string_length(name)),
		    ret->name, sizeof(ret->name));
	if (json_string_length(name) > OIDC_NAME_MAX ||
	    strcmp(ret->name, json_string_value(name)) != 0)
		return assay_fail(
			err, EACCES,
			"the name of the token's bearer has more than %d bytes, or is not "
			"fit to print",
			OIDC_NAME_MAX);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (has_value(claim, roles[i].values)) {
			ret->role = roles[i].role;
			return 0;
		}
	return assay_fail(err, EACCES, "the token makes its bearer neither viewer nor more");
}

int oidc_check(struct oidc *oidc, struct bytes token, uint64_t now, struct oidc_bearer *ret,
	       struct assay_error *err)
{
	const struct token_terms terms = { oidc->settings->issuer, oidc->settings->audience,
					   oidc->algorithms, now };
	CLEANUP(json_decref_pointer) json_t *claims = NULL;
	int r;

	oidc_refresh(oidc, now);
	r = token_check(token, &oidc->keys, &terms, &claims, err);
	if (r == -ENOKEY) {
		ask(oidc, now);
		r = token_check(token, &oidc->keys, &terms, &claims, err);
	}
	return r < 0 ? r : oidc_bearer(oidc->settings, claims, ret, err);
}
