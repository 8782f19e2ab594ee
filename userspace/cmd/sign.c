// SPDX-License-Identifier: MIT
/* `assay sign`: files signed; to a signed manifest, to detached signatures, to the xattr. */
#define _GNU_SOURCE
#include "sign.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/json.h"
#include "base/work.h"
#include "sign/manifest_signature.h"

/* How many notes of a source are told. */
#define NOTES_MAX 20

/* All is signed but the manifest, which is to be next. */
#define EXIT_NEXT_STEP 3

volatile sig_atomic_t sign_interrupted;

static void interrupt(int number)
{
	sign_interrupted = number;
}

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

/* ---------------------------------------------------------------- on the way */

/* Says on standard error what happened to a file; goes on. */
static int note_failed(void *context, const char *path, const struct assay_error *why,
		       struct assay_error *err)
{
	struct sign_call *call = context;
	json_t *item;

	progress_end(&call->progress);
	command_failed(&command_sign, why);
	item = json_pack("{s:o, s:s}", "path",
			 json_escaped(BYTES((const uint8_t *)path, strlen(path))), "error",
			 why->text);
	return json_array_append_new(call->failed, item) == 0 ? 0 : out_of_memory(err);
}

static void note_skipped(void *context, const struct source_item *item)
{
	struct sign_call *call = context;
	char shown[512];

	/* There are many links, and what they name is signed by itself. */
	if (S_ISLNK(item->stat.st_mode))
		return;
	progress_end(&call->progress);
	fprintf(stderr, "%s sign: skipped %s: it is not a regular file\n",
		program_invocation_short_name,
		text_escape(BYTES((const uint8_t *)item->path, strlen(item->path)), shown,
			    sizeof(shown)));
}

/* What the source tells, as long as somebody will read it; the summary has the numbers. */
static void note_noted(void *context, const char *path, const struct assay_error *what)
{
	struct sign_call *call = context;

	(void)path;
	if (call->notes++ > NOTES_MAX)
		return;
	progress_end(&call->progress);
	fprintf(stderr, "%s sign: %s\n", program_invocation_short_name,
		call->notes <= NOTES_MAX ? what->text : "more of these are not told");
}

static void note_done(void *context, uint64_t files, uint64_t bytes)
{
	progress_update_bytes(&((struct sign_call *)context)->progress, files, bytes);
}

static bool is_interrupted(void *context)
{
	(void)context;
	return sign_interrupted != 0;
}

/* ---------------------------------------------------------------- one call */

static void free_call(struct sign_call *call)
{
	sign_work_end(&call->work);
	source_close(call->run.source);
	manifest_writer_free(call->run.writer);
	prepared_writer_free(call->run.list);
	reuse_close(call->run.older);
	sign_steps_free(&call->steps);
	if (call->delegate)
		call->delegate->close(call->delegate);
	if (call->key)
		call->key->close(call->key);
	if (call->also)
		call->also->close(call->also);
	X509_free(call->also_certificate);
	X509_free(call->delegate_certificate);
	X509_free(call->certificate);
	if (call->work.root_fd >= 0)
		close(call->work.root_fd);
	sign_free_list(call);
	json_decref(call->failed);
}

static int open_manifests(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	X509 *const signers[] = { call->certificate, call->also_certificate };
	int r = 0;

	if (options->incremental)
		r = reuse_open(options->incremental, REUSE_SIGNED, &call->header, signers,
			       call->also ? 2 : 1,
			       options->accept_file_signature ? MANIFEST_ACCEPT_FILE_SIGNATURE : 0,
			       &call->run.older, err);
	if (r == 0 && options->manifest)
		r = manifest_writer_open(options->manifest, &call->header, call->certificate,
					 !options->no_resume, &call->run.writer, err);
	if (r == 0 && call->also)
		manifest_writer_also(call->run.writer, call->also, call->also_certificate);
	return r;
}

static int begin_call(struct sign_call *call, struct assay_error *err)
{
	int r;

	call->run.work = &call->work;
	call->run.threads = call->options->jobs;
	call->run.events = (struct sign_events){ call,	     note_failed, note_skipped,
						 note_noted, note_done,	  is_interrupted };
	if (!call->failed)
		return out_of_memory(err);
	call->work.detached = call->options->detached;
	r = sign_open_signers(call, err);
	if (r == 0)
		r = sign_open_source(call, err);
	if (r == 0)
		r = open_manifests(call, err);
	if (r == 0)
		r = sign_begin_work(call, err);
	return r;
}

