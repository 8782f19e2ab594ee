// SPDX-License-Identifier: MIT
/* `assay quote`: the attester's part, evidence for a verifier. */
#include "quote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "verify/policy.h"

#define IMA_PCR 10 /* CONFIG_IMA_MEASURE_PCR_IDX */
/* What firmware and boot loader measure into, and what IMA's boot_aggregate is made of. */
#define BOOT_PCRS UINT32_C(0x3ff)
/* Of systemd-boot and systemd-stub: the kernel's command line, credentials, system extensions. Of
 * the shim: the keys of the machine's owner. */
#define LOADER_PCRS (UINT32_C(1) << 12 | UINT32_C(1) << 13 | UINT32_C(1) << 14)

/* --------------------------------------------------------------- selection */

static int option_pcrs(void *place, const char *value, struct assay_error *err)
{
	const char *text = value;
	uint32_t selected = 0;

	for (;;) {
		char *end;
		unsigned long pcr = strtoul(text, &end, 10);

		if (text[0] < '0' || text[0] > '9' || pcr >= TPM_PCR_COUNT ||
		    (*end != '\0' && *end != ','))
			return assay_fail(err, EINVAL,
					  "must be numbers from 0 to %d with commas between, not "
					  "'%s'",
					  TPM_PCR_COUNT - 1, value);
		selected |= UINT32_C(1) << pcr;
		if (*end == '\0')
			break;
		text = end + 1;
	}
	*(uint32_t *)place = selected;
	return 0;
}

/* Puts a bank of that name behind the others; false for no name of one, or one that is there. */
static bool add_bank(struct bytes text, struct tpm_pcrs *pcrs)
{
	enum assay_hash hash;
	char name[16];

	if (text.size >= sizeof(name) || pcrs->count == TPM_BANK_MAX)
		return false;
	memcpy(name, text.data, text.size);
	name[text.size] = '\0';
	hash = assay_hash_by_name(name);
	if (hash == ASSAY_HASH_NONE)
		return false;
	for (size_t i = 0; i < pcrs->count; i++)
		if (pcrs->banks[i].hash == hash)
			return false;
	pcrs->banks[pcrs->count++].hash = hash;
	return true;
}

