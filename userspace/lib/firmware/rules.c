// SPDX-License-Identifier: MIT
/* Rules on the events of a firmware's log: lists of digests, and what all rules need. */
#include "firmware/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "firmware/describe.h"
#include "firmware/rules_internal.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	unsigned int pcr;
} list_table[] = {
	[FIRMWARE_PLATFORM] = { "platform", 0 },  [FIRMWARE_DRIVERS] = { "drivers", 2 },
	[FIRMWARE_PROGRAMS] = { "programs", 4 },  [FIRMWARE_FILES] = { "files", 9 },
	[FIRMWARE_SECTIONS] = { "sections", 11 }, [FIRMWARE_MOK] = { "mok", 14 },
};

_Static_assert(COUNT_OF(list_table) == FIRMWARE_LISTS, "a row a list");

const char *firmware_list_name(enum firmware_list list)
{
	return list_table[list].name;
}

unsigned int firmware_list_pcr(enum firmware_list list)
{
	return list_table[list].pcr;
}

const char *firmware_key_name(enum firmware_key key)
{
	static const char *const names[] = { "PK", "KEK", "db", "dbx" };

	return names[key];
}

static enum firmware_list list_of_rule(enum firmware_rule rule)
{
	static const enum firmware_list lists[FIRMWARE_RULES] = {
		[FIRMWARE_RULE_PLATFORM] = FIRMWARE_PLATFORM,
		[FIRMWARE_RULE_DRIVERS] = FIRMWARE_DRIVERS,
		[FIRMWARE_RULE_PROGRAMS] = FIRMWARE_PROGRAMS,
		[FIRMWARE_RULE_FILES] = FIRMWARE_FILES,
		[FIRMWARE_RULE_SECTIONS] = FIRMWARE_SECTIONS,
		[FIRMWARE_RULE_MOK] = FIRMWARE_MOK,
	};

	return lists[rule];
}

static bool asks_variable(const struct firmware_variable *variable)
{
	return variable->digests.count > 0 || variable->only.count > 0 ||
	       variable->contains.count > 0;
}

bool firmware_asks(const struct firmware_rules *rules, enum firmware_rule rule)
{
	switch (rule) {
	case FIRMWARE_RULE_SECURE_BOOT:
		return rules->secure_boot;
	case FIRMWARE_RULE_KEYS:
		return asks_variable(&rules->keys[FIRMWARE_PK]) ||
		       asks_variable(&rules->keys[FIRMWARE_KEK]) ||
		       asks_variable(&rules->keys[FIRMWARE_DB]);
	case FIRMWARE_RULE_DBX:
		return asks_variable(&rules->keys[FIRMWARE_DBX]);
	case FIRMWARE_RULE_AUTHORITIES:
		return rules->authorities.count > 0;
	case FIRMWARE_RULE_COMMAND_LINE:
		return rules->command_line_count > 0;
	case FIRMWARE_RULE_PHASES:
		return rules->phase_count > 0;
	case FIRMWARE_RULE_SEPARATOR:
		return rules->os_separator;
	default:
		return rules->lists[list_of_rule(rule)].count > 0;
	}
}

/* ---------------------------------------------------------------- what all rules need */

/* PFP 10.4.4, and what EDK II has besides. */
bool firmware_is_common(const struct uefi_event *event, const struct firmware_content *content)
{
	static const char *const actions[] = {
		"Calling EFI Application from Boot Option",
		"Returning from EFI Application from Boot Option",
		"Exit Boot Services Invocation",
		"Exit Boot Services Failed",
		"Exit Boot Services Returned with Failure",
		"Exit Boot Services Returned with Success",
		"Booting to EFI Internal Shell",
		"Calling INT 19h",
		"Returned INT 19h",
		"Return via INT 18h",
	};

	if (content->proof != FIRMWARE_PROVES_DATA)
		return false;
	/* Whatever the type: what is proven is the data. */
	if (event->data.size == 4 &&
	    (bytes_are_zero(event->data) || memcmp(event->data.data, "\xff\xff\xff\xff", 4) == 0))
		return true;
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		if (bytes_equal(event->data,
				BYTES((const uint8_t *)actions[i], strlen(actions[i]))))
			return true;
	return false;
}

