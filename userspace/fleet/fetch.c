// SPDX-License-Identifier: MIT
#include "fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

CLEANUP_POINTER(CURLU, curlu_free, curl_url_cleanup);

static void curl_text_free(char **text)
{
	curl_free(*text);
}

/* struct transfer - a request that is carried */
struct transfer {
	struct fetcher *fetcher;
	CURL *curl;
	struct curl_slist *headers;
	struct buffer answer;
	size_t head;
	fetch_done *done;
	void *context;
	char message[CURL_ERROR_SIZE];
	struct transfer *next;
};

struct fetcher {
	struct event_base *base;
	struct event *timer;
	CURLM *multi;
	struct transfer *transfers;
};

/* ---------------------------------------------------------------- URLs */

/* An address, not a name: anybody's may begin like one. */
static bool is_this_machine(const char *host)
{
	uint8_t four[4];

	return (inet_pton(AF_INET, host, four) == 1 && four[0] == 127) ||
	       strcmp(host, "[::1]") == 0;
}

int fetch_check_url(const char *url, struct assay_error *err)
{
	CLEANUP(curlu_free_pointer) CURLU *parts = curl_url();
	CLEANUP(curl_text_free) char *scheme = NULL;
	CLEANUP(curl_text_free) char *host = NULL;
	CLEANUP(curl_text_free) char *other = NULL;
	char escaped[256];

	if (!parts)
		return assay_fail(err, ENOMEM, "out of memory");
	text_escape(BYTES((const uint8_t *)url, strlen(url)), escaped, sizeof(escaped));
	if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return assay_fail(err, EINVAL, "'%s' is no URL such as https://example.org/path",
				  escaped);
	if (curl_url_get(parts, CURLUPART_USER, &other, 0) == CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_PASSWORD, &other, 0) == CURLUE_OK)
		return assay_fail(err, EINVAL, "a URL must not have a user or a password");
	if (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_this_machine(host)))
		return 0;
	return assay_fail(err, EINVAL,
			  "'%s' must begin with https://; http:// is for 127.0.0.1 and [::1] only",
			  escaped);
}

/* ---------------------------------------------------------------- transfers */

/* One that is in no list. */
static void transfer_end(struct transfer *transfer)
{
	if (transfer->curl)
		curl_multi_remove_handle(transfer->fetcher->multi, transfer->curl);
	curl_easy_cleanup(transfer->curl);
	curl_slist_free_all(transfer->headers);
	buffer_free(&transfer->answer);
	free(transfer);
}

static void transfer_free(struct transfer *transfer)
{
	for (struct transfer **at = &transfer->fetcher->transfers; *at; at = &(*at)->next)
		if (*at == transfer) {
			*at = transfer->next;
			break;
		}
	transfer_end(transfer);
}

static void tell(struct transfer *transfer, CURLcode code)
{
	const char *why = transfer->message[0] ? transfer->message : curl_easy_strerror(code);
	long status = 0;

	if (code == CURLE_OK)
		curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	transfer->done(transfer->context, status, buffer_bytes(&transfer->answer),
		       code == CURLE_OK ? "" : why);
	transfer_free(transfer);
}

static void tell_done(struct fetcher *fetcher)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetcher->multi, &left))) {
		struct transfer *transfer = NULL;
		const CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		tell(transfer, code);
	}
}

static void socket_ready(evutil_socket_t fd, short events, void *context)
{
	struct fetcher *fetcher = context;
	int what = 0, running;

	if (events & EV_READ)
		what |= CURL_CSELECT_IN;
	if (events & EV_WRITE)
		what |= CURL_CSELECT_OUT;
	curl_multi_socket_action(fetcher->multi, fd, what, &running);
	tell_done(fetcher);
}

static void time_has_come(evutil_socket_t fd, short events, void *context)
{
	struct fetcher *fetcher = context;
	int running;

	(void)fd;
	(void)events;
	curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell_done(fetcher);
}

/* libcurl says what it waits for; @assigned is the event that was assigned to the socket. */
static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *assigned)
{
	struct fetcher *fetcher = context;
	struct event *event = assigned;
	short events = EV_PERSIST;

	(void)curl;
	if (event)
		event_free(event);
	event = NULL;
	if (what != CURL_POLL_REMOVE) {
		events |= what & CURL_POLL_IN ? EV_READ : 0;
		events |= what & CURL_POLL_OUT ? EV_WRITE : 0;
		event = event_new(fetcher->base, fd, events, socket_ready, fetcher);
		if (!event || event_add(event, NULL) < 0)
			return -1;
	}
	curl_multi_assign(fetcher->multi, fd, event);
	return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *context)
{
	struct fetcher *fetcher = context;
	const struct timeval time = { milliseconds / 1000, (milliseconds % 1000) * 1000 };

	(void)multi;
	if (milliseconds < 0)
		return evtimer_del(fetcher->timer);
	return evtimer_add(fetcher->timer, &time);
}

