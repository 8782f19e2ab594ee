// SPDX-License-Identifier: MIT
/* `assay sign`: what is signed, a directory or another source. */
#define _GNU_SOURCE
#include "sign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "source/composefs.h"
#include "source/contents.h"
#include "source/dpkg.h"

/* The most bytes of a list of files: some millions of them. */
#define LIST_MAX ((size_t)1 << 30)

static int out_of_memory(struct assay_error *err)
{
	return assay_fail(err, ENOMEM, "cannot sign: out of memory");
}

/* ---------------------------------------------------------------- a directory */

static bool add_listed(struct option_texts *names, const char *name)
{
	/* Room doubles whenever the count is a power of two. */
	if ((names->count & (names->count - 1)) == 0) {
		const char **list = reallocarray(names->list, names->count ? 2 * names->count : 1,
						 sizeof(*list));

		if (!list)
			return false;
		names->list = list;
	}
	names->list[names->count++] = name;
	return true;
}

static int read_list(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	const char separator = options->nul ? '\0' : '\n';
	char *at, *end;
	int r = file_read(options->list, LIST_MAX, &call->list, err);

	if (r < 0)
		return r;
	buffer_append_u8(&call->list, (uint8_t)separator);
	if (call->list.failed)
		return out_of_memory(err);
	at = (char *)call->list.data;
	end = at + call->list.size;
	while (at < end) {
		char *stop = memchr(at, separator, (size_t)(end - at));

		/* A NUL within a line would cut the path off, unseen. */
		if (!options->nul && memchr(at, '\0', (size_t)(stop - at)))
			return assay_fail(err, EINVAL,
					  "%s: there is a NUL in the list; is it for -0?",
					  options->list);
		*stop = '\0';
		if (stop > at && !add_listed(&call->listed, at))
			return out_of_memory(err);
		at = stop + 1;
	}
	return 0;
}

void sign_free_list(struct sign_call *call)
{
	free(call->listed.list);
	call->listed = (struct option_texts){ 0 };
	buffer_free(&call->list);
}

static struct tree_options tree_options(const struct sign_call *call)
{
	const struct sign_options *options = call->options;

	return (struct tree_options){
		.paths = options->list ?
				 (struct tree_names){ call->listed.list, call->listed.count } :
				 (struct tree_names){ (const char *const *)options->paths.list,
						      options->paths.count },
		.include = { options->include.list, options->include.count },
		.exclude = { options->exclude.list, options->exclude.count },
		.list = options->list != NULL,
	};
}

/* How much there is, for the time left: only where somebody looks at it. */
static int count_files(struct sign_call *call, struct assay_error *err)
{
	struct tree_options options = tree_options(call);
	struct tree_item item;
	enum tree_kind kind;
	struct tree *tree;
	int r;

	if (!call->progress.terminal)
		return 0;
	options.closed = true;
	r = tree_open(call->options->root, &options, &tree, err);
	if (r < 0)
		return r;
	while (!sign_interrupted && (kind = tree_next(tree, &item, NULL)) != TREE_END) {
		if (kind == TREE_FILE && !sign_run_is_signature(&call->work, item.path)) {
			call->progress.total++;
			call->progress.total_bytes += (uint64_t)item.stat.st_size;
		}
		free(item.path);
	}
	tree_close(tree);
	return 0;
}

static int open_directory(struct sign_call *call, struct assay_error *err)
{
	struct tree_options options;
	int r = 0;

	if (call->options->list)
		r = read_list(call, err);
	if (r == 0)
		r = count_files(call, err);
	if (r < 0)
		return r;
	options = tree_options(call);
	r = call->options->composefs ?
		    source_composefs(call->options->root, &options, &call->options->parameters,
				     &call->run.source, err) :
		    source_tree(call->options->root, &options, &call->run.source, err);
	sign_free_list(call);
	return r;
}

/* ---------------------------------------------------------------- other sources */

static struct tree_names names_of(const struct option_texts *texts)
{
	return (struct tree_names){ texts->list, texts->count };
}

static int open_dpkg(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	const struct dpkg_options dpkg = {
		.root = sign_root(options),
		.admindir = options->admindir,
		.packages = { (const char *const *)options->paths.list, options->paths.count },
		.include = names_of(&options->include),
		.exclude = names_of(&options->exclude),
		.configuration = options->conffiles,
		.changed = options->changed,
	};

	return source_dpkg(&dpkg, &call->run.source, err);
}

static int open_contents(struct sign_call *call, struct assay_error *err)
{
	const struct sign_options *options = call->options;
	const struct contents_options contents = {
		.parameters = &options->parameters,
		.include = names_of(&options->include),
		.exclude = names_of(&options->exclude),
		.files = { (const char *const *)options->paths.list, options->paths.count },
		.conffiles = options->conffiles,
		.image = !options->oci	? NULL :
			 options->image ? options->image :
					  "",
	};

	return source_contents(&contents, &call->run.source, err);
}

const char *sign_source_name(const struct sign_options *options)
{
	return options->dpkg	  ? "dpkg" :
	       options->deb	  ? "deb" :
	       options->oci	  ? "oci" :
	       options->composefs ? "composefs" :
				    "directory";
}

const char *sign_root(const struct sign_options *options)
{
	return options->root ? options->root : options->dpkg ? "/" : NULL;
}

bool sign_is_archive(const struct sign_options *options)
{
	return options->deb || options->oci;
}

static const char *check_archive(const struct sign_options *options)
{
	if (options->root || options->list)
		return "with --deb and --oci, --root and --files-from have no meaning";
	if (options->detached || options->xattr || options->incremental)
		return "with --deb and --oci signatures go to the manifest alone";
	if (options->deb && options->paths.count == 0)
		return "which packages? Name their files";
	if (options->oci && options->paths.count != 1)
		return "which image? Name one layout's directory, or one archive";
	return NULL;
}

const char *sign_check_source(const struct sign_options *options)
{
	if (options->conffiles && !options->dpkg && !options->deb)
		return "--conffiles is for --dpkg and --deb";
	if (options->dpkg + options->deb + options->oci + options->composefs > 1)
		return "--dpkg, --deb, --oci and --composefs exclude each other";
	if (sign_is_archive(options))
		return check_archive(options);
	if (!sign_root(options))
		return "--root DIR is needed";
	if (options->dpkg && (options->paths.count > 0) == options->all)
		return "which packages? Name some, or give --all";
	return NULL;
}

int sign_open_source(struct sign_call *call, struct assay_error *err)
{
	const char *root = sign_root(call->options);

	if (sign_is_archive(call->options))
		return open_contents(call, err);
	call->work.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (call->work.root_fd < 0)
		return assay_fail(err, errno, "cannot open the directory %s: %s", root,
				  strerror(errno));
	return call->options->dpkg ? open_dpkg(call, err) : open_directory(call, err);
}
