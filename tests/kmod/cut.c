// SPDX-License-Identifier: MIT
/*
 * A log that is cut off at any moment: what appends until then, and what judges the memory
 * that is left.
 *
 *	cut append
 *
 * In the guest, appends for ever. After each call that worked it prints "# anchored RECNUM VALUE"
 * with the PCR's value, as the TPM says it, before it goes on.
 *
 *	cut judge FILE OFFSET RECNUM VALUE
 *
 * On the host, by qemu-aarch64: FILE is the guest's memory, at OFFSET is the log's window,
 * and RECNUM VALUE is the last that was printed whole. All that was anchored must be
 * there and replay to VALUE, and all that the tail covers must be records.
 */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "chance.h"
#include "follow.h"

static void print_hex(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
}

static int append_for_ever(void)
{
	static uint8_t data[20000];
	struct chance chance = { (uint64_t)time(NULL) };
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);

	for (;;) {
		struct assay_append_entry entries[4];
		uint8_t value[ASSAY_MAX_DIGEST];
		struct assay_append request;
		uint32_t count = 1 + (uint32_t)below(&chance, 4);
		int result;

		for (uint32_t i = 0; i < count; i++)
			entries[i] = event("cut", data,
					   below(&chance, one_in(&chance, 8) ? sizeof(data) : 300));
		memset(data, (int)below(&chance, 256), sizeof(data));
		result = append_all(fd, entries, count, &request);
		if (result == -ETIME)
			continue;
		need(!result, "APPEND gave %d", result);
		need(read_pcr(info.bank_alg[0], info.pcr, value), "read the PCR");
		printf("# anchored %llu ", (unsigned long long)request.recnum);
		print_hex(value, digest_size(info.bank_alg[0]));
		printf("\n");
		fflush(stdout);
	}
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

static int judge(const char *path, off_t offset, uint64_t recnum, const char *value)
{
	struct log log = map_file(path, offset);
	const struct assay_log_header *header = log.header;
	struct follower follower = {};
	bool reached = false, named = false;
	enum followed followed;
	struct record record;

	/* Cut off while the header was changed, it may be of two minds, but for the tail. */
	note("sequence %u, %llu of %llu records anchored", header->sequence,
	     (unsigned long long)header->anchored_records, (unsigned long long)header->records);
	follow_from(&follower, &log, header);
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
	check(header->sequence % 2 || (named && header->anchored_records > recnum),
	      "so the header says, unless it was just being written");
	follow_end(&follower);
	return tap_end();
}

int main(int count, char *arguments[])
{
	if (count == 2 && strcmp(arguments[1], "append") == 0)
		return append_for_ever();
	need(count == 6 && strcmp(arguments[1], "judge") == 0,
	     "usage: cut append | judge FILE OFFSET RECNUM VALUE");
	return judge(arguments[2], (off_t)strtoull(arguments[3], NULL, 0),
		     strtoull(arguments[4], NULL, 10), arguments[5]);
}
