// SPDX-License-Identifier: MIT
/*
 * MEASURE and APPEND through io_uring: many under way from one thread share records, each
 * is completed with the ioctl's result and told its record; what the ioctl refuses is
 * refused; a ring that is closed, or whose task is killed or starts another program, leaves
 * each command's entries in the log once or not at all, and nothing behind. So do rings with
 * a thread that submits, rings that defer completions or poll for them, commands that
 * are linked, and rings that a child has inherited. Where the kernel has not what that
 * takes, it says so. Loads and unloads the module.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "guest.h"
#include "uring.h"

#define MANY 64
#define CROWD 512 /* more than the module's queue has room for */
#define APPEND _IOC_NR(ASSAY_IOC_APPEND)
#define MEASURE _IOC_NR(ASSAY_IOC_MEASURE)

static struct log shared;
static int file;

/* An APPEND of one event whose data is its number. */
struct command {
	struct assay_append request;
	struct assay_append_entry entry;
	char data[16];
	int result;
};

static struct command commands[CROWD];

static void queue(struct uring *ring, int fd, unsigned int i)
{
	struct command *command = &commands[i];

	snprintf(command->data, sizeof(command->data), "%u", i);
	command->entry = event("uring", command->data, strlen(command->data));
	command->request = (struct assay_append){
		.count = 1,
		.entry_size = sizeof(command->entry),
		.entries = (uintptr_t)&command->entry,
	};
	command->result = 1;
	uring_command(ring, fd, APPEND, &command->request, sizeof(command->request), i);
}

/* How often each command's event is in the log; returns the number of events there. */
static unsigned int count_events(unsigned int times[CROWD])
{
	unsigned int events = 0;
	struct record record;

	memset(times, 0, CROWD * sizeof(*times));
	for (uint64_t n = 0; get_record(&shared, n, &record); n++) {
		const uint8_t *bytes = record.content.value;
		size_t size = record.content.size;
		struct tlv tlv;

		while (next_tlv(&bytes, &size, &tlv)) {
			char text[16] = "";
			struct tlv data;

			if (tlv.type != ASSAY_FIELD_EVENT)
				continue;
			data = find_tlv(tlv.value, tlv.size, ASSAY_FIELD_DATA);
			need(data.value && data.size < sizeof(text), "an event with a number");
			memcpy(text, data.value, data.size);
			times[strtoul(text, NULL, 10) % CROWD]++;
			events++;
		}
	}
	return events;
}

static int begin(unsigned int delay_ms)
{
	int fd;

	load_anew("");
	fd = open_assay(O_RDWR);
	shared = map_log(fd);
	tpm_behave(delay_ms, TPM_PROXY_NONE, 0);
	return fd;
}

static void end(int fd)
{
	struct assay_info info;

	tpm_behave(0, TPM_PROXY_NONE, 0);
	need(anchor(fd, NULL) == 0, "ANCHOR");
	info = get_info(fd);
	check_is(replay(&shared, info.bank_count), (long long)info.records,
		 "the PCR is explained in every bank");
	unmap_log(&shared);
	close(fd);
	unload_assay();
}

/* @count commands from one thread, in as few system calls as there are submissions. */
static void test_many(const char *what, uint32_t flags, unsigned int count)
{
	int fd = begin(30);
	unsigned int times[CROWD], good = 0, once = 0, completed = 0;
	struct uring ring;

	need(!uring_open_with(&ring, CROWD, flags), "a ring");
	for (unsigned int i = 0; i < count; i++)
		queue(&ring, fd, i);
	check(uring_enter(&ring, count) == (int)count, "%s: commands are submitted in one call",
	      what);
	for (uint64_t i; completed < count; completed++) {
		int result;

		if (!uring_reap(&ring, &i, &result))
			break;
		commands[i].result = result;
	}
	check_is(completed, count, "and all completed when it returns");
	check_is(count_events(times), count, "each event is in the log");
	for (unsigned int i = 0; i < count; i++) {
		const struct assay_append *request = &commands[i].request;

		once += times[i] == 1;
		good += commands[i].result == 0 && request->recnum > 0 &&
			request->recnum < get_info(fd).records && request->offset > 0;
	}
	check_is(once, count, "once");
	check_is(good, count, "each is told its record");
	check(get_info(fd).records - 1 <= count / 4, "they share records");
	note("  %u commands, %llu records", count, (unsigned long long)get_info(fd).records - 1);
	uring_close(&ring);
	end(fd);
}

