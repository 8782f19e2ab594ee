// SPDX-License-Identifier: MIT
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "report/group.h"
#include "report/markup.h"
#include "verify/sentence.h"

/* Rows of one table, and ticks of the time line; what is more is counted. */
#define ROWS_MAX 2000
#define NANOSECONDS UINT64_C(1000000000)
/* Units of the time line's drawing. */
#define LINE_WIDTH 960
#define LINE_MARGIN 20

/* What is worst comes first. */
static const struct {
	enum file_state state;
	const char *name, *words;
	bool open; /* whether the rows are shown without asking */
} states[FILE_STATES] = {
	{ FILE_DIFFERS, "differs", "not what its reference value says, or badly signed", true },
	{ FILE_FAILED, "failed", "could not be measured, or was written meanwhile", true },
	{ FILE_UNKNOWN, "unknown", "no reference value", false },
	{ FILE_ALLOWED, "allowed", "allowed by the policy", false },
	{ FILE_SIGNED, "signed", "signed by an accepted key", false },
	{ FILE_MATCHES, "matches", "a reference value", false },
};

struct tick {
	uint64_t number, time;
	const char *kind;
	size_t entries;
	bool covered;
};

struct html_report {
	struct verify_observer observer;
	struct file_list {
		struct buffer rows[FILE_STATES];
		uint64_t counts[FILE_STATES];
	} measured, by_ima;    /* by assay, and by IMA */
	struct buffer records; /* rows */
	uint64_t record_count;
	struct tick ticks[ROWS_MAX];
};

/* ---------------------------------------------------------------- what is seen */

static void add_digest(struct buffer *out, const struct assay_digest *digest)
{
	char text[2 * ASSAY_DIGEST_MAX + 1];

	if (digest->size == 0)
		return;
	hex_encode(BYTES(digest->bytes, digest->size), text);
	markup_add(out, "<code>");
	markup_print(out, "%s:%s", assay_hash_name(digest->hash), text);
	markup_add(out, "</code>");
}

static void see_file(void *context, const struct verify_file *file)
{
	struct html_report *report = context;
	struct file_list *list = file->by_ima ? &report->by_ima : &report->measured;
	struct buffer *rows = &list->rows[file->state];

	if (list->counts[file->state]++ >= ROWS_MAX)
		return;
	markup_add(rows, "<tr><td>");
	if (file->path.data)
		markup_foreign(rows, file->path);
	else
		markup_add(rows, "<i>a path that was too long</i>");
	markup_add(rows, "<td>");
	markup_add(rows, file->by_ima ? "entry " : "record ");
	markup_number(rows, file->number);
	markup_add(rows, file->covered ? "<td>" : " <i>not covered</i><td>");
	add_digest(rows, &file->digest);
	if (file->expected) {
		markup_add(rows, "<br>expected ");
		add_digest(rows, file->expected);
	}
	markup_add(rows, "\n");
}

/* Date and time of a record, to the second; nothing where it has none. */
static void add_time(struct buffer *out, uint64_t nanoseconds)
{
	char text[UTC_LENGTH + 1];

	if (nanoseconds != 0)
		markup_text(out, utc_text(nanoseconds / NANOSECONDS, text));
}

static void see_record(void *context, const struct verify_record *record)
{
	struct html_report *report = context;
	struct buffer *rows = &report->records;

	if (report->record_count >= ROWS_MAX) {
		report->record_count++;
		return;
	}
	report->ticks[report->record_count++] = (struct tick){
		.number = record->number,
		.time = record->time,
		.kind = record->kind,
		.entries = record->files + record->events + record->ima,
		.covered = record->covered,
	};
	markup_add(rows, "<tr><td class=n>");
	markup_number(rows, record->number);
	markup_add(rows, "<td>");
	markup_text(rows, record->kind ? record->kind : "not known");
	markup_add(rows, "<td>");
	add_time(rows, record->time);
	markup_add(rows, "<td class=n>");
	markup_number(rows, record->files);
	markup_add(rows, "<td class=n>");
	markup_number(rows, record->events);
	markup_add(rows, "<td class=n>");
	markup_number(rows, record->ima);
	markup_add(rows, "<td class=n>");
	markup_number(rows, record->size);
	markup_add(rows, record->covered ? "<td>yes\n" : "<td><b class=warn>no</b>\n");
}

struct html_report *html_begin(void)
{
	struct html_report *report = calloc(1, sizeof(*report));

	if (report)
		report->observer = (struct verify_observer){ report, see_record, see_file, NULL };
	return report;
}

