/* SPDX-License-Identifier: MIT */
/*
 * The service's configuration: /etc/assay/assayd.conf, then /etc/assay/assayd.conf.d/NAME.conf in
 * the order of their names; what comes later replaces. assayd.conf(5) describes the form, and has
 * every key of config_keys.c.
 *
 * A key of its own: a member below, and a row in config_keys.c.
 */
#ifndef ASSAY_ASSAYD_CONFIG_H
#define ASSAY_ASSAYD_CONFIG_H

#include "base/bytes.h"

/* Words of a list at most. */
#define CONFIG_LIST_MAX 1024

/* Words of a key that may be given more than once. */
struct config_list {
	char **words;
	size_t count;
};

/* Who may call a method of the socket, besides root. */
enum config_access { ACCESS_ROOT, ACCESS_GROUP };
#define CONFIG_ACCESS "root|group"

/**
 * struct config - what the files say, or the defaults
 *
 * Text is never NULL; an empty one stands for none. Times are in milliseconds, sizes in bytes.
 */
struct config {
	struct {
		char *user;
		char *state_directory;
		char *runtime_directory;
		uint64_t device_interval;
	} service;
	struct {
		char *rules, *certificates;
		bool read;
		uint64_t wait, settle, timeout;
	} measure;
	struct {
		char *directory;
		uint64_t interval, size;
		uint64_t trim_at;	      /* percent of the ring; 0: never */
		uint64_t keep_size, keep_age; /* 0: no limit */
		bool keep_unacknowledged;
	} archive;
	struct {
		bool keep;
		int staging; /* enum ima_staging */
		int mirror;  /* enum ima_mirroring */
		char *directory, *tpm;
		uint64_t pcr, entries, interval, poll;
	} ima;
	struct {
		uint64_t interval;
		char *socket;
		char *group;
		uint64_t clients;
		int measure_access, quote_access; /* enum config_access */
		char *metrics_file;
		char *metrics_listen;
	} status;
	struct {
		char *ak, *ak_certificate;
		char *pcrs, *banks, *policy;
		bool assay_log, ima_log, uefi_log;
		char *tcti;
		char *parent, *parent_password, *owner_password;
		char *program;
		uint64_t timeout;
		uint64_t queue;
	} attest;
	struct {
		char *url, *name, *unix_socket, *proxy;
		char *ca, *certificate, *key;
		uint64_t timeout;
		uint64_t interval_least, interval_most;
		uint64_t retry_first, retry_most;
		uint64_t jitter;
	} push;
};

enum ima_staging { IMA_STAGING_AUTO, IMA_STAGING_YES, IMA_STAGING_NO };
enum ima_mirroring { IMA_MIRROR_AUTO, IMA_MIRROR_YES, IMA_MIRROR_NO };

enum config_type {
	CONFIG_TEXT,	 /* char * */
	CONFIG_PATH,	 /* char *: empty, or absolute */
	CONFIG_BOOL,	 /* bool: yes or no */
	CONFIG_NUMBER,	 /* uint64_t: decimal */
	CONFIG_SIZE,	 /* uint64_t: decimal, K, M, G behind it: times 1024 and so on */
	CONFIG_DURATION, /* uint64_t: decimal with ms, s, min, h, d behind it */
	CONFIG_CHOICE,	 /* int: which of .values */
	CONFIG_LIST,	 /* struct config_list */
};

/**
 * struct config_key - one key
 * @initial: the default, as it would stand in a file
 * @help: one sentence, without its period, for `assayd --keys`
 * @type and what follows: set by the macros of config_keys.c
 * @min, @max: of a number, a size, a duration
 * @values: of a choice: "first|second"
 */
struct config_key {
	const char *section;
	const char *name;
	const char *initial;
	const char *help;
	enum config_type type;
	size_t place;
	uint64_t min, max;
	const char *values;
};

/* The keys, ended by one without a name. */
extern const struct config_key config_keys[];

/* config_new() - the defaults; config_free() it */
int config_new(struct config **ret, struct assay_error *err);
void config_free(struct config *config);

/*
 * config_parse() - take what a file says
 * @name: its name, for errors
 *
 * Return: 0; -EINVAL, with file, line and key, and what it must be; what settings_read() returns
 */
int config_parse(struct config *config, struct bytes text, const char *name,
		 struct assay_error *err);

/*
 * config_load() - the defaults, the file @path and the drop-ins in @path.d
 * A file that is not there says nothing.
 */
int config_load(const char *path, struct config **ret, struct assay_error *err);

/*
 * config_set() - one key
 * Return: 0; -EINVAL, with what follows the key's name in a sentence: "must be yes or no, not 'x'"
 */
int config_set(struct config *config, const struct config_key *key, const char *value,
	       struct assay_error *err);

/* config_find() - NULL if there is none */
const struct config_key *config_find(const char *section, const char *name);

#endif /* ASSAY_ASSAYD_CONFIG_H */
