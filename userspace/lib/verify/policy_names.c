// SPDX-License-Identifier: MIT
#include "verify/policy_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "log/ima.h"

static int compare_names(const char *a, const char *b)
{
	return ima_name_compare(BYTES((const uint8_t *)a, strlen(a)),
				BYTES((const uint8_t *)b, strlen(b)));
}

static int compare_pointers(const void *a, const void *b)
{
	const char *const *first = a, *const *second = b;
	int order = compare_names(*first, *second);

	return order != 0 ? order : strcmp(*first, *second);
}

int policy_names_alike(const json_t *object,
		       void (*each)(void *context, const char *first, const char *second),
		       void *context, struct assay_error *err)
{
	size_t count = 0, size = json_object_size(object);
	CLEANUP(free_pointer) const char **names = calloc(size + 1, sizeof(*names));
	const char *name;
	json_t *ignored;

	if (!names)
		return assay_fail(err, ENOMEM, "out of memory");
	/* jansson's iterator wants a writable object and does not write to it. */
	json_object_foreach((json_t *)object, name, ignored)
		names[count++] = name;
	qsort(names, count, sizeof(*names), compare_pointers);
	for (size_t i = 1; i < count; i++)
		if (compare_names(names[i - 1], names[i]) == 0)
			each(context, names[i - 1], names[i]);
	return 0;
}
