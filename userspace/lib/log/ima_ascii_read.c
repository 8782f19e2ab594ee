// SPDX-License-Identifier: MIT
/* IMA's list as text, back in binary form. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/ima_ascii.h"

#define TEMPLATE_IMA "ima"
#define DIGEST_IMA 20 /* bytes: SHA-1 */
/* A line at most: its longest field is in hexadecimal. */
#define LINE_MAX_SIZE (2 * (size_t)IMA_MAX_TEMPLATE_DATA + 4096)

/**
 * struct line - one line in the making
 * @words: what follows the template's name, a field each as text
 */
struct line {
	uint64_t number;
	uint32_t pcr;
	struct assay_digest digest;
	bool violation;
	struct bytes name;
	struct ima_format format;
	size_t word_count;
	struct bytes words[IMA_MAX_FIELDS];
	struct buffer data;
};

/* "10 HEX ima-ng ...": a PCR, at least the digits of SHA-1, a space and a template's name. */
bool ima_ascii_is(struct bytes file)
{
	size_t at = 0, digits = 0;

	while (at < file.size && at < 2 && file.data[at] == ' ')
		at++;
	while (at < file.size && file.data[at] >= '0' && file.data[at] <= '9')
		at++;
	if (at == 0 || at >= file.size || file.data[at++] != ' ')
		return false;
	while (at < file.size && ((file.data[at] >= '0' && file.data[at] <= '9') ||
				  (file.data[at] >= 'a' && file.data[at] <= 'f'))) {
		digits++;
		at++;
	}
	return digits >= 2 * assay_hash_size(ASSAY_HASH_SHA1) && at + 1 < file.size &&
	       file.data[at] == ' ' && file.data[at + 1] >= 'a' && file.data[at + 1] <= 'z';
}

static int fail_line(const struct line *line, const char *why, struct assay_error *err)
{
	return assay_fail(err, EBADMSG, "line %" PRIu64 " of IMA's list as text: %s", line->number,
			  why);
}

/* Takes what is before the first @separator, which is dropped; all if there is none. */
static struct bytes take_word(struct bytes *in, uint8_t separator)
{
	const uint8_t *end = in->size > 0 ? memchr(in->data, separator, in->size) : NULL;
	size_t size = end ? (size_t)(end - in->data) : in->size;
	struct bytes word = BYTES(in->data, size);

	in->data += size + (end ? 1 : 0);
	in->size -= size + (end ? 1 : 0);
	return word;
}

static int hex_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool append_hex(struct bytes text, struct buffer *out)
{
	if (text.size % 2 != 0)
		return false;
	for (size_t i = 0; i < text.size; i += 2) {
		int high = hex_value(text.data[i]), low = hex_value(text.data[i + 1]);

		if (high < 0 || low < 0)
			return false;
		buffer_append_u8(out, (uint8_t)(high << 4 | low));
	}
	return true;
}

static void append_le(struct buffer *out, uint32_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buffer_append_u8(out, (uint8_t)(value >> (8 * i)));
}

/* "algorithm:HEX" is hashed as "algorithm:", NUL and the digest. */
static bool append_algorithm(struct bytes text, struct buffer *out)
{
	size_t colon = text.size;

	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	buffer_append(out, text.data, colon);
	buffer_append_u8(out, 0);
	return append_hex(BYTES(text.data + colon, text.size - colon), out);
}

static bool append_number(struct bytes text, size_t size, struct buffer *out)
{
	uint64_t value = 0, limit = UINT64_C(1) << (8 * size);

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = 10 * value + (uint64_t)(text.data[i] - '0');
		if (value >= limit)
			return false;
	}
	append_le(out, (uint32_t)value, size);
	return true;
}

/* The value of one field, without its length; an empty word is an empty field. */
static bool append_value(enum ima_form form, struct bytes word, struct buffer *out)
{
	if (word.size == 0)
		return true;
	switch (form) {
	case IMA_FORM_HEX:
		return append_hex(word, out);
	case IMA_FORM_ALGORITHM:
		return append_algorithm(word, out);
	case IMA_FORM_PATH:
	case IMA_FORM_NAMES:
		buffer_append_bytes(out, word);
		buffer_append_u8(out, 0);
		return true;
	case IMA_FORM_U16:
		return append_number(word, sizeof(uint16_t), out);
	case IMA_FORM_U32:
		return append_number(word, sizeof(uint32_t), out);
	}
	return false;
}

