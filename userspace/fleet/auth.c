// SPDX-License-Identifier: MIT
#define _GNU_SOURCE /* reallocarray() */
#include "auth.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/utc.h"
#include "session.h"

#define WORDS_MAX 4
#define BEARER "Bearer "
#define OIDC "oidc:"
#define BLANKS " \t\r"

/* ---------------------------------------------------------------- the file */

static bool take_role(const char *word, enum http_role *ret)
{
	for (int role = HTTP_VIEWER; role < HTTP_ROLES; role++)
		if (strcmp(word, http_role_name((enum http_role)role)) == 0) {
			*ret = (enum http_role)role;
			return true;
		}
	return false;
}

static bool take_digest(const char *word, struct auth_entry *entry)
{
	static const char *const kinds[] = {
		[AUTH_TOKEN] = "token:", [AUTH_CERTIFICATE] = "certificate:"
	};

	for (int kind = AUTH_TOKEN; kind <= AUTH_CERTIFICATE; kind++) {
		size_t length = strlen(kinds[kind]);

		if (strncmp(word, kinds[kind], length) != 0)
			continue;
		entry->kind = (enum auth_kind)kind;
		entry->digest.hash = ASSAY_HASH_SHA256;
		return hex_decode(word + length, entry->digest.bytes, sizeof(entry->digest.bytes),
				  &entry->digest.size) == 0 &&
		       entry->digest.size == assay_hash_size(ASSAY_HASH_SHA256);
	}
	return false;
}

static bool take_bearer(const char *word, struct auth_entry *entry)
{
	if (strncmp(word, OIDC, strlen(OIDC)) != 0)
		return false;
	word += strlen(OIDC);
	entry->kind = AUTH_OIDC;
	text_escape(BYTES((const uint8_t *)word, strlen(word)), entry->bearer,
		    sizeof(entry->bearer));
	return entry->bearer[0] != '\0' && strcmp(entry->bearer, word) == 0;
}

/* One that the audit would take for a provider's is none. */
static bool take_name(const char *word, struct auth_entry *entry)
{
	if (strlen(word) > AUTH_NAME_MAX || strncmp(word, OIDC, strlen(OIDC)) == 0)
		return false;
	text_escape(BYTES((const uint8_t *)word, strlen(word)), entry->name, sizeof(entry->name));
	return strcmp(entry->name, word) == 0;
}

/* @line: is cut to words */
static int parse_line(char *line, struct auth *auth, struct assay_error *err)
{
	struct auth_entry entry = { 0 }, *entries;
	char *words[WORDS_MAX], *rest = line, *word;
	size_t count = 0;

	while ((word = strsep(&rest, BLANKS))) {
		if (word[0] == '\0')
			continue;
		if (count == WORDS_MAX)
			return assay_fail(err, EBADMSG, "there are more than %d words", WORDS_MAX);
		words[count++] = word;
	}
	if (count == 0 || words[0][0] == '#')
		return 0;
	if (count < 3)
		return assay_fail(err, EBADMSG, "it must be ROLE NAME token:SHA256 [EXPIRES]");
	if (!take_role(words[0], &entry.role))
		return assay_fail(err, EBADMSG, "the role must be viewer, operator or approver");
	if (!take_name(words[1], &entry))
		return assay_fail(err, EBADMSG,
				  "the name is not fit to print, too long, or one of a "
				  "provider's (oidc:)");
	if (!take_digest(words[2], &entry) && !take_bearer(words[2], &entry))
		return assay_fail(
			err, EBADMSG,
			"the third word must be token: or certificate: and a SHA-256 in "
			"hexadecimal, or oidc: and the name of a bearer of the provider's "
			"tokens");
	if (count > 3 && !utc_parse(words[3], &entry.expires))
		return assay_fail(err, EBADMSG, "when it expires must be as 2026-01-31T23:59:59Z");
	entries = reallocarray(auth->entries, auth->count + 1, sizeof(*entries));
	if (!entries)
		return assay_fail(err, ENOMEM, "out of memory");
	auth->entries = entries;
	entries[auth->count++] = entry;
	return 0;
}

