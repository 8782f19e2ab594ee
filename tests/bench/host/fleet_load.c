// SPDX-License-Identifier: MIT
/*
 * fleet-load: a load for assay-fleet, of devices that are made up (fleet_device.h), over HTTP/1.1
 * with connections that are kept. Each attestation asks for a nonce, has it signed, sends the
 * evidence that the verifier does not have yet, and looks whether the answer is "trusted". The last
 * line is what was seen, as JSON. With --patient whatever fails is tried again, over a new
 * connection if need be, with the same evidence: for a verifier to which things are done. --record
 * then says for each device what the verifier has answered last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "base/file.h"
#include "fleet_device.h"
#include "fleet_files.h"

#define SOCKETS_MAX 16
#define TRIES 5
#define PAUSE 0.1	  /* seconds until what failed is tried again */
#define GRACE_SECONDS 120 /* that what was begun in time has */

enum step { STEP_IDLE, STEP_ENROL, STEP_CHALLENGE, STEP_EVIDENCE, STEP_AGAIN };

/**
 * struct connection - one that is kept, and what it is at
 * @fd: -1: there is none now
 * @started: of the attestation, in seconds; @later: when what failed is tried again; 0: nothing is
 * @evidence: that was sent last
 */
struct connection {
	int fd;
	const char *path;
	enum step step;
	uint64_t number;
	int tries;
	double started, later;
	struct buffer out, in, evidence;
	size_t sent;
};

/**
 * struct load - what is to be done, and what was
 * @next: device; @left: attestations, or enrolments, not begun yet; @busy: begun
 * @active: devices that attest, spread evenly over all of them
 * @latencies: of attestations, in milliseconds
 * @broken: connections that ended while something was under way
 * @made: the devices; no two connections are at one, so that none attests twice at once
 */
static struct load {
	const char *sockets[SOCKETS_MAX];
	size_t socket_count;
	uint64_t devices, active, again;
	size_t connections, entries, grow;
	double seconds, rate;
	const char *token, *manifest, *one, *record;
	uint64_t rounds;
	bool enrol, rows, patient;

	struct made_device *made;
	struct made_logs logs;
	struct connection *kept;
	int epoll;
	double began, ends;
	uint64_t next, left, busy, started;
	float *latencies;
	size_t done, room;
	uint64_t bytes, retried, failed, broken, repeated, answered_count;
} load = { .devices = 200, .connections = 32, .entries = 4, .rounds = 1 };

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "fleet-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---------------------------------------------------------------- requests */

static void try_later(struct connection *connection)
{
	connection->later = now() + PAUSE;
}

static void give_up(struct connection *connection, const char *what)
{
	if (!load.patient)
		fail(what);
	if (connection->fd >= 0)
		(void)close(connection->fd);
	connection->fd = -1;
	load.broken += connection->step != STEP_IDLE;
	try_later(connection);
}

/* false: it is tried again later */
static bool connect_to(struct connection *connection)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
				     .data.ptr = connection };
	const char *path = connection->path;

	if (strlen(path) >= sizeof(address.sun_path))
		fail("the socket's path is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0)
		fail("socket");
	if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		give_up(connection, path);
		return false;
	}
	if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		fail("epoll_ctl");
	return true;
}

static void flush(struct connection *connection)
{
	while (connection->fd >= 0 && connection->sent < connection->out.size) {
		ssize_t got =
			send(connection->fd, connection->out.data + connection->sent,
			     connection->out.size - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (got < 0) {
			give_up(connection, "send");
			return;
		}
		connection->sent += (size_t)got;
		load.bytes += (uint64_t)got;
	}
}

static void request(struct connection *connection, const char *method, const char *what,
		    const char *header, struct bytes body)
{
	char name[DEVICE_NAME_MAX], head[512];

	made_device_name(connection->number, name);
	snprintf(head, sizeof(head),
		 "%s /v1/devices/%s%s HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\n"
		 "%sContent-Length: %zu\r\n\r\n",
		 method, name, what, header, body.size);
	connection->out.size = connection->in.size = connection->sent = 0;
	buffer_append(&connection->out, head, strlen(head));
	buffer_append_bytes(&connection->out, body);
	if (connection->out.failed)
		fail("out of memory");
	flush(connection);
}

static void ask_to_enrol(struct connection *connection)
{
	struct buffer record = { 0 };
	char header[256];

	made_device_record(&load.made[connection->number], connection->number, &record);
	snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n",
		 load.token ? load.token : "");
	connection->step = STEP_ENROL;
	request(connection, "PUT", "", header, buffer_bytes(&record));
	buffer_free(&record);
}

