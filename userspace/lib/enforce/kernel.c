// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "enforce/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define SECURITYFS "/sys/kernel/security"
#define SMALL_MAX 4096
#define KEYS_MAX (1U << 20)

/* Of a file of the kernel's; false where it cannot be read. */
static bool read_small(const char *path, size_t limit, struct buffer *out)
{
	struct assay_error unused;

	return access(path, R_OK) == 0 && file_read(path, limit, out, &unused) == 0;
}

static enum kernel_answer answer(bool yes)
{
	return yes ? KERNEL_YES : KERNEL_NO;
}

/* A file that has one digit. */
static enum kernel_answer read_switch(const char *path)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };

	if (!read_small(path, SMALL_MAX, &text) || text.size == 0)
		return KERNEL_UNKNOWN;
	return answer(text.data[0] != '0');
}

static void set_lsm(struct kernel_facts *facts, struct bytes list)
{
	while (list.size > 0 && list.data[list.size - 1] == '\n')
		list.size--;
	if (list.size >= sizeof(facts->lsm))
		list.size = sizeof(facts->lsm) - 1;
	/* None has one that is no plain word. */
	for (size_t i = 0; i < list.size; i++) {
		facts->lsm[i] = '?';
		if (list.data[i] > ' ' && list.data[i] <= '~')
			facts->lsm[i] = (char)list.data[i];
	}
	facts->lsm[list.size] = '\0';
}

void kernel_facts_of_config(struct kernel_config *config, struct kernel_facts *ret)
{
	*ret = (struct kernel_facts){ .config = *config };
	*config = (struct kernel_config){ 0 };
	set_lsm(ret, kernel_config_value(&ret->config, "LSM"));
}

/* ---------------------------------------------------------------- the kernel that runs */

static int find_config(struct kernel_config *ret, struct assay_error *err)
{
	CLEANUP(buffer_free) struct buffer text = { 0 };
	struct utsname name;
	char path[sizeof(name.release) + 32];

	uname(&name);
	if (read_small("/proc/config.gz", KERNEL_CONFIG_MAX, &text))
		return kernel_config_read(buffer_bytes(&text), "/proc/config.gz", ret, err);
	snprintf(path, sizeof(path), "/boot/config-%s", name.release);
	if (read_small(path, KERNEL_CONFIG_MAX, &text))
		return kernel_config_read(buffer_bytes(&text), path, ret, err);
	return assay_fail(err, ENOENT, "there is neither /proc/config.gz nor %s", path);
}

/* A line of /proc/keys ends in the keyring's name, ": " and a number or "empty". */
static bool has_keyring(struct bytes keys, const char *name)
{
	char words[64];

	snprintf(words, sizeof(words), "keyring   %s:", name);
	return keys.size > 0 && memmem(keys.data, keys.size, words, strlen(words));
}

static void look_at_keyrings(struct kernel_facts *facts)
{
	CLEANUP(buffer_free) struct buffer keys = { 0 };

	/* Others see only keys that they may view. */
	if (geteuid() != 0 || !read_small("/proc/keys", KEYS_MAX, &keys))
		return;
	facts->ima_keyring = answer(has_keyring(buffer_bytes(&keys), ".ima"));
	facts->user_ima_keyring = answer(has_keyring(buffer_bytes(&keys), "_ima"));
	facts->verity_keyring = answer(has_keyring(buffer_bytes(&keys), ".fs-verity"));
}

/* Is one of the policies of IPE active? */
static enum kernel_answer find_active(void)
{
	DIR *directory = opendir(SECURITYFS "/ipe/policies");
	enum kernel_answer found = KERNEL_NO;
	const struct dirent *entry;

	if (!directory)
		return KERNEL_UNKNOWN;
	while (found != KERNEL_YES && (entry = readdir(directory))) {
		char path[sizeof(SECURITYFS) + 300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), SECURITYFS "/ipe/policies/%s/active", entry->d_name);
		if (read_switch(path) != KERNEL_NO)
			found = read_switch(path);
	}
	closedir(directory);
	return found;
}

static void look_at_securityfs(struct kernel_facts *facts)
{
	CLEANUP(buffer_free) struct buffer lsm = { 0 };

	if (!read_small(SECURITYFS "/lsm", SMALL_MAX, &lsm))
		return;
	set_lsm(facts, buffer_bytes(&lsm));
	facts->ipe_there = answer(access(SECURITYFS "/ipe", F_OK) == 0);
	if (facts->ipe_there == KERNEL_YES) {
		facts->ipe_policy = find_active();
		facts->ipe_enforcing = read_switch(SECURITYFS "/ipe/enforce");
	}
	if (access(SECURITYFS "/ima", F_OK) == 0)
		facts->ima_policy_there = answer(access(SECURITYFS "/ima/policy", F_OK) == 0);
}

void kernel_facts_running(struct kernel_facts *ret)
{
	struct kernel_config config = { 0 };
	struct assay_error err = { 0 };

	if (find_config(&config, &err) < 0)
		kernel_config_free(&config);
	kernel_facts_of_config(&config, ret);
	ret->no_config = err;
	ret->running = true;
	look_at_securityfs(ret);
	look_at_keyrings(ret);
	ret->signatures_required = read_switch("/proc/sys/fs/verity/require_signatures");
}

void kernel_facts_free(struct kernel_facts *facts)
{
	kernel_config_free(&facts->config);
}

enum kernel_answer kernel_facts_lsm(const struct kernel_facts *facts, const char *name)
{
	size_t size = strlen(name);
	const char *at = facts->lsm;

	if (*at == '\0')
		return KERNEL_UNKNOWN;
	while (*at != '\0') {
		size_t length = strcspn(at, ",");

		if (length == size && memcmp(at, name, size) == 0)
			return KERNEL_YES;
		at += length + (at[length] == ',');
	}
	return KERNEL_NO;
}
