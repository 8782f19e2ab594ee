// SPDX-License-Identifier: MIT
/*
 * The keeper of IMA's list. Where the kernel's list goes on from the archive, as it is found while
 * the list is read: there an entry is a letter, and what comes of it are the entries that are
 * archived anew. And the whole part, over lists in files: what the bed's kernels cannot do, such
 * as handing the list over to the next one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/archive_reader.h"
#include "assayd/ima_keeper.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct outcome {
	char taken[64];
	struct ima_rejoin rejoined;
	int restarts;
};

/* Read @list to its end, once more where that is asked for. What stands for a boot is "*". */
static void read_list(struct ima_join *join, const char *list, struct outcome *ret)
{
	struct assay_error err;
	size_t taken = 0;

	*ret = (struct outcome){ 0 };
	for (size_t i = 0;; i++) {
		int step = IMA_ELSE;

		if (list[i])
			step = ima_join_step(join, BYTES((const uint8_t *)&list[i], 1),
					     list[i] == '*', &err);
		else if (!ima_join_is_open(join))
			break;
		assert_true(step >= 0);
		if (step == IMA_TAKE) {
			ret->taken[taken++] = list[i];
			assert_int_equal(
				ima_join_take(join, BYTES((const uint8_t *)&list[i], 1), &err), 0);
		}
		if (step != IMA_ELSE)
			continue;
		/* What came before was no new entry. */
		assert_int_equal(taken, 0);
		assert_true(++ret->restarts == 1);
		assert_int_equal(ima_join_restart(join, &ret->rejoined, &err), 0);
		i = (size_t)-1;
	}
}

static void join(const char *kept, size_t unknown, const char *list, struct outcome *ret)
{
	struct ima_join join = { .unknown = unknown };
	struct outcome again;
	struct assay_error err;

	for (size_t i = 0; kept[i]; i++)
		assert_int_equal(ima_join_keep(&join, BYTES((const uint8_t *)&kept[i], 1), &err),
				 0);
	read_list(&join, list, ret);
	/* In the next pass all of it is known. */
	ima_join_again(&join);
	read_list(&join, list, &again);
	assert_string_equal(again.taken, "");
	assert_int_equal(again.restarts, 0);
	ima_join_free(&join);
}

