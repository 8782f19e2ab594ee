/* SPDX-License-Identifier: MIT */
/* For tests of signatures and certificates. */
#ifndef ASSAY_TESTS_SIGN_FIXTURE_H
#define ASSAY_TESTS_SIGN_FIXTURE_H

#include <openssl/x509.h>

/* The certificate in NAME.crt; the test fails without. X509_free() it. */
X509 *sign_fixture_certificate(const char *name);

#endif /* ASSAY_TESTS_SIGN_FIXTURE_H */
