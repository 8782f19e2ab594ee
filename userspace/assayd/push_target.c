// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* strdup() */
#include "push_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/credential.h"

void push_target_free(struct push_target *target)
{
	free(target->certificate);
	free(target->key);
	free(target->ca);
	free(target->url);
	free(target->proxy);
	free(target->unix_socket);
	*target = (struct push_target){ 0 };
}

static int find_name(const struct config *config, struct push_target *target,
		     struct assay_error *err)
{
	const char *name = config->push.name;
	int r;

	if (name[0] == '\0') {
		r = machine_id_read(target->name, err);
		return r < 0 ? assay_fail_context(err, "name of [push]") : 0;
	}
	if (strlen(name) >= sizeof(target->name))
		return assay_fail(err, EINVAL, "name of [push] has more than %zu characters",
				  sizeof(target->name) - 1);
	memcpy(target->name, name, strlen(name) + 1);
	return 0;
}

int push_target_read(const struct config *config, struct push_target *ret, struct assay_error *err)
{
	int r;

	*ret = (struct push_target){ 0 };
	r = find_name(config, ret, err);
	if (r == 0)
		r = credential_path(config->push.ca, &ret->ca, err);
	if (r == 0)
		r = credential_path(config->push.certificate, &ret->certificate, err);
	if (r == 0)
		r = credential_path(config->push.key, &ret->key, err);
	if (r < 0)
		return r;
	ret->url = strdup(config->push.url);
	ret->proxy = strdup(config->push.proxy);
	ret->unix_socket = strdup(config->push.unix_socket);
	if (!ret->url || !ret->proxy || !ret->unix_socket)
		return assay_fail(err, ENOMEM, "out of memory");
	ret->settings = (struct push_settings){
		.url = ret->url,
		.name = ret->name,
		.unix_socket = ret->unix_socket,
		.ca = ret->ca,
		.certificate = ret->certificate,
		.key = ret->key,
		.proxy = ret->proxy,
		.timeout = (unsigned int)(config->push.timeout / 1000),
	};
	return push_settings_check(&ret->settings, err);
}
