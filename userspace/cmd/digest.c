// SPDX-License-Identifier: MIT
/* `assay digest`: the fs-verity digests of files, or the Authenticode digests of PE images. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/work.h"
#include "firmware/pe.h"
#include "verity/lanes.h"
#include "verity/pool.h"

/* An image larger than this is none that firmware loads: PE has 32 bits for its sizes. */
#define IMAGE_MAX UINT32_MAX

/**
 * struct digest_run - one call of the command
 * @jobs: threads; 0 for one for each CPU
 * @json, @show_engines, @engine, @authenticode: what the call asks for
 * @tree_path, @descriptor_path: where to write them for the one file; NULL: not wanted
 * @tree: being written
 * @output: of the one file
 * @files: results for --json, else NULL
 * @failed: how many files had no digest
 */
struct digest_run {
	struct verity_parameters parameters;
	unsigned int jobs;
	bool json, show_engines, authenticode;
	const char *engine;
	const char *tree_path, *descriptor_path;
	struct file_writer tree;
	struct verity_output output;
	json_t *files;
	size_t failed;
};

static char *escape_path(const char *path)
{
	size_t capacity = 4 * strlen(path) + 1;
	char *text = malloc(capacity);

	return text ? text_escape(BYTES((const uint8_t *)path, strlen(path)), text, capacity) :
		      NULL;
}

/* A file's result, to wherever it goes; -ENOMEM where that is not possible. */
static int report_result(struct digest_run *run, const struct verity_job *job,
			 struct assay_error *err)
{
	char digest[ASSAY_DIGEST_TEXT_MAX];
	char *path = escape_path(job->path);
	bool good = path != NULL;

	if (job->result == 0)
		assay_digest_text(&job->digest, digest);
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

static int take_result(struct digest_run *run, struct verity_pool *pool, struct assay_error *err)
{
	struct verity_job job;
	int r;

	verity_pool_take(pool, &job);
	r = report_result(run, &job, err);
	free(job.path);
	return r;
}

/* The Merkle tree, to its file. */
static int write_tree(void *context, uint64_t offset, struct bytes blocks, struct assay_error *err)
{
	const struct digest_run *run = context;
	size_t done = 0;

	while (done < blocks.size) {
		ssize_t written = pwrite(fileno(run->tree.stream), blocks.data + done,
					 blocks.size - done, (off_t)(offset + done));

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return assay_fail(err, errno, "cannot write %s: %s", run->tree.path,
					  strerror(errno));
		done += (size_t)written;
	}
	return 0;
}

static int add_file(struct digest_run *run, struct verity_pool *pool, const char *path,
		    struct assay_error *err)
{
	char *copy = strdup(path);

