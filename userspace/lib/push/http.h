/* SPDX-License-Identifier: MIT */
/*
 * The requests of assay-push(7) over HTTPS, with libcurl. A request is made here, carried by
 * whoever has an event loop (curl_multi_add_handle()) or none (curl_easy_perform()), and looked at
 * here.
 *
 * TLS 1.2 at least, and the verifier's certificate is always checked: nothing turns that off.
 * Plain HTTP only over a Unix socket. No redirects, no proxy that is not configured, no passwords
 * of files or URLs, no compressed answers; an answer is bounded in size and in time.
 *
 * Debian's libcurl looks names up in threads that it makes and ends by itself.
 */
#ifndef ASSAY_PUSH_HTTP_H
#define ASSAY_PUSH_HTTP_H

#include <curl/curl.h>

#include "base/bytes.h"
#include "push/answer.h"

/**
 * struct push_settings - how the verifier is reached; text that is NULL or empty is not given
 * @url: https://HOST[:PORT][/PATH]; with @unix_socket http://, too
 * @name: of this device, as of machine_id_valid()
 * @unix_socket: path of a socket to speak to, in place of the URL's host
 * @ca: file of certificates, PEM, one of which leads to the verifier's; none: the system's
 * @certificate, @key: of this device, PEM; both or none; @key may be in @certificate's file
 * @proxy: URL of one; none: no proxy is used, whatever the environment says
 * @timeout: seconds for a connection, and for an answer behind a request
 */
struct push_settings {
	const char *url;
	const char *name;
	const char *unix_socket;
	const char *ca;
	const char *certificate, *key;
	const char *proxy;
	unsigned int timeout;
};

/* What a request takes at most, whatever it carries, in seconds. */
#define PUSH_REQUEST_SECONDS 900L
/* Bytes a second; slower for as long as the timeout is given up. */
#define PUSH_SLOWEST 100L

/*
 * push_settings_check() - could these be used?
 * Return: 0; -EINVAL with what is off and what it must be
 */
int push_settings_check(const struct push_settings *settings, struct assay_error *err);

/**
 * struct push_body - what a request carries
 * @fd: descriptor that is read from its beginning, which stays the caller's; -1: @text
 * @size: bytes of it
 * @text: is copied
 * @compressed: by zstd
 */
struct push_body {
	int fd;
	uint64_t size;
	struct bytes text;
	bool compressed;
};

struct push_request;

/*
 * push_request_new() - POST to URL/v1/devices/NAME/@what
 * @what: "challenge" or "evidence"
 * @settings: must stay for as long as the request does
 *
 * curl_global_init() was called before.
 */
int push_request_new(const struct push_settings *settings, const char *what,
		     const struct push_body *body, struct push_request **ret,
		     struct assay_error *err);

/* push_request_handle() - to carry it; its CURLOPT_PRIVATE is the request */
CURL *push_request_handle(struct push_request *request);

/**
 * struct push_response - what came back
 * @status: of HTTP
 * @body: belongs to the request
 * @retry_after: seconds; 0: none was asked for
 */
struct push_response {
	long status;
	struct bytes body;
	uint64_t retry_after;
};

/*
 * push_request_response() - what came of a request that was carried
 * @code: as curl gave it
 *
 * Return: 0: there is an answer, of whatever status. Otherwise there is none, and the sentence says
 *   what to do: -ETIMEDOUT, -EHOSTUNREACH, -ECONNREFUSED, -EKEYREJECTED (a certificate), -EFBIG
 *   (more than PUSH_ANSWER_MAX bytes), -EPROTO, -ENOMEM, -EIO
 */
int push_request_response(struct push_request *request, CURLcode code, struct push_response *ret,
			  struct assay_error *err);

/* push_request_free() - it is not carried any more; NULL is allowed */
void push_request_free(struct push_request *request);

#endif /* ASSAY_PUSH_HTTP_H */
