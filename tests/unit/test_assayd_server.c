// SPDX-License-Identifier: MIT
/* A server of the service's: one request at a time, and bounds on clients, their input and time. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assayd/listener.h"
#include "assayd/peer.h"
#include "assayd/server.h"
#include "support.h"

#define PATH "/socket"

/**
 * struct scene - a server that answers lines, and what clients have got
 * @late: the connection whose answer comes by a timer, after @late_in milliseconds
 */
struct scene {
	struct loop *loop;
	struct server *server;
	struct server_type type;
	struct loop_timer *timer, *end;
	struct connection *late;
	char path[256];
	int fd, accepted, closed;
	uint64_t late_in;
};

/* "x\n" is answered by "x\n"; "late\n" by a timer; "end\n" ends the connection. */
static void answer_line(void *context, struct connection *connection)
{
	struct scene *scene = context;
	const uint8_t *end = memchr(connection->input.data, '\n', connection->input.size);
	size_t size;

	if (!end)
		return;
	size = (size_t)(end - connection->input.data) + 1;
	if (size == 5 && memcmp(connection->input.data, "late", 4) == 0) {
		scene->late = connection;
		connection->busy = true;
		loop_timer_set(scene->timer, scene->late_in);
	} else {
		buffer_append(&connection->output, connection->input.data, size);
		connection->close = size == 4;
	}
	connection_take(connection, size);
}

static bool count_accepted(void *context, struct connection *connection)
{
	struct scene *scene = context;

	(void)connection;
	scene->accepted++;
	return true;
}

static void count_closed(void *context, struct connection *connection)
{
	struct scene *scene = context;

	if (scene->late == connection)
		scene->late = NULL;
	scene->closed++;
}

static void answer_late(void *context)
{
	struct scene *scene = context;

	if (!scene->late)
		return;
	buffer_append(&scene->late->output, "at last\n", 8);
	scene->late->busy = false;
	connection_go_on(scene->late);
}

static void stop(void *context)
{
	loop_stop(((struct scene *)context)->loop);
}

static void begin(struct scene *scene, uint64_t idle)
{
	struct assay_error err;
	char *directory = getcwd(NULL, 0);

	*scene = (struct scene){ .type = { .connections_max = 2,
					   .input_max = 64,
					   .idle = idle,
					   .accept = count_accepted,
					   .input = answer_line,
					   .closed = count_closed },
				 .late_in = 30 };
	assert_true((size_t)snprintf(scene->path, sizeof(scene->path), "%s" PATH, directory) <
		    sizeof(scene->path));
	free(directory);
	assert_int_equal(loop_new(&scene->loop, &err), 0);
	scene->fd = listener_open_unix(scene->path, "", &err);
	assert_true(scene->fd >= 0);
	assert_int_equal(
		server_new(scene->loop, scene->fd, &scene->type, scene, &scene->server, &err), 0);
	assert_int_equal(loop_timer_new(scene->loop, answer_late, scene, &scene->timer, &err), 0);
	assert_int_equal(loop_timer_new(scene->loop, stop, scene, &scene->end, &err), 0);
}

static void end(struct scene *scene)
{
	server_free(scene->server);
	listener_close(scene->fd, scene->path);
	loop_timer_free(scene->timer);
	loop_timer_free(scene->end);
	loop_free(scene->loop);
	assert_int_equal(scene->accepted, scene->closed);
	assert_int_equal(access(scene->path, F_OK), -1);
}

/* Only what runs to its end within some time can be told of a loop: its events are few here. */
static void run_for(struct scene *scene, uint64_t milliseconds)
{
	struct assay_error err;

	loop_timer_set(scene->end, milliseconds);
	assert_int_equal(loop_run(scene->loop, &err), 0);
}

