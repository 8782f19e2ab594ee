// SPDX-License-Identifier: MIT
#include "act.h"

#include <errno.h>

#include "audit.h"

int act_do(struct http_call *call, act_function *function, char **ret, struct assay_error *err)
{
	struct fleet *fleet = call->context;
	int r = store_begin(fleet->store, err);

	if (r < 0)
		return r;
	r = function(call, ret, err);
	if (r == 0)
		return store_commit(fleet->store, err);
	store_rollback(fleet->store);
	return r;
}

int act_note(struct http_call *call, const char *act, struct assay_error *err)
{
	struct fleet *fleet = call->context;

	return audit_add(fleet->store, fleet_now(), call->who, act, call->parameter, err);
}

void act_failed(struct http_call *call, int r, const struct assay_error *err)
{
	switch (-r) {
	case ENOENT:
		http_answer_error(call, 404, "%s", err->text);
		break;
	case EEXIST:
		http_answer_error(call, 409, "%s", err->text);
		break;
	case EKEYREJECTED:
	case ETIME:
		http_answer_error(call, 403, "%s", err->text);
		break;
	case EFBIG:
		http_answer_error(call, 413, "%s", err->text);
		break;
	case EBUSY:
	case EIO:
	case ENOMEM:
		http_answer_later(call, 5, err->text);
		break;
	default:
		http_answer_error(call, 400, "%s", err->text);
		break;
	}
}

void act_answer(struct http_call *call, act_function *function)
{
	struct assay_error err = { 0 };
	int r = act_do(call, function, NULL, &err);

	if (r < 0)
		act_failed(call, r, &err);
	else
		http_answer_json(call, 200,
				 json_pack("{s:i, s:s, s:s}", "assay", 1, "type", "done", "name",
					   call->parameter));
}
