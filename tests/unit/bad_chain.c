// SPDX-License-Identifier: MIT
/*
 * Logs that replay to the quoted PCR and that the module did not write, or not all of it. Who
 * forges can extend the PCR and reads the log; the module's seed they do not have. What they know
 * of its keys are those that it revealed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "verify_fixture.h"

#define CHANGE(name) static void name(struct fixture *f)

/* The module's records are 0 to 4; its own keys somebody else makes up by such numbers. */
#define LAST 4
#define OTHERS 1000

/* A record of somebody else at @index, with what they say chains it, in the module's numbers. */
static void forge(struct fixture *f, size_t index, const struct log_links *links)
{
	struct buffer value = { 0 };
	struct fixture_record record;

	put_event(&value, "test", BYTES_LITERAL("all is well"));
	record = fixture_record(index, buffer_bytes(&value));
	buffer_free(&value);
	fixture_chain_by(&record, index, links);
	fixture_insert(f, index, record);
	fixture_renumber(f);
}

/* What the evidence has as the key of the last record. */
static void give_last_key(struct fixture *f, uint64_t key_of)
{
	uint8_t key[ASSAY_KEY_SIZE];
	struct assay_error err;

	log_test_key(key_of, key);
	assert_int_equal(evidence_add_key(&f->evidence, f->record_count - 1, key, &err), 0);
}

/* With keys of their own: all there is to fit is the commitment of the last record. */
CHANGE(appended)
{
	struct log_links links = log_links(OTHERS);

	log_test_key(LAST, links.before);
	forge(f, LAST + 1, &links);
	give_last_key(f, OTHERS);
}
/* The key of the last record is no secret any more. */
CHANGE(appended_by_the_last_key)
{
	struct log_links links = log_links(OTHERS);

	log_test_key(LAST, links.before);
	log_test_key(LAST, links.own);
	forge(f, LAST + 1, &links);
	give_last_key(f, LAST);
}
CHANGE(appended_without_keys)
{
	forge(f, LAST + 1, NULL);
}
/*
 * The module has written record 4, and it is not in the PCR yet: all of it can be read. It says
 * what commits to the key of record 5. From here on somebody else wants to be the module.
 */
CHANGE(in_place_of_a_pending_one)
{
	struct log_links links = log_links(OTHERS);

	log_test_key(LAST - 1, links.before);
	fixture_drop(f, LAST);
	forge(f, LAST, &links);
	give_last_key(f, OTHERS);
}
/* Or only to put a record before it, with the commitment that it fulfils. */
CHANGE(before_a_pending_one)
{
	struct log_links links = log_links(LAST);

	log_test_key(OTHERS, links.own);
	log_test_commitment(LAST, links.next);
	forge(f, LAST, &links);
	give_last_key(f, LAST);
}
/* A record once more, with all that the module wrote in it. */
CHANGE(twice)
{
	struct fixture_record record = f->records[LAST];

	record.content = fixture_copy(buffer_bytes(&f->records[LAST].content));
	fixture_insert(f, LAST + 1, record);
	fixture_renumber(f);
	give_last_key(f, LAST);
}
CHANGE(commitment_repeated)
{
	struct log_links links = log_links(3);

	log_test_commitment(3, links.next);
	fixture_chain_by(&f->records[3], 3, &links);
}
CHANGE(key_wrong)
{
	struct log_links links = log_links(3);

	links.before[0] ^= 1;
	fixture_chain_by(&f->records[3], 3, &links);
}
CHANGE(content_changed)
{
	*fixture_last_byte(&f->records[3]) ^= 1;
	fixture_mend(&f->records[3]);
}
CHANGE(mac_changed)
{
	struct buffer *content = &f->records[3].content;

	content->data[content->size - 1] ^= 1;
	fixture_mend(&f->records[3]);
}
CHANGE(mac_of_another_number)
{
	struct log_links links = log_links(3);

	fixture_chain_by(&f->records[3], 2, &links);
}
CHANGE(record_without_keys)
{
	fixture_chain_by(&f->records[3], 3, NULL);
}
CHANGE(without_keys)
{
	for (size_t i = 0; i < f->record_count; i++)
		fixture_chain_by(&f->records[i], i, NULL);
}
CHANGE(without_keys_waived)
{
	without_keys(f);
	f->policy.required &= ~FAILS(ASSAY_LOG_CHAIN);
}
/* START was taken from a log of before; what follows has keys that fit each other. */
CHANGE(start_without_keys)
{
	fixture_chain_by(&f->records[0], 0, NULL);
}
/* The module reveals no key of a record that was not anchored when it wrote the next one. */
CHANGE(key_in_the_evidence)
{
	struct log_links links = log_links(3);
	uint8_t key[ASSAY_KEY_SIZE];
	struct assay_error err;

	links.reveal = false;
	fixture_chain_by(&f->records[3], 3, &links);
	log_test_key(2, key);
	assert_int_equal(evidence_add_key(&f->evidence, 2, key, &err), 0);
	give_last_key(f, LAST);
}
CHANGE(key_nowhere)
{
	struct log_links links = log_links(3);

	links.reveal = false;
	fixture_chain_by(&f->records[3], 3, &links);
}
CHANGE(last_key_nowhere)
{
	f->evidence.assay_key_count = 0;
}
CHANGE(last_key_wrong)
{
	f->evidence.assay_keys[0].key[31] ^= 1;
}
/* Behind the quote somebody says that the last record has another key: the evidence has it. */
CHANGE(another_key_behind_the_quote)
{
	struct log_links links = log_links(OTHERS);
	uint8_t key[ASSAY_KEY_SIZE];
	struct assay_error err;

	forge(f, LAST + 1, &links);
	f->unanchored = 1;
	log_test_key(LAST, key);
	assert_int_equal(evidence_add_key(&f->evidence, LAST, key, &err), 0);
}
/* The module's next record has it, too, and is not in the quote. */
CHANGE(key_behind_the_quote)
{
	f->unanchored = 1;
}