const struct verify_observer *html_observer(struct html_report *report)
{
	return &report->observer;
}

/* ---------------------------------------------------------------- the page */

/* Without its <style>: the page's policy names it by its digest. */
static const char style[] =
	"\n"
	":root{color-scheme:light dark;--bg:#fbfaf7;--fg:#1d2329;--dim:#5c656e;--line:#d9d6cd;"
	"--card:#fff;--ok:#18794e;--bad:#c62828;--warn:#8a5c00;--tick:#5b8ff0}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e8e6e1;--dim:#98a1aa;"
	"--line:#343a40;--card:#1c2024;--ok:#5fd39a;--bad:#ff7b72;--warn:#e3b341;--tick:#4a78cf}}\n"
	"body{background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif;"
	"margin:0 auto;max-width:1020px;padding:1.5rem}\n"
	"h1{font-size:1.6rem;margin:0}h2{display:inline;font-size:1.1rem;margin:0 .6rem 0 0}"
	"p{margin:.4rem 0}dl{margin:.8rem 0}dt{margin-top:.6rem}dd{margin:0}\n"
	".sum{background:var(--card);padding:1rem 1.3rem;border-radius:6px;border-left:6px "
	"solid;overflow-wrap:anywhere}\n"
	".sum.ok{border-color:var(--ok)}.sum.warn{border-color:var(--warn)}.sum.bad{border-color:"
	"var(--bad)}\n"
	".dim{color:var(--dim)}b.ok,h1.ok{color:var(--ok)}b.bad,h1.bad{color:var(--bad)}"
	"b.warn,h1.warn{color:var(--warn)}td b{white-space:nowrap}\n"
	"table{border-collapse:collapse;width:100%;background:var(--card);font-size:.92rem}\n"
	"td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);"
	"vertical-align:top;overflow-wrap:anywhere}th{color:var(--dim);font-weight:500}\n"
	"td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
	"section{margin-top:1.4rem}.name{width:34%}.result{width:7rem}.where{width:8rem}\n"
	"code{font-size:.85em}summary{cursor:pointer;padding:.3rem .2rem}\n"
	"summary:focus-visible{outline:2px solid var(--tick);border-radius:4px}\n"
	"section>details{border-top:1px solid var(--line);padding:.4rem 0}"
	"section>details[open]{padding-bottom:1.2rem}details details{margin-left:1.1rem}\n"
	"svg{width:100%;background:var(--card);border-radius:8px}svg text{fill:var(--dim);"
	"font-size:12px}\n"
	".t{fill:var(--tick)}.t.not{fill:var(--warn)}.axis{stroke:var(--line)}\n"
	"@media(max-width:40rem){body{padding:.7rem}.name{width:auto}.where,.result{width:auto}}\n";

static const struct {
	const char *class, *result;
} outcomes[CHECK_OUTCOMES] = {
	[OUTCOME_PASSED] = { "ok", "pass" },
	[OUTCOME_FAILED] = { "bad", "FAIL" },
	[OUTCOME_MISSING] = { "bad", "not checked" },
	[OUTCOME_NOT_REACHED] = { "warn", "not checked" },
	[OUTCOME_NOTE] = { "warn", "fail" },
	[OUTCOME_NOT_REQUIRED] = { "dim", "not checked" },
};

/* What checks came to that are shown first: all but what is as it is to be. */
#define OUTCOMES_AMISS (1U << OUTCOME_FAILED | 1U << OUTCOME_MISSING | 1U << OUTCOME_NOTE)
#define OUTCOMES_ALL ((1U << CHECK_OUTCOMES) - 1)

static void add_blame(const struct verdict *verdict, enum check_outcome outcome, struct buffer *out)
{
	for (int i = 0; i < CHECK_COUNT; i++) {
		enum check check = (enum check)i;

		if (check_outcome(verdict, check) != outcome)
			continue;
		markup_add(out, "<dt><b>");
		markup_text(out, check_name(check));
		markup_add(out, "</b>: ");
		markup_text(out, verdict->detail[i]);
		markup_add(out, "<dd>");
		markup_text(out, check_advice(check));
		markup_add(out, "\n");
	}
}

/* Each check that the verdict is to blame on, with what to do: what failed first. */
static void add_reasons(const struct verdict *verdict, struct buffer *out)
{
	markup_add(out, "<dl>");
	add_blame(verdict, OUTCOME_FAILED, out);
	add_blame(verdict, OUTCOME_MISSING, out);
	markup_add(out, "</dl>");
}

