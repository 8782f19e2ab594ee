// SPDX-License-Identifier: MIT
#include "verify/manifests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "log/ima.h"
#include "sign/manifest_signature.h"

/**
 * struct verified_manifest - a manifest whose signature was found good
 * @text_digest: SHA-256 of its text
 * @spaced: the files whose path has a space, which IMA writes otherwise, in the order of
 *          ima_name_compare(); @spaced_count of them
 */
struct verified_manifest {
	struct manifest *manifest;
	struct assay_digest text_digest;
	const struct manifest_file **spaced;
	size_t spaced_count;
};

struct manifests {
	size_t count, owned_count;
	struct verified_manifest **owned;
	const struct verified_manifest **list;
};

static struct bytes path_bytes(const char *path)
{
	return BYTES((const uint8_t *)path, strlen(path));
}

/* ---------------------------------------------------------------- one */

static int compare_spaced(const void *a, const void *b)
{
	const struct manifest_file *const *first = a, *const *second = b;

	return ima_name_compare(path_bytes((*first)->path), path_bytes((*second)->path));
}

static int index_spaced(struct verified_manifest *verified, struct assay_error *err)
{
	const struct manifest *manifest = verified->manifest;
	size_t count = 0;

	for (size_t i = 0; i < manifest->count; i++)
		count += strchr(manifest->files[i].path, ' ') != NULL;
	if (count == 0)
		return 0;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
	verified->spaced = calloc(count, sizeof(*verified->spaced));
	if (!verified->spaced)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < manifest->count; i++)
		if (strchr(manifest->files[i].path, ' '))
			verified->spaced[verified->spaced_count++] = &manifest->files[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
	qsort(verified->spaced, count, sizeof(*verified->spaced), compare_spaced);
	return 0;
}

static int read_verified(const struct verify_manifest *manifest, struct verified_manifest *ret,
			 struct assay_error *err)
{
	int r = manifest_parse(manifest->text, manifest->name, &ret->manifest, err);

	if (r == 0)
		r = digest_bytes(ASSAY_HASH_SHA256, manifest->text, &ret->text_digest, err);
	if (r == 0)
		r = index_spaced(ret, err);
	return r;
}

int verified_manifest_new(const struct verify_manifest *manifest, X509 *const *certificates,
			  size_t count, unsigned int flags, struct verified_manifest **ret,
			  struct assay_error *err)
{
	struct verified_manifest *verified;
	/* The signature first: what is not signed is not parsed. */
	int r = manifest_verify_any(manifest->text, manifest->name, manifest->signature,
				    certificates, count, flags, err);

	if (r < 0)
		return r;
	verified = calloc(1, sizeof(*verified));
	if (!verified)
		return assay_fail(err, ENOMEM, "out of memory");
	r = read_verified(manifest, verified, err);
	if (r < 0) {
		verified_manifest_free(verified);
		return r;
	}
	*ret = verified;
	return 0;
}

void verified_manifest_free(struct verified_manifest *manifest)
{
	if (!manifest)
		return;
	manifest_free(manifest->manifest);
	free(manifest->spaced);
	free(manifest);
}

const struct manifest *verified_manifest_read(const struct verified_manifest *manifest)
{
	return manifest->manifest;
}

const struct assay_digest *verified_manifest_digest(const struct verified_manifest *manifest)
{
	return &manifest->text_digest;
}

/* ---------------------------------------------------------------- all of a verdict */

int manifests_new(const struct verify_input *input, unsigned int flags, struct manifests **ret,
		  struct assay_error *err)
{
	struct manifests *manifests = calloc(1, sizeof(*manifests));
	int r = 0;

	if (manifests) {
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
		manifests->owned = calloc(input->manifest_count + 1, sizeof(*manifests->owned));
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
		manifests->list = calloc(input->manifest_count + 1, sizeof(*manifests->list));
	}
	if (!manifests || !manifests->owned || !manifests->list)
		r = assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < input->manifest_count; i++) {
		const struct verify_manifest *given = &input->manifests[i];
		struct verified_manifest *verified = NULL;

		if (!given->verified) {
			r = verified_manifest_new(given, input->certificates,
						  input->certificate_count, flags, &verified, err);
			if (r == 0)
				manifests->owned[manifests->owned_count++] = verified;
		}
		if (r == 0)
			manifests->list[manifests->count++] = verified ? verified : given->verified;
	}
	if (r < 0) {
		manifests_free(manifests);
		return r;
	}
	*ret = manifests;
	return 0;
}

void manifests_free(struct manifests *manifests)
{
	if (!manifests)
		return;
	for (size_t i = 0; i < manifests->owned_count; i++)
		verified_manifest_free(manifests->owned[i]);
	free(manifests->owned);
	free(manifests->list);
	free(manifests);
}

