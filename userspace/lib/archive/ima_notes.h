/* SPDX-License-Identifier: MIT */
/*
 * ima.json of the state directory: what of IMA's list the kernel has deleted, and what is mirrored
 * in assay's log. The service writes it; commands that put the list together read it.
 */
#ifndef ASSAY_ARCHIVE_IMA_NOTES_H
#define ASSAY_ARCHIVE_IMA_NOTES_H

#include "archive/archive_format.h"

#define IMA_NOTES_NAME "ima.json"

/**
 * struct ima_notes - what the archive does not tell
 * @boot_id: of the boot that the rest is about; empty: none
 * @before: the boot whose list a kexec has handed to this one; empty: none has
 * @deleted: entries that the kernel was told to delete
 * @deleting: it was about to be told to delete up to here; 0: not
 * @mirrored: entries mirrored in assay's log, by records before number @record
 */
struct ima_notes {
	char boot_id[ARCHIVE_BOOT_ID_TEXT];
	char before[ARCHIVE_BOOT_ID_TEXT];
	uint64_t deleted, deleting;
	uint64_t mirrored, record;
};

/* ima_notes_parse() - @text: the file's; -EINVAL, -EBADMSG for what it cannot be */
int ima_notes_parse(struct bytes text, struct ima_notes *ret, struct assay_error *err);

/* ima_notes_load() - zeros where there is no file */
int ima_notes_load(const char *path, struct ima_notes *ret, struct assay_error *err);
int ima_notes_save(const char *path, const struct ima_notes *notes, struct assay_error *err);

#endif /* ASSAY_ARCHIVE_IMA_NOTES_H */
