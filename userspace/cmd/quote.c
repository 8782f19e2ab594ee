// SPDX-License-Identifier: MIT
/* `assay quote`: the attester's part, evidence for a verifier. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "log/cel.h"
#include "log/device.h"
#include "log/since.h"
#include "tpm/context.h"
#include "tpm/ek.h"
#include "tpm/key.h"
#include "tpm/quote.h"
#include "verify/evidence.h"
#include "verify/keylime_evidence.h"
#include "verify/policy.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define IMA_DIRECTORY "/sys/kernel/security/ima"
#define IMA_LIST IMA_DIRECTORY "/binary_runtime_measurements"
/* As base64 it still fits into evidence, beside assay's own log. */
#define IMA_LIMIT (EVIDENCE_MAX_SIZE / 2)
#define IMA_PCR 10 /* CONFIG_IMA_MEASURE_PCR_IDX */
#define UEFI_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"
#define UEFI_LIMIT (16U << 20)
/* What firmware and boot loader measure into, and what IMA's boot_aggregate is made of. */
#define BOOT_PCRS UINT32_C(0x3ff)
/* How often records get lost while evidence is collected before that is given up. */
#define COLLECT_TRIES 4

struct quote_options {
	const char *tcti, *ak, *out, *export;
	const char *pcrs;   /* NULL: those of the logs, and of the policy */
	const char *policy; /* NULL: none */
	const char *banks;
	uint8_t nonce[TPM_NONCE_MAX];
	size_t nonce_size;
	uint64_t since; /* number of the first record wanted */
	bool has_since;
	bool no_assay_log, no_ima_log, no_uefi_log, keylime, json;
};

/* --------------------------------------------------------------- selection */

static bool parse_pcrs(const char *text, uint32_t *ret)
{
	uint32_t selected = 0;

	for (;;) {
		char *end;
		unsigned long pcr = strtoul(text, &end, 10);

		if (text[0] < '0' || text[0] > '9' || pcr >= TPM_PCR_COUNT)
			return false;
		selected |= UINT32_C(1) << pcr;
		if (*end == '\0')
			break;
		if (*end != ',')
			return false;
		text = end + 1;
	}
	*ret = selected;
	return true;
}

static bool parse_number(const char *text, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > INT64_MAX)
		return false;
	*ret = value;
	return true;
}

/* "sha256,sha1": each once. */
static bool parse_banks(const char *text, struct tpm_pcrs *ret)
{
	struct tpm_pcrs pcrs = { 0 };

	for (;;) {
		size_t length = strcspn(text, ",");
		enum assay_hash hash;
		char name[16];

		if (length >= sizeof(name) || pcrs.count == TPM_BANK_MAX)
			return false;
		memcpy(name, text, length);
		name[length] = '\0';
		hash = assay_hash_by_name(name);
		if (hash == ASSAY_HASH_NONE)
			return false;
		for (size_t i = 0; i < pcrs.count; i++)
			if (pcrs.banks[i].hash == hash)
				return false;
		pcrs.banks[pcrs.count++].hash = hash;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*ret = pcrs;
	return true;
}

/* The PCRs that a policy asks for, and the banks in which it has values for them. */
static int add_policy(const char *path, struct tpm_pcrs *pcrs, uint32_t *selected,
		      struct assay_error *err)
{
	struct buffer text = { 0 };
	struct policy policy = { 0 };
	int r = file_read(path, POLICY_MAX_SIZE, &text, err);

	if (r == 0) {
		r = policy_parse(buffer_bytes(&text), &policy, err);
		if (r < 0)
			assay_fail_context(err, "%s", path);
	}
	*selected |= policy.rules.pcrs;
	for (size_t i = 0; r == 0 && i < policy.rules.pcr_value_count; i++) {
		const struct policy_pcr *value = &policy.rules.pcr_values[i];
		size_t bank = 0;

		*selected |= UINT32_C(1) << value->index;
		while (bank < pcrs->count && pcrs->banks[bank].hash != value->bank)
			bank++;
		if (bank == pcrs->count && bank < TPM_BANK_MAX)
			pcrs->banks[pcrs->count++].hash = value->bank;
	}
	policy_free(&policy);
	buffer_free(&text);
	return r;
}

/* ------------------------------------------------------------------ pieces */

/* Why a log is not there, and that evidence can do without it. */
static int fail_log(const char *option, struct assay_error *err)
{
	struct assay_error reason = *err;

	return assay_fail(err, reason.code, "%.*s; or leave this log out with %s",
			  (int)sizeof(reason.text) - 64, reason.text, option);
}

/* What the module tells of its log: fails early where there is none. */
static int log_info(struct assay_info *ret, struct assay_error *err)
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
	return 0;
}

