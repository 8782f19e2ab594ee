/* SPDX-License-Identifier: MIT */
/* Passphrases and other auth values: from a file, or asked for on the terminal. */
#ifndef ASSAY_BASE_SECRET_H
#define ASSAY_BASE_SECRET_H

#include "base/bytes.h"

/* The longest, in bytes. */
#define SECRET_MAX 1024

/*
 * secret_read() - read a secret
 * @path: its file; one newline at the end is not part of it. NULL: ask on the terminal
 * @what: what it is, as in "the passphrase of key.pem": asked for, and told in errors
 * @twice: it is a new one: not empty, and asked for twice
 * @ret: of size 0 to SECRET_MAX; end it with secret_free()
 *
 * Return: 0; -ENOTTY where there is no terminal to ask on
 */
int secret_read(const char *path, const char *what, bool twice, struct buffer *ret,
		struct assay_error *err);

/*
 * secret_read_line() - ask for one on the terminal, or, where there is none, read it from standard
 * input, up to the end of the line: as programs that leave it to OpenSSL do
 */
int secret_read_line(const char *what, struct buffer *ret, struct assay_error *err);

/* secret_free() - as buffer_free(), and nothing of it stays in memory */
void secret_free(struct buffer *secret);

#endif /* ASSAY_BASE_SECRET_H */
