/* SPDX-License-Identifier: MIT */
/*
 * What keeps the service from doing all its work, until it is mended: told in the journal when it
 * comes and goes, in state.json, by `assay status`, and counted in the metrics. Parts call
 * problem_set() and so on of service.h.
 */
#ifndef ASSAY_ASSAYD_PROBLEMS_H
#define ASSAY_ASSAYD_PROBLEMS_H

#include <jansson.h>

#include "assay.h"

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
 * problems_set() - note a problem; one of that key is replaced
 * Return: false if it is known, in the same words, or there are too many; then nothing has changed
 */
bool problems_set(struct problems *problems, const char *part, const char *key, const char *text);
/* problems_clear() - false if there was none */
bool problems_clear(struct problems *problems, const char *part, const char *key);
/* problems_have() - is there one? */
bool problems_have(const struct problems *problems, const char *part, const char *key);

/* problems_of() - how many a part has */
size_t problems_of(const struct problems *problems, const char *part);

/* problems_json() - an array; NULL without memory */
json_t *problems_json(const struct problems *problems);

#endif /* ASSAY_ASSAYD_PROBLEMS_H */
