// SPDX-License-Identifier: MIT
/*
 * A large record is hashed and copied in pieces: on a kernel that preempts nothing by itself, with
 * one processor, a thread of real-time priority that wakes up all the time does not wait until the
 * record is done. Loads and unloads the module.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "guest.h"

#define EVENTS 4096
#define EVENT_SIZE 4096
#define WAKE_NS 2000000
#define LIMIT_MS 10

static bool watching;
static uint64_t longest_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* How long it is from one wake-up to the next, at most. */
static void *watch(void *argument)
{
	const struct timespec pause = { .tv_nsec = WAKE_NS };
	uint64_t last = now_ns();

	(void)argument;
	while (__atomic_load_n(&watching, __ATOMIC_ACQUIRE)) {
		uint64_t now;

		nanosleep(&pause, NULL);
		now = now_ns();
		if (now - last > longest_ns)
			longest_ns = now - last;
		last = now;
	}
	return NULL;
}

static pthread_t start_watching(void)
{
	const struct sched_param priority = { .sched_priority = 50 };
	pthread_attr_t attributes;
	pthread_t thread;

	watching = true;
	pthread_attr_init(&attributes);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
	pthread_attr_setschedparam(&attributes, &priority);
	need(!pthread_create(&thread, &attributes, watch, NULL), "a thread of real-time priority");
	pthread_attr_destroy(&attributes);
	return thread;
}

int main(void)
{
	static struct assay_append_entry events[EVENTS];
	static uint8_t data[EVENT_SIZE];
	uint64_t from, took;
	pthread_t watcher;
	int fd, result;

	memset(data, 0x5a, sizeof(data));
	for (unsigned int i = 0; i < EVENTS; i++)
		events[i] = event("points", data, sizeof(data));
	load_assay("");
	fd = open_assay(O_RDWR);
	/* Whatever is done only once is done. */
	need(!append_all(fd, events, 16, NULL), "append");
	watcher = start_watching();
	from = now_ns();
	result = append_all(fd, events, EVENTS, NULL);
	took = now_ns() - from;
	__atomic_store_n(&watching, false, __ATOMIC_RELEASE);
	pthread_join(watcher, NULL);
	check_is(result, 0, "a record of 16 MiB is appended");
	note("  in %llu ms; the longest without a scheduling point %llu us",
	     (unsigned long long)took / 1000000, (unsigned long long)longest_ns / 1000);
	check(took > 4 * LIMIT_MS * 1000000ULL, "which takes long");
	check(longest_ns < LIMIT_MS * 1000000ULL, "others have their turn meanwhile");
	check(get_info(fd).anchored == get_info(fd).tail, "and it is anchored");
	close(fd);
	unload_assay();
	return tap_end();
}