	if (!copy)
		return assay_fail(err, ENOMEM, "cannot read %s: out of memory", path);
	verity_pool_put_output(pool, copy, -1,
			       run->tree_path || run->descriptor_path ? &run->output : NULL);
	return 0;
}

static int digest_files(struct digest_run *run, char **paths, struct assay_error *err)
{
	struct verity_pool *pool;
	int r = verity_pool_new(&run->parameters, run->jobs, &pool, err);

	if (r < 0)
		return r;
	for (; *paths && r == 0; paths++) {
		if (verity_pool_room(pool) == 0)
			r = take_result(run, pool, err);
		if (r == 0)
			r = add_file(run, pool, *paths, err);
	}
	while (r == 0 && verity_pool_count(pool) > 0)
		r = take_result(run, pool, err);
	verity_pool_free(pool);
	return r;
}

/* The same; a tree and a descriptor come to their places if all went well. */
static int digest_with_output(struct digest_run *run, char **paths, struct assay_error *err)
{
	int r = 0;

	if (run->tree_path) {
		r = file_begin(&run->tree, run->tree_path, 0644, err);
		if (r < 0)
			return r;
		run->output = (struct verity_output){ .write = write_tree, .context = run };
	}
	r = digest_files(run, paths, err);
	if (r == 0 && run->failed == 0 && run->tree_path)
		r = file_commit(&run->tree, err);
	if (r == 0 && run->failed == 0 && run->descriptor_path)
		r = file_write(run->descriptor_path,
			       BYTES(run->output.descriptor, sizeof(run->output.descriptor)), 0644,
			       err);
	file_abort(&run->tree);
	return r;
}

/* ---------------------------------------------------------------- --authenticode */

static int digest_image(const char *path, enum assay_hash hash, struct verity_job *job)
{
	struct file_view file = { 0 };
	struct pe_image image;
	bool complete = true;
	int r = file_map(path, IMAGE_MAX, &file, &job->err);

	if (r < 0)
		return r;
	r = pe_parse(file.bytes, &image, &job->err);
	if (r == 0)
		r = pe_authenticode(&image, hash, &job->digest, &complete, &job->err);
	if (r < 0)
		r = assay_fail_context(&job->err, "%s", path);
	job->size = file.bytes.size;
	file_unmap(&file);
	if (!complete)
		fprintf(stderr,
			"assay digest: %s: its sections overlap or leave gaps: the digest, though "
			"it is what firmware measures, does not cover each byte\n",
			path);
	return r;
}

static int digest_images(struct digest_run *run, char **paths, struct assay_error *err)
{
	int r = 0;

	for (; *paths && r == 0; paths++) {
		struct verity_job job = { .path = *paths };

		job.result = digest_image(*paths, run->parameters.hash, &job);
		r = report_result(run, &job, err);
	}
	return r;
}

static json_t *images_to_json(const struct digest_run *run)
{
	return json_pack("{s:i, s:s, s:s, s:O}", "assay", JSON_VERSION, "type",
			 "digest-authenticode", "hash", assay_hash_name(run->parameters.hash),
			 "files", run->files);
}

static int print_json(const struct digest_run *run, struct assay_error *err)
{
	const struct verity_parameters *parameters = &run->parameters;
	json_t *object =
		run->authenticode ?
			images_to_json(run) :
			json_pack("{s:s, s:I, s:o, s:O}", "hash", assay_hash_name(parameters->hash),
				  "block_size", (json_int_t)parameters->block_size, "salt",
				  json_hex(BYTES(parameters->salt, parameters->salt_size)), "files",
				  run->files);

	return command_print_json(object, JSON_INDENT(2), err);
}

static int set_engine(const char *name, enum assay_hash hash, struct assay_error *err)
{
	const struct lanes_engine *engine;

	for (size_t i = 0; (engine = lanes_engine(i)); i++) {
		if (engine->hash == hash && strcmp(engine->name, name) == 0) {
			lanes_use_only(engine);
			return 0;
		}
	}
	return assay_fail(err, EINVAL,
			  "this processor has no way '%s' to compute %s; see --engines", name,
			  assay_hash_name(hash));
}

/* --engines */
static int show_engines(bool json, struct assay_error *err)
{
	json_t *list = json ? json_array() : NULL;
	const struct lanes_engine *engine;
	int r = 0;

	if (json && !list)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && (engine = lanes_engine(i)); i++) {
		uint64_t rate = 0;

		r = lanes_rate(engine, &rate, err);
		if (r == 0 && !json)
			printf("%-11s %s, %u at a time: %.2f GB/s\n", engine->name,
			       assay_hash_name(engine->hash), engine->lanes, (double)rate / 1e9);
		else if (r == 0 &&
			 json_array_append_new(
				 list, json_pack("{s:s, s:s, s:i, s:I}", "name", engine->name,
						 "hash", assay_hash_name(engine->hash), "lanes",
						 (int)engine->lanes, "bytes_per_second",
						 (json_int_t)rate)) < 0)
			r = assay_fail(err, ENOMEM, "out of memory");
	}
	if (r < 0 || !json) {
		json_decref(list);
		return r;
	}
	return command_print_json(json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type",
					    "digest-engines", "engines", list),
				  JSON_INDENT(2), err);
}

