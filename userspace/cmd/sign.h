/* SPDX-License-Identifier: MIT */
/* `assay sign`: what its two ways have in common, with a key and in two steps. */
#ifndef ASSAY_CMD_SIGN_H
#define ASSAY_CMD_SIGN_H

#include <signal.h>
#include <time.h>

#include "base/progress.h"
#include "cmd.h"
#include "sign/delegate.h"
#include "sign/sign_run.h"
#include "signer_options.h"

enum signature_kinds { KINDS_PKCS7, KINDS_IMA, KINDS_BOTH };

/* @prepare, @attach: of signing in two steps; @attach of no files: the first of them */
struct sign_options {
	struct signer_source key, also;
	const char *certificate, *also_certificate, *root, *manifest, *incremental, *list, *prepare;
	const char *delegate_certificate, *product, *provenance, *builder, *admindir, *image;
	struct option_texts include, exclude, attach;
	struct operands paths;
	struct verity_parameters parameters;
	unsigned int jobs;
	enum signature_kinds kinds;
	bool kinds_given, nul, delegate, detached, xattr, no_resume, json;
	bool accept_file_signature, dpkg, all, conffiles, changed, composefs, deb, oci;
};

/**
 * struct sign_steps - of signing in two steps
 * @signatures: those that are there
 * @prepared: what was prepared; NULL in the first step
 * @recorder: keeps what the delegate signs
 * @wanting: what has no signature is taken note of in @wanted, whose bytes are in @wanted_bytes;
 *           else it is an error
 * @items: how many things are to be signed now
 */
struct sign_steps {
	struct signatures *signatures;
	struct prepared *prepared;
	struct signer *recorder;
	X509 *unsigned_certificate;
	bool wanting;
	struct prepared_item wanted;
	struct buffer wanted_bytes;
	size_t items;
};

/**
 * struct sign_call - one call of the command
 * @key: the signing key; @delegate: its delegate, with --delegate; @work has the one that
 *       signs files
 * @also: a second key, which signs the manifest besides; NULL: none
 * @list: text of the list of files; @listed: where the paths in it begin
 * @failed: paths that could not be signed; with one of them the manifest stays partial
 * @notes: how much the source told besides
 */
struct sign_call {
	const struct sign_options *options;
	struct sign_work work;
	struct sign_run run;
	struct sign_steps steps;
	struct signer *key, *also, *delegate;
	X509 *certificate, *also_certificate, *delegate_certificate;
	enum delegate_memory delegate_memory;
	struct manifest_header header;
	struct buffer list;
	struct option_texts listed;
	struct progress progress;
	struct timespec start;
	json_t *failed;
	uint64_t notes;
};

/* A signal told to end: what was begun is finished. */
extern volatile sig_atomic_t sign_interrupted;

/* The first of two steps, and the second. */
static inline bool sign_is_first_step(const struct sign_options *options)
{
	return options->prepare && options->attach.count == 0;
}

static inline bool sign_is_second_step(const struct sign_options *options)
{
	return options->attach.count > 0;
}

/* sign_open_signers() - the keys and their certificates, and the manifest's header */
int sign_open_signers(struct sign_call *call, struct assay_error *err);

/*
 * sign_set_kinds() - which signatures are made: what the places that were named can hold, if
 * nothing is said
 * @prepared: of the second step; or NULL
 */
void sign_set_kinds(struct sign_work *work, const struct sign_options *options,
		    const struct prepared *prepared);

/* sign_begin_work() - @call->work is complete, with the delegate, if there is to be one */
int sign_begin_work(struct sign_call *call, struct assay_error *err);

/* sign_check_source() - what the table of options cannot say of the source; NULL: nothing is wrong
 */
const char *sign_check_source(const struct sign_options *options);

/* sign_is_archive() - are the files in archives, which are not unpacked? */
bool sign_is_archive(const struct sign_options *options);

/* sign_source_name() - which kind of source it is */
const char *sign_source_name(const struct sign_options *options);

/* sign_root() - the directory that paths begin in */
const char *sign_root(const struct sign_options *options);

/* sign_open_source() - where the files come from, in @call->run.source */
int sign_open_source(struct sign_call *call, struct assay_error *err);

/* sign_free_list() - what --files-from had */
void sign_free_list(struct sign_call *call);

/* sign_steps_open() - the "key" that has the signatures that are there, and the header */
int sign_steps_open(struct sign_call *call, struct assay_error *err);

/* sign_steps_delegate() - the delegate, made in the first step, certified in the second */
int sign_steps_delegate(struct sign_call *call, struct assay_error *err);

/* sign_steps_begin() - what comes last before the run; @call->work is complete */
int sign_steps_begin(struct sign_call *call, struct assay_error *err);

/*
 * sign_steps_end() - what follows the run: the list of what is to be signed, or the manifest
 * Return: 0; -EINPROGRESS where the manifest itself is to be signed now, and the list says so
 */
int sign_steps_end(struct sign_call *call, struct assay_error *err);

void sign_steps_free(struct sign_steps *steps);

/*
 * sign_print_end() - what came of it, on standard output; what failed once more, on standard error
 * @good: all of it was done
 */
int sign_print_end(const struct sign_call *call, bool good, struct assay_error *err);

/* sign_provenance() - write what the manifest that was committed comes of, as --provenance says */
int sign_provenance(const struct sign_call *call, struct assay_error *err);

/* sign_builder_uri() - an option_function of a const char *: --builder-id */
int sign_builder_uri(void *place, const char *value, struct assay_error *err);

#endif /* ASSAY_CMD_SIGN_H */
