// SPDX-License-Identifier: MIT
/* What the service tells of itself, in sentences: a few lines for each of its parts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "status_service.h"

/* Room for a text of the state, escaped; longer ones are cut off. */
#define TEXT 1024

/* ---------------------------------------------------------------- members */

static const char *member(const json_t *object, const char *key, char text[TEXT])
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? text_escape(BYTES((const uint8_t *)value, strlen(value)), text, TEXT) : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const char *plural(json_int_t count)
{
	return count == 1 ? "" : "s";
}

/* ---------------------------------------------------------------- parts */

static void begin_line(const char *name)
{
	printf("  %-9s ", name);
}

static void print_archive(const json_t *part)
{
	json_int_t waiting = number(part, "unacknowledged_records"),
		   to = number(part, "archived_to");
	json_int_t cut = number(part, "trimmed_records"), files = number(part, "files_kept");
	char text[TEXT];

	if (!json_object_get(part, "directory")) {
		puts("no log is archived: there is none, or its archive cannot be opened");
	} else {
		printf("%" PRId64 " record%s of the log %s archived, in %s\n", (int64_t)to,
		       plural(to), to == 1 ? "is" : "are", member(part, "directory", text));
		begin_line("");
		printf("%" PRId64 " of them no verifier has seen; %" PRId64
		       " bytes wait to be archived\n",
		       (int64_t)waiting, (int64_t)number(part, "waiting_bytes"));
		begin_line("");
		printf("the log fills %" PRId64 " %% of its memory; %" PRId64
		       " record%s cut off since the start\n",
		       (int64_t)number(part, "log_used_percent"), (int64_t)cut,
		       cut == 1 ? " was" : "s were");
	}
	begin_line("");
	printf("%" PRId64 " file%s of %" PRId64 " bytes %s kept, of all boots\n", (int64_t)files,
	       plural(files), (int64_t)number(part, "bytes_kept"), files == 1 ? "is" : "are");
}

/* What came of a pass over the rules. */
static void print_outcome(const char *what, const json_t *outcome)
{
	json_int_t measured = number(outcome, "measured_count");
	json_int_t failed = number(outcome, "failed_count");

	printf("%s measured %" PRId64 " file%s", what, (int64_t)measured, plural(measured));
	if (failed > 0)
		printf(", and could not measure %" PRId64, (int64_t)failed);
	putchar('\n');
}

static void print_measure(const json_t *part)
{
	json_int_t passes = number(part, "pass_count"), requests = number(part, "request_count");
	const json_t *stage1 = json_object_get(part, "stage1");
	const json_t *last = json_object_get(part, "last_pass");

	printf("%" PRId64 " pass%s over the rules, %" PRId64 " request%s of others\n",
	       (int64_t)passes, passes == 1 ? "" : "es", (int64_t)requests, plural(requests));
	if (stage1) {
		begin_line("");
		print_outcome("stage 1, in the initramfs,", stage1);
	}
	if (last) {
		begin_line("");
		print_outcome("the last pass", last);
	}
}

