// SPDX-License-Identifier: MIT
/*
 * Everything that /dev/assay takes, random or valid with a few fields changed, from several
 * threads at once, while the memory that requests point to is rewritten and unmapped, and
 * signals come. Each call has an answer that the ABI allows; what is forbidden is refused
 * whatever else is in the request; the valid requests among them work, each record is
 * where the call said, and in the end the log is whole and the PCR explained by it.
 *
 *	fuzz CALLS [SEED]
 *
 * The seed is printed; with it every thread makes the same calls again, though not
 * at the same moments.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/fsverity.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "chance.h"
#include "follow.h"

#define THREADS 4
#define NOBODY 65534
#define ARENA_PAGES 64
#define REQUEST_MAX 512
#define OWN_LABEL "fuzz.valid"
#define OWN_MAX 65536 /* valid APPENDs of a fuzzer */
#define OWN_ENTRIES 8 /* in a valid request */
#define RING_ENTRIES 16

/* ------------------------------------------------------------------ chance */
static uint64_t interesting(struct chance *chance)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		7,
		8,
		63,
		64,
		65,
		255,
		4095,
		ASSAY_MAX_BATCH,
		ASSAY_MAX_BATCH + 1,
		ASSAY_MAX_EVENT,
		ASSAY_MAX_EVENT + 1,
		INT32_MAX,
		(uint64_t)INT32_MAX + 1,
		UINT32_MAX,
		(uint64_t)UINT32_MAX + 1,
		1ULL << 40,
		INT64_MAX,
		UINT64_MAX - 4095,
		UINT64_MAX,
	};
	uint64_t value = values[below(chance, sizeof(values) / sizeof(values[0]))];

	switch (below(chance, 4)) {
	case 0:
		return value + below(chance, 9) - 4;
	case 1:
		return draw(chance) >> below(chance, 64);
	}
	return value;
}

/* ------------------------------------------------------------------ what all threads share */
static size_t page_size;
static uint8_t
	*arena; /* ARENA_PAGES, the last read-only; a page that is not mapped; both ends open */
static const uint8_t *mapped_log;
static size_t mapped_size;
static int file_rw, file_ro;
static uint8_t verity_digest[ASSAY_MAX_DIGEST]; /* of the first of the files to measure */
static uint16_t verity_digest_size;
static long *calls_left; /* of all, in memory that the processes share */

struct fuzzer {
	pthread_t thread;
	unsigned int number;
	bool privileged;
	struct chance chance;
	unsigned int calls, worked;
	int files[8];
	uint8_t *own; /* a page that nobody else touches */
	/* the valid APPENDs: where they said their entries are, and where these are */
	struct own {
		uint64_t recnum; /* ASSAY_RECNUM_NONE if nowhere */
		uint64_t offset;
		uint32_t entries;
		uint32_t found;
	} * owned;
	unsigned int own_count;
	char wrong[256]; /* the first thing that was */
	unsigned int wrong_count;
};

static void __attribute__((format(printf, 2, 3)))
wrong(struct fuzzer *fuzzer, const char *format, ...)
{
	va_list arguments;

	if (fuzzer->wrong_count++)
		return;
	va_start(arguments, format);
	vsnprintf(fuzzer->wrong, sizeof(fuzzer->wrong), format, arguments);
	va_end(arguments);
}

/* A pointer to, it is hoped, @size bytes. */
static uint64_t any_pointer(struct fuzzer *fuzzer, size_t size)
{
	struct chance *chance = &fuzzer->chance;
	size_t whole = ARENA_PAGES * page_size;

	switch (below(chance, 20)) {
	case 0: /* ends too early */
		return (uintptr_t)arena + whole - below(chance, size + 1);
	case 1: /* cannot be written */
		return (uintptr_t)arena + whole - page_size + below(chance, page_size);
	case 2:
		return below(chance, 2 * page_size);
	case 3: /* the kernel's */
		return ~0ULL << 48 | draw(chance) >> 16;
	case 4: /* ours, without a struct page */
		return (uintptr_t)mapped_log + below(chance, mapped_size);
	case 5:
		return draw(chance);
	}
	return (uintptr_t)arena + below(chance, whole - page_size - (size < whole / 2 ? size : 0));
}

/* Whether it can be written to here. */
static bool in_arena(const void *pointer, size_t size)
{
	size_t place = (size_t)((uintptr_t)pointer - (uintptr_t)arena);
	size_t end = (ARENA_PAGES - 1) * page_size;

	return place < end && size <= end - place;
}

static int any_file(struct fuzzer *fuzzer)
{
	if (one_in(&fuzzer->chance, 8))
		return (int)interesting(&fuzzer->chance);
	return fuzzer->files[below(&fuzzer->chance, sizeof(fuzzer->files) / sizeof(int))];
}