/* A path is never empty: it ends in NUL. */
static bool append_field(enum ima_form form, struct bytes word, struct buffer *out)
{
	size_t start = out->size, size;
	bool good;

	append_le(out, 0, sizeof(uint32_t));
	if (form == IMA_FORM_PATH && word.size == 0)
		buffer_append_u8(out, 0);
	good = append_value(form, word, out);
	if (!good || out->failed)
		return good;
	size = out->size - start - sizeof(uint32_t);
	for (size_t i = 0; i < sizeof(uint32_t); i++)
		out->data[start + i] = (uint8_t)(size >> (8 * i));
	return true;
}

/* Template data of the words; false where a word is not what the field has. */
static bool make_data(struct line *line)
{
	line->data.size = 0;
	if (line->format.field_count == 0) {
		struct bytes path = line->words[1];

		if (!append_hex(line->words[0], &line->data) || line->data.size != DIGEST_IMA ||
		    path.size > IMA_NAME_LIMIT)
			return false;
		append_le(&line->data, (uint32_t)path.size, sizeof(uint32_t));
		buffer_append_bytes(&line->data, path);
		return true;
	}
	for (size_t i = 0; i < line->format.field_count; i++)
		if (!append_field(ima_field_form(line->format.fields[i]), line->words[i],
				  &line->data))
			return false;
	return true;
}

/*
 * Takes @in apart: @before fields, the path, and of those behind it the first @present; the
 * others are empty. Only a path has spaces.
 */
static bool split(struct line *line, struct bytes in, size_t before, size_t present)
{
	size_t count = line->word_count;

	for (size_t i = 0; i < count; i++)
		line->words[i] = BYTES(in.data, 0);
	for (size_t i = 0; i < before; i++)
		line->words[i] = take_word(&in, ' ');
	for (size_t i = before + present; i > before; i--) {
		size_t at = in.size;

		while (at > 0 && in.data[at - 1] != ' ')
			at--;
		if (at == 0)
			return false;
		line->words[i] = BYTES(in.data + at, in.size - at);
		in.size = at - 1;
	}
	/* Without a path, nothing may be left over. */
	if (before == count)
		return in.size == 0;
	line->words[before] = in;
	return true;
}

static int compare_digest(const struct line *line, struct hasher *hasher, bool *ret,
			  struct assay_error *err)
{
	struct ima_entry entry = { .name = line->name, .data = buffer_bytes(&line->data) };
	struct assay_digest found;
	int r;

	if (line->data.failed)
		return assay_fail(err, ENOMEM, "out of memory");
	r = ima_template_hash(&entry, hasher, &found, err);
	*ret = r == 0 && memcmp(found.bytes, line->digest.bytes, found.size) == 0;
	return r;
}

static size_t words_before_path(const struct line *line)
{
	size_t before = 0;

	if (line->format.field_count == 0)
		return 1;
	while (before < line->word_count &&
	       ima_field_form(line->format.fields[before]) != IMA_FORM_PATH)
		before++;
	return before;
}

/*
 * The fields as the template digest has them, or, where it has none of the ways that they can be
 * read, as they most likely are.
 * Return: 0 with *ret_same; -EBADMSG, -ENOMEM
 */
static int read_fields(struct line *line, struct bytes in, struct hasher *hasher, bool *ret_same,
		       struct assay_error *err)
{
	size_t before = words_before_path(line);
	size_t behind = before < line->word_count ? line->word_count - before - 1 : 0;
	size_t likely = SIZE_MAX;

	*ret_same = false;
	for (size_t present = behind + 1; present-- > 0;) {
		int r;

		if (!split(line, in, before, present) || !make_data(line))
			continue;
		if (likely == SIZE_MAX)
			likely = present;
		r = compare_digest(line, hasher, ret_same, err);
		if (r < 0 || *ret_same || line->violation)
			return r;
	}
	if (likely == SIZE_MAX)
		return fail_line(line, "it has not the fields of its template", err);
	(void)split(line, in, before, likely);
	(void)make_data(line);
	return 0;
}

static bool take_pcr(struct bytes *in, uint32_t *ret)
{
	struct bytes word;

	if (in->size > 0 && in->data[0] == ' ')
		*in = BYTES(in->data + 1, in->size - 1);
	word = take_word(in, ' ');
	*ret = 0;
	for (size_t i = 0; i < word.size; i++) {
		if (i == 2 || word.data[i] < '0' || word.data[i] > '9')
			return false;
		*ret = 10 * *ret + (uint32_t)(word.data[i] - '0');
	}
	return word.size > 0 && *ret < IMA_PCR_COUNT;
}