static int no_file(const struct sign_options *options, struct assay_error *err)
{
	if (sign_is_archive(options))
		return assay_fail(err, ENOENT, "there is no file to sign in %s",
				  options->paths.list[0]);
	if (options->dpkg)
		return assay_fail(err, ENOENT, "these packages have no file to sign in %s",
				  sign_root(options));
	return assay_fail(err, ENOENT, "there is no regular file below %s%s%s", options->root,
			  options->paths.count > 0 ? " at the paths given" : "",
			  options->include.count + options->exclude.count > 0 ?
				  " that --include and --exclude leave" :
				  "");
}

/* All of it, but for what is printed at the end. */
static int sign_all(struct sign_call *call, struct assay_error *err)
{
	int r = sign_run_files(&call->run, err);

	progress_end(&call->progress);
	if (r == -ENOENT)
		return no_file(call->options, err);
	if (r == 0 && call->options->prepare)
		return sign_steps_end(call, err);
	if (r < 0 || !call->run.writer)
		return r;
	r = manifest_writer_commit(call->run.writer, call->work.signer, call->work.certificate,
				   call->work.delegated, err);
	if (r == 0 && call->options->provenance)
		r = sign_provenance(call, err);
	return r;
}

static int sign_files(const struct sign_options *options)
{
	struct sign_call call = { .options = options, .failed = json_array(), .work.root_fd = -1 };
	struct assay_error err = { 0 }, output = { 0 };
	int r, status = EXIT_OK;
	bool began;

	clock_gettime(CLOCK_MONOTONIC, &call.start);
	progress_begin(&call.progress, "signing", 0);
	r = begin_call(&call, &err);
	began = r == 0;
	if (r == 0)
		r = sign_all(&call, &err);
	progress_end(&call.progress);
	if (r < 0) {
		status = command_failed(&command_sign, &err);
		if (r == -EINPROGRESS)
			status = EXIT_NEXT_STEP;
		manifest_writer_leave(call.run.writer);
	}
	if (began && sign_print_end(&call, r == 0, &output) < 0)
		status = command_failed(&command_sign, &output);
	if (status == EXIT_OK)
		status = command_flush(&command_sign);
	free_call(&call);
	return status;
}

/* ---------------------------------------------------------------- the call */

/* What the table of options cannot say; NULL: nothing is wrong */
static const char *check_options(const struct sign_options *options)
{
	struct sign_work work = { 0 };

	sign_set_kinds(&work, options, NULL);
	if (!options->key.key && !options->prepare)
		return "--key KEY is needed";
	if (!options->manifest && !options->detached && !options->xattr)
		return "where are the signatures to go? --manifest, --detached or --xattr is "
		       "needed";
	if (options->provenance && options->prepare)
		return "--provenance and --prepare exclude each other";
	if (options->provenance && !options->builder)
		return "--provenance needs --builder-id URI, who vouches for it";
	if (options->also_certificate && options->prepare)
		return "--also-key and --prepare exclude each other";
	if (options->also_certificate && !options->manifest)
		return "--also-key is for --manifest";
	if (options->dpkg && options->list)
		return "--dpkg and --files-from exclude each other";
	if (options->list && options->paths.count > 0)
		return "PATHs and --files-from exclude each other";
	if (options->detached && !work.pkcs7)
		return "--detached is for pkcs7 signatures";
	if (options->xattr && !work.ima)
		return "--xattr is for ima signatures";
	return sign_check_source(options);
}

/* A directory a level is open, and files in flight besides. */
static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND };
	struct sigaction before;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

static int run_sign(int argc, char **argv)
{
	struct sign_options options = { .parameters = VERITY_PARAMETERS_DEFAULT,
					.key.notice = signer_notice,
					.also.notice = signer_notice };
	int status = command_parse(&command_sign, argc, argv, &options, &options.paths);
	const char *wrong = status == COMMAND_GO ? check_options(&options) : NULL;

	if (wrong) {
		status = command_usage(&command_sign, "%s", wrong);
	} else if (status == COMMAND_GO) {
		allow_descriptors();
		catch_signals();
		status = sign_files(&options);
	}
	option_texts_free(&options.include);
	option_texts_free(&options.exclude);
	option_texts_free(&options.attach);
	/* Let those who wait for us see why we end. */
	if (sign_interrupted)
		raise(sign_interrupted);
	return status;
}

