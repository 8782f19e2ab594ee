// SPDX-License-Identifier: MIT
/*
 * Where tpm2_checkquote (tpm2-tools 5.4, Debian 12) judges the same quote, the verdicts agree, or
 * the table says why they do not: of every row of the table of bad quotes. tpm2_checkquote is
 * given the key, TPMS_ATTEST, TPMT_SIGNATURE, the PCR values and the verifier's nonce; logs,
 * policies and enrolment it knows nothing of.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "verify/key.h"
#include "verify_fixture.h"

/* ---------------------------------------------------------------- what tpm2_checkquote reads */

/* The file of PCR values that tpm2_quote writes: the selection, and lists of up to eight values,
 * both as tpm2-tss has them in memory (tss2_tpm2_types.h, which does not go with structures.h). */
struct tss_selections {
	uint32_t count;
	struct {
		uint16_t hash;
		uint8_t size, select[4];
	} banks[16];
};

struct tss_digests {
	uint32_t count;
	struct {
		uint16_t size;
		uint8_t bytes[64];
	} digests[8];
};

static void write_pcrs(const struct evidence *evidence, const char *path)
{
	struct tss_selections selection = { 0 };
	struct tss_digests lists[EVIDENCE_MAX_PCRS / 8] = { 0 };
	struct buffer out = { 0 };
	uint32_t count = 0;

	for (size_t i = 0; i < evidence->pcr_count; i++) {
		const struct evidence_pcr *pcr = &evidence->pcrs[i];
		struct tss_digests *list = &lists[i / 8];
		uint32_t bank = 0;

		while (bank < selection.count &&
		       selection.banks[bank].hash != (uint16_t)pcr->value.hash)
			bank++;
		if (bank == selection.count) {
			selection.banks[bank].hash = (uint16_t)pcr->value.hash;
			selection.banks[bank].size = 3;
			selection.count++;
		}
		selection.banks[bank].select[pcr->index / 8] |= 1U << pcr->index % 8;
		list->digests[i % 8].size = (uint16_t)pcr->value.size;
		memcpy(list->digests[i % 8].bytes, pcr->value.bytes, pcr->value.size);
		list->count++;
		count = (uint32_t)(i / 8) + 1;
	}
	buffer_append(&out, &selection, sizeof(selection));
	buffer_append(&out, &count, sizeof(count));
	buffer_append(&out, lists, count * sizeof(lists[0]));
	support_write(path, buffer_bytes(&out));
	buffer_free(&out);
}

/* false for what is no key to OpenSSL: tpm2_checkquote cannot be asked. */
static bool write_key(struct bytes tpm2b_public, const char *path)
{
	struct tpm_public public;
	EVP_PKEY *key;
	FILE *file;

	if (tpm_public_parse(tpm2b_public, &public, NULL) < 0)
		return false;
	key = tpm_public_key(&public);
	if (!key)
		return false;
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PUBKEY(file, key), 1);
	assert_int_equal(fclose(file), 0);
	EVP_PKEY_free(key);
	return true;
}

/* -1: it cannot be asked */
enum answer { ACCEPTED = 1, REFUSED = 0, NOT_ASKED = -1 };

static enum answer ask_checkquote(const struct evidence *evidence, struct bytes key,
				  struct bytes nonce, const char *hash)
{
	char hex[2 * EVIDENCE_MAX_NONCE + 1];

	if (nonce.size == 0 || nonce.size > EVIDENCE_MAX_NONCE || !write_key(key, "key.pem"))
		return NOT_ASKED;
	hex_encode(nonce, hex);
	support_write("attest", buffer_bytes(&evidence->attest));
	support_write("signature", buffer_bytes(&evidence->signature));
	write_pcrs(evidence, "pcrs");
	return support_run("tpm2_checkquote -u key.pem -m attest -s signature -f pcrs -q %s "
			   "-g %s >checkquote.log 2>&1",
			   hex, hash) == 0 ?
		       ACCEPTED :
		       REFUSED;
}

/* ---------------------------------------------------------------- the table of differences */

