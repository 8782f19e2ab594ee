// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "verify/record.h"

#define SHOWN_MAX 80 /* bytes of a word that an error quotes */
#define ROWS_MAX 64  /* of a table, as options.c has it */
#define SERVE "serve"
#define OIDC "oidc"
#define WEBHOOK "webhook "

/* clang-format off */
static const struct option_row webhook_rows[] = {
	{ "url", 0, "URL", "where each is sent to: https://, or http:// to this machine",
	  OPTION_TEXT(struct webhook_settings, url) },
	{ "secret", 0, "PATH", "file with the secret that it is signed by",
	  OPTION_INPUT(struct webhook_settings, secret) },
	{ "ca", 0, "FILE", "whose certificates the receiver may have",
	  OPTION_INPUT(struct webhook_settings, ca) },
	{ "changes", 0, "all|alarms", "which are sent (all)",
	  OPTION_CHOICE(struct webhook_settings, changes) },
	{ "timeout", 0, "SECONDS", "that an answer may take (30)",
	  OPTION_NUMBER(struct webhook_settings, timeout, 1, 300) },
	OPTION_END,
};

static const struct option_row oidc_rows[] = {
	{ "issuer", 0, "URL", "who makes the tokens (iss)",
	  OPTION_TEXT(struct oidc_settings, issuer) },
	{ "audience", 0, "NAME", "for whom they are (aud)",
	  OPTION_TEXT(struct oidc_settings, audience) },
	{ "keys", 0, "FILE", "the issuer's keys, a JWK set: a file, or an https:// URL",
	  OPTION_INPUT(struct oidc_settings, keys) },
	{ "ca", 0, "FILE", "whose certificates that URL may have",
	  OPTION_INPUT(struct oidc_settings, ca) },
	{ "claim", 0, "NAME", "member that says what its bearer is (roles)",
	  OPTION_TEXT(struct oidc_settings, claim) },
	{ "name", 0, "NAME", "member that says who that is (sub)",
	  OPTION_TEXT(struct oidc_settings, name) },
	{ "viewer", 0, "VALUE", "of the claim, for viewers",
	  OPTION_TEXTS(struct oidc_settings, viewer) },
	{ "operator", 0, "VALUE", "of the claim, for operators",
	  OPTION_TEXTS(struct oidc_settings, operator) },
	{ "approver", 0, "VALUE", "of the claim, for approvers",
	  OPTION_TEXTS(struct oidc_settings, approver) },
	{ "algorithm", 0, "NAME", "that is taken: ES256, RS256, PS256, EdDSA (all of them)",
	  OPTION_TEXTS(struct oidc_settings, algorithms) },
	OPTION_END,
};
/* clang-format on */

/**
 * struct config_run - files being read
 * @serve: rows of [serve]; NULL: not looked at
 * @given: rows of each section that this file gave: serve, oidc, then webhooks
 */
struct config_run {
	const struct option_row *serve;
	void *options;
	struct fleet_config *config;
	bool given[2 + CONFIG_WEBHOOKS_MAX][ROWS_MAX];
};

/* struct place - where a section's settings go */
struct place {
	const struct option_row *rows;
	void *values;
	bool *given;
};

static const char *quote(const char *word, char text[SHOWN_MAX])
{
	return text_escape(BYTES((const uint8_t *)word, strlen(word)), text, SHOWN_MAX);
}

/* ---------------------------------------------------------------- sections */

static int find_webhook(struct config_run *run, const char *name, struct place *ret,
			struct assay_error *err)
{
	struct fleet_config *config = run->config;
	size_t i = 0;

	while (i < config->webhook_count && strcmp(config->webhooks[i].name, name) != 0)
		i++;
	if (i == CONFIG_WEBHOOKS_MAX)
		return assay_fail(err, EINVAL, "there are more than %d webhooks",
				  CONFIG_WEBHOOKS_MAX);
	if (i == config->webhook_count) {
		if (strlen(name) > CONFIG_NAME_MAX || !machine_id_valid(name))
			return assay_fail(err, EINVAL,
					  "a webhook's name has up to %d letters, digits, '-', '_' "
					  "and '.'",
					  CONFIG_NAME_MAX);
		config->webhooks[i] = (struct webhook_settings){ .timeout = 30 };
		memcpy(config->webhooks[i].name, name, strlen(name) + 1);
		config->webhook_count++;
	}
	*ret = (struct place){ webhook_rows, &config->webhooks[i], run->given[2 + i] };
	return 0;
}

static int find_place(struct config_run *run, const char *section, struct place *ret,
		      struct assay_error *err)
{
	char text[SHOWN_MAX];

	if (strcmp(section, SERVE) == 0)
		*ret = (struct place){ run->serve, run->options, run->given[0] };
	else if (strcmp(section, OIDC) == 0)
		*ret = (struct place){ oidc_rows, &run->config->oidc, run->given[1] };
	else if (strncmp(section, WEBHOOK, strlen(WEBHOOK)) == 0)
		return find_webhook(run, section + strlen(WEBHOOK), ret, err);
	else
		return assay_fail(err, EINVAL, "there is no section [%s]; see assay-fleet.conf(5)",
				  quote(section, text));
	return 0;
}

