// SPDX-License-Identifier: MIT
/*
 * A verifier that speaks assay-push(7), for tests: HTTP/1.1 over TLS, a connection at a time, one
 * request each; what it answers comes from what assay-verify says of the evidence.
 *
 *	push-verifier ASSAY_VERIFY DIRECTORY [PORT]
 *
 * In DIRECTORY: server.pem, its certificate and key; clients.pem, if devices must show a
 * certificate of it; devices/NAME.json, records of enrolled devices; policy.json; next_in;
 *have-ima, the entries of IMA's list that it says to have. It writes port, what it listens at, when
 *it does; log, a line a request; the last evidence.zst and evidence.json, verdict.json, and
 *message-WHAT-KIND, the last message of each kind. File mode, if it is there, has one word: how to
 *misbehave at requests of the kind that stands behind it ("503 challenge"), or at all of them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#define BODY_MAX (64U << 20)
#define HEAD_MAX 16384
#define NAME_MAX_LENGTH 64

static const char *program;

struct request {
	SSL *tls;
	char head[HEAD_MAX + 1];
	char name[NAME_MAX_LENGTH + 1], what[16];
	char *body;
	size_t size;
};

__attribute__((noreturn)) static void end(const char *what)
{
	fprintf(stderr, "push-verifier: %s: %s\n", what, errno ? strerror(errno) : "failed");
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
	FILE *log = fopen("log", "a");
	va_list args;

	if (!log)
		end("log");
	va_start(args, format);
	vfprintf(log, format, args);
	va_end(args);
	fputc('\n', log);
	fclose(log);
}

/* ---------------------------------------------------------------- HTTP */

static void send_all(SSL *tls, const char *data, size_t size)
{
	while (size > 0) {
		int sent = SSL_write(tls, data, size > 16384 ? 16384 : (int)size);

		if (sent <= 0)
			return;
		data += sent;
		size -= (size_t)sent;
	}
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		end(path);
}

/* The last of each kind, for a test to look at. */
static void keep_message(const struct request *request, const char *kind, const char *text,
			 size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "message-%s-%s", request->what, kind);
	if (size > 0)
		write_file(path, text, size);
}

static void answer_text(struct request *request, int status, const char *headers, const char *text)
{
	char head[512];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 %d Test\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
		 "Connection: close\r\n%s\r\n",
		 status, strlen(text), headers);
	send_all(request->tls, head, strlen(head));
	send_all(request->tls, text, strlen(text));
	note("%s %s %d", request->what, request->name, status);
	keep_message(request, status == 200 ? "answer" : "error", text, strlen(text));
}

static void answer(struct request *request, int status, json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	if (!text)
		end("answer");
	answer_text(request, status, "", text);
	free(text);
	json_decref(json);
}

static void answer_error(struct request *request, int status, const char *headers, const char *text)
{
	json_t *json =
		json_pack("{s:i, s:s, s:s}", "assay", 1, "type", "push-error", "error", text);
	char *said = json_dumps(json, JSON_COMPACT);

	answer_text(request, status, headers, said);
	free(said);
	json_decref(json);
}

/* The head byte by byte, so that nothing of the body is taken with it. */
static bool read_request(struct request *request)
{
	const char *length;
	size_t used = 0;

	while (used < HEAD_MAX && !strstr(request->head, "\r\n\r\n")) {
		if (SSL_read(request->tls, request->head + used, 1) != 1)
			return false;
		request->head[++used] = '\0';
	}
	if (sscanf(request->head, "POST /v1/devices/%64[A-Za-z0-9._-]/%15[a-z] HTTP/1.1",
		   request->name, request->what) != 2)
		return false;
	length = strcasestr(request->head, "\r\nContent-Length:");
	if (!length)
		return false;
	request->size = strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	if (request->size > BODY_MAX)
		return false;
	request->body = malloc(request->size + 1);
	if (!request->body)
		end("memory");
	for (used = 0; used < request->size;) {
		int got = SSL_read(request->tls, request->body + used, (int)(request->size - used));

		if (got <= 0)
			return false;
		used += (size_t)got;
	}
	request->body[request->size] = '\0';
	return true;
}

/* ---------------------------------------------------------------- devices */

static json_t *device_record(const struct request *request)
{
	char path[NAME_MAX_LENGTH + 32];

	snprintf(path, sizeof(path), "devices/%s.json", request->name);
	return json_load_file(path, 0, NULL);
}

/* How many records of this boot's log it has judged. */
static json_int_t judged(const json_t *record, const char *boot_id)
{
	const json_t *state = json_object_get(record, "state");
	const char *of = json_string_value(json_object_get(state, "boot_id"));

	if (!of || (boot_id && strcmp(of, boot_id) != 0))
		return 0;
	return json_integer_value(json_object_get(state, "records"));
}

