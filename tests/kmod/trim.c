// SPDX-License-Identifier: MIT
/*
 * TRIM and SEAL: who may, what is refused, what a cut leaves and what it gives back, and
 * what readers see of it; round and round the ring.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "guest.h"

#define OTHER_NODE "/tmp/assay"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t data[ASSAY_MAX_EVENT];

static int trim(int fd, uint64_t keep, struct assay_trim *request)
{
	struct assay_trim own;

	if (!request)
		request = &own;
	*request = (struct assay_trim){ .keep = keep };
	return call(fd, ASSAY_IOC_TRIM, request);
}

static int seal(int fd, uint64_t first, uint64_t count, struct assay_seal *request)
{
	*request = (struct assay_seal){ .first = first, .count = count };
	return call(fd, ASSAY_IOC_SEAL, request);
}

static long long claimed(void)
{
	return read_number(MISC "memory/bytes_claimed");
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1));
}

/* What a child without privilege gets. */
static int as_nobody(int fd, unsigned long request, void *argument)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	need(child >= 0, "fork");
	if (child == 0) {
		if (setgroups(0, NULL) || setgid(1000) || setuid(1000))
			_exit(255);
		_exit(-call(fd, request, argument));
	}
	need(waitpid(child, &status, 0) == child && WIFEXITED(status), "child");
	return -WEXITSTATUS(status);
}

static void test_refused(int fd)
{
	struct assay_info before = get_info(fd), after;
	uint64_t records = before.records, most = UINT64_MAX;
	const struct {
		const char *what;
		struct assay_trim request;
		int error;
	} trims[] = {
		{ "TRIM to what is the head", { .keep = 0 }, -ENODATA },
		{ "TRIM to a record that is not there", { .keep = records }, -EINVAL },
		{ "TRIM to the last number", { .keep = most }, -EINVAL },
		{ "TRIM with a flag", { .flags = 1, .keep = 1 }, -EINVAL },
		{ "TRIM with a reserved field", { .reserved = 1, .keep = 1 }, -EINVAL },
	};
	const struct {
		const char *what;
		struct assay_seal request;
		int error;
	} seals[] = {
		{ "SEAL of nothing", { .first = 0, .count = 0 }, -EINVAL },
		{ "SEAL from behind the end", { .first = records, .count = 1 }, -EINVAL },
		{ "SEAL of one too many", { .first = 0, .count = records + 1 }, -EINVAL },
		{ "SEAL of so many that it overflows", { .first = 1, .count = most }, -EINVAL },
		{ "SEAL with a flag", { .flags = 1, .count = 1 }, -EINVAL },
		{ "SEAL with a reserved field", { .reserved = 1, .count = 1 }, -EINVAL },
	};
	struct assay_trim good_trim = { .keep = 1 };
	struct assay_seal good_seal = { .count = 1 };
	int read_only = open_assay(O_RDONLY);

	for (size_t i = 0; i < COUNT(trims); i++) {
		struct assay_trim request = trims[i].request;

		check_is(call(fd, ASSAY_IOC_TRIM, &request), trims[i].error, trims[i].what);
	}
	for (size_t i = 0; i < COUNT(seals); i++) {
		struct assay_seal request = seals[i].request;

		check_is(call(fd, ASSAY_IOC_SEAL, &request), seals[i].error, seals[i].what);
	}
	check_is(call(fd, ASSAY_IOC_TRIM, NULL), -EFAULT, "TRIM without a request");
	check_is(call(fd, ASSAY_IOC_SEAL, NULL), -EFAULT, "SEAL without a request");
	check_is(call(fd, _IOC(_IOC_READ | _IOC_WRITE, ASSAY_IOC_MAGIC, 4, 8), &good_trim), -EINVAL,
		 "TRIM of half a request");
	check_is(call(fd, _IOC(_IOC_READ | _IOC_WRITE, ASSAY_IOC_MAGIC, 5, 8), &good_seal), -EINVAL,
		 "SEAL of half a request");
	check_is(call(read_only, ASSAY_IOC_TRIM, &good_trim), -EACCES,
		 "TRIM through a descriptor for reading");
	check_is(call(read_only, ASSAY_IOC_SEAL, &good_seal), -EACCES,
		 "SEAL through a descriptor for reading");
	check_is(as_nobody(fd, ASSAY_IOC_TRIM, &good_trim), -EPERM, "TRIM without CAP_SYS_ADMIN");
	check_is(as_nobody(fd, ASSAY_IOC_SEAL, &good_seal), -EPERM, "SEAL without CAP_SYS_ADMIN");
	after = get_info(fd);
	check(before.head == after.head && before.tail == after.tail, "the log is as it was");
	close(read_only);
}

