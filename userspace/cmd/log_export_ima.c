// SPDX-License-Identifier: MIT
/* `assay log export --ima`: all of IMA's list of this boot, for programs that read the kernel's. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/machine.h"
#include "ima_list.h"
#include "log.h"

#define STATE_DIRECTORY "/var/lib/assay"
#define EXPORT_MAX (1U << 30)

/* This boot's archive where the service has it by default. */
static int default_archive(char **ret, struct assay_error *err)
{
	char boot_id[BOOT_ID_TEXT];
	int r = boot_id_read(boot_id, err);

	*ret = NULL;
	if (r < 0)
		return r;
	if (asprintf(ret, STATE_DIRECTORY "/archive/%s", boot_id) >= 0)
		return 0;
	*ret = NULL;
	return assay_fail(err, ENOMEM, "out of memory");
}

int ima_list_whole(const char *archive, enum assay_hash bank, size_t limit, struct buffer *out,
		   struct ima_whole *ret, struct assay_error *err)
{
	CLEANUP(free_pointer) char *found = NULL;
	CLEANUP(free_pointer) char *notes = NULL;
	struct ima_places places = { .kernel = IMA_DIRECTORY };
	int r = archive ? 0 : default_archive(&found, err);

	if (r < 0)
		return r;
	places.archive = archive ? archive : found;
	if (asprintf(&notes, "%s/../../" IMA_NOTES_NAME, places.archive) < 0) {
		notes = NULL;
		return assay_fail(err, ENOMEM, "out of memory");
	}
	places.notes = notes;
	return ima_whole_read(&places, bank, limit, out, ret, err);
}

static int write_list(const char *output, struct bytes list, struct assay_error *err)
{
	if (output)
		return file_write(output, list, 0640, err);
	fwrite(list.data, 1, list.size, stdout);
	return 0;
}

int log_export_ima(const struct command *command, const char *archive, enum assay_hash bank,
		   const char *output)
{
	CLEANUP(buffer_free) struct buffer list = { 0 };
	struct ima_whole whole;
	struct assay_error err;
	int status;
	int r = ima_list_whole(archive, bank == ASSAY_HASH_NONE ? ASSAY_HASH_SHA256 : bank,
			       EXPORT_MAX, &list, &whole, &err);

	if (r == 0 && bank != ASSAY_HASH_NONE && whole.bank != bank)
		r = assay_fail(&err, ENOTSUP, "this kernel has no list of bank %s",
			       assay_hash_name(bank));
	if (r == 0)
		r = write_list(output, buffer_bytes(&list), &err);
	if (r < 0)
		return command_failed(command, &err);
	status = output ? EXIT_OK : command_flush(command);
	return status;
}
