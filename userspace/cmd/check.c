// SPDX-License-Identifier: MIT
/* `assay check`: are files what was signed? Without a kernel that knows fs-verity. */
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

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "sign/ima_sig.h"
#include "sign/manifest.h"
#include "sign/manifest_signature.h"
#include "sign/tree.h"
#include "sign/trust.h"
#include "verity/enable.h"
#include "verity/pool.h"

/* Beside a file, in this order. */
static const char *const signature_suffixes[] = { ".p7s", ".sig" };

struct check_options {
	const char *manifest, *root, *signature;
	char **paths;
	size_t path_count;
	struct verity_parameters parameters;
	bool need_pkcs7, need_ima, accept_file_signature, quiet, json;
};

enum result { NOT_CHECKED, PASS, FAIL };

/**
 * struct finding - what came of one check of a file
 * @signer: the subject of the certificate whose signature it is; or NULL
 * @err: why it failed, or was not made
 */
struct finding {
	enum result result;
	char *signer;
	struct assay_error err;
};

enum { CHECK_DIGEST, CHECK_PKCS7, CHECK_IMA, CHECK_COUNT };

static const struct {
	const char *name, *words;
} checks[CHECK_COUNT] = {
	[CHECK_DIGEST] = { "digest", "fs-verity digest" },
	[CHECK_PKCS7] = { "pkcs7", "built-in signature" },
	[CHECK_IMA] = { "ima", "IMA signature" },
};

/* A manifest's entry whose file's digest is being computed. */
struct expected {
	struct assay_digest digest;
	uint64_t size;
	struct buffer pkcs7, ima;
};

/**
 * struct check_run - one call of the command
 * @expected: a ring of what the files in the pool are to be, @capacity of them
 * @found: for each path asked for, whether the manifest names it or something below
 * @printed: whether a file was printed as JSON
 */
struct check_run {
	const struct check_options *options;
	struct trust *trust;
	struct verity_pool *pool;
	struct buffer text, signature;
	struct manifest_header header;
	struct finding manifest;
	int root_fd;
	struct expected *expected;
	size_t capacity, first;
	bool *found;
	struct progress progress;
	uint64_t files, failed;
	bool printed;
};

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot check: out of memory");
}

/* ---------------------------------------------------------------- findings */

static void settle(struct finding *finding, int r, X509 *signer)
{
	finding->result = r < 0 ? FAIL : PASS;
	if (signer)
		finding->signer = certificate_subject(signer);
}

static void check_signatures(const struct check_run *run, const struct assay_digest *digest,
			     const struct buffer *pkcs7, const struct buffer *ima,
			     struct finding *findings)
{
	X509 *signer = NULL, *ima_signer = NULL;
	int r;

	if (pkcs7) {
		r = trust_verify_pkcs7(run->trust, buffer_bytes(pkcs7), digest, &signer,
				       &findings[CHECK_PKCS7].err);
		settle(&findings[CHECK_PKCS7], r, signer);
	}
	if (ima) {
		/* A key that an authority vouched for in the one signature made the other. */
		r = trust_verify_ima(run->trust, buffer_bytes(ima), digest, signer, &ima_signer,
				     &findings[CHECK_IMA].err);
		settle(&findings[CHECK_IMA], r, ima_signer);
	}
	X509_free(signer);
	X509_free(ima_signer);
}

/* A kind of signature that is not there: a failure only where it is asked for. */
static void note_absent(struct finding *finding, bool needed, const char *why)
{
	assay_fail(&finding->err, ENODATA, "%s", why);
	finding->result = needed ? FAIL : NOT_CHECKED;
}