static void ask_for_nonce(struct connection *connection)
{
	static const char body[] = "{\"assay\":1,\"type\":\"push-challenge-request\",\"boot_id\":"
				   "\"01234567-89ab-cdef-0123-456789abcdef\"}";

	connection->step = STEP_CHALLENGE;
	request(connection, "POST", "/challenge", "", BYTES_LITERAL(body));
}

static void send_packed(struct connection *connection)
{
	request(connection, "POST", "/evidence", "Content-Encoding: zstd\r\n",
		buffer_bytes(&connection->evidence));
}

static void send_evidence(struct connection *connection, const json_t *challenge)
{
	struct made_device *device = &load.made[connection->number];
	const json_t *have = json_object_get(challenge, "have");
	const char *hex = json_string_value(json_object_get(challenge, "nonce"));
	struct buffer text = { 0 }, *packed = &connection->evidence;
	static ZSTD_CCtx *context;
	uint8_t nonce[64];
	size_t size = 0;

	if (!hex || hex_decode(hex, nonce, sizeof(nonce), &size) < 0)
		fail("the challenge has no nonce");
	made_device_attest(device, connection->number, &load.logs, BYTES(nonce, size),
			   (uint64_t)json_integer_value(json_object_get(have, "log")),
			   (uint64_t)json_integer_value(json_object_get(have, "ima")), &text);
	if (!context) {
		context = ZSTD_createCCtx();
		ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
		ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
	}
	packed->size = 0;
	if (!buffer_reserve(packed, ZSTD_compressBound(text.size)))
		fail("out of memory");
	packed->size = ZSTD_compress2(context, packed->data, ZSTD_compressBound(text.size),
				      text.data, text.size);
	connection->step = STEP_EVIDENCE;
	send_packed(connection);
	buffer_free(&text);
}

/* ---------------------------------------------------------------- what is due */

/* When the next may begin, at the rate that was asked for. */
static double due(void)
{
	return load.rate > 0 ? load.began + (double)load.started / load.rate : 0;
}

/* The next that no connection is at; false if there is none. */
static bool choose_device(uint64_t *ret)
{
	for (uint64_t i = 0; i < load.active; i++) {
		*ret = load.next * (load.devices / load.active);
		load.next = (load.next + 1) % load.active;
		if (!load.made[*ret].busy)
			return true;
	}
	return false;
}

/* Its time is over; who is patient goes on until each device was answered once. */
static bool has_ended(double time)
{
	return load.seconds > 0 && time >= load.ends && (!load.patient || load.done >= load.active);
}

static void begin_next(struct connection *connection)
{
	double time = now();

	connection->step = STEP_IDLE;
	if (load.left == 0 || has_ended(time) || time < due() ||
	    (connection->fd < 0 && !connect_to(connection)) || !choose_device(&connection->number))
		return;
	load.made[connection->number].busy = true;
	load.left--;
	load.busy++;
	load.started++;
	connection->started = time;
	connection->tries = 0;
	if (load.enrol)
		ask_to_enrol(connection);
	else
		ask_for_nonce(connection);
}

static void note_latency(double seconds)
{
	if (load.done == load.room) {
		load.room *= 2;
		load.latencies = realloc(load.latencies, load.room * sizeof(float));
		if (!load.latencies)
			fail("out of memory");
	}
	load.latencies[load.done++] = (float)(seconds * 1e3);
}

