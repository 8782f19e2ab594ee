// SPDX-License-Identifier: MIT
#include "memory/value.h"

#include <errno.h>
#include <string.h>

/* Not what it should be: @what, and the bytes that were there. */
static int refuse(struct bytes text, const char *what, struct assay_error *err)
{
	char escaped[64];

	text_escape(text, escaped, sizeof(escaped));
	return assay_fail(err, EBADMSG, "\"%s\" is not %s", escaped, what);
}

struct bytes value_text(struct bytes file)
{
	if (file.size > 0 && file.data[file.size - 1] == '\n')
		file.size--;
	return file;
}

/* All of @text is digits of @base, 10 or 16, and the number fits. */
static bool number(struct bytes text, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.size == 0)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];
		unsigned int digit = c >= '0' && c <= '9' ? (unsigned int)c - '0' :
				     c >= 'a' && c <= 'f' ? (unsigned int)c - 'a' + 10 :
							    base;

		if (digit >= base || value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	*ret = value;
	return true;
}

int value_unsigned(struct bytes file, uint64_t *ret, struct assay_error *err)
{
	struct bytes text = value_text(file);

	if (!number(text, 10, ret))
		return refuse(text, "a number", err);
	return 0;
}

int value_address(struct bytes file, uint64_t *ret, struct assay_error *err)
{
	struct bytes text = value_text(file), rest = text, prefix;

	if (!bytes_take(&rest, 2, &prefix) || !bytes_equal(prefix, BYTES_LITERAL("0x")) ||
	    !number(rest, 16, ret))
		return refuse(text, "a number in hexadecimal", err);
	return 0;
}

int value_condition(struct bytes file, struct value_condition *ret, struct assay_error *err)
{
	const struct bytes none = BYTES_LITERAL("none (");
	struct bytes text = value_text(file), rest = text, prefix;
	struct value_condition condition = { .full = true };

	if (!bytes_equal(text, BYTES_LITERAL("full"))) {
		if (!bytes_take(&rest, none.size, &prefix) || !bytes_equal(prefix, none) ||
		    rest.size < 2 || rest.data[rest.size - 1] != ')')
			return refuse(text, "\"full\", nor \"none\" with a reason", err);
		rest.size--;
		condition.full = false;
		text_escape(rest, condition.why, sizeof(condition.why));
	}
	*ret = condition;
	return 0;
}

/* What is before the next @separator, or all that is left. */
static struct bytes take_until(struct bytes *in, uint8_t separator)
{
	const uint8_t *end = in->size > 0 ? memchr(in->data, separator, in->size) : NULL;
	struct bytes piece = BYTES(in->data, end ? (size_t)(end - in->data) : in->size);
	size_t taken = end ? piece.size + 1 : piece.size;

	*in = BYTES(taken > 0 ? in->data + taken : in->data, in->size - taken);
	return piece;
}

int value_latencies(struct bytes file, struct value_latencies *ret, struct assay_error *err)
{
	struct value_latencies latencies = { 0 };
	struct bytes text = value_text(file);

	for (struct bytes rest = text; rest.size > 0;) {
		struct bytes item = take_until(&rest, ' ');
		struct bytes below = take_until(&item, ':');
		struct value_slot *slot = &latencies.slots[latencies.count];
		uint64_t before = latencies.count > 0 ? slot[-1].below_us : 0;

		if (latencies.count == VALUE_MAX_SLOTS)
			return assay_fail(err, EBADMSG, "there are more than %d slots of latencies",
					  VALUE_MAX_SLOTS);
		if (!number(below, 10, &slot->below_us) || !number(item, 10, &slot->count) ||
		    slot->below_us <= before || slot->count == 0 ||
		    slot->count > UINT64_MAX - latencies.total)
			return refuse(text, "BELOW:COUNT, in growing order", err);
		latencies.total += slot->count;
		latencies.count++;
	}
	*ret = latencies;
	return 0;
}

uint64_t value_latency_below(const struct value_latencies *latencies, unsigned int percent)
{
	/* Rounded up, and so that nothing overflows. */
	uint64_t wanted =
		latencies->total / 100 * percent + (latencies->total % 100 * percent + 99) / 100;
	uint64_t seen = 0;

	for (size_t i = 0; i < latencies->count; i++) {
		seen += latencies->slots[i].count;
		if (seen >= wanted)
			return latencies->slots[i].below_us;
	}
	return 0;
}