/* What the PCR was before the oldest record, in the banks that have a name here. */
static size_t head_values(const struct assay_log_header *header, struct assay_digest *values)
{
	size_t count = 0;

	for (uint32_t i = 0; i < header->bank_count && count < EVIDENCE_MAX_BANKS; i++) {
		const struct assay_log_bank *bank = &header->banks[i];
		enum assay_hash hash = (enum assay_hash)bank->alg;

		if (assay_hash_size(hash) == 0 || bank->size != assay_hash_size(hash))
			continue;
		values[count] = (struct assay_digest){ .hash = hash, .size = bank->size };
		memcpy(values[count].bytes, bank->start, bank->size);
		count++;
	}
	return count;
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

/* Puts @log's records from the wanted one on into the evidence. */
static int take_log(const struct quote_options *options, const struct device_log_copy *log,
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
		evidence->assay_start_count = head_values(&log->header, evidence->assay_start);
		r = log_since(cel, log->header.pcr, evidence->assay_first, evidence->assay_start,
			      evidence->assay_start_count, &offset, err);
	}
	evidence->has_assay_log = r == 0;
	evidence->assay_base = log->header.head + offset;
	buffer_append(&evidence->assay_cel, cel.data + offset, cel.size - offset);
	return r;
}

static int read_log(struct device_log_copy *ret, struct assay_error *err)
{
	return device_read_log(ret, err) < 0 ? fail_log("--no-assay-log", err) : 0;
}

/* There is none where no firmware measures: the verifier's policy says whether one is due. */
static bool find_uefi_log(const struct quote_options *options)
{
	struct stat status;

	return !options->no_uefi_log && stat(UEFI_LOG, &status) == 0;
}

static int read_uefi_log(struct evidence *evidence, struct assay_error *err)
{
	if (file_read(UEFI_LOG, UEFI_LIMIT, &evidence->uefi_data, err) < 0)
		return fail_log("--no-uefi-log", err);
	evidence->has_uefi_log = true;
	return 0;
}

/* Newer kernels give the list once a bank, older ones with SHA-1 template digests only. */
static int find_ima_list(enum assay_hash bank, char *path, size_t size, enum assay_hash *ret,
			 struct assay_error *err)
{
	struct stat status;

	snprintf(path, size, IMA_LIST "_%s", assay_hash_name(bank));
	if (stat(path, &status) == 0) {
		*ret = bank;
		return 0;
	}
	snprintf(path, size, IMA_LIST);
	if (stat(path, &status) == 0) {
		*ret = ASSAY_HASH_SHA1;
		return 0;
	}
	assay_fail(err, errno,
		   "cannot find " IMA_LIST ": %s; the kernel needs CONFIG_IMA, and securityfs has "
		   "to be mounted (mount -t securityfs securityfs /sys/kernel/security)",
		   strerror(errno));
	return fail_log("--no-ima-log", err);
}

static int read_ima_log(enum assay_hash bank, struct evidence *evidence, struct assay_error *err)
{
	enum assay_hash template_bank = ASSAY_HASH_NONE;
	struct buffer data = { 0 };
	char path[128];
	int r = find_ima_list(bank, path, sizeof(path), &template_bank, err);

	if (r < 0)
		return r;
	r = file_read(path, IMA_LIMIT, &data, err);
	if (r < 0) {
		buffer_free(&data);
		return fail_log("--no-ima-log", err);
	}
	evidence->has_ima_log = true;
	evidence->ima_template_bank = template_bank;
	evidence->ima_data = data;
	return 0;
}

static int read_boot_id(struct evidence *evidence, struct assay_error *err)
{
	struct buffer text = { 0 };
	int r = file_read(BOOT_ID_PATH, 128, &text, err);

	if (r == 0 && (text.size != EVIDENCE_BOOT_ID_LENGTH + 1 ||
		       text.data[EVIDENCE_BOOT_ID_LENGTH] != '\n'))
		r = assay_fail(err, EBADMSG, BOOT_ID_PATH " does not hold a UUID");
	if (r == 0)
		memcpy(evidence->boot_id, text.data, EVIDENCE_BOOT_ID_LENGTH);
	buffer_free(&text);
	return r;
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
	int r = tpm_open(options->tcti, &tpm, err);

	if (r < 0)
		return r;
	r = tpm_key_open(tpm, options->ak, &key, err);
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
			r = take_log(options, &after, evidence, err);
	}
	buffer_free(&before.cel);
	buffer_free(&after.cel);
	return r;
}

