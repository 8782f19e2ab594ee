// SPDX-License-Identifier: MIT
/* `assay check`: are files what was signed? Without a kernel that knows fs-verity. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "base/work.h"
#include "sign/delegate.h"
#include "sign/manifest_signature.h"
#include "sign/tree.h"

/**
 * struct check_run - one call of the command
 * @items: a ring of @capacity; of the files in the pool, and the next one is items[@next]
 * @found: for each path asked for, whether the manifest names it or something below
 */
struct check_run {
	const struct check_options *options;
	struct trust *trust;
	struct verity_pool *pool;
	struct buffer text, signature;
	struct manifest_header header;
	struct check_finding manifest;
	int root_fd;
	struct check_item *items;
	size_t capacity, next;
	bool *found;
	struct progress progress;
	uint64_t files, failed;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot check: out of memory");
}

/* ---------------------------------------------------------------- by the pool's threads */

static int before_digest(void *context, unsigned int thread, struct verity_job *job)
{
	const struct check_item *item = job->owner;

	(void)context;
	(void)thread;
	if (job->fd >= 0)
		return 0;
	job->err = item->unopened;
	return -job->err.code;
}

static bool after_digest(void *context, unsigned int thread, struct verity_job *job)
{
	const struct check_run *run = context;

	(void)thread;
	check_file(run->options, run->trust, job, job->owner);
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	return true;
}

static void drop_file(void *argument)
{
	struct verity_job *job = argument;

	free(job->path);
	if (job->fd >= 0)
		close(job->fd);
}

static const struct verity_steps steps = {
	.before = before_digest,
	.after = after_digest,
	.drop = drop_file,
};

/* ---------------------------------------------------------------- files */

/* A file's result, to wherever it goes. */
static int report_file(struct check_run *run, const struct verity_job *job,
		       const struct check_finding *findings, struct assay_error *err)
{
	const struct check_options *options = run->options;
	bool good = check_findings_good(findings);

	run->files++;
	run->failed += !good;
	if (!good)
		progress_end(&run->progress);
	progress_update(&run->progress, run->files);
	check_print_file(options, job, findings);
	return options->json ? check_print_file_json(job, findings, run->files == 1, err) : 0;
}

static int take_file(struct check_run *run, struct assay_error *err)
{
	struct check_item *item;
	struct verity_job job;
	int r;

	verity_pool_take(run->pool, &job);
	item = job.owner;
	r = report_file(run, &job, item->findings, err);
	check_item_clear(item);
	free(job.path);
	return r;
}

/*
 * Has a file checked.
 * @fd: -1 where it cannot be opened; @why then says so in its turn
 * @entry: of the manifest; or NULL
 */
static int put_file(struct check_run *run, const char *path, int fd, const struct assay_error *why,
		    const struct manifest_entry *entry, struct assay_error *err)
{
	int r = verity_pool_room(run->pool) == 0 ? take_file(run, err) : 0;
	struct check_item *item = &run->items[run->next];
	char *copy = r == 0 ? strdup(path) : NULL;

	item->listed = entry != NULL;
	if (entry) {
		item->expected.digest = entry->digest;
		item->expected.size = entry->size;
		buffer_append_bytes(&item->expected.pkcs7, entry->pkcs7);
		buffer_append_bytes(&item->expected.ima, entry->ima);
	}
	if (fd < 0)
		item->unopened = *why;
	if (r == 0 && (!copy || item->expected.pkcs7.failed || item->expected.ima.failed))
		r = out_of_memory(err);
	if (r < 0) {
		free(copy);
		if (fd >= 0)
			close(fd);
		return r;
	}
	run->next = (run->next + 1) % run->capacity;
	verity_pool_put_owner(run->pool, copy, fd, item);
	return 0;
}

static int check_path(struct check_run *run, const char *path, struct assay_error *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), code = errno;
	struct assay_error why;
	char shown[512];

	if (fd < 0)
		assay_fail(&why, code, "cannot open %s: %s",
			   text_escape(BYTES((const uint8_t *)path, strlen(path)), shown,
				       sizeof(shown)),
			   strerror(code));
	return put_file(run, path, fd, &why, NULL, err);
}

