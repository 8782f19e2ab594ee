/* SPDX-License-Identifier: MIT */
/* The interface org.assay as others are told of it, and org.varlink.service, which tells. */
#ifndef ASSAY_ASSAYD_VARLINK_INTERFACE_H
#define ASSAY_ASSAYD_VARLINK_INTERFACE_H

#include "varlink_message.h"

#define VARLINK_INTERFACE "org.assay"
#define VARLINK_SERVICE "org.varlink.service"

/* varlink_interface_answer() - answer a call of org.varlink.service; as varlink_reply() */
int varlink_interface_answer(struct buffer *out, const struct varlink_call *call);

/* varlink_interface_text() - the description of an interface; NULL for one not known */
const char *varlink_interface_text(const char *name);

#endif /* ASSAY_ASSAYD_VARLINK_INTERFACE_H */
