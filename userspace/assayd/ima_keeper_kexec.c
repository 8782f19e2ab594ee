// SPDX-License-Identifier: MIT
/*
 * Another boot than the one that was kept. A kexec leaves the PCR as it is. If the kernel hands
 * over what it has of the list (CONFIG_IMA_KEXEC), entries of the boot before are in it; but it may
 * have had none, as all of them were archived and deleted, or hand over none. Then the PCR tells:
 * it is what the list comes to from where the archive of the boot before ends, and not from zeros.
 * Or it hands over less than was archived: that is found when the list is joined.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ima_keeper_steps.h"

int ima_boot_directory(const struct ima_keeper *keeper, const char *boot_id, char **ret,
		       struct assay_error *err)
{
	if (asprintf(ret, "%s/%s", keeper->service->config->archive.directory, boot_id) >= 0)
		return 0;
	*ret = NULL;
	return assay_fail(err, ENOMEM, "out of memory");
}

int ima_boot_begin(struct ima_keeper *keeper, enum ima_carried carried, struct assay_error *err)
{
	const struct ima_notes *before = &keeper->notes;
	struct ima_notes notes = { 0 };

	memcpy(notes.boot_id, keeper->service->boot_id, sizeof(notes.boot_id));
	if (carried != IMA_NOT_CARRIED) {
		notes.deleted = before->deleted;
		notes.behind = before->behind;
		/* The next kernel was handed what it was about to delete, or not: its list tells.
		 */
		keeper->perhaps_deleted = before->deleting;
		notes.mirrored = before->mirrored;
		notes.record = before->record;
		memcpy(notes.log, before->log, sizeof(notes.log));
		memcpy(notes.before, before->boot_id, sizeof(notes.before));
	}
	keeper->notes = notes;
	return carried == IMA_MAY_BE_CARRIED ? 0 : ima_keeper_note(keeper, err);
}

int ima_boot_follow(struct ima_keeper *keeper, enum ima_carried *carried, char **ret_directory,
		    struct assay_error *err)
{
	int r;

	if (!keeper->notes.before[0] || !archive_writer_is_empty(keeper->writer))
		return 0;
	r = ima_boot_directory(keeper, keeper->notes.before, ret_directory, err);
	if (r == 0)
		r = archive_writer_follow(keeper->writer, *ret_directory, err);
	/* Nothing of that list is in the kernel's. */
	if (r == 0 && *carried == IMA_MAY_BE_CARRIED)
		keeper->notes.deleted = archive_writer_next(keeper->writer);
	if (r != -ENODATA && r != -ENOENT)
		return r;
	/* That boot was not archived: all that the kernel has is. */
	free(*ret_directory);
	*ret_directory = NULL;
	*carried = IMA_NOT_CARRIED;
	keeper->notes.before[0] = '\0';
	keeper->notes.deleted = keeper->notes.behind = 0;
	return 0;
}
