// SPDX-License-Identifier: MIT
/*
 * What /dev/assay refuses, in tables: every call here must fail with just that errno
 * and leave the log as it was; and what it must accept although it is longer than
 * what it knows.
 */
#define _GNU_SOURCE
#include <stddef.h>

#include "guest.h"

#define NOWHERE ((uint64_t)0x10)
#define KERNEL ((uint64_t)0xffff800080000000)

/* The number of a call with a struct of another size. */
#define SIZED(request, bytes) _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), bytes)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t address(const void *pointer)
{
	return (uintptr_t)pointer;
}

static struct assay_append_entry events[4];

static struct assay_append good_append(void)
{
	static const char data[16];

	for (size_t i = 0; i < COUNT(events); i++)
		events[i] = event("test", data, sizeof(data));
	return (struct assay_append){
		.count = COUNT(events),
		.entry_size = sizeof(events[0]),
		.entries = address(events),
	};
}

static struct assay_measure_entry entries[4];
static int good_file;

static struct assay_measure good_measure(void)
{
	memset(entries, 0, sizeof(entries));
	for (size_t i = 0; i < COUNT(entries); i++)
		entries[i].fd = good_file;
	return (struct assay_measure){
		.count = COUNT(entries),
		.entry_size = sizeof(entries[0]),
		.entries = address(entries),
	};
}

static void test_numbers(int fd)
{
	static const struct {
		const char *what;
		unsigned long request;
		int error;
	} calls[] = {
		{ "an unknown call", _IOWR(ASSAY_IOC_MAGIC, 64, struct assay_info), -ENOTTY },
		{ "the last number", _IOWR(ASSAY_IOC_MAGIC, 255, struct assay_info), -ENOTTY },
		{ "another magic", _IOWR(0xa6, 0, struct assay_info), -ENOTTY },
		{ "INFO for reading only", _IOR(ASSAY_IOC_MAGIC, 0, struct assay_info), -ENOTTY },
		{ "INFO for writing only", _IOW(ASSAY_IOC_MAGIC, 0, struct assay_info), -ENOTTY },
		{ "INFO without a struct", _IO(ASSAY_IOC_MAGIC, 0), -ENOTTY },
		{ "TCGETS", 0x5401, -ENOTTY },
		{ "INFO of no bytes", SIZED(ASSAY_IOC_INFO, 0), -EINVAL },
		{ "INFO a byte short", SIZED(ASSAY_IOC_INFO, 135), -EINVAL },
		{ "MEASURE of no bytes", SIZED(ASSAY_IOC_MEASURE, 0), -EINVAL },
		{ "MEASURE a byte short", SIZED(ASSAY_IOC_MEASURE, 39), -EINVAL },
		{ "APPEND of no bytes", SIZED(ASSAY_IOC_APPEND, 0), -EINVAL },
		{ "APPEND a byte short", SIZED(ASSAY_IOC_APPEND, 39), -EINVAL },
		{ "ANCHOR of no bytes", SIZED(ASSAY_IOC_ANCHOR, 0), -EINVAL },
		{ "ANCHOR a byte short", SIZED(ASSAY_IOC_ANCHOR, 23), -EINVAL },
		{ "KEYS of no bytes", SIZED(ASSAY_IOC_KEYS, 0), -EINVAL },
		{ "KEYS a byte short", SIZED(ASSAY_IOC_KEYS, 23), -EINVAL },
	};
	static uint8_t zeros[16384];

	check(offsetof(struct assay_info, verified_records) == 136 &&
		      sizeof(struct assay_measure) == 40 && sizeof(struct assay_append) == 40 &&
		      sizeof(events[0]) == 24 && sizeof(entries[0]) == 80 &&
		      sizeof(struct assay_anchor_request) == 24,
	      "sizes of the structs of the first version");
	for (size_t i = 0; i < COUNT(calls); i++)
		check_is(call(fd, calls[i].request, zeros), calls[i].error, calls[i].what);
}

