/* SPDX-License-Identifier: MIT */
/*
 * What the logs say, appraised: files, entries of IMA, signatures, the firmware's events. All
 * that these checks are given of evidence are logs that a quote proves. Only for lib/verify.
 */
#ifndef ASSAY_VERIFY_CONTENT_H
#define ASSAY_VERIFY_CONTENT_H

#include "verify/manifests.h"
#include "verify/proven.h"
#include "verify/tell.h"
#include "verify/input.h"

struct ima_tally;

/**
 * struct content - what is appraised, and by what
 * @policy, @state: as verify() was given them; @state is NULL where the log does not go on
 *                  from it
 * @certificates, @ima_certificates: of accepted signers
 * @manifests: NULL if manifest-signature did not pass
 * @assay, @ima, @firmware: logs that are proven; NULL for one that is not
 * @quoted: the PCRs that are
 * @assay_base: where in assay's log @assay begins; @assay_first: with which record
 * @ima_first: how many entries come before @ima, which a state has seen
 * @ima_aggregate: the boot_aggregate among these; size 0 if there is none
 * @unknown_files: among what a state has seen was an entry of IMA of a file that nobody knows
 * @mirrored: entries of IMA may be in what is before @assay; after ima-log-entries: or are in it
 * @seen, @seen_size: files-complete: struct verify_state's
 * @files: files-measured: how many
 * @complete: files-complete: struct verify_state's
 * @ima_tally: what became of IMA's entries; see ima_entries.c
 */
struct content {
	const struct verify_policy *policy;
	const struct verify_state *state;
	X509 *const *certificates;
	size_t certificate_count;
	X509 *const *ima_certificates;
	size_t ima_certificate_count;
	struct manifests *manifests;
	const struct proven_log *assay, *ima, *firmware;
	const struct quoted_pcrs *quoted;
	uint64_t assay_base, assay_first;
	uint64_t ima_first;
	struct assay_digest ima_aggregate;
	bool unknown_files, mirrored;
	uint8_t seen[VERIFY_STATE_SEEN];
	size_t seen_size;
	uint64_t files;
	struct assay_digest complete;
	struct ima_tally *ima_tally;
};

typedef enum check_result content_function(struct content *content, char *detail);

#define CHECK(...)
#define CONTENT(id, name, function, ...) content_function check_##function;
#include "verify/checks.def"
#undef CHECK
#undef CONTENT

/* files_observe(), ima_observe() - hand all records and files to an observer */
void files_observe(const struct content *content, const struct verify_observer *observer);
void ima_observe(const struct content *content, const struct verify_observer *observer);

/* ima_has_unknown() - was an entry of IMA of a file that nobody knows? As far as it was looked at
 */
bool ima_has_unknown(const struct content *content);

/* ima_tally_free() - does nothing with NULL */
void ima_tally_free(struct ima_tally *tally);

/*
 * policy_allows() - does the policy allow that file, although no manifest has it?
 * @path: as it was measured, or in IMA's form where @ima_form; .data may be NULL
 * @digest: of size 0 if there is none, which is allowed only where any digest is
 */
bool policy_allows(const struct verify_policy *policy, struct bytes path, bool ima_form,
		   const struct assay_digest *digest);

#endif /* ASSAY_VERIFY_CONTENT_H */
