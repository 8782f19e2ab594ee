/* SPDX-License-Identifier: MIT */
/*
 * ima.json of the state directory: what of IMA's list the kernel has deleted, and what is mirrored
 * in assay's log. The service writes it; commands that put the list together read it.
 */
#ifndef ASSAY_ARCHIVE_IMA_NOTES_H
#define ASSAY_ARCHIVE_IMA_NOTES_H

#include "archive/archive_format.h"

#define IMA_NOTES_NAME "ima.json"
/* Bytes for the name of a log's directory, with a NUL: BOOT-ID, BOOT-ID.1 and so on. */
#define IMA_NOTES_LOG (ARCHIVE_BOOT_ID_TEXT + 8)

/**
 * struct ima_notes - what the archive does not tell
 * @boot_id: of the boot that the rest is about; empty: none
 * @before: the boot whose list a kexec has handed to this one; empty: none has
 * @deleted: entries that the kernel does not have any more: its list begins with the one of this
 *           number, but where @behind says otherwise
 * @behind: a kexec has handed over less than what was archived. From the entry of this number on
 * the kernel's list is what is archived, and has it at its place behind @deleted; before that it
 *          has others of those that are archived. 0, or at most @deleted: that was not so
 * @deleting: it was about to be told to delete up to here; 0: not
 * @mirrored: entries mirrored in assay's log, by records before number @record
 * @log: which log that is: the name of its archive's directory; empty: not known
 */
struct ima_notes {
	char boot_id[ARCHIVE_BOOT_ID_TEXT];
	char before[ARCHIVE_BOOT_ID_TEXT];
	uint64_t deleted, deleting, behind;
	uint64_t mirrored, record;
	char log[IMA_NOTES_LOG];
};

/* ima_notes_kept() - number of the first archived entry whose place in the kernel's list is known
 */
uint64_t ima_notes_kept(const struct ima_notes *notes);

/* ima_notes_parse() - @text: the file's; -EINVAL, -EBADMSG for what it cannot be */
int ima_notes_parse(struct bytes text, struct ima_notes *ret, struct assay_error *err);

/* ima_notes_load() - zeros where there is no file */
int ima_notes_load(const char *path, struct ima_notes *ret, struct assay_error *err);
int ima_notes_save(const char *path, const struct ima_notes *notes, struct assay_error *err);

#endif /* ASSAY_ARCHIVE_IMA_NOTES_H */
