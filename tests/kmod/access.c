// SPDX-License-Identifier: MIT
/*
 * access MODE: who may do what with /dev/assay where a udev rule gives it to a group with
 * that mode. Reading needs read permission, adding to the log write permission, and what
 * changes the log as a whole CAP_SYS_ADMIN.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest.h"

#define GROUP 1234
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum act { OPEN, INFO, MMAP, READ, APPEND, MEASURE, ANCHOR, TRIM, SEAL, KEYS };

static int act(enum act what, int flags)
{
	struct assay_measure_entry entry = { .fd = open("/bed/test", O_RDONLY) };
	struct assay_anchor_request anchor = { 0 };
	struct assay_trim trim = { .keep = 1 };
	struct assay_seal seal = { .count = 1 };
	uint8_t key[ASSAY_KEY_SIZE];
	struct assay_keys keys = { .count = 1, .keys = (uintptr_t)key };
	struct assay_info info = { 0 };
	int fd = open(DEVICE, flags | O_NONBLOCK);
	char byte;

	if (fd < 0)
		return -errno;
	switch (what) {
	case OPEN:
		return 0;
	case INFO:
		return call(fd, ASSAY_IOC_INFO, &info);
	case MMAP:
		return mmap(NULL, (size_t)getpagesize(), PROT_READ, MAP_SHARED, fd, 0) ==
				       MAP_FAILED ?
			       -errno :
			       0;
	case READ:
		return read(fd, &byte, 1) == 1 ? 0 : -errno;
	case APPEND:
		return append(fd, "access", "x", 1, NULL);
	case MEASURE:
		return measure(fd, 0, &entry, 1, NULL);
	case ANCHOR:
		return call(fd, ASSAY_IOC_ANCHOR, &anchor);
	case TRIM:
		return call(fd, ASSAY_IOC_TRIM, &trim);
	case SEAL:
		return call(fd, ASSAY_IOC_SEAL, &seal);
	case KEYS:
		return call(fd, ASSAY_IOC_KEYS, &keys);
	}
	return -1;
}

/* @namespace: in a user namespace of their own, where they have all capabilities */
static int as_user(gid_t group, bool namespace, enum act what, int flags)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	need(child >= 0, "fork");
	if (child == 0) {
		if (setgroups(group ? 1 : 0, &group) || setgid(1000) || setuid(1000))
			_exit(255);
		if (namespace && unshare(CLONE_NEWUSER))
			_exit(254);
		_exit(-act(what, flags));
	}
	need(waitpid(child, &status, 0) == child && WIFEXITED(status), "child");
	return -WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *who;
		gid_t group;
		const char *what;
		enum act act;
		int flags;
		int result;
		bool namespace;
	} rows[] = {
		{ "the group", GROUP, "opens it to read and write", OPEN, O_RDWR, 0, false },
		{ "the group", GROUP, "asks for INFO", INFO, O_RDONLY, 0, false },
		{ "the group", GROUP, "maps the log", MMAP, O_RDONLY, 0, false },
		{ "the group", GROUP, "reads the log", READ, O_RDONLY, 0, false },
		{ "the group", GROUP, "asks for keys", KEYS, O_RDONLY, 0, false },
		{ "the group", GROUP, "cannot ask for keys with write permission alone", KEYS,
		  O_WRONLY, -EACCES, false },
		{ "the group", GROUP, "appends", APPEND, O_WRONLY, 0, false },
		{ "the group", GROUP, "measures", MEASURE, O_WRONLY, 0, false },
		{ "the group", GROUP, "anchors", ANCHOR, O_RDWR, 0, false },
		{ "the group", GROUP, "cannot map with write permission alone", MMAP, O_WRONLY,
		  -EACCES, false },
		{ "the group", GROUP, "cannot read with write permission alone", READ, O_WRONLY,
		  -EBADF, false },
		{ "the group", GROUP, "cannot append with read permission", APPEND, O_RDONLY,
		  -EACCES, false },
		{ "the group", GROUP, "cannot measure with read permission", MEASURE, O_RDONLY,
		  -EACCES, false },
		{ "the group", GROUP, "cannot anchor with read permission", ANCHOR, O_RDONLY,
		  -EACCES, false },
		{ "the group", GROUP, "cannot trim", TRIM, O_RDWR, -EPERM, false },
		{ "the group", GROUP, "cannot seal", SEAL, O_RDWR, -EPERM, false },
		{ "the group, in a namespace,", GROUP, "appends", APPEND, O_WRONLY, 0, true },
		{ "the group, in a namespace,", GROUP, "cannot trim", TRIM, O_RDWR, -EPERM, true },
		{ "the group, in a namespace,", GROUP, "cannot seal", SEAL, O_RDWR, -EPERM, true },
		{ "others, in a namespace,", 0, "cannot open it", OPEN, O_RDONLY, -EACCES, true },
		{ "others", 0, "cannot open it to read", OPEN, O_RDONLY, -EACCES, false },
		{ "others", 0, "cannot open it to write", OPEN, O_WRONLY, -EACCES, false },
	};

	need(argc == 2 && !chown(DEVICE, 0, GROUP) &&
		     !chmod(DEVICE, (mode_t)strtoul(argv[1], NULL, 8)),
	     "give " DEVICE " to the group");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char name[96];

		/* Not every kernel has namespaces of users. */
		if (rows[i].namespace && access("/proc/self/uid_map", F_OK))
			continue;
		snprintf(name, sizeof(name), "%s %s", rows[i].who, rows[i].what);
		check_is(as_user(rows[i].group, rows[i].namespace, rows[i].act, rows[i].flags),
			 rows[i].result, name);
	}
	check_is(act(SEAL, O_RDWR), 0, "root seals");
	check_is(act(TRIM, O_RDWR), 0, "root trims");
	return tap_end();
}
