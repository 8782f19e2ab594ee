// SPDX-License-Identifier: MIT
#include "sign_fixture.h"

#include <stdio.h>

#include "sign/certificate.h"
#include "support.h"

X509 *sign_fixture_certificate(const char *name)
{
	struct assay_error err = { 0 };
	X509 *certificate;
	char path[64];

	snprintf(path, sizeof(path), "%s.crt", name);
	if (certificate_load(path, &certificate, &err) < 0)
		fail_msg("%s", err.text);
	return certificate;
}
