// SPDX-License-Identifier: MIT
#include "import/systemd_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "import/parts.h"
#include "log/cel_content.h"
#include "log/cel_json.h"
#include "log/pcrs.h"
#include "verify/proven.h"

#define WHAT "the report's event log"
#define PCRS_SHOWN 80			/* characters of the numbers of all PCRs */
#define LOCALITY_NAME "StartupLocality" /* with its NUL: PFP 10.4.5.3 */

/*
 * What the log is made of.
 * @firmware: the firmware's log, written anew
 * @quoted: bit n: PCR n is quoted
 * @own: bit n: systemd itself extended PCR n; @own_records of them
 * @unquoted: bit n: the firmware extended PCR n, which is not quoted
 * @others: records that the firmware's log has no place for
 */
struct event_log {
	struct buffer cel;
	struct buffer firmware;
	uint32_t quoted, own, unquoted;
	uint64_t own_records, others;
};

static void event_log_free(struct event_log *log)
{
	buffer_free(&log->cel);
	buffer_free(&log->firmware);
}

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "out of memory");
}

/* ---------------------------------------------------------------- the firmware's log */

static void put_le16(struct buffer *out, uint16_t value)
{
	buffer_append_u8(out, (uint8_t)value);
	buffer_append_u8(out, (uint8_t)(value >> 8));
}

static void put_le32(struct buffer *out, uint32_t value)
{
	put_le16(out, (uint16_t)value);
	put_le16(out, (uint16_t)(value >> 16));
}

/* TCG_EfiSpecIDEvent, PFP 10.4.5.1, with the banks of @record, and the event of the old form that
 * holds it. */
static void put_header(struct buffer *out, const struct cel_record *record)
{
	CLEANUP(buffer_free) struct buffer data = { 0 };
	static const uint8_t no_digest[20];

	buffer_append(&data, "Spec ID Event03", sizeof("Spec ID Event03"));
	put_le32(&data, 0);		     /* platformClass: client */
	buffer_append(&data, "\0\2\0\2", 4); /* version 2.0, errata 0, 64 bits */
	put_le32(&data, (uint32_t)record->digest_count);
	for (size_t i = 0; i < record->digest_count; i++) {
		put_le16(&data, (uint16_t)record->digests[i].hash);
		put_le16(&data, (uint16_t)record->digests[i].size);
	}
	buffer_append_u8(&data, 0); /* vendorInfoSize */
	put_le32(out, 0);
	put_le32(out, UEFI_EV_NO_ACTION);
	buffer_append(out, no_digest, sizeof(no_digest));
	put_le32(out, (uint32_t)data.size);
	buffer_append_bytes(out, buffer_bytes(&data));
	out->failed |= data.failed;
}

/* TCG_PCR_EVENT2, PFP 10.2.2 */
static void put_event(struct buffer *out, uint32_t pcr, uint32_t type,
		      const struct cel_record *record, bool zeros, struct bytes data)
{
	static const uint8_t zero[ASSAY_DIGEST_MAX];

	put_le32(out, pcr);
	put_le32(out, type);
	put_le32(out, (uint32_t)record->digest_count);
	for (size_t i = 0; i < record->digest_count; i++) {
		put_le16(out, (uint16_t)record->digests[i].hash);
		buffer_append(out, zeros ? zero : record->digests[i].bytes,
			      record->digests[i].size);
	}
	put_le32(out, (uint32_t)data.size);
	buffer_append_bytes(out, data);
}

/*
 * put_firmware() - the log of the firmware, as far as the records are of it and of quoted PCRs:
 * of the others, nothing proves what they say
 * @locality: from where the TPM was started; 0: nothing is said of it
 */
static int put_firmware(struct event_log *log, uint8_t locality, struct assay_error *err)
{
	uint8_t started[sizeof(LOCALITY_NAME) + 1] = LOCALITY_NAME;
	struct cel_reader reader;
	struct cel_record record;
	int r;

	started[sizeof(LOCALITY_NAME)] = locality;
	log->firmware.size = 0;
	cel_begin(&reader, buffer_bytes(&log->cel), 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		struct bytes data;
		uint32_t type;

		if (record.pcr == CEL_NO_PCR || !(log->quoted & 1U << record.pcr) ||
		    cel_pcclient_parse(&record, &type, &data, NULL) < 0)
			continue;
		if (log->firmware.size == 0) {
			put_header(&log->firmware, &record);
			if (locality > 0)
				put_event(&log->firmware, 0, UEFI_EV_NO_ACTION, &record, true,
					  BYTES(started, sizeof(started)));
		}
		put_event(&log->firmware, record.pcr, type, &record, false, data);
	}
	if (r == 0 && log->firmware.failed)
		r = out_of_memory(err);
	return r;
}

