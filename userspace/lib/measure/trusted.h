/* SPDX-License-Identifier: MIT */
/* Whose manifests are believed: a directory of certificates. */
#ifndef ASSAY_MEASURE_TRUSTED_H
#define ASSAY_MEASURE_TRUSTED_H

#include <openssl/x509.h>

#include "assay.h"

#define TRUSTED_DIRECTORY "/etc/assay/certificates"

/* {0} for nobody; trusted_free() it */
struct trusted {
	X509 **certificates;
	size_t count;
};

/*
 * trusted_load() - all certificates of the files *.pem, *.crt and *.der of a directory
 * A directory that is not there has none.
 */
int trusted_load(const char *directory, struct trusted *ret, struct assay_error *err);
void trusted_free(struct trusted *trusted);

#endif /* ASSAY_MEASURE_TRUSTED_H */
