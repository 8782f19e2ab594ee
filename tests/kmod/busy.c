// SPDX-License-Identifier: MIT
/*
 * A log that is appended to when its kernel ends:
 *
 *	busy write DISK	four threads append, until the kernel ends, and a fifth notes on the disk
 *			how many records each was told of
 *	busy check DISK	in the next kernel, with the module loaded: whether all of these are in
 *			the log, once and in order
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "guest.h"

#define THREADS 4
#define BLOCK 4096
#define LABEL "busy"

/* On the disk. What a thread was told of is in the log, and perhaps one more. */
struct notes {
	uint64_t written[THREADS];
	uint64_t anchored[THREADS]; /* of these */
};

static union {
	struct notes notes;
	uint8_t bytes[BLOCK];
} block __attribute__((aligned(BLOCK)));

static struct notes now;

static int open_disk(const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);

	need(fd >= 0, "open %s", path);
	return fd;
}

static void *append_for_ever(void *argument)
{
	const uint32_t thread = (uint32_t)(uintptr_t)argument;
	int fd = open_assay(O_RDWR);

	for (uint64_t count = 1;; count++) {
		const uint64_t mark[2] = { thread, count };
		struct assay_append request;
		int result;

		/* Once the TPM is shut down records are pending. */
		result = append(fd, LABEL, mark, sizeof(mark), &request);
		if (result && request.recnum == ASSAY_RECNUM_NONE)
			return NULL;
		__atomic_store_n(&now.written[thread], count, __ATOMIC_RELEASE);
		if (!result)
			__atomic_store_n(&now.anchored[thread], count, __ATOMIC_RELEASE);
	}
}

/*
 * kexec shuts the disk down and then takes all processors but the first offline, each of which
 * waits for what it has asked of a disk (blk_mq_hctx_notify_offline). A request that the disk had
 * not answered before it was shut down is never answered: the kernel would wait for ever. The first
 * processor stays, and nobody waits for its requests.
 */
static void stay_on_first_processor(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	need(!sched_setaffinity(0, sizeof(first), &first), "stay on the first processor");
}

static int write_for_ever(const char *path)
{
	int disk = open_disk(path);
	pthread_t threads[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		need(!pthread_create(&threads[i], NULL, append_for_ever, (void *)i), "a thread");
	stay_on_first_processor(); /* this thread alone */
	for (;;) {
		for (unsigned int i = 0; i < THREADS; i++) {
			block.notes.anchored[i] =
				__atomic_load_n(&now.anchored[i], __ATOMIC_ACQUIRE);
			block.notes.written[i] = __atomic_load_n(&now.written[i], __ATOMIC_ACQUIRE);
		}
		if (pwrite(disk, &block, BLOCK, 0) != BLOCK)
			pause(); /* the disk is shut down */
	}
}

/* What a thread appended, in its order; returns how many, 0 if not so. */
static uint64_t count_of(const struct log *log, uint64_t thread)
{
	const uint8_t *bytes = log->ring;
	size_t size = (size_t)__atomic_load_n(&log->header->tail, __ATOMIC_ACQUIRE);
	struct record record;
	uint64_t count = 0;

	while (next_record(&bytes, &size, &record)) {
		const uint8_t *fields = record.fields;
		size_t left = record.fields_size;
		struct tlv event;

		while (next_tlv(&fields, &left, &event)) {
			struct tlv data = find_tlv(event.value, event.size, ASSAY_FIELD_DATA);
			uint64_t mark[2];

			if (event.type != ASSAY_FIELD_EVENT || data.size != sizeof(mark))
				continue;
			memcpy(mark, data.value, sizeof(mark));
			if (mark[0] == thread && mark[1] != ++count)
				return 0;
		}
	}
	return count;
}

static int check_all(const char *path)
{
	int disk = open_disk(path), fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	struct assay_info info = get_info(fd);

	need(pread(disk, &block, BLOCK, 0) == BLOCK, "read %s", path);
	check(log.header->flags == ASSAY_LOG_ADOPTED, "the log went on");
	check(info.anchored == info.tail, "all of it is anchored");
	check_is(replay(&log, log.header->bank_count), (long long)info.records,
		 "and explains the PCR");
	for (unsigned int i = 0; i < THREADS; i++) {
		uint64_t count = count_of(&log, i);

		check(block.notes.anchored[i] > 0 && count >= block.notes.written[i],
		      "thread %u: was told of %llu records, of %llu as anchored; %llu are there, "
		      "once and in order",
		      i, (unsigned long long)block.notes.written[i],
		      (unsigned long long)block.notes.anchored[i], (unsigned long long)count);
	}
	check_is(append(fd, LABEL, "after", 5, NULL), 0, "and it can be appended to");
	unmap_log(&log);
	close(fd);
	close(disk);
	return tap_end();
}

int main(int count, char **arguments)
{
	need(count == 3, "busy write|check DISK");
	return strcmp(arguments[1], "write") == 0 ? write_for_ever(arguments[2]) :
						    check_all(arguments[2]);
}
