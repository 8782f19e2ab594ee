/* SPDX-License-Identifier: MIT */
/* A binary member of evidence, of 1 to @limit bytes. Only for evidence*.c. */
#ifndef ASSAY_VERIFY_EVIDENCE_BINARY_H
#define ASSAY_VERIFY_EVIDENCE_BINARY_H

#include "base/json.h"

/* evidence_check_binary() - before it is written. Return: 0, -EINVAL, -ENOMEM */
int evidence_check_binary(const struct buffer *buffer, size_t limit, const char *name,
			  struct assay_error *err);

/* evidence_get_binary() - append what is read. Return: 0, -EBADMSG, -ENOMEM */
int evidence_get_binary(const json_t *object, const char *key, const char *what, size_t limit,
			struct json_lifted *lifted, struct buffer *out, struct assay_error *err);

#endif /* ASSAY_VERIFY_EVIDENCE_BINARY_H */
