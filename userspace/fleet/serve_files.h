/* SPDX-License-Identifier: MIT */
/* The files that the settings name. */
#ifndef ASSAY_FLEET_SERVE_FILES_H
#define ASSAY_FLEET_SERVE_FILES_H

#include "serve_settings.h"

/*
 * serve_read_operators(), serve_read_known_eks() - who may look and act, and which TPMs may enrol
 * without a certificate; what was read before holds where that fails
 *
 * Return: 0; a negative errno with what is off
 */
int serve_read_operators(const struct serve_settings *settings, struct fleet *fleet,
			 struct assay_error *err);
int serve_read_known_eks(const struct serve_settings *settings, struct fleet *fleet,
			 struct assay_error *err);

/* serve_open_result_key() - who signs results; there is none where the settings name no key */
int serve_open_result_key(const struct serve_settings *settings, struct fleet *fleet,
			  struct assay_error *err);

#endif /* ASSAY_FLEET_SERVE_FILES_H */
