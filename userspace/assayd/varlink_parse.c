// SPDX-License-Identifier: MIT
#include "varlink_parse.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "varlink_interface.h"

/* ---------------------------------------------------------------- parameters */

/* Members that may be missing or null. */
static bool get_number(const json_t *in, const char *name, uint64_t *ret)
{
	const json_t *value = json_object_get(in, name);

	if (!value || json_is_null(value))
		return true;
	*ret = (uint64_t)json_integer_value(value);
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool get_flag(const json_t *in, const char *name, uint32_t *ret)
{
	const json_t *value = json_object_get(in, name);

	*ret = json_is_true(value);
	return !value || json_is_null(value) || json_is_boolean(value);
}

static bool get_paths(const json_t *in, const char *name, uint64_t *ret, struct buffer *paths)
{
	const json_t *value = json_object_get(in, name);

	*ret = json_array_size(value);
	for (size_t i = 0; i < *ret; i++) {
		const char *path = json_string_value(json_array_get(value, i));

		if (!path)
			return false;
		buffer_append(paths, path, strlen(path) + 1);
	}
	return !value || json_is_null(value) || *ret > 0;
}

static bool get_nonce(const json_t *in, struct call_parameters *ret)
{
	const char *text = json_string_value(json_object_get(in, "nonce"));
	size_t size = 0;

	if (!text || hex_decode(text, ret->nonce, sizeof(ret->nonce), &size) < 0)
		return false;
	ret->nonce_size = (uint32_t)size;
	return true;
}

/* Each returns the parameter that is not of its type, or NULL. */

static const char *read_nothing(const json_t *in, struct call_parameters *ret, struct buffer *paths)
{
	(void)in;
	(void)ret;
	(void)paths;
	return NULL;
}

static const char *read_list(const json_t *in, struct call_parameters *ret, struct buffer *paths)
{
	(void)paths;
	if (!get_number(in, "first", &ret->first))
		return "first";
	return get_number(in, "count", &ret->count) ? NULL : "count";
}

static const char *read_measure(const json_t *in, struct call_parameters *ret, struct buffer *paths)
{
	return get_paths(in, "paths", &ret->path_count, paths) ? NULL : "paths";
}

static const char *read_quote(const json_t *in, struct call_parameters *ret, struct buffer *paths)
{
	(void)paths;
	if (!get_nonce(in, ret))
		return "nonce";
	if (!get_number(in, "since", &ret->since))
		return "since";
	if (!get_number(in, "since_ima", &ret->since_ima))
		return "since_ima";
	return get_flag(in, "file", &ret->file) ? NULL : "file";
}

static const struct method {
	const char *name;
	const char *(*read)(const json_t *in, struct call_parameters *ret, struct buffer *paths);
} methods[] = {
	{ "Status", read_nothing },
	{ "List", read_list },
	{ "Measure", read_measure },
	{ "Quote", read_quote },
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))

const char *varlink_method_name(uint32_t method)
{
	return methods[method].name;
}

/* ---------------------------------------------------------------- in the confined process */

static int refuse(struct buffer *reply, const char *error, const char *member, const char *text)
{
	return varlink_error(reply, error, json_pack("{s:s}", member, text));
}

/* A call of org.assay. */
static int read_call(const struct varlink_call *call, struct varlink_parsed *ret,
		     struct buffer *rest)
{
	struct call_parameters parameters = { .count = CALL_NO_COUNT };
	struct buffer paths = { 0 };
	const char *wrong;
	uint32_t method = 0;

	while (method < METHODS && strcmp(methods[method].name, call->method) != 0)
		method++;
	if (method == METHODS)
		return refuse(rest, VARLINK_SERVICE ".MethodNotFound", "method", call->method);
	wrong = methods[method].read(call->parameters, &parameters, &paths);
	if (wrong) {
		buffer_free(&paths);
		return refuse(rest, VARLINK_SERVICE ".InvalidParameter", "parameter", wrong);
	}
	ret->what = VARLINK_CALLED;
	ret->method = method;
	ret->parameters = parameters;
	*rest = paths;
	return paths.failed ? -ENOMEM : 0;
}

static int answer_or_read(const struct varlink_call *call, struct varlink_parsed *ret,
			  struct buffer *rest)
{
	ret->what = VARLINK_ANSWERED;
	ret->oneway = call->oneway;
	if (call->upgrade || call->more)
		return refuse(rest, VARLINK_SERVICE ".InvalidParameter", "parameter",
			      call->upgrade ? "upgrade" : "more");
	if (strcmp(call->interface, VARLINK_SERVICE) == 0)
		return varlink_interface_answer(rest, call);
	if (strcmp(call->interface, VARLINK_INTERFACE) == 0)
		return read_call(call, ret, rest);
	return refuse(rest, VARLINK_SERVICE ".InterfaceNotFound", "interface", call->interface);
}

int varlink_parse(struct bytes input, struct buffer *out, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer rest = { 0 };
	struct varlink_parsed parsed = { 0 };
	struct varlink_call call;
	int r;

	if (varlink_call_parse(BYTES(input.data, input.size - 1), &call, err) < 0) {
		parsed.what = VARLINK_MALFORMED;
		r = varlink_failure(&rest, VARLINK_INTERFACE ".Failed", err);
	} else {
		r = answer_or_read(&call, &parsed, &rest);
		varlink_call_free(&call);
	}
	if (r < 0)
		return assay_fail(err, -r, "out of memory");
	buffer_append(out, &parsed, sizeof(parsed));
	if (parsed.what == VARLINK_CALLED || !parsed.oneway)
		buffer_append_bytes(out, buffer_bytes(&rest));
	return 0;
}

/* ---------------------------------------------------------------- in the service */

static uint64_t count_texts(struct bytes texts)
{
	uint64_t count = 0;

	for (size_t i = 0; i < texts.size; i++)
		count += texts.data[i] == '\0';
	return count;
}

static bool are_sound(const struct call_parameters *parameters, struct bytes paths)
{
	return parameters->first <= INT64_MAX &&
	       (parameters->count <= INT64_MAX || parameters->count == CALL_NO_COUNT) &&
	       parameters->since <= INT64_MAX && parameters->since_ima <= INT64_MAX &&
	       parameters->file <= 1 && parameters->nonce_size <= CALL_NONCE_MAX &&
	       parameters->path_count == count_texts(paths) &&
	       (paths.size == 0 || paths.data[paths.size - 1] == '\0');
}

int varlink_take(struct bytes output, struct varlink_parsed *ret, struct bytes *ret_reply,
		 struct assay_error *err)
{
	struct bytes head;
	bool sound = bytes_take(&output, sizeof(*ret), &head);

	if (sound) {
		memcpy(ret, head.data, sizeof(*ret));
		sound = ret->what <= VARLINK_MALFORMED && ret->method < METHODS &&
			ret->oneway <= 1 &&
			(ret->what != VARLINK_CALLED || are_sound(&ret->parameters, output));
	}
	if (!sound)
		return assay_fail(err, EPROTO, "its parser gave what no call comes to");
	/* Not the pointer that the process has given. */
	ret->parameters.paths = output;
	*ret_reply = output;
	return 0;
}
