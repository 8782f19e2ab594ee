// SPDX-License-Identifier: MIT
/* `assay status --why`: why the module does not keep a log here. */
#define _GNU_SOURCE
#include "status_why.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "cmd.h"
#include "memory/why.h"

static void print_why(const struct why_facts *facts, const json_t *reasons)
{
	if (json_array_size(reasons) == 0) {
		puts("the module is loaded, and nothing keeps it from its work");
		return;
	}
	printf("the module is %s:\n", facts->loaded ? "loaded, but" : "not loaded");
	for (size_t i = 0; i < json_array_size(reasons); i++) {
		const json_t *reason = json_array_get(reasons, i);

		printf("  %s\n    to do: %s\n", json_string_value(json_object_get(reason, "text")),
		       json_string_value(json_object_get(reason, "advice")));
	}
}

int status_why(bool json)
{
	struct assay_error err;
	struct why_facts facts;
	struct utsname kernel;
	json_t *reasons;
	bool well;
	int status;

	if (uname(&kernel) < 0) {
		assay_fail(&err, errno, "the kernel does not tell its release");
		return command_failed(&command_status, &err);
	}
	why_read("", kernel.machine, kernel.release, &facts);
	why_read_messages("/dev/kmsg", &facts);
	reasons = why_judge(&facts);
	if (!reasons) {
		assay_fail(&err, ENOMEM, "out of memory");
		return command_failed(&command_status, &err);
	}
	well = json_array_size(reasons) == 0;
	if (json) {
		status = command_emit_json(
			&command_status, json_pack("{s:s, s:b, s:s, s:O}", "type", "status-why",
						   "module_loaded", facts.loaded, "kernel_release",
						   facts.release, "reasons", reasons));
	} else {
		print_why(&facts, reasons);
		status = command_flush(&command_status);
	}
	json_decref(reasons);
	return status == EXIT_OK && !well ? EXIT_FAILED : status;
}