/* Readers that came through any node see the log above the head, and zeros or old bytes below. */
static bool shows_cut(const struct log *log, const uint8_t *copy)
{
	const struct assay_log_header *header = log->header;
	uint64_t size = header->ring_size, lost = 0;

	for (uint64_t at = 0; at < size; at += log->page_size) {
		const uint8_t *page = log->ring + at;

		/* One lap only: what is above the head is at its offset. */
		if (at + log->page_size > header->head)
			continue;
		if (memcmp(page, page + size, log->page_size) != 0)
			return false;
		if (is_zero(page, log->page_size))
			lost++;
		else if (memcmp(page, copy + at, log->page_size) != 0)
			return false;
	}
	return lost > 0;
}

static void test_cut(int fd, struct log *log, struct log *other, uint8_t *copy)
{
	struct assay_info before, after;
	struct assay_trim request;
	struct record record;
	struct tlv digest;
	uint8_t own[32];
	long long had;
	int reader = open_assay(O_RDONLY), ret;
	uint64_t keep;

	do
		ret = append(fd, "fill", data, sizeof(data), NULL);
	while (!ret);
	check_is(ret, -ENOSPC, "the log is full");
	before = get_info(fd);
	had = claimed();
	memcpy(copy, log->ring, before.ring_size);
	need(read(reader, own, 16) == 16, "read");
	keep = before.records * 2 / 3;
	check_is(trim(fd, keep, &request), 0, "TRIM of a full log works");
	after = get_info(fd);
	check(after.head == request.head && request.offset == before.tail &&
		      request.recnum == before.records && after.records == before.records + 1 &&
		      after.anchored == after.tail,
	      "it tells number and offset of the TRIM record, which is anchored, and the head");
	check(log->header->head == after.head && log->header->head_recnum == keep &&
		      other->header->head == after.head,
	      "the header says so");
	check(get_record(log, 0, &record) && record.number == keep, "the head is that record");
	check_is(replay(log, after.bank_count), (long long)after.records,
		 "the PCR is explained from the cut on");
	need(get_record(log, after.records - 1 - keep, &record), "the last record");
	digest = field(&record, ASSAY_FIELD_CUT_DIGEST);
	sha(32, copy, (size_t)request.head, own);
	check(record.kind == ASSAY_KIND_TRIM &&
		      be(field(&record, ASSAY_FIELD_CUT_RECNUM).value, 8) == keep &&
		      be(field(&record, ASSAY_FIELD_CUT_OFFSET).value, 8) == request.head &&
		      be(field(&record, ASSAY_FIELD_CUT_SIZE).value, 8) == request.head &&
		      digest.size == 34 && !memcmp(digest.value + 2, own, 32),
	      "TRIM names the cut, and the digest of what went");
	check(claimed() < had, "memory goes back to the kernel");
	note("%lld bytes were claimed, then %lld", had, claimed());
	check(shows_cut(log, copy) && shows_cut(other, copy),
	      "readers see zeros there, through whatever node they came, and no signal");
	check(read(reader, own, 16) < 0 && errno == ESTALE, "read() below the head is -ESTALE");
	check(lseek(reader, 0, SEEK_SET) == 0 && read(reader, own, 13) == 13 &&
		      be(own + 5, 8) == keep,
	      "from position 0 it gives the head");
	check_is(trim(fd, keep, NULL), -ENODATA, "TRIM to the head again is -ENODATA");
	check_is(trim(fd, keep - 1, NULL), -EINVAL, "TRIM to what is gone is -EINVAL");
	check_is(append(fd, "again", data, sizeof(data), NULL), 0, "there is room again");
	close(reader);
}

static struct reading {
	bool end;
	uint64_t records, cuts, broken;
} reading;

/* With read(), all there is, from the head over and over. */
static void *read_all(void *argument)
{
	const size_t size = *(const size_t *)argument;
	int fd = open_assay(O_RDONLY | O_NONBLOCK);
	uint8_t *buffer = malloc(size);

	need(buffer, "memory");
	while (!__atomic_load_n(&reading.end, __ATOMIC_ACQUIRE)) {
		ssize_t got = pread(fd, buffer, size, 0);
		const uint8_t *bytes = buffer;
		size_t rest = got > 0 ? (size_t)got : 0;
		struct record record;

		reading.cuts += got < 0 && errno == ESTALE;
		while (rest && next_record(&bytes, &rest, &record))
			reading.records++;
		reading.broken += rest != 0;
	}
	free(buffer);
	close(fd);
	return NULL;
}