static int option_banks(void *place, const char *value, struct assay_error *err)
{
	struct tpm_pcrs pcrs = { 0 };
	const char *text = value;

	for (;;) {
		size_t length = strcspn(text, ",");

		if (!add_bank(BYTES((const uint8_t *)text, length), &pcrs))
			return assay_fail(err, EINVAL,
					  "must be sha1, sha256, sha384, sha512, each once, with "
					  "commas between; not '%s'",
					  value);
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*(struct tpm_pcrs *)place = pcrs;
	return 0;
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

/* Of each bank; unless the call names them, those of the logs that are collected. */
static int select_pcrs(const struct quote_options *options, struct tpm_pcrs *ret,
		       struct assay_error *err)
{
	uint32_t selected = options->pcrs;
	struct assay_info info = { 0 };
	int r = 0;

	*ret = options->banks;
	if (options->policy)
		r = add_policy(options->policy, ret, &selected, err);
	if (r == 0 && !options->no_assay_log)
		r = quote_log_info(&info, err);
	if (r < 0)
		return r;
	if (options->pcrs == 0) {
		if (!options->no_assay_log)
			selected |= UINT32_C(1) << info.pcr;
		if (!options->no_ima_log)
			selected |= UINT32_C(1) << IMA_PCR | BOOT_PCRS;
		if (quote_finds_uefi_log(options))
			selected |= BOOT_PCRS | LOADER_PCRS;
	}
	for (size_t i = 0; i < ret->count; i++)
		ret->banks[i].selected = selected;
	return 0;
}

/* --------------------------------------------------------------------- run */

static int quote_and_print(const struct quote_options *options)
{
	CLEANUP(evidence_free) struct evidence evidence = { 0 };
	CLEANUP(tpm_quote_free) struct tpm_quote quoted = { 0 };
	struct keylime_left_out left_out = { 0 };
	struct assay_error err;
	struct tpm_pcrs pcrs;
	int r = select_pcrs(options, &pcrs, &err);

	if (r == 0)
		r = quote_collect(options, &pcrs, &evidence, &quoted, &err);
	if (r == 0)
		r = quote_write(options, &evidence, &left_out, &err);
	return r < 0 ? command_failed(&command_quote, &err) :
		       quote_print(options, &evidence, &left_out);
}

static int run_quote(int argc, char **argv)
{
	struct quote_options options = {
		.banks = { .count = 1, .banks[0].hash = ASSAY_HASH_SHA256 },
	};
	int status = command_parse(&command_quote, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (options.pcrs == 0 && !options.policy && options.no_assay_log && options.no_ima_log &&
	    !quote_finds_uefi_log(&options))
		return command_usage(&command_quote,
				     "without any log, --pcrs is needed, or --policy");
	if (options.compress && options.format != QUOTE_ASSAY)
		return command_usage(&command_quote, "--compress is for --format assay only");
	return quote_and_print(&options);
}

static const struct option_row quote_rows[] = {
	{ "nonce", 0, "HEX", "the verifier's nonce, 8 to 64 bytes",
	  OPTION_HEX(struct quote_options, nonce, nonce_size, TPM_NONCE_MIN), .required = true },
	{ "ak", 0, "KEY",
	  "the attestation key: a key file, or handle:0x81... (assay key create --restricted)",
	  OPTION_INPUT(struct quote_options, ak), .required = true },
	{ "out", 'o', "FILE", "where to write the evidence",
	  OPTION_OUTPUT(struct quote_options, out), .required = true },
	OPTION_HEADING("What to quote:"),
	{ "pcrs", 0, "LIST",
	  "PCRs (those of the logs: 0 to 9 and 12 to 14 for firmware, 0 to 10 for IMA, 14 for "
	  "assay)",
	  OPTION_FUNCTION(struct quote_options, pcrs, option_pcrs), .excludes = "policy" },
	{ "policy", 0, "FILE", "as well, those that this verifier's policy asks for",
	  OPTION_INPUT(struct quote_options, policy) },
	{ "bank", 0, "LIST", "their banks (sha256)",
	  OPTION_FUNCTION(struct quote_options, banks, option_banks) },
	OPTION_HEADING("What to collect:"),
	{ "ak-cert", 0, "FILE",
	  "the key's certificate, PEM or DER, and what leads from it to a root: for a verifier "
	  "that "
	  "trusts who issued it",
	  OPTION_INPUT(struct quote_options, ak_certificate) },
	{ "since", 0, "RECNUM",
	  "of assay's log, only the records from this number on: for a verifier that has judged "
	  "those before it",
	  OPTION_NUMBER(struct quote_options, since, 0, INT64_MAX),
	  OPTION_GIVEN(struct quote_options, has_since), .excludes = "no-assay-log" },
	{ "since-ima", 0, "ENTRY",
	  "of IMA's list, only the entries from this number on, the first being 0: likewise",
	  OPTION_NUMBER(struct quote_options, since_ima, 0, INT64_MAX), .excludes = "no-ima-log" },
	{ "since-uefi", 0, "BYTES",
	  "leave the firmware's log out if it has so many, and quote its PCRs: for a verifier that "
	  "has judged it in this boot",
	  OPTION_NUMBER(struct quote_options, since_uefi, 0, INT64_MAX),
	  .excludes = "no-uefi-log" },
	{ "archive", 0, "DIR",
	  "where what was cut off the log is archived (that of assayd for this boot, if there is "
	  "one)",
	  OPTION_INPUT(struct quote_options, archive), .excludes = "no-archive" },
	{ "no-archive", 0, NULL, "begin with what the log has, though more is archived",
	  OPTION_FLAG(struct quote_options, no_archive) },
	{ "no-assay-log", 0, NULL, "leave assay's log out; the module is not needed then",
	  OPTION_FLAG(struct quote_options, no_assay_log) },
	{ "no-ima-log", 0, NULL, "leave IMA's list out",
	  OPTION_FLAG(struct quote_options, no_ima_log) },
	{ "no-uefi-log", 0, NULL, "leave the firmware's log out",
	  OPTION_FLAG(struct quote_options, no_uefi_log) },
	OPTION_HEADING("The TPM:"),
	OPTION_ROW_TCTI(struct quote_options, tpm),
	OPTION_ROW_OWNER_PASSWORD(struct quote_options, tpm),
	OPTION_ROW_ENDORSEMENT_PASSWORD(struct quote_options, tpm),
	OPTION_ROWS_PARENT(struct quote_options, tpm),
	OPTION_HEADING("Output:"),
	{ "format", 0, "assay|keylime|cmw|cmw-cbor",
	  "keylime: write what Keylime's one-shot check takes (POST /verify/evidence), and tell "
	  "what that leaves out; cmw, cmw-cbor: evidence in a conceptual message wrapper, as JSON "
	  "or CBOR",
	  OPTION_CHOICE(struct quote_options, format) },
	{ "compress", 0, NULL,
	  "write the evidence compressed by zstd, as the body of an HTTP request with "
	  "Content-Encoding: zstd",
	  OPTION_FLAG(struct quote_options, compress) },
	{ "export", 0, "DIR",
	  "write the parts as files too, for tpm2-tools:\ncd DIR && tpm2_checkquote -u ak.pub -m "
	  "attest -s sig -f pcrs -g sha256 -q nonce",
	  OPTION_DIRECTORY(struct quote_options, export) },
	OPTION_ROW_JSON(struct quote_options, json),
	OPTION_END,
};

const struct command command_quote = {
	.name = "quote",
	.summary = "collect evidence for a verifier: quote and logs",
	.intro =
		"Has the TPM quote its PCRs, then collects assay's log, IMA's list and, where\n"
		"there is one, the firmware's log (UEFI), and writes all of it to one file, which\n"
		"'assay verify' judges.\n",
	.options = quote_rows,
	.epilogue = "Exit status: 0 written, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_quote,
};
