// SPDX-License-Identifier: MIT
#include "log/ima_ascii.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for foreign text in an error. */
#define FOREIGN_TEXT 160

typedef unsigned long long ull;

/* A template by what follows its path, if anything does. */
enum tail {
	TAIL_NONE,
	TAIL_SIGNATURE,
	TAIL_BUFFER,
};

static const struct {
	const char *name;
	bool algorithm; /* in front of the digest */
	enum tail tail;
} templates[] = {
	{ "ima", false, TAIL_NONE },
	{ "ima-ng", true, TAIL_NONE },
	{ "ima-sig", true, TAIL_SIGNATURE },
	{ "ima-buf", true, TAIL_BUFFER },
};

static void append_text(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

static void append_hex(struct buffer *out, struct bytes bytes)
{
	char *text = buffer_reserve(out, 2 * bytes.size + 1);

	if (!text)
		return;
	hex_encode(bytes, text);
	out->size += 2 * bytes.size;
}

/* Fit to stand in a line as it is? Escaping is what the reader would not undo. */
static bool plain(struct bytes path, bool no_spaces)
{
	size_t capacity = 4 * path.size + 1;
	char *escaped = malloc(capacity);
	bool good;

	if (!escaped)
		return false;
	text_escape(path, escaped, capacity);
	good = strlen(escaped) == path.size && memcmp(escaped, path.data, path.size) == 0 &&
	       !(no_spaces && memchr(path.data, ' ', path.size));
	free(escaped);
	return good;
}

int ima_ascii(const struct ima_entry *entry, struct hasher *sha1, struct buffer *out,
	      struct assay_error *err)
{
	static const uint8_t zeros[20];
	char text[FOREIGN_TEXT], pcr[16];
	struct assay_digest hash;
	size_t i = 0;
	int r;

	while (i < sizeof(templates) / sizeof(templates[0]) &&
	       !bytes_equal(entry->name,
			    BYTES((const uint8_t *)templates[i].name, strlen(templates[i].name))))
		i++;
	if (i == sizeof(templates) / sizeof(templates[0]))
		return assay_fail(err, ENOTSUP, "the entry at offset %llu is of the template %s",
				  (ull)entry->offset, text_escape(entry->name, text, sizeof(text)));
	if (!entry->known || entry->problem)
		return assay_fail(err, EBADMSG, "the entry at offset %llu is malformed: %s",
				  (ull)entry->offset,
				  entry->problem ? entry->problem : "its template is not known");
	if (!plain(entry->path, templates[i].tail != TAIL_NONE))
		return assay_fail(
			err, EILSEQ,
			"the path %s of the entry at offset %llu cannot be in such a line",
			text_escape(entry->path, text, sizeof(text)), (ull)entry->offset);
	r = ima_template_hash(entry, sha1, &hash, err);
	if (r < 0)
		return r;
	snprintf(pcr, sizeof(pcr), "%2u ", entry->pcr);
	append_text(out, pcr);
	append_hex(out,
		   entry->violation ? BYTES(zeros, sizeof(zeros)) : BYTES(hash.bytes, hash.size));
	append_text(out, " ");
	append_text(out, templates[i].name);
	append_text(out, " ");
	if (templates[i].algorithm) {
		buffer_append_bytes(out, entry->algorithm);
		append_text(out, ":");
	}
	append_hex(out, entry->digest);
	append_text(out, " ");
	buffer_append_bytes(out, entry->path);
	if (templates[i].tail != TAIL_NONE) {
		append_text(out, " ");
		append_hex(out,
			   templates[i].tail == TAIL_BUFFER ? entry->buffer : entry->signature);
	}
	append_text(out, "\n");
	return out->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}
