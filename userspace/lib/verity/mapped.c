// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/mapped.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/**
 * struct reading - what the thread reads of a mapping; @from is NULL if nothing
 * @lost: some of it was not there
 */
struct reading {
	uint8_t *from;
	size_t size;
	bool lost;
};

static _Thread_local volatile struct reading reading;
/* The system's page size; 0: nothing is mapped. */
static size_t page_size;

/* No page there, or its memory is broken: read() says that it cannot be read. */
static bool is_not_there(int code)
{
	return code == BUS_ADRERR || code == BUS_MCEERR_AR;
}

/*
 * Puts zeros in the place of what is not there, to the end of what this thread reads, and has the
 * instruction done again. Any other fault, and what is no fault of an instruction, as a signal that
 * somebody sent, end the process as they would without this.
 */
static void put_zeros(int number, siginfo_t *info, void *context)
{
	int code = errno;
	size_t at, end;

	(void)context;
	if (is_not_there(info->si_code) && reading.from) {
		at = (size_t)((uint8_t *)info->si_addr - reading.from) / page_size * page_size;
		end = (reading.size + page_size - 1) / page_size * page_size;
		if ((uint8_t *)info->si_addr >= reading.from && at < end &&
		    mmap(reading.from + at, end - at, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
			reading.lost = true;
			errno = code;
			return;
		}
	}
	/* It comes when this returns. */
	signal(number, SIG_DFL);
	raise(number);
}

void mapped_allow(void)
{
	struct sigaction action = { .sa_sigaction = put_zeros, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, &action, NULL) == 0)
		page_size = (size_t)sysconf(_SC_PAGESIZE);
}

uint8_t *mapped_new(int fd, uint64_t offset, size_t size)
{
	void *map = page_size > 0 ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset) :
				    MAP_FAILED;

	return map == MAP_FAILED ? NULL : map;
}

void mapped_free(uint8_t *map, size_t size)
{
	if (map)
		munmap(map, size);
}

void mapped_begin(const uint8_t *data, size_t size)
{
	reading.lost = false;
	reading.size = size;
	reading.from = (uint8_t *)data;
	/* For the compiler: what is read is read between these two, even where it sees both. */
	atomic_signal_fence(memory_order_seq_cst);
}

bool mapped_end(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	reading.from = NULL;
	return !reading.lost;
}
