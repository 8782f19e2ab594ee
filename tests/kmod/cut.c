// SPDX-License-Identifier: MIT
/*
 * A log that is cut off at any moment: what appends until then, and what judges the memory
 * that is left.
 *
 *	cut append [RECNUM VALUE [DAMAGED]]
 *
 * In the guest, appends for ever, and cuts the oldest records off. After each call that worked it
 * prints "# anchored RECNUM VALUE" with the PCR's value, as the TPM says it. With the last that was
 * printed whole in the boot before, it judges first what the module offers as the log of that.
 *
 *	cut steps
 *
 * In the guest, few calls of each kind, with lines as above; after the first there is time to
 * begin to watch.
 *
 *	cut trace ROUNDS
 *
 * In the guest, what writes to the log in each way: records in all parts of the ring, cuts, a log
 * that goes on when the module is loaded again, also one that was cut off, a fresh one over
 *another, a TPM that comes late. Says "# NAME ADDRESS" of functions of the kernel to watch, "#
 *laid" when it has laid another header over the log's, and "# abandoned" before it gives a log up.
 *Needs the module scribble.
 *
 *	cut judge FILE OFFSET RECNUM VALUE
 *
 * On the host, by qemu-aarch64, judges the memory itself: FILE is the guest's, and at OFFSET is
 * the log's window.
 *
 *	cut flip FILE OFFSET SEED
 *
 * On the host, changes a bit somewhere in the records, and prints the offset in the log at which
 * that one begins: DAMAGED.
 *
 * All that was anchored must be there and replay to VALUE, and all that the tail covers
 * must be records; or else the log must be named as damaged there, and good before. Whether the
 * module would take it for good is asked of its own code, kmod/found.c.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "chance.h"
#include "follow.h"
#include "found.h"
#include "kept.h"

#define STEPS_PAUSE 10 /* seconds */

static void print_hex(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
}

/* Some small events, now and then with a large one. */
static int append_some(int fd, struct chance *chance, uint64_t *ret_recnum)
{
	static uint8_t data[ASSAY_MAX_EVENT];
	struct assay_append_entry entries[4];
	struct assay_append request;
	uint32_t count = 1 + (uint32_t)below(chance, 4);
	int result;

	for (uint32_t i = 0; i < count; i++)
		entries[i] =
			event("cut", data, below(chance, one_in(chance, 8) ? sizeof(data) : 300));
	memset(data, (int)below(chance, 256), sizeof(data));
	result = append_all(fd, entries, count, &request);
	*ret_recnum = request.recnum;
	return result;
}

/* Cut off more than half of the log. */
static int trim_some(int fd, const struct log *log, struct chance *chance, uint64_t *ret_recnum)
{
	uint64_t head = log->header->head_recnum, records = get_info(fd).records - head;
	struct assay_trim request = { .keep = head + records / 2 + below(chance, records / 2) };
	int result = call(fd, ASSAY_IOC_TRIM, &request);

	*ret_recnum = request.recnum;
	return result;
}

/* "# anchored RECNUM VALUE" */
static void tell(const struct assay_info *info, uint64_t recnum)
{
	uint8_t value[ASSAY_MAX_DIGEST];

	need(read_pcr(info->bank_alg[0], info->pcr, value), "read the PCR");
	printf("# anchored %llu ", (unsigned long long)recnum);
	print_hex(value, digest_size(info->bank_alg[0]));
	printf("\n");
	fflush(stdout);
}

static void append_for_ever(void)
{
	struct chance chance = { (uint64_t)time(NULL) };
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);
	struct log log = map_log(fd);
	bool full = false;

	for (;;) {
		uint64_t recnum;
		int result;

		if (full ||
		    (get_info(fd).records - log.header->head_recnum > 8 && one_in(&chance, 4)))
			result = trim_some(fd, &log, &chance, &recnum);
		else
			result = append_some(fd, &chance, &recnum);
		full = result == -ENOSPC;
		if (full || result == -ETIME)
			continue;
		need(!result, "a call gave %d", result);
		tell(&info, recnum);
	}
}

