"""C2SP checkpoints as signed notes, and cosignatures.

Source: SPEC, section 11.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Optional

import ed25519
from cbor import Refused, malformed, within
from hashes import id_bytes, id_text
from shape import ID, KIB, SEQ_MAX, SIGNATURE, ascending, counted, many, ranged, read, row, short, text, uint

FEED_TYPE, WITNESS_TYPE = 1, 4
TIME_S_MAX = 2**63 - 1


@dataclass(order=True)
class Origin:
    board: bytes
    org: bytes
    epoch: int

    def __str__(self) -> str:
        return f"concordat/board/{id_text('board', self.board)}/{id_text('org', self.org)}/{self.epoch}"


def read_origin(written: str) -> Optional[Origin]:
    match = re.fullmatch(r"concordat/board/(board-[a-z2-7]+)/(org-[a-z2-7]+)/(0|[1-9][0-9]{0,19})", written)
    if match is None or int(match[3]) >= 2**64:
        return None
    try:
        return Origin(id_bytes("board", match[1]), id_bytes("org", match[2]), int(match[3]))
    except Refused:
        return None


@dataclass
class NoteLine:
    name: str
    key_id: bytes
    signature: bytes


@dataclass
class Checkpoint:
    origin: Origin
    size: int
    root: bytes
    text: str
    lines: list[NoteLine]


def key_id(name: str, kind: int, key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def base64_of(written: str, length: int) -> Optional[bytes]:
    """Canonical base64 with padding; of `length` bytes, or of any if that is 0."""
    try:
        found = b64decode(written, validate=True)
    except (Error, ValueError):
        return None
    good = b64encode(found).decode() == written and (not length or len(found) == length)
    return found if good else None


def read_checkpoint(data: bytes) -> Checkpoint:
    """A checkpoint by form; nothing is verified."""
    with within("BadNote"):
        short(data, 16 * KIB, "checkpoint")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("BadNote.Characters") from None
    if any(letter < " " and letter != "\n" for letter in note):
        raise Refused("BadNote.Characters")
    body, blank, signatures = note.rpartition("\n\n")
    if not blank:
        raise Refused("BadNote.NoBlankLine")
    lines = _read_lines(signatures)
    fields = body.split("\n")
    if len(fields) != 3:
        raise Refused("BadNote.Lines", f"{len(fields)}")
    origin, root = read_origin(fields[0]), base64_of(fields[2], 32)
    if origin is None:
        raise Refused("BadNote.Origin.BadOrigin")
    if not re.fullmatch(r"0|[1-9][0-9]{0,14}", fields[1]) or int(fields[1]) > SEQ_MAX:
        raise Refused("BadNote.Size")
    if root is None:
        raise Refused("BadNote.Root")
    return Checkpoint(origin, int(fields[1]), root, body + "\n", lines)


def _read_lines(signatures: str) -> list[NoteLine]:
    lines = signatures.split("\n")
    if lines[-1] == "":
        lines.pop()
        unfinished = False
    else:
        unfinished = True
    with within("BadNote"):
        counted(lines, 1, 1000, "checkpoint signatures")
    found = []
    for number, line in enumerate(lines, 1):
        match = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
        decoded = base64_of(match[2], 0) if match else None
        if match is None or decoded is None or len(decoded) < 4 or unfinished and number == len(lines):
            raise Refused("BadNote.SignatureLine", f"line {number}")
        found.append(NoteLine(match[1], decoded[:4], decoded[4:]))
    return found


def write_checkpoint(note: Checkpoint) -> bytes:
    lines = [f"— {line.name} {b64encode(line.key_id + line.signature).decode()}\n" for line in note.lines]
    return (note.text + "\n" + "".join(lines)).encode()


def verify_checkpoint(note: Checkpoint, origin: Origin, feed_key: bytes,
                      witnesses: dict[bytes, bytes]) -> int:
    """Verifies the note of a feed; gives the number of cosignatures by known witnesses."""
    if note.origin != origin:
        raise Refused("BadNote.OtherFeed", str(note.origin))
    feed_lines = _lines_of(note, str(origin), FEED_TYPE, feed_key)
    for line in feed_lines:
        if not ed25519.verify(feed_key, note.text.encode(), line.signature):
            raise Refused("BadNote.Signature", line.name)
    if not feed_lines:
        raise Refused("BadNote.Unsigned", str(origin))
    cosignatures = 0
    for org, key in witnesses.items():
        for line in _lines_of(note, "concordat/witness/" + id_text("org", org), WITNESS_TYPE, key):
            if not cosigned(key, note.text, line.signature):
                raise Refused("BadNote.Signature", line.name)
            cosignatures += 1
    return cosignatures


def _lines_of(note: Checkpoint, name: str, kind: int, key: bytes) -> list[NoteLine]:
    return [line for line in note.lines if (line.name, line.key_id) == (name, key_id(name, kind, key))]


def cosigned(key: bytes, text_lines: str, timed_signature: bytes) -> bool:
    time_s = int.from_bytes(timed_signature[:8], "big")
    message = f"cosignature/v1\ntime {time_s}\n{text_lines}".encode()
    return time_s <= TIME_S_MAX and ed25519.verify(key, message, timed_signature[8:])


@dataclass
class Cosignature:
    origin: str
    size: int
    root: bytes
    time_s: int
    signature: list[Any]

    def verifies(self, witness_key: bytes) -> bool:
        lines = f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"
        algorithm, found = self.signature
        return algorithm == 1 and cosigned(witness_key, lines, self.time_s.to_bytes(8, "big") + found)


def read_cosign(data: bytes) -> list[Cosignature]:
    rows = read(data, 1024 * KIB, "cosign", many(row(text, uint, ID, uint, SIGNATURE)))
    found = [Cosignature(*item) for item in rows]
    counted(found, 1, 1000, "cosign")
    order = []
    for item in found:
        origin = read_origin(item.origin)
        if origin is None:
            raise malformed("Shape", "cosign origin")
        ranged(item.size, 0, SEQ_MAX, "cosign size")
        ranged(item.time_s, 0, TIME_S_MAX, "cosign time")
        order.append((origin, item.size))
    ascending(order, "cosign")
    return found
