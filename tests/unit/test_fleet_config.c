// SPDX-License-Identifier: MIT
/* The configuration of the fleet's verifier: what files say, which counts, and what is refused. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fleet/config.h"

struct values {
	const char *database;
	struct option_texts listen;
	unsigned int interval;
	bool approve;
};

static const struct option_row rows[] = {
	{ "database", 'd', "URL", "a text", OPTION_TEXT(struct values, database) },
	{ "listen", 'l', "ADDRESS", "texts", OPTION_TEXTS(struct values, listen) },
	{ "interval", 0, "N", "a number", OPTION_NUMBER(struct values, interval, 1, 100) },
	{ "approve", 0, NULL, "a flag", OPTION_FLAG(struct values, approve) },
	OPTION_END,
};

static int parse(const char *text, struct values *values, struct fleet_config *config,
		 struct assay_error *err)
{
	return config_parse(BYTES((const uint8_t *)text, strlen(text)), "file", rows, values,
			    config, err);
}

static void options_are_taken(void **state)
{
	struct values values = { .interval = 5 };
	struct fleet_config config = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(parse("[serve]\ndatabase = sqlite:/x ; why\nlisten = a\nlisten = b\n"
			       "approve = yes\n[webhook one]\nurl = https://a/\nsecret = s\n"
			       "changes = alarms\n[webhook two]\nurl = https://b/\ntimeout = 7\n",
			       &values, &config, &err),
			 0);
	assert_string_equal(values.database, "sqlite:/x");
	assert_int_equal(values.listen.count, 2);
	assert_string_equal(values.listen.list[1], "b");
	assert_int_equal(values.interval, 5);
	assert_true(values.approve);
	assert_int_equal(config.webhook_count, 2);
	assert_string_equal(config.webhooks[0].name, "one");
	assert_int_equal(config.webhooks[0].changes, WEBHOOK_ALARMS);
	assert_int_equal(config.webhooks[0].timeout, 30);
	assert_string_equal(config.webhooks[1].url, "https://b/");
	assert_int_equal(config.webhooks[1].timeout, 7);
	option_texts_free(&values.listen);
	config_free(&config);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void drop_ins_replace(void **state)
{
	struct values values = { .interval = 5 };
	struct fleet_config config = { 0 };
	struct assay_error err;

	(void)state;
	assert_int_equal(mkdir("c.conf.d", 0700), 0);
	write_file("c.conf", "[serve]\ninterval = 6\nlisten = a\napprove = yes\n");
	write_file("c.conf.d/10-a.conf", "[serve]\ninterval = 7\nlisten = b\n");
	write_file("c.conf.d/20-b.conf",
		   "[serve]\ninterval = 8\nlisten =\nlisten = c\napprove = no\n");
	write_file("c.conf.d/30-c", "[serve]\ninterval = 9\n");
	assert_int_equal(config_load("c.conf", rows, &values, &config, &err), 0);
	assert_int_equal(values.interval, 8);
	assert_false(values.approve);
	assert_int_equal(values.listen.count, 1);
	assert_string_equal(values.listen.list[0], "c");
	option_texts_free(&values.listen);
	config_free(&config);
	assert_int_equal(config_load("none.conf", rows, &values, &config, &err), -ENOENT);
	write_file("c.conf.d/20-b.conf", "[webhook a]\nurl = https://a/\n");
	assert_int_equal(config_load("c.conf", rows, &values, &config, &err), -EINVAL);
	assert_non_null(strstr(err.text, "[webhook a] needs url and secret"));
	option_texts_free(&values.listen);
	config_free(&config);
}

static void what_is_off_is_told(void **state)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{ "database = x\n", "file line 1: there is no section []" },
		{ "[server]\na = b\n", "file line 2: there is no section [server]" },
		{ "[serve]\ncolour = red\n", "[serve] has no key 'colour'" },
		{ "[serve]\nhelp = yes\n", "[serve] has no key 'help'" },
		{ "[serve]\nconfig = /x\n", "[serve] has no key 'config'" },
		{ "[serve]\ncheck = yes\n", "[serve] has no key 'check'" },
		{ "[serve]\n= x\n", "has no key ''" },
		{ "[serve]\ninterval = 0\n",
		  "file line 2: in [serve] interval must be a number from 1 to 100, not '0'" },
		{ "[serve]\ninterval = 1\ninterval = 1\n", "file line 3: interval is given twice" },
		{ "[serve]\napprove = true\n", "approve must be yes or no, not 'true'" },
		{ "[serve]\nno sign\n", "file line 2" },
		{ "[serve\n", "file line 1" },
		{ "[webhook]\nurl = x\n", "there is no section [webhook]" },
		{ "[webhook a b]\nurl = x\n", "a webhook's name" },
		{ "[webhook ../x]\nurl = x\n", "a webhook's name" },
		{ "[webhook 123456789012345678901234567890123]\nurl = x\n", "a webhook's name" },
		{ "[webhook a]\nchanges = some\n", "changes must be one of all, alarms" },
		{ "[webhook a]\ntimeout = 0\n", "timeout must be a number from 1 to 300" },
		{ "[webhook a]\nsecret =\n", "secret must not be empty" },
		{ "[webhook a]\npassword = x\n", "[webhook a] has no key 'password'" },
	};
	char many[4096];
	size_t size = 0;

	(void)state;
	for (int i = 0; i <= CONFIG_WEBHOOKS_MAX; i++)
		size += (size_t)snprintf(many + size, sizeof(many) - size,
					 "[webhook w%d]\nurl = x\n", i);
	for (size_t i = 0; i <= sizeof(table) / sizeof(table[0]); i++) {
		bool last = i == sizeof(table) / sizeof(table[0]);
		struct values values = { 0 };
		struct fleet_config config = { 0 };
		struct assay_error err = { 0 };

		assert_true(parse(last ? many : table[i].text, &values, &config, &err) < 0);
		if (!strstr(err.text, last ? "more than 16 webhooks" : table[i].says))
			fail_msg("%s", err.text);
		option_texts_free(&values.listen);
		config_free(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test_setup_teardown(drop_ins_replace, support_enter_directory,
						support_leave_directory),
		cmocka_unit_test(what_is_off_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
