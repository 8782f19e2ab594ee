// SPDX-License-Identifier: MIT
/* When the service says that the TPM is gone. */
#include "support.h"

#include "assayd/anchor_watch.h"

/* Looks at the log, one after the other. */
struct look {
	uint64_t tail, anchored, now;
	bool late;
};

static void follow(const struct look *looks, size_t count)
{
	struct anchor_watch watch = { 0 };

	for (size_t i = 0; i < count; i++)
		if (anchor_watch_is_late(&watch, looks[i].tail, looks[i].anchored, looks[i].now) !=
		    looks[i].late)
			fail_msg("look %zu is %slate", i, looks[i].late ? "not " : "");
}

#define FOLLOW(looks) follow(looks, sizeof(looks) / sizeof((looks)[0]))

static void what_no_tpm_takes_is_late(void **state)
{
	static const struct look looks[] = {
		{ 100, 100, 1, false },
		{ 300, 100, 1000, false },
		/* More comes, and none is taken. */
		{ 500, 100, 15999, false },
		{ 500, 100, 16000, true },
		{ 700, 100, 60000, true },
		/* It is back, takes one after the other, and goes again. */
		{ 700, 300, 60200, false },
		{ 700, 300, 75199, false },
		{ 700, 300, 75200, true },
		{ 700, 700, 75400, false },
		/* Another time counts from its own begin. */
		{ 900, 700, 200000, false },
		{ 900, 700, 214999, false },
		{ 900, 700, 215000, true },
		/* Another log. */
		{ 200, 100, 215200, false },
	};

	(void)state;
	FOLLOW(looks);
}

/* Of a log that is written to without end there is always a record that waits. */
static void what_a_tpm_takes_slowly_is_not(void **state)
{
	struct anchor_watch watch = { 0 };

	(void)state;
	for (uint64_t i = 1; i < 1000; i++)
		assert_false(anchor_watch_is_late(&watch, 1000 * i + 500, 1000 * i, 1000 * i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_tpm_takes_is_late),
		cmocka_unit_test(what_a_tpm_takes_slowly_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