static bool take_digest(struct bytes *in, struct assay_digest *ret)
{
	static const enum assay_hash hashes[] = { ASSAY_HASH_SHA1, ASSAY_HASH_SHA256,
						  ASSAY_HASH_SHA384, ASSAY_HASH_SHA512 };
	struct bytes word = take_word(in, ' ');
	struct buffer bytes = { 0 };
	bool good = false;

	*ret = (struct assay_digest){ 0 };
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (word.size == 2 * assay_hash_size(hashes[i]))
			*ret = (struct assay_digest){ .hash = hashes[i], .size = word.size / 2 };
	if (ret->size > 0)
		good = append_hex(word, &bytes) && !bytes.failed;
	if (good)
		memcpy(ret->bytes, bytes.data, ret->size);
	buffer_free(&bytes);
	return good;
}

/* PCR, template digest and the template's name; what is left of @in are the fields. */
static int read_head(struct line *line, struct bytes *in, struct assay_error *err)
{
	if (in->size > LINE_MAX_SIZE)
		return fail_line(line, "it is longer than any of the kernel's", err);
	if (memchr(in->data, '\0', in->size))
		return fail_line(line, "it has a NUL character", err);
	if (!take_pcr(in, &line->pcr))
		return fail_line(line, "it does not begin with a PCR", err);
	if (!take_digest(in, &line->digest))
		return fail_line(line,
				 "its template digest is not in hexadecimal, of SHA-1, SHA-256, "
				 "SHA-384 or SHA-512",
				 err);
	line->name = take_word(in, ' ');
	line->violation = bytes_are_zero(BYTES(line->digest.bytes, line->digest.size));
	line->format = (struct ima_format){ 0 };
	if (bytes_equal(line->name, BYTES_LITERAL(TEMPLATE_IMA)))
		line->word_count = 2;
	else if (line->name.size > IMA_MAX_TEMPLATE_NAME ||
		 !ima_format_read(line->name, &line->format) || line->format.field_count == 0)
		return fail_line(line, "its template is not known", err);
	else
		line->word_count = line->format.field_count;
	return 0;
}

static void append_entry(const struct line *line, struct buffer *out)
{
	append_le(out, line->pcr, sizeof(uint32_t));
	buffer_append(out, line->digest.bytes, line->digest.size);
	append_le(out, (uint32_t)line->name.size, sizeof(uint32_t));
	buffer_append_bytes(out, line->name);
	if (line->format.field_count > 0)
		append_le(out, (uint32_t)line->data.size, sizeof(uint32_t));
	buffer_append_bytes(out, buffer_bytes(&line->data));
}

static int read_line(struct line *line, struct bytes in, struct hasher *hasher,
		     struct ima_ascii_list *list, struct assay_error *err)
{
	bool same = false;
	int r = read_head(line, &in, err);

	if (r == 0 && list->entries == 0) {
		list->bank = line->digest.hash;
		r = hasher_open(hasher, list->bank, err);
	}
	if (r == 0 && line->digest.hash != list->bank)
		r = fail_line(line, "its template digest is not of the length of those before",
			      err);
	if (r == 0)
		r = read_fields(line, in, hasher, &same, err);
	if (r == 0 && line->data.size > IMA_MAX_TEMPLATE_DATA)
		r = fail_line(line, "its template data is longer than any of the kernel's", err);
	if (r < 0)
		return r;
	list->entries++;
	if (!same && !line->violation && list->others++ == 0)
		list->first = line->number;
	return 0;
}

int ima_ascii_read(struct bytes text, struct buffer *out, struct ima_ascii_list *ret,
		   struct assay_error *err)
{
	struct ima_ascii_list list = { 0 };
	struct line line = { 0 };
	struct hasher hasher = { 0 };
	int r = 0;

	while (r == 0 && text.size > 0) {
		struct bytes one = take_word(&text, '\n');

		line.number++;
		/* Programs that hand lists on end them with more than one newline. */
		if (one.size == 0)
			continue;
		r = read_line(&line, one, &hasher, &list, err);
		if (r == 0)
			append_entry(&line, out);
	}
	if (r == 0 && list.entries == 0)
		r = assay_fail(err, EBADMSG, "IMA's list as text has no line");
	if (r == 0 && out->failed)
		r = assay_fail(err, ENOMEM, "out of memory");
	hasher_close(&hasher);
	buffer_free(&line.data);
	if (r == 0)
		*ret = list;
	return r;
}
