/* SPDX-License-Identifier: MIT */
/*
 * As much of io_uring as the tests and benchmarks of /dev/assay need, without liburing:
 * one ring, commands to one file, completions in any order.
 */
#ifndef TESTS_KMOD_URING_H
#define TESTS_KMOD_URING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uapi/assay.h>

struct uring {
	int fd;
	unsigned int entries;
	uint32_t flags; /* IORING_SETUP_* */
	uint32_t *sq_tail, sq_mask, *sq_array;
	uint32_t *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int queued; /* not submitted yet */
};

/*
 * A ring with IORING_SETUP_* and room for so many commands, a power of two. Returns 0, or -1
 * with errno set.
 */
static inline int uring_open_with(struct uring *ring, unsigned int entries, uint32_t flags)
{
	struct io_uring_params parameters = { .flags = flags, .sq_thread_idle = 50 };
	uint8_t *rings;
	size_t size;

	memset(ring, 0, sizeof(*ring));
	ring->fd = (int)syscall(SYS_io_uring_setup, entries, &parameters);
	if (ring->fd < 0)
		return -1;
	size = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
	if (size < parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t))
		size = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
	/* Both rings are in one mapping: IORING_FEAT_SINGLE_MMAP, since 5.4. */
	rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, parameters.sq_entries * sizeof(struct io_uring_sqe),
			  PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -1;
	ring->flags = flags;
	ring->entries = parameters.sq_entries;
	ring->sq_tail = (uint32_t *)(rings + parameters.sq_off.tail);
	ring->sq_mask = *(uint32_t *)(rings + parameters.sq_off.ring_mask);
	ring->sq_array = (uint32_t *)(rings + parameters.sq_off.array);
	ring->cq_head = (uint32_t *)(rings + parameters.cq_off.head);
	ring->cq_tail = (uint32_t *)(rings + parameters.cq_off.tail);
	ring->cq_mask = *(uint32_t *)(rings + parameters.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(rings + parameters.cq_off.cqes);
	return 0;
}

static inline int uring_open(struct uring *ring, unsigned int entries)
{
	return uring_open_with(ring, entries, 0);
}

static inline void uring_close(struct uring *ring)
{
	close(ring->fd);
}

/* A command for @file; the caller may change it until it is submitted. */
static inline struct io_uring_sqe *uring_command(struct uring *ring, int file, uint32_t operation,
						 void *argument, uint32_t size, uint64_t user_data)
{
	const struct assay_uring_command command = {
		.argument = (uintptr_t)argument,
		.size = size,
	};
	uint32_t index = *ring->sq_tail & ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[index];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = file;
	sqe->cmd_op = operation;
	sqe->user_data = user_data;
	memcpy(sqe->cmd, &command, sizeof(command));
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, *ring->sq_tail + 1, __ATOMIC_RELEASE);
	ring->queued++;
	return sqe;
}

/*
 * Submit what is queued, and wait for so many completions. One system call; with a thread of
 * the kernel's that submits, it is woken.
 */
static inline int uring_enter(struct uring *ring, unsigned int wait)
{
	unsigned int flags = (wait ? IORING_ENTER_GETEVENTS : 0) |
			     (ring->flags & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : 0);
	long ret = syscall(SYS_io_uring_enter, ring->fd, ring->queued, wait, flags, NULL, 0);

	if (ret < 0)
		return -errno;
	ring->queued -= (unsigned int)ret;
	return (int)ret;
}

/* Takes a completion; false if there is none now. */
static inline bool uring_reap(struct uring *ring, uint64_t *ret_user_data, int *ret_result)
{
	uint32_t head = *ring->cq_head;
	const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cq_mask];

	if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*ret_user_data = cqe->user_data;
	*ret_result = cqe->res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

#endif /* TESTS_KMOD_URING_H */
