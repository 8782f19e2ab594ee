/* SPDX-License-Identifier: MIT */
/* Inside libassay-verify: what is behind the handles of assay-verify.h. Nobody else includes this.
 */
#ifndef ASSAY_VERIFY_LIBRARY_INTERNAL_H
#define ASSAY_VERIFY_LIBRARY_INTERNAL_H

#include <openssl/err.h>
#include <stdatomic.h>

#include "assay-verify.h"
#include "base/cleanup.h"
#include "verify/kept_key.h"
#include "verify/manifests.h"
#include "verify/policy.h"

/* All else of the library is hidden. */
#define PUBLIC __attribute__((visibility("default")))

/*
 * KEEP_CALLERS_ERRORS - first in every public function that may call OpenSSL: what it leaves
 * in the thread's queue of errors is taken out when the function returns.
 */
#define KEEP_CALLERS_ERRORS         \
	CLEANUP(library_errors_end) \
	__attribute__((unused)) int errors_of_the_caller = ERR_set_mark()

static inline void library_errors_end(const int *mark)
{
	(void)mark;
	(void)ERR_pop_to_mark();
}

/**
 * struct assay_manifest - a manifest and who signed it
 * @holders: the program, and the policies that have it
 * @signer: the certificate that it was verified by
 */
struct assay_manifest {
	atomic_uint holders;
	struct verified_manifest *verified;
	X509 *signer;
	char *name;
};

/* struct library_file - a file that a policy names; @name is the policy's */
struct library_file {
	const char *name;
	enum assay_policy_use use;
	bool supplied;
};

struct library_certificates {
	X509 **list;
	size_t count;
};

/* struct assay_ak is a name for programs: it is a struct kept_key. */
static inline struct assay_ak *library_ak(struct kept_key *key)
{
	return (struct assay_ak *)key;
}

static inline struct kept_key *library_kept_key(struct assay_ak *ak)
{
	return (struct kept_key *)ak;
}

/**
 * struct assay_verdict - a verdict, which nobody changes once it is made
 * @files, @records: arrays of struct kept_file and struct assay_verify_record
 * @state: as state_to_bytes(); of size 0 if it is not trusted
 */
struct assay_verdict {
	struct verdict verdict;
	struct buffer files, records, paths, state;
};

/* library_read_state() - as bytes, or as JSON; 0 or -EBADMSG, -ENOMEM */
int library_read_state(struct bytes state, struct verify_state *ret, struct assay_error *err);

/**
 * struct assay_policy - a policy with all that it compares with
 * @references: what stands for it as it is now: see struct verify_input
 * @ak_trust: whose certificates of attestation keys are believed; without roots: nobody's
 * @inputs: for verify(): a row for each of @manifests, of which the policy is a holder
 */
struct assay_policy {
	struct policy policy;
	struct library_file *files;
	size_t file_count;
	struct library_certificates signers, ima_signers;
	struct chain_trust ak_trust;
	struct assay_manifest **manifests;
	struct verify_manifest *inputs;
	size_t manifest_count;
	struct assay_digest references;
};

/* library_is_trust() - is it of those that certify attestation keys? */
bool library_is_trust(enum assay_policy_use use);

/*
 * library_trust_add() - all of a file, for a use of which that is so
 * The times of revocation lists are not looked at: no clock is asked, and each verdict has one.
 * Where it fails, what came before the fault is in @trust.
 *
 * Return: 0; -EBADMSG, -E2BIG, -ENOMEM
 */
int library_trust_add(struct chain_trust *trust, enum assay_policy_use use, struct bytes data,
		      const char *name, struct assay_error *err);
void library_trust_free(struct chain_trust *trust);

static inline struct bytes library_borrow(struct assay_verify_bytes bytes)
{
	return BYTES(bytes.data, bytes.size);
}

/* library_all_zero() - of reserved members */
bool library_all_zero(const uint64_t *reserved, size_t count);
#define ALL_ZERO(array) library_all_zero(array, sizeof(array) / sizeof((array)[0]))

/*
 * library_failed() - the end of a public function that failed
 * Return: @error, or ASSAY_VERIFY_ERROR_MEMORY where that is what failed
 */
enum assay_verify_error library_failed(enum assay_verify_error error, const struct assay_error *err,
				       struct assay_verify_message *message);

/* library_refused() - the same with a sentence of its own */
enum assay_verify_error library_refused(enum assay_verify_error error,
					struct assay_verify_message *message, const char *format,
					...) __attribute__((format(printf, 3, 4)));

#endif /* ASSAY_VERIFY_LIBRARY_INTERNAL_H */
