// SPDX-License-Identifier: MIT
/* What `assay quote` writes: evidence, in assay's form, Keylime's or a CMW, and its parts. */
#define _GNU_SOURCE /* open_memstream() */
#include "quote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/compress.h"
#include "base/file.h"
#include "base/json.h"
#include "evidence_file.h"
#include "evidence_parts.h"
#include "import/pcr_file.h"
#include "log/cel.h"
#include "log/ima.h"
#include "report/cmw.h"
#include "tpm/context.h"
#include "tpm/ek.h"

/* The endorsement key that `assay enroll` would take, else the one that every TPM has. */
static int read_ek(const struct quote_options *options, struct buffer *out, struct assay_error *err)
{
	enum tpm_ek_template template = TPM_EK_RSA2048_LOW;
	struct buffer unused = { 0 };
	struct tpm_ek *ek = NULL;
	struct tpm *tpm;
	int r = tpm_options_open(&options->tpm, &tpm, err);

	if (r < 0)
		return r;
	if (tpm_ek_certificate(tpm, TPM_EK_ANY, &template, &unused, NULL) < 0)
		template = TPM_EK_RSA2048_LOW;
	r = tpm_ek_open(tpm, template, &ek, err);
	if (r == 0)
		buffer_append_bytes(out, tpm_ek_public_area(ek));
	tpm_ek_close(ek);
	tpm_close(tpm);
	buffer_free(&unused);
	return r == 0 && out->failed ? assay_fail(err, ENOMEM, "out of memory") : r;
}

static int write_body(FILE *stream, const void *body, struct assay_error *err)
{
	return json_write(stream, json_incref((json_t *)body), "the evidence", err);
}

static int write_keylime(const struct quote_options *options, const struct evidence *evidence,
			 struct keylime_left_out *ret_left_out, struct assay_error *err)
{
	struct buffer pcrs = { 0 }, ek = { 0 };
	json_t *body = NULL;
	int r = read_ek(options, &ek, err);

	if (r == 0)
		r = pcr_file_write(evidence, &pcrs, err);
	if (r == 0)
		r = keylime_evidence(evidence, buffer_bytes(&pcrs), buffer_bytes(&ek), &body,
				     ret_left_out, err);
	if (r == 0)
		r = file_write_by(options->out, 0666, write_body, body, err);
	json_decref(body);
	buffer_free(&pcrs);
	buffer_free(&ek);
	return r;
}

static int write_frame(FILE *stream, const void *evidence, struct assay_error *err)
{
	FILE *frame;
	int r = compress_open(stream, &frame, err);

	if (r < 0)
		return r;
	r = evidence_write(frame, evidence, err);
	if (fclose(frame) == EOF && r == 0)
		r = assay_fail(err, errno, "it cannot be compressed: %s", strerror(errno));
	return r;
}

/* In assay's own form. */
static int write_own(const struct quote_options *options, const struct evidence *evidence,
		     struct assay_error *err)
{
	if (options->compress)
		return file_write_by(options->out, 0666, write_frame, evidence, err);
	return evidence_file_write(options->out, evidence, err);
}

/* In assay's own form, as one record. */
static int write_cmw(const struct quote_options *options, const struct evidence *evidence,
		     struct assay_error *err)
{
	CLEANUP(free_pointer) char *text = NULL;
	CLEANUP(buffer_free) struct buffer out = { 0 };
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	struct cmw message = { .type = CMW_TYPE_EVIDENCE, .indicator = CMW_EVIDENCE };
	int r;

