#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ima-entry.py LIST NAME DIGEST [SIGNATURE]: appends an entry to IMA's list in that file, as the
kernel writes it (security/integrity/ima/ima_template_lib.c), with the SHA-256 digest of a file's
data and its signature, which is what security.ima holds; and prints what the kernel extends PCR
10 of the SHA-256 bank with."""
import hashlib
import struct
import sys


def field(value):
    return struct.pack("<I", len(value)) + value


def main():
    path, name, digest = sys.argv[1:4]
    template = b"ima-ng"
    data = field(b"sha256:\0" + bytes.fromhex(digest)) + field(name.encode() + b"\0")
    if len(sys.argv) > 4:
        template = b"ima-sig"
        with open(sys.argv[4], "rb") as signature:
            data += field(signature.read())
    with open(path, "ab") as log:
        log.write(struct.pack("<I", 10) + hashlib.sha1(data).digest())
        log.write(field(template) + field(data))
    print(hashlib.sha256(data).hexdigest())


main()
