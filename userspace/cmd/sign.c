// SPDX-License-Identifier: MIT
/* `assay sign`: a signed manifest of files. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "sign/ima_sig.h"
#include "sign/key_file.h"
#include "sign/manifest.h"
#include "sign/pkcs7.h"
#include "sign/tree.h"
#include "tpm/key.h"
#include "verity/pool.h"

#define FREE_SPACE "; free some space and try again"

struct sign_options {
	const char *key, *certificate, *tcti, *root, *manifest;
	const char *const *paths;
	size_t path_count;
	struct verity_parameters parameters;
	bool json;
};

/**
 * struct sign_run - one call of the command
 * @own: what must not be signed, should it lie below the root: the manifest and its
 *       signature, both those being written and those to be replaced
 * @failed: paths that could not be read; with one of them no manifest is written
 */
struct sign_run {
	const struct sign_options *options;
	struct signer *signer;
	X509 *certificate;
	struct manifest_header header;
	struct tree *tree;
	struct verity_pool *pool;
	struct file_writer manifest, signature;
	char *signature_path;
	struct stat own[4];
	size_t own_count;
	struct progress progress;
	struct timespec start;
	uint64_t files, bytes, skipped;
	json_t *failed;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

static int open_signer(const char *path, const char *tcti, struct signer **ret,
		       struct assay_error *err)
{
	struct buffer pem = { 0 };
	int r = file_read(path, KEY_FILE_MAX, &pem, err);

	if (r == 0) {
		if (key_file_is_tss2(buffer_bytes(&pem)))
			r = tpm_signer_open(path, tcti, ret, err);
		else
			r = key_file_signer(buffer_bytes(&pem), path, ret, err);
	}
	if (pem.data)
		OPENSSL_cleanse(pem.data, pem.capacity);
	buffer_free(&pem);
	return r;
}

/* Says on standard error what happened to a file; goes on. */
static int note_failed(struct sign_run *run, const char *path, const struct assay_error *why,
		       struct assay_error *err)
{
	json_t *item;

	progress_end(&run->progress);
	command_failed(&command_sign, why);
	item = json_pack("{s:o, s:s}", "path",
			 json_escaped(BYTES((const uint8_t *)path, strlen(path))), "error",
			 why->text);
	return json_array_append_new(run->failed, item) == 0 ? 0 : out_of_memory(err);
}

static void note_skipped(struct sign_run *run, const char *path, const char *why)
{
	char shown[512];

	progress_end(&run->progress);
	run->skipped++;
	fprintf(stderr, "%s sign: skipped %s: %s\n", program_invocation_short_name,
		text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown)), why);
}

/* A file to replace, if it is there; or the one being written. */
static void add_own(struct sign_run *run, const char *path, FILE *stream)
{
	struct stat *place = &run->own[run->own_count];

	if ((path && stat(path, place) == 0) || (stream && fstat(fileno(stream), place) == 0))
		run->own_count++;
}

static bool is_own(const struct sign_run *run, const struct stat *st)
{
	for (size_t i = 0; i < run->own_count; i++)
		if (run->own[i].st_dev == st->st_dev && run->own[i].st_ino == st->st_ino)
			return true;
	return false;
}

