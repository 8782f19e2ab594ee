// SPDX-License-Identifier: MIT
#include "verify/evidence_binary.h"

#include <errno.h>

int evidence_check_binary(const struct buffer *buffer, size_t limit, const char *name,
			  struct assay_error *err)
{
	if (buffer->failed)
		return assay_fail(err, ENOMEM, "out of memory");
	if (buffer->size == 0)
		return assay_fail(err, EINVAL, "evidence needs \"%s\", and it is empty", name);
	if (buffer->size > limit)
		return assay_fail(err, EINVAL, "\"%s\" has %zu bytes; evidence holds at most %zu",
				  name, buffer->size, limit);
	return 0;
}

int evidence_get_binary(const json_t *object, const char *key, const char *what, size_t limit,
			struct json_lifted *lifted, struct buffer *out, struct assay_error *err)
{
	int r = json_take_base64(object, key, what, lifted, out, err);

	if (r < 0)
		return r;
	if (out->size == 0)
		return assay_fail(err, EBADMSG, "%s: \"%s\" is empty", what, key);
	if (out->size > limit)
		return assay_fail(err, EBADMSG, "%s: \"%s\" has %zu bytes; at most %zu are read",
				  what, key, out->size, limit);
	return 0;
}
