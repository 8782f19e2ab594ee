// SPDX-License-Identifier: MIT
/*
 * The part `varlink`: the interface org.assay on a Unix socket (https://varlink.org/). Its
 * methods are those of the parts. Who may connect is known before anything of theirs is read, and
 * what they send is parsed by a process that can do nothing with it (varlink_parse.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "listener.h"
#include "peer.h"
#include "server.h"
#include "service.h"
#include "varlink_interface.h"
#include "varlink_parse.h"

#define IDLE 60000 /* milliseconds */

/* A call of 4096 paths takes 2 MiB to parse, and some milliseconds. */
#define PARSER_MEMORY (16U << 20)
#define PARSER_TIME 10000
#define PARSERS_MAX 4

LIST_HEAD(clients, client);

struct varlink {
	struct server *server;
	struct server_type type;
	int fd;
	char *path, *group;
	struct clients clients;
	uint64_t calls, refused, unparsed;
};

/**
 * struct request - a call that a part answers
 * @connection: NULL once the client has gone: then the answer is for nobody
 * @paths: what those of @parameters are within
 */
struct request {
	struct connection *connection;
	bool oneway;
	struct call_parameters parameters;
	struct buffer paths;
};

/**
 * struct client - whom a connection is to
 * @request: that is being answered, NULL: none
 */
struct client {
	LIST_ENTRY(client) link;
	struct peer peer;
	struct request *request;
};

extern struct part part_varlink;

/* ---------------------------------------------------------------- answers */

/*
 * Give the answer to the connection, which may go on.
 * @r: what appending it returned: without memory there is no answer, and the connection ends
 */
static void end_request(struct request *request, int r)
{
	struct connection *connection = request->connection;
	struct client *client;

	buffer_free(&request->paths);
	free(request);
	if (!connection)
		return;
	client = connection->data;
	client->request = NULL;
	connection->busy = false;
	connection->close = r < 0;
	connection_go_on(connection);
}

void request_answer(struct request *request, json_t *parameters)
{
	int r = 0;

	if (request->connection && !request->oneway)
		r = varlink_reply(&request->connection->output, parameters);
	else
		json_decref(parameters);
	end_request(request, r);
}

void request_fail(struct request *request, const char *error, const struct assay_error *err)
{
	int r = 0;

	if (request->connection && !request->oneway)
		r = varlink_failure(&request->connection->output, error, err);
	end_request(request, r);
}

void request_refuse(struct request *request, const char *parameter)
{
	int r = 0;

	if (request->connection && !request->oneway)
		r = varlink_error(&request->connection->output, VARLINK_SERVICE ".InvalidParameter",
				  json_pack("{s:s}", "parameter", parameter));
	end_request(request, r);
}

/* ---------------------------------------------------------------- calls */

static bool is_allowed(const struct service *service, const struct peer *peer,
		       enum method_access access)
{
	const struct config *config = service->config;
	int who = access == METHOD_MEASURE ? config->status.measure_access :
		  access == METHOD_QUOTE   ? config->status.quote_access :
					     ACCESS_GROUP;

	return who == ACCESS_GROUP ? peer_is_in(peer, config->status.group) : peer_is_root(peer);
}

static struct request *new_request(struct connection *connection,
				   const struct varlink_parsed *parsed)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	*request = (struct request){ .connection = connection,
				     .oneway = parsed->oneway,
				     .parameters = parsed->parameters };
	buffer_append_bytes(&request->paths, parsed->parameters.paths);
	if (request->paths.failed) {
		free(request);
		return NULL;
	}
	request->parameters.paths = buffer_bytes(&request->paths);
	return request;
}

/* A call of org.assay: a part answers it. */
static int call_part(struct service *service, struct connection *connection,
		     const struct varlink_parsed *parsed)
{
	const char *name = varlink_method_name(parsed->method);
	struct client *client = connection->data;
	const struct part_method *method;
	struct request *request;
	struct part *part;

	method = service_find_method(service, name, &part);
	if (!method)
		return varlink_error(&connection->output, VARLINK_SERVICE ".MethodNotFound",
				     json_pack("{s:s}", "method", name));
	if (!is_allowed(service, &client->peer, method->access))
		return varlink_error(&connection->output, VARLINK_SERVICE ".PermissionDenied",
				     NULL);
	request = new_request(connection, parsed);
	if (!request)
		return -ENOMEM;
	client->request = request;
	connection->busy = true;
	method->call(part, &request->parameters, request);
	return 0;
}

/* Nothing of it can be believed. */
static void refuse_unparsed(struct service *service, struct connection *connection,
			    const struct assay_error *why)
{
	const struct client *client = connection->data;
	struct varlink *varlink = part_varlink.data;
	struct assay_error err = *why;

	varlink->unparsed++;
	(void)varlink_failure(&connection->output, VARLINK_INTERFACE ".Failed", &err);
	connection->close = true;
	assay_fail(&err, err.code, "a call of user %u: %s", client->peer.uid, why->text);
	problem_set_parser(service, part_varlink.name, &err);
}

/* Server: a message ends with a NUL. */
static size_t call_size(struct bytes input, size_t searched)
{
	const uint8_t *end = memchr(input.data + searched, 0, input.size - searched);

	return end ? (size_t)(end - input.data) + 1 : 0;
}

static void call_parsed(void *context, struct connection *connection, int r, struct bytes output,
			const struct assay_error *err)
{
	struct service *service = context;
	struct varlink *varlink = part_varlink.data;
	struct varlink_parsed parsed;
	struct assay_error reason = *err;
	struct bytes reply;

	varlink->calls++;
	if (r == 0)
		r = varlink_take(output, &parsed, &reply, &reason);
	if (r != 0) {
		refuse_unparsed(service, connection, &reason);
		return;
	}
	if (parsed.what == VARLINK_CALLED) {
		connection->close = call_part(service, connection, &parsed) < 0;
		return;
	}
	buffer_append_bytes(&connection->output, reply);
	connection->close = parsed.what == VARLINK_MALFORMED;
}

