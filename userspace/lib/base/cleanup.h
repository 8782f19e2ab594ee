/* SPDX-License-Identifier: MIT */
/*
 * What a function holds is given back when it returns, on whichever way:
 *
 *	CLEANUP(buffer_free) struct buffer out = { 0 };
 *	CLEANUP(fclose_pointer) FILE *stream = NULL;
 *
 * The function gets the variable's address. It must do nothing for a variable that was
 * never filled, so each is initialised where it is declared.
 */
#ifndef ASSAY_BASE_CLEANUP_H
#define ASSAY_BASE_CLEANUP_H

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

/* NOLINTBEGIN(bugprone-macro-parentheses): a type stands there, and parts of names */
/* CLEANUP_POINTER() - define NAME_pointer(), which frees what a pointer of the type points to */
#define CLEANUP_POINTER(type, name, free_function)        \
	static inline void name##_pointer(type **pointer) \
	{                                                 \
		if (*pointer)                             \
			(void)free_function(*pointer);    \
	}                                                 \
	_Static_assert(sizeof(type *) == sizeof(void *), "")
/* NOLINTEND(bugprone-macro-parentheses) */

CLEANUP_POINTER(FILE, fclose, fclose);
CLEANUP_POINTER(json_t, json_decref, json_decref);
CLEANUP_POINTER(X509, x509_free, X509_free);
CLEANUP_POINTER(EVP_PKEY, evp_pkey_free, EVP_PKEY_free);
CLEANUP_POINTER(EVP_PKEY_CTX, evp_pkey_ctx_free, EVP_PKEY_CTX_free);
CLEANUP_POINTER(EVP_MD_CTX, evp_md_ctx_free, EVP_MD_CTX_free);
CLEANUP_POINTER(BIO, bio_free, BIO_free_all);
CLEANUP_POINTER(PKCS7, pkcs7_free, PKCS7_free);
CLEANUP_POINTER(CMS_ContentInfo, cms_free, CMS_ContentInfo_free);

/* free_pointer() - for memory of malloc(), of any type */
static inline void free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

/* close_descriptor() - for a file descriptor; -1 is none */
static inline void close_descriptor(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#endif /* ASSAY_BASE_CLEANUP_H */
