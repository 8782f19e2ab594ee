// SPDX-License-Identifier: MIT
/* How often somebody may ask, and how many connections an address may have. */
#include "support.h"

#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet/http_addresses.h"
#include "fleet/http_chunks.h"
#include "fleet/rate.h"
#include "fleet/seldom.h"

static struct rates *rates_made(void)
{
	struct rates *rates = NULL;
	struct assay_error err = { 0 };

	assert_int_equal(rates_new(&rates, &err), 0);
	return rates;
}

static void a_minutes_worth_at_once(void **state)
{
	struct rates *rates = rates_made();

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(rates_wait(rates, "device d1", 6, 1000), 0);
	assert_int_equal(rates_wait(rates, "device d1", 6, 1000), 10);
	assert_int_equal(rates_wait(rates, "device d1", 6, 6001), 5);
	assert_int_equal(rates_wait(rates, "device d2", 6, 1000), 0);
	/* What was refused does not count. */
	assert_int_equal(rates_wait(rates, "device d1", 6, 11000), 0);
	assert_int_equal(rates_wait(rates, "device d1", 6, 11000), 10);
	/* After a minute all of it is there again. */
	for (int i = 0; i < 6; i++)
		assert_int_equal(rates_wait(rates, "device d1", 6, 100000), 0);
	assert_true(rates_wait(rates, "device d1", 6, 100000) > 0);
	rates_free(rates);
	rates_free(NULL);
}

static void at_an_even_pace(void **state)
{
	struct rates *rates = rates_made();

	(void)state;
	for (uint64_t now = 0; now < 3600000; now += 1000)
		assert_int_equal(rates_wait(rates, "x", 60, now), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(rates_wait(rates, "y", 0, 5), 0);
	for (int i = 0; i < 60000; i++)
		assert_int_equal(rates_wait(rates, "z", 60000, 5), 0);
	assert_int_equal(rates_wait(rates, "z", 60000, 5), 1);
	/* No matter whether milliseconds are a measure of it. */
	for (int i = 0; i < 50000; i++)
		assert_int_equal(rates_wait(rates, "w", 50000, 5), 0);
	assert_int_equal(rates_wait(rates, "w", 50000, 5), 1);
	rates_free(rates);
}

/* What one process counts, another one sees. */
static void shared_by_processes(void **state)
{
	struct rates *rates = rates_made();
	int status = -1, asked = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			int got = 0;

			for (int j = 0; j < 1000; j++)
				got += rates_wait(rates, "device d1", 100, 1000) == 0;
			_exit(got);
		}
		assert_true(pid > 0);
	}
	for (int i = 0; i < 4; i++) {
		assert_true(wait(&status) > 0 && WIFEXITED(status));
		asked += WEXITSTATUS(status);
	}
	assert_int_equal(asked, 100);
	rates_free(rates);
}

/* ---------------------------------------------------------------- addresses */

static bool add(struct http_addresses *addresses, unsigned int process, const char *text,
		size_t *ret_slot)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return http_addresses_add(addresses, process, (struct sockaddr *)&four, ret_slot);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return http_addresses_add(addresses, process, (struct sockaddr *)&six, ret_slot);
}