static void the_list_goes_on_from_the_archive(void **state)
{
	static const struct {
		const char *what, *kept;
		size_t unknown;
		const char *list, *taken;
		struct ima_rejoin rejoined;
		int restarts;
	} rows[] = {
		{ "nothing archived", "", 0, "abc", "abc", { 0 }, 0 },
		{ "nothing at all", "", 0, "", "", { 0 }, 0 },
		{ "nothing new", "abc", 0, "abc", "", { 0 }, 0 },
		{ "two new", "abc", 0, "abcde", "de", { 0 }, 0 },
		{ "all archived was deleted", "abc", 0, "de", "de", { 3, 0, 0 }, 1 },
		{ "some was", "abc", 0, "bcd", "d", { 1, 0, 2 }, 1 },
		{ "some was, much new", "abcd", 0, "cdefghijkl", "efghijkl", { 2, 0, 2 }, 1 },
		{ "all of everything was", "abc", 0, "", "", { 3, 0, 0 }, 1 },
		{ "what is archived comes again", "abab", 0, "ababab", "ab", { 0 }, 0 },
		{ "entries alike", "xaa", 0, "aab", "b", { 1, 0, 2 }, 1 },
		{ "it differs behind a while", "abcd", 0, "abxy", "abxy", { 4, 0, 0 }, 1 },
		{ "older files were removed", "cd", 2, "abcde", "e", { 0 }, 0 },
		{ "and some was deleted", "cd", 2, "bcdefg", "efg", { 1, 0, 3 }, 1 },
		{ "and more was deleted", "cd", 2, "def", "ef", { 3, 0, 1 }, 1 },
		{ "and it ends early", "cd", 2, "bcd", "", { 1, 0, 3 }, 1 },
		{ "less was handed over", "*abcd", 0, "*ab*xyz", "*xyz", { 2, 3, 0 }, 1 },
		{ "less, and nothing else yet", "*abcd", 0, "*ab*", "*", { 2, 3, 0 }, 1 },
		{ "the first alone is there", "*abcd", 0, "*", "*", { 5, 0, 0 }, 1 },
		{ "the first was handed over", "*abcd", 0, "**x", "*x", { 4, 1, 0 }, 1 },
		{ "without notes after it", "*abcd*xy", 0, "*ab*xyz", "z", { 2, 3, 3 }, 1 },
		{ "the boot's own alone", "*abcd*", 0, "*ab*x", "x", { 2, 3, 1 }, 1 },
		{ "of two boots", "*abc*xyz", 0, "*abc*x*uv", "*uv", { 2, 6, 0 }, 1 },
		{ "not what is archived", "*abcd", 0, "*ax*yz", "*ax*yz", { 5, 0, 0 }, 1 },
		{ "deleted after a kexec", "*ab*xy", 0, "b*xyz", "z", { 2, 0, 4 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct outcome outcome;

		print_message("%s\n", rows[i].what);
		join(rows[i].kept, rows[i].unknown, rows[i].list, &outcome);
		assert_string_equal(outcome.taken, rows[i].taken);
		assert_int_equal(outcome.rejoined.missing, rows[i].rejoined.missing);
		assert_int_equal(outcome.rejoined.handed, rows[i].rejoined.handed);
		assert_int_equal(outcome.rejoined.run, rows[i].rejoined.run);
		assert_int_equal(outcome.restarts, rows[i].restarts);
	}
}

/* What was left staged is deleted without being archived only if it is. */
static void what_is_left_staged_is_known_or_not(void **state)
{
	static const struct {
		const char *kept, *list;
		bool known;
		size_t before;
	} rows[] = {
		{ "abcd", "", true, 0 },     { "abcd", "ab", true, 0 },
		{ "abcd", "bc", true, 1 },   { "abcd", "cd", true, 2 },
		{ "abcd", "cde", false, 0 }, { "abcd", "x", false, 0 },
		{ "abcd", "ax", false, 0 },  { "abcdefgh", "cdx", false, 0 },
		{ "aabb", "ba", false, 0 },  { "xaaab", "aaab", true, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct ima_join join = { 0 };
		struct assay_error err;
		size_t before;

		for (const char *at = rows[i].kept; *at; at++)
			assert_int_equal(ima_join_keep(&join, BYTES((const uint8_t *)at, 1), &err),
					 0);
		for (const char *at = rows[i].list; *at; at++)
			assert_int_equal(
				ima_join_step(&join, BYTES((const uint8_t *)at, 1), false, &err),
				IMA_PASS);
		if (ima_join_knows(&join, &before) != rows[i].known)
			fail_msg("%s behind %s", rows[i].list, rows[i].kept);
		if (before != rows[i].before)
			fail_msg("%s in %s is behind %zu", rows[i].list, rows[i].kept, before);
		ima_join_free(&join);
	}
}

/* ---------------------------------------------------------------- the part */

#define BOOT_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define BOOT_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define LIST "kernel/binary_runtime_measurements_sha256"

extern struct part part_ima;

static struct buffer full; /* another project's list */
static size_t ends[400];   /* of each entry of it, behind a 0 */

static struct bytes entries(size_t from, size_t to)
{
	return BYTES(full.data + ends[from], ends[to] - ends[from]);
}

static int read_full(void **state)
{
	struct ima_reader reader;
	struct ima_frame frame;
	size_t count = 0;

	full = log_test_data("ima/ibmtss-sha256.log");
	ima_begin(&reader, buffer_bytes(&full), ASSAY_HASH_SHA256);
	while (ima_skim(&reader, &frame, NULL) == 1)
		ends[++count] = (size_t)frame.end;
	return support_enter_directory(state);
}

static int free_full(void **state)
{
	buffer_free(&full);
	return support_leave_directory(state);
}

/* A service with this part alone, in directories below the test's. */
struct running_part {
	struct service service;
	struct loop_timer *timer;
	uint64_t until;
	uint64_t archived;
	uint64_t (*next)(void);
};

static void look(void *context)
{
	struct running_part *running = context;
	const struct ima_keeper *keeper = part_ima.data;

	bool reached =
		keeper->archived == running->archived && keeper->passes > 0 && !keeper->passing;

	if (reached && running->next) {
		running->archived = running->next();
		running->next = NULL;
		reached = false;
	}
	if (reached)
		loop_stop(running->service.loop);
	else if (loop_now() > running->until)
		fail_msg("%llu entries are archived, not %llu; problems: %zu %s",
			 (unsigned long long)keeper->archived,
			 (unsigned long long)running->archived, running->service.problems.count,
			 running->service.problems.list[0].text);
	else
		loop_timer_set(running->timer, 10);
}

/* Its configuration, in that boot. */
static void settle(struct service *service, const char *boot_id, const char *options)
{
	char *directory = support_output("pwd"), text[4096];
	struct assay_error err;

	snprintf(text, sizeof(text),
		 "[service]\nstate-directory=%s/state\n[archive]\ndirectory=%s/state/archive\n"
		 "[ima]\ndirectory=%s/kernel\ntpm=%s/tpm\n%sinterval=100ms\n%s",
		 directory, directory, directory, directory,
		 strstr(options, "poll=") ? "" : "poll=50ms\n", options);
	free(directory);
	assert_int_equal(config_new(&service->config, &err), 0);
	if (config_parse(service->config, support_text(text), "test", &err) < 0)
		fail_msg("%s", err.text);
	snprintf(service->boot_id, sizeof(service->boot_id), "%s", boot_id);
	service->device.fd = -1;
}

/*
 * Run the part in that boot until so many entries are archived; its problems are @ret's. Then @next
 * changes the list, and says how many are to be archived then.
 */
static void run_part_on(const char *boot_id, const char *options, uint64_t archived,
			uint64_t (*next)(void), struct problems *ret)
{
	struct running_part running = { .archived = archived, .next = next };
	struct service *service = &running.service;
	struct assay_error err;

	settle(service, boot_id, options);
	assert_int_equal(loop_new(&service->loop, &err), 0);
	assert_int_equal(loop_timer_new(service->loop, look, &running, &running.timer, &err), 0);
	running.until = loop_now() + 20000;
	part_ima.service = service;
	assert_int_equal(part_ima.start(service, &part_ima, &err), 0);
	loop_timer_set(running.timer, 10);
	assert_int_equal(loop_run(service->loop, &err), 0);
	part_ima.stop(service, &part_ima);
	loop_timer_free(running.timer);
	loop_free(service->loop);
	config_free(service->config);
	if (ret)
		*ret = service->problems;
}

static void run_part(const char *boot_id, const char *options, uint64_t archived,
		     struct problems *ret)
{
	run_part_on(boot_id, options, archived, NULL, ret);
}

static void begin_machine(void)
{
	assert_int_equal(support_run("rm -rf state kernel tpm; "
				     "mkdir state state/archive kernel tpm tpm/pcr-sha256"),
			 0);
}

static void write_count(struct bytes list)
{
	struct ima_reader reader;
	struct ima_frame frame;
	char text[32];
	int count = 0;

	ima_begin(&reader, list, ASSAY_HASH_SHA256);
	while (ima_skim(&reader, &frame, NULL) == 1)
		count++;
	snprintf(text, sizeof(text), "%d\n", count);
	support_write("kernel/runtime_measurements_count", support_text(text));
}

static void write_list(struct bytes first, struct bytes second, struct bytes third)
{
	struct buffer list = { 0 };

	buffer_append_bytes(&list, first);
	buffer_append_bytes(&list, second);
	buffer_append_bytes(&list, third);
	support_write(LIST, buffer_bytes(&list));
	write_count(buffer_bytes(&list));
	buffer_free(&list);
}

static int append(void *context, struct bytes bytes, struct assay_error *err)
{
	(void)err;
	buffer_append_bytes(context, bytes);
	return 0;
}

/* What the archive of a boot has, that of the boot before included. */
static struct buffer archived(const char *boot_id, uint64_t from, uint64_t *ret_begin)
{
	struct buffer out = { 0 };
	struct archive *archive;
	struct assay_error err;
	char path[128];

	snprintf(path, sizeof(path), "state/archive/%s", boot_id);
	assert_int_equal(archive_open(path, &archive, &err), 0);
	if (archive_read(archive, ARCHIVE_IMA, from, append, &out, &err) < 0)
		fail_msg("%s", err.text);
	if (ret_begin) {
		size_t count;

		*ret_begin = archive_files(archive, ARCHIVE_IMA, &count)->first;
	}
	archive_close(archive);
	return out;
}

static void assert_archived(const char *boot_id, struct bytes expected)
{
	struct buffer out = archived(boot_id, 0, NULL);

	assert_true(bytes_equal(buffer_bytes(&out), expected));
	buffer_free(&out);
}

static const struct bytes nothing = { NULL, 0 };

static void a_list_that_grows(void **state)
{
	struct problems problems;

	(void)state;
	begin_machine();
	write_list(entries(0, 10), nothing, nothing);
	run_part(BOOT_A, "", 10, &problems);
	assert_archived(BOOT_A, entries(0, 10));
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, &problems);
	run_part(BOOT_A, "", 100, &problems);
	assert_int_equal(problems.count, 0);
	assert_archived(BOOT_A, entries(0, 100));
}

/* A start with a long list and many files gives others their turn: a file a step, at most. */
static void a_long_list_is_loaded_in_steps(void **state)
{
	enum { FILES = 200 };
	struct ima_keeper keeper = { .part = &part_ima, .fd = -1, .staged_fd = -1 };
	struct service service = { 0 };
	struct archive_writer *writer;
	struct assay_error err;
	unsigned int steps = 1;
	int r;

	(void)state;
	begin_machine();
	write_list(entries(0, 300), nothing, nothing);
	assert_int_equal(
		archive_writer_open("state/archive/" BOOT_A, ARCHIVE_IMA, BOOT_A, &writer, &err),
		0);
	for (size_t i = 0; i < FILES; i++) {
		struct archive_batch batch = { .bytes = entries(i, i + 1),
					       .first = i,
					       .count = 1,
					       .offset = ends[i],
					       .bank = ASSAY_HASH_SHA256 };

		assert_int_equal(archive_write(writer, &batch, &err), 0);
	}
	archive_writer_close(writer);
	settle(&service, BOOT_A, "");
	keeper.service = &service;
	while ((r = ima_keeper_load(&keeper, &err)) > 0)
		steps++;
	if (r < 0)
		fail_msg("%s", err.text);
	assert_int_equal(keeper.archived, FILES);
	assert_int_equal(keeper.join.count, FILES);
	assert_true(steps >= FILES);
	ima_keeper_unload(&keeper);
	config_free(service.config);
}

/* The next boot has a list of its own, though it begins like the one before. */
static void another_boot_begins_anew(void **state)
{
	struct buffer out;
	uint64_t begin;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, NULL);
	write_list(entries(0, 150), nothing, nothing);
	run_part(BOOT_B, "", 150, NULL);
	out = archived(BOOT_B, 0, &begin);
	assert_int_equal(begin, 0);
	assert_true(bytes_equal(buffer_bytes(&out), entries(0, 150)));
	buffer_free(&out);
}

/* After a kexec the list has what the kernel before had measured, also what came last. */
static void a_kexec_hands_the_list_over(void **state)
{
	struct buffer out, list;
	struct problems problems;
	uint64_t begin;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, NULL);
	write_list(entries(0, 120), entries(0, 1), entries(120, 200));
	list = support_read(LIST);
	for (int start = 0; start < 2; start++) {
		run_part(BOOT_B, "", 201, &problems);
		assert_int_equal(problems.count, 0);
		out = archived(BOOT_B, 0, &begin);
		assert_int_equal(begin, 100);
		assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&list)));
		buffer_free(&out);
	}
	assert_archived(BOOT_A, entries(0, 100));
	buffer_free(&list);
}