/* A struct longer than the kernel's: accepted if the rest is 0. */
static void test_longer(int fd)
{
	static const size_t sizes[] = { 145, 152, 648, 4232, 16383 };
	static uint8_t buffer[16383];

	for (size_t i = 0; i < COUNT(sizes); i++) {
		const unsigned long request = SIZED(ASSAY_IOC_INFO, sizes[i]);
		struct assay_info info;

		memset(buffer, 0, sizeof(buffer));
		check(call(fd, request, buffer) == 0 && buffer[sizes[i] - 1] == 0,
		      "INFO of %zu bytes", sizes[i]);
		memcpy(&info, buffer, sizeof(info));
		check_is(info.abi_version, ASSAY_ABI_VERSION, "it is filled in");
		memset(buffer, 0, sizeof(buffer));
		buffer[sizes[i] - 1] = 1;
		check(call(fd, request, buffer) == -EINVAL, "INFO of %zu bytes, the last not 0",
		      sizes[i]);
	}
}

/* A caller who knows the first version gets that much, and no more. */
static void test_shorter(int fd)
{
	struct assay_info info;

	memset(&info, 0xaa, sizeof(info));
	info.flags = 0;
	check(call(fd, SIZED(ASSAY_IOC_INFO, 136), &info) == 0 &&
		      info.abi_version == ASSAY_ABI_VERSION &&
		      info.verified_records == 0xaaaaaaaaaaaaaaaa,
	      "INFO of the first version's size");
}

static void test_pointers(int fd)
{
	static const struct {
		const char *what;
		unsigned long request;
	} calls[] = {
		{ "INFO", ASSAY_IOC_INFO },
		{ "MEASURE", ASSAY_IOC_MEASURE },
		{ "APPEND", ASSAY_IOC_APPEND },
		{ "ANCHOR", ASSAY_IOC_ANCHOR },
	};
	static const uint64_t places[] = { 0, NOWHERE, KERNEL, UINT64_MAX };
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct assay_append append = good_append();
	struct assay_measure measure = good_measure();

	need(pages != MAP_FAILED, "memory");
	for (size_t i = 0; i < COUNT(calls); i++) {
		for (size_t j = 0; j < COUNT(places); j++)
			check(call(fd, calls[i].request, (void *)(uintptr_t)places[j]) == -EFAULT,
			      "%s: a struct at %#llx", calls[i].what,
			      (unsigned long long)places[j]);
	}
	/* Read it can be, written not: no record may be left that the caller is not told of. */
	memcpy(pages, &append, sizeof(append));
	memcpy(pages + 256, &measure, sizeof(measure));
	mprotect(pages, page, PROT_READ);
	check_is(call(fd, ASSAY_IOC_APPEND, pages), -EFAULT,
		 "APPEND: a struct in read-only memory");
	check_is(call(fd, ASSAY_IOC_MEASURE, pages + 256), -EFAULT,
		 "MEASURE: a struct in read-only memory");
	munmap(pages + page, page);
	check_is(call(fd, ASSAY_IOC_APPEND, pages + page - 8), -EFAULT,
		 "APPEND: a struct whose end is not mapped");
	munmap(pages, page);
}

/* The struct of a call with a vector, but for the entries themselves. */
struct vector_row {
	const char *what;
	uint32_t flags, count, entry_size, reserved;
	uint64_t entries;
	int error;
};

