// SPDX-License-Identifier: MIT
/*
 * The guest's half of bench-syscall: measures one file over and over, so many entries a
 * call, through ioctl and through io_uring (one entry a command, so many commands a call),
 * and asks for INFO, which does next to nothing. Prints lines
 *
 *	WAY ENTRIES-A-CALL NANOSECONDS-AN-ENTRY KERNEL-ENTRIES FILES
 *
 * Kernel entries are counted by the kernel's own tracepoint of system calls, in a run
 * apart from the one whose time is taken.
 */
#define _GNU_SOURCE
#include "../kmod/guest.h"
#include "../kmod/uring.h"

#define TRACING "/sys/kernel/tracing/"
#define FILES 1024
#define LARGEST 512

static int device, file;
static struct uring ring;
static struct assay_measure_entry entries[LARGEST];
static struct assay_measure requests[LARGEST];

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void with_ioctl(unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		entries[i] = (struct assay_measure_entry){ .fd = file };
	need(!measure(device, 0, entries, size, NULL) && !entries[0].result, "measure");
}

static void with_uring(unsigned int size)
{
	uint64_t user_data;
	int result;

	for (unsigned int i = 0; i < size; i++) {
		entries[i] = (struct assay_measure_entry){ .fd = file };
		requests[i] = (struct assay_measure){
			.count = 1,
			.entry_size = sizeof(entries[i]),
			.entries = (uintptr_t)&entries[i],
		};
		uring_command(&ring, device, _IOC_NR(ASSAY_IOC_MEASURE), &requests[i],
			      sizeof(requests[i]), i);
	}
	need(uring_enter(&ring, size) == (int)size, "submit");
	for (unsigned int i = 0; i < size; i++)
		need(uring_reap(&ring, &user_data, &result) && !result, "measure");
}

static void with_info(unsigned int size)
{
	(void)size;
	get_info(device);
}

static void repeat(void (*way)(unsigned int size), unsigned int size, unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		way(size);
}

/* What the tracepoint has counted since it was last reset. */
static long long counted(void)
{
	const char *text = read_text(TRACING "per_cpu/cpu0/stats");
	const char *kept = strstr(text, "entries: "), *lost = strstr(text, "overrun: ");

	need(kept && lost, "read the trace's statistics");
	return strtoll(kept + 9, NULL, 10) + strtoll(lost + 9, NULL, 10);
}

static void set_tracing(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACING "%s", name);
	need(!write_text(path, text), "write %s", path);
}

/* System calls of so many calls: of ours, and of nobody else. */
static long long count(void (*way)(unsigned int size), unsigned int size, unsigned int times)
{
	char pid[16];
	long long before;

	snprintf(pid, sizeof(pid), "%d", getpid());
	set_tracing("set_event_pid", pid);
	set_tracing("events/raw_syscalls/sys_enter/enable", "1");
	set_tracing("trace", "");
	repeat(way, size, 1);
	before = counted();
	repeat(way, size, times);
	before = counted() - before;
	set_tracing("events/raw_syscalls/sys_enter/enable", "0");
	return before;
}

static void run(const char *name, void (*way)(unsigned int size), unsigned int size,
		unsigned int times)
{
	/* What looking at the counter costs by itself. */
	const long long own = count(way, size, 0);
	int64_t from;

	repeat(way, size, 1);
	from = now();
	repeat(way, size, times);
	printf("%s %u %" PRId64 " %lld %u\n", name, size, (now() - from) / (size * times),
	       count(way, size, times) - own, size * times);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 1, 8, 64, 512 };

	if (argc != 2) {
		fputs("Usage: syscall FILE\n", stderr);
		return 2;
	}
	file = open(argv[1], O_RDONLY | O_CLOEXEC);
	need(file >= 0, "open %s", argv[1]);
	device = open_assay(O_RDWR);
	need(!uring_open(&ring, LARGEST), "a ring");
	run("info", with_info, 1, 20 * FILES);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run("ioctl", with_ioctl, sizes[i], FILES / sizes[i]);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run("uring", with_uring, sizes[i], FILES / sizes[i]);
	return 0;
}
