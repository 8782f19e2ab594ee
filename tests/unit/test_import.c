// SPDX-License-Identifier: MIT
/*
 * lib/import: what others wrote becomes evidence, in each form that they write; what is none of
 * the forms is refused, with what it is.
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <openssl/ecdsa.h>
#include <stdlib.h>
#include <string.h>

#include "import/pcr_file.h"
#include "import/tpm2_tools.h"
#include "log_builder.h"
#include "verify/key.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYLIME "quote/keylime-test-data/"

/* The files of a real quote: over PCRs 15, 16 and 22, RSASSA with SHA-256. */
struct sample {
	struct buffer message, signature, pcrs, ak;
};

static struct sample sample;

static int enter(void **state)
{
	(void)state;
	sample.message = log_test_data(KEYLIME "quote.out");
	sample.signature = log_test_data(KEYLIME "quotesig.out");
	sample.pcrs = log_test_data(KEYLIME "quotepcr.out");
	sample.ak = log_test_data(KEYLIME "ak.pub");
	return 0;
}

static int leave(void **state)
{
	(void)state;
	buffer_free(&sample.message);
	buffer_free(&sample.signature);
	buffer_free(&sample.pcrs);
	buffer_free(&sample.ak);
	return 0;
}

static struct tpm2_tools_files files_of_sample(void)
{
	return (struct tpm2_tools_files){ .message = buffer_bytes(&sample.message),
					  .signature = buffer_bytes(&sample.signature),
					  .pcrs = buffer_bytes(&sample.pcrs),
					  .ak = buffer_bytes(&sample.ak) };
}

static size_t told;

static void count_note(void *context, const char *text)
{
	(void)context;
	(void)text;
	told++;
}

static int import(const struct tpm2_tools_files *files, const struct import_scheme *scheme,
		  struct evidence *evidence, struct assay_error *err)
{
	static const struct import_scheme unknown = { 0 };
	static const struct import_notes notes = { count_note, NULL };

	*evidence = (struct evidence){ 0 };
	*err = (struct assay_error){ 0 };
	told = 0;
	return import_tpm2_tools(files, scheme ? scheme : &unknown, &notes, evidence, err);
}

/* ---------------------------------------------------------------- the forms */

/* The sample's values, as tpm2_quote -F values and -F marshaled write them. */
static void other_forms(struct buffer *values, struct buffer *marshaled)
{
	static const uint8_t selection[] = { 0, 0, 0, 1, 0, 0x0b, 3, 0, 0x80, 0x41, 0, 0, 0, 1 };
	const size_t first = 4 + 16 * 8 + 4 + 4, each = 2 + 64;

	buffer_append(marshaled, selection, sizeof(selection));
	buffer_append_be32(marshaled, 3);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *value = sample.pcrs.data + first + i * each + 2;

		buffer_append(values, value, 32);
		buffer_append_be16(marshaled, 32);
		buffer_append(marshaled, value, 32);
	}
}

static void assert_same_evidence(const struct evidence *a, const struct evidence *b)
{
	assert_true(bytes_equal(buffer_bytes(&a->attest), buffer_bytes(&b->attest)));
	assert_true(bytes_equal(buffer_bytes(&a->signature), buffer_bytes(&b->signature)));
	assert_true(bytes_equal(buffer_bytes(&a->nonce), buffer_bytes(&b->nonce)));
	assert_int_equal(a->pcr_count, b->pcr_count);
	for (size_t i = 0; i < a->pcr_count; i++) {
		assert_int_equal(a->pcrs[i].index, b->pcrs[i].index);
		assert_memory_equal(a->pcrs[i].value.bytes, b->pcrs[i].value.bytes,
				    a->pcrs[i].value.size);
	}
}

