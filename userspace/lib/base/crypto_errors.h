/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL's queue of errors, one a thread. In a program that uses libassay-verify it is the
 * program's: what is in it when the library is called must be there when it returns.
 */
#ifndef ASSAY_BASE_CRYPTO_ERRORS_H
#define ASSAY_BASE_CRYPTO_ERRORS_H

#include <openssl/err.h>

/*
 * crypto_errors_drop() - forget what failed since the last mark; all, where there is none
 * In place of ERR_clear_error(), which takes the errors of others away as well.
 */
static inline void crypto_errors_drop(void)
{
	(void)ERR_pop_to_mark();
	(void)ERR_set_mark();
}

#endif /* ASSAY_BASE_CRYPTO_ERRORS_H */