static void check_expected(const struct check_run *run, const struct verity_job *job,
			   const struct expected *expected, struct finding *findings)
{
	const struct check_options *options = run->options;
	bool has_pkcs7 = expected->pkcs7.size > 0, has_ima = expected->ima.size > 0;
	char is[VERITY_TEXT_MAX], wanted[VERITY_TEXT_MAX];

	if (!has_pkcs7)
		note_absent(&findings[CHECK_PKCS7], options->need_pkcs7 || !has_ima,
			    "the manifest has no built-in signature of it");
	if (!has_ima)
		note_absent(&findings[CHECK_IMA], options->need_ima,
			    "the manifest has no IMA signature of it");
	check_signatures(run, &expected->digest, has_pkcs7 ? &expected->pkcs7 : NULL,
			 has_ima ? &expected->ima : NULL, findings);
	if (job->result < 0) {
		findings[CHECK_DIGEST].err = job->err;
		findings[CHECK_DIGEST].result = FAIL;
		return;
	}
	findings[CHECK_DIGEST].result = FAIL;
	if (job->size != expected->size)
		assay_fail(&findings[CHECK_DIGEST].err, EKEYREJECTED,
			   "it is not the file that was signed: it has %" PRIu64
			   " bytes, that had %" PRIu64,
			   job->size, expected->size);
	else if (!verity_digest_equal(&job->digest, &expected->digest))
		assay_fail(&findings[CHECK_DIGEST].err, EKEYREJECTED,
			   "it is not the file that was signed: its fs-verity digest is %s, the "
			   "manifest has %s",
			   verity_digest_text(&job->digest, is),
			   verity_digest_text(&expected->digest, wanted));
	else
		findings[CHECK_DIGEST].result = PASS;
}

/*
 * A signature's file, which may be anything. 1: there is none
 */
static int read_signature(const char *path, struct buffer *out, struct assay_error *err)
{
	/* O_NONBLOCK: do not wait for a FIFO's writer, only to refuse it then. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), code = errno;
	uint8_t *place;
	struct stat st;
	ssize_t got;

	if (fd < 0 && code == ENOENT)
		return 1;
	if (fd < 0)
		return assay_fail(err, code, "cannot open the signature %s: %s", path,
				  strerror(code));
	place = buffer_reserve(out, VERITY_SIGNATURE_MAX + 1);
	if (!place || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return !place ? out_of_memory(err) :
				assay_fail(err, EINVAL, "the signature %s is not a regular file",
					   path);
	}
	while (out->size <= VERITY_SIGNATURE_MAX &&
	       (got = read(fd, place + out->size, VERITY_SIGNATURE_MAX + 1 - out->size)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			code = errno;
			close(fd);
			return assay_fail(err, code, "cannot read the signature %s: %s", path,
					  strerror(code));
		}
		out->size += (size_t)got;
	}
	close(fd);
	return 0;
}

/* The built-in signature that belongs to a file; 1 if there is none. */
static int find_pkcs7(const struct check_options *options, const char *path, struct buffer *out,
		      struct assay_error *err)
{
	int r = 1;

	if (options->signature) {
		r = read_signature(options->signature, out, err);
		return r == 1 ? assay_fail(err, ENOENT, "cannot open the signature %s: %s",
					   options->signature, strerror(ENOENT)) :
				r;
	}
	for (size_t i = 0; r == 1 && i < sizeof(signature_suffixes) / sizeof(signature_suffixes[0]);
	     i++) {
		char *name;

		if (asprintf(&name, "%s%s", path, signature_suffixes[i]) < 0)
			return out_of_memory(err);
		r = read_signature(name, out, err);
		free(name);
	}
	return r;
}

/* The file's security.ima; 1 if it has none, or one that is not a signature of this kind. */
static int find_ima(int fd, struct buffer *out, struct finding *finding)
{
	uint8_t *place = buffer_reserve(out, IMA_SIG_MAX);
	ssize_t size;

	if (!place)
		return out_of_memory(&finding->err);
	size = fgetxattr(fd, IMA_SIG_XATTR, place, IMA_SIG_MAX);
	if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) {
		assay_fail(&finding->err, ENODATA, "the file has no " IMA_SIG_XATTR);
		return 1;
	}
	if (size < 0)
		return assay_fail(&finding->err, errno, "cannot read " IMA_SIG_XATTR ": %s",
				  errno == ERANGE ? "it is longer than any signature" :
						    strerror(errno));
	out->size = (size_t)size;
	if (size > 0 && place[0] != IMA_SIG_TYPE) {
		assay_fail(&finding->err, ENODATA,
			   IMA_SIG_XATTR " holds no signature of the fs-verity digest, but "
					 "something else (type %u)",
			   place[0]);
		return 1;
	}
	return 0;
}

