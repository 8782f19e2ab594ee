// SPDX-License-Identifier: MIT
#include "view_common.h"

#include <errno.h>
#include <string.h>

#include "act.h"
#include "base/json.h"
#include "memory/value.h"

void view_answer(struct http_call *call, const char *type, const char *member, json_t *found, int r,
		 const struct assay_error *err)
{
	if (r < 0) {
		json_decref(found);
		act_failed(call, r, err);
		return;
	}
	http_answer_json(
		call, 200,
		json_pack("{s:i, s:s, s:o}", "assay", JSON_VERSION, "type", type, member, found));
}

void view_answer_one(struct http_call *call, const char *type, const char *member, json_t *list,
		     int r, struct assay_error *err)
{
	json_t *one = r == 0 ? json_incref(json_array_get(list, 0)) : NULL;

	json_decref(list);
	if (r == 0 && !one)
		r = assay_fail(err, ENOENT, "there is nothing of %s", call->parameter);
	view_answer(call, type, member, one, r, err);
}

int view_append(json_t *list, json_t *row, struct assay_error *err)
{
	return json_array_append_new(list, row) < 0 ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

int view_number(const struct http_call *call, const char *name, uint64_t initial, uint64_t most,
		uint64_t *ret, struct assay_error *err)
{
	char text[HTTP_PARAMETER_MAX];

	*ret = initial;
	if (!http_query(call, name, text))
		return assay_fail(err, EINVAL, "%s is too long", name);
	if (text[0] == '\0')
		return 0;
	if (value_unsigned(BYTES((const uint8_t *)text, strlen(text)), ret, NULL) < 0 ||
	    *ret > most)
		return assay_fail(err, EINVAL, "%s must be a number up to %llu", name,
				  (unsigned long long)most);
	return 0;
}