static int begin(struct sign_run *run, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	struct buffer line = { 0 };
	int r;

	if (asprintf(&run->signature_path, "%s" MANIFEST_SIGNATURE_SUFFIX, options->manifest) < 0) {
		run->signature_path = NULL;
		return out_of_memory(err);
	}
	r = certificate_load(options->certificate, &run->certificate, err);
	if (r < 0)
		return r;
	r = open_signer(options->key, options->tcti, &run->signer, err);
	if (r < 0)
		return r;
	r = certificate_check_signer(run->certificate, run->signer, err);
	if (r < 0)
		return assay_fail_context(err, "%s", options->certificate);
	r = manifest_begin(&run->header, &options->parameters, run->certificate, err);
	if (r < 0)
		return assay_fail_context(err, "%s", options->certificate);
	r = tree_open(options->root, options->paths, options->path_count, &run->tree, err);
	if (r < 0)
		return r;
	r = verity_pool_new(&options->parameters, 0, &run->pool, err);
	if (r < 0)
		return r;
	add_own(run, options->manifest, NULL);
	add_own(run, run->signature_path, NULL);
	r = file_begin(&run->manifest, options->manifest, 0644, err);
	if (r < 0)
		return r;
	add_own(run, NULL, run->manifest.stream);
	r = file_begin(&run->signature, run->signature_path, 0644, err);
	if (r < 0)
		return r;
	add_own(run, NULL, run->signature.stream);
	r = manifest_append_header(&run->header, &line, err);
	if (r == 0)
		fwrite(line.data, 1, line.size, run->manifest.stream);
	buffer_free(&line);
	return r;
}

static int write_failed(const struct sign_run *run, int code, struct assay_error *err)
{
	return assay_fail(err, code, "cannot write %s: %s%s", run->options->manifest,
			  strerror(code), code == ENOSPC ? FREE_SPACE : "");
}

/* A file whose digest is known: signatures and a line of the manifest. */
static int sign_file(struct sign_run *run, const struct verity_job *job, struct assay_error *err)
{
	struct buffer pkcs7 = { 0 }, ima = { 0 }, line = { 0 };
	struct manifest_entry entry = {
		.path = job->path,
		.size = job->size,
		.digest = job->digest,
	};
	char shown[512];
	int r;

	r = pkcs7_sign(run->signer, run->certificate, &job->digest, &pkcs7, err);
	if (r == 0)
		r = ima_sig_sign(run->signer, run->certificate, &job->digest, &ima, err);
	if (r == 0) {
		entry.pkcs7 = buffer_bytes(&pkcs7);
		entry.ima = buffer_bytes(&ima);
		r = manifest_append_entry(&entry, &line, err);
	}
	if (r < 0) {
		text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), shown,
			    sizeof(shown));
		assay_fail_context(err, "signing %s", shown);
	} else {
		errno = 0;
		if (fwrite(line.data, 1, line.size, run->manifest.stream) != line.size)
			r = write_failed(run, errno ? errno : EIO, err);
	}
	buffer_free(&pkcs7);
	buffer_free(&ima);
	buffer_free(&line);
	run->files++;
	run->bytes += job->size;
	progress_update(&run->progress, run->files);
	return r;
}

static int take(struct sign_run *run, struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct verity_job job;
	int r = 0;

	verity_pool_take(run->pool, &job);
	if (job.result < 0)
		r = note_failed(run, job.path, &job.err, err);
	else if (manifest_check_path(job.path, &why) < 0)
		r = note_failed(run, job.path, &why, err);
	else if (json_array_size(run->failed) == 0)
		r = sign_file(run, &job, err);
	free(job.path);
	close(job.fd);
	return r;
}

/* The next thing in the tree; false at its end. */
static bool put(struct sign_run *run, int *ret, struct assay_error *err)
{
	struct assay_error why = { 0 };
	struct tree_item item;

	*ret = 0;
	switch (tree_next(run->tree, &item, &why)) {
	case TREE_END:
		return false;
	case TREE_FILE:
		if (is_own(run, &item.stat)) {
			close(item.fd);
			break;
		}
		verity_pool_put(run->pool, item.path, item.fd);
		return true;
	case TREE_SKIPPED:
		if (S_ISLNK(item.stat.st_mode))
			run->skipped++; /* there are many, and what they name is signed by itself */
		else
			note_skipped(run, item.path, "it is not a regular file");
		break;
	case TREE_FAILED:
		*ret = note_failed(run, item.path ? item.path : "", &why, err);
		break;
	}
	free(item.path);
	return true;
}