static void test_append(int fd)
{
	const uint64_t own = address(events);
	const uint32_t size = sizeof(events[0]);
	const struct vector_row rows[] = {
		{ "an unknown flag", 2, 4, size, 0, own, -EINVAL },
		{ "all flags", UINT32_MAX, 4, size, 0, own, -EINVAL },
		{ "events as entries of IMA", ASSAY_APPEND_IMA, 4, size, 0, own, -EINVAL },
		{ "a reserved field", 0, 4, size, 1, own, -EINVAL },
		{ "no entry", 0, 0, size, 0, own, -EINVAL },
		{ "an entry too many", 0, ASSAY_MAX_BATCH + 1, size, 0, own, -EINVAL },
		{ "2^32 - 1 entries", 0, UINT32_MAX, size, 0, own, -EINVAL },
		{ "entries of no bytes", 0, 4, 0, 0, own, -EINVAL },
		{ "entries a byte too short", 0, 4, size - 1, 0, own, -EINVAL },
		{ "entries of 4 GiB", 0, 4, UINT32_MAX, 0, own, -EINVAL },
		{ "entries nowhere", 0, 4, size, 0, NOWHERE, -EFAULT },
		{ "entries at NULL", 0, 4, size, 0, 0, -EFAULT },
		{ "entries in the kernel", 0, 4, size, 0, KERNEL, -EFAULT },
		{ "entries at the end of all memory", 0, 4, size, 0, UINT64_MAX - 8, -EFAULT },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_append append = good_append();

		append.flags = rows[i].flags;
		append.count = rows[i].count;
		append.entry_size = rows[i].entry_size;
		append.reserved = rows[i].reserved;
		append.entries = rows[i].entries;
		check(call(fd, ASSAY_IOC_APPEND, &append) == rows[i].error, "APPEND: %s",
		      rows[i].what);
	}
}

/* One bad event among good ones: none is written. */
static void test_events(int fd)
{
	static const char data[16];
	const uint64_t label = address("test"), some = address(data);
	const struct {
		const char *what;
		struct assay_append_entry event;
		int error;
	} rows[] = {
		{ "an empty label", { label, some, 0, 16 }, -EINVAL },
		{ "a label too long by one", { label, some, ASSAY_MAX_LABEL + 1, 16 }, -EINVAL },
		{ "a label of 4 GiB", { label, some, UINT32_MAX, 16 }, -EINVAL },
		{ "a label nowhere", { NOWHERE, some, 4, 16 }, -EFAULT },
		{ "a label at NULL", { 0, some, 4, 16 }, -EFAULT },
		{ "a label in the kernel", { KERNEL, some, 4, 16 }, -EFAULT },
		{ "a label with a newline", { address("a\nbc"), some, 4, 16 }, -EINVAL },
		{ "a label with a NUL", { address("a\0bc"), some, 4, 16 }, -EINVAL },
		{ "a label beyond ASCII", { address("a\xc3\xa4z"), some, 4, 16 }, -EINVAL },
		{ "a label with DEL", { address("abc\x7f"), some, 4, 16 }, -EINVAL },
		{ "data too long by one", { label, some, 4, ASSAY_MAX_EVENT + 1 }, -EINVAL },
		{ "data of 4 GiB", { label, some, 4, UINT32_MAX }, -EINVAL },
		{ "data nowhere", { label, NOWHERE, 4, 16 }, -EFAULT },
		{ "data at NULL", { label, 0, 4, 16 }, -EFAULT },
		{ "data in the kernel", { label, KERNEL, 4, 16 }, -EFAULT },
	};
	struct assay_append append;

	for (size_t i = 0; i < COUNT(rows); i++) {
		append = good_append();
		events[i % COUNT(events)] = rows[i].event;
		check(call(fd, ASSAY_IOC_APPEND, &append) == rows[i].error, "APPEND: %s",
		      rows[i].what);
	}
	append = good_append();
	append.count = 2;
	append.entry_size = 2 * sizeof(events[0]);
	check_is(call(fd, ASSAY_IOC_APPEND, &append), -EINVAL,
		 "APPEND: longer entries with something where the kernel knows nothing");
}

#define PCR_10 "\x61\0\0\0\x04\0\0\0\x0a"
#define SHA1_OF_IT             \
	"\x62\0\0\0\x16\0\x04" \
	"0123456789abcdefghij"
#define SHA256_OF_IT           \
	"\x62\0\0\0\x22\0\x0b" \
	"0123456789abcdef0123456789abcdef"
#define IMA_NG           \
	"\x63\0\0\0\x06" \
	"ima-ng"
#define DATA_OF_IT       \
	"\x64\0\0\0\x04" \
	"data"
#define ROW(what, text, error)                      \
	{                                           \
		what, text, sizeof(text) - 1, error \
	}

