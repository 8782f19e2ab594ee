// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf() */
#include "webhooks.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/credential.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"
#include "changes.h"

#define SECRET_PREFIX "whsec_"
#define CHANGES_MAX 100 /* of a message */
#define LEASE_SLACK 5	/* seconds that a lease is longer than an answer may take */
#define LATER_FIRST 1	/* second, doubled with each try */
#define LATER_MOST 3600 /* seconds */

/**
 * struct hook - a receiver
 * @last: the change up to which it was told; @up_to: of the message that is under way
 * @busy: this process waits for its answer
 */
struct hook {
	struct webhooks *all;
	const struct webhook_settings *settings;
	struct buffer secret;
	uint64_t last, up_to, attempts;
	bool busy;
};

struct webhooks {
	struct fleet *fleet;
	struct fetcher *fetcher;
	struct event *tick;
	struct hook hooks[CONFIG_WEBHOOKS_MAX];
	size_t count;
};

/* ---------------------------------------------------------------- secrets and signatures */

int webhook_secret(struct bytes text, struct buffer *ret, struct assay_error *err)
{
	size_t prefix = strlen(SECRET_PREFIX);
	int r = 0;

	if (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	if (text.size > prefix && memcmp(text.data, SECRET_PREFIX, prefix) == 0)
		r = base64_decode((const char *)text.data + prefix, text.size - prefix, ret);
	else
		buffer_append_bytes(ret, text);
	if (r == -ENOMEM || ret->failed)
		return assay_fail(err, ENOMEM, "out of memory");
	if (r < 0 || ret->size < WEBHOOK_SECRET_MIN || ret->size > WEBHOOK_SECRET_MAX)
		return assay_fail(
			err, EINVAL,
			"the secret of a webhook must have %d to %d bytes, as they are, or "
			"as " SECRET_PREFIX " and base64",
			WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
	return 0;
}

static int read_secret(const struct webhook_settings *settings, struct buffer *ret,
		       struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = NULL;
	CLEANUP(secret_free) struct buffer text = { 0 };
	int r = fetch_check_url(settings->url, err);

	if (r == 0)
		r = credential_path(settings->secret, &path, err);
	if (r == 0)
		r = file_read_regular(path, SECRET_MAX, &text, err);
	if (r == 0)
		r = webhook_secret(buffer_bytes(&text), ret, err);
	return r < 0 ? assay_fail_context(err, "the webhook %s", settings->name) : 0;
}

int webhooks_check(const struct fleet_config *config, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->webhook_count; i++) {
		CLEANUP(secret_free) struct buffer secret = { 0 };

		r = read_secret(&config->webhooks[i], &secret, err);
	}
	return r;
}

char *webhook_sign(struct bytes secret, const char *id, uint64_t at, struct bytes body)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	CLEANUP(free_pointer) char *base64 = NULL;
	char number[24], *ret = NULL;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	snprintf(number, sizeof(number), ".%" PRIu64 ".", at);
	buffer_append(&text, id, strlen(id));
	buffer_append(&text, number, strlen(number));
	buffer_append_bytes(&text, body);
	if (text.failed ||
	    !HMAC(EVP_sha256(), secret.data, (int)secret.size, text.data, text.size, digest, &size))
		return NULL;
	base64 = base64_encode(BYTES(digest, size));
	return base64 && asprintf(&ret, "v1,%s", base64) > 0 ? ret : NULL;
}

uint64_t webhook_later(uint64_t attempts)
{
	uint64_t later = LATER_FIRST;

	for (uint64_t i = 1; i < attempts && later < LATER_MOST; i++)
		later *= 2;
	return later < LATER_MOST ? later : LATER_MOST;
}

/* ---------------------------------------------------------------- the database */

static int add_row(struct store *store, const char *name, struct assay_error *err)
{
	static const struct store_statement add = {
		"t",
		"INSERT INTO webhook (name, last) SELECT $1, coalesce(max(id), 0) FROM "
		"verdict_change WHERE true ON CONFLICT (name) DO NOTHING",
		NULL,
	};
	const struct store_value value = store_text(name);

	return store_run(store, &add, &value, 1, NULL, NULL, err);
}

/* struct found - a row that nobody holds and that is due */
struct found {
	uint64_t last, up_to, attempts;
	bool there;
};

static int take_found(void *context, size_t set, const struct store_value *columns, size_t count,
		      struct assay_error *err)
{
	(void)set;
	(void)count;
	(void)err;
	*(struct found *)context =
		(struct found){ store_get_number(&columns[0]), store_get_number(&columns[1]),
				store_get_number(&columns[2]), true };
	return 0;
}

