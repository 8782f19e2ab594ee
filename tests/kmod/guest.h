/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the kernel module share: TAP, calls of /dev/assay, reading the
 * mapped log, and replaying it. They run in a guest as root, static.
 */
#ifndef TESTS_KMOD_GUEST_H
#define TESTS_KMOD_GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <tpm-proxy.h>
#include <uapi/assay.h>

#include "module.h"
#include "sha.h"

#define DEVICE "/dev/assay"
#define MISC "/sys/class/misc/assay/"
#define SCRIBBLE "/sys/module/scribble/parameters/"
#define TPM_DRIVER "/sys/bus/platform/drivers/tpm_tis/"

/* ------------------------------------------------------------------ TAP */
static int tap_count, tap_failures;

static inline void __attribute__((format(printf, 2, 3))) check(bool good, const char *format, ...)
{
	va_list arguments;

	tap_count++;
	tap_failures += !good;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

static inline void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

/* What must work for the test to make sense; the failure has a name and an errno. */
#define need(condition, ...)                   \
	do {                                   \
		if (!(condition))              \
			bail_out(__VA_ARGS__); \
	} while (0)

static inline void __attribute__((noreturn, format(printf, 1, 2))) bail_out(const char *format, ...)
{
	va_list arguments;
	int error = errno;

	printf("Bail out! ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf(": %s\n", strerror(error));
	fflush(stdout);
	exit(1);
}

/* A check that says what was found. */
static inline void check_is(long long found, long long expected, const char *what)
{
	check(found == expected, "%s", what);
	if (found != expected)
		note("  is %lld, should be %lld", found, expected);
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures > 0;
}

/* ------------------------------------------------------------------ files */
/* The first bytes of a file as text; "" if it cannot be read. */
static inline const char *read_text(const char *path)
{
	static char text[4][65536];
	static unsigned int turn;
	char *buffer = text[turn++ % 4];
	int fd = open(path, O_RDONLY);
	ssize_t size = 0, got = 0;

	while (fd >= 0 && size < 65535 && (got = read(fd, buffer + size, 65535 - (size_t)size)) > 0)
		size += got;
	if (fd >= 0)
		close(fd);
	buffer[size] = '\0';
	return buffer;
}

static inline long long read_number(const char *path)
{
	const char *text = read_text(path);
	char *end;
	long long value = strtoll(text, &end, 0);

	return end == text ? INT64_MIN : value;
}

static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
	int error = errno;

	if (fd >= 0)
		close(fd);
	return written < 0 ? -error : 0;
}

/* A line of /sys/kernel/debug/assay/pages; order and since are -1 where it has "-". */
struct page_line {
	uint64_t frame;
	char state[16];
	char owner[32];
	long long order;
	long long since;
	uint64_t flags;
};

static inline FILE *open_pages(void)
{
	FILE *file = fopen("/sys/kernel/debug/assay/pages", "re");

	need(file, "open /sys/kernel/debug/assay/pages");
	return file;
}

static inline bool next_page(FILE *file, struct page_line *page)
{
	char frame[24], order[24], since[24], flags[24], rest;
	char text[160];

	if (!fgets(text, sizeof(text), file)) {
		fclose(file);
		return false;
	}
	need(sscanf(text, "%23s %15s %31s %23s %23s %23s%c", frame, page->state, page->owner, order,
		    since, flags, &rest) == 7 &&
		     rest == '\n' && strncmp(frame, "0x", 2) == 0 && strncmp(flags, "0x", 2) == 0,
	     "line \"%s\" of the pages", text);
	page->frame = strtoull(frame, NULL, 16);
	page->flags = strtoull(flags, NULL, 16);
	page->order = strcmp(order, "-") == 0 ? -1 : strtoll(order, NULL, 10);
	page->since = strcmp(since, "-") == 0 ? -1 : strtoll(since, NULL, 10);
	return true;
}

/* ------------------------------------------------------------------ calls */
static inline int open_assay(int flags)
{
	int fd = open(DEVICE, flags | O_CLOEXEC);

	need(fd >= 0, "open " DEVICE);
	return fd;
}

static inline int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

static inline struct assay_info get_info(int fd)
{
	struct assay_info info;

	memset(&info, 0xff, sizeof(info));
	info.flags = 0;
	need(!call(fd, ASSAY_IOC_INFO, &info), "ASSAY_IOC_INFO");
	return info;
}

static inline struct assay_append_entry event(const char *label, const void *data, size_t size)
{
	return (struct assay_append_entry){
		.label = (uintptr_t)label,
		.data = (uintptr_t)data,
		.label_size = (uint32_t)strlen(label),
		.data_size = (uint32_t)size,
	};
}

/* @request may be NULL */
static inline int append_all(int fd, const struct assay_append_entry *entries, uint32_t count,
			     struct assay_append *request)
{
	struct assay_append own;

	if (!request)
		request = &own;
	memset(request, 0, sizeof(*request));
	request->count = count;
	request->entry_size = sizeof(*entries);
	request->entries = (uintptr_t)entries;
	return call(fd, ASSAY_IOC_APPEND, request);
}

/* One event. @request may be NULL */
static inline int append(int fd, const char *label, const void *data, size_t size,
			 struct assay_append *request)
{
	const struct assay_append_entry entry = event(label, data, size);

	return append_all(fd, &entry, 1, request);
}

static inline int measure(int fd, uint32_t flags, struct assay_measure_entry *entries,
			  uint32_t count, struct assay_measure *request)
{
	struct assay_measure own;

	if (!request)
		request = &own;
	memset(request, 0, sizeof(*request));
	request->flags = flags;
	request->count = count;
	request->entry_size = sizeof(*entries);
	request->entries = (uintptr_t)entries;
	return call(fd, ASSAY_IOC_MEASURE, request);
}

/* @request may be NULL */
static inline int anchor(int fd, struct assay_anchor_request *request)
{
	struct assay_anchor_request own;

	if (!request)
		request = &own;
	memset(request, 0, sizeof(*request));
	return call(fd, ASSAY_IOC_ANCHOR, request);
}

/*
 * On a busy machine the TPM does not answer in its driver's time: what was written is pending, and
 * anchored later.
 */
static inline bool is_late(int result)
{
	return result == -ETIME;
}

/* Anchors and verifies what is written, so that the module has nothing left to do by itself. */
static inline int settle_log(int fd)
{
	int result, tries = 0;

	do
		result = anchor(fd, NULL);
	while (is_late(result) && ++tries < 100);
	return result;
}

/* Whether the module can measure files here: of the bed's kernels, 6.1 does not let it. */
static inline bool can_measure(void)
{
	struct utsname name;

	need(!uname(&name), "uname");
	return strncmp(name.release, "6.1.", 4) != 0;
}

/* A stray kernel write: 0 or -EFAULT. The scribble module must be loaded. */
static inline int scribble(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)address);
	need(!write_text(SCRIBBLE "address", text), "scribble at %s", text);
	return (int)read_number(SCRIBBLE "result");
}

