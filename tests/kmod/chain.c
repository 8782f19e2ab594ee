// SPDX-License-Identifier: MIT
/*
 * The keys of the log's records.
 *
 * chain log: each record has a MAC by the key that the record before commits to, and has its key
 * chain call: and the call that gives keys refuses what it must
 * chain pending: and keys are given of records that are anchored, and of no other
 * chain forge FILE: does what somebody else can do: extends the PCR by a record that follows the
 * log's last one in all but that its key is not the module's; FILE gets the record, and standard
 * output its number and key
 */
#define _GNU_SOURCE
#include "guest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY ASSAY_KEY_SIZE

/* RFC 2104 */
static void hmac(const uint8_t *key, const uint8_t *data, size_t size, uint8_t *mac)
{
	uint8_t inner[64 + 64], outer[64 + 32];

	need(size <= 64, "data for a MAC");
	for (size_t i = 0; i < 64; i++) {
		inner[i] = (uint8_t)((i < KEY ? key[i] : 0) ^ 0x36);
		outer[i] = (uint8_t)((i < KEY ? key[i] : 0) ^ 0x5c);
	}
	memcpy(inner + 64, data, size);
	sha(32, inner, 64 + size, outer + 64);
	sha(32, outer, sizeof(outer), mac);
}

static void record_mac(const uint8_t *key, uint64_t number, const uint8_t *content, size_t size,
		       uint8_t *mac)
{
	uint8_t data[8 + 32];

	put_be(data, 0, 8, number);
	sha(32, content, size, data + 8);
	hmac(key, data, sizeof(data), mac);
}

static int get_keys(int fd, uint64_t first, uint32_t count, void *keys, uint32_t *ret_count)
{
	struct assay_keys request = { .count = count, .first = first, .keys = (uintptr_t)keys };
	int ret = call(fd, ASSAY_IOC_KEYS, &request);

	*ret_count = request.count;
	return ret;
}

/* ------------------------------------------------------------------ check */
/* Whether @record is what the module wrote. @commitment: NULL for the first */
static bool check_record(const struct record *record, const uint8_t *commitment, const uint8_t *key)
{
	uint8_t digest[32], mac[32];

	sha(32, key, KEY, digest);
	record_mac(key, record->number, record->content.whole,
		   record->content.whole_size - (5 + KEY), mac);
	return (!commitment || !memcmp(commitment, digest, 32)) &&
	       !memcmp(record->mac.value, mac, 32);
}

static void check_log(int fd, const struct assay_info *info)
{
	struct log log = map_log(fd);
	uint64_t first = log.header->head_recnum, count = info->records - first, good = 0,
		 revealed = 0;
	const uint8_t *commitment = NULL;
	uint8_t key[KEY];
	struct record record;

	for (uint64_t i = 0; i < count; i++) {
		uint32_t got = 0;

		need(get_record(&log, i, &record), "record %" PRIu64, first + i);
		revealed += record.key.value && i > 0 && !memcmp(record.key.value, key, KEY);
		if (get_keys(fd, first + i, 1, key, &got) || got != 1)
			break;
		good += check_record(&record, commitment, key);
		commitment = record.next.value;
	}
	check_is((long long)good, (long long)count, "each record is by the key committed to");
	check_is((long long)revealed, (long long)count - 1,
		 "each but the first has the key before");
	unmap_log(&log);
}

static void check_call(int fd, const struct assay_info *info)
{
	static uint8_t keys[ASSAY_MAX_BATCH][KEY];
	const uint64_t at = (uintptr_t)keys;
	const struct {
		const char *what;
		struct assay_keys request;
	} refused[] = {
		{ "a flag", { .flags = 1, .count = 1, .keys = at } },
		{ "no key", { .count = 0, .keys = at } },
		{ "a key too many", { .count = ASSAY_MAX_BATCH + 1, .keys = at } },
		{ "numbers that overflow", { .count = 2, .first = UINT64_MAX - 1, .keys = at } },
	};
	struct assay_keys request;
	int write_only = open(DEVICE, O_WRONLY | O_CLOEXEC);
	uint32_t got;

	for (size_t i = 0; i < COUNT(refused); i++) {
		request = refused[i].request;
		check(call(fd, ASSAY_IOC_KEYS, &request) == -EINVAL, "KEYS: %s", refused[i].what);
	}
	check_is(get_keys(fd, 0, 1, NULL, &got), -EFAULT, "KEYS to nowhere");
	check_is(get_keys(write_only, 0, 1, keys, &got), -EACCES,
		 "KEYS through a descriptor for writing");
	close(write_only);
	check(!get_keys(fd, 0, ASSAY_MAX_BATCH, keys, &got) && got == info->records,
	      "KEYS of all records: as many as are anchored");
	check(!get_keys(fd, info->records, 1, keys, &got) && got == 0, "KEYS of the next: none");
	check(!get_keys(fd, UINT64_MAX - 1, 1, keys, &got) && got == 0, "KEYS of the last: none");
}

