/* SPDX-License-Identifier: MIT */
/* What the service is told: by the command line, and by the configuration. */
#ifndef ASSAY_FLEET_SERVE_SETTINGS_H
#define ASSAY_FLEET_SERVE_SETTINGS_H

#include "config.h"
#include "fleet.h"

#define SERVE_SOCKETS_MAX 8

/**
 * struct serve_settings - all borrowed
 * @listen, @listen_count: as http_bind() takes them
 * @tls: .certificate is NULL: no TLS
 * @per_address, @proxies, @proxy_count: as http_addresses_new() takes them
 * @workers: processes that answer; @limits are of each
 * @result_key: a file with the private key, on P-256, that results are signed by; NULL: none are
 * @known_eks: files as ek_list_parse() takes them: TPMs that may enrol without a certificate
 * @config: of what has sections of its own
 * @operators: a file as auth_parse() takes it; NULL: nobody but devices
 */
struct serve_settings {
	struct fleet_settings fleet;
	const char *database;
	const char *const *listen;
	size_t listen_count;
	struct http_tls tls;
	struct http_limits limits;
	unsigned int per_address;
	const char *const *proxies;
	size_t proxy_count;
	unsigned int workers;
	const char *operators;
	bool device_certificates, proxy_certificates;
	const char *result_key;
	struct chain_trust ek_trust;
	const char *const *known_eks;
	size_t known_ek_count;
	const struct fleet_config *config;
};

#endif /* ASSAY_FLEET_SERVE_SETTINGS_H */