static void take_steps(void)
{
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);
	struct assay_append appended;
	struct assay_trim trimmed = { 0 };

	check_is(append(fd, "step", "", 0, &appended), 0, "the first APPEND");
	tell(&info, appended.recnum);
	sleep(STEPS_PAUSE);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < 2; i++) {
			check_is(append(fd, "step", "some data", i, &appended), 0, "APPEND");
			tell(&info, appended.recnum);
		}
		trimmed.keep = appended.recnum;
		check_is(call(fd, ASSAY_IOC_TRIM, &trimmed), 0, "TRIM");
		tell(&info, trimmed.recnum);
	}
	close(fd);
}

/* "# NAME ADDRESS" of some of the kernel's functions. */
static void say_functions(void)
{
	static const char *const names[] = { "arch_wb_cache_pmem", "tpm_pcr_extend" };
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[256], *name;

	need(symbols, "the kernel's symbols");
	while (fgets(line, sizeof(line), symbols)) {
		unsigned long long address = strtoull(line, &name, 16);

		name += strlen(name) > 3 ? 3 : 0; /* a space, a letter and a space */
		name[strcspn(name, "\t\n")] = '\0';
		for (int i = 0; i < 2; i++)
			if (strcmp(name, names[i]) == 0)
				note("%s %#llx", name, address);
	}
	fclose(symbols);
}

/* So that who watches has it before anything is written. */
static void say(const char *what)
{
	note("%s", what);
	sleep(1);
}

/* Loaded again over a log that was cut off while its head moved. */
static void trace_cut_off(const struct assay_info *info)
{
	struct assay_log_header header;
	int fd = open_assay(O_RDONLY);
	struct log log = map_log(fd);

	header = *log.header;
	unmap_log(&log);
	close(fd);
	unload_assay();
	header.sequence++;
	header.uncut.sequence = header.sequence;
	header.uncut.head = header.head;
	header.uncut.head_recnum = header.head_recnum;
	for (unsigned int i = 0; i < header.bank_count; i++) {
		memcpy(header.uncut.start[i], header.banks[i].start, ASSAY_MAX_DIGEST);
		memset(header.banks[i].start, 0x5a, ASSAY_MAX_DIGEST);
	}
	header.head += 1000;
	header.head_recnum++;
	lay_over(info, &header);
	say("laid");
	load_assay("");
}

/* Records and cuts; a round takes a fifth of a small ring. */
static void trace_rounds(int fd, const struct assay_info *info, size_t rounds)
{
	static const uint8_t data[6000] = { 1, 2, 3 };
	struct assay_append appended;

	for (size_t round = 0; round < rounds; round++) {
		struct assay_trim trimmed = { 0 };

		for (size_t size = 5000; size > 0; size /= 500) {
			check_is(append(fd, "trace", data, size + round, &appended), 0, "APPEND");
			tell(info, appended.recnum);
		}
		trimmed.keep = appended.recnum;
		check_is(call(fd, ASSAY_IOC_TRIM, &trimmed), 0, "TRIM");
		tell(info, trimmed.recnum);
	}
}

/* A log that was loaded just now: its first records. */
static void trace_loaded(bool late_tpm)
{
	int fd = open_assay(O_RDWR);
	struct assay_append appended;
	struct assay_info info;

	if (late_tpm) {
		check_is(append(fd, "trace", "without", 7, NULL), -ENODEV, "APPEND without a TPM");
		bind_tpm(true);
	}
	check_is(append(fd, "trace", "with", 4, &appended), 0, "APPEND");
	info = get_info(fd);
	tell(&info, appended.recnum);
	close(fd);
}

static void trace_all(size_t rounds)
{
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);
	struct assay_append appended;

	say_functions();
	check_is(append(fd, "trace", "", 0, &appended), 0, "the first APPEND");
	tell(&info, appended.recnum);
	sleep(STEPS_PAUSE);
	trace_rounds(fd, &info, rounds);
	close(fd);
	unload_assay();
	load_assay("");
	trace_loaded(false);
	trace_cut_off(&info);
	trace_loaded(false);
	say("abandoned");
	unload_assay();
	extend_pcr();
	load_assay("");
	trace_loaded(false);
	say("abandoned");
	unload_assay();
	bind_tpm(false);
	load_assay("");
	trace_loaded(true);
}

