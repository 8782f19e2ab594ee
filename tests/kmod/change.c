// SPDX-License-Identifier: MIT
/*
 * change ROUNDS SEED: a log in a static region that another processor changes, and changes back,
 * while the module is loaded and looks at it. Whatever it sees, and when: it goes on with the log
 * as the PCR has it, keeps it as the boot before's, or says that it changed and does not load.
 * Nothing is extended that is not in the log. The changes end before the module writes itself:
 * who writes to a page while it is open for a record, changes it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sched.h>
#include <stddef.h>
#include <sys/wait.h>

#include "chance.h"
#include "kept.h"

/* What is changed: eight bytes, to and fro. */
struct target {
	uint64_t address;
	uint64_t good;
	uint64_t bad;
};

/* A log with records that the TPM does not have yet; the module is unloaded. */
static struct assay_info leave_pending(struct chance *chance, struct target *target)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	struct assay_info info, before;
	uint64_t at, ring;

	need(append(fd, "change", "anchored", 8, NULL) == 0, "append");
	before = get_info(fd);
	bind_tpm(false);
	for (int i = 0; i < 3; i++)
		need(append(fd, "change", "pending", 7, NULL) == -ENODEV, "append without a TPM");
	info = get_info(fd);
	need(info.anchored == before.tail && info.records == before.records + 3,
	     "three records are pending");
	ring = info.window_base + log.page_size;
	switch (below(chance, 4)) {
	case 0: /* the framing and digests of what is pending */
		at = info.anchored + below(chance, 80);
		break;
	case 1: /* any byte of what is pending */
		at = info.anchored + below(chance, info.tail - info.anchored);
		break;
	case 2: /* the line of the header with the tail */
		ring = info.window_base;
		at = offsetof(struct assay_log_header, sequence) + below(chance, 40);
		break;
	default: /* the head, and what the PCR held there */
		ring = info.window_base;
		at = one_in(chance, 2) ? offsetof(struct assay_log_header, head) :
					 offsetof(struct assay_log_header, banks[0].value);
		break;
	}
	at = at / 8 * 8;
	target->address = ring + at;
	memcpy(&target->good,
	       ring == info.window_base ? (const uint8_t *)log.header + at : log.ring + at, 8);
	target->bad = target->good ^ 1ULL << below(chance, 64);
	unmap_log(&log);
	close(fd);
	unload_assay();
	bind_tpm(true);
	return info;
}

/* On the other processor, until it is killed. */
static pid_t begin_changes(const struct target *target)
{
	cpu_set_t second;
	pid_t child;

	need(!write_text(SCRIBBLE "until_written", "1"), "end when the module writes");
	child = fork();
	need(child >= 0, "fork");
	if (child)
		return child;
	CPU_ZERO(&second);
	CPU_SET(1, &second);
	need(sched_setaffinity(0, sizeof(second), &second) == 0, "a second processor");
	for (;;) {
		lay_anyhow(target->address, target->bad);
		lay_anyhow(target->address, target->good);
	}
}

static int try_load(void)
{
	int module = open("/bed/assay.ko", O_RDONLY | O_CLOEXEC);
	int error = syscall(SYS_finit_module, module, "", 0) ? errno : 0;

	need(module >= 0, "the module");
	close(module);
	return error;
}

/* A log is there: it is whole, and all of it anchored. */
static bool is_right(bool *ret_went_on)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	struct assay_info info;
	bool right;

	need(append(fd, "change", "after", 5, NULL) == 0, "append");
	info = get_info(fd);
	*ret_went_on = log.header->flags & ASSAY_LOG_ADOPTED;
	right = info.anchored == info.tail && info.anchored_records == info.records &&
		replay(&log, log.header->bank_count) == (long long)info.records;
	unmap_log(&log);
	close(fd);
	return right;
}

int main(int count, char **arguments)
{
	unsigned long rounds = count > 1 ? strtoul(arguments[1], NULL, 10) : 10;
	struct chance chance = { count > 2 ? strtoull(arguments[2], NULL, 10) : 1 };
	unsigned int went_on = 0, fresh = 0, refused = 0, wrong = 0;

	load_assay("");
	for (unsigned long round = 0; round < rounds; round++) {
		struct target target;
		bool adopted;
		pid_t child;
		int error;

		leave_pending(&chance, &target);
		child = begin_changes(&target);
		error = try_load();
		kill(child, SIGKILL);
		need(waitpid(child, NULL, 0) == child, "the end of the changes");
		need(!write_text(SCRIBBLE "until_written", "0"), "write again");
		if (error) {
			refused++;
			check_is(error, EIO, "loading fails since the log changed");
			lay_anyhow(target.address, target.good);
			need(!try_load(), "load the module again");
		}
		if (!is_right(&adopted)) {
			note("round %lu: %#llx changed at %#llx", round,
			     (unsigned long long)(target.good ^ target.bad),
			     (unsigned long long)target.address);
			wrong++;
		} else if (adopted) {
			went_on++;
		} else {
			fresh++;
		}
	}
	check(wrong == 0,
	      "each log explains the PCR: %u went on, %u were kept, %u changed too much", went_on,
	      fresh, refused);
	check(!kernel_said("WARNING:") && !kernel_said("BUG:"), "the kernel does not complain");
	unload_assay();
	return tap_end();
}
