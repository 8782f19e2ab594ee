// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* pread(), asprintf() */
#include "attest/quote_call.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"

#define ARGUMENTS_MAX 40
#define NONCE_MAX 64 /* bytes */
/* The descriptor that evidence is written to if it is not standard output. */
#define EVIDENCE_FD 3
#define EVIDENCE_TEXT "3"
#define MESSAGES_MAX 16384 /* bytes that are read of what it says */

/* The words of the command line; three of them are made here. */
struct arguments {
	const char *list[ARGUMENTS_MAX + 1];
	size_t count;
	char nonce[2 * NONCE_MAX + 1], since[24], since_ima[24], since_uefi[24];
};

static void add(struct arguments *arguments, const char *word)
{
	arguments->list[arguments->count++] = word;
}

static void add_value(struct arguments *arguments, const char *option, const char *value)
{
	if (!value || value[0] == '\0')
		return;
	add(arguments, option);
	add(arguments, value);
}

static void add_flag(struct arguments *arguments, const char *option, bool given)
{
	if (given)
		add(arguments, option);
}

static int make_arguments(const struct quote_call *call, struct arguments *ret,
			  struct assay_error *err)
{
	*ret = (struct arguments){ 0 };
	if (call->nonce.size > NONCE_MAX)
		return assay_fail(err, EINVAL, "a nonce has at most %d bytes", NONCE_MAX);
	hex_encode(call->nonce, ret->nonce);
	add(ret, "assay");
	add(ret, "quote");
	add_value(ret, "--nonce", ret->nonce);
	add_value(ret, "--ak", call->ak);
	/* With --json standard output has the object. */
	add_value(ret, "--out", call->json ? "/proc/self/fd/" EVIDENCE_TEXT : "-");
	add_value(ret, "--ak-cert", call->ak_cert);
	add_value(ret, "--policy", call->policy);
	add_value(ret, "--pcrs", call->pcrs);
	add_value(ret, "--bank", call->bank);
	add_value(ret, "--tcti", call->tcti);
	add_value(ret, "--parent", call->parent);
	add_value(ret, "--parent-password-file", call->parent_password_file);
	add_value(ret, "--owner-password-file", call->owner_password_file);
	add_value(ret, "--archive", call->archive);
	if (call->has_since) {
		snprintf(ret->since, sizeof(ret->since), "%" PRIu64, call->since);
		add_value(ret, "--since", ret->since);
	}
	if (call->since_ima > 0) {
		snprintf(ret->since_ima, sizeof(ret->since_ima), "%" PRIu64, call->since_ima);
		add_value(ret, "--since-ima", ret->since_ima);
	}
	if (call->since_uefi > 0 && !call->no_uefi_log) {
		snprintf(ret->since_uefi, sizeof(ret->since_uefi), "%" PRIu64, call->since_uefi);
		add_value(ret, "--since-uefi", ret->since_uefi);
	}
	add_flag(ret, "--no-assay-log", call->no_assay_log);
	add_flag(ret, "--no-ima-log", call->no_ima_log);
	add_flag(ret, "--no-uefi-log", call->no_uefi_log);
	add_flag(ret, "--compress", call->compress);
	add_flag(ret, "--json", call->json);
	return 0;
}

/* ---------------------------------------------------------------- in the child */

/*
 * Nothing here may take a lock: another thread of the parent may have held it. So no libcap. That
 * it fails is no error: the program will say what it cannot read.
 */
static void keep_reading(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	data[CAP_TO_INDEX(CAP_DAC_READ_SEARCH)].inheritable |=
		data[CAP_TO_INDEX(CAP_DAC_READ_SEARCH)].permitted &
		CAP_TO_MASK(CAP_DAC_READ_SEARCH);
	if (syscall(SYS_capset, &header, data) == 0)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0);
}

static void limit(int resource, uint64_t most)
{
	const struct rlimit value = { most, most };

	setrlimit(resource, &value);
}