/* The memory as the guest's readers had it: the header's page, and the ring twice. */
static struct log map_file(const char *path, off_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct log log = {};
	uint8_t *place;
	size_t ring;

	need(fd >= 0, "open %s", path);
	log.header = mmap(NULL, sizeof(*log.header), PROT_READ, MAP_SHARED, fd, offset);
	need(log.header != MAP_FAILED, "map %s", path);
	need(memcmp(log.header->magic, ASSAY_LOG_MAGIC, 8) == 0, "a log at this offset");
	log.page_size = log.header->page_size;
	ring = (size_t)log.header->ring_size;
	log.mapped = log.page_size + 2 * ring;
	munmap((void *)(uintptr_t)log.header, sizeof(*log.header));
	place = mmap(NULL, log.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(place != MAP_FAILED, "%zu bytes of address space", log.mapped);
	for (int part = 0; part < 2; part++)
		need(mmap(place + log.page_size + (size_t)part * ring, ring, PROT_READ,
			  MAP_SHARED | MAP_FIXED, fd, offset + (off_t)log.page_size) != MAP_FAILED,
		     "map the ring");
	need(mmap(place, log.page_size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, offset) !=
		     MAP_FAILED,
	     "map the header");
	log.header = (const struct assay_log_header *)place;
	log.ring = place + log.page_size;
	close(fd);
	return log;
}

static bool is_value(const struct follower_bank *bank, const char *hex)
{
	char text[2 * ASSAY_MAX_DIGEST + 1];

	for (unsigned int i = 0; i < bank->size; i++)
		snprintf(text + 2 * (size_t)i, 3, "%02x", bank->value[i]);
	return strcmp(text, hex) == 0;
}

/* The header; if it was cut off while the head moved, as it was before. */
static struct assay_log_header header_of(const struct log *log)
{
	struct assay_log_header header = *log->header;

	if (header.sequence % 2 && header.uncut.sequence == header.sequence) {
		note("cut off while the head moved");
		header.head = header.uncut.head;
		header.head_recnum = header.uncut.head_recnum;
		for (unsigned int i = 0; i < header.bank_count; i++)
			memcpy(header.banks[i].start, header.uncut.start[i], ASSAY_MAX_DIGEST);
	}
	return header;
}

static int found_hash(void *context, __u16 alg, const struct assay_found_bytes pieces[2],
		      __u8 *digest)
{
	uint8_t *both = malloc((size_t)(pieces[0].size + pieces[1].size) + 1);

	(void)context;
	need(both, "memory");
	memcpy(both, pieces[0].data, (size_t)pieces[0].size);
	memcpy(both + pieces[0].size, pieces[1].data, (size_t)pieces[1].size);
	sha(digest_size(alg), both, (size_t)(pieces[0].size + pieces[1].size), digest);
	free(both);
	return 0;
}

/* What the module will make of it. */
static void judge_found(const struct log *log, uint64_t recnum)
{
	const struct assay_log_header *header = log->header;
	struct assay_found found = { 0 };
	int result = assay_found_check(
		(struct assay_found_bytes){ (const uint8_t *)header,
					    header->page_size + header->ring_size },
		found_hash, NULL, &found);

	check(result == 0 && !found.what && found.header.anchored_records > recnum,
	      "the module takes it for good: up to record %llu",
	      (unsigned long long)found.header.records);
	if (found.what)
		note("  it says: %s", found.what);
}

static void judge(const struct log *log, uint64_t recnum, const char *value)
{
	const struct assay_log_header at_hand = header_of(log), *header = &at_hand;
	const struct log seen = { .header = header,
				  .ring = log->ring,
				  .page_size = log->page_size,
				  .mapped = log->mapped };
	struct follower follower = {};
	bool reached = false, named = false;
	enum followed followed;
	struct record record;

	note("sequence %u, flags %#x, %llu of %llu records anchored, those before %llu cut",
	     header->sequence, header->flags, (unsigned long long)header->anchored_records,
	     (unsigned long long)header->records, (unsigned long long)header->head_recnum);
	follow_from(&follower, &seen, header);
	while ((followed = follow_next(&follower, &record)) == FOLLOWED) {
		if (record.number == recnum)
			reached = is_value(&follower.banks[0], value);
		if (record.number + 1 == header->anchored_records)
			named = memcmp(header->banks[0].value, follower.banks[0].value,
				       follower.banks[0].size) == 0;
	}
	check(followed == FOLLOW_END, "all that the tail covers is records: %llu",
	      (unsigned long long)follower.number);
	if (followed != FOLLOW_END)
		note("  record %llu: %s", (unsigned long long)follower.number, follower.wrong);
	check(follower.number > recnum && reached,
	      "what was anchored is there, and replays to the PCR: record %llu",
	      (unsigned long long)recnum);
	/* Cut off while the header was written, it may be of two minds, but for the tail. */
	check(header->sequence % 2 || (named && header->anchored_records > recnum),
	      "so the header says, unless it was just being written");
	follow_end(&follower);
}

/* Of a log with a bit changed: it is good up to that record, and says so. */
static void judge_damaged(const struct log *log, uint64_t damaged)
{
	const struct assay_log_header *header = log->header;
	struct follower follower = {};
	enum followed followed;
	struct record record;

	follow_from(&follower, log, header);
	while ((followed = follow_next(&follower, &record)) == FOLLOWED)
		;
	check(header->flags == (ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED), "it is named as damaged");
	check(header->damaged_at == damaged && header->tail == damaged,
	      "at the record that is: %llu", (unsigned long long)header->damaged_at);
	check(followed == FOLLOW_END && follower.offset == damaged,
	      "all before it is there: up to record %llu", (unsigned long long)follower.number);
	follow_end(&follower);
}

static void flip(const char *path, off_t offset, uint64_t seed)
{
	struct log log = map_file(path, offset);
	struct assay_log_header header = header_of(&log);
	struct chance chance = { seed };
	uint64_t at = header.head + below(&chance, header.tail - header.head);
	uint64_t begin = header.head;
	struct follower follower = {};
	struct record record;
	uint8_t byte;
	int fd;

	follow_from(&follower, &log, &header);
	while (follow_next(&follower, &record) == FOLLOWED && follower.offset <= at)
		begin = follower.offset;
	follow_end(&follower);
	byte = log.ring[at % header.ring_size] ^ (uint8_t)(1U << below(&chance, 8));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0 && pwrite(fd, &byte, 1,
			       offset + (off_t)(header.page_size + at % header.ring_size)) == 1,
	     "change %s", path);
	close(fd);
	unmap_log(&log);
	printf("%llu\n", (unsigned long long)begin);
}

