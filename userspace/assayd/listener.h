/* SPDX-License-Identifier: MIT */
/* Sockets that the service listens on. */
#ifndef ASSAY_ASSAYD_LISTENER_H
#define ASSAY_ASSAYD_LISTENER_H

#include "assay.h"

/*
 * listener_open_unix() - a stream socket in the file system, in place of what a service before has
 * left there
 * @group: who may connect, besides root and the service; empty: everybody
 *
 * Return: a descriptor, non-blocking; -errno. listener_close() it.
 */
int listener_open_unix(const char *path, const char *group, struct assay_error *err);

/*
 * listener_open_tcp() - a TCP socket
 * @address: "127.0.0.1:9808" or "[::1]:9808"
 */
int listener_open_tcp(const char *address, struct assay_error *err);

/* listener_close() - @path: NULL for none that is to be removed */
void listener_close(int fd, const char *path);

#endif /* ASSAY_ASSAYD_LISTENER_H */
