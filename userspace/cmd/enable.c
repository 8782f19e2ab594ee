// SPDX-License-Identifier: MIT
/* `assay enable`: fs-verity on, with signatures, for the files of a manifest. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/der.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/work.h"
#include "sign/delegate.h"
#include "sign/ima_sig.h"
#include "sign/manifest.h"
#include "sign/manifest_signature.h"
#include "sign/tree.h"
#include "sign/trust.h"
#include "verity/enable.h"

struct enable_options {
	const char *manifest, *certificate, *also_certificate, *root;
	unsigned int jobs;
	bool without_signature, dry_run, accept_file_signature, json;
};

enum verity_state {
	VERITY_FAILED,
	VERITY_ENABLED, /* or, with --dry-run, would be */
	VERITY_ALREADY,
};

enum ima_state {
	IMA_NONE, /* the manifest has no such signature, or the file failed before */
	IMA_SET,
	IMA_ALREADY,
	IMA_SKIPPED, /* the file system has no such attributes */
};

/**
 * struct enable_job - one file, and what came of it
 * @entry: of the manifest; what it points to is the job's own
 */
struct enable_job {
	struct manifest_entry entry;
	char *path;
	struct buffer pkcs7, ima;
	enum verity_state verity;
	enum ima_state xattr;
	bool failed;
	struct assay_error err;
};

/**
 * struct enable_run - one call of the command
 * @stream: the manifest, where it is read from its file
 * @text: the manifest, where it is held in memory (--cert)
 * @hashers: one a thread, made when it is first needed
 * @delegate: who signed it for the signing key, and goes into signatures without a certificate
 * @trust: for --dry-run with --cert: who may have signed the files
 */
struct enable_run {
	const struct enable_options *options;
	FILE *stream;
	struct buffer text;
	int root_fd;
	struct manifest_header header;
	struct work *pool;
	struct verity_hasher *hashers[WORK_THREADS_MAX];
	X509 *delegate;
	struct trust *trust;
	struct progress progress;
	uint64_t files, enabled, already, ima_set, ima_already, ima_skipped, failures;
	json_t *failed;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot go on: out of memory");
}

/* ---------------------------------------------------------------- one file, on any thread */

static int set_ima(struct enable_job *job, int fd, const char *name, struct assay_error *err)
{
	struct bytes value = job->entry.ima;
	uint8_t present[IMA_SIG_MAX];
	ssize_t size;
	int code;

	if (value.size == 0)
		return 0;
	size = fgetxattr(fd, IMA_SIG_XATTR, present, sizeof(present));
	if (size >= 0 && bytes_equal(BYTES(present, (size_t)size), value)) {
		job->xattr = IMA_ALREADY;
		return 0;
	}
	if (fsetxattr(fd, IMA_SIG_XATTR, value.data, value.size, 0) == 0) {
		job->xattr = IMA_SET;
		return 0;
	}
	code = errno;
	if (code == EOPNOTSUPP) {
		/* One note for all, at the end: it is the file system's matter. */
		job->xattr = IMA_SKIPPED;
		return 0;
	}
	return assay_fail(err, code,
			  "verity is on for %s, but " IMA_SIG_XATTR " cannot be set: %s%s", name,
			  strerror(code),
			  code == EPERM ? "; it needs CAP_SYS_ADMIN, and IMA in the kernel may "
					  "refuse it" :
					  "");
}

