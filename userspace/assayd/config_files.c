// SPDX-License-Identifier: MIT
/* The configuration's files. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/settings.h"

/* Keys at most: see config_run.given. */
#define KEYS_MAX 256
#define SHOWN_MAX 80 /* bytes of a word that an error quotes */

/**
 * struct config_run - a file being read
 * @given: keys that stand in the file, which may be there once
 */
struct config_run {
	struct config *config;
	bool given[KEYS_MAX];
};

static int take_setting(void *context, const struct setting *setting, struct assay_error *err)
{
	struct config_run *run = context;
	const struct config_key *key = config_find(setting->section, setting->key);
	char name[SHOWN_MAX], section[SHOWN_MAX];
	struct assay_error why;
	size_t number;
	int r;

	text_escape(BYTES((const uint8_t *)setting->key, strlen(setting->key)), name, sizeof(name));
	text_escape(BYTES((const uint8_t *)setting->section, strlen(setting->section)), section,
		    sizeof(section));
	if (!key)
		return assay_fail(err, EINVAL, "[%s] has no key '%s'; see assayd.conf(5)", section,
				  name);
	number = (size_t)(key - config_keys);
	if (number >= KEYS_MAX || (key->type != CONFIG_LIST && run->given[number]))
		return assay_fail(err, EINVAL, "%s is given twice in [%s]", name, section);
	run->given[number] = true;
	r = config_set(run->config, key, setting->value, &why);
	if (r < 0)
		return assay_fail(err, -r, "%s in [%s] %s", name, section, why.text);
	return 0;
}

int config_parse(struct config *config, struct bytes text, const char *name,
		 struct assay_error *err)
{
	struct config_run run = { .config = config };

	return settings_read(text, name, take_setting, &run, err);
}

static int parse_file(void *context, struct bytes text, const char *name, struct assay_error *err)
{
	return config_parse(context, text, name, err);
}

int config_load(const char *path, struct config **ret, struct assay_error *err)
{
	struct config *config;
	int r = config_new(&config, err);

	if (r < 0)
		return r;
	r = settings_load(path, parse_file, config, err);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*ret = config;
	return 0;
}
