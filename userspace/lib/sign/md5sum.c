// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/md5sum.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_SIZE ((size_t)1 << 18)

static int hash_file(int fd, EVP_MD_CTX *context, uint8_t *chunk, const char *name,
		     struct assay_error *err)
{
	for (off_t at = 0;;) {
		ssize_t got = pread(fd, chunk, CHUNK_SIZE, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return assay_fail(err, errno, "cannot read %s: %s", name, strerror(errno));
		if (got == 0)
			return 0;
		if (EVP_DigestUpdate(context, chunk, (size_t)got) != 1)
			return assay_fail(err, EIO, "libcrypto cannot compute MD5");
		at += got;
	}
}

static int compute(int fd, const char *name, uint8_t ret[static EVP_MAX_MD_SIZE],
		   struct assay_error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t *chunk = malloc(CHUNK_SIZE);
	int r = 0;

	if (!context || !chunk)
		r = assay_fail(err, ENOMEM, "cannot read %s: out of memory", name);
	else if (EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1)
		r = assay_fail(err, EOPNOTSUPP,
			       "libcrypto has no MD5 here, which packages are checked with");
	if (r == 0)
		r = hash_file(fd, context, chunk, name, err);
	if (r == 0 && EVP_DigestFinal_ex(context, ret, NULL) != 1)
		r = assay_fail(err, EIO, "libcrypto cannot compute MD5");
	free(chunk);
	EVP_MD_CTX_free(context);
	return r;
}

int md5sum_check(int fd, const uint8_t expected[static SOURCE_MD5_SIZE], const char *name,
		 const struct package_name *package, struct assay_error *err)
{
	char found_text[2 * SOURCE_MD5_SIZE + 1], expected_text[2 * SOURCE_MD5_SIZE + 1];
	char package_shown[PACKAGE_SHOWN_SIZE];
	uint8_t found[EVP_MAX_MD_SIZE];
	int r = compute(fd, name, found, err);

	if (r < 0 || memcmp(found, expected, SOURCE_MD5_SIZE) == 0)
		return r;
	hex_encode(BYTES(found, SOURCE_MD5_SIZE), found_text);
	hex_encode(BYTES(expected, SOURCE_MD5_SIZE), expected_text);
	return assay_fail(
		err, ESTALE,
		"%s%s: it was changed since it was installed: its MD5 is %s, was %s; "
		"install the package again, leave the file out (--exclude), or sign it as "
		"it is (--changed)",
		name, package_text(package, package_shown), found_text, expected_text);
}
