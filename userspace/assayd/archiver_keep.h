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

/* archiver_keep() - remove what is over, oldest first. Return: 0, -errno of what failed first */
int archiver_keep(const char *root, const struct keep_rules *rules, struct keep_result *ret,
		  struct assay_error *err);

/*
 * archiver_acknowledge() - a verifier has seen so much of this boot
 * @log_path: the archive of the log, which is another directory than @root/@boot_id if the module
 *            was loaded again in this boot; NULL while there is none. IMA's list has but one
 */
int archiver_acknowledge(const char *root, const char *boot_id, const char *log_path,
			 uint64_t records, uint64_t entries, struct assay_error *err);

#endif /* ASSAY_ASSAYD_ARCHIVER_KEEP_H */
