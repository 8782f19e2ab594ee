/* SPDX-License-Identifier: MIT */
/* What one process of the service has: its settings, its database, what it keeps of that. */
#ifndef ASSAY_FLEET_FLEET_H
#define ASSAY_FLEET_FLEET_H

#include <event2/event.h>
#include <openssl/x509.h>

#include "auth.h"
#include "base/signer.h"
#include "clock.h"
#include "enroll/ek_list.h"
#include "http.h"
#include "nonce.h"
#include "policies.h"
#include "rate.h"
#include "sign/chain.h"
#include "store.h"
#include "totals.h"

/**
 * struct fleet_settings - how it works; borrowed
 * @interval: seconds between two attestations of a device
 * @nonce_step: of the time that nonces are of, in seconds
 * @nonce_rotation: seconds until there is a new key for nonces
 * @evidence_max: bytes of evidence, expanded; @body_max: as it is sent
 * @kept_max: bytes of a device's evidence that are kept in a day; more is judged all the same
 * @retain, @retain_summaries: days that verdicts and evidence, and counts of days, are kept; with
 *     0 of the first nothing is removed
 * @queue_max: requests of devices that wait at a time; more are told to come later
 * @device_rate, @operator_rate: requests a minute of one, at most; 0: any number
 * @enrol_label: of devices that enrol themselves
 * @enrol_approved: they may attest at once; else an operator has to approve
 * @two_persons: what is decided needs a second approver
 */
struct fleet_settings {
	uint64_t interval;
	uint64_t nonce_step, nonce_rotation;
	uint64_t evidence_max;
	uint64_t kept_max;
	uint64_t retain, retain_summaries;
	uint64_t queue_max;
	uint64_t device_rate, operator_rate;
	const char *enrol_label;
	bool enrol_approved;
	bool two_persons;
};

/* struct fleet_counts - of a worker, since the service began; @http: what it counts itself */
struct fleet_counts {
	struct http_counts http;
	uint64_t challenges, verdicts, trusted, not_trusted, repeated, stale, foreign, refused,
		shed, limited, not_kept, batches, changes, failures, silent, clock_back, webhooks,
		webhook_failures;
};

struct intake;
struct events;

struct fleet {
	const struct fleet_settings *settings;
	struct event_base *base;
	struct store *store;
	struct http_server *http;
	struct auth auth;
	struct intake *intake;
	struct policies policies;
	struct rates *rates;
	struct nonce_keys nonce_keys;
	uint64_t nonce_made; /* when the newest of these keys was made */
	struct chain_trust ek_trust;
	struct ek_list known_eks; /* that need no certificate */
	struct events *events;
	struct signer *result_signer;	       /* of EARs; NULL: there are none */
	struct fleet_counts *counts;	       /* of this worker, in @all_counts */
	const struct fleet_counts *all_counts; /* which the workers share, one each */
	unsigned int workers;
	struct totals totals;
	json_t *versions; /* that were counted last; NULL: none were yet */
	struct seldom versions_seldom;
};

/*
 * fleet_refresh() - read anew what another process may have changed: policies and nonces' keys
 * A key that is too old is followed by a new one.
 */
int fleet_refresh(struct fleet *fleet, struct assay_error *err);

#endif /* ASSAY_FLEET_FLEET_H */