/* Is @path what was asked for, or below it? All are, where nothing was asked for. */
static bool is_wanted(struct check_run *run, const char *path)
{
	bool wanted = run->options->paths.count == 0;

	for (size_t i = 0; i < run->options->paths.count; i++) {
		const char *asked = run->options->paths.list[i];
		size_t length;

		asked += strspn(asked, "/");
		length = strlen(asked);
		while (length > 0 && asked[length - 1] == '/')
			length--;
		if (length == 0 || (strncmp(path + 1, asked, length) == 0 &&
				    (path[1 + length] == '\0' || path[1 + length] == '/')))
			wanted = run->found[i] = true;
	}
	return wanted;
}

static int check_entry(void *context, const struct manifest_header *header,
		       const struct manifest_entry *entry, struct assay_error *err)
{
	struct check_run *run = context;
	struct assay_error why;
	char shown[512];
	int fd;

	(void)header;
	if (!is_wanted(run, entry->path))
		return 0;
	text_escape(BYTES((const uint8_t *)entry->path, strlen(entry->path)), shown, sizeof(shown));
	fd = tree_open_beneath(run->root_fd, entry->path,
			       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, shown, &why);
	return put_file(run, entry->path, fd, &why, entry, err);
}

/* What was asked for, and is not in the manifest. */
static int check_absent(struct check_run *run, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->options->paths.count; i++) {
		const char *path = run->options->paths.list[i];
		struct assay_error why;
		char shown[512];

		if (run->found[i])
			continue;
		assay_fail(&why, ENOENT, "%s is not in the manifest",
			   text_escape(BYTES((const uint8_t *)path, strlen(path)), shown,
				       sizeof(shown)));
		r = put_file(run, path, -1, &why, NULL, err);
	}
	return r;
}

/* ---------------------------------------------------------------- all */

/* The manifest's own signature; what it says of files is checked all the same. */
static int check_manifest(struct check_run *run, struct assay_error *err)
{
	const char *name = run->options->manifest;
	struct check_finding *finding = &run->manifest;
	X509 *signer = NULL;
	char id[33];
	int r, read;

	read = manifest_read_signed(name, &run->text, &run->signature, &finding->err);
	if (read < 0 && run->text.size == 0) {
		*err = finding->err;
		return read;
	}
	/* All of it is looked at before the first file is. */
	r = manifest_read_bytes(buffer_bytes(&run->text), name, NULL, NULL, &run->header, err);
	if (r < 0)
		return r;
	/* Its signatures were made for it, or for one before it. */
	trust_set_time(run->trust, manifest_created(&run->header));
	if (read == 0)
		read = manifest_verify_trust(
			buffer_bytes(&run->text), name, buffer_bytes(&run->signature), run->trust,
			run->options->accept_file_signature ? MANIFEST_ACCEPT_FILE_SIGNATURE : 0,
			&signer, &finding->err);
	check_finding_set(finding, read, signer);
	if (read < 0)
		command_failed(&command_check, &finding->err);
	/* Files of a manifest signed in two steps do not tell by themselves who its delegate is. */
	r = read == 0 && signer && delegate_manifest_id(signer, id, NULL) == 0 ?
		    trust_add(run->trust, signer, TRUST_SIGNER, err) :
		    0;
	X509_free(signer);
	return r;
}