/* What we refuse by a check, and tpm2_checkquote accepts. */
static struct {
	enum check check;
	const char *why;
	size_t rows; /* of the table of bad quotes */
} stricter[] = {
	{ CHECK_EVIDENCE_PARSED, "the evidence around the quote is not its input", 0 },
	{ CHECK_QUOTE_PARSED,
	  "it lets bytes follow the signature, banks be unknown, sizeofSelect be 0 or 4, and safe "
	  "be 2",
	  0 },
	{ CHECK_AK_EXPECTED, "it is given a key in PEM: no name, no enrolment", 0 },
	{ CHECK_AK_CERTIFICATE, "it takes no certificate of the key", 0 },
	{ CHECK_AK_ATTRIBUTES, "a key in PEM has none: it need not be a TPM's", 0 },
	{ CHECK_AK_ALGORITHM, "it has no list of algorithms that are acceptable, nor a least size",
	  0 },
	{ CHECK_QUOTE_ALGORITHM,
	  "it has no such list for signatures, and takes another hash or scheme than the key's",
	  0 },
	{ CHECK_QUOTE_SIGNATURE, "it takes RSASSA whatever scheme the signature names", 0 },
	{ CHECK_QUOTE_MAGIC, "it does not look at the magic (CVE-2024-29038)", 0 },
	{ CHECK_QUOTE_NONCE, "it knows no session, and asks the quote", 0 },
	{ CHECK_QUOTE_SIGNER, "it does not look at the qualified name", 0 },
	{ CHECK_QUOTE_AGE, "it has no clock", 0 },
	{ CHECK_QUOTE_COUNTERS, "it keeps no state", 0 },
	{ CHECK_QUOTE_FIRMWARE, "it keeps no state", 0 },
	{ CHECK_QUOTE_CLOCK, "it does not look at whether the clock is safe", 0 },
	{ CHECK_PCR_SELECTION,
	  "it does not compare of which PCRs the values are said to be (CVE-2024-29039)", 0 },
	{ CHECK_PCR_REQUIRED, "it does not know which PCRs are needed", 0 },
	{ CHECK_PCR_DIGEST,
	  "it does not compare of which PCRs the values are said to be (CVE-2024-29039)", 0 },
	{ CHECK_PCR_VALUES, "it does not know what they should be", 0 },
	{ CHECK_ASSAY_LOG_START, "it sees no log, nor of which boot the quote is", 0 },
};

#define NO_SESSION "it knows no session, and the quote answers no nonce"

/* What we accept, and it does not. */
static struct {
	const char *row, *why;
	size_t rows;
} looser[] = {
	{ "good: RSAPSS with SHA-512", "it verifies signatures of RSASSA and ECDSA only", 0 },
	{ "good: the session answers", NO_SESSION, 0 },
	{ "good: it certified nothing", NO_SESSION, 0 },
	{ "good: a session of SHA-384", NO_SESSION, 0 },
	{ "good: the text by SHA-512", NO_SESSION, 0 },
	{ "good: the nonce is in a metric", NO_SESSION, 0 },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_explained(const struct bad_row *row, const struct verdict *verdict)
{
	if (verdict_trusted(verdict)) {
		for (size_t i = 0; i < COUNT_OF(looser); i++)
			if (strcmp(looser[i].row, row->name) == 0)
				return ++looser[i].rows;
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(stricter); i++)
		if (stricter[i].check == verdict_reason(verdict))
			return ++stricter[i].rows;
	return false;
}

struct tally {
	size_t agreed, differed, not_asked;
};

static void compare(const struct bad_row *row, struct tally *tally)
{
	static struct verdict verdict;
	const char *hash;
	struct fixture fixture;
	enum answer answer;

	fixture_begin(&fixture);
	fixture_build(&fixture, row->stage, row->change);
	verify(&fixture.input, &fixture.policy, &verdict);
	hash = assay_hash_name(fixture.ak.scheme_hash);
	answer = ask_checkquote(&fixture.evidence, fixture.input.ak_public, fixture.input.nonce,
				hash ? hash : "sha256");
	if (answer == NOT_ASKED)
		tally->not_asked++;
	else if (verdict_trusted(&verdict) == (answer == ACCEPTED))
		tally->agreed++;
	else if (is_explained(row, &verdict))
		tally->differed++;
	else
		fail_msg("%s: we %s, tpm2_checkquote does not", row->name,
			 verdict_trusted(&verdict) ? "trust it" : "refuse it");
	fixture_free(&fixture);
}

static void verdicts_on_bad_quotes_agree_or_are_explained(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	if (!support_have("tpm2_checkquote"))
		skip();
	for (const struct bad_row *row = bad_quotes; row->name; row++)
		compare(row, &tally);
	for (const struct bad_row *row = bad_session; row->name; row++)
		compare(row, &tally);
	print_message("%zu verdicts agree, %zu differ, %zu could not be asked for\n", tally.agreed,
		      tally.differed, tally.not_asked);
	for (size_t i = 0; i < COUNT_OF(stricter); i++) {
		print_message("%-18s refuses %2zu that tpm2_checkquote accepts: %s\n",
			      check_name(stricter[i].check), stricter[i].rows, stricter[i].why);
		/* An explanation of nothing is out of date. */
		assert_true(stricter[i].rows > 0);
	}
	for (size_t i = 0; i < COUNT_OF(looser); i++) {
		print_message("%s, which tpm2_checkquote refuses: %s\n", looser[i].row,
			      looser[i].why);
		assert_int_equal(looser[i].rows, 1);
	}
	assert_true(tally.agreed > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts_on_bad_quotes_agree_or_are_explained),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
