// SPDX-License-Identifier: MIT
#include "measure/known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "assay measured "
#define SLOTS_FIRST 1024

/* One allocation: the digest, its NUL, the path, its NUL. NULL: a free slot. */
struct known {
	char **slots;
	size_t slot_count; /* a power of two, more than half of them free */
	size_t count;
};

static const char *path_of(const char *slot)
{
	return slot + strlen(slot) + 1;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_path(const char *path)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
	return hash;
}

/* The slot that a path is in, or would be. */
static size_t find_slot(char *const *slots, size_t count, const char *path)
{
	size_t at = (size_t)hash_path(path) & (count - 1);

	while (slots[at] && strcmp(path_of(slots[at]), path) != 0)
		at = (at + 1) & (count - 1);
	return at;
}

int known_new(struct known **ret, struct assay_error *err)
{
	struct known *known = calloc(1, sizeof(*known));

	if (known) {
		known->slot_count = SLOTS_FIRST;
		known->slots = calloc(known->slot_count, sizeof(*known->slots));
	}
	if (!known || !known->slots) {
		free(known);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	*ret = known;
	return 0;
}

void known_clear(struct known *known)
{
	for (size_t i = 0; i < known->slot_count; i++) {
		free(known->slots[i]);
		known->slots[i] = NULL;
	}
	known->count = 0;
}

void known_free(struct known *known)
{
	if (!known)
		return;
	known_clear(known);
	free(known->slots);
	free(known);
}

size_t known_count(const struct known *known)
{
	return known->count;
}

static bool grow(struct known *known)
{
	size_t count = 2 * known->slot_count;
	char **slots = calloc(count, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < known->slot_count; i++)
		if (known->slots[i])
			slots[find_slot(slots, count, path_of(known->slots[i]))] = known->slots[i];
	free(known->slots);
	known->slots = slots;
	known->slot_count = count;
	return true;
}

int known_add(struct known *known, const char *path, const char *digest, struct assay_error *err)
{
	size_t digest_size = strlen(digest) + 1, path_size = strlen(path) + 1, at;
	char *slot;

	if (known->count >= KNOWN_MAX)
		return 0;
	slot = malloc(digest_size + path_size);
	if (!slot || (2 * (known->count + 1) > known->slot_count && !grow(known))) {
		free(slot);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	memcpy(slot, digest, digest_size);
	memcpy(slot + digest_size, path, path_size);
	at = find_slot(known->slots, known->slot_count, path);
	if (known->slots[at])
		free(known->slots[at]);
	else
		known->count++;
	known->slots[at] = slot;
	return 0;
}

const char *known_find(const struct known *known, const char *path)
{
	return known->slots[find_slot(known->slots, known->slot_count, path)];
}

/* ---------------------------------------------------------------- the file */

int known_log(const struct device *device, char *ret, struct assay_error *err)
{
	uint8_t key[1][ASSAY_KEY_SIZE];
	size_t count = 0;
	int r = device_keys(device, 0, 1, key, &count, err);

	if (r < 0 && r != -ENOKEY)
		return r;
	if (r < 0 || count == 0)
		memcpy(ret, "-", 2);
	else
		hex_encode(BYTES(key[0], sizeof(key[0])), ret);
	return 0;
}

static void append_text(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

void known_begin_file(const char *log, struct buffer *out)
{
	append_text(out, HEAD);
	append_text(out, log);
	append_text(out, "\n");
}

void known_append_file(const char *path, const char *digest, struct buffer *out)
{
	if (strchr(path, '\n'))
		return; /* it is measured again, which does no harm */
	append_text(out, digest);
	append_text(out, " ");
	append_text(out, path);
	append_text(out, "\n");
}

/* The next whole line, as a string to free(); NULL at the end, and without memory. */
static char *take_line(struct bytes *text)
{
	const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
	struct bytes line;
	char *copy;

	if (!end || !bytes_take(text, (size_t)(end - text->data) + 1, &line))
		return NULL;
	copy = malloc(line.size);
	if (copy) {
		memcpy(copy, line.data, line.size - 1);
		copy[line.size - 1] = '\0';
	}
	return copy;
}

/* Takes "DIGEST PATH" apart; false for another line. */
static bool split_line(char *line, char **ret_path)
{
	char *blank = strchr(line, ' ');
	struct assay_digest digest;

	if (!blank || blank[1] != '/')
		return false;
	*blank = '\0';
	*ret_path = blank + 1;
	return assay_digest_parse(line, &digest) == 0;
}

int known_parse(struct known *known, struct bytes text, const char *log, struct assay_error *err)
{
	char *line = take_line(&text), *path;
	int r = 0;

	if (!line)
		return 0;
	if (strncmp(line, HEAD, strlen(HEAD)) != 0) {
		free(line);
		return assay_fail(err, EBADMSG, "it does not begin with '" HEAD "LOG'");
	}
	if (strcmp(log, "-") == 0 || strcmp(line + strlen(HEAD), log) != 0) {
		free(line);
		return 0;
	}
	free(line);
	while (r == 0 && (line = take_line(&text))) {
		r = split_line(line, &path) ?
			    known_add(known, path, line, err) :
			    assay_fail(err, EBADMSG, "it has a line that is no 'DIGEST PATH'");
		free(line);
	}
	return r;
}
