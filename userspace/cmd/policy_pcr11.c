// SPDX-License-Identifier: MIT
/* `assay policy pcr11`: the values of PCR 11 of unified kernel images, as a policy. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cmd.h"
#include "firmware/uki.h"
#include "policy.h"

/* As many as there are names of hashes. */
#define MAX_BANKS 4
#define IMAGE_MAX UINT32_MAX

/**
 * struct pcr11_options - what was asked for
 * @base: a policy to add the values to; NULL: a new one
 * @phases: each a word or several with colons; none: UKI_PHASES
 * @banks: none: SHA-256
 */
struct pcr11_options {
	const char *base;
	struct option_texts phases;
	enum assay_hash banks[MAX_BANKS];
	uint32_t profile;
	bool show, json;
};

/**
 * struct pcr11_run - what is made of it
 * @policy: that the values go to
 * @images: of --show with --json, else NULL
 */
struct pcr11_run {
	const struct pcr11_options *options;
	json_t *policy, *images;
};

static int add_bank(void *place, const char *value, struct assay_error *err)
{
	enum assay_hash *banks = place, hash = assay_hash_by_name(value);
	size_t count = 0;

	if (hash == ASSAY_HASH_NONE)
		return assay_fail(err, EINVAL, "must be sha1, sha256, sha384 or sha512");
	for (; count < MAX_BANKS && banks[count] != ASSAY_HASH_NONE; count++)
		if (banks[count] == hash)
			return assay_fail(err, EINVAL, "names %s twice", value);
	banks[count] = hash;
	return 0;
}

/* An empty one, too: before the first phase. */
static int add_phase(void *place, const char *value, struct assay_error *err)
{
	struct assay_digest unused = { .hash = ASSAY_HASH_SHA256, .size = 32 };
	struct option_texts *phases = place;
	const char **list;
	int r = uki_pcr_phases(value, &unused, err);

	uint32_t words;

	if (r < 0)
		return r;
	if (!uki_words_parse(value, &words))
		fprintf(stderr,
			"assay policy pcr11: note: %s is not made of systemd's own words "
			"(enter-initrd, leave-initrd, sysinit, ready, shutdown, final, in this "
			"order)\n",
			value);
	list = realloc(phases->list, (phases->count + 1) * sizeof(*list));
	if (!list)
		return assay_fail(err, ENOMEM, "out of memory");
	phases->list = list;
	phases->list[phases->count++] = value;
	return 0;
}

/* The member of an object, made where it is not there; NULL where it is something else. */
static json_t *member(json_t *object, const char *name, bool array)
{
	json_t *value = json_object_get(object, name);

	if (!value && json_object_set_new(object, name, array ? json_array() : json_object()) == 0)
		value = json_object_get(object, name);
	return (array ? json_is_array(value) : json_is_object(value)) ? value : NULL;
}

/* To "pcrs": {"values": {"sha256:11": [...]}}, once. */
static int add_value(json_t *policy, const struct assay_digest *value, struct assay_error *err)
{
	char name[16], hex[2 * ASSAY_DIGEST_MAX + 1];
	json_t *pcrs = member(policy, "pcrs", false);
	json_t *values = pcrs ? member(pcrs, "values", false) : NULL;
	json_t *list, *known;
	size_t i;

	snprintf(name, sizeof(name), "%s:%d", assay_hash_name(value->hash), UKI_PCR);
	list = values ? member(values, name, true) : NULL;
	if (!list)
		return assay_fail(err, EINVAL,
				  "the policy's \"pcrs\" are not of the form that "
				  "assay-policy(5) has, or there is no memory");
	hex_encode(BYTES(value->bytes, value->size), hex);
	json_array_foreach(list, i, known)
		if (json_is_string(known) && strcmp(json_string_value(known), hex) == 0)
			return 0;
	return json_array_append_new(list, json_string(hex)) == 0 ?
		       0 :
		       assay_fail(err, ENOMEM, "out of memory");
}

