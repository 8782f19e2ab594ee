#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A signed report as systemd's (version 262), made by the TPM of $TPM2TOOLS_TCTI, for tests.

systemd-reporter.py SAMPLE NONCE OUT [OPTION]...: the report has NONCE as its metric, and SAMPLE's event
log; the attestation key, on P-256 and without a password, is at 0x81010002. It quotes and certifies the
NV index 0x1500016 in an audit session, by commands of its own (TPM 2.0 Library, Part 3), since
tpm2-tools send others in between.

Options: reads, another command behind the quote; extends, PCR 15 by the session, behind the quote;
resets, PCR 16 by others behind the quote, and then the session begins anew; quotes, the quote of another
session in the place of the session's; unsigned, the report alone; later, the log ends with a record of
systemd's that PCR 15 was extended by SHA-256 of "later"; hides, its records of the firmware do not say so.
"""
import hashlib
import hmac
import json
import struct
import subprocess
import sys

SAMPLE, NONCE, OUT = sys.argv[1:4]
OPTIONS = sys.argv[4:]
AK, INDEX, PCRS = 0x81010002, 0x1500016, (0, 1, 2, 3, 4, 5, 7, 9, 11, 12, 13, 14, 15)
RH_NULL, RS_PW, RH_ENDORSEMENT = 0x40000007, 0x40000009, 0x4000000B
START, FLUSH, QUOTE, NV_CERTIFY, AUDIT_DIGEST, EXTEND, PCR_READ, READ_PUBLIC, NV_READ_PUBLIC = (
    0x176, 0x165, 0x158, 0x184, 0x14D, 0x182, 0x17E, 0x173, 0x169)
RETRY, NULL, SHA256 = 0x922, 0x10, 0x0B
AUDIT, AUDIT_RESET = 0x81, 0x85  # continueSession, audit; and auditReset


def sized(data):
    return struct.pack(">H", len(data)) + data


def take(data):
    size = struct.unpack_from(">H", data)[0]
    return data[2:2 + size], data[2 + size:]


def send(tag, code, rest):
    command = struct.pack(">HII", tag, 10 + len(rest), code) + rest
    result = RETRY
    while result == RETRY:
        answer = subprocess.run(["tpm2_send"], input=command, stdout=subprocess.PIPE, check=True).stdout
        result = struct.unpack_from(">I", answer, 6)[0]
    assert result == 0, f"the command {code:#x} fails: {result:#x}"
    return answer[10:]


class Session:
    """An HMAC session that audits: neither salted nor bound, so that its HMAC is by no key."""

    def __init__(self):
        self.mine = bytes(range(16))
        answer = send(0x8001, START, struct.pack(">II", RH_NULL, RH_NULL) + sized(self.mine) + sized(b"") +
                      struct.pack(">BHH", 0, NULL, SHA256))
        self.handle = struct.unpack_from(">I", answer)[0]
        self.other = take(answer[4:])[0]

    def run(self, code, handles, names, parameters, attributes=AUDIT):
        digest = hashlib.sha256(struct.pack(">I", code) + b"".join(names) + parameters).digest()
        mac = hmac.new(b"", digest + self.mine + self.other + bytes([attributes]), hashlib.sha256).digest()
        passwords = min(len(handles), 2) if code != EXTEND else 1
        area = passwords * struct.pack(">IHBH", RS_PW, 0, 0, 0)
        area += struct.pack(">I", self.handle) + sized(self.mine) + bytes([attributes]) + sized(mac)
        answer = send(0x8002, code, struct.pack(f">{len(handles)}I", *handles) +
                      struct.pack(">I", len(area)) + area + parameters)
        size = struct.unpack_from(">I", answer)[0]
        rest = answer[4 + size:]
        for _ in range(passwords):
            rest = take(take(rest)[1][1:])[1]
        self.other = take(rest)[0]
        return answer[4:4 + size]

    def end(self):
        send(0x8001, FLUSH, struct.pack(">I", self.handle))


def selection():
    bits = sum(1 << pcr for pcr in PCRS)
    return struct.pack(">IHB", 1, SHA256, 3) + bits.to_bytes(3, "little")


def attested(answer):
    attest, signature = take(answer)
    return attest, signature


def json_signature(signature):
    r, rest = take(signature[4:])
    return {"sigAlg": "ECDSA", "signature": {"hash": "SHA256", "signatureR": r.hex(), "signatureS": take(rest)[0].hex()}}


def json_attest(attest, kind, read):
    signer, rest = take(attest[6:])
    extra, rest = take(rest)
    clock, resets, restarts, safe, firmware = struct.unpack_from(">QIIBQ", rest)
    return {"magic": "VALUE", "type": kind, "qualifiedSigner": signer.hex(), "extraData": extra.hex(),
            "clockInfo": {"clock": clock, "resetCount": resets, "restartCount": restarts, "safe": "YES" if safe else "NO"},
            "firmwareVersion": [firmware & 0xffffffff, firmware >> 32], "attested": read(rest[25:])}


def read_quote(info):
    return {"pcrSelect": [{"hash": "SHA256", "pcrSelect": list(PCRS)}], "pcrDigest": take(info[10:])[0].hex()}


def read_index(info):
    name, rest = take(info)
    return {"indexName": name.hex(), "offset": struct.unpack_from(">H", rest)[0], "nvContents": take(rest[2:])[0].hex()}


def read_audit(info):
    return {"exclusiveSession": "YES" if info[0] else "NO", "sessionDigest": take(info[1:])[0].hex()}


def component(kind, name, pair, read):
    return {"type": kind, "attestInfo": {"attest": json_attest(pair[0], name, read)}, "signature": json_signature(pair[1])}


def json_key(area):
    attributes = struct.unpack_from(">I", area, 4)[0]
    policy, rest = take(area[8:])
    assert rest[:10] == struct.pack(">HHHHH", NULL, 0x18, SHA256, 3, NULL), "the key is another one"
    x, rest = take(rest[10:])
    return {"type": "ECC", "nameAlg": "SHA256", "objectAttributes": attributes, "authPolicy": policy.hex(),
            "parameters": {"symmetric": {"algorithm": "NULL"}, "scheme": {"scheme": "ECDSA", "details": {"hashAlg": "SHA256"}},
                           "curveID": "NIST_P256", "kdf": {"scheme": "NULL"}},
            "unique": {"x": x.hex(), "y": take(rest)[0].hex()}}


def quote(session, key):
    return attested(session.run(QUOTE, (AK,), (key,), sized(b"") + struct.pack(">H", NULL) + selection()))


def main():
    area = take(send(0x8001, READ_PUBLIC, struct.pack(">I", AK)))[0]
    key = struct.pack(">H", SHA256) + hashlib.sha256(area).digest()
    public = take(send(0x8001, NV_READ_PUBLIC, struct.pack(">I", INDEX)))[0]
    index = struct.pack(">H", SHA256) + hashlib.sha256(public).digest()
    size = struct.unpack(">H", public[-2:])[0]
    report = b"\x1e" + json.dumps({
        "mediaType": "application/vnd.io.systemd.report", "timestamp": "Mon 2026-11-30 12:00:00 UTC", "metrics": [
            {"name": "io.systemd.Files.assay_nonce", "object": "/run/systemd/report.files/assay_nonce",
             "value": NONCE + "\n"}]}, separators=(",", ":")).encode() + b"\n"
    digest = hashlib.sha256(report).digest()
    before = None
    if "quotes" in OPTIONS:
        other = Session()
        before = quote(other, key)
        other.end()
    session = Session()
    pair = quote(session, key)
    components = [component("pcr", "ATTEST_QUOTE", before or pair, read_quote)]
    if "reads" in OPTIONS:
        send(0x8001, PCR_READ, selection())
    if "extends" in OPTIONS:
        session.run(EXTEND, (15,), (struct.pack(">I", 15),), struct.pack(">IH", 1, SHA256) + digest)
    if "resets" in OPTIONS:
        subprocess.run(["tpm2_pcrextend", "16:sha256=" + digest.hex()], check=True)
    pair = attested(session.run(NV_CERTIFY, (AK, INDEX, INDEX), (key, index, index), sized(b"") + struct.pack(">HHH", NULL, size, 0),
                                AUDIT_RESET if "resets" in OPTIONS else AUDIT))
    components.append(component("nvpcr", "ATTEST_NV", pair, read_index) | {"nvpcrName": "test"})
    pair = attested(send(0x8002, AUDIT_DIGEST, struct.pack(">IIII", RH_ENDORSEMENT, AK, session.handle, 18) +
                         2 * struct.pack(">IHBH", RS_PW, 0, 0, 0) + sized(struct.pack(">H", SHA256) + digest) +
                         struct.pack(">H", NULL))[4:-10])
    components.append(component("session-audit", "ATTEST_SESSION_AUDIT", pair, read_audit))
    session.end()
    with open(SAMPLE, "rb") as file:
        log = json.loads(file.read().split(b"\x1e")[2])["data"]["eventLog"]
    if "later" in OPTIONS:
        log.append({"pcr": 15, "recnum": log[-1]["recnum"] + 1, "content_type": "systemd", "content": {"string": "later"},
                    "digests": [{"hashAlg": "sha256", "digest": hashlib.sha256(b"later").hexdigest()}]})
    for record in log if "hides" in OPTIONS else ():
        if record["content_type"] == "pcclient_std":
            record |= {"content_type": "systemd", "content": {"string": "hidden"}}
    signature = {"mediaType": "application/vnd.io.systemd.report.signature", "mechanism": "tpm2", "sha256": digest.hex(),
                 "data": {"eventLog": log, "publicKey": json_key(area), "components": components}}
    with open(OUT, "wb") as file:
        file.write(report[1:] if "unsigned" in OPTIONS else report + b"\x1e" + json.dumps(signature).encode() + b"\n")


main()