/* The same where the kernel before had deleted what was archived. */
static void a_kexec_hands_the_rest_over(void **state)
{
	struct ima_notes notes = { .boot_id = BOOT_A, .deleted = 100 };
	struct buffer out, rest;
	struct assay_error err;
	uint64_t begin;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, NULL);
	assert_int_equal(ima_notes_save("state/ima.json", &notes, &err), 0);
	write_list(entries(100, 120), entries(0, 1), entries(120, 200));
	rest = support_read(LIST);
	run_part(BOOT_B, "", 201, NULL);
	out = archived(BOOT_B, 100, &begin);
	assert_int_equal(begin, 100);
	assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&rest)));
	buffer_free(&out);
	buffer_free(&rest);
}

/* A kernel that was not kept: all that it handed over is. */
static void a_kexec_of_a_kernel_that_was_not_kept(void **state)
{
	struct buffer list;

	(void)state;
	begin_machine();
	write_list(entries(0, 20), entries(0, 1), entries(20, 30));
	list = support_read(LIST);
	run_part(BOOT_B, "", 31, NULL);
	assert_archived(BOOT_B, buffer_bytes(&list));
	buffer_free(&list);
}

static void a_list_that_somebody_cut(void **state)
{
	struct problems problems;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, NULL);
	write_list(entries(80, 120), nothing, nothing);
	run_part(BOOT_A, "", 120, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].key, "cut");
	assert_archived(BOOT_A, entries(0, 120));
}

