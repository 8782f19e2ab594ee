// SPDX-License-Identifier: MIT
#include "firmware/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "firmware/content.h"
#include "firmware/describe_internal.h"
#include "firmware/learn.h"

/* Events of a log that are compared: a boot has some hundred. */
#define EVENTS_MAX 65536
#define PCR_FILES 9

/**
 * struct item - an event that was extended
 * @name: what it is of, by its label
 * @matched: the other log has it, or it was told
 */
struct item {
	struct uefi_event event;
	struct firmware_content content;
	const struct assay_digest *digest;
	char *name;
	bool matched;
};

struct items {
	struct item *list;
	size_t count, capacity;
};

struct diff {
	struct items before, after;
	firmware_change_function *each;
	void *context;
	int changes;
	struct hashers hashers;
	struct assay_error *err;
};

/* ---------------------------------------------------------------- telling */

static const char *area_of(uint32_t pcr)
{
	static const char *const areas[] = {
		[0] = "firmware",    [2] = "drivers",	    [4] = "programs",
		[7] = "secure-boot", [8] = "command-line",  [9] = "files",
		[11] = "sections",   [12] = "command-line", [14] = "mok",
	};

	return pcr < sizeof(areas) / sizeof(areas[0]) && areas[pcr] ? areas[pcr] : "configuration";
}