/* Seconds farther than which nothing is put off: whoever wrote that had a clock that was ahead. */
#define TOO_FAR "7200"

static int find(struct store *store, const char *name, uint64_t now, struct found *ret,
		struct assay_error *err)
{
	static const struct store_statement get = {
		"tn",
		"SELECT last, up_to, attempts FROM webhook WHERE name = $1 AND (due <= $2 OR due > "
		"$2 + " TOO_FAR ") AND (lease <= $2 OR lease > $2 + " TOO_FAR ")",
		NULL,
	};
	const struct store_value values[] = { store_text(name), store_number(now) };

	*ret = (struct found){ .there = false };
	return store_run(store, &get, values, 1, take_found, ret, err);
}

/* Whoever was quicker has changed the lease: then there is no row. */
static int claim(struct store *store, const struct hook *hook, uint64_t now, bool *ret,
		 struct assay_error *err)
{
	static const struct store_statement take = {
		"nntnn",
		"UPDATE webhook SET up_to = $1, lease = $2 WHERE name = $3 AND last = $4 AND "
		"(lease "
		"<= $5 OR lease > $5 + " TOO_FAR ") RETURNING 1",
		NULL,
	};
	const struct store_value values[] = {
		store_number(hook->up_to),
		store_number(now + hook->settings->timeout + LEASE_SLACK),
		store_text(hook->settings->name),
		store_number(hook->last),
		store_number(now),
	};
	uint64_t mine = 0;
	int r = store_run(store, &take, values, 1, store_take_number, &mine, err);

	*ret = r == 0 && mine == 1;
	return r;
}

static int note_told(struct store *store, const struct hook *hook, struct assay_error *err)
{
	static const struct store_statement note = {
		"ntn",
		"UPDATE webhook SET last = $1, up_to = 0, attempts = 0, due = 0, lease = 0 WHERE "
		"name = $2 AND last = $3",
		NULL,
	};
	const struct store_value values[] = { store_number(hook->up_to),
					      store_text(hook->settings->name),
					      store_number(hook->last) };

	return store_run(store, &note, values, 1, NULL, NULL, err);
}

static int note_failed(struct store *store, const struct hook *hook, struct assay_error *err)
{
	static const struct store_statement note = {
		"nntn",
		"UPDATE webhook SET attempts = $1, due = $2, lease = 0 WHERE name = $3 AND last = "
		"$4",
		NULL,
	};
	const uint64_t attempts = hook->attempts + 1;
	const struct store_value values[] = { store_number(attempts),
					      store_number(fleet_now() + webhook_later(attempts)),
					      store_text(hook->settings->name),
					      store_number(hook->last) };

	return store_run(store, &note, values, 1, NULL, NULL, err);
}

/* ---------------------------------------------------------------- messages */

static void database_failed(struct hook *hook, const struct assay_error *err)
{
	hook->all->fleet->counts->failures++;
	fprintf(stderr, "<3>assay-fleet: the webhook %s waits: %s\n", hook->settings->name,
		err->text);
}

static void look_at(struct hook *hook);

static void answered(void *context, long status, struct bytes answer, const char *why)
{
	struct hook *hook = context;
	struct fleet *fleet = hook->all->fleet;
	struct assay_error err = { 0 };
	char escaped[256];
	bool told = status >= 200 && status < 300;
	int r;

	(void)answer;
	hook->busy = false;
	r = told ? note_told(fleet->store, hook, &err) : note_failed(fleet->store, hook, &err);
	if (told)
		fleet->counts->webhooks++;
	else
		fleet->counts->webhook_failures++;
	if (!told)
		fprintf(stderr, "<4>assay-fleet: the webhook %s was not taken: HTTP %ld %s\n",
			hook->settings->name, status,
			text_escape(BYTES((const uint8_t *)why, strlen(why)), escaped,
				    sizeof(escaped)));
	if (r < 0)
		database_failed(hook, &err);
	else if (told)
		look_at(hook);
}

/* The same bytes and the same id, however often it is tried. */
static char *make_body(struct hook *hook, struct assay_error *err)
{
	const struct changes_range range = { hook->last, hook->up_to, CHANGES_MAX,
					     hook->settings->changes == WEBHOOK_ALARMS };
	json_t *list = json_array();
	char *text;

	if (changes_between(hook->all->fleet->store, &range, list, err) < 0) {
		json_decref(list);
		return NULL;
	}
	json_t *message = json_pack("{s:i, s:s, s:s, s:o}", "assay", JSON_VERSION, "type",
				    "webhook", "webhook", hook->settings->name, "changes", list);

	text = json_dumps(message, JSON_COMPACT);
	json_decref(message);
	if (!text)
		assay_fail(err, ENOMEM, "out of memory");
	return text;
}