static int check_size(int fd, const struct manifest_entry *entry, const char *name,
		      struct assay_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return assay_fail(err, errno, "cannot look at %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return assay_fail(err, EINVAL, "%s is not a regular file", name);
	if ((uint64_t)st.st_size != entry->size)
		return assay_fail(err, EKEYREJECTED,
				  "%s is not the file that was signed: it has %jd bytes, that had "
				  "%" PRIu64,
				  name, (intmax_t)st.st_size, entry->size);
	return 0;
}

static bool same_parameters(const struct verity_parameters *a, const struct verity_parameters *b)
{
	return a->hash == b->hash && a->block_size == b->block_size &&
	       bytes_equal(BYTES(a->salt, a->salt_size), BYTES(b->salt, b->salt_size));
}

/* The digest of the content, by the manifest's parameters. */
static int digest_content(struct enable_run *run, unsigned int thread, int fd, const char *name,
			  struct assay_digest *ret, struct assay_error *err)
{
	int r = 0;

	if (!run->hashers[thread])
		r = verity_hasher_new(&run->header.parameters, &run->hashers[thread], err);
	return r < 0 ? r : verity_hash_fd(run->hashers[thread], fd, name, ret, NULL, err);
}

static int not_as_signed(const struct assay_digest *digest, const struct manifest_entry *entry,
			 const char *who, const char *name, struct assay_error *err)
{
	char is[ASSAY_DIGEST_TEXT_MAX], wanted[ASSAY_DIGEST_TEXT_MAX];

	return assay_fail(err, EKEYREJECTED,
			  "%s is not the file that was signed: %s the fs-verity digest %s, the "
			  "manifest %s",
			  name, who, assay_digest_text(digest, is),
			  assay_digest_text(&entry->digest, wanted));
}

/* Before verity is on: what is enabled stays so, and cannot be written to any more. */
static int check_content(struct enable_run *run, unsigned int thread,
			 const struct manifest_entry *entry, int fd, const char *name,
			 struct assay_error *err)
{
	struct assay_digest digest;
	int r = digest_content(run, thread, fd, name, &digest, err);

	if (r < 0 || verity_digest_equal(&digest, &entry->digest))
		return r;
	return not_as_signed(&digest, entry, "it has", name, err);
}

/* "sha256 in blocks of 4096 bytes, without salt"; @text has room for that of all. */
static void describe(const struct verity_parameters *parameters, char text[160])
{
	char salt[2 * VERITY_SALT_MAX + 1];
	const char *hash = assay_hash_name(parameters->hash);

	hex_encode(BYTES(parameters->salt, parameters->salt_size), salt);
	snprintf(text, 160, "%s in blocks of %" PRIu32 " bytes, %s%s", hash ? hash : "a hash",
		 parameters->block_size, salt[0] ? "with the salt " : "without salt", salt);
}

/*
 * The kernel's digest against the manifest's. Where only block size, hash or salt differ, that is
 * told: the file itself is what was signed.
 */
static int check_enabled(struct enable_run *run, unsigned int thread,
			 const struct manifest_entry *entry, int fd,
			 const struct assay_digest *digest, const char *name,
			 struct assay_error *err)
{
	const struct verity_parameters *parameters = &run->header.parameters;
	char is[160] = "other parameters", wanted[160];
	struct verity_parameters enabled;
	struct assay_digest content;

	if (verity_digest_equal(digest, &entry->digest))
		return 0;
	if (digest_content(run, thread, fd, name, &content, NULL) < 0 ||
	    !verity_digest_equal(&content, &entry->digest))
		return not_as_signed(digest, entry, "the kernel has", name, err);
	if (verity_enabled_with(fd, name, &enabled, NULL) == 0) {
		/* It was written to in between, or the kernel's digest is not of what it gives. */
		if (same_parameters(&enabled, parameters))
			return not_as_signed(digest, entry, "the kernel has", name, err);
		describe(&enabled, is);
	}
	describe(parameters, wanted);
	return assay_fail(err, EEXIST,
			  "%s is the file that was signed, but verity is on for it with another "
			  "block size, hash or salt: %s; the manifest has %s. What is on cannot be "
			  "changed: put a copy in the file's place",
			  name, is, wanted);
}

/* What enabling would find, as far as that can be seen without doing it. */
static int try_file(struct enable_run *run, const struct manifest_entry *entry, int fd,
		    const char *name, struct assay_error *err)
{
	int r = verity_can_enable(fd, &run->header.parameters, name, err);

	if (r == 0 && run->trust && entry->pkcs7.size > 0)
		r = trust_verify_pkcs7(run->trust, entry->pkcs7, &entry->digest, NULL, err);
	return r;
}

static int turn_on(struct enable_run *run, unsigned int thread, const struct manifest_entry *entry,
		   int fd, const char *name, struct assay_error *err)
{
	struct assay_digest digest;
	int r;

	if (run->options->dry_run) {
		r = try_file(run, entry, fd, name, err);
		return r < 0 ? r : check_content(run, thread, entry, fd, name, err);
	}
	r = check_content(run, thread, entry, fd, name, err);
	if (r < 0)
		return r;
	r = verity_enable(fd, &run->header.parameters, entry->pkcs7, name, err);
	if (r == 0 || r == -EEXIST)
		r = verity_measure(fd, name, &digest, err);
	return r < 0 ? r : check_enabled(run, thread, entry, fd, &digest, name, err);
}

static int enable_open_file(struct enable_run *run, unsigned int thread, struct enable_job *job,
			    int fd, const char *name, struct assay_error *err)
{
	const struct manifest_entry *entry = &job->entry;
	struct assay_digest digest;
	bool already;
	int r = check_size(fd, entry, name, err);

	if (r < 0)
		return r;
	/* Asked first: on a read-only file system, enabling fails for what is on already, too. */
	already = verity_measure(fd, name, &digest, err) == 0;
	r = already ? check_enabled(run, thread, entry, fd, &digest, name, err) :
		      turn_on(run, thread, entry, fd, name, err);
	if (r < 0)
		return r;
	job->verity = already ? VERITY_ALREADY : VERITY_ENABLED;
	return run->options->dry_run ? 0 : set_ima(job, fd, name, err);
}

static void enable_file(void *context, unsigned int thread, void *argument)
{
	struct enable_run *run = context;
	struct enable_job *job = argument;
	char name[512];
	int fd, r;

	text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), name, sizeof(name));
	/* O_NONBLOCK: do not wait for a FIFO's writer, only to refuse it then. */
	r = fd = tree_open_beneath(run->root_fd, job->path,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, name, &job->err);
	if (fd >= 0) {
		r = enable_open_file(run, thread, job, fd, name, &job->err);
		close(fd);
	}
	job->failed = r < 0;
}