static void add_summary(const struct verdict *verdict, const char *evidence, uint64_t now,
			struct buffer *out)
{
	bool trusted = verdict_trusted(verdict);
	uint64_t passed = 0, required = 0;
	char time[UTC_LENGTH + 1];

	for (int i = 0; i < CHECK_COUNT; i++) {
		required += (verdict->required & CHECK_BIT(i)) != 0;
		passed += (verdict->required & verdict->passed & CHECK_BIT(i)) != 0;
	}
	markup_add(out, !trusted		     ? "<div class=\"sum bad\"><h1 class=bad>" :
			verdict_boot_judged(verdict) ? "<div class=\"sum ok\"><h1 class=ok>" :
						       "<div class=\"sum warn\"><h1 class=warn>");
	markup_text(out, verdict_sentence(verdict));
	markup_add(out, "</h1>\n");
	if (verdict->required == 0)
		markup_add(out, "<p>The policy requires no check.</p>\n");
	else if (!trusted)
		add_reasons(verdict, out);
	markup_add(out, "<p class=dim>");
	markup_text(out, evidence);
	markup_print(out, ", %s; %llu of %llu required checks passed", utc_text(now, time),
		     (unsigned long long)passed, (unsigned long long)required);
	markup_add(out, "</p></div>\n");
}

/* "15 passed, 1 failed": of those outcomes */
static void add_counts(const struct check_tally *tally, unsigned int shown, struct buffer *out)
{
	const char *separator = "";

	for (int i = 0; i < CHECK_OUTCOMES; i++) {
		if (tally->count[i] == 0 || !(shown & 1U << i))
			continue;
		markup_add(out, separator);
		markup_add(out, "<b class=");
		markup_add(out, outcomes[i].class);
		markup_add(out, ">");
		markup_number(out, tally->count[i]);
		markup_add(out, " ");
		markup_add(out, check_outcome_words((enum check_outcome)i));
		markup_add(out, "</b>");
		separator = ", ";
	}
}

static void add_check(const struct verdict *verdict, enum check check, struct buffer *out)
{
	enum check_outcome outcome = check_outcome(verdict, check);

	markup_add(out, "<tr><td><code>");
	markup_text(out, check_name(check));
	markup_add(out, "</code><br><span class=dim>");
	markup_text(out, check_question(check));
	markup_add(out, "</span><td><b class=");
	markup_add(out, outcomes[outcome].class);
	markup_add(out, ">");
	markup_add(out, outcomes[outcome].result);
	markup_add(out, "</b>");
	if (!(verdict->required & CHECK_BIT(check)))
		markup_add(out, "<br><span class=dim>not required</span>");
	markup_add(out, "<td>");
	markup_text(out, verdict->detail[check]);
	if (check_blocks(outcome)) {
		markup_add(out, "<br><span class=dim>");
		markup_text(out, check_advice(check));
		markup_add(out, "</span>");
	}
	markup_add(out, "\n");
}

/* Those checks of the group that came to one of the outcomes. */
static void add_checks(const struct verdict *verdict, enum check_group group, unsigned int shown,
		       struct buffer *out)
{
	markup_add(out, "<table><tr><th class=name>check<th class=result>result<th>detail\n");
	for (int i = 0; i < CHECK_COUNT; i++) {
		enum check check = (enum check)i;

		if (check_group(check) == group && (shown & 1U << check_outcome(verdict, check)))
			add_check(verdict, check, out);
	}
	markup_add(out, "</table>\n");
}

/* Where a record is on the line: by its time, or by its number where some have none. */
static uint64_t place(const struct tick *ticks, size_t count, size_t index)
{
	uint64_t first = UINT64_MAX, last = 0, here;

	for (size_t i = 0; i < count; i++) {
		if (ticks[i].time == 0)
			return count > 1 ? index * LINE_WIDTH / (count - 1) : 0;
		first = ticks[i].time < first ? ticks[i].time : first;
		last = ticks[i].time > last ? ticks[i].time : last;
	}
	here = ticks[index].time - first;
	/* Nanoseconds of some centuries times the width would go over 64 bits. */
	return last > first ? here / ((last - first) / LINE_WIDTH + 1) : 0;
}

