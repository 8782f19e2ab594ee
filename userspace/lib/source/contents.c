// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "source/contents.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/program.h"
#include "sign/manifest.h"

#define CONTENTS_TYPE "contents"

/**
 * struct source_of_contents - what the program says
 * @pid: of it; 0: there is none
 * @line: the one looked at; @number of it
 * @previous: the path before
 * @ended: the last line was there
 */
struct source_of_contents {
	struct source source;
	struct verity_parameters parameters;
	struct tree_names include, exclude;
	FILE *stream;
	pid_t pid;
	char line[MANIFEST_LINE_MAX];
	unsigned long long number;
	uint64_t count;
	char previous[MANIFEST_PATH_MAX];
	struct packages packages;
	bool ended;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

int contents_check_path(const char *path, struct assay_error *err)
{
	return manifest_check_path(path, err);
}

json_t *contents_header(const struct verity_parameters *parameters)
{
	return json_pack("{s:i, s:s, s:s, s:I, s:o}", "assay", JSON_VERSION, "type", CONTENTS_TYPE,
			 "hash", assay_hash_name(parameters->hash), "block_size",
			 (json_int_t)parameters->block_size, "salt",
			 json_hex(BYTES(parameters->salt, parameters->salt_size)));
}

int contents_parse_header(const json_t *object, const char *what, struct verity_parameters *ret,
			  struct assay_error *err)
{
	static const char *const known[] = { "assay", "type", "hash", "block_size", "salt", NULL };
	int r = json_check_head(object, CONTENTS_TYPE, what, err);

	if (r == 0)
		r = json_only(object, known, what, err);
	return r < 0 ? r : manifest_parse_parameters(object, what, ret, err);
}

/* ---------------------------------------------------------------- lines */

/* The next line as JSON. */
static int read_line(struct source_of_contents *of, json_t **ret, char what[static 64],
		     struct assay_error *err)
{
	size_t size;

	snprintf(what, 64, CONTENTS_PROGRAM ", line %llu", ++of->number);
	if (!fgets(of->line, sizeof(of->line), of->stream))
		return assay_fail(err, EIO, "%s: it ended too early", what);
	size = strlen(of->line);
	if (size == 0 || of->line[size - 1] != '\n')
		return assay_fail(err, EBADMSG, "%s: it is too long, or cut off", what);
	return json_parse(BYTES((uint8_t *)of->line, size), what, ret, err);
}

static int read_header(struct source_of_contents *of, const struct verity_parameters *wanted,
		       struct assay_error *err)
{
	json_t *object = NULL;
	char what[64];
	int r = read_line(of, &object, what, err);

	if (r == 0)
		r = contents_parse_header(object, what, &of->parameters, err);
	json_decref(object);
	if (r == 0 && (of->parameters.hash != wanted->hash ||
		       of->parameters.block_size != wanted->block_size ||
		       !bytes_equal(BYTES(of->parameters.salt, of->parameters.salt_size),
				    BYTES(wanted->salt, wanted->salt_size))))
		r = assay_fail(err, EBADMSG, "%s: it has other parameters than were asked for",
			       what);
	return r;
}

static int read_end(struct source_of_contents *of, const json_t *object, const char *what,
		    struct assay_error *err)
{
	static const char *const known[] = { "end", "configuration_files", NULL };
	uint64_t count;
	int r = json_only(object, known, what, err);

	if (r == 0)
		r = json_get_unsigned(object, "end", what, &count, err);
	if (r == 0)
		r = json_get_unsigned(object, "configuration_files", what,
				      &of->source.counts.configuration, err);
	if (r == 0 && count != of->count)
		r = assay_fail(err, EBADMSG, "%s: files are missing", what);
	of->ended = r == 0;
	return r;
}

static int read_file(struct source_of_contents *of, const json_t *object, const char *what,
		     struct source_item *ret, struct assay_error *err)
{
	static const char *const known[] = { "path",	"size",		"digest", "package",
					     "version", "architecture", NULL };
	struct package_name package = { 0 };
	const char *path = "", *digest = "";
	int r = json_only(object, known, what, err);