static struct assay_append good_mirrored(struct assay_append_entry own[2])
{
	static const char good[] = PCR_10 SHA1_OF_IT SHA256_OF_IT IMA_NG DATA_OF_IT;

	own[0] = own[1] =
		(struct assay_append_entry){ .data = address(good), .data_size = sizeof(good) - 1 };
	return (struct assay_append){
		.flags = ASSAY_APPEND_IMA,
		.count = 2,
		.entry_size = sizeof(own[0]),
		.entries = address(own),
	};
}

/* Entries of IMA's list: what is no IMA_ENTRY leaves no record. */
static void test_mirrored(int fd)
{
	static const struct {
		const char *what, *entry;
		uint32_t size;
		int error;
	} rows[] = {
		ROW("nothing", "", -EINVAL),
		ROW("half a header", "\x61\0\0", -EINVAL),
		ROW("no PCR", SHA1_OF_IT IMA_NG DATA_OF_IT, -EINVAL),
		ROW("a PCR of 3 bytes", "\x61\0\0\0\x03\0\0\x0a" SHA1_OF_IT IMA_NG DATA_OF_IT,
		    -EINVAL),
		ROW("no digest", PCR_10 IMA_NG DATA_OF_IT, -EINVAL),
		ROW("a digest of 0 bytes", PCR_10 "\x62\0\0\0\x02\0\x04" IMA_NG DATA_OF_IT,
		    -EINVAL),
		ROW("half an algorithm", PCR_10 "\x62\0\0\0\x01\x04" IMA_NG DATA_OF_IT, -EINVAL),
		ROW("a digest of another size",
		    PCR_10 "\x62\0\0\0\x06\0\x04"
			   "0123" IMA_NG DATA_OF_IT,
		    -EINVAL),
		ROW("an algorithm that is none", PCR_10 "\x62\0\0\0\x02\0\x05" IMA_NG DATA_OF_IT,
		    -EINVAL),
		ROW("a bank twice", PCR_10 SHA1_OF_IT SHA1_OF_IT IMA_NG DATA_OF_IT, -EINVAL),
		ROW("no template", PCR_10 SHA1_OF_IT DATA_OF_IT, -EINVAL),
		ROW("a template without a name", PCR_10 SHA1_OF_IT "\x63\0\0\0\0" DATA_OF_IT,
		    -EINVAL),
		ROW("no data", PCR_10 SHA1_OF_IT IMA_NG, -EINVAL),
		ROW("empty data", PCR_10 SHA1_OF_IT IMA_NG "\x64\0\0\0\0", -EINVAL),
		ROW("data beyond the entry",
		    PCR_10 SHA1_OF_IT IMA_NG "\x64\0\0\0\x05"
					     "data",
		    -EINVAL),
		ROW("data of 4 GiB",
		    PCR_10 SHA1_OF_IT IMA_NG "\x64\xff\xff\xff\xff"
					     "data",
		    -EINVAL),
		ROW("something behind it", PCR_10 SHA1_OF_IT IMA_NG DATA_OF_IT "x", -EINVAL),
		ROW("fields in another order", PCR_10 IMA_NG SHA1_OF_IT DATA_OF_IT, -EINVAL),
		ROW("a file instead", "\x21\0\0\0\x01/", -EINVAL),
	};
	struct assay_append_entry own[2];
	struct assay_append append = good_mirrored(own);

	for (size_t i = 0; i < COUNT(rows); i++) {
		own[1] = (struct assay_append_entry){ .data = address(rows[i].entry),
						      .data_size = rows[i].size };
		check(call(fd, ASSAY_IOC_APPEND, &append) == rows[i].error, "APPEND of IMA's: %s",
		      rows[i].what);
	}
	own[1] = own[0];
	own[1].label = address("test");
	check_is(call(fd, ASSAY_IOC_APPEND, &append), -EINVAL, "APPEND of IMA's: with a label");
	own[1].label = 0;
	own[1].label_size = 4;
	check_is(call(fd, ASSAY_IOC_APPEND, &append), -EINVAL,
		 "APPEND of IMA's: with the size of a label");
	own[1].label_size = 0;
	own[1].data_size = ASSAY_MAX_IMA + 1;
	check_is(call(fd, ASSAY_IOC_APPEND, &append), -EINVAL, "APPEND of IMA's: too long by one");
	own[1].data_size = own[0].data_size;
	own[1].data = NOWHERE;
	check_is(call(fd, ASSAY_IOC_APPEND, &append), -EFAULT, "APPEND of IMA's: data nowhere");
}

