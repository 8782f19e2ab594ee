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

#define CLIENTS_MAX 3

/**
 * struct scene - a server that answers lines, and what clients have got
 * @late: the connection whose answer comes by a timer, after @late_in milliseconds
 * @clients: descriptors, -1 for none, and what has come there; "(end)" behind it once the server
 *           has closed
 * @look, @enough, @looks: the loop runs until this holds
 */
struct scene {
	struct loop *loop;
	struct server *server;
	struct server_type type;
	struct loop_timer *timer, *look;
	struct connection *late;
	char path[256];
	int fd, accepted, closed;
	uint64_t late_in;
	struct {
		int fd;
		char text[256];
	} clients[CLIENTS_MAX];
	bool (*enough)(const struct scene *scene);
	int looks;
};

/* Runs confined: lines that do harm there, and others, which come out as they are. */
static int parse_line(struct bytes input, struct buffer *out, struct assay_error *err)
{
	volatile bool go_on = bytes_equal(input, BYTES_LITERAL("loop\n"));

	(void)err;
	while (go_on)
		;
	if (bytes_equal(input, BYTES_LITERAL("crash\n")))
		raise(SIGSEGV);
	buffer_append_bytes(out, input);
	return 0;
}

/* Bytes that were looked at for the ends of lines. */
static size_t looked_at;

static size_t line_size(struct bytes input, size_t searched)
{
	const uint8_t *end = memchr(input.data + searched, '\n', input.size - searched);

	looked_at += (end ? (size_t)(end - input.data) + 1 : input.size) - searched;
	return end ? (size_t)(end - input.data) + 1 : 0;
}

/* "x\n" is answered by "x\n"; "late\n" by a timer; "end\n" ends the connection. */
static void answer_line(void *context, struct connection *connection, int r, struct bytes line,
			const struct assay_error *err)
{
	struct scene *scene = context;

	(void)err;
	if (r < 0) {
		assert_true(r == -EPROTO || r == -ETIMEDOUT);
		line = support_text("unparsed\n");
	}
	if (bytes_equal(line, BYTES_LITERAL("late\n"))) {
		scene->late = connection;
		connection->busy = true;
		loop_timer_set(scene->timer, scene->late_in);
		return;
	}
	buffer_append_bytes(&connection->output, line);
	connection->close = bytes_equal(line, BYTES_LITERAL("end\n"));
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

/* What has come since. */
static void hear(struct scene *scene, size_t number)
{
	const int fd = scene->clients[number].fd;
	char *text = scene->clients[number].text;
	size_t size = strlen(text), room = sizeof(scene->clients[number].text) - 1;
	ssize_t n = 1;

	if (fd < 0 || strstr(text, "(end)"))
		return;
	while (size < room - strlen("(end)") &&
	       (n = recv(fd, text + size, room - strlen("(end)") - size, 0)) > 0)
		text[size += (size_t)n] = '\0';
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		memcpy(text + size, "(end)", sizeof("(end)"));
}

static void look(void *context)
{
	struct scene *scene = context;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		hear(scene, i);
	/* A minute: not for what is tested, but for a machine that is busy. */
	if (scene->enough(scene) || ++scene->looks == 6000)
		loop_stop(scene->loop);
	else
		loop_timer_set(scene->look, 10);
}

static void begin(struct scene *scene, uint64_t idle)
{
	struct assay_error err;
	char *directory = getcwd(NULL, 0);

	*scene = (struct scene){ .type = { .connections_max = 2,
					   .input_max = 64,
					   .idle = idle,
					   .accept = count_accepted,
					   .frame = line_size,
					   .parse = parse_line,
					   .limits = CONFINED_DEFAULT,
					   .parsers_max = 2,
					   .parsed = answer_line,
					   .closed = count_closed },
				 .late_in = 30 };
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		scene->clients[i].fd = -1;
	scene->type.limits.milliseconds = 60000;
	assert_true((size_t)snprintf(scene->path, sizeof(scene->path), "%s" PATH, directory) <
		    sizeof(scene->path));
	free(directory);
	assert_int_equal(loop_new(&scene->loop, &err), 0);
	scene->fd = listener_open_unix(scene->path, "", &err);
	assert_true(scene->fd >= 0);
	assert_int_equal(
		server_new(scene->loop, scene->fd, &scene->type, scene, &scene->server, &err), 0);
	assert_int_equal(loop_timer_new(scene->loop, answer_late, scene, &scene->timer, &err), 0);
	assert_int_equal(loop_timer_new(scene->loop, look, scene, &scene->look, &err), 0);
}

static void end(struct scene *scene)
{
	server_free(scene->server);
	listener_close(scene->fd, scene->path);
	loop_timer_free(scene->timer);
	loop_timer_free(scene->look);
	loop_free(scene->loop);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (scene->clients[i].fd >= 0)
			close(scene->clients[i].fd);
	assert_int_equal(scene->accepted, scene->closed);
	assert_int_equal(access(scene->path, F_OK), -1);
}

/* Once a test: a loop that was stopped is not run again. */
static void run_until(struct scene *scene, bool (*enough)(const struct scene *scene))
{
	struct assay_error err;

	scene->enough = enough;
	loop_timer_set(scene->look, 1);
	assert_int_equal(loop_run(scene->loop, &err), 0);
	if (!enough(scene))
		fail_msg("\"%s\" \"%s\" \"%s\", %d let in, %d closed", scene->clients[0].text,
			 scene->clients[1].text, scene->clients[2].text, scene->accepted,
			 scene->closed);
}

static void say(const struct scene *scene, size_t number, const char *text)
{
	assert_int_equal(send(scene->clients[number].fd, text, strlen(text), MSG_NOSIGNAL),
			 (ssize_t)strlen(text));
}

static void connect_client(struct scene *scene, size_t number, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && strlen(scene->path) < sizeof(address.sun_path));
	memcpy(address.sun_path, scene->path, strlen(scene->path) + 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	scene->clients[number].fd = fd;
	say(scene, number, text);
}

static void hang_up(struct scene *scene, size_t number)
{
	close(scene->clients[number].fd);
	scene->clients[number].fd = -1;
}

static bool heard(const struct scene *scene, size_t number, const char *text)
{
	return strcmp(scene->clients[number].text, text) == 0;
}

/* One client, who says this. */
static void serve_one(const char *said, bool (*enough)(const struct scene *scene))
{
	struct scene scene;

	begin(&scene, 60000);
	connect_client(&scene, 0, said);
	run_until(&scene, enough);
	end(&scene);
}

static bool two_lines(const struct scene *scene)
{
	return heard(scene, 0, "a\nbb\n");
}

static void test_lines_are_answered_in_order(void **state)
{
	(void)state;
	serve_one("a\nbb\nccccc", two_lines);
}

static bool late_and_next(const struct scene *scene)
{
	return heard(scene, 0, "at last\nb\n");
}

static void test_answer_may_come_later(void **state)
{
	(void)state;
	/* The second is not handed out before the first is answered. */
	serve_one("late\nb\n", late_and_next);
}

static bool one_has_gone(const struct scene *scene)
{
	return scene->accepted == 1 && scene->closed == 1;
}

static void test_client_may_go_before_its_answer(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 60000);
	connect_client(&scene, 0, "late\n");
	hang_up(&scene, 0);
	run_until(&scene, one_has_gone);
	end(&scene);
}

