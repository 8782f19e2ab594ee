// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* asprintf(), pread() */
#include "push/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "push/message.h"
#include "verify/record.h"

CLEANUP_POINTER(CURLU, curlu_free, curl_url_cleanup);

static void curl_text_free(char **text)
{
	curl_free(*text);
}

static bool given(const char *text)
{
	return text && text[0] != '\0';
}

/* ---------------------------------------------------------------- settings */

static bool has_part(CURLU *url, CURLUPart part)
{
	CLEANUP(curl_text_free) char *text = NULL;

	return curl_url_get(url, part, &text, 0) == CURLUE_OK;
}

static int check_scheme(CURLU *url, const struct push_settings *settings, struct assay_error *err)
{
	CLEANUP(curl_text_free) char *scheme = NULL;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return assay_fail(err, ENOMEM, "out of memory");
	if (strcmp(scheme, "https") == 0)
		return 0;
	if (strcmp(scheme, "http") == 0 && given(settings->unix_socket))
		return 0;
	return assay_fail(
		err, EINVAL,
		"the verifier's URL must begin with https://; http:// is for a Unix socket "
		"only");
}

/* Only what is a place: no password, nothing that would stand behind the path. */
static int check_url(const struct push_settings *settings, struct assay_error *err)
{
	CLEANUP(curlu_free_pointer) CURLU *url = curl_url();
	char escaped[256];
	int r;

	if (!url)
		return assay_fail(err, ENOMEM, "out of memory");
	if (curl_url_set(url, CURLUPART_URL, settings->url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return assay_fail(
			err, EINVAL, "'%s' is no URL such as https://verifier.example",
			text_escape(BYTES((const uint8_t *)settings->url, strlen(settings->url)),
				    escaped, sizeof(escaped)));
	r = check_scheme(url, settings, err);
	if (r < 0)
		return r;
	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD) ||
	    has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		return assay_fail(err, EINVAL,
				  "the verifier's URL must be https://HOST[:PORT][/PATH], without "
				  "user, '?' and '#'");
	return 0;
}

int push_settings_check(const struct push_settings *settings, struct assay_error *err)
{
	if (!given(settings->url))
		return assay_fail(err, EINVAL, "the verifier's URL is not given");
	if (!given(settings->name) || !machine_id_valid(settings->name))
		return assay_fail(err, EINVAL,
				  "the device's name must be 1 to %d letters, digits, '-', '_' and "
				  "'.', which is not first",
				  RECORD_MAX_MACHINE_ID);
	if (given(settings->key) && !given(settings->certificate))
		return assay_fail(err, EINVAL, "the device's key is given without its certificate");
	return check_url(settings, err);
}

/* ---------------------------------------------------------------- a request */

/**
 * struct push_request - one
 * @offset: how much of @body.fd is sent
 * @answer: what has come, at most PUSH_ANSWER_MAX
 * @answer_large: more came
 * @message: curl's own words
 */
struct push_request {
	CURL *curl;
	const struct push_settings *settings;
	struct push_body body;
	struct buffer text;
	uint64_t offset;
	struct curl_slist *headers;
	struct buffer answer;
	size_t header_bytes;
	bool answer_large, body_failed;
	char message[CURL_ERROR_SIZE];
};

static size_t read_body(char *data, size_t size, size_t count, void *context)
{
	struct push_request *request = context;
	size_t room = size * count;
	ssize_t got;

	if (request->body.fd < 0) {
		size_t left = request->text.size - (size_t)request->offset;

		got = (ssize_t)(left < room ? left : room);
		memcpy(data, request->text.data + request->offset, (size_t)got);
	} else {
		uint64_t left = request->body.size - request->offset;

		got = pread(request->body.fd, data, left < room ? (size_t)left : room,
			    (off_t)request->offset);
	}
	if (got < 0) {
		request->body_failed = true;
		return CURL_READFUNC_ABORT;
	}
	request->offset += (uint64_t)got;
	return (size_t)got;
}

/* A connection that was kept and is gone: curl sends once more. */
static int seek_body(void *context, curl_off_t offset, int origin)
{
	struct push_request *request = context;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > request->body.size)
		return CURL_SEEKFUNC_FAIL;
	request->offset = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
	struct push_request *request = context;

	(void)size; /* 1 */
	if (count > PUSH_ANSWER_MAX - request->answer.size) {
		request->answer_large = true;
		return 0;
	}
	buffer_append(&request->answer, data, count);
	return request->answer.failed ? 0 : count;
}

