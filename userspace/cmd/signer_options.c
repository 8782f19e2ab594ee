// SPDX-License-Identifier: MIT
#include "signer_options.h"

#include <stdarg.h>
#include <stdio.h>

void signer_notice(const char *format, ...)
{
	va_list args;

	fputs("assay: note: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
