// SPDX-License-Identifier: MIT
/*
 * pin DISK: a mapping of the log has pages that nobody may take a reference to, so that none is
 * written or kept by somebody who writes to memory on behalf of a process: direct I/O of a disk,
 * io_uring's registered buffers, splice, another process. Nor can userfaultfd have a say in its
 * faults. And a reader whose memory does not come, since userfaultfd or the module hold holds its
 * fault, keeps nobody from appending and trimming.
 */
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "guest.h"
#include "uring.h"

#define HOLD "/sys/module/hold/parameters/"
#define HELD_MS "60000"
#define LIMIT_MS 15000 /* nobody waits for a reader as long as that */

/* ------------------------------------------------------------------ references */
static void test_direct(const char *disk, const struct log *log)
{
	int fd = open(disk, O_RDWR | O_DIRECT | O_CLOEXEC);
	void *place = (void *)(uintptr_t)log->header;
	void *own = aligned_alloc(65536, 65536);

	need(fd >= 0 && own, "open %s", disk);
	memset(own, 0xff, 65536);
	need(pwrite(fd, own, log->page_size, 0) == (ssize_t)log->page_size, "write to the disk");
	check(pread(fd, place, log->page_size, 0) < 0 && errno == EFAULT,
	      "direct I/O cannot read into the log");
	check(pwrite(fd, place, log->page_size, 0) < 0 && errno == EFAULT,
	      "nor write from it, which would keep its pages");
	free(own);
	close(fd);
}

static void test_uring(const struct log *log)
{
	struct iovec area = { (void *)(uintptr_t)log->header, log->page_size };
	struct uring ring;

	need(!uring_open(&ring, 4), "io_uring");
	check(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &area, 1) < 0 &&
		      errno == EFAULT,
	      "io_uring cannot have it as a registered buffer");
	uring_close(&ring);
}

static void test_copies(const struct log *log)
{
	char bytes[64] = "overwritten";
	struct iovec here = { bytes, sizeof(bytes) };
	struct iovec there = { (void *)(uintptr_t)log->header, sizeof(bytes) };
	int ends[2];

	check(process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0 && errno == EFAULT,
	      "process_vm_writev() cannot write to it");
	check(process_vm_readv(getpid(), &here, 1, &there, 1, 0) < 0 && errno == EFAULT,
	      "nor process_vm_readv() take a reference to read it");
	need(!pipe2(ends, O_CLOEXEC), "a pipe");
	check(vmsplice(ends[1], &there, 1, SPLICE_F_GIFT) < 0 && errno == EFAULT,
	      "vmsplice() cannot put its pages into a pipe");
	close(ends[0]);
	close(ends[1]);
}

/* ------------------------------------------------------------------ userfaultfd */
static int open_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	need(fd >= 0 && !ioctl(fd, UFFDIO_API, &api), "userfaultfd");
	return fd;
}

static int watch(int faults, const void *place, size_t size, uint64_t mode)
{
	struct uffdio_register request = {
		.range = { (uintptr_t)place, size },
		.mode = mode,
	};

	return ioctl(faults, UFFDIO_REGISTER, &request) ? -errno : 0;
}

static void test_faults(const struct log *log)
{
	int faults = open_faults();

	check_is(watch(faults, log->header, log->mapped, UFFDIO_REGISTER_MODE_MISSING), -EINVAL,
		 "userfaultfd cannot bring its pages");
	check(watch(faults, log->header, log->mapped, UFFDIO_REGISTER_MODE_WP) < 0,
	      "nor protect them");
	close(faults);
}

struct reader {
	pthread_t thread;
	void *to;
	size_t size;
	long result;
};

static void *read_log(void *argument)
{
	struct reader *reader = argument;
	int fd = open_assay(O_RDONLY);
	ssize_t n = read(fd, reader->to, reader->size);

	reader->result = n < 0 ? -errno : n;
	close(fd);
	return NULL;
}

