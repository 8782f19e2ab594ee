/* SPDX-License-Identifier: MIT */
/* As much of HTTP/1.1 (RFC 9112) as a scraper of metrics needs: the head of a GET. Pure. */
#ifndef ASSAY_ASSAYD_HTTP_HEAD_H
#define ASSAY_ASSAYD_HTTP_HEAD_H

#include "base/bytes.h"

/* Bytes of a head at most. */
#define HTTP_HEAD_MAX 8192

/*
 * http_head_size() - bytes of the head that @input begins with, with the empty line at its end; all
 * of it if it is too long
 * @searched: of so many bytes at its front it was asked before, and has said 0
 * Return: 0: more has to come
 */
size_t http_head_size(struct bytes input, size_t searched);

/*
 * http_head_status() - what to answer a request
 * @head: as http_head_size() has it
 * @path: the only thing there is to get
 *
 * Return: 200; 400, 404, 405, 431, 505 for what is not so
 */
uint32_t http_head_status(struct bytes head, const char *path);

#endif /* ASSAY_ASSAYD_HTTP_HEAD_H */
