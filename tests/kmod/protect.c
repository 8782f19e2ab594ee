// SPDX-License-Identifier: MIT
/*
 * Nobody writes the log but the module: a stray write through the kernel's linear map
 * faults on every page that the log has claimed and on none beside them; a process can neither map
 * the log writable nor make its mapping so, nor write through it by another way; the
 * module stays while the log is in use.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "guest.h"

static void test_stray_writes(int fd, const struct log *log)
{
	struct assay_info info = get_info(fd);
	uint8_t *before = malloc(log->mapped);
	int others = info.region_kind == ASSAY_REGION_NOMAP ? -EFAULT : 0;
	uint64_t faults = 0, pages = 0, lent = 0, first = info.window_base / info.page_size;
	uint64_t below = info.window_base - 8, above = info.window_base + info.window_size;
	FILE *file = open_pages();
	struct page_line page;

	need(before, "memory");
	memcpy(before, log->header, log->mapped);
	while (next_page(file, &page)) {
		uint64_t base = page.frame * info.page_size;

		if (strcmp(page.owner, "log") == 0) {
			pages++;
			faults += scribble(base) == -EFAULT &&
				  scribble(base + info.page_size - 8) == -EFAULT;
		} else if (page.frame > first &&
			   page.frame < first + info.window_size / info.page_size) {
			lent++;
		}
	}
	check(pages > 1 && pages + lent == info.window_size / info.page_size,
	      "a part of the window is the log's, the rest nobody's");
	check_is((long long)faults, (long long)pages, "a write to any page of the log faults");
	/* Of a region that the kernel does not map, no page can be written. */
	check(others ? scribble(below) == others : is_writable(below, info.page_size),
	      others ? "so does one to the page below, which is not mapped" :
		       "a write to the page below does not");
	check(others ? scribble(above) == others : is_writable(above, info.page_size),
	      others ? "and to the page above" : "nor does one to the page above");
	check(memcmp(before, log->header, log->mapped) == 0, "the log is unchanged");
	check_is(append(fd, "again", "x", 1, NULL), 0, "a record is appended");
	check_is(scribble(info.window_base), -EFAULT, "the header's page is closed again");
	check_is(scribble(info.window_base + info.page_size), -EFAULT,
		 "and the page that the record was written to");
	free(before);
}

static void try_mmap(int fd, size_t size, int protection, int flags, off_t offset, int error,
		     const char *what)
{
	void *place = mmap(NULL, size, protection, flags, fd, offset);

	check_is(place == MAP_FAILED ? errno : 0, error, what);
	if (place != MAP_FAILED)
		munmap(place, size);
}

static void test_mmap(int fd, const struct log *log)
{
	size_t page = log->page_size, size = log->mapped;
	int read_only = open_assay(O_RDONLY);

	try_mmap(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED, 0, EACCES,
		 "mmap for writing is refused");
	try_mmap(fd, size, PROT_WRITE, MAP_SHARED, 0, EACCES, "mmap for writing only is refused");
	try_mmap(fd, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0, EACCES,
		 "mmap for private writing is refused");
	try_mmap(fd, size, PROT_READ, MAP_PRIVATE, 0, EINVAL, "a private mapping is refused");
	try_mmap(fd, size, PROT_READ | PROT_EXEC, MAP_SHARED, 0, EACCES,
		 "mmap for execution is refused");
	try_mmap(fd, size + page, PROT_READ, MAP_SHARED, 0, EINVAL,
		 "mmap of more than header and two rings is refused");
	try_mmap(fd, page, PROT_READ, MAP_SHARED, (off_t)page, EINVAL,
		 "mmap at another offset is refused");
	try_mmap(fd, page, PROT_READ, MAP_SHARED, 0, 0, "mmap of the header alone works");
	try_mmap(fd, size, PROT_NONE, MAP_SHARED, 0, 0, "mmap without access works");
	try_mmap(read_only, size, PROT_READ, MAP_SHARED, 0, 0,
		 "mmap through a descriptor for reading works");
	close(read_only);
}

static void test_mapping(const struct log *log)
{
	void *place = (void *)(uintptr_t)log->header;
	size_t ring = (log->mapped - log->page_size) / 2;
	struct iovec here = { .iov_base = (char[8]){ 0 }, .iov_len = 8 };
	struct iovec there = { .iov_base = place, .iov_len = 8 };
	uint64_t before = log->header->tail;
	void *moved;
	int fd, status = 0;
	pid_t child;

	check(memcmp(log->ring, log->ring + ring, ring) == 0,
	      "the ring is mapped twice, one after the other");
	check(mprotect(place, log->mapped, PROT_READ | PROT_WRITE) && errno == EACCES,
	      "mprotect cannot make it writable");
	check(mprotect(place, log->mapped, PROT_READ | PROT_EXEC) && errno == EACCES,
	      "nor executable");
	moved = mremap(place, log->mapped, log->mapped + log->page_size, MREMAP_MAYMOVE);
	check(moved == MAP_FAILED, "mremap cannot make it larger");

	fd = open("/proc/self/mem", O_RDWR);
	need(fd >= 0, "open /proc/self/mem");
	check(pwrite(fd, "overwrite", 8, (off_t)(uintptr_t)place) < 0,
	      "/proc/self/mem cannot write to it");
	close(fd);
	/* ENOSYS: a kernel without CONFIG_CROSS_MEMORY_ATTACH. */
	check(process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0 &&
		      (errno == EFAULT || errno == ENOSYS),
	      "process_vm_writev cannot write to it");

	fflush(stdout);
	child = fork();
	need(child >= 0, "fork");
	if (child == 0) {
		*(volatile uint8_t *)place = 1;
		_exit(0);
	}
	waitpid(child, &status, 0);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a plain write is a SIGSEGV");
	check(memcmp(log->header->magic, ASSAY_LOG_MAGIC, 8) == 0 && log->header->tail == before,
	      "the header is unchanged");
}

static void test_unload(int fd, struct log *log)
{
	check(syscall(SYS_delete_module, "assay", O_NONBLOCK) && errno == EWOULDBLOCK,
	      "the module cannot be unloaded while the device is open");
	close(fd);
	check(syscall(SYS_delete_module, "assay", O_NONBLOCK) && errno == EWOULDBLOCK,
	      "nor while the log is mapped");
	check(memcmp(log->header->magic, ASSAY_LOG_MAGIC, 8) == 0, "the mapping goes on");
	check(access("/sys/bus/platform/drivers/assay/unbind", F_OK) && errno == ENOENT,
	      "the driver cannot be unbound through sysfs");
}

int main(void)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);

	test_stray_writes(fd, &log);
	test_mmap(fd, &log);
	test_mapping(&log);
	test_unload(fd, &log);
	unmap_log(&log);
	return tap_end();
}
