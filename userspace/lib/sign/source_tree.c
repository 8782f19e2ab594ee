// SPDX-License-Identifier: MIT
#include "sign/source.h"

#include <errno.h>
#include <stdlib.h>

struct source_of_tree {
	struct source source;
	struct tree *tree;
};

static enum source_kind next_of_tree(struct source *source, struct source_item *ret,
				     struct assay_error *err)
{
	static const enum source_kind kinds[] = {
		[TREE_END] = SOURCE_END,
		[TREE_FILE] = SOURCE_FILE,
		[TREE_SKIPPED] = SOURCE_SKIPPED,
		[TREE_FAILED] = SOURCE_FAILED,
	};
	struct tree_item item;
	enum tree_kind kind = tree_next(((struct source_of_tree *)source)->tree, &item, err);

	ret->path = item.path;
	ret->fd = item.fd;
	ret->stat = item.stat;
	return kinds[kind];
}

static void close_tree(struct source *source)
{
	tree_close(((struct source_of_tree *)source)->tree);
	free(source);
}

int source_tree(const char *root, const struct tree_options *options, struct source **ret,
		struct assay_error *err)
{
	static const struct source_type type = { next_of_tree, close_tree };
	struct source_of_tree *of = calloc(1, sizeof(*of));
	int r;

	if (!of)
		return assay_fail(err, ENOMEM, "cannot read the directory: out of memory");
	of->source.type = &type;
	r = tree_open(root, options, &of->tree, err);
	if (r < 0) {
		free(of);
		return r;
	}
	*ret = &of->source;
	return 0;
}