/* ---------------------------------------------------------------- the values of the PCRs */

static int add_values(const struct pcrs *pcrs, const struct tpm_attest *attest,
		      struct evidence *evidence, struct assay_error *err)
{
	for (size_t i = 0; i < attest->selection_count; i++) {
		const struct tpm_pcr_selection *selection = &attest->selections[i];
		size_t bank = 0;

		while (bank < pcrs->bank_count && pcrs->banks[bank].hash != selection->bank)
			bank++;
		if (bank == pcrs->bank_count)
			return assay_fail(err, EBADMSG,
					  WHAT " has no digests of the bank that is quoted");
		for (unsigned int pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
			int r = 0;

			if (selection->mask & 1U << pcr)
				r = evidence_add_pcr(evidence, pcr, &pcrs->banks[bank].values[pcr],
						     err);
			if (r == -ENOMEM)
				return r;
			if (r < 0) {
				err->code = EBADMSG;
				return assay_fail_context(err, "the quote's selection");
			}
		}
	}
	return 0;
}

static enum assay_hash hash_of_size(size_t size)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						  ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (assay_hash_size(hashes[i]) == size)
			return hashes[i];
	return ASSAY_HASH_NONE;
}

/* Are these the values that the quote is of? */
static bool are_quoted(const struct evidence *evidence, const struct tpm_attest *attest)
{
	struct quoted_pcrs *quoted = NULL;
	bool good = quoted_pcrs_new(evidence, attest, hash_of_size(attest->pcr_digest.size),
				    &quoted, NULL) == 0;

	quoted_pcrs_free(quoted);
	return good;
}

/* The values that the log comes to, where PCR 0 begins with that locality. */
static int replay_from(const struct event_log *log, uint8_t locality,
		       const struct tpm_attest *attest, struct evidence *evidence,
		       struct assay_error *err)
{
	struct pcrs_start starts[TPM_MAX_SELECTIONS];
	struct pcrs_request request = { .starts = starts };
	struct pcrs *pcrs = malloc(sizeof(*pcrs));
	int r;

	if (!pcrs)
		return out_of_memory(err);
	for (size_t i = 0; i < attest->selection_count; i++) {
		enum assay_hash bank = attest->selections[i].bank;
		struct pcrs_start *start = &starts[request.start_count++];

		*start = (struct pcrs_start){ .value = { .hash = bank,
							 .size = assay_hash_size(bank) } };
		if (start->value.size == 0) {
			free(pcrs);
			return assay_fail(err, EBADMSG, "the quote is of a bank that is not known");
		}
		start->value.bytes[start->value.size - 1] = locality;
	}
	evidence->pcr_count = 0;
	r = pcrs_of_cel(buffer_bytes(&log->cel), &request, pcrs, err);
	if (r == 0)
		r = add_values(pcrs, attest, evidence, err);
	free(pcrs);
	return r;
}

/*
 * systemd leaves out the event that says from which locality the TPM was started. There are three,
 * and by only one of them can the log come to what is quoted.
 */
static int find_values(const struct event_log *log, const struct tpm_attest *attest,
		       const struct import_notes *notes, uint8_t *ret_locality,
		       struct evidence *evidence, struct assay_error *err)
{
	static const uint8_t localities[] = { 0, 3, 4 };

	*ret_locality = 0;
	for (size_t i = 0; i < sizeof(localities); i++) {
		int r = replay_from(log, localities[i], attest, evidence, err);

		if (r < 0)
			return r;
		if (!are_quoted(evidence, attest))
			continue;
		*ret_locality = localities[i];
		if (localities[i] > 0)
			import_note(notes,
				    "the TPM was started from locality %u: the report does not say "
				    "so, the quoted PCR 0 does",
				    localities[i]);
		return 0;
	}
	import_note(notes, WHAT " does not come to the PCRs that are quoted: they are taken as the "
				"log has them");
	return replay_from(log, 0, attest, evidence, err);
}

/* ---------------------------------------------------------------- the records */