static int sign_tree(struct sign_run *run, struct assay_error *err)
{
	bool more = true;
	int r = 0;

	while (r == 0) {
		while (more && r == 0 && verity_pool_room(run->pool) > 0)
			more = put(run, &r, err);
		if (r < 0 || verity_pool_count(run->pool) == 0)
			break;
		r = take(run, err);
	}
	if (r < 0)
		return r;
	if (json_array_size(run->failed) > 0)
		return assay_fail(err, EIO,
				  "no manifest was written: %zu of the files could not be read",
				  json_array_size(run->failed));
	if (run->files == 0)
		return assay_fail(err, ENOENT,
				  "no manifest was written: there is no regular file below %s%s",
				  run->options->root,
				  run->options->path_count > 0 ? " at the paths given" : "");
	return 0;
}

/* Sees to it that what can fail for want of space fails before anything is in place. */
static int settle(struct file_writer *writer, struct assay_error *err)
{
	errno = 0;
	if (fflush(writer->stream) == 0 && !ferror(writer->stream) &&
	    fsync(fileno(writer->stream)) == 0)
		return 0;
	if (errno == 0)
		errno = EIO;
	return assay_fail(err, errno, "cannot write %s: %s%s", writer->path, strerror(errno),
			  errno == ENOSPC ? FREE_SPACE : "");
}