/* ------------------------------------------------------------------ requests */
/*
 * A request as the kernel takes it: made valid, then perhaps changed. What it points to is in the
 * arena, where others write at any time, or, if @own, in the fuzzer's own page.
 */
struct request {
	unsigned int number;
	size_t size;
	bool own;
	uint8_t bytes[REQUEST_MAX];
};

static void make_info(struct fuzzer *fuzzer, struct request *request)
{
	(void)fuzzer;
	request->number = _IOC_NR(ASSAY_IOC_INFO);
	request->size = sizeof(struct assay_info);
}

static void make_measure(struct fuzzer *fuzzer, struct request *request)
{
	struct chance *chance = &fuzzer->chance;
	struct assay_measure *measure = (struct assay_measure *)request->bytes;
	struct assay_measure_entry *entries = (struct assay_measure_entry *)fuzzer->own;

	request->number = _IOC_NR(ASSAY_IOC_MEASURE);
	request->size = sizeof(*measure);
	measure->flags = one_in(chance, 4) ? ASSAY_MEASURE_READ : 0;
	measure->count = 1 + (uint32_t)below(chance, one_in(chance, 50) ? 1000 : 8);
	measure->entry_size = sizeof(*entries);
	if (request->own) {
		measure->count = 1 + (uint32_t)below(chance, OWN_ENTRIES);
		memset(entries, 0, measure->count * sizeof(*entries));
		for (uint32_t i = 0; i < measure->count; i++)
			entries[i].fd = fuzzer->files[below(chance, 2)];
		measure->entries = (uintptr_t)entries;
		return;
	}
	measure->entries = any_pointer(fuzzer, measure->count * sizeof(*entries));
	/* Descriptors among what else is in the arena. */
	entries = (struct assay_measure_entry *)(uintptr_t)measure->entries;
	if (in_arena(entries, measure->count * sizeof(*entries))) {
		for (uint32_t i = 0; i < measure->count; i++) {
			const struct assay_measure_entry entry = { .fd = any_file(fuzzer) };

			memcpy(&entries[i], &entry, sizeof(entry));
		}
	}
}

static void make_append(struct fuzzer *fuzzer, struct request *request)
{
	struct chance *chance = &fuzzer->chance;
	struct assay_append *append = (struct assay_append *)request->bytes;
	struct assay_append_entry *entries;

	request->number = _IOC_NR(ASSAY_IOC_APPEND);
	request->size = sizeof(*append);
	append->count = 1 + (uint32_t)below(chance, one_in(chance, 50) ? 1000 : 8);
	append->entry_size = sizeof(*entries);
	if (request->own) {
		const uint32_t mark[2] = { fuzzer->number, fuzzer->own_count };
		uint8_t *data = fuzzer->own + page_size / 2;

		/* All of one call: an entry each, of another length, with the same mark. */
		append->count = 1 + (uint32_t)below(chance, OWN_ENTRIES);
		append->entries = (uintptr_t)fuzzer->own;
		entries = (struct assay_append_entry *)fuzzer->own;
		memcpy(data, mark, sizeof(mark));
		for (uint32_t i = 0; i < append->count; i++)
			entries[i] = event(OWN_LABEL, data, sizeof(mark) + below(chance, 64));
		return;
	}
	append->entries = any_pointer(fuzzer, append->count * sizeof(*entries));
	entries = (struct assay_append_entry *)(uintptr_t)append->entries;
	if (in_arena(entries, append->count * sizeof(*entries))) {
		for (uint32_t i = 0; i < append->count; i++) {
			const struct assay_append_entry entry = {
				.label = any_pointer(fuzzer, 16),
				.data = any_pointer(fuzzer, 100),
				.label_size = 1 + (uint32_t)below(chance, 16),
				.data_size = (uint32_t)below(
					chance, one_in(chance, 100) ? ASSAY_MAX_EVENT : 100),
			};

			memcpy(&entries[i], &entry, sizeof(entry));
		}
	}
}

static void make_anchor(struct fuzzer *fuzzer, struct request *request)
{
	(void)fuzzer;
	request->number = _IOC_NR(ASSAY_IOC_ANCHOR);
	request->size = sizeof(struct assay_anchor_request);
}

static uint64_t any_record(struct fuzzer *fuzzer)
{
	const struct assay_log_header *header = (const struct assay_log_header *)mapped_log;

	if (one_in(&fuzzer->chance, 4))
		return interesting(&fuzzer->chance);
	return below(&fuzzer->chance, 1 + __atomic_load_n(&header->records, __ATOMIC_RELAXED));
}

static void make_trim(struct fuzzer *fuzzer, struct request *request)
{
	struct assay_trim *trim = (struct assay_trim *)request->bytes;

	request->number = _IOC_NR(ASSAY_IOC_TRIM);
	request->size = sizeof(*trim);
	request->own = false;
	trim->keep = any_record(fuzzer);
}

