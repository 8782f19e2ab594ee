// SPDX-License-Identifier: MIT
/*
 * The program `assay-initrd`: stage 1 of measuring at boot, in the initramfs. It has a child do
 * the work, so that whatever becomes of that, what is configured for a failure is done.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "enforce.h"
#include "measure/rules.h"
#include "measure/trusted.h"
#include "options.h"
#include "stage1.h"

#define CONFIG_PATH "/etc/assay/initrd.conf"
#define ROOT_PATH "/sysroot"
#define RUNTIME_PATH "/run/assay"

enum { EXIT_OK, EXIT_STOP, EXIT_USAGE };

struct initrd_options {
	const char *config, *rules, *certificates, *root, *runtime;
	bool check, files, version;
};

static const struct option_row rows[] = {
	{ "root", 'r', "DIR", "where the root file system is mounted (" ROOT_PATH ")",
	  OPTION_DIRECTORY(struct initrd_options, root) },
	{ "config", 'c', "FILE", "what to do on a failure (" CONFIG_PATH ")",
	  OPTION_INPUT(struct initrd_options, config) },
	{ "rules", 0, "DIR", "the rules: its files *.conf (" RULES_DIRECTORY ")",
	  OPTION_DIRECTORY(struct initrd_options, rules) },
	{ "certificates", 0, "DIR",
	  "whose manifests are believed: its files *.pem, *.crt, *.der (" TRUSTED_DIRECTORY ")",
	  OPTION_DIRECTORY(struct initrd_options, certificates) },
	{ "runtime", 0, "DIR", "where the result is left (" RUNTIME_PATH ")",
	  OPTION_DIRECTORY(struct initrd_options, runtime) },
	{ "check", 0, NULL, "check the configuration, the rules and the certificates, and end",
	  OPTION_FLAG(struct initrd_options, check) },
	{ "files", 0, NULL,
	  "check them, and print the names of all files that an initramfs has to have of them, a "
	  "line each",
	  OPTION_FLAG(struct initrd_options, files) },
	{ "version", 0, NULL, "print the version, and end",
	  OPTION_FLAG(struct initrd_options, version) },
	OPTION_END,
};

static void print_help(void)
{
	printf("Usage: assay-initrd [OPTION]...\n"
	       "Measures the files that the rules in the initramfs name on the root file system,\n"
	       "before it is switched to: one record and one extend of the PCR for up to 4096 "
	       "files.\n\n");
	options_print_help(rows, stdout);
	printf("\nExit status: 0 all is measured, or the configuration says to go on, 1 the boot "
	       "must\nnot go on, 2 wrong usage. With on-failure=poweroff the machine is turned "
	       "off.\n");
}

/* In the journal, or on the console: with a level, as the kernel and systemd read it. */
static void say(bool failure, const char *text)
{
	fprintf(stderr, "%sassay-initrd: %s\n",
		isatty(STDERR_FILENO) ? "" :
		failure		      ? "<3>" :
					"<6>",
		text);
}

/* ---------------------------------------------------------------- on a failure */

/* Returns only where the machine could not be turned off. */
static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	say(true, "cannot turn the machine off");
}

static int act(const struct stage1 *stage1, enum outcome_kind kind)
{
	enum initrd_deed deed = stage1_deed(stage1, kind);

	if (deed == INITRD_CONTINUE) {
		if (kind != OUTCOME_MEASURED)
			say(true, "the boot goes on, as " CONFIG_PATH " has it");
		return EXIT_OK;
	}
	if (deed == INITRD_POWEROFF) {
		say(true, "the machine is turned off");
		power_off();
	}
	say(true, "the boot must not go on");
	return EXIT_STOP;
}

/* ---------------------------------------------------------------- the child that measures */

static void __attribute__((noreturn)) work(const struct stage1 *stage1)
{
	char text[OUTCOME_SENTENCE_MAX];
	char enforced[ENFORCE_SENTENCE_MAX];
	struct assay_error err, not_enforced = { 0 };
	struct outcome outcome;
	enum outcome_kind kind;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* First: measuring changes the root, and what is not enforced is measured all the same. */
	(void)enforce_start(&stage1->config.enforce, enforced, &not_enforced);
	if (enforced[0])
		say(false, enforced);
	stage1_measure(stage1, &outcome);
	if (not_enforced.code && outcome.error.code)
		say(true, outcome.error.text);
	if (not_enforced.code)
		outcome.error = not_enforced;
	if (stage1_write(stage1, &outcome, &err) < 0 && outcome.error.code == 0)
		outcome.error = err;
	kind = outcome_kind(&outcome);
	for (size_t i = 0; i < json_array_size(outcome.failures); i++)
		say(true, json_string_value(json_array_get(outcome.failures, i)));
	for (size_t i = 0; i < json_array_size(outcome.files); i++) {
		const json_t *file = json_array_get(outcome.files, i);

		snprintf(text, sizeof(text), "%s: %s",
			 json_string_value(json_object_get(file, "path")),
			 json_string_value(json_object_get(file, "error")));
		say(true, text);
	}
	say(kind != OUTCOME_MEASURED, outcome_sentence(&outcome, text));
	outcome_free(&outcome);
	_exit((int)kind);
}

