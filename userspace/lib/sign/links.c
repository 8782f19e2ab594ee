// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/links.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_AT_FIRST 256

/* A hash table with a list a bucket; it doubles when the lists have one file each. */
struct links {
	struct link **buckets;
	size_t bucket_count; /* a power of two */
	size_t count;
};

static struct link **bucket(struct link **buckets, size_t count, const struct stat *stat)
{
	uint64_t key = (uint64_t)stat->st_ino ^ (uint64_t)stat->st_dev << 40;

	/* Fibonacci hashing: neighbours are spread. */
	return &buckets[(key * 0x9e3779b97f4a7c15U >> 32) & (count - 1)];
}

struct links *links_new(void)
{
	struct links *links = calloc(1, sizeof(*links));

	if (!links)
		return NULL;
	links->bucket_count = BUCKETS_AT_FIRST;
	links->buckets = calloc(links->bucket_count, sizeof(struct link *));
	if (!links->buckets) {
		free(links);
		return NULL;
	}
	return links;
}

static void link_free(struct link *link)
{
	buffer_free(&link->pkcs7);
	buffer_free(&link->ima);
	free(link->path);
	free(link);
}

void links_free(struct links *links)
{
	if (!links)
		return;
	for (size_t i = 0; i < links->bucket_count; i++) {
		struct link *next;

		for (struct link *link = links->buckets[i]; link; link = next) {
			next = link->next;
			link_free(link);
		}
	}
	free(links->buckets);
	free(links);
}

struct link *links_find(const struct links *links, const struct stat *stat)
{
	struct link *link = *bucket(links->buckets, links->bucket_count, stat);

	while (link && (link->stat.st_ino != stat->st_ino || link->stat.st_dev != stat->st_dev))
		link = link->next;
	return link;
}

/* Without memory the lists grow longer, which is all. */
static void grow(struct links *links)
{
	size_t count = 2 * links->bucket_count;
	struct link **buckets = calloc(count, sizeof(struct link *));

	if (!buckets)
		return;
	for (size_t i = 0; i < links->bucket_count; i++) {
		struct link *next;

		for (struct link *link = links->buckets[i]; link; link = next) {
			struct link **place = bucket(buckets, count, &link->stat);

			next = link->next;
			link->next = *place;
			*place = link;
		}
	}
	free(links->buckets);
	links->buckets = buckets;
	links->bucket_count = count;
}

struct link *links_add(struct links *links, const char *path, const struct stat *stat)
{
	struct link *link = calloc(1, sizeof(*link));
	struct link **place;

	if (!link)
		return NULL;
	link->path = strdup(path);
	if (!link->path) {
		free(link);
		return NULL;
	}
	link->stat = *stat;
	link->result = 1;
	link->left = stat->st_nlink;
	if (links->count == links->bucket_count)
		grow(links);
	place = bucket(links->buckets, links->bucket_count, stat);
	link->next = *place;
	*place = link;
	links->count++;
	return link;
}

void links_seen(struct links *links, struct link *link)
{
	struct link **place;

	if (--link->left > 0)
		return;
	place = bucket(links->buckets, links->bucket_count, &link->stat);
	while (*place != link)
		place = &(*place)->next;
	*place = link->next;
	links->count--;
	link_free(link);
}