static void test_measure(int fd)
{
	static const struct assay_measure_entry constant[4];
	const uint64_t own = address(entries);
	const uint32_t size = sizeof(entries[0]);
	const struct vector_row rows[] = {
		{ "an unknown flag", 2, 4, size, 0, own, -EINVAL },
		{ "all flags", UINT32_MAX, 4, size, 0, own, -EINVAL },
		{ "a reserved field", 0, 4, size, 1, own, -EINVAL },
		{ "no entry", 0, 0, size, 0, own, -EINVAL },
		{ "an entry too many", 0, ASSAY_MAX_BATCH + 1, size, 0, own, -EINVAL },
		{ "2^32 - 1 entries", 0, UINT32_MAX, size, 0, own, -EINVAL },
		{ "entries of no bytes", 0, 4, 0, 0, own, -EINVAL },
		{ "entries a byte too short", 0, 4, size - 1, 0, own, -EINVAL },
		{ "entries of 4 GiB", 0, 4, UINT32_MAX, 0, own, -EINVAL },
		{ "entries nowhere", 0, 4, size, 0, NOWHERE, -EFAULT },
		{ "entries at NULL", 0, 4, size, 0, 0, -EFAULT },
		{ "entries in the kernel", 0, 4, size, 0, KERNEL, -EFAULT },
		{ "entries at the end of all memory", 0, 4, size, 0, UINT64_MAX - 8, -EFAULT },
		{ "entries that cannot be written", 0, 4, size, 0, address(constant), -EFAULT },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_measure measure = good_measure();

		measure.flags = rows[i].flags;
		measure.count = rows[i].count;
		measure.entry_size = rows[i].entry_size;
		measure.reserved = rows[i].reserved;
		measure.entries = rows[i].entries;
		check(call(fd, ASSAY_IOC_MEASURE, &measure) == rows[i].error, "MEASURE: %s",
		      rows[i].what);
	}
}

