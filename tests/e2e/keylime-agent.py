#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A Keylime push agent, API version 3.0, for tests: it sends what rust-keylime's sends, and wants
of the answers what that one reads (keylime/src/structures, keylime/src/auth.rs,
keylime-push-model-agent/src).

keylime-agent.py URL CA NAME COMMAND [OPTION=VALUE]...: the attestation key is at the handle 0x81010002
of $TPM2TOOLS_TCTI's TPM, RSA with RSASSA and SHA-256; the logs are the files list and firmware, as
the kernel shows them in binary.

	attest		all of it, as the agent does
	session		the session only; prints the token
	negotiate	a session, and what is to be sent; prints the answer
	send FILE	the evidence in FILE, by a session of its own

Options: token=TOKEN, instead of a session; proof=NAME, which spoils the proof; save=FILE of the
evidence; other=NAME, the device whose attestation it is; pcrs=other, where PCR 0 is said to be zeros.
Prints the last status and answer.
"""
import base64
import datetime
import http.client
import json
import ssl
import struct
import subprocess
import sys
import urllib.parse

URL, CA, NAME, COMMAND = sys.argv[1:5]
OPTIONS = dict(word.split("=", 1) for word in sys.argv[5:] if "=" in word)
WORDS = [word for word in sys.argv[5:] if "=" not in word]
JSON_API = "application/vnd.api+json"
AK = 0x81010002
TPM_RC_RETRY = 0x922


class Refused(Exception):
    pass


def ask(method, path, body, token=None):
    where = urllib.parse.urlparse(urllib.parse.urljoin(URL, path))
    headers = {"Content-Type": JSON_API}
    if token:
        headers["Authorization"] = "Bearer " + token
    connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=300, context=ssl.create_default_context(cafile=CA))
    try:
        connection.request(method, where.path, json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text)
    finally:
        connection.close()


def wanted(got, *statuses):
    if got[0] not in statuses:
        raise Refused(got)
    return got


def time_of(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def sized(data):
    return struct.pack(">H", len(data)) + data


def tpm2(*words):
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)


def certify(challenge):
    """TPM2_Certify of the key by itself (Part 3, 18.2), which tpm2-tools does without a nonce."""
    session = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
    rest = struct.pack(">II", AK, AK) + struct.pack(">I", 2 * len(session)) + 2 * session + sized(challenge) + struct.pack(">H", 0x10)
    command = struct.pack(">HII", 0x8002, 10 + len(rest), 0x148) + rest
    code = TPM_RC_RETRY
    while code == TPM_RC_RETRY:
        answer = subprocess.run(["tpm2_send"], input=command, stdout=subprocess.PIPE, check=True).stdout
        code = struct.unpack_from(">I", answer, 6)[0]
    assert code == 0, f"TPM2_Certify fails: {code:#x}"
    offset = 14
    length = struct.unpack_from(">H", answer, offset)[0]
    attest = answer[offset + 2:offset + 2 + length]
    end = offset + 4 + struct.unpack_from(">I", answer, 10)[0] - 4
    return attest, answer[offset + 2 + length:end]


def spoil(attest, signature):
    how = OPTIONS.get("proof")
    if how == "flipped":
        attest = attest[:-1] + bytes([attest[-1] ^ 1])
    elif how == "signature":
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    elif how == "empty":
        attest = b""
    elif how == "quote":
        tpm2("tpm2_quote", "-c", hex(AK), "-l", "sha256:0", "-g", "sha256", "-q", attest[42:74].hex(), "-m", "spoiled.msg", "-s", "spoiled.sig", "-f", "tss")
        attest, signature = open("spoiled.msg", "rb").read(), open("spoiled.sig", "rb").read()
    return attest, signature


def session():
    got = wanted(ask("POST", "/v3.0/sessions", {"data": {"type": "session", "attributes": {
        "agent_id": NAME,
        "authentication_supported": [{"authentication_class": "pop", "authentication_type": "tpm_pop"}]}}}), 200, 201)
    data = got[2]["data"]
    assert data["type"] == "session" and isinstance(data["id"], str) and data["attributes"]["agent_id"] == NAME
    assert time_of(data["attributes"]["challenges_expire_at"]) > time_of(data["attributes"]["created_at"])
    method = data["attributes"]["authentication_requested"][0]
    assert (method["authentication_class"], method["authentication_type"]) == ("pop", "tpm_pop")
    challenge = base64.b64decode(method["chosen_parameters"]["challenge"], validate=True)
    if OPTIONS.get("proof") == "old":
        challenge = bytes(len(challenge))
    attest, signature = spoil(*certify(challenge))
    got = wanted(ask("PATCH", f"/v3.0/sessions/{data['id']}", {"data": {"type": "session", "id": data["id"], "attributes": {
        "agent_id": NAME,
        "authentication_provided": [{"authentication_class": "pop", "authentication_type": "tpm_pop", "data": {
            "message": base64.b64encode(attest).decode(), "signature": base64.b64encode(signature).decode()}}]}}}), 200)
    attributes = got[2]["data"]["attributes"]
    assert attributes["evaluation"] == "pass" and attributes["authentication"] == []
    for member in ("created_at", "challenges_expire_at", "response_received_at"):
        time_of(attributes[member])
    assert time_of(attributes["token_expires_at"]) > time_of(attributes["created_at"])
    return attributes["token"]


def capabilities():
    return {"data": {"type": "attestation", "attributes": {"evidence_supported": [
        {"evidence_class": "certification", "evidence_type": "tpm_quote", "capabilities": {
            "component_version": "2.0", "hash_algorithms": ["sha256"], "signature_schemes": ["rsassa"],
            "available_subjects": {"sha256": list(range(24))},
            "certification_keys": [{"key_class": "asymmetric", "key_algorithm": "rsa", "key_size": 2048, "server_identifier": "ak",
                                    "local_identifier": "00", "public": "", "allowable_hash_algorithms": ["sha256"],
                                    "allowable_signature_schemes": ["rsassa"]}]}},
        {"evidence_class": "log", "evidence_type": "uefi_log", "capabilities": {
            "evidence_version": "2.1", "entry_count": 20, "supports_partial_access": False, "appendable": False,
            "formats": ["application/octet-stream"]}},
        {"evidence_class": "log", "evidence_type": "ima_log", "capabilities": {
            "entry_count": 2, "supports_partial_access": True, "appendable": True, "formats": ["text/plain"]}}],
        "system_info": {"boot_time": "2026-11-30T12:00:00Z"}}}}


def negotiate(token):
    name = OPTIONS.get("other", NAME)
    got = wanted(ask("POST", f"/v3.0/agents/{name}/attestations", capabilities(), token), 201)
    assert got[2]["data"]["type"] == "attestation" and got[2]["data"]["attributes"]["stage"] == "awaiting_evidence"
    return got


def quote(parameters):
    pcrs = ",".join(str(pcr) for pcr in parameters["selected_subjects"][parameters["hash_algorithm"]])
    nonce = base64.b64decode(parameters["challenge"], validate=True).hex()
    assert (parameters["hash_algorithm"], parameters["signature_scheme"]) == ("sha256", "rsassa"), "another scheme than the key's"
    tpm2("tpm2_quote", "-c", hex(AK), "-l", "sha256:" + pcrs, "-g", "sha256", "-q", nonce, "-m", "agent.msg", "-s", "agent.sig",
         "-f", "tss", "-o", "agent.pcrs", "-F", "serialized")
    message, signature, subjects = (open("agent." + part, "rb").read() for part in ("msg", "sig", "pcrs"))
    if "pcrs" in OPTIONS:
        tpm2("tpm2_pcrread", "sha256:0", "-o", "agent.value")
        value = open("agent.value", "rb").read()
        assert value in subjects, "the value of PCR 0 is not there"
        subjects = subjects.replace(value, bytes(len(value)))
    return {name: base64.b64encode(data).decode() for name, data in
            (("subject_data", subjects), ("message", message), ("signature", signature))}


def ima_lines():
    """The list as ascii_runtime_measurements has it, of template ima-ng."""
    with open("list", "rb") as stream:
        data = stream.read()
    lines, offset = [], 0
    while offset < len(data):
        pcr, template_hash, length = struct.unpack_from("<I20sI", data, offset)
        template = data[offset + 28:offset + 28 + length].decode()
        offset += 28 + length + 4
        fields = []
        for _ in range(2):
            length = struct.unpack_from("<I", data, offset)[0]
            fields.append(data[offset + 4:offset + 4 + length])
            offset += 4 + length
        algorithm, digest = fields[0].split(b"\0", 1)
        lines.append(f"{pcr} {template_hash.hex()} {template} {algorithm.decode()}{digest.hex()} {fields[1][:-1].decode()}\n")
    return lines


def collect(answer):
    collected = []
    for item in answer["data"]["attributes"]["evidence_requested"]:
        parameters = item["chosen_parameters"]
        if item["evidence_type"] == "tpm_quote":
            data = quote(parameters)
        elif item["evidence_type"] == "ima_log":
            assert parameters["format"] == "text/plain"
            lines = ima_lines()[parameters.get("starting_offset", 0):]
            data = {"entries": "".join(lines), "entry_count": len(lines)}
        elif item["evidence_type"] == "uefi_log":
            assert parameters["format"] == "application/octet-stream"
            data = {"entries": base64.b64encode(open("firmware", "rb").read()).decode()}
        else:
            continue
        collected.append({"evidence_class": item["evidence_class"], "evidence_type": item["evidence_type"], "data": data})
    return {"data": {"type": "attestation", "attributes": {"evidence_collected": collected}}}


def send(location, evidence, token):
    got = wanted(ask("PATCH", location, evidence, token), 202)
    attributes = got[2]["data"]["attributes"]
    assert isinstance(attributes["stage"], str) and attributes["evidence"] == []
    assert got[2]["meta"]["seconds_to_next_attestation"] > 0
    return got


def main():
    token = OPTIONS.get("token") or session()
    if COMMAND == "session":
        print(token)
        return None
    if COMMAND == "send":
        name = OPTIONS.get("other", NAME)
        with open(WORDS[0], "rb") as stream:
            return send(f"/v3.0/agents/{name}/attestations/latest", json.load(stream), token)
    got = negotiate(token)
    if COMMAND == "negotiate":
        return got
    evidence = collect(got[2])
    if "save" in OPTIONS:
        with open(OPTIONS["save"], "w", encoding="utf-8") as stream:
            json.dump(evidence, stream)
    return send(got[1]["Location"], evidence, token)


try:
    last = main()
except Refused as refused:
    last = refused.args[0]
if last:
    print(last[0])
    print(json.dumps(last[2]))