/* A record that is not in the PCR yet has a key that nobody may know. */
static void check_pending(int fd)
{
	struct assay_info info;
	struct log log;
	struct record record;
	uint8_t keys[4][KEY];
	uint32_t got;

	bind_tpm(false);
	for (int i = 0; i < 2; i++)
		check_is(append(fd, "test", "pending", 7, NULL), -ENODEV, "without a TPM: pending");
	info = get_info(fd);
	check(!get_keys(fd, info.anchored_records, 2, keys, &got) && got == 0,
	      "no key is given of what is pending");
	log = map_log(fd);
	need(get_record(&log, info.records - log.header->head_recnum - 1, &record), "last record");
	check(!record.key.value, "nor does the record behind it have it");
	check(!get_keys(fd, info.anchored_records - 1, 4, keys, &got) && got == 1,
	      "that of the last anchored one is");
	bind_tpm(true);
	check_is(append(fd, "test", "after", 5, NULL), 0, "with the TPM again: anchored");
	check(!get_keys(fd, info.anchored_records, 3, keys, &got) && got == 3,
	      "then all keys are given");
	for (int i = 0; i < 2; i++) {
		need(get_record(&log, info.records - log.header->head_recnum - 2 + (uint64_t)i,
				&record),
		     "record");
		check(check_record(&record, NULL, keys[i]), "and are the right ones");
	}
	need(get_record(&log, info.records - log.header->head_recnum, &record), "record");
	check(record.key.value && !memcmp(record.key.value, keys[1], KEY),
	      "the next record has that of the last of them");
	unmap_log(&log);
}

/* ------------------------------------------------------------------ forge */
static size_t put_tlv(uint8_t *to, size_t at, uint8_t type, const void *value, size_t size)
{
	at = put_be(to, at, 1, type);
	at = put_be(to, at, 4, size);
	memcpy(to + at, value, size);
	return at + size;
}

/* EVENT: "all is well". Returns the bytes of the content. */
static size_t forge_content(uint8_t *to, uint64_t number, const uint8_t *before, const uint8_t *own)
{
	static const uint8_t kind = ASSAY_KIND_EVENT, time[8], next[KEY];
	uint8_t event[64], mac[32];
	size_t size = put_tlv(event, 0, ASSAY_FIELD_LABEL, "test", 4), at = 5;

	size = put_tlv(event, size, ASSAY_FIELD_DATA, "all is well", 11);
	at = put_tlv(to, at, ASSAY_FIELD_KIND, &kind, 1);
	at = put_tlv(to, at, ASSAY_FIELD_TIME, time, 8);
	at = put_tlv(to, at, ASSAY_FIELD_KEY, before, KEY);
	at = put_tlv(to, at, ASSAY_FIELD_NEXT, next, KEY);
	at = put_tlv(to, at, ASSAY_FIELD_EVENT, event, size);
	put_be(to, 0, 1, ASSAY_CEL_CONTENT);
	put_be(to, 1, 4, at - 5 + 5 + KEY);
	record_mac(own, number, to, at, mac);
	return put_tlv(to, at, ASSAY_FIELD_MAC, mac, sizeof(mac));
}

/* In all the log's banks; returns the bytes of the digests. */
static size_t extend(const struct assay_info *info, const uint8_t *content, size_t size,
		     uint8_t *digests)
{
	uint8_t digest[64];
	size_t at = 0;

	for (unsigned int i = 0; i < info->bank_count; i++) {
		unsigned int bytes = digest_size(info->bank_alg[i]);

		sha(bytes, content, size, digest);
		at = put_tlv(digests, at, ASSAY_CEL_DIGEST_TYPE(info->bank_alg[i]), digest, bytes);
	}
	tpm_extend(info->pcr, (struct tlv){ .value = digests, .size = (uint32_t)at }, info);
	return at;
}

static int forge(int fd, const char *path)
{
	static const uint8_t own[KEY] = "nobody has this key but I do";
	struct assay_info info = get_info(fd);
	uint8_t before[KEY], content[512], digests[256], record[1024], number[8];
	uint8_t pcr = (uint8_t)info.pcr;
	size_t size, digests_size, at = 0;
	uint32_t got;
	int file;

	need(!get_keys(fd, info.records - 1, 1, before, &got) && got == 1, "the last key");
	size = forge_content(content, info.records, before, own);
	digests_size = extend(&info, content, size, digests);
	put_be(number, 0, 8, info.records);
	at = put_tlv(record, at, ASSAY_CEL_RECNUM, number, 8);
	at = put_tlv(record, at, ASSAY_CEL_PCR, &pcr, 1);
	at = put_tlv(record, at, ASSAY_CEL_DIGESTS, digests, digests_size);
	memcpy(record + at, content, size);
	at += size;
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	need(file >= 0 && write(file, record, at) == (ssize_t)at, "%s", path);
	close(file);
	printf("%" PRIu64 " ", (uint64_t)info.records);
	for (size_t i = 0; i < KEY; i++)
		printf("%02x", own[i]);
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	struct assay_info info;

	need(fd >= 0, "open " DEVICE);
	if (argc == 3 && !strcmp(argv[1], "forge"))
		return forge(fd, argv[2]);
	for (int i = 0; i < 3; i++)
		check_is(append(fd, "test", "data", 4, NULL), 0, "an event is appended");
	info = get_info(fd);
	check_log(fd, &info);
	if (argc == 2 && !strcmp(argv[1], "call"))
		check_call(fd, &info);
	if (argc == 2 && !strcmp(argv[1], "pending"))
		check_pending(fd);
	return tap_end();
}