static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	(void)size; /* 1 */
	if (count > FETCH_ANSWER_MAX - transfer->answer.size)
		return 0;
	buffer_append(&transfer->answer, data, count);
	return transfer->answer.failed ? 0 : count;
}

static size_t count_head(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	(void)data;
	(void)size;
	transfer->head += count;
	return transfer->head > FETCH_ANSWER_MAX ? 0 : count;
}

/* ---------------------------------------------------------------- requests */

/* An option that this libcurl does not know must not pass: a check of TLS could be missing. */
#define SET(option, value)                                                          \
	do {                                                                        \
		if (code == CURLE_OK)                                               \
			code = curl_easy_setopt(transfer->curl, (option), (value)); \
	} while (0)

static CURLcode set_connection(struct transfer *transfer, const struct fetch *fetch)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_URL, fetch->url);
	SET(CURLOPT_PROTOCOLS_STR, "https,http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (fetch->ca) {
		SET(CURLOPT_CAINFO, fetch->ca);
		SET(CURLOPT_CAPATH, (char *)NULL);
	}
	SET(CURLOPT_CONNECTTIMEOUT, (long)fetch->timeout);
	SET(CURLOPT_TIMEOUT, (long)fetch->timeout);
	SET(CURLOPT_MAXFILESIZE, (long)FETCH_ANSWER_MAX);
	return code;
}

static CURLcode set_request(struct transfer *transfer, const struct fetch *fetch)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_USERAGENT, "assay-fleet/" ASSAY_VERSION);
	if (fetch->post) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)fetch->body.size);
		SET(CURLOPT_COPYPOSTFIELDS, (const char *)fetch->body.data);
	}
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	SET(CURLOPT_WRITEFUNCTION, take_answer);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, count_head);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->message);
	SET(CURLOPT_PRIVATE, transfer);
	return code;
}

static bool add_headers(struct transfer *transfer, const struct fetch *fetch)
{
	for (size_t i = 0; i < FETCH_HEADERS_MAX && fetch->headers[i]; i++) {
		struct curl_slist *headers =
			curl_slist_append(transfer->headers, fetch->headers[i]);

		if (!headers)
			return false;
		transfer->headers = headers;
	}
	return true;
}

int fetch_begin(struct fetcher *fetcher, const struct fetch *fetch, struct assay_error *err)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (!transfer)
		return assay_fail(err, ENOMEM, "out of memory");
	transfer->fetcher = fetcher;
	transfer->done = fetch->done;
	transfer->context = fetch->context;
	transfer->next = fetcher->transfers;
	fetcher->transfers = transfer;
	transfer->curl = curl_easy_init();
	if (transfer->curl && add_headers(transfer, fetch))
		code = set_connection(transfer, fetch);
	if (code == CURLE_OK)
		code = set_request(transfer, fetch);
	if (code == CURLE_OK && curl_multi_add_handle(fetcher->multi, transfer->curl) == CURLM_OK)
		return 0;
	transfer_free(transfer);
	return assay_fail(err, code == CURLE_OUT_OF_MEMORY ? ENOMEM : EINVAL,
			  "cannot make a request: %s", curl_easy_strerror(code));
}

/* ---------------------------------------------------------------- all of them */

int fetcher_new(struct event_base *base, struct fetcher **ret, struct assay_error *err)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		return assay_fail(err, ENOMEM, "out of memory");
	fetcher->base = base;
	fetcher->timer = evtimer_new(base, time_has_come, fetcher);
	fetcher->multi = fetcher->timer && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ?
				 curl_multi_init() :
				 NULL;
	if (!fetcher->multi) {
		fetcher_free(fetcher);
		return assay_fail(err, ENOMEM, "out of memory");
	}
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	*ret = fetcher;
	return 0;
}

void fetcher_free(struct fetcher *fetcher)
{
	struct transfer *transfer;

	if (!fetcher)
		return;
	while ((transfer = fetcher->transfers)) {
		fetcher->transfers = transfer->next;
		transfer_end(transfer);
	}
	if (fetcher->multi)
		curl_multi_cleanup(fetcher->multi);
	if (fetcher->timer)
		event_free(fetcher->timer);
	free(fetcher);
}
