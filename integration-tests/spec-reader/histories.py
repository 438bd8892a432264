"""Feeds as an audit holds them: a first history, branches, and what was acknowledged.

Source: SPEC, section 15.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from chain import Chain, Entry, Opening
from charter import Charter, Member
from feed import Descriptor
from finding import Place
from lineage import Extent, Known
from payloads import AckItem


@dataclass
class History:
    """One chain of a feed. A branch begins at `start`, and shares what is before it."""
    chain: Chain
    start: int = 0
    entries: list[Entry] = field(default_factory=list)

    def entry(self, seq: int) -> Optional[Entry]:
        place = seq - self.start
        return self.entries[place] if 0 <= place < len(self.entries) else None


@dataclass
class Feed:
    descriptor: Descriptor
    board: bytes
    charter: Charter
    member: Member
    first: History
    opening: Optional[Opening] = None
    branches: list[History] = field(default_factory=list)
    broken: bool = False
    misplaced: bool = False
    extent: Extent = field(default_factory=lambda: Extent("stands"))
    fork: Optional[int] = None
    # The feed that carries the evidence of this fork, and where.
    proof: Optional[tuple["Feed", int]] = None
    settled: int = 0
    told: set[Any] = field(default_factory=set)

    def at(self, seq: Optional[int] = None, end: Optional[int] = None) -> Place:
        """An entry of it, all from one up to and without another, or all of it."""
        last = end - 1 if seq is not None and end is not None and end > seq else None
        return Place(self.first.chain.feed, seq, last, None, self.member.slug, self.descriptor.epoch)

    def is_told(self, what: Any) -> bool:
        """Whether that was told; from now on it is."""
        told = what in self.told
        self.told.add(what)
        return told

    @property
    def size(self) -> int:
        return self.first.chain.size

    def histories(self) -> list[History]:
        return [self.first, *self.branches]

    def is_whole(self) -> bool:
        return not self.broken and not self.misplaced

    def ends_at(self) -> Optional[int]:
        """How many entries count alone, forks aside; None if all."""
        named = self.first.entry(self.extent.end[0]) if self.extent.end else None
        return self.extent.alone(named.id if named else None)

    def as_known(self) -> Known:
        """Its opening; a fork at entry 0 is another opening of the same feed."""
        return Known(self.descriptor, self.opening, self.descriptor.epoch > 0 and self.fork == 0)

    def counts_alone(self, seq: int) -> bool:
        return all(bound is None or seq < bound for bound in (self.ends_at(), self.fork))

    def covers(self, item: AckItem, history: History) -> int:
        """How much of a history an acknowledgement covers: of another one as far as the two are one."""
        held = self.holding(item.seq, item.id)
        if held is None:
            return 0
        bounds = [one.start for one in (held, history) if one is not self.first and held is not history]
        return min([covers(item), *bounds])

    def holding(self, seq: int, entry_id: bytes) -> Optional[History]:
        """The history that holds this entry."""
        return next((h for h in self.histories() if (e := h.entry(seq)) and e.id == entry_id), None)

    def forked_at(self, index: int) -> None:
        self.fork = index if self.fork is None else min(self.fork, index)


@dataclass
class Ack:
    author: Feed
    seq: int
    item: AckItem


@dataclass
class Acks:
    """Of one feed's acknowledgements of another: the one that names most, and that covers most."""
    highest: Ack
    widest: Ack

    def take(self, ack: Ack) -> None:
        if ack.item.seq > self.highest.item.seq:
            self.highest = ack
        if covers(ack.item) > covers(self.widest.item):
            self.widest = ack

    def both(self) -> list[Ack]:
        one, other = self.highest, self.widest
        return [one] + [other] * ((one.item.seq, one.item.id) != (other.item.seq, other.item.id))


def covers(item: AckItem) -> int:
    through = item.complete_through()
    return 0 if through is None else through + 1
