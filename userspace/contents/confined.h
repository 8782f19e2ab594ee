/* SPDX-License-Identifier: MIT */
/* What the process that reads foreign archives cannot do any more. */
#ifndef ASSAY_CONTENTS_CONFINED_H
#define ASSAY_CONTENTS_CONFINED_H

#include "assay.h"

/*
 * confined_enter() - keep standard output and error, reading what is handed over @socket, and
 * memory; give up files, processes, networks and capabilities, for good
 *
 * What libraries load when they are first needed is loaded before. See confine/confine.h for what
 * other system calls come to.
 */
int confined_enter(int socket, struct assay_error *err);

#endif /* ASSAY_CONTENTS_CONFINED_H */
