// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "manager.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

/* Of all messages of problems: `journalctl MESSAGE_ID=...` */
#define PROBLEM_ID "6f2d4d1c6b0f4d1f9d4b7a0c5c1e8a53"

/*
 * Whether what goes to standard error goes to the journal, as systemd has it for services; with
 * fields then. Who starts it by hand is to see on the terminal what is said. systemd.exec(5),
 * $JOURNAL_STREAM. (sd_journal_send() says nothing, and that it succeeded, where there is no
 * journal.)
 */
static bool journal_is_standard_error(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[64];

	if (!stream || fstat(STDERR_FILENO, &status) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

void manager_tell(enum manager_priority priority, const char *part, const char *key,
		  const char *text)
{
	bool journal = journal_is_standard_error();
	int r = -1;

	if (journal && key)
		r = sd_journal_send("MESSAGE=%s%s%s", part ? part : "", part ? ": " : "", text,
				    "PRIORITY=%d", (int)priority, "ASSAY_PART=%s", part ? part : "",
				    "ASSAY_PROBLEM=%s", key, "MESSAGE_ID=" PROBLEM_ID, NULL);
	else if (journal)
		r = sd_journal_send("MESSAGE=%s%s%s", part ? part : "", part ? ": " : "", text,
				    "PRIORITY=%d", (int)priority, "ASSAY_PART=%s", part ? part : "",
				    NULL);
	if (r < 0)
		fprintf(stderr, "<%d>assayd: %s%s%s\n", (int)priority, part ? part : "",
			part ? ": " : "", text);
}

/* Without $NOTIFY_SOCKET, these do nothing. */
void manager_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void manager_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void manager_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void manager_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}
