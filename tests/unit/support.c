// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

int support_enter_directory(void **state)
{
	char *path = strdup("/tmp/assay-test.XXXXXX");

	if (!path || !mkdtemp(path) || chdir(path) < 0) {
		free(path);
		return -1;
	}
	*state = path;
	return 0;
}

int support_leave_directory(void **state)
{
	int status;

	if (chdir("/") < 0)
		return -1;
	status = support_run("rm -rf '%s'", (const char *)*state);
	free(*state);
	return status == 0 ? 0 : -1;
}

static int run(const char *format, va_list args)
{
	char *command;
	int status;

	if (vasprintf(&command, format, args) < 0)
		return -1;
	fflush(NULL);
	status = system(command);
	free(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int support_run(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run(format, args);
	va_end(args);
	return status;
}

bool support_have(const char *program)
{
	return support_run("command -v %s >/dev/null", program) == 0;
}

char *support_output(const char *format, ...)
{
	char *command, *text = NULL;
	size_t capacity = 0;
	va_list args;
	ssize_t got;
	FILE *stream;

	va_start(args, format);
	if (vasprintf(&command, format, args) < 0)
		fail_msg("out of memory");
	va_end(args);
	stream = popen(command, "re");
	assert_non_null(stream);
	got = getdelim(&text, &capacity, '\0', stream);
	if (pclose(stream) != 0)
		fail_msg("this failed: %s", command);
	free(command);
	if (got < 0) {
		free(text);
		return strdup("");
	}
	if (got > 0 && text[got - 1] == '\n')
		text[got - 1] = '\0';
	return text;
}

void support_write(const char *path, struct bytes bytes)
{
	struct assay_error err = { 0 };

	if (file_write(path, bytes, 0644, &err) < 0)
		fail_msg("%s", err.text);
}

struct buffer support_read(const char *path)
{
	struct assay_error err = { 0 };
	struct buffer out = { 0 };

	if (file_read(path, (size_t)1 << 30, &out, &err) < 0)
		fail_msg("%s", err.text);
	return out;
}

struct bytes support_text(const char *text)
{
	return BYTES((const uint8_t *)text, strlen(text));
}

struct buffer support_many_values(const char *begin, size_t count, const char *end)
{
	struct buffer out = { 0 };

	buffer_append(&out, begin, strlen(begin));
	for (size_t i = 0; i < count; i++)
		buffer_append(&out, "[],", 3);
	buffer_append(&out, "[]", 2);
	buffer_append(&out, end, strlen(end));
	assert_false(out.failed);
	return out;
}

/* Marsaglia's xorshift. */
uint32_t support_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

void support_fill(uint8_t *data, size_t size, uint32_t seed)
{
	uint32_t x = seed * 2654435761U + 1;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(support_random(&x) >> 11);
}

/* The socket is there a moment before anybody listens. */
static bool listens(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = strlen(path) < sizeof(address.sun_path);

	if (good)
		memcpy(address.sun_path, path, strlen(path));
	good = good && fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

pid_t support_swtpm_start(const char *directory)
{
	char state[256], control[256], server[256], log[256];
	pid_t pid;

	snprintf(state, sizeof(state), "dir=%s", directory);
	snprintf(control, sizeof(control), "type=unixio,path=%s/s.ctrl", directory);
	snprintf(server, sizeof(server), "type=unixio,path=%s/s", directory);
	snprintf(log, sizeof(log), "%s/swtpm.log", directory);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen(log, "w", stdout) || !freopen(log, "a", stderr))
			_exit(126);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--ctrl", control,
		       "--server", server, "--flags", "not-need-init,startup-clear", NULL);
		_exit(127);
	}
	for (int i = 0; pid > 0 && !listens(server + strlen("type=unixio,path=")); i++) {
		if (i == 1000) {
			support_swtpm_stop(pid);
			return -1;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return pid;
}

void support_swtpm_stop(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

void support_assert_error(const struct assay_error *err, const char *part)
{
	assert_int_not_equal(err->code, 0);
	if (!strstr(err->text, part))
		fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}
