// SPDX-License-Identifier: MIT
/*
 * nth TRIES SEED: the kernel has no memory, once, for each of the module's allocations in turn:
 * /proc/TID/fail-nth has the Nth allocation of a task fail (Documentation/fault-injection). Every
 * call of /dev/assay in its caller, what the committer does for one, loading and unloading. Loading
 * has hundreds: so many of them are tried, which ones the seed says, or all with 0.
 *
 * What must hold each time: the call works or says why not; the module that did not load has left
 * nothing behind; and what comes next works, with the log whole and the PCR explained by it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <poll.h>
#include <pthread.h>

#include "chance.h"
#include "guest.h"

#define DEBUG "/sys/kernel/debug/"
#define NTH_MOST 100000 /* more than there are in any call */
#define TASKS_MAX 128

static unsigned long tries;
static struct chance chance;

/* ------------------------------------------------------------------ failures */
struct task {
	int fd; /* of fail-nth */
};

static struct task tasks[TASKS_MAX];
static unsigned int task_count;

static void add_task(const char *id)
{
	char path[300];
	int fd;

	need(task_count < TASKS_MAX, "room for another task");
	snprintf(path, sizeof(path), "/proc/%s/fail-nth", id);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return; /* a worker that has ended meanwhile */
	need(fd >= 0, "open %s", path);
	tasks[task_count++].fd = fd;
}

static void forget_tasks(void)
{
	while (task_count > 0)
		close(tasks[--task_count].fd);
}

static void choose_self(void)
{
	forget_tasks();
	add_task("thread-self");
}

/* Those that may be the committer. */
static void choose_workers(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	need(processes, "open /proc");
	forget_tasks();
	while ((entry = readdir(processes))) {
		char path[300];

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (!strncmp(read_text(path), "kworker/u", 9))
			add_task(entry->d_name);
	}
	closedir(processes);
	need(task_count > 0, "find a worker");
}

/* The Nth allocation of each of the tasks fails. Nothing of this allocates. */
static void arm(unsigned int n)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", n);

	for (unsigned int i = 0; i < task_count; i++)
		/* A worker that has ended is no worry. */
		if (pwrite(tasks[i].fd, text, (size_t)size, 0) != size && errno != ESRCH)
			bail_out("have an allocation fail");
}

/* No more; returns how many allocations were left in the task that had most, 0 if one failed. */
static unsigned int disarm(void)
{
	unsigned int least = NTH_MOST;

	for (unsigned int i = 0; i < task_count; i++) {
		char text[16] = "";
		unsigned int left;

		if (pread(tasks[i].fd, text, sizeof(text) - 1, 0) < 0 && errno == ESRCH)
			continue;
		left = (unsigned int)strtoul(text, NULL, 10);
		least = left < least ? left : least;
	}
	arm(0);
	return least;
}

/* Any size, anyhow allocated, and without a call trace of each, which is a complaint here. */
static void set_up(void)
{
	static const char *const settings[][2] = {
		{ "failslab/verbose", "0" },
		{ "failslab/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" },
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), DEBUG "%s", settings[i][0]);
		need(!write_text(path, settings[i][1]), "set %s", path);
	}
}

/*
 * A warning ends the guest; meanwhile it does not: when there is no memory for a module's trace
 * events, Linux warns of it (event_define_fields(), event_file_put()), and goes on. The test is
 * told to expect that, and what kmemleak says when it was its own allocation that failed.
 */
static void let_warn(bool may)
{
	need(!write_text("/proc/sys/kernel/panic_on_warn", may ? "0" : "1"),
	     "set what a warning does");
}

/* ------------------------------------------------------------------ loading */
static int module;

static int load(void)
{
	return syscall(SYS_finit_module, module, "", 0) ? -errno : 0;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "assay", O_NONBLOCK) ? -errno : 0;
}

/* A log that can be appended to, and is anchored. */
static bool goes_on(int fd)
{
	struct assay_info info;
	bool good;

	good = append(fd, "nth", "after", 5, NULL) == 0 && anchor(fd, NULL) == 0;
	info = get_info(fd);
	return good && info.anchored == info.tail;
}

/* And that explains the PCR. */
static bool works(void)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	bool good;

	good = goes_on(fd) &&
	       replay(&log, log.header->bank_count) == (long long)log.header->records;
	unmap_log(&log);
	close(fd);
	return good;
}

static bool is_gone(void)
{
	return access("/sys/module/assay", F_OK) && access(DEVICE, F_OK) &&
	       access(DEBUG "assay", F_OK);
}