/* A file given by name: its signatures are beside it and in its extended attribute. */
static void check_loose(const struct check_run *run, const struct verity_job *job,
			struct finding *findings)
{
	const struct check_options *options = run->options;
	struct buffer pkcs7 = { 0 }, ima = { 0 };
	int pkcs7_found, ima_found;

	if (job->result < 0) {
		findings[CHECK_DIGEST].result = FAIL;
		findings[CHECK_DIGEST].err = job->err;
		assay_fail(&findings[CHECK_PKCS7].err, ENODATA, "there is no digest to check");
		findings[CHECK_IMA].err = findings[CHECK_PKCS7].err;
		return;
	}
	assay_fail(&findings[CHECK_DIGEST].err, ENODATA, "no manifest says which it should be");
	assay_fail(&findings[CHECK_PKCS7].err, ENODATA,
		   "there is no built-in signature beside the file");
	pkcs7_found = find_pkcs7(options, job->path, &pkcs7, &findings[CHECK_PKCS7].err);
	ima_found = find_ima(job->fd, &ima, &findings[CHECK_IMA]);
	if (pkcs7_found < 0 || (pkcs7_found == 1 && options->need_pkcs7))
		findings[CHECK_PKCS7].result = FAIL;
	if (ima_found < 0 || (ima_found == 1 && options->need_ima))
		findings[CHECK_IMA].result = FAIL;
	check_signatures(run, &job->digest, pkcs7_found == 0 ? &pkcs7 : NULL,
			 ima_found == 0 ? &ima : NULL, findings);
	if (findings[CHECK_PKCS7].result == NOT_CHECKED &&
	    findings[CHECK_IMA].result == NOT_CHECKED) {
		findings[CHECK_PKCS7].result = FAIL;
		assay_fail(&findings[CHECK_PKCS7].err, ENODATA,
			   "it is not signed: there is neither %s%s nor %s%s, and %s", "FILE",
			   signature_suffixes[0], "FILE", signature_suffixes[1],
			   findings[CHECK_IMA].err.text);
	}
	buffer_free(&pkcs7);
	buffer_free(&ima);
}

/* ---------------------------------------------------------------- output */

static json_t *finding_json(const struct finding *finding)
{
	static const char *const results[] = {
		[NOT_CHECKED] = "not-checked", [PASS] = "pass", [FAIL] = "fail"
	};
	json_t *value = json_pack("{s:s}", "result", results[finding->result]);
	int bad = 0;

	if (finding->signer)
		bad |= json_object_set_new(value, "signer", json_string(finding->signer));
	if (finding->result != PASS)
		bad |= json_object_set_new(value, "detail", json_string(finding->err.text));
	if (bad == 0)
		return value;
	json_decref(value);
	return NULL;
}

static int print_file_json(struct check_run *run, const struct verity_job *job,
			   const struct finding *findings, bool good, struct assay_error *err)
{
	struct bytes path = BYTES((const uint8_t *)job->path, strlen(job->path));
	json_t *each = json_object();
	json_t *value = json_pack("{s:o, s:b}", "path", json_escaped(path), "ok", (int)good);
	char digest[VERITY_TEXT_MAX];
	int bad = 0;

	if (job->result == 0) {
		bad |= json_object_set_new(value, "size", json_integer((json_int_t)job->size));
		bad |= json_object_set_new(value, "digest",
					   json_string(verity_digest_text(&job->digest, digest)));
	}
	for (size_t i = 0; i < CHECK_COUNT; i++)
		bad |= json_object_set_new(each, checks[i].name, finding_json(&findings[i]));
	bad |= json_object_set_new(value, "checks", each);
	if (bad != 0) {
		json_decref(value);
		return out_of_memory(err);
	}
	fputs(run->printed ? ",\n" : "\n", stdout);
	run->printed = true;
	json_dumpf(value, stdout, 0);
	json_decref(value);
	return 0;
}

