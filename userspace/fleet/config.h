/* SPDX-License-Identifier: MIT */
/*
 * The configuration: /etc/assay/assay-fleet.conf, then its drop-ins. In [serve] are the options of
 * `assay-fleet serve`, by the same table as on the command line; what else there is has a table of
 * its own in config.c. assay-fleet.conf(5) has every key; tests/lint manuals compares them.
 */
#ifndef ASSAY_FLEET_CONFIG_H
#define ASSAY_FLEET_CONFIG_H

#include "base/bytes.h"
#include "options.h"

#define CONFIG_FILE "/etc/assay/assay-fleet.conf"

#define CONFIG_WEBHOOKS_MAX 16
#define CONFIG_NAME_MAX 32 /* characters of a webhook's name */

/**
 * struct webhook_settings - [webhook NAME]: where changes are told
 * @url: as fetch_check_url() takes it
 * @secret: path of a file, or name of a credential
 * @ca: NULL: the system's
 * @changes: enum webhook_changes
 * @timeout: seconds
 */
struct webhook_settings {
	char name[CONFIG_NAME_MAX + 1];
	const char *url, *secret, *ca;
	int changes;
	unsigned int timeout;
};

enum webhook_changes { WEBHOOK_ALL, WEBHOOK_ALARMS };

/**
 * struct oidc_settings - [oidc]: whose tokens are believed; @issuer is NULL: nobody's
 * @keys: a file of a JWK set, or an https:// URL of one
 * @ca: of that URL
 * @claim: the member that says what its bearer is; @name: and who
 * @viewer, @operator, @approver: values of @claim for each role
 * @algorithms: that are taken; none: all that are known
 */
struct oidc_settings {
	const char *issuer, *audience, *keys, *ca, *claim, *name;
	struct option_texts viewer, operator, approver, algorithms;
};

/* struct fleet_config - start with {0}, end with config_free() */
struct fleet_config {
	struct option_texts kept; /* texts that all others point into */
	struct webhook_settings webhooks[CONFIG_WEBHOOKS_MAX];
	size_t webhook_count;
	struct oidc_settings oidc;
};

/*
 * config_parse() - take what a file says
 * @name: its name, for errors
 * @rows, @options: of [serve]; NULL: what is in there is not looked at
 *
 * Return: 0; -EINVAL with file, line and key, and what it must be; what settings_read() returns
 */
int config_parse(struct bytes text, const char *name, const struct option_row *rows, void *options,
		 struct fleet_config *config, struct assay_error *err);

/*
 * config_load() - the file @path and its drop-ins; then whether it is whole
 * @path: NULL: CONFIG_FILE, if it is there
 *
 * Return: as config_parse(); -ENOENT if a file that was named is not there
 */
int config_load(const char *path, const struct option_row *rows, void *options,
		struct fleet_config *config, struct assay_error *err);

void config_free(struct fleet_config *config);

#endif /* ASSAY_FLEET_CONFIG_H */