static const char *list_sentence(const char *state)
{
	static const struct {
		const char *word, *sentence;
	} rows[] = {
		{ "verified", "they come to the TPM's PCR" },
		{ "bypassed",
		  "IMA never extended the TPM's PCR: it started before the TPM's driver" },
		{ "differs", "THEY DO NOT COME TO THE TPM'S PCR" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(state, rows[i].word) == 0)
			return rows[i].sentence;
	return "nothing tells whether they come to a PCR";
}

static void print_ima(const json_t *part)
{
	json_int_t archived = number(part, "archived_count");
	json_int_t mirrored = number(part, "mirrored_count");
	json_int_t violations = number(part, "violation_count");
	char text[TEXT];

	if (!json_object_get(part, "list_state")) {
		puts("IMA's list is not kept (keep=no)");
		return;
	}
	printf("%" PRId64 " entr%s of IMA's list %s archived, %" PRId64 " wait; %s\n",
	       (int64_t)archived, archived == 1 ? "y" : "ies", archived == 1 ? "is" : "are",
	       (int64_t)number(part, "pending_count"),
	       list_sentence(member(part, "list_state", text)));
	begin_line("");
	if (strcmp(member(part, "way", text), "staging") == 0)
		printf("%" PRId64 " were deleted from the kernel",
		       (int64_t)number(part, "deleted_count"));
	else
		printf("the kernel keeps them as well");
	if (mirrored > 0)
		printf("; %" PRId64 " are in assay's log", (int64_t)mirrored);
	if (violations > 0)
		printf("; %" PRId64 " violation%s", (int64_t)violations, plural(violations));
	putchar('\n');
}

static void print_varlink(const json_t *part)
{
	json_int_t calls = number(part, "calls"), refused = number(part, "refused");
	json_int_t unparsed = number(part, "unparsed");
	char text[TEXT];

	printf("%" PRId64 " call%s at %s, %" PRId64 " refused", (int64_t)calls, plural(calls),
	       member(part, "socket", text), (int64_t)refused);
	if (unparsed > 0)
		printf(", %" PRId64 " ended their parsers", (int64_t)unparsed);
	putchar('\n');
}

static void print_attest(const json_t *part)
{
	json_int_t quotes = number(part, "quotes"), failed = number(part, "quotes_failed");

	if (!is(part, "configured")) {
		puts("no quotes: no attestation key is configured");
		return;
	}
	printf("%" PRId64 " quote%s made, %" PRId64 " failed, %" PRId64 " waited for\n",
	       (int64_t)quotes, plural(quotes), (int64_t)failed, (int64_t)number(part, "waiting"));
}

static void print_push(const json_t *part)
{
	char a[TEXT], b[TEXT], c[TEXT];

	if (!is(part, "configured")) {
		puts("no evidence is pushed: no verifier is configured");
		return;
	}
	if (!json_object_get(part, "verdict"))
		printf("no verdict yet of %s\n", member(part, "url", a));
	else
		printf("%s: the verdict of %s at %s\n", member(part, "verdict", a),
		       member(part, "url", b), member(part, "verified", c));
	if (json_object_get(part, "away_since")) {
		begin_line("");
		printf("the verifier is away since %s: %" PRId64 " failures\n",
		       member(part, "away_since", a), (int64_t)number(part, "failures"));
	}
	begin_line("");
	if (json_object_get(part, "next_ms"))
		printf("%" PRId64 " attestations; the next one in %" PRId64 " s\n",
		       (int64_t)number(part, "attestations"),
		       (int64_t)(number(part, "next_ms") / 1000));
	else
		printf("%" PRId64 " attestations; one is under way (%s)\n",
		       (int64_t)number(part, "attestations"), member(part, "step", a));
}

/* ---------------------------------------------------------------- all of it */

static const struct {
	const char *name;
	void (*print)(const json_t *part);
} printers[] = {
	{ "archive", print_archive }, { "measure", print_measure }, { "ima", print_ima },
	{ "varlink", print_varlink }, { "attest", print_attest },   { "push", print_push },
};

static void print_part(const char *name, const json_t *part)
{
	char text[TEXT];

	begin_line(text_escape(BYTES((const uint8_t *)name, strlen(name)), text, sizeof(text)));
	if (!is(part, "started")) {
		puts("does not work");
		return;
	}
	for (size_t i = 0; i < sizeof(printers) / sizeof(printers[0]); i++) {
		if (strcmp(name, printers[i].name) == 0) {
			printers[i].print(part);
			return;
		}
	}
	/* Of a newer service. */
	puts("works; --json has what it tells");
}

void service_status_print(const struct service_status *status)
{
	const json_t *state = status->state;
	char a[TEXT], b[TEXT];
	json_t *problem, *part;
	const char *name;
	size_t i;

	if (!state) {
		printf("service     %s\n", status->running ? "starts" : "does not run");
		return;
	}
	printf("service     assayd %s, ", member(state, "version", a));
	if (status->running)
		printf("process %" JSON_INTEGER_FORMAT "; its state of %s\n", number(state, "pid"),
		       member(state, "time", a));
	else
		printf("DOES NOT RUN; its last state, of %s\n", member(state, "time", a));
	if (json_array_size(json_object_get(state, "problems")) == 0)
		puts("  problems  none");
	json_array_foreach(json_object_get(state, "problems"), i, problem) {
		printf("  PROBLEM   %s: %s\n", member(problem, "part", a),
		       member(problem, "text", b));
	}
	json_object_foreach(json_object_get(state, "parts"), name, part) {
		print_part(name, part);
	}
}
