/* SPDX-License-Identifier: MIT */
/*
 * What keeps the service from doing all its work, until it is mended: told in the journal when it
 * comes and goes, in state.json, by `assay status`, and counted in the metrics.
 */
#ifndef ASSAY_ASSAYD_PROBLEMS_H
#define ASSAY_ASSAYD_PROBLEMS_H

#include <jansson.h>

#include "assay.h"

struct service;

/* At a time. */
#define PROBLEMS_MAX 64

/**
 * struct problem - one
 * @key: what it is, of its part: "device", "disk-full"
 * @text: what is wrong, where, and what to do
 * @since: seconds since 1970
 */
struct problem {
	char part[24];
	char key[40];
	char text[1024];
	uint64_t since;
};

struct problems {
	struct problem list[PROBLEMS_MAX];
	size_t count;
};

/*
 * problem_set() - note a problem; one of that key is replaced
 * It is told once, and again only when its text is another one.
 */
void problem_set(struct service *service, const char *part, const char *key, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* problem_set_error() - the same, of an error */
void problem_set_error(struct service *service, const char *part, const char *key,
		       const struct assay_error *err);

/* problem_clear() - it is mended; does nothing if there was none */
void problem_clear(struct service *service, const char *part, const char *key);

bool problem_is_set(const struct service *service, const char *part, const char *key);

/* problems_of() - how many a part has */
size_t problems_of(const struct problems *problems, const char *part);

/* problems_json() - an array; NULL without memory */
json_t *problems_json(const struct problems *problems);

#endif /* ASSAY_ASSAYD_PROBLEMS_H */
