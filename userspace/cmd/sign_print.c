// SPDX-License-Identifier: MIT
/* What `assay sign` prints at its end, in words or as JSON. */
#define _GNU_SOURCE
#include "sign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/json.h"

static const char *signature_path(const struct sign_call *call)
{
	return call->run.writer ? manifest_writer_signature(call->run.writer) : NULL;
}

static const char *partial_path(const struct sign_call *call)
{
	return call->run.writer ? manifest_writer_partial(call->run.writer) : NULL;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void print_text(const struct sign_call *call)
{
	const struct source_counts *counts = &call->run.source->counts;
	bool list = sign_is_first_step(call->options);

	printf("%s %" PRIu64 " files, %" PRIu64 " bytes, in %.2f s", list ? "prepared" : "signed",
	       call->run.signed_files, call->run.bytes, seconds_since(&call->start));
	if (call->run.linked > 0)
		printf("; %" PRIu64 " are further links", call->run.linked);
	if (call->run.reused > 0)
		printf("; %" PRIu64 " had not changed", call->run.reused);
	if (counts->missing > 0)
		printf("; %" PRIu64 " that packages installed are not there", counts->missing);
	if (counts->configuration > 0)
		printf("; %" PRIu64 " configuration files were left out", counts->configuration);
	if (counts->diverted > 0)
		printf("; %" PRIu64 " paths are diverted", counts->diverted);
	if (list)
		printf(": %zu signature%s to be made, see %s", call->steps.items,
		       call->steps.items == 1 ? " is" : "s are", call->options->prepare);
	else if (call->options->manifest)
		printf(": %s, %s", call->options->manifest, signature_path(call));
	putchar('\n');
}

/* What failed was told when it did; this is what to look at. */
static void print_failed(const struct sign_call *call, bool good)
{
	const char *partial = partial_path(call);

	if (json_array_size(call->failed) > 0)
		fprintf(stderr, "%s sign: not signed:\n", program_invocation_short_name);
	for (size_t i = 0; i < json_array_size(call->failed); i++)
		fprintf(stderr, "  %s\n",
			json_string_value(
				json_object_get(json_array_get(call->failed, i), "path")));
	if (!good && sign_is_first_step(call->options))
		fprintf(stderr, "%s sign: %s was not written\n", program_invocation_short_name,
			call->options->prepare);
	else if (!good && call->options->manifest && call->steps.items == 0)
		fprintf(stderr, "%s sign: no manifest was written%s%s%s\n",
			program_invocation_short_name, partial ? "; what was done is in " : "",
			partial ? partial : "",
			partial ? ": the same command goes on from there" : "");
}

int sign_print_end(const struct sign_call *call, bool good, struct assay_error *err)
{
	const struct source_counts *counts = &call->run.source->counts;
	const struct sign_options *options = call->options;
	json_t *object;

	print_failed(call, good);
	if (!options->json) {
		if (good)
			print_text(call);
		return 0;
	}
	object = json_pack(
		"{s:b, s:s, s:s?, s:s?, s:s?, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:O, s:f}",
		"ok", good, "source", sign_source_name(options), "manifest", options->manifest,
		"signature", signature_path(call), "partial", partial_path(call), "id",
		call->header.id, "delegate", options->delegate, "file_count",
		(json_int_t)call->run.signed_files, "bytes", (json_int_t)call->run.bytes, "links",
		(json_int_t)call->run.linked, "reused", (json_int_t)call->run.reused, "skipped",
		(json_int_t)call->run.skipped, "missing", (json_int_t)counts->missing,
		"configuration_files", (json_int_t)counts->configuration, "diverted",
		(json_int_t)counts->diverted, "failed", call->failed, "seconds",
		seconds_since(&call->start));
	if (options->prepare) {
		json_object_set_new(object, "prepared", json_string(options->prepare));
		json_object_set_new(object, "to_sign", json_integer((json_int_t)call->steps.items));
	}
	if (call->delegate)
		json_object_set_new(object, "delegate_memory",
				    json_string(call->delegate_memory == DELEGATE_SECRET ?
							"memfd_secret" :
							"mlock"));
	return command_print_json(object, JSON_INDENT(2) | JSON_REAL_PRECISION(6), err);
}