/* --show: what the values of a bank are of. */
static int show_value(const struct assay_digest *value, const char *phases, json_t *values,
		      struct assay_error *err)
{
	char text[ASSAY_DIGEST_TEXT_MAX];

	assay_digest_text(value, text);
	if (!values) {
		printf("  %s  %s\n", text, *phases ? phases : "(none yet)");
		return 0;
	}
	return json_array_append_new(
		       values, json_pack("{s:s, s:s}", "phase", phases, "digest", text)) == 0 ?
		       0 :
		       assay_fail(err, ENOMEM, "out of memory");
}

/* Each beginning of the phases, where all are shown; else those that were asked for. */
static int show_phases(const struct assay_digest *start, json_t *values, struct assay_error *err)
{
	char phases[] = UKI_PHASES;
	size_t size = 0, whole = strlen(phases);
	int r = show_value(start, "", values, err);

	while (r == 0 && size < whole) {
		struct assay_digest value = *start;

		size += strcspn(UKI_PHASES + size + (size > 0), ":") + (size > 0);
		phases[size] = '\0';
		r = uki_pcr_phases(phases, &value, err);
		if (r == 0)
			r = show_value(&value, phases, values, err);
		phases[size] = UKI_PHASES[size];
	}
	return r;
}

static int take_phases(const struct pcr11_run *run, const struct assay_digest *start,
		       json_t *values, struct assay_error *err)
{
	const struct option_texts *wanted = &run->options->phases;
	static const char *const ready[] = { UKI_PHASES };
	const char *const *list = wanted->count > 0 ? wanted->list : ready;
	size_t count = wanted->count > 0 ? wanted->count : 1;
	int r = 0;

	if (run->options->show && wanted->count == 0)
		return show_phases(start, values, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct assay_digest value = *start;

		r = uki_pcr_phases(list[i], &value, err);
		if (r == 0)
			r = run->options->show ? show_value(&value, list[i], values, err) :
						 add_value(run->policy, &value, err);
	}
	return r;
}

static json_t *sections_to_json(const struct uki *uki)
{
	json_t *names = json_array();

	for (size_t i = 0; i < UKI_SECTIONS; i++)
		if (uki->sections[i])
			json_array_append_new(names, json_string(uki_section_name(i)));
	return names;
}

static void show_sections(const char *path, const struct uki *uki)
{
	printf("%s: ", path);
	if (uki->stub_version > 0)
		printf("systemd-stub %u", uki->stub_version);
	else
		printf("a stub that does not tell its version");
	if (uki->profile_count > 0)
		printf(", profile %u of %u", uki->profile, uki->profile_count);
	putchar('\n');
	for (size_t i = 0; i < UKI_SECTIONS; i++)
		if (uki->sections[i])
			printf("  %-9s %u bytes\n", uki_section_name(i),
			       uki->sections[i]->virtual_size);
}

static int take_banks(const struct pcr11_run *run, const struct uki *uki, json_t *values,
		      struct assay_error *err)
{
	static const enum assay_hash usual[MAX_BANKS] = { ASSAY_HASH_SHA256 };
	const enum assay_hash *banks = run->options->banks[0] ? run->options->banks : usual;
	int r = 0;

	for (size_t i = 0; r == 0 && i < MAX_BANKS && banks[i] != ASSAY_HASH_NONE; i++) {
		struct assay_digest start;

		r = uki_pcr(uki, banks[i], &start, err);
		if (r == 0)
			r = take_phases(run, &start, values, err);
	}
	return r;
}

static int take_image(const struct pcr11_run *run, const char *path, struct bytes file,
		      struct assay_error *err)
{
	CLEANUP(json_decref_pointer) json_t *values = run->images ? json_array() : NULL;
	struct pe_image image;
	struct uki uki = { 0 };
	int r = pe_parse(file, &image, err);

