// SPDX-License-Identifier: MIT
/*
 * Appends and trims wait for no reader: readers that map and read the log all the time, with
 * new page tables for each fault, are throttled, out of memory, stopped, killed or hardly ever
 * scheduled, while records are appended, each with memory to be claimed, and cut off. Each
 * call must be done in less than a throttled reader has to wait. Then readers that fork
 * while the log is cut: neither they nor their children see memory that was given back.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest.h"

#define CGROUPS "/tmp/cgroups"
#define READERS 3
#define LIMIT_MS 3000 /* a throttled reader has to wait for longer */
#define SECONDS 2
#define APART ((size_t)1 << 30) /* mappings that share no page table */
#define FOREIGN 0xc3

static struct log pattern;

/* ------------------------------------------------------------------ readers */
/* Never returns: maps and reads, @keep mappings at a time. */
static void read_for_ever(unsigned int keep)
{
	static uint8_t buffer[65536];
	int fd = open_assay(O_RDONLY | O_NONBLOCK);
	uint8_t *place = mmap(NULL, keep * APART, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	volatile uint8_t sum = 0;

	if (place == MAP_FAILED)
		_exit(1);
	for (;;) {
		for (unsigned int i = 0; i < keep; i++) {
			const uint8_t *log = mmap(place + i * APART, pattern.page_size * 2,
						  PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);

			if (log == MAP_FAILED)
				_exit(1);
			sum += log[pattern.page_size];
		}
		lseek(fd, 0, SEEK_SET);
		if (read(fd, buffer, sizeof(buffer)) < 0 && errno != EAGAIN && errno != ESTALE)
			_exit(1);
	}
}

static void spin_for_ever(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

/* How the readers are kept from running. */
struct hindrance {
	const char *what;
	const char *file, *value; /* of their cgroup */
	unsigned int keep;
	int stop, go; /* signals */
	bool idle;
};

static void enter_cgroup(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), CGROUPS "/%s/cgroup.procs", name);
	need(!write_text(path, "0"), "enter %s", path);
}

