/* SPDX-License-Identifier: MIT */
/*
 * Where a DER structure ends (ITU-T X.690), for what is stored with something behind it: NV
 * memory of a TPM has room for more than the certificate in it. Parsing what is inside is
 * OpenSSL's.
 */
#ifndef ASSAY_BASE_DER_H
#define ASSAY_BASE_DER_H

#include "base/bytes.h"

/*
 * der_take_sequence() - take a SEQUENCE of 2 to 65539 bytes, with its header, from the front
 * Return: false, with nothing taken, where none begins or it is cut
 */
bool der_take_sequence(struct bytes *in, struct bytes *ret);

/* der_is_padding() - is it what memory holds that was never written: all 0xff, or all 0? */
bool der_is_padding(struct bytes bytes);

#endif /* ASSAY_BASE_DER_H */
