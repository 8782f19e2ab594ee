// SPDX-License-Identifier: MIT
/*
 * Lists of digests and names, as sha256sum(1) of GNU coreutils and its likes write them: a
 * digest, a space, a space or a star, and the name; with -z each ended by NUL; with --tag
 * "SHA256 (name) = digest"; a backslash in front where the name's are escaped. And Keylime's
 * flat allowlists, where "%keyring:" is in front of a keyring's name.
 */
#include <errno.h>
#include <string.h>

#include "log/log_kind.h"
#include "verify/policy_references.h"

#define PATH_MAX_SIZE 4096
/* Lines that are named when they are not taken over; what is more is counted. */
#define NAMED_LINES 1000

struct line {
	char hex[2 * ASSAY_DIGEST_MAX + 1];
	uint8_t name[PATH_MAX_SIZE];
	size_t name_size;
};

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

static bool begins_with(struct bytes text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text.size >= length && memcmp(text.data, prefix, length) == 0;
}

static struct bytes skip(struct bytes text, size_t size)
{
	return BYTES(text.data + size, text.size - size);
}

static const char *take_hex(struct bytes text, struct line *ret)
{
	if (text.size == 0 || text.size >= sizeof(ret->hex))
		return "it does not begin with a digest";
	memcpy(ret->hex, text.data, text.size);
	ret->hex[text.size] = '\0';
	return NULL;
}

/* "\\", "\n" and "\r", as they are written where a line begins with a backslash. */
static const char *take_name(struct bytes text, bool escaped, struct line *ret)
{
	if (text.size == 0)
		return "it has no name";
	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = text.data[i];

		if (ret->name_size == sizeof(ret->name))
			return "its name is too long";
		if (byte == '\0')
			return "its name has a NUL in it";
		if (escaped && byte == '\\') {
			i++;
			if (i < text.size && text.data[i] == 'n')
				byte = '\n';
			else if (i < text.size && text.data[i] == 'r')
				byte = '\r';
			else if (i == text.size || text.data[i] != '\\')
				return "its name has an escape that is not one of \\\\, \\n and "
				       "\\r";
		}
		ret->name[ret->name_size++] = byte;
	}
	return NULL;
}

/* "SHA256 (name) = HEX", or as openssl-dgst(1) writes it "SHA2-256(name)= HEX" */
static const char *parse_tagged(struct bytes text, bool escaped, struct line *ret)
{
	static const struct {
		const char *tag;
		enum assay_hash hash;
	} tags[] = {
		{ "SHA1", ASSAY_HASH_SHA1 },	   { "SHA256", ASSAY_HASH_SHA256 },
		{ "SHA384", ASSAY_HASH_SHA384 },   { "SHA512", ASSAY_HASH_SHA512 },
		{ "SHA2-256", ASSAY_HASH_SHA256 }, { "SHA2-384", ASSAY_HASH_SHA384 },
		{ "SHA2-512", ASSAY_HASH_SHA512 },
	};
	const uint8_t *open = memchr(text.data, '(', text.size);
	size_t begin = (size_t)(open - text.data) + 1, digest = text.size, end;
	size_t tag = begin - 1, known = 0;
	const char *problem;

	while (tag > 0 && text.data[tag - 1] == ' ')
		tag--;
	while (known < sizeof(tags) / sizeof(tags[0]) &&
	       (strlen(tags[known].tag) != tag || memcmp(tags[known].tag, text.data, tag) != 0))
		known++;
	if (known == sizeof(tags) / sizeof(tags[0]))
		return "its hash is not SHA-1, SHA-256, SHA-384 or SHA-512";
	/* From the end on, since the name may have such characters in it. */
	while (digest > begin && text.data[digest - 1] != ' ' && text.data[digest - 1] != '=')
		digest--;
	end = digest;
	while (end > begin && (text.data[end - 1] == ' ' || text.data[end - 1] == '='))
		end--;
	if (end == digest || end == begin || text.data[end - 1] != ')')
		return "it has no ')' and '=' before the digest";
	problem = take_hex(skip(text, digest), ret);
	if (!problem && text.size - digest != 2 * assay_hash_size(tags[known].hash))
		problem = "its digest is not of its hash's size";
	if (problem)
		return problem;
	return take_name(BYTES(text.data + begin, end - 1 - begin), escaped, ret);
}

