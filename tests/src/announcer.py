"""Plays a runtime's side with nothing but Python: derives keys and signs announcements.

Reads one JSON request a line and answers with one JSON object a line."""

import base64
import hashlib
import hmac
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def derive(key, purpose, length):
    _, generation, encoded = key.split("-", 2)
    secret = base64.urlsafe_b64decode(encoded + "=")
    info = f"moorline/1/{generation}/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def pair(seed):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    openssh = serialization.Encoding.OpenSSH
    return {
        "private": private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ).decode(),
        "public": private.public_key().public_bytes(openssh, serialization.PublicFormat.OpenSSH).decode(),
    }


def keys(key):
    return {
        "kid": b64(derive(key, "key-id", 9)),
        "topic": "ml-" + b64(derive(key, "ntfy-topic", 18)),
        "host": pair(derive(key, "host-key", 32)),
    }


def seal(key, body):
    signed = "ml1." + b64(derive(key, "key-id", 9)) + "." + b64(json.dumps(body, separators=(",", ":")).encode())
    mac = hmac.new(derive(key, "announcement-mac", 32), signed.encode(), hashlib.sha256).digest()
    return {"line": signed + "." + b64(mac)}


for line in sys.stdin:
    request = json.loads(line)
    answer = seal(request["key"], request["body"]) if "body" in request else keys(request["key"])
    print(json.dumps(answer), flush=True)
