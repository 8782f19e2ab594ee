#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A receiver of webhooks, for tests: checks each message as Standard Webhooks has it.

webhook-receiver.py SECRET LOG PLAN [CERTIFICATE KEY]

Listens at a port of 127.0.0.1, which is the first line of LOG; then a line of JSON a message: its id,
whether its signature and time are right, and its changes. PLAN is a file of words, of which each message
takes one: a status, "redirect" or "hang" (no answer); without a word it is 204.
"""
import base64
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import time

secret = open(sys.argv[1], "rb").read().strip()
log = open(sys.argv[2], "a", buffering=1)
plan = open(sys.argv[3]).read().split()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = f"{name}.{at}.".encode() + body
        right = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        message = json.loads(body)
        word = plan.pop(0) if plan else "204"
        print(json.dumps({
            "id": name, "word": word, "path": self.path, "type": message["type"],
            "signed": hmac.compare_digest(right, self.headers["webhook-signature"]),
            "recent": abs(time.time() - int(at)) < 300,
            "digest": hashlib.sha256(body).hexdigest(),
            "changes": [[change["id"], change["device"], change["verdict"]] for change in message["changes"]],
        }), file=log)
        if word == "hang":
            time.sleep(600)
        if word == "redirect":
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
        else:
            self.send_response(int(word))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], file=log)
server.serve_forever()
