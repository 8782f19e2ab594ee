// SPDX-License-Identifier: MIT
/*
 * Several callers at once, and a reader that looks all the time: every record that the
 * tail covers is whole from the moment it is covered, each caller is told its own
 * record, and the PCR is explained in the end.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "guest.h"

#define WRITERS 4
#define APPENDS 50

static struct log shared;
static int writers_left = WRITERS;

struct writer {
	pthread_t thread;
	unsigned int number;
	unsigned int good;
};

/* Whether the record that the call named holds what the call brought. */
static bool is_ours(const struct assay_append *request, const uint8_t *data, size_t size)
{
	const uint8_t *bytes = shared.ring + request->offset;
	size_t rest =
		(size_t)(__atomic_load_n(&shared.header->tail, __ATOMIC_ACQUIRE) - request->offset);
	struct record record;
	struct tlv event;

	if (!next_record(&bytes, &rest, &record) || record.number != request->recnum)
		return false;
	bytes = record.content.value;
	rest = record.content.size;
	while (next_tlv(&bytes, &rest, &event)) {
		struct tlv found = find_tlv(event.value, event.size, ASSAY_FIELD_DATA);

		if (event.type == ASSAY_FIELD_EVENT && found.size == size &&
		    memcmp(found.value, data, size) == 0)
			return true;
	}
	return false;
}

/* How many events are in a record. */
static unsigned int events_of(const struct record *record)
{
	const uint8_t *bytes = record->content.value;
	size_t rest = record->content.size;
	unsigned int events = 0;
	struct tlv tlv;

	while (next_tlv(&bytes, &rest, &tlv))
		events += tlv.type == ASSAY_FIELD_EVENT;
	return events;
}

static void *write_records(void *argument)
{
	struct writer *writer = argument;
	int fd = open_assay(O_RDWR);
	uint8_t data[1500];

	for (unsigned int i = 0; i < APPENDS; i++) {
		size_t size = 1 + (writer->number * 997 + i * 31) % sizeof(data);
		struct assay_append request;

		memset(data, (int)(writer->number * 64 + i), size);
		writer->good += append(fd, "race", data, size, &request) == 0 &&
				is_ours(&request, data, size);
	}
	close(fd);
	__atomic_fetch_sub(&writers_left, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Follows the log; returns how many records were not whole when the tail covered them. */
static unsigned int follow(uint64_t *ret_records, uint64_t *ret_events, unsigned int *ret_looks)
{
	unsigned int bad = 0, looks = 0;
	uint64_t offset = 0, records = 0, events = 0;
	bool last = false;

	for (;;) {
		uint64_t tail = __atomic_load_n(&shared.header->tail, __ATOMIC_ACQUIRE);
		const uint8_t *bytes = shared.ring + offset;
		size_t size = (size_t)(tail - offset);

		for (looks++; size; records++) {
			uint8_t own[ASSAY_MAX_DIGEST];
			struct record record;
			struct tlv digest;

			if (!next_record(&bytes, &size, &record) || record.number != records) {
				bad++;
				break;
			}
			digest = find_tlv(record.digests.value, record.digests.size,
					  ASSAY_CEL_DIGEST_TYPE(ASSAY_ALG_SHA256));
			sha(32, record.content.whole, record.content.whole_size, own);
			events += events_of(&record);
			bad += digest.size != 32 || memcmp(digest.value, own, 32) != 0;
		}
		offset = tail;
		if (last)
			break;
		/* One look more after the last writer has ended. */
		last = !__atomic_load_n(&writers_left, __ATOMIC_ACQUIRE);
	}
	*ret_records = records;
	*ret_events = events;
	*ret_looks = looks;
	return bad;
}

int main(void)
{
	static struct writer writers[WRITERS];
	int fd = open_assay(O_RDWR);
	struct assay_info info;
	unsigned int bad, looks;
	uint64_t records, events;

	shared = map_log(fd);
	for (unsigned int i = 0; i < WRITERS; i++) {
		writers[i].number = i;
		need(!pthread_create(&writers[i].thread, NULL, write_records, &writers[i]),
		     "a thread");
	}
	bad = follow(&records, &events, &looks);
	for (unsigned int i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		check_is(writers[i].good, APPENDS, "a caller gets its own records");
	}
	note("%llu records of %llu events in %u looks", (unsigned long long)records,
	     (unsigned long long)events, looks);
	check_is(bad, 0, "whatever the tail covers is whole");
	check_is((long long)events, WRITERS * APPENDS, "the reader saw all events, once each");
	check(read_number(MISC "log/calls") == WRITERS * APPENDS &&
		      read_number(MISC "log/entries") == WRITERS * APPENDS,
	      "sysfs: calls and entries");
	info = get_info(fd);
	check(info.records == records && info.anchored_records == records,
	      "as many are written and anchored");
	check_is(replay(&shared, info.bank_count), (long long)records, "the PCR is explained");
	unmap_log(&shared);
	close(fd);
	return tap_end();
}