/* ---------------------------------------------------------------- state, TRIM and KEXEC */

/* The state is of what came before record 2; what is handed over begins there. */
CHANGE(goes_on)
{
	f->cut = 2;
}
CHANGE(goes_on_from_another)
{
	goes_on(f);
	f->state.next_key.bytes[0] ^= 1;
}
CHANGE(goes_on_by_others)
{
	struct log_links links = log_links(OTHERS);

	goes_on(f);
	for (size_t i = 2; i <= LAST; i++) {
		links = log_links(OTHERS + i);
		fixture_chain_by(&f->records[i], i, &links);
	}
	give_last_key(f, OTHERS + LAST);
}
/* A state that was kept before records had keys, or where the check was waived. */
CHANGE(state_without_key)
{
	goes_on(f);
	f->state.next_key.size = 0;
}
CHANGE(state_without_key_overlaps)
{
	f->cut = 1;
	f->state.next_key.size = 0;
}
CHANGE(state_without_key_after_records_without)
{
	state_without_key_overlaps(f);
	fixture_chain_by(&f->records[1], 1, NULL);
	f->state.value = fixture_pcr_before(f, f->state.records, 1);
}
CHANGE(nothing_new)
{
	f->cut = LAST + 1;
	f->state.records = LAST + 1;
}

/* TRIM at the end: what is handed over begins with record 2. */
static void trimmed_by(struct fixture *f, const uint8_t *next)
{
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct buffer value = { 0 };

	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		values[i] = fixture_pcr_before(f, 2, i);
	put_trim_by(&value, 2, 1000, BYTES_LITERAL("what is gone"), values, LOG_BUILDER_BANKS,
		    next);
	fixture_insert(f, LAST + 1, fixture_record(LAST + 1, buffer_bytes(&value)));
	buffer_free(&value);
	f->cut = 2;
	f->state.records = 0;
	f->state.value.size = 0;
	f->policy.trimmed = true;
	f->policy.required_with_state = 0;
	f->policy.required &= ~(FAILS(FILES_COMPLETE) | FAILS(ASSAY_LOG_PROTECTION));
}
CHANGE(trimmed)
{
	uint8_t next[ASSAY_KEY_SIZE];

	log_test_commitment(2, next);
	trimmed_by(f, next);
}
CHANGE(trimmed_by_another)
{
	uint8_t next[ASSAY_KEY_SIZE];

	log_test_commitment(3, next);
	trimmed_by(f, next);
}
CHANGE(trimmed_by_nothing)
{
	trimmed_by(f, NULL);
}
#define TRIMMED_FAILS (FAILS(ASSAY_LOG_TPM) | FAILS(ASSAY_LOG_PROTECTION) | FAILS(FILES_COMPLETE))

/* The log goes on in a kernel that has not the seed of the one before. */
CHANGE(kexec_by_another)
{
	struct log_links links = log_links(OTHERS);
	struct assay_digest values[LOG_BUILDER_BANKS];
	struct buffer value = { 0 };
	struct fixture_record record;

	for (size_t i = 0; i < LOG_BUILDER_BANKS; i++)
		values[i] = fixture_pcr_before(f, LAST + 1, i);
	put_kexec(&value, values, LOG_BUILDER_BANKS);
	memcpy(value.data + value.size - 36, FIXTURE_BOOT_ID, 36);
	record = fixture_record(LAST + 1, buffer_bytes(&value));
	buffer_free(&value);
	log_test_key(LAST, links.before);
	fixture_chain_by(&record, LAST + 1, &links);
	fixture_insert(f, LAST + 1, record);
	give_last_key(f, OTHERS);
}

