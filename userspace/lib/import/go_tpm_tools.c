// SPDX-License-Identifier: MIT
#include "import/go_tpm_tools.h"

#include <errno.h>
#include <string.h>

#include "import/protobuf.h"

#define WHAT "the attestation"
#define MAX_QUOTES 8

/* Fields of attest.Attestation, tpm.Quote, tpm.PCRs and of an entry of its map. */
enum {
	ATTESTATION_AK_PUB = 1,
	ATTESTATION_QUOTES = 2,
	ATTESTATION_EVENT_LOG = 3,
	ATTESTATION_INSTANCE_INFO = 4,
	ATTESTATION_CANONICAL_EVENT_LOG = 5,
	ATTESTATION_AK_CERT = 6,
	ATTESTATION_INTERMEDIATE_CERTS = 7,
	ATTESTATION_SEV_SNP = 8,
	ATTESTATION_TDX = 9,
	QUOTE_QUOTE = 1,
	QUOTE_RAW_SIG = 2,
	QUOTE_PCRS = 3,
	PCRS_HASH = 1,
	PCRS_PCRS = 2,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
};

/* A quote, and the bank that its PCR values are of. */
struct quote {
	struct bytes attest, signature, pcrs;
	enum assay_hash bank;
};

struct attestation {
	struct bytes ak, log, certificate;
	bool has_log;
	struct quote quotes[MAX_QUOTES];
	size_t quote_count;
};

static int fail_type(const char *what, uint32_t number, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "%s: field %u is of another type than it has", what,
			  number);
}

/* ---------------------------------------------------------------- PCR values */

static int find_bank(struct bytes pcrs, enum assay_hash *ret, struct assay_error *err)
{
	struct protobuf_field field;
	int r;

	*ret = ASSAY_HASH_NONE;
	while ((r = protobuf_next(&pcrs, &field, err)) > 0)
		if (field.number == PCRS_HASH && field.type == PROTOBUF_VARINT &&
		    field.value <= UINT16_MAX)
			*ret = (enum assay_hash)field.value;
	return r;
}

static int add_value(struct bytes entry, enum assay_hash bank, struct evidence *evidence,
		     struct assay_error *err)
{
	struct assay_digest value = { .hash = bank };
	struct protobuf_field field;
	/* A field that is missing has the value 0. */
	uint64_t index = 0;
	int r;

	while ((r = protobuf_next(&entry, &field, err)) > 0) {
		if (field.number == ENTRY_KEY && field.type == PROTOBUF_VARINT)
			index = field.value;
		else if (field.number == ENTRY_VALUE && field.type == PROTOBUF_BYTES &&
			 field.bytes.size <= sizeof(value.bytes))
			memcpy(value.bytes, field.bytes.data, value.size = field.bytes.size);
		else
			return fail_type("a PCR value", field.number, err);
	}
	if (r == 0)
		r = evidence_add_pcr(evidence,
				     index < EVIDENCE_PCR_LIMIT ? (unsigned int)index :
								  EVIDENCE_PCR_LIMIT,
				     &value, err);
	return r;
}

static int add_values(const struct quote *quote, struct evidence *evidence, struct assay_error *err)
{
	struct bytes pcrs = quote->pcrs;
	struct protobuf_field field;
	int r;

	while ((r = protobuf_next(&pcrs, &field, err)) > 0) {
		if (field.number != PCRS_PCRS)
			continue;
		r = field.type == PROTOBUF_BYTES ?
			    add_value(field.bytes, quote->bank, evidence, err) :
			    fail_type("the PCR values", field.number, err);
		if (r < 0)
			break;
	}
	if (r < 0 && r != -ENOMEM && err) {
		err->code = EBADMSG;
		return assay_fail_context(err, WHAT);
	}
	return r;
}

/* ---------------------------------------------------------------- the message */

static int read_quote(struct bytes message, struct quote *ret, const struct import_notes *notes,
		      struct assay_error *err)
{
	struct protobuf_field field;
	int r;

	*ret = (struct quote){ 0 };
	while ((r = protobuf_next(&message, &field, err)) > 0) {
		if (field.number > QUOTE_PCRS) {
			import_note(notes, "left out: field %u of a quote, which is not known",
				    field.number);
			continue;
		}
		if (field.type != PROTOBUF_BYTES)
			return fail_type("a quote", field.number, err);
		if (field.number == QUOTE_QUOTE)
			ret->attest = field.bytes;
		else if (field.number == QUOTE_RAW_SIG)
			ret->signature = field.bytes;
		else
			ret->pcrs = field.bytes;
	}
	return r < 0 ? r : find_bank(ret->pcrs, &ret->bank, err);
}

