/* SPDX-License-Identifier: MIT */
/*
 * The service, and what its parts are. A part is a file or a few with one `struct part`, named in
 * parts.c. It works by callbacks of the loop, and knows other parts by what is declared here only.
 *
 * A part that cannot work sets a problem (problems.h), tries again by a timer, and clears the
 * problem once it works. Nothing that a part meets ends the service.
 */
#ifndef ASSAY_ASSAYD_SERVICE_H
#define ASSAY_ASSAYD_SERVICE_H

#include <jansson.h>

#include "base/machine.h"
#include "call.h"
#include "config.h"
#include "log/device.h"
#include "loop.h"
#include "metrics.h"
#include "problems.h"

struct service;
struct part;
struct request;

/* Who may call a method. */
enum method_access {
	METHOD_STATUS,	/* root, and the group [status] group */
	METHOD_MEASURE, /* by [status] measure-access */
	METHOD_QUOTE,	/* by [status] quote-access */
};

/**
 * struct part_method - a method that a part answers, of the interface org.assay
 * @name: "Measure"
 * @call: answers @request, now or later, once: request_answer() or request_fail(). @parameters
 *        are the request's, and live as long as it does; they are within the bounds of call.h,
 *        and foreign otherwise
 */
struct part_method {
	const char *name;
	enum method_access access;
	void (*call)(struct part *part, const struct call_parameters *parameters,
		     struct request *request);
};

/**
 * struct part - a part of the service
 * @name: "archive": of its section in the configuration, its member of the state, its problems
 * @prepare: what only root can do, before the service becomes group @gid; failures show later
 * @start: begin; the configuration and the loop are there. -errno with @err: it is told as a
 *         problem, and the start tried again later
 * @stop: end, and free what it holds; called if @start returned 0
 * @reload: the configuration is another one: service->config
 * @device: /dev/assay is there (until the next call), or, with NULL, is no longer: it is closed
 *          behind this call. A part has to give up what it has of it: mappings
 * @tell: add members to its object in the state
 * @metrics: print its metrics
 * @busy: it works for somebody, and ends with that in its time: where the service has to end, but
 *        not at once, it waits for this
 * @acknowledged: a verifier has seen so many records of the log, and entries of IMA's list
 * @methods: ended by one without a name
 *
 * Each may be NULL. What follows is not the part's table:
 * @data: the part's own
 * @service: set before @start
 * @started: @start has returned 0
 */
struct part {
	const char *name;
	void (*prepare)(const struct config *config, unsigned int gid);
	int (*start)(struct service *service, struct part *part, struct assay_error *err);
	void (*stop)(struct service *service, struct part *part);
	void (*reload)(struct service *service, struct part *part);
	void (*device)(struct part *part, const struct device *device);
	void (*tell)(struct part *part, json_t *object);
	void (*metrics)(struct part *part, struct metrics *metrics);
	bool (*busy)(const struct part *part);
	void (*acknowledged)(struct part *part, uint64_t records, uint64_t entries);
	const struct part_method *methods;

	void *data;
	struct service *service;
	bool started;
};

/* The parts, ended by NULL, in the order in which they are started; stopped the other way. */
extern struct part *const service_parts[];

/**
 * struct service - what the parts share
 * @boot_id: of this boot, as in /proc/sys/kernel/random/boot_id
 * @device: /dev/assay, open for reading and writing; fd is -1 while it is not there
 * @log_archive: directory of the archive of the log that the device has, which tells it from others
 * of this boot; NULL: not known yet. The part `archive` sets it
 * @started_at: loop_now() at the start
 * @failure: why it ends without being told to; its code is 0 while it does not
 */
struct service {
	struct loop *loop;
	struct config *config;
	const char *config_path;
	struct part *const *parts;
	char boot_id[BOOT_ID_TEXT];
	struct device device;
	struct problems problems;
	const char *log_archive;
	uint64_t started_at;
	struct assay_error failure;

	/* service.c's own */
	int lock;
	uint64_t retry_in;
	struct loop_timer *device_timer, *retry_timer, *end_timer;
	struct loop_signal *signals[3];
};