static void every_form_of_a_quote_is_the_same_evidence(void **state)
{
	struct buffer values = { 0 }, marshaled = { 0 }, sized = { 0 }, der = { 0 };
	struct evidence plain, other;
	struct tpm2_tools_files files = files_of_sample();
	struct tpm_public public;
	struct assay_error err;

	(void)state;
	other_forms(&values, &marshaled);
	assert_int_equal(tpm_public_parse(buffer_bytes(&sample.ak), &public, NULL), 0);
	assert_int_equal(tpm_public_key_der(&public, &der, NULL), 0);
	assert_int_equal(import(&files, NULL, &plain, &err), 0);
	assert_int_equal(plain.pcr_count, 3);
	assert_int_equal(plain.nonce.size, 20);
	assert_int_equal(plain.pcrs[2].index, 22);
	assert_false(plain.has_collected || plain.boot_id[0] != '\0' || plain.has_assay_log);
	/* The signature alone, behind its scheme, hash and size. */
	files.signature = BYTES(sample.signature.data + 6, sample.signature.size - 6);
	files.pcrs = buffer_bytes(&values);
	files.ak = BYTES(sample.ak.data + 2, sample.ak.size - 2); /* TPMT_PUBLIC */
	assert_int_equal(import(&files, NULL, &other, &err), 0);
	assert_same_evidence(&plain, &other);
	assert_true(bytes_equal(buffer_bytes(&plain.ak_public), buffer_bytes(&other.ak_public)));
	evidence_free(&other);
	/* Of a key in DER, the scheme is the one by which the signature holds. */
	buffer_append_be16(&sized, (uint16_t)sample.message.size);
	buffer_append_bytes(&sized, buffer_bytes(&sample.message));
	files.message = buffer_bytes(&sized);
	files.pcrs = buffer_bytes(&marshaled);
	files.ak = buffer_bytes(&der);
	assert_int_equal(import(&files, NULL, &other, &err), 0);
	assert_same_evidence(&plain, &other);
	assert_int_equal(told, 0);
	assert_int_equal(other.ak_public.size, 0);
	assert_true(bytes_equal(buffer_bytes(&other.ak_key), buffer_bytes(&der)));
	evidence_free(&other);
	evidence_free(&plain);
	buffer_free(&values);
	buffer_free(&marshaled);
	buffer_free(&sized);
	buffer_free(&der);
}

static void pcr_values_come_back_as_they_were_written(void **state)
{
	struct tpm2_tools_files files = files_of_sample();
	struct buffer written = { 0 };
	struct evidence evidence;
	struct assay_error err;

	(void)state;
	assert_int_equal(import(&files, NULL, &evidence, &err), 0);
	assert_int_equal(pcr_file_write(&evidence, &written, &err), 0);
	assert_true(bytes_equal(buffer_bytes(&written), files.pcrs));
	buffer_free(&written);
	/* A value less than the quote selects. */
	written = (struct buffer){ 0 };
	evidence.pcr_count--;
	assert_int_equal(pcr_file_write(&evidence, &written, &err), -EINVAL);
	support_assert_error(&err, "PCR 22");
	buffer_free(&written);
	evidence_free(&evidence);
}

/* A signature that holds by no scheme is imported, for the verifier to refuse; and told. */
static void a_signature_that_does_not_hold_is_told(void **state)
{
	static const struct import_scheme pss = { TPM_ALG_RSAPSS, ASSAY_HASH_SHA384 };
	struct tpm2_tools_files files = files_of_sample();
	struct buffer der = { 0 }, bad = { 0 };
	struct tpm_signature signature;
	struct tpm_public public;
	struct evidence evidence;
	struct assay_error err;

	(void)state;
	assert_int_equal(tpm_public_parse(files.ak, &public, NULL), 0);
	assert_int_equal(tpm_public_key_der(&public, &der, NULL), 0);
	buffer_append(&bad, sample.signature.data + 6, sample.signature.size - 6);
	bad.data[9] ^= 1;
	files.ak = buffer_bytes(&der);
	files.signature = buffer_bytes(&bad);
	assert_int_equal(import(&files, NULL, &evidence, &err), 0);
	assert_int_equal(told, 1);
	evidence_free(&evidence);
	/* What the caller says goes before all else. */
	assert_int_equal(import(&files, &pss, &evidence, &err), 0);
	assert_int_equal(tpm_signature_parse(buffer_bytes(&evidence.signature), &signature, NULL),
			 0);
	assert_int_equal(signature.algorithm, TPM_ALG_RSAPSS);
	assert_int_equal(signature.hash, ASSAY_HASH_SHA384);
	assert_int_equal(told, 0);
	evidence_free(&evidence);
	buffer_free(&der);
	buffer_free(&bad);
}

