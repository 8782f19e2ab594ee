// SPDX-License-Identifier: MIT
#include "push_transfer.h"

#include <errno.h>
#include <stdlib.h>

struct transfers {
	struct loop *loop;
	struct loop_timer *timer;
	CURLM *multi;
	transfer_done done;
	void *context;
};

/* Which requests are done. A callback may free this one, so each is taken out before. */
static void tell_done(struct transfers *transfers)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(transfers->multi, &left))) {
		struct push_request *request = NULL;
		CURL *handle = message->easy_handle;
		const CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(handle, CURLINFO_PRIVATE, (char **)&request);
		curl_multi_remove_handle(transfers->multi, handle);
		transfers->done(transfers->context, request, code);
	}
}

static void socket_ready(void *context, int fd, uint32_t events)
{
	struct transfers *transfers = context;
	int what = 0, running;

	if (events & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(transfers->multi, fd, what, &running);
	tell_done(transfers);
}

static void time_has_come(void *context)
{
	struct transfers *transfers = context;
	int running;

	curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	tell_done(transfers);
}

/* libcurl says what it waits for; @assigned is what this function assigned to the socket. */
static int watch_socket(CURL *handle, curl_socket_t fd, int what, void *context, void *assigned)
{
	struct transfers *transfers = context;
	struct loop_io *io = assigned;
	struct assay_error err;
	uint32_t events = 0;

	(void)handle;
	if (what == CURL_POLL_REMOVE) {
		loop_io_free(io);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (io)
		return loop_io_set(io, events, &err) < 0 ? -1 : 0;
	if (loop_io_add(transfers->loop, fd, events, socket_ready, transfers, &io, &err) < 0)
		return -1;
	curl_multi_assign(transfers->multi, fd, io);
	return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *context)
{
	struct transfers *transfers = context;

	(void)multi;
	if (milliseconds < 0)
		loop_timer_cancel(transfers->timer);
	else
		loop_timer_set(transfers->timer, (uint64_t)milliseconds);
	return 0;
}

int transfers_new(struct loop *loop, transfer_done done, void *context, struct transfers **ret,
		  struct assay_error *err)
{
	struct transfers *transfers = calloc(1, sizeof(*transfers));
	int r;

	if (!transfers)
		return assay_fail(err, ENOMEM, "out of memory");
	*transfers = (struct transfers){ .loop = loop, .done = done, .context = context };
	r = loop_timer_new(loop, time_has_come, transfers, &transfers->timer, err);
	if (r == 0)
		transfers->multi = curl_multi_init();
	if (!transfers->multi) {
		transfers_free(transfers);
		return r < 0 ? r : assay_fail(err, ENOMEM, "out of memory");
	}
	curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
	curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
	curl_multi_setopt(transfers->multi, CURLMOPT_MAXCONNECTS, 1L);
	*ret = transfers;
	return 0;
}

void transfers_free(struct transfers *transfers)
{
	if (!transfers)
		return;
	if (transfers->multi)
		curl_multi_cleanup(transfers->multi); /* it says which sockets it closes */
	loop_timer_free(transfers->timer);
	free(transfers);
}

int transfers_add(struct transfers *transfers, struct push_request *request,
		  struct assay_error *err)
{
	CURLMcode code = curl_multi_add_handle(transfers->multi, push_request_handle(request));

	if (code == CURLM_OK)
		return 0;
	return assay_fail(err, EIO, "cannot send a request: %s", curl_multi_strerror(code));
}

void transfers_remove(struct transfers *transfers, struct push_request *request)
{
	curl_multi_remove_handle(transfers->multi, push_request_handle(request));
}
