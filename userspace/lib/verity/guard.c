// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "verity/guard.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/**
 * struct guard - what a thread reads
 * @failed: the handler was there
 */
struct guard {
	uintptr_t start, end, page_size;
	volatile sig_atomic_t failed;
};

static _Thread_local struct guard guard;
/* What else is done about SIGBUS; set before our handler is, with @lock. */
static struct sigaction before;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * Puts zeros over all that is left, which either is past the file's end or does not matter any
 * more. The system call itself, as mmap() need not be fit for signal handlers.
 */
static void handle_bus_error(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(guard.page_size - 1);

	(void)context;
	if (info->si_code > 0 && at >= guard.start && at < guard.end &&
	    syscall(SYS_mmap, at, guard.end - at, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (long)at) {
		guard.failed = 1;
		return;
	}
	/* A fault happens again; a signal that was sent must be again. */
	sigaction(number, &before, NULL);
	if (info->si_code <= 0)
		raise(number);
}

/* Again and again, as others may have put theirs in its place: it costs nothing to speak of. */
static void install_handler(void)
{
	struct sigaction action = { .sa_sigaction = handle_bus_error, .sa_flags = SA_SIGINFO }, now;

	pthread_mutex_lock(&lock);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, NULL, &now) == 0 && now.sa_sigaction != handle_bus_error) {
		before = now;
		sigaction(SIGBUS, &action, NULL);
	}
	pthread_mutex_unlock(&lock);
}

void guard_begin(void *start, size_t size)
{
	install_handler();
	guard = (struct guard){ .start = (uintptr_t)start,
				.end = (uintptr_t)start + size,
				.page_size = (uintptr_t)sysconf(_SC_PAGESIZE) };
	atomic_signal_fence(memory_order_seq_cst);
}

bool guard_end(void)
{
	bool failed;

	atomic_signal_fence(memory_order_seq_cst);
	failed = guard.failed;
	guard = (struct guard){ 0 };
	return failed;
}
