/* SPDX-License-Identifier: MIT */
/*
 * Whether a request says that its body comes in another form than by its length (RFC 9112, 6.1), as
 * its head comes. libevent has no bound for the line that a chunk begins with, and at each read
 * searches all of it anew for its end: who never ends one takes a processor, and memory.
 */
#ifndef ASSAY_FLEET_HTTP_CHUNKS_H
#define ASSAY_FLEET_HTTP_CHUNKS_H

#include "base/bytes.h"

/**
 * struct http_chunks - how much of a head has come; {0} before a request
 * @begun: a line of it was whole
 * @column: of the line that it is in; @other: it is not the one that is looked for
 * @over: the head is, or it was found
 */
struct http_chunks {
	size_t column;
	bool begun, other, over;
};

/* http_chunks_said() - what comes next; true once: the head says so */
bool http_chunks_said(struct http_chunks *chunks, struct bytes input);

#endif /* ASSAY_FLEET_HTTP_CHUNKS_H */
