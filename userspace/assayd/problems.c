// SPDX-License-Identifier: MIT
#include "problems.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/utc.h"
#include "manager.h"
#include "service.h"

static struct problem *find_problem(struct problems *problems, const char *part, const char *key)
{
	for (size_t i = 0; i < problems->count; i++)
		if (strcmp(problems->list[i].part, part) == 0 &&
		    strcmp(problems->list[i].key, key) == 0)
			return &problems->list[i];
	return NULL;
}

static void tell_problem(const struct problem *problem, enum manager_priority priority,
			 const char *text)
{
	manager_tell(priority, problem->part, problem->key, text);
}

void problem_set(struct service *service, const char *part, const char *key, const char *format,
		 ...)
{
	struct assay_error err;
	va_list args;

	va_start(args, format);
	vsnprintf(err.text, sizeof(err.text), format, args);
	va_end(args);
	problem_set_error(service, part, key, &err);
}

void problem_set_error(struct service *service, const char *part, const char *key,
		       const struct assay_error *err)
{
	struct problems *problems = &service->problems;
	struct problem *problem = find_problem(problems, part, key);

	if (problem && strcmp(problem->text, err->text) == 0)
		return;
	if (!problem) {
		if (problems->count == PROBLEMS_MAX) {
			manager_tell(MANAGER_ERROR, part, key, err->text);
			return;
		}
		problem = &problems->list[problems->count++];
		*problem = (struct problem){ .since = (uint64_t)time(NULL) };
		snprintf(problem->part, sizeof(problem->part), "%s", part);
		snprintf(problem->key, sizeof(problem->key), "%s", key);
	}
	memcpy(problem->text, err->text, sizeof(problem->text));
	tell_problem(problem, MANAGER_ERROR, problem->text);
	service_changed(service);
}

void problem_clear(struct service *service, const char *part, const char *key)
{
	struct problems *problems = &service->problems;
	struct problem *problem = find_problem(problems, part, key);
	size_t place;

	if (!problem)
		return;
	tell_problem(problem, MANAGER_NOTICE, "mended");
	place = (size_t)(problem - problems->list);
	problems->count--;
	memmove(problem, problem + 1, (problems->count - place) * sizeof(*problem));
	service_changed(service);
}

bool problem_is_set(const struct service *service, const char *part, const char *key)
{
	return find_problem((struct problems *)&service->problems, part, key) != NULL;
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