/*
 * One user takes the place of no other: but for root, each has half of them at most. All together
 * leave a quarter to root, as one person may be several users: two of the group, or, in a
 * namespace, whoever /etc/subuid gives them.
 */
static bool has_place(const struct varlink *varlink, const struct peer *peer)
{
	const size_t all = varlink->type.connections_max;
	size_t same = 0, others = 0;
	const struct client *client;

	LIST_FOREACH(client, &varlink->clients, link)
	{
		same += client->peer.uid == peer->uid;
		others += !peer_is_root(&client->peer);
	}
	return peer_is_root(peer) || (same <= (all + 1) / 2 && others <= all - all / 4);
}

static bool let_in(void *context, struct connection *connection)
{
	struct service *service = context;
	struct varlink *varlink = part_varlink.data;
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return false;
	connection->data = client;
	LIST_INSERT_HEAD(&varlink->clients, client, link);
	if (peer_read(connection->fd, &client->peer, NULL) == 0 &&
	    is_allowed(service, &client->peer, METHOD_STATUS) && has_place(varlink, &client->peer))
		return true;
	varlink->refused++;
	return false;
}

static void forget_client(void *context, struct connection *connection)
{
	struct client *client = connection->data;

	(void)context;
	if (!client)
		return;
	if (client->request)
		client->request->connection = NULL;
	LIST_REMOVE(client, link);
	peer_free(&client->peer);
	free(client);
}

static void call_status(struct part *part, const struct call_parameters *parameters,
			struct request *request)
{
	(void)parameters;
	request_answer(request, json_pack("{s:o}", "state", service_state(part->service)));
}

static const struct part_method methods[] = {
	{ "Status", METHOD_STATUS, call_status },
	{ 0 },
};

/* ---------------------------------------------------------------- the part */

static void stop_varlink(struct service *service, struct part *part)
{
	struct varlink *varlink = part->data;

	(void)service;
	server_free(varlink->server);
	listener_close(varlink->fd, varlink->path);
	free(varlink->path);
	free(varlink->group);
	free(varlink);
	part->data = NULL;
}

static int start_varlink(struct service *service, struct part *part, struct assay_error *err)
{
	const char *path = service->config->status.socket;
	struct varlink *varlink = calloc(1, sizeof(*varlink));
	int r = 0;

	if (!varlink)
		return assay_fail(err, ENOMEM, "out of memory");
	varlink->fd = -1;
	varlink->type = (struct server_type){
		.connections_max = service->config->status.clients,
		.input_max = VARLINK_CALL_MAX,
		.idle = IDLE,
		.accept = let_in,
		.frame = call_size,
		.parse = varlink_parse,
		.limits = { .memory = PARSER_MEMORY,
			    .output = VARLINK_PARSED_MAX,
			    .milliseconds = PARSER_TIME },
		.parsers_max = PARSERS_MAX,
		.parsed = call_parsed,
		.closed = forget_client,
	};
	part->data = varlink;
	varlink->path = strdup(path);
	varlink->group = strdup(service->config->status.group);
	if (!varlink->path || !varlink->group)
		r = assay_fail(err, ENOMEM, "out of memory");
	if (r == 0 && path[0] == '\0')
		return 0;
	if (r == 0)
		r = varlink->fd = listener_open_unix(path, service->config->status.group, err);
	if (r >= 0)
		r = server_new(service->loop, varlink->fd, &varlink->type, service,
			       &varlink->server, err);
	if (r < 0)
		stop_varlink(service, part);
	return r;
}

/* Where the socket is another one, or other people's; clients are let go then. */
static void reload_varlink(struct service *service, struct part *part)
{
	const struct varlink *varlink = part->data;
	const struct config *config = service->config;
	struct assay_error err;

	problem_clear(service, part->name, PROBLEM_PARSER);
	if (strcmp(varlink->path, config->status.socket) == 0 &&
	    strcmp(varlink->group, config->status.group) == 0 &&
	    varlink->type.connections_max == config->status.clients)
		return;
	stop_varlink(service, part);
	part->started = false;
	if (start_varlink(service, part, &err) < 0) {
		problem_set_error(service, part->name, "start", &err);
		service_retry(service);
		return;
	}
	part->started = true;
}

static void tell_varlink(struct part *part, json_t *object)
{
	const struct varlink *varlink = part->data;

	json_object_set_new(object, "socket", json_string(varlink->path));
	json_object_set_new(object, "calls", json_integer((json_int_t)varlink->calls));
	json_object_set_new(object, "refused", json_integer((json_int_t)varlink->refused));
	json_object_set_new(object, "unparsed", json_integer((json_int_t)varlink->unparsed));
}

static void varlink_metrics(struct part *part, struct metrics *metrics)
{
	const struct varlink *varlink = part->data;

	metrics_counter(metrics, "calls_total", "calls of org.assay", varlink->calls);
	metrics_counter(metrics, "calls_refused_total", "clients that may not connect",
			varlink->refused);
	metrics_counter(metrics, "calls_unparsed_total",
			"calls that ended the process that parsed them", varlink->unparsed);
}

struct part part_varlink = {
	.name = "varlink",
	.start = start_varlink,
	.stop = stop_varlink,
	.reload = reload_varlink,
	.tell = tell_varlink,
	.metrics = varlink_metrics,
	.methods = methods,
};
