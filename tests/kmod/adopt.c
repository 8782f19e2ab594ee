// SPDX-License-Identifier: MIT
/*
 * A log in a static region, found when the module is loaded again: it goes on while the PCR
 * is what it says; else it is the boot before's, beside a fresh one; each kind of damage
 * is named, and what is good before it can be read.
 *
 * What a reset does to a log is done here by extending the PCR from outside: it is not
 * what the log says then. Needs the module scribble. Loads and unloads assay.
 */
#define _GNU_SOURCE
#include <stddef.h>

#include "kept.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RECORDS 6

/* The boot before's log, or one without a header. */
static struct log map_previous(int fd)
{
	const off_t offset = (off_t)ASSAY_MMAP_PREVIOUS;
	struct log log = { .page_size = (size_t)getpagesize() };
	const struct assay_log_header *header;
	void *place;

	place = mmap(NULL, log.page_size, PROT_READ, MAP_SHARED, fd, offset);
	if (place == MAP_FAILED)
		return log;
	header = place;
	log.mapped = log.page_size + 2 * header->ring_size;
	munmap(place, log.page_size);
	check(mmap(NULL, log.mapped + log.page_size, PROT_READ, MAP_SHARED, fd, offset) ==
			      MAP_FAILED &&
		      errno == EINVAL &&
		      mmap(NULL, log.mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset) ==
			      MAP_FAILED &&
		      errno == EACCES,
	      "previous: not more of it, and not for writing");
	place = mmap(NULL, log.mapped, PROT_READ, MAP_SHARED, fd, offset);
	need(place != MAP_FAILED, "mmap of the previous log");
	log.header = place;
	log.ring = (const uint8_t *)place + log.page_size;
	return log;
}

static bool no_previous(int fd)
{
	return mmap(NULL, (size_t)getpagesize(), PROT_READ, MAP_SHARED, fd,
		    (off_t)ASSAY_MMAP_PREVIOUS) == MAP_FAILED &&
	       errno == ENODATA;
}

/* A mapped log's bytes from head to tail. */
static uint8_t *copy_log(const struct log *log, size_t *ret_size)
{
	const struct assay_log_header *header = log->header;
	uint8_t *copy;

	*ret_size = (size_t)(header->tail - header->head);
	copy = malloc(*ret_size + 1);
	need(copy, "memory");
	memcpy(copy, log->ring + header->head % header->ring_size, *ret_size);
	return copy;
}

static bool holds(const struct log *log, const uint8_t *copy, size_t size)
{
	return log->header->tail - log->header->head >= size &&
	       !memcmp(log->ring + log->header->head % log->header->ring_size, copy, size);
}

/* Unload the module; what its log was until then, to be freed. */
static uint8_t *unload_keeping(struct assay_log_header *ret_header, size_t *ret_size)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	uint8_t *copy = copy_log(&log, ret_size);

	*ret_header = *log.header;
	unmap_log(&log);
	close(fd);
	unload_assay();
	return copy;
}

static void append_some(int fd, unsigned int count)
{
	static const char data[3000] = "what";

	for (unsigned int i = 0; i < count; i++)
		need(append(fd, "adopt", data, sizeof(data), NULL) == 0, "append");
}

/* Unload, do something, load: the log goes on. */
static void test_goes_on(const char *what)
{
	struct assay_log_header before;
	char boot_id[37] = "";
	struct tlv old, new;
	struct record record;
	struct log log;
	uint8_t *copy;
	size_t size;
	int fd;

	copy = unload_keeping(&before, &size);
	load_assay("");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	check(log.header->flags == ASSAY_LOG_ADOPTED && log.header->head == before.head &&
		      log.header->head_recnum == before.head_recnum &&
		      log.header->records == before.records + 1 &&
		      log.header->anchored == log.header->tail,
	      "%s: the log goes on, with one record more", what);
	check(holds(&log, copy, size), "%s: what was in it is in it", what);
	need(get_record(&log, before.records - before.head_recnum, &record), "the last record");
	memcpy(boot_id, read_text("/proc/sys/kernel/random/boot_id"), 36);
	old = field(&record, ASSAY_FIELD_BOOT_BEFORE);
	new = field(&record, ASSAY_FIELD_BOOT_ID);
	check(record.kind == ASSAY_KIND_KEXEC && old.size == 36 && new.size == 36 &&
		      old.value &&new.value && !memcmp(old.value, boot_id, 36) &&
		      !memcmp(new.value, boot_id, 36),
	      "%s: KEXEC names both boots", what);
	check_is(replay(&log, log.header->bank_count), (long long)before.records + 1,
		 "the PCR is explained");
	check(no_previous(fd), "%s: there is no previous log", what);
	append_some(fd, 3);
	check_is(replay(&log, log.header->bank_count), (long long)before.records + 4,
		 "and by what is appended then");
	check_is(scribble(get_info(fd).window_base), -EFAULT, "a write to it faults");
	check_is(scribble(get_info(fd).window_base + log.page_size), -EFAULT, "and to the ring");
	unmap_log(&log);
	close(fd);
	free(copy);
}

