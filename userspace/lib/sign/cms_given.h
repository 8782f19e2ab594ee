/* SPDX-License-Identifier: MIT */
/* Inside lib/sign: a CMS that somebody else made, as it was handed over. */
#ifndef ASSAY_SIGN_CMS_GIVEN_H
#define ASSAY_SIGN_CMS_GIVEN_H

#include <openssl/cms.h>

#include "base/bytes.h"

/* cms_given_parse() - DER or PEM; NULL for what is no CMS. CMS_ContentInfo_free() it */
CMS_ContentInfo *cms_given_parse(struct bytes given);

/* cms_given_signer() - its one signer, borrowed; NULL if there is none, or more */
CMS_SignerInfo *cms_given_signer(CMS_ContentInfo *cms);

#endif /* ASSAY_SIGN_CMS_GIVEN_H */