static void print_file(const struct check_run *run, const struct verity_job *job,
		       const struct finding *findings, bool good)
{
	char path[512], digest[VERITY_TEXT_MAX];
	const char *comma = "";

	text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), path, sizeof(path));
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		struct assay_error told;

		if (findings[i].result != FAIL)
			continue;
		/* The sentence of a file that cannot be read has its name. */
		if (i == CHECK_DIGEST && job->result < 0)
			told = findings[i].err;
		else
			assay_fail(&told, findings[i].err.code, "%s: %s", path,
				   findings[i].err.text);
		command_failed(&command_check, &told);
	}
	if (!good || run->options->quiet || run->options->json)
		return;
	printf("good %s %s: ", verity_digest_text(&job->digest, digest), path);
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		if (findings[i].result != PASS)
			continue;
		printf("%s%s%s%s", comma, checks[i].words, findings[i].signer ? " by " : "",
		       findings[i].signer ? findings[i].signer : "");
		comma = ", ";
	}
	putchar('\n');
}

/* A file's result, to wherever it goes. @expected: NULL without a manifest */
static int report(struct check_run *run, const struct verity_job *job,
		  const struct expected *expected, struct assay_error *err)
{
	struct finding findings[CHECK_COUNT] = { 0 };
	bool good = true;
	int r = 0;

	if (expected)
		check_expected(run, job, expected, findings);
	else
		check_loose(run, job, findings);
	for (size_t i = 0; i < CHECK_COUNT; i++)
		good = good && findings[i].result != FAIL;
	run->files++;
	run->failed += !good;
	if (!good)
		progress_end(&run->progress);
	progress_update(&run->progress, run->files);
	print_file(run, job, findings, good);
	if (run->options->json)
		r = print_file_json(run, job, findings, good, err);
	for (size_t i = 0; i < CHECK_COUNT; i++)
		free(findings[i].signer);
	return r;
}

/* ---------------------------------------------------------------- files */

static int take(struct check_run *run, struct assay_error *err)
{
	struct expected *expected = NULL;
	struct verity_job job;
	int r;

	verity_pool_take(run->pool, &job);
	if (run->options->manifest) {
		expected = &run->expected[run->first];
		run->first = (run->first + 1) % run->capacity;
	}
	r = report(run, &job, expected, err);
	if (expected) {
		buffer_free(&expected->pkcs7);
		buffer_free(&expected->ima);
		*expected = (struct expected){ 0 };
	}
	free(job.path);
	close(job.fd);
	return r;
}

static int drain(struct check_run *run, struct assay_error *err)
{
	int r = 0;

	while (r == 0 && verity_pool_count(run->pool) > 0)
		r = take(run, err);
	return r;
}

/* A file that cannot be opened: told in its turn, after what was put before it. */
static int report_unopened(struct check_run *run, const char *path, int code,
			   const struct assay_error *why, const struct expected *expected,
			   struct assay_error *err)
{
	struct verity_job job = { .path = (char *)path, .fd = -1, .result = code, .err = *why };
	int r = drain(run, err);

	return r < 0 ? r : report(run, &job, expected, err);
}

static int put(struct check_run *run, const char *path, int fd, struct assay_error *err)
{
	char *copy = strdup(path);

	if (!copy) {
		close(fd);
		return out_of_memory(err);
	}
	verity_pool_put(run->pool, copy, fd);
	return 0;
}

static int check_path(struct check_run *run, const char *path, struct assay_error *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), code = errno;
	struct assay_error why;
	char shown[512];

	if (fd < 0) {
		text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown));
		assay_fail(&why, code, "cannot open %s: %s", shown, strerror(code));
		return report_unopened(run, path, -code, &why, NULL, err);
	}
	if (verity_pool_room(run->pool) == 0 && take(run, err) < 0) {
		close(fd);
		return -err->code;
	}
	return put(run, path, fd, err);
}