/* Cut off while the head was being moved, after each of the writes that takes. */
static void test_cut_off(void)
{
	for (int writes = 0; writes < 4; writes++) {
		int fd = open_assay(O_RDWR);
		struct log log = map_log(fd);
		struct assay_info info = get_info(fd);
		struct assay_log_header header = *log.header;
		uint64_t head = header.head, recnum = header.head_recnum;

		check(header.sequence % 2 == 0 && header.uncut.sequence == 0,
		      "the header is not being changed");
		unmap_log(&log);
		close(fd);
		unload_assay();
		header.uncut.head = header.head;
		header.uncut.head_recnum = header.head_recnum;
		for (unsigned int i = 0; i < header.bank_count; i++)
			memcpy(header.uncut.start[i], header.banks[i].start, ASSAY_MAX_DIGEST);
		header.sequence++;
		header.uncut.sequence = header.sequence;
		if (writes > 0)
			header.head_recnum += 3;
		for (unsigned int i = 0; writes > 1 && i < header.bank_count; i++)
			memset(header.banks[i].start, 0x5a, header.banks[i].size);
		if (writes > 2)
			header.head += 1000;
		lay_over(&info, &header);
		load_assay("");
		fd = open_assay(O_RDWR);
		log = map_log(fd);
		check(log.header->flags == ASSAY_LOG_ADOPTED && log.header->head == head &&
			      log.header->head_recnum == recnum &&
			      log.header->records == info.records + 1,
		      "cut off after %d writes of a cut: the log goes on, uncut", writes);
		check(log.header->sequence % 2 == 0 && log.header->sequence > header.uncut.sequence,
		      "what vouched for the old head does not any more");
		check_is(replay(&log, log.header->bank_count), (long long)info.records + 1,
			 "the PCR is explained");
		unmap_log(&log);
		close(fd);
	}
}

static void test_wrapped(void)
{
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);
	uint64_t until = info.tail + 2 * info.ring_size;
	struct assay_trim request;

	while (info.tail < until) {
		append_some(fd, 20);
		info = get_info(fd);
		if (info.tail - info.head > info.ring_size / 2) {
			request = (struct assay_trim){ .keep = info.records - 30 };
			need(call(fd, ASSAY_IOC_TRIM, &request) == 0, "trim");
		}
	}
	close(fd);
	test_goes_on("cut, and round the ring");
}

/* The PCR is another's: what was there is kept, beside a fresh log. */
static void test_previous(void)
{
	struct assay_log_header before;
	struct log log, previous;
	uint8_t *copy;
	size_t size;
	int fd;

	copy = unload_keeping(&before, &size);
	extend_pcr();
	load_assay("");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	previous = map_previous(fd);
	need(previous.header, "the previous log is there");
	check(log.header->flags == 0 && log.header->records == 1 && log.header->head == 0,
	      "where the PCR is another's, a fresh log begins");
	check_is(replay(&log, log.header->bank_count), 1, "it explains the PCR");
	check(previous.header->flags == ASSAY_LOG_ADOPTED && previous.header->head == before.head &&
		      previous.header->tail == before.tail &&
		      previous.header->records == before.records &&
		      previous.header->anchored == before.anchored &&
		      !memcmp(previous.header->banks, before.banks, sizeof(before.banks)) &&
		      !memcmp(previous.header->boot_id, before.boot_id, 16),
	      "the header of the previous one says what its own said");
	check(holds(&previous, copy, size), "it has all of the previous one's records");
	unmap_log(&previous);
	unmap_log(&log);
	close(fd);
	free(copy);
}

#define HEADER(member) -1, offsetof(struct assay_log_header, member)