/* What the module found, in the shape that readers know. */
static struct log map_previous(int fd)
{
	const off_t offset = (off_t)ASSAY_MMAP_PREVIOUS;
	struct log log = { .page_size = get_info(fd).page_size };
	void *place = mmap(NULL, log.page_size, PROT_READ, MAP_SHARED, fd, offset);

	need(place != MAP_FAILED, "map the boot before's log");
	log.mapped = log.page_size + 2 * ((const struct assay_log_header *)place)->ring_size;
	munmap(place, log.page_size);
	place = mmap(NULL, log.mapped, PROT_READ, MAP_SHARED, fd, offset);
	need(place != MAP_FAILED, "map all of the boot before's log");
	log.header = place;
	log.ring = (const uint8_t *)place + log.page_size;
	return log;
}

int main(int count, char *arguments[])
{
	struct log log;

	if (count >= 2 && strcmp(arguments[1], "append") == 0) {
		if (count >= 4) {
			int fd = open_assay(O_RDONLY);

			log = map_previous(fd);
			if (count == 5)
				judge_damaged(&log, strtoull(arguments[4], NULL, 10));
			else
				judge(&log, strtoull(arguments[2], NULL, 10), arguments[3]);
			unmap_log(&log);
			close(fd);
			tap_end();
		}
		append_for_ever();
	}
	if (count == 2 && strcmp(arguments[1], "steps") == 0) {
		take_steps();
		return tap_end();
	}
	if (count == 3 && strcmp(arguments[1], "trace") == 0) {
		trace_all(strtoul(arguments[2], NULL, 10));
		return tap_end();
	}
	if (count == 5 && strcmp(arguments[1], "flip") == 0) {
		flip(arguments[2], (off_t)strtoull(arguments[3], NULL, 0),
		     strtoull(arguments[4], NULL, 0));
		return 0;
	}
	need(count == 6 && strcmp(arguments[1], "judge") == 0,
	     "usage: cut append [RECNUM VALUE [DAMAGED]] | steps | trace ROUNDS | "
	     "judge FILE OFFSET RECNUM VALUE | flip FILE OFFSET SEED");
	log = map_file(arguments[2], (off_t)strtoull(arguments[3], NULL, 0));
	judge(&log, strtoull(arguments[4], NULL, 10), arguments[5]);
	judge_found(&log, strtoull(arguments[4], NULL, 10));
	return tap_end();
}