/* ---------------------------------------------------------------- what is refused */

static void set_byte(struct buffer *file, size_t at, uint8_t value)
{
	assert_true(at < file->size);
	file->data[at] = value;
}

#define BAD(name) static void name(struct sample *s)

BAD(message_empty)
{
	s->message.size = 0;
}
BAD(message_cut)
{
	s->message.size--;
}
BAD(message_longer)
{
	buffer_append_u8(&s->message, 0);
}
BAD(message_huge)
{
	buffer_append_be64(&s->message, 0);
	s->message.size = 0;
	for (size_t i = 0; i <= EVIDENCE_MAX_STRUCTURE; i++)
		buffer_append_u8(&s->message, 0);
}
BAD(signature_empty)
{
	s->signature.size = 0;
}
BAD(signature_cut)
{
	s->signature.size--;
}
BAD(signature_is_ecdsa)
{
	set_byte(&s->signature, 1, 0x18);
}
BAD(pcrs_empty)
{
	s->pcrs.size = 0;
}
BAD(pcrs_cut)
{
	s->pcrs.size--;
}
BAD(pcrs_longer)
{
	buffer_append_u8(&s->pcrs, 0);
}
BAD(pcrs_too_many_banks)
{
	set_byte(&s->pcrs, 0, 17);
}
BAD(pcrs_select_too_long)
{
	set_byte(&s->pcrs, 6, 5);
}
BAD(pcrs_of_no_bank)
{
	set_byte(&s->pcrs, 4, 0x12);
}
BAD(pcrs_more_selected)
{
	set_byte(&s->pcrs, 7, 1);
}
BAD(pcrs_fewer_selected)
{
	set_byte(&s->pcrs, 8, 0);
}
BAD(pcrs_too_many_values)
{
	set_byte(&s->pcrs, 136, 9);
}
BAD(pcrs_too_few_values)
{
	set_byte(&s->pcrs, 136, 2);
}
BAD(pcrs_of_another_size)
{
	set_byte(&s->pcrs, 140, 20);
}
BAD(pcrs_over_their_room)
{
	set_byte(&s->pcrs, 140, 65);
}
BAD(pcrs_more_lists)
{
	set_byte(&s->pcrs, 132, 2);
}
BAD(pcrs_lists_huge)
{
	set_byte(&s->pcrs, 135, 0xff);
}
BAD(pcrs_bank_twice)
{
	/* Two selections of one PCR each, of the same bank and PCR. */
	set_byte(&s->pcrs, 0, 2);
	set_byte(&s->pcrs, 8, 0);
	set_byte(&s->pcrs, 9, 0x41);
	set_byte(&s->pcrs, 12, 0x0b);
	set_byte(&s->pcrs, 14, 3);
	set_byte(&s->pcrs, 17, 0x40);
}
BAD(pcrs_none)
{
	for (size_t i = 0; i < s->pcrs.size; i++)
		s->pcrs.data[i] = 0;
}
BAD(ak_empty)
{
	s->ak.size = 0;
}
BAD(ak_cut)
{
	s->ak.size--;
}