/* How many allocations a step has that works. */
static unsigned int count_in(int (*step)(void))
{
	unsigned int left;
	int result;

	arm(NTH_MOST);
	result = step();
	left = disarm();
	need(!result && left > 0, "a step without a failure");
	return NTH_MOST - left;
}

/* The ones to try: @i of so many, spread over all that there are. */
static unsigned int place(unsigned long i, unsigned long of, unsigned int all)
{
	unsigned long from = all * i / of, to = all * (i + 1) / of;

	return 1 + (unsigned int)(from + (to > from ? below(&chance, to - from) : 0));
}

static void test_load(void)
{
	unsigned int all = count_in(load), failed = 0, refused = 0, bad = 0;
	unsigned long count = tries && tries < all ? tries : all;

	need(!unload(), "unload the module");
	let_warn(true);
	for (unsigned long i = 0; i < count; i++) {
		unsigned int n = place(i, count, all);
		int result;

		arm(n);
		result = load();
		failed += disarm() == 0;
		refused += result != 0;
		if (result ? !is_gone() : !works() || unload()) {
			note("loading, allocation %u of it failed: %d", n, result);
			bad++;
		}
	}
	let_warn(false);
	note("loading: %u of %u allocations failed, %u times it was refused", failed, all, refused);
	check(failed > 0, "allocations fail while the module is loaded");
	check_is(bad, 0, "it is refused and leaves nothing, or loads and works");
	check_is(load(), 0, "then it loads");
	check(works(), "and works");
}

/* Unloading cannot fail. The module is loaded before and after this. */
static void test_unload(void)
{
	unsigned int all = count_in(unload), failed = 0, bad = 0;
	unsigned long count = tries && tries / 3 < all ? tries / 3 : all;

	for (unsigned long i = 0; i < count; i++) {
		unsigned int n = place(i, count, all);
		int result;

		need(!load(), "load the module");
		arm(n);
		result = unload();
		failed += disarm() == 0;
		if (result || !is_gone()) {
			note("unloading, allocation %u of it failed: %d", n, result);
			bad++;
		}
	}
	note("unloading: %u of %u allocations failed", failed, all);
	check_is(bad, 0, "unloading does so whatever fails");
	need(!load(), "load the module");
	check(works(), "and then it loads and works");
	check_is(unload(), 0, "and can be unloaded");
}

/* ------------------------------------------------------------------ calls */
static int device;
static struct log whole;
static uint8_t bytes[5000];

static int call_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int call_info(void)
{
	struct assay_info info = { 0 };

	return call(device, ASSAY_IOC_INFO, &info);
}

static int call_append(void)
{
	return append(device, "nth", bytes, sizeof(bytes), NULL);
}

static int call_measure(void)
{
	struct assay_measure_entry entries[3] = { { .fd = module }, { .fd = 0 }, { .fd = module } };

	return measure(device, 0, entries, 3, NULL);
}

static int call_anchor(void)
{
	return anchor(device, NULL);
}

static int call_trim(void)
{
	struct assay_trim request = { .keep = whole.header->head_recnum + 1 };

	return call(device, ASSAY_IOC_TRIM, &request);
}

static int call_seal(void)
{
	struct assay_seal request = { .first = whole.header->records - 1, .count = 1 };

	return call(device, ASSAY_IOC_SEAL, &request);
}

static int call_keys(void)
{
	struct assay_keys request = { .count = 4, .first = whole.header->head_recnum };
	static uint8_t keys[4][ASSAY_KEY_SIZE];

	request.keys = (uintptr_t)keys;
	return call(device, ASSAY_IOC_KEYS, &request);
}

/* To memory that is there: else there would be pages to be made for it. */
static int call_read(void)
{
	static uint8_t buffer[65536];
	ssize_t n;

	memset(buffer, 1, sizeof(buffer));
	n = pread(device, buffer, sizeof(buffer), (off_t)whole.header->head);
	return n < 0 ? -errno : 0;
}

/* A new mapping with new page tables. */
static int call_map(void)
{
	volatile const uint8_t *place =
		(const uint8_t *)mmap(NULL, whole.mapped, PROT_READ, MAP_SHARED, device, 0);
	unsigned int sum = 0;

	if ((const void *)place == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < whole.mapped; i += whole.page_size)
		sum += place[i];
	munmap((void *)(uintptr_t)place, whole.mapped);
	return sum ? 0 : -ENODATA;
}

static int call_poll(void)
{
	struct pollfd wait = { .fd = device, .events = POLLIN };

	return poll(&wait, 1, 0) < 0 ? -errno : 0;
}

