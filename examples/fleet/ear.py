#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ask the fleet's verifier for a device's attestation result, an EAR as JWT, and check it with PyJWT
(Debian's python3-jwt): before a CI deploys to that device, for example.

ear.py URL DEVICE [CA]: the token that may look is in $FLEET_TOKEN. Prints the result's status and policy;
exit status 0: affirming, 1: anything else.
"""
import json
import os
import ssl
import sys
import time
import urllib.request

import jwt

OLDEST = 3600  # seconds since the device was judged

url, device = sys.argv[1].rstrip("/"), sys.argv[2]
context = ssl.create_default_context(cafile=sys.argv[3] if len(sys.argv) > 3 else None)


def get(path):
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {os.environ['FLEET_TOKEN']}"})
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        return answer.read()


try:
    token = get(f"/v1/devices/{device}/ear").decode()
    keys = jwt.PyJWKSet.from_dict(json.loads(get("/.well-known/jwks.json"))).keys
    name = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in keys if key.key_id == name)
    # An EAR says when it was made, not when it ends: how old it may be is for whoever relies on it.
    claims = jwt.decode(token, key.key, algorithms=["ES256"], options={"require": ["iat"]})
    result = claims["submods"]["assay"]
    if claims["iat"] < time.time() - OLDEST:
        raise ValueError("the result is too old")
    if result["assay_verdict"]["device"] != device:
        raise ValueError("the result is of another device")
except (OSError, ValueError, KeyError, StopIteration, jwt.PyJWTError) as error:
    sys.exit(f"{device}: no result that holds: {error or type(error).__name__}")
print(f"{device}: {result['ear.status']} by {result['ear.appraisal-policy-id']}")
sys.exit(0 if result["ear.status"] == "affirming" else 1)
