// SPDX-License-Identifier: MIT
/* A parser in a confined child: what it returns arrives, and what it must not do ends it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assayd/confined.h"
#include "support.h"

/* What came of a run. */
struct outcome {
	struct loop *loop;
	int calls, r;
	struct buffer output;
	char text[1024];
};

static void done(void *context, int r, struct bytes output, const struct assay_error *err)
{
	struct outcome *outcome = context;

	outcome->calls++;
	outcome->r = r;
	buffer_append_bytes(&outcome->output, output);
	snprintf(outcome->text, sizeof(outcome->text), "%s", err->text);
	loop_stop(outcome->loop);
}

static struct outcome run_function(confined_function function, struct bytes input,
				   const struct confined_limits *limits)
{
	struct outcome outcome = { 0 };
	struct assay_error err;

	assert_int_equal(loop_new(&outcome.loop, &err), 0);
	assert_int_equal(
		confined_run(outcome.loop, function, input, limits, done, &outcome, NULL, &err), 0);
	assert_int_equal(loop_run(outcome.loop, &err), 0);
	loop_free(outcome.loop);
	assert_int_equal(outcome.calls, 1);
	return outcome;
}

static int reverse(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)err;
	for (size_t i = input.size; i > 0; i--)
		buffer_append_u8(out, input.data[i - 1]);
	return 0;
}

static void test_output_of_a_child_arrives(void **state)
{
	struct outcome outcome = run_function(reverse, BYTES_LITERAL("abc"), &CONFINED_DEFAULT);

	(void)state;
	assert_int_equal(outcome.r, 0);
	assert_int_equal(outcome.output.size, 3);
	assert_memory_equal(outcome.output.data, "cba", 3);
	buffer_free(&outcome.output);
}

static int megabyte(struct bytes input, struct buffer *out, struct assay_error *err)
{
	uint8_t *room = buffer_reserve(out, 1U << 20);

	(void)input;
	(void)err;
	if (room) {
		memset(room, 7, 1U << 20);
		out->size += 1U << 20;
	}
	return 0;
}

static void test_output_up_to_the_limit_arrives(void **state)
{
	struct outcome outcome = run_function(megabyte, BYTES(NULL, 0), &CONFINED_DEFAULT);

	(void)state;
	assert_int_equal(outcome.r, 0);
	assert_int_equal(outcome.output.size, 1U << 20);
	buffer_free(&outcome.output);
}

static void test_more_output_is_refused(void **state)
{
	struct confined_limits limits = CONFINED_DEFAULT;
	struct outcome outcome;

	(void)state;
	limits.output--;
	outcome = run_function(megabyte, BYTES(NULL, 0), &limits);
	assert_int_equal(outcome.r, -EFBIG);
	assert_int_equal(outcome.output.size, 0);
	buffer_free(&outcome.output);
}

static int refuse(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	buffer_append_u8(out, 1);
	return assay_fail(err, EBADMSG, "byte 3 is wrong");
}

static void test_error_of_a_child_arrives(void **state)
{
	struct outcome outcome = run_function(refuse, BYTES(NULL, 0), &CONFINED_DEFAULT);

	(void)state;
	assert_int_equal(outcome.r, -EBADMSG);
	assert_string_equal(outcome.text, "byte 3 is wrong");
	assert_int_equal(outcome.output.size, 0);
	buffer_free(&outcome.output);
}

/* ---------------------------------------------------------------- what it must not do */

static int open_a_file(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	buffer_append_u8(out, open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
	return 0;
}

static int open_a_socket(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	buffer_append_u8(out, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
	return 0;
}

static int fork_a_child(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	if (fork() == 0)
		_exit(0);
	buffer_append_u8(out, 1);
	return 0;
}

static int execute(struct bytes input, struct buffer *out, struct assay_error *err)
{
	char *arguments[] = { (char *)"/bin/true", NULL };

	(void)input;
	(void)out;
	(void)err;
	execv(arguments[0], arguments);
	return 0;
}

static int map_code(struct bytes input, struct buffer *out, struct assay_error *err)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)input;
	(void)err;
	buffer_append_u8(out, code != MAP_FAILED);
	return 0;
}

/* A descriptor that the service had open. */
static int write_elsewhere(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	buffer_append_u8(out, write(STDERR_FILENO, "x", 1) == 1);
	return 0;
}

static int signal_the_service(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	buffer_append_u8(out, kill(getppid(), 0) == 0);
	return 0;
}

/* Memory that no limit of data counts: shared, or a stack. */
static int map(int flags, struct buffer *out)
{
	buffer_append_u8(out, mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED);
	return 0;
}

static int map_shared(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	return map(MAP_SHARED | MAP_ANONYMOUS, out);
}

static int map_stack(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, out);
}

/* What the service and its other children share since. */
static char *shared;

static int write_shared(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	buffer_append_u8(out, 1);
	shared[0] = 1;
	return 0;
}

static int end_at_once(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)out;
	(void)err;
	_exit(0);
}

