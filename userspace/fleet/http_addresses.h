/* SPDX-License-Identifier: MIT */
/*
 * How many connections an address has open, at all processes that share the memory. An address is
 * one of IPv4, or a /64 of IPv6, which a site has for itself. Those that fall together by a keyed
 * digest share what they may have.
 */
#ifndef ASSAY_FLEET_HTTP_ADDRESSES_H
#define ASSAY_FLEET_HTTP_ADDRESSES_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"

#define HTTP_PROXIES_MAX 16

struct http_addresses;

/**
 * http_addresses_new() - before there are other processes
 * @processes: that share them
 * @most: connections of an address; 0: any number
 * @proxies: addresses that may have any number, as text
 *
 * Return: 0; -ENOMEM; -EINVAL for a text that is no address
 */
int http_addresses_new(unsigned int processes, unsigned int most, const char *const *proxies,
		       size_t proxy_count, struct http_addresses **ret, struct assay_error *err);
void http_addresses_free(struct http_addresses *addresses); /* does nothing with NULL */

/* http_addresses_begin() - a process begins, without a connection: what it had before has gone */
void http_addresses_begin(struct http_addresses *addresses, unsigned int process);

/*
 * http_addresses_add() - a connection of that process; false if the address has too many
 * @ret_slot: for http_addresses_drop() when it has ended; also where there are too many
 */
bool http_addresses_add(struct http_addresses *addresses, unsigned int process,
			const struct sockaddr *address, size_t *ret_slot);
void http_addresses_drop(struct http_addresses *addresses, unsigned int process, size_t slot);

/* http_addresses_network() - of an address as text, what is counted as one: a /64 of IPv6 */
void http_addresses_network(const char *address, char ret[INET6_ADDRSTRLEN]);

#endif /* ASSAY_FLEET_HTTP_ADDRESSES_H */
