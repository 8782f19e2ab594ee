/* SPDX-License-Identifier: GPL-2.0-only */
/* The module's version, as modinfo and the log's START records have it. */
#ifndef _ASSAY_VERSION_H
#define _ASSAY_VERSION_H

#define ASSAY_MODULE_VERSION "0.1.0"

#endif /* _ASSAY_VERSION_H */
