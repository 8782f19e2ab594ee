// SPDX-License-Identifier: MIT
/*
 * A log right after the module was loaded with a TPM: what INFO, sysfs, debugfs and
 * the mapped header say agrees with each other and with the device tree; START holds
 * what it must; events are appended; the PCR is explained by the log in every bank.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include "guest.h"

/* A property of two 64-bit numbers, given as the end of its path. */
static bool tree_numbers(const char *path, uint64_t numbers[2])
{
	uint8_t bytes[16];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (fd >= 0)
		close(fd);
	if (size != sizeof(bytes))
		return false;
	numbers[0] = be(bytes, 8);
	numbers[1] = be(bytes + 8, 8);
	return true;
}

/* What the log's place should be: as the bed has told the module. */
static struct place {
	uint32_t kind;
	const char *kind_line;
	const char *idle;  /* the state of pages that nobody has */
	unsigned int kept; /* pages at the window's end that are not the ring's: the keys' seed */
	uint32_t protection;
	const char *protection_line;
	uint64_t region[2];
	uint64_t window[2];
} place = { ASSAY_REGION_CMA, "cma\n", "lent", 0, ASSAY_PROTECTION_FULL, "full\n", { 0 }, { 0 } };

/* "BASE:SIZE", as run-guest writes them */
static bool read_range(const char *text, uint64_t numbers[2])
{
	for (int i = 0; i < 2; i++) {
		char *end;

		numbers[i] = strtoull(text, &end, 0);
		if (end == text)
			return false;
		if (*end == 'M' || *end == 'K')
			numbers[i] <<= *end++ == 'M' ? 20 : 10;
		text = end + 1;
	}
	return true;
}

/* Without a device tree: assay.region=nomap:BASE:SIZE assay.window=OFFSET:SIZE */
static bool place_of_parameters(void)
{
	static const char region[] = "assay.region=nomap:", window[] = "assay.window=";
	const char *line = read_text("/proc/cmdline");
	const char *region_at = strstr(line, region), *window_at = strstr(line, window);

	if (!region_at || !window_at)
		return false;
	place.kind = ASSAY_REGION_NOMAP;
	place.kind_line = "nomap\n";
	place.idle = "held";
	place.kept = 1;
	place.protection = ASSAY_PROTECTION_ALIAS;
	place.protection_line = "alias\n";
	return read_range(region_at + strlen(region), place.region) &&
	       read_range(window_at + strlen(window), place.window);
}

