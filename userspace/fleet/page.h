/* SPDX-License-Identifier: MIT */
/* The page that people look at the fleet with: files that never change, in the program itself. */
#ifndef ASSAY_FLEET_PAGE_H
#define ASSAY_FLEET_PAGE_H

#include "http.h"

/* Handlers of routes: the page, and one of its files by its name. */
void page_index(struct http_call *call);
void page_file(struct http_call *call);

#endif /* ASSAY_FLEET_PAGE_H */
