// SPDX-License-Identifier: MIT
/* What the kernel's log has of the module: see why.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "memory/value.h"
#include "memory/why.h"
#include "memory/why_lines.h"

#define LOG_LIMIT (4u << 20) /* bytes of it that are looked at */

/* A record of /dev/kmsg, "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT": its text if it is one of ours. */
static bool take_message(struct bytes line, struct bytes *text)
{
	const uint8_t *comma = line.size ? memchr(line.data, ',', line.size) : NULL;
	const uint8_t *semicolon = line.size ? memchr(line.data, ';', line.size) : NULL;
	struct assay_error unused;
	uint64_t priority;

	if (!comma || !semicolon || comma > semicolon ||
	    value_unsigned(BYTES(line.data, (size_t)(comma - line.data)), &priority, &unused) < 0)
		return false;
	*text = BYTES(semicolon + 1, line.size - (size_t)(semicolon + 1 - line.data));
	if (why_starts_with(*text, "Lockdown: "))
		return why_contains(*text, "module loading");
	/* Errors and worse; what is not the kernel's own has a facility above that. */
	return priority <= 3 &&
	       (why_starts_with(*text, "assay ") || why_starts_with(*text, "assay:"));
}

static void keep_message(struct bytes text, struct why_facts *facts)
{
	if (facts->message_count == WHY_MESSAGES) {
		memmove(facts->messages[0], facts->messages[1],
			(WHY_MESSAGES - 1) * sizeof(facts->messages[0]));
		facts->message_count--;
	}
	why_copy_text(text, facts->messages[facts->message_count++], WHY_MESSAGE);
}

void why_take_messages(struct bytes log, struct why_facts *facts)
{
	struct bytes line, text;

	while (why_take_line(&log, &line))
		if (take_message(line, &text))
			keep_message(text, facts);
}

void why_read_messages(const char *path, struct why_facts *facts)
{
	struct buffer log = { 0 };
	uint8_t record[8192];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return;
	/* EPIPE: records were overwritten meanwhile, and reading goes on behind them. */
	while ((size = read(fd, record, sizeof(record))) > 0 || (size < 0 && errno == EPIPE))
		if (size > 0 && buffer_bytes(&log).size < LOG_LIMIT)
			buffer_append(&log, record, (size_t)size);
	close(fd);
	why_take_messages(buffer_bytes(&log), facts);
	buffer_free(&log);
}