/* Of what is in the memory of others, and of the TPM. */
static bool is_answer(int result)
{
	return result == 0 || result == -ENOMEM || result == -EIO;
}

/* A short log is soon replayed. */
static void cut_log(void)
{
	struct assay_trim request = { .keep = whole.header->records - 1 };
	int result = call(device, ASSAY_IOC_TRIM, &request);

	need(!result || result == -ENODATA, "trim the log");
}

static void sweep(const char *name, int (*make)(void), bool in_worker)
{
	unsigned int errors = 0, bad = 0, n;
	bool failed = true;

	cut_log();
	for (n = 1; failed && n < NTH_MOST; n++) {
		int result;

		if (in_worker)
			choose_workers();
		else
			choose_self();
		arm(n);
		result = make();
		failed = disarm() == 0;
		errors += result != 0;
		if (!is_answer(result) || (!failed && result) || !goes_on(device)) {
			note("%s, allocation %u of it failed: %d", name, n, result);
			bad++;
		}
	}
	if (!works())
		bad++;
	check(bad == 0 && n < NTH_MOST, "%s: %u allocations failed, %u errors were told", name,
	      n - 2, errors);
}

/* ------------------------------------------------------------------ callers that share a record */
#define CALLERS 3
#define DELAY_MS 150

struct caller {
	pthread_t thread;
	int result;
	uint64_t recnum;
};

static void *call_in_thread(void *argument)
{
	struct caller *caller = argument;
	struct assay_append request;

	caller->result = append(device, "nth", "shared", 6, &request);
	caller->recnum = request.recnum;
	return NULL;
}

static void start_caller(struct caller *caller)
{
	need(!pthread_create(&caller->thread, NULL, call_in_thread, caller), "a thread");
}

/* With the Nth allocation failing for those that come while an extend is under way; whether it did.
 */
static bool call_together(unsigned int n, unsigned int *ret_refused)
{
	struct caller first, callers[CALLERS];
	uint64_t records = whole.header->records;
	bool failed;

	start_caller(&first);
	while (__atomic_load_n(&whole.header->records, __ATOMIC_ACQUIRE) == records)
		usleep(1000);
	choose_workers();
	arm(n);
	for (unsigned int i = 0; i < CALLERS; i++)
		start_caller(&callers[i]);
	pthread_join(first.thread, NULL);
	*ret_refused = 0;
	for (unsigned int i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		*ret_refused += callers[i].result && callers[i].recnum == ASSAY_RECNUM_NONE;
	}
	failed = disarm() == 0;
	return failed;
}

/* What there is no memory for together there may be for each alone. */
static void test_together(void)
{
	unsigned int n = 1, refused, most = 0;

	cut_log();
	tpm_behave(DELAY_MS, TPM_PROXY_NONE, 0);
	for (; call_together(n, &refused); n++)
		most = refused > most ? refused : most;
	tpm_behave(0, TPM_PROXY_NONE, 0);
	check(n > 1 && most <= 1,
	      "%d callers together: for want of memory once no more than one "
	      "is refused (%u allocations, %u)",
	      CALLERS, n - 1, most);
	check(works(), "and the log goes on");
}

static void test_calls(void)
{
	static const struct {
		const char *name;
		int (*make)(void);
	} calls[] = {
		{ "open", call_open },	     { "INFO", call_info },	{ "APPEND", call_append },
		{ "MEASURE", call_measure }, { "ANCHOR", call_anchor }, { "TRIM", call_trim },
		{ "SEAL", call_seal },	     { "KEYS", call_keys },	{ "read", call_read },
		{ "mmap", call_map },	     { "poll", call_poll },
	};

	need(!load(), "load the module");
	device = open_assay(O_RDWR);
	whole = map_log(device);
	need(!append(device, "nth", bytes, sizeof(bytes), NULL), "append");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		sweep(calls[i].name, calls[i].make, false);
	sweep("the committer, for an APPEND", call_append, true);
	sweep("the committer, for a MEASURE", call_measure, true);
	test_together();
	unmap_log(&whole);
	close(device);
	forget_tasks();
	check_is(unload(), 0, "unload the module");
}

int main(int count, char **arguments)
{
	need(count == 3, "nth TRIES SEED");
	tries = strtoul(arguments[1], NULL, 10);
	chance.state = strtoull(arguments[2], NULL, 10);
	memset(bytes, 0x5a, sizeof(bytes));
	set_up();
	module = open("/bed/assay.ko", O_RDONLY | O_CLOEXEC);
	need(module >= 0, "open the module");
	test_calls();
	choose_self();
	test_load();
	test_unload();
	return tap_end();
}