static void job_free(void *argument)
{
	struct enable_job *job = argument;

	buffer_free(&job->pkcs7);
	buffer_free(&job->ima);
	free(job->path);
	free(job);
}

/* ---------------------------------------------------------------- all files */

/* The oldest file, once it is done. */
static int finish_oldest(struct enable_run *run, struct assay_error *err)
{
	struct enable_job *job = work_take(run->pool);
	json_t *item;
	int r = 0;

	run->files++;
	run->enabled += job->verity == VERITY_ENABLED;
	run->already += job->verity == VERITY_ALREADY;
	run->ima_set += job->xattr == IMA_SET;
	run->ima_already += job->xattr == IMA_ALREADY;
	run->ima_skipped += job->xattr == IMA_SKIPPED;
	if (job->failed) {
		run->failures++;
		progress_end(&run->progress);
		command_failed(&command_enable, &job->err);
	}
	if (job->failed && run->failed) {
		item = json_pack("{s:o, s:s}", "path",
				 json_escaped(BYTES((const uint8_t *)job->path, strlen(job->path))),
				 "error", job->err.text);
		if (json_array_append_new(run->failed, item) < 0)
			r = out_of_memory(err);
	}
	progress_update(&run->progress, run->files);
	job_free(job);
	return r;
}

static int put_file(void *context, const struct manifest_header *header,
		    const struct manifest_entry *entry, struct assay_error *err)
{
	struct enable_run *run = context;
	struct enable_job *job;
	int r = 0;

	(void)header;
	if (work_room(run->pool) == 0) {
		r = finish_oldest(run, err);
		if (r < 0)
			return r;
	}
	job = calloc(1, sizeof(*job));
	if (!job)
		return out_of_memory(err);
	if (run->delegate && entry->pkcs7.size > 0)
		r = pkcs7_add_certificate(entry->pkcs7, run->delegate, &job->pkcs7, err);
	else
		buffer_append_bytes(&job->pkcs7, entry->pkcs7);
	if (r < 0) {
		job_free(job);
		return assay_fail_context(err, "%s", run->options->manifest);
	}
	buffer_append_bytes(&job->ima, entry->ima);
	job->path = strdup(entry->path);
	if (!job->path || job->pkcs7.failed || job->ima.failed) {
		job_free(job);
		return out_of_memory(err);
	}
	job->entry = *entry;
	job->entry.path = job->path;
	job->entry.pkcs7 = buffer_bytes(&job->pkcs7);
	job->entry.ima = buffer_bytes(&job->ima);
	work_put(run->pool, job);
	return 0;
}

static int count_file(void *context, const struct manifest_header *header,
		      const struct manifest_entry *entry, struct assay_error *err)
{
	struct enable_run *run = context;

	(void)entry;
	(void)err;
	run->header = *header;
	run->progress.total++;
	return 0;
}

/*
 * The kernel knows the signing key's certificate only. Where the manifest was signed in two
 * steps, its delegate's is in the manifest's signature alone.
 */
