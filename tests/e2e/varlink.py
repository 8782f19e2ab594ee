#!/usr/bin/python3
# SPDX-License-Identifier: MIT
r"""varlink.py SOCKET METHOD [PARAMETERS]: one call of Varlink, as varlinkctl makes it; the reply as JSON.
varlink.py SOCKET --raw: standard input as it is, what comes back as it is.
varlink.py SOCKET --hold COUNT: so many connections, until standard input ends; how many of them stay.
varlink.py SOCKET|HOST:PORT --http REQUEST: a request of HTTP; \r and \n stand for these.
varlink.py --check FILE: is the description of an interface what the definition's grammar has?"""
import json
import re
import socket
import sys


def receive(connection, end=b"\0"):
    data = b""
    while not data.endswith(end):
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def check(text):
    """https://varlink.org/Interface-Definition, as far as this interface goes."""
    name = r"[A-Za-z](_?[A-Za-z0-9])*"
    kind = r"\??(\[\]|\[string\])*(bool|int|float|string|object|[A-Z][A-Za-z0-9]*)"
    structure = rf"\(\s*({name}\s*:\s*{kind}(\s*,\s*{name}\s*:\s*{kind})*)?\s*\)"
    member = rf"(type\s+[A-Z][A-Za-z0-9]*\s*{structure}|error\s+[A-Z][A-Za-z0-9]*\s*{structure}|method\s+[A-Z][A-Za-z0-9]*\s*{structure}\s*->\s*{structure})"
    bare = re.sub(r"#[^\n]*", "", text).strip()
    return re.fullmatch(rf"interface\s+[a-z]+(\.[a-z0-9]+)+(\s+{member})+\s*", bare) is not None


if sys.argv[1] == "--check":
    sys.exit(0 if check(open(sys.argv[2], encoding="utf-8").read()) else 1)
if sys.argv[2] == "--hold":
    held = []
    for _ in range(int(sys.argv[3])):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(sys.argv[1])
        try:
            connection.sendall(b'{"method": "org.varlink.service.GetInfo"}\0')
            answered = connection.recv(65536) != b""
        except OSError:
            answered = False
        if answered:
            held.append(connection)
    print(len(held), "are held", flush=True)
    sys.stdin.read()
    sys.exit(0)
if sys.argv[1].startswith("/"):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(sys.argv[1])
else:
    host, port = sys.argv[1].rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), 20)
if sys.argv[2] == "--http":
    connection.sendall(sys.argv[3].replace(r"\r", "\r").replace(r"\n", "\n").encode())
    sys.stdout.buffer.write(receive(connection, b"no end but the connection's"))
    sys.exit(0)
if sys.argv[2] == "--raw":
    connection.sendall(sys.stdin.buffer.read())
    sys.stdout.buffer.write(receive(connection))
    sys.exit(0)
call = {"method": sys.argv[2]}
if len(sys.argv) > 3:
    call["parameters"] = json.loads(sys.argv[3])
connection.sendall(json.dumps(call).encode() + b"\0")
reply = receive(connection)
if not reply:
    sys.exit("no reply")
print(json.dumps(json.loads(reply[:-1]), sort_keys=True))
