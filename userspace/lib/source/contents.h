/* SPDX-License-Identifier: MIT */
/*
 * A source of files that lie in archives: the program assay-contents reads these, and says which
 * files are in them. It is not trusted with more than that: what it says is read strictly.
 *
 * JSON Lines, in this order:
 *
 *	{"assay":1,"type":"contents","hash":"sha256","block_size":4096,"salt":"HEX"}
 *	{"path":"/usr/bin/x","size":1234,"digest":"sha256:HEX","package":"x","version":"1",
 *	 "architecture":"all"}
 *	{"end":1,"configuration_files":0}
 *
 * files sorted by the bytes of the path, the last line with how many there were; package, version
 * and architecture all or none. For commands that sign.
 */
#ifndef ASSAY_SOURCE_CONTENTS_H
#define ASSAY_SOURCE_CONTENTS_H

#include <jansson.h>
#include <stdio.h>

#include "sign/source.h"
#include "verity/parameters.h"

#define CONTENTS_PROGRAM "assay-contents"

/* contents_header() - the first line; NULL without memory. json_decref() it. */
json_t *contents_header(const struct verity_parameters *parameters);
int contents_parse_header(const json_t *object, const char *what, struct verity_parameters *ret,
			  struct assay_error *err);

/* contents_check_path() - as manifests want it; -EBADMSG and why */
int contents_check_path(const char *path, struct assay_error *err);

/**
 * struct contents_options - what is read
 * @parameters: of the digests
 * @include, @exclude: as for struct tree_options
 * @files: packages (.deb), or one image, by path
 * @conffiles: configuration files of packages, too
 * @image: which image of several, "" for the only one; NULL: @files are packages
 */
struct contents_options {
	const struct verity_parameters *parameters;
	struct tree_names include, exclude, files;
	bool conffiles;
	const char *image;
};

/*
 * source_contents() - start the program, and take what it says
 *
 * Return: 0; -ENOENT where the program is not installed; else why it cannot be started. What it
 * finds wrong it tells itself, and source_next() then fails.
 */
int source_contents(const struct contents_options *options, struct source **ret,
		    struct assay_error *err);

/*
 * source_contents_stream() - the same of what was said
 * @stream: the source's from now on, also where it fails
 */
int source_contents_stream(FILE *stream, const struct contents_options *options,
			   struct source **ret, struct assay_error *err);

#endif /* ASSAY_SOURCE_CONTENTS_H */
