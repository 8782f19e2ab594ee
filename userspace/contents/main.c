// SPDX-License-Identifier: MIT
/*
 * The program `assay-contents`, which `assay sign` runs: it reads packages, or an image of a
 * container, and prints which files they install, with their fs-verity digests (source/contents.h
 * has the form). What unpacks foreign archives is so a process of its own, which has no key, and
 * can do nothing but that: it opens no file either, but asks its parent.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "confined.h"
#include "deb.h"
#include "image.h"
#include "opener.h"
#include "source/contents.h"

enum { EXIT_OK, EXIT_BAD, EXIT_USAGE };

struct call {
	struct verity_parameters parameters;
	bool conffiles;
	const char *image;
	char **files;
	int opener;
	uint64_t configuration, count;
	struct packages packages;
};

static int print_line(json_t *object, struct assay_error *err)
{
	int r = object ? json_dumpf(object, stdout, JSON_COMPACT) : -1;

	json_decref(object);
	if (r < 0 || putchar('\n') == EOF)
		return assay_fail(err, EIO, "cannot write: %s", strerror(errno));
	return 0;
}

static int print_file(void *context, const char *path, const struct merged_file *file,
		      struct assay_error *err)
{
	struct call *call = context;
	char digest[ASSAY_DIGEST_TEXT_MAX];
	const struct package_name *package = file->package;
	int r = contents_check_path(path, err);

	if (r < 0)
		return r;
	call->count++;
	return print_line(json_pack("{s:s, s:I, s:s, s:s*, s:s*, s:s*}", "path", path, "size",
				    (json_int_t)file->size, "digest",
				    assay_digest_text(&file->digest, digest), "package",
				    package ? package->name : NULL, "version",
				    package ? package->version : NULL, "architecture",
				    package ? package->architecture : NULL),
			  err);
}

static int read_image(struct call *call, struct unpack *unpack, unsigned int file,
		      struct assay_error *err)
{
	const char *path = call->files[file];
	struct image_source source = {
		.name = path, .wanted = call->image, .opener = call->opener, .file = file
	};
	struct stat stat;
	int r;

	source.fd = opener_open(call->opener, file, "", path, err);
	if (source.fd < 0)
		return source.fd;
	if (fstat(source.fd, &stat) < 0) {
		r = assay_fail(err, errno, "cannot look at %s: %s", path, strerror(errno));
	} else {
		source.directory = S_ISDIR(stat.st_mode);
		r = image_read(unpack, &source, err);
	}
	close(source.fd);
	return r;
}

static int read_deb(struct call *call, struct unpack *unpack, unsigned int file,
		    struct assay_error *err)
{
	const char *path = call->files[file];
	int fd = opener_open(call->opener, file, "", path, err), r;

	if (fd < 0)
		return fd;
	r = deb_read(unpack, fd, BYTES(NULL, 0), path, call->conffiles, &call->packages,
		     &call->configuration, err);
	close(fd);
	return r;
}

static int print_all(struct call *call, struct merged *merged, struct assay_error *err)
{
	int r = print_line(contents_header(&call->parameters), err);

	if (r == 0)
		r = merged_walk(merged, print_file, call, err);
	if (r == 0)
		r = print_line(json_pack("{s:I, s:I}", "end", (json_int_t)call->count,
					 "configuration_files", (json_int_t)call->configuration),
			       err);
	if (r == 0 && fflush(stdout) != 0)
		r = assay_fail(err, errno, "cannot write: %s", strerror(errno));
	return r;
}

static int read_all(struct call *call, struct assay_error *err)
{
	struct unpack unpack = { .merged = merged_new(), .left = UNPACK_BYTES_MAX };
	int r = unpack.merged ? verity_hasher_new(&call->parameters, &unpack.hasher, err) :
				assay_fail(err, ENOMEM, "out of memory");

	if (r == 0 && !call->image)
		r = deb_begin(unpack.merged, err);
	for (unsigned int file = 0; r == 0 && call->files[file]; file++)
		r = (call->image ? read_image : read_deb)(call, &unpack, file, err);
	if (r == 0)
		r = print_all(call, unpack.merged, err);
	verity_hasher_free(unpack.hasher);
	merged_free(unpack.merged);
	packages_free(&call->packages);
	return r;
}

static int fail(const struct assay_error *err)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, err->text);
	return EXIT_BAD;
}

/* The process that reads, and its exit status. */
static int reader(struct call *call)
{
	static char output[1 << 16];
	struct assay_error err = { 0 };
	int r = confined_enter(call->opener, &err);

	/* With a buffer of its own, the standard output is not looked at. */
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	if (r == 0)
		r = read_all(call, &err);
	return r < 0 ? fail(&err) : EXIT_OK;
}

static int wait_for(pid_t pid, struct assay_error *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return assay_fail(err, errno, "cannot wait: %s", strerror(errno));
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	/* Nobody wants what it writes. */
	if (WTERMSIG(status) == SIGPIPE)
		return EXIT_BAD;
	return assay_fail(err, EBADMSG, "what reads foreign files was ended by signal %d%s",
			  WTERMSIG(status),
			  WTERMSIG(status) == SIGSYS ?
				  ": it tried what reading them does not need; do not trust them" :
				  "");
}

/* The process that opens files. */
static int open_for_reader(struct call *call)
{
	struct assay_error err = { 0 };
	int ends[2], r, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 || (pid = fork()) < 0) {
		assay_fail(&err, errno, "cannot start what reads files: %s", strerror(errno));
		return fail(&err);
	}
	if (pid == 0) {
		close(ends[0]);
		call->opener = ends[1];
		exit(reader(call));
	}
	close(ends[1]);
	r = opener_serve(ends[0], call->files, &err);
	close(ends[0]);
	status = wait_for(pid, r < 0 ? NULL : &err);
	return r < 0 || status < 0 ? fail(&err) : status;
}

/*
 * deb PARAMETERS conffiles|no-conffiles FILE...
 * image PARAMETERS NAME FILE
 *
 * PARAMETERS are the header of what is printed. See source/contents.c.
 */
int main(int argc, char **argv)
{
	struct assay_error err = { 0 };
	struct call call = { 0 };
	json_t *header = NULL;
	int r;

	if (argc < 5 || (strcmp(argv[1], "deb") != 0 && strcmp(argv[1], "image") != 0)) {
		fputs("assay-contents is run by 'assay sign --deb' and 'assay sign --image'\n",
		      stderr);
		return EXIT_USAGE;
	}
	/* Names of files are UTF-8, whatever the caller's locale. */
	setlocale(LC_CTYPE, "C.UTF-8");
	if (strcmp(argv[1], "image") == 0)
		call.image = argv[3];
	else
		call.conffiles = strcmp(argv[3], "conffiles") == 0;
	r = json_parse(BYTES((const uint8_t *)argv[2], strlen(argv[2])), "the parameters", &header,
		       &err);
	if (r == 0)
		r = contents_parse_header(header, "the parameters", &call.parameters, &err);
	json_decref(header);
	call.files = argv + 4;
	return r < 0 ? fail(&err) : open_for_reader(&call);
}
