#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A crowd at the fleet's verifier: connections that do nothing, and some that are slow.

fleet-crowd.py PORT CA IDLE SLOW FILE: the port for TLS, who signed its certificate, how many only
connect, and how many send a byte of a request now and then. Each that is ended comes again, until
SIGTERM. Fifty come from one address: 127.0.1.1, 127.0.1.2 and so on. FILE is written once all of them
are there at a time. The last line says how many were opened, how many there were at most at a time,
how many the verifier has ended, and how many are left at the end, which it has to end.
"""
import collections
import errno
import json
import resource
import selectors
import signal
import socket
import ssl
import sys
import time

PORT, CA, IDLE, SLOW, FILE = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
AN_ADDRESS = 50
AT_ONCE = 500  # that are opened in a go, so that the others are looked after
REQUEST = b"POST /v1/devices/load-00000000/evidence HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
GRACE_SECONDS = 240
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
context = ssl.create_default_context(cafile=CA)
selector = selectors.DefaultSelector()
AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """One of the crowd, which comes again where it is ended."""

    def __init__(self, number):
        self.number, self.slow, self.socket, self.there = number, number < SLOW, None, False

    def open(self):
        address = self.number // AN_ADDRESS
        made = socket.socket()
        try:
            made.setblocking(False)
            made.bind((f"127.0.{1 + address // 250}.{1 + address % 250}", 0))
            if made.connect_ex(("127.0.0.1", PORT)) not in (0, errno.EINPROGRESS):
                raise OSError("nobody listens")
            if self.slow:
                made = context.wrap_socket(made, server_hostname="localhost", do_handshake_on_connect=False)
        except OSError:
            made.close()
            return False
        self.socket, self.there = made, False
        selector.register(made, selectors.EVENT_READ | selectors.EVENT_WRITE, self)
        return True

    def arrive(self):
        if self.slow:
            self.socket.do_handshake()
            self.socket.send(REQUEST)
        elif self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError("nobody took it")
        self.there = True
        selector.modify(self.socket, selectors.EVENT_READ, self)

    def look(self):
        """False: it has ended."""
        try:
            if not self.there:
                self.arrive()
            return self.socket.recv(4096) != b""
        except AGAIN:
            return True
        except OSError:
            return False

    def drip(self):
        try:
            self.socket.send(b"x")
        except AGAIN:
            pass
        except OSError:
            pass  # read as ended

    def forget(self):
        selector.unregister(self.socket)
        self.socket.close()
        self.socket, self.there = None, False


crowd = [Connection(number) for number in range(IDLE + SLOW)]
absent = collections.deque(crowd)
opened = most = ended = here = 0
dripped = stopped = 0.0


def stop(*_):
    global stopped
    stopped = stopped or time.monotonic()


signal.signal(signal.SIGTERM, stop)
while True:
    now = time.monotonic()
    if stopped:
        absent.clear()
    for _ in range(min(AT_ONCE, len(absent))):
        if not absent[0].open():
            break
        absent.popleft()
        opened += 1
    for key, _ in selector.select(0.05):
        connection, before = key.data, key.data.there
        stays = connection.look()
        here += connection.there - before
        if not stays:
            here -= connection.there
            ended += 1
            connection.forget()
            absent.append(connection)
    if here == len(crowd) and most < here:
        with open(FILE, "w", encoding="ascii") as file:
            file.write("all\n")
    most = max(most, here)
    if now >= dripped + 0.5:
        dripped = now
        # At the end all say something: of some the other side knows nothing, since its queue was full.
        for connection in crowd if stopped else crowd[:SLOW]:
            if connection.there:
                connection.drip()
    if stopped and (not selector.get_map() or now >= stopped + GRACE_SECONDS):
        break
print(json.dumps({"opened": opened, "most": most, "ended": ended, "left": len(selector.get_map())}))
