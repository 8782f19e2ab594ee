// SPDX-License-Identifier: MIT
/*
 * The rule on the kernel's command line. What a text is, is said by its label, which no digest
 * covers: so each text in PCR 8 must be a command line or a command that the policy has.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "firmware/rules_internal.h"

#define PCR_GRUB 8
#define PCR_STUB 9
#define PCR_SYSTEMD 12

/* '*' stands for any characters, nothing else for more than itself. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool matches_any(const char *const *patterns, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (matches(patterns[i], text))
			return true;
	return false;
}

/* The present event's text, where its digests prove it; buffer_free() it. */
static bool proven_text(struct judging *judging, struct buffer *ret)
{
	if (judging->content.proof == FIRMWARE_PROVES_NOTHING || judging->content.text.size == 0)
		return false;
	firmware_text(&judging->content, ret);
	/* What has a NUL within is none of a policy's texts. */
	if (memchr(ret->data ? (const char *)ret->data : "", '\0', ret->size))
		return false;
	buffer_append_u8(ret, 0);
	return !ret->failed;
}

/* Of PCR 8 or 12: all texts must be known; at least one must be a command line. */
static int judge_texts(struct judging *judging, unsigned int pcr, size_t *found)
{
	const struct firmware_rules *rules = judging->rules;
	char says[JUDGING_TEXT];
	int r;

	while ((r = judging_next(judging, pcr)) > 0) {
		struct buffer text = { 0 };
		bool proven = proven_text(judging, &text);
		bool line = proven && matches_any(rules->command_lines, rules->command_line_count,
						  (const char *)text.data);

		*found += line;
		if (!line && !firmware_is_common(&judging->event, &judging->content) &&
		    !(proven && pcr == PCR_GRUB &&
		      matches_any(rules->commands, rules->command_count, (const char *)text.data)))
			judging_find(judging, "event %" PRIu64 " of PCR %u is %s: %s",
				     judging->event.number, pcr,
				     proven ? "no command line of the policy" :
					      "not proven by its digests",
				     judging_says(judging, says));
		buffer_free(&text);
	}
	return r;
}

/* Whether the present event's digest is that of the line: in UTF-16, with its NUL or without. */
static int is_line(struct judging *judging, const char *line, bool *ret)
{
	struct buffer utf16 = { 0 };
	int r;

	*ret = false;
	/* A pattern has no digest; of other characters than ASCII nothing is known. */
	for (const char *at = line; *at; at++)
		if ((uint8_t)*at >= 0x80 || *at == '*')
			return 0;
	for (const char *at = line; *at; at++) {
		buffer_append_u8(&utf16, (uint8_t)*at);
		buffer_append_u8(&utf16, 0);
	}
	buffer_append(&utf16, "\0", 2);
	if (utf16.failed)
		return assay_fail(judging->err, ENOMEM, "out of memory");
	r = uefi_event_covers(&judging->reader, &judging->event, buffer_bytes(&utf16), ret,
			      judging->err);
	if (r == 0 && !*ret)
		r = uefi_event_covers(&judging->reader, &judging->event,
				      BYTES(utf16.data, utf16.size - 2), ret, judging->err);
	buffer_free(&utf16);
	return r;
}

int judging_is_line(struct judging *judging, bool *ret)
{
	const struct firmware_rules *rules = judging->rules;
	int r = 0;

	*ret = false;
	for (size_t i = 0; r == 0 && !*ret && i < rules->command_line_count; i++)
		r = is_line(judging, rules->command_lines[i], ret);
	return r;
}

/*
 * Of PCR 9. That an event is the load options is said by its tag, which is not proven: any event
 * that is not of the policy's files may be. So each must be a file or a command line, also where
 * another PCR has a line: anybody may have put it there since.
 */
static int judge_load_options(struct judging *judging, size_t *found)
{
	const struct firmware_items *files = &judging->rules->lists[FIRMWARE_FILES];
	char says[JUDGING_TEXT];
	int r;

	while ((r = judging_next(judging, PCR_STUB)) > 0) {
		bool line;

		r = judging_is_line(judging, &line);
		if (r < 0)
			return r;
		*found += line;
		if (!line && judging_item(judging, files, PCR_STUB) == files->count &&
		    !firmware_is_common(&judging->event, &judging->content))
			judging_find(judging,
				     "event %" PRIu64 " of PCR 9 is no command line of the policy, "
				     "and none of its files: %s",
				     judging->event.number, judging_says(judging, says));
	}
	return r;
}

uint32_t firmware_rules_pcrs(const struct firmware_rules *rules)
{
	uint32_t pcrs = rules->phase_count > 0 ? 1U << FIRMWARE_PHASES_PCR : 0;

	if (rules->command_line_count > 0)
		pcrs |= 1U << PCR_GRUB | 1U << PCR_STUB | 1U << PCR_SYSTEMD;
	return pcrs;
}

int judge_command_line(struct judging *judging)
{
	static const unsigned int pcrs[] = { PCR_GRUB, PCR_SYSTEMD, PCR_STUB };
	size_t found = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(pcrs) / sizeof(pcrs[0]); i++) {
		if (!judging_proven(judging, pcrs[i]))
			return 0;
		r = judging_rewind(judging);
		if (r == 0)
			r = pcrs[i] == PCR_STUB ? judge_load_options(judging, &found) :
						  judge_texts(judging, pcrs[i], &found);
	}
	if (r == 0 && found == 0)
		judging_find(judging, "the log has no command line of the kernel that is the "
				      "policy's");
	return r;
}
