"""Which feeds of an organisation stand, and where they end, by the set of their openings.

    epoch 0      epoch 1                     epoch 2
    charter's -- by rotation, superseded  -- by rotation, superseded
              `- by recovery, stands      -- by rotation, stands

A recovery beats a rotation of the same epoch and whatever follows from that
rotation. Two feeds of one epoch that nothing supersedes contest each other. The
order in which openings came does not matter.

Source: SPEC, section 6.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from cbor import Refused
from chain import OLD_KEY, RECOVERY_KEY, Opening, check_opening
from charter import Charter
from feed import Descriptor

FEEDS_MAX = 64


@dataclass
class Extent:
    """Whether a feed stands (or is superseded, or contested), and its end: `[seq, entry id]` if it has one."""
    state: str
    end: Optional[list[Any]] = None

    def alone(self, named: Optional[bytes]) -> Optional[int]:
        """How many entries count alone, given the entry that the feed has where it ends; None if all."""
        if self.state != "stands":
            return 0
        if self.end is None:
            return None
        seq, entry_id = self.end
        return int(seq) + (named is None or named == entry_id)


@dataclass
class Known:
    """A feed of an organisation on a board; that of epoch 0 is known from the charter, without an opening."""
    descriptor: Descriptor
    opening: Optional[Opening] = None
    # Another opening of this very feed is proven: what it says of its right and of an end is worth nothing.
    is_forked: bool = False

    def key_of(self, role: int) -> Optional[bytes]:
        warrants = self.opening.warrants if self.opening else []
        return next((bytes(key[1]) for found, key, _ in warrants if found == role), None)

    def is_by_recovery(self) -> bool:
        return self.key_of(RECOVERY_KEY) is not None and not self.is_forked

    def follows(self, before: "Known") -> bool:
        next_epoch = self.descriptor.epoch == before.descriptor.epoch + 1
        return next_epoch and (self.is_forked or self.is_by_recovery() or self.key_of(OLD_KEY) == before.descriptor.key)


def superseded(feeds: list[Known]) -> set[bytes]:
    """The keys of the feeds that a recovery beats: by itself, or with one that they follow."""
    beaten: set[bytes] = set()
    recovered = {feed.descriptor.epoch for feed in feeds if feed.is_by_recovery()}
    for feed in sorted(feeds, key=lambda one: one.descriptor.epoch):
        is_rotation = feed.descriptor.epoch > 0 and not feed.is_by_recovery()
        followed = [one.descriptor.key for one in feeds if feed.follows(one)]
        follows_beaten = bool(followed) and all(key in beaten for key in followed)
        if is_rotation and (feed.descriptor.epoch in recovered or follows_beaten):
            beaten.add(feed.descriptor.key)
    return beaten


def extents(feeds: list[Known]) -> list[Extent]:
    """Of each feed of an organisation on a board, in the order given."""
    beaten = superseded(feeds)
    left = [feed for feed in feeds if feed.descriptor.key not in beaten]
    return [Extent("superseded") if feed.descriptor.key in beaten else _extent(feed, left) for feed in feeds]


def _extent(feed: Known, left: list[Known]) -> Extent:
    if sum(one.descriptor.epoch == feed.descriptor.epoch for one in left) > 1:
        return Extent("contested")
    if any(one.is_forked and one.follows(feed) for one in left):
        return Extent("contested")
    ends = [one.opening.end[0] for one in left if one.opening and one.follows(feed)]
    return Extent("stands", min(ends, default=None))


def expect_room(here: Known, known: list[Known]) -> None:
    """One sort of feeds does not use up the room of another: SPEC, section 6.7."""
    beaten = superseded([*known, here])

    def sort(feed: Known) -> tuple[bool, bool]:
        return feed.is_by_recovery(), feed.descriptor.key in beaten

    if here.descriptor.epoch >= FEEDS_MAX or sum(sort(one) == sort(here) for one in known) >= FEEDS_MAX:
        raise Refused("BadOpening.TooMany")


def check_opening_among(opening: Opening, feed: bytes, board: bytes, charter: Charter,
                        known: list[Known]) -> None:
    """Whether an opening may stand, after whichever known feed of the organisation warrants it."""
    epoch = opening.descriptor.epoch
    expect_room(Known(opening.descriptor, opening), known)
    if epoch and any(one.descriptor.key == opening.descriptor.key for one in known):
        raise Refused("BadOpening.KeyUsedBefore")
    newest = max(known, key=lambda one: one.descriptor.epoch, default=None)
    refused: Optional[Refused] = None
    for before in [one for one in known if one.descriptor.epoch + 1 == epoch] or [newest]:
        try:
            return check_opening(opening, feed, board, charter, before.descriptor if before else None)
        except Refused as why:
            refused = why
    if refused:
        raise refused