/*
 * Somebody else has deleted what is archived, and left staged what comes behind it, the end of the
 * archive and what is new. The new entries are archived before they are deleted. In files the
 * kernel's part is done once only: what it is told is behind the entries.
 */
static void what_somebody_left_staged(void **state)
{
	struct problems problems;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, NULL);
	support_write(LIST "_staged", entries(80, 120));
	write_list(nothing, nothing, nothing);
	run_part(BOOT_A, "poll=20s\n", 120, &problems);
	assert_true(problems.count > 0);
	assert_archived(BOOT_A, entries(0, 120));
}

/* With staging=no another program may stage entries: what it has not deleted yet is archived. */
static void what_another_program_stages(void **state)
{
	struct problems problems;

	(void)state;
	begin_machine();
	support_write(LIST "_staged", entries(0, 20));
	write_list(entries(20, 100), nothing, nothing);
	run_part(BOOT_A, "staging=no\n", 100, &problems);
	assert_int_equal(problems.count, 0);
	support_write(LIST "_staged", entries(0, 100));
	write_list(entries(100, 110), nothing, nothing);
	run_part(BOOT_A, "staging=no\n", 110, &problems);
	assert_int_equal(problems.count, 0);
	support_write(LIST "_staged", nothing);
	write_list(entries(100, 120), nothing, nothing);
	run_part(BOOT_A, "staging=no\n", 120, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].key, "cut");
	assert_archived(BOOT_A, entries(0, 120));
}

