// SPDX-License-Identifier: MIT
#include "import.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "evidence_file.h"

static void note(void *context, const char *text)
{
	struct import_run *run = context;

	fprintf(stderr, "assay %s: %s\n", run->command->name, text);
	json_array_append_new(run->notes, json_text(text));
}

int import_begin(struct import_run *run, const struct command *command, struct assay_error *err)
{
	*run = (struct import_run){ .command = command, .notes = json_array() };
	run->told = (struct import_notes){ note, run };
	return run->notes ? 0 : assay_fail(err, ENOMEM, "out of memory");
}

void import_end(struct import_run *run)
{
	json_decref(run->notes);
	run->notes = NULL;
}

int import_read(const char *path, struct buffer *out, struct assay_error *err)
{
	return file_read(path, EVIDENCE_MAX_SIZE, out, err);
}

static int add_ak(const char *path, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	r = import_ak(buffer_bytes(&content), evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int add_certificate(const char *path, struct evidence *evidence, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	buffer_free(&evidence->ak_certificate);
	r = import_certificate(buffer_bytes(&content), evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int add_ima(const struct import_run *run, const char *path, struct evidence *evidence,
		   struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	if (evidence->has_ima_log)
		import_note(&run->told, "IMA's list that is in there gives way to the one that was "
					"given");
	buffer_free(&evidence->ima_data);
	r = import_ima_list(buffer_bytes(&content), &run->told, evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

static int add_uefi(const struct import_run *run, const char *path, struct evidence *evidence,
		    struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer content = { 0 };
	int r = import_read(path, &content, err);

	if (r < 0)
		return r;
	if (evidence->has_uefi_log)
		import_note(&run->told, "the firmware's log that is in there gives way to the one "
					"that was given");
	buffer_free(&evidence->uefi_data);
	r = import_uefi_log(buffer_bytes(&content), evidence, err);
	return r < 0 ? assay_fail_context(err, "%s", path) : 0;
}

int import_add_files(const struct import_run *run, const struct import_files *files,
		     struct evidence *evidence, struct assay_error *err)
{
	int r = 0;

	if (evidence->ak_public.size == 0 && evidence->ak_key.size == 0 && files->ak)
		r = add_ak(files->ak, evidence, err);
	if (r == 0 && files->certificate)
		r = add_certificate(files->certificate, evidence, err);
	if (r == 0 && files->ima)
		r = add_ima(run, files->ima, evidence, err);
	if (r == 0 && files->uefi)
		r = add_uefi(run, files->uefi, evidence, err);
	return r;
}

int import_finish(const struct import_run *run, const struct import_files *files,
		  const struct evidence *evidence)
{
	struct assay_error err;

	if (evidence_file_write(files->out, evidence, &err) < 0)
		return command_failed(run->command, &err);
	if (files->json)
		return command_emit_json(
			&command_import,
			json_pack("{s:o, s:i, s:I, s:I, s:O}", "evidence",
				  command_text_json(files->out), "pcr_count",
				  (int)evidence->pcr_count, "ima_log_bytes",
				  (json_int_t)evidence->ima_data.size, "uefi_log_bytes",
				  (json_int_t)evidence->uefi_data.size, "notes", run->notes));
	printf("%s: quote of %zu PCR value%s", files->out, evidence->pcr_count,
	       evidence->pcr_count == 1 ? "" : "s");
	if (evidence->has_ima_log)
		printf(", IMA's log (%zu bytes)", evidence->ima_data.size);
	if (evidence->has_uefi_log)
		printf(", UEFI's log (%zu bytes)", evidence->uefi_data.size);
	putchar('\n');
	return command_flush(run->command);
}