/*
 * Whether a write to the page of the address does not fault, or may fault since the kernel has made
 * the page read-only itself, as it does for code: a page in use, and of none of the kinds of memory
 * that can always be written.
 */
static inline bool is_writable(uint64_t address, uint64_t page_size)
{
	const uint64_t always = 1ULL << 5 /* LRU */ | 1ULL << 7 /* SLAB */ |
				1ULL << 10 /* BUDDY */ | 1ULL << 12 /* ANON */;
	uint64_t flags = 0;
	int fd;

	if (!scribble(address))
		return true;
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	need(fd >= 0 && pread(fd, &flags, sizeof(flags),
			      (off_t)(address / page_size * sizeof(flags))) == sizeof(flags),
	     "read /proc/kpageflags");
	close(fd);
	return !(flags & always);
}

/* ------------------------------------------------------------------ the log */
struct log {
	const struct assay_log_header *header;
	const uint8_t *ring;
	size_t page_size;
	size_t mapped;
};

static inline struct log map_log(int fd)
{
	struct assay_info info = get_info(fd);
	struct log log = { .page_size = info.page_size };
	void *place;

	log.mapped = info.page_size + 2 * info.ring_size;
	place = mmap(NULL, log.mapped, PROT_READ, MAP_SHARED, fd, 0);
	need(place != MAP_FAILED, "mmap " DEVICE);
	log.header = (const struct assay_log_header *)place;
	log.ring = (const uint8_t *)place + log.page_size;
	return log;
}

