// SPDX-License-Identifier: MIT
/* Quote of the interface org.assay: evidence for whoever is let in, in the answer or in a file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest.h"
#include "base/cleanup.h"
#include "base/json.h"

#define NONCE_MIN 8
#define NONCE_MAX 64
/* Bytes of evidence in an answer: it is in memory a few times then. */
#define INLINE_MAX (2U << 20)
/* Of the files that evidence is put in, so many stay: who asks later takes none from another. */
#define FILES_KEPT 16

/* struct call - one that waits for its evidence */
struct call {
	struct service *service;
	struct request *request;
	bool file;
};

/* The file gets a name; what had it before is gone. */
static int name_file(const struct service *service, int fd, char **ret_path,
		     struct assay_error *err)
{
	static unsigned int number;
	const char *directory = service->config->service.state_directory;
	CLEANUP(free_pointer) char *temporary = NULL;
	CLEANUP(free_pointer) char *path = NULL;
	char of_process[40];

	number = (number + 1) % FILES_KEPT;
	if (asprintf(&path, "%s/evidence-%u.json", directory, number) < 0 ||
	    asprintf(&temporary, "%s/.evidence.json", directory) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	snprintf(of_process, sizeof(of_process), "/proc/self/fd/%d", fd);
	if ((unlink(temporary) < 0 && errno != ENOENT) || fchmod(fd, 0640) < 0 ||
	    linkat(AT_FDCWD, of_process, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) < 0 ||
	    rename(temporary, path) < 0)
		return assay_fail(err, errno, "cannot put the evidence at %s: %s", path,
				  strerror(errno));
	*ret_path = path;
	path = NULL;
	return 0;
}

static json_t *answer(const struct call *call, int fd, uint64_t size, struct assay_error *err)
{
	CLEANUP(free_pointer) char *path = NULL;
	json_error_t reason;
	json_t *evidence;

	if (call->file || size > INLINE_MAX) {
		if (name_file(call->service, fd, &path, err) < 0)
			return NULL;
		return json_pack("{s:s}", "path", path);
	}
	evidence = lseek(fd, 0, SEEK_SET) == 0 ? json_loadfd(fd, 0, &reason) : NULL;
	if (!evidence) {
		assay_fail(err, EBADMSG, "the evidence cannot be read back");
		return NULL;
	}
	return json_pack("{s:o}", "evidence", evidence);
}

static void quote_is_done(void *context, int r, const struct quote_made *made,
			  const struct assay_error *err)
{
	struct call *call = context;
	struct assay_error reason = *err;
	json_t *parameters = r == 0 ? answer(call, made->fd, made->size, &reason) : NULL;

	if (made->fd >= 0)
		close(made->fd);
	if (parameters)
		request_answer(call->request, parameters);
	else
		request_fail(call->request, "org.assay.Failed", &reason);
	free(call);
}

/* Return: NULL; the parameter that is not as it must be */
static const char *read_parameters(const json_t *parameters, uint8_t *nonce,
				   struct quote_wanted *wanted, bool *file)
{
	const char *text = json_string_value(json_object_get(parameters, "nonce"));
	const json_t *since = json_object_get(parameters, "since");
	const json_t *since_ima = json_object_get(parameters, "since_ima");
	const json_t *in_file = json_object_get(parameters, "file");
	size_t size = 0;

	if (!text || hex_decode(text, nonce, NONCE_MAX, &size) < 0 || size < NONCE_MIN)
		return "nonce";
	if (since && !json_is_null(since) &&
	    (!json_is_integer(since) || json_integer_value(since) < 0))
		return "since";
	if (since_ima && !json_is_null(since_ima) &&
	    (!json_is_integer(since_ima) || json_integer_value(since_ima) < 0))
		return "since_ima";
	if (in_file && !json_is_null(in_file) && !json_is_boolean(in_file))
		return "file";
	wanted->nonce = BYTES(nonce, size);
	wanted->since = (uint64_t)json_integer_value(since);
	wanted->since_ima = (uint64_t)json_integer_value(since_ima);
	*file = json_is_true(in_file);
	return NULL;
}

static void call_quote(struct part *part, const json_t *parameters, struct request *request)
{
	struct quote_wanted wanted = { 0 };
	struct call *call = calloc(1, sizeof(*call));
	struct quote_order *order;
	uint8_t nonce[NONCE_MAX];
	struct assay_error err;
	const char *wrong;
	int r;

	if (!call) {
		assay_fail(&err, ENOMEM, "out of memory");
		request_fail(request, "org.assay.Failed", &err);
		return;
	}
	*call = (struct call){ .service = part->service, .request = request };
	wrong = read_parameters(parameters, nonce, &wanted, &call->file);
	if (wrong) {
		request_refuse(request, wrong);
		free(call);
		return;
	}
	r = service_quote(part->service, &wanted, quote_is_done, call, &order, &err);
	if (r == 0)
		return;
	request_fail(request, r == -EBUSY ? "org.assay.Busy" : "org.assay.Failed", &err);
	free(call);
}

const struct part_method attest_methods[] = {
	{ "Quote", METHOD_QUOTE, call_quote },
	{ 0 },
};