static size_t read_file(const char *path, char *text, size_t capacity)
{
	FILE *file = fopen(path, "r");
	size_t size = file ? fread(text, 1, capacity - 1, file) : 0;

	if (file)
		fclose(file);
	while (size > 0 && text[size - 1] == '\n')
		size--;
	text[size] = '\0';
	return size;
}

static void challenge(struct request *request, const json_t *record)
{
	json_t *asked = json_loads(request->body, 0, NULL);
	const char *boot_id = json_string_value(json_object_get(asked, "boot_id"));
	unsigned char nonce[32];
	char text[2 * sizeof(nonce) + 1], entries[24] = "0";

	if (!boot_id) {
		answer_error(request, 400, "", "no boot id");
		json_decref(asked);
		return;
	}
	keep_message(request, "request", request->body, request->size);
	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		end("nonce");
	for (size_t i = 0; i < sizeof(nonce); i++)
		snprintf(text + 2 * i, 3, "%02x", nonce[i]);
	write_file("nonce", text, sizeof(text) - 1);
	if (access("have-ima", R_OK) == 0)
		read_file("have-ima", entries, sizeof(entries));
	answer(request, 200,
	       json_pack("{s:i, s:s, s:s, s:i, s:{s:I, s:i}}", "assay", 1, "type", "push-challenge",
			 "nonce", text, "expires_in", 60, "have", "log", judged(record, boot_id),
			 "ima", (json_int_t)strtoul(entries, NULL, 10)));
	json_decref(asked);
}

/* ---------------------------------------------------------------- evidence */

static bool expand(const struct request *request)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { request->body, request->size, 0 };
	FILE *file = fopen("evidence.json", "w");
	char out[16384];
	size_t left = 1;

	if (!context || !file || !strcasestr(request->head, "\r\nContent-Encoding: zstd\r\n"))
		end("evidence");
	while (in.pos < in.size && !ZSTD_isError(left)) {
		ZSTD_outBuffer buffer = { out, sizeof(out), 0 };

		left = ZSTD_decompressStream(context, &buffer, &in);
		fwrite(out, 1, buffer.pos, file);
	}
	ZSTD_freeDCtx(context);
	return fclose(file) == 0 && left == 0;
}

