#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What strangers, and those with too small a role, get of the fleet's verifier, as TAP.

fleet-hostile.py ROUTES.json SOCKET PORT EVIDENCE.zst OLDER.zst NUMBER: the routes, as `assay-fleet
routes --json` prints them, the service's Unix socket and port, evidence of the device d1 that was
judged, some from before, and how many checks there were before.
"""
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import time

ROUTES, SOCKET, PORT, EVIDENCE, OLDER = sys.argv[1:6]
number = int(sys.argv[6])
failed = False
BOOT = "01234567-89ab-cdef-0123-456789abcdef"
ASK = json.dumps({"assay": 1, "type": "push-challenge-request", "boot_id": BOOT}).encode()
EVIDENCE_PATH = "/v1/devices/d1/evidence"
CHALLENGE_PATH = "/v1/devices/d1/challenge"


class Local(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("localhost", timeout=120)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def ask(method, path, body=None, headers=None, token=None):
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = "Bearer " + token
    connection = Local()
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        # An answer without an end is not waited for.
        text = b"" if answer.getheader("Content-Type") == "text/event-stream" else answer.read()
        return answer.status, text
    finally:
        connection.close()


def check(title, good, what=""):
    global number, failed
    number += 1
    if not good:
        failed = True
        print("# got:", str(what)[:2000])
    print(f"{'ok' if good else 'not ok'} {number} - {title}")


def send(body, encoding="zstd", path=EVIDENCE_PATH):
    return ask("POST", path, body, {"Content-Encoding": encoding} if encoding else {})


def zstd(data):
    return subprocess.run(["zstd", "-qc", "--check"], input=data, stdout=subprocess.PIPE, check=True).stdout


def session_token(device, back=0):
    """The token that the service gives an agent of Keylime's, made by its own key; @back: of hours before."""
    with sqlite3.connect("fleet.db", timeout=120) as database:
        key = database.execute("SELECT secret FROM nonce_key ORDER BY id DESC").fetchone()[0]
    text = b"assay-fleet nonce 2\0token:" + device.encode() + b"\0" + struct.pack(">QQQQ", 0, 0, 0, int(time.time()) // 3600 - back)
    return hmac.new(key, text, hashlib.sha256).hexdigest()


# ---------------------------------------------------------------- every route, with all credentials
roles = ["viewer", "operator", "approver"]
routes = json.load(open(ROUTES))["routes"]
for route in routes:
    path = route["path"].replace("{...}", "x/y").replace("{}", "nobody")
    method, role = route["method"], route["role"]
    wrong = []

    def expect(token, wanted):
        status, _ = ask(method, path, b"" if method in ("POST", "PUT") else None, token=token)
        good = status == wanted if isinstance(wanted, int) else status not in (401, 403, 500)
        if not good:
            wrong.append((token, status, wanted))

    if role in roles:
        expect(None, 401)
        expect("wrong-token", 401)
        expect("", 401)
        expect("late-token", 401)
        for other in roles:
            expect(other + "-token", 403 if roles.index(other) < roles.index(role) else "let in")
    elif role == "agent":
        own = session_token("nobody")
        for token in (None, "", "wrong-token", "late-token", own[:-1], own + "0", own[:-1] + "x"):
            expect(token, 401)
        for other in roles:
            expect(other + "-token", 401)
        expect(session_token("d1"), 401)
        expect(session_token("nobody", 2), 401)
        expect(session_token("nobody", -1), 401)
        expect(own, "let in")
    else:
        expect(None, "let in")
        expect("wrong-token", "let in")
    check(f"{method} {route['path']}: for {role}", not wrong, wrong)
check("each role has a route", set(roles) | {"device", "agent", "anybody"} == {r["role"] for r in routes})
status, text = ask("OPTIONS", "/v1/devices", token="approver-token")
check("a method that no path has", status in (404, 405, 501), status)
status, text = ask("DELETE", "/v1/fleet", token="approver-token")
check("a method that this path has not", status == 405, status)

# ---------------------------------------------------------------- names
for name in ("..", "%2e%2e", "a%2fb", "%00", "d1%00", ".d1", "x" * 65, "d%201", "d1;", "%c3%a4", "'--", "%", "x" * 4000):
    status, text = ask("POST", f"/v1/devices/{name}/challenge", ASK)
    check(f"a device called {name[:40]}", status in (400, 404), (status, text))
for path in ("//v1/fleet", "/v1/fleet/", "/v1", "/v1/devices//verdict", "/../etc/passwd", "/v1/policies/"):
    status, text = ask("GET", path, token="approver-token")
    check(f"a path {path}", status in (400, 404, 405), (status, text))
for query in ("limit=1001", "limit=-1", "limit=x", "state=good", "q=" + "x" * 300, "limit=99999999999999999999"):
    status, text = ask("GET", "/v1/devices?" + query, token="viewer-token")
    check(f"a query {query[:40]}", status == 400, (status, text))
status, text = ask("GET", "/v1/devices?q='%20OR%20'1'='1&label=%25&after=%00", token="viewer-token")
check("a query that is SQL", status in (200, 400) and b"d1" not in text, (status, text))

# ---------------------------------------------------------------- challenges
for title, body in (
    ("nothing", b""),
    ("no JSON", b"<html>"),
    ("an array", b"[]"),
    ("JSON of another type", ASK.replace(b"-request", b"")),
    ("of another version", ASK.replace(b'"assay": 1', b'"assay": 2')),
    ("no boot", ASK.replace(BOOT.encode(), b"")),
    ("a boot of another form", ASK.replace(b"01234567", b"0123456z")),
    ("a member twice", ASK[:-1] + b', "assay": 1}'),
    ("deep", b'{"a":' * 600),
    ("ill-formed UTF-8", ASK.replace(b"assay", b"\xff\xfe")),
):
    status, text = ask("POST", CHALLENGE_PATH, body)
    check(f"a challenge is asked for with {title}", status == 400, (status, text))
status, text = ask("POST", CHALLENGE_PATH, b" " * 5000)
check("with too much", status == 413, (status, text))

# ---------------------------------------------------------------- evidence
evidence = open(EVIDENCE, "rb").read()
plain = subprocess.run(["zstd", "-qdc", EVIDENCE], stdout=subprocess.PIPE, check=True).stdout
bomb = subprocess.run("head -c 300M /dev/zero | zstd -qc", shell=True, stdout=subprocess.PIPE, check=True).stdout
flipped = bytearray(evidence)
flipped[len(flipped) // 2] ^= 1
for title, body, encoding, wanted in (
    ("nothing", b"", "zstd", 400),
    ("no frame", b"x" * 1000, "zstd", 400),
    ("half a frame", evidence[: len(evidence) // 2], "zstd", 400),
    ("a frame with a bit flipped", bytes(flipped), "zstd", 400),
    ("two frames", evidence + evidence, "zstd", 400),
    ("a frame and a byte", evidence + b"x", "zstd", 400),
    ("no encoding", evidence, None, 400),
    ("another encoding", evidence, "gzip", 400),
    ("a bomb", bomb, "zstd", 413),
    ("a frame of no JSON", zstd(b"x" * 1000), "zstd", 400),
    ("half of the JSON", zstd(plain[: len(plain) // 2]), "zstd", 400),
    ("a member more", zstd(b'{"x": 1, ' + plain.lstrip()[1:]), "zstd", 400),
    ("brackets", zstd(b"[" * 1000000), "zstd", 400),
    ("more than is taken", b"x" * ((16 << 20) + 1), "zstd", 413),
):
    try:
        status, text = send(body, encoding)
    except OSError:
        status, text = 413, "closed"
    check(f"evidence: {title}", status == wanted, (status, text))
status, text = send(bomb, path="/v1/devices/nobody/evidence")
check("a bomb of nobody's is not looked at", status == 404, (status, text))
status, text = send(zstd(b" " * (20 << 20)))
check("what nearly nothing is sent for is not expanded", status == 413, (status, text))
status, text = send(open(OLDER, "rb").read())
check("evidence of before is refused, and another nonce asked for", status == 409, (status, text))
status, text = send(evidence, path="/v1/devices/d2/evidence")
check("evidence of another device", status == 409, (status, text))

# What is short as text is long when it is parsed.
MANY = b"[]," * 5000000 + b"[]"
status, text = ask("POST", "/v1/devices/d1/systemd-report", b'\x1e{"mediaType":"application/vnd.io.systemd.report","metrics":[' + MANY + b"]}\n")
check("a report of very many values is not parsed", status == 413, (status, text))

# ---------------------------------------------------------------- Keylime's agents
def agent_says(path, method, body):
    return ask(method, path, body, {"Content-Type": "application/vnd.api+json"}, session_token("d2"))


ATTESTATIONS = "/v3.0/agents/d2/attestations"
for method, path in (("POST", "/v3.0/sessions"), ("PATCH", "/v3.0/sessions/d2"), ("POST", ATTESTATIONS), ("PATCH", ATTESTATIONS + "/latest")):
    for title, body in (
        ("nothing", b""),
        ("no JSON", b"<html>"),
        ("an array", b"[]"),
        ("brackets", b"[" * 4000),
        ("another type", b'{"data": {"type": "x", "attributes": {}}}'),
        ("no attributes", b'{"data": {"type": "session"}}'),
        ("ill-formed UTF-8", b'{"data": {"type": "\xff"}}'),
    ):
        status, text = agent_says(path, method, body)
        check(f"{method} {path} with {title}", status == 400 and json.loads(text)["errors"][0]["status"] == "400", (status, text))
status, text = agent_says(ATTESTATIONS + "/latest", "PATCH", b'{"data": {"type": "attestation", "attributes": {"evidence_collected": [' + MANY + b"]}}}")
check("nor an agent's evidence of so many", status == 413, (status, text))
status, text = agent_says("/v3.0/sessions", "POST", b" " * 5000)
check("a session with too much", status == 413, (status, text))

before = ask("GET", "/v1/devices/d1/changes", token="viewer-token")
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(lambda _: send(evidence), range(24)))
words = {(status, json.loads(text)["verdict"]) for status, text in answers}
check("the same evidence 24 times at once has the answer that it had", words == {(200, "trusted")}, answers)
check("and is one verdict", ask("GET", "/v1/devices/d1/changes", token="viewer-token") == before)


# ---------------------------------------------------------------- more policies than may be assigned
def assign(label):
    body = json.dumps({"label": label, "policy": "policy.json", "version": 1}).encode()
    return ask("POST", "/v1/assignments", body, token="approver-token")


database = sqlite3.connect("fleet.db", timeout=120)
with database:
    database.executemany(
        "INSERT INTO assignment (label, policy, version, at, who) VALUES (?, 'policy.json', 1, 0, 'many')",
        [(f"many-{at}",) for at in range(255)],
    )
status, text = assign("one-more")
check("the 257th assignment is refused", status == 400 and b"256" in text, (status, text))
status, text = assign("many-0")
check("and one that takes the place of another is not", status == 200, (status, text))
status, text = ask("POST", CHALLENGE_PATH, ASK)
check("devices go on", status == 200, (status, text))
with database:
    database.execute("DELETE FROM assignment WHERE label LIKE 'many-%'")
database.close()
status, text = assign("")
check("what is in the way can be taken away", status == 200, (status, text))


# ---------------------------------------------------------------- connections
def connect():
    context = ssl.create_default_context(cafile="servers.pem")
    raw = socket.create_connection(("127.0.0.1", int(PORT)), timeout=120)
    return context.wrap_socket(raw, server_hostname="localhost")


def raw(data):
    with connect() as connection:
        try:
            # It may answer, and end, before all has come.
            connection.sendall(data)
            return connection.recv(4096)
        except OSError:
            return b""


for title, data in (
    ("no HTTP", b"\x00\x01\x02\r\n\r\n"),
    ("a header without end", b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 70000 + b"\r\n\r\n"),
    ("a length that is none", b"POST " + CHALLENGE_PATH.encode() + b" HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
    ("a length that is below zero", b"POST " + CHALLENGE_PATH.encode() + b" HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
    ("a length without end", b"POST " + CHALLENGE_PATH.encode() + b" HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
):
    answer = raw(data)
    check(f"{title}: no good answer", not answer.startswith(b"HTTP/1.1 2"), answer)

slow = []
for at in range(60):
    connection = connect()
    connection.sendall(b"POST " + EVIDENCE_PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
    slow.append(connection)
check("60 connections drip, and others are answered", ask("GET", "/healthz")[0] == 200)
until = time.monotonic() + 90
while slow and time.monotonic() < until:
    for connection in list(slow):
        try:
            connection.sendall(b"x")
            connection.settimeout(0.01)
            if connection.recv(1) == b"":
                raise OSError
        except (TimeoutError, ssl.SSLWantReadError):
            continue
        except OSError:
            slow.remove(connection)
    time.sleep(0.1)
check("they are ended, however busy they look", not slow, len(slow))
idle = [connect() for _ in range(20)]
check("idle ones do not keep others out", ask("GET", "/healthz")[0] == 200)
print("#", number)
open("hostile-number", "w").write(str(number))
sys.exit(failed)
