/* SPDX-License-Identifier: MIT */
/* Whom the part `push` attests to, by the configuration. For push.c. */
#ifndef ASSAY_ASSAYD_PUSH_TARGET_H
#define ASSAY_ASSAYD_PUSH_TARGET_H

#include "base/machine.h"
#include "config.h"
#include "push/http.h"

/**
 * struct push_target - copies: a request may outlive the configuration that it was made by
 * @settings: their texts are what follows; .url is NULL if there is nobody
 */
struct push_target {
	struct push_settings settings;
	char *certificate, *key, *ca, *url, *proxy, *unix_socket;
	char name[MACHINE_ID_TEXT];
};

/*
 * push_target_read() - as the configuration has it, credentials found
 * @ret: push_target_free() it, also on failure
 *
 * Return: 0; -EINVAL and others, with the key that is off
 */
int push_target_read(const struct config *config, struct push_target *ret, struct assay_error *err);
void push_target_free(struct push_target *target);

#endif /* ASSAY_ASSAYD_PUSH_TARGET_H */
