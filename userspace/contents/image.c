// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "image_blob.h"
#include "verity/digest.h"

/* What says which layers there are, in bytes at most; layers of an image, at most. */
#define JSON_MAX ((size_t)1 << 22)
#define LAYERS_MAX 1024
/* Indexes in each other, at most. */
#define INDEXES_MAX 4

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

struct reading {
	struct unpack *unpack;
	const struct image_source *source;
};

/* ---------------------------------------------------------------- JSON */

static int read_json(const struct reading *reading, const char *path,
		     const struct assay_digest *digest, bool array, json_t **ret,
		     struct assay_error *err)
{
	struct buffer text = { 0 };
	struct image_blob blob;
	int r = blob_open(reading->source, path, digest, &blob, err);

	if (r < 0)
		return r;
	r = unpack_text(blob.archive, blob.name, JSON_MAX, &text, err);
	if (r == 0 && blob.hash)
		EVP_DigestUpdate(blob.hash, text.data, text.size);
	if (r == 0)
		r = blob_check(&blob, err);
	if (r == 0)
		r = (array ? json_parse_array : json_parse)(buffer_bytes(&text), blob.name, ret,
							    err);
	buffer_free(&text);
	blob_close(&blob);
	return r;
}

/* The digest of a descriptor, and where its blob is. */
static int read_digest(const struct reading *reading, const json_t *descriptor,
		       struct assay_digest *ret, char path[static 96], struct assay_error *err)
{
	const char *text;
	int r = json_get_string(descriptor, "digest", reading->source->name, &text, err);

	if (r < 0)
		return r;
	if (verity_digest_parse(text, ret) < 0 || ret->hash != ASSAY_HASH_SHA256)
		return assay_fail(err, EBADMSG, "%s: a digest is not \"sha256:\" and 64 digits",
				  reading->source->name);
	snprintf(path, 96, "blobs/sha256/%s", text + strlen("sha256:"));
	return 0;
}

/* ---------------------------------------------------------------- which image */

static bool is_named(const json_t *descriptor, const char *wanted)
{
	const json_t *names = json_object_get(descriptor, "annotations");
	const char *name = json_string_value(
			   json_object_get(names, "org.opencontainers.image.ref.name")),
		   *digest = json_string_value(json_object_get(descriptor, "digest"));

	return (name && strcmp(name, wanted) == 0) || (digest && strcmp(digest, wanted) == 0);
}

static bool has_tag(const json_t *image, const char *wanted)
{
	const json_t *tags = json_object_get(image, "RepoTags"), *tag;
	size_t i;

	json_array_foreach(tags, i, tag)
		if (json_is_string(tag) && strcmp(json_string_value(tag), wanted) == 0)
			return true;
	return false;
}

/* What stands beside images and is none: how they were built. */
static bool is_no_image(const json_t *descriptor)
{
	const char *architecture = json_string_value(
		json_object_get(json_object_get(descriptor, "platform"), "architecture"));

	return architecture && strcmp(architecture, "unknown") == 0;
}

/* The one of a list that is wanted; of one alone no name is needed. */
static int choose(const struct reading *reading, const json_t *list,
		  bool (*matches)(const json_t *item, const char *wanted), const json_t **ret,
		  struct assay_error *err)
{
	const char *wanted = reading->source->wanted;
	size_t i, found = 0, images = 0;
	const json_t *item, *only = NULL;
	char shown[200];

	json_array_foreach(list, i, item) {
		if (!json_is_object(item) || is_no_image(item))
			continue;
		images++;
		only = item;
		if (wanted[0] != '\0' && matches(item, wanted) && ++found == 1)
			*ret = item;
	}
	if (found == 1)
		return 0;
	/* An index of one index is named by who wants an image of the inner one. */
	if (found == 0 && images == 1 && (wanted[0] == '\0' || json_object_get(only, "digest"))) {
		*ret = only;
		return 0;
	}
	if (found > 1 || wanted[0] == '\0')
		return assay_fail(err, images == 0 ? ENOENT : ENOTUNIQ,
				  "%s: there are %zu images in it%s", reading->source->name, images,
				  images > 0 ? ": say which with --image, by its tag or the "
					       "digest of its manifest" :
					       "");
	return assay_fail(
		err, ENOENT, "%s: there is no image %s in it", reading->source->name,
		text_escape(BYTES((const uint8_t *)wanted, strlen(wanted)), shown, sizeof(shown)));
}

/* ---------------------------------------------------------------- layers */

/* A whiteout takes away what layers below have; nothing of its own layer. */
static int apply_whiteout(struct reading *reading, const char *path, struct assay_error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *target;
	int r;

	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	if (strcmp(name, OPAQUE) == 0)
		name = "";
	else
		name += strlen(WHITEOUT);
	if (asprintf(&target, "%.*s%s", (int)(slash ? slash + 1 - path : 0), path, name) < 0)
		return assay_fail(err, ENOMEM, "out of memory");
	r = *name ? merged_remove(reading->unpack->merged, target, err) :
		    merged_empty(reading->unpack->merged, target[0] ? target : "/", err);
	free(target);
	return r;
}

static bool is_whiteout(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash ? slash + 1 : path, WHITEOUT, strlen(WHITEOUT)) == 0;
}

