// SPDX-License-Identifier: MIT
/*
 * Group commit, with a TPM that takes its time: calls that come while an extend is under
 * way share the next record, up to its limits; every entry is in the log exactly once, in
 * the call's order, in the record that the call names; a caller who is killed leaves all
 * of its entries or none. Loads and unloads the module.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "guest.h"

#define CALLERS 8
#define CALLS 10
#define EVENTS 3  /* an APPEND */
#define DELAY 600 /* ms; the driver gives up after some more */

static struct log shared;
static int file;

static int64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void sleep_ms(unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* ------------------------------------------------------------------ what is in the log */
struct census {
	unsigned int records[256]; /* by kind */
	unsigned int files;
	unsigned int events;
	unsigned int most; /* entries in one record */
};

static struct census take_census(void)
{
	struct census census = { 0 };
	struct record record;

	for (uint64_t n = 0; get_record(&shared, n, &record); n++) {
		const uint8_t *bytes = record.content.value;
		size_t size = record.content.size;
		unsigned int entries = 0;
		struct tlv tlv;

		census.records[record.kind]++;
		while (next_tlv(&bytes, &size, &tlv)) {
			census.files += tlv.type == ASSAY_FIELD_FILE;
			census.events += tlv.type == ASSAY_FIELD_EVENT;
			entries += tlv.type == ASSAY_FIELD_FILE || tlv.type == ASSAY_FIELD_EVENT;
		}
		if (entries > census.most)
			census.most = entries;
	}
	return census;
}

/* How often an event with this data is in the log. */
static unsigned int count_events(const char *data)
{
	unsigned int found = 0;
	struct record record;

	for (uint64_t n = 0; get_record(&shared, n, &record); n++) {
		const uint8_t *bytes = record.content.value;
		size_t size = record.content.size;
		struct tlv tlv, text;

		while (next_tlv(&bytes, &size, &tlv)) {
			if (tlv.type != ASSAY_FIELD_EVENT)
				continue;
			text = find_tlv(tlv.value, tlv.size, ASSAY_FIELD_DATA);
			found += text.size == strlen(data) &&
				 memcmp(text.value, data, text.size) == 0;
		}
	}
	return found;
}

/* Whether the record of that number is at that offset and has these events in a row. */
static bool has_events(const struct assay_append *request, char data[EVENTS][32])
{
	const uint8_t *bytes = shared.ring + request->offset;
	size_t size = (size_t)(shared.header->tail - request->offset);
	unsigned int matched = 0;
	struct record record;
	struct tlv tlv, text;

	if (!next_record(&bytes, &size, &record) || record.number != request->recnum)
		return false;
	bytes = record.content.value;
	size = record.content.size;
	while (matched < EVENTS && next_tlv(&bytes, &size, &tlv)) {
		text = find_tlv(tlv.value, tlv.size, ASSAY_FIELD_DATA);
		if (tlv.type == ASSAY_FIELD_EVENT && text.size == strlen(data[matched]) &&
		    memcmp(text.value, data[matched], text.size) == 0)
			matched++;
		else if (matched)
			return false;
	}
	return matched == EVENTS;
}

/* ------------------------------------------------------------------ callers */
/* What was to be recorded is in that record, and in the PCR once the machine has the time. */
static bool is_served(int result, uint64_t recnum)
{
	return !result || (is_late(result) && recnum != ASSAY_RECNUM_NONE);
}

struct caller {
	pthread_t thread;
	unsigned int number;
	unsigned int good;
};

/* Those with an even number append, the others measure. */
static void *call_often(void *argument)
{
	struct caller *caller = argument;
	int fd = open_assay(O_RDWR);

	for (unsigned int i = 0; i < CALLS; i++) {
		struct assay_measure_entry entry = { .fd = file };
		struct assay_append_entry events[EVENTS];
		char data[EVENTS][32];
		struct assay_measure measured;
		int result;
		struct assay_append request;

		if (caller->number % 2) {
			result = measure(fd, 0, &entry, 1, &measured);
			caller->good += is_served(result, measured.recnum);
			continue;
		}
		for (unsigned int j = 0; j < EVENTS; j++) {
			snprintf(data[j], sizeof(data[j]), "%u %u %u", caller->number, i, j);
			events[j] = event("group", data[j], strlen(data[j]));
		}
		result = append_all(fd, events, EVENTS, &request);
		caller->good += is_served(result, request.recnum) && has_events(&request, data);
	}
	close(fd);
	return NULL;
}

/* Returns how many calls went as they should. */
static unsigned int call_together(void)
{
	static struct caller callers[CALLERS];
	unsigned int good = 0;

	for (unsigned int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){ .number = i };
		need(!pthread_create(&callers[i].thread, NULL, call_often, &callers[i]),
		     "a thread");
	}
	for (unsigned int i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		good += callers[i].good;
	}
	return good;
}

