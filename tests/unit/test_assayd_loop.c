// SPDX-License-Identifier: MIT
/* The event loop, with sd-event and with epoll alone (test_assayd_loop_plain). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assayd/loop.h"
#include "support.h"

/**
 * struct scene - a loop, and what has happened on it
 * @order: a letter for each call
 */
struct scene {
	struct loop *loop;
	char order[32];
	size_t count;
	struct loop_io *io[2];
	struct loop_timer *timer[2];
	struct loop_signal *sig;
	struct loop_child *child;
	int fds[2], status;
};

static void note(struct scene *scene, char letter)
{
	if (scene->count + 1 < sizeof(scene->order))
		scene->order[scene->count++] = letter;
}

static struct scene begin(void)
{
	struct scene scene = { 0 };
	struct assay_error err;

	assert_int_equal(loop_new(&scene.loop, &err), 0);
	assert_int_equal(pipe2(scene.fds, O_CLOEXEC | O_NONBLOCK), 0);
	return scene;
}

static void end(struct scene *scene)
{
	for (int i = 0; i < 2; i++) {
		loop_io_free(scene->io[i]);
		loop_timer_free(scene->timer[i]);
		close(scene->fds[i]);
	}
	loop_signal_free(scene->sig);
	loop_child_free(scene->child);
	loop_free(scene->loop);
}

static void run(struct scene *scene)
{
	struct assay_error err;

	assert_int_equal(loop_run(scene->loop, &err), 0);
}

static void stop(void *context)
{
	struct scene *scene = context;

	note(scene, 's');
	loop_stop(scene->loop);
}

static void first(void *context)
{
	note(context, '1');
}

static void test_timers_come_in_their_order(void **state)
{
	struct scene scene = begin();
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_timer_new(scene.loop, stop, &scene, &scene.timer[0], &err), 0);
	assert_int_equal(loop_timer_new(scene.loop, first, &scene, &scene.timer[1], &err), 0);
	assert_false(loop_timer_is_set(scene.timer[0]));
	loop_timer_set(scene.timer[0], 60);
	loop_timer_set(scene.timer[1], 10);
	assert_true(loop_timer_is_set(scene.timer[1]));
	run(&scene);
	assert_false(loop_timer_is_set(scene.timer[1]));
	assert_string_equal(scene.order, "1s");
	end(&scene);
}

static void test_cancelled_timer_does_not_come(void **state)
{
	struct scene scene = begin();
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_timer_new(scene.loop, stop, &scene, &scene.timer[0], &err), 0);
	assert_int_equal(loop_timer_new(scene.loop, first, &scene, &scene.timer[1], &err), 0);
	loop_timer_set(scene.timer[1], 1);
	loop_timer_set(scene.timer[0], 30);
	loop_timer_cancel(scene.timer[1]);
	run(&scene);
	assert_string_equal(scene.order, "s");
	end(&scene);
}

static void again(void *context)
{
	struct scene *scene = context;

	note(scene, 'a');
	if (scene->count < 3)
		loop_timer_set(scene->timer[0], 0);
	else
		loop_stop(scene->loop);
}

static void test_timer_may_set_itself(void **state)
{
	struct scene scene = begin();
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_timer_new(scene.loop, again, &scene, &scene.timer[0], &err), 0);
	loop_timer_set(scene.timer[0], 0);
	run(&scene);
	assert_string_equal(scene.order, "aaa");
	end(&scene);
}

static void readable(void *context, int fd, uint32_t events)
{
	struct scene *scene = context;
	char byte;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd, &byte, 1), 1);
	note(scene, byte);
	if (byte == 'z')
		loop_stop(scene->loop);
}

static void test_descriptor_tells_what_came(void **state)
{
	struct scene scene = begin();
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_io_add(scene.loop, scene.fds[0], EPOLLIN, readable, &scene,
				     &scene.io[0], &err),
			 0);
	assert_int_equal(write(scene.fds[1], "xyz", 3), 3);
	run(&scene);
	assert_string_equal(scene.order, "xyz");
	end(&scene);
}

/* Frees the other as well, which is ready in the same round. */
static void free_both(void *context, int fd, uint32_t events)
{
	struct scene *scene = context;

	(void)fd;
	(void)events;
	note(scene, 'f');
	for (int i = 0; i < 2; i++) {
		loop_io_free(scene->io[i]);
		scene->io[i] = NULL;
	}
}

