#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""More connections to the fleet's verifier than it may have, as TAP.

fleet-flood.py SOCKET PORT PID OPERATORS NUMBER: the service's Unix socket, its port for TLS, its
first process, whose only child answers, the file of its operators, which loses the viewer's token, and how many checks there were
before. The service has 20 connections at a time.
"""
import http.client
import os
import signal
import socket
import sys
import time

SOCKET, PORT, PID, OPERATORS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
number = int(sys.argv[5])
failed = False
MANY = 300


def check(title, good, what=""):
    global number, failed
    number += 1
    if not good:
        failed = True
        print("# got:", str(what)[:2000])
    print(f"{'ok' if good else 'not ok'} {number} - {title}")


def local():
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(120)
    connection.connect(SOCKET)
    return connection


def ask(path, token=None):
    connection = http.client.HTTPConnection("localhost", timeout=120)
    try:
        connection.sock = local()
        connection.request("GET", path, headers={"Authorization": "Bearer " + token} if token else {})
        return connection.getresponse().status
    except OSError as error:
        return str(error)
    finally:
        connection.close()


def eventually(function):
    until = time.monotonic() + 120
    while not function():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def descriptors():
    worker = open(f"/proc/{PID}/task/{PID}/children").read().split()[0]
    return len(os.listdir(f"/proc/{worker}/fd"))


before = descriptors()
flood = [socket.create_connection(("127.0.0.1", PORT), timeout=120) for _ in range(MANY)]
check("connections that are not accepted yet keep nobody from the Unix socket", ask("/healthz") == 200)
check("a token is taken", ask("/v1/fleet", "viewer-token") == 200)
check("no more are accepted than there may be", descriptors() <= before + 20 + 1, (before, descriptors()))
lines = open(OPERATORS).readlines()
with open(OPERATORS + ".new", "w") as file:
    file.writelines(line for line in lines if not line.startswith("viewer"))
os.replace(OPERATORS + ".new", OPERATORS)
os.kill(PID, signal.SIGHUP)
check("a token is taken back meanwhile", eventually(lambda: ask("/v1/fleet", "viewer-token") == 401))
check("and the others hold", ask("/v1/fleet", "operator-token") == 200)
for connection in flood:
    connection.close()
check("when they have gone there is room", eventually(lambda: descriptors() <= before + 1), descriptors())

flood = [local() for _ in range(MANY)]
check("it has no descriptor left", eventually(lambda: descriptors() >= 84), descriptors())
for connection in flood:
    connection.close()
check("and goes on when it has some again", ask("/healthz") == 200)
open("flood-number", "w").write(str(number))
sys.exit(failed)
