// SPDX-License-Identifier: MIT
#include "refs.h"

#include <errno.h>
#include <string.h>

static const char *const kind_names[REF_KINDS] = {
	[REF_POLICY] = "policy",
	[REF_MANIFEST] = "manifest",
	[REF_CERTIFICATE] = "certificate",
};

const char *ref_kind_name(enum ref_kind kind)
{
	return kind_names[kind];
}

bool ref_kind_by_name(const char *name, enum ref_kind *ret)
{
	for (int i = 0; i < REF_KINDS; i++)
		if (strcmp(kind_names[i], name) == 0) {
			*ret = (enum ref_kind)i;
			return true;
		}
	return false;
}

bool ref_name_valid(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= REF_NAME_MAX && name[0] != '/' && name[length - 1] != '/' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./") ==
		       length &&
	       !strstr(name, "//");
}

void ref_free(struct ref *ref)
{
	buffer_free(&ref->content);
	buffer_free(&ref->signature);
	*ref = (struct ref){ 0 };
}

/* ---------------------------------------------------------------- generations */

int refs_generation(struct store *store, uint64_t *ret, struct assay_error *err)
{
	static const struct store_statement get = {
		"", "SELECT value FROM meta WHERE name = 'references'", NULL
	};

	*ret = 0;
	return store_run(store, &get, NULL, 1, store_take_number, ret, err);
}

int refs_touch(struct store *store, struct assay_error *err)
{
	static const struct store_statement touch = {
		"", "UPDATE meta SET value = value + 1 WHERE name = 'references'", NULL
	};

	return store_run(store, &touch, NULL, 1, NULL, NULL, err);
}

/* ---------------------------------------------------------------- versions */

int refs_add(struct store *store, enum ref_kind kind, const char *name, struct bytes content,
	     struct bytes signature, const char *who, uint64_t now, uint64_t *ret_version,
	     struct assay_error *err)
{
	static const struct store_statement add = {
		"ttntbb",
		"INSERT INTO reference (kind, name, version, at, who, content, signature, "
		"generation) SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, (SELECT "
		"value FROM meta WHERE name = 'references') FROM reference WHERE kind = $1 AND "
		"name = $2 RETURNING version",
		NULL,
	};
	const struct store_value values[] = {
		store_text(ref_kind_name(kind)),
		store_text(name),
		store_number(now),
		store_text(who),
		store_blob(content),
		signature.size > 0 ? store_blob(signature) :
				     (struct store_value){ .type = STORE_NULL },
	};
	int r = refs_touch(store, err); /* first: whoever adds or assigns has a generation alone */

	return r < 0 ? r : store_run(store, &add, values, 1, store_take_number, ret_version, err);
}

static int take_ref(void *context, size_t set, const struct store_value *columns, size_t count,
		    struct assay_error *err)
{
	struct ref *ref = context;

	(void)set;
	(void)count;
	ref->version = store_get_number(&columns[0]);
	buffer_append_bytes(&ref->content, columns[1].bytes);
	buffer_append_bytes(&ref->signature, columns[2].bytes);
	return ref->content.failed || ref->signature.failed ?
		       assay_fail(err, ENOMEM, "out of memory") :
		       0;
}

int refs_get(struct store *store, enum ref_kind kind, const char *name, uint64_t version,
	     uint64_t generation, struct ref *ret, struct assay_error *err)
{
	static const struct store_statement get = {
		"ttnn",
		"SELECT version, content, signature FROM reference WHERE kind = $1 AND name = $2 "
		"AND ($3 = 0 OR version = $3) AND generation <= $4 ORDER BY version DESC LIMIT 1",
		NULL,
	};
	const struct store_value values[] = { store_text(ref_kind_name(kind)), store_text(name),
					      store_number(version), store_number(generation) };
	int r;

	*ret = (struct ref){ 0 };
	r = store_run(store, &get, values, 1, take_ref, ret, err);
	if (r == 0 && ret->version == 0)
		r = assay_fail(err, ENOENT, "there is no %s %s%s", ref_kind_name(kind), name,
			       version ? " of that version" : "");
	if (r < 0)
		ref_free(ret);
	return r;
}

/* ---------------------------------------------------------------- assignments */

struct assignments {
	struct ref_assignment *list;
	size_t count;
};

static int take_assignment(void *context, size_t set, const struct store_value *columns,
			   size_t count, struct assay_error *err)
{
	struct assignments *assignments = context;
	struct ref_assignment *to = &assignments->list[assignments->count];
	const char *label = store_get_text(&columns[0]), *policy = store_get_text(&columns[1]);

	(void)set;
	(void)count;
	if (assignments->count == REF_ASSIGNMENTS_MAX || strlen(label) >= sizeof(to->label) ||
	    strlen(policy) >= sizeof(to->policy))
		return assay_fail(err, EIO,
				  "an assignment in the database is too long, or there "
				  "are too many");
	memcpy(to->label, label, strlen(label) + 1);
	memcpy(to->policy, policy, strlen(policy) + 1);
	to->version = store_get_number(&columns[2]);
	to->generation = store_get_number(&columns[3]);
	assignments->count++;
	return 0;
}

int refs_assignments(struct store *store, struct ref_assignment *ret, size_t *ret_count,
		     struct assay_error *err)
{
	static const struct store_statement get = {
		"", "SELECT label, policy, version, generation FROM assignment ORDER BY label", NULL
	};
	struct assignments assignments = { ret, 0 };
	int r = store_run(store, &get, NULL, 1, take_assignment, &assignments, err);

	*ret_count = assignments.count;
	return r;
}

int refs_assign(struct store *store, struct ref_assignment *assignment, const char *who,
		uint64_t now, struct assay_error *err)
{
	static const struct store_statement assign = {
		"ttnntn",
		"INSERT INTO assignment (label, policy, version, at, who, generation) VALUES ($1, "
		"$2, $3, $4, $5, $6) ON CONFLICT (label) DO UPDATE SET policy = excluded.policy, "
		"version = excluded.version, at = excluded.at, who = excluded.who, generation = "
		"excluded.generation",
		NULL,
	};
	int r = refs_touch(store, err);

	if (r == 0 && assignment->generation == 0)
		r = refs_generation(store, &assignment->generation, err);
	if (r < 0)
		return r;
	const struct store_value values[] = { store_text(assignment->label),
					      store_text(assignment->policy),
					      store_number(assignment->version),
					      store_number(now),
					      store_text(who),
					      store_number(assignment->generation) };

	return store_run(store, &assign, values, 1, NULL, NULL, err);
}