static uint64_t delete_and_measure(void)
{
	write_list(entries(60, 180), nothing, nothing);
	return 180;
}

/* The list is shorter than what was read of it, or as long; it is another one all the same. */
static void what_is_deleted_while_it_is_followed(void **state)
{
	struct problems problems;

	(void)state;
	begin_machine();
	support_write(LIST "_staged", nothing);
	write_list(entries(0, 100), nothing, nothing);
	run_part_on(BOOT_A, "staging=no\n", 100, delete_and_measure, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].key, "cut");
	assert_archived(BOOT_A, entries(0, 180));
}

/* What the kernel deleted is gone with the archive: that is told, and the rest is archived once. */
static void an_archive_that_was_moved_away(void **state)
{
	struct ima_notes notes = { .boot_id = BOOT_A, .deleted = 100, .deleting = 110 };
	struct problems problems;
	struct assay_error err;

	(void)state;
	begin_machine();
	assert_int_equal(ima_notes_save("state/ima.json", &notes, &err), 0);
	write_list(entries(100, 120), nothing, nothing);
	run_part(BOOT_A, "", 20, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].key, "gone");
	write_list(entries(100, 130), nothing, nothing);
	run_part(BOOT_A, "", 30, &problems);
	assert_int_equal(problems.count, 0);
	assert_archived(BOOT_A, entries(100, 130));
}

/*
 * A child that stands for the process which had the archive's lock: once the service has opened
 * the notes, it writes them anew, and only then lets the service read the old ones.
 */
static pid_t replace_notes_while_read(const struct buffer *before)
{
	pid_t child;

	assert_int_equal(mkfifo("state/ima.json", 0600), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd = open("state/ima.json", O_WRONLY | O_CLOEXEC);
		bool done = fd >= 0 && rename("state/later.json", "state/ima.json") == 0 &&
			    write(fd, before->data, before->size) == (ssize_t)before->size;

		_exit(done ? 0 : 1);
	}
	return child;
}