static int begin_check(struct check_run *run, struct assay_error *err)
{
	const struct check_options *options = run->options;
	const struct verity_parameters *parameters = &options->parameters;
	int r;

	if (options->manifest) {
		run->root_fd = open(options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (run->root_fd < 0)
			return assay_fail(err, errno, "cannot open the directory %s: %s",
					  options->root, strerror(errno));
		run->found = calloc(options->paths.count + 1, sizeof(*run->found));
		if (!run->found)
			return out_of_memory(err);
		r = check_manifest(run, err);
		if (r < 0)
			return r;
		parameters = &run->header.parameters;
	}
	r = verity_pool_new_steps(parameters, options->jobs, &steps, run, &run->pool, err);
	if (r < 0)
		return r;
	run->capacity = verity_pool_room(run->pool);
	run->items = calloc(run->capacity, sizeof(*run->items));
	return run->items ? 0 : out_of_memory(err);
}

static int check_files(struct check_run *run, struct assay_error *err)
{
	const struct check_options *options = run->options;
	int r = 0;

	if (options->manifest)
		r = manifest_read_bytes(buffer_bytes(&run->text), options->manifest, check_entry,
					run, NULL, err);
	for (size_t i = 0; !options->manifest && r == 0 && i < options->paths.count; i++)
		r = check_path(run, options->paths.list[i], err);
	if (r == 0 && options->manifest)
		r = check_absent(run, err);
	while (r == 0 && verity_pool_count(run->pool) > 0)
		r = take_file(run, err);
	progress_end(&run->progress);
	return r;
}

static bool all_good(const struct check_run *run)
{
	return run->failed == 0 && run->manifest.result != CHECK_FAILED;
}

static void print_json_end(const struct check_run *run, bool good, const struct assay_error *why)
{
	printf("%s], \"file_count\": %" PRIu64 ", \"failed_count\": %" PRIu64,
	       run->files > 0 ? "\n" : "", run->files, run->failed);
	if (run->options->manifest && run->manifest.result != CHECK_NOT_MADE)
		check_print_manifest_json(&run->header, &run->manifest);
	if (why)
		command_print_json_error(why);
	printf(", \"ok\": %s}\n", good ? "true" : "false");
}

static void print_end(const struct check_run *run, int r, const struct assay_error *err)
{
	if (r < 0)
		command_failed(&command_check, err);
	if (run->options->json)
		print_json_end(run, r == 0 && all_good(run), r < 0 ? err : NULL);
	else if (r == 0)
		printf("%" PRIu64 " of %" PRIu64 " files are good%s\n", run->files - run->failed,
		       run->files,
		       run->manifest.result == CHECK_FAILED ?
			       ", but the manifest's signature is not" :
			       "");
}

static void free_run(struct check_run *run)
{
	verity_pool_free(run->pool);
	for (size_t i = 0; run->items && i < run->capacity; i++)
		check_item_clear(&run->items[i]);
	free(run->items);
	free(run->found);
	free(run->manifest.signer);
	buffer_free(&run->text);
	buffer_free(&run->signature);
	if (run->root_fd >= 0)
		close(run->root_fd);
}

static int check_all(const struct check_options *options, struct trust *trust)
{
	struct check_run run = { .options = options, .trust = trust, .root_fd = -1 };
	struct assay_error err = { 0 };
	int r, status;

	if (options->json) {
		command_begin_json(&command_check);
		fputs(", \"files\": [", stdout);
	}
	progress_begin(&run.progress, "checking", 0);
	r = begin_check(&run, &err);
	status = r < 0 ? EXIT_UNREADABLE : EXIT_OK;
	if (r == 0) {
		r = check_files(&run, &err);
		if (r < 0 || !all_good(&run))
			status = EXIT_FAILED;
	}
	print_end(&run, r, &err);
	free_run(&run);
	if (command_flush(&command_check) != EXIT_OK && status == EXIT_OK)
		status = EXIT_FAILED;
	return status;
}

/* ---------------------------------------------------------------- the call */

static int add_certificate(struct trust *trust, const char *path, enum trust_use use,
			   struct assay_error *err)
{
	X509 *certificate;
	int r = certificate_load(path, &certificate, err);

	if (r < 0)
		return r;
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
		fprintf(stderr,
			"%s check: %s has expired; the kernel does not mind, nor does this\n",
			program_invocation_short_name, path);
	r = trust_add(trust, certificate, use, err);
	X509_free(certificate);
	return r;
}

static int add_certificates(struct trust *trust, const struct option_texts *paths,
			    enum trust_use use, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; i < paths->count && r == 0; i++)
		r = add_certificate(trust, paths->list[i], use, err);
	return r;
}

static int take_require(void *place, const char *value, struct assay_error *err)
{
	struct check_options *options = place;

	if (strcmp(value, "pkcs7") == 0)
		options->need_pkcs7 = true;
	else if (strcmp(value, "ima") == 0)
		options->need_ima = true;
	else
		return assay_fail(err, EINVAL, "must be pkcs7 or ima, not '%s'", value);
	return 0;
}

/* Members that no option has set are 0 before, and the default after this. */
static bool take_defaults(struct verity_parameters *parameters)
{
	const struct verity_parameters other = VERITY_PARAMETERS_DEFAULT;
	bool given = parameters->hash != ASSAY_HASH_NONE || parameters->block_size != 0 ||
		     parameters->salt_size != 0;

	if (parameters->hash == ASSAY_HASH_NONE)
		parameters->hash = other.hash;
	if (parameters->block_size == 0)
		parameters->block_size = other.block_size;
	return given;
}

