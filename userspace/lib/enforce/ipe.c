// SPDX-License-Identifier: MIT
#include "enforce/ipe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/words.h"

#define VERSION_PARTS 3

static const char *const operation_names[IPE_OPERATIONS] = {
	[IPE_EXECUTE] = "EXECUTE",
	[IPE_FIRMWARE] = "FIRMWARE",
	[IPE_KMODULE] = "KMODULE",
	[IPE_KEXEC_IMAGE] = "KEXEC_IMAGE",
	[IPE_KEXEC_INITRAMFS] = "KEXEC_INITRAMFS",
	[IPE_POLICY] = "POLICY",
	[IPE_X509_CERT] = "X509_CERT",
};

/* @value: it has one that is no truth value */
static const struct {
	const char *name;
	bool value;
} properties[IPE_PROPERTIES] = {
	[IPE_BOOT_VERIFIED] = { "boot_verified", false },
	[IPE_DMVERITY_ROOTHASH] = { "dmverity_roothash", true },
	[IPE_DMVERITY_SIGNATURE] = { "dmverity_signature", false },
	[IPE_FSVERITY_DIGEST] = { "fsverity_digest", true },
	[IPE_FSVERITY_SIGNATURE] = { "fsverity_signature", false },
};

const char *ipe_operation_name(enum ipe_operation operation)
{
	return operation_names[operation];
}

const char *ipe_property_name(enum ipe_property property)
{
	return properties[property].name;
}

int ipe_operation_find(const char *name, enum ipe_operation *ret, struct assay_error *err)
{
	char shown[WORDS_SHOWN_MAX];

	for (size_t i = 0; i < IPE_OPERATIONS; i++) {
		if (strcmp(name, operation_names[i]) == 0) {
			*ret = (enum ipe_operation)i;
			return 0;
		}
	}
	return assay_fail(err, EINVAL,
			  "must be EXECUTE, FIRMWARE, KMODULE, KEXEC_IMAGE, KEXEC_INITRAMFS, "
			  "POLICY or X509_CERT, not '%s'",
			  words_show(BYTES((const uint8_t *)name, strlen(name)), shown));
}

/* ---------------------------------------------------------------- names and versions */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_character(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
	       c == '-' || c == '_';
}

int ipe_check_name(const char *name, struct assay_error *err)
{
	size_t size = strlen(name);

	if (size == 0 || size >= IPE_NAME_MAX)
		return assay_fail(err, EINVAL, "a policy's name has 1 to %d characters",
				  IPE_NAME_MAX - 1);
	if (name[0] == '.')
		return assay_fail(err, EINVAL, "a policy's name does not begin with '.'");
	for (size_t i = 0; i < size; i++)
		if (!is_name_character(name[i]))
			return assay_fail(err, EINVAL,
					  "a policy's name is of letters, digits and '.-_': the "
					  "kernel makes a directory of it");
	return 0;
}

/* A number of 16 bits, moved over. */
static bool take_number(const char **at, uint16_t *ret)
{
	uint32_t value = 0;
	const char *from = *at;

	for (; is_digit(**at) && value <= UINT16_MAX; (*at)++)
		value = value * 10 + (uint32_t)(**at - '0');
	*ret = (uint16_t)value;
	return *at > from && value <= UINT16_MAX;
}

int ipe_version_parse(const char *text, struct ipe_version *ret, struct assay_error *err)
{
	struct ipe_version version;
	uint16_t *const parts[VERSION_PARTS] = { &version.major, &version.minor,
						 &version.revision };
	const char *at = text;
	char shown[WORDS_SHOWN_MAX];
	bool good = true;

	for (size_t i = 0; i < VERSION_PARTS && good; i++) {
		good = (i == 0 || *at++ == '.') && take_number(&at, parts[i]);
	}
	if (!good || *at != '\0')
		return assay_fail(
			err, EINVAL,
			"a policy's version is three numbers from 0 to 65535 with dots between "
			"them, such as 1.2.3, not '%s'",
			words_show(BYTES((const uint8_t *)text, strlen(text)), shown));
	*ret = version;
	return 0;
}

char *ipe_version_text(const struct ipe_version *version, char text[IPE_VERSION_TEXT])
{
	snprintf(text, IPE_VERSION_TEXT, "%u.%u.%u", version->major, version->minor,
		 version->revision);
	return text;
}

static uint64_t version_number(const struct ipe_version *version)
{
	return (uint64_t)version->major << 32 | (uint32_t)version->minor << 16 | version->revision;
}

int ipe_version_compare(const struct ipe_version *a, const struct ipe_version *b)
{
	uint64_t first = version_number(a), second = version_number(b);

	return first < second ? -1 : first > second;
}