static void add_line(const struct html_report *report, size_t shown, struct buffer *out)
{
	markup_add(out,
		   "<svg viewBox=\"0 0 1000 90\" role=img aria-label=\"records in the order of "
		   "time\"><line class=axis x1=20 y1=60 x2=980 y2=60 />");
	for (size_t i = 0; i < shown; i++) {
		const struct tick *tick = &report->ticks[i];
		/* A batch of thousands is a tall one, of one entry a short one. */
		uint64_t height = 8;

		for (size_t entries = tick->entries; entries > 0; entries /= 4)
			height += 6;
		markup_add(out, tick->covered ? "<rect class=t" : "<rect class=\"t not\"");
		markup_add(out, " x=");
		markup_number(out, LINE_MARGIN + place(report->ticks, shown, i));
		markup_add(out, " y=");
		markup_number(out, 60 - height);
		markup_add(out, " width=3 height=");
		markup_number(out, height);
		markup_add(out, "><title>");
		markup_print(out, "record %llu: %s, %zu entries%s",
			     (unsigned long long)tick->number,
			     tick->kind ? tick->kind : "not known", tick->entries,
			     tick->covered ? "" : ", not covered by the quote");
		markup_add(out, "</title></rect>");
	}
	markup_add(out, "<text x=20 y=80>");
	if (shown > 0)
		add_time(out, report->ticks[0].time);
	markup_add(out, "</text><text x=980 y=80 text-anchor=end>");
	if (shown > 0)
		add_time(out, report->ticks[shown - 1].time);
	markup_add(out, "</text></svg>\n");
}

static void add_more(uint64_t count, struct buffer *out)
{
	if (count <= ROWS_MAX)
		return;
	markup_add(out, "<p class=dim>and ");
	markup_number(out, count - ROWS_MAX);
	markup_add(out, " more</p>\n");
}

static void add_log(const struct html_report *report, const struct verdict *verdict,
		    struct buffer *out)
{
	size_t shown = report->record_count < ROWS_MAX ? (size_t)report->record_count : ROWS_MAX;

	markup_add(out, "<p>");
	markup_print(out, "%llu records, %llu of them covered by the quote.",
		     (unsigned long long)verdict->assay_log.records,
		     (unsigned long long)verdict->assay_log.covered);
	markup_add(out, "</p>\n");
	if (shown == 0)
		return;
	add_line(report, shown, out);
	markup_add(out,
		   "<details><summary>records</summary><table><tr><th class=n>number<th>kind"
		   "<th>time (device's clock)<th class=n>files<th class=n>events<th class=n>IMA"
		   "<th class=n>bytes<th>covered\n");
	buffer_append_bytes(out, buffer_bytes(&report->records));
	markup_add(out, "</table>");
	add_more(report->record_count, out);
	markup_add(out, "</details>\n");
}

static void add_files(const struct file_list *list, struct buffer *out)
{
	uint64_t all = 0;

	for (size_t i = 0; i < FILE_STATES; i++)
		all += list->counts[i];
	if (all == 0)
		markup_add(out, "<p>No file was looked at.</p>\n");
	for (size_t i = 0; i < FILE_STATES; i++) {
		enum file_state state = states[i].state;

		if (list->counts[state] == 0)
			continue;
		markup_add(out, states[i].open ? "<details open>" : "<details>");
		markup_add(out, "<summary>files: <b>");
		markup_number(out, list->counts[state]);
		markup_add(out, "</b> ");
		markup_add(out, states[i].name);
		markup_add(out, " <span class=dim>");
		markup_add(out, states[i].words);
		markup_add(out, "</span></summary><table><tr><th>file<th class=where>where"
				"<th>digest\n");
		buffer_append_bytes(out, buffer_bytes(&list->rows[state]));
		markup_add(out, "</table>");
		add_more(list->counts[state], out);
		markup_add(out, "</details>\n");
	}
}

static void add_entries(const struct html_report *report, const struct verdict *verdict,
			struct buffer *out)
{
	markup_add(out, "<p>");
	markup_print(out, "%llu entries of IMA's list, %llu of them covered by the quote.",
		     (unsigned long long)verdict->ima_log.records,
		     (unsigned long long)verdict->ima_log.covered);
	markup_add(out, "</p>\n");
	add_files(&report->by_ima, out);
}

