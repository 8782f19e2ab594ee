#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keys and tokens of an OpenID Connect provider, made by openssl(1), for tests.

jwt.py keys NAME...: a JWK set of NAME.pem, on standard output, with NAME as the keys' "kid"
jwt.py token ALGORITHM NAME CLAIMS: a token that NAME.pem signs; CLAIMS are JSON, to which "exp" and
"iat" are added where they are not there
jwt.py serve DIRECTORY CERTIFICATE KEY LOG: its files over HTTPS; the port is the first line of LOG, and
each path that is asked for a line
"""
import base64
import functools
import http.server
import json
import ssl
import subprocess
import sys
import tempfile
import time


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, stdout=subprocess.PIPE, check=True).stdout


def number(data):
    return int.from_bytes(data, "big")


def jwk(name):
    der = openssl("pkey", "-in", f"{name}.pem", "-pubout", "-outform", "DER")
    kind = openssl("pkey", "-in", f"{name}.pem", "-noout", "-text")
    if b"ED25519" in kind:
        return {"kty": "OKP", "crv": "Ed25519", "kid": name, "x": encode(der[-32:])}
    if b"P-256" in kind:
        return {"kty": "EC", "crv": "P-256", "kid": name, "x": encode(der[-64:-32]), "y": encode(der[-32:])}
    modulus = openssl("rsa", "-in", f"{name}.pem", "-noout", "-modulus").decode().strip().split("=")[1]
    return {"kty": "RSA", "kid": name, "n": encode(bytes.fromhex(modulus)), "e": "AQAB"}


def pair(der):
    """r and s behind each other, of the ASN.1 (RFC 7518, section 3.4)."""
    at, parts = 2, []
    for _ in range(2):
        size = der[at + 1]
        parts.append(number(der[at + 2:at + 2 + size]).to_bytes(32, "big"))
        at += 2 + size
    return b"".join(parts)


def sign(algorithm, name, text):
    if algorithm == "EdDSA":
        with tempfile.NamedTemporaryFile() as file:
            file.write(text)
            file.flush()
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", f"{name}.pem", "-in", file.name)
    extra = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if algorithm == "PS256" else []
    signature = openssl("dgst", "-sha256", "-sign", f"{name}.pem", *extra, data=text)
    return pair(signature) if algorithm == "ES256" else signature


def token(algorithm, name, claims):
    now = int(time.time())
    head = encode(json.dumps({"alg": algorithm, "typ": "JWT", "kid": name}).encode())
    text = f"{head}.{encode(json.dumps({'exp': now + 600, 'iat': now, **claims}).encode())}"
    return f"{text}.{encode(sign(algorithm, name, text.encode()))}"


def serve(directory, certificate, key, log_name):
    log = open(log_name, "w", buffering=1)

    class Files(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            print(self.path, file=log)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=directory))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], file=log)
    server.serve_forever()


if sys.argv[1] == "keys":
    print(json.dumps({"keys": [jwk(name) for name in sys.argv[2:]]}))
elif sys.argv[1] == "token":
    print(token(sys.argv[2], sys.argv[3], json.loads(sys.argv[4])))
else:
    serve(*sys.argv[2:])
