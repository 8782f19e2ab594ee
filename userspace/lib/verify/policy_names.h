/* SPDX-License-Identifier: MIT */
/* Names of "ima.digests" that IMA writes alike. Pure; for lib/verify. */
#ifndef ASSAY_VERIFY_POLICY_NAMES_H
#define ASSAY_VERIFY_POLICY_NAMES_H

#include <jansson.h>

#include "assay.h"

/*
 * policy_names_alike() - find members of @object with different names that IMA writes alike
 * @each: called for each such name after the first, with the one before it
 *
 * Return: 0, -ENOMEM
 */
int policy_names_alike(const json_t *object,
		       void (*each)(void *context, const char *first, const char *second),
		       void *context, struct assay_error *err);

#endif /* ASSAY_VERIFY_POLICY_NAMES_H */