static int client(const struct scene *scene)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && strlen(scene->path) < sizeof(address.sun_path));
	memcpy(address.sun_path, scene->path, strlen(scene->path) + 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come, as a text; "(end)" behind it once the server has closed. */
static const char *heard(int fd, char text[256])
{
	size_t size = 0;
	ssize_t n;

	while ((n = recv(fd, text + size, 200 - size, 0)) > 0)
		size += (size_t)n;
	snprintf(text + size, 256 - size, "%s", n == 0 || errno == ECONNRESET ? "(end)" : "");
	return text;
}

static void test_lines_are_answered_in_order(void **state)
{
	struct scene scene;
	char text[256];
	int fd;

	(void)state;
	begin(&scene, 60000);
	fd = client(&scene);
	say(fd, "a\nbb\nccccc");
	run_for(&scene, 200);
	assert_string_equal(heard(fd, text), "a\nbb\n");
	close(fd);
	end(&scene);
}

static void test_answer_may_come_later(void **state)
{
	struct scene scene;
	char text[256];
	int fd;

	(void)state;
	begin(&scene, 60000);
	fd = client(&scene);
	/* The second is not handed out before the first is answered. */
	say(fd, "late\nb\n");
	run_for(&scene, 300);
	assert_string_equal(heard(fd, text), "at last\nb\n");
	close(fd);
	end(&scene);
}

static void test_client_may_go_before_its_answer(void **state)
{
	struct scene scene;
	int fd;

	(void)state;
	begin(&scene, 60000);
	fd = client(&scene);
	say(fd, "late\n");
	close(fd);
	run_for(&scene, 300);
	assert_int_equal(scene.accepted, 1);
	assert_int_equal(scene.closed, 1);
	end(&scene);
}

static void test_connection_is_closed_once_its_output_is_written(void **state)
{
	struct scene scene;
	char text[256];
	int fd;

	(void)state;
	begin(&scene, 60000);
	fd = client(&scene);
	say(fd, "end\nx\n");
	run_for(&scene, 200);
	assert_string_equal(heard(fd, text), "end\n(end)");
	close(fd);
	end(&scene);
}

static void test_input_without_end_is_not_taken(void **state)
{
	struct scene scene;
	char text[256];
	int fd;

	(void)state;
	begin(&scene, 60000);
	fd = client(&scene);
	say(fd, "0123456789012345678901234567890123456789012345678901234567890123456789");
	run_for(&scene, 200);
	assert_string_equal(heard(fd, text), "(end)");
	close(fd);
	end(&scene);
}

static void test_idle_clients_are_closed_and_busy_ones_are_not(void **state)
{
	struct scene scene;
	char text[256];
	int idle, busy;

	(void)state;
	begin(&scene, 100);
	scene.late_in = 5000;
	idle = client(&scene);
	busy = client(&scene);
	say(busy, "late\n");
	run_for(&scene, 500);
	assert_int_equal(scene.closed, 1);
	assert_string_equal(heard(idle, text), "(end)");
	assert_string_equal(heard(busy, text), "");
	close(idle);
	close(busy);
	end(&scene);
}

/* One that sends its request a byte at a time, and never ends it, has no place for longer. */
static void test_slow_requests_are_closed(void **state)
{
	struct scene scene;
	char text[256];
	pid_t slow;
	int fds[2];

	(void)state;
	begin(&scene, 400);
	fds[0] = client(&scene);
	fds[1] = client(&scene);
	slow = fork();
	assert_true(slow >= 0);
	for (int i = 0; slow == 0 && i < 60; i++) {
		(void)send(fds[0], "x", 1, MSG_NOSIGNAL);
		/* Whole requests as slowly are as good as any. */
		(void)send(fds[1], "\n", 1, MSG_NOSIGNAL);
		usleep(50000);
	}
	if (slow == 0)
		_exit(0);
	run_for(&scene, 1500);
	assert_int_equal(scene.closed, 1);
	assert_string_equal(heard(fds[0], text), "(end)");
	assert_non_null(strchr(heard(fds[1], text), '\n'));
	kill(slow, SIGKILL);
	assert_int_equal(waitpid(slow, NULL, 0), slow);
	close(fds[0]);
	close(fds[1]);
	end(&scene);
}

static void test_more_clients_wait(void **state)
{
	struct scene scene;
	char text[256];
	int fds[3];

	(void)state;
	begin(&scene, 60000);
	for (int i = 0; i < 3; i++)
		fds[i] = client(&scene);
	say(fds[2], "a\n");
	run_for(&scene, 200);
	assert_int_equal(scene.accepted, 2);
	assert_string_equal(heard(fds[2], text), "");
	close(fds[0]);
	/* A loop that was stopped is not run again. */
	server_free(scene.server);
	scene.server = NULL;
	assert_int_equal(scene.closed, 2);
	close(fds[1]);
	close(fds[2]);
	end(&scene);
}

static void test_old_socket_is_replaced_and_nothing_else(void **state)
{
	struct scene scene;
	struct assay_error err;
	struct stat st;
	int fd;

	(void)state;
	begin(&scene, 60000);
	/* As after a crash: nobody removes it. */
	close(scene.fd);
	fd = listener_open_unix(scene.path, "", &err);
	assert_true(fd >= 0);
	assert_int_equal(stat(scene.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	listener_close(fd, scene.path);
	support_write(scene.path, support_text("precious"));
	assert_int_equal(listener_open_unix(scene.path, "", &err), -EEXIST);
	assert_int_equal(unlink(scene.path), 0);
	assert_int_equal(listener_open_unix(scene.path, "no-such-group", &err), -ENOENT);
	assert_int_equal(access(scene.path, F_OK), -1);
	scene.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	server_free(scene.server);
	scene.server = NULL;
	end(&scene);
}

static void test_addresses_are_checked(void **state)
{
	static const char *const wrong[] = {
		"",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:9808x",
		"localhost:1",
		"::1:9808",
		"[::1]9808",
		"[::1:9808",
		"[127.0.0.1]:1",
		":9808",
		"[]:9808",
		"1.2.3:9",
		"[::1]:-1",
	};
	struct assay_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (listener_open_tcp(wrong[i], &err) != -EINVAL)
			fail_msg("'%s' is taken", wrong[i]);
}

static void test_peer_is_who_has_connected(void **state)
{
	struct assay_error err;
	struct peer peer;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(peer_read(fds[0], &peer, &err), 0);
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.gid, getegid());
	assert_true(peer_is_root(&peer)); /* the service itself */
	peer.uid = geteuid() + 1;
	assert_false(peer_is_root(&peer));
	assert_false(peer_is_in(&peer, ""));
	assert_false(peer_is_in(&peer, "no-such-group"));
	peer_free(&peer);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_answered_in_order),
		cmocka_unit_test(test_answer_may_come_later),
		cmocka_unit_test(test_client_may_go_before_its_answer),
		cmocka_unit_test(test_connection_is_closed_once_its_output_is_written),
		cmocka_unit_test(test_input_without_end_is_not_taken),
		cmocka_unit_test(test_idle_clients_are_closed_and_busy_ones_are_not),
		cmocka_unit_test(test_slow_requests_are_closed),
		cmocka_unit_test(test_more_clients_wait),
		cmocka_unit_test(test_old_socket_is_replaced_and_nothing_else),
		cmocka_unit_test(test_addresses_are_checked),
		cmocka_unit_test(test_peer_is_who_has_connected),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