static const char *parse_plain(struct bytes text, bool escaped, struct line *ret)
{
	size_t digits = 0, blanks;
	const char *problem;

	while (digits < text.size && !is_blank(text.data[digits]))
		digits++;
	problem = take_hex(BYTES(text.data, digits), ret);
	if (problem)
		return problem;
	text = skip(text, digits);
	for (blanks = 0; blanks < text.size && is_blank(text.data[blanks]);)
		blanks++;
	text = skip(text, blanks);
	/* Of a file that was read as binary, a star for the second space. */
	if (blanks == 1 && begins_with(text, "*"))
		text = skip(text, 1);
	if (text.size == 0)
		return "it is not a digest and a path, as sha256sum writes them";
	return take_name(text, escaped, ret);
}

static const char *parse_line(struct bytes text, struct line *ret)
{
	bool escaped = begins_with(text, "\\");
	size_t word = 0;

	if (escaped)
		text = skip(text, 1);
	while (word < text.size && !is_blank(text.data[word]) && text.data[word] != '(')
		word++;
	if (begins_with(text, "SHA") ||
	    (word < text.size && (text.data[word] == '(' || begins_with(skip(text, word), " ("))))
		return memchr(text.data, '(', text.size) ? parse_tagged(text, escaped, ret) :
							   "it does not begin with a digest";
	return parse_plain(text, escaped, ret);
}

/* Return: as references_add_digest() */
static int add_line(struct policy_references *references, struct bytes text,
		    const char **ret_problem)
{
	static const char keyring[] = "%keyring:";
	struct line line = { .name_size = 0 };
	struct bytes name;

	*ret_problem = parse_line(text, &line);
	if (*ret_problem)
		return 1;
	name = BYTES(line.name, line.name_size);
	if (begins_with(name, keyring)) {
		name = skip(name, sizeof(keyring) - 1);
		if (name.size == 0) {
			*ret_problem = "its keyring has no name";
			return 1;
		}
	}
	return references_add_digest(references, name, line.hex, ret_problem);
}

int references_add_lines(struct policy_references *references, struct bytes text)
{
	/* With -z, all lines end in NUL, and their names may have newlines. */
	uint8_t separator = text.size > 0 && text.data[text.size - 1] == '\0' ? '\0' : '\n';
	uint64_t number = 0, taken = 0, left_out = 0, first_number = 0;
	enum log_kind kind = log_kind_detect(text);
	const char *first = NULL;

	/* Line by line, it would only be shown as what it is not. */
	if (kind == LOG_KIND_IMA || kind == LOG_KIND_UEFI || kind == LOG_KIND_CEL ||
	    kind == LOG_KIND_CCEL)
		return assay_fail(references->err, EBADMSG,
				  "nothing of it can be taken over: it has no lines: %s",
				  log_kind_sentence(kind));
	while (text.size > 0) {
		const uint8_t *end = memchr(text.data, separator, text.size);
		struct bytes line = BYTES(text.data, end ? (size_t)(end - text.data) : text.size);
		const char *problem;
		int r;

		text = skip(text, line.size + (end ? 1 : 0));
		number++;
		while (separator == '\n' && line.size > 0 && line.data[line.size - 1] == '\r')
			line.size--;
		if (line.size == 0 || line.data[0] == '#')
			continue;
		r = add_line(references, line, &problem);
		if (r < 0)
			return r;
		if (r == 0) {
			taken++;
			continue;
		}
		if (!first) {
			first = problem;
			first_number = number;
		}
		if (left_out++ < NAMED_LINES) {
			char shown[REFERENCE_TEXT];

			references_warn(references, "line %llu, \"%s\", is not taken over: %s",
					(unsigned long long)number, references_text(line, shown),
					problem);
		}
	}
	if (left_out > NAMED_LINES)
		references_warn(references, "%llu more lines are not taken over",
				(unsigned long long)(left_out - NAMED_LINES));
	if (taken == 0 && first)
		return assay_fail(references->err, EBADMSG,
				  "nothing of it can be taken over; line %llu: %s",
				  (unsigned long long)first_number, first);
	if (taken == 0)
		return assay_fail(references->err, EBADMSG,
				  "nothing of it can be taken over: it has no line with a digest");
	return 0;
}
