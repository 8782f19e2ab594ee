#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A crowd at the fleet's verifier: connections that do nothing, and some that are slow.

fleet-crowd.py PORT CA IDLE SLOW SECONDS: the port for TLS, who signed its certificate, how many only
connect, how many send a byte of a request now and then, and for how long they try. The last line says how many
were opened, and how many are left at the end, which the verifier has to end.
"""
import json
import resource
import selectors
import socket
import ssl
import sys
import time

PORT, CA, IDLE, SLOW, SECONDS = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
context = ssl.create_default_context(cafile=CA)
selector = selectors.DefaultSelector()
opened = 0
slow = []


def opens(shaken):
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    if shaken:
        connection = context.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(b"POST /v1/devices/load-00000000/evidence HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        slow.append(connection)
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ)


def forget(connection):
    selector.unregister(connection)
    if connection in slow:
        slow.remove(connection)
    connection.close()


def ends(connection):
    try:
        return connection.recv(4096) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


for i in range(IDLE + SLOW):
    try:
        opens(i % (IDLE // max(SLOW, 1) + 1) == 0 and len(slow) < SLOW)
        opened += 1
    except OSError:
        continue
until = time.monotonic() + SECONDS + 240
while selector.get_map() and time.monotonic() < until:
    for key, _ in selector.select(0.5):
        if ends(key.fileobj):
            forget(key.fileobj)
    for connection in list(slow):
        try:
            connection.send(b"x")
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        except OSError:
            forget(connection)
print(json.dumps({"opened": opened, "left": len(selector.get_map())}))
