/* SPDX-License-Identifier: MIT */
/* Processes that do the same: each may be killed at any moment, and is started anew then. */
#ifndef ASSAY_FLEET_WORKERS_H
#define ASSAY_FLEET_WORKERS_H

#include "base/bytes.h"

#define WORKERS_MAX 256

/**
 * struct workers - @count of them; all borrowed
 * @work: is one, in its own process, which ends when it returns; it calls workers_ready() when it
 *        can work: until then SIGHUP waits
 * @again: reads anew what SIGHUP is for, in the parent; the workers get the signal as well
 * @all_ready: is called once, in the parent
 */
struct workers {
	unsigned int count;
	int (*work)(void *context, unsigned int number, struct assay_error *err);
	void (*again)(void *context);
	void (*all_ready)(void *context);
	void *context;
};

/*
 * workers_run() - start them, and start anew who ends, until SIGTERM or SIGINT has ended all
 *
 * Return: 0; -EIO if one could not start at the beginning, which has told why; -errno of fork()
 */
int workers_run(const struct workers *workers, struct assay_error *err);

/* workers_ready() - called by a worker */
void workers_ready(void);

#endif /* ASSAY_FLEET_WORKERS_H */
