// SPDX-License-Identifier: MIT
/*
 * Evidence that goes on from a state has, check by check, the verdict of the whole evidence, and
 * leaves the same state: of every row of every table of bad input, cut at each of its records.
 * Once with all that the policy asks, and once without what the row fails, so that what failed
 * before must be remembered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "verify/state.h"
#include "verify_fixture.h"

static struct {
	size_t rows, states, compared, trusted, other_boot, unlike;
} count;

/* Of some policy, certificates and manifests. */
static const struct assay_digest references = { .hash = ASSAY_HASH_SHA256,
						.size = 32,
						.bytes = { 1, 2, 3 } };

static void list(const char *what, check_mask checks)
{
	for (int i = 0; i < CHECK_COUNT; i++)
		if (checks & CHECK_BIT(i))
			print_error("    %s %s\n", what, check_name((enum check)i));
}

static bool begins_with(const struct buffer *whole, const struct buffer *part)
{
	return whole->size >= part->size && memcmp(whole->data, part->data, part->size) == 0;
}

static void drop_front(struct buffer *buffer, size_t size)
{
	memmove(buffer->data, buffer->data + size, buffer->size - size);
	buffer->size -= size;
}

/* The policy asks less: what the row fails, and that all files were measured. */
static void ask_less(struct verify_policy *policy, check_mask fails)
{
	check_mask less = (fails & state_carried()) | CHECK_BIT(CHECK_FILES_COMPLETE);

	policy->required &= ~less;
	policy->required_if_made &= ~less;
	policy->required_with_state &= ~less;
}

/* Of the log's PCR, which was another one some time before. */
static void ask_for_no_value(struct verify_policy *policy)
{
	policy->required &= ~CHECK_BIT(CHECK_PCR_VALUES);
}

/* The device some time before, judged by what the whole evidence is judged by. */
static void judge_earlier(struct fixture *earlier, const struct fixture *whole, struct verdict *ret)
{
	earlier->input.references = references;
	earlier->input.state = NULL;
	earlier->input.manifests = whole->input.manifests;
	earlier->input.manifest_count = whole->input.manifest_count;
	earlier->input.certificates = whole->input.certificates;
	earlier->input.now = whole->input.now;
	earlier->input.nonce_issued = whole->input.nonce_issued;
	verify(&earlier->input, &whole->policy, ret);
}

/* A device that gave the key of its last record gives it again, until a record has it. */
static bool has_keys_of(const struct evidence *whole, const struct evidence *earlier)
{
	for (size_t i = 0; i < earlier->assay_key_count; i++) {
		const struct evidence_key *key = &earlier->assay_keys[i];
		const uint8_t *found = evidence_key(whole, key->recnum);

		if (whole->assay_cel.size == earlier->assay_cel.size &&
		    (!found || memcmp(found, key->key, sizeof(key->key)) != 0))
			return false;
	}
	return true;
}

/* Does the whole evidence begin with what the state has seen, and is its text of its parts? */
static bool is_longer(struct fixture *whole, const struct fixture *earlier)
{
	struct buffer before = fixture_copy(whole->input.evidence);
	bool same;

	fixture_write(whole);
	same = bytes_equal(buffer_bytes(&before), whole->input.evidence);
	buffer_free(&before);
	return same && whole->cut == 0 && whole->evidence.assay_first == 0 &&
	       whole->evidence.assay_base == 0 &&
	       has_keys_of(&whole->evidence, &earlier->evidence) &&
	       whole->evidence.has_assay_log == earlier->evidence.has_assay_log &&
	       whole->evidence.has_ima_log == earlier->evidence.has_ima_log &&
	       whole->evidence.ima_template_bank == earlier->evidence.ima_template_bank &&
	       begins_with(&whole->evidence.assay_cel, &earlier->evidence.assay_cel) &&
	       begins_with(&whole->evidence.ima_data, &earlier->evidence.ima_data);
}

