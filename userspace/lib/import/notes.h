/* SPDX-License-Identifier: MIT */
/* What an import tells besides its result: each thing that was not taken over, by its name. */
#ifndef ASSAY_IMPORT_NOTES_H
#define ASSAY_IMPORT_NOTES_H

#include <jansson.h>

#include "base/bytes.h"

/**
 * struct import_notes - who is told
 * @each: NULL if nobody is; @text is one sentence without its full stop, fit to print
 */
struct import_notes {
	void (*each)(void *context, const char *text);
	void *context;
};

/* import_note() - tell something; foreign text in it must be escaped */
void import_note(const struct import_notes *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* import_note_member() - "member "name" of what is not known", of foreign JSON */
void import_note_member(const struct import_notes *notes, const char *what, const char *name);

/*
 * import_note_others() - import_note_member() of each member that is not known
 * @known: names, ended by NULL
 */
void import_note_others(const struct import_notes *notes, const char *what, const json_t *object,
			const char *const known[]);

#endif /* ASSAY_IMPORT_NOTES_H */
