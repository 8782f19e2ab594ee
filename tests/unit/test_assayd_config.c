// SPDX-License-Identifier: MIT
/* The configuration: the table of keys, values and what is none, files and drop-ins. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assayd/config.h"
#include "base/credential.h"
#include "support.h"

static void test_keys_are_right_and_have_defaults(void **state)
{
	struct config *config;
	struct assay_error err = { 0 };
	size_t count = 0;

	(void)state;
	assert_int_equal(config_new(&config, &err), 0);
	for (const struct config_key *key = config_keys; key->name; key++, count++) {
		const struct config_key *found = config_find(key->section, key->name);

		if (found != key || !key->help || key->help[strlen(key->help) - 1] == '.')
			fail_msg("[%s] %s: is there twice, or its help is none", key->section,
				 key->name);
	}
	/* As many as config_files.c can tell apart. */
	assert_in_range(count, 1, 256);
	assert_string_equal(config->service.user, "assay");
	assert_int_equal(config->status.interval, 30000);
	config_free(config);
}

/* Texts of files, and what must be said of them: NULL if they are right. */
static const struct {
	const char *text;
	const char *complaint;
} files[] = {
	{ "", NULL },
	{ "# nothing\n; nothing\n\n", NULL },
	{ "\xef\xbb\xbf[service]\nuser=x\n", NULL },
	{ "[service]\nuser=x", NULL },
	{ "[service]\r\nuser=x\r\n", NULL },
	{ "[service]\n  user = x  \n", NULL },
	{ "[service]\nuser: x\n", NULL },
	{ "[service]\nuser=x\n[status]\ninterval=1s\n[service]\nstate-directory=/x\n", NULL },
	{ "[status]\ninterval=86400s\n", NULL },
	{ "[status]\ninterval=100ms\n", NULL },
	{ "[status]\nmetrics-listen=\n", NULL },
	{ "[status]\nclients=256\n", NULL },
	{ "[status]\nclients=257\n", "from 1 to 256" },
	{ "[status]\nclients=-1\n", "from 1 to 256" },
	{ "[status]\nclients= \n", "from 1 to 256" },
	{ "[status]\nclients=1 2\n", "from 1 to 256" },
	{ "[status]\nclients=18446744073709551617\n", "from 1 to 256" },
	{ "[status]\ninterval=99ms\n", "from 100ms to 1d" },
	{ "[status]\ninterval=86401s\n", "from 100ms to 1d" },
	{ "[status]\ninterval=213503982335d\n", "from 100ms to 1d" },
	{ "[status]\ninterval=1 s\n", "from 100ms to 1d" },
	{ "[status]\ninterval=s\n", "from 100ms to 1d" },
	{ "[status]\ninterval=1S\n", "from 100ms to 1d" },
	{ "[status]\nsocket=run/x\n", "an absolute path, not 'run/x'" },
	{ "[status]\nquote-access=roo\n", "one of root|group, not 'roo'" },
	{ "[status]\nquote-access=root|group\n", "one of root|group" },
	{ "[status]\nquote-access=\n", "one of root|group" },
	{ "[service]\nUser=x\n", "[service] has no key 'User'" },
	{ "[Service]\nuser=x\n", "[Service] has no key 'user'" },
	{ "[service]\nuser=x\nuser=x\n", "file line 3: user is given twice in [service]" },
	{ "[service]\nuser=x\n y\n", "file line 3: user is given twice in [service]" },
	{ "[service\nuser=x\n", "file line 1: neither" },
	{ "[service]\n=x\n", "[service] has no key ''" },
	{ "[service]\nuser\n", "file line 2: neither" },
	{ "[service]\nus\x1b"
	  "er=x\n",
	  "has no key 'us\\x1ber'" },
};

static void test_texts_are_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct assay_error err = { 0 };
		struct config *config;
		int r;

		assert_int_equal(config_new(&config, &err), 0);
		r = config_parse(config, support_text(files[i].text), "file", &err);
		config_free(config);
		if (!files[i].complaint ? r != 0 : r >= 0 || !strstr(err.text, files[i].complaint))
			fail_msg("text %zu: %d, %s", i, r, err.text);
	}
}

static void test_nul_is_refused(void **state)
{
	struct assay_error err;
	struct config *config;

	(void)state;
	assert_int_equal(config_new(&config, &err), 0);
	assert_true(config_parse(config, BYTES_LITERAL("[service]\nuser=a\0b\n"), "file", &err) <
		    0);
	assert_non_null(strstr(err.text, "file line 2"));
	config_free(config);
}

/* A service must not wait for who writes to it. */
static void test_what_is_no_file_is_not_opened(void **state)
{
	struct assay_error err = { 0 };
	struct config *config;

	(void)state;
	alarm(20);
	assert_int_equal(mkdir("f.conf.d", 0755), 0);
	assert_int_equal(mkfifo("f.conf.d/10.conf", 0644), 0);
	assert_int_equal(config_load("f.conf", &config, &err), -EINVAL);
	support_assert_error(&err, "f.conf.d/10.conf is not a regular file");
	alarm(0);
}

static void test_drop_ins_come_later_in_the_order_of_their_names(void **state)
{
	struct assay_error err;
	struct config *config;

	(void)state;
	assert_int_equal(mkdir("a.conf.d", 0755), 0);
	support_write("a.conf", support_text("[service]\nuser=main\n[status]\nclients=1\n"));
	support_write("a.conf.d/20.conf", support_text("[service]\nuser=twenty\n"));
	support_write("a.conf.d/10.conf", support_text("[service]\nuser=ten\n"));
	support_write("a.conf.d/.99.conf", support_text("[service]\nuser=hidden\n"));
	support_write("a.conf.d/99.conf~", support_text("[service]\nuser=saved\n"));
	assert_int_equal(config_load("a.conf", &config, &err), 0);
	assert_string_equal(config->service.user, "twenty");
	assert_int_equal(config->status.clients, 1);
	config_free(config);

	support_write("a.conf.d/30.conf", support_text("[service]\nuzer=x\n"));
	assert_true(config_load("a.conf", &config, &err) < 0);
	assert_non_null(strstr(err.text, "a.conf.d/30.conf line 2"));
}

static void test_credentials_are_found(void **state)
{
	struct assay_error err;
	char *path;

	(void)state;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(credential_path("/etc/key.pem", &path, &err), 0);
	assert_string_equal(path, "/etc/key.pem");
	free(path);
	assert_int_equal(credential_path("key", &path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "LoadCredential=key:"));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1), 0);
	assert_int_equal(credential_path("key", &path, &err), 0);
	assert_string_equal(path, "/run/credentials/x/key");
	free(path);
	assert_int_equal(credential_path("", &path, &err), 0);
	assert_string_equal(path, "");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_right_and_have_defaults),
		cmocka_unit_test(test_texts_are_taken_or_refused),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_what_is_no_file_is_not_opened),
		cmocka_unit_test(test_drop_ins_come_later_in_the_order_of_their_names),
		cmocka_unit_test(test_credentials_are_found),
	};

	return cmocka_run_group_tests(tests, support_enter_directory, support_leave_directory);
}
