/* SPDX-License-Identifier: MIT */
/*
 * Inside lib/verify: reference values of others while they are imported. Nobody but
 * policy_import*.c includes this.
 */
#ifndef ASSAY_VERIFY_POLICY_REFERENCES_H
#define ASSAY_VERIFY_POLICY_REFERENCES_H

#include <jansson.h>

#include "base/bytes.h"

#define REFERENCE_TEXT 200 /* bytes of foreign text in a warning */

/**
 * struct policy_references - what one import has brought
 * @digests: as of the policy's "ima.digests"
 * @allow: as of the policy's "allow"
 * @each, @context: told what is not taken over
 */
struct policy_references {
	json_t *digests;
	json_t *allow;
	void (*each)(void *context, const char *text);
	void *context;
	struct assay_error *err;
};

/* references_no_memory() - returns -ENOMEM, told */
int references_no_memory(struct policy_references *references);

/* references_warn() - a sentence, fit to print once its foreign text is */
void references_warn(struct policy_references *references, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* references_text() - foreign text for it; returns @text */
const char *references_text(struct bytes bytes, char text[static REFERENCE_TEXT]);

/* references_add_text() - to the array of that name in @object, once; false without memory */
bool references_add_text(json_t *object, const char *name, const char *text);

/*
 * references_add_digest() - a digest, in hexadecimal, of what IMA names so
 * @ret_problem: why it is not taken over, a sentence's end; set for 1 only
 *
 * Return: 0; 1 if it is not taken over; -ENOMEM
 */
int references_add_digest(struct policy_references *references, struct bytes name, const char *hex,
			  const char **ret_problem);

/* references_add_lines() - lists of digests and names, in whichever form sha256sum has */
int references_add_lines(struct policy_references *references, struct bytes text);

#endif /* ASSAY_VERIFY_POLICY_REFERENCES_H */