/* Is @path what was asked for, or below it? All are, where nothing was asked for. */
static bool is_wanted(struct check_run *run, const char *path)
{
	bool wanted = run->options->path_count == 0;

	for (size_t i = 0; i < run->options->path_count; i++) {
		const char *asked = run->options->paths[i];
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
	struct expected expected = { .digest = entry->digest, .size = entry->size };
	struct assay_error why = { 0 };
	char shown[512];
	int fd, r;

	(void)header;
	if (!is_wanted(run, entry->path))
		return 0;
	if (verity_pool_room(run->pool) == 0) {
		r = take(run, err);
		if (r < 0)
			return r;
	}
	buffer_append_bytes(&expected.pkcs7, entry->pkcs7);
	buffer_append_bytes(&expected.ima, entry->ima);
	if (expected.pkcs7.failed || expected.ima.failed) {
		r = out_of_memory(err);
		goto fail;
	}
	text_escape(BYTES((const uint8_t *)entry->path, strlen(entry->path)), shown, sizeof(shown));
	fd = tree_open_beneath(run->root_fd, entry->path,
			       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, shown, &why);
	if (fd < 0) {
		r = report_unopened(run, entry->path, fd, &why, &expected, err);
		goto fail;
	}
	r = put(run, entry->path, fd, err);
	if (r < 0)
		goto fail;
	run->expected[(run->first + verity_pool_count(run->pool) - 1) % run->capacity] = expected;
	return 0;
fail:
	buffer_free(&expected.pkcs7);
	buffer_free(&expected.ima);
	return r;
}

static int check_absent(struct check_run *run, struct assay_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->options->path_count; i++) {
		const char *path = run->options->paths[i];
		struct verity_job job = { .path = (char *)path, .fd = -1, .result = -ENOENT };
		char shown[512];

		if (run->found[i])
			continue;
		text_escape(BYTES((const uint8_t *)path, strlen(path)), shown, sizeof(shown));
		assay_fail(&job.err, ENOENT, "%s is not in the manifest", shown);
		r = report(run, &job, NULL, err);
	}
	return r;
}

/* ---------------------------------------------------------------- all */

/* The manifest's own signature; what it says of files is checked all the same. */
static int check_manifest(struct check_run *run, struct assay_error *err)
{
	const char *name = run->options->manifest;
	struct finding *finding = &run->manifest;
	X509 *signer = NULL;
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
	settle(finding, read, signer);
	X509_free(signer);
	if (read < 0)
		command_failed(&command_check, &finding->err);
	return 0;
}

