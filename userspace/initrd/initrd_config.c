// SPDX-License-Identifier: MIT
#include "initrd_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/settings.h"

#define TIMEOUT_DEFAULT 120
#define TIMEOUT_MAX 3600
#define SHOWN_MAX 64

static const char *const deed_names[] = {
	[INITRD_CONTINUE] = "continue",
	[INITRD_EMERGENCY] = "emergency",
	[INITRD_POWEROFF] = "poweroff",
};

const char *initrd_deed_name(enum initrd_deed deed)
{
	return deed_names[deed];
}

static int refuse(const struct setting *setting, const char *wanted, struct assay_error *err)
{
	char text[SHOWN_MAX];

	return assay_fail(
		err, EINVAL, "%s must be %s, not '%s'", setting->key, wanted,
		text_escape(BYTES((const uint8_t *)setting->value, strlen(setting->value)), text,
			    sizeof(text)));
}

static int take_deed(const struct setting *setting, enum initrd_deed *ret, struct assay_error *err)
{
	for (size_t i = 0; i < sizeof(deed_names) / sizeof(*deed_names); i++) {
		if (strcmp(setting->value, deed_names[i]) == 0) {
			*ret = (enum initrd_deed)i;
			return 0;
		}
	}
	return refuse(setting, "continue, emergency or poweroff", err);
}

static int take_flag(const struct setting *setting, bool *ret, struct assay_error *err)
{
	*ret = strcmp(setting->value, "yes") == 0;
	if (*ret || strcmp(setting->value, "no") == 0)
		return 0;
	return refuse(setting, "yes or no", err);
}

static int take_seconds(const struct setting *setting, uint64_t *ret, struct assay_error *err)
{
	uint64_t value = 0;
	const char *at = setting->value;

	for (; *at >= '0' && *at <= '9' && value <= TIMEOUT_MAX; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (*at != '\0' || at == setting->value || value > TIMEOUT_MAX)
		return refuse(setting, "a number of seconds from 0, for none, to 3600", err);
	*ret = value;
	return 0;
}

static int take_path(const struct setting *setting, char ret[INITRD_PATH_MAX],
		     struct assay_error *err)
{
	size_t size = strlen(setting->value);

	if (setting->value[0] != '/' || size >= INITRD_PATH_MAX)
		return refuse(setting, "an absolute path", err);
	memcpy(ret, setting->value, size + 1);
	return 0;
}

static int take_mode(const struct setting *setting, enum ipe_mode *ret, struct assay_error *err)
{
	*ret = strcmp(setting->value, "enforce") == 0 ? IPE_MODE_ENFORCE : IPE_MODE_PERMISSIVE;
	if (*ret == IPE_MODE_ENFORCE || strcmp(setting->value, "permissive") == 0)
		return 0;
	return refuse(setting, "permissive or enforce", err);
}

static int fail_key(const struct setting *setting, const char *keys, struct assay_error *err)
{
	char text[SHOWN_MAX];

	return assay_fail(err, EINVAL, "there is no key '%s': %s; see assay-initrd(8)",
			  text_escape(BYTES((const uint8_t *)setting->key, strlen(setting->key)),
				      text, sizeof(text)),
			  keys);
}

static int take_enforce(struct initrd_enforce *enforce, const struct setting *setting,
			struct assay_error *err)
{
	if (strcmp(setting->key, "certificates") == 0)
		return take_path(setting, enforce->certificates, err);
	if (strcmp(setting->key, "require-signatures") == 0)
		return take_flag(setting, &enforce->require_signatures, err);
	if (strcmp(setting->key, "ipe-policy") == 0)
		return take_path(setting, enforce->ipe_policy, err);
	if (strcmp(setting->key, "ipe") == 0)
		return take_mode(setting, &enforce->ipe_mode, err);
	return fail_key(setting, "certificates, require-signatures, ipe-policy, ipe", err);
}

static int take_setting(void *context, const struct setting *setting, struct assay_error *err)
{
	struct initrd_config *config = context;

	if (strcmp(setting->section, "enforce") == 0)
		return take_enforce(&config->enforce, setting, err);
	if (strcmp(setting->section, "initrd") != 0)
		return assay_fail(err, EINVAL,
				  "there are the sections [initrd] and [enforce] alone");
	if (strcmp(setting->key, "on-failure") == 0)
		return take_deed(setting, &config->on_failure, err);
	if (strcmp(setting->key, "on-missing") == 0)
		return take_deed(setting, &config->on_missing, err);
	if (strcmp(setting->key, "read") == 0)
		return take_flag(setting, &config->read, err);
	if (strcmp(setting->key, "timeout") == 0)
		return take_seconds(setting, &config->timeout, err);
	return fail_key(setting, "on-failure, on-missing, read, timeout", err);
}

int initrd_config_load(const char *path, struct initrd_config *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	int r;

	*ret = (struct initrd_config){ .timeout = TIMEOUT_DEFAULT,
				       .enforce.ipe_mode = IPE_MODE_PERMISSIVE };
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = file_read_regular(path, SETTINGS_SIZE_MAX, &text, err);
	if (r == 0)
		r = settings_read(buffer_bytes(&text), path, take_setting, ret, err);
	return r;
}
