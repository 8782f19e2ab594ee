// SPDX-License-Identifier: MIT
/*
 * The rules for what is measured, mountinfo, and what was measured, from the same bytes: what is
 * taken can be asked, and a rule's file is of its own form.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "measure/known.h"
#include "measure/mounts.h"
#include "measure/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void fuzz_rules(struct bytes text)
{
	struct rules rules = { 0 };
	struct assay_error err = { 0 };
	bool taken = rules_parse(text, "r", &rules, &err) == 0;

	require(taken || err.text[0] != '\0');
	for (size_t i = 0; i < rules.count; i++) {
		const char *value = rules.list[i].value;

		require(rules.list[i].stages != 0 && rule_kind_name(rules.list[i].kind));
		require(value[0] == '/' || rules.list[i].kind == RULE_PACKAGE);
		if (!strpbrk(value, "*?[\\"))
			require(rules_path_matches(value, value));
		if (i > 0)
			rules_path_matches(rules.list[i - 1].value, value);
	}
	rules_free(&rules);
}

static void fuzz_mounts(struct bytes text, const char *prefix)
{
	struct mounts mounts;
	struct assay_error err = { 0 };

	if (mounts_parse(text, prefix, &mounts, &err) < 0) {
		require(err.text[0] != '\0');
		return;
	}
	for (size_t i = 0; i < mounts.count; i++) {
		const struct mount_point *mount = mounts_find(&mounts, mounts.list[i].path);

		require(mount && strlen(mount->path) >= strlen(mounts.list[i].path));
		mounts_may_wait(&mounts, mounts.list[i].path);
	}
	require(!mounts_have_new(&mounts, &mounts));
	mounts_free(&mounts);
}

static void fuzz_known(struct bytes text)
{
	struct known *known;
	struct assay_error err = { 0 };

	require(known_new(&known, &err) == 0);
	if (known_parse(known, text, "-", &err) < 0)
		require(err.text[0] != '\0');
	require(known_count(known) <= text.size);
	known_free(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_known(BYTES(data, size));
	fuzz_rules(BYTES(data, size));
	fuzz_mounts(BYTES(data, size), "");
	fuzz_mounts(BYTES(data, size), "/sysroot");
	return 0;
}
