// SPDX-License-Identifier: MIT
/*
 * A log that the kernel does not map: nobody reaches it by the linear map, by the mapping
 * that the module reads it through, by one that was there for a record, or by /dev/mem.
 * Needs the module scribble. Loads and unloads assay.
 */
#define _GNU_SOURCE
#include "guest.h"

#define TRACE "/sys/kernel/tracing/"
#define TABLES "/sys/kernel/debug/kernel_page_tables"
#define MEM "/dev/mem"

static int scribble_virtual(uint64_t address)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)address);
	need(!write_text(SCRIBBLE "virtual", text), "scribble at %s", text);
	return (int)read_number(SCRIBBLE "result");
}

/* "0xFROM-0xTO", at the beginning of a line. */
static bool parse_range(const char *line, unsigned long long *ret_from, unsigned long long *ret_to)
{
	char *end;

	*ret_from = strtoull(line, &end, 16);
	if (end == line || *end != '-')
		return false;
	line = end + 1;
	*ret_to = strtoull(line, &end, 16);
	return end != line;
}

/* The mapping of so many bytes and a guard page that the module has made; 0 if there is none. */
static uint64_t find_mapping(uint64_t size, uint64_t page_size)
{
	const char *line = read_text("/proc/vmallocinfo");
	unsigned long long from, to;

	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *end = strchr(line, '\n'), *owner = strstr(line, "[assay]");

		if (!owner || (end && owner > end) || !strstr(line, "vmap") ||
		    !parse_range(line, &from, &to))
			continue;
		if (to - from == size + page_size)
			return from;
	}
	return 0;
}

/* What the kernel's own list of its page tables says of an address: "RW", "ro" or "". */
static const char *table_says(uint64_t address)
{
	static char word[8];
	FILE *file = fopen(TABLES, "re");
	unsigned long long from, to;
	char line[256];

	word[0] = '\0';
	need(file, "open " TABLES);
	while (fgets(line, sizeof(line), file)) {
		if (!parse_range(line, &from, &to) || address < from || address >= to)
			continue;
		snprintf(word, sizeof(word), "%s",
			 strstr(line, " RW ") ? "RW" :
			 strstr(line, " ro ") ? "ro" :
						"");
	}
	fclose(file);
	return word;
}

static void test_linear(const struct assay_info *info)
{
	uint64_t faults = 0, pages = 0, below, above;

	for (uint64_t at = 0; at < info->region_size; at += info->page_size, pages++)
		faults += scribble(info->region_base + at) == -EFAULT;
	check_is((long long)faults, (long long)pages,
		 "a write through the linear map to any page of the region faults");
	below = info->region_base - info->page_size;
	above = info->region_base + info->region_size;
	check(is_writable(below, info->page_size), "to the page below not");
	check(is_writable(above, info->page_size), "nor to the one above");
}

static void test_reading(const struct assay_info *info)
{
	uint64_t address = find_mapping(info->window_size, info->page_size), faults = 0, at;

	check(address, "the window is mapped once by the module");
	if (!address)
		return;
	for (at = 0; at < info->window_size; at += info->page_size)
		faults += scribble_virtual(address + at) == -EFAULT &&
			  scribble_virtual(address + at + info->page_size - 8) == -EFAULT;
	check_is((long long)faults, (long long)(info->window_size / info->page_size),
		 "a write there faults, on every page");
	if (!access(TABLES, R_OK)) {
		check(!strcmp(table_says(address), "ro"), "the page tables say ro there");
		check(!strcmp(table_says(address + info->window_size - 1), "ro"), "to its end");
	}
}

/* The addresses of the last mappings that were taken away, as the kernel was called. */
static uint64_t last_unmapped(void)
{
	const char *text = read_text(TRACE "trace"), *at;
	uint64_t address = 0;

	while ((at = strstr(text, "addr=0x"))) {
		address = strtoull(at + 5, NULL, 16);
		text = at + 7;
	}
	return address;
}

static void test_writing(int fd, const struct assay_info *info)
{
	uint64_t address;
	int ret;

	need(!write_text(TRACE "kprobe_events", "p:assay_unmap vunmap addr=$arg1:x64"),
	     "a probe of vunmap");
	need(!write_text(TRACE "events/kprobes/assay_unmap/enable", "1"), "enable it");
	ret = append(fd, "alias", "x", 1, NULL);
	write_text(TRACE "events/kprobes/assay_unmap/enable", "0");
	address = last_unmapped();
	write_text(TRACE "kprobe_events", "");
	check_is(ret, 0, "a record is appended");
	check(address && address != find_mapping(info->window_size, info->page_size),
	      "for that another mapping was made, and taken away");
	check_is(scribble_virtual(address), -EFAULT, "a write there faults now");
	if (!access(TABLES, R_OK))
		check(!strcmp(table_says(address), ""), "the page tables have nothing there");
	check(!find_mapping(2 * info->page_size, info->page_size),
	      "the module has no mapping of a header and one page");
}

static bool mem_reads(int mem, uint64_t base)
{
	uint64_t bytes;

	return pread(mem, &bytes, sizeof(bytes), (off_t)base) == sizeof(bytes);
}

static bool mem_maps(int mem, const struct assay_info *info, int protection)
{
	void *place =
		mmap(NULL, info->page_size, protection, MAP_SHARED, mem, (off_t)info->window_base);

	if (place == MAP_FAILED)
		return false;
	munmap(place, info->page_size);
	return true;
}

int main(void)
{
	uint8_t data[512] = { 0 };
	struct assay_info info;
	struct log log;
	int fd, mem;

	write_text("/proc/sys/kernel/kptr_restrict", "1");
	load_assay("");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	info = get_info(fd);
	check_is(info.region_kind, ASSAY_REGION_NOMAP, "INFO: the region is of kind nomap");
	check_is(info.protection, ASSAY_PROTECTION_ALIAS, "INFO: it is protected, by an alias");
	test_linear(&info);
	test_reading(&info);
	test_writing(fd, &info);
	for (unsigned int i = 0; i < 100; i++)
		need(!append(fd, "more", data, sizeof(data), NULL), "append");
	info = get_info(fd);
	check_is(replay(&log, info.bank_count), (long long)info.records,
		 "the PCR is explained by the log");
	mem = open(MEM, O_RDWR | O_CLOEXEC);
	if (mem >= 0) {
		check(!mem_reads(mem, info.window_base), MEM " does not read it");
		check(!mem_maps(mem, &info, PROT_READ), MEM " does not map it");
		check(!mem_maps(mem, &info, PROT_READ | PROT_WRITE), "nor writable");
	}
	unmap_log(&log);
	close(fd);
	unload_assay();
	if (mem >= 0)
		check(mem_maps(mem, &info, PROT_READ),
		      "without the module, which has it for itself alone, " MEM " does map it");
	return tap_end();
}
