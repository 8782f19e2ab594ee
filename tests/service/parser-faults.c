// SPDX-License-Identifier: MIT
/*
 * Faults in the processes of the service, for tests: loaded into it by LD_PRELOAD, it stands before
 * jansson. A call of Varlink that has one of these words does, where it is parsed, what somebody
 * who has taken the parser over, or a mistake in it, could do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef json_t *(*load_function)(const char *text, size_t size, size_t flags, json_error_t *error);

typedef int (*dump_function)(const json_t *json, int output, size_t flags);

static load_function load;
static dump_function dump;
static char *volatile nowhere;

static void __attribute__((constructor)) find_jansson(void)
{
	load = (load_function)dlsym(RTLD_NEXT, "json_loadb");
	dump = (dump_function)dlsym(RTLD_NEXT, "json_dumpfd");
}

static bool has(const char *text, size_t size, const char *word)
{
	return memmem(text, size, word, strlen(word)) != NULL;
}

/* All the memory that there is, and all the time. */
static void __attribute__((noreturn)) take_all(void)
{
	volatile char *memory;

	while ((memory = malloc(4096)))
		memory[0] = 1;
	for (;;)
		;
}

/* A stack, which is no data to the kernel, made larger; it ends where it is not given. */
static void __attribute__((noreturn)) take_stack(void)
{
	enum { PAGE = 65536, WANTED = 256 << 20 };
	volatile char room[3 * PAGE];
	char *page = (char *)(((uintptr_t)room + PAGE) & ~((uintptr_t)PAGE - 1));

	room[0] = 0;
	if (mremap(page, PAGE, WANTED, MREMAP_MAYMOVE) == MAP_FAILED)
		*nowhere = 1;
	for (;;)
		;
}

/* Of the child that measures: it has measured, and does not answer while there is this file. */
int json_dumpfd(const json_t *json, int output, size_t flags)
{
	while (access("/run/fault-late", F_OK) == 0)
		usleep(10000);
	return dump(json, output, flags);
}

json_t *json_loadb(const char *buffer, size_t buflen, size_t flags, json_error_t *error)
{
	if (has(buffer, buflen, "fault-crash"))
		*nowhere = 1;
	if (has(buffer, buflen, "fault-open"))
		(void)open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (has(buffer, buflen, "fault-stack"))
		take_stack();
	if (has(buffer, buflen, "fault-loop"))
		take_all();
	return load(buffer, buflen, flags, error);
}
