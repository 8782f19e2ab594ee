// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "confined.h"

#include <errno.h>
#include <iconv.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "confine/confine.h"

/* Bytes: names of millions of files, and the largest windows of compressions in use. */
#define MEMORY_MAX ((rlim_t)2 << 30)

/* glibc's tables of character sets, which libarchive asks for, and libcrypto's configuration. */
static int load_ahead(struct assay_error *err)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	iconv_t conversion = iconv_open("UTF-8", "UTF-8");
	int r = context && OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 &&
				EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 ?
			0 :
			assay_fail(err, EIO, "libcrypto cannot compute SHA-256");

	EVP_MD_CTX_free(context);
	if (conversion != (iconv_t)-1)
		iconv_close(conversion);
	return r;
}

static int limit(int resource, rlim_t most)
{
	struct rlimit value = { most, most };

	return setrlimit(resource, &value);
}

static int limit_all(void)
{
	/* Sanitizers reserve address space without end. */
#ifndef __SANITIZE_ADDRESS__
	if (limit(RLIMIT_DATA, MEMORY_MAX) < 0)
		return -1;
#endif
	return limit(RLIMIT_NPROC, 0) < 0 || limit(RLIMIT_CORE, 0) < 0 ? -1 : 0;
}

static int keep(int first, unsigned int last_closed)
{
	return last_closed < (unsigned int)first ? 0 :
						   close_range((unsigned int)first, last_closed, 0);
}

int confined_enter(int socket, struct assay_error *err)
{
	const struct confine_call calls[] = {
		{ SCMP_SYS(read), CONFINE_ANY_FD },
		{ SCMP_SYS(lseek), CONFINE_ANY_FD },
		{ SCMP_SYS(fstat), CONFINE_ANY_FD },
		/* fstat() of glibc */
		{ SCMP_SYS(newfstatat), CONFINE_ANY_FD },
		{ SCMP_SYS(close), CONFINE_ANY_FD },
		{ SCMP_SYS(write), STDOUT_FILENO },
		{ SCMP_SYS(write), STDERR_FILENO },
		{ SCMP_SYS(sendto), socket },
		{ SCMP_SYS(recvmsg), socket },
		/* What libraries look for and can do without. */
		{ SCMP_SYS(open), CONFINE_REFUSED },
		{ SCMP_SYS(openat), CONFINE_REFUSED },
	};
	int r = load_ahead(err);

	if (r < 0)
		return r;
	(void)close(STDIN_FILENO);
	if (keep(STDERR_FILENO + 1, (unsigned int)socket - 1) < 0 || keep(socket + 1, ~0U) < 0 ||
	    limit_all() < 0 || confine_privileges() < 0)
		r = -errno;
	else
		r = confine_calls(calls, sizeof(calls) / sizeof(calls[0]));
	return r < 0 ? assay_fail(err, -r,
				  "what reads foreign files could not be confined, so none was "
				  "read: %s; this needs a kernel with CONFIG_SECCOMP_FILTER",
				  strerror(-r)) :
		       0;
}