/* The device went on meanwhile: next time its logs are longer, as long as there is more. */
static void grow(struct made_device *device)
{
	for (size_t i = 0; i < load.grow; i++)
		made_device_grow(device, &load.logs);
}

static void finish(struct connection *connection, bool good, int status)
{
	load.busy--;
	load.made[connection->number].busy = false;
	if (good)
		note_latency(now() - connection->started);
	else if (load.failed++ < 10)
		fprintf(stderr, "fleet-load: device %llu: %d: %.*s\n",
			(unsigned long long)connection->number, status,
			(int)(connection->in.size < 600 ? connection->in.size : 600),
			(const char *)connection->in.data);
	if (good && !load.enrol)
		grow(&load.made[connection->number]);
	begin_next(connection);
}

/* What was judged is answered in the same way again, as long as nothing newer was. */
static void note_trusted(struct connection *connection, int status)
{
	struct made_device *device = &load.made[connection->number];

	device->answered = device->quotes;
	if (connection->step == STEP_EVIDENCE && load.again > 0 &&
	    load.answered_count++ % load.again == 0) {
		connection->step = STEP_AGAIN;
		send_packed(connection);
		return;
	}
	load.repeated += connection->step == STEP_AGAIN;
	finish(connection, true, status);
}

static bool may_retry(struct connection *connection, int status)
{
	/* Of nginx too, where what is behind it was killed: "it cannot answer now". */
	return (status == 409 || status == 503 || (status >= 500 && load.patient)) &&
	       connection->step != STEP_ENROL && (connection->tries++ < TRIES || load.patient);
}

static void take_answer(struct connection *connection, int status, struct bytes body)
{
	json_t *json = json_loadb((const char *)body.data, body.size, 0, NULL);
	const char *verdict = json_string_value(json_object_get(json, "verdict"));

	if (may_retry(connection, status)) {
		load.retried++;
		if (load.patient && status >= 500)
			try_later(connection);
		else
			ask_for_nonce(connection);
	} else if (connection->step == STEP_CHALLENGE && status == 200 && json) {
		send_evidence(connection, json);
	} else if (connection->step == STEP_ENROL) {
		finish(connection, status == 200 || status == 201 || status == 409, status);
	} else if (status == 200 && verdict && strcmp(verdict, "trusted") == 0) {
		note_trusted(connection, status);
	} else {
		finish(connection, false, status);
	}
	json_decref(json);
}

/* The same once more: what became of it before, it does not know. */
static void try_again(struct connection *connection)
{
	connection->later = 0;
	if (connection->fd < 0 && !connect_to(connection))
		return;
	if (connection->step == STEP_CHALLENGE)
		ask_for_nonce(connection);
	else if (connection->step == STEP_EVIDENCE || connection->step == STEP_AGAIN)
		send_packed(connection);
	else
		begin_next(connection);
}

/* false until the whole answer is there */
static bool take_whole(struct connection *connection)
{
	const char *text, *end, *length;
	size_t head, size = 0;
	int status;

	buffer_append_u8(&connection->in, 0);
	connection->in.size--;
	text = (const char *)connection->in.data;
	end = strstr(text, "\r\n\r\n");
	if (!end)
		return false;
	head = (size_t)(end - text) + 4;
	length = strcasestr(text, "\r\ncontent-length:");
	if (length && length < end)
		size = strtoul(length + 17, NULL, 10);
	if (connection->in.size < head + size)
		return false;
	status = head > 12 ? (int)strtol(text + 9, NULL, 10) : 0;
	take_answer(connection, status, BYTES(connection->in.data + head, size));
	return true;
}

static void receive(struct connection *connection)
{
	while (connection->fd >= 0) {
		uint8_t *place = buffer_reserve(&connection->in, 65536);
		ssize_t got = place ? recv(connection->fd, place, 65535, MSG_DONTWAIT) : -1;

		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (got <= 0) {
			give_up(connection, "the verifier closed a connection");
			return;
		}
		connection->in.size += (size_t)got;
		(void)take_whole(connection);
	}
}

