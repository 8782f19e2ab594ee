// SPDX-License-Identifier: MIT
/* The parts of evidence: the quote, and the logs of the kernel, of IMA and of the firmware. */
#include "quote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "archive/archive_join.h"
#include "base/file.h"
#include "base/machine.h"
#include "ima_list.h"
#include "log/cel.h"
#include "log/ima.h"
#include "log/pcrs.h"
#include "log/since.h"
#include "tpm/context.h"
#include "trust_files.h"

/* As base64 it still fits into evidence, beside assay's own log. */
#define IMA_LIMIT (EVIDENCE_MAX_SIZE / 2)
#define UEFI_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"
#define UEFI_LIMIT (16U << 20)
/* How often records get lost while evidence is collected before that is given up. */
#define COLLECT_TRIES 4

/* Why a log is not there, and that evidence can do without it. */
static int fail_log(const char *option, struct assay_error *err)
{
	struct assay_error reason = *err;

	return assay_fail(err, reason.code, "%.*s; or leave this log out with %s",
			  (int)sizeof(reason.text) - 64, reason.text, option);
}

int quote_log_info(struct assay_info *ret, struct assay_error *err)
{
	struct device device;
	int r = device_open(&device, DEVICE_READ, err);

	if (r < 0)
		return fail_log("--no-assay-log", err);
	r = device_info(&device, ret, err);
	device_close(&device);
	if (r < 0)
		return fail_log("--no-assay-log", err);
	if (ret->pcr >= TPM_PCR_COUNT)
		return assay_fail(err, EPROTO, "the module names PCR %u, which no TPM has",
				  ret->pcr);
	if (pcr_is_resettable(ret->pcr))
		return assay_fail(
			err, EPROTO,
			"the module anchors its log in PCR %u, which anyone can reset and "
			"extend to any value: load it with another (pcr=14)",
			ret->pcr);
	return 0;
}

/*
 * The log of before the quote and after it, in one: what was trimmed in between is in the
 * first. @after becomes it.
 *
 * Return: 0; -EAGAIN where records are in neither; -ENOMEM
 */
static int join_logs(const struct device_log_copy *before, struct device_log_copy *after,
		     struct assay_error *err)
{
	struct buffer joined = { 0 };
	uint64_t before_end = before->header.head + before->cel.size;
	size_t known;

	if (after->header.head == before->header.head)
		return 0;
	if (after->header.head < before->header.head || after->header.head > before_end)
		return assay_fail(err, EAGAIN, "the log was trimmed past its end");
	known = (size_t)(before_end - after->header.head);
	buffer_append_bytes(&joined, buffer_bytes(&before->cel));
	buffer_append(&joined, after->cel.data + known, after->cel.size - known);
	buffer_free(&after->cel);
	after->cel = joined;
	after->header = before->header;
	return joined.failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

/* The keys of the @count records from @first on, as far as the module gives them. */
static int add_keys(const struct device *device, uint64_t first, uint64_t count,
		    struct evidence *evidence, struct assay_error *err)
{
	uint8_t keys[64][ASSAY_KEY_SIZE];
	size_t limit = sizeof(keys) / sizeof(keys[0]);

	while (count > 0) {
		size_t wanted = count < limit ? (size_t)count : limit, got = 0;
		int r = device_keys(device, first, wanted, keys, &got, err);

		for (size_t i = 0; r == 0 && i < got; i++)
			r = evidence_add_key(evidence, first + i, keys[i], err);
		if (r < 0 || got < wanted)
			return r;
		first += got;
		count -= got;
	}
	return 0;
}

/*
 * The keys that the records do not tell: of the last one, and of those that were not anchored yet
 * when the one behind them was written. What is not anchored yet has none, which is for the
 * verifier to judge.
 */
static int collect_keys(struct evidence *evidence, struct assay_error *err)
{
	uint64_t next = evidence->assay_first, first = next;
	struct assay_content content;
	struct cel_record record;
	struct cel_reader reader;
	struct device device;
	int r = device_open(&device, DEVICE_READ, err);

	if (r < 0)
		return r;
	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), 0);
	while (r == 0 && cel_next(&reader, &record, NULL) > 0) {
		bool told = record.type == ASSAY_CEL_CONTENT &&
			    assay_content_parse(&record, &content, NULL) == 0 &&
			    content.chain.key.data;

		/* It tells the key of the one before it. */
		if (told && next > evidence->assay_first) {
			r = add_keys(&device, first, next - 1 - first, evidence, err);
			first = next;
		}
		next++;
	}
	if (r == 0)
		r = add_keys(&device, first, next - first, evidence, err);
	device_close(&device);
	return r == -ENOKEY ? 0 : r;
}