/* What the table of options cannot say; NULL: nothing is wrong */
static const char *check_call(struct check_options *options)
{
	bool hashing_given = take_defaults(&options->parameters);

	if (!options->manifest && options->paths.count == 0)
		return "which files? Name some, or a --manifest";
	if (options->certificates.count == 0 && options->authorities.count == 0)
		return "whose signatures are good? Give --cert or --ca";
	if (options->manifest && hashing_given)
		return "a manifest has hash, block size and salt: leave these out";
	if (options->signature && options->paths.count != 1)
		return "--signature is one file's";
	return NULL;
}

static int run_check(int argc, char **argv)
{
	struct check_options options = { .root = "/" };
	struct trust *trust = NULL;
	struct assay_error err = { 0 };
	int status = command_parse(&command_check, argc, argv, &options, &options.paths);
	const char *wrong = status == COMMAND_GO ? check_call(&options) : NULL;

	if (wrong) {
		status = command_usage(&command_check, "%s", wrong);
	} else if (status == COMMAND_GO) {
		int r = trust_new(&trust, &err);

		if (r == 0)
			r = add_certificates(trust, &options.certificates, TRUST_SIGNER, &err);
		if (r == 0)
			r = add_certificates(trust, &options.authorities, TRUST_AUTHORITY, &err);
		if (r < 0) {
			command_failed(&command_check, &err);
			status = EXIT_UNREADABLE;
		} else {
			status = check_all(&options, trust);
		}
		trust_free(trust);
	}
	option_texts_free(&options.certificates);
	option_texts_free(&options.authorities);
	return status;
}

/* clang-format off */
static const struct option_row check_rows[] = {
	{ "cert", 'c', "CERT.pem", "a signer's certificate, PEM or DER; may be repeated",
	  OPTION_INPUTS(struct check_options, certificates) },
	{ "ca", 0, "CA.pem",
	  "a certificate that may also have issued the signer's, which is inside the signature "
	  "then; may be repeated",
	  OPTION_INPUTS(struct check_options, authorities) },
	{ "manifest", 'm', "M", "check the files of this manifest, or the PATHs in it",
	  OPTION_INPUT(struct check_options, manifest) },
	{ "root", 'r', "DIR", "where the manifest's paths begin (/)",
	  OPTION_DIRECTORY(struct check_options, root), .needs = "manifest" },
	{ "accept-file-signature", 0, NULL,
	  "the manifest may be signed as a file is, as earlier versions did: whoever had a file "
	  "signed may have made it",
	  OPTION_FLAG(struct check_options, accept_file_signature), .needs = "manifest" },
	{ "signature", 0, "FILE", "the built-in signature of the one file",
	  OPTION_INPUT(struct check_options, signature), .excludes = "manifest" },
	{ "require", 0, "pkcs7|ima",
	  "fail where this signature is not there; may be repeated",
	  .type = OPTION_TYPE_FUNCTION, .place = 0, .function = take_require,
	  .repeatable = true },
	OPTION_ROWS_VERITY(struct check_options, parameters),
	OPTION_ROW_JOBS(struct check_options, jobs, WORK_THREADS_MAX),
	{ "quiet", 'q', NULL, "name only what is not good",
	  OPTION_FLAG(struct check_options, quiet) },
	OPTION_ROW_JSON(struct check_options, json),
	OPTION_END,
};
/* clang-format on */

const struct command command_check = {
	.name = "check",
	.summary = "check files and their signatures, without the kernel",
	.usage = "[OPTION]... --cert CERT.pem FILE...\n"
		 "[OPTION]... --cert CERT.pem --manifest M [--root DIR] [PATH]...",
	.intro =
		"Computes the fs-verity digest of each file and checks the signatures of it with\n"
		"the certificates given: the built-in signature (PKCS#7) and IMA's (version 3).\n"
		"They come from the manifest, which then also says what the digest has to be and\n"
		"whose own signature (M.p7s) is checked; or from FILE.p7s, else FILE.sig, and\n"
		"from the file's security.ima, one of which has to be there. Needs no kernel\n"
		"support, no TPM and no privilege. Each file that is not good is named, with why,\n"
		"and the others are checked all the same. A manifest says itself how its files\n"
		"are hashed: --hash, --block-size and --salt are for files without one.\n",
	.options = check_rows,
	.operands = "[FILE]...",
	.operands_max = SIZE_MAX,
	.epilogue = "Exit status: 0 all good, 1 a file or the manifest's signature is not good,\n"
		    "2 wrong usage, 3 the manifest, a certificate or DIR cannot be read.\n",
	.run = run_check,
};
