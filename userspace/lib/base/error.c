// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "assay.h"

int assay_fail(struct assay_error *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		err->code = code;
		va_start(args, format);
		vsnprintf(err->text, sizeof(err->text), format, args);
		va_end(args);
	}
	return -code;
}

int assay_fail_context(struct assay_error *err, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	int used;

	if (!err)
		return -EINVAL;
	va_start(args, format);
	used = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (used >= 0 && (size_t)used < sizeof(text))
		snprintf(text + used, sizeof(text) - (size_t)used, ": %.*s",
			 (int)(sizeof(text) - (size_t)used), err->text);
	memcpy(err->text, text, sizeof(text));
	return -err->code;
}
