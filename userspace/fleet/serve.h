/* SPDX-License-Identifier: MIT */
/* The service itself: from settings to a loop that answers. */
#ifndef ASSAY_FLEET_SERVE_H
#define ASSAY_FLEET_SERVE_H

#include "serve_settings.h"

/* serve_run() - until SIGTERM or SIGINT; SIGHUP reads @operators anew */
int serve_run(const struct serve_settings *settings, struct assay_error *err);

/* serve_check() - could it start? Reads all that serve_run() reads; changes and opens nothing */
int serve_check(const struct serve_settings *settings, struct assay_error *err);

#endif /* ASSAY_FLEET_SERVE_H */