/* What @to was is closed, or a copy of it is in use. */
static bool pass_on(int fd, int to)
{
	if (fd == to)
		return fcntl(fd, F_SETFD, 0) == 0;
	return dup2(fd, to) == to;
}

__attribute__((noreturn)) static void execute(const struct quote_call *call,
					      const struct arguments *arguments, int out,
					      int messages, pid_t parent)
{
	static const char text[] = "cannot execute the program that makes evidence";
	sigset_t none;

	/* Ignored signals stay so. */
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* Below 3 nothing is in the way of dup2(): the callers have these open. */
	if (dup2(call->json ? messages : out, STDOUT_FILENO) < 0 ||
	    (messages >= 0 && dup2(messages, STDERR_FILENO) < 0) ||
	    (call->json && !pass_on(out, EVIDENCE_FD)))
		_exit(127);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, QUOTE_CALL_FILE_MAX);
	limit(RLIMIT_AS, QUOTE_CALL_MEMORY_MAX);
	keep_reading();
	execv(call->program, (char *const *)arguments->list);
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(126);
	_exit(127);
}

/* ---------------------------------------------------------------- in the parent */

int quote_call_start(const struct quote_call *call, int out, int messages, pid_t *ret,
		     struct assay_error *err)
{
	const pid_t self = getpid();
	struct arguments arguments;
	int r = make_arguments(call, &arguments, err);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return assay_fail(err, errno, "cannot start %s: %s", call->program,
				  strerror(errno));
	if (pid == 0)
		execute(call, &arguments, out, messages, self);
	*ret = pid;
	return 0;
}

static size_t read_messages(int messages, char *said, size_t capacity)
{
	ssize_t size = messages < 0 ? 0 : pread(messages, said, capacity - 1, 0);

	if (size < 0)
		size = 0;
	said[size] = '\0';
	return (size_t)size;
}

/* The last line that it said, without who says it, and without the object that --json prints. */
static void last_line(int messages, char *text, size_t capacity)
{
	static const char lead[] = "assay quote: ";
	char said[1024], *line, *begin;
	size_t size = read_messages(messages, said, sizeof(said));

	if (said[0] != '{' && (begin = strstr(said, "\n{"))) {
		size = (size_t)(begin - said);
		said[size] = '\0';
	}
	while (size > 0 && said[size - 1] == '\n')
		said[--size] = '\0';
	begin = strrchr(said, '\n');
	line = begin ? begin + 1 : said;
	if (strncmp(line, lead, sizeof(lead) - 1) == 0)
		line += sizeof(lead) - 1;
	text_escape(BYTES((const uint8_t *)line, strlen(line)), text, capacity);
}

int quote_call_result(int status, int messages, struct assay_error *err)
{
	char text[768];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return assay_fail(err, ETIME,
				  "the evidence was not there in time: does the TPM answer?");
	last_line(messages, text, sizeof(text));
	if (text[0] == '\0')
		return assay_fail(err, EIO, "`assay quote` ended with status %d, and said nothing",
				  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return assay_fail(err, EIO, "%s", text);
}

int quote_call_extent(int messages, struct quote_extent *ret, struct assay_error *err)
{
	static const char what[] = "what `assay quote` says of the evidence";
	CLEANUP(json_decref_pointer) json_t *root = NULL;
	char said[MESSAGES_MAX], *object;
	struct quote_extent extent;
	struct bytes text;
	int r;

	read_messages(messages, said, sizeof(said));
	/* Warnings may come first, of the TPM's library too. */
	object = strncmp(said, "{", 1) == 0 ? said : strstr(said, "\n{");
	if (!object)
		return assay_fail(err, EBADMSG, "%s is no object", what);
	text = BYTES((const uint8_t *)object, strlen(object));
	r = json_parse_front(&text, what, &root, err);
	if (r == 0)
		r = json_get_unsigned(root, "assay_log_next", what, &extent.records, err);
	if (r == 0)
		r = json_get_unsigned(root, "ima_log_entries", what, &extent.entries, err);
	if (r < 0)
		return r;
	*ret = extent;
	return 0;
}