struct ipe_version ipe_version_of(uint64_t when)
{
	uint64_t minutes = when / 60, days = minutes / (24 * 60);

	return (struct ipe_version){
		.major = days > UINT16_MAX ? UINT16_MAX : (uint16_t)days,
		.minor = (uint16_t)(minutes % (24 * 60)),
		.revision = (uint16_t)(when % 60),
	};
}

/* ---------------------------------------------------------------- reading */

/**
 * struct reader - reading a policy
 * @line: from 1 on
 * @header: the first line was read
 */
struct reader {
	const char *what;
	size_t line;
	bool header;
	size_t rule_capacity;
	struct ipe_policy policy;
	struct assay_error *err;
};

static int refuse(struct reader *reader, const char *why, struct bytes word)
{
	char shown[WORDS_SHOWN_MAX];

	return assay_fail(reader->err, EBADMSG, "%s line %zu: %s: '%s'", reader->what, reader->line,
			  why, words_show(word, shown));
}

/* Words are short where they are of use: a longer one is cut, and so refused. */
static const char *as_text(struct bytes word, char *text, size_t capacity)
{
	size_t size = word.size < capacity - 1 ? word.size : capacity - 1;

	memcpy(text, word.data, size);
	text[size] = '\0';
	return text;
}

static int read_header(struct reader *reader, struct bytes line)
{
	struct bytes name = words_take(&line), version = words_take(&line),
		     more = words_take(&line);
	char text[IPE_NAME_MAX + 1];
	struct bytes value = words_value(name, "policy_name");
	int r;

	if (value.size == 0)
		return refuse(reader, "a policy begins with policy_name=NAME", name);
	r = ipe_check_name(as_text(value, text, sizeof(text)), reader->err);
	if (r == 0)
		memcpy(reader->policy.name, text, strlen(text) + 1);
	value = words_value(version, "policy_version");
	if (r == 0 && value.size == 0)
		return refuse(reader, "behind the name stands policy_version=VERSION", version);
	if (r == 0)
		r = ipe_version_parse(as_text(value, text, sizeof(text)), &reader->policy.version,
				      reader->err);
	if (r < 0) {
		assay_fail_context(reader->err, "%s line %zu", reader->what, reader->line);
		reader->err->code = EBADMSG;
		return -EBADMSG;
	}
	if (more.size > 0)
		return refuse(reader, "nothing may follow the version", more);
	reader->header = true;
	return 0;
}

static int read_operation(struct reader *reader, struct bytes word, enum ipe_operation *ret)
{
	struct bytes value = words_value(word, "op");

	for (size_t i = 0; i < IPE_OPERATIONS && value.size > 0; i++) {
		if (words_are(value, operation_names[i])) {
			*ret = (enum ipe_operation)i;
			return 0;
		}
	}
	return refuse(reader, "there is no such operation", word);
}

/* "sha256:HEX" or "sha512:HEX"; of dm-verity any hash that the kernel may have. */
static bool good_digest(struct bytes value, enum ipe_property property)
{
	size_t name = 0, digits;

	while (name < value.size && value.data[name] != ':')
		name++;
	if (name == 0 || name == value.size)
		return false;
	digits = value.size - name - 1;
	for (size_t i = name + 1; i < value.size; i++) {
		uint8_t c = value.data[i] | 0x20;

		if (!is_digit((char)value.data[i]) && !(c >= 'a' && c <= 'f'))
			return false;
	}
	if (property == IPE_DMVERITY_ROOTHASH)
		return digits > 0 && digits % 2 == 0;
	value.size = name;
	return (words_are(value, "sha256") && digits == 64) ||
	       (words_are(value, "sha512") && digits == 128);
}

static int read_property(struct reader *reader, struct bytes word, struct ipe_rule *rule)
{
	for (unsigned int i = 0; i < IPE_PROPERTIES; i++) {
		struct bytes value = words_value(word, properties[i].name);
		bool truth = properties[i].value || words_are(value, "TRUE");

		if (value.size == 0)
			continue;
		if (properties[i].value ? !good_digest(value, (enum ipe_property)i) :
					  !truth && !words_are(value, "FALSE"))
			break;
		rule->properties |= 1U << i;
		rule->truth |= truth ? 1U << i : 0;
		return 0;
	}
	return refuse(reader, "there is no such property, or not with this value", word);
}

static int read_action(struct reader *reader, struct bytes word, enum ipe_action *ret)
{
	struct bytes value = words_value(word, "action");

	*ret = words_are(value, "ALLOW") ? IPE_ALLOW :
	       words_are(value, "DENY")	 ? IPE_DENY :
					   IPE_UNSET;
	return *ret != IPE_UNSET ? 0 : refuse(reader, "a rule ends in action=ALLOW or DENY", word);
}

