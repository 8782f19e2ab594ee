/* SPDX-License-Identifier: MIT */
/* What a signature of sign/pkcs7.h is of. */
#ifndef ASSAY_SIGN_PKCS7_CONTENT_H
#define ASSAY_SIGN_PKCS7_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/**
 * struct pkcs7_content - what a signature covers
 * @what: names the signature in errors
 * @kernel: the kernel is to verify it, too
 * @when: when it was made, in seconds since 1970, for who judges certificates; 0: not known
 * @embedded: it is put into the signature; those that this verifies have it outside
 */
struct pkcs7_content {
	const char *what;
	struct bytes bytes;
	bool kernel;
	uint64_t when;
	bool embedded;
};

#endif /* ASSAY_SIGN_PKCS7_CONTENT_H */