/* Leave out what the state has seen, as a device does. */
static void leave_out(struct fixture *whole, const struct fixture *earlier,
		      const struct verify_state *state, bool firmware)
{
	struct evidence *evidence = &whole->evidence;

	if (evidence->has_assay_log && state->records > 0) {
		drop_front(&evidence->assay_cel, earlier->evidence.assay_cel.size);
		evidence->assay_base = earlier->evidence.assay_cel.size;
		evidence->assay_first = state->records;
	}
	if (evidence->has_ima_log && state->ima.entries > 0) {
		drop_front(&evidence->ima_data, earlier->evidence.ima_data.size);
		evidence->ima_first = state->ima.entries;
	}
	if (firmware && state->firmware.size > 0 &&
	    bytes_equal(buffer_bytes(&evidence->uefi_data),
			buffer_bytes(&earlier->evidence.uefi_data)))
		evidence->has_uefi_log = false;
	fixture_write(whole);
}

static bool is_of_same_boot(const struct fixture *whole, const struct verify_state *state)
{
	return strcmp(whole->evidence.boot_id, state->boot_id) == 0 &&
	       whole->quote.reset_count == state->reset_count &&
	       (whole->quote.restart_count == state->restart_count || whole->policy.suspend);
}

static bool same_states(const struct verify_state *a, const struct verify_state *b)
{
	struct buffer first = { 0 }, second = { 0 };
	bool same;

	state_to_bytes(a, &first);
	state_to_bytes(b, &second);
	same = bytes_equal(buffer_bytes(&first), buffer_bytes(&second));
	for (size_t i = 0; !same && i < first.size && i < second.size; i++)
		if (first.data[i] != second.data[i]) {
			print_error("    the states differ from byte %zu on, of %zu and %zu\n", i,
				    first.size, second.size);
			break;
		}
	buffer_free(&first);
	buffer_free(&second);
	return same;
}

static bool compare(const struct verdict *whole, const struct verdict *rest,
		    const struct bad_row *row, size_t records)
{
	count.compared++;
	count.trusted += verdict_trusted(whole);
	/* Nothing can go on from a state by a quote that says nothing of the boot. */
	if (!(whole->passed & CHECK_BIT(CHECK_QUOTE_PARSED)))
		return !verdict_trusted(rest);
	/* Of a quote of the past, the rest cannot say that it is: its log does not come to it. */
	if (whole->failed & CHECK_BIT(CHECK_ASSAY_LOG_PROGRESS))
		return !verdict_trusted(rest);
	if (whole->passed == rest->passed && whole->failed == rest->failed &&
	    whole->required == rest->required &&
	    (!verdict_trusted(whole) || same_states(&whole->state, &rest->state)))
		return true;
	print_error("%s, cut at record %zu:%s\n", row->name, records,
		    whole->passed == rest->passed && whole->failed == rest->failed ?
			    " another state" :
			    "");
	list("whole alone passes", whole->passed & ~rest->passed);
	list("the rest alone passes", rest->passed & ~whole->passed);
	list("whole alone fails", whole->failed & ~rest->failed);
	list("the rest alone fails", rest->failed & ~whole->failed);
	for (int i = 0; i < CHECK_COUNT; i++)
		if ((whole->passed ^ rest->passed) & CHECK_BIT(i) ||
		    (whole->failed ^ rest->failed) & CHECK_BIT(i))
			print_error("    %s: %s / %s\n", check_name((enum check)i),
				    whole->detail[i], rest->detail[i]);
	return false;
}

/* From a state as it comes back from where it was kept. */
static bool judge_both(struct fixture *whole, const struct fixture *earlier,
		       const struct verify_state *state, const struct bad_row *row, size_t records)
{
	static struct verdict of_whole, of_rest;

	whole->input.state = state;
	whole->input.references = references;
	verify(&whole->input, &whole->policy, &of_whole);
	leave_out(whole, earlier, state, records % 2 == 1);
	verify(&whole->input, &whole->policy, &of_rest);
	if (is_of_same_boot(whole, state))
		return compare(&of_whole, &of_rest, row, records);
	/* Of another boot it does not go on. */
	count.other_boot++;
	if (whole->evidence.assay_first == 0 && whole->evidence.ima_first == 0)
		return true;
	if (!verdict_trusted(&of_rest))
		return true;
	print_error("%s, cut at record %zu: trusted in another boot\n", row->name, records);
	return false;
}

