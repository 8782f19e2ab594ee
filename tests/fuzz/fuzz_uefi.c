// SPDX-License-Identifier: MIT
/* Fuzzing the reader of the firmware's event log. */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz.h"
#include "log/uefi.h"

static void judge(const struct uefi_reader *reader, const struct uefi_event *event,
		  struct bytes log)
{
	if (event->digest_count > (event->number == 0 ? 1 : reader->bank_count))
		abort();
	inside(event->data, log);
	if (reader->cc && event->pcr >= UEFI_CC_COUNT)
		abort();
	if (event->extended ? event->pcr >= UEFI_PCR_COUNT :
			      (event->type != UEFI_EV_NO_ACTION && !reader->cc) || event->covered)
		abort();
	if (event->rules >> UEFI_RULES)
		abort();
}

/* What a PCR replays to covers all of its events, but for those without a digest. */
static void check_prefix(struct bytes log, const struct uefi_pcrs *pcrs)
{
	unsigned int pcr = log.data[log.size - 1] % UEFI_PCR_COUNT;
	struct uefi_prefix prefix;

	for (size_t i = 0; i < pcrs->bank_count; i++) {
		enum assay_hash bank = pcrs->banks[i].hash;

		if (uefi_find_prefix(log, pcr, uefi_pcrs_value(pcrs, bank, pcr), &prefix, NULL) !=
			    0 ||
		    prefix.covered > prefix.events)
			abort();
		if (prefix.events > 0 && uefi_pcrs_complete(pcrs, bank, pcr) &&
		    (!prefix.reached || prefix.covered != prefix.events))
			abort();
	}
}

/* The same bytes as the log of a confidential machine. */
static void check_cc(struct bytes log)
{
	static struct uefi_pcrs pcrs;
	struct uefi_reader reader;
	struct uefi_event event;
	struct assay_error err;
	uint64_t events = 0;
	int r;

	if (uefi_open_cc(&reader, log, &err) < 0)
		return;
	for (; (r = uefi_next(&reader, &event, &err)) == 1; events++)
		judge(&reader, &event, log);
	if (uefi_replay_cc(log, &pcrs, &err) == 0 ? r != 0 || pcrs.events != events :
						    r == 0 && reader.hashers.count > 0)
		abort();
	uefi_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct uefi_pcrs pcrs;
	struct uefi_reader reader;
	struct uefi_event event;
	struct assay_error err;
	uint64_t events = 0;
	int r;

	check_cc(BYTES(data, size));
	if (uefi_open(&reader, BYTES(data, size), &err) < 0) {
		if (uefi_replay(BYTES(data, size), &pcrs, &err) >= 0)
			abort();
		return 0;
	}
	while ((r = uefi_next(&reader, &event, &err)) == 1) {
		if (event.number != events++)
			abort();
		judge(&reader, &event, BYTES(data, size));
	}
	if (reader.offset + reader.rest.size != size)
		abort();
	/* What can be read to its end replays, but for logs of no bank that is known. */
	if (uefi_replay(BYTES(data, size), &pcrs, &err) == 0 ? r != 0 || pcrs.events != events :
							       r == 0 && reader.hashers.count > 0)
		abort();
	if (r == 0 && reader.hashers.count > 0)
		check_prefix(BYTES(data, size), &pcrs);
	uefi_close(&reader);
	return 0;
}