static unsigned int now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* Each append claims memory: see the parameters. Returns how long it took. */
static unsigned int append_and_trim(int fd, const struct log *log)
{
	static uint8_t data[30000];
	struct assay_trim trim = { 0 };
	unsigned int from = now_ms();

	for (int i = 0; i < 8; i++)
		need(!append(fd, "pin", data, sizeof(data), NULL), "append");
	trim.keep = log->header->records - 1;
	check_is(call(fd, ASSAY_IOC_TRIM, &trim), 0, "while a reader waits, the log is trimmed");
	return now_ms() - from;
}

/* In the middle of read(), with the first bytes copied and the next page missing. */
static void test_stopped(int fd, const struct log *log)
{
	static uint8_t data[30000];
	size_t page = (size_t)getpagesize();
	uint8_t *to =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int faults = open_faults();
	struct pollfd wait = { .fd = faults, .events = POLLIN };
	struct uffdio_zeropage bring;
	struct reader reader;
	unsigned int took;

	need(to != MAP_FAILED && !watch(faults, to + page, page, UFFDIO_REGISTER_MODE_MISSING),
	     "memory that does not come");
	for (int i = 0; i < 4; i++)
		need(!append(fd, "pin", data, sizeof(data), NULL), "append");
	reader = (struct reader){ .to = to + page / 2, .size = page };
	to[0] = 1;
	need(!pthread_create(&reader.thread, NULL, read_log, &reader), "a thread");
	need(poll(&wait, 1, 20000) == 1, "the reader waits for memory");
	took = append_and_trim(fd, log);
	check(took < LIMIT_MS, "and nothing of that waits for it");
	note("  %u ms", took);
	bring = (struct uffdio_zeropage){ .range = { (uintptr_t)to + page, page } };
	need(!ioctl(faults, UFFDIO_ZEROPAGE, &bring), "bring the memory");
	pthread_join(reader.thread, NULL);
	/* What it had copied was the log's then. */
	check(reader.result == -ESTALE || reader.result == (long)reader.size,
	      "the reader is told that the log was cut, or has what it asked for (%ld)",
	      reader.result);
	close(faults);
	munmap(to, 2 * page);
}

/* In a fault of its mapping, where memory for a page table does not come: by the module hold. */
static void test_held(int fd, const struct log *log)
{
	long long before = read_number(HOLD "held");
	unsigned int took;
	int tries = 0;
	pid_t child;

	need(!write_text(HOLD "fault_ms", HELD_MS), "have a fault held up");
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		struct log own;

		prctl(PR_SET_NAME, "held-reader");
		own = map_log(fd);
		_exit(own.header->magic[0] == 'A' ? 0 : 1);
	}
	while (read_number(HOLD "held") == before && tries++ < 2000)
		usleep(10000);
	check(read_number(HOLD "held") > before, "a reader is held up in a fault");
	took = append_and_trim(fd, log);
	check(took < LIMIT_MS, "and nothing of that waits for it either");
	note("  %u ms", took);
	check_is(waitpid(child, NULL, WNOHANG), 0, "it was held up all the time");
	need(!write_text(HOLD "fault_ms", "0"), "not any more");
	kill(child, SIGKILL);
	need(waitpid(child, NULL, 0) == child, "wait");
}

int main(int count, char **arguments)
{
	struct log log;
	int fd;

	need(count == 2, "pin DISK");
	load_assay("chunk=4K ahead=4K");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	need(!append(fd, "pin", "x", 1, NULL) && log.header->records > 0, "append");
	test_direct(arguments[1], &log);
	test_uring(&log);
	test_copies(&log);
	test_faults(&log);
	test_stopped(fd, &log);
	test_held(fd, &log);
	check_is(replay(&log, log.header->bank_count), (long long)log.header->records,
		 "the log is whole");
	unmap_log(&log);
	close(fd);
	unload_assay();
	return tap_end();
}
