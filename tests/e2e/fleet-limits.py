#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What somebody may have of the fleet's verifier, as TAP.

fleet-limits.py PORT CA SOCKET: the port for TLS of the service, who signed its certificate, and its
Unix socket, at which a proxy is believed. An address
has 5 connections, but 127.0.0.3 any number; a device asks twice a minute, an
operator five times.
"""
import http.client
import json
import socket
import ssl
import sys
import time

PORT, CA, SOCKET = int(sys.argv[1]), sys.argv[2], sys.argv[3]
PER_ADDRESS = 5
number = 0
failed = False
context = ssl.create_default_context(cafile=CA)


def check(title, good, what=""):
    global number, failed
    number += 1
    if not good:
        failed = True
        print("# got:", str(what)[:2000])
    print(f"{'ok' if good else 'not ok'} {number} - {title}")


def eventually(function):
    until = time.monotonic() + 120
    while not function():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def raw(address="127.0.0.2"):
    return socket.create_connection(("127.0.0.1", PORT), timeout=120, source_address=(address, 0))


def connect(address="127.0.0.2"):
    return context.wrap_socket(raw(address), server_hostname="localhost")


def head(method, path, size):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()


def status(connection):
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def ask(method, path, body=None, token=None, address="127.0.0.2", says=None, local=False):
    """@says: which address the client has, in a proxy's words."""
    connection = (Local("localhost", timeout=120) if local else
                  http.client.HTTPSConnection("localhost", PORT, timeout=120, context=context, source_address=(address, 0)))
    headers = {"Authorization": "Bearer " + token} if token else {}
    try:
        connection.request(method, path, body, headers | {"X-Client-Address": says} if says else headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After"), answer.read()
    finally:
        connection.close()


# ---------------------------------------------------------------- connections of an address
def alive(connection):
    try:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return status(connection) == 200
    except (OSError, http.client.HTTPException):
        return False


def open_some(address, count):
    kept = []
    for _ in range(count):
        try:
            connection = connect(address)
        except OSError:
            continue
        if alive(connection):
            kept.append(connection)
    return kept


kept = open_some("127.0.0.1", 2 * PER_ADDRESS)
check("an address has no more connections than it may", len(kept) == PER_ADDRESS, len(kept))
check("which all work", all(alive(connection) for connection in kept))
check("another address has its own", ask("GET", "/healthz")[0] == 200)
proxied = open_some("127.0.0.3", 4 * PER_ADDRESS)
check("a proxy has any number", len(proxied) == 4 * PER_ADDRESS, len(proxied))
for connection in kept + proxied:
    connection.close()


def again():
    some = open_some("127.0.0.1", PER_ADDRESS)
    for connection in some:
        connection.close()
    return len(some) == PER_ADDRESS


check("when they have gone there is room again", eventually(again))

# ---------------------------------------------------------------- a request must begin
silent, shaken, begun = raw(), connect(), connect()
began = time.monotonic()
begun.sendall(b"GET /healthz HTTP/1.1\r\n")
for connection in silent, shaken:
    connection.settimeout(120)
    try:
        got = connection.recv(1)
    except OSError as error:
        got = str(error)
    check("a connection is ended in which no request begins", got in (b"", "[Errno 104] Connection reset by peer"), got)
check("after ten seconds, not before", time.monotonic() - began > 8, time.monotonic() - began)
begun.sendall(b"Host: x\r\n\r\n")
check("one in which a request has begun has more time", status(begun) == 200)

# ---------------------------------------------------------------- bodies by route
for title, line, size, wanted in (
    ("a body that is too large is refused before it is sent", ("POST", "/v1/devices/d1/challenge"), 5000, 413),
    ("by the route's limit, not the largest", ("POST", "/v1/devices/d1/evidence"), 17 << 20, 413),
    ("where there is no body", ("POST", "/v1/devices/d1/approve"), 1, 413),
    ("where there is no such path", ("PUT", "/nowhere"), 1, 413),
    ("by no method that is known there", ("DELETE", "/v1/policies/x"), 1 << 20, 413),
    ("with a query behind the path", ("POST", "/v1/what-if?x=y"), 5000, 413),
    ("and with an escaped one", ("POST", "/v1/devices/%64%31/challenge"), 5000, 413),
):
    connection = connect()
    connection.sendall(head(*line, size))
    check(title, status(connection) == wanted)
    connection.close()
connection = connect()
connection.sendall(b"POST /v1/devices/d1/challenge HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + b"x" * 5000 + b"\r\n")
check("also without a length", status(connection) == 413)
connection.close()
for title, before in (
    ("what comes in chunks is not read on where one's line does not end", b""),
    ("nor behind another request", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
):
    connection = connect()
    connection.settimeout(5)
    connection.sendall(before + b"POST /v1/devices/d1/evidence HTTP/1.1\r\nHost: x\r\ntransfer-ENCODING: chunked\r\n\r\n")
    sent = 0
    try:
        while sent < 24 << 20:  # more than the system holds for both
            connection.sendall(b"0" * 65536)
            sent += 65536
    except OSError:
        pass
    check(title, sent < 24 << 20, sent)
    connection.close()
connection = connect()
connection.sendall(b"PUT /v1/policies/p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 20000000\r\n\r\n")
check("a large one is asked for where it is taken", connection.recv(25).startswith(b"HTTP/1.1 100"))
connection.close()
connection = connect()
check("each request of a connection has its own limit", alive(connection))
connection.sendall(head("POST", "/v1/devices/../challenge", 4) + b"{}{}")
check("one that fits is answered", status(connection) in (400, 404))
connection.sendall(b"P")
time.sleep(0.1)
connection.sendall(head("POST", "/v1/devices/d1/challenge", 5000)[1:])
check("and the next one refused, however it comes", status(connection) == 413)
connection.close()

# ---------------------------------------------------------------- requests a minute


def until_limited(*what, **how):
    """How many are answered otherwise before one is refused."""
    for count in range(40):
        code, after, body = ask(*what, **how)
        if code == 429:
            return count, after, body
    return 40, None, b""


DEVICE = "POST", "/v1/devices/d1/challenge", "{}"
count, after, body = until_limited(*DEVICE)
check("a device does not ask without end", count < 40, count)
check("but as often as it may", count >= 2, count)
check("it is told when to come back", after is not None and 1 <= int(after) <= 30, after)
check("and why", json.loads(body)["error"].startswith("device d1 asks too often"), body)
check("another device may ask", ask("POST", "/v1/devices/d2/challenge", "{}")[0] == 400)
check("nobody else uses up what it may ask", ask(*DEVICE, address="127.0.0.4")[0] == 400)
check("nor who says that it is somebody else", ask(*DEVICE, says="192.0.2.9")[0] == 429)
for said, network in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1"), ("x", "192.0.2.3")):
    count, _, body = until_limited(*DEVICE, local=True, says=said)
    check(f"behind a proxy, a client at {said} has what it may", 2 <= count < 40, (count, body))
    check("and another one as well", ask(*DEVICE, local=True, says=network)[0] == 400)
check("what is no address is nobody's", ask(*DEVICE, local=True, says="1" * 50)[0] == 429 and ask(*DEVICE, local=True)[0] == 429)
count, after, body = until_limited("GET", "/v1/fleet", token="viewer-token")
check("nor does an operator", 5 <= count < 40, count)
check("who is told as well", after is not None and 1 <= int(after) <= 12, after)
check("each has its own", ask("GET", "/v1/fleet", token="operator-token")[0] == 200)
check("who is not known is told that", ask("GET", "/v1/fleet", token="x")[0] == 401)
check("that is counted", b"assay_fleet_limited_total " in ask("GET", "/metrics", token="approver-token")[2])
print(f"1..{number}")
sys.exit(failed)
