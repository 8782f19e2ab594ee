// SPDX-License-Identifier: MIT
/* Engines are deprecated, but where there is no provider they are what there is. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sign/pkcs11.h"

#include <errno.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/crypto_errors.h"
#include "base/secret.h"

#define PROVIDER "pkcs11"
#define ENGINE_NAME "pkcs11"

/* What the PIN is asked with, and what came of it. */
struct pin {
	key_file_secret_function secret;
	void *context;
	struct assay_error *err;
	bool failed;
};

static int give_pin(char *text, int size, int writing, void *context)
{
	CLEANUP(secret_free) struct buffer value = { 0 };
	struct pin *pin = context;

	(void)writing;
	if (pin->secret)
		pin->failed = pin->secret(pin->context, &value, pin->err) < 0;
	else
		pin->failed = assay_fail(pin->err, ENOKEY,
					 "the token wants a PIN, and the PKCS#11 URI brings none "
					 "(pin-value=, or pin-source= with a file)") < 0;
	if (pin->failed || value.size > (size_t)size)
		return -1;
	if (value.size > 0)
		memcpy(text, value.data, value.size);
	return (int)value.size;
}

static EVP_PKEY *find_key(const char *uri, UI_METHOD *method, struct pin *pin)
{
	EVP_PKEY *key = NULL;
	OSSL_STORE_CTX *store =
		OSSL_STORE_open_ex(uri, NULL, "provider=" PROVIDER, method, pin, NULL, NULL, NULL);

	if (store && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY))
		while (!key && !OSSL_STORE_eof(store)) {
			OSSL_STORE_INFO *info = OSSL_STORE_load(store);

			if (!info && OSSL_STORE_error(store))
				break;
			if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
				key = OSSL_STORE_INFO_get1_PKEY(info);
			OSSL_STORE_INFO_free(info);
		}
	OSSL_STORE_close(store);
	return key;
}

/* The key keeps what it needs of the engine. */
static EVP_PKEY *find_key_by_engine(ENGINE *engine, const char *name, UI_METHOD *method,
				    struct pin *pin)
{
	EVP_PKEY *key = NULL;

	/* What it would print on its own says no more than the error that we print. */
	ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1);
	if (ENGINE_init(engine) == 1) {
		key = ENGINE_load_private_key(engine, *name ? name : NULL, method, pin);
		ENGINE_finish(engine);
	}
	return key;
}

/* find_signer() - by the engine, or else by the provider */
static int find_signer(ENGINE *engine, const char *name, struct pin *pin, struct signer **ret)
{
	UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	char reason[256] = "";
	EVP_PKEY *key = NULL;

	if (method && engine)
		key = find_key_by_engine(engine, name, method, pin);
	else if (method)
		key = find_key(name, method, pin);
	UI_destroy_method(method);
	if (key)
		return key_file_wrap(key, name, false, ret, pin->err);
	if (pin->failed)
		return -pin->err->code;
	if (ERR_peek_last_error())
		ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	crypto_errors_drop();
	/* Without @name, which may have the PIN in it. */
	return assay_fail(pin->err, ENOENT,
			  "no private key is found at the PKCS#11 URI, or the token "
			  "refused the PIN%s%s",
			  *reason ? ": " : "", reason);
}

static bool have_provider(void)
{
	/* Once a provider is loaded by name, the default one has to be, too. */
	if (OSSL_PROVIDER_available(NULL, PROVIDER) ||
	    (OSSL_PROVIDER_load(NULL, PROVIDER) && OSSL_PROVIDER_load(NULL, "default")))
		return true;
	crypto_errors_drop();
	return false;
}

int pkcs11_signer(const char *uri, key_file_secret_function secret, void *context,
		  struct signer **ret, struct assay_error *err)
{
	struct pin pin = { .secret = secret, .context = context, .err = err };
	ENGINE *engine = NULL;
	int r;

	if (!have_provider()) {
		ENGINE_load_dynamic();
		engine = ENGINE_by_id(ENGINE_NAME);
		crypto_errors_drop();
		if (!engine)
			return assay_fail(err, ENOPKG,
					  "a key by PKCS#11 URI needs OpenSSL's provider or "
					  "engine \"" PROVIDER "\", neither of which is installed "
					  "here: install the package pkcs11-provider or "
					  "libengine-pkcs11-openssl, or take a key file");
	}
	r = find_signer(engine, uri, &pin, ret);
	ENGINE_free(engine);
	return r;
}

int pkcs11_engine_signer(const char *library, const char *module, const char *name,
			 key_file_secret_function secret, void *context, struct signer **ret,
			 struct assay_error *err)
{
	struct pin pin = { .secret = secret, .context = context, .err = err };
	char reason[256] = "";
	ENGINE *engine;
	int r;

	ENGINE_load_dynamic();
	engine = ENGINE_by_id("dynamic");
	if (engine && ENGINE_ctrl_cmd_string(engine, "SO_PATH", library, 0) &&
	    ENGINE_ctrl_cmd_string(engine, "ID", ENGINE_NAME, 0) &&
	    ENGINE_ctrl_cmd_string(engine, "LOAD", NULL, 0) &&
	    ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0)) {
		r = find_signer(engine, name, &pin, ret);
	} else {
		/* The first says what is wrong with the library, the others what that led to. */
		ERR_error_string_n(ERR_peek_error(), reason, sizeof(reason));
		crypto_errors_drop();
		r = assay_fail(err, EINVAL, "cannot use %s as PKCS#11 engine: %s", library, reason);
	}
	ENGINE_free(engine);
	return r;
}
