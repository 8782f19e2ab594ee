/* SPDX-License-Identifier: MIT */
/*
 * Reference values of others, as members of a policy: Keylime's runtime policies (and the
 * allowlists before them, in JSON), and lists of digests and paths as sha256sum writes them.
 * Pure.
 */
#ifndef ASSAY_VERIFY_POLICY_IMPORT_H
#define ASSAY_VERIFY_POLICY_IMPORT_H

#include <jansson.h>

#include "base/bytes.h"

#define IMPORT_MAX_SIZE (256U << 20) /* bytes of what is imported */

/* Told of each thing that was not taken over; @text is fit to print. */
typedef void (*import_warning)(void *context, const char *text);

/*
 * policy_import() - add what @text has to @policy
 * @text: JSON, or lines of a digest and a path
 * @policy: a policy's JSON; digests go to "ima.digests", exclusions to "allow", and
 *          "ima.unknown_files" becomes "refuse" where it says nothing
 *
 * Exclusions are regular expressions there and paths here: those that are a path, or all
 * below one, are taken over; others are not, which makes the policy stricter, and are told.
 *
 * Return: 0; -EBADMSG for text of neither form, with the line or the member; -ENOMEM
 */
int policy_import(struct bytes text, json_t *policy, import_warning each, void *context,
		  struct assay_error *err);

#endif /* ASSAY_VERIFY_POLICY_IMPORT_H */
