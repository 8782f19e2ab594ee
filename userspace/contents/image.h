/* SPDX-License-Identifier: MIT */
/*
 * Images of containers: a directory with an OCI image layout (index.json, blobs/), or the tar
 * archive that `docker save` and `podman save` write (manifest.json, or an image layout in it).
 *
 * https://github.com/opencontainers/image-spec: image-layout.md, layer.md ("Whiteouts").
 */
#ifndef ASSAY_CONTENTS_IMAGE_H
#define ASSAY_CONTENTS_IMAGE_H

#include "unpack.h"

/**
 * struct image_source - where it is
 * @fd: of the tar archive; -1: the archive is @text
 * @directory: it is one, whose files are had from @opener
 * @opener: to who opens them; @file: its number there (opener.h)
 * @name: names it in errors
 * @wanted: which image of several: a tag, or "sha256:HEX" of its manifest; "": the only one
 */
struct image_source {
	int fd, opener;
	unsigned int file;
	bool directory;
	struct bytes text;
	const char *name, *wanted;
};

/*
 * image_read() - put the files of all layers of an image into the root, which is empty
 *
 * Each blob of an image layout has to have the digest that it is named by.
 *
 * Return: 0; -ENOENT where there is no such image; -ENOTUNIQ where there are several; -EBADMSG for
 * what is none, or not as its digest says; -E2BIG for one that unpacks to too much
 */
int image_read(struct unpack *unpack, const struct image_source *source, struct assay_error *err);

#endif /* ASSAY_CONTENTS_IMAGE_H */
