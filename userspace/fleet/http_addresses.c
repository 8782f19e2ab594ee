// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "http_addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/digest.h"

#define SLOTS 65536U /* the last is of those that may have any number */
#define SLOT_FREE (SLOTS - 1)
#define KEY_SIZE 16
#define NETWORK_SIZE 8 /* bytes of an address of IPv6 that name a network */

/* struct key - an address's bytes that count */
struct key {
	uint8_t bytes[NETWORK_SIZE];
	size_t size;
};

/* struct http_addresses - @open: of process p, at p * SLOTS on */
struct http_addresses {
	size_t size;
	unsigned int processes, most;
	uint8_t key[KEY_SIZE];
	struct key proxies[HTTP_PROXIES_MAX];
	size_t proxy_count;
	_Atomic uint32_t open[];
};

static bool key_of(const struct sockaddr *address, struct key *ret)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
	const uint8_t *bytes;

	*ret = (struct key){ .size = sizeof(four->sin_addr) };
	if (address->sa_family == AF_INET) {
		memcpy(ret->bytes, &four->sin_addr, ret->size);
		return true;
	}
	if (address->sa_family != AF_INET6)
		return false;
	bytes = six->sin6_addr.s6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		memcpy(ret->bytes, bytes + 12, ret->size);
		return true;
	}
	ret->size = NETWORK_SIZE;
	memcpy(ret->bytes, bytes, NETWORK_SIZE);
	return true;
}

static int add_proxy(struct http_addresses *addresses, const char *text, struct assay_error *err)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct key *key = &addresses->proxies[addresses->proxy_count];

	if (addresses->proxy_count == HTTP_PROXIES_MAX)
		return assay_fail(err, EINVAL, "there are more than %d proxies", HTTP_PROXIES_MAX);
	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		(void)key_of((const struct sockaddr *)&four, key);
	else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
		(void)key_of((const struct sockaddr *)&six, key);
	else
		return assay_fail(err, EINVAL, "%s is no address", text);
	addresses->proxy_count++;
	return 0;
}

int http_addresses_new(unsigned int processes, unsigned int most, const char *const *proxies,
		       size_t proxy_count, struct http_addresses **ret, struct assay_error *err)
{
	size_t size = sizeof(struct http_addresses) + processes * SLOTS * sizeof(uint32_t);
	struct http_addresses *addresses =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r = 0;

	if (addresses == MAP_FAILED)
		return assay_fail(err, ENOMEM, "out of memory");
	addresses->size = size;
	addresses->processes = processes;
	addresses->most = most;
	if (RAND_bytes(addresses->key, sizeof(addresses->key)) != 1)
		r = assay_fail(err, EIO, "no random numbers for a key");
	for (size_t i = 0; r == 0 && i < proxy_count; i++)
		r = add_proxy(addresses, proxies[i], err);
	if (r < 0) {
		http_addresses_free(addresses);
		return r;
	}
	*ret = addresses;
	return 0;
}

void http_addresses_free(struct http_addresses *addresses)
{
	if (addresses)
		(void)munmap(addresses, addresses->size);
}

void http_addresses_begin(struct http_addresses *addresses, unsigned int process)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (atomic_load(&addresses->open[process * SLOTS + i]) != 0)
			atomic_store(&addresses->open[process * SLOTS + i], 0);
}

static size_t slot_of(const struct http_addresses *addresses, const struct key *key)
{
	const struct bytes pieces[] = { BYTES(addresses->key, sizeof(addresses->key)),
					BYTES(key->bytes, key->size) };
	struct assay_digest digest;
	uint32_t number;

	for (size_t i = 0; i < addresses->proxy_count; i++)
		if (bytes_equal(BYTES(addresses->proxies[i].bytes, addresses->proxies[i].size),
				pieces[1]))
			return SLOT_FREE;
	if (digest_pieces(ASSAY_HASH_SHA256, pieces, 2, &digest, NULL) < 0)
		return SLOT_FREE;
	memcpy(&number, digest.bytes, sizeof(number));
	return number % SLOT_FREE;
}

bool http_addresses_add(struct http_addresses *addresses, unsigned int process,
			const struct sockaddr *address, size_t *ret_slot)
{
	uint64_t open = 0;
	struct key key;

	*ret_slot = key_of(address, &key) ? slot_of(addresses, &key) : SLOT_FREE;
	atomic_fetch_add(&addresses->open[process * SLOTS + *ret_slot], 1);
	for (unsigned int i = 0; i < addresses->processes; i++)
		open += atomic_load(&addresses->open[i * SLOTS + *ret_slot]);
	return addresses->most == 0 || *ret_slot == SLOT_FREE || open <= addresses->most;
}

void http_addresses_drop(struct http_addresses *addresses, unsigned int process, size_t slot)
{
	atomic_fetch_sub(&addresses->open[process * SLOTS + slot], 1);
}

void http_addresses_network(const char *address, char ret[INET6_ADDRSTRLEN])
{
	struct in6_addr six;

	snprintf(ret, INET6_ADDRSTRLEN, "%s", address);
	if (inet_pton(AF_INET6, address, &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six))
		return;
	memset(six.s6_addr + NETWORK_SIZE, 0, sizeof(six.s6_addr) - NETWORK_SIZE);
	(void)inet_ntop(AF_INET6, &six, ret, INET6_ADDRSTRLEN);
}