/* What was deleted between the first reading and the lock is not taken for what somebody else cut.
 */
static void notes_that_were_written_before_the_lock_was_had(void **state)
{
	struct ima_notes before = { .boot_id = BOOT_A };
	struct ima_notes later = { .boot_id = BOOT_A, .deleted = 100 };
	struct problems problems;
	struct assay_error err;
	struct buffer text;
	int status = -1;
	pid_t child;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	run_part(BOOT_A, "", 100, NULL);
	assert_int_equal(ima_notes_save("state/ima.json", &before, &err), 0);
	assert_int_equal(ima_notes_save("state/later.json", &later, &err), 0);
	text = support_read("state/ima.json");
	assert_int_equal(unlink("state/ima.json"), 0);
	write_list(entries(100, 120), nothing, nothing);
	child = replace_notes_while_read(&text);
	run_part(BOOT_A, "", 120, &problems);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(problems.count, 0);
	assert_archived(BOOT_A, entries(0, 120));
	buffer_free(&text);
}

/* The PCR: in upper case, as the kernel shows it. */
static void write_pcr(const struct assay_digest *value)
{
	char hex[2 * ASSAY_DIGEST_MAX + 2];

	hex_encode(BYTES(value->bytes, value->size), hex);
	for (char *letter = hex; *letter; letter++)
		if (*letter >= 'a')
			*letter -= 'a' - 'A';
	hex[2 * value->size] = '\n';
	hex[2 * value->size + 1] = '\0';
	support_write("tpm/pcr-sha256/10", support_text(hex));
}

/* The PCR that a list comes to. */
static void extend_pcr_by(struct bytes list)
{
	const enum assay_hash bank = ASSAY_HASH_SHA256;
	struct ima_running replay;
	struct ima_reader reader;
	struct ima_frame frame;
	struct assay_error err;

	assert_int_equal(ima_running_open(&replay, &bank, 1, &err), 0);
	ima_begin(&reader, list, bank);
	while (ima_skim(&reader, &frame, &err) == 1)
		assert_int_equal(ima_running_add(&replay, bank, &frame, &err), 0);
	write_pcr(ima_running_value(&replay, bank, 10));
	ima_running_close(&replay);
}

/* The PCR that the first @count entries come to. */
static void extend_pcr(size_t count)
{
	extend_pcr_by(entries(0, count));
}

/*
 * After a kexec that handed nothing over, as all was deleted or as the kernel hands over nothing:
 * what is archived and the new list come to the PCR, and so they are one list.
 */
static void a_kexec_hands_nothing_over(void **state)
{
	(void)state;
	for (int deleted = 0; deleted < 2; deleted++) {
		struct ima_notes notes = { .boot_id = BOOT_A, .deleted = deleted ? 100 : 0 };
		struct buffer out, list, whole = { 0 };
		struct problems problems;
		struct assay_error err;
		uint64_t begin;

		begin_machine();
		write_list(entries(0, 100), nothing, nothing);
		extend_pcr(100);
		run_part(BOOT_A, "", 100, NULL);
		assert_int_equal(ima_notes_save("state/ima.json", &notes, &err), 0);
		write_list(entries(0, 1), entries(100, 200), nothing);
		list = support_read(LIST);
		buffer_append_bytes(&whole, entries(0, 100));
		buffer_append_bytes(&whole, buffer_bytes(&list));
		extend_pcr_by(buffer_bytes(&whole));
		for (int start = 0; start < 2; start++) {
			run_part(BOOT_B, "", 201, &problems);
			assert_int_equal(problems.count, 0);
			out = archived(BOOT_B, 0, &begin);
			assert_int_equal(begin, 100);
			assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&whole)));
			buffer_free(&out);
		}
		buffer_free(&list);
		buffer_free(&whole);
	}
}

/* What is archived in that boot, behind what the boot before has, comes to the PCR without
 * problems. */
static void assert_goes_on(uint64_t begins, struct bytes first, struct bytes second,
			   struct bytes third, uint64_t count, const char *options)
{
	struct buffer whole = { 0 }, out;
	struct problems problems;
	uint64_t begin;