static void make_seal(struct fuzzer *fuzzer, struct request *request)
{
	struct assay_seal *seal = (struct assay_seal *)request->bytes;

	request->number = _IOC_NR(ASSAY_IOC_SEAL);
	request->size = sizeof(*seal);
	request->own = false;
	seal->first = any_record(fuzzer);
	seal->count = 1 + below(&fuzzer->chance, 8);
}

static void make_keys(struct fuzzer *fuzzer, struct request *request)
{
	const struct assay_log_header *header = (const struct assay_log_header *)mapped_log;
	struct chance *chance = &fuzzer->chance;
	struct assay_keys *keys = (struct assay_keys *)request->bytes;

	request->number = _IOC_NR(ASSAY_IOC_KEYS);
	request->size = sizeof(*keys);
	keys->count = 1 + (uint32_t)below(chance, one_in(chance, 50) ? ASSAY_MAX_BATCH : 8);
	keys->first = any_record(fuzzer);
	keys->keys = any_pointer(fuzzer, (size_t)keys->count * ASSAY_KEY_SIZE);
	if (request->own) {
		keys->count = 1 + (uint32_t)below(chance, OWN_ENTRIES);
		keys->first =
			below(chance, 1 + __atomic_load_n(&header->records, __ATOMIC_RELAXED));
		keys->keys = (uintptr_t)fuzzer->own;
	}
}

static void (*const makers[])(struct fuzzer *fuzzer, struct request *request) = {
	make_info, make_measure, make_append, make_anchor, make_trim, make_seal, make_keys,
};

static void change(struct fuzzer *fuzzer, struct request *request)
{
	struct chance *chance = &fuzzer->chance;

	for (uint64_t changes = 1 + below(chance, 3); changes > 0; changes--) {
		uint64_t value =
			one_in(chance, 3) ? any_pointer(fuzzer, 4096) : interesting(chance);
		size_t width = (size_t)4 << below(chance, 2);

		if (one_in(chance, 6)) {
			size_t size = below(chance, 3) ? request->size + below(chance, 17) - 8 :
							 below(chance, REQUEST_MAX);

			request->size = size < REQUEST_MAX ? size : REQUEST_MAX - 1;
			continue;
		}
		memcpy(request->bytes + width * below(chance, 64 / width), &value, width);
	}
}

/* The answers to an ioctl that the ABI has, whatever is in the request. */
static bool is_answer(int result)
{
	switch (-result) {
	case 0:
	case EACCES:
	case EBADF:
	case EFAULT:
	case EINTR:
	case EINVAL:
	case ENODATA: /* TRIM to the head */
	case ENOSPC:
	case ENOTTY:
	case EPERM:
		return true;
	}
	return false;
}

/* What came of a valid APPEND, whether it worked or not. */
static void own_append(struct fuzzer *fuzzer, const struct request *request)
{
	const struct assay_append *append = (const struct assay_append *)request->bytes;

	if (fuzzer->own_count < OWN_MAX)
		fuzzer->owned[fuzzer->own_count++] = (struct own){
			.recnum = append->recnum,
			.offset = append->offset,
			.entries = append->count,
		};
}

/* What nobody may do, or not through this descriptor. */
static bool is_forbidden(const struct fuzzer *fuzzer, unsigned int number, int fd)
{
	switch (number) {
	case _IOC_NR(ASSAY_IOC_INFO):
	case _IOC_NR(ASSAY_IOC_KEYS):
		return false;
	case _IOC_NR(ASSAY_IOC_TRIM):
	case _IOC_NR(ASSAY_IOC_SEAL):
		return fd == file_ro || !fuzzer->privileged;
	}
	return fd == file_ro;
}

/* A valid MEASURE that worked: of the files it names one has fs-verity, and one has not. */
static void own_measure(struct fuzzer *fuzzer, const struct request *request)
{
	const struct assay_measure *measure = (const struct assay_measure *)request->bytes;
	const struct assay_measure_entry *entries = (struct assay_measure_entry *)fuzzer->own;

	for (uint32_t i = 0; i < measure->count; i++) {
		bool verity = entries[i].fd == fuzzer->files[0];

		if (entries[i].result != (verity ? 0 : -ENODATA) ||
		    (verity && (entries[i].digest_size != verity_digest_size ||
				memcmp(entries[i].digest, verity_digest, verity_digest_size) != 0)))
			wrong(fuzzer, "a file was measured wrong: %s",
			      strerror(-entries[i].result));
	}
}