static inline void unmap_log(struct log *log)
{
	munmap((void *)(uintptr_t)log->header, log->mapped);
}

static inline uint64_t be(const uint8_t *bytes, unsigned int size)
{
	return sha_read(bytes, size);
}

struct tlv {
	uint8_t type;
	uint32_t size;
	const uint8_t *value;
	const uint8_t *whole; /* with type and length */
	uint32_t whole_size;
};

/* Takes a TLV from the front; false at the end or if it is cut off. */
static inline bool next_tlv(const uint8_t **bytes, size_t *size, struct tlv *tlv)
{
	if (*size < 5)
		return false;
	tlv->whole = *bytes;
	tlv->type = (*bytes)[0];
	tlv->size = (uint32_t)be(*bytes + 1, 4);
	tlv->value = *bytes + 5;
	if (tlv->size > *size - 5)
		return false;
	tlv->whole_size = tlv->size + 5;
	*bytes += tlv->whole_size;
	*size -= tlv->whole_size;
	return true;
}

/* The first TLV of a type among several; its value is NULL if there is none. */
static inline struct tlv find_tlv(const uint8_t *bytes, size_t size, uint8_t type)
{
	struct tlv tlv;

	while (next_tlv(&bytes, &size, &tlv))
		if (tlv.type == type)
			return tlv;
	memset(&tlv, 0, sizeof(tlv));
	return tlv;
}

struct record {
	uint64_t number;
	uint8_t pcr;
	struct tlv digests;
	struct tlv content;
	uint8_t kind;
	uint64_t time;
	struct tlv key, next, mac; /* .value of a key that is not there is NULL */
	const uint8_t *fields;	   /* those of the kind, between NEXT and MAC */
	size_t fields_size;
};

/* KEY, which may be missing, NEXT in front and MAC at the end. */
static inline bool take_chain(struct record *record)
{
	const size_t size = 5 + ASSAY_KEY_SIZE;
	const uint8_t *last;
	size_t last_size = size;

	if (record->fields_size > 0 && record->fields[0] == ASSAY_FIELD_KEY &&
	    (!next_tlv(&record->fields, &record->fields_size, &record->key) ||
	     record->key.size != ASSAY_KEY_SIZE))
		return false;
	if (!next_tlv(&record->fields, &record->fields_size, &record->next) ||
	    record->next.type != ASSAY_FIELD_NEXT || record->next.size != ASSAY_KEY_SIZE ||
	    record->fields_size < size)
		return false;
	record->fields_size -= size;
	last = record->fields + record->fields_size;
	return next_tlv(&last, &last_size, &record->mac) && record->mac.type == ASSAY_FIELD_MAC &&
	       record->mac.size == ASSAY_KEY_SIZE;
}

/* Takes a record from the front; only exactly what the ABI says is one. */
static inline bool next_record(const uint8_t **bytes, size_t *size, struct record *record)
{
	struct tlv number, pcr, kind, time;

	memset(record, 0, sizeof(*record));
	if (!next_tlv(bytes, size, &number) || number.type != ASSAY_CEL_RECNUM ||
	    number.size != 8 || !next_tlv(bytes, size, &pcr) || pcr.type != ASSAY_CEL_PCR ||
	    pcr.size != 1 || !next_tlv(bytes, size, &record->digests) ||
	    record->digests.type != ASSAY_CEL_DIGESTS || !next_tlv(bytes, size, &record->content) ||
	    record->content.type != ASSAY_CEL_CONTENT)
		return false;
	record->fields = record->content.value;
	record->fields_size = record->content.size;
	if (!next_tlv(&record->fields, &record->fields_size, &kind) ||
	    kind.type != ASSAY_FIELD_KIND || kind.size != 1 ||
	    !next_tlv(&record->fields, &record->fields_size, &time) ||
	    time.type != ASSAY_FIELD_TIME || time.size != 8 || !take_chain(record))
		return false;
	record->number = be(number.value, 8);
	record->pcr = pcr.value[0];
	record->kind = kind.value[0];
	record->time = be(time.value, 8);
	return true;
}