static bool answered_and_closed(const struct scene *scene)
{
	return heard(scene, 0, "end\n(end)");
}

static void test_connection_is_closed_once_its_output_is_written(void **state)
{
	(void)state;
	serve_one("end\nx\n", answered_and_closed);
}

static bool first_closed(const struct scene *scene)
{
	return heard(scene, 0, "(end)");
}

static void test_input_without_end_is_not_taken(void **state)
{
	(void)state;
	serve_one("0123456789012345678901234567890123456789012345678901234567890123456789",
		  first_closed);
}

static void test_idle_clients_are_closed_and_busy_ones_are_not(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1000);
	scene.late_in = 300000;
	connect_client(&scene, 0, "");
	connect_client(&scene, 1, "late\n");
	run_until(&scene, first_closed);
	assert_int_equal(scene.closed, 1);
	assert_true(heard(&scene, 1, ""));
	end(&scene);
}

/* One that sends its request a byte at a time, and never ends it, has no place for longer. */
static void test_slow_requests_are_closed(void **state)
{
	struct scene scene;
	pid_t slow;

	(void)state;
	begin(&scene, 2000);
	connect_client(&scene, 0, "");
	connect_client(&scene, 1, "");
	slow = fork();
	assert_true(slow >= 0);
	for (int i = 0; slow == 0 && i < 2000; i++) {
		(void)send(scene.clients[0].fd, "x", 1, MSG_NOSIGNAL);
		/* Whole requests as slowly are as good as any. */
		(void)send(scene.clients[1].fd, "\n", 1, MSG_NOSIGNAL);
		usleep(50000);
	}
	if (slow == 0)
		_exit(0);
	run_until(&scene, first_closed);
	assert_int_equal(scene.closed, 1);
	assert_non_null(strchr(scene.clients[1].text, '\n'));
	kill(slow, SIGKILL);
	assert_int_equal(waitpid(slow, NULL, 0), slow);
	end(&scene);
}