static int collect(const struct quote_options *options, const struct tpm_pcrs *pcrs,
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
	/* IMA's list only grows: what was quoted is in it. */
	if (r == 0 && !options->no_ima_log)
		r = read_ima_log(pcrs->banks[0].hash, evidence, err);
	if (r == 0 && find_uefi_log(options))
		r = read_uefi_log(evidence, err);
	if (r == 0)
		r = read_boot_id(evidence, err);
	evidence->collected = (uint64_t)time(NULL);
	return r;
}

/* ------------------------------------------------------------------ output */

static int write_evidence(const char *path, const struct evidence *evidence,
			  struct assay_error *err)
{
	struct file_writer writer;
	int r = file_begin(&writer, path, 0644, err);

	if (r < 0)
		return r;
	r = evidence_write(writer.stream, evidence, err);
	if (r < 0) {
		file_abort(&writer);
		return assay_fail_context(err, "cannot write %s", path);
	}
	return file_commit(&writer, err);
}

/* The endorsement key that `assay enroll` would take, else the one that every TPM has. */
static int read_ek(const struct quote_options *options, struct buffer *out, struct assay_error *err)
{
	enum tpm_ek_template template = TPM_EK_RSA2048_LOW;
	struct buffer unused = { 0 };
	struct tpm_ek *ek = NULL;
	struct tpm *tpm;
	int r = tpm_open(options->tcti, &tpm, err);

	if (r < 0)
		return r;
	r = tpm_ek_certificate(tpm, TPM_EK_ANY, &template, &unused, err);
	if (r == 0 || r == -ENODATA)
		r = tpm_ek_open(tpm, template, &ek, err);
	if (r == 0)
		buffer_append_bytes(out, tpm_ek_public_area(ek));
	tpm_ek_close(ek);
	tpm_close(tpm);
	buffer_free(&unused);
	return r == 0 && out->failed ? assay_fail(err, ENOMEM, "out of memory") : r;
}

static int write_keylime(const struct quote_options *options, const struct evidence *evidence,
			 const struct tpm_quote *quote, struct keylime_left_out *ret_left_out,
			 struct assay_error *err)
{
	struct buffer pcrs = { 0 }, ek = { 0 };
	struct file_writer writer = { 0 };
	json_t *body = NULL;
	int r = read_ek(options, &ek, err);

	tpm_pcr_format(&quote->pcrs, &pcrs);
	if (r == 0 && pcrs.failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0)
		r = keylime_evidence(evidence, buffer_bytes(&pcrs), buffer_bytes(&ek), &body,
				     ret_left_out, err);
	if (r == 0)
		r = file_begin(&writer, options->out, 0644, err);
	if (r == 0 && (json_dumpf(body, writer.stream, JSON_INDENT(1)) < 0 ||
		       putc('\n', writer.stream) == EOF))
		r = assay_fail(err, EIO, "cannot write %s", options->out);
	if (r == 0)
		r = file_commit(&writer, err);
	file_abort(&writer);
	json_decref(body);
	buffer_free(&pcrs);
	buffer_free(&ek);
	return r;
}

static int write_part(const char *directory, const char *name, const struct buffer *content,
		      struct assay_error *err)
{
	char *path;
	int r;

	if (content->failed || asprintf(&path, "%s/%s", directory, name) < 0)
		return assay_fail(err, ENOMEM, "cannot write %s/%s: out of memory", directory,
				  name);
	r = file_write(path, buffer_bytes(content), 0644, err);
	free(path);
	return r;
}

/* The files that tpm2_checkquote takes. */
static int export_parts(const char *directory, const struct evidence *evidence,
			const struct tpm_quote *quote, struct assay_error *err)
{
	struct buffer pcrs = { 0 };
	int r;

	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		return assay_fail(err, errno, "cannot make the directory %s: %s", directory,
				  strerror(errno));
	tpm_pcr_format(&quote->pcrs, &pcrs);
	r = write_part(directory, "ak.pub", &evidence->ak_public, err);
	if (r == 0)
		r = write_part(directory, "attest", &evidence->attest, err);
	if (r == 0)
		r = write_part(directory, "sig", &evidence->signature, err);
	if (r == 0)
		r = write_part(directory, "pcrs", &pcrs, err);
	if (r == 0)
		r = write_part(directory, "nonce", &evidence->nonce, err);
	if (r == 0 && evidence->has_assay_log)
		r = write_part(directory, "assay.cel", &evidence->assay_cel, err);
	if (r == 0 && evidence->has_ima_log)
		r = write_part(directory, "ima", &evidence->ima_data, err);
	if (r == 0 && evidence->has_uefi_log)
		r = write_part(directory, "uefi", &evidence->uefi_data, err);
	buffer_free(&pcrs);
	return r;
}

