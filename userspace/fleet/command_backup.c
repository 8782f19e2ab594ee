// SPDX-License-Identifier: MIT
/* Copies of a database, while it is in use; and a database of such a copy. */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "schema.h"

struct backup_options {
	struct database_options database;
	const char *file;
};

/* Of PostgreSQL's own programs; the URL has no password (store_connect() takes none). */
static int run_program(const char *const *words, struct assay_error *err)
{
	pid_t pid;
	int status, r = posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)words, environ);

	if (r != 0)
		return assay_fail(err, r,
				  "cannot run %s: %s; it is of the package postgresql-client",
				  words[0], strerror(r));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return assay_fail(err, EIO, "%s has failed", words[0]);
	return 0;
}

/* A copy of one moment, whatever is written meanwhile. */
static int copy_sqlite(struct store *store, const char *file, struct assay_error *err)
{
	static const struct store_statement copy = { "t", "VACUUM INTO $1", NULL };
	const struct store_value value = store_text(file);

	return store_run(store, &copy, &value, 1, NULL, NULL, err);
}

static int back_up(const struct backup_options *options, struct assay_error *err)
{
	const char *const words[] = { "pg_dump",  "--format=custom",	 "--file", options->file,
				      "--dbname", options->database.url, NULL };
	struct store *store = NULL;
	int r;

	if (access(options->file, F_OK) == 0)
		return assay_fail(err, EEXIST, "%s is there already", options->file);
	r = store_connect(options->database.url, &store, err);
	if (r == 0)
		r = schema_check(store, err);
	if (r == 0)
		r = store_is_postgres(store) ? run_program(words, err) :
					       copy_sqlite(store, options->file, err);
	store_disconnect(store);
	return r;
}

static const struct option_row backup_rows[] = {
	FLEET_ROWS_DATABASE(struct backup_options),
	{ "out", 'o', "FILE", "where to; it must not be there",
	  OPTION_TEXT(struct backup_options, file), .required = true },
	OPTION_END,
};

static int run_backup(int argc, char **argv)
{
	struct backup_options options = { 0 };
	struct assay_error err = { 0 };
	int status = command_parse(&command_fleet_backup, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (fleet_database(&options.database, &err) < 0 || back_up(&options, &err) < 0)
		return command_failed(&command_fleet_backup, &err);
	printf("%s: a copy of the database\n", options.file);
	return command_flush(&command_fleet_backup);
}

const struct command command_fleet_backup = {
	.name = "backup",
	.summary = "copy a database to a file, while it is in use",
	.intro = "Of SQLite the copy is a database itself; of PostgreSQL it is what pg_dump "
		 "writes.\n"
		 "It has all secrets that the database has.\n",
	.options = backup_rows,
	.epilogue = "Exit status: 0 copied, 1 failed, 2 wrong usage.\n",
	.run = run_backup,
};

/* ---------------------------------------------------------------- restore */

static int restore_sqlite(const struct backup_options *options, struct assay_error *err)
{
	char url[4096];
	const char *target = options->database.url + strlen("sqlite:");
	struct store *copy = NULL;
	uint64_t version;
	int r;

	if (access(target, F_OK) == 0)
		return assay_fail(err, EEXIST, "%s is there already: move it away first", target);
	if (access(options->file, R_OK) < 0)
		return assay_fail(err, errno, "cannot read %s: %s", options->file, strerror(errno));
	snprintf(url, sizeof(url), "sqlite:%s", options->file);
	r = store_connect(url, &copy, err);
	if (r == 0)
		r = schema_version(copy, &version, err);
	if (r == 0 && version == 0)
		r = assay_fail(err, EINVAL, "%s is no database of assay-fleet's", options->file);
	if (r == 0)
		r = copy_sqlite(copy, target, err);
	store_disconnect(copy);
	return r;
}

static int restore_postgres(const struct backup_options *options, struct assay_error *err)
{
	const char *const words[] = {
		"pg_restore", "--exit-on-error",     "--single-transaction", "--no-owner",
		"--dbname",   options->database.url, options->file,	     NULL
	};
	struct store *store = NULL;
	uint64_t version = 0;
	int r = store_connect(options->database.url, &store, err);

	if (r == 0)
		r = schema_version(store, &version, err);
	store_disconnect(store);
	if (r == 0 && version != 0)
		r = assay_fail(err, EEXIST, "the database is not empty: restore to a new one");
	return r < 0 ? r : run_program(words, err);
}

static int restore(const struct backup_options *options, struct assay_error *err)
{
	struct store *store = NULL;
	int r = strncmp(options->database.url, "sqlite:", strlen("sqlite:")) == 0 ?
			restore_sqlite(options, err) :
			restore_postgres(options, err);

	if (r == 0)
		r = store_connect(options->database.url, &store, err);
	/* A copy of a former version becomes one of this. */
	if (r == 0)
		r = schema_migrate(store, schema_newest(), err);
	store_disconnect(store);
	return r;
}

static const struct option_row restore_rows[] = {
	FLEET_ROWS_DATABASE(struct backup_options),
	{ "from", 0, "FILE", "the copy", OPTION_TEXT(struct backup_options, file),
	  .required = true },
	OPTION_END,
};

static int run_restore(int argc, char **argv)
{
	struct backup_options options = { 0 };
	struct assay_error err = { 0 };
	int status = command_parse(&command_fleet_restore, argc, argv, &options, NULL);

	if (status != COMMAND_GO)
		return status;
	if (fleet_database(&options.database, &err) < 0 || restore(&options, &err) < 0)
		return command_failed(&command_fleet_restore, &err);
	printf("the database is that of %s\n", options.file);
	return command_flush(&command_fleet_restore);
}

const struct command command_fleet_restore = {
	.name = "restore",
	.summary = "make a database of a copy",
	.intro = "The database must not be there yet, or be empty. Evidence that was judged after "
		 "the\n"
		 "copy was made is asked for again.\n",
	.options = restore_rows,
	.epilogue = "Exit status: 0 it is there, 1 failed, 2 wrong usage.\n",
	.run = run_restore,
};
