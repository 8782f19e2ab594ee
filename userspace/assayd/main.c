// SPDX-License-Identifier: MIT
/* The program `assayd`: the boot-time measurement service. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager.h"
#include "options.h"
#include "privilege.h"
#include "sandbox.h"
#include "service.h"

#define CONFIG_PATH_DEFAULT "/etc/assay/assayd.conf"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct main_options {
	const char *config;
	const char *user;
	bool check, keys, version;
};

static const struct option_row rows[] = {
	{ "config", 'c', "FILE",
	  "the configuration (" CONFIG_PATH_DEFAULT "); drop-ins are FILE.d/*.conf",
	  OPTION_INPUT(struct main_options, config) },
	{ "user", 0, "NAME", "the user to become, instead of user in [service]",
	  OPTION_TEXT(struct main_options, user) },
	{ "check", 0, NULL, "check the configuration, and end",
	  OPTION_FLAG(struct main_options, check) },
	{ "keys", 0, NULL, "print every key of the configuration with its default, and end",
	  OPTION_FLAG(struct main_options, keys) },
	{ "version", 0, NULL, "print the version, and end",
	  OPTION_FLAG(struct main_options, version) },
	OPTION_END,
};

static int fail(const struct assay_error *err)
{
	manager_tell(MANAGER_ERROR, NULL, NULL, err->text);
	return EXIT_FAILED;
}

static void print_help(void)
{
	printf("Usage: assayd [OPTION]...\n"
	       "The boot-time measurement service: archives and trims the log, keeps IMA's list,\n"
	       "measures, and attests. It stays in the foreground.\n\n");
	options_print_help(rows, stdout);
	printf("\nSIGHUP has it read its configuration anew; SIGTERM and SIGINT end it.\n\n"
	       "Exit status: 0 it was ended by a signal, or the configuration is right, 1 it "
	       "could\n"
	       "not start, had to end, or the configuration is wrong, 2 wrong usage.\n");
}

static void print_keys(void)
{
	const char *section = "";

	for (const struct config_key *key = config_keys; key->name; key++) {
		if (strcmp(section, key->section) != 0)
			printf("%s[%s]\n", section[0] ? "\n" : "", key->section);
		section = key->section;
		printf("# %s\n%s=%s\n", key->help, key->name, key->initial);
	}
}

/* The directories, where nobody has made them before the start, as systemd does. */
static int make_directory(const char *path, mode_t mode, const struct privilege_user *user,
			  struct assay_error *err)
{
	struct stat st;

	if (mkdir(path, mode) < 0) {
		/* What measured in the initramfs has made it as root. */
		if (errno == EEXIST &&
		    (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0))
			return 0;
		if (errno != EEXIST)
			return assay_fail(err, errno, "cannot make the directory %s: %s", path,
					  strerror(errno));
	}
	if (user->wanted && chown(path, user->uid, user->gid) < 0)
		return assay_fail(err, errno, "cannot give the directory %s to user %s: %s", path,
				  user->name, strerror(errno));
	return 0;
}

static int prepare(struct service *service, const char *user_name, struct assay_error *err)
{
	const struct config *config = service->config;
	struct privilege_user user;
	struct assay_error why;
	int r = privilege_find_user(user_name ? user_name : config->service.user, &user, err);

	umask(022);
	if (r == 0)
		r = make_directory(config->service.state_directory, 0750, &user, err);
	if (r == 0)
		r = make_directory(config->service.runtime_directory, 0755, &user, err);
	for (size_t i = 0; r == 0 && user.wanted && service->parts[i]; i++)
		if (service->parts[i]->prepare)
			service->parts[i]->prepare(config, user.gid);
	if (r == 0)
		r = privilege_keep(&user, err);
	if (r == 0 && sandbox_enter(&why) < 0)
		manager_tell(MANAGER_WARNING, NULL, NULL, why.text);
	return r;
}

static int run_service(const struct main_options *options, struct config *config)
{
	struct service service = { .config = config,
				   .config_path = options->config,
				   .parts = service_parts };
	struct assay_error err;
	int r = prepare(&service, options->user, &err);

	if (r == 0) {
		r = service_start(&service, &err);
		if (r == 0) {
			manager_ready();
			r = loop_run(service.loop, &err);
			manager_stopping();
			if (r == 0 && service.failure.code != 0)
				r = assay_fail(&err, service.failure.code, "%s",
					       service.failure.text);
		}
		service_stop(&service);
	}
	config_free(service.config);
	return r < 0 ? fail(&err) : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct main_options options = { .config = CONFIG_PATH_DEFAULT };
	struct operands operands;
	struct assay_error err;
	struct config *config;
	bool help;
	int r = options_parse(rows, argc, argv, &options, &operands, &help, &err);

	if (r == 0 && !help && operands.count > 0)
		r = assay_fail(&err, EINVAL, "unexpected argument '%s'", operands.list[0]);
	if (r < 0) {
		fprintf(stderr, "assayd: %s\nTry 'assayd --help'.\n", err.text);
		return EXIT_USAGE;
	}
	if (help || options.keys || options.version) {
		if (help)
			print_help();
		else if (options.keys)
			print_keys();
		else
			printf("assayd %s\n", ASSAY_VERSION);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	if (config_load(options.config, &config, &err) < 0)
		return fail(&err);
	if (!options.check)
		return run_service(&options, config);
	config_free(config);
	printf("%s: the configuration is right\n", options.config);
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}