static bool region_of_tree(uint64_t region[2])
{
	static const char *const reserved = "/proc/device-tree/reserved-memory";
	DIR *directory = opendir(reserved);
	struct dirent *node;
	bool found = false;

	while (directory && !found && (node = readdir(directory))) {
		char path[512];

		if (strncmp(node->d_name, "assay@", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s/reg", reserved, node->d_name);
		found = tree_numbers(path, region);
	}
	if (directory)
		closedir(directory);
	return found;
}

static void learn_place(void)
{
	need(place_of_parameters() ||
		     (region_of_tree(place.region) &&
		      tree_numbers("/proc/device-tree/assay/assay,window", place.window)),
	     "region and window in the device tree or the kernel's parameters");
}

static void test_info(const struct assay_info *info)
{
	struct stat status;

	need(!stat(DEVICE, &status), "stat " DEVICE);
	check(S_ISCHR(status.st_mode) && (status.st_mode & 07777) == 0660 && !status.st_uid,
	      "/dev/assay is a device of root with mode 0660");
	check_is(info->abi_version, ASSAY_ABI_VERSION, "INFO: version of the ABI");
	check_is(info->page_size, sysconf(_SC_PAGESIZE), "INFO: page size");
	learn_place();
	check_is(info->region_kind, place.kind, "INFO: kind of the region");
	check(info->region_base == place.region[0] && info->region_size == place.region[1],
	      "INFO: the region is that of the device tree or of the parameters");
	check(info->window_base == place.region[0] + place.window[0] &&
		      info->window_size == place.window[1],
	      "INFO: the window likewise");
	check_is((long long)info->ring_size,
		 (long long)(info->window_size - (1 + place.kept) * info->page_size),
		 "INFO: the ring is the window without the header page, and that of the seed");
	check_is(info->protection, place.protection, "INFO: protection");
	check_is(info->pcr, 14, "INFO: PCR 14 by default");
	check_is(info->bank_count, 4, "INFO: all four banks of the TPM");
	check_is(info->last_error, 0, "INFO: no error");
	check_is(info->max_batch, ASSAY_MAX_BATCH, "INFO: the largest batch");
	check(info->head == 0 && info->tail > 0 && info->anchored == info->tail,
	      "INFO: all that is written is anchored");
	check(info->records == 1 && info->anchored_records == 1,
	      "INFO: one record, START, and it is anchored");
	check(info->pcr_state == ASSAY_PCR_RIGHT && !info->flags,
	      "INFO: flags are 0, the PCR is right");
	check(info->verified_records == 1, "INFO: it was read, and holds START");
}

/* The header page, and by default five chunks: four ahead, and the one that is begun. */
#define CHUNKS 5
#define CHUNK 65536

static void test_counters(const struct assay_info *info)
{
	long long claimed = (1 + place.kept) * info->page_size + CHUNKS * CHUNK;

	check_is(read_number(MISC "memory/bytes_reserved"), (long long)info->region_size,
		 "sysfs: bytes reserved");
	check_is(read_number(MISC "memory/bytes_claimed"), claimed,
		 "sysfs: bytes claimed, ahead of need");
	check_is(read_number(MISC "memory/bytes_lent"),
		 strcmp(place.idle, "lent") ? 0 : (long long)info->region_size - claimed,
		 "sysfs: bytes lent, all others or none");
	check_is(read_number(MISC "memory/bytes_sealed"), 0, "sysfs: nothing is sealed yet");
	check_is(read_number(MISC "memory/claims"), 1 + place.kept + CHUNKS, "sysfs: claims");
	check_is(read_number(MISC "memory/claim_failures"), 0, "sysfs: no claim failed");
	check(read_number(MISC "memory/last_claim_us") > 0, "sysfs: the claim took some time");
	check(strcmp(read_text(MISC "memory/protection"), place.protection_line) == 0,
	      "sysfs: protection");
	check(strcmp(read_text(MISC "memory/kind"), place.kind_line) == 0, "sysfs: kind");
	check(read_number(MISC "log/records") == 1 && read_number(MISC "log/anchors") == 1 &&
		      read_number(MISC "log/anchor_failures") == 0 &&
		      read_number(MISC "log/last_error") == 0 && read_number(MISC "log/pcr") == 14,
	      "sysfs: records, anchors, failures, last error, PCR");
}

/* The flags that debugfs shows, by their number in /proc/kpageflags. */
static const uint64_t shown_flags = 0x1ULL << 0 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 |
				    1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 14 | 1ULL << 32;

static void test_pages(const struct assay_info *info)
{
	uint64_t first = info->region_base / info->page_size, count = 0;
	uint64_t window = (info->window_base - info->region_base) / info->page_size;
	uint64_t pages = 1 + CHUNKS * CHUNK / info->page_size;
	uint64_t seed = window + info->window_size / info->page_size - place.kept;
	uint64_t bad_order = 0, bad_window = 0, bad_lent = 0, bad_flags = 0, other_flags = 0;
	int kpageflags = open("/proc/kpageflags", O_RDONLY);
	FILE *file = open_pages();
	struct page_line page;

	need(kpageflags >= 0, "open /proc/kpageflags");
	while (next_page(file, &page)) {
		bool is_seed = count >= seed && count < seed + place.kept;
		bool ours = is_seed || (count >= window && count < window + pages);
		const char *state = count == window	? "header" :
				    count == window + 1 ? "part" :
				    is_seed		? "secret" :
				    ours		? "empty" :
							  place.idle;
		uint64_t flags = 0;

		bad_order += page.frame != first + count++;
		need(pread(kpageflags, &flags, sizeof(flags), (off_t)(page.frame * 8)) == 8,
		     "read /proc/kpageflags");
		if (ours) {
			bad_window += strcmp(page.state, state) != 0 ||
				      strcmp(page.owner, "log") != 0 || page.order != 1 ||
				      page.since < 0 || page.since > 600;
			bad_flags += page.flags != (flags & shown_flags);
		} else {
			bad_lent += strcmp(page.state, state) != 0 ||
				    strcmp(page.owner, "-") != 0 || page.order != -1 ||
				    page.since != -1;
			other_flags += page.flags != (flags & shown_flags);
		}
	}
	close(kpageflags);
	check_is((long long)count, (long long)(info->region_size / info->page_size),
		 "debugfs: a line for each page of the region");
	check_is((long long)bad_order, 0, "debugfs: frame numbers in order");
	check_is((long long)bad_window, 0,
		 "debugfs: the log's are a header, a page in use and empty ones, of claim 1");
	check_is((long long)bad_lent, 0,
		 "debugfs: all others are lent, or held, of the window as well");
	check_is((long long)bad_flags, 0,
		 "debugfs: the flags of the log's pages are those of /proc/kpageflags");
	/* These pages are in use: they change, and free ones wait on a processor's list. */
	check(other_flags <= count / 4, "debugfs: the flags of the others are, but for some");
	note("  %llu of %llu differ", (unsigned long long)other_flags,
	     (unsigned long long)(count - pages));
}

static void test_header(const struct log *log, const struct assay_info *info)
{
	const struct assay_log_header *header = log->header;
	static const uint8_t zeros[ASSAY_LOG_LINE];
	const uint8_t *id = header->boot_id;
	char text[40] = "";

	check(memcmp(header->magic, ASSAY_LOG_MAGIC, 8) == 0 &&
		      header->version == ASSAY_LOG_VERSION &&
		      header->header_size == sizeof(*header),
	      "header: magic, version, size");
	check(header->page_size == info->page_size && header->pcr == info->pcr &&
		      header->ring_size == info->ring_size && header->head == info->head &&
		      header->tail == info->tail && header->anchored == info->anchored &&
		      header->records == info->records &&
		      header->anchored_records == info->anchored_records,
	      "header: says what INFO says");
	check(!header->reserved2 && !memcmp(header->reserved3, zeros, sizeof(header->reserved3)) &&
		      !memcmp(header->reserved4, zeros, sizeof(header->reserved4)),
	      "header: what is reserved is 0");
	for (int i = 0; i < 16; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%02x",
			 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
	check(strlen(text) == 36 && strstr(read_text("/proc/sys/kernel/random/boot_id"), text),
	      "header: the boot id is this boot's");
	check_is(header->bank_count, info->bank_count, "header: number of banks");
	for (unsigned int i = 0; i < header->bank_count && i < ASSAY_MAX_BANKS; i++) {
		const struct assay_log_bank *bank = &header->banks[i];
		static const uint8_t zero[ASSAY_MAX_DIGEST];
		uint8_t value[ASSAY_MAX_DIGEST];

		check(bank->alg == info->bank_alg[i] && bank->size == digest_size(bank->alg) &&
			      memcmp(bank->start, zero, sizeof(zero)) == 0 &&
			      read_pcr(bank->alg, info->pcr, value) &&
			      memcmp(bank->value, value, bank->size) == 0,
		      "header: bank %#x starts at zero and holds the PCR's value", bank->alg);
	}
}

static bool is_text(struct tlv tlv, const char *text, size_t size)
{
	return tlv.value && tlv.size == size && memcmp(tlv.value, text, size) == 0;
}

static bool is_number(struct tlv tlv, unsigned int size, uint64_t number)
{
	return tlv.value && tlv.size == size && be(tlv.value, size) == number;
}

static bool is_range(struct tlv tlv, uint64_t base, uint64_t size)
{
	return tlv.value && tlv.size == 16 && be(tlv.value, 8) == base &&
	       be(tlv.value + 8, 8) == size;
}

static void test_start(const struct log *log, const struct assay_info *info)
{
	struct record start;
	struct utsname name;

	need(get_record(log, 0, &start), "the first record");
	uname(&name);
	check(start.number == 0 && start.pcr == 14 && start.kind == ASSAY_KIND_START,
	      "START is record 0, in PCR 14");
	check(is_text(field(&start, ASSAY_FIELD_BOOT_ID),
		      read_text("/proc/sys/kernel/random/boot_id"), 36),
	      "START: boot id");
	check(is_text(field(&start, ASSAY_FIELD_RELEASE), name.release, strlen(name.release)),
	      "START: kernel release");
	check(is_text(field(&start, ASSAY_FIELD_VERSION), read_text("/sys/module/assay/version"),
		      strlen(read_text("/sys/module/assay/version")) - 1),
	      "START: version of the module");
	check(is_number(field(&start, ASSAY_FIELD_PAGE_SIZE), 4, info->page_size) &&
		      is_number(field(&start, ASSAY_FIELD_REGION_KIND), 1, place.kind) &&
		      is_range(field(&start, ASSAY_FIELD_REGION), info->region_base,
			       info->region_size) &&
		      is_range(field(&start, ASSAY_FIELD_WINDOW), info->window_base,
			       info->window_size),
	      "START: page size, kind of region, region, window");
	check(is_number(field(&start, ASSAY_FIELD_PROTECTION), 1, place.protection),
	      "START: protection");
	check(is_number(field(&start, ASSAY_FIELD_IMA_BYPASS), 1,
			strstr(read_text("/sys/class/tpm/tpm0/pcr-sha256/10"), "00000000") ? 1 : 0),
	      "START: whether IMA runs without the TPM");
	check_is(replay(log, info->bank_count), 1, "START explains the PCR in every bank");
}

static uint64_t real_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void test_append(int fd, const struct log *log, unsigned int bank_count)
{
	static const char data[] = "what\0was\xff said";
	static uint8_t most[ASSAY_MAX_EVENT];
	struct assay_append request;
	struct assay_info before = get_info(fd), after;
	struct record record;
	uint64_t from, to;
	const uint8_t *at;
	size_t rest;

	from = real_time();
	check_is(append(fd, "test", data, sizeof(data), &request), 0, "APPEND works");
	to = real_time();
	after = get_info(fd);
	check(request.recnum == 1 && request.offset == before.tail && after.records == 2 &&
		      after.anchored_records == 2 && after.tail > before.tail &&
		      after.anchored == after.tail,
	      "APPEND tells number and offset; one more record, anchored");
	at = log->ring + request.offset;
	rest = (size_t)(after.tail - request.offset);
	check(next_record(&at, &rest, &record) && rest == 0 && record.number == 1 &&
		      record.kind == ASSAY_KIND_EVENT,
	      "an EVENT is at that offset, up to the tail");
	check(is_text(event_field(&record, ASSAY_FIELD_LABEL), "test", 4) &&
		      is_text(event_field(&record, ASSAY_FIELD_DATA), data, sizeof(data)),
	      "EVENT: label and data, byte for byte");
	check(record.time >= from && record.time <= to, "EVENT: the time of the call");
	check_is(replay(log, bank_count), 2, "the PCR is explained in every bank");

	check_is(append(fd, "e", NULL, 0, NULL), 0, "APPEND without data");
	memset(most, 0xa5, sizeof(most));
	check_is(append(fd, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde~",
			most, sizeof(most), NULL),
		 0, "APPEND of the largest label and data");
	check(get_record(log, 3, &record) && is_text(event_field(&record, ASSAY_FIELD_DATA),
						     (const char *)most, sizeof(most)),
	      "it is in the log");
	check_is(replay(log, bank_count), 4, "the PCR is explained in every bank");
	check_is(read_number(MISC "log/records"), 4, "sysfs: four records");
	check_is(read_number(MISC "log/bytes"), (long long)get_info(fd).tail, "sysfs: bytes");
}

int main(void)
{
	int fd = open_assay(O_RDWR);
	struct assay_info info = get_info(fd);
	struct log log = map_log(fd);

	test_info(&info);
	test_counters(&info);
	test_pages(&info);
	test_header(&log, &info);
	test_start(&log, &info);
	test_append(fd, &log, info.bank_count);
	unmap_log(&log);
	close(fd);
	return tap_end();
}