static void find_delegate(struct enable_run *run, struct bytes signature)
{
	X509 *certificate = NULL;
	struct bytes first;
	char id[33];

	/* A second signer's may follow. */
	if (der_take_sequence(&signature, &first) &&
	    pkcs7_certificate_inside(first, &certificate, NULL) == 0 &&
	    delegate_manifest_id(certificate, id, NULL) == 0) {
		run->delegate = certificate;
		return;
	}
	X509_free(certificate);
}

/* It stays in memory, so that what was verified is what is used. */
static int open_verified(struct enable_run *run, struct assay_error *err)
{
	const struct enable_options *options = run->options;
	struct buffer signature = { 0 };
	X509 *certificate = NULL, *signers[2] = { NULL };
	int r;

	r = certificate_load(options->certificate, &certificate, err);
	signers[0] = certificate;
	if (r == 0 && options->also_certificate)
		r = certificate_load(options->also_certificate, &signers[1], err);
	if (r == 0)
		r = manifest_read_signed(options->manifest, &run->text, &signature, err);
	if (r == 0)
		r = manifest_verify_any(
			buffer_bytes(&run->text), options->manifest, buffer_bytes(&signature),
			signers, signers[1] ? 2 : 1,
			options->accept_file_signature ? MANIFEST_ACCEPT_FILE_SIGNATURE : 0, err);
	if (r == 0)
		find_delegate(run, buffer_bytes(&signature));
	if (r == 0 && options->dry_run)
		r = trust_new(&run->trust, err);
	if (r == 0 && options->dry_run)
		r = trust_add(run->trust, certificate, TRUST_AUTHORITY, err);
	X509_free(signers[1]);
	X509_free(certificate);
	buffer_free(&signature);
	return r;
}

static int open_manifest(struct enable_run *run, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer signature = { 0 };

	if (run->options->certificate)
		return open_verified(run, err);
	/* Nothing is verified here but by the kernel; it may have no signature. */
	if (manifest_read_signature(run->options->manifest, &signature, NULL) == 0)
		find_delegate(run, buffer_bytes(&signature));
	run->stream = fopen(run->options->manifest, "re");
	if (!run->stream)
		return assay_fail(err, errno, "cannot open %s: %s", run->options->manifest,
				  strerror(errno));
	return 0;
}

static int read_manifest(struct enable_run *run, manifest_entry_function each,
			 struct assay_error *err)
{
	const char *name = run->options->manifest;

	if (!run->stream)
		return manifest_read_bytes(buffer_bytes(&run->text), name, each, run, NULL, err);
	if (fseeko(run->stream, 0, SEEK_SET) < 0)
		return assay_fail(err, errno, "cannot read %s: %s", name, strerror(errno));
	return manifest_read(run->stream, name, each, run, NULL, err);
}

static int print_summary(const struct enable_run *run, struct assay_error *err)
{
	json_t *object;

	if (!run->options->json) {
		if (run->options->dry_run)
			printf("verity would be on for %" PRIu64 " of %" PRIu64 " files (%" PRIu64
			       " are on already)\n",
			       run->enabled + run->already, run->files, run->already);
		else
			printf("verity is on for %" PRIu64 " of %" PRIu64 " files (%" PRIu64
			       " were on already), " IMA_SIG_XATTR " set on %" PRIu64 "\n",
			       run->enabled + run->already, run->files, run->already,
			       run->ima_set + run->ima_already);
		return 0;
	}
	object = json_pack("{s:b, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "ok",
			   run->failures == 0, "manifest", run->options->manifest, "dry_run",
			   run->options->dry_run, "file_count", (json_int_t)run->files, "enabled",
			   (json_int_t)run->enabled, "already", (json_int_t)run->already, "ima_set",
			   (json_int_t)run->ima_set, "ima_already", (json_int_t)run->ima_already,
			   "ima_skipped", (json_int_t)run->ima_skipped, "failed", run->failed);
	return command_print_json(object, JSON_INDENT(2), err);
}

