// SPDX-License-Identifier: MIT
#include "import/notes.h"

#include <stdio.h>
#include <string.h>

#define NOTE_MAX 512
#define NAME_SHOWN 100 /* bytes of a foreign name */

void import_note(const struct import_notes *notes, const char *format, ...)
{
	char text[NOTE_MAX];
	va_list args;

	if (!notes || !notes->each)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	notes->each(notes->context, text);
}

void import_note_member(const struct import_notes *notes, const char *what, const char *name)
{
	char shown[NAME_SHOWN];

	import_note(notes, "left out: \"%s\" of %s, which is not known",
		    text_escape(BYTES((const uint8_t *)name, strlen(name)), shown, sizeof(shown)),
		    what);
}

void import_note_others(const struct import_notes *notes, const char *what, const json_t *object,
			const char *const known[])
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		size_t i = 0;

		while (known[i] && strcmp(name, known[i]) != 0)
			i++;
		if (!known[i])
			import_note_member(notes, what, name);
	}
}