static void be_on_cpu(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	need(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

static pid_t start_reader(const struct hindrance *how)
{
	const struct sched_param none = { 0 };
	pid_t child = fork();

	need(child >= 0, "fork");
	if (child)
		return child;
	if (how->file)
		enter_cgroup("readers");
	if (how->idle) {
		be_on_cpu(1);
		need(!sched_setscheduler(0, SCHED_IDLE, &none), "sched_setscheduler");
	}
	read_for_ever(how->keep);
	_exit(1);
}

/* ------------------------------------------------------------------ the log goes on */
static unsigned int now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

struct times {
	unsigned int calls, append_ms, trim_ms;
};

static void note_time(unsigned int from, unsigned int *longest)
{
	unsigned int took = now_ms() - from;

	if (took > *longest)
		*longest = took;
}

static void append_and_trim(int fd, struct times *times)
{
	static uint8_t data[12000];
	struct assay_trim trim = { 0 };
	unsigned int from = now_ms();

	memset(data, 0x5a, sizeof(data));
	need(!append(fd, "slow", data, sizeof(data), NULL), "append");
	note_time(from, &times->append_ms);
	if (++times->calls % 8)
		return;
	trim.keep = get_info(fd).records - 1;
	from = now_ms();
	need(!call(fd, ASSAY_IOC_TRIM, &trim), "trim");
	note_time(from, &times->trim_ms);
}

/* Stops some, lets some go, and starts anew who was killed, by us or for want of memory. */
static unsigned int disturb(pid_t *readers, const struct hindrance *how)
{
	unsigned int i, ended = 0;

	for (i = 0; i < READERS; i++) {
		if (how->stop)
			kill(readers[i], how->stop);
		if (how->go && i % 2)
			kill(readers[i], how->go);
		if (waitpid(readers[i], NULL, WNOHANG) == readers[i]) {
			readers[i] = start_reader(how);
			ended++;
		}
	}
	return ended;
}

static void test_hindered(int fd, const struct hindrance *how)
{
	unsigned int i, from, ended = 0;
	struct times times = { 0 };
	pid_t readers[READERS], spinner = 0;
	char path[96];

	if (how->file) {
		need(!mkdir(CGROUPS "/readers", 0755), "make a cgroup");
		snprintf(path, sizeof(path), CGROUPS "/readers/%s", how->file);
		need(!write_text(path, how->value), "write to %s", path);
	}
	if (how->idle) {
		spinner = fork();
		if (!spinner) {
			be_on_cpu(1);
			spin_for_ever();
		}
	}
	for (i = 0; i < READERS; i++)
		readers[i] = start_reader(how);
	for (from = now_ms(); now_ms() - from < SECONDS * 1000;) {
		append_and_trim(fd, &times);
		ended += disturb(readers, how);
	}
	if (spinner > 0) {
		kill(spinner, SIGKILL);
		waitpid(spinner, NULL, 0);
	}
	for (i = 0; i < READERS; i++)
		kill(readers[i], SIGKILL);
	if (how->file) /* else they take long to die */
		need(!write_text(path, "max"), "write to %s", path);
	for (i = 0; i < READERS; i++)
		waitpid(readers[i], NULL, 0);
	if (how->file) {
		for (i = 0; rmdir(CGROUPS "/readers") && i < 500; i++)
			usleep(10000);
		need(i < 500, "remove the cgroup");
	}
	check(times.append_ms < LIMIT_MS && times.trim_ms < LIMIT_MS, "readers %s: no call waits",
	      how->what);
	note("  %u appends, the longest %u ms, the longest trim %u ms; %u readers ended",
	     times.calls, times.append_ms, times.trim_ms, ended);
	check(!!ended == (how->stop == SIGKILL || (how->file && strstr(how->file, "memory"))),
	      "they end only if they are killed");
}

/* ------------------------------------------------------------------ fork during TRIM */
/* Memory that was given back soon holds these bytes. */
static void use_memory(void)
{
	const size_t size = 256 << 20;

	for (;;) {
		uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, FOREIGN, size);
		munmap(memory, size);
	}
}

/* Whether no page of the mapping begins as that memory does. */
static bool is_ours(const struct log *log)
{
	static const uint8_t foreign[16] = { [0 ... 15] = FOREIGN };

	for (size_t at = 0; at < log->mapped; at += log->page_size) {
		if (!memcmp((const uint8_t *)log->header + at + 1024, foreign, sizeof(foreign)))
			return false;
	}
	return true;
}

/* Forks from a process that has all of the log mapped, and looks in the child. */
static void fork_for_ever(void)
{
	int fd = open_assay(O_RDONLY), status;
	struct log log = map_log(fd);

	for (;;) {
		pid_t child;

		if (!is_ours(&log))
			_exit(2);
		child = fork();
		if (!child) {
			for (int i = 0; i < 5; i++) {
				if (!is_ours(&log))
					_exit(2);
			}
			_exit(0);
		}
		if (child > 0 && (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
				  WEXITSTATUS(status)))
			_exit(3);
	}
}

static void test_fork(int fd)
{
	struct times times = { 0 };
	unsigned int from, good = 0;
	pid_t children[4];

	for (unsigned int i = 0; i < 4; i++) {
		children[i] = fork();
		need(children[i] >= 0, "fork");
		if (!children[i])
			i ? fork_for_ever() : use_memory();
	}
	for (from = now_ms(); now_ms() - from < SECONDS * 1000;)
		append_and_trim(fd, &times);
	for (unsigned int i = 0; i < 4; i++)
		good += waitpid(children[i], NULL, WNOHANG) == 0;
	for (unsigned int i = 0; i < 4; i++)
		kill(children[i], SIGKILL);
	for (unsigned int i = 0; i < 4; i++)
		waitpid(children[i], NULL, 0);
	check_is(good, 4, "forked readers see the log or zeros, never memory that was given back");
	note("  %u appends", times.calls);
}

int main(void)
{
	static const struct hindrance hindrances[] = {
		{ .what = "that run freely", .keep = 4 },
		{ .what = "throttled", .file = "cpu.max", .value = "1000 1000000", .keep = 4 },
		{ .what = "without memory", .file = "memory.max", .value = "400K", .keep = 256 },
		{ .what = "that are stopped", .keep = 4, .stop = SIGSTOP, .go = SIGCONT },
		{ .what = "that are killed", .keep = 4, .stop = SIGKILL },
		{ .what = "on an idle priority", .keep = 4, .idle = true },
	};
	int fd;

	need(!mkdir(CGROUPS, 0755) && !mount("none", CGROUPS, "cgroup2", 0, NULL),
	     "mount the cgroups");
	need(!write_text(CGROUPS "/cgroup.subtree_control", "+cpu +memory"), "have cgroups");
	/* Each append has to claim memory. */
	load_assay("chunk=4K ahead=4K");
	fd = open_assay(O_RDWR);
	pattern = map_log(fd);
	/* Forked readers must not flush what was printed before. */
	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(hindrances) / sizeof(hindrances[0]); i++)
		test_hindered(fd, &hindrances[i]);
	test_fork(fd);
	unmap_log(&pattern);
	close(fd);
	unload_assay();
	return tap_end();
}