	if (r == 0)
		r = json_get_string(object, "path", what, &path, err);
	if (r == 0)
		r = manifest_check_path(path, err);
	if (r == 0 && strcmp(of->previous, path) >= 0)
		r = assay_fail(err, EBADMSG, "%s: the path is not in order", what);
	if (r == 0)
		r = json_get_unsigned(object, "size", what, &ret->size, err);
	if (r == 0)
		r = json_get_string(object, "digest", what, &digest, err);
	if (r == 0 && (verity_digest_parse(digest, &ret->digest) < 0 ||
		       ret->digest.hash != of->parameters.hash))
		r = assay_fail(err, EBADMSG, "%s: \"digest\" is not as asked for", what);
	if (r == 0)
		r = manifest_read_package(object, what, &package, err);
	if (r < 0)
		return r;
	stpcpy(of->previous, path);
	of->count++;
	ret->path = strdup(path);
	if (package.name)
		ret->package = packages_keep(&of->packages, &package);
	return ret->path && (ret->package || !package.name) ? 0 : out_of_memory(err);
}

/* Has the program found all right? What was not it has said. */
static int end_program(struct source_of_contents *of, struct assay_error *err)
{
	int status = 0;

	if (of->pid <= 0)
		return 0;
	while (waitpid(of->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	of->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return assay_fail(err, EBADMSG, "what is to be signed could not be read%s",
			  WIFSIGNALED(status) ? ": " CONTENTS_PROGRAM " crashed" : "");
}

static enum source_kind failed(struct source_of_contents *of, struct source_item *item,
			       struct assay_error *err)
{
	of->ended = true;
	free(item->path);
	*item = (struct source_item){ .fd = -1 };
	(void)end_program(of, err);
	return SOURCE_FAILED;
}

static enum source_kind next_of_contents(struct source *source, struct source_item *ret,
					 struct assay_error *err)
{
	struct source_of_contents *of = (struct source_of_contents *)source;

	while (!of->ended) {
		json_t *object = NULL;
		char what[64];
		int r = read_line(of, &object, what, err);

		if (r == 0)
			r = json_object_get(object, "end") ? read_end(of, object, what, err) :
							     read_file(of, object, what, ret, err);
		json_decref(object);
		if (r < 0 || (of->ended && end_program(of, err) < 0))
			return failed(of, ret, err);
		if (of->ended)
			break;
		if (patterns_take(&of->include, &of->exclude,
				  BYTES((const uint8_t *)ret->path + 1, strlen(ret->path + 1))))
			return SOURCE_FILE;
		free(ret->path);
		*ret = (struct source_item){ .fd = -1 };
	}
	return SOURCE_END;
}

static void close_contents(struct source *source)
{
	struct source_of_contents *of = (struct source_of_contents *)source;

	/* With nobody to read it, it ends. */
	fclose(of->stream);
	(void)end_program(of, NULL);
	packages_free(&of->packages);
	free(of);
}

/* ---------------------------------------------------------------- the source */

static int begin(FILE *stream, pid_t pid, const struct contents_options *options,
		 struct source **ret, struct assay_error *err)
{
	static const struct source_type type = { next_of_contents, close_contents };
	struct source_of_contents *of = calloc(1, sizeof(*of));
	int r;

	if (!of) {
		fclose(stream);
		return out_of_memory(err);
	}
	*of = (struct source_of_contents){ .source.type = &type,
					   .stream = stream,
					   .pid = pid,
					   .include = options->include,
					   .exclude = options->exclude };
	r = read_header(of, options->parameters, err);
	if (r < 0) {
		(void)end_program(of, err);
		close_contents(&of->source);
		return r;
	}
	*ret = &of->source;
	return 0;
}

int source_contents_stream(FILE *stream, const struct contents_options *options,
			   struct source **ret, struct assay_error *err)
{
	return begin(stream, 0, options, ret, err);
}

static int spawn(const char *program, char *const *arguments, int *ret_fd, pid_t *ret_pid,
		 struct assay_error *err)
{
	posix_spawn_file_actions_t actions;
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return assay_fail(err, errno, "cannot make a pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	code = posix_spawn(ret_pid, program, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	*ret_fd = ends[0];
	if (code == 0)
		return 0;
	close(ends[0]);
	return assay_fail(err, code, "cannot run %s, which reads packages and images: %s", program,
			  strerror(code));
}

int source_contents(const struct contents_options *options, struct source **ret,
		    struct assay_error *err)
{
	json_t *header = contents_header(options->parameters);
	char *text = header ? json_dumps(header, JSON_COMPACT) : NULL, *program = NULL;
	char **arguments = calloc(options->files.count + 5, sizeof(*arguments));
	FILE *stream;
	pid_t pid = 0;
	int fd = -1, r = text && arguments ? 0 : out_of_memory(err);

	json_decref(header);
	if (r == 0)
		r = program_beside(CONTENTS_PROGRAM, &program, err);
	if (r == 0) {
		arguments[0] = program;
		arguments[1] = (char *)(options->image ? "image" : "deb");
		arguments[2] = text;
		arguments[3] = (char *)(options->image	   ? options->image :
					options->conffiles ? "conffiles" :
							     "no-conffiles");
		memcpy(arguments + 4, options->files.list,
		       options->files.count * sizeof(*arguments));
		r = spawn(program, arguments, &fd, &pid, err);
	}
	free(arguments);
	free(program);
	free(text);
	if (r < 0)
		return r;
	stream = fdopen(fd, "re");
	if (!stream) {
		close(fd);
		return out_of_memory(err);
	}
	return begin(stream, pid, options, ret, err);
}
