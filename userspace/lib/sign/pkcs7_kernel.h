/* SPDX-License-Identifier: MIT */
/*
 * What the kernel refuses of PKCS#7 and OpenSSL takes: versions that are not those of what follows,
 * revocation lists, a signature in pieces, tags and lengths of many bytes, signed attributes that
 * are not in DER.
 */
#ifndef ASSAY_SIGN_PKCS7_KERNEL_H
#define ASSAY_SIGN_PKCS7_KERNEL_H

#include "base/bytes.h"

/*
 * pkcs7_kernel_refuses() - of signedData with one signer, that OpenSSL has parsed
 *
 * Return: why the kernel refuses it; NULL if it does not
 */
const char *pkcs7_kernel_refuses(struct bytes der);

#endif /* ASSAY_SIGN_PKCS7_KERNEL_H */
