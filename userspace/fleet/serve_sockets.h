/* SPDX-License-Identifier: MIT */
/* The sockets that the service listens at: its own, and those that systemd gives it. */
#ifndef ASSAY_FLEET_SERVE_SOCKETS_H
#define ASSAY_FLEET_SERVE_SOCKETS_H

#include "serve_settings.h"

/* struct serve_sockets - those that are open; @tls: connections at it are over TLS */
struct serve_sockets {
	struct serve_socket {
		int fd;
		bool tls;
	} list[SERVE_SOCKETS_MAX];
	size_t count;
};

/*
 * serve_sockets_open() - open them, and tell of each
 * @ret: zeros at first
 *
 * Return: 0; -EINVAL where there are none, too many, or one would be in the clear for other
 * machines; a negative errno
 */
int serve_sockets_open(const struct serve_settings *settings, struct serve_sockets *ret,
		       struct assay_error *err);

/* serve_sockets_listen() - in each worker: all of them take connections from the same sockets */
int serve_sockets_listen(const struct serve_sockets *sockets, const struct http_tls *tls,
			 struct http_server *http, struct assay_error *err);

#endif /* ASSAY_FLEET_SERVE_SOCKETS_H */