static void an_address_has_so_many(void **state)
{
	static const char *const proxies[] = { "10.0.0.9", "2001:db8:9::1" };
	/* Each but the first is of a network of its own, or has any number. */
	static const char *const others[] = { "10.0.0.2", "2001:db8:1::1", "2001:db8:2::1",
					      "10.0.0.9", "2001:db8:9::2" };
	struct http_addresses *addresses = NULL;
	struct assay_error err = { 0 };
	size_t slots[4], slot;

	(void)state;
	assert_int_equal(http_addresses_new(2, 3, proxies, 2, &addresses, &err), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(add(addresses, i % 2, "10.0.0.1", &slots[i]));
	assert_false(add(addresses, 0, "10.0.0.1", &slots[3]));
	assert_false(add(addresses, 1, "::ffff:10.0.0.1", &slot));
	http_addresses_drop(addresses, 1, slot);
	http_addresses_drop(addresses, 0, slots[3]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_true(add(addresses, 0, others[i], &slot));
	for (int i = 0; i < 2; i++)
		assert_true(add(addresses, 0, "2001:db8:1:0:5::1", &slot));
	assert_false(add(addresses, 0, "2001:db8:1:0:ffff::1", &slot));
	for (int i = 0; i < 20; i++)
		assert_true(add(addresses, 0, "10.0.0.9", &slot));
	/* A process that was killed has none any more. */
	http_addresses_begin(addresses, 0);
	assert_true(add(addresses, 0, "10.0.0.1", &slot));
	assert_true(add(addresses, 0, "10.0.0.1", &slot));
	assert_false(add(addresses, 0, "10.0.0.1", &slot));
	http_addresses_free(addresses);
	http_addresses_free(NULL);
}

static void any_number(void **state)
{
	static const char *const bad[] = { "localhost", "", "10.0.0.1:80", "10.0.0" };
	struct http_addresses *addresses = NULL;
	struct assay_error err = { 0 };
	size_t slot;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(http_addresses_new(1, 1, &bad[i], 1, &addresses, &err), -EINVAL);
	assert_int_equal(http_addresses_new(1, 0, NULL, 0, &addresses, &err), 0);
	for (int i = 0; i < 1000; i++)
		assert_true(add(addresses, 0, "10.0.0.1", &slot));
	http_addresses_free(addresses);
}

static void a_network_is_one(void **state)
{
	static const struct {
		const char *address, *network;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
		{ "2001:db8:1:2::9", "2001:db8:1:2::" },
		{ "2001:db8:1:3::9", "2001:db8:1:3::" },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1" },
		{ "local", "local" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char network[INET6_ADDRSTRLEN];

		http_addresses_network(rows[i].address, network);
		assert_string_equal(network, rows[i].network);
	}
}

/* What took long is not done again for as many times as long; what took no time is. */
static void what_takes_long_is_done_seldom(void **state)
{
	struct seldom seldom = { 0 };
	int tries = 0;

	(void)state;
	assert_true(seldom_is_due(&seldom));
	assert_true(seldom_is_due(&seldom)); /* it was not done */
	seldom.began = 0;		     /* when the machine was started */
	seldom_done(&seldom, 10);
	assert_false(seldom_is_due(&seldom));
	/* This process may be kept waiting, but not each time. */
	do {
		seldom.until = 0;
		assert_true(seldom_is_due(&seldom));
		seldom.began -= 5; /* milliseconds */
		seldom_done(&seldom, 1000000);
	} while (!seldom_is_due(&seldom) && ++tries < 1000);
	assert_true(tries < 1000);
}

/* Each is given at once, and a byte at a time. */
static void chunks_are_seen_in_a_head(void **state)
{
	static const struct {
		const char *text;
		bool said;
	} rows[] = {
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", true },
		{ "POST / HTTP/1.1\nHost: x\ntransfer-encoding:\n\n", true },
		{ "\r\n\r\nPOST / HTTP/1.1\r\nTRANSFER-ENCODING:x\r\n", true },
		{ "POST / HTTP/1.1\r\n\r\nTransfer-Encoding: chunked\r\n", false },
		{ "POST / HTTP/1.1\r\nX: Transfer-Encoding: chunked\r\n\r\n", false },
		{ "POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n\r\n", false },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding\r\n: chunked\r\n\r\n", false },
		{ "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes text = support_text(rows[i].text);
		struct http_chunks at_once = { 0 }, slowly = { 0 };
		int said = 0;

		if (http_chunks_said(&at_once, text) != rows[i].said)
			fail_msg("row %zu", i);
		for (size_t j = 0; j < text.size; j++)
			said += http_chunks_said(&slowly, BYTES(text.data + j, 1));
		assert_int_equal(said, rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minutes_worth_at_once),
		cmocka_unit_test(at_an_even_pace),
		cmocka_unit_test(shared_by_processes),
		cmocka_unit_test(an_address_has_so_many),
		cmocka_unit_test(any_number),
		cmocka_unit_test(a_network_is_one),
		cmocka_unit_test(chunks_are_seen_in_a_head),
		cmocka_unit_test(what_takes_long_is_done_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