const struct bad_row bad_chain[] = {
	{ "appended by somebody else", AFTER_CHAIN, appended, FAILS(ASSAY_LOG_CHAIN) },
	{ "appended by the last record's key", AFTER_CHAIN, appended_by_the_last_key,
	  FAILS(ASSAY_LOG_CHAIN) },
	{ "appended without keys", AFTER_CHAIN, appended_without_keys, FAILS(ASSAY_LOG_CHAIN) },
	{ "in the place of a record that is pending", AFTER_CHAIN, in_place_of_a_pending_one,
	  FAILS(ASSAY_LOG_CHAIN) },
	{ "put before a record that is pending", AFTER_CHAIN, before_a_pending_one,
	  FAILS(ASSAY_LOG_CHAIN) },
	{ "a record twice", AFTER_CHAIN, twice, FAILS(ASSAY_LOG_CHAIN) },
	{ "a commitment twice", AFTER_CHAIN, commitment_repeated, FAILS(ASSAY_LOG_CHAIN) },
	{ "another key revealed", AFTER_CHAIN, key_wrong, FAILS(ASSAY_LOG_CHAIN) },
	{ "content changed and extended", AFTER_CHAIN, content_changed, FAILS(ASSAY_LOG_CHAIN) },
	{ "MAC changed and extended", AFTER_CHAIN, mac_changed, FAILS(ASSAY_LOG_CHAIN) },
	{ "MAC of another number", AFTER_CHAIN, mac_of_another_number, FAILS(ASSAY_LOG_CHAIN) },
	{ "a record without keys", AFTER_CHAIN, record_without_keys, FAILS(ASSAY_LOG_CHAIN) },
	{ "a log without keys", AFTER_CHAIN, without_keys, FAILS(ASSAY_LOG_CHAIN) },
	{ "START without keys", AFTER_CHAIN, start_without_keys, FAILS(ASSAY_LOG_CHAIN) },
	{ "good: a key in the evidence", AFTER_CHAIN, key_in_the_evidence, TRUSTED },
	{ "a key nowhere", AFTER_CHAIN, key_nowhere, FAILS(ASSAY_LOG_CHAIN) },
	{ "the last key nowhere", AT_MARSHALLED, last_key_nowhere, FAILS(ASSAY_LOG_CHAIN) },
	{ "the last key wrong", AT_MARSHALLED, last_key_wrong, FAILS(ASSAY_LOG_CHAIN) },
	{ "good: another key behind the quote", AFTER_CHAIN, another_key_behind_the_quote,
	  TRUSTED },
	{ "good: a key behind the quote", AFTER_CHAIN, key_behind_the_quote, TRUSTED },
	{ "good: goes on from the state", AFTER_CHAIN, goes_on, TRUSTED },
	{ "goes on from another key", AFTER_CHAIN, goes_on_from_another, FAILS(ASSAY_LOG_CHAIN) },
	{ "goes on by somebody else", AFTER_CHAIN, goes_on_by_others, FAILS(ASSAY_LOG_CHAIN) },
	{ "a state without a key", AFTER_CHAIN, state_without_key, FAILS(ASSAY_LOG_CHAIN) },
	{ "good: a state without a key, overlaps", AFTER_CHAIN, state_without_key_overlaps,
	  TRUSTED },
	{ "a state without a key, after records without", AFTER_CHAIN,
	  state_without_key_after_records_without, FAILS(ASSAY_LOG_CHAIN) },
	{ "good: nothing new", AFTER_CHAIN, nothing_new, TRUSTED },
	{ "good: trimmed", BEFORE_PCRS, trimmed, TRIMMED_FAILS | TRUSTED },
	{ "TRIM commits to another key", BEFORE_PCRS, trimmed_by_another,
	  TRIMMED_FAILS | FAILS(ASSAY_LOG_CHAIN) },
	{ "TRIM commits to no key", BEFORE_PCRS, trimmed_by_nothing,
	  TRIMMED_FAILS | FAILS(ASSAY_LOG_CHAIN) },
	{ "KEXEC by another seed", AFTER_CHAIN, kexec_by_another, FAILS(ASSAY_LOG_CHAIN) },
	{ "a log without keys, waived", AFTER_CHAIN, without_keys_waived,
	  FAILS(ASSAY_LOG_CHAIN) | TRUSTED },
	{ NULL, 0, NULL, 0 },
};
