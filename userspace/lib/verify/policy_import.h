/* SPDX-License-Identifier: MIT */
/*
 * Reference values of others, as members of a policy: Keylime's runtime policies (and the
 * allowlists before them), and lists of digests and paths as sha256sum writes them.
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
 * @text: JSON, or lines of a digest and a name: of sha256sum(1), also with -z or --tag, and of
 *        the flat allowlists that Keylime had
 * @policy: a policy's JSON; digests go to "ima.digests", exclusions to "allow", and
 *          "ima.unknown_files" becomes "refuse" where it says nothing
 *
 * What is not taken over makes the policy stricter, and is told: a digest or a line that is
 * none, a name that is not UTF-8. Exclusions are regular expressions there and paths here:
 * those that are a path, or all below one, are taken over; digests of what they are of are
 * not, since Keylime looks at exclusions first. Names that IMA writes alike are told.
 *
 * Return: 0; -EBADMSG for text of neither form, or of which no line can be taken over, with the
 *         line or the member; -ENOMEM. @policy is as it was unless it is 0
 */
int policy_import(struct bytes text, json_t *policy, import_warning each, void *context,
		  struct assay_error *err);

#endif /* ASSAY_VERIFY_POLICY_IMPORT_H */