static int read_nothing_there(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)out;
	(void)err;
	raise(SIGSEGV);
	return 0;
}

static void test_children_that_break_the_rules_are_refused(void **state)
{
	static const confined_function functions[] = {
		open_a_file,	    open_a_socket,   fork_a_child, execute,
		map_code,	    write_elsewhere, end_at_once,  read_nothing_there,
		signal_the_service, map_shared,	     map_stack,	   write_shared,
	};

	(void)state;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		struct outcome outcome =
			run_function(functions[i], BYTES(NULL, 0), &CONFINED_DEFAULT);

		if (outcome.r != -EPROTO)
			fail_msg("function %zu returned %d", i, outcome.r);
		assert_int_equal(outcome.output.size, 0);
		buffer_free(&outcome.output);
	}
	assert_int_equal(shared[0], 0);
	munmap(shared, 4096);
}

static char secret[6] = "none";

static int tell_secret(struct bytes input, struct buffer *out, struct assay_error *err)
{
	(void)input;
	(void)err;
	buffer_append(out, secret, strlen(secret));
	return 0;
}

static void test_child_has_nothing_that_the_service_got_later(void **state)
{
	struct outcome outcome;

	(void)state;
	memcpy(secret, "a key", sizeof(secret));
	outcome = run_function(tell_secret, BYTES(NULL, 0), &CONFINED_DEFAULT);
	assert_int_equal(outcome.r, 0);
	assert_int_equal(outcome.output.size, 4);
	assert_memory_equal(outcome.output.data, "none", 4);
	buffer_free(&outcome.output);
}

static int never_end(struct bytes input, struct buffer *out, struct assay_error *err)
{
	volatile bool go_on = true;

	(void)input;
	(void)out;
	(void)err;
	while (go_on)
		;
	return 0;
}

static void test_child_that_does_not_end_is_killed(void **state)
{
	struct confined_limits limits = CONFINED_DEFAULT;
	struct outcome outcome;

	(void)state;
	limits.milliseconds = 100;
	outcome = run_function(never_end, BYTES(NULL, 0), &limits);
	assert_int_equal(outcome.r, -ETIMEDOUT);
	buffer_free(&outcome.output);
}

static void stop(void *context)
{
	loop_stop(context);
}

static void test_cancelled_child_says_nothing(void **state)
{
	struct outcome outcome = { 0 };
	struct confined *confined;
	struct loop_timer *timer;
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_new(&outcome.loop, &err), 0);
	assert_int_equal(confined_run(outcome.loop, never_end, BYTES(NULL, 0), &CONFINED_DEFAULT,
				      done, &outcome, &confined, &err),
			 0);
	confined_cancel(confined);
	assert_int_equal(loop_timer_new(outcome.loop, stop, outcome.loop, &timer, &err), 0);
	loop_timer_set(timer, 50);
	assert_int_equal(loop_run(outcome.loop, &err), 0);
	assert_int_equal(outcome.calls, 0);
	loop_timer_free(timer);
	loop_free(outcome.loop);
}

struct ended {
	struct loop *loop;
	int status;
};

static void note_end(void *context, int status)
{
	struct ended *ended = context;

	ended->status = status;
	loop_stop(ended->loop);
}

/* Where it cannot speak with the service: it would be told that it cannot confine itself. */
static void test_what_children_are_copies_of_does_not_end_as_if_unconfined(void **state)
{
	struct ended ended = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_new(&ended.loop, &err), 0);
	assert_int_equal(confined_watch(ended.loop, note_end, &ended, &err), 0);
	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		(void)shutdown(fd, SHUT_RDWR);
	assert_int_equal(loop_run(ended.loop, &err), 0);
	assert_true(WIFSIGNALED(ended.status));
	confined_stop();
	loop_free(ended.loop);
}

static void test_there_is_no_child_of_the_service_as_it_is(void **state)
{
	struct assay_error err;
	struct loop *loop;

	(void)state;
	confined_stop();
	confined_stop();
	assert_int_equal(loop_new(&loop, &err), 0);
	assert_int_equal(confined_run(loop, reverse, BYTES_LITERAL("abc"), &CONFINED_DEFAULT, done,
				      NULL, NULL, &err),
			 -ECHILD);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_of_a_child_arrives),
		cmocka_unit_test(test_output_up_to_the_limit_arrives),
		cmocka_unit_test(test_more_output_is_refused),
		cmocka_unit_test(test_error_of_a_child_arrives),
		cmocka_unit_test(test_children_that_break_the_rules_are_refused),
		cmocka_unit_test(test_child_has_nothing_that_the_service_got_later),
		cmocka_unit_test(test_child_that_does_not_end_is_killed),
		cmocka_unit_test(test_cancelled_child_says_nothing),
		cmocka_unit_test(test_what_children_are_copies_of_does_not_end_as_if_unconfined),
		cmocka_unit_test(test_there_is_no_child_of_the_service_as_it_is),
	};

	if (confined_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