/* ---------------------------------------------------------------- settings */

static int keep(struct fleet_config *config, const char *value, const char **ret,
		struct assay_error *err)
{
	struct option_texts *kept = &config->kept;
	const char **list = reallocarray(kept->list, kept->count + 1, sizeof(*list));

	if (!list)
		return assay_fail(err, ENOMEM, "out of memory");
	kept->list = list;
	*ret = strdup(value);
	if (!*ret)
		return assay_fail(err, ENOMEM, "out of memory");
	list[kept->count++] = *ret;
	return 0;
}

/* Errors of the table are those of the command line: there, names have dashes. */
static int tell(struct assay_error *err, const char *section, const char *key, int r,
		const struct assay_error *why)
{
	char name[SHOWN_MAX], where[SHOWN_MAX];

	if (r == -ENOENT)
		return assay_fail(err, EINVAL, "[%s] has no key '%s'; see assay-fleet.conf(5)",
				  quote(section, where), quote(key, name));
	return assay_fail(err, -r, "in [%s] %s", quote(section, where),
			  strncmp(why->text, "--", 2) == 0 ? why->text + 2 : why->text);
}

static int take_setting(void *context, const struct setting *setting, struct assay_error *err)
{
	struct config_run *run = context;
	const struct option_row *row = NULL;
	struct place place = { 0 };
	const char *value = NULL;
	struct assay_error why = { 0 };
	size_t number;
	int r = find_place(run, setting->section, &place, err);

	if (r < 0 || !place.rows)
		return r;
	r = keep(run->config, setting->value, &value, err);
	if (r < 0)
		return r;
	/* A file cannot name the files of settings. */
	r = strcmp(setting->key, "config") == 0 || strcmp(setting->key, "check") == 0 ?
		    -ENOENT :
		    options_set(place.rows, setting->key, value, place.values, &row, &why);
	if (r < 0)
		return tell(err, setting->section, setting->key, r, &why);
	number = (size_t)(row - place.rows);
	if (number >= ROWS_MAX || (place.given[number] && !row->repeatable))
		return assay_fail(err, EINVAL, "%s is given twice in [%s]", row->name,
				  setting->section);
	place.given[number] = true;
	return 0;
}

static int parse_file(void *context, struct bytes text, const char *name, struct assay_error *err)
{
	struct config_run *run = context;

	memset(run->given, 0, sizeof(run->given));
	return settings_read(text, name, take_setting, run, err);
}

int config_parse(struct bytes text, const char *name, const struct option_row *rows, void *options,
		 struct fleet_config *config, struct assay_error *err)
{
	struct config_run run = { .serve = rows, .options = options, .config = config };

	return parse_file(&run, text, name, err);
}

/* ---------------------------------------------------------------- all of it */

static int check(const struct fleet_config *config, struct assay_error *err)
{
	const struct oidc_settings *oidc = &config->oidc;

	for (size_t i = 0; i < config->webhook_count; i++)
		if (!config->webhooks[i].url || !config->webhooks[i].secret)
			return assay_fail(err, EINVAL, "[webhook %s] needs url and secret",
					  config->webhooks[i].name);
	if (!oidc->issuer && !oidc->audience && !oidc->keys)
		return 0;
	if (!oidc->issuer || !oidc->audience || !oidc->keys)
		return assay_fail(err, EINVAL, "[oidc] needs issuer, audience and keys");
	if (oidc->viewer.count + oidc->operator.count + oidc->approver.count == 0)
		return assay_fail(err, EINVAL, "[oidc] has no value for a role: nobody is let in");
	return 0;
}

int config_load(const char *path, const struct option_row *rows, void *options,
		struct fleet_config *config, struct assay_error *err)
{
	struct config_run *run = calloc(1, sizeof(*run));
	int r;

	if (!run)
		return assay_fail(err, ENOMEM, "out of memory");
	*run = (struct config_run){ .serve = rows, .options = options, .config = config };
	if (path && access(path, F_OK) < 0)
		r = assay_fail(err, errno, "cannot read %s: %s", path, strerror(errno));
	else
		r = settings_load(path ? path : CONFIG_FILE, parse_file, run, err);
	free(run);
	if (r == 0) {
		r = check(config, err);
		if (r < 0)
			assay_fail_context(err, "%s", path ? path : CONFIG_FILE);
	}
	return r;
}

void config_free(struct fleet_config *config)
{
	for (size_t i = 0; i < config->kept.count; i++)
		free((void *)(uintptr_t)config->kept.list[i]);
	option_texts_free(&config->kept);
	option_texts_free(&config->oidc.viewer);
	option_texts_free(&config->oidc.operator);
	option_texts_free(&config->oidc.approver);
	option_texts_free(&config->oidc.algorithms);
	*config = (struct fleet_config){ 0 };
}