/* Record @index of the log, counted from its head; false if there is none. */
static inline bool get_record(const struct log *log, uint64_t index, struct record *record)
{
	const uint8_t *bytes = log->ring + log->header->head % log->header->ring_size;
	size_t size =
		(size_t)(__atomic_load_n(&log->header->tail, __ATOMIC_ACQUIRE) - log->header->head);

	do
		if (!next_record(&bytes, &size, record))
			return false;
	while (index--);
	return true;
}

static inline struct tlv field(const struct record *record, uint8_t type)
{
	return find_tlv(record->content.value, record->content.size, type);
}

/* A field of the record's first EVENT. */
static inline struct tlv event_field(const struct record *record, uint8_t type)
{
	struct tlv event = field(record, ASSAY_FIELD_EVENT);

	return find_tlv(event.value, event.size, type);
}

static inline unsigned int digest_size(uint16_t alg)
{
	switch (alg) {
	case ASSAY_ALG_SHA1:
		return 20;
	case ASSAY_ALG_SHA256:
		return 32;
	case ASSAY_ALG_SHA384:
		return 48;
	case ASSAY_ALG_SHA512:
		return 64;
	}
	return 0;
}

/* The number of the TPM: it may change when its driver is bound anew. -1 without one. */
static inline int tpm_number(void)
{
	char path[64];

	for (int number = 0; number < 16; number++) {
		snprintf(path, sizeof(path), "/sys/class/tpm/tpm%d", number);
		if (!access(path, F_OK))
			return number;
	}
	return -1;
}

