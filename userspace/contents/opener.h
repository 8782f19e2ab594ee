/* SPDX-License-Identifier: MIT */
/*
 * Who opens files for a process that can open none: its parent, over a socket. What may be asked
 * for is the files that the command line names, and files below those that are directories.
 */
#ifndef ASSAY_CONTENTS_OPENER_H
#define ASSAY_CONTENTS_OPENER_H

#include "assay.h"

/*
 * opener_serve() - answer what comes on a SOCK_SEQPACKET socket, until its other end is closed
 * @files: what may be opened, ended by NULL
 *
 * Return: 0; -EBADMSG for what is no question
 */
int opener_serve(int socket, char *const *files, struct assay_error *err);

/*
 * opener_open() - have a file opened for reading
 * @socket: to who serves
 * @file: its number among the files, from 0
 * @path: of a file below it, which is never left; "": the file itself
 * @name: names it in errors
 *
 * Return: a descriptor; a negative errno
 */
int opener_open(int socket, unsigned int file, const char *path, const char *name,
		struct assay_error *err);

#endif /* ASSAY_CONTENTS_OPENER_H */
