// SPDX-License-Identifier: MIT
#include "problems.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/utc.h"

static struct problem *find_problem(struct problems *problems, const char *part, const char *key)
{
	for (size_t i = 0; i < problems->count; i++)
		if (strcmp(problems->list[i].part, part) == 0 &&
		    strcmp(problems->list[i].key, key) == 0)
			return &problems->list[i];
	return NULL;
}

bool problems_set(struct problems *problems, const char *part, const char *key, const char *text)
{
	struct problem *problem = find_problem(problems, part, key);

	if (problem && strcmp(problem->text, text) == 0)
		return false;
	if (!problem) {
		if (problems->count == PROBLEMS_MAX)
			return false;
		problem = &problems->list[problems->count++];
		*problem = (struct problem){ .since = (uint64_t)time(NULL) };
		snprintf(problem->part, sizeof(problem->part), "%s", part);
		snprintf(problem->key, sizeof(problem->key), "%s", key);
	}
	snprintf(problem->text, sizeof(problem->text), "%s", text);
	return true;
}

bool problems_clear(struct problems *problems, const char *part, const char *key)
{
	struct problem *problem = find_problem(problems, part, key);
	size_t place;

	if (!problem)
		return false;
	place = (size_t)(problem - problems->list);
	problems->count--;
	memmove(problem, problem + 1, (problems->count - place) * sizeof(*problem));
	return true;
}

bool problems_have(const struct problems *problems, const char *part, const char *key)
{
	return find_problem((struct problems *)problems, part, key) != NULL;
}

size_t problems_of(const struct problems *problems, const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < problems->count; i++)
		count += strcmp(problems->list[i].part, part) == 0;
	return count;
}

json_t *problems_json(const struct problems *problems)
{
	json_t *array = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];
		char since[UTC_LENGTH + 1];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:o, s:s}", "part", problem->part,
						"problem_id", problem->key, "text",
						json_text(problem->text), "problem_since",
						utc_text(problem->since, since)));
	}
	return array;
}
