// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "source/composefs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verity/digest.h"

#define OBJECTS "/objects/"
#define BLOCK_SIZE 4096

struct source_of_composefs {
	struct source source, *files;
	enum assay_hash hash;
};

bool composefs_digest(const char *path, enum assay_hash hash, struct assay_digest *ret)
{
	const size_t digits = 2 * assay_hash_size(hash), size = digits + 1;
	const size_t length = strlen(path), before = strlen(OBJECTS);
	char text[ASSAY_DIGEST_TEXT_MAX];
	const char *name;
	char *out;

	if (digits == 0 || length < before + size)
		return false;
	name = path + length - size;
	if (strncmp(name - before, OBJECTS, before) != 0 || name[2] != '/')
		return false;
	out = mempcpy(stpcpy(stpcpy(text, assay_hash_name(hash)), ":"), name, 2);
	stpcpy(out, name + 3);
	return verity_digest_parse(text, ret) == 0;
}

static enum source_kind next_of_composefs(struct source *source, struct source_item *ret,
					  struct assay_error *err)
{
	struct source_of_composefs *of = (struct source_of_composefs *)source;
	enum source_kind kind;

	while ((kind = source_next(of->files, ret, err)) == SOURCE_FILE &&
	       !composefs_digest(ret->path, of->hash, &ret->expected)) {
		close(ret->fd);
		free(ret->path);
	}
	return kind;
}

static void close_composefs(struct source *source)
{
	source_close(((struct source_of_composefs *)source)->files);
	free(source);
}

int source_composefs(const char *root, const struct tree_options *options,
		     const struct verity_parameters *parameters, struct source **ret,
		     struct assay_error *err)
{
	static const struct source_type type = { next_of_composefs, close_composefs };
	struct source_of_composefs *of;
	int r;

	if (parameters->block_size != BLOCK_SIZE || parameters->salt_size > 0)
		return assay_fail(err, EINVAL,
				  "composefs names objects by their digest with blocks of %d bytes "
				  "and no salt: leave --block-size and --salt out",
				  BLOCK_SIZE);
	of = calloc(1, sizeof(*of));
	if (!of)
		return assay_fail(err, ENOMEM, "cannot read the directory: out of memory");
	of->source.type = &type;
	of->hash = parameters->hash;
	r = source_tree(root, options, &of->files, err);
	if (r < 0) {
		free(of);
		return r;
	}
	*ret = &of->source;
	return 0;
}