static int apply_members(struct reading *reading, struct archive *archive, const char *name,
			 bool whiteouts, struct assay_error *err)
{
	struct archive_entry *entry;
	int r;

	while ((r = unpack_next(archive, name, &entry, err)) == 1) {
		const char *path = archive_entry_pathname(entry);

		if (!path)
			return assay_fail(err, EBADMSG, "%s: a member has no name", name);
		if (whiteouts)
			r = apply_whiteout(reading, path, err);
		else if (!is_whiteout(path))
			r = unpack_member(reading->unpack, archive, entry, NULL, name, err);
		if (r < 0)
			return r;
	}
	return r;
}

/* Whiteouts first, wherever they stand: what they take away is below. */
static int apply_layer(struct reading *reading, const char *path, const struct assay_digest *digest,
		       struct assay_error *err)
{
	int r = 0;

	for (int step = 0; r == 0 && step < 2; step++) {
		struct archive *archive;
		struct image_blob blob;

		r = blob_open(reading->source, path, digest, &blob, err);
		if (r == -ENOENT && err->code != ENOENT)
			return assay_fail(err, ENOENT, "%s: there is no layer %s in it",
					  reading->source->name, path);
		if (r < 0)
			return r;
		r = unpack_open_within(blob.archive, blob.name, blob.hash, &archive, err);
		if (r == 0) {
			r = apply_members(reading, archive, blob.name, step == 0, err);
			archive_read_free(archive);
		}
		if (r == 0)
			r = blob_check(&blob, err);
		blob_close(&blob);
	}
	return r;
}

static int check_count(const struct reading *reading, const json_t *layers, struct assay_error *err)
{
	if (json_array_size(layers) > 0 && json_array_size(layers) <= LAYERS_MAX)
		return 0;
	return assay_fail(err, EBADMSG, "%s: an image has %zu layers, not 1 to %d",
			  reading->source->name, json_array_size(layers), LAYERS_MAX);
}

static int apply_manifest(struct reading *reading, const json_t *manifest, struct assay_error *err)
{
	const json_t *layers = json_object_get(manifest, "layers"), *layer;
	int r = check_count(reading, layers, err);
	struct assay_digest digest;
	char path[96];
	size_t i;

	json_array_foreach(layers, i, layer) {
		if (r == 0)
			r = read_digest(reading, layer, &digest, path, err);
		if (r == 0)
			r = apply_layer(reading, path, &digest, err);
	}
	return r;
}

/* ---------------------------------------------------------------- the forms */

static int read_layout(struct reading *reading, json_t *index, struct assay_error *err)
{
	json_t *object = json_incref(index);
	int r = 0;

	for (int depth = 0; r == 0 && json_object_get(object, "manifests"); depth++) {
		const json_t *descriptor = NULL;
		struct assay_digest digest;
		json_t *inner = NULL;
		char path[96];

		if (depth == INDEXES_MAX)
			r = assay_fail(err, EBADMSG, "%s: there are too many indexes in each other",
				       reading->source->name);
		if (r == 0)
			r = choose(reading, json_object_get(object, "manifests"), is_named,
				   &descriptor, err);
		if (r == 0)
			r = read_digest(reading, descriptor, &digest, path, err);
		if (r == 0)
			r = read_json(reading, path, &digest, false, &inner, err);
		if (r == -ENOENT && !reading->source->directory && err->code != ENOENT)
			r = assay_fail(err, ENOENT, "%s: there is no %s in it",
				       reading->source->name, path);
		json_decref(object);
		object = inner;
	}
	if (r == 0)
		r = apply_manifest(reading, object, err);
	json_decref(object);
	return r;
}

static int read_saved(struct reading *reading, const json_t *list, struct assay_error *err)
{
	const json_t *image, *layers, *layer;
	size_t i;
	int r = choose(reading, list, has_tag, &image, err);

	if (r < 0)
		return r;
	layers = json_object_get(image, "Layers");
	r = check_count(reading, layers, err);
	json_array_foreach(layers, i, layer) {
		if (r == 0 && !json_is_string(layer))
			r = assay_fail(err, EBADMSG, "%s: the name of a layer is no string",
				       reading->source->name);
		if (r == 0)
			r = apply_layer(reading, json_string_value(layer), NULL, err);
	}
	return r;
}

int image_read(struct unpack *unpack, const struct image_source *source, struct assay_error *err)
{
	struct reading reading = { unpack, source };
	json_t *object = NULL;
	int r = -ENOENT;

	/* Of an archive with both, the older is the one that all programs take. */
	if (!source->directory)
		r = read_json(&reading, "manifest.json", NULL, true, &object, err);
	if (r == 0) {
		r = read_saved(&reading, object, err);
	} else if (r == -ENOENT) {
		*err = (struct assay_error){ 0 };
		r = read_json(&reading, "index.json", NULL, false, &object, err);
		if (r == -ENOENT)
			r = assay_fail(
				err, ENOENT, "%s: it is no image: there is no index.json in it%s",
				source->name, source->directory ? "" : ", and no manifest.json");
		if (r == 0)
			r = read_layout(&reading, object, err);
	}
	json_decref(object);
	return r;
}
