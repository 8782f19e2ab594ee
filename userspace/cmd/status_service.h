/* SPDX-License-Identifier: MIT */
/* What the service assayd tells of itself: see "The state" in assayd(8). For status.c. */
#ifndef ASSAY_CMD_STATUS_SERVICE_H
#define ASSAY_CMD_STATUS_SERVICE_H

#include <jansson.h>

#include "assay.h"

/* The service's runtime directory, unless it is configured otherwise. */
#define SERVICE_DIRECTORY "/run/assay"

/**
 * struct service_status - as the service has written it last
 * @running: it holds its lock
 * @state: NULL where there is none
 */
struct service_status {
	bool running;
	json_t *state;
};

/*
 * service_status_read() - look into the service's runtime directory
 * @directory: SERVICE_DIRECTORY, or another
 * @ret: json_decref() its @state
 *
 * Return: 0, also where there never was a service; -errno if what is there cannot be read
 */
int service_status_read(const char *directory, struct service_status *ret, struct assay_error *err);

/* service_status_print() - for people */
void service_status_print(const struct service_status *status);

#endif /* ASSAY_CMD_STATUS_SERVICE_H */
