// SPDX-License-Identifier: MIT
/* `assay check`: what it prints of each file. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const struct {
	const char *name, *words;
} checks[CHECK_COUNT] = {
	[CHECK_DIGEST] = { "digest", "fs-verity digest" },
	[CHECK_PKCS7] = { "pkcs7", "built-in signature" },
	[CHECK_IMA] = { "ima", "IMA signature" },
};

static json_t *finding_json(const char *name, const struct check_finding *finding)
{
	static const char *const results[] = {
		[CHECK_NOT_MADE] = "not-checked", [CHECK_PASSED] = "pass", [CHECK_FAILED] = "fail"
	};
	json_t *value = json_pack("{s:s, s:s}", "name", name, "result", results[finding->result]);
	int bad = 0;

	if (finding->signer)
		bad |= json_object_set_new(value, "signer", json_string(finding->signer));
	if (finding->result != CHECK_PASSED)
		bad |= json_object_set_new(value, "detail", json_text(finding->err.text));
	if (bad == 0)
		return value;
	json_decref(value);
	return NULL;
}

int check_print_file_json(const struct verity_job *job, const struct check_finding *findings,
			  bool first, struct assay_error *err)
{
	struct bytes path = BYTES((const uint8_t *)job->path, strlen(job->path));
	json_t *each = json_array();
	json_t *value = json_pack("{s:o, s:b}", "path", json_escaped(path), "ok",
				  (int)check_findings_good(findings));
	char digest[ASSAY_DIGEST_TEXT_MAX];
	int bad = 0;

	if (job->result == 0) {
		bad |= json_object_set_new(value, "size", json_integer((json_int_t)job->size));
		bad |= json_object_set_new(value, "digest",
					   json_string(assay_digest_text(&job->digest, digest)));
	}
	for (size_t i = 0; i < CHECK_COUNT; i++)
		bad |= json_array_append_new(each, finding_json(checks[i].name, &findings[i]));
	bad |= json_object_set_new(value, "checks", each);
	if (bad != 0) {
		json_decref(value);
		return assay_fail(err, ENOMEM, "cannot print a file's result: out of memory");
	}
	fputs(first ? "\n" : ",\n", stdout);
	json_dumpf(value, stdout, 0);
	json_decref(value);
	return 0;
}

void check_print_file(const struct check_options *options, const struct verity_job *job,
		      const struct check_finding *findings)
{
	char path[512], digest[ASSAY_DIGEST_TEXT_MAX];
	const char *comma = "";

	text_escape(BYTES((const uint8_t *)job->path, strlen(job->path)), path, sizeof(path));
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		struct assay_error told;

		if (findings[i].result != CHECK_FAILED)
			continue;
		/* The sentence of a file that cannot be read has its name. */
		if (i == CHECK_DIGEST && job->result < 0)
			told = findings[i].err;
		else
			assay_fail(&told, findings[i].err.code, "%s: %s", path,
				   findings[i].err.text);
		command_failed(&command_check, &told);
	}
	if (!check_findings_good(findings) || options->quiet || options->json)
		return;
	printf("good %s %s: ", assay_digest_text(&job->digest, digest), path);
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		if (findings[i].result != CHECK_PASSED)
			continue;
		printf("%s%s%s%s", comma, checks[i].words, findings[i].signer ? " by " : "",
		       findings[i].signer ? findings[i].signer : "");
		comma = ", ";
	}
	putchar('\n');
}

void check_print_manifest_json(const struct manifest_header *header,
			       const struct check_finding *finding)
{
	json_t *check = finding_json("manifest", finding);
	json_t *manifest =
		json_pack("{s:s, s:s, s:s?}", "id", header->id, "created", header->created,
			  "product", header->product[0] ? header->product : NULL);

	fputs(", \"manifests\": [", stdout);
	json_dumpf(manifest, stdout, 0);
	fputs("], \"manifest_check\": ", stdout);
	json_dumpf(check, stdout, 0);
	json_decref(manifest);
	json_decref(check);
}
