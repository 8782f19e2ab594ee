// SPDX-License-Identifier: MIT
/*
 * The part `varlink`: the interface org.assay on a Unix socket (https://varlink.org/). Its
 * methods are those of the parts. Who may connect is known before anything of theirs is read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "listener.h"
#include "peer.h"
#include "server.h"
#include "service.h"
#include "varlink_interface.h"
#include "varlink_message.h"

#define IDLE 60000 /* milliseconds */

struct varlink {
	struct server *server;
	struct server_type type;
	int fd;
	char *path, *group;
	uint64_t calls, refused;
};

/**
 * struct request - a call that a part answers
 * @connection: NULL once the client has gone: then the answer is for nobody
 */
struct request {
	struct connection *connection;
	struct varlink_call call;
};

/**
 * struct client - whom a connection is to
 * @request: that is being answered, NULL: none
 */
struct client {
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

	varlink_call_free(&request->call);
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

	if (request->connection && !request->call.oneway)
		r = varlink_reply(&request->connection->output, parameters);
	else
		json_decref(parameters);
	end_request(request, r);
}

static json_t *error_json(const struct assay_error *err)
{
	return json_pack("{s:o, s:i}", "text", json_text(err->text), "errno", err->code);
}

void request_fail(struct request *request, const char *error, const struct assay_error *err)
{
	int r = 0;

	if (request->connection && !request->call.oneway)
		r = varlink_error(&request->connection->output, error, error_json(err));
	end_request(request, r);
}

void request_refuse(struct request *request, const char *parameter)
{
	int r = 0;

	if (request->connection && !request->call.oneway)
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

/* A call of org.assay: a part answers it. */
static int call_part(struct service *service, struct connection *connection,
		     struct varlink_call *call)
{
	struct client *client = connection->data;
	const struct part_method *method;
	struct request *request;
	struct part *part;

	method = service_find_method(service, call->method, &part);
	if (!method)
		return varlink_error(&connection->output, VARLINK_SERVICE ".MethodNotFound",
				     json_pack("{s:s}", "method", call->method));
	if (!is_allowed(service, &client->peer, method->access))
		return varlink_error(&connection->output, VARLINK_SERVICE ".PermissionDenied",
				     NULL);
	request = calloc(1, sizeof(*request));
	if (!request)
		return -ENOMEM;
	*request = (struct request){ connection, *call };
	*call = (struct varlink_call){ 0 };
	client->request = request;
	connection->busy = true;
	method->call(part, request->call.parameters, request);
	return 0;
}

static int answer_call(struct service *service, struct connection *connection,
		       struct varlink_call *call)
{
	if (call->upgrade || call->more)
		return varlink_error(
			&connection->output, VARLINK_SERVICE ".InvalidParameter",
			json_pack("{s:s}", "parameter", call->upgrade ? "upgrade" : "more"));
	if (strcmp(call->interface, VARLINK_SERVICE) == 0)
		return varlink_interface_answer(&connection->output, call);
	if (strcmp(call->interface, VARLINK_INTERFACE) == 0)
		return call_part(service, connection, call);
	return varlink_error(&connection->output, VARLINK_SERVICE ".InterfaceNotFound",
			     json_pack("{s:s}", "interface", call->interface));
}

/* Server: a message ends with a NUL. What is no call ends the connection, after saying so. */
static void take_input(void *context, struct connection *connection)
{
	struct service *service = context;
	struct varlink *varlink = part_varlink.data;
	const uint8_t *end = memchr(connection->input.data, 0, connection->input.size);
	struct varlink_call call;
	struct assay_error err;
	size_t size;
	int r;

	if (!end)
		return;
	varlink->calls++;
	size = (size_t)(end - connection->input.data);
	r = varlink_call_parse(BYTES(connection->input.data, size), &call, &err);
	connection_take(connection, size + 1);
	if (r < 0) {
		(void)varlink_error(&connection->output, VARLINK_INTERFACE ".Failed",
				    error_json(&err));
		connection->close = true;
		return;
	}
	if (answer_call(service, connection, &call) < 0)
		connection->close = true;
	varlink_call_free(&call);
}

static bool let_in(void *context, struct connection *connection)
{
	struct service *service = context;
	struct varlink *varlink = part_varlink.data;
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return false;
	connection->data = client;
	if (peer_read(connection->fd, &client->peer, NULL) == 0 &&
	    is_allowed(service, &client->peer, METHOD_STATUS))
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
	peer_free(&client->peer);
	free(client);
}

static void call_status(struct part *part, const json_t *parameters, struct request *request)
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
		.input = take_input,
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
}

static void varlink_metrics(struct part *part, struct metrics *metrics)
{
	const struct varlink *varlink = part->data;

	metrics_counter(metrics, "calls_total", "calls of org.assay", varlink->calls);
	metrics_counter(metrics, "calls_refused_total", "clients that may not connect",
			varlink->refused);
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