static void verify(const struct request *request, const char *nonce)
{
	char device[NAME_MAX_LENGTH + 32];
	int status;
	pid_t pid;

	snprintf(device, sizeof(device), "devices/%s.json", request->name);
	pid = fork();
	if (pid == 0) {
		int out = open("verdict.json", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (out < 0 || dup2(out, STDOUT_FILENO) < 0)
			_exit(126);
		execl(program, program, "verify", "evidence.json", "--nonce", nonce, "--device",
		      device, "--policy", "policy.json", "--json", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		end(program);
}

/* The first check that was required and did not pass. */
static const char *reason(const json_t *verdict, char *text, size_t capacity)
{
	const json_t *check;
	size_t i;

	json_array_foreach(json_object_get(verdict, "checks"), i, check) {
		if (!json_is_true(json_object_get(check, "required")) ||
		    strcmp(json_string_value(json_object_get(check, "result")), "pass") == 0)
			continue;
		snprintf(text, capacity, "%s: %s",
			 json_string_value(json_object_get(check, "name")),
			 json_string_value(json_object_get(check, "detail")));
		return text;
	}
	return "";
}

static void evidence(struct request *request)
{
	char nonce[129], next_in[16] = "600", claim[16] = "", why[1024];
	json_t *verdict, *record, *body, *logs, *first;
	bool trusted;

	if (read_file("nonce", nonce, sizeof(nonce)) == 0) {
		answer_error(request, 409, "", "no nonce was given out");
		return;
	}
	write_file("evidence.zst", request->body, request->size);
	if (!expand(request)) {
		answer_error(request, 400, "", "no frame of zstd");
		return;
	}
	verify(request, nonce);
	unlink("nonce");
	verdict = json_load_file("verdict.json", 0, NULL);
	record = device_record(request);
	body = json_load_file("evidence.json", 0, NULL);
	if (!verdict || !record || !body)
		end("verdict");
	logs = json_object_get(body, "logs");
	if (json_object_get(logs, "ima"))
		note("ima %lld", (long long)json_integer_value(
					 json_object_get(json_object_get(logs, "ima"), "first")));
	first = json_object_get(json_object_get(logs, "assay"), "first");
	note("first %lld bytes %zu", (long long)json_integer_value(first), request->size);
	trusted = json_is_true(json_object_get(verdict, "trusted"));
	if (access("next_in", R_OK) == 0)
		read_file("next_in", next_in, sizeof(next_in));
	/* Records and entries that it claims to have seen, whatever was sent. */
	if (access("claim", R_OK) == 0)
		read_file("claim", claim, sizeof(claim));
	answer(request, 200,
	       json_pack("{s:i, s:s, s:s, s:s, s:i, s:{s:I, s:I}}", "assay", 1, "type",
			 "push-verdict", "verdict", trusted ? "trusted" : "not-trusted", "reason",
			 reason(verdict, why, sizeof(why)), "next_in",
			 (int)strtoul(next_in, NULL, 10), "acknowledged", "log",
			 claim[0] ? (json_int_t)strtoul(claim, NULL, 10) : judged(record, NULL),
			 "ima", (json_int_t)strtoul(claim, NULL, 10)));
	json_decref(verdict);
	json_decref(record);
	json_decref(body);
}

/* ---------------------------------------------------------------- misbehaviour */

static void send_forever(struct request *request, const char *head, useconds_t pause)
{
	static const char filler[1024] = { [0 ... 1023] = ' ' };

	note("%s %s sends without end", request->what, request->name);
	send_all(request->tls, head, strlen(head));
	for (int i = 0; i < 1024; i++) {
		if (SSL_write(request->tls, filler, pause ? 1 : sizeof(filler)) <= 0)
			return;
		if (pause)
			usleep(pause);
	}
}

/* Return: whether that was all */
static bool misbehave(struct request *request)
{
	char mode[64], word[32] = "", kind[32] = "";

	if (read_file("mode", mode, sizeof(mode)) == 0)
		return false;
	if (sscanf(mode, "%31s %31s", word, kind) == 2 && strcmp(kind, request->what) != 0)
		return false;
	if (strcmp(word, "503") == 0)
		answer_error(request, 503, "Retry-After: 7\r\n", "too busy \x1b[31m");
	else if (strcmp(word, "302") == 0)
		answer_text(request, 302, "Location: https://127.0.0.1:1/\r\n", "");
	else if (strcmp(word, "403") == 0)
		answer_error(request, 403, "", "not you");
	else if (strcmp(word, "409") == 0)
		answer_error(request, 409, "", "the nonce is too old");
	else if (strcmp(word, "once409") == 0) {
		unlink("mode");
		answer_error(request, 409, "", "the nonce is too old");
	} else if (strcmp(word, "garbage") == 0)
		answer_text(request, 200, "", "{\"assay\": 1, \"type\": \"push-challenge\", ");
	else if (strcmp(word, "large") == 0)
		send_forever(request, "HTTP/1.1 200 OK\r\n\r\n", 0);
	else if (strcmp(word, "headers") == 0)
		send_forever(request, "HTTP/1.1 200 OK\r\nX: ", 0);
	else if (strcmp(word, "slow") == 0)
		send_forever(request, "HTTP/1.1 200 OK\r\n\r\n", 200000);
	else if (strcmp(word, "drop") == 0)
		note("%s %s dropped", request->what, request->name);
	else if (strcmp(word, "pending") == 0)
		answer_text(request, 200, "",
			    "{\"assay\": 1, \"type\": \"push-verdict\", \"verdict\": \"pending\", "
			    "\"next_in\": 30, \"a_member_of_tomorrow\": []}");
	else
		return false;
	return true;
}

/* ---------------------------------------------------------------- connections */

static void serve(SSL *tls)
{
	struct request request = { .tls = tls };
	json_t *record;

	if (!read_request(&request)) {
		note("no request");
	} else if (!misbehave(&request)) {
		record = device_record(&request);
		if (!record)
			answer_error(&request, 404, "", "not enrolled");
		else if (strcmp(request.what, "challenge") == 0)
			challenge(&request, record);
		else
			evidence(&request);
		json_decref(record);
	}
	free(request.body);
}

static SSL_CTX *make_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context || SSL_CTX_use_certificate_chain_file(context, "server.pem") != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, "server.pem", SSL_FILETYPE_PEM) != 1)
		end("server.pem");
	return context;
}

/* Looked at for each connection, so that a test can change its mind. */
static void ask_for_certificate(SSL_CTX *context)
{
	if (access("clients.pem", R_OK) < 0) {
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
		return;
	}
	if (SSL_CTX_load_verify_locations(context, "clients.pem", NULL) != 1)
		end("clients.pem");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static int listen_at(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	char text[16];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		end("socket");
	snprintf(text, sizeof(text), "%d", ntohs(address.sin_port));
	write_file("port.new", text, strlen(text));
	rename("port.new", "port");
	return fd;
}

int main(int argc, char **argv)
{
	SSL_CTX *context;
	int listener;

	if (argc < 3 || argc > 4 || chdir(argv[2]) < 0)
		end("usage: push-verifier ASSAY_VERIFY DIRECTORY [PORT]");
	program = argv[1];
	signal(SIGPIPE, SIG_IGN);
	context = make_context();
	listener = listen_at(argc > 3 ? (int)strtoul(argv[3], NULL, 10) : 0);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		const struct timeval patience = { .tv_sec = 20 };
		SSL *tls;

		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		ask_for_certificate(context);
		tls = SSL_new(context);
		if (tls && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1) {
			serve(tls);
			SSL_shutdown(tls);
		} else {
			note("no TLS");
			ERR_clear_error();
		}
		SSL_free(tls);
		close(fd);
	}
}
