// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "varlink_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define WHAT "the call"

void varlink_call_free(struct varlink_call *call)
{
	json_decref(call->message);
	free(call->interface);
	*call = (struct varlink_call){ 0 };
}

/* A member that may be missing, and is true or false. */
static int get_flag(const json_t *message, const char *name, bool *ret, struct assay_error *err)
{
	const json_t *value = json_object_get(message, name);

	if (value && !json_is_boolean(value))
		return assay_fail(err, EINVAL, WHAT ": \"%s\" must be true or false", name);
	*ret = json_is_true(value);
	return 0;
}

static int get_method(struct varlink_call *call, struct assay_error *err)
{
	const char *name, *dot;
	int r = json_get_string(call->message, "method", WHAT, &name, err);

	if (r < 0)
		return r;
	dot = strrchr(name, '.');
	if (!dot || dot == name || dot[1] == '\0')
		return assay_fail(err, EINVAL,
				  WHAT ": \"method\" must be INTERFACE.METHOD, org.assay.Status");
	call->interface = strndup(name, (size_t)(dot - name));
	call->method = dot + 1;
	return call->interface ? 0 : assay_fail(err, ENOMEM, "out of memory");
}

static int get_parameters(struct varlink_call *call, struct assay_error *err)
{
	json_t *value = json_object_get(call->message, "parameters");

	if (!value || json_is_null(value)) {
		value = json_object();
		if (json_object_set_new(call->message, "parameters", value) < 0)
			return assay_fail(err, ENOMEM, "out of memory");
	}
	if (!json_is_object(value))
		return assay_fail(err, EINVAL, WHAT ": \"parameters\" must be an object");
	call->parameters = value;
	return 0;
}

int varlink_call_parse(struct bytes text, struct varlink_call *ret, struct assay_error *err)
{
	static const char *const known[] = { "method", "parameters", "more",
					     "oneway", "upgrade",    NULL };
	struct varlink_call call = { 0 };
	int r = json_parse(text, WHAT, &call.message, err);

	if (r == 0)
		r = json_only(call.message, known, WHAT, err);
	if (r == 0)
		r = get_method(&call, err);
	if (r == 0)
		r = get_parameters(&call, err);
	if (r == 0)
		r = get_flag(call.message, "more", &call.more, err);
	if (r == 0)
		r = get_flag(call.message, "oneway", &call.oneway, err);
	if (r == 0)
		r = get_flag(call.message, "upgrade", &call.upgrade, err);
	if (r < 0) {
		varlink_call_free(&call);
		return r;
	}
	*ret = call;
	return 0;
}

static int append_text(const char *text, size_t size, void *out)
{
	buffer_append(out, text, size);
	return ((struct buffer *)out)->failed ? -1 : 0;
}

/* @reply is taken over. */
static int append_message(struct buffer *out, json_t *reply)
{
	int r = reply ? json_dump_callback(reply, append_text, out, JSON_COMPACT) : -1;

	json_decref(reply);
	buffer_append_u8(out, 0);
	return r < 0 || out->failed ? -ENOMEM : 0;
}

int varlink_reply(struct buffer *out, json_t *parameters)
{
	return append_message(
		out, json_pack("{s:o}", "parameters", parameters ? parameters : json_object()));
}

int varlink_error(struct buffer *out, const char *error, json_t *parameters)
{
	return append_message(out, json_pack("{s:s, s:o}", "error", error, "parameters",
					     parameters ? parameters : json_object()));
}

int varlink_failure(struct buffer *out, const char *error, const struct assay_error *err)
{
	return varlink_error(
		out, error,
		json_pack("{s:o, s:i}", "text", json_text(err->text), "errno", err->code));
}
