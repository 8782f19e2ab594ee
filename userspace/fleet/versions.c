// SPDX-License-Identifier: MIT
#include "versions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "firmware/content.h"
#include "log/cel.h"
#include "log/uefi.h"

/* ---------------------------------------------------------------- reading */

/* UTF-8 that can be shown, whatever the log has. */
static void take_text(struct bytes from, char to[VERSION_MAX + 1])
{
	text_escape(from, to, VERSION_MAX + 1);
	(void)text_end_whole(to);
}

/* Its first record. */
static void read_start(const struct evidence *evidence, struct versions *ret)
{
	struct assay_content content;
	struct cel_reader reader;
	struct cel_record record;

	if (!evidence->has_assay_log)
		return;
	cel_begin(&reader, buffer_bytes(&evidence->assay_cel), evidence->assay_base);
	if (cel_next(&reader, &record, NULL) != 1 ||
	    assay_content_parse(&record, &content, NULL) != 0 || content.kind != ASSAY_KIND_START ||
	    !content.understood)
		return;
	take_text(content.start.release, ret->kernel);
	take_text(content.start.version, ret->module);
}

static void read_event(struct uefi_reader *reader, const struct uefi_event *event,
		       struct versions *ret)
{
	struct firmware_content content;
	struct buffer text = { 0 };

	if (firmware_content_read(reader, event, &content, NULL) < 0 ||
	    content.kind != FIRMWARE_TEXT || content.problem)
		return;
	firmware_text(&content, &text);
	if (!text.failed)
		take_text(buffer_bytes(&text), ret->firmware);
	buffer_free(&text);
}

/* The first one of PCR 0 before its separator: nobody but the firmware says it then. */
static void read_firmware(const struct evidence *evidence, struct versions *ret)
{
	struct uefi_reader reader;
	struct uefi_event event;

	if (!evidence->has_uefi_log ||
	    uefi_open(&reader, buffer_bytes(&evidence->uefi_data), NULL) < 0)
		return;
	while (ret->firmware[0] == '\0' && uefi_next(&reader, &event, NULL) == 1)
		if (event.type == UEFI_EV_S_CRTM_VERSION && event.pcr == 0 && event.covered &&
		    !event.after_separator)
			read_event(&reader, &event, ret);
	uefi_close(&reader);
}

static bool passed(const struct assay_verdict *verdict, const char *name)
{
	struct assay_verify_check check;

	for (size_t i = 0; assay_verdict_check(verdict, i, &check) == ASSAY_VERIFY_OK; i++)
		if (strcmp(check.name, name) == 0)
			return check.result == ASSAY_VERIFY_PASS;
	return false;
}

struct versions_proven versions_proven_by(const struct assay_verdict *verdict)
{
	return (struct versions_proven){ passed(verdict, "assay-log-replay"),
					 passed(verdict, "uefi-log-replay") };
}

void versions_read(const struct evidence *evidence, struct versions *ret)
{
	*ret = (struct versions){ .known = false };
	/* Of what goes on the beginning was read before. */
	if (evidence->has_assay_log && evidence->assay_first != 0)
		return;
	read_start(evidence, ret);
	read_firmware(evidence, ret);
	ret->known = ret->kernel[0] || ret->module[0] || ret->firmware[0];
}

void versions_believe(struct versions *versions, struct versions_proven proven)
{
	if (!proven.assay_log)
		versions->kernel[0] = versions->module[0] = '\0';
	if (!proven.uefi_log)
		versions->firmware[0] = '\0';
	versions->known = versions->kernel[0] || versions->module[0] || versions->firmware[0];
}

/* ---------------------------------------------------------------- keeping */

#define UPDATED                                                                             \
	" ON CONFLICT (name) DO UPDATE SET kernel = excluded.kernel, module = excluded."    \
	"module, firmware = excluded.firmware WHERE device_version.kernel <> excluded."     \
	"kernel OR device_version.module <> excluded.module OR device_version.firmware <> " \
	"excluded.firmware"

int versions_save(struct store *store, const struct device_versions *devices, size_t count,
		  struct assay_error *err)
{
	static const struct store_many set = {
		{ "tttt",
		  "INSERT INTO device_version (name, kernel, module, firmware) VALUES ($1, $2, $3, "
		  "$4)" UPDATED,
		  NULL },
		"INSERT INTO device_version (name, kernel, module, firmware) SELECT * FROM "
		"unnest($1, $2, $3, $4)" UPDATED,
	};
	struct store_value *values = calloc(count * 4 + 1, sizeof(*values));
	int r;

	if (!values)
		return assay_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const struct versions *versions = devices[i].versions;

		values[4 * i] = store_text(devices[i].name);
		values[4 * i + 1] = store_text(versions->kernel);
		values[4 * i + 2] = store_text(versions->module);
		values[4 * i + 3] = store_text(versions->firmware);
	}
	r = count > 0 ? store_run_many(store, &set, values, count, NULL, NULL, err) : 0;
	free(values);
	return r;
}

int versions_forget(struct store *store, const char *name, struct assay_error *err)
{
	static const struct store_statement forget = { "t",
						       "DELETE FROM device_version WHERE name = $1",
						       NULL };
	const struct store_value value = store_text(name);

	return store_run(store, &forget, &value, 1, NULL, NULL, err);
}

/* ---------------------------------------------------------------- counting */

static const char *const kind_names[VERSION_KINDS] = {
	[VERSION_KERNEL] = "kernel",
	[VERSION_MODULE] = "module",
	[VERSION_FIRMWARE] = "firmware",
	[VERSION_POLICY] = "policy",
};

const char *version_kind_name(enum version_kind kind)
{
	return kind_names[kind];
}

static int count_row(void *context, size_t set, const struct store_value *columns, size_t count,
		     struct assay_error *err)
{
	json_t *row = json_pack("{s:o, s:I}", "version", json_text(store_get_text(&columns[0])),
				"count", (json_int_t)store_get_number(&columns[1]));

	(void)set;
	(void)count;
	return json_array_append_new(context, row) < 0 ? assay_fail(err, ENOMEM, "out of memory") :
							 0;
}

int versions_count(struct store *store, uint64_t limit, json_t *ret, struct assay_error *err)
{
#define OF(column)                                                                             \
	"SELECT coalesce(v." column ", '') AS version, count(*) AS devices FROM device_state " \
	"s LEFT JOIN device_version v ON v.name = s.name GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1"
	static const struct store_statement counts[VERSION_KINDS] = {
		[VERSION_KERNEL] = { "n", OF("kernel"), NULL },
		[VERSION_MODULE] = { "n", OF("module"), NULL },
		[VERSION_FIRMWARE] = { "n", OF("firmware"), NULL },
		[VERSION_POLICY] = { "n",
				     "SELECT coalesce(c.policy, '') AS version, count(*) AS "
				     "devices FROM device_state s LEFT JOIN verdict_change c ON "
				     "c.id = s.change_id GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1",
				     NULL },
	};
#undef OF
	const struct store_value value = store_number(limit);
	int r = 0;

	for (int i = 0; r == 0 && i < VERSION_KINDS; i++) {
		json_t *list = json_array();

		if (json_object_set_new(ret, kind_names[i], list) < 0)
			return assay_fail(err, ENOMEM, "out of memory");
		r = store_run(store, &counts[i], &value, 1, count_row, list, err);
	}
	return r;
}