	buffer_append_bytes(&whole, first);
	buffer_append_bytes(&whole, second);
	buffer_append_bytes(&whole, third);
	extend_pcr_by(buffer_bytes(&whole));
	run_part(BOOT_B, options, count, &problems);
	if (problems.count > 0)
		fail_msg("%s", problems.list[0].text);
	out = archived(BOOT_B, 0, &begin);
	assert_int_equal(begin, begins);
	assert_true(bytes_equal(buffer_bytes(&out), buffer_bytes(&whole)));
	buffer_free(&out);
	buffer_free(&whole);
}

/* A list as it was when the next kernel was loaded, and more was archived. */
static void hand_less_over(size_t from, size_t to)
{
	struct ima_notes notes = { .boot_id = BOOT_A, .deleted = from };
	struct assay_error err;

	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	extend_pcr(100);
	run_part(BOOT_A, "", 100, NULL);
	assert_int_equal(ima_notes_save("state/ima.json", &notes, &err), 0);
	write_list(entries(from, to), entries(0, 1), nothing);
}

static void a_kexec_hands_less_over_than_is_archived(void **state)
{
	static const struct {
		size_t from, to;
	} rows[] = { { 0, 60 }, { 0, 1 }, { 20, 60 }, { 0, 99 } };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t from = rows[i].from, to = rows[i].to;

		hand_less_over(from, to);
		assert_goes_on(100, entries(0, 100), entries(0, 1), nothing, 101, "");
		write_list(entries(from, to), entries(0, 1), entries(100, 150));
		assert_goes_on(100, entries(0, 100), entries(0, 1), entries(100, 150), 151, "");
		assert_goes_on(100, entries(0, 100), entries(0, 1), entries(100, 150), 151, "");
		write_list(entries(from, to), entries(0, 1), entries(100, 200));
		if (from == 0)
			assert_int_equal(unlink("state/ima.json"), 0);
		assert_goes_on(100, entries(0, 100), entries(0, 1), entries(100, 200), 201, "");
		assert_goes_on(100, entries(0, 100), entries(0, 1), entries(100, 200), 201, "");
	}
}

/* All that the kernel has is deleted then, by a number that fits. */
static void another_setting_after_less_was_handed_over(void **state)
{
	struct ima_notes notes;
	struct assay_error err;

	(void)state;
	hand_less_over(0, 60);
	support_write(LIST "_staged", nothing);
	assert_goes_on(100, entries(0, 100), entries(0, 1), nothing, 101, "staging=no\n");
	assert_int_equal(rename(LIST, LIST "_staged"), 0);
	write_list(nothing, nothing, nothing);
	assert_goes_on(100, entries(0, 100), entries(0, 1), nothing, 101, "poll=20s\n");
	assert_int_equal(ima_notes_load("state/ima.json", &notes, &err), 0);
	assert_int_equal(notes.deleted, 101);
	support_write(LIST "_staged", nothing);
	write_list(entries(100, 120), nothing, nothing);
	assert_goes_on(100, entries(0, 100), entries(0, 1), entries(100, 120), 121, "staging=no\n");
}

/* It may have deleted entries, or have handed them over: it was told to, and no more is known. */
static void a_kexec_while_entries_are_deleted(void **state)
{
	(void)state;
	for (size_t from = 60; from <= 100; from += 40) {
		struct ima_notes notes = { .boot_id = BOOT_A, .deleted = 60, .deleting = 100 };
		struct assay_error err;

		begin_machine();
		write_list(entries(0, 100), nothing, nothing);
		extend_pcr(100);
		run_part(BOOT_A, "", 100, NULL);
		assert_int_equal(ima_notes_save("state/ima.json", &notes, &err), 0);
		write_list(entries(from, 120), entries(0, 1), entries(120, 200));
		assert_goes_on(100, entries(0, 120), entries(0, 1), entries(120, 200), 201, "");
		assert_goes_on(100, entries(0, 120), entries(0, 1), entries(120, 200), 201, "");
	}
}

