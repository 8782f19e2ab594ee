/* SPDX-License-Identifier: MIT */
/*
 * What was measured in this boot: the file "DIGEST PATH", a line a file, that each stage leaves in
 * the runtime directory, so that the next one does not measure the same again. It begins with a
 * line that says which log it is about: of another log it says nothing.
 *
 * Who can write to it can have a file not measured again, not one measured that was not: what a
 * verifier sees is the log.
 */
#ifndef ASSAY_MEASURE_KNOWN_H
#define ASSAY_MEASURE_KNOWN_H

#include "log/device.h"

/* Files at most; what is above is measured again. */
#define KNOWN_MAX (1U << 20)
#define KNOWN_SIZE_MAX (256U << 20)

struct known;

/* known_new() - none yet; known_free() it */
int known_new(struct known **ret, struct assay_error *err);
void known_free(struct known *known);
/* known_clear() - forget all */
void known_clear(struct known *known);
size_t known_count(const struct known *known);

/*
 * known_add() - @path was measured, with that digest; one that is there is replaced
 * @digest: "sha256:HEX"
 */
int known_add(struct known *known, const char *path, const char *digest, struct assay_error *err);
/* known_find() - the digest it was measured with, NULL if it was not */
const char *known_find(const struct known *known, const char *path);

/*
 * known_log() - what tells the log there is now from any other: the key of its first record
 * @ret: room for KNOWN_LOG_TEXT characters; "-" where the module gives no keys
 */
#define KNOWN_LOG_TEXT (2 * ASSAY_KEY_SIZE + 1)
int known_log(const struct device *device, char *ret, struct assay_error *err);

/*
 * known_parse() - add what such a file says, if it is of the log @log; pure
 * A line at the end that is cut off is left out.
 * Return: 0; -EBADMSG for what is no such file
 */
int known_parse(struct known *known, struct bytes text, const char *log, struct assay_error *err);

/* known_begin_file() - the first line, known_append_file() - one more, to @out */
void known_begin_file(const char *log, struct buffer *out);
void known_append_file(const char *path, const char *digest, struct buffer *out);

#endif /* ASSAY_MEASURE_KNOWN_H */
