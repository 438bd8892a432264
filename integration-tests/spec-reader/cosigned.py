"""Cosignatures in an audit: the longest checkpoint that each feed cosigned of each other.

Source: SPEC, section 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from cbor import Refused
from checkpoint import Checkpoint, Cosignature, Origin, read_origin, verify_checkpoint
from feed import KINDS
from hashes import id_text
from histories import Feed
from merkle import root_of

FEEDS_MAX = 4096


@dataclass
class Claim:
    by: Feed
    seq: int
    given: Cosignature


def origin_of(feed: Feed) -> Origin:
    here = feed.descriptor
    return Origin(here.board, here.org, here.epoch)


def root_before(feed: Feed, seq: int) -> bytes:
    return root_of([entry.leaf for entry in feed.first.entries[:seq]])


def check_checkpoint(feed: Feed, seq: int, note: Checkpoint) -> None:
    """A checkpoint in a feed is of the entries before it, and signed by the feed's key."""
    verify_checkpoint(note, origin_of(feed), feed.descriptor.key, {})
    if (note.size, note.root) != (seq, root_before(feed, seq)):
        raise Refused("OtherEntries", f"size {note.size} at entry {seq}")


class Cosignatures:
    def __init__(self) -> None:
        self.claims: dict[bytes, dict[str, Claim]] = {}

    def take(self, by: Feed, seq: int, given: list[Cosignature]) -> None:
        for one in given:
            origin = read_origin(one.origin)
            if origin is None or origin.board != by.board:
                raise Refused("OtherBoard", one.origin)
            if not one.verifies(by.member.witness_key[1]):
                raise Refused("Cosignature", one.origin)
        claims = self.claims.setdefault(by.first.chain.feed, {})
        for one in given:
            known = claims.get(one.origin)
            if known is None and len(claims) < FEEDS_MAX or known and known.given.size < one.size:
                claims[one.origin] = Claim(by, seq, one)

    def unheld(self, feeds: list[Feed]) -> Iterator[tuple[Feed, Claim]]:
        """Those that agree with no checkpoint of a feed that goes so far."""
        for claim in (claim for claims in self.claims.values() for claim in claims.values()):
            named = [feed for feed in feeds if str(origin_of(feed)) == claim.given.origin]
            if len(named) == 1 and not named[0].broken and not _agrees(named[0], claim.given):
                yield named[0], claim


def _agrees(feed: Feed, given: Cosignature) -> bool:
    entry = feed.first.entry(given.size)
    if entry is None or feed.fork is not None and feed.fork <= given.size:
        return True
    is_checkpoint = KINDS.get(entry.header.kind) == "checkpoint"
    return is_checkpoint and root_before(feed, given.size) == given.root
