/* SPDX-License-Identifier: MIT */
/*
 * A server of the service's on a listening socket: so many connections, each with a bounded input
 * and an idle time after which it is closed. One request of a connection is answered at a time.
 *
 * The service sees to where a request ends, and no further: each is parsed in a confined process
 * of its own. Who takes that over has nothing but the request that he sent.
 */
#ifndef ASSAY_ASSAYD_SERVER_H
#define ASSAY_ASSAYD_SERVER_H

#include "base/bytes.h"
#include "confined.h"
#include "loop.h"

struct server;

/**
 * struct connection - one client
 * @input: what has come and was not given to a parser yet
 * @output: what is to be written; append to it, then return, or call connection_go_on()
 * @data: the user's own
 * @busy: set it while an answer is awaited: no further request is taken then
 * @close: set it to close once all output is written
 *
 * What follows is server.c's.
 * @parser: NULL: none works
 * @searched: bytes of the input in which no request ends
 * @request: bytes of the request that the input begins with, and that waits for a parser
 * @turn: when it came to wait for one; 0: it does not
 */
struct connection {
	struct server *server;
	int fd;
	struct buffer input, output;
	void *data;
	bool busy, close;

	size_t written, searched, request;
	uint64_t last, turn;
	bool going_on;
	struct confined *parser;
	struct loop_io *io;
	struct connection *next;
};

/**
 * struct server_type - what to do with connections
 * @connections_max: at a time; more wait
 * @input_max: bytes of input that are kept; a client that sends more before anything could be
 *             taken is closed
 * @idle: milliseconds without progress until a connection is closed, but for busy ones: a whole
 *        request that was taken, or output that went
 * @accept: a client has connected; false closes it at once. May be NULL
 * @frame: bytes of the request that @input begins with; 0 if it is not whole yet. It has been asked
 *         before of the first @searched bytes, and has said 0: who sends a byte at a time has none
 * of them looked at twice
 * @parse: runs in a confined process, on such a request
 * @limits: of that; @parsers_max: at a time, so that all have no more memory than the service may
 * @parsed: what @parse has given, as confined_done() has it: append the answer to the output, or
 *          be @busy. -errno: it has given nothing, and the service is told nothing by the client
 * @closed: the connection is going. May be NULL
 */
struct server_type {
	size_t connections_max, input_max;
	uint64_t idle;
	bool (*accept)(void *context, struct connection *connection);
	size_t (*frame)(struct bytes input, size_t searched);
	confined_function parse;
	struct confined_limits limits;
	size_t parsers_max;
	void (*parsed)(void *context, struct connection *connection, int r, struct bytes output,
		       const struct assay_error *err);
	void (*closed)(void *context, struct connection *connection);
};

/*
 * server_new() - serve @fd, which stays the caller's
 * @type: as long as the server
 */
int server_new(struct loop *loop, int fd, const struct server_type *type, void *context,
	       struct server **ret, struct assay_error *err);
/* server_free() - closes all connections; NULL is allowed */
void server_free(struct server *server);

/* connection_go_on() - write what is in the output, and go on with input; it may close it */
void connection_go_on(struct connection *connection);

#endif /* ASSAY_ASSAYD_SERVER_H */
