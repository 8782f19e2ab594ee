/* SPDX-License-Identifier: MIT */
/*
 * Who may what. People and programs show a bearer token (RFC 6750) or a client certificate; a file
 * of lines says whose they are:
 *
 *	ROLE NAME token:SHA256HEX [EXPIRES]
 *	ROLE NAME certificate:SHA256HEX [EXPIRES]
 *	ROLE NAME oidc:NAME [EXPIRES]
 *
 * A bearer token may also be one of an OpenID Connect provider (oidc.h), whose bearer is NAME by
 *the last, with that role at most: so that who has several credentials is one person.
 *
 * A token is in no file and no command line of the service's: only its digest is. A device is known
 * by the attestation key that it enrolled; where certificates are wanted of devices, also by one
 * whose common name is the device's.
 */
#ifndef ASSAY_FLEET_AUTH_H
#define ASSAY_FLEET_AUTH_H

#include "http.h"
#include "nonce.h"
#include "oidc.h"

#define AUTH_FILE_MAX (1U << 20)
#define AUTH_NAME_MAX 64

enum auth_kind { AUTH_TOKEN, AUTH_CERTIFICATE, AUTH_OIDC };

/* struct auth_entry - a line; @digest: of a token or certificate; @bearer: the provider's name of
 * AUTH_OIDC; @expires: seconds since 1970-01-01 00:00 UTC; 0: never */
struct auth_entry {
	enum http_role role;
	enum auth_kind kind;
	char name[AUTH_NAME_MAX + 1];
	struct assay_digest digest;
	char bearer[OIDC_NAME_MAX + 1];
	uint64_t expires;
};

/**
 * struct auth - start with {0}, end with auth_free()
 * @device_certificates: a device must show its own
 * @oidc: whose tokens are believed besides; NULL: nobody's; borrowed
 * @sessions: that agents' tokens are made with (session.h); NULL: none are believed; borrowed
 */
struct auth {
	struct auth_entry *entries;
	size_t count;
	bool device_certificates;
	struct oidc *oidc;
	const struct nonce_keys *sessions;
};

/*
 * auth_parse() - read a file's text
 * @name: names it in errors
 *
 * Return: 0; -EBADMSG with the line that is off; -ENOMEM
 */
int auth_parse(struct bytes text, const char *name, struct auth *ret, struct assay_error *err);
void auth_free(struct auth *auth);

/*
 * auth_check() - is the caller let in?
 * @now: seconds since 1970-01-01 00:00 UTC
 *
 * Return: 0 with call->who set; 401 or 403, with what is missing
 */
int auth_check(const struct auth *auth, struct http_call *call, uint64_t now,
	       struct assay_error *err);

/*
 * auth_check_device() - may the caller act for the device @name, which the path does not name?
 *
 * Return: 0; -EKEYREJECTED where a certificate is wanted and its common name is another one
 */
int auth_check_device(const struct auth *auth, const struct http_call *call, const char *name,
		      struct assay_error *err);

#endif /* ASSAY_FLEET_AUTH_H */