static void tell(struct diff *diff, const char *area, uint32_t pcr, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void tell(struct diff *diff, const char *area, uint32_t pcr, const char *format, ...)
{
	struct firmware_change change = { .area = area, .pcr = pcr };
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	change.text = text;
	diff->each(diff->context, &change);
	diff->changes++;
}

/* ---------------------------------------------------------------- reading */

static void items_free(struct items *items)
{
	for (size_t i = 0; i < items->count; i++)
		free(items->list[i].name);
	free(items->list);
}

static int add_item(struct items *items, const struct uefi_event *event,
		    const struct firmware_content *content, struct assay_error *err)
{
	struct item *item;

	if (items->count == items->capacity) {
		size_t capacity = items->capacity ? 2 * items->capacity : 64;
		struct item *list = capacity <= EVENTS_MAX ?
					    realloc(items->list, capacity * sizeof(*list)) :
					    NULL;

		if (!list)
			return capacity > EVENTS_MAX ?
				       assay_fail(err, EFBIG, "more than %d events", EVENTS_MAX) :
				       assay_fail(err, ENOMEM, "out of memory");
		items->list = list;
		items->capacity = capacity;
	}
	item = &items->list[items->count];
	*item = (struct item){ .event = *event, .content = *content };
	item->name = firmware_event_name(event, content);
	if (!item->name)
		return assay_fail(err, ENOMEM, "out of memory");
	items->count++;
	return 0;
}

static int read_log(struct bytes log, enum assay_hash bank, struct items *items,
		    struct assay_error *err)
{
	struct firmware_content content;
	struct uefi_reader reader;
	struct uefi_event event;
	int r = uefi_open(&reader, log, err);

	if (r < 0)
		return r;
	while ((r = uefi_next(&reader, &event, err)) > 0) {
		if (!event.extended)
			continue;
		r = firmware_content_read(&reader, &event, &content, err);
		if (r == 0)
			r = add_item(items, &event, &content, err);
		if (r < 0)
			break;
	}
	uefi_close(&reader);
	/* The list does not grow any more: what points into it stays. */
	for (size_t i = 0; i < items->count; i++)
		items->list[i].digest = uefi_event_digest(&items->list[i].event, bank);
	return r;
}

/* The strongest bank that both logs have. */
static int common_bank(struct bytes before, struct bytes after, enum assay_hash *ret,
		       struct assay_error *err)
{
	static const enum assay_hash banks[] = { ASSAY_HASH_SHA256, ASSAY_HASH_SHA384,
						 ASSAY_HASH_SHA512, ASSAY_HASH_SHA1 };
	struct uefi_pcrs *pcrs = calloc(2, sizeof(*pcrs));
	int r;

	if (!pcrs)
		return assay_fail(err, ENOMEM, "out of memory");
	r = uefi_replay(before, &pcrs[0], err);
	if (r < 0)
		assay_fail_context(err, "the first log");
	if (r == 0) {
		r = uefi_replay(after, &pcrs[1], err);
		if (r < 0)
			assay_fail_context(err, "the second log");
	}
	*ret = ASSAY_HASH_NONE;
	for (size_t i = 0; r == 0 && i < sizeof(banks) / sizeof(banks[0]); i++)
		if (*ret == ASSAY_HASH_NONE && uefi_pcrs_value(&pcrs[0], banks[i], 0) &&
		    uefi_pcrs_value(&pcrs[1], banks[i], 0))
			*ret = banks[i];
	free(pcrs);
	if (r == 0 && *ret == ASSAY_HASH_NONE)
		r = assay_fail(err, ENOTSUP, "the logs have no bank in common");
	return r;
}

/* ---------------------------------------------------------------- comparing */

/* Of events without a digest of the bank their data say whether they are the same. */
static bool same_digest(const struct item *a, const struct item *b)
{
	if (!a->digest || !b->digest)
		return a->digest == b->digest && a->event.type == b->event.type &&
		       bytes_equal(a->event.data, b->event.data);
	return a->digest->size == b->digest->size &&
	       memcmp(a->digest->bytes, b->digest->bytes, a->digest->size) == 0;
}

/* What is in both is left out: the same digest in the same PCR, in whatever order. */
static void match_same(struct diff *diff)
{
	for (size_t i = 0; i < diff->before.count; i++)
		for (size_t j = 0; j < diff->after.count && !diff->before.list[i].matched; j++) {
			struct item *a = &diff->before.list[i], *b = &diff->after.list[j];

			if (b->matched || a->event.pcr != b->event.pcr || !same_digest(a, b))
				continue;
			a->matched = b->matched = true;
		}
}

static bool is_line(const struct item *item)
{
	return item->content.kind == FIRMWARE_TEXT &&
	       (item->event.pcr == 12 ||
		(item->event.pcr == 8 &&
		 (!item->content.label ||
		  strcmp(item->content.label, FIRMWARE_LABEL_KERNEL) == 0)));
}

/* What a file that a boot loader read is, by its name. */
enum file {
	FILE_ANY,
	FILE_KERNEL,
	FILE_INITRD,
};

static enum file file_of(const struct item *item)
{
	if (strstr(item->name, "vmlinuz"))
		return FILE_KERNEL;
	return strstr(item->name, "initr") ? FILE_INITRD : FILE_ANY;
}

/* Whether both are of the same thing, which is another in each. */
static bool same_thing(const struct item *a, const struct item *b)
{
	if (a->matched || b->matched || a->event.pcr != b->event.pcr)
		return false;
	if (is_line(a) || is_line(b))
		return is_line(a) && is_line(b);
	/* Their names are others with each version. */
	if (a->event.pcr == 0 && a->event.type == b->event.type &&
	    a->event.type == UEFI_EV_S_CRTM_VERSION)
		return true;
	if (a->event.pcr == PCR_FILES && file_of(a) != FILE_ANY)
		return file_of(a) == file_of(b);
	return a->event.type == b->event.type && strcmp(a->name, b->name) == 0;
}

static char *said(const struct item *item)
{
	struct firmware_content content = item->content;
	struct buffer says = { 0 };

	/* What a command line is of is said before it. */
	if (is_line(item))
		content.label = NULL;
	firmware_says(&item->event, &content, &says);
	buffer_append_u8(&says, 0);
	if (says.failed) {
		buffer_free(&says);
		return NULL;
	}
	return (char *)says.data;
}

/* ---------------------------------------------------------------- lists of keys */

static int digest_in(struct diff *diff, struct bytes lists, const struct assay_digest *wanted,
		     bool *ret)
{
	struct efi_signatures signatures;
	struct efi_signature signature;
	struct assay_digest digest;

	*ret = false;
	efi_signatures_begin(&signatures, lists);
	while (!*ret && efi_signatures_next(&signatures, &signature) > 0) {
		if (firmware_entry_digest(&diff->hashers, &signature, &digest, diff->err) < 0)
			return -EIO;
		*ret = digest.hash == wanted->hash &&
		       memcmp(digest.bytes, wanted->bytes, digest.size) == 0;
	}
	return 0;
}

/* Entries of @lists that @others does not have: how many, and the first one in words. */
static int count_missing(struct diff *diff, struct bytes lists, struct bytes others, size_t *count,
			 char first[static 256])
{
	struct efi_signatures signatures;
	struct efi_signature signature;
	struct assay_digest digest;
	bool found;

	*count = 0;
	first[0] = '\0';
	efi_signatures_begin(&signatures, lists);
	while (efi_signatures_next(&signatures, &signature) > 0) {
		CLEANUP(free_pointer) char *subject = NULL;
		char text[ASSAY_DIGEST_TEXT_MAX];

		if (firmware_entry_digest(&diff->hashers, &signature, &digest, diff->err) < 0 ||
		    digest_in(diff, others, &digest, &found) < 0)
			return -EIO;
		if (found || (*count)++ > 0)
			continue;
		subject = efi_guid_is(signature.type, EFI_CERT_X509) ?
				  firmware_signature_subject(signature.data) :
				  NULL;
		snprintf(first, 256, "%s", subject ? subject : assay_digest_text(&digest, text));
	}
	return 0;
}

static int tell_keys(struct diff *diff, const struct item *a, const struct item *b)
{
	struct bytes before = a->content.variable.value, after = b->content.variable.value;
	size_t gone = 0, come = 0;
	char first_gone[256], first_come[256];
	int r = count_missing(diff, before, after, &gone, first_gone);

	if (r == 0)
		r = count_missing(diff, after, before, &come, first_come);
	if (r < 0)
		return r;
	if (gone == 0 && come == 0)
		tell(diff, "keys", 7, "%s has the same entries in another form", a->name);
	if (come > 0)
		tell(diff, "keys", 7, "%s has %zu entr%s more: %s%s", a->name, come,
		     come == 1 ? "y" : "ies", first_come, come > 1 ? ", ..." : "");
	if (gone > 0)
		tell(diff, "keys", 7, "%s lacks %zu entr%s that it had: %s%s", a->name, gone,
		     gone == 1 ? "y" : "ies", first_gone, gone > 1 ? ", ..." : "");
	return 0;
}

/* ---------------------------------------------------------------- what became of a thing */

static const char *thing_of(const struct item *item)
{
	static const char *const files[] = { [FILE_ANY] = "the file ",
					     [FILE_KERNEL] = "the kernel ",
					     [FILE_INITRD] = "the initrd " };

	if (is_line(item))
		return "the kernel's command line ";
	switch (item->event.pcr) {
	case 0:
		return item->event.type == UEFI_EV_S_CRTM_VERSION ? "the firmware's version " :
								    "the firmware, ";
	case 2:
		return "the driver ";
	case 4:
		if (item->content.kind != FIRMWARE_PROGRAM || item->content.path.size == 0)
			return "";
		return file_of(item) == FILE_KERNEL ? "the kernel " : "the program ";
	case PCR_FILES:
		/* Linux's EFI stub says itself what it measured. */
		return item->content.kind == FIRMWARE_TAGGED ? "" : files[file_of(item)];
	case 11:
		return "the section ";
	default:
		return "";
	}
}

static int tell_changed(struct diff *diff, const struct item *a, const struct item *b)
{
	CLEANUP(free_pointer) char *before = said(a);
	CLEANUP(free_pointer) char *after = said(b);
	const char *thing = thing_of(a);
	bool variable = a->content.kind == FIRMWARE_VARIABLE && !a->content.problem;

	if (!before || !after)
		return assay_fail(diff->err, ENOMEM, "out of memory");
	if (variable && b->content.kind == FIRMWARE_VARIABLE && !b->content.problem &&
	    firmware_is_signatures(&a->event, &a->content.variable))
		return tell_keys(diff, a, b);
	if (strcmp(before, after) != 0)
		tell(diff, area_of(a->event.pcr), a->event.pcr, "%swas %.1500s, and is %.1500s",
		     thing, before, after);
	else
		tell(diff, area_of(a->event.pcr), a->event.pcr, "%s%.1500s is another", thing,
		     before);
	return 0;
}

static int tell_changes(struct diff *diff)
{
	for (size_t i = 0; i < diff->before.count; i++)
		for (size_t j = 0; j < diff->after.count; j++) {
			struct item *a = &diff->before.list[i], *b = &diff->after.list[j];
			int r;

			if (!same_thing(a, b))
				continue;
			r = tell_changed(diff, a, b);
			if (r < 0)
				return r;
			a->matched = b->matched = true;
		}
	return 0;
}

static int tell_rest(struct diff *diff, const struct items *items, const char *what)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct item *item = &items->list[i];
		CLEANUP(free_pointer) char *text = NULL;
		const char *thing = thing_of(item);

		if (item->matched)
			continue;
		text = said(item);
		if (!text)
			return assay_fail(diff->err, ENOMEM, "out of memory");
		tell(diff, area_of(item->event.pcr), item->event.pcr, "%s%.3000s %s", thing, text,
		     what);
	}
	return 0;
}

int firmware_diff(struct bytes before, struct bytes after, firmware_change_function *each,
		  void *context, struct assay_error *err)
{
	struct diff diff = { .each = each, .context = context, .err = err };
	enum assay_hash bank;
	int r = common_bank(before, after, &bank, err);

	if (r == 0)
		r = read_log(before, bank, &diff.before, err);
	if (r == 0)
		r = read_log(after, bank, &diff.after, err);
	if (r == 0) {
		match_same(&diff);
		r = tell_changes(&diff);
	}
	if (r == 0)
		r = tell_rest(&diff, &diff.before, "was measured before, and is not any more");
	if (r == 0)
		r = tell_rest(&diff, &diff.after, "is new");
	items_free(&diff.before);
	items_free(&diff.after);
	hashers_close(&diff.hashers);
	return r < 0 ? r : diff.changes;
}