/* The list does not come to the PCR, but neither does it behind that of the boot before. */
static void another_boot_whose_pcr_was_extended(void **state)
{
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32, .bytes = { 1 } };
	struct problems problems;
	struct buffer out;
	uint64_t begin;

	(void)state;
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	extend_pcr(100);
	run_part(BOOT_A, "", 100, NULL);
	write_list(entries(0, 150), nothing, nothing);
	write_pcr(&value);
	run_part(BOOT_B, "", 150, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].key, "pcr");
	out = archived(BOOT_B, 0, &begin);
	assert_int_equal(begin, 0);
	assert_true(bytes_equal(buffer_bytes(&out), entries(0, 150)));
	buffer_free(&out);
	/* The archive of the boot before was moved away: there is nothing to go on from. */
	begin_machine();
	write_list(entries(0, 100), nothing, nothing);
	extend_pcr(100);
	run_part(BOOT_A, "", 100, NULL);
	assert_int_equal(support_run("rm -r state/archive/" BOOT_A), 0);
	write_pcr(&value);
	run_part(BOOT_B, "", 100, &problems);
	assert_archived(BOOT_B, entries(0, 100));
}

/* After a restart only the newest file is replayed; the PCR must come out all the same. */
static void the_pcr_is_compared_after_a_restart(void **state)
{
	struct problems problems;

	(void)state;
	begin_machine();
	for (size_t count = 40; count <= 120; count += 40) {
		write_list(entries(0, count), nothing, nothing);
		extend_pcr(count);
		run_part(BOOT_A, "", count, &problems);
		assert_int_equal(problems.count, 0);
	}
	assert_archived(BOOT_A, entries(0, 120));
	/* The TPM's driver comes when files are there that do not know its PCR. */
	begin_machine();
	write_list(entries(0, 40), nothing, nothing);
	run_part(BOOT_A, "", 40, &problems);
	write_list(entries(0, 80), nothing, nothing);
	extend_pcr(80);
	run_part(BOOT_A, "", 80, &problems);
	assert_int_equal(problems.count, 0);
}

static void the_pcr_is_compared(void **state)
{
	struct assay_digest value = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct problems problems;

	(void)state;
	begin_machine();
	/* What came behind the PCR's value is in the list before it is in the PCR. */
	write_list(entries(0, 110), nothing, nothing);
	extend_pcr(100);
	run_part(BOOT_A, "", 110, &problems);
	assert_int_equal(problems.count, 0);
	value.bytes[0] = 1;
	write_pcr(&value);
	run_part(BOOT_A, "", 110, &problems);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].key, "pcr");
	/* Nothing was ever extended: no problem, the entries are mirrored. */
	value.bytes[0] = 0;
	write_pcr(&value);
	run_part(BOOT_A, "", 110, &problems);
	assert_int_equal(problems.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_goes_on_from_the_archive),
		cmocka_unit_test(what_is_left_staged_is_known_or_not),
		cmocka_unit_test(a_list_that_grows),
		cmocka_unit_test(a_long_list_is_loaded_in_steps),
		cmocka_unit_test(another_boot_begins_anew),
		cmocka_unit_test(a_kexec_hands_the_list_over),
		cmocka_unit_test(a_kexec_hands_the_rest_over),
		cmocka_unit_test(a_kexec_of_a_kernel_that_was_not_kept),
		cmocka_unit_test(a_list_that_somebody_cut),
		cmocka_unit_test(what_somebody_left_staged),
		cmocka_unit_test(what_another_program_stages),
		cmocka_unit_test(what_is_deleted_while_it_is_followed),
		cmocka_unit_test(a_kexec_hands_less_over_than_is_archived),
		cmocka_unit_test(a_kexec_while_entries_are_deleted),
		cmocka_unit_test(another_setting_after_less_was_handed_over),
		cmocka_unit_test(an_archive_that_was_moved_away),
		cmocka_unit_test(notes_that_were_written_before_the_lock_was_had),
		cmocka_unit_test(a_kexec_hands_nothing_over),
		cmocka_unit_test(another_boot_whose_pcr_was_extended),
		cmocka_unit_test(the_pcr_is_compared),
		cmocka_unit_test(the_pcr_is_compared_after_a_restart),
	};

	return cmocka_run_group_tests(tests, read_full, free_full);
}
