// SPDX-License-Identifier: MIT
#include "sign/pkcs11.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <string.h>

#include "base/secret.h"

#define PROVIDER "pkcs11"

/* What the PIN is asked with, and what came of it. */
struct pin {
	key_file_secret_function secret;
	void *context;
	struct assay_error *err;
	bool failed;
};

static int give_pin(char *text, int size, int writing, void *context)
{
	struct pin *pin = context;
	struct buffer value = { 0 };
	int length = -1;

	(void)writing;
	pin->failed = pin->secret(pin->context, &value, pin->err) < 0;
	if (!pin->failed && value.size <= (size_t)size) {
		memcpy(text, value.data, value.size);
		length = (int)value.size;
	}
	secret_free(&value);
	return length;
}

static EVP_PKEY *find_key(const char *uri, struct pin *pin)
{
	UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(give_pin, 0);
	EVP_PKEY *key = NULL;
	OSSL_STORE_CTX *store = NULL;

	if (method)
		store = OSSL_STORE_open_ex(uri, NULL, "provider=" PROVIDER, method, pin, NULL, NULL,
					   NULL);
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
	UI_destroy_method(method);
	return key;
}

int pkcs11_signer(const char *uri, key_file_secret_function secret, void *context,
		  struct signer **ret, struct assay_error *err)
{
	struct pin pin = { .secret = secret, .context = context, .err = err };
	char reason[256] = "";
	EVP_PKEY *key;

	/* Once a provider is loaded by name, the default one has to be, too. */
	if (!OSSL_PROVIDER_available(NULL, PROVIDER) &&
	    (!OSSL_PROVIDER_load(NULL, PROVIDER) || !OSSL_PROVIDER_load(NULL, "default"))) {
		ERR_clear_error();
		return assay_fail(err, ENOPKG,
				  "a key by PKCS#11 URI needs OpenSSL's provider \"" PROVIDER
				  "\", which is not installed here: install the package "
				  "pkcs11-provider where there is one, or take a key file");
	}
	key = find_key(uri, &pin);
	if (key)
		return key_file_wrap(key, uri, false, ret, err);
	if (pin.failed)
		return -err->code;
	if (ERR_peek_last_error())
		ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return assay_fail(err, ENOENT, "no private key is found at the PKCS#11 URI%s%s",
			  *reason ? ": " : "", reason);
}