static int send_message(struct hook *hook, struct assay_error *err)
{
	CLEANUP(free_pointer) char *body = make_body(hook, err);
	CLEANUP(free_pointer) char *signature = NULL;
	char id[CONFIG_NAME_MAX + 32], id_header[sizeof(id) + 16], at_header[48],
		signature_header[128];
	uint64_t now = fleet_now();

	if (!body)
		return -err->code;
	struct fetch fetch = {
		.url = hook->settings->url,
		.ca = hook->settings->ca,
		.headers = { "Content-Type: application/json", id_header, at_header,
			     signature_header },
		.post = true,
		.body = { (const uint8_t *)body, strlen(body) },
		.timeout = hook->settings->timeout,
		.done = answered,
		.context = hook,
	};

	snprintf(id, sizeof(id), "%s-%" PRIu64, hook->settings->name, hook->up_to);
	signature = webhook_sign(buffer_bytes(&hook->secret), id, now, fetch.body);
	if (!signature)
		return assay_fail(err, ENOMEM, "out of memory");
	snprintf(id_header, sizeof(id_header), "webhook-id: %s", id);
	snprintf(at_header, sizeof(at_header), "webhook-timestamp: %" PRIu64, now);
	snprintf(signature_header, sizeof(signature_header), "webhook-signature: %s", signature);
	return fetch_begin(hook->all->fetcher, &fetch, err);
}

/* Is there anything that it was not told of, and nobody else telling? */
static int begin(struct hook *hook, struct assay_error *err)
{
	struct store *store = hook->all->fleet->store;
	struct changes_range range = { .limit = CHANGES_MAX,
				       .alarms = hook->settings->changes == WEBHOOK_ALARMS };
	uint64_t now = fleet_now();
	struct found found;
	bool mine = false;
	int r = find(store, hook->settings->name, now, &found, err);

	if (r < 0 || !found.there)
		return r;
	hook->last = range.after = found.last;
	hook->up_to = found.up_to;
	hook->attempts = found.attempts;
	if (hook->up_to == 0)
		r = changes_end(store, &range, &hook->up_to, err);
	if (r < 0 || hook->up_to == 0)
		return r;
	r = claim(store, hook, now, &mine, err);
	if (r < 0 || !mine)
		return r;
	r = send_message(hook, err);
	hook->busy = r == 0;
	return r;
}

static void look_at(struct hook *hook)
{
	struct assay_error err = { 0 };

	if (!hook->busy && begin(hook, &err) < 0)
		database_failed(hook, &err);
}

static void look(evutil_socket_t fd, short what, void *context)
{
	struct webhooks *webhooks = context;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < webhooks->count; i++)
		look_at(&webhooks->hooks[i]);
}

/* ---------------------------------------------------------------- all of them */

int webhooks_new(struct fleet *fleet, const struct fleet_config *config, struct fetcher *fetcher,
		 struct webhooks **ret, struct assay_error *err)
{
	const struct timeval second = { .tv_sec = 1 };
	struct webhooks *webhooks = calloc(1, sizeof(*webhooks));
	int r = 0;

	if (!webhooks)
		return assay_fail(err, ENOMEM, "out of memory");
	webhooks->fleet = fleet;
	webhooks->fetcher = fetcher;
	for (size_t i = 0; r == 0 && i < config->webhook_count; i++) {
		struct hook *hook = &webhooks->hooks[webhooks->count++];

		hook->all = webhooks;
		hook->settings = &config->webhooks[i];
		r = read_secret(hook->settings, &hook->secret, err);
		if (r == 0)
			r = add_row(fleet->store, hook->settings->name, err);
	}
	if (r == 0 && webhooks->count > 0) {
		webhooks->tick = event_new(fleet->base, -1, EV_PERSIST, look, webhooks);
		if (!webhooks->tick || event_add(webhooks->tick, &second) < 0)
			r = assay_fail(err, ENOMEM, "out of memory");
	}
	if (r < 0) {
		webhooks_free(webhooks);
		return r;
	}
	*ret = webhooks;
	return 0;
}

void webhooks_free(struct webhooks *webhooks)
{
	if (!webhooks)
		return;
	if (webhooks->tick)
		event_free(webhooks->tick);
	for (size_t i = 0; i < webhooks->count; i++)
		secret_free(&webhooks->hooks[i].secret);
	free(webhooks);
}
