// SPDX-License-Identifier: MIT
#include "meta.h"

int meta_get(struct store *store, const char *name, uint64_t *ret, struct assay_error *err)
{
	static const struct store_statement get = { "t", "SELECT value FROM meta WHERE name = $1",
						    NULL };
	const struct store_value value = store_text(name);

	*ret = 0;
	return store_run(store, &get, &value, 1, store_take_number, ret, err);
}

int meta_set(struct store *store, const char *name, uint64_t number, struct assay_error *err)
{
	static const struct store_statement set = { "nt",
						    "UPDATE meta SET value = $1 WHERE name = $2",
						    NULL };
	const struct store_value values[] = { store_number(number), store_text(name) };

	return store_run(store, &set, values, 1, NULL, NULL, err);
}
