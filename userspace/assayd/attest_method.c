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

#define NONCE_MIN 8
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

static void call_quote(struct part *part, const struct call_parameters *parameters,
		       struct request *request)
{
	const struct quote_wanted wanted = {
		.nonce = BYTES(parameters->nonce, parameters->nonce_size),
		.since = parameters->since,
		.since_ima = parameters->since_ima,
	};
	struct quote_order *order;
	struct assay_error err;
	struct call *call;
	int r;

	if (parameters->nonce_size < NONCE_MIN) {
		request_refuse(request, "nonce");
		return;
	}
	call = calloc(1, sizeof(*call));
	if (!call) {
		assay_fail(&err, ENOMEM, "out of memory");
		request_fail(request, "org.assay.Failed", &err);
		return;
	}
	*call = (struct call){ .service = part->service,
			       .request = request,
			       .file = parameters->file };
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
