/* SPDX-License-Identifier: MIT */
/* What reading a CMW as JSON (cmw_read.c) and as CBOR (cmw_cbor.c) share. */
#ifndef ASSAY_REPORT_CMW_INTERNAL_H
#define ASSAY_REPORT_CMW_INTERNAL_H

#include "report/cmw.h"

#define CMW_WHAT "the CMW"
/* The type of a whole collection, no label of a message. */
#define CMW_COLLECTION_TYPE "__cmwc_t"

/**
 * struct cmw_search - looking for evidence
 * @messages, @found: how many there were so far, and of those how many were evidence
 */
struct cmw_search {
	struct buffer *out;
	unsigned int messages, found;
};

/*
 * cmw_see() - count a message of this type
 * @ret_wanted: is it the one to append?
 * Return: 0; -E2BIG, -EBADMSG for a second one
 */
int cmw_see(struct cmw_search *search, struct bytes type, bool *ret_wanted,
	    struct assay_error *err);

/* cmw_read_cbor() - a record, a tagged value or a collection, and nothing behind it */
int cmw_read_cbor(struct bytes in, struct cmw_search *search, struct assay_error *err);

#endif /* ASSAY_REPORT_CMW_INTERNAL_H */
