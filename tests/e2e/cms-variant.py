#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cms-variant.py VARIANT SIGNATURE [CRL]: makes another form of a signature, CMS in DER, of the same content by the same key."""
import sys


def element(tag, inside):
    size = len(inside)
    if size < 0x80:
        return bytes([tag, size]) + inside
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + inside


def elements(data):
    found = []
    while data:
        size, head = data[1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(data[2:head], "big")
        found.append((data[0], data[head : head + size]))
        data = data[head + size :]
    return found


def join(pieces):
    """With a tag, or as they are."""
    return b"".join(inside if tag is None else element(tag, inside) for tag, inside in pieces)


variant, name = sys.argv[1:3]
with open(name, "rb") as file:
    info = elements(elements(file.read())[0][1])
signed = elements(elements(info[1][1])[0][1])
signer = elements(elements(signed[-1][1])[0][1])
signature = signer[-1][1]
if variant == "version-9":
    signed[0] = (0x02, b"\x09")
elif variant == "signer-version-3":
    signer[0] = (0x02, b"\x03")
elif variant == "in-pieces":
    signer[-1] = (0x24, element(0x04, signature[:100]) + element(0x04, signature[100:]))
elif variant == "attribute-behind":
    signer.append((0xA1, element(0x30, element(0x06, b"\x2a\x03\x04") + element(0x31, element(0x04, signature)))))
elif variant == "empty-certificates":
    signed.insert(3, (0xA0, b""))
elif variant == "empty-revocations":
    signed.insert(-1, (0xA1, b""))
elif variant == "revocations":
    with open(sys.argv[3], "rb") as file:
        signed.insert(-1, (0xA1, file.read()))
elif variant == "two-byte-length":
    signed[0] = (None, b"\x02\x82\x00\x01" + signed[0][1])
elif variant == "three-byte-length":
    signed[0] = (None, b"\x02\x83\x00\x00\x01" + signed[0][1])
elif variant == "long-tag":
    signed[0] = (None, b"\x1f\x02\x01" + signed[0][1])
elif variant == "open-attributes":
    signer[3] = (None, b"\xa0\x80" + signer[3][1] + bytes(2))
elif variant == "long-attributes":
    signer[3] = (None, b"\xa0\x82" + len(signer[3][1]).to_bytes(2, "big") + signer[3][1])
elif variant == "key-id-in-pieces":
    signer[1] = (0xA0, element(0x04, signer[1][1][:10]) + element(0x04, signer[1][1][10:]))
elif variant != "open-lengths":
    sys.exit(f"no such variant: {variant}")
signed[-1] = (0x31, element(0x30, join(signer)))
if variant == "open-lengths":
    whole = b"\x30\x80" + element(*info[0]) + b"\xa0\x80\x30\x80" + join(signed) + bytes(6)
else:
    whole = element(0x30, element(*info[0]) + element(0xA0, element(0x30, join(signed))))
with open(name, "wb") as file:
    file.write(whole)
