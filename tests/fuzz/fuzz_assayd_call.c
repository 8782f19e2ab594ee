// SPDX-License-Identifier: MIT
/*
 * What clients of the service's sockets send, any bytes: a call of Varlink, or the head of a
 * request for metrics. It is refused with a sentence, or taken apart into what is within it; and
 * what a parser that was taken over may give of it, any bytes as well.
 */
#define _GNU_SOURCE /* strnlen() */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "assayd/http_head.h"
#include "assayd/varlink_interface.h"
#include "assayd/varlink_message.h"
#include "assayd/varlink_parse.h"
#include "fuzz.h"

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A call that was understood can be answered, with one message. */
static void answer(const struct varlink_call *call)
{
	struct buffer out = { 0 };

	require(varlink_interface_answer(&out, call) == 0);
	require(out.size > 2 && memchr(out.data, 0, out.size) == out.data + out.size - 1);
	buffer_free(&out);
}

/* The service takes it: it is within its bounds, wherever it comes from. */
static bool take(struct bytes output)
{
	struct varlink_parsed parsed;
	struct assay_error err;
	struct bytes reply, paths;
	uint64_t count = 0;

	if (varlink_take(output, &parsed, &reply, &err) < 0)
		return false;
	require(varlink_method_name(parsed.method)[0] != '\0');
	if (parsed.what != VARLINK_CALLED)
		return true;
	require(parsed.parameters.nonce_size <= CALL_NONCE_MAX);
	for (paths = parsed.parameters.paths; paths.size > 0; count++)
		require(bytes_take(&paths, strnlen((const char *)paths.data, paths.size) + 1,
				   &reply));
	require(count == parsed.parameters.path_count);
	return true;
}

/* As it comes from a socket, with its NUL; what the parser gives is always taken. */
static void parse(const uint8_t *data, size_t size)
{
	struct buffer text = { 0 }, out = { 0 };
	struct assay_error err;

	buffer_append(&text, data, size);
	buffer_append_u8(&text, 0);
	require(varlink_parse(buffer_bytes(&text), &out, &err) == 0);
	require(take(buffer_bytes(&out)));
	buffer_free(&text);
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = BYTES(data, size);
	struct assay_error err = { 0 };
	struct varlink_call call;
	uint32_t status;
	size_t head;

	if (varlink_call_parse(input, &call, &err) < 0) {
		require(err.code > 0 && err.text[0] != '\0');
	} else {
		require(call.interface[0] != '\0' && call.method[0] != '\0' &&
			!strchr(call.method, '.') && json_is_object(call.parameters));
		answer(&call);
		varlink_call_free(&call);
	}
	parse(data, size);
	(void)take(input);
	head = http_head_size(input, 0);
	require(head <= size && (head > 0 || size < HTTP_HEAD_MAX));
	/* The same, where half of it had come before. */
	if (http_head_size(BYTES(data, size / 2), 0) == 0)
		require(http_head_size(input, size / 2) == head);
	if (head == 0)
		return 0;
	status = http_head_status(BYTES(data, head), "/metrics");
	require(status >= 200 && status < 600);
	require(status != 200 || head >= 4);
	return 0;
}
