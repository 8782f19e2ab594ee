// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

void secret_free(struct buffer *secret)
{
	if (secret->data)
		OPENSSL_cleanse(secret->data, secret->capacity);
	buffer_free(secret);
}

/* A new secret has something in it; one that is there may be empty. */
static int check_size(size_t size, const char *what, bool is_new, struct assay_error *err)
{
	const size_t least = is_new ? 1 : 0;

	if (size >= least && size <= SECRET_MAX)
		return 0;
	return assay_fail(err, EINVAL, "%s has %zu bytes; it has to have %zu to %d", what, size,
			  least, SECRET_MAX);
}

/* By OpenSSL, which reads standard input where there is no terminal. */
static int prompt_for(const char *what, bool twice, struct buffer *ret, struct assay_error *err)
{
	char text[SECRET_MAX + 2] = { 0 }, again[SECRET_MAX + 2] = { 0 }, prompt[256];
	bool good;
	int r;

	snprintf(prompt, sizeof(prompt), "Enter %s: ", what);
	good = UI_UTIL_read_pw(text, again, SECRET_MAX + 1, prompt, twice) == 0;
	r = good ? check_size(strlen(text), what, twice, err) :
		   assay_fail(err, ECANCELED, "%s was not entered", what);
	if (r == 0) {
		buffer_append(ret, text, strlen(text));
		if (ret->failed)
			r = assay_fail(err, ENOMEM, "cannot read %s: out of memory", what);
	}
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(again, sizeof(again));
	return r;
}

static int ask(const char *what, bool twice, struct buffer *ret, struct assay_error *err)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return assay_fail(err, ENOTTY,
				  "%s is needed, and there is no terminal to ask for it: put it "
				  "into a file and name that with --passphrase-file",
				  what);
	close(fd);
	return prompt_for(what, twice, ret, err);
}

int secret_read_line(const char *what, struct buffer *ret, struct assay_error *err)
{
	return prompt_for(what, false, ret, err);
}

int secret_read(const char *path, const char *what, bool twice, struct buffer *ret,
		struct assay_error *err)
{
	int r;

	if (!path)
		return ask(what, twice, ret, err);
	r = file_read(path, SECRET_MAX + 1, ret, err);
	if (r == 0 && ret->size > 0 && ret->data[ret->size - 1] == '\n')
		ret->size--;
	if (r == 0)
		r = check_size(ret->size, path, twice, err);
	if (r < 0) {
		secret_free(ret);
		assay_fail_context(err, "cannot read %s", what);
	}
	return r;
}