/* ---------------------------------------------------------------- the run */

/* SIGTERM: what was begun is ended, and no more is begun. */
static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static bool is_over(void)
{
	if (stopped && load.left > 0) {
		load.left = 0;
		load.ends = now();
	}
	if (load.patient && load.seconds > 0 && now() >= load.ends + GRACE_SECONDS)
		return true;
	if (load.busy > 0)
		return false;
	return load.left == 0 || has_ended(now());
}

static void run(uint64_t count)
{
	struct epoll_event events[64];

	(void)signal(SIGTERM, stop);
	load.left = count;
	load.began = now();
	load.ends = load.began + load.seconds;
	for (size_t i = 0; i < load.connections; i++)
		begin_next(&load.kept[i]);
	while (!is_over()) {
		bool ticks = load.rate > 0 || load.patient;
		int ready = epoll_wait(load.epoll, events, 64, ticks ? 1 : 100);

		for (int i = 0; i < ready; i++) {
			struct connection *connection = events[i].data.ptr;

			flush(connection);
			if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				receive(connection);
		}
		for (size_t i = 0; i < load.connections && load.left > 0 && now() >= due(); i++)
			if (load.kept[i].step == STEP_IDLE && load.kept[i].later == 0)
				begin_next(&load.kept[i]);
		for (size_t i = 0; i < load.connections && load.patient; i++)
			if (load.kept[i].later > 0 && now() >= load.kept[i].later)
				try_again(&load.kept[i]);
	}
}

static int compare(const void *a, const void *b)
{
	float first = *(const float *)a, second = *(const float *)b;

	return (first > second) - (first < second);
}

static double percentile(double share)
{
	return load.done > 0 ? (double)load.latencies[(size_t)((double)(load.done - 1) * share)] :
			       0;
}

static void report(void)
{
	double elapsed = now() - load.began;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	qsort(load.latencies, load.done, sizeof(float), compare);
	printf("{\"devices\": %llu, \"done\": %zu, \"failed\": %llu, \"retried\": %llu, "
	       "\"seconds\": %.2f, \"rate\": %.1f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, "
	       "\"bytes\": %.0f, \"cpu\": %.2f, \"broken\": %llu, \"repeated\": %llu, "
	       "\"unanswered\": %llu}\n",
	       (unsigned long long)load.devices, load.done, (unsigned long long)load.failed,
	       (unsigned long long)load.retried, elapsed, (double)load.done / elapsed,
	       percentile(0.5), percentile(0.99),
	       load.done > 0 ? (double)load.bytes / (double)load.done : 0,
	       (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
		       (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6,
	       (unsigned long long)load.broken, (unsigned long long)load.repeated,
	       (unsigned long long)load.busy);
}

/* A line a device that was answered: its name, and the clock of that quote. */
static void write_record(void)
{
	FILE *file = fopen(load.record, "w");
	char name[DEVICE_NAME_MAX];

	if (!file)
		fail(load.record);
	for (uint64_t i = 0; i < load.devices; i++) {
		made_device_name(i, name);
		if (load.made[i].answered > 0)
			fprintf(file, "%s\t%llu\n", name,
				(unsigned long long)made_device_clock(&load.logs,
								      load.made[i].answered));
	}
	if (fclose(file) != 0)
		fail(load.record);
}

/* ---------------------------------------------------------------- options */

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "devices", required_argument, NULL, 'd' },
		{ "connections", required_argument, NULL, 'c' },
		{ "entries", required_argument, NULL, 'e' },
		{ "grow", required_argument, NULL, 'g' },
		{ "seconds", required_argument, NULL, 't' },
		{ "rate", required_argument, NULL, 'r' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "manifest", required_argument, NULL, 'm' },
		{ "enrol", required_argument, NULL, 'E' },
		{ "one", required_argument, NULL, 'o' },
		{ "rows", no_argument, NULL, 'R' },
		{ "active", required_argument, NULL, 'a' },
		{ "again", required_argument, NULL, 'A' },
		{ "patient", no_argument, NULL, 'p' },
		{ "record", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 's':
			if (load.socket_count < SOCKETS_MAX)
				load.sockets[load.socket_count++] = optarg;
			break;
		case 'd':
			load.devices = strtoull(optarg, NULL, 10);
			break;
		case 'c':
			load.connections = strtoul(optarg, NULL, 10);
			break;
		case 'e':
			load.entries = strtoul(optarg, NULL, 10);
			break;
		case 'g':
			load.grow = strtoul(optarg, NULL, 10);
			break;
		case 't':
			load.seconds = strtod(optarg, NULL);
			break;
		case 'r':
			load.rate = strtod(optarg, NULL);
			break;
		case 'n':
			load.rounds = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			load.manifest = optarg;
			break;
		case 'E':
			load.enrol = true;
			load.token = optarg;
			break;
		case 'o':
			load.one = optarg;
			break;
		case 'R':
			load.rows = true;
			break;
		case 'a':
			load.active = strtoull(optarg, NULL, 10);
			break;
		case 'A':
			load.again = strtoull(optarg, NULL, 10);
			break;
		case 'p':
			load.patient = true;
			break;
		case 'x':
			load.record = optarg;
			break;
		default:
			exit(2);
		}
	if (load.active == 0 || load.active > load.devices)
		load.active = load.devices;
	errno = EINVAL;
	if (!load.manifest || load.devices == 0 || load.connections == 0 || load.entries == 0 ||
	    (load.socket_count == 0 && !load.one && !load.rows))
		fail("usage: fleet-load --manifest FILE --socket PATH... [--enrol TOKEN] "
		     "[--devices N] [--connections N] [--entries N] [--grow N] [--rounds N | "
		     "--seconds N] [--rate N] [--active N] [--again N] [--patient] "
		     "[--record FILE]; or --manifest FILE --one DIRECTORY | --rows "
		     "[--devices N]");
}