/* One command; returns its result. */
static int run(struct uring *ring, struct io_uring_sqe *sqe)
{
	uint64_t user_data;
	int result;

	(void)sqe;
	need(uring_enter(ring, 1) == 1, "submit a command");
	need(uring_reap(ring, &user_data, &result), "a completion");
	return result;
}

static void test_measure(int fd, struct uring *ring)
{
	struct assay_measure_entry entries[3] = { { .fd = file }, { .fd = file }, { .fd = -1 } };
	struct assay_measure request = {
		.count = 2,
		.entry_size = sizeof(entries[0]),
		.entries = (uintptr_t)entries,
	};
	uint64_t records = get_info(fd).records;

	check(run(ring, uring_command(ring, fd, MEASURE, &request, sizeof(request), 0)) == 0 &&
		      request.recnum == records && entries[1].result == -ENODATA,
	      "MEASURE, with results");
	request.flags = ASSAY_MEASURE_READ;
	check(run(ring, uring_command(ring, fd, MEASURE, &request, sizeof(request), 0)) == 0 &&
		      request.recnum == records + 1,
	      "MEASURE that reads the files");
	request.count = 3;
	check_is(run(ring, uring_command(ring, fd, MEASURE, &request, sizeof(request), 0)), -EBADF,
		 "MEASURE of a descriptor that is not open");
}

static void test_refused(int fd, struct uring *ring)
{
	struct assay_append_entry entry = event("uring", "x", 1);
	struct assay_append good = { .count = 1,
				     .entry_size = sizeof(entry),
				     .entries = (uintptr_t)&entry };
	struct assay_append flagged = good, nowhere = good, many = good;
	int read_only = open_assay(O_RDONLY);
	const struct {
		const char *what;
		int fd;
		uint32_t operation;
		void *argument;
		uint32_t size, reserved, flags;
		int error;
	} rows[] = {
		{ "a descriptor for reading", read_only, APPEND, &good, sizeof(good), 0, 0,
		  -EACCES },
		{ "INFO", fd, _IOC_NR(ASSAY_IOC_INFO), &good, sizeof(good), 0, 0, -ENOTTY },
		{ "ANCHOR", fd, _IOC_NR(ASSAY_IOC_ANCHOR), &good, sizeof(good), 0, 0, -ENOTTY },
		{ "the ioctl's whole number", fd, (uint32_t)ASSAY_IOC_APPEND, &good, sizeof(good),
		  0, 0, -ENOTTY },
		{ "an unknown operation", fd, UINT32_MAX, &good, sizeof(good), 0, 0, -ENOTTY },
		{ "a reserved field", fd, APPEND, &good, sizeof(good), 1, 0, -EINVAL },
		{ "registered buffers", fd, APPEND, &good, sizeof(good), 0, IORING_URING_CMD_FIXED,
		  -EINVAL },
		{ "an unknown flag", fd, APPEND, &good, sizeof(good), 0, 1 << 30, -EINVAL },
		{ "a struct of no bytes", fd, APPEND, &good, 0, 0, 0, -EINVAL },
		{ "a struct a byte short", fd, APPEND, &good, sizeof(good) - 1, 0, 0, -EINVAL },
		{ "a struct of 4 GiB", fd, APPEND, &good, UINT32_MAX, 0, 0, -EINVAL },
		{ "a struct at NULL", fd, APPEND, NULL, sizeof(good), 0, 0, -EFAULT },
		{ "a struct nowhere", fd, APPEND, (void *)0x10, sizeof(good), 0, 0, -EFAULT },
		{ "a struct in the kernel", fd, APPEND, (void *)0xffff800080000000, sizeof(good), 0,
		  0, -EFAULT },
		{ "a flag of the request", fd, APPEND, &flagged, sizeof(good), 0, 0, -EINVAL },
		{ "entries nowhere", fd, APPEND, &nowhere, sizeof(good), 0, 0, -EFAULT },
		{ "too many entries", fd, MEASURE, &many, sizeof(good), 0, 0, -EINVAL },
	};
	uint64_t records = get_info(fd).records;

	flagged.flags = 1;
	nowhere.entries = 0x10;
	many.count = ASSAY_MAX_BATCH + 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct io_uring_sqe *sqe = uring_command(ring, rows[i].fd, rows[i].operation,
							 rows[i].argument, rows[i].size, 0);
		struct assay_uring_command command;
		int result;

		memcpy(&command, sqe->cmd, sizeof(command));
		command.reserved = rows[i].reserved;
		memcpy(sqe->cmd, &command, sizeof(command));
		sqe->uring_cmd_flags = rows[i].flags;
		result = run(ring, sqe);
		/* Older kernels look first whether there are any. */
		if (rows[i].flags == IORING_URING_CMD_FIXED && result == -EFAULT)
			result = -EINVAL;
		check(result == rows[i].error, "refused: %s (%d)", rows[i].what, result);
	}
	check_is((long long)get_info(fd).records, (long long)records, "none has written anything");
	check_is(run(ring, uring_command(ring, fd, APPEND, &good, sizeof(good), 0)), 0,
		 "what was spoiled was good");
	close(read_only);
}

