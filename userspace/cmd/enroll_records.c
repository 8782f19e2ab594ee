// SPDX-License-Identifier: MIT
/* The verifier's two steps of an enrolment, with its records and its files of certificates. */
#include "enroll.h"

#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "enroll/store.h"

#define SECONDS_A_DAY 86400
#define LIST_MAX_SIZE (128U << 20) /* bytes of a list of endorsement keys */

CLEANUP_POINTER(struct store, store_close, store_close);

static int read_known(const struct option_texts *paths, struct ek_list *known,
		      struct assay_error *err)
{
	for (size_t i = 0; i < paths->count; i++) {
		CLEANUP(buffer_free) struct buffer text = { 0 };
		int r = file_read(paths->list[i], LIST_MAX_SIZE, &text, err);

		if (r == 0)
			r = ek_list_parse(buffer_bytes(&text), paths->list[i], known, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_request(const struct enroll_verifier *verifier,
			 const struct enroll_request *request, struct enroll_challenge *ret,
			 struct enroll_pending *ret_pending,
			 struct chain_revocation *ret_revocation, struct assay_error *err)
{
	struct chain_trust trust;
	struct ek_list known = { 0 };
	int r = trust_files_read(&verifier->trust, (uint64_t)time(NULL), &trust, err);

	if (r == 0)
		r = read_known(&verifier->known, &known, err);
	if (r == 0)
		r = enroll_challenge(request, &trust, &known,
				     (uint64_t)verifier->days * SECONDS_A_DAY, ret, ret_pending,
				     ret_revocation, err);
	trust_files_free(&trust);
	ek_list_free(&known);
	return r;
}

/* Told early; what counts is the same question once the answer is there. */
static int check_free(const struct enroll_verifier *verifier, const struct store *store,
		      const struct enroll_request *request, struct assay_error *err)
{
	struct tpm_public ek;
	struct assay_digest key;
	int r = tpm_public_parse(buffer_bytes(&request->ek_public), &ek, err);

	if (r == 0)
		r = tpm_public_key_digest(&ek, &key, err);
	return r < 0 ? r : store_check(store, request->machine_id, &key, verifier->replace, err);
}

static int keep_challenge(const struct enroll_verifier *verifier,
			  const struct enroll_request *request,
			  const struct enroll_pending *pending, struct assay_error *err)
{
	CLEANUP(store_close_pointer) struct store *store = NULL;
	int r = store_open(verifier->records, &store, err);

	if (r == 0)
		r = check_free(verifier, store, request, err);
	return r == 0 ? store_add_pending(store, pending, (uint64_t)time(NULL), err) : r;
}

int enroll_make_challenge(const struct enroll_verifier *verifier,
			  const struct enroll_request *request, struct enroll_challenge *ret,
			  struct chain_revocation *ret_revocation, struct assay_error *err)
{
	CLEANUP(enroll_pending_free) struct enroll_pending pending = { 0 };
	struct enroll_challenge challenge = { 0 };
	int r = check_request(verifier, request, &challenge, &pending, ret_revocation, err);

	if (r == 0)
		r = keep_challenge(verifier, request, &pending, err);
	if (r < 0) {
		enroll_challenge_free(&challenge);
		return r;
	}
	*ret = challenge;
	return 0;
}

int enroll_take_answer(const struct enroll_verifier *verifier, const struct enroll_answer *answer,
		       struct device_record *ret, char **ret_path, struct assay_error *err)
{
	CLEANUP(enroll_pending_free) struct enroll_pending pending = { 0 };
	CLEANUP(device_record_free) struct device_record record = { 0 };
	CLEANUP(store_close_pointer) struct store *store = NULL;
	CLEANUP(free_pointer) char *path = NULL;
	int r = store_open(verifier->records, &store, err);

	if (r == 0)
		r = store_find_pending(store, answer->id, &pending, err);
	if (r == 0)
		r = enroll_accept(answer, &pending, (uint64_t)time(NULL), &record, err);
	if (r == 0)
		r = store_add(store, &record, verifier->replace, &path, err);
	if (r == 0)
		r = store_drop_pending(store, &pending, err);
	if (r < 0)
		return r;
	*ret = record;
	*ret_path = path;
	record = (struct device_record){ 0 };
	path = NULL;
	return 0;
}

int enroll_check_trust(const struct command *command, const struct enroll_verifier *verifier)
{
	if (verifier->trust.roots.count > 0 || verifier->known.count > 0)
		return COMMAND_GO;
	return command_usage(command, "missing option: --roots or --ek-hashes");
}

void enroll_verifier_free(struct enroll_verifier *verifier)
{
	trust_paths_free(&verifier->trust);
	option_texts_free(&verifier->known);
}
