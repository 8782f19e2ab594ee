/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface on the service's loop: requests of push/http.h, carried without
 * blocking and without threads but those in which Debian's libcurl looks names up. For push.c.
 */
#ifndef ASSAY_ASSAYD_PUSH_TRANSFER_H
#define ASSAY_ASSAYD_PUSH_TRANSFER_H

#include "loop.h"
#include "push/http.h"

struct transfers;

/* transfer_done - a request was carried; called by the loop, and may free it */
typedef void (*transfer_done)(void *context, struct push_request *request, CURLcode code);

int transfers_new(struct loop *loop, transfer_done done, void *context, struct transfers **ret,
		  struct assay_error *err);
/* transfers_free() - no request is carried any more; NULL is allowed */
void transfers_free(struct transfers *transfers);

/* transfers_add() - carry a request, which stays the caller's */
int transfers_add(struct transfers *transfers, struct push_request *request,
		  struct assay_error *err);
/* transfers_remove() - carry it no longer: before it is freed, if it is not done */
void transfers_remove(struct transfers *transfers, struct push_request *request);

#endif /* ASSAY_ASSAYD_PUSH_TRANSFER_H */