static void test_calls(void)
{
	int fd = begin(0);
	struct uring ring;

	need(!uring_open(&ring, 8), "a ring");
	test_measure(fd, &ring);
	test_refused(fd, &ring);
	uring_close(&ring);
	end(fd);
}

/* The kernel takes a ring apart when its task is gone: until only our file is open. */
static bool waits_for_rings(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	for (int i = 0; i < 1000; i++) {
		if (read_number("/sys/module/assay/refcnt") == 1)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* Each event is in the log at most once, and nothing stays pending. */
static void check_none_twice(const char *what, int fd)
{
	struct assay_info info = get_info(fd);
	unsigned int times[CROWD], events, twice = 0;

	/* On a busy machine a TPM may have failed in time; what is pending is tried again. */
	for (int i = 0; i < 500 && info.anchored != info.tail; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		info = get_info(fd);
	}
	events = count_events(times);
	for (unsigned int i = 0; i < CROWD; i++)
		twice += times[i] > 1;
	check(twice == 0 && info.anchored == info.tail,
	      "%s: no event is there twice, none is left pending", what);
	note("  %u of %d events are in the log", events, CROWD);
}

enum end { CLOSES, EXITS, EXECS, IS_KILLED };

/* A child submits many and goes, by itself or killed, with none completed. */
static void test_gone(const char *what, enum end how)
{
	int fd = begin(300), status, ready[2];
	bool killed = how == IS_KILLED;
	char byte;
	pid_t child;

	need(!pipe(ready), "a pipe");
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		int own = open_assay(O_RDWR);
		struct uring ring;

		need(!uring_open(&ring, CROWD), "a ring");
		for (unsigned int i = 0; i < CROWD; i++)
			queue(&ring, own, i);
		need(uring_enter(&ring, 0) == CROWD, "submit");
		if (how == CLOSES)
			uring_close(&ring);
		need(write(ready[1], "", 1) == 1, "tell the parent");
		if (how == EXECS)
			execl("/bed/busybox", "true", (char *)NULL);
		if (killed)
			pause();
		_exit(0);
	}
	need(read(ready[0], &byte, 1) == 1, "the child submits");
	if (killed)
		kill(child, SIGKILL);
	need(waitpid(child, &status, 0) == child, "wait");
	check(killed ? WIFSIGNALED(status) : WIFEXITED(status), "%s: the task ends", what);
	close(ready[0]);
	close(ready[1]);
	check(waits_for_rings(), "%s: nothing of it is left", what);
	check_none_twice(what, fd);
	end(fd);
}

/* ------------------------------------------------------------------ other kinds of rings */
/* Polling for completions is for block devices: the kernel refuses the command, or does not poll.
 */
static void test_polled(void)
{
	int fd = begin(0), result = 1;
	uint64_t records = get_info(fd).records, user_data;
	struct uring ring;

	need(!uring_open_with(&ring, 8, IORING_SETUP_IOPOLL), "a ring");
	queue(&ring, fd, 0);
	need(uring_enter(&ring, 0) == 1, "submit");
	for (int i = 0; i < 1000 && !uring_reap(&ring, &user_data, &result); i++) {
		usleep(5000);
		syscall(SYS_io_uring_enter, ring.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0);
	}
	check((result == -EOPNOTSUPP && get_info(fd).records == records) ||
		      (result == 0 && get_info(fd).records == records + 1),
	      "a ring that polls: the command is refused, or done (%d)", result);
	uring_close(&ring);
	end(fd);
}

/* Each is submitted when the one before is done; what follows a failure is not. */
static void test_linked(void)
{
	enum { COUNT = 6, BAD = 3 };
	int fd = begin(0), results[COUNT];
	unsigned int times[CROWD], right = 0;
	struct uring ring;
	uint64_t user_data;

	need(!uring_open(&ring, 8), "a ring");
	for (unsigned int i = 0; i < COUNT; i++) {
		uint32_t index = *ring.sq_tail & ring.sq_mask;

		queue(&ring, fd, i);
		if (i < COUNT - 1)
			ring.sqes[index].flags = IOSQE_IO_LINK;
		if (i == BAD)
			commands[i].request.flags = 1;
	}
	need(uring_enter(&ring, COUNT) == COUNT, "submit");
	for (unsigned int i = 0; i < COUNT; i++) {
		int result;

		need(uring_reap(&ring, &user_data, &result) && user_data < COUNT, "a completion");
		results[user_data] = result;
	}
	for (unsigned int i = 0; i < COUNT; i++)
		right += results[i] == (i < BAD	 ? 0 :
					i == BAD ? -EINVAL :
						   -ECANCELED) &&
			 (i >= BAD || i == 0 ||
			  commands[i].request.recnum > commands[i - 1].request.recnum);
	check_is(right, COUNT, "linked commands: in order, up to the one that fails");
	check_is(count_events(times), BAD, "and none behind it is in the log");
	uring_close(&ring);
	end(fd);
}

/* A child uses the ring of its parent: it waits for its commands, or ends before they are done. */
static void test_inherited(bool waits)
{
	const char *what = waits ? "an inherited ring" : "a child that leaves commands in a ring";
	unsigned int completed = 0, done = 0, wrong = 0;
	int fd = begin(waits ? 0 : 300), status;
	struct uring ring;
	pid_t child;

	need(!uring_open(&ring, MANY), "a ring");
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		for (unsigned int i = 0; i < MANY; i++)
			queue(&ring, fd, i);
		need(uring_enter(&ring, waits ? MANY : 0) == MANY, "submit");
		_exit(0);
	}
	need(waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status),
	     "the child");
	/* What its end has cancelled is completed by workers of the kernel's. */
	for (int i = 0; i < 1000 && completed < MANY; i++) {
		uint64_t user_data;
		int result;

		while (uring_reap(&ring, &user_data, &result)) {
			completed++;
			done += result == 0;
			wrong += result != 0 && result != -ECANCELED;
		}
		if (completed < MANY)
			usleep(10000);
	}
	check(completed == MANY && wrong == 0 && (!waits || done == MANY),
	      "%s: each command is done or cancelled", what);
	note("  %u of %u are done", done, completed);
	uring_close(&ring);
	check_none_twice(what, fd);
	end(fd);
}

int main(void)
{
	struct uring ring;
	int fd;

	file = open("/bed/busybox", O_RDONLY | O_CLOEXEC);
	need(file >= 0, "open /bed/busybox");
	if (!can_measure()) {
		/* The same kernels lack both. */
		load_assay("");
		fd = open_assay(O_RDWR);
		need(!uring_open(&ring, 8), "a ring");
		queue(&ring, fd, 0);
		check_is(run(&ring, NULL), -EOPNOTSUPP, "this kernel has no such commands");
		return tap_end();
	}
	test_many("a ring", 0, MANY);
	test_many("a crowded ring", 0, CROWD);
	test_many("a ring with a thread that submits", IORING_SETUP_SQPOLL, MANY);
	test_many("a ring that defers completions",
		  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, MANY);
	test_calls();
	test_polled();
	test_linked();
	test_inherited(true);
	test_inherited(false);
	test_gone("a ring that is closed", CLOSES);
	test_gone("a task that exits", EXITS);
	test_gone("a task that starts another program", EXECS);
	test_gone("a task that is killed", IS_KILLED);
	return tap_end();
}