static int begin(const char *parameters, unsigned int delay_ms)
{
	int fd;

	load_anew(parameters);
	fd = open_assay(O_RDWR);
	shared = map_log(fd);
	tpm_behave(delay_ms, TPM_PROXY_NONE, 0);
	return fd;
}

static void end(int fd)
{
	struct assay_info info;

	tpm_behave(0, TPM_PROXY_NONE, 0);
	need(!settle_log(fd), "anchor");
	info = get_info(fd);
	check(info.anchored_records == info.records && info.anchored == info.tail,
	      "everything is anchored");
	check_is(replay(&shared, info.bank_count), (long long)info.records,
		 "the PCR is explained in every bank");
	unmap_log(&shared);
	close(fd);
	unload_assay();
}

/* ------------------------------------------------------------------ tests */
static void test_merge(void)
{
	int fd = begin("", 30);
	struct census census;
	unsigned int records;

	check_is(call_together(), CALLERS * CALLS, "each call is served, in the record it names");
	census = take_census();
	records = (unsigned int)get_info(fd).records - 1;
	check_is(census.files, CALLERS / 2 * CALLS, "each file is in the log once");
	check_is(census.events, CALLERS / 2 * CALLS * EVENTS, "each event is in the log once");
	check(records <= CALLERS * CALLS / 3, "calls share records");
	check(census.records[ASSAY_KIND_BATCH] > 0, "files and events, too");
	check(read_number(MISC "log/calls") == CALLERS * CALLS &&
		      read_number(MISC "log/entries") == CALLERS / 2 * CALLS * (1 + EVENTS),
	      "sysfs: calls and entries");
	note("  %d calls in %u records: %u of files, %u of events, %u of both", CALLERS * CALLS,
	     records, census.records[ASSAY_KIND_MEASURE], census.records[ASSAY_KIND_EVENT],
	     census.records[ASSAY_KIND_BATCH]);
	end(fd);
}

static void test_alone(void)
{
	int fd = begin("group=1", 1);
	struct census census;

	check_is(call_together(), CALLERS * CALLS, "with group=1 each call is served as well");
	census = take_census();
	check(census.records[ASSAY_KIND_MEASURE] == CALLERS / 2 * CALLS &&
		      census.records[ASSAY_KIND_EVENT] == CALLERS / 2 * CALLS &&
		      census.records[ASSAY_KIND_BATCH] == 0,
	      "and has a record of its own");
	end(fd);
}

struct job {
	pthread_t thread;
	struct assay_append_entry *events;
	unsigned int count;
	struct assay_append request;
	int ret;
	pid_t tid; /* 0 until it runs */
};

static void *do_job(void *argument)
{
	struct job *job = argument;
	int fd = open_assay(O_RDWR);

	__atomic_store_n(&job->tid, gettid(), __ATOMIC_RELEASE);
	job->ret = append_all(fd, job->events, job->count, &job->request);
	close(fd);
	return NULL;
}