	if (!stream)
		return assay_fail(err, ENOMEM, "out of memory");
	r = evidence_write(stream, evidence, err);
	if (fclose(stream) == EOF && r == 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	message.value = BYTES((const uint8_t *)text, size);
	if (options->format == QUOTE_CMW_CBOR)
		cmw_write_cbor_record(&message, &out);
	else
		cmw_write_record(&message, &out);
	if (out.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	return file_write(options->out, buffer_bytes(&out), 0666, err);
}

static int write_format(const struct quote_options *options, const struct evidence *evidence,
			struct keylime_left_out *ret_left_out, struct assay_error *err)
{
	switch (options->format) {
	case QUOTE_KEYLIME:
		return write_keylime(options, evidence, ret_left_out, err);
	case QUOTE_CMW:
	case QUOTE_CMW_CBOR:
		return write_cmw(options, evidence, err);
	default:
		return write_own(options, evidence, err);
	}
}

int quote_write(const struct quote_options *options, const struct evidence *evidence,
		struct keylime_left_out *ret_left_out, struct assay_error *err)
{
	int r = write_format(options, evidence, ret_left_out, err);

	if (r == 0 && options->export)
		r = evidence_parts_write(options->export, evidence, err);
	return r;
}

/* Number behind the last record of assay's log; 0 without it. */
static uint64_t next_record(const struct evidence *evidence)
{
	uint64_t next = evidence->assay_first;
	struct cel_record record;
	struct cel_reader reader;

	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), 0);
	while (cel_next(&reader, &record, NULL) > 0)
		next = record.recnum + 1;
	return next;
}

/* From the boot on, with those that are left out. */
static uint64_t count_entries(const struct evidence *evidence)
{
	struct ima_reader reader;
	struct ima_frame frame;
	uint64_t count = evidence->ima_first;

	if (!evidence->has_ima_log)
		return 0;
	ima_begin(&reader, buffer_bytes(&evidence->ima_data), evidence->ima_template_bank);
	while (ima_skim(&reader, &frame, NULL) == 1)
		count++;
	return count;
}

static json_t *summary_json(const char *path, const struct evidence *evidence,
			    const struct keylime_left_out *left_out)
{
	json_t *value = json_pack("{s:o, s:i, s:I, s:I, s:I, s:I, s:I, s:I}", "evidence",
				  command_text_json(path), "pcr_count", (int)evidence->pcr_count,
				  "assay_log_first", (json_int_t)evidence->assay_first,
				  "assay_log_next", (json_int_t)next_record(evidence),
				  "assay_log_bytes", (json_int_t)evidence->assay_cel.size,
				  "ima_log_entries", (json_int_t)count_entries(evidence),
				  "ima_log_bytes", (json_int_t)evidence->ima_data.size,
				  "uefi_log_bytes", (json_int_t)evidence->uefi_data.size);
	json_t *reasons = json_array();
	int bad = 0;

	for (size_t i = 0; i < left_out->count; i++)
		bad |= json_array_append_new(reasons, json_string(left_out->reason[i]));
	bad |= json_object_set_new(value, "left_out", reasons);
	if (bad == 0)
		return value;
	json_decref(value);
	return NULL;
}

int quote_print(const struct quote_options *options, const struct evidence *evidence,
		const struct keylime_left_out *left_out)
{
	const char *path = options->out;

	if (options->json)
		return command_emit_json(&command_quote, summary_json(path, evidence, left_out));
	for (size_t i = 0; i < left_out->count; i++)
		fprintf(stderr, "assay quote: left out: %s\n", left_out->reason[i]);
	printf("%s: quote of %zu PCR value%s", path, evidence->pcr_count,
	       evidence->pcr_count == 1 ? "" : "s");
	if (evidence->has_assay_log && evidence->assay_first > 0)
		printf(", assay's log from record %llu (%zu bytes)",
		       (unsigned long long)evidence->assay_first, evidence->assay_cel.size);
	else if (evidence->has_assay_log)
		printf(", assay's log (%zu bytes)", evidence->assay_cel.size);
	if (evidence->has_ima_log)
		printf(", IMA's log (%zu bytes)", evidence->ima_data.size);
	if (evidence->has_uefi_log)
		printf(", UEFI's log (%zu bytes)", evidence->uefi_data.size);
	else if (!options->no_uefi_log && options->since_uefi == 0)
		printf(", no log of the firmware, since the kernel has none");
	putchar('\n');
	return command_flush(&command_quote);
}
