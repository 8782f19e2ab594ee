// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "assay.h"

/*
 * A sentence that was too long is cut between characters and ends in "...".
 * @length: what it would have had
 */
static void cut_text(char text[sizeof(((struct assay_error *)0)->text)], int length)
{
	size_t end = sizeof(((struct assay_error *)0)->text) - sizeof("...");

	if (length < 0 || (size_t)length < sizeof(((struct assay_error *)0)->text))
		return;
	/* Back to the first byte of the character that stands there. */
	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, "...", sizeof("..."));
}

int assay_fail(struct assay_error *err, int code, const char *format, ...)
{
	va_list args;

	if (err) {
		err->code = code;
		va_start(args, format);
		cut_text(err->text, vsnprintf(err->text, sizeof(err->text), format, args));
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
		used += snprintf(text + used, sizeof(text) - (size_t)used, ": %s", err->text);
	cut_text(text, used);
	memcpy(err->text, text, sizeof(text));
	return -err->code;
}