static void keep(const struct verdict *verdict, struct verify_state *ret)
{
	struct buffer bytes = { 0 };
	struct assay_error err;

	state_to_bytes(&verdict->state, &bytes);
	assert_false(bytes.failed);
	if (state_from_bytes(buffer_bytes(&bytes), ret, &err) < 0)
		fail_msg("%s", err.text);
	buffer_free(&bytes);
}

/* Return: whether it is as it must be */
static bool cut_row(const struct bad_row *row, size_t records, bool less)
{
	struct fixture whole, earlier;
	static struct verdict verdict;
	static struct verify_state state;
	bool good = true;

	fixture_begin(&whole);
	fixture_build(&whole, row->stage, row->change);
	if (less)
		ask_less(&whole.policy, row->fails);
	ask_for_no_value(&whole.policy);
	fixture_begin(&earlier);
	fixture_build_earlier(&earlier, row->stage, row->change, records, records);
	judge_earlier(&earlier, &whole, &verdict);
	if (!verdict_trusted(&verdict)) {
		/* No state, nothing to go on from. */
	} else if (!is_longer(&whole, &earlier)) {
		count.unlike++;
	} else {
		count.states++;
		keep(&verdict, &state);
		if (state.goes_on)
			good = judge_both(&whole, &earlier, &state, row, records);
	}
	fixture_free(&whole);
	fixture_free(&earlier);
	return good;
}

/* ASSAY_TEST_ALL: each row at each record, as `make soak` has it; else at those that differ. */
static bool ask_all(void)
{
	return getenv("ASSAY_TEST_ALL") != NULL;
}

static bool is_asked(size_t records, bool quote)
{
	return ask_all() || records == 5 || (!quote && (records == 2 || records == 4));
}

static void cut_table(const struct bad_row *rows)
{
	size_t wrong = 0;

	memset(&count, 0, sizeof(count));
	for (; rows->name; rows++, count.rows++)
		for (size_t records = 1; records <= 6; records++) {
			if (!is_asked(records, rows == bad_quotes + count.rows))
				continue;
			/* Without what the row fails, mostly there is a state. */
			wrong += !cut_row(rows, records, true);
			if (records == 5 || ask_all())
				wrong += !cut_row(rows, records, false);
		}
	print_message("%zu rows, %zu states, %zu verdicts compared, %zu trusted, %zu of another "
		      "boot, %zu that do not begin so\n",
		      count.rows, count.states, count.compared, count.trusted, count.other_boot,
		      count.unlike);
	assert_int_equal(wrong, 0);
	assert_true(count.compared >= 5 && count.trusted > 0);
}

#define TABLE(name)                         \
	static void of_##name(void **state) \
	{                                   \
		(void)state;                \
		cut_table(name);            \
	}

TABLE(bad_quotes)
TABLE(bad_logs)
TABLE(bad_starts)
TABLE(bad_ima)
TABLE(bad_boot)
TABLE(bad_chain)
TABLE(bad_firmware)
TABLE(bad_presence)
TABLE(bad_session)

/* ---------------------------------------------------------------- what does not go on */

static void with_firmware(struct fixture *f)
{
	fixture_add_firmware(f);
}

/* The device restarted its system's separators, or somebody extended PCR 12 since. */
static void another_pcr(struct fixture *f)
{
	fixture_add_firmware(f);
	fixture_extend_behind(f, 1U << 12, "later");
}

/**
 * struct tampered - what is done to evidence that goes on, or to its state, and what fails then
 * @change: before the PCRs, of the whole evidence only; NULL: with_firmware()
 */
struct tampered {
	const char *name;
	fixture_change *change;
	void (*tamper)(struct fixture *whole, struct verify_state *state);
	check_mask fails;
};

static void first_is_less(struct fixture *whole, struct verify_state *state)
{
	(void)state;
	whole->evidence.ima_first--;
}

static void first_is_more(struct fixture *whole, struct verify_state *state)
{
	(void)state;
	whole->evidence.ima_first++;
}

/* An entry of this fixture's: PCR, digest, name, size and data. */
static void entry_is_missing(struct fixture *whole, struct verify_state *state)
{
	const struct fixture_entry *entry = &whole->entries[state->ima.entries];

	drop_front(&whole->evidence.ima_data,
		   4 + sizeof(entry->digest) + 4 + strlen(entry->name) + 4 + entry->data.size);
}

