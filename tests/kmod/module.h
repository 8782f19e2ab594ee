/* SPDX-License-Identifier: MIT */
/*
 * Loading a module in a guest: kernel parameters MODULE.NAME=VALUE are handed on, as modprobe
 * does, since a guest without a device tree learns by them where the log is. What came of
 * loading assay goes to the bed's notes, of which PID 1 makes comments of the results and
 * tests/run.sh the table of what was tested.
 */
#ifndef TESTS_KMOD_MODULE_H
#define TESTS_KMOD_MODULE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MODULE_NOTES "/run/bed-notes"
#define MODULE_MEMORY "/sys/class/misc/assay/memory/"

/* The first line of a file without its end; "" if there is none. */
static inline void module_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (file && !fgets(line, (int)size, file))
		line[0] = '\0';
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
}

/* "/bed/assay.ko" -> "assay" */
static inline void module_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	name[strcspn(name, ".")] = '\0';
}

/* Those of the kernel's command line, then @own: what is given twice is the last one's. */
static inline bool module_parameters(const char *name, const char *own, char *all, size_t size)
{
	char line[4096], *rest = line, *word;
	size_t prefix = strlen(name), used = 0;

	module_line("/proc/cmdline", line, sizeof(line));
	while ((word = strsep(&rest, " ")) && used < size)
		if (strncmp(word, name, prefix) == 0 && word[prefix] == '.')
			used += (size_t)snprintf(all + used, size - used, "%s ", word + prefix + 1);
	if (used < size)
		used += (size_t)snprintf(all + used, size - used, "%s", own);
	return used < size;
}

/* The first error of assay among the kernel's messages from here on. */
static inline void module_reason(int messages, char *reason, size_t size)
{
	char record[2048];
	ssize_t got;

	snprintf(reason, size, "no message");
	while ((got = read(messages, record, sizeof(record) - 1)) > 0) {
		unsigned long priority;
		const char *text;
		char *end;

		record[got] = '\0';
		record[strcspn(record, "\n")] = '\0';
		text = strstr(record, ";assay");
		priority = strtoul(record, &end, 10);
		if (!text || *end != ',' || (priority & 7) > 3)
			continue;
		text = strstr(text, ": ");
		if (text) {
			snprintf(reason, size, "%s", text + 2);
			return;
		}
	}
}

/* "matrix: RELEASE ARCHITECTURE PAGE-SIZE REGION PROTECTION works", or "- - refused: WHY" */
static inline void module_note(int result, int messages)
{
	char kind[32], protection[256], reason[1024];
	struct utsname name;
	FILE *notes = fopen(MODULE_NOTES, "ae");

	if (!notes || uname(&name))
		return;
	fprintf(notes, "matrix: %s %s %ldK ", name.release, name.machine,
		sysconf(_SC_PAGESIZE) >> 10);
	if (result == 0) {
		module_line(MODULE_MEMORY "kind", kind, sizeof(kind));
		module_line(MODULE_MEMORY "protection", protection, sizeof(protection));
		protection[strcspn(protection, " ")] = '\0';
		fprintf(notes, "%s %s works\n", kind, protection);
	} else {
		module_reason(messages, reason, sizeof(reason));
		fprintf(notes, "- - refused: %s\n", reason);
	}
	fclose(notes);
}

/* 0, or a negative errno. */
static inline int module_load(const char *path, const char *parameters)
{
	int file = open(path, O_RDONLY | O_CLOEXEC), messages = -1, result;
	char name[64], all[4096];
	bool is_log;

	if (file < 0)
		return -errno;
	module_name(path, name, sizeof(name));
	is_log = strcmp(name, "assay") == 0;
	if (!module_parameters(name, parameters, all, sizeof(all))) {
		close(file);
		return -E2BIG;
	}
	if (is_log) {
		messages = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (messages >= 0)
			lseek(messages, 0, SEEK_END);
	}
	result = syscall(SYS_finit_module, file, all, 0) ? -errno : 0;
	close(file);
	/* Of refusals, those of what this kernel or machine cannot do. */
	if (is_log && (result == 0 || result == -EOPNOTSUPP))
		module_note(result, messages);
	if (messages >= 0)
		close(messages);
	return result;
}

#endif /* TESTS_KMOD_MODULE_H */
