// SPDX-License-Identifier: MIT
#include "enforce/ima_policy.h"

#include <errno.h>
#include <string.h>

#include "enforce/words.h"

static const char *const action_names[IMA_ACTIONS] = {
	[IMA_MEASURE] = "measure",     [IMA_DONT_MEASURE] = "dont_measure",
	[IMA_APPRAISE] = "appraise",   [IMA_DONT_APPRAISE] = "dont_appraise",
	[IMA_AUDIT] = "audit",	       [IMA_HASH] = "hash",
	[IMA_DONT_HASH] = "dont_hash",
};

const char *ima_action_name(enum ima_action action)
{
	return action_names[action];
}

/* What a rule may be about; of numbers also with '<' and '>'. */
static const struct {
	const char *name;
	bool limits, number;
} keys[] = {
	{ "func", false, false },
	{ "mask", false, false },
	{ "fsmagic", true, false },
	{ "fsname", true, false },
	{ "fsuuid", true, false },
	{ "uid", true, true },
	{ "euid", true, true },
	{ "gid", true, true },
	{ "egid", true, true },
	{ "fowner", true, true },
	{ "fgroup", true, true },
	{ "obj_user", true, false },
	{ "obj_role", true, false },
	{ "obj_type", true, false },
	{ "subj_user", true, false },
	{ "subj_role", true, false },
	{ "subj_type", true, false },
	{ "digest_type", false, false },
	{ "appraise_type", false, false },
	{ "appraise_flag", false, false },
	{ "appraise_algos", false, false },
	{ "pcr", false, false },
	{ "template", false, false },
	{ "keyrings", true, false },
	{ "label", true, false },
	{ "fs_subtype", true, false },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* func= of files; the second: also where fs-verity's digest is asked for. */
static const struct {
	const char *name;
	bool verity;
} functions[] = {
	{ "FILE_CHECK", true },		 { "PATH_CHECK", true },
	{ "MMAP_CHECK", true },		 { "FILE_MMAP", true },
	{ "MMAP_CHECK_REQPROT", true },	 { "BPRM_CHECK", true },
	{ "CREDS_CHECK", true },	 { "FIRMWARE_CHECK", true },
	{ "POLICY_CHECK", true },	 { "MODULE_CHECK", false },
	{ "KEXEC_KERNEL_CHECK", false }, { "KEXEC_INITRAMFS_CHECK", false },
	{ "KEXEC_CMDLINE", false },	 { "KEY_CHECK", false },
	{ "CRITICAL_DATA", false },	 { "SETXATTR_CHECK", false },
};

static const char *const masks[] = { "MAY_EXEC", "^MAY_EXEC", "MAY_WRITE",  "^MAY_WRITE",
				     "MAY_READ", "^MAY_READ", "MAY_APPEND", "^MAY_APPEND" };

/* struct reading - of a line; @seen: bits of @keys */
struct reading {
	const char *what;
	uint32_t seen;
	struct ima_rule rule;
	struct assay_error *err;
};

static int refuse(const struct reading *reading, const char *why, struct bytes word)
{
	char shown[WORDS_SHOWN_MAX];

	return assay_fail(reading->err, EBADMSG, "%s line %zu: %s: '%s'", reading->what,
			  reading->rule.line, why, words_show(word, shown));
}

static bool has_key(const struct reading *reading, const char *name)
{
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].name, name) == 0)
			return reading->seen & 1U << i;
	return false;
}

/* Which key a word has, and its value; KEYS where there is none. */
static size_t find_key(struct bytes word, struct bytes *ret)
{
	for (size_t i = 0; i < KEYS; i++) {
		size_t size = strlen(keys[i].name);

		if (word.size <= size + 1 || memcmp(word.data, keys[i].name, size) != 0)
			continue;
		if (word.data[size] != '=' &&
		    !(keys[i].number && (word.data[size] == '<' || word.data[size] == '>')))
			continue;
		*ret = BYTES(word.data + size + 1, word.size - size - 1);
		return i;
	}
	return KEYS;
}

static bool known_function(struct bytes value)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (words_are(value, functions[i].name))
			return true;
	return false;
}

static bool known_mask(struct bytes value)
{
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
		if (words_are(value, masks[i]))
			return true;
	return false;
}

static int take_appraise_type(struct reading *reading, struct bytes word, struct bytes value)
{
	reading->rule.signature = true;
	reading->rule.sigv3 = words_are(value, "sigv3");
	if (reading->rule.sigv3)
		return reading->rule.verity ?
			       0 :
			       refuse(reading, "digest_type=verity has to stand before it", word);
	if (!words_are(value, "imasig") && !words_are(value, "imasig|modsig"))
		return refuse(reading, "must be sigv3, imasig or imasig|modsig", word);
	return reading->rule.verity ?
		       refuse(reading, "fs-verity's digests are signed by sigv3", word) :
		       0;
}

