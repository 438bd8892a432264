"""Feeds: descriptors, headers, what lies beside them, heads, and runs by form.

Source: SPEC, sections 6.1 to 6.4, 6.6 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from cbor import malformed
from hashes import digest, signed
from shape import (ID, KIB, SEQ_MAX, SIGNATURE, TIME_MAX, blob, check, counted, fixed, key, many, optional,
                   ranged, read, row, short, to_bytes, uint, version_one)

PAYLOAD_MAX = 1024 * KIB
GOVERNANCE, WITHHELD, REDACTABLE = 256, 512, 1024
KINDS = {257: "open_feed", 2: "ack", 3: "open", 516: "change", 517: "event", 1542: "remark", 263: "audience",
         776: "proposal", 777: "signoff", 778: "close", 267: "charter_candidate", 268: "charter_vote",
         269: "evidence", 270: "redact", 15: "checkpoint", 16: "cosign", 1553: "blob", 1554: "note", 22: "card"}
OPEN_FEED, ACK, EVIDENCE = 257, 2, 269
FOR_OBSERVERS = (257, 2, 269, 15, 16, 22)

DESCRIPTOR = row(ID, ID, uint, uint, ID)
_SALTED = row(fixed(16), blob)
_SEALED = row(_SALTED, optional(_SALTED))
SIGNED_HEAD = row(row(uint, ID, uint, ID, ID), SIGNATURE)
_COMPACT = row(uint, uint, uint, optional(uint), many(uint), optional(_SEALED),
               optional(row(ID, uint, optional(ID))))
RUN = row(ID, uint, ID, many(ID), many(_COMPACT), many(SIGNED_HEAD))


@dataclass
class Descriptor:
    board: bytes
    org: bytes
    epoch: int
    alg: int
    key: bytes

    def feed_id(self) -> bytes:
        return digest("feed", to_bytes(self))


def read_descriptor(data: bytes) -> Descriptor:
    return take_descriptor(read(data, 128, "descriptor", DESCRIPTOR))


def take_descriptor(value: Any) -> Descriptor:
    found = Descriptor(*value)
    key([found.alg, found.key], "feed key")
    return found


@dataclass
class Header:
    version: int
    feed: bytes
    seq: int
    prev: bytes
    charter: bytes
    t_ms: int
    kind: int
    artefact: list[bytes]
    refs: list[bytes]
    p_hash: bytes
    p_len: int
    a_hash: list[bytes]


def entry_id(header: bytes) -> bytes:
    return digest("entry", header)


def read_header(data: bytes) -> Header:
    shape = row(uint, ID, uint, ID, ID, uint, uint, optional(ID), many(ID), ID, uint, optional(ID))
    found = Header(*read(data, 4 * KIB, "header", shape))
    version_one(found.version, "header")
    ranged(found.seq, 0, SEQ_MAX, "header seq")
    ranged(found.t_ms, 0, TIME_MAX, "header time")
    ranged(found.p_len, 0, PAYLOAD_MAX, "payload length")
    counted(found.refs, 0, 64, "header refs")
    return found


@dataclass
class Sealed:
    """A payload and its attribution, each `[salt, bytes]`, the second optional."""
    salted_payload: list[bytes]
    salted_attribution: list[list[bytes]]

    @property
    def payload(self) -> bytes:
        return self.salted_payload[1]

    def hashes(self) -> tuple[bytes, int, list[bytes]]:
        return (digest("payload", b"".join(self.salted_payload)), len(self.payload),
                [digest("attribution", b"".join(salted)) for salted in self.salted_attribution])

    def fits(self, header: Header) -> bool:
        small = all(len(attribution) <= KIB for _, attribution in self.salted_attribution)
        return small and self.hashes() == (header.p_hash, header.p_len, header.a_hash)


def read_sealed(data: bytes) -> Sealed:
    return Sealed(*read(data, 1049664, "payload", _SEALED))


@dataclass
class Head:
    version: int
    feed: bytes
    size: int
    last: bytes
    root: bytes


@dataclass
class SignedHead:
    head: Head
    signature: list[Any]

    def verifies(self, feed_key: bytes) -> bool:
        return signed("head", feed_key, to_bytes(self.head), self.signature)


def read_head(data: bytes) -> SignedHead:
    return take_head(read(data, 256, "signed head", SIGNED_HEAD))


def take_head(value: Any) -> SignedHead:
    head = Head(*value[0])
    version_one(head.version, "head")
    ranged(head.size, 1, SEQ_MAX, "head size")
    return SignedHead(head, value[1])


@dataclass
class Compact:
    charter: int
    t_ms: int
    kind: int
    artefact: list[int]
    refs: list[int]
    carried: list[Sealed]
    named: list[Any]


@dataclass
class Run:
    feed: bytes
    start: int
    before: bytes
    ids: list[bytes]
    entries: list[Compact]
    heads: list[SignedHead]

    def header(self, place: int, prev: bytes) -> Header:
        """The header of an entry, rebuilt; its bounds are not checked yet."""
        entry = self.entries[place]
        hashes = entry.carried[0].hashes() if entry.carried else entry.named[0]
        return Header(1, self.feed, self.start + place, prev, self.ids[entry.charter], entry.t_ms, entry.kind,
                      [self.ids[i] for i in entry.artefact], [self.ids[i] for i in entry.refs], *hashes)


def read_run(data: bytes) -> Run:
    return take_run(read(data, 512 * KIB, "run", RUN))


def take_run(value: Any) -> Run:
    feed, start, before, ids, entries, heads = value
    counted(entries, 1, 256, "run entries")
    counted(heads, 1, 256, "run heads")
    ranged(start, 0, SEQ_MAX - 1, "run from")
    used = 0
    compacts = []
    for item in entries:
        compact = Compact(*item)
        compact.carried = [Sealed(*sealed) for sealed in item[5]]
        used = _check_compact(compact, len(ids), used)
        compacts.append(compact)
    check(used == len(ids) == len(set(ids)), "run ids")
    return Run(feed, start, before, ids, compacts, [take_head(head) for head in heads])


def _check_compact(entry: Compact, ids: int, used: int) -> int:
    """Checks one entry of a run; gives the number of ids used so far."""
    counted(entry.refs, 0, 64, "header refs")
    check(len(entry.carried) + len(entry.named) == 1, "run entry")
    for sealed in entry.carried:
        short(sealed.payload, PAYLOAD_MAX, "payload")
        for _, attribution in sealed.salted_attribution:
            short(attribution, KIB, "attribution")
    for index in [entry.charter, *entry.artefact, *entry.refs]:
        if index > used or index >= ids:
            raise malformed("Range", f"run ids: {index}")
        used = max(used, index + 1)
    return used


def sealed_in(entry: Compact) -> Optional[Sealed]:
    return entry.carried[0] if entry.carried else None
