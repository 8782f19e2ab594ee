// SPDX-License-Identifier: MIT
/* Secrets and signatures of webhooks, by the example of Standard Webhooks' own libraries; when is
 * tried again; which URLs are taken. */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "fleet/fetch.h"
#include "fleet/webhooks.h"

static struct bytes text(const char *string)
{
	return BYTES((const uint8_t *)string, strlen(string));
}

static void signatures_are_those_of_others(void **state)
{
	struct buffer secret = { 0 };
	struct assay_error err;
	char *signature;

	(void)state;
	assert_int_equal(
		webhook_secret(text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), &secret, &err), 0);
	signature = webhook_sign(buffer_bytes(&secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
				 text("{\"test\": 2432232314}"));
	assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	free(signature);
	secret_free(&secret);
}

static void secrets_have_a_size(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = {
		{ "", 0 },
		{ "\n", 0 },
		{ "12345678901234567890123", 0 },
		{ "123456789012345678901234", 24 },
		{ "123456789012345678901234\n", 24 },
		{ "1234567890123456789012345678901234567890123456789012345678901234", 64 },
		{ "12345678901234567890123456789012345678901234567890123456789012345", 0 },
		{ "whsec_", 0 },
		{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", 0 },
		{ "whsec_MfKQ9r8GKYqr!wjUPD8ILPZIo2LaLaSw", 0 },
		{ "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 24 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer secret = { 0 };
		struct assay_error err = { 0 };
		int r = webhook_secret(text(rows[i].text), &secret, &err);

		assert_int_equal(r, rows[i].size > 0 ? 0 : -EINVAL);
		if (r == 0)
			assert_int_equal(secret.size, rows[i].size);
		secret_free(&secret);
	}
}

static void tries_become_rare(void **state)
{
	uint64_t before = 0;

	(void)state;
	assert_int_equal(webhook_later(1), 1);
	assert_int_equal(webhook_later(4), 8);
	assert_int_equal(webhook_later(UINT64_MAX), 3600);
	for (uint64_t i = 1; i < 40; i++) {
		assert_true(webhook_later(i) >= before && webhook_later(i) <= 3600);
		before = webhook_later(i);
	}
}

static void urls_are_of_the_kinds_that_are_safe(void **state)
{
	static const struct {
		const char *url;
		bool good;
	} rows[] = {
		{ "https://example.org", true },
		{ "https://example.org:8443/a/b?c=d", true },
		{ "http://127.0.0.1:80/x", true },
		{ "http://[::1]:80/x", true },
		{ "http://example.org/", false },
		{ "http://169.254.169.254/latest", false },
		{ "http://localhost/", false },
		{ "http://127.example.org/", false },
		{ "http://127.0.0.1.example.org/", false },
		{ "http://0x7f.1/", true }, /* what libcurl makes of it is 127.0.0.1 */
		{ "https://user@example.org/", false },
		{ "https://user:word@example.org/", false },
		{ "https://:word@example.org/", false },
		{ "ftp://example.org/", false },
		{ "file:///etc/passwd", false },
		{ "gopher://127.0.0.1/", false },
		{ "example.org", false },
		{ "", false },
		{ "https://", false },
		{ "https://exa mple.org/", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct assay_error err = { 0 };
		int r = fetch_check_url(rows[i].url, &err);

		if (r != (rows[i].good ? 0 : -EINVAL))
			fail_msg("%s: %d %s", rows[i].url, r, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_others),
		cmocka_unit_test(secrets_have_a_size),
		cmocka_unit_test(tries_become_rare),
		cmocka_unit_test(urls_are_of_the_kinds_that_are_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