size_t manifests_count(const struct manifests *manifests)
{
	return manifests->count;
}

const struct manifest *manifests_get(const struct manifests *manifests, size_t index)
{
	return manifests->list[index]->manifest;
}

int manifests_digest(const struct manifests *manifests, struct assay_digest *ret,
		     struct assay_error *err)
{
	struct bytes *pieces = calloc(manifests->count + 1, sizeof(*pieces));
	int r;

	if (!pieces)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < manifests->count; i++)
		pieces[i] = BYTES(manifests->list[i]->text_digest.bytes,
				  manifests->list[i]->text_digest.size);
	r = digest_pieces(ASSAY_HASH_SHA256, pieces, manifests->count, ret, err);
	free(pieces);
	return r;
}

/* ---------------------------------------------------------------- looking up */

bool manifest_path(const struct verify_policy *policy, struct bytes path, bool ima_form,
		   char ret[static MANIFEST_PATH_MAX])
{
	size_t length = policy->prefix ? strlen(policy->prefix) : 0;
	struct bytes prefix, wanted;

	while (length > 0 && policy->prefix[length - 1] == '/')
		length--;
	if (!path.data || !bytes_take(&path, length, &prefix))
		return false;
	wanted = BYTES((const uint8_t *)policy->prefix, length);
	if (length > 0 &&
	    (ima_form ? ima_name_compare(prefix, wanted) != 0 : !bytes_equal(prefix, wanted)))
		return false;
	if (path.size == 0 || path.size >= MANIFEST_PATH_MAX || path.data[0] != '/' ||
	    memchr(path.data, '\0', path.size))
		return false;
	memcpy(ret, path.data, path.size);
	ret[path.size] = '\0';
	return true;
}

static void look_at(struct looked_up *found, const struct manifest_file *file,
		    const struct assay_digest *digest)
{
	found->names++;
	if (verity_digest_equal(&file->digest, digest)) {
		found->result = LOOK_UP_MATCH;
	} else if (found->result == LOOK_UP_NONE) {
		found->result = LOOK_UP_DIFFERS;
		found->expected = &file->digest;
		found->package = file->package;
	}
}

/* All files whose path has a space and which IMA writes as @path. */
static void look_at_spaced(struct looked_up *found, const struct verified_manifest *verified,
			   struct bytes path, const struct assay_digest *digest)
{
	size_t low = 0, high = verified->spaced_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ima_name_compare(path_bytes(verified->spaced[middle]->path), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < verified->spaced_count &&
	       ima_name_compare(path_bytes(verified->spaced[low]->path), path) == 0;
	     low++)
		if (!bytes_equal(path_bytes(verified->spaced[low]->path), path))
			look_at(found, verified->spaced[low], digest);
}

struct looked_up manifests_look_up(const struct manifests *manifests,
				   const struct verify_policy *policy, struct bytes path,
				   bool ima_form, const struct assay_digest *digest)
{
	struct looked_up found = { .result = LOOK_UP_NONE };
	char wanted[MANIFEST_PATH_MAX];

	if (!manifest_path(policy, path, ima_form, wanted))
		return found;
	for (size_t i = 0; i < manifests->count; i++) {
		const struct verified_manifest *verified = manifests->list[i];
		const struct manifest_file *file = manifest_find(verified->manifest, wanted);

		if (file)
			look_at(&found, file, digest);
		if (ima_form)
			look_at_spaced(&found, verified, path_bytes(wanted), digest);
	}
	if (found.result == LOOK_UP_MATCH)
		found.expected = NULL, found.package = NULL;
	return found;
}

/* ---------------------------------------------------------------- for a state */

uint64_t manifests_newest(const struct manifests *manifests, const char *product)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < manifests->count; i++) {
		const struct manifest_header *header = &manifests->list[i]->manifest->header;
		uint64_t created;

		if (strcmp(header->product, product) == 0 && utc_parse(header->created, &created) &&
		    created > newest)
			newest = created;
	}
	return newest;
}

bool manifests_keep_created(const struct manifests *manifests, struct verify_state *state)
{
	bool room = true;

	for (size_t i = 0; i < manifests->count; i++) {
		const struct manifest_header *header = &manifests->list[i]->manifest->header;
		uint64_t created;
		size_t at = 0;

		if (!utc_parse(header->created, &created))
			continue;
		while (at < state->manifest_count &&
		       strcmp(state->manifests[at].product, header->product) != 0)
			at++;
		if (at == VERIFY_STATE_PRODUCTS) {
			room = false;
			continue;
		}
		if (at == state->manifest_count) {
			state->manifest_count++;
			memcpy(state->manifests[at].product, header->product,
			       sizeof(header->product));
		}
		if (created > state->manifests[at].created)
			state->manifests[at].created = created;
	}
	return room;
}