int auth_parse(struct bytes text, const char *name, struct auth *ret, struct assay_error *err)
{
	struct auth auth = { 0 };
	char *copy = malloc(text.size + 1), *rest = copy, *line;
	unsigned int number = 0;
	int r = 0;

	if (!copy)
		return assay_fail(err, ENOMEM, "out of memory");
	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	if (strlen(copy) != text.size)
		r = assay_fail(err, EBADMSG, "%s has a NUL character", name);
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		number++;
		r = parse_line(line, &auth, err);
		if (r < 0)
			assay_fail_context(err, "%s line %u", name, number);
	}
	free(copy);
	if (r < 0) {
		auth_free(&auth);
		return r;
	}
	auth.device_certificates = ret->device_certificates;
	auth.oidc = ret->oidc;
	auth.sessions = ret->sessions;
	auth_free(ret);
	*ret = auth;
	return 0;
}

void auth_free(struct auth *auth)
{
	free(auth->entries);
	auth->entries = NULL;
	auth->count = 0;
}

/* ---------------------------------------------------------------- callers */

/* All entries are compared, whichever it is. */
static const struct auth_entry *find(const struct auth *auth, enum auth_kind kind,
				     const struct assay_digest *digest)
{
	const struct auth_entry *found = NULL;

	for (size_t i = 0; i < auth->count; i++) {
		const struct auth_entry *entry = &auth->entries[i];

		if (entry->kind == kind &&
		    bytes_equal_constant_time(BYTES(entry->digest.bytes, entry->digest.size),
					      BYTES(digest->bytes, digest->size)))
			found = entry;
	}
	return found;
}

/* What was sent as a bearer token; of size 0 if there is none */
static struct bytes bearer_token(const struct http_call *call)
{
	const char *header = http_header(call, "Authorization");

	if (!header || strncasecmp(header, BEARER, strlen(BEARER)) != 0)
		return BYTES(NULL, 0);
	header += strlen(BEARER);
	return BYTES((const uint8_t *)header, strlen(header));
}

static const struct auth_entry *by_token(const struct auth *auth, const struct http_call *call)
{
	struct bytes token = bearer_token(call);
	struct assay_digest digest;

	if (token.size == 0 || digest_bytes(ASSAY_HASH_SHA256, token, &digest, NULL) < 0)
		return NULL;
	return find(auth, AUTH_TOKEN, &digest);
}

static const struct auth_entry *by_certificate(const struct auth *auth,
					       const struct http_call *call)
{
	struct assay_digest digest = { .hash = ASSAY_HASH_SHA256 };
	unsigned int size = 0;

	if (!call->peer.certificate ||
	    X509_digest(call->peer.certificate, EVP_sha256(), digest.bytes, &size) != 1)
		return NULL;
	digest.size = size;
	return find(auth, AUTH_CERTIFICATE, &digest);
}

/* Whose certificate it is: that common name, and only one. */
static bool is_certificate_of(X509 *certificate, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	ASN1_STRING *text;

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	return (size_t)ASN1_STRING_length(text) == strlen(name) &&
	       memcmp(ASN1_STRING_get0_data(text), name, strlen(name)) == 0;
}

int auth_check_device(const struct auth *auth, const struct http_call *call, const char *name,
		      struct assay_error *err)
{
	if (auth->device_certificates &&
	    (!call->peer.certificate || !is_certificate_of(call->peer.certificate, name)))
		return assay_fail(err, EKEYREJECTED, "this certificate is not that device's");
	return 0;
}

static int check_device(const struct auth *auth, struct http_call *call, struct assay_error *err)
{
	snprintf(call->who, sizeof(call->who), "device %s", call->parameter);
	if (!auth->device_certificates)
		return 0;
	if (!call->peer.certificate) {
		assay_fail(err, EACCES, "a device must show its certificate");
		return 401;
	}
	if (call->parameter[0] != '\0' && auth_check_device(auth, call, call->parameter, err) < 0)
		return 403;
	return 0;
}