/* clang-format off */
static const struct option_row sign_rows[] = {
	OPTION_HEADING("Key:"),
	OPTION_ROWS_SIGNER_IF(struct sign_options, key, false),
	{ "cert", 'c', "CERT.pem", "the key's certificate; needs a subject key id",
	  OPTION_INPUT(struct sign_options, certificate), .required = true },
	{ "delegate", 0, NULL,
	  "ask KEY for one signature only: it certifies a key that lives as long as the run and "
	  "signs the files. The kernel takes these with CERT.pem alone, IMA does not",
	  OPTION_FLAG(struct sign_options, delegate) },
	{ "delegate-cert", 0, "FILE", "write that key's certificate (for IMA's keyring)",
	  OPTION_OUTPUT(struct sign_options, delegate_certificate), .needs = "delegate" },
	{ "also-key", 0, "KEY2",
	  "a second key, which signs the manifest besides; both signatures have to be good then. ML-DSA "
	  "(OpenSSL 3.5) or another kind than KEY is what it is for",
	  OPTION_INPUT(struct sign_options, also.key), .needs = "also-cert" },
	{ "also-cert", 0, "CERT2.pem", "that key's certificate",
	  OPTION_INPUT(struct sign_options, also_certificate), .needs = "also-key" },
	{ "also-passphrase-file", 0, "FILE", "that key's passphrase, password or PIN",
	  OPTION_INPUT(struct sign_options, also.passphrase_file), .needs = "also-key" },
	{ "prepare", 0, "FILE",
	  "KEY is elsewhere: write what is to be signed to FILE, and sign nothing. With --attach: FILE "
	  "is what it wrote",
	  OPTION_OUTPUT(struct sign_options, prepare), .excludes = "key" },
	{ "attach", 0, "SIGNATURES",
	  "take signatures made elsewhere: JSON Lines, or one as it is where one was asked for; with "
	  "the options that --prepare had; may be given several times",
	  OPTION_INPUTS(struct sign_options, attach), .needs = "prepare" },
	OPTION_HEADING("Files:"),
	{ "root", 'r', "DIR", "paths begin here: DIR/usr/x is /usr/x ('/' with --dpkg)",
	  OPTION_DIRECTORY(struct sign_options, root) },
	{ "files-from", 0, "LIST",
	  "sign the files that LIST ('-': standard input) names, one a line, and nothing else; "
	  "directories in it are skipped",
	  OPTION_INPUT(struct sign_options, list) },
	{ "null", '0', NULL, "the names in LIST end in NUL",
	  OPTION_FLAG(struct sign_options, nul), .needs = "files-from" },
	{ "include", 0, "PATTERN",
	  "only files that match, or lie in a directory that does",
	  OPTION_TEXTS(struct sign_options, include) },
	{ "exclude", 0, "PATTERN",
	  "not those; both may be given several times. A PATTERN with a '/' is of the whole path, "
	  "one without of a name",
	  OPTION_TEXTS(struct sign_options, exclude) },
	OPTION_HEADING("Installed packages:"),
	{ "dpkg", 0, NULL,
	  "sign the files of the Debian PACKAGEs that are installed in DIR, but for configuration files; "
	  "the manifest names each file's package",
	  OPTION_FLAG(struct sign_options, dpkg) },
	{ "all", 0, NULL, "of all packages", OPTION_FLAG(struct sign_options, all),
	  .needs = "dpkg" },
	{ "admindir", 0, "DBDIR", "dpkg's database (DIR/var/lib/dpkg)",
	  OPTION_DIRECTORY(struct sign_options, admindir), .needs = "dpkg" },
	{ "conffiles", 0, NULL, "sign configuration files, too: nobody can edit them then",
	  OPTION_FLAG(struct sign_options, conffiles) },
	{ "changed", 0, NULL, "sign as they are files that were changed since they were installed",
	  OPTION_FLAG(struct sign_options, changed), .needs = "dpkg" },
	OPTION_HEADING("Other sources:"),
	{ "composefs", 0, NULL,
	  "sign the objects of composefs repositories (objects/ab/cdef...), each of which must be what its "
	  "name says; other files are left out",
	  OPTION_FLAG(struct sign_options, composefs), .excludes = "dpkg" },
	{ "deb", 0, NULL,
	  "sign the files that are in the Debian packages FILE.deb..., without unpacking them, but for "
	  "configuration files",
	  OPTION_FLAG(struct sign_options, deb), .excludes = "dpkg" },
	{ "oci", 0, NULL,
	  "sign the files of a container's image, all layers merged: IMAGE is the directory of an OCI image "
	  "layout, or an archive as 'docker save' and 'podman save' write it",
	  OPTION_FLAG(struct sign_options, oci), .excludes = "deb" },
	{ "image", 0, "NAME", "which image of several: its tag, or the digest of its manifest",
	  OPTION_TEXT(struct sign_options, image), .needs = "oci" },
	OPTION_HEADING("What was signed before:"),
	{ "incremental", 0, "OLD",
	  "do not read files again that are as OLD, a manifest of the same signer, has them (size, "
	  "mtime, ctime, inode)",
	  OPTION_INPUT(struct sign_options, incremental), .needs = "manifest" },
	{ "accept-file-signature", 0, NULL,
	  "OLD may be signed as a file is, as earlier versions did",
	  OPTION_FLAG(struct sign_options, accept_file_signature), .needs = "incremental" },
	OPTION_HEADING("Signatures:"),
	{ "manifest", 'o', "OUT", "manifest to write; its own signature goes to OUT.p7s",
	  OPTION_OUTPUT(struct sign_options, manifest), .replaces = "incremental",
	  .beside = ".p7s" },
	{ "product", 0, "TEXT",
	  "say in the manifest what the files are of, for verifiers that accept the manifests of "
	  "some products only",
	  OPTION_TEXT(struct sign_options, product), .needs = "manifest" },
	{ "provenance", 0, "FILE",
	  "write SLSA provenance of the manifest, an in-toto statement in a DSSE envelope that the same "
	  "key signs",
	  OPTION_OUTPUT(struct sign_options, provenance), .needs = "manifest" },
	{ "builder-id", 0, "URI", "who runs this, and vouches for the provenance",
	  OPTION_FUNCTION(struct sign_options, builder, sign_builder_uri), .needs = "provenance" },
	{ "detached", 0, NULL, "write FILE.sig beside each FILE, as 'fsverity sign' does",
	  OPTION_FLAG(struct sign_options, detached) },
	{ "xattr", 0, NULL, "set security.ima of each file",
	  OPTION_FLAG(struct sign_options, xattr) },
	{ "signatures", 0, "pkcs7|ima|both",
	  "which kinds (what the places above can hold; pkcs7 with --delegate)",
	  OPTION_CHOICE(struct sign_options, kinds),
	  OPTION_GIVEN(struct sign_options, kinds_given) },
	{ "no-resume", 0, NULL, "forget what an interrupted run left",
	  OPTION_FLAG(struct sign_options, no_resume) },
	OPTION_ROWS_VERITY(struct sign_options, parameters),
	OPTION_HEADING("Other:"),
	OPTION_ROW_JOBS(struct sign_options, jobs, WORK_THREADS_MAX),
	OPTION_ROW_JSON(struct sign_options, json),
	OPTION_END,
};
/* clang-format on */

