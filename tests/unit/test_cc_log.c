// SPDX-License-Identifier: MIT
/*
 * Logs of confidential machines: what their registers come to, in the firmware's form (CCEL) and in
 * CEL, and those that are ill-formed.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "log/cel.h"
#include "log/pcrs.h"
#include "log_builder.h"
#include "support.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define RULE(name) (UINT32_C(1) << UEFI_RULE_##name)
#define SHA384_SIZE 48

static void assert_register(const struct pcrs *pcrs, unsigned int rtmr, const char *expected)
{
	const struct assay_digest *value = &pcrs->banks[0].values[PCRS_CC + 1 + rtmr];
	char hex[2 * ASSAY_DIGEST_MAX + 1];

	assert_int_equal(value->hash, ASSAY_HASH_SHA384);
	assert_string_equal((hex_encode(BYTES(value->bytes, value->size), hex), hex), expected);
}

/* The log with so much behind it that it has @size bytes. */
static struct buffer filled(const struct buffer *log, size_t size, uint8_t fill)
{
	struct buffer out = { 0 };

	buffer_append_bytes(&out, buffer_bytes(log));
	while (out.size < size)
		buffer_append_u8(&out, fill);
	assert_false(out.failed);
	return out;
}

/* Those of the second are what a quote of that machine had, by go-eventlog's tests. */
static void registers_are_those_of_the_machine(void **state)
{
	static const struct {
		const char *file;
		uint64_t events;
		const char *rtmr[3];
	} logs[] = {
		{ "uefi/ccel-ovmf.bin",
		  21,
		  { "8566f998798db09443b244c62de9a3041fb02e2e6936c4396d784bba2e90177329ec5aba3bb48"
		    "4404f2ab9cc90abe193",
		    "775b9f6bfe99f8a31396f0d0218e67ffa796d3b96ccf961cbb0deba48c79c00f082cda1a5567c"
		    "1c16305f1fc210c13c6",
		    "94eaf7a7bf398ed8d888c91057ae0261802e4f3df084213a76ca7f0b5055ac9d2241de43cd58d"
		    "9e8b49c503bbf25f34a" } },
		{ "uefi/ccel-cos-113-tdx.bin",
		  44,
		  { "a4de2df23e9611299123ba4359c42a5e578b0f8488bf1bba8ef5606d9ea5d81c97c064b482a5e"
		    "ac537d166bd0f0f752d",
		    "0ee9366c928a77092f55e9e114c7394181fd264699155f0df77d23577618d5f650568a17d3793"
		    "55a07bd846e552f4e20",
		    "4969684dc87381fc3b3134176c8d8806eaf0a901859f5f70cfae8d17714b46c10a8de219048c9"
		    "fc09f11f381a6fbe7c1" } },
	};
	static const uint8_t fills[] = { 0, 0xff };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(logs); i++) {
		struct buffer log = log_test_data(logs[i].file);

		/* As it is, and with an area's rest behind it: of one byte up to many. */
		for (size_t kind = 0; kind < 6; kind++) {
			struct buffer area = filled(&log, log.size + kind * 501, fills[kind % 2]);
			struct pcrs_request request = { 0 };
			struct assay_error err = { 0 };
			static struct pcrs pcrs;

			if (pcrs_of_cc(buffer_bytes(&area), &request, &pcrs, &err) < 0)
				fail_msg("%s: %s", logs[i].file, err.text);
			assert_int_equal(pcrs.bank_count, 1);
			assert_int_equal(pcrs.entries, logs[i].events);
			assert_int_equal(pcrs.rules, 0);
			assert_int_equal(pcrs.banks[0].extended, UINT32_C(0xe) << PCRS_CC);
			for (unsigned int rtmr = 0; rtmr < 3; rtmr++)
				assert_register(&pcrs, rtmr, logs[i].rtmr[rtmr]);
			buffer_free(&area);
		}
		buffer_free(&log);
	}
}