static void tell_field(uint32_t number, const struct import_notes *notes)
{
	static const char *const why[] = {
		[ATTESTATION_INSTANCE_INFO] =
			"instance_info, which the issuer's certificate would have to say",
		[ATTESTATION_CANONICAL_EVENT_LOG] =
			"canonical_event_log, of Container-Optimized OS: see 'assay replay cel'",
		[ATTESTATION_INTERMEDIATE_CERTS] =
			"intermediate_certs, which are for believing the key's certificate",
		[ATTESTATION_SEV_SNP] = "sev_snp_attestation, of the confidential machine",
		[ATTESTATION_TDX] = "tdx_attestation, of the confidential machine",
	};

	if (number < sizeof(why) / sizeof(why[0]) && why[number])
		import_note(notes, "left out: %s", why[number]);
	else
		import_note(notes, "left out: field %u of " WHAT ", which is not known", number);
}

static int read_field(const struct protobuf_field *field, struct attestation *ret,
		      const struct import_notes *notes, struct assay_error *err)
{
	switch (field->number) {
	case ATTESTATION_AK_PUB:
	case ATTESTATION_QUOTES:
	case ATTESTATION_EVENT_LOG:
	case ATTESTATION_AK_CERT:
		break;
	default:
		tell_field(field->number, notes);
		return 0;
	}
	if (field->type != PROTOBUF_BYTES)
		return fail_type(WHAT, field->number, err);
	if (field->number == ATTESTATION_AK_PUB)
		ret->ak = field->bytes;
	else if (field->number == ATTESTATION_AK_CERT)
		ret->certificate = field->bytes;
	else if (field->number == ATTESTATION_EVENT_LOG) {
		ret->log = field->bytes;
		ret->has_log = true;
	} else if (ret->quote_count == MAX_QUOTES)
		return assay_fail(err, EBADMSG, WHAT " has more than %d quotes", MAX_QUOTES);
	else
		return read_quote(field->bytes, &ret->quotes[ret->quote_count++], notes, err);
	return 0;
}

static int read_attestation(struct bytes in, struct attestation *ret,
			    const struct import_notes *notes, struct assay_error *err)
{
	struct protobuf_field field;
	int r;

	while ((r = protobuf_next(&in, &field, err)) > 0) {
		r = read_field(&field, ret, notes, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* ---------------------------------------------------------------- the choice */

static const struct quote *find_quote(const struct attestation *attestation, enum assay_hash bank)
{
	for (size_t i = 0; i < attestation->quote_count; i++)
		if (attestation->quotes[i].bank == bank)
			return &attestation->quotes[i];
	return NULL;
}

static int choose_quote(const struct attestation *attestation, enum assay_hash bank,
			const struct import_notes *notes, const struct quote **ret,
			struct assay_error *err)
{
	static const enum assay_hash order[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						 ASSAY_HASH_SHA512, ASSAY_HASH_SHA1 };
	const struct quote *chosen = NULL;

	if (bank != ASSAY_HASH_NONE)
		chosen = find_quote(attestation, bank);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (bank == ASSAY_HASH_NONE && !chosen)
			chosen = find_quote(attestation, order[i]);
	if (!chosen)
		return assay_fail(err, ENOENT, WHAT " has no quote of %s%s",
				  bank == ASSAY_HASH_NONE ? "a bank that is known" : "the bank ",
				  bank == ASSAY_HASH_NONE ? "" : assay_hash_name(bank));
	for (size_t i = 0; i < attestation->quote_count; i++)
		if (&attestation->quotes[i] != chosen)
			import_note(notes, "left out: the quote of the bank %s",
				    assay_hash_size(attestation->quotes[i].bank) > 0 ?
					    assay_hash_name(attestation->quotes[i].bank) :
					    "that is not known");
	*ret = chosen;
	return 0;
}

static int fill_evidence(const struct attestation *attestation, const struct quote *quote,
			 struct evidence *evidence, struct assay_error *err)
{
	static const struct import_scheme unknown = { 0 };
	struct tpm_attest attest;
	int r = import_attest(quote->attest, evidence, &attest, err);

	if (r == 0)
		r = import_ak(attestation->ak, evidence, err);
	if (r == 0)
		r = import_signature(quote->signature, &unknown, NULL, evidence, err);
	if (r == 0)
		r = add_values(quote, evidence, err);
	if (r == 0 && attestation->certificate.size > 0)
		r = import_certificate(attestation->certificate, evidence, err);
	if (r == 0 && attestation->has_log)
		r = import_uefi_log(attestation->log, evidence, err);
	return r;
}

int import_go_tpm_tools(struct bytes in, enum assay_hash bank, const struct import_notes *notes,
			struct evidence *ret, struct assay_error *err)
{
	struct attestation attestation = { 0 };
	const struct quote *quote = NULL;
	int r = read_attestation(in, &attestation, notes, err);

	if (r < 0 || attestation.quote_count == 0)
		return r == 0 ? assay_fail(err, EBADMSG,
					   "this is no attestation of go-tpm-tools in binary form: "
					   "there is no quote") :
				assay_fail_context(err, "this is no attestation of go-tpm-tools in "
							"binary form");
	r = choose_quote(&attestation, bank, notes, &quote, err);
	return r < 0 ? r : fill_evidence(&attestation, quote, ret, err);
}