static int begin(struct check_run *run, struct assay_error *err)
{
	const struct check_options *options = run->options;
	const struct verity_parameters *parameters = &options->parameters;
	int r;

	if (options->manifest) {
		run->root_fd = open(options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (run->root_fd < 0)
			return assay_fail(err, errno, "cannot open the directory %s: %s",
					  options->root, strerror(errno));
		run->found = calloc(options->path_count + 1, sizeof(*run->found));
		if (!run->found)
			return out_of_memory(err);
		r = check_manifest(run, err);
		if (r < 0)
			return r;
		parameters = &run->header.parameters;
	}
	r = verity_pool_new(parameters, 0, &run->pool, err);
	if (r < 0)
		return r;
	run->capacity = verity_pool_room(run->pool);
	run->expected = calloc(run->capacity, sizeof(*run->expected));
	return run->expected ? 0 : out_of_memory(err);
}

static int check_files(struct check_run *run, struct assay_error *err)
{
	const struct check_options *options = run->options;
	int r = 0;

	if (options->manifest)
		r = manifest_read_bytes(buffer_bytes(&run->text), options->manifest, check_entry,
					run, NULL, err);
	for (size_t i = 0; !options->manifest && r == 0 && i < options->path_count; i++)
		r = check_path(run, options->paths[i], err);
	if (r == 0)
		r = drain(run, err);
	if (r == 0 && options->manifest)
		r = check_absent(run, err);
	progress_end(&run->progress);
	return r;
}

static bool all_good(const struct check_run *run)
{
	return run->failed == 0 && run->manifest.result != FAIL;
}

static void print_json_end(const struct check_run *run, bool good, const struct assay_error *why)
{
	json_t *finding = finding_json(&run->manifest);

	printf("%s], \"checked\": %" PRIu64 ", \"failed\": %" PRIu64, run->printed ? "\n" : "",
	       run->files, run->failed);
	if (run->options->manifest && run->manifest.result != NOT_CHECKED) {
		json_t *manifest = json_pack("{s:s, s:s, s:s*, s:O}", "id", run->header.id,
					     "created", run->header.created, "product",
					     run->header.product[0] ? run->header.product : NULL,
					     "signature", finding);

		fputs(", \"manifest\": ", stdout);
		json_dumpf(manifest, stdout, 0);
		json_decref(manifest);
	}
	if (why)
		command_print_json_error(why);
	printf(", \"ok\": %s}\n", good ? "true" : "false");
	json_decref(finding);
}

static int check(const struct check_options *options, struct trust *trust)
{
	struct check_run run = { .options = options, .trust = trust, .root_fd = -1 };
	struct assay_error err = { 0 };
	int r, status;

	if (options->json) {
		command_begin_json(&command_check);
		fputs(", \"files\": [", stdout);
	}
	progress_begin(&run.progress, "checking", 0);
	r = begin(&run, &err);
	status = r < 0 ? EXIT_UNREADABLE : EXIT_OK;
	if (r == 0) {
		r = check_files(&run, &err);
		if (r < 0 || !all_good(&run))
			status = EXIT_FAILED;
	}
	if (r < 0)
		command_failed(&command_check, &err);
	if (options->json)
		print_json_end(&run, r == 0 && all_good(&run), r < 0 ? &err : NULL);
	else if (r == 0)
		printf("%" PRIu64 " of %" PRIu64 " files are good%s\n", run.files - run.failed,
		       run.files,
		       run.manifest.result == FAIL ? ", but the manifest's signature is not" : "");
	verity_pool_free(run.pool);
	for (size_t i = 0; run.expected && i < run.capacity; i++) {
		buffer_free(&run.expected[i].pkcs7);
		buffer_free(&run.expected[i].ima);
	}
	free(run.expected);
	free(run.found);
	free(run.manifest.signer);
	buffer_free(&run.text);
	buffer_free(&run.signature);
	if (run.root_fd >= 0)
		close(run.root_fd);
	if (command_flush(&command_check) != EXIT_OK && status == EXIT_OK)
		status = EXIT_FAILED;
	return status;
}

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

static int run_check(int argc, char **argv)
{
	enum {
		OPT_MANIFEST = 256,
		OPT_ROOT,
		OPT_CERT,
		OPT_CA,
		OPT_SIGNATURE,
		OPT_REQUIRE,
		OPT_ACCEPT_FILE_SIGNATURE,
		OPT_QUIET,
		OPT_JSON,
	};
	static const struct option table[] = {
		{ "manifest", required_argument, NULL, OPT_MANIFEST },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "cert", required_argument, NULL, OPT_CERT },
		{ "ca", required_argument, NULL, OPT_CA },
		{ "signature", required_argument, NULL, OPT_SIGNATURE },
		{ "require", required_argument, NULL, OPT_REQUIRE },
		{ "accept-file-signature", no_argument, NULL, OPT_ACCEPT_FILE_SIGNATURE },
		{ "quiet", no_argument, NULL, OPT_QUIET },
		COMMAND_VERITY_OPTIONS,
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct check_options options = { .parameters = VERITY_PARAMETERS_DEFAULT };
	bool certificates = false, parameters = false;
	struct assay_error err = { 0 };
	struct trust *trust;
	int c, r, status;

	if (trust_new(&trust, &err) < 0)
		return command_failed(&command_check, &err);
	while ((c = command_option(&command_check, argc, argv, ":h", table, &status)) != -1) {
		r = 0;
		switch (c) {
		case OPT_MANIFEST:
			options.manifest = optarg;
			break;
		case OPT_ROOT:
			options.root = optarg;
			break;
		case OPT_CERT:
		case OPT_CA:
			certificates = true;
			r = add_certificate(trust, optarg,
					    c == OPT_CA ? TRUST_AUTHORITY : TRUST_SIGNER, &err);
			if (r < 0) {
				command_failed(&command_check, &err);
				trust_free(trust);
				return EXIT_UNREADABLE;
			}
			break;
		case OPT_SIGNATURE:
			options.signature = optarg;
			break;
		case OPT_REQUIRE:
			if (strcmp(optarg, checks[CHECK_PKCS7].name) == 0)
				options.need_pkcs7 = true;
			else if (strcmp(optarg, checks[CHECK_IMA].name) == 0)
				options.need_ima = true;
			else
				r = assay_fail(&err, EINVAL,
					       "--require takes pkcs7 or ima, not "
					       "'%s'",
					       optarg);
			break;
		case OPT_ACCEPT_FILE_SIGNATURE:
			options.accept_file_signature = true;
			break;
		case OPT_QUIET:
			options.quiet = true;
			break;
		case OPT_JSON:
			options.json = true;
			break;
		default:
			parameters = true;
			r = command_verity_option(c, optarg, &options.parameters, &err);
		}
		if (r < 0) {
			status = command_usage(&command_check, "%s", err.text);
			break;
		}
	}
	options.paths = argv + optind;
	options.path_count = (size_t)(argc - optind);
	if (status < 0 && !options.manifest && options.path_count == 0)
		status = command_usage(&command_check, "which files? Name some, or a --manifest");
	if (status < 0 && !certificates)
		status = command_usage(&command_check,
				       "whose signatures are good? Give --cert or --ca");
	if (status < 0 && options.manifest && (options.signature || parameters))
		status = command_usage(
			&command_check,
			"a manifest has signatures, hash, block size and salt: leave these out");
	if (status < 0 && options.accept_file_signature && !options.manifest)
		status = command_usage(&command_check, "--accept-file-signature needs --manifest");
	if (status < 0 && options.root && !options.manifest)
		status = command_usage(&command_check, "--root needs --manifest");
	if (status < 0 && options.signature && options.path_count != 1)
		status = command_usage(&command_check, "--signature is one file's");
	if (!options.root)
		options.root = "/";
	if (status < 0)
		status = check(&options, trust);
	trust_free(trust);
	return status;
}

const struct command command_check = {
	.name = "check",
	.summary = "check files and their signatures, without the kernel",
	.help = "Usage: assay check [OPTION]... --cert CERT.pem FILE...\n"
		"       assay check [OPTION]... --cert CERT.pem --manifest M [--root DIR] "
		"[PATH]...\n"
		"\n"
		"Computes the fs-verity digest of each file and checks the signatures of it with\n"
		"the certificates given: the built-in signature (PKCS#7) and IMA's (version 3).\n"
		"They come from the manifest, which then also says what the digest has to be and\n"
		"whose own signature (M.p7s) is checked; or from FILE.p7s, else FILE.sig, and\n"
		"from the file's security.ima, one of which has to be there. Needs no kernel\n"
		"support, no TPM and no privilege. Each file that is not good is named, with why,\n"
		"and the others are checked all the same.\n"
		"\n"
		"  --cert CERT.pem       a signer's certificate, PEM or DER; may be repeated\n"
		"  --ca CA.pem           a certificate that may also have issued the signer's, "
		"which\n"
		"                        is inside the signature then; may be repeated\n"
		"  --manifest M          check the files of this manifest, or the PATHs in it\n"
		"  --root DIR            where the manifest's paths begin (/)\n"
		"  --accept-file-signature\n"
		"                        the manifest may be signed as a file is, as earlier\n"
		"                        versions did: whoever had a file signed may have made it\n"
		"  --signature FILE      the built-in signature of the one file\n"
		"  --require pkcs7|ima   fail where this signature is not there; may be repeated\n"
		"  --hash sha256|sha512  hash algorithm, without a manifest (sha256)\n"
		"  --block-size N        bytes of a Merkle tree block, likewise (4096)\n"
		"  --salt HEX            up to 32 bytes, likewise (none)\n"
		"  --quiet               name only what is not good\n"
		"  --json                print one JSON object instead\n"
		"\n"
		"Exit status: 0 all good, 1 a file or the manifest's signature is not good,\n"
		"2 wrong usage, 3 the manifest or a certificate cannot be read.\n",
	.run = run_check,
};
