// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "kept_verdict.h"
#include "kept_verdict_internal.h"
#include "verify/library_read.h"
#include "verify/verdict.h"

#define NANOSECONDS 1000000000U
/* Nearly all that packs well does so at once: names that all have. */
#define PACK_LEVEL 1

static void put_text8(struct buffer *out, struct bytes text)
{
	size_t size = text.size < UINT8_MAX ? text.size : UINT8_MAX;

	buffer_append_u8(out, (uint8_t)size);
	buffer_append(out, text.data, size);
}

static void put_text16(struct buffer *out, struct bytes text)
{
	size_t size = text.size < UINT16_MAX ? text.size : UINT16_MAX;

	buffer_append_be16(out, (uint16_t)size);
	buffer_append(out, text.data, size);
}

static struct bytes text_of(const char *text)
{
	return BYTES((const uint8_t *)text, strlen(text));
}

static void put_checks(const struct verdict *verdict, struct buffer *out)
{
	buffer_append_u8(out, CHECK_COUNT);
	for (int i = 0; i < CHECK_COUNT; i++) {
		const check_mask bit = CHECK_BIT(i);

		put_text8(out, text_of(check_name((enum check)i)));
		buffer_append_u8(out, (verdict->required & bit ? KEPT_REQUIRED : 0) |
					      (verdict->passed & bit ? KEPT_PASSED : 0) |
					      (verdict->failed & bit ? KEPT_FAILED : 0));
		put_text16(out, text_of(verdict->detail[i]));
	}
}

static void put_logs(const struct verdict *verdict, struct buffer *out)
{
	size_t manifests = verdict->manifest_count < VERDICT_MANIFESTS ? verdict->manifest_count :
									 VERDICT_MANIFESTS;

	buffer_append_be64(out, verdict->assay_log.records);
	buffer_append_be64(out, verdict->assay_log.covered);
	buffer_append_be64(out, verdict->ima_log.records);
	buffer_append_be64(out, verdict->ima_log.covered);
	buffer_append_be64(out, verdict->files);
	buffer_append_u8(out, (uint8_t)manifests);
	for (size_t i = 0; i < manifests; i++) {
		put_text8(out, text_of(verdict->manifests[i].id));
		put_text8(out, text_of(verdict->manifests[i].created));
		put_text8(out, text_of(verdict->manifests[i].product));
	}
}

/* KEPT_STATES for one that is not known. */
static enum kept_state state_of(const struct assay_verify_file *file)
{
	static const uint32_t states[KEPT_STATES] = {
		[KEPT_STATE_FAILED] = ASSAY_VERIFY_FILE_FAILED,
		[KEPT_STATE_DIFFERS] = ASSAY_VERIFY_FILE_DIFFERS,
		[KEPT_STATE_UNKNOWN] = ASSAY_VERIFY_FILE_UNKNOWN,
		[KEPT_STATE_ALLOWED] = ASSAY_VERIFY_FILE_ALLOWED,
		[KEPT_STATE_SIGNED] = ASSAY_VERIFY_FILE_SIGNED,
		[KEPT_STATE_MATCHES] = ASSAY_VERIFY_FILE_MATCHES,
	};
	int state = 0;

	while (state < KEPT_STATES && states[state] != file->state)
		state++;
	return (enum kept_state)state;
}

static void put_file(const struct assay_verify_file *file, enum kept_state state,
		     struct buffer *out)
{
	size_t shown = file->path.size < KEPT_PATH_MAX ? file->path.size : KEPT_PATH_MAX;

	buffer_append_u8(out, (uint8_t)state);
	buffer_append_u8(out, file->flags & ASSAY_VERIFY_BY_IMA ? KEPT_BY_IMA : 0);
	buffer_append_be64(out, file->number);
	put_text16(out, BYTES(file->path.data, shown));
	put_text8(out, BYTES(file->digest.bytes, file->digest.size));
	put_text8(out, BYTES(file->expected.bytes, file->expected.size));
}

static void put_files(const struct assay_verdict *verdict, struct buffer *out)
{
	uint64_t counts[KEPT_STATES + 1] = { 0 };
	size_t files = assay_verdict_files(verdict), left = KEPT_FILES_MAX;
	struct assay_verify_file file;

	for (size_t i = 0; i < files; i++)
		if (assay_verdict_file(verdict, i, &file) == ASSAY_VERIFY_OK)
			counts[state_of(&file)]++;
	files -= (size_t)counts[KEPT_STATES];
	buffer_append_u8(out, KEPT_STATES);
	for (int state = 0; state < KEPT_STATES; state++) {
		buffer_append_u8(out, (uint8_t)state);
		buffer_append_be64(out, counts[state]);
	}
	left = files < KEPT_FILES_MAX ? files : KEPT_FILES_MAX;
	buffer_append_be16(out, (uint16_t)left);
	for (int state = 0; state < KEPT_STATES; state++) {
		uint64_t wanted = counts[state] < left ? counts[state] : left;

		left -= (size_t)wanted;
		for (size_t i = 0; wanted > 0; i++) {
			if (assay_verdict_file(verdict, i, &file) != ASSAY_VERIFY_OK ||
			    state_of(&file) != (enum kept_state)state)
				continue;
			put_file(&file, (enum kept_state)state, out);
			wanted--;
		}
	}
}

static void put_records(const struct assay_verdict *verdict, struct buffer *out)
{
	size_t count = assay_verdict_records(verdict);
	size_t first = count > KEPT_RECORDS_MAX ? count - KEPT_RECORDS_MAX : 0;
	struct assay_verify_record record = { .number = 0 };

	buffer_append_be16(out, (uint16_t)(count - first));
	for (size_t i = first; i < count; i++) {
		(void)assay_verdict_record(verdict, i, &record);
		buffer_append_be64(out, record.number);
		put_text8(out, text_of(record.kind ? record.kind : "unknown"));
		buffer_append_be64(out, record.time / NANOSECONDS);
		buffer_append_be64(out, record.files);
		buffer_append_be64(out, record.events);
		buffer_append_be64(out, record.ima);
	}
}

/* One for all frames: making one takes longer than packing a verdict. NULL without memory. */
static ZSTD_CCtx *packer(void)
{
	static _Thread_local ZSTD_CCtx *kept;

	if (!kept)
		kept = ZSTD_createCCtx();
	return kept;
}

int kept_verdict_pack(const struct assay_verdict *verdict, struct buffer *out,
		      struct assay_error *err)
{
	const struct verdict *made = library_verdict(verdict);
	ZSTD_CCtx *context = packer();
	struct buffer plain = { 0 };
	size_t bound, size = 0;
	void *place;

	buffer_append_u8(&plain, KEPT_VERSION);
	put_checks(made, &plain);
	put_logs(made, &plain);
	put_files(verdict, &plain);
	put_records(verdict, &plain);
	bound = ZSTD_compressBound(plain.size);
	place = plain.failed || !context ? NULL : buffer_reserve(out, bound);
	if (place)
		size = ZSTD_compressCCtx(context, place, bound, plain.data, plain.size, PACK_LEVEL);
	buffer_free(&plain);
	if (!place || ZSTD_isError(size))
		return assay_fail(err, ENOMEM, "out of memory");
	out->size += size;
	return 0;
}
