# SPDX-License-Identifier: MIT
# evidence-schema.py SCHEMA EVIDENCE COMMAND...: is what the schema says what the verifier takes?
# The evidence, and much that is made of it by changing a member, goes to both; COMMAND reads it
# from standard input. Exit status 0 if they agree on all.
import copy
import json
import subprocess
import sys

import jsonschema

MISSING = object()


def members(value, path=()):
    """The path of each member of an object, and of those within."""
    if isinstance(value, dict):
        for key in value:
            yield path + (key,)
            yield from members(value[key], path + (key,))


def changed(evidence, path, value):
    result = copy.deepcopy(evidence)
    at = result
    for key in path[:-1]:
        at = at[key]
    if value is MISSING:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return result


def variants(evidence):
    yield "as it is", evidence
    for path in members(evidence):
        name = ".".join(path)
        value = evidence
        for key in path:
            value = value[key]
        yield f"without {name}", changed(evidence, path, MISSING)
        for other in (None, True, 7, -1, 1.5, "", "!", "AAAA", "AAB=", "AA==", [], {}, 1 << 63):
            yield f"{name} is {json.dumps(other)}", changed(evidence, path, other)
        if isinstance(value, dict):
            yield f"{name} with a member more", changed(evidence, path + ("more",), "AAAA")
        if isinstance(value, str):
            for cut in (value[:-1], value[1:], value + "A", value + "\n", " " + value, value.upper()):
                yield f"{name} is {json.dumps(cut)[:40]}", changed(evidence, path, cut)
    yield "with a member more", changed(evidence, ("more",), 1)
    for log, member in (("assay", "more"), ("ima", "more"), ("uefi", "more")):
        if log in evidence["logs"]:
            yield f"{log} with a member more", changed(evidence, ("logs", log, member), "AAAA")
    value = {"sha256": "11" * 32}
    assay = {"base": 100, "cel": "", "first": 1, "start": value}
    for name, log in (
        ("newer records only", assay),
        ("newer records, of no bank", assay | {"start": {}}),
        ("of the record 0", assay | {"first": 0}),
        ("of a bank that is none", assay | {"start": {"md5": "11" * 16}}),
        ("of a value too short", assay | {"start": {"sha256": "11" * 31}}),
        ("without start", {"base": 100, "cel": "", "first": 1}),
        ("start only", {"base": 100, "cel": "", "start": value}),
        ("keys", assay | {"keys": {"0": "22" * 32, "7": "33" * 32, "9" * 18: "44" * 32}}),
        ("no keys", assay | {"keys": {}}),
        ("keys that are no object", assay | {"keys": []}),
        ("a key that is no text", assay | {"keys": {"1": 1}}),
        ("a key too short", assay | {"keys": {"1": "22" * 31}}),
        ("a key too long", assay | {"keys": {"1": "22" * 33}}),
        ("a key of no record", assay | {"keys": {"": "22" * 32}}),
        ("a key of a record with a zero more", assay | {"keys": {"01": "22" * 32}}),
        ("a key of a record with a sign", assay | {"keys": {"-1": "22" * 32}}),
        ("a key of a record too far", assay | {"keys": {"1" * 19: "22" * 32}}),
    ):
        yield name, changed(evidence, ("logs", "assay"), log)
    yield "no log", changed(evidence, ("logs",), {})
    yield "a log of the firmware", changed(evidence, ("logs", "uefi"), {"data": ""})
    yield "a certificate", changed(evidence, ("ak_certificate",), "AAAA")
    pair = {"attest": "AAAA", "signature": "AAAA"}
    session = pair | {"text": "AAAA", "certified": [pair]}
    for name, value in (
        ("a session", session),
        ("a session that certified nothing", session | {"certified": []}),
        ("a session that certified much", session | {"certified": [pair] * 64}),
        ("a session that certified too much", session | {"certified": [pair] * 65}),
        ("a session that certified what is no object", session | {"certified": ["AAAA"]}),
        ("a session that certified what is half", session | {"certified": [{"attest": "AAAA"}]}),
        ("a session that certified more", session | {"certified": [pair | {"more": "AAAA"}]}),
        ("a session of a text of 1048576 bytes", session | {"text": "A" * 1398102 + "=="}),
        ("a session of a text of 1048577 bytes", session | {"text": "A" * 1398103 + "="}),
    ):
        yield name, changed(evidence, ("session",), value)
    for path in members(session):
        for other in (MISSING, None, 7, "", "!", {}):
            yield (f"session.{'.'.join(path)} is {other}",
                   changed(evidence, ("session",), changed(session, path, other)))
    for index in ("0", "9", "31", "32", "00", "01", "+1", "a", ""):
        yield f"PCR '{index}'", changed(evidence, ("pcrs", "sha256", index), "11" * 32)
    yield "another bank", changed(evidence, ("pcrs", "sha512"), {"0": "Ff" * 64})
    yield "an empty bank", changed(evidence, ("pcrs", "sha1"), {})
    yield "banks without a value", changed(evidence, ("pcrs",), {"sha1": {}, "sha256": {}})
    for member, size in (("nonce", 64), ("ak_public", 4096), ("ak_certificate", 16384)):
        for more in (0, 1, 2, 3):
            text = ("A" * ((size + more + 2) // 3 * 4 - (-(size + more)) % 3)
                    + "=" * ((-(size + more)) % 3))
            yield f"{member} of {size + more} bytes", changed(evidence, (member,), text)


def is_read(command, evidence):
    """Exit status 3 says that it cannot be read; all other checks are of no interest here."""
    run = subprocess.run(command, input=json.dumps(evidence).encode(), capture_output=True,
                         check=False)
    if run.returncode not in (0, 1, 3):
        sys.exit(f"{command[0]} ended with {run.returncode}: {run.stderr.decode()}")
    return run.returncode != 3


def load_schema(path):
    """Python's $ matches before a newline at the end, that of the schema's language does not."""
    with open(path, encoding="utf-8") as file:
        schema = json.loads(file.read().replace('$"', '\\\\Z"'))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def main():
    validator = load_schema(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        evidence = json.load(file)
    command = sys.argv[3:]
    number, failed, told = 0, 0, {True: 0, False: 0}
    for name, variant in variants(evidence):
        number += 1
        by_schema = validator.is_valid(variant)
        by_verifier = is_read(command, variant)
        told[by_verifier] += 1
        if by_schema != by_verifier:
            failed += 1
            print(f"# {name}: the schema {'takes' if by_schema else 'refuses'} it, "
                  f"the verifier {'takes' if by_verifier else 'refuses'} it")
    print(f"# {told[True]} taken, {told[False]} refused")
    sys.exit(failed > 0 or min(told.values()) < 10)


main()