/* The PCR as the TPM's driver reads it now. */
static inline bool read_pcr(uint16_t alg, unsigned int pcr, uint8_t *value)
{
	unsigned int size = digest_size(alg);
	char path[96];
	const char *text;

	snprintf(path, sizeof(path), "/sys/class/tpm/tpm%d/pcr-sha%u/%u", tpm_number(),
		 size == 20 ? 1 : size * 8, pcr);
	text = read_text(path);
	if (strlen(text) < 2 * (size_t)size)
		return false;
	for (unsigned int i = 0; i < size; i++) {
		const char byte[3] = { text[2 * i], text[2 * i + 1], '\0' };

		value[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	return true;
}

static inline size_t put_be(uint8_t *to, size_t at, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++)
		to[at + i] = (uint8_t)(value >> 8 * (size - 1 - i));
	return at + size;
}

/* Sends a command to the TPM and takes its answer; returns the answer's code. */
static inline uint32_t tpm_command(const uint8_t *command, size_t size)
{
	uint8_t response[512];
	ssize_t got = -1;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/tpm%d", tpm_number());
	fd = open(path, O_RDWR | O_CLOEXEC);
	need(fd >= 0, "open %s", path);
	/* ETIME: the machine is so busy that the TPM did not get the command in time. */
	for (int tries = 0; tries < 10; tries++) {
		got = write(fd, command, size);
		if (got >= 0 || errno != ETIME)
			break;
	}
	need(got == (ssize_t)size, "send to %s", path);
	got = read(fd, response, sizeof(response));
	need(got >= 10, "the answer of %s", path);
	close(fd);
	return (uint32_t)be(response + 6, 4);
}

/* How extends of a PCR go from now on, and those of all others as ever; needs run-guest
 * --tpm-proxy. */
static inline void tpm_behave_for(unsigned int pcr, unsigned int delay_ms,
				  enum tpm_proxy_fault fault, unsigned int of_thousand)
{
	uint8_t command[26];
	size_t at = 0;

	at = put_be(command, at, 2, 0x8001);
	at = put_be(command, at, 4, sizeof(command));
	at = put_be(command, at, 4, TPM_PROXY_COMMAND);
	at = put_be(command, at, 4, pcr);
	at = put_be(command, at, 4, delay_ms);
	at = put_be(command, at, 4, fault);
	at = put_be(command, at, 4, of_thousand);
	need(tpm_command(command, at) == 0, "tell tpm-proxy");
}

/* The same of assay's PCR. */
static inline void tpm_behave(unsigned int delay_ms, enum tpm_proxy_fault fault,
			      unsigned int of_thousand)
{
	tpm_behave_for(14, delay_ms, fault, of_thousand);
}

/* The TPM is reset, and its driver does not know; likewise. */
static inline void tpm_reset(void)
{
	uint8_t command[10];
	size_t at = 0;

	at = put_be(command, at, 2, 0x8001);
	at = put_be(command, at, 4, sizeof(command));
	at = put_be(command, at, 4, TPM_PROXY_RESET);
	need(tpm_command(command, at) == 0, "have tpm-proxy reset the TPM");
}

#define TPM_ST_SESSIONS 0x8002
#define TPM_CC_PCR_EXTEND 0x182
#define TPM_RS_PW 0x40000009

/*
 * TPM2_PCR_Extend as anybody with the TPM can send it, in so many banks: TPM 2.0 Library, part 3,
 * 22.2.
 */
static inline void tpm_extend_banks(unsigned int pcr, const struct tlv digests,
				    const struct assay_info *info, unsigned int banks)
{
	uint8_t command[512];
	size_t at = 0;

	at = put_be(command, at, 2, TPM_ST_SESSIONS);
	at = put_be(command, at, 4, 0);
	at = put_be(command, at, 4, TPM_CC_PCR_EXTEND);
	at = put_be(command, at, 4, pcr);
	at = put_be(command, at, 4, 9); /* bytes of the authorization */
	at = put_be(command, at, 4, TPM_RS_PW);
	at = put_be(command, at, 2, 0);
	at = put_be(command, at, 1, 0);
	at = put_be(command, at, 2, 0);
	at = put_be(command, at, 4, banks);
	for (unsigned int i = 0; i < banks; i++) {
		struct tlv digest = find_tlv(digests.value, digests.size,
					     ASSAY_CEL_DIGEST_TYPE(info->bank_alg[i]));

		need(digest.value, "a digest for bank %#x", info->bank_alg[i]);
		at = put_be(command, at, 2, info->bank_alg[i]);
		memcpy(command + at, digest.value, digest.size);
		at += digest.size;
	}
	put_be(command, 2, 4, at);

	need(tpm_command(command, at) == 0, "TPM2_PCR_Extend");
}

/* Likewise, in every bank. */
static inline void tpm_extend(unsigned int pcr, const struct tlv digests,
			      const struct assay_info *info)
{
	tpm_extend_banks(pcr, digests, info, info->bank_count);
}

/* The platform device of the TPM, with or without its driver: of the device tree, or of ACPI. */
static inline const char *tpm_device(void)
{
	static const char of_acpi[] = "MSFT0101:00";

	return access("/sys/bus/platform/devices/MSFT0101:00", F_OK) ? "c000000.tpm_tis" : of_acpi;
}

static inline void bind_tpm(bool bound)
{
	need(!write_text(bound ? TPM_DRIVER "bind" : TPM_DRIVER "unbind", tpm_device()),
	     "%s the TPM", bound ? "bind" : "unbind");
	need((tpm_number() >= 0) == bound, "the TPM %s", bound ? "appears" : "goes away");
}

static inline void load_assay(const char *parameters)
{
	int result = module_load("/bed/assay.ko", parameters);

	errno = -result;
	need(!result, "load the module");
}

/* TPM2_PCR_Extend of PCR 14 in the bank SHA-256, by somebody else. */
static inline void extend_pcr(void)
{
	uint8_t command[] = { 0x80, 0x02, 0, 0,	 0, 65, 0, 0, 1,    0x82, /* header */
			      0,    0,	  0, 14, 0, 0,	0, 9, 0x40, 0,	  0,   9,
			      0,    0,	  0, 0,	 0, 0,	0, 0, 1,    0,	  0x0b };
	uint8_t whole[65] = { 0 };

	memcpy(whole, command, sizeof(command));
	need(tpm_command(whole, sizeof(whole)) == 0, "extend the PCR");
}

/* A log with a START of its own: what memory has kept is not what the PCR holds then. */
static inline void load_anew(const char *parameters)
{
	extend_pcr();
	load_assay(parameters);
}

/*
 * What a killed process had mapped may be given back a moment after it was waited for: the kernel's
 * reaper of memory holds it, too.
 */
static inline void unload_assay(void)
{
	int result, tries = 0;

	while ((result = (int)syscall(SYS_delete_module, "assay", O_NONBLOCK)) &&
	       errno == EWOULDBLOCK && ++tries < 100)
		usleep(50000);
	need(!result, "unload the module");
}

/*
 * What a bank's PCR held before the log, as START says it or, where that was written
 * without a TPM, the TPM record. False if neither does.
 */
static inline bool start_value(const struct log *log, uint8_t type, unsigned int length,
			       uint8_t *value)
{
	struct record record;

	/* What a log that was cut notes itself is gone; the header says where it goes on. */
	for (unsigned int i = 0; log->header->head_recnum > 0 && i < log->header->bank_count; i++) {
		if (ASSAY_CEL_DIGEST_TYPE(log->header->banks[i].alg) == type) {
			memcpy(value, log->header->banks[i].start, length);
			return true;
		}
	}
	for (uint64_t n = 0; get_record(log, n, &record); n++) {
		struct tlv values = field(&record, ASSAY_FIELD_PCR_VALUES), start;

		if (n > 0 && record.kind != ASSAY_KIND_TPM)
			continue;
		if (!values.value)
			continue;
		start = find_tlv(values.value, values.size, type);
		if (start.size != length)
			return false;
		memcpy(value, start.value, length);
		return true;
	}
	return false;
}

/*
 * Replay the log in every bank from the values that it notes itself, with digests made
 * here of each content. Returns the number of records up to which the PCR of the TPM
 * is explained, the same in all banks; -1 if a record is malformed, or a digest is not
 * that of its content; -2 if a bank's PCR is never reached.
 */
static inline int replay(const struct log *log, unsigned int bank_count)
{
	const struct assay_log_header *header = log->header;
	int explained = -2;

	for (unsigned int i = 0; i < bank_count; i++) {
		const uint8_t *bytes = log->ring + header->head % header->ring_size;
		size_t size =
			(size_t)(__atomic_load_n(&header->tail, __ATOMIC_ACQUIRE) - header->head);
		uint8_t chain[2 * ASSAY_MAX_DIGEST], want[ASSAY_MAX_DIGEST];
		unsigned int length = digest_size(header->banks[i].alg);
		uint8_t type = ASSAY_CEL_DIGEST_TYPE(header->banks[i].alg);
		struct record record;
		int reached = -2;

		if (!length || !read_pcr(header->banks[i].alg, header->pcr, want) ||
		    !start_value(log, type, length, chain))
			return -1;
		for (uint64_t n = header->head_recnum; size > 0; n++) {
			struct tlv digest;
			uint8_t own[ASSAY_MAX_DIGEST];

			if (!next_record(&bytes, &size, &record) || record.number != n ||
			    record.pcr != header->pcr ||
			    (n == 0 && record.kind != ASSAY_KIND_START))
				return -1;
			digest = find_tlv(record.digests.value, record.digests.size, type);
			sha(length, record.content.whole, record.content.whole_size, own);
			if (digest.size != length || memcmp(digest.value, own, length) != 0)
				return -1;
			memcpy(chain + length, own, length);
			sha(length, chain, 2 * (size_t)length, own);
			memcpy(chain, own, length);
			if (memcmp(chain, want, length) == 0)
				reached = (int)n + 1;
		}
		if (i > 0 && reached != explained)
			return -2;
		explained = reached;
	}
	return explained;
}

#endif /* TESTS_KMOD_GUEST_H */
