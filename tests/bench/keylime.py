#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a verdict of Keylime costs, on the same evidence.

keylime.py KEYLIME ONE SECONDS: KEYLIME has Keylime's source, ONE what fleet-load --one has written. In
this process alone, without HTTP and without a database, Keylime's Tpm.check_quote() judges it again
and again for so long: the quote, its nonce and its PCRs, and IMA's list entry by entry by a runtime
policy that has all files. The last line has the microseconds of each: whole, and going on from the
state of the verdict before with an entry more. assay's own log is none that Keylime knows.
"""
import base64
import contextlib
import copy
import io
import json
import logging
import struct
import sys
import time

sys.path.insert(0, sys.argv[1])
with contextlib.redirect_stdout(sys.stderr):  # it says there that it has no configuration
    from keylime.agentstates import AgentAttestState
    from keylime.common.algorithms import Hash
    from keylime.ima import ima
    from keylime.mba import mba
    from keylime.tpm.tpm_main import Tpm
mba.load_imports(skip_custom_policies=True)
logging.disable(logging.CRITICAL)

ONE, SECONDS = sys.argv[2], float(sys.argv[3])


def read(name):
    with open(f"{ONE}/{name}", "rb") as file:
        return file.read()


def pcr_blob(pcrs):
    """As tpm2-tools hands PCRs over: structures as they stand in memory."""
    select = bytearray(3)
    for number in pcrs:
        select[number // 8] |= 1 << number % 8
    blob = struct.pack("<I", 1) + struct.pack("<HB3s2x", 0x0b, 3, bytes(select)) + bytes(15 * 8)
    blob += struct.pack("<II", 1, len(pcrs))
    for number in sorted(pcrs):
        blob += struct.pack("<H64s", 32, pcrs[number])
    return blob + bytes((8 - len(pcrs)) * 66)


def fields(data):
    at = io.BytesIO(data)
    while head := at.read(36):
        pcr, digest, length = struct.unpack("<I", head[:4])[0], head[4:], struct.unpack("<I", at.read(4))[0]
        name = at.read(length).decode()
        yield pcr, digest, name, at.read(struct.unpack("<I", at.read(4))[0])


def ascii_list(data):
    """The list as securityfs's ascii_runtime_measurements has it; and the digest of each file."""
    lines, digests = [], {}
    for pcr, digest, name, template in fields(data):
        size = struct.unpack_from("<I", template)[0]
        algorithm, value = template[4:4 + size].split(b"\0", 1)
        path = template[8 + size:-1].decode()
        lines.append(f"{pcr} {digest.hex()} {name} {algorithm.decode()}{value.hex()} {path}")
        digests[path] = [value.hex()]
    return lines, digests


def understand(name):
    evidence = json.loads(read(name))
    quote = evidence["quote"]
    blobs = (base64.b64decode(quote["attest"]), base64.b64decode(quote["signature"]),
             pcr_blob({int(n): bytes.fromhex(v) for n, v in evidence["pcrs"]["sha256"].items()}))
    lines, digests = ascii_list(base64.b64decode(evidence["logs"]["ima"]["data"]))
    return "r" + ":".join(base64.b64encode(blob).decode() for blob in blobs), lines, digests


KEY, NONCE = base64.b64encode(read("ak.pub")).decode(), read("nonce").decode()
first, first_lines, first_digests = understand("first.json")
after, after_lines, after_digests = understand("next.json")
policy = copy.deepcopy(ima.EMPTY_RUNTIME_POLICY)
policy["digests"] = first_digests | after_digests
policy["ima"]["log_hash_alg"] = "sha256"


def judge(quote, lines, state):
    return Tpm().check_quote(state, NONCE, None, quote, KEY, {}, "\n".join(lines) + "\n", policy, Hash.SHA256)


def must(failure):
    if failure:
        sys.exit(f"keylime: it is not taken: {[event.event_id for event in failure.events]}")


def begin():
    return AgentAttestState("one")


state = begin()
must(judge(first, first_lines, state))
must(judge(after, after_lines, copy.deepcopy(state)))
# What is not so must not be taken: a file that the policy does not have, and a nonce.
bad = copy.deepcopy(policy["digests"])
policy["digests"].pop(next(iter(first_digests)))
if not judge(first, first_lines, begin()):
    sys.exit("keylime: it takes a file that nobody knows")
policy["digests"] = bad
if not Tpm().check_quote(begin(), "another", None, first, KEY, {}, "", policy, Hash.SHA256):
    sys.exit("keylime: it takes another nonce")


def measure(quote, lines, make):
    """Microseconds of this process at the median; the state is made outside of what counts."""
    times, until = [], time.monotonic() + SECONDS
    while time.monotonic() < until or len(times) < 10:
        of = make()
        began = time.process_time()
        failure = judge(quote, lines, of)
        times.append(time.process_time() - began)
        must(failure)
    return round(sorted(times)[len(times) // 2] * 1e6, 1)


print(json.dumps({"entries": len(first_lines), "whole_us": measure(first, first_lines, begin),
                  "next_us": measure(after, after_lines, lambda: copy.deepcopy(state))}))