/* The manifest's own signature, then both files in place. */
static int finish(struct sign_run *run, struct assay_error *err)
{
	struct buffer signature = { 0 };
	struct verity_hasher *hasher;
	struct assay_digest digest;
	int r = settle(&run->manifest, err);

	if (r < 0)
		return r;
	r = verity_hasher_new(&VERITY_PARAMETERS_DEFAULT, &hasher, err);
	if (r < 0)
		return r;
	r = verity_hash_fd(hasher, fileno(run->manifest.stream), run->options->manifest, &digest,
			   NULL, err);
	verity_hasher_free(hasher);
	if (r == 0)
		r = pkcs7_sign(run->signer, run->certificate, &digest, &signature, err);
	if (r == 0) {
		fwrite(signature.data, 1, signature.size, run->signature.stream);
		r = settle(&run->signature, err);
	}
	buffer_free(&signature);
	/* Between the two renames old and new do not fit together, and verifying fails. */
	if (r == 0)
		r = file_commit(&run->signature, err);
	if (r == 0)
		r = file_commit(&run->manifest, err);
	return r;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static int print_summary(const struct sign_run *run, bool good, struct assay_error *err)
{
	const struct sign_options *options = run->options;
	double seconds = seconds_since(&run->start);
	json_t *object;

	if (!options->json) {
		if (good)
			printf("signed %" PRIu64 " files, %" PRIu64 " bytes, in %.2f s: %s, %s\n",
			       run->files, run->bytes, seconds, options->manifest,
			       run->signature_path);
		return 0;
	}
	object = json_pack("{s:b, s:s, s:s, s:s, s:I, s:I, s:I, s:O, s:f}", "ok", good, "manifest",
			   options->manifest, "signature", run->signature_path, "id",
			   run->header.id, "files", (json_int_t)run->files, "bytes",
			   (json_int_t)run->bytes, "skipped", (json_int_t)run->skipped, "failed",
			   run->failed, "seconds", seconds);
	return command_print_json(object, JSON_INDENT(2) | JSON_REAL_PRECISION(6), err);
}

static int sign(const struct sign_options *options)
{
	struct sign_run run = { .options = options, .failed = json_array() };
	struct assay_error err = { 0 }, output = { 0 };
	int r, status = EXIT_OK;

	clock_gettime(CLOCK_MONOTONIC, &run.start);
	progress_begin(&run.progress, "signing", 0);
	r = run.failed ? begin(&run, &err) : out_of_memory(&err);
	if (r == 0) {
		r = sign_tree(&run, &err);
		progress_end(&run.progress);
		if (r == 0)
			r = finish(&run, &err);
		if (print_summary(&run, r == 0, &output) < 0)
			status = command_failed(&command_sign, &output);
	}
	if (r < 0)
		status = command_failed(&command_sign, &err);
	if (status == EXIT_OK)
		status = command_flush(&command_sign);
	verity_pool_free(run.pool);
	tree_close(run.tree);
	if (run.manifest.path)
		file_abort(&run.manifest);
	if (run.signature.path)
		file_abort(&run.signature);
	if (run.signer)
		run.signer->close(run.signer);
	X509_free(run.certificate);
	free(run.signature_path);
	json_decref(run.failed);
	return status;
}

static int run_sign(int argc, char **argv)
{
	enum {
		OPT_KEY = 256,
		OPT_CERT,
		OPT_TCTI,
		OPT_ROOT,
		OPT_MANIFEST,
		OPT_JSON,
	};
	static const struct option table[] = {
		{ "key", required_argument, NULL, OPT_KEY },
		{ "cert", required_argument, NULL, OPT_CERT },
		{ "tcti", required_argument, NULL, OPT_TCTI },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "manifest", required_argument, NULL, OPT_MANIFEST },
		COMMAND_VERITY_OPTIONS,
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct sign_options options = { .parameters = VERITY_PARAMETERS_DEFAULT };
	struct assay_error err = { 0 };
	int c, status;

	while ((c = command_option(&command_sign, argc, argv, ":h", table, &status)) != -1) {
		switch (c) {
		case OPT_KEY:
			options.key = optarg;
			break;
		case OPT_CERT:
			options.certificate = optarg;
			break;
		case OPT_TCTI:
			options.tcti = optarg;
			break;
		case OPT_ROOT:
			options.root = optarg;
			break;
		case OPT_MANIFEST:
			options.manifest = optarg;
			break;
		case OPT_JSON:
			options.json = true;
			break;
		default:
			if (command_verity_option(c, optarg, &options.parameters, &err) < 0)
				return command_usage(&command_sign, "%s", err.text);
		}
	}
	if (status >= 0)
		return status;
	if (!options.key || !options.certificate || !options.root || !options.manifest)
		return command_usage(&command_sign,
				     "--key, --cert, --root and --manifest are needed");
	options.paths = (const char *const *)(argv + optind);
	options.path_count = (size_t)(argc - optind);
	return sign(&options);
}

const struct command command_sign = {
	.name = "sign",
	.summary = "sign files, and write the signed manifest of them",
	.help = "Usage: assay sign --key KEY --cert CERT.pem --root DIR --manifest OUT\n"
		"                  [OPTION]... [PATH]...\n"
		"\n"
		"Computes the fs-verity digest of each regular file below DIR, or below the\n"
		"PATHs in it, signs it for fs-verity (PKCS#7) and for IMA (version 3), and writes\n"
		"all to the manifest OUT, and OUT's own signature to OUT.p7s. Symbolic links are\n"
		"not followed; OUT and OUT.p7s are left out. If one file cannot be read, nothing\n"
		"is written.\n"
		"\n"
		"  --key KEY             private key: a TSS2 key file (the key is in a TPM), or a\n"
		"                        plain PEM file; the file itself tells which\n"
		"  --cert CERT.pem       the key's certificate; needs a subject key id\n"
		"  --tcti CONF           how to reach the TPM, as for tpm2-tools\n"
		"  --root DIR            paths in the manifest begin here: DIR/usr/x is /usr/x\n"
		"  --manifest OUT        file to write\n"
		"  --hash sha256|sha512  hash algorithm (sha256)\n"
		"  --block-size N        bytes of a Merkle tree block (4096)\n"
		"  --salt HEX            up to 32 bytes (none)\n"
		"  --json                print the summary as a JSON object\n"
		"\n"
		"Exit status: 0 done, 1 failed and nothing written, 2 wrong usage.\n",
	.run = run_sign,
};
