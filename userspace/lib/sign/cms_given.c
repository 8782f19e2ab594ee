// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* memmem() */
#include "sign/cms_given.h"

#include <limits.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/crypto_errors.h"

CMS_ContentInfo *cms_given_parse(struct bytes given)
{
	static const char pem[] = "-----BEGIN ";
	unsigned char *decoded = NULL;
	const unsigned char *at = given.data;
	long size = (long)given.size;
	char *name = NULL, *header = NULL;
	CMS_ContentInfo *cms;
	BIO *bio;

	if (given.size == 0 || given.size > INT_MAX)
		return NULL;
	if (memmem(given.data, given.size, pem, sizeof(pem) - 1)) {
		bio = BIO_new_mem_buf(given.data, (int)given.size);
		if (bio && PEM_read_bio(bio, &name, &header, &decoded, &size) == 1)
			at = decoded;
		BIO_free(bio);
	}
	cms = d2i_CMS_ContentInfo(NULL, &at, size);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(decoded);
	crypto_errors_drop();
	return cms;
}

CMS_SignerInfo *cms_given_signer(CMS_ContentInfo *cms)
{
	/* Its elements are the CMS's. */
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);

	crypto_errors_drop();
	return sk_CMS_SignerInfo_num(signers) == 1 ? sk_CMS_SignerInfo_value(signers, 0) : NULL;
}
