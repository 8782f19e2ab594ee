# SPDX-License-Identifier: MIT
# json-schema.py SCHEMA FILE...: is what commands printed of the form that the schema has, and
# does the schema give each member one meaning? One line a complaint.
import copy
import json
import re
import sys

import jsonschema

KEYS = "#/$defs/keys/properties/"
HEX_DIGEST = re.compile("^([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$")
NO_DIGEST = ("salt", "revealed_key", "mac")
complaints = 0


def complain(*words):
    global complaints
    complaints += 1
    print(*words)


def validator(schema, name):
    return jsonschema.Draft202012Validator({"$ref": "#/$defs/" + name, "$defs": schema["$defs"]})


def check_meanings(schema):
    """A member is the same in all objects: it refers to the one description of that name."""
    for name, form in schema["$defs"].items():
        if name == "keys":
            continue
        if form.get("additionalProperties") is not False:
            complain(name, "takes any other member")
        for key, value in form["properties"].items():
            if value != {"$ref": KEYS + key} and not (key == "type" and value == {"const": name}):
                complain(name, "has a meaning of its own for", key)


def bare_digests(value, key=""):
    """Digests that do not say which hash they are of."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from bare_digests(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from bare_digests(member, key)
    elif isinstance(value, str) and HEX_DIGEST.match(value) and key not in NO_DIGEST:
        yield key


def check_object(schema, where, value, name):
    form = validator(schema, name)
    for error in form.iter_errors(value):
        complain(f"{where}: {error.json_path}: {error.message[:200]}")
    for key in bare_digests(value):
        complain(f"{where}: {key} is a digest without its hash")
    # The schema can refuse, too.
    for key in schema["$defs"][name]["required"]:
        if form.is_valid({other: value[other] for other in value if other != key}):
            complain(f"{where}: it is taken without {key}")
    more = copy.deepcopy(value)
    more["a-member-more"] = 1
    if form.is_valid(more):
        complain(f"{where}: a member more is taken")


def once(pairs):
    """Of two members of one name the last would count, unseen."""
    names = [name for name, _ in pairs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        complain(f"the schema has {name} twice in one object")
    return dict(pairs)


def main():
    with open(sys.argv[1]) as file:
        schema = json.load(file, object_pairs_hook=once)
    jsonschema.Draft202012Validator.check_schema(schema)
    check_meanings(schema)
    types = {item["$ref"].removeprefix("#/$defs/") for item in schema["oneOf"]}
    seen = set()
    if sys.argv[2] == "--as":
        with open(sys.argv[4]) as file:
            check_object(schema, sys.argv[4], json.load(file), sys.argv[3])
        sys.exit(1 if complaints else 0)
    for path in sys.argv[2:]:
        with open(path) as file:
            text = file.read()
        if "log-follow" in path:
            # Objects of their own, one a line.
            for line in text.splitlines():
                value = json.loads(line)
                name = "follow-line" if "trimmed" in value else "record"
                check_object(schema, path, value, name)
                seen.add(name)
            continue
        try:
            value = json.loads(text)
        except ValueError as error:
            complain(f"{path}: no JSON: {error}")
            continue
        name = value.get("type")
        if value.get("assay") != 1 or name not in types:
            complain(f"{path}: no known type: {name}")
            continue
        seen.add(name)
        check_object(schema, path, value, name)
        if not jsonschema.Draft202012Validator(schema).is_valid(value):
            complain(f"{path}: the schema as a whole refuses it")
    for name in sorted(types - seen):
        complain(f"no command printed a {name}")
    print(f"# {len(sys.argv) - 2} outputs, {len(seen)} types")
    sys.exit(1 if complaints else 0)


main()