int judging_next(struct judging *judging, unsigned int pcr)
{
	int r;

	while ((r = uefi_next(&judging->reader, &judging->event, judging->err)) > 0) {
		if (!judging->event.extended || judging->event.pcr != pcr)
			continue;
		r = firmware_content_read(&judging->reader, &judging->event, &judging->content,
					  judging->err);
		if (r < 0)
			return r;
		judging->result.events++;
		return 1;
	}
	return r;
}

int judging_has_events(struct judging *judging, unsigned int pcr)
{
	int r;

	while ((r = uefi_next(&judging->reader, &judging->event, judging->err)) > 0)
		if (judging->event.extended && judging->event.pcr == pcr)
			return 1;
	return r;
}

int judging_rewind(struct judging *judging)
{
	uefi_close(&judging->reader);
	return uefi_open(&judging->reader, judging->log->log, judging->err);
}

bool judging_proven(struct judging *judging, unsigned int pcr)
{
	judging->result.pcr = pcr;
	for (size_t i = 0; i < judging->log->bank_count; i++)
		if (judging->log->banks[i].pcrs & UINT32_C(1) << pcr)
			return true;
	judging->result.missing = true;
	return false;
}

void judging_find(struct judging *judging, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	judging->result.findings++;
	judging->each(judging->context, text);
}

bool judging_is(const struct judging *judging, const struct firmware_digests *digests,
		unsigned int pcr)
{
	for (size_t i = 0; i < judging->log->bank_count; i++) {
		const struct assay_digest *own =
			uefi_event_digest(&judging->event, judging->log->banks[i].hash);

		if (!own || !(judging->log->banks[i].pcrs & UINT32_C(1) << pcr))
			continue;
		for (size_t j = 0; j < digests->count; j++)
			if (digests->list[j].hash == own->hash &&
			    digests->list[j].size == own->size &&
			    memcmp(digests->list[j].bytes, own->bytes, own->size) == 0)
				return true;
	}
	return false;
}

const char *judging_says(const struct judging *judging, char text[static JUDGING_TEXT])
{
	struct buffer says = { 0 };
	size_t size;

	firmware_says(&judging->event, &judging->content, &says);
	size = says.size < JUDGING_TEXT - 1 ? says.size : JUDGING_TEXT - 1;
	/* Not within a character. */
	while (size > 0 && size < says.size && (says.data[size] & 0xc0) == 0x80)
		size--;
	if (size > 0)
		memcpy(text, says.data, size);
	text[size] = '\0';
	buffer_free(&says);
	return text;
}

const char *judging_digest_text(const struct judging *judging, unsigned int pcr,
				char text[static ASSAY_DIGEST_TEXT_MAX])
{
	for (size_t i = 0; i < judging->log->bank_count; i++) {
		const struct assay_digest *own =
			uefi_event_digest(&judging->event, judging->log->banks[i].hash);

		if (own && judging->log->banks[i].pcrs & UINT32_C(1) << pcr)
			return assay_digest_text(own, text);
	}
	text[0] = '\0';
	return text;
}

/* ---------------------------------------------------------------- lists of digests */

size_t judging_item(const struct judging *judging, const struct firmware_items *items,
		    unsigned int pcr)
{
	size_t i = 0;

	while (i < items->count && !judging_is(judging, &items->list[i].digests, pcr))
		i++;
	return i;
}

/* The name of a UKI's section, which is measured before what is in it. */
static bool is_section_name(const struct judging *judging, const struct firmware_items *items)
{
	struct buffer text = { 0 };
	bool found = false;

	if (judging->content.proof == FIRMWARE_PROVES_NOTHING || judging->content.text.size == 0)
		return false;
	firmware_text(&judging->content, &text);
	buffer_append_u8(&text, 0);
	for (size_t i = 0; i < items->count && !text.failed && !found; i++)
		found = strcmp((const char *)text.data, items->list[i].name) == 0;
	buffer_free(&text);
	return found;
}