	if (r == 0)
		r = uki_open(&image, run->options->profile, &uki, err);
	if (r < 0)
		return r;
	if (run->options->show && !run->images)
		show_sections(path, &uki);
	r = take_banks(run, &uki, values, err);
	if (r == 0 && run->images &&
	    json_array_append_new(run->images,
				  json_pack("{s:o, s:i, s:i, s:i, s:o, s:O}", "path",
					    command_text_json(path), "stub_version",
					    (int)uki.stub_version, "profile", (int)uki.profile,
					    "profile_count", (int)uki.profile_count, "sections",
					    sections_to_json(&uki), "values", values)) < 0)
		r = assay_fail(err, ENOMEM, "out of memory");
	return r;
}

static int take_file(const struct pcr11_run *run, const char *path, struct assay_error *err)
{
	struct file_view file = { 0 };
	int r = file_map(path, IMAGE_MAX, &file, err);

	if (r < 0)
		return r;
	r = take_image(run, path, file.bytes, err);
	if (r < 0)
		assay_fail_context(err, "%s", path);
	file_unmap(&file);
	return r;
}

static int print_images(const struct pcr11_run *run)
{
	if (!run->images)
		return command_flush(&command_policy_pcr11);
	return command_emit_json(&command_policy_pcr11,
				 json_pack("{s:i, s:O}", "pcr", UKI_PCR, "images", run->images));
}

static int run_pcr11(int argc, char **argv)
{
	struct pcr11_options options = { 0 };
	struct pcr11_run run = { .options = &options };
	struct assay_error err = { 0 };
	struct operands operands;
	int r, status = command_parse(&command_policy_pcr11, argc, argv, &options, &operands);

	if (status != COMMAND_GO)
		return status;
	r = options.show ? 0 : policy_base(options.base, &run.policy, &err);
	if (r == 0 && options.json && options.show && !(run.images = json_array()))
		r = assay_fail(&err, ENOMEM, "out of memory");
	for (char **path = operands.list; r == 0 && *path; path++)
		r = take_file(&run, *path, &err);
	option_texts_free(&options.phases);
	if (r < 0)
		status = command_failed(&command_policy_pcr11, &err);
	else if (options.show)
		status = print_images(&run);
	else
		status = policy_print(&command_policy_pcr11, json_incref(run.policy));
	json_decref(run.policy);
	json_decref(run.images);
	return status;
}

static const struct option_row pcr11_rows[] = {
	{ "phase", 0, "WORDS",
	  "the phase in which the machine is quoted, with those before it and colons between "
	  "them; empty for what the stub measures alone; repeatable, each is accepted "
	  "(" UKI_PHASES ")",
	  OPTION_FUNCTION(struct pcr11_options, phases, add_phase), .repeatable = true },
	{ "bank", 'b', "sha1|sha256|sha384|sha512",
	  "PCR bank of the values; may be repeated (sha256)",
	  OPTION_FUNCTION(struct pcr11_options, banks, add_bank), .repeatable = true },
	{ "profile", 0, "N", "the profile of the image that is started (0)",
	  OPTION_NUMBER(struct pcr11_options, profile, 0, UKI_MAX_PROFILES - 1) },
	{ "policy", 'p', "FILE", "add them to this policy instead of a new one",
	  OPTION_INPUT(struct pcr11_options, base), .excludes = "show" },
	{ "show", 0, NULL,
	  "instead of a policy, show what is measured and the values, without --phase in all "
	  "phases",
	  OPTION_FLAG(struct pcr11_options, show) },
	{ "json", 0, NULL, "with --show: print one JSON object, also where the call fails",
	  OPTION_FLAG(struct pcr11_options, json) },
	OPTION_END,
};

const struct command command_policy_pcr11 = {
	.name = "policy pcr11",
	.summary = "make a policy of the PCR 11 of unified kernel images",
	.intro = "Prints a policy with the values that PCR 11 has once systemd-stub has started\n"
		 "one of the images, and systemd has come to a phase of the boot. No machine need\n"
		 "have booted them.\n",
	.options = pcr11_rows,
	.operands = "UKI...",
	.operands_min = 1,
	.operands_max = SIZE_MAX,
	.operands_read = true,
	.epilogue = "Exit status: 0 done, 1 a file is no such image, or has no one value, 2 wrong\n"
		    "usage.\n",
	.run = run_pcr11,
};
