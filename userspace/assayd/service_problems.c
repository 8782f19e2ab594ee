// SPDX-License-Identifier: MIT
/* Problems of the service's parts, told in the journal when they come and go. */
#include <stdio.h>

#include "manager.h"
#include "service.h"

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
	if (!problems_set(&service->problems, part, key, err->text))
		return;
	manager_tell(MANAGER_ERROR, part, key, err->text);
	service_changed(service);
}

void problem_set_parser(struct service *service, const char *part, const struct assay_error *err)
{
	if (!problem_is_set(service, part, PROBLEM_PARSER))
		problem_set(
			service, part, PROBLEM_PARSER,
			"a request could not be parsed, and was refused: %s. "
			"Report it as a fault of assayd; it is forgotten when the configuration "
			"is read anew",
			err->text);
}

void problem_clear(struct service *service, const char *part, const char *key)
{
	if (!problems_clear(&service->problems, part, key))
		return;
	manager_tell(MANAGER_NOTICE, part, key, "mended");
	service_changed(service);
}

bool problem_is_set(const struct service *service, const char *part, const char *key)
{
	return problems_have(&service->problems, part, key);
}
