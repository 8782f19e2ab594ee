// SPDX-License-Identifier: MIT
/* `assay enable`: fs-verity on, with signatures, for the files of a manifest. */
#define _GNU_SOURCE
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/json.h"
#include "base/progress.h"
#include "sign/ima_sig.h"
#include "sign/manifest.h"
#include "sign/tree.h"
#include "verity/enable.h"

struct enable_options {
	const char *manifest, *certificate, *root;
	bool json;
};

/**
 * struct enable_run - one call of the command
 * @stream: the manifest, where it is read from its file
 * @text: the manifest, where it is held in memory (--cert)
 */
struct enable_run {
	const struct enable_options *options;
	FILE *stream;
	struct buffer text;
	int root_fd;
	struct progress progress;
	uint64_t files, enabled, already, ima_set, ima_already, ima_skipped, failures;
	json_t *failed;
};

static int set_ima(struct enable_run *run, int fd, struct bytes value, const char *name,
		   struct assay_error *err)
{
	uint8_t present[IMA_SIG_MAX];
	ssize_t size = fgetxattr(fd, IMA_SIG_XATTR, present, sizeof(present));
	int code;

	if (size >= 0 && bytes_equal(BYTES(present, (size_t)size), value)) {
		run->ima_already++;
		return 0;
	}
	if (fsetxattr(fd, IMA_SIG_XATTR, value.data, value.size, 0) == 0) {
		run->ima_set++;
		return 0;
	}
	code = errno;
	if (code == EOPNOTSUPP) {
		/* One note for all, at the end: it is the file system's matter. */
		run->ima_skipped++;
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

static int enable_open_file(struct enable_run *run, int fd,
			    const struct verity_parameters *parameters,
			    const struct manifest_entry *entry, const char *name,
			    struct assay_error *err)
{
	struct assay_digest digest;
	bool already;
	int r = check_size(fd, entry, name, err);

	if (r < 0)
		return r;
	/* Asked first: on a read-only file system, enabling fails for what is on already, too. */
	already = verity_measure(fd, name, &digest, err) == 0;
	if (!already) {
		r = verity_enable(fd, parameters, entry->pkcs7, name, err);
		if (r == 0 || r == -EEXIST)
			r = verity_measure(fd, name, &digest, err);
		if (r < 0)
			return r;
	}
	if (!verity_digest_equal(&digest, &entry->digest)) {
		char is[VERITY_TEXT_MAX], wanted[VERITY_TEXT_MAX];

		return assay_fail(
			err, EKEYREJECTED,
			"%s is not the file that was signed: the kernel has the fs-verity "
			"digest %s, the manifest %s",
			name, verity_digest_text(&digest, is),
			verity_digest_text(&entry->digest, wanted));
	}
	if (already)
		run->already++;
	else
		run->enabled++;
	return set_ima(run, fd, entry->ima, name, err);
}

static int enable_file(void *context, const struct manifest_header *header,
		       const struct manifest_entry *entry, struct assay_error *err)
{
	struct enable_run *run = context;
	struct assay_error why = { 0 };
	json_t *item;
	char name[512];
	int fd, r;

	run->files++;
	progress_update(&run->progress, run->files);
	text_escape(BYTES((const uint8_t *)entry->path, strlen(entry->path)), name, sizeof(name));
	/* O_NONBLOCK: do not wait for a FIFO's writer, only to refuse it then. */
	r = fd = tree_open_beneath(run->root_fd, entry->path,
				   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, name, &why);
	if (fd >= 0) {
		r = enable_open_file(run, fd, &header->parameters, entry, name, &why);
		close(fd);
	}
	if (r >= 0)
		return 0;
	run->failures++;
	progress_end(&run->progress);
	command_failed(&command_enable, &why);
	if (!run->failed)
		return 0;
	item = json_pack("{s:o, s:s}", "path",
			 json_escaped(BYTES((const uint8_t *)entry->path, strlen(entry->path))),
			 "error", why.text);
	if (json_array_append_new(run->failed, item) < 0)
		return assay_fail(err, ENOMEM, "cannot go on: out of memory");
	return 0;
}

/* It stays in memory, so that what was verified is what is used. */
static int open_verified(struct enable_run *run, struct assay_error *err)
{
	const struct enable_options *options = run->options;
	struct buffer signature = { 0 };
	X509 *certificate = NULL;
	int r;

	r = certificate_load(options->certificate, &certificate, err);
	if (r == 0)
		r = manifest_read_signed(options->manifest, &run->text, &signature, err);
	if (r == 0)
		r = manifest_verify(buffer_bytes(&run->text), options->manifest,
				    buffer_bytes(&signature), certificate, err);
	X509_free(certificate);
	buffer_free(&signature);
	return r;
}

static int open_manifest(struct enable_run *run, struct assay_error *err)
{
	if (run->options->certificate)
		return open_verified(run, err);
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
		printf("verity is on for %" PRIu64 " of %" PRIu64 " files (%" PRIu64
		       " were on already), " IMA_SIG_XATTR " set on %" PRIu64 "\n",
		       run->enabled + run->already, run->files, run->already,
		       run->ima_set + run->ima_already);
		return 0;
	}
	object = json_pack("{s:b, s:s, s:I, s:I, s:I, s:{s:I, s:I, s:I}, s:O}", "ok",
			   run->failures == 0, "manifest", run->options->manifest, "files",
			   (json_int_t)run->files, "enabled", (json_int_t)run->enabled, "already",
			   (json_int_t)run->already, "ima", "set", (json_int_t)run->ima_set,
			   "already", (json_int_t)run->ima_already, "skipped",
			   (json_int_t)run->ima_skipped, "failed", run->failed);
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
		r = read_manifest(run, NULL, err);
	if (r == 0)
		r = read_manifest(run, enable_file, err);
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
	enum { OPT_MANIFEST = 256, OPT_CERT, OPT_ROOT, OPT_JSON };
	static const struct option table[] = {
		{ "manifest", required_argument, NULL, OPT_MANIFEST },
		{ "cert", required_argument, NULL, OPT_CERT },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "json", no_argument, NULL, OPT_JSON },
		COMMAND_HELP_OPTION,
		{ 0 },
	};
	struct enable_options options = { .root = "/" };
	struct enable_run run = { .options = &options, .root_fd = -1 };
	struct assay_error err = { 0 };
	int c, r, status;

