/* SPDX-License-Identifier: MIT */
/* As much of HTTP/1.1 (RFC 9112) as a scraper of metrics needs: the head of a GET. Pure. */
#ifndef ASSAY_ASSAYD_HTTP_HEAD_H
#define ASSAY_ASSAYD_HTTP_HEAD_H

#include "base/bytes.h"

/* Bytes of a head at most. */
#define HTTP_HEAD_MAX 8192

/*
 * http_head_status() - what to answer a request
 * @input: what has come
 * @path: the only thing there is to get
 * @ret_size: bytes of the head, with the empty line at its end
 *
 * Return: 0: more has to come; 200; 400, 404, 405, 431, 505 for what is not so
 */
int http_head_status(struct bytes input, const char *path, size_t *ret_size);

#endif /* ASSAY_ASSAYD_HTTP_HEAD_H */
