// SPDX-License-Identifier: MIT
/*
 * Fuzzing what events of the firmware's log say: four bytes of the event's type, then its data.
 * Both are described in words and in JSON, and the words are fit to print.
 */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "firmware/describe.h"
#include "fuzz.h"

/* One line, of well-formed text without a control character. */
static void check_line(struct bytes line)
{
	while (line.size > 0) {
		size_t size = text_character(line);

		if (size == 0)
			abort();
		line = BYTES(line.data + size, line.size - size);
	}
}

static void check_parts(const struct firmware_content *content, struct bytes data)
{
	if (content->problem)
		return;
	inside(content->text, data);
	inside(content->path, data);
	inside(content->entries, data);
	inside(content->description, data);
	if (content->kind == FIRMWARE_VARIABLE) {
		inside(content->variable.name, data);
		inside(content->variable.value, data);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct uefi_reader reader = { 0 };
	struct uefi_event event = { .pcr = 7, .digest_count = 1, .extended = true };
	struct firmware_content content;
	struct buffer says = { 0 };
	struct assay_error err;
	struct bytes in = BYTES(data, size);
	json_t *object;

	if (!bytes_take_le32(&in, &event.type))
		return 0;
	event.extended = event.type != UEFI_EV_NO_ACTION;
	event.digests[0] = (struct assay_digest){ .hash = ASSAY_HASH_SHA256, .size = 32 };
	event.data = in;
	if (firmware_content_read(&reader, &event, &content, &err) < 0)
		abort();
	check_parts(&content, in);
	firmware_says(&event, &content, &says);
	check_line(buffer_bytes(&says));
	object = firmware_event_json(&event, &content);
	if (!object || !json_object_get(object, "event_data") || !json_object_get(object, "says"))
		abort();
	json_decref(object);
	buffer_free(&says);
	uefi_close(&reader);
	return 0;
}
