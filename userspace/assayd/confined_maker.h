/* SPDX-License-Identifier: MIT */
/*
 * For confined.c: the process that the confined children are copies of. It is one of the service as
 * it was at its start, before it had anything that belongs to somebody: no keys, no requests, no
 * memory that is shared. What the service gets later no child has.
 */
#ifndef ASSAY_ASSAYD_CONFINED_MAKER_H
#define ASSAY_ASSAYD_CONFINED_MAKER_H

#include <sys/types.h>

#include "confined.h"

/*
 * confined_maker_make() - have a child of this process made, which writes to @output
 * Return: the child; -errno
 */
pid_t confined_maker_make(confined_function function, struct bytes input,
			  const struct confined_limits *limits, int output,
			  struct assay_error *err);

#endif /* ASSAY_ASSAYD_CONFINED_MAKER_H */
