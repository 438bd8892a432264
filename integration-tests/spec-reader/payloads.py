"""Payloads, kind by kind: acknowledgements and what organisations write.

Source: SPEC, sections 8.1 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from hashes import digest
from shape import (ID, KIB, SEQ_MAX, TIME_MAX, anything, ascending, blob, counted, filled, fixed, many, name,
                   optional, ranged, read, row, text, to_bytes, uint)

PAYLOAD_MAX = 1024 * KIB
ANSWERS = ["approve", "reject", "abstain", "recused"]


@dataclass
class AckItem:
    feed: bytes
    seq: int
    id: bytes
    payloads_through: int
    missing: list[int]
    received_at: int

    def complete_through(self) -> Optional[int]:
        """The highest entry that is acknowledged with its payload."""
        through = self.payloads_through
        for missing in reversed(self.missing):
            if missing == through:
                through -= 1
        return through if through >= 0 else None


def read_ack(data: bytes) -> list[AckItem]:
    rows = read(data, PAYLOAD_MAX, "acknowledgement", many(row(ID, uint, ID, uint, many(uint), uint)))
    items = [AckItem(*item) for item in rows]
    counted(items, 1, 1000, "acknowledgement")
    for item in items:
        ranged(item.seq, 0, SEQ_MAX, "acknowledged seq")
        ranged(item.payloads_through, 0, item.seq, "payloads_through")
        counted(item.missing, 0, 64, "missing payloads")
        ascending(item.missing, "missing payloads")
        if item.missing:
            ranged(item.missing[-1], 0, item.payloads_through, "missing payload")
    ascending([item.feed for item in items], "acknowledged feeds")
    return items


def settled_size(size: int, others: int, covered: list[int]) -> int:
    """How many entries are settled: SPEC, section 8.2."""
    if others == 0:
        return size
    ranks = sorted(covered, reverse=True)
    return min(size, ranks[others // 2]) if len(ranks) > others // 2 else 0


@dataclass
class Open:
    nonce: bytes
    artefact_kind: str
    schema_version: int
    audience: list[bytes]


def read_open(data: bytes) -> Open:
    found = Open(*read(data, PAYLOAD_MAX, "open", row(fixed(16), text, uint, many(ID))))
    name(found.artefact_kind, "artefact kind")
    ranged(found.schema_version, 1, 2**64, "schema version")
    counted(found.audience, 0, 1000, "audience")
    ascending(found.audience, "audience")
    return found


def artefact_id(board: bytes, org: bytes, nonce: bytes) -> bytes:
    return digest("artefact", to_bytes([board, org, nonce]))


@dataclass
class Audience:
    orgs: list[bytes]
    reason: int


def read_audience(data: bytes) -> Audience:
    found = Audience(*read(data, PAYLOAD_MAX, "audience", row(many(ID), uint)))
    counted(found.orgs, 1, 1000, "audience")
    ascending(found.orgs, "audience")
    return found


def read_change(data: bytes) -> list[bytes]:
    changes: list[bytes] = read(data, PAYLOAD_MAX, "changes", many(blob))
    counted(changes, 1, 256, "changes")
    for change in changes:
        filled(change, 512 * KIB, "change")
    return changes


@dataclass
class Event:
    """An event or a remark."""
    name: str
    values: list[Any]


def read_event(data: bytes) -> Event:
    found = Event(*read(data, 64 * KIB, "event", row(text, many(anything))))
    name(found.name, "event")
    counted(found.values, 0, 256, "event")
    return found


@dataclass
class Proposal:
    heads: list[bytes]
    wording: bytes
    snapshot: bytes
    rule: str
    closer: bytes
    closes_at: int
    replaces: list[bytes]


def read_proposal(data: bytes) -> Proposal:
    shape = row(many(ID), ID, blob, text, ID, uint, optional(ID))
    found = Proposal(*read(data, PAYLOAD_MAX, "proposal", shape))
    counted(found.heads, 1, 32, "proposal heads")
    ascending(found.heads, "proposal heads")
    filled(found.snapshot, 256 * KIB, "proposal snapshot")
    name(found.rule, "proposal rule")
    ranged(found.closes_at, 0, TIME_MAX, "proposal closes_at")
    return found


@dataclass
class Signoff:
    proposal: bytes
    answer: int
    wording: bytes


def read_signoff(data: bytes) -> Signoff:
    found = Signoff(*read(data, PAYLOAD_MAX, "signoff", row(ID, uint, ID)))
    ranged(found.answer, 0, 3, "answer")
    return found


@dataclass
class Close:
    proposal: bytes
    counted: list[bytes]


def read_close(data: bytes) -> Close:
    found = Close(*read(data, PAYLOAD_MAX, "close", row(ID, many(ID))))
    counted(found.counted, 0, 1000, "close signoffs")
    ascending(found.counted, "close signoffs")
    return found


@dataclass
class Redact:
    entry: bytes
    part: int
    ground: int


def read_redact(data: bytes) -> Redact:
    found = Redact(*read(data, PAYLOAD_MAX, "redact", row(ID, uint, uint)))
    ranged(found.part, 0, 1, "redacted part")
    return found


@dataclass
class Blob:
    media_type: str
    length: int
    chunks: list[bytes]
    name: str


def read_blob(data: bytes) -> Blob:
    found = Blob(*read(data, PAYLOAD_MAX, "blob", row(text, uint, many(ID), text)))
    name(found.media_type, "blob media type")
    name(found.name, "blob name")
    ranged(found.length, 0, 256 * 1024 * KIB, "blob length")
    due = -(-found.length // (256 * KIB))
    counted(found.chunks, due, due, "blob chunks")
    return found


def read_note(data: bytes) -> str:
    (words,) = read(data, 64 * KIB, "note", row(text))
    filled(words, 64 * KIB, "note")
    return str(words)