static json_t *summary_json(const char *path, const struct evidence *evidence,
			    const struct keylime_left_out *left_out)
{
	json_t *value = json_pack("{s:o, s:i, s:I, s:I, s:I, s:I}", "evidence",
				  command_text_json(path), "pcrs", (int)evidence->pcr_count,
				  "assay_log_first", (json_int_t)evidence->assay_first,
				  "assay_log_bytes", (json_int_t)evidence->assay_cel.size,
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

static int print_summary(const struct quote_options *options, const struct evidence *evidence,
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
	putchar('\n');
	return command_flush(&command_quote);
}

/* --------------------------------------------------------------------- run */

static int quote(const struct quote_options *options, struct tpm_pcrs *pcrs, uint32_t selected)
{
	struct evidence evidence = { 0 };
	struct keylime_left_out left_out = { 0 };
	struct tpm_quote quoted = { 0 };
	struct assay_error err;
	int r = 0, status;

	if (options->policy)
		r = add_policy(options->policy, pcrs, &selected, &err);

	if (r == 0 && !options->no_assay_log) {
		struct assay_info info = { 0 };

		r = log_info(&info, &err);
		if (r == 0 && !options->pcrs)
			selected |= UINT32_C(1) << info.pcr;
	}
	if (!options->pcrs && !options->no_ima_log)
		selected |= UINT32_C(1) << IMA_PCR | BOOT_PCRS;
	if (!options->pcrs && find_uefi_log(options))
		selected |= BOOT_PCRS;
	for (size_t i = 0; i < pcrs->count; i++)
		pcrs->banks[i].selected = selected;
	if (r == 0)
		r = collect(options, pcrs, &evidence, &quoted, &err);
	if (r == 0)
		r = options->keylime ? write_keylime(options, &evidence, &quoted, &left_out, &err) :
				       write_evidence(options->out, &evidence, &err);
	if (r == 0 && options->export)
		r = export_parts(options->export, &evidence, &quoted, &err);
	status = r != 0 ? command_failed(&command_quote, &err) :
			  print_summary(options, &evidence, &left_out);
	evidence_free(&evidence);
	tpm_quote_free(&quoted);
	return status;
}

static int run_quote(int argc, char **argv)
{
	static const struct option options[] = {
		{ "nonce", required_argument, NULL, 'n' },
		{ "ak", required_argument, NULL, 'a' },
		{ "tcti", required_argument, NULL, 't' },
		{ "pcrs", required_argument, NULL, 'p' },
		{ "bank", required_argument, NULL, 'b' },
		{ "out", required_argument, NULL, 'o' },
		{ "export", required_argument, NULL, 'e' },
		{ "policy", required_argument, NULL, 'P' },
		{ "format", required_argument, NULL, 'f' },
		{ "since", required_argument, NULL, 's' },
		{ "no-assay-log", no_argument, NULL, 'A' },
		{ "no-ima-log", no_argument, NULL, 'I' },
		{ "no-uefi-log", no_argument, NULL, 'U' },
		{ "json", no_argument, NULL, 'j' },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct quote_options chosen = { .banks = "sha256" };
	const char *nonce = NULL;
	struct tpm_pcrs pcrs;
	uint32_t selected = 0;
	int c, status;

	while ((c = command_option(&command_quote, argc, argv, ":h", options, &status)) != -1)
		switch (c) {
		case 'n':
			nonce = optarg;
			break;
		case 'a':
			chosen.ak = optarg;
			break;
		case 't':
			chosen.tcti = optarg;
			break;
		case 'p':
			chosen.pcrs = optarg;
			break;
		case 'b':
			chosen.banks = optarg;
			break;
		case 'o':
			chosen.out = optarg;
			break;
		case 'e':
			chosen.export = optarg;
			break;
		case 'P':
			chosen.policy = optarg;
			break;
		case 'f':
			if (strcmp(optarg, "assay") != 0 && strcmp(optarg, "keylime") != 0)
				return command_usage(&command_quote,
						     "--format takes assay or keylime, not '%s'",
						     optarg);
			chosen.keylime = strcmp(optarg, "keylime") == 0;
			break;
		case 's':
			if (!parse_number(optarg, &chosen.since))
				return command_usage(&command_quote,
						     "--since takes a record's number, not '%s'",
						     optarg);
			chosen.has_since = true;
			break;
		case 'A':
			chosen.no_assay_log = true;
			break;
		case 'I':
			chosen.no_ima_log = true;
			break;
		case 'U':
			chosen.no_uefi_log = true;
			break;
		case 'j':
			chosen.json = true;
			break;
		}
	if (status != -1)
		return status;
	if (optind < argc)
		return command_usage(&command_quote, "'%s' is one word too many", argv[optind]);
	if (!nonce || !chosen.ak || !chosen.out)
		return command_usage(&command_quote, "--nonce, --ak and --out are needed");
	if (hex_decode(nonce, chosen.nonce, sizeof(chosen.nonce), &chosen.nonce_size) < 0 ||
	    chosen.nonce_size < TPM_NONCE_MIN)
		return command_usage(&command_quote,
				     "--nonce takes %d to %d bytes in hexadecimal, not '%s'",
				     TPM_NONCE_MIN, TPM_NONCE_MAX, nonce);
	if (!parse_banks(chosen.banks, &pcrs))
		return command_usage(&command_quote,
				     "--bank takes sha1, sha256, sha384, sha512, each once, with "
				     "commas between; not '%s'",
				     chosen.banks);
	if (chosen.pcrs && !parse_pcrs(chosen.pcrs, &selected))
		return command_usage(
			&command_quote,
			"--pcrs takes numbers from 0 to %d with commas between, not '%s'",
			TPM_PCR_COUNT - 1, chosen.pcrs);
	if (chosen.pcrs && chosen.policy)
		return command_usage(&command_quote, "--policy says which PCRs: leave out --pcrs");
	if (chosen.has_since && chosen.no_assay_log)
		return command_usage(&command_quote, "--since is of assay's log: it and "
						     "--no-assay-log cannot go together");
	if (!chosen.pcrs && !chosen.policy && chosen.no_assay_log && chosen.no_ima_log)
		return command_usage(&command_quote,
				     "without both logs, --pcrs is needed, or --policy");
	return quote(&chosen, &pcrs, selected);
}

const struct command command_quote = {
	.name = "quote",
	.summary = "collect evidence for a verifier: quote and logs",
	.help = "Usage: assay quote [OPTION]... --nonce HEX --ak AK.pem --out EVIDENCE\n"
		"\n"
		"Have the TPM quote its PCRs, then collect assay's log, IMA's list and, where "
		"there\n"
		"is one, the firmware's log (UEFI), and write all of it to one file, which\n"
		"'assay verify' judges.\n"
		"\n"
		"      --nonce HEX      the verifier's nonce, 8 to 64 bytes\n"
		"      --ak KEY         the attestation key: a key file, or handle:0x81...\n"
		"                       (assay key create --restricted)\n"
		"      --out FILE       where to write the evidence\n"
		"      --pcrs LIST      PCRs to quote [those of the logs: 0 to 10 (firmware and "
		"IMA)\n"
		"                       and 14 (assay)]\n"
		"      --policy FILE    as well, those that this verifier's policy asks for\n"
		"      --bank LIST      their banks [sha256]\n"
		"      --since RECNUM   of assay's log, only the records from this number on: for "
		"a\n"
		"                       verifier that has judged those before it\n"
		"      --no-assay-log   leave assay's log out; the module is not needed then\n"
		"      --no-ima-log     leave IMA's list out\n"
		"      --no-uefi-log    leave the firmware's log out\n"
		"      --format assay|keylime\n"
		"                       keylime: write what Keylime's one-shot check takes (POST\n"
		"                       /verify/evidence), and tell what that leaves out\n"
		"      --export DIR     write the parts as files too, for tpm2-tools:\n"
		"                       cd DIR && tpm2_checkquote -u ak.pub -m attest -s sig \\\n"
		"                         -f pcrs -g sha256 -q nonce\n"
		"      --tcti CONF      where the TPM is: device:PATH, swtpm:path=SOCKET, ...\n"
		"                       [$ASSAY_TCTI, else $TPM2TOOLS_TCTI, else " TPM_DEFAULT_TCTI
		"]\n"
		"      --json           print what was collected as JSON\n"
		"  -h, --help           show this\n",
	.run = run_quote,
};