/* What the files were compared with. */
static void add_manifests(const struct verdict *verdict, struct buffer *out)
{
	size_t shown = verdict->manifest_count < VERDICT_MANIFESTS ? verdict->manifest_count :
								     VERDICT_MANIFESTS;

	if (shown == 0)
		return;
	markup_add(out, "<table><tr><th>manifest<th>created<th>product\n");
	for (size_t i = 0; i < shown; i++) {
		markup_add(out, "<tr><td><code>");
		markup_text(out, verdict->manifests[i].id);
		markup_add(out, "</code><td>");
		markup_text(out, verdict->manifests[i].created);
		markup_add(out, "<td>");
		markup_text(out, verdict->manifests[i].product);
		markup_add(out, "\n");
	}
	markup_add(out, "</table>\n");
	if (verdict->manifest_count > shown) {
		markup_add(out, "<p class=dim>and ");
		markup_number(out, verdict->manifest_count - shown);
		markup_add(out, " more</p>\n");
	}
}

static bool is_amiss(const struct verdict *verdict, enum check_group group)
{
	struct check_tally tally = check_group_tally(verdict, group);

	return tally.count[OUTCOME_FAILED] + tally.count[OUTCOME_MISSING] > 0;
}

/* What passed is folded: a group where nothing else is, as a whole. */
static void add_group(const struct html_report *report, const struct verdict *verdict,
		      enum check_group group, struct buffer *out)
{
	struct check_tally tally = check_group_tally(verdict, group);
	bool amiss = is_amiss(verdict, group);

	markup_add(out, amiss ? "<details open><summary><h2>" : "<details><summary><h2>");
	markup_add(out, check_group_name(group));
	markup_add(out, "</h2>");
	add_counts(&tally, OUTCOMES_ALL, out);
	markup_add(out, "</summary>\n");
	if (amiss) {
		add_checks(verdict, group, OUTCOMES_AMISS, out);
		markup_add(out, "<details><summary>");
		add_counts(&tally, OUTCOMES_ALL & ~OUTCOMES_AMISS, out);
		markup_add(out, "</summary>\n");
		add_checks(verdict, group, OUTCOMES_ALL & ~OUTCOMES_AMISS, out);
		markup_add(out, "</details>\n");
	} else {
		add_checks(verdict, group, OUTCOMES_ALL, out);
	}
	if (group == CHECK_GROUP_LOG)
		add_log(report, verdict, out);
	if (group == CHECK_GROUP_IMA)
		add_entries(report, verdict, out);
	if (group == CHECK_GROUP_FILES) {
		add_manifests(verdict, out);
		add_files(&report->measured, out);
	}
	markup_add(out, "</details>\n");
}

static void add_groups(const struct html_report *report, const struct verdict *verdict, bool amiss,
		       struct buffer *out)
{
	for (int i = 0; i < CHECK_GROUPS; i++)
		if (is_amiss(verdict, (enum check_group)i) == amiss)
			add_group(report, verdict, (enum check_group)i, out);
}

/*
 * Whatever foreign text might become, the browser runs no script, fetches nothing and
 * takes no other style (Content Security Policy Level 3, 6.7.2.3: a digest of the style).
 */
static void add_policy(struct buffer *out)
{
	const struct bytes sheet = BYTES((const uint8_t *)style, sizeof(style) - 1);
	struct assay_digest digest;
	char *text = NULL;

	if (digest_bytes(ASSAY_HASH_SHA256, sheet, &digest, NULL) == 0)
		text = base64_encode(BYTES(digest.bytes, digest.size));
	if (!text) {
		out->failed = true;
		return;
	}
	markup_add(out, "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
			"base-uri 'none'; form-action 'none'; style-src 'sha256-");
	markup_text(out, text);
	markup_add(out, "'\">\n");
	free(text);
}

static void free_files(struct file_list *list, struct buffer *out)
{
	for (size_t i = 0; i < FILE_STATES; i++) {
		out->failed |= list->rows[i].failed;
		buffer_free(&list->rows[i]);
	}
}

void html_end(struct html_report *report, const struct verdict *verdict, const char *evidence,
	      uint64_t now, struct buffer *out)
{
	markup_add(out, "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n");
	add_policy(out);
	markup_add(out, "<meta name=viewport content=\"width=device-width\"><title>assay: ");
	markup_text(out, verdict_sentence(verdict));
	markup_add(out, "</title>\n<style>");
	markup_add(out, style);
	markup_add(out, "</style>\n</head><body><main>\n");
	add_summary(verdict, evidence, now, out);
	markup_add(out, "<section aria-label=checks>\n");
	add_groups(report, verdict, true, out);
	add_groups(report, verdict, false, out);
	markup_add(out, "</section></main></body></html>\n");
	out->failed |= report->records.failed;
	buffer_free(&report->records);
	free_files(&report->measured, out);
	free_files(&report->by_ima, out);
	free(report);
}
