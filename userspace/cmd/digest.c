// SPDX-License-Identifier: MIT
/* `assay digest`: the fs-verity digests of files. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "verity/pool.h"

/**
 * struct digest_run - one call of the command
 * @files: for --json, else NULL
 * @failed: how many files had no digest
 */
struct digest_run {
	struct verity_parameters parameters;
	json_t *files;
	size_t failed;
};

static char *escape(const char *path)
{
	size_t capacity = 4 * strlen(path) + 1;
	char *text = malloc(capacity);

	return text ? text_escape(BYTES((const uint8_t *)path, strlen(path)), text, capacity) :
		      NULL;
}

/* A file's result, to wherever it goes; -ENOMEM where that is not possible. */
static int report(struct digest_run *run, const struct verity_job *job, struct assay_error *err)
{
	char digest[VERITY_TEXT_MAX];
	char *path = escape(job->path);
	bool good = path != NULL;

	if (job->result == 0)
		verity_digest_text(&job->digest, digest);
	else
		run->failed++;
	if (good && job->result < 0)
		command_failed(&command_digest, &job->err);
	if (good && run->files) {
		json_t *file =
			job->result == 0 ?
				json_pack("{s:s, s:I, s:s}", "path", path, "size",
					  (json_int_t)job->size, "digest", digest) :
				json_pack("{s:s, s:s}", "path", path, "error", job->err.text);

		good = json_array_append_new(run->files, file) == 0;
	} else if (good && job->result == 0) {
		printf("%s %s\n", digest, path);
	}
	free(path);
	return good ? 0 : assay_fail(err, ENOMEM, "cannot report a digest: out of memory");
}

static int take(struct digest_run *run, struct verity_pool *pool, struct assay_error *err)
{
	struct verity_job job;
	int r;

	verity_pool_take(pool, &job);
	r = report(run, &job, err);
	free(job.path);
	close(job.fd);
	return r;
}

static int put(struct digest_run *run, struct verity_pool *pool, const char *path,
	       struct assay_error *err)
{
	/* O_NONBLOCK: do not wait for a FIFO's writer, only to refuse it then. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *copy = strdup(path);
	int r = 0;

	if (!copy) {
		r = assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
	} else if (fd < 0) {
		struct verity_job job = { .path = copy, .result = -errno };
		char shown[512];

		text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown));
		assay_fail(&job.err, -job.result, "cannot open %s: %s", shown,
			   strerror(-job.result));
		/* Reported in its turn: after what was put before it. */
		while (r == 0 && verity_pool_count(pool) > 0)
			r = take(run, pool, err);
		if (r == 0)
			r = report(run, &job, err);
	} else {
		verity_pool_put(pool, copy, fd);
		return 0;
	}
	free(copy);
	if (fd >= 0)
		close(fd);
	return r;
}

static int digest_files(struct digest_run *run, char **paths, struct assay_error *err)
{
	struct verity_pool *pool;
	unsigned int threads = paths[0] && !paths[1] ? 1 : 0;
	int r = verity_pool_new(&run->parameters, threads, &pool, err);

	if (r < 0)
		return r;
	for (; *paths && r == 0; paths++) {
		if (verity_pool_room(pool) == 0)
			r = take(run, pool, err);
		if (r == 0)
			r = put(run, pool, *paths, err);
	}
	while (r == 0 && verity_pool_count(pool) > 0)
		r = take(run, pool, err);
	verity_pool_free(pool);
	return r;
}

static int print_json(const struct digest_run *run, struct assay_error *err)
{
	const struct verity_parameters *parameters = &run->parameters;
	json_t *object = json_pack(
		"{s:s, s:I, s:o, s:O}", "hash", assay_hash_name(parameters->hash), "block_size",
		(json_int_t)parameters->block_size, "salt",
		json_hex(BYTES(parameters->salt, parameters->salt_size)), "files", run->files);

	return command_print_json(object, JSON_INDENT(2), err);
}

static int run_digest(int argc, char **argv)
{
	enum { OPT_JSON = 256 };
	static const struct option options[] = {
		COMMAND_VERITY_OPTIONS,
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct digest_run run = { .parameters = VERITY_PARAMETERS_DEFAULT };
	struct assay_error err = { 0 };
	bool json = false;
	int c, r, status;

	while ((c = command_option(&command_digest, argc, argv, ":h", options, &status)) != -1) {
		if (c == OPT_JSON)
			json = true;
		else if (command_verity_option(c, optarg, &run.parameters, &err) < 0)
			return command_usage(&command_digest, "%s", err.text);
	}
	if (status >= 0)
		return status;
	if (optind == argc)
		return command_usage(&command_digest, "which file?");
	if (json && !(run.files = json_array())) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_digest, &err);
	}
	r = digest_files(&run, argv + optind, &err);
	if (r == 0 && json)
		r = print_json(&run, &err);
	json_decref(run.files);
	if (r < 0)
		return command_failed(&command_digest, &err);
	status = command_flush(&command_digest);
	return run.failed > 0 ? EXIT_FAILED : status;
}

const struct command command_digest = {
	.name = "digest",
	.summary = "print the fs-verity digests of files",
	.help = "Usage: assay digest [OPTION]... FILE...\n"
		"\n"
		"Prints \"HASH:HEX FILE\" for each file: the digest that fs-verity has of it,\n"
		"whether or not verity is on. Control characters in names are printed as \\xHH.\n"
		"\n"
		"  --hash sha256|sha512  hash algorithm (sha256)\n"
		"  --block-size N        bytes of a Merkle tree block, a power of two from 1024\n"
		"                        to 65536 (4096)\n"
		"  --salt HEX            up to 32 bytes (none)\n"
		"  --json                print one JSON object instead\n"
		"\n"
		"Exit status: 0 all done, 1 a file had no digest (it is named), 2 wrong usage.\n",
	.run = run_digest,
};