static bool long_line_is_answered(const struct scene *scene)
{
	return strlen(scene->clients[0].text) == 51 + 2;
}

/* None is looked at twice: a line that comes a byte at a time costs no more than one at once. */
static void test_input_is_searched_once(void **state)
{
	struct scene scene;
	pid_t slow;

	(void)state;
	begin(&scene, 60000);
	connect_client(&scene, 0, "");
	looked_at = 0;
	slow = fork();
	assert_true(slow >= 0);
	for (int i = 0; slow == 0 && i <= 50; i++) {
		(void)send(scene.clients[0].fd, i < 50 ? "x" : "\na\n", i < 50 ? 1 : 3,
			   MSG_NOSIGNAL);
		usleep(2000);
	}
	if (slow == 0)
		_exit(0);
	run_until(&scene, long_line_is_answered);
	assert_int_equal(looked_at, 51 + 2);
	assert_int_equal(waitpid(slow, NULL, 0), slow);
	end(&scene);
}

static bool two_are_answered(const struct scene *scene)
{
	return heard(scene, 0, "a\n") && heard(scene, 1, "a\n");
}

static void test_more_clients_wait(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 60000);
	for (size_t i = 0; i < 3; i++)
		connect_client(&scene, i, "a\n");
	run_until(&scene, two_are_answered);
	assert_int_equal(scene.accepted, 2);
	assert_true(heard(&scene, 2, ""));
	end(&scene);
}

/* ---------------------------------------------------------------- parsers */

static bool refused_and_going_on(const struct scene *scene)
{
	return heard(scene, 0, "unparsed\nb\n") && heard(scene, 1, "a\n");
}

/* Two clients, the first of which does harm; so many parsers work at a time. */
static void serve_harm(const char *said, size_t parsers_max)
{
	struct scene scene;

	begin(&scene, 60000);
	scene.type.parsers_max = parsers_max;
	scene.type.limits.milliseconds = 5000;
	connect_client(&scene, 0, said);
	connect_client(&scene, 1, "a\n");
	run_until(&scene, refused_and_going_on);
	end(&scene);
}

static void test_request_that_crashes_its_parser_is_refused_alone(void **state)
{
	(void)state;
	serve_harm("crash\nb\n", 2);
}

static void test_request_that_never_ends_its_parser_is_refused_alone(void **state)
{
	(void)state;
	serve_harm("loop\nb\n", 2);
}

static void test_requests_wait_for_a_parser(void **state)
{
	(void)state;
	serve_harm("loop\nb\n", 1);
}

static bool second_is_answered(const struct scene *scene)
{
	return heard(scene, 1, "a\n");
}

/* Within the minute that its parser could take. */
static void test_client_that_goes_takes_its_parser_along(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 60000);
	scene.type.parsers_max = 1;
	connect_client(&scene, 0, "loop\n");
	connect_client(&scene, 1, "a\n");
	hang_up(&scene, 0);
	run_until(&scene, second_is_answered);
	assert_int_equal(scene.closed, 1);
	end(&scene);
}

static bool all_are_answered(const struct scene *scene)
{
	return heard(scene, 0, "a\n") && heard(scene, 1, "a\n") && heard(scene, 2, "a\n");
}

static void test_parsers_are_handed_on(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 60000);
	scene.type.parsers_max = 1;
	scene.type.connections_max = 3;
	for (size_t i = 0; i < 3; i++)
		connect_client(&scene, i, "a\n");
	run_until(&scene, all_are_answered);
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
		cmocka_unit_test(test_input_is_searched_once),
		cmocka_unit_test(test_more_clients_wait),
		cmocka_unit_test(test_request_that_crashes_its_parser_is_refused_alone),
		cmocka_unit_test(test_request_that_never_ends_its_parser_is_refused_alone),
		cmocka_unit_test(test_requests_wait_for_a_parser),
		cmocka_unit_test(test_client_that_goes_takes_its_parser_along),
		cmocka_unit_test(test_parsers_are_handed_on),
		cmocka_unit_test(test_old_socket_is_replaced_and_nothing_else),
		cmocka_unit_test(test_addresses_are_checked),
		cmocka_unit_test(test_peer_is_who_has_connected),
	};

	if (confined_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