/* Valid KEYS that worked: none of a record that the TPM does not have. */
static void own_keys(struct fuzzer *fuzzer, const struct request *request)
{
	const struct assay_keys *keys = (const struct assay_keys *)request->bytes;

	if (keys->count > 0 && keys->first + keys->count > get_info(file_rw).anchored_records)
		wrong(fuzzer, "a key was given before its record was anchored");
}

static void judge(struct fuzzer *fuzzer, struct request *request, int fd, int result, bool uring)
{
	const char *how = uring ? "a URING_CMD" : "an ioctl";

	/* So io_uring itself says where signals kept it from starting a worker: nothing was done.
	 */
	if (uring && result == -ECANCELED) {
		((struct assay_append *)request->bytes)->recnum = ASSAY_RECNUM_NONE;
		result = -EINTR;
	}
	fuzzer->worked += !result;
	if (!is_answer(result) && !is_late(result))
		wrong(fuzzer, "%s of command %u: %s", how, request->number, strerror(-result));
	if (!result && is_forbidden(fuzzer, request->number, fd))
		wrong(fuzzer, "%s of command %u worked, which it may not", how, request->number);
	if (!request->own)
		return;
	if (result && result != -ENOSPC && !is_late(result) && !(uring && result == -EINTR))
		wrong(fuzzer, "%s of a valid command %u: %s", how, request->number,
		      strerror(-result));
	if (request->number == _IOC_NR(ASSAY_IOC_APPEND))
		own_append(fuzzer, request);
	else if (request->number == _IOC_NR(ASSAY_IOC_MEASURE) && !result)
		own_measure(fuzzer, request);
	else if (request->number == _IOC_NR(ASSAY_IOC_KEYS) && !result)
		own_keys(fuzzer, request);
}

static void make_request(struct fuzzer *fuzzer, struct request *request, bool may_be_own)
{
	struct chance *chance = &fuzzer->chance;

	memset(request, 0, sizeof(*request));
	/* Valid ones are few: each costs the time of a TPM. */
	request->own = may_be_own && one_in(chance, 40);
	makers[below(chance, sizeof(makers) / sizeof(makers[0]))](fuzzer, request);
	if (!request->own && !one_in(chance, 8))
		change(fuzzer, request);
}

static void do_ioctl(struct fuzzer *fuzzer)
{
	struct chance *chance = &fuzzer->chance;
	struct request request;
	unsigned int direction = _IOC_READ | _IOC_WRITE, magic = ASSAY_IOC_MAGIC;
	void *argument = request.bytes;
	int fd = file_rw, result;

	make_request(fuzzer, &request, true);
	if (!request.own) {
		if (one_in(chance, 8))
			fd = file_ro;
		if (one_in(chance, 30))
			request.number = (unsigned int)below(chance, 256);
		if (one_in(chance, 50))
			direction = (unsigned int)below(chance, 4);
		if (one_in(chance, 50))
			magic = (unsigned int)below(chance, 256);
		/* Where it changes while the kernel reads it, or is not to be read or written. */
		if (one_in(chance, 6)) {
			argument = (void *)(uintptr_t)any_pointer(fuzzer, request.size);
			if (in_arena(argument, request.size))
				memcpy(argument, request.bytes, request.size);
		}
	}
	result = call(fd, _IOC(direction, magic, request.number, request.size), argument);
	judge(fuzzer, &request, fd, result, false);
}

/* A valid APPEND behind all others, which a TRIM may have cut off to the last. */
static void append_last(struct fuzzer *fuzzer)
{
	struct request request = { .own = true };

	make_append(fuzzer, &request);
	judge(fuzzer, &request, file_rw, call(file_rw, ASSAY_IOC_APPEND, request.bytes), false);
}

/* ------------------------------------------------------------------ io_uring */
struct uring {
	int fd;
	uint8_t *rings;
	size_t size;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
};

static bool uring_open(struct uring *uring)
{
	if (uring->fd > 0)
		return true;
	memset(uring, 0, sizeof(*uring));
	uring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &uring->params);
	if (uring->fd < 0) {
		uring->fd = 0;
		return false;
	}
	uring->size = uring->params.cq_off.cqes + 2 * RING_ENTRIES * sizeof(struct io_uring_cqe);
	uring->rings = mmap(NULL, uring->size, PROT_READ | PROT_WRITE, MAP_SHARED, uring->fd,
			    IORING_OFF_SQ_RING);
	uring->entries = mmap(NULL, RING_ENTRIES * sizeof(struct io_uring_sqe),
			      PROT_READ | PROT_WRITE, MAP_SHARED, uring->fd, IORING_OFF_SQES);
	need((void *)uring->rings != MAP_FAILED && (void *)uring->entries != MAP_FAILED,
	     "map an io_uring");
	return true;
}

static void uring_close(struct uring *uring)
{
	munmap(uring->rings, uring->size);
	munmap(uring->entries, RING_ENTRIES * sizeof(struct io_uring_sqe));
	close(uring->fd);
	uring->fd = 0;
}