static size_t count_header(char *data, size_t size, size_t count, void *context)
{
	struct push_request *request = context;

	(void)data;
	(void)size;
	request->header_bytes += count;
	request->answer_large |= request->header_bytes > PUSH_ANSWER_MAX;
	return request->answer_large ? 0 : count;
}

/* URL/v1/devices/NAME/WHAT; names need no escapes. */
static int set_url(struct push_request *request, const char *what)
{
	const struct push_settings *settings = request->settings;
	CLEANUP(free_pointer) char *url = NULL;
	size_t length = strlen(settings->url);

	while (length > 0 && settings->url[length - 1] == '/')
		length--;
	if (asprintf(&url, "%.*s/v1/devices/%s/%s", (int)length, settings->url, settings->name,
		     what) < 0) {
		url = NULL;
		return CURLE_OUT_OF_MEMORY;
	}
	return (int)curl_easy_setopt(request->curl, CURLOPT_URL, url);
}

static bool add_header(struct push_request *request, const char *text)
{
	struct curl_slist *headers = curl_slist_append(request->headers, text);

	if (headers)
		request->headers = headers;
	return headers != NULL;
}

/*
 * An option that this libcurl does not know must not pass: a check of TLS could be missing. The
 * first failure counts.
 */
#define SET(option, value)                                                              \
	do {                                                                            \
		if (code == CURLE_OK)                                                   \
			code = (int)curl_easy_setopt(request->curl, (option), (value)); \
	} while (0)

static int set_tls(struct push_request *request)
{
	const struct push_settings *settings = request->settings;
	int code = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, given(settings->unix_socket) ? "https,http" : "https");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (given(settings->ca)) {
		/* Those alone, not the system's as well. */
		SET(CURLOPT_CAINFO, settings->ca);
		SET(CURLOPT_CAPATH, (char *)NULL);
	}
	if (given(settings->certificate)) {
		SET(CURLOPT_SSLCERT, settings->certificate);
		SET(CURLOPT_SSLKEY, given(settings->key) ? settings->key : settings->certificate);
	}
	return code;
}

static int set_limits(struct push_request *request)
{
	const struct push_settings *settings = request->settings;
	int code = CURLE_OK;

	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, given(settings->proxy) ? settings->proxy : "");
	if (given(settings->unix_socket))
		SET(CURLOPT_UNIX_SOCKET_PATH, settings->unix_socket);
	SET(CURLOPT_CONNECTTIMEOUT, (long)settings->timeout);
	SET(CURLOPT_LOW_SPEED_LIMIT, PUSH_SLOWEST);
	SET(CURLOPT_LOW_SPEED_TIME, (long)settings->timeout);
	SET(CURLOPT_TIMEOUT, PUSH_REQUEST_SECONDS);
	SET(CURLOPT_MAXFILESIZE, (long)PUSH_ANSWER_MAX);
	SET(CURLOPT_ERRORBUFFER, request->message);
	SET(CURLOPT_PRIVATE, request);
	return code;
}

static int set_body(struct push_request *request)
{
	const curl_off_t size = (curl_off_t)request->body.size;
	int code = CURLE_OK;

	if (!add_header(request, "Content-Type: application/json") ||
	    !add_header(request, "Accept: application/json") ||
	    /* Nothing is sent twice because of it, and a server that waits for it costs a second.
	     */
	    !add_header(request, "Expect:") ||
	    (request->body.compressed && !add_header(request, "Content-Encoding: zstd")))
		return CURLE_OUT_OF_MEMORY;
	/* The last request of an attestation: the next one is minutes away. */
	SET(CURLOPT_FORBID_REUSE, request->body.fd >= 0 ? 1L : 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "assay/" ASSAY_VERSION);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE_LARGE, size);
	SET(CURLOPT_HTTPHEADER, request->headers);
	SET(CURLOPT_READFUNCTION, read_body);
	SET(CURLOPT_READDATA, request);
	SET(CURLOPT_SEEKFUNCTION, seek_body);
	SET(CURLOPT_SEEKDATA, request);
	SET(CURLOPT_WRITEFUNCTION, take_answer);
	SET(CURLOPT_WRITEDATA, request);
	SET(CURLOPT_HEADERFUNCTION, count_header);
	SET(CURLOPT_HEADERDATA, request);
	return code;
}

int push_request_new(const struct push_settings *settings, const char *what,
		     const struct push_body *body, struct push_request **ret,
		     struct assay_error *err)
{
	struct push_request *request = calloc(1, sizeof(*request));
	int code = CURLE_OUT_OF_MEMORY;