/* "bootId" of systemd's own records: the boot's id without its dashes. */
static void take_boot_id(const struct cel_record *record, struct evidence *evidence)
{
	static const uint8_t groups[] = { 8, 4, 4, 4, 12 };
	CLEANUP(json_decref_pointer) json_t *content = NULL;
	char boot_id[EVIDENCE_BOOT_ID_LENGTH + 1] = "";
	const char *text;
	char *place = boot_id;

	if (json_parse(record->value, WHAT, &content, NULL) < 0)
		return;
	text = json_string_value(json_object_get(content, "bootId"));
	if (!text || strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32)
		return;
	for (size_t i = 0; i < sizeof(groups); i++) {
		if (i > 0)
			*place++ = '-';
		memcpy(place, text, groups[i]);
		place += groups[i];
		text += groups[i];
	}
	*place = '\0';
	memcpy(evidence->boot_id, boot_id, sizeof(boot_id));
}

static int read_records(struct event_log *log, struct evidence *evidence, struct assay_error *err)
{
	struct cel_reader reader;
	struct cel_record record;
	int r;

	cel_begin(&reader, buffer_bytes(&log->cel), 0);
	while ((r = cel_next(&reader, &record, err)) > 0) {
		struct bytes data;
		uint32_t type;

		if (record.type == CEL_SYSTEMD && record.pcr < TPM_PCR_COUNT) {
			log->own |= 1U << record.pcr;
			log->own_records++;
			take_boot_id(&record, evidence);
		} else if (record.pcr == CEL_NO_PCR ||
			   cel_pcclient_parse(&record, &type, &data, NULL) < 0) {
			log->others++;
		} else {
			log->unquoted |= 1U << record.pcr & ~log->quoted;
		}
	}
	return r;
}

static const char *pcrs_text(uint32_t mask, char text[PCRS_SHOWN])
{
	text[0] = '\0';
	for (unsigned int pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
		size_t used = strlen(text);

		if (mask & 1U << pcr)
			snprintf(text + used, PCRS_SHOWN - used, "%s%u", used > 0 ? "," : "", pcr);
	}
	return text;
}

static void tell_records(const struct event_log *log, const struct import_notes *notes)
{
	char pcrs[PCRS_SHOWN];

	if (log->own_records > 0)
		import_note(notes,
			    "left out: %llu records of systemd's own, of PCR %s: what it extended "
			    "behind the firmware, a policy may take (uefi.extended_later)",
			    (unsigned long long)log->own_records, pcrs_text(log->own, pcrs));
	if (log->unquoted)
		import_note(
			notes,
			"left out: the firmware's records of PCR %s, which is not quoted: nothing "
			"proves them",
			pcrs_text(log->unquoted, pcrs));
	if (log->others > 0)
		import_note(notes,
			    "left out: %llu records that are of no PCR, or neither the "
			    "firmware's nor systemd's",
			    (unsigned long long)log->others);
}

static int read_json(const json_t *records, struct buffer *out, struct assay_error *err)
{
	char *text = json_dumps(records, JSON_COMPACT);
	int r;

	if (!text)
		return out_of_memory(err);
	r = cel_json_read(BYTES((const uint8_t *)text, strlen(text)), out, err);
	free(text);
	return r < 0 ? assay_fail_context(err, WHAT) : 0;
}

int systemd_log_import(const json_t *records, const struct tpm_attest *attest,
		       const struct import_notes *notes, struct evidence *evidence,
		       struct assay_error *err)
{
	CLEANUP(event_log_free) struct event_log log = { 0 };
	uint8_t locality = 0;
	int r;

	if (!json_is_array(records) || json_array_size(records) == 0)
		return assay_fail(err, EBADMSG,
				  "the signature has no \"eventLog\", and so nothing says what the "
				  "quoted PCRs are");
	for (size_t i = 0; i < attest->selection_count; i++)
		log.quoted |= attest->selections[i].mask;
	r = read_json(records, &log.cel, err);
	if (r == 0)
		r = read_records(&log, evidence, err);
	if (r == 0)
		r = find_values(&log, attest, notes, &locality, evidence, err);
	if (r == 0)
		r = put_firmware(&log, locality, err);
	if (r < 0)
		return r;
	tell_records(&log, notes);
	if (log.firmware.size == 0) {
		import_note(notes, WHAT " has no record of the firmware");
		return 0;
	}
	import_note(notes, "the firmware's log is written anew from the records, without the "
			   "events that extend nothing");
	return import_uefi_log(buffer_bytes(&log.firmware), evidence, err);
}