/* Puts @log's records from the wanted one on into the evidence. */
static int add_log(const struct quote_options *options, const struct device_log_copy *log,
		   struct evidence *evidence, struct assay_error *err)
{
	struct bytes cel = buffer_bytes(&log->cel);
	struct cel_record record;
	struct cel_reader reader;
	size_t offset = 0;
	int r = 0;

	cel_begin(&reader, cel, 0);
	evidence->assay_first = options->since;
	if (!options->has_since && cel_next(&reader, &record, NULL) > 0)
		evidence->assay_first = record.recnum;
	if (evidence->assay_first > 0) {
		evidence->assay_start_count = device_start_values(
			&log->header, evidence->assay_start, EVIDENCE_MAX_BANKS);
		r = log_since(cel, log->header.pcr, evidence->assay_first, evidence->assay_start,
			      evidence->assay_start_count, &offset, err);
	}
	evidence->has_assay_log = r == 0;
	evidence->assay_base = log->header.head + offset;
	buffer_append(&evidence->assay_cel, cel.data + offset, cel.size - offset);
	return r < 0 ? r : collect_keys(evidence, err);
}

/*
 * What was cut off the log, if that is wanted and was archived. Without an archive the evidence
 * begins where the log does, which may be what the verifier needs.
 */
static int add_archived(const struct quote_options *options, struct device_log_copy *log,
			struct assay_error *err)
{
	uint64_t from = options->has_since ? options->since : 0;
	int r;

	if (options->no_archive || log->header.head_recnum <= from)
		return 0;
	if (options->archive)
		return archive_join_path(options->archive, from, log, err);
	r = archive_join_boot(ARCHIVE_ROOT, from, log, err);
	if (r == -ENOENT || r == 0)
		return 0;
	return fail_log("--no-archive", err);
}

static int read_log(struct device_log_copy *ret, struct assay_error *err)
{
	return device_read_log(ret, err) < 0 ? fail_log("--no-assay-log", err) : 0;
}

bool quote_finds_uefi_log(const struct quote_options *options)
{
	struct stat status;

	return !options->no_uefi_log && stat(UEFI_LOG, &status) == 0;
}

/* One that the verifier has judged is not given again. */
static int read_uefi_log(const struct quote_options *options, struct evidence *evidence,
			 struct assay_error *err)
{
	if (file_read(UEFI_LOG, UEFI_LIMIT, &evidence->uefi_data, err) < 0)
		return fail_log("--no-uefi-log", err);
	evidence->has_uefi_log =
		options->since_uefi == 0 || evidence->uefi_data.size != options->since_uefi;
	if (!evidence->has_uefi_log)
		evidence->uefi_data.size = 0;
	return 0;
}

/* Leaves the first entries out, which the verifier has judged. */
static int leave_out_entries(uint64_t count, struct evidence *evidence, struct assay_error *err)
{
	struct buffer *list = &evidence->ima_data;
	struct ima_reader reader;
	struct ima_frame frame = { .end = 0 };

	ima_begin(&reader, buffer_bytes(list), evidence->ima_template_bank);
	for (uint64_t i = 0; i < count; i++) {
		int r = ima_skim(&reader, &frame, err);

		if (r < 0)
			return r;
		if (r == 0)
			return assay_fail(err, ERANGE,
					  "IMA's list has %" PRIu64 " entries; entry %" PRIu64
					  " is not due yet",
					  i, count);
	}
	evidence->ima_first = count;
	memmove(list->data, list->data + frame.end, list->size - frame.end);
	list->size -= frame.end;
	return 0;
}

/* All of the list, also where the service has deleted what it has archived. */
static int read_ima_log(const struct quote_options *options, enum assay_hash bank,
			struct evidence *evidence, struct assay_error *err)
{
	struct buffer data = { 0 };
	struct ima_whole whole;

