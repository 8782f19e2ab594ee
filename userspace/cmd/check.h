/* SPDX-License-Identifier: MIT */
/*
 * `assay check`, in three parts: what comes of a file's digest and signatures
 * (check_file.c), how it is printed (check_print.c), and which files are looked at (check.c).
 */
#ifndef ASSAY_CMD_CHECK_H
#define ASSAY_CMD_CHECK_H

#include "cmd.h"
#include "sign/manifest.h"
#include "sign/trust.h"
#include "verity/pool.h"

struct check_options {
	const char *manifest, *root, *signature;
	struct operands paths;
	struct option_texts certificates, authorities;
	struct verity_parameters parameters;
	bool need_pkcs7, need_ima, accept_file_signature, quiet, json;
	unsigned int jobs;
};

enum check_result { CHECK_NOT_MADE, CHECK_PASSED, CHECK_FAILED };

/**
 * struct check_finding - what came of one check of a file
 * @signer: the subject of the certificate whose signature it is; or NULL
 * @err: why it failed, or was not made
 */
struct check_finding {
	enum check_result result;
	char *signer;
	struct assay_error err;
};

enum { CHECK_DIGEST, CHECK_PKCS7, CHECK_IMA, CHECK_COUNT };

/* What a manifest's entry says of a file. */
struct check_expected {
	struct assay_digest digest;
	uint64_t size;
	struct buffer pkcs7, ima;
};

/**
 * struct check_item - a file that is being checked
 * @listed: there is an entry of a manifest, @expected; else its signatures are beside it
 * @unopened: why its descriptor is -1; not set where it is not
 * @findings: what came of it
 */
struct check_item {
	bool listed;
	struct check_expected expected;
	struct assay_error unopened;
	struct check_finding findings[CHECK_COUNT];
};

/* check_finding_set() - of a check whose result is @r; @signer may be NULL */
void check_finding_set(struct check_finding *finding, int r, X509 *signer);

/*
 * check_file() - look at a file whose digest was computed; for several threads at a time
 * @trust: whose signatures are good
 * @item: its @findings are empty, and are filled in
 */
void check_file(const struct check_options *options, const struct trust *trust,
		const struct verity_job *job, struct check_item *item);
/* check_item_clear() - free what it has; it may be another file's then */
void check_item_clear(struct check_item *item);
bool check_findings_good(const struct check_finding *findings);

/* check_print_file() - what is not good, to standard error; what is, unless it is --quiet */
void check_print_file(const struct check_options *options, const struct verity_job *job,
		      const struct check_finding *findings);

/* check_print_file_json() - as an object of the array; @first: nothing was printed in it yet */
int check_print_file_json(const struct verity_job *job, const struct check_finding *findings,
			  bool first, struct assay_error *err);

/* check_print_manifest_json() - what there is of it, `, "manifests": [...], "manifest_check": ...`
 */
void check_print_manifest_json(const struct manifest_header *header,
			       const struct check_finding *finding);

#endif /* ASSAY_CMD_CHECK_H */