static uint32_t *uring_word(const struct uring *uring, uint32_t offset)
{
	return (uint32_t *)(uring->rings + offset);
}

/* As the ABI has it: the command's number, a pointer to the request and its size. */
static void uring_put(struct uring *uring, unsigned int index, unsigned int number, int fd,
		      uint64_t pointer, uint32_t size, uint32_t reserved)
{
	struct io_uring_sqe *sqe = &uring->entries[index];
	uint32_t tail = *uring_word(uring, uring->params.sq_off.tail);
	uint32_t words[2] = { size, reserved };

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = number;
	sqe->user_data = index;
	memcpy((uint8_t *)sqe + offsetof(struct io_uring_sqe, cmd), &pointer, sizeof(pointer));
	memcpy((uint8_t *)sqe + offsetof(struct io_uring_sqe, cmd) + sizeof(pointer), words,
	       sizeof(words));
	uring_word(uring, uring->params.sq_off.array)[tail % RING_ENTRIES] = index;
	__atomic_store_n(uring_word(uring, uring->params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

/* Takes what has completed; returns how many. */
static unsigned int uring_take(struct uring *uring, int results[RING_ENTRIES])
{
	uint32_t head = *uring_word(uring, uring->params.cq_off.head);
	uint32_t tail =
		__atomic_load_n(uring_word(uring, uring->params.cq_off.tail), __ATOMIC_ACQUIRE);
	const struct io_uring_cqe *cqes =
		(const struct io_uring_cqe *)(uring->rings + uring->params.cq_off.cqes);
	unsigned int taken = 0;

	for (; head != tail; head++, taken++) {
		const struct io_uring_cqe *cqe = &cqes[head % uring->params.cq_entries];

		results[cqe->user_data % RING_ENTRIES] = cqe->res;
	}
	__atomic_store_n(uring_word(uring, uring->params.cq_off.head), head, __ATOMIC_RELEASE);
	return taken;
}

static bool is_uring_command(unsigned int number)
{
	return number == _IOC_NR(ASSAY_IOC_MEASURE) || number == _IOC_NR(ASSAY_IOC_APPEND);
}

/* Puts the request at @index; it is the fuzzer's own for as long as the kernel may write to it. */
static void uring_request(struct fuzzer *fuzzer, struct uring *uring, unsigned int index,
			  struct request *request, int fd, bool leave)
{
	struct chance *chance = &fuzzer->chance;
	uint64_t pointer = (uintptr_t)request->bytes;
	uint32_t reserved = 0;

	if (!request->own && (leave || one_in(chance, 8))) {
		pointer = any_pointer(fuzzer, request->size);
		if (in_arena((void *)(uintptr_t)pointer, request->size))
			memcpy((void *)(uintptr_t)pointer, request->bytes, request->size);
	}
	if (!request->own && one_in(chance, 30))
		reserved = (uint32_t)interesting(chance);
	uring_put(uring, index, request->number, fd, pointer, (uint32_t)request->size, reserved);
}

/* Several requests at once; now and then the ring is closed before they are done. */
static void do_uring(struct fuzzer *fuzzer)
{
	static _Thread_local struct request requests[RING_ENTRIES];
	static _Thread_local struct uring uring;
	struct chance *chance = &fuzzer->chance;
	unsigned int count = 1 + (unsigned int)below(chance, RING_ENTRIES), taken = 0;
	int results[RING_ENTRIES], fds[RING_ENTRIES];
	bool leave = one_in(chance, 8), own = leave;

	if (!uring_open(&uring)) {
		if (errno != EINTR && errno != ENOMEM)
			wrong(fuzzer, "io_uring_setup: %s", strerror(errno));
		return;
	}
	for (unsigned int i = 0; i < count; i++) {
		struct request *request = &requests[i];

		/* One of its own at a time: they share a page. */
		make_request(fuzzer, request, !own);
		request->own = request->own && is_uring_command(request->number);
		own = own || request->own;
		fds[i] = !request->own && one_in(chance, 8) ? file_ro : file_rw;
		uring_request(fuzzer, &uring, i, request, fds[i], leave);
	}
	if (leave) {
		syscall(SYS_io_uring_enter, uring.fd, count, 0, 0, NULL, 0);
		uring_close(&uring);
		return;
	}
	for (unsigned int submit = count; taken < count;) {
		long done = syscall(SYS_io_uring_enter, uring.fd, submit, count - taken,
				    IORING_ENTER_GETEVENTS, NULL, 0);

		if (done < 0 && errno != EINTR) {
			wrong(fuzzer, "io_uring_enter: %s", strerror(errno));
			return;
		}
		if (done > 0)
			submit -= (unsigned int)done;
		taken += uring_take(&uring, results);
	}
	for (unsigned int i = 0; i < count; i++)
		judge(fuzzer, &requests[i], fds[i], results[i], true);
	fuzzer->calls += count - 1;
}

/* ------------------------------------------------------------------ the mapping */
static void look(const uint8_t *place, size_t size, struct chance *chance)
{
	for (int looks = 0; looks < 4; looks++)
		*(const volatile uint8_t *)(place + below(chance, size));
}

static void do_map(struct fuzzer *fuzzer)
{
	struct chance *chance = &fuzzer->chance;
	size_t size = one_in(chance, 2) ?
			      mapped_size :
			      page_size * (1 + below(chance, 2 * mapped_size / page_size));
	int protection = one_in(chance, 4) ? (int)below(chance, 8) : PROT_READ;
	int flags = one_in(chance, 8) ? MAP_PRIVATE : MAP_SHARED;
	uint64_t offset = one_in(chance, 4) ? interesting(chance) & ~(page_size - 1) : 0;
	int fd = one_in(chance, 4) ? file_ro : file_rw;
	uint8_t *place = mmap(NULL, size, protection, flags, fd, (off_t)(offset & INT64_MAX));
	uint8_t byte = 0;
	struct iovec from = { &byte, 1 }, to = { NULL, 1 };

	if (place == MAP_FAILED)
		return;
	if (flags == MAP_PRIVATE || protection & (PROT_WRITE | PROT_EXEC))
		wrong(fuzzer, "mmap with protection %d and flags %d worked", protection, flags);
	if (protection & PROT_READ && !offset && size <= mapped_size)
		look(place, size, chance);
	if (!mprotect(place, page_size, PROT_READ | PROT_WRITE))
		wrong(fuzzer, "mprotect made the log writable");
	if (!mprotect(place, page_size, PROT_READ | PROT_EXEC))
		wrong(fuzzer, "mprotect made the log executable");
	to.iov_base = place + below(chance, size);
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) > 0)
		wrong(fuzzer, "process_vm_writev wrote to the log");
	switch (below(chance, 5)) {
	case 0:
		if (mremap(place, size, size + page_size, MREMAP_MAYMOVE) != MAP_FAILED)
			wrong(fuzzer, "mremap made the mapping longer");
		break;
	case 1: {
		uint8_t *moved = mremap(place, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

		if (moved != MAP_FAILED)
			munmap(moved, size);
		break;
	}
	case 2:
		madvise(place, size, one_in(chance, 2) ? MADV_DONTNEED : MADV_WILLNEED);
		break;
	case 3: { /* a hole, in which another thread may map something at once */
		size_t hole = page_size * below(chance, size / page_size);

		munmap(place + hole, page_size);
		munmap(place, hole);
		munmap(place + hole + page_size, size - hole - page_size);
		return;
	}
	case 4:
		mlock(place, size);
		break;
	}
	munmap(place, size);
}

/* ------------------------------------------------------------------ the file */
static void do_read(struct fuzzer *fuzzer)
{
	struct chance *chance = &fuzzer->chance;
	int fd = open(DEVICE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		if (fuzzer->privileged)
			wrong(fuzzer, "open: %s", strerror(errno));
		return;
	}
	for (int i = 0; i < 3; i++) {
		size_t size = below(chance, one_in(chance, 4) ? 1 << 20 : 5000);
		struct pollfd poll_fd = { .fd = fd, .events = (short)draw(chance) };

		switch (below(chance, 4)) {
		case 0:
			lseek(fd, (off_t)interesting(chance), (int)below(chance, 6));
			break;
		case 1:
			poll(&poll_fd, 1, 0);
			break;
		case 2:
			if (pread(fd, (void *)(uintptr_t)any_pointer(fuzzer, size), size,
				  (off_t)interesting(chance)) > (ssize_t)size)
				wrong(fuzzer, "a read of more than was asked for");
			break;
		default:
			if (read(fd, (void *)(uintptr_t)any_pointer(fuzzer, size), size) >
			    (ssize_t)size)
				wrong(fuzzer, "a read of more than was asked for");
		}
	}
	close(fd);
}

/* The memory that other threads' requests are in. */
static void do_disturb(struct fuzzer *fuzzer)
{
	struct chance *chance = &fuzzer->chance;
	size_t place = below(chance, (ARENA_PAGES - 2) * page_size);

	switch (below(chance, 8)) {
	case 0:
		madvise(arena + place / page_size * page_size, page_size, MADV_DONTNEED);
		break;
	default:
		for (int i = 0; i < 32; i++) {
			uint64_t value =
				one_in(chance, 2) ? 0x6162636465666768 : interesting(chance);

			memcpy(arena + place / 8 * 8 + 8 * below(chance, 64), &value, 8);
		}
	}
}

static void *fuzz(void *argument)
{
	static const struct {
		unsigned int weight;
		void (*act)(struct fuzzer *fuzzer);
	} acts[] = {
		{ 24, do_ioctl }, { 2, do_uring }, { 3, do_map }, { 3, do_read }, { 3, do_disturb }
	};
	struct fuzzer *fuzzer = argument;

	while (__atomic_fetch_sub(calls_left, 1, __ATOMIC_RELAXED) > 0) {
		uint64_t turn = below(&fuzzer->chance, 35);
		unsigned int i = 0, calls = fuzzer->calls;

		while (turn >= acts[i].weight)
			turn -= acts[i++].weight;
		acts[i].act(fuzzer);
		fuzzer->calls++;
		__atomic_fetch_sub(calls_left, (long)(fuzzer->calls - calls) - 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* ------------------------------------------------------------------ start and end */
static void on_signal(int signal)
{
	(void)signal;
}

/* Signals that have a handler must not be noticed by any call. */
static void disturb_with_signals(struct fuzzer *fuzzers, unsigned int count)
{
	const struct timespec pause_time = { .tv_nsec = 1000 * 1000 };
	long left, all = __atomic_load_n(calls_left, __ATOMIC_RELAXED), told = all;

	while ((left = __atomic_load_n(calls_left, __ATOMIC_RELAXED)) > 0) {
		if (count > 1 && told - left >= all / 10) {
			told = left;
			note("%ld of %ld calls", all - left, all);
		}
		for (unsigned int i = 0; i < count; i++)
			pthread_kill(fuzzers[i].thread, SIGUSR1);
		nanosleep(&pause_time, NULL);
	}
}

static void run_threads(struct fuzzer *fuzzers, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		need(!pthread_create(&fuzzers[i].thread, NULL, fuzz, &fuzzers[i]), "a thread");
	disturb_with_signals(fuzzers, count);
	for (unsigned int i = 0; i < count; i++)
		pthread_join(fuzzers[i].thread, NULL);
}

static void *share(size_t size)
{
	void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need(place != MAP_FAILED, "map %zu bytes", size);
	return place;
}

static void open_files(int files[8])
{
	struct {
		struct fsverity_digest head;
		uint8_t bytes[ASSAY_MAX_DIGEST];
	} digest = { .head.digest_size = sizeof(digest.bytes) };
	int ends[2];

	need(!pipe2(ends, O_CLOEXEC | O_NONBLOCK), "pipe");
	files[0] = open("/disk/verity", O_RDONLY | O_CLOEXEC);
	need(!ioctl(files[0], FS_IOC_MEASURE_VERITY, &digest), "measure /disk/verity");
	verity_digest_size = digest.head.digest_size;
	memcpy(verity_digest, digest.bytes, verity_digest_size);
	files[1] = open("/bed/test", O_RDONLY | O_CLOEXEC);
	files[2] = open("/", O_RDONLY | O_CLOEXEC);
	files[3] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	files[4] = open("/bed/busybox", O_PATH | O_CLOEXEC);
	files[5] = open("/tmp/written", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	files[6] = file_rw;
	files[7] = ends[0];
	for (int i = 0; i < 8; i++)
		need(files[i] >= 0, "file %d of those to measure", i);
}

/* Whose an event is, if it is one of a valid APPEND. */
static struct own *find_own(struct fuzzer *fuzzers, const struct tlv *event)
{
	struct tlv label = find_tlv(event->value, event->size, ASSAY_FIELD_LABEL);
	struct tlv data = find_tlv(event->value, event->size, ASSAY_FIELD_DATA);
	uint32_t mark[2];

	if (!label.value || label.size != sizeof(OWN_LABEL) - 1 ||
	    memcmp(label.value, OWN_LABEL, label.size) != 0 || !data.value ||
	    data.size < sizeof(mark))
		return NULL;
	memcpy(mark, data.value, sizeof(mark));
	if (mark[0] >= THREADS || mark[1] >= fuzzers[mark[0]].own_count)
		return NULL;
	return &fuzzers[mark[0]].owned[mark[1]];
}

/* Counts what is in a record; returns how many of its events should be elsewhere. */
static unsigned int find_owned(struct fuzzer *fuzzers, const struct record *record, uint64_t offset)
{
	const uint8_t *fields = record->fields;
	size_t size = record->fields_size;
	unsigned int misplaced = 0;
	struct tlv tlv;

	while (next_tlv(&fields, &size, &tlv)) {
		struct own *own;

		if (tlv.type != ASSAY_FIELD_EVENT)
			continue;
		own = find_own(fuzzers, &tlv);
		if (!own)
			continue;
		own->found++;
		misplaced += own->recnum != record->number || own->offset != offset;
	}
	return misplaced;
}

/* The log as it is now: whole, all that was said to be in it there once, the PCR explained. */
static void check_log(struct fuzzer *fuzzers)
{
	uint64_t first, misplaced = 0, miscounted = 0, owned = 0;
	struct log log = map_log(file_ro);
	struct follower follower = {};
	enum followed followed;
	struct record record;

	settle_log(file_rw);
	follow_start(&follower, &log);
	first = follower.number;
	for (;;) {
		uint64_t offset = follower.offset;

		followed = follow_next(&follower, &record);
		if (followed != FOLLOWED)
			break;
		misplaced += find_owned(fuzzers, &record, offset);
	}
	check(followed == FOLLOW_END, "the log is whole: %llu records from %llu on",
	      (unsigned long long)(follower.number - first), (unsigned long long)first);
	if (followed != FOLLOW_END)
		note("  record %llu: %s", (unsigned long long)follower.number, follower.wrong);
	for (unsigned int i = 0; i < THREADS; i++) {
		for (unsigned int n = 0; n < fuzzers[i].own_count; n++) {
			const struct own *own = &fuzzers[i].owned[n];
			bool there = own->recnum != ASSAY_RECNUM_NONE && own->recnum >= first;

			owned += there;
			miscounted += own->found != (there ? own->entries : 0);
		}
	}
	check(owned > 0, "valid APPENDs are in it: %llu", (unsigned long long)owned);
	check(!misplaced && !miscounted, "each with all its entries, once, where the call said");
	if (misplaced || miscounted)
		note("  %llu entries misplaced, %llu calls lost or there twice",
		     (unsigned long long)misplaced, (unsigned long long)miscounted);
	check(get_info(file_ro).anchored == follower.offset, "all of it is anchored");
	check(follow_matches_pcr(&follower), "the PCR is explained in every bank");
	follow_end(&follower);
	unmap_log(&log);
}

int main(int count, char *arguments[])
{
	const struct sigaction action = { .sa_handler = on_signal };
	const unsigned int privileged = THREADS - 1;
	struct fuzzer *fuzzers = share(THREADS * sizeof(*fuzzers));
	unsigned int calls = 0, worked = 0;
	uint64_t seed;
	struct log log;
	int status;
	pid_t child;

	need(count == 2 || count == 3, "usage: fuzz CALLS [SEED]");
	if (count == 3)
		seed = strtoull(arguments[2], NULL, 0);
	else
		need(getrandom(&seed, sizeof(seed), 0) == sizeof(seed), "a seed");
	note("seed %#llx", (unsigned long long)seed);
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	calls_left = share(sizeof(*calls_left));
	*calls_left = strtol(arguments[1], NULL, 0);
	arena = share((ARENA_PAGES + 1) * page_size);
	need(!mprotect(arena + (ARENA_PAGES - 1) * page_size, page_size, PROT_READ) &&
		     !munmap(arena + ARENA_PAGES * page_size, page_size),
	     "protect the arena's end");
	file_rw = open_assay(O_RDWR);
	file_ro = open_assay(O_RDONLY);
	log = map_log(file_ro);
	mapped_log = (const uint8_t *)log.header;
	mapped_size = log.mapped;
	need(!sigaction(SIGUSR1, &action, NULL), "sigaction");
	for (unsigned int i = 0; i < THREADS; i++) {
		struct fuzzer *fuzzer = &fuzzers[i];

		fuzzer->number = i;
		fuzzer->privileged = i < privileged;
		fuzzer->chance.state = seed + i;
		draw(&fuzzer->chance);
		fuzzer->owned = share(OWN_MAX * sizeof(*fuzzer->owned));
		fuzzer->own = share(page_size);
		open_files(fuzzer->files);
	}

	child = fork();
	need(child >= 0, "fork");
	if (child == 0) {
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(2);
		run_threads(fuzzers + privileged, THREADS - privileged);
		_exit(0);
	}
	run_threads(fuzzers, privileged);
	need(waitpid(child, &status, 0) == child, "wait for the unprivileged one");
	check_is(status, 0, "nobody was killed");
	unmap_log(&log);
	append_last(&fuzzers[0]);

	for (unsigned int i = 0; i < THREADS; i++) {
		const struct fuzzer *fuzzer = &fuzzers[i];

		check(!fuzzer->wrong_count, "fuzzer %u, %s: %u calls, %u wrong", i,
		      fuzzer->privileged ? "root" : "nobody", fuzzer->calls, fuzzer->wrong_count);
		if (fuzzer->wrong_count)
			note("  the first: %s", fuzzer->wrong);
		calls += fuzzer->calls;
		worked += fuzzer->worked;
	}
	note("%u calls, %u worked", calls, worked);
	check(calls >= strtoul(arguments[1], NULL, 0), "all calls were made");
	check_log(fuzzers);
	return tap_end();
}