static void test_damage(void)
{
	static const struct {
		const char *what;
		int record; /* -1: of the header */
		size_t at;
		uint8_t change; /* bits of the byte there; 0: the number there is one less */
		int good;	/* records before the damage, -1: nothing can be read */
		const char *said;
	} rows[] = {
		{ "version", HEADER(version), 1, -1, "its version is not known" },
		{ "header's size", HEADER(header_size), 8, -1, "not of the size" },
		{ "page size", HEADER(page_size), 1, -1, "page size cannot be" },
		{ "no page size", HEADER(page_size) + 2, 1, -1, "page size cannot be" },
		{ "PCR", HEADER(pcr), 0x80, -1, "PCR does not exist" },
		{ "ring's size", HEADER(ring_size) + 3, 1, -1, "does not fit" },
		{ "head", HEADER(head) + 5, 1, -1, "head and tail" },
		{ "tail", HEADER(tail) + 7, 1, -1, "head and tail" },
		{ "anchored", HEADER(anchored) + 6, 1, -1, "what is anchored ends outside" },
		{ "head's number", HEADER(head_recnum) + 6, 1, -1, "numbers of records" },
		{ "number of banks", HEADER(bank_count), 0x10, -1, "more PCR banks" },
		{ "a bank's hash", HEADER(banks[0].alg), 0x40, -1, "no known hash" },
		{ "a bank's size", HEADER(banks[0].size), 1, -1, "no known hash" },
		{ "number of records", HEADER(records) + 1, 1, RECORDS,
		  "another number of records" },
		{ "anchored within a record", HEADER(anchored), 0, RECORDS,
		  "ends within a record" },
		{ "PCR at the head", HEADER(banks[0].start), 1, RECORDS, "do not lead to" },
		{ "PCR at the end", HEADER(banks[0].value), 1, RECORDS, "do not lead to" },
		{ "a type", 0, 0, 0x55, 0, "malformed" },
		{ "a length", 2, 1, 0x80, 2, "malformed" },
		{ "a number", 3, 12, 1, 3, "number or PCR of another" },
		{ "a record's PCR", 1, 18, 1, 1, "number or PCR of another" },
		{ "a digest's type", 4, 24, 0x40, 4, "malformed" },
		{ "a digest", 5, 40, 1, 5, "digest is not that" },
		{ "a byte of an event", 2, 200, 1, 2, "digest is not that" },
		{ "a content's length", 3, 62, 0x40, 3, "malformed" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = open_assay(O_RDWR);
		struct log log = map_log(fd), previous;
		struct assay_info info = get_info(fd);
		uint64_t offsets[RECORDS + 1] = { 0 }, at, value;
		uint8_t *copy = malloc(log.mapped / 2);

		need(copy && info.records == 1, "a fresh log");
		append_some(fd, RECORDS - 1);
		for (size_t n = 0; n < RECORDS; n++) {
			struct record record;

			need(get_record(&log, n, &record), "record");
			offsets[n + 1] = (uint64_t)(record.content.whole +
						    record.content.whole_size - log.ring);
		}
		memcpy(copy, log.ring, offsets[RECORDS]);
		at = rows[i].at;
		if (rows[i].record >= 0)
			at += log.page_size + offsets[rows[i].record];
		memcpy(&value, (const uint8_t *)log.header + at / 8 * 8, 8);
		value ^= (uint64_t)rows[i].change << at % 8 * 8;
		value -= !rows[i].change;
		unmap_log(&log);
		close(fd);
		unload_assay();
		lay_word(info.window_base + at / 8 * 8, value);
		kernel_said("");
		load_assay("");
		check(kernel_said(rows[i].said), "%s: \"%s\"", rows[i].what, rows[i].said);
		fd = open_assay(O_RDWR);
		log = map_log(fd);
		check(log.header->records == 1 && !log.header->flags, "%s: a fresh log begins",
		      rows[i].what);
		previous = map_previous(fd);
		need(previous.header, "the previous log is there");
		if (rows[i].good < 0)
			check(previous.header->flags == (ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED) &&
				      previous.header->tail == 0 &&
				      previous.header->damaged_at == 0,
			      "%s: of the other nothing can be read", rows[i].what);
		else
			check(previous.header->flags == (ASSAY_LOG_ADOPTED | ASSAY_LOG_DAMAGED) &&
				      previous.header->tail == offsets[rows[i].good] &&
				      previous.header->damaged_at == previous.header->tail &&
				      previous.header->records == (uint64_t)rows[i].good &&
				      holds(&previous, copy, offsets[rows[i].good]),
			      "%s: the other can be read up to there", rows[i].what);
		unmap_log(&previous);
		unmap_log(&log);
		close(fd);
		free(copy);
	}
}

/* Garbage without a magic is no log. */
static void test_garbage(void)
{
	int fd = open_assay(O_RDONLY);
	struct assay_info info = get_info(fd);

	close(fd);
	unload_assay();
	for (uint64_t at = 0; at < info.page_size; at += 8)
		lay_word(info.window_base + at, 0x5555555555555555);
	load_assay("");
	fd = open_assay(O_RDONLY);
	check(no_previous(fd) && get_info(fd).records == 1,
	      "garbage is no log: a fresh one begins, and there is no previous one");
	close(fd);
}

int main(void)
{
	int fd;

	load_assay("");
	fd = open_assay(O_RDWR);
	check(no_previous(fd), "in empty memory there is no previous log");
	append_some(fd, 20);
	close(fd);
	test_goes_on("loaded again");
	test_goes_on("once more");
	test_wrapped();
	test_cut_off();
	test_previous();
	test_damage();
	test_garbage();
	unload_assay();
	return tap_end();
}