static void test_what_was_freed_is_not_called(void **state)
{
	struct scene scene = begin();
	int copy = fcntl(scene.fds[0], F_DUPFD_CLOEXEC, 0);
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_io_add(scene.loop, scene.fds[0], EPOLLIN, free_both, &scene,
				     &scene.io[0], &err),
			 0);
	assert_int_equal(
		loop_io_add(scene.loop, copy, EPOLLIN, free_both, &scene, &scene.io[1], &err), 0);
	assert_int_equal(loop_timer_new(scene.loop, stop, &scene, &scene.timer[0], &err), 0);
	loop_timer_set(scene.timer[0], 30);
	assert_int_equal(write(scene.fds[1], "x", 1), 1);
	run(&scene);
	assert_string_equal(scene.order, "fs");
	close(copy);
	end(&scene);
}

static void writable(void *context, int fd, uint32_t events)
{
	struct scene *scene = context;

	(void)fd;
	(void)events;
	note(scene, 'w');
	loop_stop(scene->loop);
}

static void test_events_can_be_changed(void **state)
{
	struct scene scene = begin();
	struct assay_error err;

	(void)state;
	assert_int_equal(
		loop_io_add(scene.loop, scene.fds[1], 0, writable, &scene, &scene.io[0], &err), 0);
	assert_int_equal(loop_timer_new(scene.loop, first, &scene, &scene.timer[0], &err), 0);
	assert_int_equal(loop_io_set(scene.io[0], EPOLLOUT, &err), 0);
	run(&scene);
	assert_string_equal(scene.order, "w");
	end(&scene);
}

static void signalled(void *context, int number)
{
	struct scene *scene = context;

	note(scene, number == SIGUSR1 ? 'u' : '?');
	loop_stop(scene->loop);
}

static void test_signal_comes_by_the_loop(void **state)
{
	struct scene scene = begin();
	struct assay_error err;

	(void)state;
	assert_int_equal(loop_signal_add(scene.loop, SIGUSR1, signalled, &scene, &scene.sig, &err),
			 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	run(&scene);
	assert_string_equal(scene.order, "u");
	end(&scene);
}

static void ended(void *context, pid_t pid, int status)
{
	struct scene *scene = context;

	assert_true(pid > 0);
	scene->child = NULL;
	scene->status = status;
	note(scene, 'c');
	loop_stop(scene->loop);
}

static void test_end_of_a_child_is_told(void **state)
{
	struct scene scene = begin();
	struct assay_error err;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(7);
	assert_int_equal(loop_child_add(scene.loop, pid, ended, &scene, &scene.child, &err), 0);
	run(&scene);
	assert_true(WIFEXITED(scene.status));
	assert_int_equal(WEXITSTATUS(scene.status), 7);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* reaped */
	end(&scene);
}

static void test_freed_child_is_killed(void **state)
{
	struct scene scene = begin();
	struct assay_error err;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(loop_child_add(scene.loop, pid, ended, &scene, &scene.child, &err), 0);
	end(&scene);
	assert_int_equal(kill(pid, 0), -1);
}

/* Without a descriptor nobody would be told of its end: it must not be left to itself. */
static void test_child_that_cannot_be_watched_is_ended(void **state)
{
	struct scene scene = begin();
	struct rlimit before, none;
	struct assay_error err;
	pid_t pid = fork();
	int r;

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = loop_child_add(scene.loop, pid, ended, &scene, &scene.child, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(kill(pid, 0), -1);
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_come_in_their_order),
		cmocka_unit_test(test_cancelled_timer_does_not_come),
		cmocka_unit_test(test_timer_may_set_itself),
		cmocka_unit_test(test_descriptor_tells_what_came),
		cmocka_unit_test(test_what_was_freed_is_not_called),
		cmocka_unit_test(test_events_can_be_changed),
		cmocka_unit_test(test_signal_comes_by_the_loop),
		cmocka_unit_test(test_end_of_a_child_is_told),
		cmocka_unit_test(test_freed_child_is_killed),
		cmocka_unit_test(test_child_that_cannot_be_watched_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
