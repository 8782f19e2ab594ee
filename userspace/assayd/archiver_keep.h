/* SPDX-License-Identifier: MIT */
/* How long archives are kept: what is removed of them, of all boots. For archiver.c. */
#ifndef ASSAY_ASSAYD_ARCHIVER_KEEP_H
#define ASSAY_ASSAYD_ARCHIVER_KEEP_H

#include "archive/archive_writer.h"

/**
 * struct keep_rules - what may stay
 * @size: bytes of all files; 0: as many as there are
 * @age: seconds; 0: for ever
 * @unacknowledged: what no verifier has seen stays, whatever its size and age
 * @boot_id: of this boot: its newest file of each stream stays, and all of IMA's list, which
 *           its other readers need whole
 * @now: seconds since 1970
 */
struct keep_rules {
	uint64_t size, age;
	bool unacknowledged;
	const char *boot_id;
	uint64_t now;
};

/**
 * struct keep_result - what came of it
 * @files, @size: that are there now: how many, and their bytes
 * @removed: files
 * @over: bytes above the rules' size that must stay, since no verifier has seen them or they are
 *        this boot's
 * @newest: time of the newest file, seconds since 1970
 */
struct keep_result {
	uint64_t files, size, removed, over, newest;
};

struct keeping;

/*
 * keeping_begin() - begin to remove what is over, oldest first; then keeping_step() until it ends
 * What is written meanwhile is not counted.
 */
int keeping_begin(const char *root, const struct keep_rules *rules, struct keeping **ret,
		  struct assay_error *err);
/*
 * keeping_step() - read some headers, or remove one file
 * Return: 1 if there is more; 0: keeping_result() says what came of it; -errno of what failed
 */
int keeping_step(struct keeping *keeping, struct assay_error *err);
const struct keep_result *keeping_result(const struct keeping *keeping);
/*
 * keeping_problems() - what is off with the files of one directory; borrowed
 * @path: of the boot
 *
 * Return: false if that was not looked through
 */
bool keeping_problems(const struct keeping *keeping, const char *path,
		      const struct archive_problem **ret, size_t *ret_count);
/* keeping_end() - NULL is allowed */
void keeping_end(struct keeping *keeping);

/*
 * archiver_acknowledge() - a verifier has seen so much of this boot
 * @log_path: the archive of the log, which is another directory than @root/@boot_id if the module
 *            was loaded again in this boot; NULL while there is none. IMA's list has but one
 */
int archiver_acknowledge(const char *root, const char *boot_id, const char *log_path,
			 uint64_t records, uint64_t entries, struct assay_error *err);

#endif /* ASSAY_ASSAYD_ARCHIVER_KEEP_H */