static void test_laps(int fd, struct log *log)
{
	struct assay_info info = get_info(fd);
	uint64_t until = info.tail + 3 * info.ring_size, trims = 0, size = 1;
	size_t ring_size = (size_t)info.ring_size;
	pthread_t reader;
	bool good = true;

	need(!pthread_create(&reader, NULL, read_all, &ring_size), "a thread");

	while (good && info.tail < until) {
		int ret = append(fd, "lap", data, size, NULL);

		size = size * 7919 % 65521;
		if (ret == -ENOSPC) {
			good = trim(fd, info.records - 2, NULL) == 0;
			trims++;
			info = get_info(fd);
			good = good && replay(log, info.bank_count) == (int)info.records &&
			       claimed() <= (long long)info.window_size;
		} else {
			good = ret == 0;
		}
		info = get_info(fd);
	}
	__atomic_store_n(&reading.end, true, __ATOMIC_RELEASE);
	pthread_join(reader, NULL);
	check(good && trims >= 3, "three times round the ring, each cut replays");
	check(reading.records > 0 && reading.broken == 0,
	      "meanwhile read() gave whole records, or none where the log was cut");
	note("%llu records, cut off %llu times", (unsigned long long)reading.records,
	     (unsigned long long)reading.cuts);
	note("%llu trims", (unsigned long long)trims);
	need(trim(fd, info.records - 1, NULL) == 0, "trim");
	/* What is ahead, what is begun at both ends, and the header. */
	check(claimed() <= (long long)info.page_size + 262144 + 3 * 65536,
	      "nothing but what is ahead and what is begun stays claimed");
}

static void test_seal(int fd, struct log *log)
{
	struct assay_info info = get_info(fd), after;
	struct assay_seal request = { 0 };
	struct assay_append place;
	FILE *file;
	struct page_line page;
	uint64_t frame, sealed = 0;

	do /* until one does not reach into the next page */
		need(append(fd, "seal", "me", 2, &place) == 0, "append");
	while (place.offset % info.page_size + 1024 > info.page_size);
	frame = info.window_base / info.page_size + 1 +
		place.offset % info.ring_size / info.page_size;
	check_is(seal(fd, place.recnum, 1, &request), 0, "SEAL of the last record");
	after = get_info(fd);
	check(after.records == place.recnum + 2 && after.tail % info.page_size == 0 &&
		      after.anchored == after.tail,
	      "a SEAL record fills the page, and is anchored");
	check_is((long long)request.sealed, (long long)info.page_size, "a page is sealed");
	file = open_pages();
	while (next_page(file, &page))
		sealed += page.frame == frame && strcmp(page.state, "sealed") == 0;
	check_is((long long)sealed, 1, "that page");
	check_is(replay(log, info.bank_count), (long long)after.records, "the PCR is explained");
	check_is(seal(fd, place.recnum, 2, &request), 0, "SEAL of what is sealed");
	check_is((long long)get_info(fd).records, (long long)after.records, "writes nothing");
	/* From every distance to the page's end. */
	for (unsigned int i = 0; i < 40; i++) {
		uint64_t gap = info.page_size - get_info(fd).tail % info.page_size;
		uint64_t want = (i * 23) % (gap / 2);

		if (append(fd, "gap", data, gap - 200 > want ? gap - 200 - want : 1, &place) ||
		    seal(fd, place.recnum, 1, &request) ||
		    get_info(fd).tail % info.page_size != 0) {
			check(false, "SEAL %u bytes before a page's end", i);
			return;
		}
		if (get_info(fd).tail - get_info(fd).head > info.ring_size / 2)
			need(trim(fd, place.recnum, NULL) == 0, "trim");
	}
	check(true, "SEAL from many distances to a page's end");
	info = get_info(fd);
	check_is(replay(log, info.bank_count), (long long)info.records, "the PCR is explained");
}

int main(void)
{
	int fd = open_assay(O_RDWR), other;
	struct log log = map_log(fd), other_log;
	uint8_t *copy = malloc(log.mapped);
	struct stat stat_buffer;

	need(copy && !stat(DEVICE, &stat_buffer) &&
		     !mknod(OTHER_NODE, S_IFCHR | 0600, stat_buffer.st_rdev),
	     "mknod " OTHER_NODE);
	other = open(OTHER_NODE, O_RDONLY | O_CLOEXEC);
	need(other >= 0, "open " OTHER_NODE);
	other_log = map_log(other);
	memset(data, 0xa5, sizeof(data));
	need(append(fd, "one", "1", 1, NULL) == 0, "append");
	test_refused(fd);
	/* Something to be unmapped. */
	memcpy(copy, other_log.ring, other_log.mapped - other_log.page_size);
	test_cut(fd, &log, &other_log, copy);
	test_laps(fd, &log);
	test_seal(fd, &log);
	unmap_log(&other_log);
	unmap_log(&log);
	close(other);
	close(fd);
	unlink(OTHER_NODE);
	free(copy);
	return tap_end();
}