const struct command command_sign = {
	.name = "sign",
	.summary = "sign files, and write the signed manifest of them",
	.usage = "--key KEY --cert CERT.pem --root DIR --manifest OUT [OPTION]... [PATH]...\n"
		 "--key KEY --cert CERT.pem --dpkg --manifest OUT [OPTION]... --all|PACKAGE...\n"
		 "--key KEY --cert CERT.pem --deb --manifest OUT [OPTION]... FILE.deb...\n"
		 "--key KEY --cert CERT.pem --oci --manifest OUT [OPTION]... IMAGE\n"
		 "--prepare FILE [--attach SIGNATURES] --cert CERT.pem --root DIR --manifest OUT",
	.intro = "Computes the fs-verity digest of each regular file below DIR, or below the\n"
		 "PATHs in it, and signs it for fs-verity (PKCS#7) and for IMA (version 3). With\n"
		 "--manifest all goes to the manifest OUT, and OUT's own signature to OUT.p7s.\n"
		 "Symbolic links are not followed, special files are skipped, further hard links\n"
		 "of a file get the first one's signatures. A file that cannot be read, or\n"
		 "changes while it is, is named, and the others are signed all the same; then\n"
		 "OUT is not written, and what was done stays in OUT.partial, as it does when the\n"
		 "run is interrupted: the same command goes on from there.\n",
	.options = sign_rows,
	.operands = "[PATH|PACKAGE|FILE.deb|IMAGE]...",
	.operands_max = SIZE_MAX,
	.epilogue = "Exit status: 0 done, 1 a file failed or nothing could be done, 2 wrong usage, "
		    "3 with\n"
		    "--attach: the manifest itself is to be signed next.\n",
	.run = run_sign,
};