static void record_is_missing(struct fixture *whole, struct verify_state *state)
{
	(void)state;
	whole->evidence.assay_first++;
}

static void by_other_references(struct fixture *whole, struct verify_state *state)
{
	(void)whole;
	state->references.bytes[0] ^= 1;
}

static void by_no_references(struct fixture *whole, struct verify_state *state)
{
	(void)state;
	whole->input.references.size = 0;
}

static void of_another_boot(struct fixture *whole, struct verify_state *state)
{
	(void)whole;
	state->boot_id[0] = 'f';
}

static void does_not_go_on(struct fixture *whole, struct verify_state *state)
{
	(void)whole;
	state->goes_on = false;
}

static void pcr_is_another(struct fixture *whole, struct verify_state *state)
{
	(void)whole;
	state->ima.value.bytes[0] ^= 1;
}

static void nothing(struct fixture *whole, struct verify_state *state)
{
	(void)whole;
	(void)state;
}

static const struct tampered tampered[] = {
	{ "good", NULL, nothing, 0 },
	{ "a list that begins before the state's end", NULL, first_is_less, FAILS(IMA_LOG_START) },
	{ "a list that begins behind the state's end", NULL, first_is_more, FAILS(IMA_LOG_START) },
	{ "an entry left out", NULL, entry_is_missing, FAILS(IMA_LOG_REPLAY) },
	{ "records numbered on", NULL, record_is_missing, FAILS(ASSAY_LOG_START) },
	{ "judged by others then", NULL, by_other_references,
	  FAILS(ASSAY_LOG_START) | FAILS(IMA_LOG_START) },
	{ "judged by nobody knows what now", NULL, by_no_references,
	  FAILS(ASSAY_LOG_START) | FAILS(IMA_LOG_START) },
	{ "of another boot", NULL, of_another_boot, FAILS(ASSAY_LOG_START) | FAILS(IMA_LOG_START) },
	{ "a state that says no more", NULL, does_not_go_on,
	  FAILS(ASSAY_LOG_START) | FAILS(IMA_LOG_START) },
	{ "another PCR before the list", NULL, pcr_is_another, FAILS(IMA_LOG_REPLAY) },
	{ "the firmware's log left out, and its PCRs changed", another_pcr, nothing,
	  FAILS(UEFI_LOG_PARSED) },
};

static void what_does_not_go_on_is_refused(void **unused)
{
	static struct verdict verdict;
	static struct verify_state state;

	(void)unused;
	for (size_t i = 0; i < sizeof(tampered) / sizeof(tampered[0]); i++) {
		const struct tampered *row = &tampered[i];
		struct fixture whole, earlier;

		fixture_begin(&whole);
		fixture_build(&whole, BEFORE_PCRS, row->change ? row->change : with_firmware);
		ask_for_no_value(&whole.policy);
		fixture_begin(&earlier);
		fixture_build_earlier(&earlier, BEFORE_PCRS, with_firmware, 4, 3);
		judge_earlier(&earlier, &whole, &verdict);
		assert_true(verdict_trusted(&verdict));
		keep(&verdict, &state);
		assert_true(state.goes_on && state.firmware.size > 0);
		whole.input.state = &state;
		whole.input.references = references;
		leave_out(&whole, &earlier, &state, true);
		/* It is the same log, whatever became of the PCRs. */
		whole.evidence.has_uefi_log = false;
		row->tamper(&whole, &state);
		fixture_write(&whole);
		verify(&whole.input, &whole.policy, &verdict);
		if ((verdict.failed & row->fails) != row->fails ||
		    verdict_trusted(&verdict) != (row->fails == 0)) {
			list("failed", verdict.failed);
			fail_msg("%s: %strusted", row->name,
				 verdict_trusted(&verdict) ? "" : "not ");
		}
		fixture_free(&whole);
		fixture_free(&earlier);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_bad_quotes),   cmocka_unit_test(of_bad_logs),
		cmocka_unit_test(of_bad_starts),   cmocka_unit_test(of_bad_ima),
		cmocka_unit_test(of_bad_boot),	   cmocka_unit_test(of_bad_chain),
		cmocka_unit_test(of_bad_firmware), cmocka_unit_test(of_bad_presence),
		cmocka_unit_test(of_bad_session),  cmocka_unit_test(what_does_not_go_on_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
