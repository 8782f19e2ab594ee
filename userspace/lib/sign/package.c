// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "sign/package.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool package_check_text(struct bytes text)
{
	if (text.size == 0 || text.size >= PACKAGE_TEXT_SIZE)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"' ||
		    text.data[i] == '\\')
			return false;
	return true;
}

const char *package_text(const struct package_name *package, char text[static PACKAGE_SHOWN_SIZE])
{
	text[0] = '\0';
	if (package && package->name)
		snprintf(text, PACKAGE_SHOWN_SIZE, ", of package %s %s (%s)", package->name,
			 package->version, package->architecture);
	return text;
}

static int compare(const void *a, const void *b)
{
	const struct package_name *first = a, *second = b;
	int order = strcmp(first->name, second->name);

	if (order == 0)
		order = strcmp(first->version, second->version);
	return order != 0 ? order : strcmp(first->architecture, second->architecture);
}

static void free_name(void *node)
{
	struct package_name *package = node;

	free((char *)package->name);
	free((char *)package->version);
	free((char *)package->architecture);
	free(package);
}

static struct package_name *copy_name(const struct package_name *package)
{
	struct package_name *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->name = strdup(package->name);
	copy->version = strdup(package->version);
	copy->architecture = strdup(package->architecture);
	if (copy->name && copy->version && copy->architecture)
		return copy;
	free_name(copy);
	return NULL;
}

const struct package_name *packages_keep(struct packages *packages,
					 const struct package_name *package)
{
	void *found = tfind(package, &packages->root, compare);
	struct package_name *copy;

	if (found)
		return *(struct package_name *const *)found;
	copy = copy_name(package);
	if (!copy)
		return NULL;
	if (!tsearch(copy, &packages->root, compare)) {
		free_name(copy);
		return NULL;
	}
	return copy;
}

void packages_free(struct packages *packages)
{
	tdestroy(packages->root, free_name);
	packages->root = NULL;
}