static int read_default(struct reader *reader, struct bytes line)
{
	enum ipe_action *place = &reader->policy.default_action;
	struct bytes word = words_take(&line);
	enum ipe_operation operation = IPE_EXECUTE;
	int r = 0;

	if (words_value(word, "op").size > 0) {
		r = read_operation(reader, word, &operation);
		if (r < 0)
			return r;
		place = &reader->policy.default_actions[operation];
		word = words_take(&line);
	}
	if (*place != IPE_UNSET)
		return refuse(reader, "there is such a default already", word);
	r = read_action(reader, word, place);
	word = words_take(&line);
	return r == 0 && word.size > 0 ? refuse(reader, "a default has no property", word) : r;
}

static int add_rule(struct reader *reader, const struct ipe_rule *rule)
{
	struct ipe_policy *policy = &reader->policy;

	if (policy->rule_count == reader->rule_capacity) {
		size_t capacity = reader->rule_capacity ? 2 * reader->rule_capacity : 16;
		struct ipe_rule *rules = realloc(policy->rules, capacity * sizeof(*rules));

		if (!rules)
			return assay_fail(reader->err, ENOMEM, "out of memory");
		policy->rules = rules;
		reader->rule_capacity = capacity;
	}
	policy->rules[policy->rule_count++] = *rule;
	return 0;
}

static int read_rule(struct reader *reader, struct bytes line)
{
	struct ipe_rule rule = { 0 };
	struct bytes word = words_take(&line), next;
	int r;

	if (words_are(word, "DEFAULT"))
		return read_default(reader, line);
	r = read_operation(reader, word, &rule.operation);
	for (word = words_take(&line); r == 0; word = next) {
		next = words_take(&line);
		if (next.size == 0)
			break;
		r = read_property(reader, word, &rule);
	}
	if (r == 0)
		r = read_action(reader, word, &rule.action);
	return r == 0 ? add_rule(reader, &rule) : r;
}

/* Without its comment; what the kernel would print of it is nothing that hides something. */
static int read_line(struct reader *reader, struct bytes line)
{
	const uint8_t *comment = line.size ? memchr(line.data, '#', line.size) : NULL;
	struct bytes rest;

	if (comment)
		line.size = (size_t)(comment - line.data);
	if (!words_are_plain(line))
		return refuse(reader, "only printable ASCII may stand outside comments", line);
	rest = line;
	if (words_take(&rest).size == 0)
		return 0;
	return reader->header ? read_rule(reader, line) : read_header(reader, line);
}

/* Each operation has a default of its own, or there is one for all. */
static int check_defaults(struct reader *reader)
{
	const struct ipe_policy *policy = &reader->policy;

	if (!reader->header)
		return assay_fail(reader->err, EBADMSG,
				  "%s: a policy begins with policy_name=NAME "
				  "policy_version=VERSION",
				  reader->what);
	for (size_t i = 0; i < IPE_OPERATIONS && policy->default_action == IPE_UNSET; i++)
		if (policy->default_actions[i] == IPE_UNSET)
			return assay_fail(reader->err, EBADMSG,
					  "%s: there is no default for op=%s, and none for all: "
					  "DEFAULT action=DENY",
					  reader->what, operation_names[i]);
	return 0;
}

int ipe_policy_read(struct bytes text, const char *what, struct ipe_policy *ret,
		    struct assay_error *err)
{
	struct reader reader = { .what = what, .err = err };
	int r = 0;

	if (text.size > IPE_TEXT_MAX)
		return assay_fail(err, EFBIG, "%s: a policy has at most %u bytes", what,
				  IPE_TEXT_MAX);
	/* The kernel reads no further than that. */
	if (text.size > 0 && memchr(text.data, '\0', text.size))
		return assay_fail(err, EBADMSG, "%s: there is a NUL byte in it", what);
	while (r == 0 && text.size > 0) {
		reader.line++;
		r = read_line(&reader, words_take_line(&text));
	}
	if (r == 0)
		r = check_defaults(&reader);
	if (r < 0) {
		ipe_policy_free(&reader.policy);
		return r;
	}
	*ret = reader.policy;
	return 0;
}

void ipe_policy_free(struct ipe_policy *policy)
{
	free(policy->rules);
	*policy = (struct ipe_policy){ 0 };
}

bool ipe_looks_like(struct bytes text)
{
	while (text.size > 0) {
		struct bytes line = words_take_line(&text), word = words_take(&line);

		if (word.size > 0 && word.data[0] != '#')
			return words_value(word, "policy_name").size > 0;
	}
	return false;
}