/* In Keylime's protocol who sends something is told by a session's token, not by a certificate. */
static int check_agent(const struct auth *auth, struct http_call *call, uint64_t now,
		       struct assay_error *err)
{
	struct bytes token = bearer_token(call);
	int status = check_device(auth, call, err);

	if (status != 0)
		return status;
	if (!auth->sessions || token.size == 0) {
		assay_fail(err, EACCES, "prove by a session that this is the device");
		return 401;
	}
	return session_check(auth->sessions, call->parameter, token, now, err) < 0 ? 401 : 0;
}

/* A browser shows its certificate whichever page it is that asks; such a page says so. */
static bool is_of_other_site(const struct http_call *call)
{
	const char *site = http_header(call, "Sec-Fetch-Site"), *host = http_header(call, "Host");
	const char *origin = http_header(call, "Origin"),
		   *at = origin ? strstr(origin, "://") : NULL;

	if (site)
		return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
	return origin && (!at || !host || strcasecmp(at + 3, host) != 0);
}

/* struct caller - who it is; .name of size 0: nobody who is known */
struct caller {
	enum http_role role;
	char name[AUTH_NAME_MAX + 8];
	bool by_certificate;
};

/* Whose tokens of the provider are another credential of somebody of the file. */
static int by_bearer(const struct auth *auth, const struct oidc_bearer *bearer, uint64_t now,
		     struct caller *ret, struct assay_error *err)
{
	ret->role = bearer->role;
	snprintf(ret->name, sizeof(ret->name), OIDC "%s", bearer->name);
	for (size_t i = 0; i < auth->count; i++) {
		const struct auth_entry *entry = &auth->entries[i];

		if (entry->kind != AUTH_OIDC || strcmp(entry->bearer, bearer->name) != 0)
			continue;
		if (entry->expires != 0 && entry->expires <= now)
			return assay_fail(err, EACCES, "what was shown has expired");
		if (entry->role < ret->role)
			ret->role = entry->role;
		snprintf(ret->name, sizeof(ret->name), "%s", entry->name);
	}
	return 0;
}

static int find_caller(const struct auth *auth, const struct http_call *call, uint64_t now,
		       struct caller *ret, struct assay_error *err)
{
	const struct auth_entry *entry = by_token(auth, call);
	struct bytes token = bearer_token(call);
	struct oidc_bearer bearer = { .role = HTTP_ANYBODY };

	if (!entry && auth->oidc && token.size > 0) {
		int r = oidc_check(auth->oidc, token, now, &bearer, err);

		return r < 0 ? r : by_bearer(auth, &bearer, now, ret, err);
	}
	if (!entry)
		entry = by_certificate(auth, call);
	if (!entry)
		return assay_fail(err, EACCES,
				  "show a bearer token, or a certificate, that is known");
	if (entry->expires != 0 && entry->expires <= now)
		return assay_fail(err, EACCES, "what was shown has expired");
	ret->role = entry->role;
	ret->by_certificate = entry->kind == AUTH_CERTIFICATE;
	snprintf(ret->name, sizeof(ret->name), "%s", entry->name);
	return 0;
}

int auth_check(const struct auth *auth, struct http_call *call, uint64_t now,
	       struct assay_error *err)
{
	enum http_role role = call->route->role;
	struct caller caller = { .role = HTTP_ANYBODY };

	if (role == HTTP_ANYBODY)
		return 0;
	if (role == HTTP_DEVICE)
		return check_device(auth, call, err);
	if (role == HTTP_AGENT)
		return check_agent(auth, call, now, err);
	if (find_caller(auth, call, now, &caller, err) < 0)
		return 401;
	if (caller.by_certificate && call->route->method != HTTP_GET && is_of_other_site(call)) {
		assay_fail(err, EACCES, "a page of another site asks for it");
		return 403;
	}
	if (caller.role < role) {
		assay_fail(err, EACCES, "this is for those with the role %s", http_role_name(role));
		return 403;
	}
	snprintf(call->who, sizeof(call->who), "%s %s", http_role_name(caller.role), caller.name);
	return 0;
}