static int enable_all(struct enable_run *run, struct assay_error *err)
{
	const struct enable_options *options = run->options;
	int r;

	if (options->json && !(run->failed = json_array()))
		return assay_fail(err, ENOMEM, "out of memory");
	run->root_fd = open(options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run->root_fd < 0)
		return assay_fail(err, errno, "cannot open the directory %s: %s", options->root,
				  strerror(errno));
	r = open_manifest(run, err);
	/* All of it is checked first: a manifest that breaks off changes no file. */
	if (r == 0)
		r = read_manifest(run, count_file, err);
	if (r == 0)
		r = work_new(options->jobs, enable_file, run, &run->pool, err);
	if (r == 0)
		r = read_manifest(run, put_file, err);
	while (r == 0 && work_count(run->pool) > 0)
		r = finish_oldest(run, err);
	progress_end(&run->progress);
	if (r < 0)
		return r;
	if (run->ima_skipped > 0)
		fprintf(stderr,
			"%s enable: " IMA_SIG_XATTR " was not set on %" PRIu64
			" files: their file system has no such extended attributes\n",
			program_invocation_short_name, run->ima_skipped);
	r = print_summary(run, err);
	if (r == 0 && run->failures > 0)
		r = assay_fail(err, EIO, "%" PRIu64 " of %" PRIu64 " files failed", run->failures,
			       run->files);
	return r;
}

static int run_enable(int argc, char **argv)
{
	struct enable_options options = { .root = "/" };
	struct enable_run run = { .options = &options, .root_fd = -1 };
	struct assay_error err = { 0 };
	int r, status = command_parse(&command_enable, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (!options.certificate && !options.without_signature)
		return command_usage(
			&command_enable,
			"--cert CERT.pem is needed, to verify the manifest's signature; or "
			"--unsigned, to take a manifest from anybody");
	progress_begin(&run.progress, "enabling", 0);
	r = enable_all(&run, &err);
	status = r < 0 ? command_failed(&command_enable, &err) : command_flush(&command_enable);
	work_free(run.pool, job_free);
	for (size_t i = 0; i < WORK_THREADS_MAX; i++)
		verity_hasher_free(run.hashers[i]);
	trust_free(run.trust);
	X509_free(run.delegate);
	if (run.stream)
		fclose(run.stream);
	buffer_free(&run.text);
	if (run.root_fd >= 0)
		close(run.root_fd);
	json_decref(run.failed);
	return status;
}

static const struct option_row enable_rows[] = {
	{ "manifest", 'm', "M", "manifest to read", OPTION_INPUT(struct enable_options, manifest),
	  .required = true },
	{ "cert", 'c', "CERT.pem",
	  "the manifest's signature (M.p7s) must be by this certificate's key, or by a delegate "
	  "of it",
	  OPTION_INPUT(struct enable_options, certificate), .excludes = "unsigned" },
	{ "also-cert", 0, "CERT2.pem",
	  "the certificate of the manifest's second signer, if it has one",
	  OPTION_INPUT(struct enable_options, also_certificate), .needs = "cert" },
	{ "unsigned", 0, NULL,
	  "do not look at the manifest's signature: whoever could write to the manifest decides "
	  "which files are enabled",
	  OPTION_FLAG(struct enable_options, without_signature) },
	{ "accept-file-signature", 0, NULL,
	  "take a manifest signed as a file, as earlier versions did: whoever could have any file "
	  "signed may have made it",
	  OPTION_FLAG(struct enable_options, accept_file_signature), .needs = "cert" },
	{ "root", 'r', "DIR", "where the manifest's paths begin (/)",
	  OPTION_DIRECTORY(struct enable_options, root) },
	OPTION_ROW_JOBS(struct enable_options, jobs, WORK_THREADS_MAX),
	{ "dry-run", 'n', NULL,
	  "change nothing: say which files would fail and why, as far as that can be seen; with "
	  "--cert their signatures are checked, too",
	  OPTION_FLAG(struct enable_options, dry_run) },
	OPTION_ROW_JSON(struct enable_options, json),
	OPTION_END,
};

const struct command command_enable = {
	.name = "enable",
	.summary = "turn verity on, with its signature, for the files of a manifest",
	.usage = "--manifest M --cert CERT.pem [OPTION]...\n"
		 "--manifest M --unsigned [OPTION]...\n",
	.intro = "Turns fs-verity on for each file of the manifest with the signature in it, and\n"
		 "sets security.ima to the file's IMA signature. A file whose digest is not that "
		 "of\n"
		 "the manifest is left as it is. The kernel checks the signature with the\n"
		 "certificates in its .fs-verity keyring ('assay keyring load'). Files that have\n"
		 "verity with the same digest already are fine. A file that somebody has open for\n"
		 "writing is tried again for a second. A file that fails is named, and the others\n"
		 "are done all the same.\n",
	.options = enable_rows,
	.epilogue = "Exit status: 0 all done, 1 a file failed or the manifest is not good, 2 wrong "
		    "usage.\n",
	.run = run_enable,
};