static int run_digest(int argc, char **argv)
{
	struct digest_run run = { .parameters = VERITY_PARAMETERS_DEFAULT };
	struct assay_error err = { 0 };
	struct operands files;
	int r, status = command_parse(&command_digest, argc, argv, &run, &files);

	if (status != COMMAND_GO)
		return status;
	if (run.show_engines && files.count > 0)
		return command_usage(&command_digest, "--engines takes no FILE");
	if (run.show_engines)
		return show_engines(run.json, &err) < 0 ? command_failed(&command_digest, &err) :
							  command_flush(&command_digest);
	if (files.count == 0)
		return command_usage(&command_digest, "missing argument: FILE...");
	if (!run.authenticode && verity_check_parameters(&run.parameters, &err) < 0)
		return command_usage(&command_digest, "%s", err.text);
	if (run.engine && set_engine(run.engine, run.parameters.hash, &err) < 0)
		return command_usage(&command_digest, "%s", err.text);
	if ((run.tree_path || run.descriptor_path) && files.count > 1)
		return command_usage(&command_digest,
				     "a Merkle tree or descriptor is written of one file only");
	if (run.json && !(run.files = json_array())) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_digest, &err);
	}
	r = run.authenticode ? digest_images(&run, files.list, &err) :
			       digest_with_output(&run, files.list, &err);
	if (r == 0 && run.json)
		r = print_json(&run, &err);
	json_decref(run.files);
	if (r < 0)
		return command_failed(&command_digest, &err);
	status = command_flush(&command_digest);
	return run.failed > 0 ? EXIT_FAILED : status;
}

static const struct option_row digest_rows[] = {
	{ "authenticode", 0, NULL,
	  "instead print the Authenticode digests of PE images (kernels with an EFI stub, boot "
	  "loaders): what UEFI measures when it starts one, and what its signature signs",
	  OPTION_FLAG(struct digest_run, authenticode) },
	{ "hash", 0, "sha256|sha384|sha512",
	  "hash algorithm (sha256); sha384 with --authenticode only",
	  OPTION_HASH(struct digest_run, parameters.hash) },
	OPTION_ROWS_VERITY_TREE(struct digest_run, parameters, .excludes = "authenticode"),
	{ "jobs", 'j', "N", "threads (one for each processor)",
	  OPTION_NUMBER(struct digest_run, jobs, 1, WORK_THREADS_MAX), .excludes = "authenticode" },
	{ "out-merkle-tree", 0, "OUT",
	  "of one FILE: also write its Merkle tree, as fs-verity stores it",
	  OPTION_OUTPUT(struct digest_run, tree_path), .excludes = "authenticode" },
	{ "out-descriptor", 0, "OUT", "of one FILE: also write the descriptor that is hashed",
	  OPTION_OUTPUT(struct digest_run, descriptor_path), .excludes = "authenticode" },
	{ "engine", 0, "NAME", "use this way of hashing only (see --engines)",
	  OPTION_TEXT(struct digest_run, engine), .excludes = "authenticode" },
	{ "engines", 0, NULL,
	  "instead show the ways of hashing that this processor has, and how fast they are; the "
	  "best is used by default",
	  OPTION_FLAG(struct digest_run, show_engines), .excludes = "authenticode" },
	OPTION_ROW_JSON(struct digest_run, json),
	OPTION_END,
};

const struct command command_digest = {
	.name = "digest",
	.summary = "print the fs-verity digests of files, or those of EFI programs",
	.usage = "[OPTION]... FILE...\n"
		 "--authenticode [--hash sha256|sha384|sha512] [--json] FILE...\n"
		 "--engines [--json]\n",
	.intro = "Prints \"HASH:HEX FILE\" for each file: the digest that fs-verity has of it,\n"
		 "whether or not verity is on, or the Authenticode digest of an EFI program.\n"
		 "Control characters in names are printed as \\xHH.\n",
	.options = digest_rows,
	.operands = "FILE...",
	.operands_max = SIZE_MAX,
	.operands_read = true,
	.epilogue = "Exit status: 0 all done, 1 a file had no digest (it is named), 2 wrong "
		    "usage.\n",
	.run = run_digest,
};
