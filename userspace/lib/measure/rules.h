/* SPDX-License-Identifier: MIT */
/*
 * Rules: which files are to be measured, at boot and by the service. assay-measure.d(5) has
 * their form:
 *
 *	[measure]
 *	manifest = /etc/assay/manifest.jsonl
 *	package = openssh-server
 *	glob = /usr/bin/[a-m]*
 *	verity = /opt
 *	exclude = /opt/cache?
 *
 * [measure] is for both stages, [initrd] for the initramfs alone, [system] for the running
 * system alone.
 */
#ifndef ASSAY_MEASURE_RULES_H
#define ASSAY_MEASURE_RULES_H

#include "base/bytes.h"

/* Rules at most, of all files together, and files of them in a directory. */
#define RULES_MAX 4096
#define RULES_FILES_MAX 1024
/* Where they are, below the configuration's directory. */
#define RULES_DIRECTORY "/etc/assay/measure.d"
#define RULES_SUFFIX ".conf"

enum rule_kind {
	RULE_MANIFEST, /* all files of a signed manifest */
	RULE_FILE,     /* one file */
	RULE_LIST,     /* all files that a file names, a line each */
	RULE_PACKAGE,  /* of the files of a package of dpkg, those with fs-verity */
	RULE_GLOB,     /* of the files whose path is of a form, those with fs-verity */
	RULE_VERITY,   /* all files with fs-verity below a directory */
	RULE_IMAGES,   /* likewise, and images of file systems, which must have it */
	RULE_EXCLUDE,  /* none whose path is of a form, whichever rule has found it */
};

/* Who measures. */
enum rule_stage {
	RULE_STAGE_INITRD = 1,
	RULE_STAGE_SYSTEM = 2,
};

/**
 * struct rule - one line
 * @stages: RULE_STAGE_*
 * @place: "FILE line N", for who is told of it
 */
struct rule {
	enum rule_kind kind;
	unsigned int stages;
	char *value;
	char *place;
};

/* Rules in the order of their files and lines; {0} for none; rules_free() it. */
struct rules {
	struct rule *list;
	size_t count;
};

/*
 * rules_parse() - append the rules of a file in memory; pure
 * @name: names the file in errors
 *
 * Return: 0; -EINVAL for a section, key or value that is none; as settings_read()
 */
int rules_parse(struct bytes text, const char *name, struct rules *rules, struct assay_error *err);

/*
 * rules_load() - append those of all files *.conf of a directory, in the order of their names
 * A directory that is not there has none.
 */
int rules_load(const char *directory, struct rules *rules, struct assay_error *err);

void rules_free(struct rules *rules);

/* rule_kind_name() - its key */
const char *rule_kind_name(enum rule_kind kind);

/*
 * rules_path_matches() - is a path of that form?
 * Component by component: "*", "?" and "[...]" are of one component, also of a leading dot; the
 * component "**" stands for any number of them, none among them.
 */
bool rules_path_matches(const char *pattern, const char *path);

#endif /* ASSAY_MEASURE_RULES_H */