static int take_value(struct reading *reading, const char *key, struct bytes word,
		      struct bytes value)
{
	if (strcmp(key, "func") == 0) {
		reading->rule.function = value;
		return known_function(value) ? 0 : refuse(reading, "no such function", word);
	}
	if (strcmp(key, "mask") == 0)
		return known_mask(value) ? 0 : refuse(reading, "no such mask", word);
	if (strcmp(key, "template") == 0) {
		reading->rule.template = value;
		return reading->rule.action == IMA_MEASURE ?
			       0 :
			       refuse(reading, "only what is measured has a template", word);
	}
	if (strcmp(key, "digest_type") == 0) {
		reading->rule.verity = words_are(value, "verity");
		if (reading->rule.signature)
			return refuse(reading, "it has to stand before appraise_type", word);
		return reading->rule.verity ? 0 : refuse(reading, "must be verity", word);
	}
	if (strcmp(key, "appraise_type") == 0)
		return take_appraise_type(reading, word, value);
	return 0;
}

static int take_word(struct reading *reading, struct bytes word)
{
	struct bytes value;
	size_t key;

	if (words_are(word, "permit_directio"))
		return 0;
	key = find_key(word, &value);
	if (key == KEYS)
		return refuse(reading, "IMA knows no such word", word);
	/* Twice with '<' and '>' is a range. */
	if (reading->seen & 1U << key && !keys[key].number)
		return refuse(reading, "it is said already", word);
	reading->seen |= 1U << key;
	reading->rule.limited |= keys[key].limits;
	return take_value(reading, keys[key].name, word, value);
}

static int take_action(struct reading *reading, struct bytes word)
{
	for (size_t i = 0; i < IMA_ACTIONS; i++) {
		if (words_are(word, action_names[i])) {
			reading->rule.action = (enum ima_action)i;
			return 0;
		}
	}
	return refuse(reading, "a rule begins with measure, appraise, audit, hash or dont_...",
		      word);
}

/* ima_validate_rule() of the kernel, as far as fs-verity and signatures are concerned. */
static int check_rule(const struct reading *reading)
{
	const struct ima_rule *rule = &reading->rule;

	if (rule->action != IMA_APPRAISE && rule->signature)
		return refuse(reading, "only what is appraised has a signature",
			      BYTES_LITERAL("appraise_type"));
	if (rule->action == IMA_APPRAISE && rule->verity && !rule->sigv3)
		return refuse(reading, "what is appraised by fs-verity needs appraise_type=sigv3",
			      BYTES_LITERAL("digest_type=verity"));
	if (has_key(reading, "pcr") && rule->action != IMA_MEASURE)
		return refuse(reading, "only what is measured has a PCR", BYTES_LITERAL("pcr"));
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]) && rule->verity; i++)
		if (words_are(rule->function, functions[i].name) && !functions[i].verity)
			return refuse(reading, "the kernel takes no fs-verity digest for it",
				      rule->function);
	return 0;
}

static int read_rule(struct reading *reading, struct bytes line)
{
	int r = take_action(reading, words_take(&line));

	for (struct bytes word = words_take(&line); r == 0 && word.size > 0;
	     word = words_take(&line))
		r = take_word(reading, word);
	return r == 0 ? check_rule(reading) : r;
}

int ima_policy_read(struct bytes text, const char *what, ima_rule_function each, void *context,
		    struct assay_error *err)
{
	size_t count = 0;
	int r = 0;

	if (text.size > IMA_TEXT_MAX)
		return assay_fail(err, EFBIG, "%s: a policy has at most %u bytes", what,
				  IMA_TEXT_MAX);
	for (size_t number = 1; r == 0 && text.size > 0; number++) {
		struct bytes line = words_take_line(&text), rest = line;
		struct reading reading = { .what = what, .rule.line = number, .err = err };
		struct bytes first = words_take(&rest);

		if (line.size > IMA_LINE_MAX)
			return refuse(&reading, "a rule is shorter than a page", first);
		if (first.size == 0 || first.data[0] == '#')
			continue;
		if (!words_are_plain(line))
			return refuse(&reading, "a rule is of printable ASCII", line);
		r = read_rule(&reading, line);
		if (r == 0 && each)
			each(context, &reading.rule);
		count++;
	}
	if (r == 0 && count == 0)
		r = assay_fail(err, EBADMSG, "%s: there is no rule in it", what);
	return r;
}

bool ima_looks_like(struct bytes text)
{
	while (text.size > 0) {
		struct bytes line = words_take_line(&text), word = words_take(&line);

		if (word.size == 0 || word.data[0] == '#')
			continue;
		for (size_t i = 0; i < IMA_ACTIONS; i++)
			if (words_are(word, action_names[i]))
				return true;
		return false;
	}
	return false;
}
