"""Tags, hashes, signatures, and the text forms of ids.

H(tag, x) = SHA-256(tag || 0x00 || x); a signature signs tag || 0x00 || x.
"""

from __future__ import annotations

from base64 import b32decode, b32encode
from hashlib import sha256
from typing import Any

import ed25519
from cbor import Refused

ZERO = bytes(32)
TAGS = ("org", "card", "feed", "epoch", "recovery", "entry", "head", "payload", "attribution",
        "artefact", "actor", "charter", "accept", "wording", "have", "salt")
PREFIXES = {"organisation": "org", "board": "board", "charter": "charter", "feed": "feed",
            "entry": "entry", "artefact": "artefact", "node": "node"}


def tagged(tag: str, message: bytes) -> bytes:
    if tag not in TAGS:
        raise KeyError(tag)
    return f"concordat/{tag}/v1".encode() + b"\x00" + message


def digest(tag: str, message: bytes) -> bytes:
    return sha256(tagged(tag, message)).digest()


def signed(tag: str, key: bytes, message: bytes, signature: list[Any]) -> bool:
    """Whether the wire signature `[algorithm, bytes]` holds."""
    algorithm, found = signature
    return algorithm == 1 and ed25519.verify(key, tagged(tag, message), found)


def id_text(prefix: str, identifier: bytes) -> str:
    return prefix + "-" + b32encode(identifier).decode().rstrip("=").lower()


def id_bytes(prefix: str, written: str) -> bytes:
    head, hyphen, letters = written.partition("-")
    alphabet = set("abcdefghijklmnopqrstuvwxyz234567")
    if head != prefix or not hyphen or len(letters) != 52 or not set(letters) <= alphabet:
        raise Refused("BadId", f"{written!r} is no {prefix} id")
    identifier = b32decode(letters.upper() + "====")
    if id_text(prefix, identifier) != written:
        raise Refused("BadId", f"{written!r} has bits after its end")
    return identifier