	if (!request)
		return assay_fail(err, ENOMEM, "out of memory");
	request->settings = settings;
	request->body = *body;
	if (body->fd < 0) {
		buffer_append_bytes(&request->text, body->text);
		request->body.size = body->text.size;
	}
	request->curl = request->text.failed ? NULL : curl_easy_init();
	if (request->curl)
		code = set_url(request, what);
	if (code == CURLE_OK)
		code = set_tls(request);
	if (code == CURLE_OK)
		code = set_limits(request);
	if (code == CURLE_OK)
		code = set_body(request);
	if (code == CURLE_OK) {
		*ret = request;
		return 0;
	}
	push_request_free(request);
	return assay_fail(err, code == CURLE_OUT_OF_MEMORY ? ENOMEM : EINVAL,
			  "cannot make a request to %s: %s", settings->url,
			  curl_easy_strerror((CURLcode)code));
}

CURL *push_request_handle(struct push_request *request)
{
	return request->curl;
}

void push_request_free(struct push_request *request)
{
	if (!request)
		return;
	curl_easy_cleanup(request->curl);
	curl_slist_free_all(request->headers);
	buffer_free(&request->text);
	buffer_free(&request->answer);
	free(request);
}

/* ---------------------------------------------------------------- what came of it */

/* What is to be done where there is no answer. */
static const struct failure {
	CURLcode curl;
	int code;
	const char *advice;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH, "check the URL's host, and the network" },
	{ CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH, "check the proxy's host, and the network" },
	{ CURLE_COULDNT_CONNECT, ECONNREFUSED, "is it running, and let through by firewalls?" },
	{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, "it does not answer in time" },
	{ CURLE_PEER_FAILED_VERIFICATION, EKEYREJECTED,
	  "its certificate does not lead to one that is trusted, or is of another host: configure "
	  "the right CA" },
	{ CURLE_SSL_CACERT_BADFILE, EKEYREJECTED, "the file of the CA cannot be used" },
	{ CURLE_SSL_CERTPROBLEM, EKEYREJECTED,
	  "the certificate or key of this device cannot be used" },
	{ CURLE_SSL_CONNECT_ERROR, EKEYREJECTED,
	  "does it speak TLS 1.2 or later, and is this device's certificate one that it takes?" },
	{ CURLE_FILESIZE_EXCEEDED, EFBIG, "its answer is larger than an answer may be" },
	{ CURLE_UNSUPPORTED_PROTOCOL, EPROTO, "the URL must begin with https://" },
	{ CURLE_GOT_NOTHING, EPROTO, "it closes the connection without an answer" },
	{ CURLE_WEIRD_SERVER_REPLY, EPROTO, "it does not speak HTTP" },
	/* So it is for a line of the head that has no end. */
	{ CURLE_OUT_OF_MEMORY, ENOMEM, "its head is too large, or there is too little memory" },
};

static int fail_request(const struct push_request *request, CURLcode code, struct assay_error *err)
{
	struct failure failure = {
		.code = EIO,
		.advice = "does it speak TLS and assay-push(7), and accept this device's "
			  "certificate?",
	};
	char escaped[CURL_ERROR_SIZE + 64];
	const char *message =
		request->message[0] != '\0' ? request->message : curl_easy_strerror(code);

	if (request->answer_large)
		code = CURLE_FILESIZE_EXCEEDED;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].curl == code) {
			failure = failures[i];
			break;
		}
	if (request->answer_large)
		return assay_fail(err, failure.code, "the verifier at %s: %s: %d bytes",
				  request->settings->url, failure.advice, PUSH_ANSWER_MAX);
	if (request->body_failed)
		return assay_fail(err, EIO, "the evidence cannot be read back");
	return assay_fail(err, failure.code, "the verifier at %s cannot be asked: %s; %s",
			  request->settings->url,
			  text_escape(BYTES((const uint8_t *)message, strlen(message)), escaped,
				      sizeof(escaped)),
			  failure.advice);
}

int push_request_response(struct push_request *request, CURLcode code, struct push_response *ret,
			  struct assay_error *err)
{
	struct push_response response = { 0 };
	curl_off_t retry_after = 0;

	if (code != CURLE_OK)
		return fail_request(request, code, err);
	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &response.status);
	curl_easy_getinfo(request->curl, CURLINFO_RETRY_AFTER, &retry_after);
	response.retry_after = retry_after > 0 ? (uint64_t)retry_after : 0;
	response.body = buffer_bytes(&request->answer);
	*ret = response;
	return 0;
}