static void expected_values_are_found(void **state)
{
	struct buffer log = log_test_data("uefi/ccel-ovmf.bin");
	struct pcrs_expected expected = { .pcr = PCRS_CC + 3 };
	struct pcrs_request request = { .expected = &expected, .expected_count = 1 };
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	expected.value = (struct assay_digest){ .hash = ASSAY_HASH_SHA384, .size = SHA384_SIZE };
	assert_int_equal(pcrs_of_cc(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_false(expected.reached);
	expected.value = pcrs.banks[0].values[PCRS_CC + 3];
	assert_int_equal(pcrs_of_cc(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_true(expected.reached);
	/* The value before event 18, which is the last of RTMR2. */
	log.size = 1832;
	request.expected_count = 0;
	assert_int_equal(pcrs_of_cc(buffer_bytes(&log), &request, &pcrs, &err), 0);
	expected.value = pcrs.banks[0].values[PCRS_CC + 3];
	log.size = 2120;
	request.expected_count = 1;
	assert_int_equal(pcrs_of_cc(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_false(expected.reached);
	assert_int_equal(expected.after, 18);
	buffer_free(&log);
}

/* An event in front of the log's first one behind the header, or behind its last. */
static struct buffer with_event(uint32_t mr, uint32_t type, bool in_front)
{
	struct buffer log = log_test_data("uefi/ccel-ovmf.bin"), out = { 0 };
	const uint8_t event[] = {
		(uint8_t)mr, 0, 0, 0, (uint8_t)type, (uint8_t)(type >> 8), 0, 0, 1, 0, 0, 0, 12, 0
	};

	buffer_append(&out, log.data, in_front ? 65 : log.size);
	buffer_append(&out, event, sizeof(event));
	for (size_t i = 0; i < SHA384_SIZE; i++)
		buffer_append_u8(&out, 0x11);
	buffer_append(&out, "\1\0\0\0x", 5);
	if (in_front)
		buffer_append(&out, log.data + 65, log.size - 65);
	buffer_free(&log);
	return out;
}

static void what_is_of_mrtd_is_told(void **state)
{
	struct buffer log = with_event(0, 0xd, true);
	struct pcrs_request request = { 0 };
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	assert_int_equal(pcrs_of_cc(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_int_equal(pcrs.rules, RULE(MRTD));
	assert_int_equal(pcrs.broken[UEFI_RULE_MRTD].number, 1);
	assert_int_equal(pcrs.broken[UEFI_RULE_MRTD].offset, 65);
	assert_int_equal(pcrs.banks[0].extended, UINT32_C(0xe) << PCRS_CC);
	assert_true(bytes_are_zero(BYTES(pcrs.banks[0].values[PCRS_CC].bytes, SHA384_SIZE)));
	buffer_free(&log);
}

static void ill_formed_logs_are_refused(void **state)
{
	struct buffer tpm = log_test_data("uefi/bank-missing.bin"), log, area;
	struct pcrs_request request = { 0 };
	struct assay_error err;
	static struct pcrs pcrs;
	static const uint8_t zeros[4096];

	(void)state;
	assert_int_equal(pcrs_of_cc(buffer_bytes(&tpm), &request, &pcrs, &err), -EBADMSG);
	support_assert_error(&err, "there is no register 7");
	buffer_free(&tpm);
	assert_int_equal(pcrs_of_cc(BYTES(NULL, 0), &request, &pcrs, &err), -ENODATA);
	assert_int_equal(pcrs_of_cc(BYTES(zeros, sizeof(zeros)), &request, &pcrs, &err), -ENODATA);
	log = with_event(5, 4, true);
	assert_int_equal(pcrs_of_cc(buffer_bytes(&log), &request, &pcrs, &err), -EBADMSG);
	support_assert_error(&err, "event 1 at offset 65: there is no register 5");
	buffer_free(&log);
	tpm = log_test_data("uefi/tpm2tools-event-uefi-sha1-log.bin");
	assert_int_equal(pcrs_of_cc(buffer_bytes(&tpm), &request, &pcrs, &err), -EBADMSG);
	buffer_free(&tpm);
	/* What is behind the log is one fill, or it is an event. */
	log = log_test_data("uefi/ccel-ovmf.bin");
	for (unsigned int fill = 0; fill < 256; fill++) {
		area = filled(&log, 4096, (uint8_t)fill);
		if (fill == 0 || fill == 0xff)
			area.data[4000] ^= 1;
		assert_int_equal(pcrs_of_cc(buffer_bytes(&area), &request, &pcrs, &err), -EBADMSG);
		buffer_free(&area);
	}
	/* Cut anywhere but between events. */
	for (size_t size = 1; size < log.size; size++)
		if (pcrs_of_cc(BYTES(log.data, size), &request, &pcrs, &err) < 0)
			assert_int_equal(err.code, EBADMSG);
		else
			assert_true(pcrs.entries <= 20);
	buffer_free(&log);
}

/* ---------------------------------------------------------------- CEL */

/* A guest's own log, all of it of RTMR3, extended here once more by OpenSSL. */
static void a_log_in_cel_comes_to_rtmr3(void **state)
{
	struct buffer text = log_test_data("cel/gotpmtools-cel.b64"), log = { 0 };
	uint8_t value[2 * SHA384_SIZE] = { 0 };
	struct pcrs_request request = { 0 };
	struct cel_reader reader;
	struct cel_record record;
	struct assay_error err;
	static struct pcrs pcrs;

	(void)state;
	while (text.size > 0 && text.data[text.size - 1] == '\n')
		text.size--;
	assert_int_equal(base64_decode((const char *)text.data, text.size, &log), 0);
	cel_begin(&reader, buffer_bytes(&log), 0);
	while (cel_next(&reader, &record, &err) == 1) {
		memcpy(value + SHA384_SIZE, record.digests[0].bytes, SHA384_SIZE);
		assert_int_equal(EVP_Digest(value, sizeof(value), value, NULL, EVP_sha384(), NULL),
				 1);
	}
	assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_int_equal(pcrs.entries, 18);
	assert_int_equal(pcrs.others, 0);
	assert_int_equal(pcrs.banks[0].extended, UINT32_C(1) << (PCRS_CC + 4));
	assert_memory_equal(pcrs.banks[0].values[PCRS_CC + 4].bytes, value, SHA384_SIZE);
	buffer_free(&text);
	buffer_free(&log);
}

static void put_record(struct buffer *log, uint8_t number, uint8_t type, struct bytes index)
{
	struct assay_digest digest = log_test_digest(ASSAY_HASH_SHA384, number);
	struct buffer digests = { 0 };

	put_tlv(&digests, ASSAY_HASH_SHA384, BYTES(digest.bytes, digest.size));
	put_tlv_u64(log, ASSAY_CEL_RECNUM, number);
	put_tlv(log, type, index);
	put_tlv(log, ASSAY_CEL_DIGESTS, buffer_bytes(&digests));
	put_tlv_text(log, CEL_COS, "x");
	buffer_free(&digests);
}

/* Each register by itself; what is none of them is counted. */
static void registers_are_kept_apart(void **state)
{
	struct pcrs_request request = { 0 };
	struct assay_error err;
	static struct pcrs pcrs;
	struct buffer log = { 0 };
	char name[PCRS_NAME_MAX];

	(void)state;
	put_record(&log, 0, ASSAY_CEL_PCR, BYTES_LITERAL("\3"));
	put_record(&log, 1, CEL_CCMR, BYTES_LITERAL("\3"));
	put_record(&log, 2, CEL_CCMR, BYTES_LITERAL("\0"));
	put_record(&log, 3, CEL_CCMR, BYTES_LITERAL("\5"));
	put_record(&log, 4, CEL_CCMR, BYTES_LITERAL("\377"));
	put_record(&log, 5, CEL_NV_INDEX, BYTES_LITERAL("\1\320\0\3"));
	assert_int_equal(pcrs_of_cel(buffer_bytes(&log), &request, &pcrs, &err), 0);
	assert_int_equal(pcrs.others, 4);
	assert_int_equal(pcrs.banks[0].extended, (1U << 3) | (1U << (PCRS_CC + 3)));
	assert_memory_not_equal(pcrs.banks[0].values[3].bytes,
				pcrs.banks[0].values[PCRS_CC + 3].bytes, SHA384_SIZE);
	assert_string_equal(pcrs_register_name(3, name), "PCR 3");
	assert_string_equal(pcrs_register_name(PCRS_CC + 3, name), "RTMR2");
	assert_string_equal(pcrs_register_name(PCRS_CC, name), "MRTD");
	buffer_free(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_those_of_the_machine),
		cmocka_unit_test(expected_values_are_found),
		cmocka_unit_test(what_is_of_mrtd_is_told),
		cmocka_unit_test(ill_formed_logs_are_refused),
		cmocka_unit_test(a_log_in_cel_comes_to_rtmr3),
		cmocka_unit_test(registers_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
