# SPDX-License-Identifier: MIT
"""keylime.py EVIDENCE: judge evidence in Keylime's form by Keylime's own rules.
keylime.py --list TEXT HASH: replay IMA's list as text, and print what PCR 10 is then.

Written from what Keylime's verifier does with a body of POST /verify/evidence (its
tpm_util.checkquote and ima.process_measurement_list), for tests: the nonce is text, the PCR
values have the quote's digest, and IMA's list replays to PCR 10. The signature is
tpm2_checkquote's to judge. Prints what it saw, and fails with the rule that broke.
"""
import base64
import hashlib
import json
import struct
import sys


def take(data, offset, size):
    assert offset + size <= len(data), "cut"
    return data[offset:offset + size], offset + size


def sized(data, offset):
    raw, offset = take(data, offset, 2)
    return take(data, offset, struct.unpack(">H", raw)[0])


def attest(data):
    """extraData, the PCR selections and pcrDigest of TPMS_ATTEST."""
    head, offset = take(data, 0, 6)
    assert head == b"\xffTCG\x80\x18", "no quote"
    _, offset = sized(data, offset)
    extra, offset = sized(data, offset)
    _, offset = take(data, offset, 8 + 4 + 4 + 1 + 8)
    raw, offset = take(data, offset, 4)
    selections = []
    for _ in range(struct.unpack(">I", raw)[0]):
        raw, offset = take(data, offset, 3)
        bank, size = struct.unpack(">HB", raw)
        bits, offset = take(data, offset, size)
        selections.append((bank, int.from_bytes(bits, "little")))
    digest, offset = sized(data, offset)
    assert offset == len(data), "bytes behind the quote"
    return extra, selections, digest


def pcr_values(blob):
    """The selection and values as tpm2_quote writes them from memory."""
    count, offset = struct.unpack_from("<I", blob, 0)[0], 4
    selections = []
    for _ in range(16):
        bank, size = struct.unpack_from("<HB", blob, offset)
        bits = int.from_bytes(blob[offset + 3:offset + 6], "little") if size else 0
        selections.append((bank, bits))
        offset += 8
    lists, offset = struct.unpack_from("<I", blob, offset)[0], offset + 4
    values = []
    for _ in range(lists):
        offset += 4
        for _ in range(8):
            size = struct.unpack_from("<H", blob, offset)[0]
            if size:
                values.append(blob[offset + 2:offset + 2 + size])
            offset += 2 + 64
    assert offset == len(blob), "bytes behind the PCR values"
    return selections[:count], values


def template_data(mode, rest):
    """What the kernel hashed, from the words of a line."""
    if mode == "ima":
        digest, path = rest.split(" ", 1)
        return bytes.fromhex(digest) + path.encode().ljust(256, b"\0")
    words = rest.split(" ", 1 if mode == "ima-ng" else 2)
    algorithm, digest = words[0].split(":")
    digest = algorithm.encode() + b":\0" + bytes.fromhex(digest)
    path = words[1].encode() + b"\0"
    fields = [digest, path]
    if mode in ("ima-sig", "ima-buf"):
        fields.append(bytes.fromhex(words[2]))
    else:
        assert mode == "ima-ng", "template " + mode
    return b"".join(struct.pack("<I", len(field)) + field for field in fields)


def replay(text, name):
    """The PCR after each entry."""
    size = hashlib.new(name).digest_size
    value = bytes(size)
    for line in text.split("\n"):
        if not line:
            continue
        pcr, template_hash, mode, rest = line.split(" ", 3) if line[0] != " " else line[1:].split(" ", 3)
        assert pcr == "10", "PCR " + pcr
        if int(template_hash, 16) == 0:
            digest = b"\xff" * size
        else:
            data = template_data(mode, rest)
            assert hashlib.sha1(data).hexdigest() == template_hash, "template hash of " + line
            digest = hashlib.new(name, data).digest()
        value = hashlib.new(name, value + digest).digest()
        yield value


def main():
    if sys.argv[1] == "--list":
        with open(sys.argv[2], encoding="utf-8", newline="\n") as stream:
            print(list(replay(stream.read(), sys.argv[3]))[-1].hex())
        return
    with open(sys.argv[1], encoding="utf-8") as stream:
        body = json.load(stream)
    assert body["type"] == "tpm"
    data = body["data"]
    assert data["quote"][0] == "r"
    quote, signature, blob = (base64.b64decode(part) for part in data["quote"][1:].split(":"))
    extra, selections, digest = attest(quote)
    assert extra.decode("utf-8") == data["nonce"], "another nonce"
    hashes = {4: "sha1", 0xb: "sha256", 0xc: "sha384", 0xd: "sha512"}
    assert hashes[struct.unpack_from(">H", signature, 2)[0]] == data["hash_alg"], "another hash"
    selected, values = pcr_values(blob)
    assert selected == selections, "another selection"
    assert [hashes[bank] for bank, _ in selected] == [data["hash_alg"]], "another bank"
    assert hashlib.new(data["hash_alg"], b"".join(values)).digest() == digest, "other PCR values"
    pcrs = [pcr for pcr in range(24) if selected[0][1] >> pcr & 1]
    seen = {"pcrs": pcrs}
    if "ima_measurement_list" in data:
        pcr_10 = dict(zip(pcrs, values))[10]
        after = list(replay(data["ima_measurement_list"], data["hash_alg"]))
        assert pcr_10 in after, "the list does not replay to PCR 10"
        seen["entries"], seen["covered"] = len(after), after.index(pcr_10) + 1
    for key in ("tpm_ak", "tpm_ek"):
        area = base64.b64decode(data[key])
        assert struct.unpack_from(">H", area)[0] == len(area) - 2, key
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