static void start_job(struct job *job, unsigned int count, const char *data, size_t size)
{
	pthread_attr_t attributes;

	job->count = count;
	job->tid = 0;
	job->events = calloc(count, sizeof(*job->events));
	need(job->events, "memory");
	for (unsigned int i = 0; i < count; i++)
		job->events[i] = event("job", data, size);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	need(!pthread_create(&job->thread, &attributes, do_job, job), "a thread");
	pthread_attr_destroy(&attributes);
}

/* Returns whether it was served. */
static bool end_job(struct job *job)
{
	pthread_join(job->thread, NULL);
	free(job->events);
	return is_served(job->ret, job->request.recnum);
}

/* A job whose extend is under way, for the others to queue behind. */
static void start_first(struct job *job)
{
	start_job(job, 1, "first", 5);
	sleep_ms(100);
}

/* Until a job sleeps in the kernel: it is in the queue, or waits for room in it. */
static void until_it_waits(const struct job *job)
{
	for (int i = 0, seen = 0; i < 2000 && seen < 3; i++) {
		pid_t tid = __atomic_load_n(&job->tid, __ATOMIC_ACQUIRE);
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
		seen = tid && strstr(read_text(path), ") D ") ? seen + 1 : 0;
		sleep_ms(5);
	}
}

/*
 * Two calls, each of more than half of what the queue takes, and a small one behind them. Returns
 * false where the machine was so busy that they did not meet in the queue.
 */
static bool try_overtake(void)
{
	static const char large[ASSAY_MAX_EVENT];
	int fd = begin("", DELAY);
	uint64_t anchored;
	struct job first, jobs[3];
	bool in_time;

	anchored = get_info(fd).anchored_records;
	start_job(&first, 1, "first", 5);
	until_it_waits(&first);
	for (unsigned int i = 0; i < 3; i++) {
		start_job(&jobs[i], i < 2 ? 10 : 1, large, i < 2 ? sizeof(large) : 8);
		until_it_waits(&jobs[i]);
	}
	in_time = get_info(fd).anchored_records == anchored;
	end_job(&first);
	for (unsigned int i = 0; i < 3; i++)
		end_job(&jobs[i]);
	if (in_time) {
		check(jobs[1].ret == -ENOSPC, "two large calls do not go into the ring together");
		check(jobs[2].request.recnum != ASSAY_RECNUM_NONE &&
			      jobs[2].request.recnum > jobs[0].request.recnum,
		      "a small one does not overtake the one that waits for room");
	}
	end(fd);
	return in_time;
}

static void test_overtake(void)
{
	int tries = 0;

	while (tries < 10 && !try_overtake())
		tries++;
	check(tries < 10, "calls are served in the order in which they came");
}

/* A record has no more entries than a call may have. */
static void test_entries(void)
{
	int fd = begin("", 400);
	unsigned int served;
	struct job first, jobs[3];

	start_first(&first);
	for (unsigned int i = 0; i < 3; i++) {
		start_job(&jobs[i], i < 2 ? 2100 : 1, "", 0);
		sleep_ms(50);
	}
	served = end_job(&first);
	for (unsigned int i = 0; i < 3; i++)
		served += end_job(&jobs[i]);
	check_is(served, 4, "calls of many entries");
	check(jobs[0].request.recnum != jobs[1].request.recnum,
	      "those that are too many together have records of their own");
	check(take_census().most <= ASSAY_MAX_BATCH, "no record has more than 4096");
	end(fd);
}

/* More callers than the queue has room for wait, and are all served. */
static void test_full_queue(void)
{
	enum { COUNT = 300 };
	static struct job jobs[COUNT];
	int fd = begin("", 300);
	unsigned int good = 0;
	struct job first;
	struct census census;

	start_first(&first);
	for (unsigned int i = 0; i < COUNT; i++)
		start_job(&jobs[i], 1, "", 0);
	for (unsigned int i = 0; i < COUNT; i++) {
		good += end_job(&jobs[i]);
	}
	good += end_job(&first);
	check_is(good, COUNT + 1, "more calls than the queue holds are all served");
	census = take_census();
	check_is(census.events, COUNT + 1, "each is in the log once");
	check(census.most <= 256, "no record is of more than 256 calls");
	note("  the largest record has %u", census.most);
	end(fd);
}