/* What came of it, also where the child did not get so far as to say. */
static enum outcome_kind wait_for(const struct stage1 *stage1, pid_t child)
{
	struct timespec left = { .tv_sec = (time_t)stage1->config.timeout };
	struct outcome outcome = { 0 };
	struct assay_error err;
	sigset_t signals;
	int status = 0, got;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	got = stage1->config.timeout > 0 ? sigtimedwait(&signals, NULL, &left) :
					   sigwaitinfo(&signals, NULL);
	if (got == SIGCHLD && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	    WEXITSTATUS(status) <= OUTCOME_FAILED)
		return (enum outcome_kind)WEXITSTATUS(status);
	if (got == SIGCHLD) {
		assay_fail(&outcome.error, EIO, "measuring was ended by signal %d",
			   WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	} else {
		kill(child, SIGKILL); /* and is not waited for: it may hang in the kernel */
		assay_fail(&outcome.error, ETIMEDOUT, "measuring took longer than %llu s",
			   (unsigned long long)stage1->config.timeout);
	}
	say(true, outcome.error.text);
	if (stage1_write(stage1, &outcome, &err) < 0)
		say(true, err.text);
	return OUTCOME_FAILED;
}

static int measure(const struct stage1 *stage1)
{
	sigset_t signals;
	pid_t child;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	child = fork();
	if (child < 0) {
		say(true, strerror(errno));
		return act(stage1, OUTCOME_FAILED);
	}
	if (child == 0)
		work(stage1);
	return act(stage1, wait_for(stage1, child));
}

/* ---------------------------------------------------------------- the call */

static int open_runtime(const char *path, struct assay_error *err)
{
	int fd;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return assay_fail(err, errno, "cannot make the directory %s: %s", path,
				  strerror(errno));
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd :
			 assay_fail(err, errno, "cannot open the directory %s: %s", path,
				    strerror(errno));
}

/* A file of the configuration's, if it is there. */
static void print_file(const char *path)
{
	if (access(path, F_OK) == 0)
		puts(path);
}

static void print_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort);
	struct stat status;
	char path[PATH_MAX];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && stat(path, &status) == 0 &&
		    S_ISREG(status.st_mode))
			puts(path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* All that stage 1 reads of an initramfs. A list that is not there is told at the boot. */
static void print_files(const struct initrd_options *options, const struct rules *rules,
			const struct initrd_enforce *enforce)
{
	print_file(options->config);
	print_directory(options->rules);
	print_directory(options->certificates);
	if (enforce->certificates[0])
		print_directory(enforce->certificates);
	if (enforce->ipe_policy[0])
		print_file(enforce->ipe_policy);
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].kind == RULE_LIST && (rules->list[i].stages & RULE_STAGE_INITRD))
			print_file(rules->list[i].value);
}

/* What the initramfs is to have is right, before it is one. */
static int check(const struct initrd_options *options, struct assay_error *err)
{
	struct initrd_config config;
	struct rules rules = { 0 };
	struct trusted trusted = { 0 };
	int r = initrd_config_load(options->config, &config, err);

	if (r == 0)
		r = enforce_check(&config.enforce, err);
	if (r == 0)
		r = rules_load(options->rules, &rules, err);
	if (r == 0)
		r = trusted_load(options->certificates, &trusted, err);
	for (size_t i = 0; i < rules.count && r == 0; i++)
		if (rules.list[i].kind == RULE_MANIFEST && trusted.count == 0)
			r = assay_fail(err, ENOKEY,
				       "%s: no manifest can be believed: %s has no certificate",
				       rules.list[i].place, options->certificates);
	if (r == 0 && options->files)
		print_files(options, &rules, &config.enforce);
	trusted_free(&trusted);
	rules_free(&rules);
	return r;
}

static int run(const struct initrd_options *options)
{
	struct stage1 stage1 = {
		.root = options->root,
		.rules = options->rules,
		.certificates = options->certificates,
	};
	struct assay_error err;

	umask(022);
	if (initrd_config_load(options->config, &stage1.config, &err) < 0) {
		/* It cannot be known what to do: nothing that could be wrong. */
		say(true, err.text);
		return EXIT_STOP;
	}
	stage1.runtime = open_runtime(options->runtime, &err);
	if (stage1.runtime < 0) {
		say(true, err.text);
		return act(&stage1, OUTCOME_FAILED);
	}
	return measure(&stage1);
}

int main(int argc, char **argv)
{
	struct initrd_options options = {
		.config = CONFIG_PATH,
		.rules = RULES_DIRECTORY,
		.certificates = TRUSTED_DIRECTORY,
		.root = ROOT_PATH,
		.runtime = RUNTIME_PATH,
	};
	struct operands operands;
	struct assay_error err;
	bool help;
	int r = options_parse(rows, argc, argv, &options, &operands, &help, &err);

	if (r == 0 && !help && operands.count > 0)
		r = assay_fail(&err, EINVAL, "unexpected argument '%s'", operands.list[0]);
	if (r < 0) {
		fprintf(stderr, "assay-initrd: %s\nTry 'assay-initrd --help'.\n", err.text);
		return EXIT_USAGE;
	}
	if (help || options.version) {
		if (help)
			print_help();
		else
			printf("assay-initrd %s\n", ASSAY_VERSION);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_STOP;
	}
	if (!options.check && !options.files)
		return run(&options);
	if (check(&options, &err) < 0) {
		say(true, err.text);
		return EXIT_STOP;
	}
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_STOP;
}