	while ((c = command_option(&command_enable, argc, argv, ":h", table, &status)) != -1) {
		switch (c) {
		case OPT_MANIFEST:
			options.manifest = optarg;
			break;
		case OPT_CERT:
			options.certificate = optarg;
			break;
		case OPT_ROOT:
			options.root = optarg;
			break;
		case OPT_JSON:
			options.json = true;
			break;
		}
	}
	if (status >= 0)
		return status;
	if (!options.manifest)
		return command_usage(&command_enable, "--manifest is needed");
	if (optind < argc)
		return command_usage(&command_enable, "'%s' is one word too many", argv[optind]);
	progress_begin(&run.progress, "enabling", 0);
	r = enable_all(&run, &err);
	status = r < 0 ? command_failed(&command_enable, &err) : command_flush(&command_enable);
	if (run.stream)
		fclose(run.stream);
	buffer_free(&run.text);
	if (run.root_fd >= 0)
		close(run.root_fd);
	json_decref(run.failed);
	return status;
}

const struct command command_enable = {
	.name = "enable",
	.summary = "turn verity on, with its signature, for the files of a manifest",
	.help = "Usage: assay enable --manifest M [OPTION]...\n"
		"\n"
		"Turns fs-verity on for each file of the manifest with the signature in it, and\n"
		"sets security.ima to the file's IMA signature. The kernel checks the signature\n"
		"with the certificates in its .fs-verity keyring ('assay key load'). Files that\n"
		"have verity with the same digest already are fine. A file that fails is named,\n"
		"and the others are done all the same.\n"
		"\n"
		"  --manifest M     manifest to read\n"
		"  --cert CERT.pem  check the manifest's own signature (M.p7s) with this first\n"
		"  --root DIR       where the manifest's paths begin (/)\n"
		"  --json           print the summary as a JSON object\n"
		"\n"
		"Exit status: 0 all done, 1 a file failed or the manifest is not good,\n"
		"2 wrong usage.\n",
	.run = run_enable,
};