	if (ima_list_whole(options->archive, bank, IMA_LIMIT, &data, &whole, err) < 0) {
		buffer_free(&data);
		return fail_log("--no-ima-log", err);
	}
	evidence->has_ima_log = true;
	evidence->ima_template_bank = whole.bank;
	evidence->ima_data = data;
	return options->since_ima > 0 ? leave_out_entries(options->since_ima, evidence, err) : 0;
}

static int add_pcrs(const struct tpm_pcrs *pcrs, struct evidence *evidence, struct assay_error *err)
{
	for (size_t i = 0; i < pcrs->count; i++) {
		const struct tpm_pcr_bank *bank = &pcrs->banks[i];

		for (unsigned int pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
			struct assay_digest value = { .hash = bank->hash,
						      .size = assay_hash_size(bank->hash) };
			int r;

			if ((bank->selected >> pcr & 1) == 0)
				continue;
			memcpy(value.bytes, bank->value[pcr], value.size);
			r = evidence_add_pcr(evidence, pcr, &value, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int quote_pcrs(const struct quote_options *options, const struct tpm_pcrs *pcrs,
		      struct evidence *evidence, struct tpm_quote *ret, struct assay_error *err)
{
	struct tpm_key *key = NULL;
	struct tpm *tpm;
	int r = tpm_options_open(&options->tpm, &tpm, err);

	if (r < 0)
		return r;
	r = tpm_options_key(&options->tpm, tpm, options->ak, &key, err);
	if (r == 0)
		r = tpm_quote(tpm, key, BYTES(options->nonce, options->nonce_size), pcrs, ret, err);
	if (r == 0) {
		buffer_append(&evidence->nonce, options->nonce, options->nonce_size);
		buffer_append_bytes(&evidence->ak_public, tpm_key_public_area(key));
		buffer_append_bytes(&evidence->attest, buffer_bytes(&ret->attest));
		buffer_append_bytes(&evidence->signature, buffer_bytes(&ret->signature));
		if (evidence->nonce.failed || evidence->ak_public.failed ||
		    evidence->attest.failed || evidence->signature.failed)
			r = assay_fail(err, ENOMEM, "cannot quote: out of memory");
	}
	tpm_key_unload(key);
	tpm_close(tpm);
	return r;
}

/*
 * The log is read before the quote and after it: what is in the quoted PCR is in the one or
 * the other, whatever is appended or trimmed meanwhile. The verifier replays what they come
 * to up to the quoted value.
 *
 * Return: as others; -EAGAIN where so much was trimmed that there is a gap
 */
static int quote_with_log(const struct quote_options *options, const struct tpm_pcrs *pcrs,
			  struct evidence *evidence, struct tpm_quote *quote,
			  struct assay_error *err)
{
	struct device_log_copy before = { 0 }, after = { 0 };
	int r = options->no_assay_log ? 0 : read_log(&before, err);

	if (r == 0)
		r = quote_pcrs(options, pcrs, evidence, quote, err);
	if (r == 0 && !options->no_assay_log) {
		r = read_log(&after, err);
		if (r == 0)
			r = join_logs(&before, &after, err);
		if (r == 0)
			r = add_archived(options, &after, err);
		if (r == 0)
			r = add_log(options, &after, evidence, err);
	}
	buffer_free(&before.cel);
	buffer_free(&after.cel);
	return r;
}

int quote_collect(const struct quote_options *options, const struct tpm_pcrs *pcrs,
		  struct evidence *evidence, struct tpm_quote *quote, struct assay_error *err)
{
	int r = quote_with_log(options, pcrs, evidence, quote, err);

	for (int i = 1; r == -EAGAIN && i < COLLECT_TRIES; i++) {
		evidence_free(evidence);
		tpm_quote_free(quote);
		r = quote_with_log(options, pcrs, evidence, quote, err);
	}
	if (r == 0)
		r = add_pcrs(&quote->pcrs, evidence, err);
	if (r == 0 && options->ak_certificate)
		r = trust_files_certificates(options->ak_certificate, &evidence->ak_certificate,
					     err);
	/* IMA's list only grows: what was quoted is in it. */
	if (r == 0 && !options->no_ima_log)
		r = read_ima_log(options, pcrs->banks[0].hash, evidence, err);
	if (r == 0 && quote_finds_uefi_log(options))
		r = read_uefi_log(options, evidence, err);
	if (r == 0)
		r = boot_id_read(evidence->boot_id, err);
	evidence->collected = (uint64_t)time(NULL);
	evidence->has_collected = true;
	return r;
}
