/* SPDX-License-Identifier: MIT */
/* What the tests of logs that memory has kept share; what lays something over needs the module
 * scribble. */
#ifndef TESTS_KMOD_KEPT_H
#define TESTS_KMOD_KEPT_H

#include <sys/klog.h>

#include "guest.h"

/* Whether the kernel has said something since the last time. */
static inline bool kernel_said(const char *what)
{
	static char text[1 << 18];
	int size = klogctl(4 /* read and clear */, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	return strstr(text, what) != NULL;
}

/* Eight bytes of memory, which nothing protects now. */
static inline void lay_word(uint64_t address, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);
	need(!write_text(SCRIBBLE "value", text), "what to write");
	if (!scribble(address))
		return;
	/* Memory that the kernel does not map is mapped for it. */
	snprintf(text, sizeof(text), "%#llx", (unsigned long long)address);
	need(!write_text(SCRIBBLE "unmapped", text) && !read_number(SCRIBBLE "result"),
	     "change the memory");
}

/* Likewise, where it may be protected by now. */
static inline void lay_anyhow(uint64_t address, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);
	need(!write_text(SCRIBBLE "value", text), "what to write");
	scribble(address);
}

/* A header over the one in the log's window, word by word. */
static inline void lay_over(const struct assay_info *info, const struct assay_log_header *header)
{
	for (size_t at = 0; at < sizeof(*header); at += 8) {
		uint64_t value;

		memcpy(&value, (const uint8_t *)header + at, 8);
		lay_word(info->window_base + at, value);
	}
}

/* The header of the boot before's log; false if there is none. */
static inline bool previous_header(int fd, struct assay_log_header *ret)
{
	void *place = mmap(NULL, (size_t)getpagesize(), PROT_READ, MAP_SHARED, fd,
			   (off_t)ASSAY_MMAP_PREVIOUS);

	if (place == MAP_FAILED)
		return false;
	memcpy(ret, place, sizeof(*ret));
	munmap(place, (size_t)getpagesize());
	return true;
}

#endif /* TESTS_KMOD_KEPT_H */