static void test_anchor(int fd)
{
	static const struct {
		const char *what;
		uint32_t flags, reserved;
	} rows[] = {
		{ "an unknown flag", 1, 0 },
		{ "all flags", UINT32_MAX, 0 },
		{ "a reserved field", 0, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assay_anchor_request anchor = {
			.flags = rows[i].flags,
			.reserved = rows[i].reserved,
		};

		check(call(fd, ASSAY_IOC_ANCHOR, &anchor) == -EINVAL, "ANCHOR: %s", rows[i].what);
	}
}

static void test_entries(int fd)
{
	const int write_only = open("/tmp/write-only", O_WRONLY | O_CREAT, 0600);
	const int path_only = open("/proc/self/exe", O_PATH);
	const struct {
		const char *what;
		int fd;
	} rows[] = {
		{ "descriptor -1", -1 },
		{ "the smallest descriptor", INT32_MIN },
		{ "a descriptor that is not open", 1000 },
		{ "the largest descriptor", INT32_MAX },
		{ "a descriptor for writing only", write_only },
		{ "a descriptor for the path only", path_only },
	};
	struct assay_measure measure;

	need(write_only >= 0 && path_only >= 0, "files");
	for (size_t i = 0; i < COUNT(rows); i++) {
		measure = good_measure();
		entries[i % COUNT(entries)].fd = rows[i].fd;
		check(call(fd, ASSAY_IOC_MEASURE, &measure) == -EBADF, "MEASURE: %s", rows[i].what);
	}
	measure = good_measure();
	entries[3].reserved = 1;
	check_is(call(fd, ASSAY_IOC_MEASURE, &measure), -EINVAL,
		 "MEASURE: a reserved field of the last entry");
	measure = good_measure();
	measure.count = 2;
	measure.entry_size = 2 * sizeof(entries[0]);
	memset(&entries[1], 0, sizeof(entries[1]));
	memset(&entries[3], 0, sizeof(entries[3]));
	entries[3].digest[ASSAY_MAX_DIGEST - 1] = 1;
	check_is(call(fd, ASSAY_IOC_MEASURE, &measure), -EINVAL,
		 "MEASURE: longer entries with something where the kernel knows nothing");
	close(write_only);
	close(path_only);
}

/* That what was spoiled above was good. */
static void test_good(int fd)
{
	struct assay_append append = good_append();
	struct assay_measure measure = good_measure();
	struct assay_info before = get_info(fd);
	int plain = can_measure() ? -ENODATA : -EOPNOTSUPP;
	struct assay_append_entry mirrored[2];
	struct assay_anchor_request anchored;

	check_is(call(fd, ASSAY_IOC_APPEND, &append), 0, "APPEND as it should be");
	check_is(call(fd, ASSAY_IOC_MEASURE, &measure), 0, "MEASURE as it should be");
	measure = good_measure();
	measure.count = 2;
	measure.entry_size = 2 * sizeof(entries[0]);
	memset(&entries[1], 0, sizeof(entries[1]));
	memset(&entries[3], 0, sizeof(entries[3]));
	check_is(call(fd, ASSAY_IOC_MEASURE, &measure), 0, "MEASURE with longer entries");
	check(entries[0].result == plain && entries[2].result == plain && entries[1].result == 0 &&
		      entries[3].result == 0,
	      "each has its result, and what the kernel does not know stays 0");
	append = good_append();
	append.count = 2;
	append.entry_size = 2 * sizeof(events[0]);
	memset(&events[1], 0, sizeof(events[1]));
	memset(&events[3], 0, sizeof(events[3]));
	check_is(call(fd, ASSAY_IOC_APPEND, &append), 0, "APPEND with longer entries");
	append = good_mirrored(mirrored);
	check_is(call(fd, ASSAY_IOC_APPEND, &append), 0, "APPEND of IMA's as it should be");
	check_is((long long)get_info(fd).records, (long long)before.records + 5,
		 "these five made a record each");
	check(anchor(fd, &anchored) == 0 && anchored.anchored_records == before.records + 5 &&
		      anchored.anchored == get_info(fd).tail,
	      "ANCHOR as it should be, with nothing pending");
}

int main(void)
{
	int fd = open_assay(O_RDWR), read_only = open_assay(O_RDONLY);
	struct assay_info before, after, info = { .flags = 1 };
	struct assay_append append = good_append();
	struct assay_measure measure;

	good_file = open("/proc/self/exe", O_RDONLY);
	need(good_file >= 0, "open /bed/busybox");
	/* INFO says how far the PCR was read back, which happens by itself. */
	need(!settle_log(fd), "anchor");
	before = get_info(fd);

	test_numbers(fd);
	test_longer(fd);
	test_shorter(fd);
	test_pointers(fd);
	check_is(call(fd, ASSAY_IOC_INFO, &info), -EINVAL, "INFO with an unknown flag");
	test_append(fd);
	test_events(fd);
	test_mirrored(fd);
	test_measure(fd);
	test_entries(fd);
	test_anchor(fd);
	check_is(call(read_only, ASSAY_IOC_APPEND, &append), -EACCES,
		 "APPEND through a descriptor for reading");
	measure = good_measure();
	check_is(call(read_only, ASSAY_IOC_MEASURE, &measure), -EACCES,
		 "MEASURE through a descriptor for reading");
	check_is(anchor(read_only, NULL), -EACCES, "ANCHOR through a descriptor for reading");
	after = get_info(read_only);
	check(memcmp(&before, &after, sizeof(before)) == 0, "none of these changed anything");

	test_good(fd);
	return tap_end();
}
