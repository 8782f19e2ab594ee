// SPDX-License-Identifier: MIT
/*
 * orders TRACE [SEED]: what a reset can leave of a log in memory behind caches.
 *
 * TRACE is what watch-writes --trace has seen the module do: stores to the log's window, and
 * write-backs. A store changes a line of 64 bytes in the cache. Until the line is written back
 * the memory has any of its contents since it was written back last, each line for itself, as the
 * cache likes. So before each write-back, and at each line that the guest has said, memory is
 * put together in every such way, or in IMAGES of them where there are more; and each is
 * judged by the module's own kmod/found.c:
 *
 *	it is a good log; what is extended into the PCR is in it, and what the guest was told
 *	to be anchored is anchored; its records, its beginning and its PCR values are those that
 *	the module wrote
 *
 * From "# abandoned" on until a record is extended again there may be none, or a damaged one;
 * but one that is found good must be one of those that there were. At "# laid" all that was
 * stored counts as written back.
 *
 * Then the same with a write-back left out, for each place in the code that has one: if nothing
 * is found to be wrong then, it was not needed, or is not tested. And with one done too late,
 * after the next one: of these at least those of a record's bytes must be found.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "found.h"

#define LINE 64
#define LOG_PCR 14
#define IMAGES 256
#define SITES_MAX 32
#define LOGS_MAX 8
#define HEADS_MAX 64
#define BYTES_MAX (1 << 20) /* of a log, over its life */

#define need(condition)                                                                 \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "orders: line %d: %s\n", __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

/* ------------------------------------------------------------------ the trace */
enum event_kind { STORE, BACK, EXTEND, ANCHORED, LAID, ABANDONED };

struct event {
	enum event_kind kind;
	uint64_t offset;
	uint64_t size;
	uint64_t site;	 /* of BACK */
	uint64_t recnum; /* of ANCHORED */
	uint8_t *bytes;	 /* of STORE */
};

struct trace {
	uint8_t *memory;
	size_t size;
	struct event *events;
	size_t count;
};

static uint8_t *read_hex(const char *text, size_t *ret_size)
{
	size_t size = strcspn(text, "\n") / 2;
	uint8_t *bytes = malloc(size + 1);

	need(bytes);
	for (size_t i = 0; i < size; i++) {
		unsigned int byte;

		need(sscanf(text + 2 * i, "%2x", &byte) == 1);
		bytes[i] = (uint8_t)byte;
	}
	*ret_size = size;
	return bytes;
}

static bool parse_event(const char *line, struct event *event)
{
	unsigned long long offset, size, site;
	int at;

	*event = (struct event){ 0 };
	if (sscanf(line, "store %llx %n", &offset, &at) == 1) {
		size_t length;

		event->kind = STORE;
		event->offset = offset;
		event->bytes = read_hex(line + at, &length);
		event->size = length;
		return true;
	}
	if (sscanf(line, "back %llx %llx %llx", &offset, &size, &site) == 3) {
		event->kind = BACK;
		event->offset = offset;
		event->size = size;
		event->site = site;
		return true;
	}
	if (sscanf(line, "# anchored %llu", &offset) == 1) {
		event->kind = ANCHORED;
		event->recnum = offset;
		return true;
	}
	if (sscanf(line, "extend %llx", &offset) == 1) {
		event->kind = EXTEND;
		return offset == LOG_PCR;
	}
	event->kind = strcmp(line, "# laid\n") == 0 ? LAID : ABANDONED;
	return event->kind == LAID || strcmp(line, "# abandoned\n") == 0;
}

static struct trace read_trace(const char *path)
{
	FILE *file = fopen(path, "re");
	struct trace trace = { 0 };
	char *line = NULL;
	size_t room = 0, most = 0;

	need(file);
	need(getline(&line, &room, file) > 0 && strncmp(line, "memory ", 7) == 0);
	trace.memory = read_hex(line + 7, &trace.size);
	need(trace.size > sizeof(struct assay_log_header) && trace.size % LINE == 0);
	while (getline(&line, &room, file) > 0) {
		if (trace.count == most) {
			most = 2 * most + 1024;
			trace.events = realloc(trace.events, most * sizeof(*trace.events));
			need(trace.events);
		}
		if (!parse_event(line, &trace.events[trace.count]))
			continue;
		need(trace.events[trace.count].offset + trace.events[trace.count].size <=
		     trace.size);
		trace.count++;
	}
	free(line);
	fclose(file);
	return trace;
}

static void free_trace(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		free(trace->events[i].bytes);
	free(trace->events);
	free(trace->memory);
}

/* ------------------------------------------------------------------ the logs that there were */
/* Where a log has begun, in the course of its life. */
struct head {
	uint64_t head;
	uint64_t head_recnum;
	uint32_t bank_count;
	struct assay_log_bank banks[ASSAY_MAX_BANKS]; /* value is none of it */
};

