// SPDX-License-Identifier: MIT
#include "enforce/kernel_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/inflate.h"
#include "enforce/words.h"

#define PREFIX "CONFIG_"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)

/* struct reading - of a configuration; @line: from 1 on */
struct reading {
	const char *what;
	size_t line, capacity;
	struct kernel_config *config;
	struct assay_error *err;
};

static int refuse(const struct reading *reading, const char *why, struct bytes word)
{
	char shown[WORDS_SHOWN_MAX];

	return assay_fail(reading->err, EBADMSG, "%s line %zu: %s: '%s'", reading->what,
			  reading->line, why, words_show(word, shown));
}

static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '_')
			return false;
	}
	return name.size > 0;
}

static int add(struct reading *reading, struct bytes name, struct bytes value)
{
	struct kernel_config *config = reading->config;

	if (config->count == reading->capacity) {
		size_t capacity = reading->capacity ? 2 * reading->capacity : 1024;
		struct kernel_option *options =
			realloc(config->options, capacity * sizeof(*options));

		if (!options)
			return assay_fail(reading->err, ENOMEM, "out of memory");
		config->options = options;
		reading->capacity = capacity;
	}
	config->options[config->count++] = (struct kernel_option){ name, value };
	return 0;
}

static int read_option(struct reading *reading, struct bytes line)
{
	struct bytes name = BYTES(line.data + PREFIX_SIZE, 0), value;

	while (name.size < line.size - PREFIX_SIZE && name.data[name.size] != '=')
		name.size++;
	if (name.size == line.size - PREFIX_SIZE || !is_name(name))
		return refuse(reading, "it is no CONFIG_NAME=VALUE", line);
	value = BYTES(name.data + name.size + 1, line.size - PREFIX_SIZE - name.size - 1);
	if (value.size == 0)
		return refuse(reading, "it has no value", line);
	if (value.data[0] == '"') {
		if (value.size < 2 || value.data[value.size - 1] != '"')
			return refuse(reading, "its string does not end", line);
		value = BYTES(value.data + 1, value.size - 2);
	}
	return add(reading, name, value);
}

/* "# Linux/arm64 6.12.117 Kernel Configuration": the third word. */
static void take_release(struct kernel_config *config, struct bytes line)
{
	struct bytes hash = words_take(&line), name = words_take(&line),
		     release = words_take(&line), kernel = words_take(&line);

	if (config->release.size == 0 && words_are(hash, "#") && name.size > 6 &&
	    memcmp(name.data, "Linux/", 6) == 0 && words_are(kernel, "Kernel"))
		config->release = release;
}

static int read_line(struct reading *reading, struct bytes line)
{
	struct bytes rest = line, first = words_take(&rest);

	if (first.size == 0)
		return 0;
	if (first.data[0] == '#') {
		take_release(reading->config, line);
		return 0;
	}
	if (line.size <= PREFIX_SIZE || memcmp(line.data, PREFIX, PREFIX_SIZE) != 0)
		return refuse(reading, "it is no CONFIG_NAME=VALUE", line);
	return read_option(reading, line);
}

static int compare_names(struct bytes a, struct bytes b)
{
	int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

	return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare(const void *a, const void *b)
{
	return compare_names(((const struct kernel_option *)a)->name,
			     ((const struct kernel_option *)b)->name);
}

static int sort(struct reading *reading)
{
	struct kernel_config *config = reading->config;
	char shown[WORDS_SHOWN_MAX];

	if (config->count == 0)
		return assay_fail(reading->err, EBADMSG,
				  "%s: there is no CONFIG_NAME=VALUE in it: it is no kernel's "
				  "configuration",
				  reading->what);
	qsort(config->options, config->count, sizeof(*config->options), compare);
	for (size_t i = 1; i < config->count; i++)
		if (compare(&config->options[i - 1], &config->options[i]) == 0 &&
		    !bytes_equal(config->options[i - 1].value, config->options[i].value))
			return assay_fail(reading->err, EBADMSG,
					  "%s: CONFIG_%s has two values: it is no kernel's "
					  "configuration",
					  reading->what,
					  words_show(config->options[i].name, shown));
	return 0;
}

/* The text stays: what is read points into it. */
static int keep_text(struct bytes text, const char *what, struct buffer *ret,
		     struct assay_error *err)
{
	int r;

	if (inflate_is_gzip(text)) {
		r = inflate_bytes(text, KERNEL_CONFIG_MAX, ret, err);
		return r < 0 ? assay_fail_context(err, "%s", what) : 0;
	}
	if (text.size > KERNEL_CONFIG_MAX)
		return assay_fail(err, EFBIG, "%s: a kernel's configuration has at most %u bytes",
				  what, KERNEL_CONFIG_MAX);
	buffer_append_bytes(ret, text);
	return ret->failed ? assay_fail(err, ENOMEM, "out of memory") : 0;
}

int kernel_config_read(struct bytes text, const char *what, struct kernel_config *ret,
		       struct assay_error *err)
{
	struct kernel_config config = { 0 };
	struct reading reading = { .what = what, .config = &config, .err = err };
	int r = keep_text(text, what, &config.text, err);
	struct bytes rest = buffer_bytes(&config.text);

	while (r == 0 && rest.size > 0) {
		reading.line++;
		r = read_line(&reading, words_take_line(&rest));
	}
	if (r == 0)
		r = sort(&reading);
	if (r < 0) {
		kernel_config_free(&config);
		return r;
	}
	*ret = config;
	return 0;
}

void kernel_config_free(struct kernel_config *config)
{
	buffer_free(&config->text);
	free(config->options);
	*config = (struct kernel_config){ 0 };
}

struct bytes kernel_config_value(const struct kernel_config *config, const char *name)
{
	struct kernel_option key = { .name = BYTES((const uint8_t *)name, strlen(name)) };
	const struct kernel_option *found;

	if (config->count == 0)
		return BYTES(NULL, 0);
	found = bsearch(&key, config->options, config->count, sizeof(key), compare);
	return found ? found->value : BYTES(NULL, 0);
}

bool kernel_config_has(const struct kernel_config *config, const char *name)
{
	struct bytes value = kernel_config_value(config, name);

	return words_are(value, "y") || words_are(value, "m");
}