/*
 * problem_set() - note a problem; one of that key is replaced
 * It is told once, and again only when its text is another one.
 */
void problem_set(struct service *service, const char *part, const char *key, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* problem_set_error() - the same, of an error */
void problem_set_error(struct service *service, const char *part, const char *key,
		       const struct assay_error *err);

/*
 * problem_set_parser() - what parses requests of a part ended before it was done
 * It stays, as the first of them was, until the part clears it when the configuration is read anew:
 * the next request is parsed by another process, which tells nothing of this one.
 */
#define PROBLEM_PARSER "parser"
void problem_set_parser(struct service *service, const char *part, const struct assay_error *err);

/* problem_clear() - it is mended; does nothing if there was none */
void problem_clear(struct service *service, const char *part, const char *key);

bool problem_is_set(const struct service *service, const char *part, const char *key);

/* service_changed() - what the state tells is another one: it is written anew soon */
void service_changed(struct service *service);

/* service_device_lost() - /dev/assay does not answer any more: all parts are told, and it is
 * looked for again. A part may call it, and must take back what it holds in its @device first. */
void service_device_lost(struct service *service, const struct assay_error *err);

/* service_acknowledged() - a verifier has seen so many records and entries: all parts are told */
void service_acknowledged(struct service *service, uint64_t records, uint64_t entries);

/**
 * struct quote_wanted - what service_quote() is asked for
 * @nonce: of the verifier
 * @since: number of the first record of assay's log that is needed; if they can no longer be had
 *         from there on, or not yet, all there are. 0: all
 * @since_ima: likewise of the first entry of IMA's list
 * @since_uefi: the firmware's log is not needed if it has so many bytes
 * @compress: evidence as a frame of zstd
 */
struct quote_wanted {
	struct bytes nonce;
	uint64_t since, since_ima, since_uefi;
	bool compress;
};

/**
 * struct quote_made - evidence
 * @fd: a file without a name that holds it; the callee's to close; -1: there is none
 * @size: bytes, from its beginning
 * @records: of assay's log, it has what is before this number; 0 without the log
 * @entries: of IMA's list, it has so many, from the boot on
 */
struct quote_made {
	int fd;
	uint64_t size, records, entries;
};

/*
 * quote_done - called by the loop, once
 * @r: 0; -errno with @err: there is no evidence
 */
typedef void (*quote_done)(void *context, int r, const struct quote_made *made,
			   const struct assay_error *err);

struct quote_order;

/*
 * service_quote() - have evidence made, by the part `attest`, one after the other
 * @ret: for service_quote_cancel(), until @done is called
 *
 * Return: 0; -EBUSY if too many wait; -ENOTSUP if it is not configured
 */
int service_quote(struct service *service, const struct quote_wanted *wanted, quote_done done,
		  void *context, struct quote_order **ret, struct assay_error *err);
/* service_quote_cancel() - @done is not called any more; NULL is allowed */
void service_quote_cancel(struct quote_order *order);

/* service_retry() - a part has set its @started to false: start it again later */
void service_retry(struct service *service);

/* service_state() - the whole state, as state.json has it; json_decref() it; NULL without memory */
json_t *service_state(struct service *service);

/* service_metrics() - all metrics, in Prometheus' text format */
void service_metrics(struct service *service, struct metrics *metrics);

/* service_find_method() - NULL if no part that has started has it */
const struct part_method *service_find_method(struct service *service, const char *name,
					      struct part **ret_part);

/*
 * request_answer() - answer a request; @parameters are taken over, NULL stands for none
 * request_fail() - answer it with an error
 * @error: "org.assay.Failed", "org.assay.Busy", or another error of the interface
 *         (varlink_interface.c) with these members
 * request_refuse() - say that a parameter is missing, or not of its type
 */
void request_answer(struct request *request, json_t *parameters);
void request_refuse(struct request *request, const char *parameter);
void request_fail(struct request *request, const char *error, const struct assay_error *err);

/* What main.c calls. */
int service_start(struct service *service, struct assay_error *err);
void service_stop(struct service *service);

#endif /* ASSAY_ASSAYD_SERVICE_H */