static void what_is_no_such_file_is_refused(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct sample *sample);
		const char *says;
	} rows[] = {
		{ "message empty", message_empty, "the quote has 0 bytes" },
		{ "message cut", message_cut, "no TPMS_ATTEST" },
		{ "message longer", message_longer, "no TPMS_ATTEST" },
		{ "message over its limit", message_huge, "it must have 1 to 4096" },
		{ "signature empty", signature_empty, "the signature has 0 bytes" },
		{ "signature cut", signature_cut, "neither a TPMT_SIGNATURE" },
		{ "signature says ECDSA", signature_is_ecdsa, "neither a TPMT_SIGNATURE" },
		{ "values empty", pcrs_empty, "no form of tpm2-tools" },
		{ "values cut", pcrs_cut, "no form of tpm2-tools" },
		{ "values longer", pcrs_longer, "no form of tpm2-tools" },
		{ "values of 17 banks", pcrs_too_many_banks, "no form of tpm2-tools" },
		{ "values: sizeofSelect 5", pcrs_select_too_long, "no form of tpm2-tools" },
		{ "values of no known bank", pcrs_of_no_bank, "no form of tpm2-tools" },
		{ "values: more selected", pcrs_more_selected, "no form of tpm2-tools" },
		{ "values: fewer selected", pcrs_fewer_selected, "no form of tpm2-tools" },
		{ "values: nine in a list", pcrs_too_many_values, "no form of tpm2-tools" },
		{ "values: two in the list", pcrs_too_few_values, "no form of tpm2-tools" },
		{ "values of 20 bytes", pcrs_of_another_size, "no form of tpm2-tools" },
		{ "values of 65 bytes", pcrs_over_their_room, "no form of tpm2-tools" },
		{ "values: a list more", pcrs_more_lists, "no form of tpm2-tools" },
		{ "values: lists without end", pcrs_lists_huge, "no form of tpm2-tools" },
		{ "values of a bank twice", pcrs_bank_twice, "there twice" },
		{ "values: none", pcrs_none, "no form of tpm2-tools" },
		{ "key empty", ak_empty, "an empty file" },
		{ "key cut", ak_cut, "key" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sample changed = { 0 };
		struct evidence evidence;
		struct assay_error err;
		struct tpm2_tools_files files;
		int r;

		buffer_append_bytes(&changed.message, buffer_bytes(&sample.message));
		buffer_append_bytes(&changed.signature, buffer_bytes(&sample.signature));
		buffer_append_bytes(&changed.pcrs, buffer_bytes(&sample.pcrs));
		buffer_append_bytes(&changed.ak, buffer_bytes(&sample.ak));
		rows[i].change(&changed);
		files = (struct tpm2_tools_files){ .message = buffer_bytes(&changed.message),
						   .signature = buffer_bytes(&changed.signature),
						   .pcrs = buffer_bytes(&changed.pcrs),
						   .ak = buffer_bytes(&changed.ak) };
		r = import(&files, NULL, &evidence, &err);
		if (r != -EBADMSG || !strstr(err.text, rows[i].says))
			fail_msg("%s: %d, \"%s\" does not say %s", rows[i].name, r, err.text,
				 rows[i].says);
		evidence_free(&evidence);
		buffer_free(&changed.message);
		buffer_free(&changed.signature);
		buffer_free(&changed.pcrs);
		buffer_free(&changed.ak);
	}
}

static void logs_are_told_apart(void **state)
{
	static const struct {
		const char *path;
		bool ima;
		const char *says; /* NULL: it is taken */
	} rows[] = {
		{ "ima/charra.bin", true, NULL },
		{ "ima/ibmtss-sha384.log", true, NULL },
		{ "ima_ascii/keylime-ima-log.txt", true, NULL },
		{ "uefi/goattest-sb_cert_eventlog", true, "a firmware's event log" },
		{ KEYLIME "ak.pub", true, "IMA's list is none" },
		{ "uefi/goattest-sb_cert_eventlog", false, NULL },
		{ "uefi/tpm2tools-event-uefi-sha1-log.bin", false, NULL },
		{ "ima/charra.bin", false, "a list of IMA" },
		{ "uefi/ccel-header.bin", false, "CCEL" },
		{ KEYLIME "ak.pub", false, "the firmware's log is none" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer log = log_test_data(rows[i].path);
		struct evidence evidence = { 0 };
		struct assay_error err = { 0 };
		int r = rows[i].ima ? import_ima_list(buffer_bytes(&log), NULL, &evidence, &err) :
				      import_uefi_log(buffer_bytes(&log), &evidence, &err);

		if ((r == 0) != !rows[i].says || (r < 0 && !strstr(err.text, rows[i].says)))
			fail_msg("%s: %d, %s", rows[i].path, r, err.text);
		assert_true((rows[i].ima ? evidence.has_ima_log : evidence.has_uefi_log) ==
			    (r == 0));
		evidence_free(&evidence);
		buffer_free(&log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_quote_is_the_same_evidence),
		cmocka_unit_test(pcr_values_come_back_as_they_were_written),
		cmocka_unit_test(a_signature_that_does_not_hold_is_told),
		cmocka_unit_test(what_is_no_such_file_is_refused),
		cmocka_unit_test(logs_are_told_apart),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