/* A log as the module meant it: all that was ever in it, by offset. */
struct log {
	uint8_t *bytes;
	uint64_t tail;
	struct head heads[HEADS_MAX];
	size_t head_count;
};

/* ------------------------------------------------------------------ a machine */
/* A line of memory: what it may hold. */
struct line {
	uint8_t (*contents)[LINE];
	size_t count;
	size_t room;
};

struct machine {
	const struct trace *trace;
	EVP_MD_CTX *hasher;
	uint64_t random;
	uint8_t *cached; /* as the processor sees it */
	uint8_t *image;	 /* what a reset leaves */
	struct line *lines;
	size_t line_count;
	struct log logs[LOGS_MAX];
	size_t log_count;
	bool established;  /* a record is in the PCR, and its log was not abandoned since */
	uint64_t records;  /* that there must be: they are in the PCR */
	uint64_t anchored; /* that must be anchored: the guest was told so */
	uint64_t judged;
	char wrong[256];
};

static uint64_t draw(struct machine *machine)
{
	uint64_t z = machine->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static int hash(void *context, __u16 alg, const struct assay_found_bytes pieces[2], __u8 *digest)
{
	const EVP_MD *md = alg == ASSAY_ALG_SHA1   ? EVP_sha1() :
			   alg == ASSAY_ALG_SHA256 ? EVP_sha256() :
			   alg == ASSAY_ALG_SHA384 ? EVP_sha384() :
						     EVP_sha512();

	need(EVP_DigestInit_ex(context, md, NULL) &&
	     EVP_DigestUpdate(context, pieces[0].data, pieces[0].size) &&
	     EVP_DigestUpdate(context, pieces[1].data, pieces[1].size) &&
	     EVP_DigestFinal_ex(context, digest, NULL));
	return 0;
}

static bool same_head(const struct head *head, const struct assay_log_header *header)
{
	if (head->head != header->head || head->head_recnum != header->head_recnum ||
	    head->bank_count != header->bank_count)
		return false;
	for (uint32_t i = 0; i < header->bank_count; i++)
		if (head->banks[i].alg != header->banks[i].alg ||
		    memcmp(head->banks[i].start, header->banks[i].start, ASSAY_MAX_DIGEST) != 0)
			return false;
	return true;
}

static const struct assay_log_header *header_of(const struct machine *machine)
{
	return (const struct assay_log_header *)(const void *)machine->cached;
}

/* What the processor sees now is a log at rest: remember it. */
static void note_log(struct machine *machine)
{
	const struct assay_log_header *header = header_of(machine);
	struct log *log;
	struct head *head;

	if (memcmp(header->magic, ASSAY_LOG_MAGIC, sizeof(header->magic)) != 0 ||
	    header->sequence % 2 || header->tail == 0)
		return;
	if (machine->log_count == 0 || header->tail < machine->logs[machine->log_count - 1].tail) {
		need(machine->log_count < LOGS_MAX);
		machine->logs[machine->log_count++].bytes = calloc(1, BYTES_MAX);
		need(machine->logs[machine->log_count - 1].bytes);
	}
	log = &machine->logs[machine->log_count - 1];
	need(header->tail <= BYTES_MAX);
	for (uint64_t at = log->tail > header->head ? log->tail : header->head; at < header->tail;
	     at++)
		log->bytes[at] = machine->cached[header->page_size + at % header->ring_size];
	log->tail = header->tail;
	for (size_t i = 0; i < log->head_count; i++)
		if (same_head(&log->heads[i], header))
			return;
	need(log->head_count < HEADS_MAX);
	head = &log->heads[log->head_count++];
	head->head = header->head;
	head->head_recnum = header->head_recnum;
	head->bank_count = header->bank_count;
	memcpy(head->banks, header->banks, sizeof(head->banks));
}

/* Whether what was found in the image is one of the logs that there were. */
static bool was_there(const struct machine *machine, const struct assay_log_header *header)
{
	for (size_t i = 0; i < machine->log_count; i++) {
		const struct log *log = &machine->logs[i];
		bool same = false;

		for (size_t h = 0; h < log->head_count && !same; h++)
			same = same_head(&log->heads[h], header);
		for (uint64_t at = header->head; same && at < header->tail; at++)
			same = at < log->tail &&
			       log->bytes[at] ==
				       machine->image[header->page_size + at % header->ring_size];
		if (same)
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ judging */
static bool judge(struct machine *machine, const char *when)
{
	struct assay_found found = { 0 };
	int result;

	machine->judged++;
	result = assay_found_check(
		(struct assay_found_bytes){ machine->image, machine->trace->size }, hash,
		machine->hasher, &found);
	if (result == 0 && !found.what) {
		if (!was_there(machine, &found.header))
			snprintf(machine->wrong, sizeof(machine->wrong),
				 "%s: a log that never was, of records %llu to %llu", when,
				 found.header.head_recnum, found.header.records);
		else if (machine->established &&
			 (found.header.records < machine->records ||
			  found.header.anchored_records < machine->anchored))
			snprintf(machine->wrong, sizeof(machine->wrong),
				 "%s: %llu records, %llu of them anchored, of %llu and %llu", when,
				 found.header.records, found.header.anchored_records,
				 (unsigned long long)machine->records,
				 (unsigned long long)machine->anchored);
		return !machine->wrong[0];
	}
	if (machine->established)
		snprintf(machine->wrong, sizeof(machine->wrong), "%s: %s", when,
			 found.what ? found.what : "no log");
	return !machine->wrong[0];
}

/* The lines of which the memory may have one content or another. */
static size_t find_open(const struct machine *machine, size_t *open)
{
	size_t count = 0;

	for (size_t i = 0; i < machine->line_count; i++)
		if (machine->lines[i].count > 1)
			open[count++] = i;
	return count;
}

static void put_line(struct machine *machine, size_t line, size_t content)
{
	memcpy(machine->image + line * LINE, machine->lines[line].contents[content], LINE);
}

/* All images there can be, if they are not too many; false if they are. */
static bool judge_all(struct machine *machine, const size_t *open, size_t count, const char *when)
{
	uint64_t images = 1;

	for (size_t i = 0; i < count; i++) {
		images *= machine->lines[open[i]].count;
		if (images > IMAGES)
			return false;
	}
	for (uint64_t number = 0; number < images && !machine->wrong[0]; number++) {
		uint64_t rest = number;

		for (size_t i = 0; i < count; i++) {
			put_line(machine, open[i], rest % machine->lines[open[i]].count);
			rest /= machine->lines[open[i]].count;
		}
		judge(machine, when);
	}
	return true;
}

/* Each line alone old or new, among others that are all new or old; then by chance. */
static void judge_some(struct machine *machine, const size_t *open, size_t count, const char *when)
{
	for (size_t alone = 0; alone < 2 * (count + 1) && !machine->wrong[0]; alone++) {
		for (size_t i = 0; i < count; i++) {
			size_t newest = machine->lines[open[i]].count - 1;
			bool new = (i == alone / 2) != (alone % 2 == 0);

			put_line(machine, open[i], new ? newest : 0);
		}
		judge(machine, when);
	}
	for (int n = 0; n < IMAGES && !machine->wrong[0]; n++) {
		/* Now and then most are new, or most old. */
		uint64_t bias = draw(machine) % 4;

		for (size_t i = 0; i < count; i++) {
			size_t contents = machine->lines[open[i]].count;
			uint64_t chance = draw(machine);

			if (bias == 1 && chance % 8)
				put_line(machine, open[i], contents - 1);
			else if (bias == 2 && chance % 8)
				put_line(machine, open[i], 0);
			else
				put_line(machine, open[i], (chance >> 8) % contents);
		}
		judge(machine, when);
	}
}

static bool judge_now(struct machine *machine, size_t number)
{
	size_t *open = calloc(machine->line_count, sizeof(*open)), count;
	char when[32];

	need(open);
	snprintf(when, sizeof(when), "event %zu", number);
	memcpy(machine->image, machine->cached, machine->trace->size);
	count = find_open(machine, open);
	if (!judge_all(machine, open, count, when))
		judge_some(machine, open, count, when);
	free(open);
	return !machine->wrong[0];
}

/* ------------------------------------------------------------------ running */
static void add_content(struct machine *machine, size_t number)
{
	struct line *line = &machine->lines[number];

	if (line->count == line->room) {
		line->room = 2 * line->room + 4;
		line->contents = realloc(line->contents, line->room * LINE);
		need(line->contents);
	}
	memcpy(line->contents[line->count++], machine->cached + number * LINE, LINE);
}

static void store(struct machine *machine, const struct event *event)
{
	memcpy(machine->cached + event->offset, event->bytes, event->size);
	for (size_t i = event->offset / LINE; i <= (event->offset + event->size - 1) / LINE; i++)
		add_content(machine, i);
}

static void write_back(struct machine *machine, const struct event *event)
{
	for (size_t i = event->offset / LINE; i <= (event->offset + event->size - 1) / LINE; i++) {
		machine->lines[i].count = 0;
		add_content(machine, i);
	}
}

/* What is not written yet can be in no image: it does no harm to know it. */
static void note_logs(struct machine *machine)
{
	const struct trace *trace = machine->trace;

	memcpy(machine->cached, trace->memory, trace->size);
	note_log(machine);
	for (size_t i = 0; i < trace->count; i++) {
		const struct event *event = &trace->events[i];

		if (event->kind != STORE)
			continue;
		memcpy(machine->cached + event->offset, event->bytes, event->size);
		note_log(machine);
	}
}

static void write_all_back(struct machine *machine)
{
	const struct event all = { .kind = BACK, .size = machine->trace->size };

	write_back(machine, &all);
}

static void begin(struct machine *machine, const struct trace *trace, uint64_t seed)
{
	*machine = (struct machine){ .trace = trace, .random = seed };
	machine->hasher = EVP_MD_CTX_new();
	machine->cached = malloc(trace->size);
	machine->image = malloc(trace->size);
	machine->line_count = trace->size / LINE;
	machine->lines = calloc(machine->line_count, sizeof(*machine->lines));
	need(machine->hasher && machine->cached && machine->image && machine->lines);
	note_logs(machine);
	memcpy(machine->cached, trace->memory, trace->size);
	write_all_back(machine);
}

static void end(struct machine *machine)
{
	for (size_t i = 0; i < machine->line_count; i++)
		free(machine->lines[i].contents);
	for (size_t i = 0; i < machine->log_count; i++)
		free(machine->logs[i].bytes);
	free(machine->lines);
	free(machine->image);
	free(machine->cached);
	EVP_MD_CTX_free(machine->hasher);
}

/* How a write-back is done, other than in the trace. */
enum change { AS_IT_IS, LEFT_OUT, TOO_LATE };

/* Until something is wrong, or the trace ends. */
static void run(struct machine *machine, enum change change, uint64_t site)
{
	const struct event *late = NULL;

	for (size_t i = 0; i < machine->trace->count && !machine->wrong[0]; i++) {
		const struct event *event = &machine->trace->events[i];

		switch (event->kind) {
		case STORE:
			store(machine, event);
			break;
		case BACK:
			/* Since the last one, what memory may hold has become more only. */
			if (!judge_now(machine, i))
				break;
			if (change != AS_IT_IS && event->site == site) {
				if (late)
					write_back(machine, late);
				late = change == TOO_LATE ? event : NULL;
				break;
			}
			write_back(machine, event);
			if (late) {
				/* The one that was to come first has not happened yet. */
				judge_now(machine, i);
				write_back(machine, late);
				late = NULL;
			}
			break;
		case EXTEND:
			machine->established = true;
			machine->records = header_of(machine)->records;
			judge_now(machine, i);
			break;
		case ANCHORED:
			machine->anchored = event->recnum + 1;
			judge_now(machine, i);
			break;
		case LAID:
			write_all_back(machine);
			break;
		case ABANDONED:
			machine->established = false;
			machine->anchored = 0;
			break;
		}
	}
	if (!machine->wrong[0])
		judge_now(machine, machine->trace->count);
}

/* ------------------------------------------------------------------ */
static int checks, failures;

static void check(bool good, const char *what, uint64_t number, const char *why)
{
	checks++;
	failures += !good;
	printf("%sok %d - ", good ? "" : "not ", checks);
	printf(what, (unsigned long long)number);
	printf("\n");
	if (why[0])
		printf("#   %s\n", why);
	fflush(stdout);
}

static size_t find_sites(const struct trace *trace, uint64_t *sites)
{
	size_t count = 0;

	for (size_t i = 0; i < trace->count; i++) {
		size_t known = 0;

		if (trace->events[i].kind != BACK)
			continue;
		while (known < count && sites[known] != trace->events[i].site)
			known++;
		if (known < count)
			continue;
		need(count < SITES_MAX);
		sites[count++] = trace->events[i].site;
	}
	return count;
}

int main(int argc, char **argv)
{
	uint64_t sites[SITES_MAX], seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct machine machine;
	struct trace trace;
	size_t count, late = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: orders TRACE [SEED]\n");
		return 2;
	}
	trace = read_trace(argv[1]);
	count = find_sites(&trace, sites);
	begin(&machine, &trace, seed);
	run(&machine, AS_IT_IS, 0);
	check(!machine.wrong[0], "each of %llu images is right", machine.judged, machine.wrong);
	check(machine.log_count >= 3, "of %llu logs", machine.log_count, "");
	end(&machine);
	for (size_t i = 0; i < count; i++) {
		begin(&machine, &trace, seed);
		run(&machine, LEFT_OUT, sites[i]);
		check(machine.wrong[0], "with the write-back at %llx left out that is seen",
		      sites[i], machine.wrong);
		end(&machine);
		begin(&machine, &trace, seed);
		run(&machine, TOO_LATE, sites[i]);
		printf("# with that at %llx too late: %s\n", (unsigned long long)sites[i],
		       machine.wrong[0] ? machine.wrong : "nothing");
		late += machine.wrong[0] != '\0';
		end(&machine);
	}
	check(late >= 3, "with some of them too late that is seen: %llu", late, "");
	free_trace(&trace);
	printf("1..%d\n", checks);
	return failures > 0;
}