static void begin(void)
{
	struct buffer text = { 0 };
	struct manifest *manifest;
	struct assay_error err;

	if (file_read(load.manifest, 64U << 20, &text, &err) < 0 ||
	    manifest_parse(buffer_bytes(&text), load.manifest, &manifest, &err) < 0) {
		fprintf(stderr, "fleet-load: %s\n", err.text);
		exit(1);
	}
	/* Longer than any device comes in a run. */
	made_logs_begin(&load.logs, manifest, load.entries, 1000);
	manifest_free(manifest);
	buffer_free(&text);
	load.made = calloc(load.devices, sizeof(*load.made));
	load.kept = calloc(load.connections, sizeof(*load.kept));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	load.room = 65536;
	load.latencies = calloc(load.room, sizeof(float));
	if (!load.made || load.epoll < 0)
		fail("out of memory");
}

static void end(void)
{
	for (size_t i = 0; i < load.connections; i++) {
		buffer_free(&load.kept[i].in);
		buffer_free(&load.kept[i].out);
		buffer_free(&load.kept[i].evidence);
		if (load.socket_count > 0 && load.kept[i].fd >= 0)
			close(load.kept[i].fd);
	}
	made_logs_free(&load.logs);
	close(load.epoll);
	free(load.kept);
	free(load.made);
	free(load.latencies);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	begin();
	if (!load.made || !load.kept || !load.latencies)
		fail("out of memory");
	if (load.one || load.rows) {
		if (load.one)
			write_one_device(load.one, &load.made[0], &load.logs);
		else
			write_device_rows(load.made, load.devices);
		end();
		return 0;
	}
	for (size_t i = 0, at = 0; i < load.connections; i++) {
		load.kept[i].path = load.sockets[at];
		(void)connect_to(&load.kept[i]);
		at = at + 1 < load.socket_count ? at + 1 : 0;
	}
	run(load.seconds > 0 && !load.enrol ? UINT64_MAX :
					      load.active * (load.enrol ? 1 : load.rounds));
	report();
	if (load.record)
		write_record();
	end();
	return load.failed > 0 || load.busy > 0;
}