/* Whether an event that is in no list may be there all the same. */
static int is_accepted(struct judging *judging, enum firmware_list list, bool *ret)
{
	*ret = firmware_is_common(&judging->event, &judging->content) ||
	       (list == FIRMWARE_SECTIONS &&
		is_section_name(judging, &judging->rules->lists[list]));
	return *ret || list != FIRMWARE_FILES ? 0 : judging_is_line(judging, ret);
}

static void find_missing(struct judging *judging, const struct firmware_items *items,
			 const bool *seen, unsigned int pcr)
{
	for (size_t i = 0; i < items->count; i++) {
		const char *name = items->list[i].name;
		char shown[101];

		if (!seen[i])
			judging_find(judging, "\"%s\" was not measured into PCR %u",
				     text_escape(BYTES((const uint8_t *)name, strlen(name)), shown,
						 sizeof(shown)),
				     pcr);
	}
}

/* Marks all items that the present event is: two may be alike. */
static bool mark_items(const struct judging *judging, const struct firmware_items *items,
		       unsigned int pcr, bool *seen)
{
	bool found = false;

	for (size_t i = 0; i < items->count; i++)
		if (judging_is(judging, &items->list[i].digests, pcr))
			found = seen[i] = true;
	return found;
}

static int judge_list(struct judging *judging, enum firmware_list list)
{
	const struct firmware_items *items = &judging->rules->lists[list];
	unsigned int pcr = firmware_list_pcr(list);
	char digest[ASSAY_DIGEST_TEXT_MAX], says[JUDGING_TEXT];
	bool seen[FIRMWARE_ITEMS_MAX] = { false };
	int r;

	if (items->count > FIRMWARE_ITEMS_MAX)
		return assay_fail(judging->err, EINVAL, "more than %d items of a list",
				  FIRMWARE_ITEMS_MAX);
	/* Of a PCR that the log has nothing of, there is nothing to prove. */
	r = judging_has_events(judging, pcr);
	if (r > 0 && !judging_proven(judging, pcr))
		return 0;
	judging->result.pcr = pcr;
	if (r >= 0)
		r = judging_rewind(judging);
	while (r >= 0 && (r = judging_next(judging, pcr)) > 0) {
		bool accepted = mark_items(judging, items, pcr, seen);

		if (!accepted && is_accepted(judging, list, &accepted) < 0)
			return -EIO;
		if (!accepted)
			judging_find(judging,
				     "event %" PRIu64 " of PCR %u is %s, of none of \"%s\": %s",
				     judging->event.number, pcr,
				     judging_digest_text(judging, pcr, digest),
				     firmware_list_name(list), judging_says(judging, says));
	}
	if (r == 0)
		find_missing(judging, items, seen, pcr);
	return r;
}

/* ---------------------------------------------------------------- each rule */

static int judge(struct judging *judging, enum firmware_rule rule)
{
	switch (rule) {
	case FIRMWARE_RULE_SECURE_BOOT:
		return judge_secure_boot(judging);
	case FIRMWARE_RULE_KEYS:
		return judge_keys(judging, FIRMWARE_PK, FIRMWARE_DB);
	case FIRMWARE_RULE_DBX:
		return judge_keys(judging, FIRMWARE_DBX, FIRMWARE_DBX);
	case FIRMWARE_RULE_AUTHORITIES:
		return judge_authorities(judging);
	case FIRMWARE_RULE_COMMAND_LINE:
		return judge_command_line(judging);
	case FIRMWARE_RULE_PHASES:
		judge_phases(judging);
		return 0;
	case FIRMWARE_RULE_SEPARATOR:
		judge_separator(judging);
		return 0;
	default:
		return judge_list(judging, list_of_rule(rule));
	}
}

int firmware_judge(const struct firmware_rules *rules, enum firmware_rule rule,
		   const struct firmware_log *log, firmware_finding *each, void *context,
		   struct firmware_result *ret, struct assay_error *err)
{
	struct judging judging = {
		.rules = rules, .log = log, .each = each, .context = context, .err = err
	};
	int r = uefi_open(&judging.reader, log->log, err);

	if (r < 0)
		return r;
	r = judge(&judging, rule);
	uefi_close(&judging.reader);
	if (r == 0)
		*ret = judging.result;
	return r;
}
