/* SPDX-License-Identifier: MIT */
/* For attest.c: how the part `attest` answers calls of Varlink (attest_method.c). */
#ifndef ASSAY_ASSAYD_ATTEST_H
#define ASSAY_ASSAYD_ATTEST_H

#include "service.h"

extern const struct part_method attest_methods[];

#endif /* ASSAY_ASSAYD_ATTEST_H */
