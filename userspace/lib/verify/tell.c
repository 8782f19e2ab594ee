// SPDX-License-Identifier: MIT
#include "verify/tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What does not fit is cut between characters. Returns the bytes that it has. */
static __attribute__((format(printf, 3, 0))) size_t tell(char *text, size_t capacity,
							 const char *format, va_list args)
{
	int length = vsnprintf(text, capacity, format, args);

	return length >= 0 && (size_t)length < capacity ? (size_t)length : text_end_whole(text);
}

bool check_tell(bool result, char *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(detail, CHECK_DETAIL_MAX, format, args);
	va_end(args);
	return result;
}

enum check_result check_skip(char *detail, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(detail, CHECK_DETAIL_MAX, format, args);
	va_end(args);
	return CHECK_SKIPPED;
}

const char *check_digest_text(const struct assay_digest *digest, char text[DIGEST_TEXT])
{
	hex_encode(BYTES(digest->bytes, digest->size), text);
	return text;
}

const char *check_pcrs_text(uint32_t mask, const char *separator, char text[static PCRS_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int pcr = 0; pcr < 32; pcr++)
		if (mask & UINT32_C(1) << pcr)
			used += (size_t)snprintf(text + used, PCRS_TEXT - used, "%s%u",
						 used ? separator : "", pcr);
	return text;
}

const char *check_pcrs_named(uint32_t mask, char text[static PCRS_TEXT])
{
	char list[PCRS_TEXT];

	snprintf(text, PCRS_TEXT, "PCR%s %s", mask & (mask - 1) ? "s" : "",
		 check_pcrs_text(mask, ",", list));
	return text;
}

void findings_add(struct findings *findings, const char *format, ...)
{
	size_t room = sizeof(findings->text) - findings->used;
	va_list args;
	int length;

	if (findings->count++ >= NAMED_FINDINGS)
		return;
	length = snprintf(findings->text + findings->used, room, "%s", findings->used ? "; " : "");
	findings->used += (size_t)length < room ? (size_t)length : room - 1;
	room = sizeof(findings->text) - findings->used;
	va_start(args, format);
	findings->used += tell(findings->text + findings->used, room, format, args);
	va_end(args);
}

bool findings_tell(const struct findings *findings, char *detail)
{
	uint64_t more = findings->count > NAMED_FINDINGS ? findings->count - NAMED_FINDINGS : 0;

	char named[CHECK_DETAIL_MAX - sizeof("; and  more") - 20];

	if (more > 0) {
		memcpy(named, findings->text, sizeof(named) - 1);
		named[sizeof(named) - 1] = '\0';
		if (findings->used >= sizeof(named))
			(void)text_end_whole(named);
		return check_tell(false, detail, "%s; and %llu more", named,
				  (unsigned long long)more);
	}
	return check_tell(false, detail, "%s", findings->text);
}
