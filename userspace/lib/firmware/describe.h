/* SPDX-License-Identifier: MIT */
/* What an event of the firmware's log says, for people and for programs. Pure. */
#ifndef ASSAY_FIRMWARE_DESCRIBE_H
#define ASSAY_FIRMWARE_DESCRIBE_H

#include <jansson.h>

#include "firmware/content.h"

/* firmware_says() - append what the event says to @out, a line without its end, fit to print */
void firmware_says(const struct uefi_event *event, const struct firmware_content *content,
		   struct buffer *out);

/*
 * firmware_event_json() - the event as "firmware-event" of policy/output.schema.json has it
 * Return: a new value; NULL without memory
 */
json_t *firmware_event_json(const struct uefi_event *event, const struct firmware_content *content);

/* firmware_event_type() - "EV_SEPARATOR", or "0x8000001f"; @text has room for 16; a text */
const char *firmware_event_type(uint32_t type, char text[static 16]);

#endif /* ASSAY_FIRMWARE_DESCRIBE_H */