static pid_t start_child(const char *data)
{
	pid_t child = fork();

	need(child >= 0, "fork");
	if (!child) {
		append(open_assay(O_RDWR), "killed", data, strlen(data), NULL);
		_exit(0);
	}
	return child;
}

/* Returns how long it took to die. */
static int64_t kill_child(pid_t child)
{
	int64_t from = now_ms();
	int status;

	kill(child, SIGKILL);
	need(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child dies");
	return now_ms() - from;
}

/*
 * A caller in the queue, behind others with an extend each, is killed: it goes at once.
 * Returns false where the machine was so busy that these were over by then.
 */
static bool try_queued(int fd)
{
	enum { AHEAD = 4 };
	uint64_t anchored = get_info(fd).anchored_records;
	unsigned int before = count_events("queued");
	struct assay_append after;
	struct job jobs[AHEAD];
	bool in_time;
	int64_t died;
	int result;
	pid_t child;

	for (unsigned int i = 0; i < AHEAD; i++)
		start_job(&jobs[i], 1, "ahead", 5);
	sleep_ms(100);
	child = start_child("queued");
	sleep_ms(100);
	died = kill_child(child);
	in_time = get_info(fd).anchored_records < anchored + AHEAD;
	for (unsigned int i = 0; i < AHEAD; i++)
		end_job(&jobs[i]);
	if (!in_time)
		return false;
	note("  a caller in the queue died in %lld ms", (long long)died);
	result = append(fd, "group", "after", 5, &after);
	check(is_served(result, after.recnum), "the next call is served");
	check_is(count_events("queued"), before, "the entries are not in the log");
	return true;
}

static void test_killed(void)
{
	int fd = begin("group=1", DELAY);
	struct assay_info info;
	uint64_t records;
	pid_t child;
	int tries = 0;

	while (tries < 10 && !try_queued(fd))
		tries++;
	check(tries < 10, "a caller who is killed in the queue does not wait for the TPM");

	records = get_info(fd).records;
	child = start_child("taken");
	while (get_info(fd).records == records)
		sleep_ms(5);
	note("  a caller whose record was written died in %lld ms", (long long)kill_child(child));
	check_is(count_events("taken"), 1, "entries whose record was written are in the log");
	info = get_info(fd);
	check(info.anchored == info.tail || is_late(info.last_error),
	      "and anchored when the caller is gone");
	end(fd);
}

/* What has no room does not keep out what has. */
static void test_no_room(void)
{
	static const char large[ASSAY_MAX_EVENT];
	int fd = begin("", 0);
	struct job first, jobs[3];
	unsigned int served;
	int result;

	do
		result = append(fd, "fill", large, sizeof(large), NULL);
	while (!result || is_late(result));
	tpm_behave(400, TPM_PROXY_NONE, 0);
	start_first(&first);
	for (unsigned int i = 0; i < 3; i++) {
		start_job(&jobs[i], 1, large, i == 1 ? sizeof(large) : 8);
		sleep_ms(20);
	}
	served = end_job(&first);
	for (unsigned int i = 0; i < 3; i++)
		served += end_job(&jobs[i]);
	check(served == 3 && jobs[1].ret == -ENOSPC,
	      "of calls that have no room together those that have alone are done");
	check(jobs[1].request.recnum == ASSAY_RECNUM_NONE, "the other names no record");
	end(fd);
}

int main(void)
{
	file = open("/bed/busybox", O_RDONLY | O_CLOEXEC);
	need(file >= 0, "open /bed/busybox");
	test_merge();
	test_alone();
	test_entries();
	test_full_queue();
	test_overtake();
	test_killed();
	test_no_room();
	return tap_end();
}
