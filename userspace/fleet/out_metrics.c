// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* open_memstream() */
#include "out_metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"
#include "base/cleanup.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP assay_fleet_%s %s\n# TYPE assay_fleet_%s %s\n", name, help, name,
		type);
}

static uint64_t sum(const struct fleet *fleet, size_t offset)
{
	uint64_t value, total = 0;

	for (unsigned int i = 0; i < fleet->workers; i++) {
		memcpy(&value, (const char *)&fleet->all_counts[i] + offset, sizeof(value));
		total += value;
	}
	return total;
}

/* Of this service's workers; others that share the database have their own. */
static void write_counts(FILE *out, const struct fleet *fleet)
{
#define COUNT(member) offsetof(struct fleet_counts, member)
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[] = {
		{ "challenges_total", "Nonces that were given out.", COUNT(challenges) },
		{ "verdicts_total", "Verdicts that were made.", COUNT(verdicts) },
		{ "verdicts_trusted_total", "Of these, trusted.", COUNT(trusted) },
		{ "verdicts_not_trusted_total", "Of these, not trusted.", COUNT(not_trusted) },
		{ "changes_total", "Verdicts that were another one than before.", COUNT(changes) },
		{ "repeated_total", "Evidence that had been judged already.", COUNT(repeated) },
		{ "stale_total", "Evidence that was too old, or whose nonce was.", COUNT(stale) },
		{ "foreign_total", "Evidence that was not proved to be its device's.",
		  COUNT(foreign) },
		{ "refused_total", "Requests of devices that were refused.", COUNT(refused) },
		{ "shed_total", "Requests that were put off, as too many waited.", COUNT(shed) },
		{ "limited_total", "Requests of those who asked too often.", COUNT(limited) },
		{ "not_kept_total", "Evidence that was judged, but was too much to keep.",
		  COUNT(not_kept) },
		{ "batches_total", "Transactions for devices.", COUNT(batches) },
		{ "silent_total", "Devices that were found to be silent.", COUNT(silent) },
		{ "clock_back_total", "Times that the clock had gone back.", COUNT(clock_back) },
		{ "failures_total", "Failures of the database.", COUNT(failures) },
		{ "webhooks_total", "Messages that receivers have taken.", COUNT(webhooks) },
		{ "webhook_failures_total", "Messages that receivers have not taken.",
		  COUNT(webhook_failures) },
		{ "answers_total", "Requests that were answered.", COUNT(http.served) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		head(out, rows[i].name, "counter", rows[i].help);
		fprintf(out, "assay_fleet_%s %" PRIu64 "\n", rows[i].name,
			sum(fleet, rows[i].offset));
	}
	head(out, "connections", "gauge", "Connections over TLS.");
	fprintf(out, "assay_fleet_connections %" PRIu64 "\n", sum(fleet, COUNT(http.connections)));
#undef COUNT
}

static int write_totals(FILE *out, struct fleet *fleet, struct assay_error *err)
{
	const struct totals *totals = &fleet->totals;
	int r = totals_get(&fleet->totals, fleet->store, err);

	if (r < 0)
		return r;
	head(out, "devices", "gauge", "Enrolled devices, by what they are held for.");
	for (int i = 0; i < DEVICE_VERDICTS; i++)
		fprintf(out, "assay_fleet_devices{verdict=\"%s\"} %" PRIu64 "\n",
			device_verdict_name((enum device_verdict)i), totals->devices[i]);
	head(out, "alarms_open", "gauge", "Devices that are not trusted, or silent.");
	fprintf(out, "assay_fleet_alarms_open %" PRIu64 "\n", totals->open);
	head(out, "alarms_unacknowledged", "gauge",
	     "Of these, those that nobody has acknowledged.");
	fprintf(out, "assay_fleet_alarms_unacknowledged %" PRIu64 "\n", totals->unseen);
	return 0;
}

static int write_tries(void *context, size_t set, const struct store_value *columns, size_t count,
		       struct assay_error *err)
{
	(void)set;
	(void)count;
	(void)err;
	fprintf(context, "assay_fleet_webhook_tries{webhook=\"%s\"} %" PRIu64 "\n",
		store_get_text(&columns[0]), store_get_number(&columns[1]));
	return 0;
}

/* Of whichever process. */
static int write_webhooks(FILE *out, struct store *store, struct assay_error *err)
{
	static const struct store_statement get = {
		"", "SELECT name, attempts FROM webhook ORDER BY name", NULL
	};

	head(out, "webhook_tries", "gauge",
	     "Times that the message that a receiver is to get was not taken.");
	return store_run(store, &get, NULL, 1, write_tries, out, err);
}

void out_metrics(struct http_call *call)
{
	struct fleet *fleet = call->context;
	CLEANUP(free_pointer) char *text = NULL;
	struct assay_error err = { 0 };
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r = out ? write_totals(out, fleet, &err) : assay_fail(&err, ENOMEM, "out of memory");

	if (r == 0)
		r = write_webhooks(out, fleet->store, &err);
	if (r == 0)
		write_counts(out, fleet);
	if (out && fclose(out) != 0 && r == 0)
		r = assay_fail(&err, ENOMEM, "out of memory");
	if (r < 0)
		act_failed(call, r, &err);
	else
		http_answer_bytes(call, "text/plain; version=0.0.4",
				  BYTES((const uint8_t *)text, size));
}
