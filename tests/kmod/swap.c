// SPDX-License-Identifier: MIT
/*
 * A log in a static region that the TPM does not have all of, and one of whose pending records is
 * exchanged for another one, which is good as well, just when the module has looked at it and has
 * not protected it yet. What is extended is what is in the log then, whichever that is. Needs the
 * modules scribble and hold.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "kept.h"

#define HOLD "/sys/module/hold/parameters/"
#define HELD_MS "2000"
#define RECORD_MAX 4096

/* A record as it is and as it might be, and where: whole words of memory. */
struct exchange {
	uint64_t address;
	size_t size;
	uint8_t mine[RECORD_MAX];
	uint8_t other[RECORD_MAX];
};

static void lay(const struct exchange *exchange, const uint8_t *bytes)
{
	for (size_t at = 0; at < exchange->size; at += 8) {
		uint64_t value;

		memcpy(&value, bytes + at, 8);
		lay_word(exchange->address + at, value);
	}
}

/* The second of three pending records, and one with other data and the digest of that. */
static void choose(const struct log *log, const struct assay_info *info, struct exchange *exchange)
{
	size_t start = info->anchored / 8 * 8, skip = info->anchored % 8;
	const uint8_t *at = exchange->other + skip;
	struct record record;
	struct tlv event, data, digest;
	size_t size;

	exchange->address = info->window_base + log->page_size + start;
	exchange->size = (info->tail - start + 7) / 8 * 8;
	need(exchange->size <= RECORD_MAX, "room for the records");
	memcpy(exchange->mine, log->ring + start, exchange->size);
	memcpy(exchange->other, exchange->mine, exchange->size);
	size = info->tail - info->anchored;
	need(next_record(&at, &size, &record) && next_record(&at, &size, &record), "two records");
	event = find_tlv(record.fields, record.fields_size, ASSAY_FIELD_EVENT);
	data = find_tlv(event.value, event.size, ASSAY_FIELD_DATA);
	digest = find_tlv(record.digests.value, record.digests.size,
			  ASSAY_CEL_DIGEST_TYPE(ASSAY_ALG_SHA256));
	need(data.size > 0 && digest.size == 32, "its data and digest");
	/* All of these point into what is ours to change. */
	*(uint8_t *)(uintptr_t)data.value ^= 1;
	sha(32, record.content.whole, record.content.whole_size,
	    (uint8_t *)(uintptr_t)digest.value);
}

/* Three records that the TPM does not have yet; the module is unloaded. */
static void leave_pending(struct exchange *exchange)
{
	int fd = open_assay(O_RDWR);
	struct log log = map_log(fd);
	struct assay_info info;

	need(append(fd, "swap", "anchored", 8, NULL) == 0, "append");
	bind_tpm(false);
	for (int i = 0; i < 3; i++)
		need(append(fd, "swap", "pending", 7, NULL) == -ENODEV, "append without a TPM");
	info = get_info(fd);
	choose(&log, &info, exchange);
	unmap_log(&log);
	close(fd);
	unload_assay();
	bind_tpm(true);
}

/* Loads the module in a child, and changes the memory while that is held up. */
static int load_and_lay(const struct exchange *exchange, const uint8_t *bytes)
{
	long long before = read_number(HOLD "held");
	int status, tries = 0;
	pid_t child;

	need(!write_text(HOLD "resume_ms", HELD_MS), "have loading held up");
	child = fork();
	need(child >= 0, "fork");
	if (!child)
		_exit(module_load("/bed/assay.ko", "") ? 1 : 0);
	while (read_number(HOLD "held") == before && tries++ < 3000)
		usleep(10000);
	lay(exchange, bytes);
	need(waitpid(child, &status, 0) == child, "wait");
	need(!write_text(HOLD "resume_ms", "0"), "not any more");
	check_is(read_number(HOLD "held"), before + 1, "loading was held up");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_exchange(bool back)
{
	static struct exchange exchange;
	struct log log;
	int fd;

	leave_pending(&exchange);
	if (back)
		lay(&exchange, exchange.other);
	check_is(load_and_lay(&exchange, back ? exchange.mine : exchange.other), 0,
		 back ? "a record that is put back: the module loads" :
			"a record that is exchanged: the module loads");
	fd = open_assay(O_RDWR);
	log = map_log(fd);
	check(log.header->flags == ASSAY_LOG_ADOPTED, "the log goes on");
	check_is(settle_log(fd), 0, "what is pending is anchored");
	check_is(replay(&log, log.header->bank_count), (long long)get_info(fd).records,
		 "the PCR is explained by what is in the log");
	unmap_log(&log);
	close(fd);
}

int main(void)
{
	load_assay("");
	test_exchange(true);
	test_exchange(false);
	unload_assay();
	return tap_end();
}
