"""Verifying runs against the chain that is held, mandatory heads, and openings.

Source: SPEC, sections 6.5 to 6.7.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any, Iterable, Optional

from cbor import Refused
from charter import Charter
from feed import (DESCRIPTOR, GOVERNANCE, OPEN_FEED, Descriptor, Header, Run, entry_id, read_header,
                  take_descriptor)
from hashes import ZERO, digest, signed
from merkle import Frontier, leaf_hash
from shape import (ID, KEY, KIB, SEQ_MAX, SIGNATURE, ascending, counted, many, optional, ranged, read, row,
                   to_bytes, uint)

HEADERS_MAX = 252 * KIB


@dataclass
class Due:
    """The position since the last mandatory size."""
    entries: int = 0
    bytes: int = 0

    def push(self, length: int, governance: bool) -> bool:
        """Counts an entry; says whether a head is mandatory right after it."""
        self.entries, self.bytes = self.entries + 1, self.bytes + length
        due = governance or self.entries >= 256 or self.bytes > HEADERS_MAX
        if due:
            self.entries = self.bytes = 0
        return due


def mandatory_sizes(headers: Iterable[tuple[int, bool]]) -> list[int]:
    due = Due()
    return [size for size, (length, governance) in enumerate(headers, 1) if due.push(length, governance)]


@dataclass
class Entry:
    header: Header
    id: bytes
    leaf: bytes


@dataclass
class Chain:
    feed: bytes
    key: bytes
    last: bytes = ZERO
    frontier: Frontier = field(default_factory=Frontier)
    due: Due = field(default_factory=Due)

    @property
    def size(self) -> int:
        return self.frontier.size

    def extended(self, run: Run) -> tuple["Chain", list[Entry], list[int]]:
        """The chain after a run, its entries, and the mandatory sizes in it; or `Misbehaved`."""
        end = run.start + len(run.entries)
        for fault, held, found in (("OtherFeed", self.feed, run.feed), ("WrongSeq", self.size, run.start),
                                   ("WrongPrev", self.last, run.before)):
            if held != found:
                raise Misbehaved(fault, f"{held!r}, not {found!r}", run.start, end)
        chain = copy.deepcopy(self)
        heads = list(run.heads)
        entries: list[Entry] = []
        mandatory: list[int] = []
        covered = self.size
        for place in range(len(run.entries)):
            entry, due = chain.append(run.header(place, chain.last))
            entries.append(entry)
            if heads and heads[0].head.size == chain.size:
                chain._check_head(heads.pop(0), covered)
                covered = chain.size
            elif due:
                raise Misbehaved("MissingMandatoryHead", f"size {chain.size}", covered, chain.size)
            mandatory += [chain.size] * due
        if heads:
            size = heads[0].head.size
            doubtful = (covered, size) if size > end else (run.start, end)
            raise Misbehaved("StrayHead", f"size {size}", *doubtful)
        if covered != chain.size:
            raise Misbehaved("Uncovered", f"from {covered}, end {chain.size}", covered, end)
        for entry in entries:
            seq = entry.header.seq
            if (seq == 0) != (entry.header.kind == OPEN_FEED):
                raise Misbehaved("OpenedAgain" if seq else "NotOpened", f"seq {seq}", seq, seq + 1)
        return chain, entries, mandatory

    def append(self, header: Header) -> tuple[Entry, bool]:
        encoded = to_bytes(header)
        try:
            read_header(encoded)
        except Refused as refused:
            raise Misbehaved("Header", f"seq {header.seq}: {refused}", header.seq, header.seq + 1) from refused
        leaf = leaf_hash(encoded)
        self.last = entry_id(encoded)
        self.frontier.push(leaf)
        return Entry(header, self.last, leaf), self.due.push(len(encoded), bool(header.kind & GOVERNANCE))

    def _check_head(self, signed_head: Any, covered: int) -> None:
        head = signed_head.head
        if (head.feed, head.last, head.root) != (self.feed, self.last, self.frontier.root()):
            raise Misbehaved("OtherEntries", f"size {self.size}", covered, self.size)
        if not signed_head.verifies(self.key):
            raise Misbehaved("BadSignature", f"size {self.size}", covered, self.size)


class Misbehaved(Refused):
    """A run that does not hold, and the entries, from one up to a size, that nothing vouches for."""

    def __init__(self, fault: str, why: str, start: int, end: int) -> None:
        super().__init__("Misbehaved." + fault, why)
        self.start, self.end = start, end


OLD_KEY, NEW_KEY, RECOVERY_KEY = range(3)


@dataclass
class Opening:
    descriptor: Descriptor
    end: list[list[Any]]
    warrants: list[list[Any]]


def read_opening(data: bytes) -> Opening:
    shape = row(DESCRIPTOR, optional(row(uint, ID)), many(row(uint, KEY, SIGNATURE)))
    descriptor, end, warrants = read(data, KIB, "opening", shape)
    counted(warrants, 0, 2, "warrants")
    for role, _, _ in warrants:
        ranged(role, OLD_KEY, RECOVERY_KEY, "warrant role")
    ascending([role for role, _, _ in warrants], "warrants")
    for seq, _ in end:
        ranged(seq, 0, SEQ_MAX, "end of the epoch before")
    return Opening(take_descriptor(descriptor), end, warrants)


def check_opening(opening: Opening, feed: bytes, board: bytes, charter: Charter,
                  before: Optional[Descriptor]) -> None:
    """Whether an opening may stand in this feed of this board, after that epoch."""
    here = opening.descriptor
    member = charter.member(here.org)
    if here.feed_id() != feed:
        raise Refused("BadOpening.OtherFeed")
    if member is None or here.board != board:
        raise Refused("BadOpening.NotAMember")
    if here.epoch == 0:
        if opening.end or opening.warrants:
            raise Refused("BadOpening.WrongParts")
        if here.key != member.feed_key[1]:
            raise Refused("BadOpening.KeyNotInCharter")
        return
    if before is None:
        raise Refused("BadOpening.KeyNotInCharter")
    if here.key == before.key:
        raise Refused("BadOpening.KeyUsedBefore")
    if here.epoch != before.epoch + 1:
        raise Refused("BadOpening.NotNext")
    if not opening.end:
        raise Refused("BadOpening.WrongParts")
    _check_warrants(opening, before, member.recovery_digest)


def _check_warrants(opening: Opening, before: Descriptor, recovery_digest: bytes) -> None:
    message = to_bytes([opening.descriptor, opening.end])
    for role, (algorithm, found), signature in opening.warrants:
        fits = {OLD_KEY: found == before.key, NEW_KEY: found == opening.descriptor.key,
                RECOVERY_KEY: digest("recovery", found) == recovery_digest}[role]
        if not fits or algorithm != 1 and role != RECOVERY_KEY:
            raise Refused("BadOpening.NotWarranted")
        if algorithm != 1 or not signed("epoch", found, message, signature):
            raise Refused("BadOpening.Signature")
    if len(opening.warrants) != 2 or all(role != NEW_KEY for role, _, _ in opening.warrants):
        raise Refused("BadOpening.NotWarranted")
