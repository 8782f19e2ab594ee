// SPDX-License-Identifier: MIT
/*
 * What clients of the service's sockets send, any bytes: a call of Varlink, or the head of a
 * request for metrics. It is refused with a sentence, or taken apart into what is within it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "assayd/http_head.h"
#include "assayd/varlink_interface.h"
#include "assayd/varlink_message.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_error err = { 0 };
	struct varlink_call call;
	size_t head = 0;
	int status;

	if (varlink_call_parse(BYTES(data, size), &call, &err) < 0) {
		require(err.code > 0 && err.text[0] != '\0');
	} else {
		require(call.interface[0] != '\0' && call.method[0] != '\0' &&
			!strchr(call.method, '.') && json_is_object(call.parameters));
		answer(&call);
		varlink_call_free(&call);
	}
	status = http_head_status(BYTES(data, size), "/metrics", &head);
	require(status == 0 ? size < HTTP_HEAD_MAX : status >= 200 && status < 600);
	require(status != 200 || (head >= 4 && head <= size));
	return 0;
}
